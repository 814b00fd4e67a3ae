/*
 * Is the forecast as good as it says?  Replays session lives, watches them as poold
 * does, begins drains at random moments, and compares what was forecast with what
 * came.
 *
 *     forecast [--seed N] [--drains N] NAME=TRACE...
 *
 * Prints the tables of docs/forecast.md, and one line for programs.  The generators
 * know nothing of the forecast, nor the forecast of them; what is tuned is the
 * forecast alone.
 */
#include "forecast/forecast.h"
#include "mem.h"
#include "sessions/progress.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DRAINS = 300, MOMENTS = 5, TICK_MS = 1000 };

/* ---- chance ---- */

static uint64_t random_state;

static double uniform(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double between(double low, double high)
{
	return low + (high - low) * uniform();
}

/* As likely to be in each decade. */
static double between_decades(double low, double high)
{
	return low * pow(high / low, uniform());
}

static double exponential(double mean)
{
	return -mean * log(uniform());
}

static double lognormal(double median, double spread)
{
	const double turn = 6.283185307179586;

	return median *
	       exp(spread * sqrt(-2 * log(uniform())) * cos(turn * uniform()));
}

/* ---- lives ---- */

struct life {
	double begin_s, end_s;
};

struct lives {
	struct life *items; /* by their begin */
	size_t count, room;
};

static void add_life(struct lives *lives, double begin_s, double length_s)
{
	if (lives->count == lives->room) {
		lives->room = lives->room ? lives->room * 2 : 1024;
		lives->items =
			xrealloc(lives->items, lives->room * sizeof(*lives->items));
	}
	lives->items[lives->count++] = (struct life){begin_s, begin_s + length_s};
}

/* What one server's users do: the same for one history, others for the next. */
struct world {
	double per_s;  /* sessions that begin */
	double median; /* seconds, of the usual ones */
	double spread;
	double share; /* of the unusual ones */
	double limit; /* seconds */
};

/* Pages: seconds, and connections that are kept open until a time limit. */
static double web_length(const struct world *world)
{
	if (uniform() < world->share) {
		double busy = exponential(world->median * 3);

		return busy + world->limit;
	}
	return lognormal(world->median, world->spread);
}

/* Calls: minutes, with a long tail. */
static double call_length(const struct world *world)
{
	return lognormal(world->median, world->spread);
}

/* The same, and now and then a window that nobody closes for about a day. */
static double forgotten_length(const struct world *world)
{
	return uniform() < world->share ? lognormal(world->limit, 0.5)
					: call_length(world);
}

/* Desktops: a look (minutes) or a day's work (hours), and some people do not log
 * off but go, so that a time limit ends their session later. */
static double desktop_length(const struct world *world)
{
	double length = uniform() < world->share ? lognormal(8 * world->median, 0.6)
						 : exponential(world->median);

	return length + (uniform() < 0.3 ? world->limit : 0);
}

/* Nobody leaves before the limit but some, and nobody stays longer. */
static double limited_length(const struct world *world)
{
	double length = desktop_length(world);

	return length < 6 * world->median ? length : 6 * world->median;
}

static struct world make_web(void)
{
	return (struct world){.per_s = between_decades(1, 20),
			      .median = between_decades(0.5, 4),
			      .spread = between(0.8, 1.5),
			      .share = between(0.1, 0.5),
			      .limit = between_decades(5, 60)};
}

static struct world make_calls(void)
{
	return (struct world){.per_s = between_decades(0.02, 0.2),
			      .median = between_decades(60, 300),
			      .spread = between(1.0, 1.6)};
}

static struct world make_forgotten(void)
{
	struct world world = make_calls();

	world.limit = 86400;
	/* One to ten a day. */
	world.share = between_decades(1, 10) / (86400 * world.per_s);
	return world;
}

static struct world make_desktops(void)
{
	return (struct world){.per_s = between_decades(0.003, 0.03),
			      .median = between_decades(600, 2400),
			      .share = between(0.2, 0.6),
			      .limit = between_decades(900, 7200)};
}

/* ---- the families ---- */

struct family {
	const char *name;
	struct world (*make)(void);
	double (*length)(const struct world *);
	double least_watched_s, most_watched_s; /* before the drain */
	double before_s; /* life that was there before poold was */
	int group;       /* sessions that begin and end together, at most */
};

static const struct family families[] = {
	{"short web", make_web, web_length, 300, 7200, 600, 1},
	{"calls, long tail", make_calls, call_length, 7200, 172800, 43200, 1},
	{"calls, and windows forgotten for a day", make_forgotten, forgotten_length,
	 86400, 2419200, 172800, 1},
	{"desktops, left or logged off", make_desktops, desktop_length, 86400,
	 2419200, 86400, 1},
};

/* Not counted: what the forecast takes for granted does not hold. */
static const struct family hard[] = {
	{"meetings, which end for all", make_calls, call_length, 7200, 172800,
	 43200, 12},
	{"desktops, all ended at one age", make_desktops, limited_length, 86400,
	 2419200, 86400, 1},
	{"the first day of poold", make_forgotten, forgotten_length, 3600, 86400,
	 172800, 1},
};

/* Lives from before the watching, which begins at 0, until the drain. */
static void generate(const struct family *family, double drain_s,
		     struct lives *lives)
{
	struct world world = family->make();
	double begin_s = -family->before_s;

	lives->count = 0;
	while ((begin_s += exponential(1 / world.per_s)) < drain_s) {
		int size = 1 + (int)(uniform() * family->group);
		double length_s = family->length(&world);

		for (int i = 0; i < size; i++) {
			double late_s = size > 1 ? exponential(30) : 0,
			       over_s = size > 1 ? exponential(5) : 0;

			if (begin_s + late_s < drain_s && late_s < length_s)
				add_life(lives, begin_s + late_s,
					 length_s - late_s + over_s);
		}
		begin_s += size > 1 ? (size - 1) / world.per_s : 0;
	}
}

/* A recording: lines of begin and length in tenths of a second; '#' begins a
 * comment. */
static int read_trace(const char *path, struct lives *lives)
{
	FILE *file = fopen(path, "r");
	char line[256];
	double begin, length;

	if (!file) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), file))
		if (*line != '#' && sscanf(line, "%lf %lf", &begin, &length) == 2)
			add_life(lives, begin / 10, length / 10);
	fclose(file);
	return 0;
}

/* ---- watching ---- */

/* When poold sees what happens at that time. */
static double tick_after(double time_s)
{
	return ceil(time_s);
}

/* Ended before poold could see it. */
static bool is_missed(const struct life *life)
{
	return tick_after(life->begin_s) >= tick_after(life->end_s);
}

/* What was learned from the beginning, at 0, until then. */
static void learn(const struct lives *lives, double now_s,
		  struct lifetimes *lifetimes)
{
	*lifetimes = (struct lifetimes){0};
	for (size_t i = 0; i < lives->count; i++) {
		const struct life *life = &lives->items[i];
		double seen_s = tick_after(life->begin_s),
		       gone_s = tick_after(life->end_s);
		bool has_ended = gone_s <= now_s;

		if (seen_s > 0 && seen_s <= now_s && !is_missed(life))
			lifetimes_add(lifetimes, 0,
				      (has_ended ? gone_s : now_s) - seen_s, 1,
				      has_ended);
	}
}

static int64_t count_left(const struct lives *lives, double now_s)
{
	int64_t left = 0;

	for (size_t i = 0; i < lives->count; i++)
		left += tick_after(lives->items[i].begin_s) <= now_s &&
			tick_after(lives->items[i].end_s) > now_s;
	return left;
}

/* The rate as a drain knows it that began then. */
static double find_rate(const struct lives *left, double drain_s, double now_s)
{
	struct progress progress = {.source_count = 1,
				    .sources = {{.gap_limit_ms = 3 * TICK_MS}}};
	double from_s = now_s - PROGRESS_POINTS + 1, rate;

	for (double at_s = from_s > drain_s ? from_s : drain_s; at_s <= now_s;
	     at_s++) {
		struct mono at = {(int64_t)(at_s * 1000)};

		progress_add(&progress, 0,
			     (struct sample){.at = at,
					     .is_known = true,
					     .count = count_left(left, at_s)});
		progress_combine(&progress, at);
	}
	return progress_rate(&progress, &rate) ? rate : 0;
}

static void ask(const struct lives *lives, const struct lives *left, double drain_s,
		double now_s, struct forecast_result *answer, double *by_rate_s)
{
	struct lifetimes lifetimes;
	struct forecast_service service = {.name = "it", .lifetimes = &lifetimes};
	struct forecast_session *sessions =
		xcalloc(left->count, sizeof(struct forecast_session));
	struct forecast *forecast = forecast_new();
	double rate = find_rate(left, drain_s, now_s);

	learn(lives, now_s, &lifetimes);
	for (size_t i = 0; i < left->count; i++) {
		double seen_s = tick_after(left->items[i].begin_s);

		if (tick_after(left->items[i].end_s) > now_s)
			sessions[service.count++] = (struct forecast_session){
				.age_s = now_s - (seen_s > 0 ? seen_s : 0),
				.is_least = seen_s <= 0};
	}
	service.sessions = sessions;
	forecast_add(forecast, &service);
	forecast_result(forecast, answer);
	*by_rate_s = rate > 0 ? (double)service.count * 60 / rate : -1;
	forecast_free(forecast);
	free(sessions);
}

/* ---- scoring ---- */

struct score {
	int drains, forecasts, unknown;
	int in_half, in_nine_tenths;
	double *errors, *rate_errors; /* where both say something */
	int both;
};

static void note(struct score *score, const struct forecast_result *answer,
		 double by_rate_s, double truth_s)
{
	if (answer->basis != FORECAST_LIFETIMES || answer->nine_tenths_s < 0) {
		score->unknown++;
		return;
	}
	score->forecasts++;
	score->in_half += truth_s <= answer->half_s;
	score->in_nine_tenths += truth_s <= answer->nine_tenths_s;
	if (by_rate_s < 0)
		return;
	score->errors[score->both] = fabs(answer->half_s - truth_s);
	score->rate_errors[score->both++] = fabs(by_rate_s - truth_s);
}

/* Those that the drain has to wait for, and when the last of them is gone. */
static double find_left(const struct lives *lives, double drain_s,
			struct lives *left)
{
	double end_s = 0;

	for (size_t i = 0; i < lives->count; i++) {
		const struct life *life = &lives->items[i];

		if (tick_after(life->begin_s) > drain_s ||
		    tick_after(life->end_s) <= drain_s)
			continue;
		add_life(left, life->begin_s, life->end_s - life->begin_s);
		if (tick_after(life->end_s) > end_s)
			end_s = tick_after(life->end_s);
	}
	return end_s;
}

/* One drain: asked when it begins, a minute after, and while there is someone left,
 * when so much of the time has passed by which the first answer said that it was as
 * likely as not. */
static void drain(const struct lives *lives, double drain_s, struct score *score)
{
	static const double parts[MOMENTS] = {0, 0, 0.5, 1, 2};
	struct lives left = {0};
	double end_s = find_left(lives, drain_s, &left), first_s = 0, asked_s = -1;

	score->drains += left.count > 0;
	for (int moment = 0; moment < MOMENTS && left.count; moment++) {
		double now_s = drain_s +
			       (moment == 1 ? 60
					    : tick_after(parts[moment] * first_s)),
		       by_rate_s;
		struct forecast_result answer;

		if (now_s <= asked_s || now_s >= end_s)
			continue;
		ask(lives, &left, drain_s, now_s, &answer, &by_rate_s);
		note(score, &answer, by_rate_s, end_s - now_s);
		asked_s = now_s;
		if (moment == 0)
			first_s = answer.half_s > 0 ? answer.half_s : 60;
	}
	free(left.items);
}

static int compare_numbers(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *numbers, int count)
{
	qsort(numbers, (size_t)count, sizeof(*numbers), compare_numbers);
	return count ? numbers[count / 2] : 0;
}

static const char table_head[] =
	"| sessions | drains | forecasts | within nine tenths | within half |"
	" error of half | error of the rate | not known |\n"
	"|---|---|---|---|---|---|---|---|\n";

static void print_seconds(double s)
{
	if (s < 90)
		printf(" | %.0f s", s);
	else if (s < 5400)
		printf(" | %.0f m", s / 60);
	else
		printf(" | %.1f h", s / 3600);
}

static double part(int count, int of)
{
	return of ? 100.0 * count / of : 0;
}

static void print_score(const char *name, struct score *score)
{
	printf("| %s | %d | %d | %.1f | %.1f", name, score->drains,
	       score->forecasts, part(score->in_nine_tenths, score->forecasts),
	       part(score->in_half, score->forecasts));
	print_seconds(median(score->errors, score->both));
	print_seconds(median(score->rate_errors, score->both));
	printf(" | %d |\n", score->unknown);
}

static void run_family(const struct family *family, int drains, struct score *score)
{
	struct lives lives = {0};

	for (int i = 0; i < drains; i++) {
		double drain_s = floor(between_decades(family->least_watched_s,
						       family->most_watched_s));

		generate(family, drain_s, &lives);
		drain(&lives, drain_s, score);
	}
	free(lives.items);
}

/* Drains at random moments, not at the ends of a recording: there was nothing to
 * learn from at first, and who stayed longer than it is not in it. */
static int run_trace(const char *path, int drains, struct score *score)
{
	struct lives lives = {0};
	double length_s = 0;

	if (read_trace(path, &lives))
		return -1;
	for (size_t i = 0; i < lives.count; i++)
		if (lives.items[i].end_s > length_s)
			length_s = lives.items[i].end_s;
	for (int i = 0; i < drains; i++)
		drain(&lives, floor(between(0.2, 0.7) * length_s), score);
	free(lives.items);
	return 0;
}

static void start(struct score *score, int drains, uint64_t seed)
{
	*score = (struct score){
		.errors = xcalloc((size_t)drains * MOMENTS, sizeof(double)),
		.rate_errors = xcalloc((size_t)drains * MOMENTS, sizeof(double))};
	random_state = seed;
}

/* Prints a row, and adds it to the sum. */
static void finish(struct score *score, const char *name, struct score *sum)
{
	print_score(name, score);
	sum->forecasts += score->forecasts;
	sum->in_nine_tenths += score->in_nine_tenths;
	free(score->errors);
	free(score->rate_errors);
}

static void run_families(const struct family *list, size_t count, int drains,
			 uint64_t seed, struct score *sum)
{
	for (size_t i = 0; i < count; i++) {
		struct score score;

		start(&score, drains, seed);
		run_family(&list[i], drains, &score);
		finish(&score, list[i].name, sum);
	}
}

/* "name=path" */
static int run_traces(char **traces, int drains, uint64_t seed, struct score *sum)
{
	for (; *traces; traces++) {
		char *path = strchr(*traces, '=');
		struct score score;

		if (!path) {
			fprintf(stderr, "NAME=TRACE, not %s\n", *traces);
			return -1;
		}
		*path++ = '\0';
		start(&score, drains, seed);
		if (run_trace(path, drains, &score))
			return -1;
		finish(&score, *traces, sum);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct score sum = {0}, limits = {0};
	uint64_t seed = 1;
	int drains = DEFAULT_DRAINS, at = 1;

	for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2)
		if (!strcmp(argv[at], "--seed"))
			seed = strtoull(argv[at + 1], NULL, 10);
		else
			drains = (int)strtol(argv[at + 1], NULL, 10);
	printf("%s", table_head);
	run_families(families, sizeof(families) / sizeof(families[0]), drains, seed,
		     &sum);
	if (run_traces(argv + at, drains, seed, &sum))
		return 1;
	printf("\nWhat it is not good at:\n\n%s", table_head);
	run_families(hard, sizeof(hard) / sizeof(hard[0]), drains, seed, &limits);
	printf("\nforecasts %d, covered %d, coverage %.1f %%\n", sum.forecasts,
	       sum.in_nine_tenths, part(sum.in_nine_tenths, sum.forecasts));
	return 0;
}
