#include "show/gate_output.h"

#include "mem.h"
#include "terminal/print.h"
#include "text/json_write.h"
#include "text/text.h"

#include <stdlib.h>

static void write_clean(json_t *object, const char *name, const struct buf *text)
{
	char *clean = text->text ? xstrdup(text->text) : NULL;

	if (clean)
		text_clean(clean, true);
	json_write_text(object, name, clean);
	free(clean);
}

void gate_output_write_texts(const struct gate_result *result, json_t *object)
{
	write_clean(object, "text", &result->text);
	write_clean(object, "remedy", &result->remedy);
}

json_t *gate_output_to_json(const struct gate_result results[GATE__COUNT],
			    unsigned forced)
{
	json_t *list = json_array();

	for (int i = 0; i < GATE__COUNT; i++) {
		const struct gate_result *result = &results[i];
		json_t *object = json_object();

		json_write_text(object, "gate", gate_name((enum gate)i));
		json_write_text(object, "verdict",
				gate_verdict_name(result->verdict));
		gate_output_write_texts(result, object);
		json_write_flag(object, "can_force",
				result->verdict == GATE_REFUSED &&
					result->can_force);
		json_write_flag(object, "forced",
				gate_is_forced(results, i, forced));
		json_write_item(list, object);
	}
	return list;
}

static void print_one(FILE *stream, const struct gate_result results[GATE__COUNT],
		      int gate, unsigned forced)
{
	static const char *const words[GATE_VERDICT__COUNT] = {
		[GATE_REFUSED] = "refuses",
		[GATE_PASSED] = "passes",
		[GATE_NOT_ASKED] = "is not asked",
	};
	const struct gate_result *result = &results[gate];
	bool is_forced = gate_is_forced(results, gate, forced);

	print_line(stream, "  gate %s %s: %s", gate_name((enum gate)gate),
		   is_forced ? "refuses, but is forced" : words[result->verdict],
		   result->text.text ? result->text.text : "");
	if (result->remedy.text && !is_forced)
		print_line(stream, "    remedy: %s", result->remedy.text);
	if (result->verdict == GATE_REFUSED && result->can_force && !is_forced)
		print_line(stream, "    at your own risk: --force=%s%s",
			   gate_name((enum gate)gate),
			   1U << gate & GATES_BROKEN_SESSIONS
				   ? " or --accept-broken-sessions"
				   : "");
}

void gate_output_print_refusals(FILE *stream,
				const struct gate_result results[GATE__COUNT],
				unsigned forced)
{
	for (int i = 0; i < GATE__COUNT; i++)
		if (results[i].verdict == GATE_REFUSED)
			print_one(stream, results, i, forced);
}

void gate_output_print(const struct gate_result results[GATE__COUNT],
		       unsigned forced, bool has_all)
{
	size_t counts[GATE_VERDICT__COUNT] = {0}, forced_count = 0;
	char forced_text[32] = "";

	for (int i = 0; i < GATE__COUNT; i++) {
		counts[results[i].verdict]++;
		forced_count += gate_is_forced(results, i, forced);
		if (has_all || results[i].verdict == GATE_REFUSED)
			print_one(stdout, results, i, forced);
	}
	if (forced_count)
		(void)snprintf(forced_text, sizeof(forced_text), "; %zu forced",
			       forced_count);
	print_line(stdout, "  gates: %zu passed, %zu refused, %zu not asked%s",
		   counts[GATE_PASSED], counts[GATE_REFUSED],
		   counts[GATE_NOT_ASKED], forced_text);
}

void gate_output_list_refusing(const struct gate_result results[GATE__COUNT],
			       unsigned forced, struct buf *text)
{
	const char *between = "";

	for (int i = 0; i < GATE__COUNT; i++) {
		if (results[i].verdict != GATE_REFUSED ||
		    gate_is_forced(results, i, forced))
			continue;
		buf_printf(text, "%s%s", between, gate_name((enum gate)i));
		between = ", ";
	}
}

void gate_output_summarize(const struct gate_result results[GATE__COUNT],
			   unsigned forced, struct buf *text)
{
	buf_puts(text, gate_may_drain(results, forced) ? "yes" : "no: ");
	gate_output_list_refusing(results, forced, text);
}
