#include "judge.h"

#include "view_text.h"

#include <string.h>

/* The first service that should be covered and is not, or that the server does not know.
 */
static const char *find_gap(const struct aim *aim, const struct server_view *view,
			    const struct drain_view *drain)
{
	for (size_t i = 0; i < drain->service_count; i++)
		if (!server_view_service(view, drain->services[i]))
			return drain->services[i];
	for (size_t i = 0; i < aim->service_count; i++)
		if (!drain_view_covers(drain, aim->services[i]))
			return aim->services[i];
	for (size_t i = 0; !aim->service_count && i < view->service_count; i++)
		if (!drain_view_covers(drain, view->services[i].name))
			return view->services[i].name;
	return NULL;
}

static enum verdict reached(const struct server_view *view)
{
	return view->progress.cut > 0 ? VERDICT_CUT : VERDICT_REACHED;
}

/* Why the drain that is gone ended: a word of the API, or "" if nobody knows. */
static const char *end_reason(const struct server_view *view)
{
	const struct drain_view *ended = view->ended;

	return ended && !ended->is_active && ended->end_reason ? ended->end_reason : "";
}

static bool is_back(const struct server_view *view)
{
	return !strcmp(end_reason(view), "reboot") && view->ended->drained_at.is_given;
}

static enum verdict judge_drain(const struct aim *aim, const struct server_view *view)
{
	const struct drain_view *drain = server_view_drain(view, aim->id);

	if (!drain)
		return is_back(view) ? VERDICT_BACK : VERDICT_GONE;
	if (find_gap(aim, view, drain))
		return VERDICT_NARROW;
	if (!drain->is_out)
		return VERDICT_NOT_YET;
	if (aim->goal == GOAL_OUT)
		return VERDICT_REACHED;
	for (size_t i = 0; i < drain->service_count; i++)
		if (server_view_service(view, drain->services[i])->phase != PHASE_DRAINED)
			return VERDICT_NOT_YET;
	return reached(view);
}

/* What another drain still covers need not serve; but then the server is held. */
static enum verdict judge_resume(const struct aim *aim, const struct server_view *view)
{
	bool is_held = server_view_count_drains(view) > 0;

	for (size_t i = 0; aim->goal == GOAL_RESUMED && i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		if (is_held && service->wanted == WANT_DRAINED)
			continue;
		if (service->phase != PHASE_SERVING || service->is_saved)
			return VERDICT_NOT_YET;
	}
	return is_held ? VERDICT_HELD : VERDICT_REACHED;
}

static enum verdict judge_state(const struct aim *aim, const struct server_view *view)
{
	switch (aim->goal) {
	case GOAL_OUT:
	case GOAL_DRAINED:
		return judge_drain(aim, view);
	case GOAL_ENDED:
	case GOAL_RESUMED:
		return judge_resume(aim, view);
	case GOAL_SEEN_DRAINED:
		return view->phase == PHASE_DRAINED ? reached(view) : VERDICT_NOT_YET;
	default:
		return view->phase == PHASE_SERVING ? VERDICT_REACHED : VERDICT_NOT_YET;
	}
}

/* Whether the aim is about this service, so that its trouble matters. */
static bool concerns(const struct aim *aim, const struct server_view *view,
		     const struct service_view *service)
{
	const struct drain_view *drain;

	switch (aim->goal) {
	case GOAL_OUT:
	case GOAL_DRAINED:
		drain = server_view_drain(view, aim->id);
		return drain && drain_view_covers(drain, service->name);
	case GOAL_ENDED:
	case GOAL_RESUMED:
		return service->wanted == WANT_SERVING;
	default:
		return true;
	}
}

static bool is_trouble(const struct aim *aim, const struct server_view *view,
		       const struct service_view *service)
{
	return service->phase == PHASE_ATTENTION && concerns(aim, view, service);
}

bool judge_is_troubled(const struct aim *aim, const struct server_view *view)
{
	for (size_t i = 0; i < view->service_count; i++)
		if (is_trouble(aim, view, &view->services[i]))
			return true;
	return false;
}

enum verdict judge(const struct aim *aim, const struct server_view *view,
		   int64_t attention_ms)
{
	enum verdict verdict = judge_state(aim, view);
	bool is_over = attention_ms >= JUDGE_ATTENTION_MS && judge_is_troubled(aim, view);

	return verdict == VERDICT_NOT_YET && is_over ? VERDICT_ATTENTION : verdict;
}

static bool is_asked(const struct aim *aim, const struct service_view *service)
{
	struct drain_view asked = {.services = (const char **)aim->services,
				   .service_count = aim->service_count};

	return !aim->service_count || drain_view_covers(&asked, service->name);
}

bool judge_is_covered(const struct aim *aim, const struct server_view *view)
{
	const struct drain_view *drain = server_view_drain(view, aim->id);

	return drain && !find_gap(aim, view, drain);
}

bool judge_was_there(const struct aim *aim, const struct server_view *view)
{
	if (aim->goal != GOAL_OUT && aim->goal != GOAL_DRAINED)
		return judge_state(aim, view) == VERDICT_REACHED;
	for (size_t i = 0; i < view->service_count; i++)
		if (is_asked(aim, &view->services[i]) &&
		    view->services[i].phase != PHASE_DRAINED)
			return false;
	return true;
}

static void explain_trouble(const struct aim *aim, const struct server_view *view,
			    struct buf *text)
{
	const char *between = "";

	for (size_t i = 0; i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		if (!is_trouble(aim, view, service))
			continue;
		buf_printf(text, "%s%s: %s", between, service->name, service->message);
		between = "; ";
	}
}

static void explain_gap(const struct aim *aim, const struct server_view *view,
			struct buf *text)
{
	const struct drain_view *drain = server_view_drain(view, aim->id);
	const char *service = find_gap(aim, view, drain);

	if (drain_view_covers(drain, service))
		buf_printf(text, "drain %s covers %s, which the server does not report",
			   aim->id, service);
	else
		buf_printf(text, "drain %s does not cover service %s", aim->id, service);
}

static void explain_deadline(const struct server_view *view, struct buf *text)
{
	buf_puts(text, "the deadline passed ");
	if (view->sessions_left > 0)
		buf_printf(text, "with %lld sessions left",
			   (long long)view->sessions_left);
	else
		buf_puts(text, "before everything was drained");
	buf_puts(text, ", and poold gave the drain up");
}

static void explain_boot(const struct server_view *view, struct buf *text)
{
	(void)view;
	buf_puts(text, "the server has booted, and the drain ended with that, as asked; "
		       "it was not drained before");
}

static void explain_request(const struct server_view *view, struct buf *text)
{
	buf_printf(text, "the drain is no longer in force: %s ended it",
		   view->ended->ended_by ? view->ended->ended_by : "somebody");
}

static void explain_end(const struct aim *aim, const struct server_view *view,
			struct buf *text)
{
	static const struct {
		const char *reason;
		void (*explain)(const struct server_view *view, struct buf *text);
	} ends[] = {
		{"deadline", explain_deadline},
		{"reboot", explain_boot},
		{"request", explain_request},
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!strcmp(end_reason(view), ends[i].reason)) {
			ends[i].explain(view, text);
			return;
		}
	buf_printf(text, "drain %s is no longer in force: somebody else ended it",
		   aim->id);
}

static void explain_back(const struct server_view *view, struct buf *text)
{
	buf_puts(text, "drained at ");
	view_text_time(view->ended->drained_at.at, view->time, text);
	buf_puts(text, view->phase == PHASE_SERVING ? ", and back since the boot"
						    : ", and the boot ended the drain");
}

void judge_explain(const struct aim *aim, const struct server_view *view,
		   enum verdict verdict, struct buf *text)
{
	switch (verdict) {
	case VERDICT_CUT:
		buf_printf(text, "%lld sessions were cut", (long long)view->progress.cut);
		break;
	case VERDICT_BACK:
		explain_back(view, text);
		break;
	case VERDICT_GONE:
		explain_end(aim, view, text);
		break;
	case VERDICT_NARROW:
		explain_gap(aim, view, text);
		break;
	case VERDICT_HELD:
		buf_puts(text, "kept out by ");
		view_text_holders(view, text);
		break;
	case VERDICT_ATTENTION:
		explain_trouble(aim, view, text);
		break;
	default:
		break;
	}
}

int judge_exit_status(enum verdict verdict)
{
	static const int statuses[VERDICT__COUNT] = {
		[VERDICT_CUT] = 7,  [VERDICT_GONE] = 9,      [VERDICT_NARROW] = 9,
		[VERDICT_HELD] = 5, [VERDICT_ATTENTION] = 9,
	};

	return statuses[verdict];
}
