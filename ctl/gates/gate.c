#include "gates/gate.h"

#include "gates/gate_private.h"

#include <assert.h>
#include <inttypes.h>

enum { SECOND_MS = 1000, CLOCKS_SAME_MS = 2000 };

/* ---- the server itself ---- */

static void add_refusals(const struct preflight_reply *preflight,
			 struct gate_result *result)
{
	struct gate_list texts = {&result->text, ": ", 0};
	struct gate_list remedies = {&result->remedy, "", 0};

	for (size_t i = 0; i < preflight->finding_count; i++) {
		const struct preflight_finding *finding = &preflight->findings[i];

		if (finding->level != PREFLIGHT_REFUSAL)
			continue;
		if (gate_list_next(&texts)) {
			if (finding->service) {
				gate_add_bounded(texts.text, finding->service);
				buf_puts(texts.text, ": ");
			}
			gate_add_bounded(texts.text, finding->text);
		}
		if (finding->remedy && gate_list_next(&remedies))
			gate_add_bounded(remedies.text, finding->remedy);
	}
	gate_list_end(&texts);
}

static enum gate_verdict check_preflight(const struct gate_input *input,
					 struct gate_result *result)
{
	if (input->preflight && input->preflight->is_possible) {
		buf_puts(&result->text, "a drain is possible");
		return GATE_PASSED;
	}
	if (input->preflight) {
		buf_puts(&result->text, "a drain is not possible");
		add_refusals(input->preflight, result);
		result->can_force = false;
		return GATE_REFUSED;
	}
	buf_puts(&result->text, "unknown whether a drain is possible");
	if (input->preflight_problem) {
		buf_puts(&result->text, ": ");
		gate_add_bounded(&result->text, input->preflight_problem);
	}
	buf_printf(&result->remedy, "check that poold runs on %s and answers",
		   gate_target_name(input));
	return GATE_REFUSED;
}

/* ---- room for the sessions ---- */

/* The room on the servers that would be left. */
struct room {
	int64_t sessions;
	bool is_asked; /* some other server has a capacity */
};

static struct room find_room(const struct gate_input *input,
			     struct gate_list *unknown)
{
	struct room room = {0};

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];
		int64_t capacity = pool_capacity(input->pool, member->server);

		if (member == input->target)
			continue;
		room.is_asked |= capacity >= 0;
		if (!gate_serves(member))
			continue;
		if (capacity >= 0 && member->sessions >= 0)
			room.sessions += capacity > member->sessions
						 ? capacity - member->sessions
						 : 0;
		else if (gate_list_next(unknown))
			buf_puts(unknown->text, member->server->named.name);
	}
	gate_list_end(unknown);
	return room;
}

static enum gate_verdict check_capacity(const struct gate_input *input,
					struct gate_result *result)
{
	struct buf names = {0};
	struct gate_list unknown = {&names, "; room unknown, counted as none: ", 0};
	struct room room = find_room(input, &unknown);
	int64_t sessions = input->target->sessions;
	enum gate_verdict verdict = GATE_REFUSED;

	if (!room.is_asked) {
		buf_puts(&result->text, "no other server has a `capacity`");
		verdict = GATE_NOT_ASKED;
	} else if (sessions < 0) {
		buf_printf(&result->text, "the number of sessions on %s is unknown",
			   gate_target_name(input));
		buf_puts(&result->remedy,
			 "`poolctl sessions` shows why they cannot be counted");
	} else {
		buf_printf(&result->text,
			   "%s has %" PRId64 " sessions; the servers that would "
			   "still serve have room for %" PRId64 "%s",
			   gate_target_name(input), sessions, room.sessions,
			   names.text ? names.text : "");
		if (sessions <= room.sessions)
			verdict = GATE_PASSED;
		else
			buf_puts(&result->remedy,
				 "drain it when it has fewer sessions, or "
				 "correct `capacity`");
	}
	buf_done(&names);
	return verdict;
}

/* ---- clocks ---- */

enum gate_verdict gate_check_clocks(const struct gate_input *input,
				    struct gate_result *result)
{
	const struct gate_member *first = NULL, *last = NULL;
	size_t count = 0;
	uint64_t apart_ms;

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		if (!member->has_clock)
			continue;
		count++;
		if (!first || member->clock_ahead_ms < first->clock_ahead_ms)
			first = member;
		if (!last || member->clock_ahead_ms > last->clock_ahead_ms)
			last = member;
	}
	if (count < 2) {
		buf_puts(&result->text,
			 "the clocks of fewer than two servers are known");
		return GATE_NOT_ASKED;
	}
	/* Unsigned, as the difference may not fit into a signed number. */
	apart_ms = (uint64_t)last->clock_ahead_ms - (uint64_t)first->clock_ahead_ms;
	/* A server's time is up to a tick old: less than this is no difference. */
	if (apart_ms <= CLOCKS_SAME_MS) {
		buf_printf(&result->text, "the clocks agree to within %d s",
			   CLOCKS_SAME_MS / SECOND_MS);
		return GATE_PASSED;
	}
	buf_printf(&result->text,
		   "the clock of %s is %" PRIu64
		   " s ahead of the clock of %s; the limit is %d s",
		   last->server->named.name,
		   apart_ms / SECOND_MS + (apart_ms % SECOND_MS != 0),
		   first->server->named.name, GATE_CLOCK_LIMIT_MS / SECOND_MS);
	if (apart_ms <= GATE_CLOCK_LIMIT_MS)
		return GATE_PASSED;
	buf_puts(&result->remedy, "check the time service on both servers");
	return GATE_REFUSED;
}

/* ---- all of them ---- */

static enum gate_verdict (*const checks[GATE__COUNT])(
	const struct gate_input *input, struct gate_result *result) = {
	[GATE_PREFLIGHT] = check_preflight,
	[GATE_LAST] = gate_check_last,
	[GATE_FLOOR] = gate_check_floor,
	[GATE_MAX_OUT] = gate_check_max_out,
	[GATE_DOMAIN] = gate_check_domain,
	[GATE_DNS] = gate_check_dns,
	[GATE_DNS_MEMBERS] = gate_check_dns_members,
	[GATE_CAPACITY] = check_capacity,
	[GATE_CLOCKS] = gate_check_clocks,
};

enum gate_standing gate_standing(enum phase phase, bool has_drain, bool is_reserved)
{
	static const enum gate_standing standings[PHASE__COUNT] = {
		[PHASE_SERVING] = STANDING_SERVING,
		[PHASE_DRAINED] = STANDING_DRAINED,
		[PHASE_RESUMING] = STANDING_RESUMING,
		[PHASE_DRAINING] = STANDING_DRAINING,
		[PHASE_ATTENTION] = STANDING_ATTENTION,
	};

	if (phase != PHASE_SERVING)
		return standings[phase];
	if (has_drain)
		return STANDING_DRAINING;
	return is_reserved ? STANDING_RESERVED : STANDING_SERVING;
}

void gate_check(const struct gate_input *input,
		struct gate_result results[GATE__COUNT])
{
	assert(input->member_count == input->pool->servers.count);
	for (int i = 0; i < GATE__COUNT; i++) {
		struct gate_result *result = &results[i];

		*result = (struct gate_result){.can_force = true};
		result->verdict = checks[i](input, result);
	}
}

void gate_done(struct gate_result results[GATE__COUNT])
{
	for (int i = 0; i < GATE__COUNT; i++) {
		buf_done(&results[i].text);
		buf_done(&results[i].remedy);
	}
}

bool gate_is_forced(const struct gate_result results[GATE__COUNT], int gate,
		    unsigned forced)
{
	return results[gate].verdict == GATE_REFUSED && results[gate].can_force &&
	       forced & 1U << gate;
}

bool gate_may_drain(const struct gate_result results[GATE__COUNT], unsigned forced)
{
	for (int i = 0; i < GATE__COUNT; i++)
		if (results[i].verdict == GATE_REFUSED &&
		    !gate_is_forced(results, i, forced))
			return false;
	return true;
}
