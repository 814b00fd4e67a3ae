#include "gates_private.h"
#include "mem.h"
#include "view_text.h"

#include <string.h>

enum { PART_BYTES = 200, WORD_BYTES = 32, LIST_LIMIT = 8 };

static const char *const names[GATE__COUNT] = {
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
	const char *text; /* behind the server's name */
} standings[STANDING__COUNT] = {
	[STANDING_UNREACHABLE] = {"unreachable", "does not answer"},
	[STANDING_STALE] = {"stale", "was not heard of lately"},
	[STANDING_SERVING] = {"serving", "serves"},
	[STANDING_DRAINING] = {"draining", "is being drained"},
	[STANDING_DRAINED] = {"drained", "is drained"},
	[STANDING_RESUMING] = {"resuming", "is being resumed"},
	[STANDING_ATTENTION] = {"attention", "needs attention"},
	[STANDING_RESERVED] = {"reserved", "is reserved"},
};

const char gate_wait_remedy[] = "wait until another server serves again";

const char *gate_name(enum gate gate)
{
	return names[gate];
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
	return verdicts[verdict];
}

const char *gate_standing_name(enum standing standing)
{
	return standings[standing].name;
}

const char *gate_target_name(const struct gates_input *input)
{
	return input->target->server->named.name;
}

void gate_add_bounded(struct buf *text, const char *part)
{
	char bounded[PART_BYTES];

	copy_text(bounded, sizeof(bounded), part);
	buf_printf(text, "%s%s", bounded, strlen(part) >= PART_BYTES ? "..." : "");
}

void gate_explain_member(const struct gate_member *member, struct wall now,
			 struct buf *text)
{
	if (member->problem) {
		buf_printf(text, "%s gives no good answer: ", member->server->named.name);
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
		buf_puts(text, " since ");
		view_text_time(member->since.at, now, text);
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

/* ---- --force ---- */

static const char *name_at(const void *context, size_t i)
{
	(void)context;
	return names[i];
}

static int fail_unknown(const char *word, struct err *err)
{
	struct buf known = {0};

	for (int i = 0; i < GATE__COUNT; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", names[i]);
	(void)err_set(err, ERR_USAGE,
		      "--force: there is no gate '%s'%s%s%s; there are %s", word,
		      SCHEMA_HINT(schema_nearest(word, name_at, NULL, GATE__COUNT)),
		      known.text);
	buf_done(&known);
	return -1;
}

static int force_one(const char *word, unsigned *forced, struct err *err)
{
	for (int i = 0; i < GATE__COUNT; i++)
		if (!strcmp(names[i], word)) {
			*forced |= 1U << i;
			return 0;
		}
	return fail_unknown(word, err);
}

int gates_parse_force(const char *text, unsigned *forced, struct err *err)
{
	char word[WORD_BYTES];

	for (;; text++) {
		size_t length = strcspn(text, ",");

		if (!length)
			return err_set(
				err, ERR_USAGE,
				"--force takes the names of gates, like floor,dns");
		copy_text(word, length < sizeof(word) ? length + 1 : sizeof(word), text);
		if (force_one(word, forced, err))
			return -1;
		text += length;
		if (!*text)
			return 0;
	}
}
