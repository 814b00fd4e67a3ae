#include "reconcile.h"

#include <stddef.h>

/* Each column of a row is a set of values, one bit each. */
#define BIT(value) (1u << (value))
#define ANY 0xffffu

#define RUNNING BIT(STATE_RUNNING)
#define PAUSED BIT(STATE_PAUSED)
#define STOPPED BIT(STATE_STOPPED)
#define MISSING BIT(STATE_MISSING)
#define UNASKED BIT(STATE_UNKNOWN)
#define STARTING (BIT(STATE_START_PENDING) | BIT(STATE_CONTINUE_PENDING))
#define PAUSING BIT(STATE_PAUSE_PENDING)
#define STOPPING BIT(STATE_STOP_PENDING)
#define ABSENT BIT(STATE_ABSENT)
#define OUT (PAUSED | STOPPED)

#define WRONG BIT(STARTUP_WRONG)
#define RIGHT BIT(STARTUP_RIGHT)

#define NOTHING BIT(SAVED_NONE)
#define WAS_RUNNING BIT(SAVED_RUNNING)
#define WAS_PAUSED BIT(SAVED_PAUSED)
#define WAS_STOPPED BIT(SAVED_STOPPED)
#define SAVED (WAS_RUNNING | WAS_PAUSED | WAS_STOPPED)

#define AWAITED BIT(ANSWER_AWAITED)
#define LATE BIT(ANSWER_LATE)
#define REFUSED BIT(ANSWER_REFUSED)
#define FAILED BIT(ANSWER_FAILED)

#define UNKNOWN BIT(TALLY_UNKNOWN)
#define SOME BIT(TALLY_SOME)
#define ZERO BIT(TALLY_ZERO)
#define SETTLED BIT(TALLY_SETTLED)
#define TAKEN BIT(TALLY_TAKEN)

#define NO BIT(0)
#define YES BIT(1)

/* The first row that matches decides. */
static const struct row {
	enum want want;
	unsigned states, accepts_pause, startups, saved, answers, tallies, may_cut,
		coming_back;
	enum action action;
	enum phase phase;
	const char *message;
} rows[] = {
	/* Taking it out.  Saved comes before the startup type, and that before pause, so
	 * that a crash or a reboot at any instant is safe. */
	{WANT_DRAINED, ABSENT, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_DRAINED, "not installed here, and need not be"},
	{WANT_DRAINED, MISSING | ABSENT, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION, "the service is not installed; check its name in pool.yaml"},
	{WANT_DRAINED, MISSING | ABSENT, ANY, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION,
	 "the service was uninstalled while it was out; install it again, or end the "
	 "drain"},
	{WANT_DRAINED, UNASKED, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION, "the SCM cannot be asked"},
	{WANT_DRAINED, RUNNING, NO, ANY, NOTHING, ANY, ANY, NO, ANY, ACT_NONE,
	 PHASE_ATTENTION,
	 "the service does not accept pause, and nothing was changed; stop it yourself "
	 "when its sessions may end, or end the drain"},
	{WANT_DRAINED, ANY, ANY, ANY, NOTHING, FAILED, ANY, ANY, ANY, ACT_SAVE,
	 PHASE_ATTENTION,
	 "what the service is cannot be written down, so nothing was changed"},
	{WANT_DRAINED, ANY, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_SAVE,
	 PHASE_DRAINING, "being taken out"},
	{WANT_DRAINED, ANY, ANY, WRONG, SAVED, FAILED, ANY, ANY, ANY, ACT_SET_STARTUP,
	 PHASE_ATTENTION, "the startup type cannot be set; it is tried again"},
	{WANT_DRAINED, ANY, ANY, WRONG, SAVED, ANY, ANY, ANY, YES, ACT_SET_STARTUP,
	 PHASE_ATTENTION,
	 "somebody keeps changing the service back; poold undoes it at growing distances"},
	{WANT_DRAINED, ANY, ANY, WRONG, SAVED, ANY, ANY, ANY, ANY, ACT_SET_STARTUP,
	 PHASE_DRAINING, "being taken out"},

	/* A deadline is over at which the operator wants it stopped.  One that can be
	 * paused is paused first. */
	{WANT_DRAINED, PAUSED, ANY, ANY, SAVED, AWAITED, UNKNOWN | SOME | TAKEN, YES, ANY,
	 ACT_WAIT, PHASE_DRAINING, "the deadline is over; asked to stop"},
	{WANT_DRAINED, PAUSED, ANY, ANY, SAVED, LATE | REFUSED | FAILED,
	 UNKNOWN | SOME | TAKEN, YES, ANY, ACT_STOP, PHASE_ATTENTION,
	 "the deadline is over, and the service does not stop; it is asked again"},
	{WANT_DRAINED, PAUSED, ANY, ANY, SAVED, ANY, UNKNOWN | SOME | TAKEN, YES, ANY,
	 ACT_STOP, PHASE_DRAINING, "the deadline is over; being stopped"},
	{WANT_DRAINED, RUNNING, NO, ANY, SAVED, AWAITED, ANY, YES, ANY, ACT_WAIT,
	 PHASE_DRAINING, "the deadline is over; asked to stop"},
	{WANT_DRAINED, RUNNING, NO, ANY, SAVED, LATE | REFUSED | FAILED, ANY, YES, ANY,
	 ACT_STOP, PHASE_ATTENTION,
	 "the deadline is over, and the service does not stop; it is asked again"},
	{WANT_DRAINED, RUNNING, NO, ANY, SAVED, ANY, ANY, YES, YES, ACT_STOP,
	 PHASE_ATTENTION,
	 "somebody keeps changing the service back; poold undoes it at growing distances"},
	{WANT_DRAINED, RUNNING, NO, ANY, SAVED, ANY, ANY, YES, ANY, ACT_STOP,
	 PHASE_DRAINING, "the deadline is over; being stopped"},

	{WANT_DRAINED, RUNNING, NO, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION,
	 "the service runs and does not accept pause; stop it yourself when its sessions "
	 "may end, or end the drain"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, AWAITED, ANY, ANY, NO, ACT_WAIT,
	 PHASE_DRAINING, "asked to pause"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, LATE, ANY, ANY, ANY, ACT_PAUSE,
	 PHASE_ATTENTION, "the service took the pause and still runs; it is asked again"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, REFUSED, ANY, ANY, ANY, ACT_PAUSE,
	 PHASE_ATTENTION,
	 "the service refuses to pause; stop it yourself when its sessions may end, or "
	 "end the drain"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, FAILED, ANY, ANY, ANY, ACT_PAUSE,
	 PHASE_ATTENTION, "the service cannot be paused; it is tried again"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, ANY, ANY, ANY, YES, ACT_PAUSE,
	 PHASE_ATTENTION,
	 "somebody keeps changing the service back; poold undoes it at growing distances"},
	{WANT_DRAINED, RUNNING, YES, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_PAUSE,
	 PHASE_DRAINING, "being taken out"},
	{WANT_DRAINED, STARTING, ANY, ANY, SAVED, LATE, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION,
	 "the service hangs while it starts; it will be paused when it runs"},
	{WANT_DRAINED, STARTING, ANY, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_DRAINING, "starting; it will be paused when it runs"},
	{WANT_DRAINED, PAUSING, ANY, ANY, SAVED, LATE, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION,
	 "the service hangs while it pauses; whether it takes sessions is not known"},
	{WANT_DRAINED, PAUSING, ANY, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_DRAINING, "pausing"},
	{WANT_DRAINED, STOPPING, ANY, ANY, SAVED, LATE, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION, "the service hangs while it stops"},
	{WANT_DRAINED, STOPPING, ANY, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_DRAINING, "stopping"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, ANY, ANY, YES, ACT_NONE,
	 PHASE_ATTENTION,
	 "takes no sessions now, but somebody keeps changing the service back; find out "
	 "who (poolctl events)"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, TAKEN, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION,
	 "takes new sessions although it is out: one was tried; stop it yourself when its "
	 "sessions may end, or end the drain"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, UNKNOWN, ANY, ANY, ACT_NONE,
	 PHASE_DRAINING, "takes no sessions; how many are left is not known"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, SOME, ANY, ANY, ACT_NONE,
	 PHASE_DRAINING, "takes no new sessions"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, ZERO, ANY, ANY, ACT_NONE,
	 PHASE_DRAINING, "no sessions left; waiting for the settle time"},
	{WANT_DRAINED, OUT, ANY, ANY, SAVED, ANY, SETTLED, ANY, ANY, ACT_NONE,
	 PHASE_DRAINED, "takes no new sessions, and none is left"},

	/* Nothing to put back: poold does not touch what it did not change. */
	{WANT_SERVING, ABSENT, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_SERVING, "not installed here, and need not be"},
	{WANT_SERVING, RUNNING, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_SERVING, "serving"},
	{WANT_SERVING, STARTING, ANY, ANY, NOTHING, LATE, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION, "the service hangs while it starts"},
	{WANT_SERVING, STARTING, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_RESUMING, "starting"},
	{WANT_SERVING, PAUSED | PAUSING, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION, "somebody else paused the service; poold leaves it alone"},
	{WANT_SERVING, STOPPED | STOPPING, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY,
	 ACT_NONE, PHASE_ATTENTION,
	 "the service is stopped, and not by poold, which leaves it alone"},

	/* Putting it back: the startup type first, then the run state, then forget. */
	{WANT_SERVING, MISSING | ABSENT, ANY, ANY, NOTHING, ANY, ANY, ANY, ANY, ACT_NONE,
	 PHASE_ATTENTION, "the service is not installed; check its name in pool.yaml"},
	{WANT_SERVING, MISSING, ANY, ANY, SAVED, FAILED, ANY, ANY, ANY, ACT_FORGET,
	 PHASE_ATTENTION, "the service was uninstalled, and the store cannot be written"},
	{WANT_SERVING, MISSING, ANY, ANY, SAVED, LATE, ANY, ANY, ANY, ACT_FORGET,
	 PHASE_ATTENTION,
	 "the service was uninstalled while it was out; there is nothing to put back"},
	{WANT_SERVING, MISSING | ABSENT, ANY, ANY, SAVED, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION,
	 "the service was uninstalled while it was out; what it was is kept for a minute"},
	{WANT_SERVING, UNASKED, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_ATTENTION, "the SCM cannot be asked"},
	{WANT_SERVING, ANY, ANY, WRONG, SAVED, FAILED, ANY, ANY, ANY, ACT_RESTORE_STARTUP,
	 PHASE_ATTENTION, "the startup type cannot be restored; it is tried again"},
	{WANT_SERVING, ANY, ANY, WRONG, SAVED, ANY, ANY, ANY, ANY, ACT_RESTORE_STARTUP,
	 PHASE_RESUMING, "being put back"},
	/* One that was stopped and is paused now was started meanwhile, and paused by us.
	 */
	{WANT_SERVING, PAUSED, ANY, ANY, WAS_RUNNING | WAS_STOPPED, AWAITED, ANY, ANY,
	 ANY, ACT_WAIT, PHASE_RESUMING, "asked to go on"},
	{WANT_SERVING, PAUSED, ANY, ANY, WAS_RUNNING | WAS_STOPPED,
	 LATE | REFUSED | FAILED, ANY, ANY, ANY, ACT_CONTINUE, PHASE_ATTENTION,
	 "the service does not continue; it is asked again"},
	{WANT_SERVING, PAUSED, ANY, ANY, WAS_RUNNING | WAS_STOPPED, ANY, ANY, ANY, ANY,
	 ACT_CONTINUE, PHASE_RESUMING, "being put back"},
	{WANT_SERVING, ANY, ANY, ANY, WAS_PAUSED | WAS_STOPPED, FAILED, ANY, ANY, ANY,
	 ACT_FORGET, PHASE_ATTENTION,
	 "the startup type is back, but the store cannot be written"},
	{WANT_SERVING, ANY, ANY, ANY, WAS_PAUSED | WAS_STOPPED, ANY, ANY, ANY, ANY,
	 ACT_FORGET, PHASE_RESUMING,
	 "the startup type is back; the service did not run before the drain"},
	{WANT_SERVING, RUNNING, ANY, ANY, WAS_RUNNING, AWAITED, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_RESUMING, "a pause or a stop may still be under way"},
	{WANT_SERVING, RUNNING, ANY, ANY, WAS_RUNNING, FAILED, ANY, ANY, ANY, ACT_FORGET,
	 PHASE_ATTENTION, "runs again, but the store cannot be written"},
	{WANT_SERVING, RUNNING, ANY, ANY, WAS_RUNNING, ANY, ANY, ANY, ANY, ACT_FORGET,
	 PHASE_RESUMING, "runs again"},
	{WANT_SERVING, PAUSING, ANY, ANY, WAS_RUNNING, LATE, ANY, ANY, ANY, ACT_CONTINUE,
	 PHASE_ATTENTION, "the service hangs while it pauses; it is asked to go on"},
	{WANT_SERVING, STARTING | STOPPING, ANY, ANY, WAS_RUNNING, LATE, ANY, ANY, ANY,
	 ACT_WAIT, PHASE_ATTENTION, "the service hangs on its way back"},
	{WANT_SERVING, STARTING | PAUSING | STOPPING, ANY, ANY, WAS_RUNNING, ANY, ANY,
	 ANY, ANY, ACT_WAIT, PHASE_RESUMING, "on its way back"},
	{WANT_SERVING, STOPPED, ANY, ANY, WAS_RUNNING, AWAITED, ANY, ANY, ANY, ACT_WAIT,
	 PHASE_RESUMING, "asked to start"},
	{WANT_SERVING, STOPPED, ANY, ANY, WAS_RUNNING, LATE | REFUSED | FAILED, ANY, ANY,
	 ANY, ACT_START, PHASE_ATTENTION,
	 "the service does not start; it is tried again"},
	{WANT_SERVING, STOPPED, ANY, ANY, WAS_RUNNING, ANY, ANY, ANY, ANY, ACT_START,
	 PHASE_RESUMING, "being put back"},
};

static const char *const action_names[ACT__COUNT] = {
	[ACT_NONE] = "nothing",      [ACT_WAIT] = "wait",
	[ACT_SAVE] = "save",         [ACT_SET_STARTUP] = "set startup",
	[ACT_PAUSE] = "pause",       [ACT_STOP] = "stop",
	[ACT_CONTINUE] = "continue", [ACT_START] = "start",
	[ACT_FORGET] = "forget",     [ACT_RESTORE_STARTUP] = "restore startup",
};

static bool matches(const struct row *row, const struct situation *s)
{
	return row->want == s->want && (row->states & BIT(s->state)) &&
	       (row->accepts_pause & BIT(s->accepts_pause)) &&
	       (row->startups & BIT(s->startup)) && (row->saved & BIT(s->saved)) &&
	       (row->answers & BIT(s->answer)) && (row->tallies & BIT(s->tally)) &&
	       (row->may_cut & BIT(s->may_cut)) &&
	       (row->coming_back & BIT(s->is_coming_back));
}

struct decision reconcile_next(const struct situation *situation)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (matches(&rows[i], situation))
			return (struct decision){rows[i].action, rows[i].phase,
						 rows[i].message};
	/* A test visits every combination and finds a row for it. */
	return (struct decision){ACT_NONE, PHASE_ATTENTION, "no rule for this situation"};
}

bool reconcile_is_out(enum service_state state)
{
	return BIT(state) & (OUT | ABSENT);
}

const char *action_name(enum action action)
{
	return action_names[action];
}

static void print_set(FILE *out, unsigned set, const char *const *names, int count)
{
	const char *comma = "";

	if (set == ANY) {
		fputs(" any |", out);
		return;
	}
	fputc(' ', out);
	for (int i = 0; i < count; i++)
		if (set & BIT(i)) {
			fprintf(out, "%s%s", comma, names[i]);
			comma = ", ";
		}
	fputs(" |", out);
}

static void print_states(FILE *out, unsigned set)
{
	const char *names[STATE__COUNT];

	for (int i = 0; i < STATE__COUNT; i++)
		names[i] = service_state_name((enum service_state)i);
	print_set(out, set, names, STATE__COUNT);
}

void reconcile_print(FILE *out)
{
	static const char *const yes_no[] = {"no", "yes"};
	static const char *const startups[] = {"wrong", "right"};
	static const char *const saved[] = {"nothing", "running", "paused", "stopped"};
	static const char *const answers[] = {"none", "awaited", "late", "refused",
					      "failed"};
	static const char *const tallies[] = {"unknown", "some", "zero", "settled",
					      "taken"};

	fputs("| wanted | state | accepts pause | startup | saved | answer | sessions | "
	      "may cut | comes back | action | phase | message "
	      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		fprintf(out, "| %s |", want_name(row->want));
		print_states(out, row->states);
		print_set(out, row->accepts_pause, yes_no, 2);
		print_set(out, row->startups, startups, STARTUP__COUNT);
		print_set(out, row->saved, saved, SAVED__COUNT);
		print_set(out, row->answers, answers, ANSWER__COUNT);
		print_set(out, row->tallies, tallies, TALLY__COUNT);
		print_set(out, row->may_cut, yes_no, 2);
		print_set(out, row->coming_back, yes_no, 2);
		fprintf(out, " %s | %s | %s |\n", action_name(row->action),
			phase_name(row->phase), row->message);
	}
}
