#include "forecast/hazard_model.h"

#include <math.h>
#include <stdint.h>

/* What the bins nearby say of one: the share of it that is left a bin further on,
 * and the most ends that it counts for. */
static const double kept = 0.8, most_nearby = 30;

/* Where nothing was seen: this rate, on the strength of so many ends. */
static const double usual_rate = 2.2, usual_ends = 0.5;

/* The square of how far off the bins nearby may be, in standard deviations, before
 * they count for less. */
static const double agrees = 4;

/* Sessions are not as independent of each other as the sums believe (a meeting ends
 * for all of them), so ends above this number say nothing more. */
static const double most_told = 200;

/* From one bin to the next, of how far a draw is off. */
static const double correlation = 0.8;

/* Of a bin. */
static const double width = 1.0 / LIFETIMES_BINS_PER_UNIT;

/* Ends, and for how long there was somebody who could have: their rate is a
 * quotient. */
struct evidence {
	double ends, risk;
};

static struct evidence add(struct evidence a, struct evidence b, double share_of_b)
{
	return (struct evidence){a.ends + share_of_b * b.ends,
				 a.risk + share_of_b * b.risk};
}

static struct evidence find_own(const struct lifetimes *lifetimes, int bin)
{
	double ends = lifetimes->ends[bin],
	       told = ends > most_told ? most_told / ends : 1;

	return (struct evidence){told * ends, told * lifetimes->risk[bin] * width};
}

/* How much of what the bins nearby say agrees with a bin's own: 0 to 1. */
static double find_agreement(struct evidence nearby, struct evidence own)
{
	double expected = own.risk * nearby.ends / nearby.risk,
	       variance = expected + expected * expected / nearby.ends,
	       off = own.ends - expected;

	return off * off > agrees * variance ? agrees * variance / (off * off) : 1;
}

/* From one end of the scale to the other: adds to each bin what those before it
 * say. */
static void pass(const struct lifetimes *lifetimes, int first, int step,
		 struct evidence known[LIFETIMES_BINS])
{
	const struct evidence none = {0},
			      usual = {usual_ends, usual_ends / usual_rate};
	struct evidence nearby = usual;

	for (int bin = first; bin >= 0 && bin < LIFETIMES_BINS; bin += step) {
		struct evidence own = find_own(lifetimes, bin);

		nearby = add(none, nearby, find_agreement(nearby, own));
		known[bin] = add(known[bin], nearby, 1);
		nearby = add(nearby, own, 1);
		if (nearby.ends > most_nearby)
			nearby = add(none, nearby, most_nearby / nearby.ends);
		nearby = add(add(none, nearby, kept), usual, 1 - kept);
	}
}

/* splitmix64: numbers that look random and are always the same; 0 to 1. */
static double next_part(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* Nearly normal: mean 0, variance 1. */
static double next_normal(uint64_t *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += next_part(state);
	return sum;
}

/* Seconds lived in a part of a bin by a session that is alive where it begins: the
 * age there is e^from - 1 on the scale, and the part is `length` long. */
static double lived(double from, double length, double rate)
{
	double power = 1 - rate;
	double grown = fabs(power * length) < 1e-9 ? length
						   : expm1(power * length) / power;

	return exp(from) * grown;
}

static void sum_up(struct hazard_model *model, int draw)
{
	double until = 0, rest = 0;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
		model->until[bin][draw] = until;
		until += model->rate[bin][draw] * width;
	}
	for (int bin = LIFETIMES_BINS - 1; bin >= 0; bin--) {
		rest += exp(-model->until[bin][draw]) *
			lived(bin * width, width, model->rate[bin][draw]);
		model->rest[bin][draw] = rest;
	}
}

void hazard_model_init(struct hazard_model *model,
		       const struct lifetimes *lifetimes)
{
	struct evidence known[LIFETIMES_BINS];
	uint64_t state = 1;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++)
		known[bin] = find_own(lifetimes, bin);
	pass(lifetimes, 0, 1, known);
	pass(lifetimes, LIFETIMES_BINS - 1, -1, known);
	for (int draw = 0; draw < HAZARD_MODEL_DRAWS; draw++) {
		double off = next_normal(&state);

		for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
			double spread = 1 / sqrt(known[bin].ends);

			model->rate[bin][draw] =
				known[bin].ends / known[bin].risk *
				exp(off * spread - spread * spread / 2);
			off = correlation * off +
			      sqrt(1 - correlation * correlation) *
				      next_normal(&state);
		}
		sum_up(model, draw);
	}
}

void hazard_model_share(const struct hazard_model *model, double age_s,
			bool is_least, double logs[HAZARD_MODEL_DRAWS])
{
	double at = lifetimes_scale(age_s);
	int bin = (int)(at * LIFETIMES_BINS_PER_UNIT);
	double into;

	if (bin >= LIFETIMES_BINS)
		bin = LIFETIMES_BINS - 1;
	into = at - bin * width;
	for (int i = 0; i < HAZARD_MODEL_DRAWS; i++) {
		double rate = model->rate[bin][i],
		       until = model->until[bin][i] + rate * into,
		       rest = bin + 1 < LIFETIMES_BINS ? model->rest[bin + 1][i]
						       : 0;

		if (is_least)
			rest += exp(-until) * lived(at, width - into, rate);
		logs[i] = is_least ? log(rest) : -until;
	}
}
