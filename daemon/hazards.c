#include "hazards.h"

#include "mem.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* The rates that are thought of: e^-6 to e^5 per unit of the scale. */
enum { LEVELS = 89 };
static const double lowest_level = -6, level_step = 0.125;

/* Steps from one bin to the next, in logarithms: mostly small ones, and all of them a
 * little towards what is usual where nothing was seen. */
static const double small_step = 0.2, big_step = 2, share_of_big = 0.02;
static const double usual_level = 1.3, pull = 0.07;

/* Of the first bin, before anything was seen. */
static const double first_level = -0.7, first_spread = 1.5;

/* Sessions are not as independent of each other as the sums believe (a meeting ends for
 * all of them), so ends above this number say nothing more. */
static const double most_told = 200;

struct walk {
	double steps[LEVELS][LEVELS];          /* chance to go from one to the other */
	double chance[LIFETIMES_BINS][LEVELS]; /* given what was seen up to there */
};

/* Of a bin. */
static const double width = 1.0 / LIFETIMES_BINS_PER_UNIT;

static double level_of(int number)
{
	return lowest_level + number * level_step;
}

static double bell(double distance, double spread)
{
	return exp(-distance * distance / (2 * spread * spread)) / spread;
}

static void scale_to_one(double chance[LEVELS])
{
	double sum = 0;

	for (int i = 0; i < LEVELS; i++)
		sum += chance[i];
	for (int i = 0; i < LEVELS; i++)
		chance[i] /= sum;
}

static void fill_steps(struct walk *walk)
{
	for (int from = 0; from < LEVELS; from++) {
		double level = level_of(from),
		       there = level + pull * (usual_level - level);

		for (int to = 0; to < LEVELS; to++) {
			double step = level_of(to) - there;

			walk->steps[from][to] =
				(1 - share_of_big) * bell(step, small_step) +
				share_of_big * bell(step, big_step);
		}
		scale_to_one(walk->steps[from]);
	}
}

/* Weighs each level with what was seen in the bin (Poisson). */
static void see(double chance[LEVELS], double ends, double risk)
{
	double told = ends > most_told ? most_told / ends : 1, best = -HUGE_VAL;
	double logs[LEVELS];

	for (int i = 0; i < LEVELS; i++) {
		logs[i] = told * (ends * level_of(i) - risk * width * exp(level_of(i)));
		if (logs[i] > best)
			best = logs[i];
	}
	for (int i = 0; i < LEVELS; i++)
		chance[i] *= exp(logs[i] - best);
	scale_to_one(chance);
}

/* From the first bin to the last. */
static void go_forward(struct walk *walk, const struct lifetimes *lifetimes)
{
	for (int i = 0; i < LEVELS; i++)
		walk->chance[0][i] = bell(level_of(i) - first_level, first_spread);
	see(walk->chance[0], lifetimes->ends[0], lifetimes->risk[0]);
	for (int bin = 1; bin < LIFETIMES_BINS; bin++) {
		double *now = walk->chance[bin];

		for (int from = 0; from < LEVELS; from++)
			for (int to = 0; to < LEVELS; to++)
				now[to] += walk->chance[bin - 1][from] *
					   walk->steps[from][to];
		see(now, lifetimes->ends[bin], lifetimes->risk[bin]);
	}
}

/* splitmix64: numbers that look random and are always the same. */
static double next_part(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* The level at `part` (0 to 1) of the chances, which need not sum to 1. */
static int pick(const double chance[LEVELS], double part)
{
	double sum = 0, until = 0;

	for (int i = 0; i < LEVELS; i++)
		sum += chance[i];
	for (int i = 0; i < LEVELS; i++) {
		until += chance[i];
		if (until > part * sum)
			return i;
	}
	return LEVELS - 1;
}

/* One of the walks, from the last bin back to the first.  The draws share out the last
 * bin's levels evenly, so that a few of them stand for all. */
static void go_back(const struct walk *walk, struct hazards *hazards, int number,
		    uint64_t *state)
{
	double weights[LEVELS];
	int level = pick(walk->chance[LIFETIMES_BINS - 1],
			 (number + next_part(state)) / HAZARDS_DRAWS);

	for (int bin = LIFETIMES_BINS - 1;; bin--) {
		/* Between two levels all are as likely. */
		hazards->rate[bin][number] =
			exp(level_of(level) + (next_part(state) - 0.5) * level_step);
		if (bin == 0)
			return;
		for (int i = 0; i < LEVELS; i++)
			weights[i] = walk->chance[bin - 1][i] * walk->steps[i][level];
		level = pick(weights, next_part(state));
	}
}

/* Seconds lived in a part of a bin by who is alive where it begins: the age there is
 * e^from - 1 on the scale, and the part is `length` long. */
static double lived(double from, double length, double rate)
{
	double power = 1 - rate;
	double grown =
		fabs(power * length) < 1e-9 ? length : expm1(power * length) / power;

	return exp(from) * grown;
}

static void sum_up(struct hazards *hazards, int number)
{
	double until = 0, rest = 0;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
		hazards->until[bin][number] = until;
		until += hazards->rate[bin][number] * width;
	}
	for (int bin = LIFETIMES_BINS - 1; bin >= 0; bin--) {
		rest += exp(-hazards->until[bin][number]) *
			lived(bin * width, width, hazards->rate[bin][number]);
		hazards->rest[bin][number] = rest;
	}
}

void hazards_init(struct hazards *hazards, const struct lifetimes *lifetimes)
{
	struct walk *walk = xcalloc(1, sizeof(*walk));
	uint64_t state = 1;

	fill_steps(walk);
	go_forward(walk, lifetimes);
	for (int number = 0; number < HAZARDS_DRAWS; number++) {
		go_back(walk, hazards, number, &state);
		sum_up(hazards, number);
	}
	free(walk);
}

/* Where an age is: its bin, and how far into it, on the scale. */
static int find_bin(double age_s, double *into)
{
	double at = lifetimes_scale(age_s);
	int bin = (int)(at * LIFETIMES_BINS_PER_UNIT);

	if (bin >= LIFETIMES_BINS)
		bin = LIFETIMES_BINS - 1;
	*into = at - (double)bin / LIFETIMES_BINS_PER_UNIT;
	return bin;
}

void hazards_until(const struct hazards *hazards, double age_s,
		   double until[HAZARDS_DRAWS])
{
	double into;
	int bin = find_bin(age_s, &into);

	for (int i = 0; i < HAZARDS_DRAWS; i++)
		until[i] = hazards->until[bin][i] + hazards->rate[bin][i] * into;
}

void hazards_rest(const struct hazards *hazards, double age_s, double rest[HAZARDS_DRAWS])
{
	double into;
	int bin = find_bin(age_s, &into);

	for (int i = 0; i < HAZARDS_DRAWS; i++) {
		double rate = hazards->rate[bin][i],
		       until = hazards->until[bin][i] + rate * into,
		       after = bin + 1 < LIFETIMES_BINS ? hazards->rest[bin + 1][i] : 0;

		rest[i] = after +
			  exp(-until) * lived(bin * width + into, width - into, rate);
	}
}
