#include "services/reconcile.h"

#include <stddef.h>

/* Each column of a row is a set of values, one bit each. */
#define BIT(value) (1u << (value))

#define RUNNING BIT(STATE_RUNNING)
#define PAUSED BIT(STATE_PAUSED)
#define STOPPED BIT(STATE_STOPPED)
#define MISSING BIT(STATE_MISSING)
#define UNASKED BIT(STATE_UNKNOWN)
#define STARTING (BIT(STATE_START_PENDING) | BIT(STATE_CONTINUE_PENDING))
#define PAUSING BIT(STATE_PAUSE_PENDING)
#define STOPPING BIT(STATE_STOP_PENDING)
#define MOVING (STARTING | PAUSING | STOPPING)
#define ABSENT BIT(STATE_ABSENT)
#define OUT (PAUSED | STOPPED)

#define WRONG BIT(STARTUP_WRONG)
#define RIGHT BIT(STARTUP_RIGHT)
#define AGAIN BIT(STARTUP_AGAIN)
#define STUCK BIT(STARTUP_FAILED)

#define NOTHING BIT(SAVED_NONE)
#define WAS_RUNNING BIT(SAVED_RUNNING)
#define WAS_PAUSED BIT(SAVED_PAUSED)
#define WAS_STOPPED BIT(SAVED_STOPPED)
#define SAVED (WAS_RUNNING | WAS_PAUSED | WAS_STOPPED)

#define AWAITED BIT(CONTROL_AWAITED)
#define LATE BIT(CONTROL_LATE)
#define REFUSED BIT(CONTROL_REFUSED)
#define FAILED BIT(CONTROL_FAILED)

#define UNKNOWN BIT(TALLY_UNKNOWN)
#define SOME BIT(TALLY_SOME)
#define ZERO BIT(TALLY_ZERO)
#define SETTLED BIT(TALLY_SETTLED)
#define TAKEN BIT(TALLY_TAKEN)
#define ACCEPTED BIT(TALLY_ACCEPTED)

#define NO BIT(0)
#define YES BIT(1)

/* Parts of messages. */
#define STOP_YOURSELF "stop it yourself when its sessions may end, or end the drain"
#define CHANGED_BACK "somebody keeps changing the service back"
#define NOT_SET                                                                       \
	"the startup type cannot be set, so a reboot would start the service; poold " \
	"tries again"
#define NOT_RESTORED "the startup type cannot be restored; poold tries again"

/* A set of zero is any value. */
struct condition {
	unsigned state, accepts_pause, startup, saved, control, tally, may_cut,
		coming_back, server_empty, start_due;
};

struct row {
	struct condition when;
	struct decision then;
};

/* The first row that matches decides. */
static const struct row drained_rows[] = {
	/* Taking it out.  Saved comes before the startup type, and that before
	 * pause, so that a crash or a reboot at any instant is safe. */
	{{.state = ABSENT, .saved = NOTHING},
	 {ACT_NONE, PHASE_DRAINED,
	  "not installed on this server; pool.yaml says that it is optional"}},
	{{.state = MISSING | ABSENT, .saved = NOTHING},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service is not installed; check its name in pool.yaml"}},
	{{.state = MISSING | ABSENT, .saved = SAVED},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service was uninstalled while it was drained; install it "
	  "again, or end the drain"}},
	{{.state = UNASKED},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the Service Control Manager cannot be queried; poold tries again"}},
	{{.state = RUNNING, .accepts_pause = NO, .saved = NOTHING, .may_cut = NO},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service does not accept pause, so poold changed nothing; " STOP_YOURSELF}},
	/* What it was is known once it has settled. */
	{{.state = MOVING, .saved = NOTHING, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the service hangs while it changes its state, so poold changed nothing; it "
	  "takes the service out once that has ended"}},
	{{.state = MOVING, .saved = NOTHING},
	 {ACT_WAIT, PHASE_DRAINING,
	  "the service is changing its state; poold takes it out once that has ended"}},
	{{.state = STOPPED, .saved = NOTHING, .control = AWAITED},
	 {ACT_WAIT, PHASE_DRAINING,
	  "the service has just stopped; poold waits a moment in case it is restarted"}},
	{{.saved = NOTHING, .control = FAILED},
	 {ACT_SAVE, PHASE_ATTENTION,
	  "the store cannot be written, so poold changed nothing; it "
	  "tries again"}},
	{{.saved = NOTHING},
	 {ACT_SAVE, PHASE_DRAINING, "being taken out of service"}},
	/* One that cannot be set keeps nothing else from being done. */
	{{.startup = AGAIN, .saved = SAVED},
	 {ACT_SET_STARTUP, PHASE_ATTENTION, NOT_SET}},
	{{.startup = WRONG, .saved = SAVED, .coming_back = YES},
	 {ACT_SET_STARTUP, PHASE_ATTENTION,
	  CHANGED_BACK "; poold undoes it at growing intervals"}},
	{{.startup = WRONG, .saved = SAVED},
	 {ACT_SET_STARTUP, PHASE_DRAINING, "being taken out of service"}},
	/* A deadline is over at which the operator wants it stopped.  One that can
	 * be paused is paused first. */
	{{.state = PAUSED,
	  .saved = SAVED,
	  .control = AWAITED,
	  .tally = UNKNOWN | SOME | TAKEN | ACCEPTED,
	  .may_cut = YES},
	 {ACT_WAIT, PHASE_DRAINING,
	  "the deadline has passed; poold has asked the service to stop"}},
	{{.state = PAUSED,
	  .saved = SAVED,
	  .control = LATE | REFUSED | FAILED,
	  .tally = UNKNOWN | SOME | TAKEN | ACCEPTED,
	  .may_cut = YES},
	 {ACT_STOP, PHASE_ATTENTION,
	  "the deadline has passed, and the service does not stop; poold "
	  "asks again"}},
	{{.state = PAUSED,
	  .saved = SAVED,
	  .tally = UNKNOWN | SOME | TAKEN | ACCEPTED,
	  .may_cut = YES},
	 {ACT_STOP, PHASE_DRAINING, "the deadline has passed; being stopped"}},
	{{.state = RUNNING,
	  .accepts_pause = NO,
	  .saved = SAVED,
	  .control = AWAITED,
	  .may_cut = YES},
	 {ACT_WAIT, PHASE_DRAINING,
	  "the deadline has passed; poold has asked the service to stop"}},
	{{.state = RUNNING,
	  .accepts_pause = NO,
	  .saved = SAVED,
	  .control = LATE | REFUSED | FAILED,
	  .may_cut = YES},
	 {ACT_STOP, PHASE_ATTENTION,
	  "the deadline has passed, and the service does not stop; poold "
	  "asks again"}},
	{{.state = RUNNING,
	  .accepts_pause = NO,
	  .saved = SAVED,
	  .may_cut = YES,
	  .coming_back = YES},
	 {ACT_STOP, PHASE_ATTENTION,
	  CHANGED_BACK "; poold undoes it at growing intervals"}},
	{{.state = RUNNING, .accepts_pause = NO, .saved = SAVED, .may_cut = YES},
	 {ACT_STOP, PHASE_DRAINING, "the deadline has passed; being stopped"}},
	{{.state = RUNNING, .accepts_pause = NO, .saved = SAVED},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service runs and does not accept pause; " STOP_YOURSELF}},
	{{.state = RUNNING,
	  .accepts_pause = YES,
	  .saved = SAVED,
	  .control = AWAITED,
	  .coming_back = NO},
	 {ACT_WAIT, PHASE_DRAINING, "poold has asked the service to pause"}},
	{{.state = RUNNING, .accepts_pause = YES, .saved = SAVED, .control = LATE},
	 {ACT_PAUSE, PHASE_ATTENTION,
	  "the service accepted the pause but still runs; poold asks again"}},
	{{.state = RUNNING,
	  .accepts_pause = YES,
	  .saved = SAVED,
	  .control = REFUSED},
	 {ACT_PAUSE, PHASE_ATTENTION,
	  "the service refuses to pause; " STOP_YOURSELF}},
	{{.state = RUNNING,
	  .accepts_pause = YES,
	  .saved = SAVED,
	  .control = FAILED},
	 {ACT_PAUSE, PHASE_ATTENTION,
	  "the service cannot be paused; poold tries again"}},
	{{.state = RUNNING,
	  .accepts_pause = YES,
	  .saved = SAVED,
	  .coming_back = YES},
	 {ACT_PAUSE, PHASE_ATTENTION,
	  CHANGED_BACK "; poold undoes it at growing intervals"}},
	{{.state = RUNNING, .accepts_pause = YES, .saved = SAVED},
	 {ACT_PAUSE, PHASE_DRAINING, "being taken out of service"}},
	{{.state = STARTING, .saved = SAVED, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the service hangs while starting; poold will pause it once it runs"}},
	{{.state = STARTING, .saved = SAVED},
	 {ACT_WAIT, PHASE_DRAINING, "starting; poold will pause it once it runs"}},
	{{.state = PAUSING, .saved = SAVED, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the service hangs while pausing; whether it takes sessions is "
	  "unknown"}},
	{{.state = PAUSING, .saved = SAVED}, {ACT_WAIT, PHASE_DRAINING, "pausing"}},
	{{.state = STOPPING, .saved = SAVED, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION, "the service hangs while stopping"}},
	{{.state = STOPPING, .saved = SAVED},
	 {ACT_WAIT, PHASE_DRAINING, "stopping"}},
	{{.state = OUT, .saved = SAVED, .coming_back = YES},
	 {ACT_NONE, PHASE_ATTENTION,
	  "takes no new sessions now, but " CHANGED_BACK
	  "; find out who (poolctl events)"}},
	{{.state = OUT, .saved = SAVED, .tally = TAKEN},
	 {ACT_NONE, PHASE_ATTENTION,
	  "takes new sessions although it is out: it accepted a test "
	  "session; " STOP_YOURSELF}},
	{{.state = OUT, .saved = SAVED, .tally = ACCEPTED},
	 {ACT_NONE, PHASE_ATTENTION,
	  "takes new sessions although it is out: some began after that and "
	  "lasted; " STOP_YOURSELF}},
	{{.state = OUT, .saved = SAVED, .tally = UNKNOWN},
	 {ACT_NONE, PHASE_DRAINING,
	  "takes no new sessions; the number left is unknown"}},
	{{.state = OUT, .saved = SAVED, .tally = SOME},
	 {ACT_NONE, PHASE_DRAINING, "takes no new sessions"}},
	{{.state = OUT, .saved = SAVED, .tally = ZERO},
	 {ACT_NONE, PHASE_DRAINING,
	  "no sessions left; waiting for the settle time"}},
	{{.state = OUT, .saved = SAVED, .tally = SETTLED},
	 {ACT_NONE, PHASE_DRAINED, "takes no new sessions, and none are left"}},
};

static const struct row serving_rows[] = {
	/* Nothing to put back: poold does not touch what it did not change. */
	{{.state = ABSENT, .saved = NOTHING, .server_empty = YES},
	 {ACT_NONE, PHASE_ATTENTION,
	  "none of the services in pool.yaml is installed on this server; check their "
	  "names, or remove the server from pool.yaml"}},
	{{.state = ABSENT, .saved = NOTHING},
	 {ACT_NONE, PHASE_SERVING,
	  "not installed on this server; pool.yaml says that it is optional"}},
	{{.state = RUNNING, .saved = NOTHING},
	 {ACT_NONE, PHASE_SERVING, "serving"}},
	{{.state = STARTING, .saved = NOTHING, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION, "the service hangs while starting"}},
	{{.state = STARTING, .saved = NOTHING},
	 {ACT_WAIT, PHASE_RESUMING, "starting"}},
	{{.state = PAUSED | PAUSING, .saved = NOTHING},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service is paused; poold did not pause it and does not "
	  "continue it"}},
	{{.state = STOPPED | STOPPING, .saved = NOTHING},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service is stopped; poold did not stop it and does not "
	  "start it"}},
	/* Putting it back: the startup type first, then the run state, then forget.
	 */
	{{.state = MISSING | ABSENT, .saved = NOTHING},
	 {ACT_NONE, PHASE_ATTENTION,
	  "the service is not installed; check its name in pool.yaml"}},
	{{.state = MISSING, .saved = SAVED, .control = FAILED},
	 {ACT_FORGET, PHASE_ATTENTION,
	  "the service was uninstalled, and the store cannot be written; "
	  "poold tries again"}},
	{{.state = MISSING, .saved = SAVED, .control = LATE},
	 {ACT_FORGET, PHASE_ATTENTION,
	  "the service was uninstalled while it was drained; there is "
	  "nothing to put back"}},
	{{.state = MISSING | ABSENT, .saved = SAVED},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the service was uninstalled while it was drained; poold keeps "
	  "what it saved for a minute, in case the service comes back"}},
	{{.state = UNASKED},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the Service Control Manager cannot be queried; poold tries again"}},
	{{.startup = AGAIN, .saved = SAVED},
	 {ACT_RESTORE_STARTUP, PHASE_ATTENTION, NOT_RESTORED}},
	{{.startup = WRONG, .saved = SAVED},
	 {ACT_RESTORE_STARTUP, PHASE_RESUMING, "being put back into service"}},
	/* One that was stopped and is paused now was started meanwhile, and paused
	 * by us.
	 */
	{{.state = PAUSED, .saved = WAS_RUNNING | WAS_STOPPED, .control = AWAITED},
	 {ACT_WAIT, PHASE_RESUMING, "poold has asked the service to continue"}},
	{{.state = PAUSED,
	  .saved = WAS_RUNNING | WAS_STOPPED,
	  .control = LATE | REFUSED | FAILED},
	 {ACT_CONTINUE, PHASE_ATTENTION,
	  "the service does not continue; poold asks again"}},
	{{.state = PAUSED, .saved = WAS_RUNNING | WAS_STOPPED},
	 {ACT_CONTINUE, PHASE_RESUMING, "being put back into service"}},
	{{.state = RUNNING, .saved = WAS_STOPPED, .control = AWAITED},
	 {ACT_WAIT, PHASE_RESUMING,
	  "runs, but a pause or a stop that was sent earlier may still arrive"}},
	{{.startup = STUCK, .saved = WAS_PAUSED | WAS_STOPPED},
	 {ACT_WAIT, PHASE_ATTENTION, NOT_RESTORED}},
	{{.saved = WAS_PAUSED | WAS_STOPPED, .control = FAILED},
	 {ACT_FORGET, PHASE_ATTENTION,
	  "the startup type is restored, but the store cannot be "
	  "written; poold tries again"}},
	{{.saved = WAS_PAUSED | WAS_STOPPED},
	 {ACT_FORGET, PHASE_RESUMING,
	  "the startup type is restored; the service did not run before "
	  "the drain"}},
	{{.state = RUNNING, .saved = WAS_RUNNING, .control = AWAITED},
	 {ACT_WAIT, PHASE_RESUMING,
	  "runs, but a pause or a stop that was sent earlier may still arrive"}},
	{{.state = RUNNING, .startup = STUCK, .saved = WAS_RUNNING},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "runs again, but the startup type cannot be restored; poold tries again"}},
	{{.state = RUNNING, .saved = WAS_RUNNING, .control = FAILED},
	 {ACT_FORGET, PHASE_ATTENTION,
	  "runs again, but the store cannot be written; poold tries again"}},
	{{.state = RUNNING, .saved = WAS_RUNNING},
	 {ACT_FORGET, PHASE_RESUMING, "runs again"}},
	{{.state = PAUSING, .saved = WAS_RUNNING, .control = LATE},
	 {ACT_CONTINUE, PHASE_ATTENTION,
	  "the service hangs while pausing; poold asks it to continue"}},
	{{.state = STARTING | STOPPING, .saved = WAS_RUNNING, .control = LATE},
	 {ACT_WAIT, PHASE_ATTENTION,
	  "the service hangs on its way back into service"}},
	{{.state = STARTING | PAUSING | STOPPING, .saved = WAS_RUNNING},
	 {ACT_WAIT, PHASE_RESUMING, "on its way back into service"}},
	{{.state = STOPPED, .saved = WAS_RUNNING, .control = AWAITED},
	 {ACT_WAIT, PHASE_RESUMING, "poold has asked the service to start"}},
	{{.state = STOPPED,
	  .saved = WAS_RUNNING,
	  .control = LATE | REFUSED | FAILED},
	 {ACT_START, PHASE_ATTENTION,
	  "the service does not start; poold tries again"}},
	{{.state = STOPPED, .saved = WAS_RUNNING, .start_due = YES},
	 {ACT_WAIT, PHASE_RESUMING,
	  "Windows has not started it yet since boot; poold waits for that"}},
	{{.state = STOPPED, .saved = WAS_RUNNING},
	 {ACT_START, PHASE_RESUMING, "being put back into service"}},
};

#define ROWS(rows)                                     \
	{                                              \
		rows, sizeof(rows) / sizeof((rows)[0]) \
	}

static const struct {
	const struct row *rows;
	size_t count;
} tables[WANT__COUNT] = {
	[WANT_SERVING] = ROWS(serving_rows),
	[WANT_DRAINED] = ROWS(drained_rows),
};

static const char *const action_names[ACT__COUNT] = {
	[ACT_NONE] = "nothing",      [ACT_WAIT] = "wait",
	[ACT_SAVE] = "save",         [ACT_SET_STARTUP] = "set startup",
	[ACT_PAUSE] = "pause",       [ACT_STOP] = "stop",
	[ACT_CONTINUE] = "continue", [ACT_START] = "start",
	[ACT_FORGET] = "forget",     [ACT_RESTORE_STARTUP] = "restore startup",
};

static bool is_in(unsigned set, unsigned value)
{
	return !set || (set & BIT(value));
}

static bool matches(const struct condition *when, const struct situation *s)
{
	return is_in(when->state, s->state) &&
	       is_in(when->accepts_pause, s->accepts_pause) &&
	       is_in(when->startup, s->startup) && is_in(when->saved, s->saved) &&
	       is_in(when->control, s->control) && is_in(when->tally, s->tally) &&
	       is_in(when->may_cut, s->may_cut) &&
	       is_in(when->coming_back, s->is_coming_back) &&
	       is_in(when->server_empty, s->is_server_empty) &&
	       is_in(when->start_due, s->is_start_due);
}

static struct decision find(const struct situation *situation)
{
	const struct row *rows = tables[situation->want].rows;

	for (size_t i = 0; i < tables[situation->want].count; i++)
		if (matches(&rows[i].when, situation))
			return rows[i].then;
	/* A test visits every combination and finds a row for it. */
	return (struct decision){ACT_NONE, PHASE_ATTENTION,
				 "no rule for this situation"};
}

struct decision reconcile_next(const struct situation *situation)
{
	struct decision decision = find(situation);

	/* Whatever goes on meanwhile, this must be said. */
	if (situation->startup == STARTUP_FAILED &&
	    situation->saved != SAVED_NONE && decision.phase != PHASE_ATTENTION) {
		decision.phase = PHASE_ATTENTION;
		decision.message =
			situation->want == WANT_DRAINED ? NOT_SET : NOT_RESTORED;
	}
	return decision;
}

bool reconcile_is_out(enum service_state state)
{
	return BIT(state) & (OUT | ABSENT);
}

const char *reconcile_action_name(enum action action)
{
	return action_names[action];
}

static void print_set(FILE *out, unsigned set, const char *const *names, int count)
{
	const char *comma = "";

	if (!set) {
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

static void print_row(FILE *out, enum want want, const struct row *row)
{
	static const char *const yes_no[] = {"no", "yes"};
	static const char *const startups[] = {"wrong", "right", "again", "failed"};
	static const char *const saved[] = {"nothing", "running", "paused",
					    "stopped"};
	static const char *const controls[] = {"none", "awaited", "late", "refused",
					       "failed"};
	static const char *const tallies[] = {"unknown", "some",  "zero",
					      "settled", "taken", "accepted"};
	const char *states[STATE__COUNT];

	for (int i = 0; i < STATE__COUNT; i++)
		states[i] = api_service_states[i];
	fprintf(out, "| %s |", api_wants[want]);
	print_set(out, row->when.state, states, STATE__COUNT);
	print_set(out, row->when.accepts_pause, yes_no, 2);
	print_set(out, row->when.startup, startups, STARTUP__COUNT);
	print_set(out, row->when.saved, saved, SAVED__COUNT);
	print_set(out, row->when.control, controls, CONTROL__COUNT);
	print_set(out, row->when.tally, tallies, TALLY__COUNT);
	print_set(out, row->when.may_cut, yes_no, 2);
	print_set(out, row->when.coming_back, yes_no, 2);
	print_set(out, row->when.server_empty, yes_no, 2);
	print_set(out, row->when.start_due, yes_no, 2);
	fprintf(out, " %s | %s | %s |\n", reconcile_action_name(row->then.action),
		api_phases[row->then.phase], row->then.message);
}

void reconcile_print(FILE *out)
{
	static const enum want wants[] = {WANT_DRAINED, WANT_SERVING};

	fputs("| wanted | state | accepts pause | startup | saved | control | sessions | "
	      "may cut | comes back | server empty | start due | action | phase | message "
	      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < tables[wants[i]].count; j++)
			print_row(out, wants[i], &tables[wants[i]].rows[j]);
}
