#include "services/preflight_text.h"

#include <jansson.h>
#include <stdbool.h>

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "unknown";
}

static void print_findings(const json_t *owner, const char *service, FILE *stream)
{
	const json_t *findings = json_object_get(owner, "findings");

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);
		const json_t *remedy = json_object_get(finding, "remedy");

		(void)fprintf(stream, "  %s: %s%s%s\n", text_of(finding, "level"),
			      service, *service ? ": " : "",
			      text_of(finding, "text"));
		if (json_is_string(remedy))
			(void)fprintf(stream, "    remedy: %s\n",
				      json_string_value(remedy));
	}
}

static void print_state(const json_t *state, FILE *stream)
{
	bool is_delayed =
		json_is_true(json_object_get(state, "delayed_auto_start"));
	const char *start_type =
		json_string_value(json_object_get(state, "start_type"));

	(void)fputs(text_of(state, "state"), stream);
	if (start_type)
		(void)fprintf(stream, ", %s%s", start_type,
			      is_delayed ? " (delayed)" : "");
}

static void print_service(const json_t *service, FILE *stream)
{
	const json_t *steps = json_object_get(service, "changes");
	const json_t *others = json_object_get(service, "dependants");

	(void)fprintf(stream, "  %s (%s): ", text_of(service, "name"),
		      text_of(service, "display_name"));
	print_state(json_object_get(service, "observed"), stream);
	(void)fputs(json_array_size(steps) ? "\n" : "; nothing would change\n",
		    stream);
	for (size_t i = 0; i < json_array_size(steps); i++)
		(void)fprintf(stream, "    step: %s\n",
			      json_string_value(json_array_get(steps, i)));
	for (size_t i = 0; i < json_array_size(others); i++) {
		const json_t *other = json_array_get(others, i);

		(void)fprintf(stream, "    needed by %s: ", text_of(other, "name"));
		print_state(other, stream);
		(void)fputs("\n", stream);
	}
}

void preflight_text_print(const json_t *report, FILE *stream)
{
	const json_t *services = json_object_get(report, "services");
	bool is_possible = json_is_true(json_object_get(report, "possible"));

	(void)fprintf(stream, "%s: a drain is %spossible\n",
		      text_of(report, "server"), is_possible ? "" : "not ");
	print_findings(report, "", stream);
	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);

		print_findings(service, text_of(service, "name"), stream);
	}
	for (size_t i = 0; i < json_array_size(services); i++)
		print_service(json_array_get(services, i), stream);
}
