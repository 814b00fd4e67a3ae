#include "operation/contention.h"

#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static bool is_reserved(const struct gate_member *member)
{
	return member->standing == STANDING_RESERVED;
}

static bool is_before(const struct gate_member *one,
		      const struct gate_member *other)
{
	return utf8_compare_names(one->server->named.name,
				  other->server->named.name) < 0;
}

/* A rival of the target: before it in the order, or after. */
static bool is_rival(const struct gate_input *input,
		     const struct gate_member *member, bool is_first)
{
	return member != input->target && is_reserved(member) &&
	       is_before(member, input->target) == is_first;
}

/* Whether the gates pass if those rivals had withdrawn. */
static bool may_without(const struct gate_input *input, unsigned forced,
			bool without_first, bool without_later)
{
	struct gate_member *members =
		xcalloc(input->member_count, sizeof(*members));
	struct gate_result results[GATE__COUNT];
	struct gate_input other = *input;
	bool may;

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		members[i] = *member;
		if ((without_first && is_rival(input, member, true)) ||
		    (without_later && is_rival(input, member, false)))
			members[i].standing = STANDING_SERVING;
	}
	other.members = members;
	other.target = &members[input->target - input->members];
	gate_check(&other, results);
	may = gate_may_drain(results, forced);
	gate_done(results);
	free(members);
	return may;
}

static const struct gate_member *find_rival(const struct gate_input *input,
					    bool is_first)
{
	for (size_t i = 0; i < input->member_count; i++)
		if (is_rival(input, &input->members[i], is_first))
			return &input->members[i];
	return NULL;
}

enum contention contention_resolve(const struct gate_input *input, unsigned forced,
				   const struct gate_member **rival,
				   struct gate_result results[GATE__COUNT])
{
	*rival = NULL;
	gate_check(input, results);
	if (gate_may_drain(results, forced))
		return CONTENTION_NONE;
	if (may_without(input, forced, false, true)) {
		*rival = find_rival(input, false);
		return CONTENTION_FIRST;
	}
	if (may_without(input, forced, true, true)) {
		*rival = find_rival(input, true);
		return CONTENTION_LOST;
	}
	return CONTENTION_REFUSED;
}
