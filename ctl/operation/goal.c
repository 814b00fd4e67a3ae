#include "operation/goal.h"

#include "exit_status.h"
#include "api/view_text.h"

#include <string.h>

/* As poold takes many for it: since_out.c. */
enum { ENDED_MANY = 2, ENDED_MANY_OF = 4 };

static bool is_about_drain(const struct goal *goal)
{
	return goal->kind == GOAL_OUT || goal->kind == GOAL_DRAINED;
}

/* The drain that the goal names, if it is there. */
static const struct drain_view *find_drain(const struct goal *goal,
					   const struct server_view *view)
{
	bool is_named = goal->kind == GOAL_SEEN_DRAINED || is_about_drain(goal);

	return goal->id && is_named ? server_view_drain(view, goal->id) : NULL;
}

/* The first service that should be covered and is not, or that the server does not
 * know.
 */
static const char *find_gap(const struct goal *goal, const struct server_view *view,
			    const struct drain_view *drain)
{
	bool is_all = !goal->service_count && is_about_drain(goal);

	for (size_t i = 0; drain && i < drain->service_count; i++)
		if (!server_view_service(view, drain->services[i]))
			return drain->services[i];
	for (size_t i = 0; i < goal->service_count; i++)
		if (drain ? !server_view_covers(drain, goal->services[i])
			  : !server_view_service(view, goal->services[i]))
			return goal->services[i];
	for (size_t i = 0; is_all && i < view->service_count; i++)
		if (!server_view_covers(drain, view->services[i].name))
			return view->services[i].name;
	return NULL;
}

static bool is_asked(const struct goal *goal, const struct service_view *service)
{
	struct drain_view asked = {.services = (const char **)goal->services,
				   .service_count = goal->service_count};

	return !goal->service_count || server_view_covers(&asked, service->name);
}

/* True of what a drain covers, and of what is asked for. */
static bool is_meant(const struct goal *goal, const struct drain_view *drain,
		     const struct service_view *service)
{
	return drain ? server_view_covers(drain, service->name)
		     : is_asked(goal, service);
}

int64_t goal_cut(const struct goal *goal, const struct server_view *view)
{
	const struct drain_view *drain = find_drain(goal, view);
	int64_t cut = 0;

	for (size_t i = 0; i < view->service_count; i++) {
		if (view->services[i].cut < 0)
			return view->progress.cut;
		if (is_meant(goal, drain, &view->services[i]))
			cut += view->services[i].cut;
	}
	return cut;
}

static enum goal_outcome reached(const struct goal *goal,
				 const struct server_view *view)
{
	return goal_cut(goal, view) > 0 ? OUTCOME_CUT : OUTCOME_REACHED;
}

/* Why the drain that is gone ended: a word of the API, or "" if nobody knows. */
static const char *end_reason(const struct server_view *view)
{
	const struct drain_view *ended = view->ended;

	return ended && !ended->is_active && ended->end_reason ? ended->end_reason
							       : "";
}

static bool is_back(const struct server_view *view)
{
	return !strcmp(end_reason(view), "reboot") &&
	       view->ended->drained_at.is_given;
}

static enum goal_outcome evaluate_drain(const struct goal *goal,
					const struct server_view *view)
{
	const struct drain_view *drain = server_view_drain(view, goal->id);

	if (!drain)
		return is_back(view) ? OUTCOME_BACK : OUTCOME_GONE;
	if (find_gap(goal, view, drain))
		return OUTCOME_NARROW;
	if (!drain->is_out)
		return OUTCOME_NOT_YET;
	if (goal->kind == GOAL_OUT)
		return OUTCOME_REACHED;
	for (size_t i = 0; i < drain->service_count; i++)
		if (server_view_service(view, drain->services[i])->phase !=
		    PHASE_DRAINED)
			return OUTCOME_NOT_YET;
	return reached(goal, view);
}

/* A service that another drain still covers need not serve; but then the server is
 * held.
 */
static enum goal_outcome evaluate_resume(const struct goal *goal,
					 const struct server_view *view)
{
	bool is_held = server_view_count_drains(view) > 0;

	for (size_t i = 0; goal->kind == GOAL_RESUMED && i < view->service_count;
	     i++) {
		const struct service_view *service = &view->services[i];

		if (is_held && service->wanted == WANT_DRAINED)
			continue;
		if (service->phase != PHASE_SERVING || service->is_saved)
			return OUTCOME_NOT_YET;
	}
	return is_held ? OUTCOME_HELD : OUTCOME_REACHED;
}

/* Whether all services that are meant have the phase. */
static enum goal_outcome evaluate_seen(const struct goal *goal,
				       const struct server_view *view,
				       enum phase phase)
{
	if (find_gap(goal, view, NULL))
		return OUTCOME_NARROW;
	if (!goal->service_count)
		return view->phase == phase ? OUTCOME_REACHED : OUTCOME_NOT_YET;
	for (size_t i = 0; i < view->service_count; i++)
		if (is_asked(goal, &view->services[i]) &&
		    view->services[i].phase != phase)
			return OUTCOME_NOT_YET;
	return OUTCOME_REACHED;
}

static enum goal_outcome evaluate_seen_drained(const struct goal *goal,
					       const struct server_view *view)
{
	enum goal_outcome outcome = evaluate_seen(goal, view, PHASE_DRAINED);

	return outcome == OUTCOME_REACHED ? reached(goal, view) : outcome;
}

static enum goal_outcome evaluate_state(const struct goal *goal,
					const struct server_view *view)
{
	switch (goal->kind) {
	case GOAL_OUT:
	case GOAL_DRAINED:
		return evaluate_drain(goal, view);
	case GOAL_ENDED:
	case GOAL_RESUMED:
		return evaluate_resume(goal, view);
	case GOAL_SEEN_DRAINED:
		return goal->id ? evaluate_drain(goal, view)
				: evaluate_seen_drained(goal, view);
	default:
		return evaluate_seen(goal, view, PHASE_SERVING);
	}
}

/* Whether the goal is about this service, so that its trouble matters. */
static bool concerns(const struct goal *goal, const struct server_view *view,
		     const struct service_view *service)
{
	const struct drain_view *drain = find_drain(goal, view);

	switch (goal->kind) {
	case GOAL_OUT:
	case GOAL_DRAINED:
		return drain && is_meant(goal, drain, service);
	case GOAL_ENDED:
	case GOAL_RESUMED:
		return service->wanted == WANT_SERVING;
	default:
		return is_meant(goal, drain, service);
	}
}

static bool is_trouble(const struct goal *goal, const struct server_view *view,
		       const struct service_view *service)
{
	return service->phase == PHASE_ATTENTION && concerns(goal, view, service);
}

bool goal_is_troubled(const struct goal *goal, const struct server_view *view)
{
	for (size_t i = 0; i < view->service_count; i++)
		if (is_trouble(goal, view, &view->services[i]))
			return true;
	return false;
}

enum goal_outcome goal_evaluate(const struct goal *goal,
				const struct server_view *view,
				int64_t attention_ms)
{
	enum goal_outcome outcome = evaluate_state(goal, view);
	bool is_over =
		attention_ms >= GOAL_ATTENTION_MS && goal_is_troubled(goal, view);

	return outcome == OUTCOME_NOT_YET && is_over ? OUTCOME_ATTENTION : outcome;
}

bool goal_is_covered(const struct goal *goal, const struct server_view *view)
{
	const struct drain_view *drain = find_drain(goal, view);

	return drain && !find_gap(goal, view, drain);
}

bool goal_was_there(const struct goal *goal, const struct server_view *view)
{
	if (goal->kind != GOAL_OUT && goal->kind != GOAL_DRAINED)
		return evaluate_state(goal, view) == OUTCOME_REACHED;
	for (size_t i = 0; i < view->service_count; i++)
		if (is_asked(goal, &view->services[i]) &&
		    view->services[i].phase != PHASE_DRAINED)
			return false;
	return true;
}

static void add_note(const struct service_view *service, struct buf *text)
{
	const char *between = text->length ? "; " : "";
	long long ended = service->ended_with_pause;

	if (service->accepted > 0) {
		buf_printf(text, "%s%s accepted %lld session%s while it was out",
			   between, service->name, (long long)service->accepted,
			   service->accepted == 1 ? "" : "s");
		between = "; ";
	}
	if (ended >= ENDED_MANY && ended * ENDED_MANY_OF >= service->before_pause)
		buf_printf(text, "%s%s: %lld of %lld sessions ended with the pause",
			   between, service->name, ended,
			   (long long)service->before_pause);
}

void goal_add_notes(const struct goal *goal, const struct server_view *view,
		    struct buf *text)
{
	const struct drain_view *drain = find_drain(goal, view);

	if (goal->kind != GOAL_DRAINED && goal->kind != GOAL_SEEN_DRAINED)
		return;
	for (size_t i = 0; i < view->service_count; i++)
		if (is_meant(goal, drain, &view->services[i]))
			add_note(&view->services[i], text);
}

static void explain_trouble(const struct goal *goal, const struct server_view *view,
			    struct buf *text)
{
	const char *between = "";

	for (size_t i = 0; i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		if (!is_trouble(goal, view, service))
			continue;
		buf_printf(text, "%s%s: %s", between, service->name,
			   service->message);
		between = "; ";
	}
}

static void explain_gap(const struct goal *goal, const struct server_view *view,
			struct buf *text)
{
	const struct drain_view *drain = find_drain(goal, view);
	const char *service = find_gap(goal, view, drain);

	if (!drain)
		buf_printf(text, "the server does not report service %s", service);
	else if (server_view_covers(drain, service))
		buf_printf(
			text,
			"drain %s covers service %s, which the server does not report",
			goal->id, service);
	else
		buf_printf(text, "drain %s does not cover service %s", goal->id,
			   service);
}

static void explain_deadline(const struct server_view *view, struct buf *text)
{
	buf_puts(text, "the deadline passed ");
	if (view->sessions_left > 0)
		buf_printf(text, "with %lld session%s left",
			   (long long)view->sessions_left,
			   view->sessions_left == 1 ? "" : "s");
	else
		buf_puts(text, "before all services were drained");
	buf_puts(text, ", so poold ended the drain");
}

static void explain_end(const struct goal *goal, const struct server_view *view,
			struct buf *text)
{
	const char *reason = end_reason(view);

	if (!strcmp(reason, "deadline"))
		explain_deadline(view, text);
	else if (!strcmp(reason, "reboot"))
		buf_puts(text, "the server rebooted before it was drained, and the "
			       "reboot ended the drain, as asked");
	else if (!strcmp(reason, "request"))
		buf_printf(text, "%s ended the drain",
			   view->ended->ended_by ? view->ended->ended_by
						 : "somebody");
	else if (goal->kind == GOAL_SEEN_DRAINED && !view->ended)
		buf_printf(text, "there is no drain %s", goal->id);
	else
		buf_printf(text, "drain %s is gone: somebody else ended it",
			   goal->id);
}

static void explain_back(const struct server_view *view, struct buf *text)
{
	buf_puts(text, "drained at ");
	view_text_time(view->ended->drained_at.at, view->time, text);
	buf_puts(text, view->phase == PHASE_SERVING
			       ? ", and serving again since the reboot"
			       : "; the reboot ended the drain");
}

void goal_explain(const struct goal *goal, const struct server_view *view,
		  enum goal_outcome outcome, struct buf *text)
{
	switch (outcome) {
	case OUTCOME_REACHED:
		goal_add_notes(goal, view, text);
		break;
	case OUTCOME_CUT:
		buf_printf(text, "stopped at the deadline, %lld session%s cut",
			   (long long)goal_cut(goal, view),
			   goal_cut(goal, view) == 1 ? " was" : "s were");
		break;
	case OUTCOME_BACK:
		explain_back(view, text);
		break;
	case OUTCOME_GONE:
		explain_end(goal, view, text);
		break;
	case OUTCOME_NARROW:
		explain_gap(goal, view, text);
		break;
	case OUTCOME_HELD:
		buf_puts(text, "kept out by ");
		view_text_holders(view, text);
		break;
	case OUTCOME_ATTENTION:
		explain_trouble(goal, view, text);
		break;
	default:
		break;
	}
}

int goal_exit_status(enum goal_outcome outcome)
{
	static const int statuses[OUTCOME__COUNT] = {
		[OUTCOME_CUT] = EXIT_CUT,
		[OUTCOME_GONE] = EXIT_NOT_VERIFIED,
		[OUTCOME_NARROW] = EXIT_NOT_VERIFIED,
		[OUTCOME_HELD] = EXIT_HELD,
		[OUTCOME_ATTENTION] = EXIT_NOT_VERIFIED,
	};

	return statuses[outcome];
}
