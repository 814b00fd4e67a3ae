#include "gates/gate_private.h"
#include "pool.h"
#include "utf8.h"

#include <inttypes.h>
#include <string.h>

enum { PERCENT = 100 };

/* ---- who serves ---- */

bool gate_serves(const struct gate_member *member)
{
	return member->standing == STANDING_SERVING;
}

bool gate_is_left(const struct gate_input *input, const struct gate_member *member)
{
	return gate_serves(member) && member != input->target;
}

/* A server without a rank is not among the first. */
static bool is_of_first(const struct gate_member *member, int64_t of_first)
{
	int64_t rank = member->server->rank;

	return of_first < 0 || (rank > 0 && rank <= of_first);
}

struct gate_tally gate_tally(const struct gate_input *input, int64_t of_first)
{
	struct gate_tally tally = {0};

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];
		bool is_left_here = gate_is_left(input, member);

		if (!is_of_first(member, of_first))
			continue;
		tally.serve += gate_serves(member);
		tally.left += is_left_here;
		tally.left_in_dns += is_left_here && member->is_in_dns;
	}
	return tally;
}

void gate_add_absent(const struct gate_input *input, struct buf *text)
{
	struct gate_list list = {text, ": ", 0};

	for (size_t i = 0; i < input->member_count; i++)
		if (!gate_serves(&input->members[i]) && gate_list_next(&list))
			gate_explain_member(&input->members[i], input->now, text);
	gate_list_end(&list);
}

/* ---- how many serve ---- */

struct gate_need gate_need(const struct pool *pool)
{
	const struct floor *floor = &pool->availability.floor;
	int64_t size = (int64_t)pool->servers.count;
	const struct pool_floor_row *row;

	if (floor->kind == FLOOR_NUMBER)
		return (struct gate_need){true, floor->value, -1, false};
	if (floor->kind == FLOOR_PERCENT)
		return (struct gate_need){
			true, (floor->value * size + PERCENT - 1) / PERCENT, -1,
			false};
	row = pool_floor_row(pool, pool->servers.count);
	return row ? (struct gate_need){true, row->functional, row->of_first,
					row->is_unverified}
		   : (struct gate_need){0};
}

enum gate_verdict gate_refuse_without_row(const struct gate_input *input,
					  struct gate_result *result)
{
	buf_printf(&result->text, "`floors` has no row for a pool of %zu servers",
		   input->member_count);
	buf_puts(&result->remedy,
		 "add a row, or set `availability.floor` to a number or "
		 "a percentage");
	return GATE_REFUSED;
}

enum gate_verdict gate_check_last(const struct gate_input *input,
				  struct gate_result *result)
{
	size_t size = input->pool->servers.count;
	size_t left = gate_tally(input, -1).left;
	struct gate_need need = gate_need(input->pool);

	if (left > 0) {
		buf_printf(&result->text, "%zu of %zu would still serve", left,
			   size);
		return GATE_PASSED;
	}
	if (size == 1 && need.is_known && need.least == 0) {
		buf_puts(&result->text,
			 "it is the pool's only server, and the floor is 0");
		return GATE_PASSED;
	}
	if (gate_serves(input->target))
		buf_printf(&result->text,
			   "%s is the last of %zu servers that serves",
			   gate_target_name(input), size);
	else
		buf_printf(&result->text, "none of %zu servers serves", size);
	gate_add_absent(input, &result->text);
	gate_add_bring_back(input, &result->remedy);
	return GATE_REFUSED;
}

static void add_unranked(const struct gate_input *input, struct gate_result *result)
{
	struct gate_list list = {&result->text,
				 "; not counted, as they have no rank: ", 0};

	for (size_t i = 0; i < input->member_count; i++)
		if (input->members[i].server->rank <= 0 && gate_list_next(&list))
			buf_puts(&result->text,
				 input->members[i].server->named.name);
	gate_list_end(&list);
	if (list.count)
		buf_puts(&result->remedy,
			 "; give every server of the pool its `rank`");
}

static void add_floor(const struct gate_input *input, const struct gate_need *need,
		      const struct gate_tally *tally, struct buf *text)
{
	const struct floor *floor = &input->pool->availability.floor;

	if (need->of_first >= 0)
		buf_printf(text, "of the first %" PRId64 " by rank, ",
			   need->of_first);
	buf_printf(text,
		   "%zu of %zu serve, %zu would be left; the floor is %" PRId64,
		   tally->serve,
		   need->of_first >= 0 ? (size_t)need->of_first
				       : input->pool->servers.count,
		   tally->left, need->least);
	if (floor->kind == FLOOR_PERCENT)
		buf_printf(text, " (%d%%)", floor->value);
	if (need->is_unverified)
		buf_puts(text, " (no vendor document confirms this number)");
}

enum gate_verdict gate_check_floor(const struct gate_input *input,
				   struct gate_result *result)
{
	struct gate_need need = gate_need(input->pool);
	struct gate_tally tally = gate_tally(input, need.of_first);

	if (!need.is_known)
		return gate_refuse_without_row(input, result);
	add_floor(input, &need, &tally, &result->text);
	if ((int64_t)tally.left >= need.least)
		return GATE_PASSED;
	gate_add_absent(input, &result->text);
	gate_add_bring_back(input, &result->remedy);
	if (need.of_first >= 0)
		add_unranked(input, result);
	return GATE_REFUSED;
}

enum gate_verdict gate_check_max_out(const struct gate_input *input,
				     struct gate_result *result)
{
	int64_t max_out = input->pool->availability.max_out;
	size_t size = input->pool->servers.count;
	size_t out = size - gate_tally(input, -1).left;

	buf_printf(&result->text, "%zu of %zu would be out; `max_out` is %" PRId64,
		   out, size, max_out);
	if ((int64_t)out <= max_out)
		return GATE_PASSED;
	gate_add_absent(input, &result->text);
	gate_add_bring_back(input, &result->remedy);
	if (input->target->server->upgrade_domain)
		buf_puts(&result->remedy,
			 ", or raise `max_out` if a whole upgrade domain "
			 "may be out at once");
	return GATE_REFUSED;
}

enum gate_verdict gate_check_domain(const struct gate_input *input,
				    struct gate_result *result)
{
	const char *domain = input->target->server->upgrade_domain;
	struct gate_list list = {&result->text,
				 "; out in other upgrade domains: ", 0};

	if (!domain) {
		buf_printf(&result->text, "%s has no upgrade domain",
			   gate_target_name(input));
		return GATE_NOT_ASKED;
	}
	buf_printf(&result->text, "%s is in upgrade domain ",
		   gate_target_name(input));
	gate_add_bounded(&result->text, domain);
	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];
		const char *other = member->server->upgrade_domain;

		if (!gate_serves(member) &&
		    (!other || utf8_compare_names(other, domain)) &&
		    gate_list_next(&list))
			gate_explain_member(member, input->now, &result->text);
	}
	gate_list_end(&list);
	if (list.count) {
		buf_puts(&result->remedy, "wait until these serve again");
		return GATE_REFUSED;
	}
	buf_puts(&result->text, "; no server of another upgrade domain is out");
	return GATE_PASSED;
}
