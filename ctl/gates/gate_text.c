#include "gates/gate_private.h"
#include "api/view_text.h"
#include "text/nearest.h"
#include "text/words.h"
#include "utf8.h"

#include <string.h>

enum { PART_BYTES = 200, WORD_BYTES = 32, LIST_LIMIT = 8 };

static const char *const names[GATE__COUNT + 1] = {
	[GATE_PREFLIGHT] = "preflight",
	[GATE_LAST] = "last",
	[GATE_FLOOR] = "floor",
	[GATE_MAX_OUT] = "max_out",
	[GATE_DOMAIN] = "domain",
	[GATE_DNS] = "dns",
	[GATE_DNS_MEMBERS] = "dns_members",
	[GATE_CAPACITY] = "capacity",
	[GATE_CLOCKS] = "clocks",
};

static const char *const verdicts[GATE_VERDICT__COUNT] = {
	[GATE_REFUSED] = "refused",
	[GATE_PASSED] = "passed",
	[GATE_NOT_ASKED] = "not_asked",
};

static const struct standing_info {
	const char *name;
	const char *text;     /* behind the server's name */
	const char *way_back; /* before the server's name: how it serves again */
} standings[STANDING__COUNT] = {
	[STANDING_UNREACHABLE] = {"unreachable", "does not answer",
				  "see whether poold runs on "},
	[STANDING_STALE] = {"stale", "has not reported its state lately",
			    "see what holds up poold on "},
	[STANDING_SERVING] = {"serving", "serves", NULL},
	[STANDING_DRAINING] = {"draining", "is being drained", "poolctl resume "},
	[STANDING_DRAINED] = {"drained", "is drained", "poolctl resume "},
	[STANDING_RESUMING] = {"resuming", "is being resumed", "wait for "},
	[STANDING_ATTENTION] = {"attention", "needs attention", "poolctl status "},
	[STANDING_RESERVED] = {"reserved", "is reserved", "wait for "},
};

const char *gate_name(enum gate gate)
{
	return names[gate];
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
	return verdicts[verdict];
}

const char *gate_standing_name(enum gate_standing standing)
{
	return standings[standing].name;
}

const char *gate_target_name(const struct gate_input *input)
{
	return input->target->server->named.name;
}

void gate_add_bounded(struct buf *text, const char *part)
{
	char bounded[PART_BYTES];

	utf8_copy(bounded, sizeof(bounded), part);
	buf_printf(text, "%s%s", bounded, strlen(part) >= PART_BYTES ? "..." : "");
}

void gate_explain_member(const struct gate_member *member, struct wall now,
			 struct buf *text)
{
	if (member->problem) {
		buf_printf(text, "%s answers with an error: ",
			   member->server->named.name);
		gate_add_bounded(text, member->problem);
		return;
	}
	buf_printf(text, "%s %s", member->server->named.name,
		   standings[member->standing].text);
	if (member->holder) {
		buf_puts(text, " by ");
		gate_add_bounded(text, member->holder);
	}
	if (member->since.is_given) {
		buf_puts(text, " (since ");
		view_text_time(member->since.at, now, text);
		buf_puts(text, ")");
	}
}

/* ---- lists in texts ---- */

bool gate_list_next(struct gate_list *list)
{
	if (++list->count > LIST_LIMIT)
		return false;
	buf_puts(list->text, list->count == 1 ? list->before : ", ");
	return true;
}

void gate_list_end(const struct gate_list *list)
{
	if (list->count > LIST_LIMIT)
		buf_printf(list->text, " and %zu more", list->count - LIST_LIMIT);
}

void gate_add_bring_back(const struct gate_input *input, struct buf *remedy)
{
	struct gate_list list = {remedy, "bring another server back first: ", 0};

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		if (member != input->target && !gate_serves(member) &&
		    gate_list_next(&list))
			buf_printf(remedy, "%s%s",
				   standings[member->standing].way_back,
				   member->server->named.name);
	}
	gate_list_end(&list);
	if (!list.count)
		buf_puts(remedy,
			 "add a server to the pool, or lower the pool's limits "
			 "in `availability` if its users can be without it");
}

/* ---- --force ---- */

static int fail_unknown(const char *word, struct err *err)
{
	struct nearest nearest = {.word = word};
	struct buf known = {0};

	for (int i = 0; i < GATE__COUNT; i++)
		nearest_try(&nearest, names[i]);
	words_print(names, &known);
	(void)err_set(err, ERR_USAGE,
		      "--force: unknown gate '%s'%s; the gates are %s", word,
		      nearest_hint(&nearest), known.text);
	buf_done(&known);
	return -1;
}

static int force_one(const char *word, unsigned *forced, struct err *err)
{
	int found = words_find(names, word);

	if (found < 0)
		return fail_unknown(word, err);
	*forced |= 1U << found;
	return 0;
}

int gate_parse_force(const char *text, unsigned *forced, struct err *err)
{
	char word[WORD_BYTES];

	for (;; text++) {
		size_t length = strcspn(text, ",");

		if (!length)
			return err_set(
				err, ERR_USAGE,
				"--force needs names of gates, separated by commas: "
				"floor,dns");
		utf8_copy(word, length < sizeof(word) ? length + 1 : sizeof(word),
			  text);
		if (force_one(word, forced, err))
			return -1;
		text += length;
		if (!*text)
			return 0;
	}
}
