#include "gates_output.h"

#include "mem.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>

int gates_forced(const struct options *options, unsigned *forced, struct err *err)
{
	*forced = options->accepts_broken ? GATES_BROKEN_SESSIONS : 0;
	return options->force ? gates_parse_force(options->force, forced, err) : 0;
}

json_t *gates_text_to_json(const struct buf *text)
{
	char *clean = text->text ? xstrdup(text->text) : NULL;
	json_t *json;

	if (clean)
		text_clean(clean, true);
	json = clean ? json_string(clean) : json_null();
	free(clean);
	return json;
}

json_t *gates_describe(const struct gate_result results[GATE__COUNT], unsigned forced)
{
	json_t *list = json_array();

	for (int i = 0; i < GATE__COUNT; i++) {
		const struct gate_result *result = &results[i];

		(void)json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:o, s:o, s:b, s:b}", "gate",
				  gate_name((enum gate)i), "verdict",
				  gate_verdict_name(result->verdict), "text",
				  gates_text_to_json(&result->text), "remedy",
				  gates_text_to_json(&result->remedy), "can_force",
				  result->verdict == GATE_REFUSED && result->can_force,
				  "forced", gate_is_forced(results, i, forced)));
	}
	return list;
}

static void print_line(FILE *stream, const char *before, const char *name,
		       const char *what, const char *text)
{
	struct buf line = {0};

	buf_printf(&line, "  %s%s%s%s", before, name, what, text ? text : "");
	text_print(stream, line.text);
	buf_done(&line);
}

static void print_one(FILE *stream, const struct gate_result results[GATE__COUNT],
		      int gate, unsigned forced)
{
	static const char *const words[GATE_VERDICT__COUNT] = {
		[GATE_REFUSED] = " refuses: ",
		[GATE_PASSED] = " passes: ",
		[GATE_NOT_ASKED] = " is not asked: ",
	};
	const struct gate_result *result = &results[gate];
	bool is_forced = gate_is_forced(results, gate, forced);
	const char *word =
		is_forced ? " refuses, and is forced: " : words[result->verdict];

	print_line(stream, "gate ", gate_name((enum gate)gate), word, result->text.text);
	if (result->remedy.text && !is_forced)
		print_line(stream, "  remedy: ", "", "", result->remedy.text);
}

void gates_print_refusals(FILE *stream, const struct gate_result results[GATE__COUNT],
			  unsigned forced)
{
	for (int i = 0; i < GATE__COUNT; i++)
		if (results[i].verdict == GATE_REFUSED)
			print_one(stream, results, i, forced);
}

void gates_print(const struct gate_result results[GATE__COUNT], unsigned forced,
		 bool with_all)
{
	size_t counts[GATE_VERDICT__COUNT] = {0}, forced_count = 0;
	struct buf line = {0};

	for (int i = 0; i < GATE__COUNT; i++) {
		counts[results[i].verdict]++;
		forced_count += gate_is_forced(results, i, forced);
		if (with_all || results[i].verdict == GATE_REFUSED)
			print_one(stdout, results, i, forced);
	}
	buf_printf(&line, "  gates: %zu passed, %zu refused, %zu not asked",
		   counts[GATE_PASSED], counts[GATE_REFUSED], counts[GATE_NOT_ASKED]);
	if (forced_count)
		buf_printf(&line, "; %zu forced", forced_count);
	text_print(stdout, line.text);
	buf_done(&line);
}

void gates_summarize(const struct gate_result results[GATE__COUNT], unsigned forced,
		     struct buf *text)
{
	const char *between = "no: ";

	for (int i = 0; i < GATE__COUNT; i++) {
		if (results[i].verdict != GATE_REFUSED ||
		    gate_is_forced(results, i, forced))
			continue;
		buf_printf(text, "%s%s", between, gate_name((enum gate)i));
		between = ", ";
	}
	if (gates_may_drain(results, forced))
		buf_puts(text, "yes");
}
