/* `poolctl trust`: shows the certificate of a server beside what pool.yaml knows of
 * it, and pins its key after a yes. */
#include "api/problem.h"
#include "commands/commands.h"
#include "line/config.h"
#include "config/pin_edit.h"
#include "exit_status.h"
#include "line/targets.h"
#include "mem.h"
#include "show/output.h"
#include "system/file.h"
#include "terminal/print.h"
#include "terminal/terminal.h"
#include "text/json_write.h"
#include "tls/presented.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 64 };

struct report {
	const struct pool_server *server;
	const struct pool_trust *known;
	char *url;
	struct presented presented;
	struct err refusal; /* why it is not trusted now */
	const char *path;   /* of pool.yaml */
	bool is_written;
};

static bool is_trusted(const struct report *report)
{
	return !report->refusal.code;
}

/* ---- what is shown ---- */

static void print_if(const char *name, const char *text)
{
	if (text)
		print_line(stdout, "  %-8s %s", name, text);
}

static void print_known(const struct pool_trust *known)
{
	LIST_EACH (char *, pin, known->pins)
		print_if("pin", *pin);
	print_if("ca_file", known->ca_file);
	if (!known->pins.count && !known->ca_file)
		print_line(stdout,
			   "  neither pin nor ca_file: the authorities of this "
			   "system count");
}

static void print(const void *entry)
{
	const struct report *report = entry;
	const struct presented *presented = &report->presented;
	const char *why;

	print_line(stdout, "%s presents at %s", report->server->named.name,
		   report->url);
	print_if("subject", presented->subject);
	print_if("names", presented->names);
	print_if("issuer", presented->issuer);
	print_if("begins", presented->begins);
	print_if("ends", presented->ends);
	print_if("pin", presented->pin);
	print_line(stdout, "pool.yaml has for it");
	print_known(report->known);
	/* After that, other commands name this one. */
	why = strstr(report->refusal.text, "; `poolctl trust");
	print_line(stdout, "%s: %.*s", report->server->named.name,
		   why ? (int)(why - report->refusal.text) : INT_MAX,
		   is_trusted(report) ? "trusted" : report->refusal.text);
}

static json_t *describe(const void *entry)
{
	const struct report *report = entry;
	const struct presented *presented = &report->presented;
	json_t *object = json_object(), *shown = json_object(),
	       *known = json_object(), *pins = json_array();

	json_write_text(shown, "subject", presented->subject);
	json_write_text(shown, "names", presented->names);
	json_write_text(shown, "issuer", presented->issuer);
	json_write_text(shown, "begins", presented->begins);
	json_write_text(shown, "ends", presented->ends);
	json_write_text(shown, "pin", presented->pin);
	LIST_EACH (char *, pin, report->known->pins)
		json_write_text_item(pins, *pin);
	json_write_value(known, "pins", pins);
	json_write_text(known, "ca_file", report->known->ca_file);
	json_write_text(object, "server", report->server->named.name);
	json_write_text(object, "url", report->url);
	json_write_value(object, "presented", shown);
	json_write_value(object, "known", known);
	json_write_flag(object, "trusted", is_trusted(report));
	json_write_text(object, "message",
			is_trusted(report) ? NULL : report->refusal.text);
	json_write_flag(object, "written", report->is_written);
	return object;
}

static void show(const struct report *report, const struct options *options)
{
	static const struct output_kind kind = {
		.is_single = true, .print = print, .describe = describe};

	output_single(&kind, report, options);
}

/* ---- the pin ---- */

/* Readers see the old file or the new one, and all may read it, as before. */
static int replace_file(const char *path, const char *text, struct err *err)
{
	char *fresh = xasprintf("%s.new", path);
	int ret;

	(void)file_remove(fresh, NULL);
	ret = file_create(fresh, text, err) || file_replace(fresh, path, err) ? -1
									      : 0;
	if (ret)
		(void)file_remove(fresh, NULL);
	free(fresh);
	return ret;
}

static int write_pin(struct report *report, const struct pool_config *config,
		     struct err *err)
{
	const char *pin = report->presented.pin;
	char *text = NULL, *edited = NULL;
	size_t length;
	int ret = -1;

	if (file_read(report->path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length,
		      err))
		return -1;
	/* It would end at a NUL, which no YAML has. */
	if (strlen(text) == length)
		edited = pin_edit(text, config, report->path, report->server, pin);
	if (!edited)
		(void)err_set(
			err, ERR_CONFIG,
			"%s was not changed, as poolctl cannot be sure where; "
			"add this line below server %s yourself: pin: %s",
			report->path, report->server->named.name, pin);
	else
		ret = replace_file(report->path, edited, err);
	report->is_written = !ret;
	free(edited);
	free(text);
	return ret;
}

/* 1: yes; 0: no; -1: nobody can be asked. */
static int ask(const struct report *report, const struct options *options,
	       struct err *err)
{
	char answer[ANSWER_BYTES];

	if (options->yes_pin && !strcmp(options->yes_pin, report->presented.pin))
		return 1;
	if (options->yes_pin)
		return err_set(
			err, ERR_UNTRUSTED,
			"%s presents another key than --yes says; nothing was "
			"changed.  Compare both with what `poold check` prints "
			"on %s",
			report->server->named.name, report->server->named.name);
	if (!terminal_can_ask())
		return err_set(err, ERR_USAGE,
			       "to pin this key, compare the pin with what `poold "
			       "check` prints on %s, then add --yes %s",
			       report->server->named.name, report->presented.pin);
	if (print_prompt(
		    answer, sizeof(answer),
		    "Compare the pin with what `poold check` prints on %s.  Is "
		    "it the same?  Then type yes to write it into %s: ",
		    report->server->named.name, report->path))
		return 0;
	return !strcmp(answer, "yes");
}

static int decide(struct report *report, const struct pool_config *config,
		  const struct options *options, struct err *err)
{
	bool is_quiet = options->output != OUTPUT_TABLE;
	int answer;

	if (is_trusted(report) && !options->yes_pin) {
		show(report, options);
		return EXIT_REACHED;
	}
	if (!is_quiet)
		show(report, options);
	answer = ask(report, options, err);
	if (answer > 0)
		answer = write_pin(report, config, err) ? -1 : 1;
	if (is_quiet)
		show(report, options);
	if (answer < 0)
		return -1;
	if (answer)
		print_line(stderr, "%s: the pin of %s is written", report->path,
			   report->server->named.name);
	else
		print_complaint("nothing was changed");
	return answer ? EXIT_REACHED : err_info(ERR_UNTRUSTED)->exit_status;
}

/* A url that follows from the address is https as soon as there is a pin. */
static int find_url(struct report *report, struct err *err)
{
	const char *url = report->server->url;

	if (!strncmp(url, "https://", 8)) {
		report->url = xstrdup(url);
		return 0;
	}
	if (report->server->is_url_given)
		return err_set(
			err, ERR_CONFIG,
			"the url of %s in %s is %s; TLS begins with https://",
			report->server->named.name, report->path, url);
	report->url = xasprintf("https://%s", url + strlen("http://"));
	return 0;
}

/* As all other commands say it. */
static void explain_silence(const struct report *report, struct err *err)
{
	struct problem problem;

	problem_from_err(err, report->url, &problem);
	*err = (struct err){0};
	(void)err_set(err, problem.code, "%s: %s%s", report->server->named.name,
		      problem.text,
		      problem.is_silence ? "; check that poold runs there, and "
					   "'url' in pool.yaml"
					 : "");
}

int command_trust(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	char standard[HOST_PATH_BYTES];
	struct report report = {.path = config_path(options, standard)};
	struct targets targets;
	int ret = -1;

	if (options->yes_pin && !pool_is_pin(options->yes_pin))
		return err_set(
			err, ERR_USAGE,
			"--yes '%s' is not a pin: expected sha256// and 44 "
			"characters of base64, as `poold check` prints it on "
			"the server",
			options->yes_pin);
	if (!targets_find(config, options, "name one of its servers", &targets,
			  err)) {
		report.server = targets.servers[0];
		report.known = pool_trust(report.server->pool, report.server);
		if (!find_url(&report, err) &&
		    !presented_look(report.url, &report.presented, err)) {
			(void)presented_check(report.url, report.known,
					      &report.refusal);
			ret = decide(&report, config, options, err);
		}
		if (ret < 0 && report.url && !report.presented.pin[0])
			explain_silence(&report, err);
	}
	presented_done(&report.presented);
	free(report.url);
	targets_done(&targets);
	return ret;
}
