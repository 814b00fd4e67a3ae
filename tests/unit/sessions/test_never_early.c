/*
 * "Drained" is said exactly when it may be, never early and never late: samples by
 * chance of several sources, with gaps, failures, late answers and clocks that
 * jump, against an oracle that keeps everything.
 *
 * POOLCTL_SEED repeats a run; POOLCTL_ROUNDS makes it longer.
 */
#include "draw.h"
#include "sessions/progress.h"
#include "sessions_counts.h"
#include "sessions/settle_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 150, ROUNDS = 6000, LATE = 8 };

/* ---- samples by chance ---- */

/* A source as it truly is, and its answers that are under way. */
struct truth {
	int64_t sessions;
	int64_t due_ms, every_ms;
	bool is_failing;
	struct oracle_sample late[LATE];
	int late_count;
};

/* One drain. */
static struct {
	struct progress progress;
	struct oracle oracle;
	struct truth truths[ORACLE_SOURCES];
	int64_t now_ms, settle_ms;
	int64_t still_steps; /* the clock stands still for so many */
	bool is_late; /* answers take their time; else the clock may jump back */
	bool notes_silence;
	bool is_out;
	int64_t checks, settled, early, late;
} world;

static void deliver(size_t i, struct oracle_sample sample)
{
	sample.answered_ms = world.now_ms;
	oracle_add(&world.oracle, i, sample);
	progress_add(&world.progress, i,
		     (struct sample){.at = {sample.asked_ms},
				     .answered_at = {sample.answered_ms},
				     .is_known = sample.is_known,
				     .count = sample.is_known ? sample.count : 0});
}

/* Sessions end more often than they come, as in a drain. */
static void live(struct truth *truth)
{
	if (truth->sessions && one_in(4))
		truth->sessions -= 1 + draw(truth->sessions);
	else if (one_in(world.is_out ? 60 : 6))
		truth->sessions += 1 + draw(4);
	if (one_in(truth->is_failing ? 3 : 60))
		truth->is_failing = !truth->is_failing;
}

static void look(size_t i)
{
	struct truth *truth = &world.truths[i];
	struct oracle_sample sample = {.asked_ms = world.now_ms,
				       .is_known = !truth->is_failing,
				       .count = truth->sessions};

	truth->due_ms = world.now_ms + truth->every_ms / 2 + draw(truth->every_ms);
	if (one_in(40))
		truth->due_ms += draw(10 * truth->every_ms);
	if (world.is_late && (truth->late_count || one_in(8)) &&
	    truth->late_count < LATE)
		truth->late[truth->late_count++] = sample;
	else
		deliver(i, sample);
}

static void deliver_late(size_t i)
{
	struct truth *truth = &world.truths[i];

	for (int k = 0; k < truth->late_count; k++)
		deliver(i, truth->late[k]);
	truth->late_count = 0;
}

/* An answer that does not come is not known; it may come after that was said. */
static void note_silence(size_t i)
{
	const struct progress_source *said = &world.progress.sources[i];

	if (said->has_sample && said->last.is_known &&
	    world.now_ms - said->last.at.ms > said->gap_limit_ms)
		deliver(i, (struct oracle_sample){.asked_ms = world.now_ms});
}

static void pass_time(void)
{
	int64_t step_ms = 1 + draw(1500);

	if (world.still_steps) {
		world.still_steps--;
		return;
	}
	if (one_in(150))
		world.still_steps = draw(20);
	if (one_in(150))
		step_ms += draw(3600 * 1000);
	if (!world.is_late && one_in(100))
		step_ms -= draw(5000);
	world.now_ms += step_ms;
}

static void see_service(void)
{
	if (one_in(world.is_out ? 80 : 4))
		world.is_out = !world.is_out;
	oracle_see(&world.oracle, world.is_out, world.now_ms);
	progress_see(&world.progress, world.is_out, (struct mono){world.now_ms});
}

static void step(void)
{
	pass_time();
	see_service();
	if (one_in(200)) {
		oracle_restart(&world.oracle);
		progress_restart(&world.progress);
		see_service();
	}
	for (size_t i = 0; i < world.oracle.source_count; i++) {
		live(&world.truths[i]);
		if (one_in(3))
			deliver_late(i);
		if (world.now_ms >= world.truths[i].due_ms)
			look(i);
		if (world.notes_silence)
			note_silence(i);
	}
	progress_combine(&world.progress, (struct mono){world.now_ms});
}

static void begin(void)
{
	oracle_done(&world.oracle);
	memset(world.truths, 0, sizeof(world.truths));
	world.progress = (struct progress){.is_sum = one_in(2)};
	world.progress.source_count = (size_t)(1 + draw(ORACLE_SOURCES));
	world.oracle.source_count = world.progress.source_count;
	world.now_ms = draw(1000000);
	world.settle_ms = one_in(10) ? 0 : draw(12000);
	world.still_steps = 0;
	world.is_out = false;
	world.is_late = !one_in(3);
	world.notes_silence = one_in(2);
	for (size_t i = 0; i < world.oracle.source_count; i++) {
		struct truth *truth = &world.truths[i];
		bool ignores_unknown = one_in(5);

		truth->sessions = draw(6);
		truth->every_ms = 200 + draw(2500);
		truth->due_ms = world.now_ms + draw(truth->every_ms);
		world.oracle.sources[i].ignores_unknown = ignores_unknown;
		world.oracle.sources[i].gap_limit_ms = 3 * truth->every_ms;
		world.progress.sources[i].ignores_unknown = ignores_unknown;
		world.progress.sources[i].gap_limit_ms = 3 * truth->every_ms;
	}
}

static void check(int64_t round)
{
	bool is = progress_is_settled(&world.progress, world.settle_ms);
	bool may_be = oracle_is_settled(&world.oracle, world.settle_ms);

	world.checks++;
	world.settled += is;
	if (is == may_be)
		return;
	if (!world.early && !world.late)
		print_message("round %lld at %lld ms, settle time %lld ms: %s\n",
			      (long long)round, (long long)world.now_ms,
			      (long long)world.settle_ms,
			      is ? "said early" : "not said");
	if (is)
		world.early++;
	else
		world.late++;
}

static void settled_is_said_exactly_when_every_source_was_quiet_long_enough(
	void **state)
{
	int64_t rounds = number_of("POOLCTL_ROUNDS", ROUNDS);

	(void)state;
	for (int64_t round = 0; round < rounds; round++) {
		begin();
		for (int i = 0; i < STEPS; i++) {
			step();
			check(round);
		}
	}
	oracle_done(&world.oracle);
	sessions_counts_add(world.checks, world.early);
	print_message("%lld checks, %lld settled\n", (long long)world.checks,
		      (long long)world.settled);
	assert_int_equal(world.early, 0);
	assert_int_equal(world.late, 0);
	/* If it was never so, nothing was tried. */
	assert_true(world.settled > rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			settled_is_said_exactly_when_every_source_was_quiet_long_enough),
	};

	draw_begin(20261121);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
