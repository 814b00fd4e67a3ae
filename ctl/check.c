/* `poolctl check`: whether a drain is possible, and fits into the time there is. */
#include "commands.h"

#include "answers.h"
#include "mem.h"
#include "output_json.h"
#include "targets.h"
#include "terms.h"
#include "text.h"

#include <stdlib.h>

enum { EXIT_REFUSED = 4, EXIT_SEVERAL = 8 };

static const char no_pools[] = "this command takes servers, not pools";

static enum fit fit_of(const struct answer *answer, const struct terms *terms)
{
	return answers_fit(answer->document, terms->deadline_ms > 0);
}

/* Only what is possible and sure enough is good. */
static int exit_status_of(const struct answer *answer, const struct terms *terms)
{
	if (!answer->document)
		return answer->problem.exit_status;
	return fit_of(answer, terms) <= FIT_YES ? 0 : EXIT_REFUSED;
}

/* What cannot be has no forecast. */
static json_t *describe(const struct answer *answer, const struct terms *terms)
{
	const char *name = answer->server->named.name;
	int status = exit_status_of(answer, terms);
	bool is_possible = answers_is_possible(answer->document);

	if (!answer->document)
		return json_pack("{s:s, s:n, s:n, s:n, s:i, s:s}", "server", name,
				 "possible", "fits", "forecast", "exit_code", status,
				 "message", answer->problem.text);
	return json_pack(
		"{s:s, s:b, s:s, s:O?, s:i, s:n}", "server", name, "possible",
		is_possible, "fits", answers_fit_name(fit_of(answer, terms)), "forecast",
		is_possible ? json_object_get(answer->document, "forecast") : NULL,
		"exit_code", status, "message");
}

static void add_verdict(const struct answer *answer, const struct terms *terms,
			struct buf *line)
{
	static const char *const words[FIT__COUNT] = {
		[FIT_NO_DEADLINE] = "a drain is possible",
		[FIT_YES] = "a drain is possible, and fits",
		[FIT_NO] = "a drain is possible, and does not fit",
		[FIT_NOT_KNOWN] = "a drain is possible; whether it fits is not known",
		[FIT_NOT_POSSIBLE] = "a drain is not possible; drain --dry-run says why",
	};
	struct buf out = {0};

	if (answers_tell_out(answer->document, &out))
		buf_printf(line, "out of service already (%s)%s", out.text,
			   answers_is_possible(answer->document) ? "" : "; ");
	if (!out.length || !answers_is_possible(answer->document))
		buf_puts(line, words[fit_of(answer, terms)]);
	buf_done(&out);
}

static void print_table(const struct answer *answer, const struct terms *terms)
{
	const char *name = answer->server->named.name;
	struct buf line = {0};

	if (!answer->document) {
		text_complain("%s: %s", name, answer->problem.text);
		return;
	}
	buf_printf(&line, "%s: ", name);
	add_verdict(answer, terms, &line);
	text_print(stdout, line.text);
	buf_done(&line);
	if (!answers_is_possible(answer->document))
		return;
	buf_puts(&line, "  ");
	answers_explain(answer->document, &line);
	text_print(stdout, line.text);
	buf_done(&line);
}

static void print(const struct answer *answers, const struct terms *terms, size_t count,
		  int output)
{
	json_t *list = output == OUTPUT_JSON ? json_array() : NULL;

	for (size_t i = 0; i < count; i++) {
		if (output == OUTPUT_TABLE)
			print_table(&answers[i], &terms[i]);
		else if (list)
			(void)json_array_append_new(list,
						    describe(&answers[i], &terms[i]));
		else
			output_json(describe(&answers[i], &terms[i]));
	}
	if (list)
		output_json(list);
}

static int check(const struct targets *targets, const struct terms *terms,
		 const char *const *services, const struct options *options,
		 struct client *client)
{
	struct answer *answers =
		answers_ask(targets, terms, services, options->services.count,
			    CLIENT_TIMEOUT_MS, client);
	int status = 0;

	print(answers, terms, targets->count, options->output);
	for (size_t i = 0; i < targets->count; i++) {
		int one = exit_status_of(&answers[i], &terms[i]);

		status = i == 0 || one == status ? one : EXIT_SEVERAL;
	}
	answers_free(answers, targets->count);
	return status;
}

int command_check(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	struct client *client = NULL;
	const char **services = NULL;
	struct terms *terms = NULL;
	struct targets targets;
	int ret = -1;

	if (targets_find(config, options, no_pools, &targets, err))
		goto out;
	services = targets_spell_services(config, &targets, options, err);
	terms = terms_find(config, &targets, options, err);
	client = services && terms ? client_new(err) : NULL;
	if (client)
		ret = check(&targets, terms, services, options, client);
out:
	client_free(client);
	targets_done(&targets);
	free(terms);
	free(services);
	return ret;
}
