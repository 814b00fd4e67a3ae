/*
 * poold: the daemon's command line.
 */
#include "access/token_commands.h"
#include "access/tokens.h"
#include "configuration.h"
#include "exit_status.h"
#include "http/routes.h"
#include "http/tls_init.h"
#include "mem.h"
#include "pool_advice.h"
#include "serve.h"
#include "service.h"
#include "services/preflight.h"
#include "services/preflight_text.h"
#include "services/reconcile.h"
#include "sources/counter_list.h"
#include "start.h"
#include "system/file.h"
#include "system/host.h"
#include "system/log.h"
#include "system/streams.h"
#include "text/command_line.h"
#include "uninstall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct given given;
	const char *config; /* NULL on the command line: the standard place */
	bool has_dump, has_routes;
	int output; /* 1: JSON */
	const char *name;
	int role;            /* enum role; ROLE_NONE: not said */
	int64_t expires_ms;  /* 0: never */
	const char *hash;    /* of a token that was made elsewhere */
	const char *package; /* a version; NULL: nobody removes a package */
};

/* ---- commands ---- */

static int cmd_run(const struct options *options)
{
	return service_run_foreground(serve_run, options->config);
}

static int cmd_service(const struct options *options)
{
	struct err err = {0};

	return service_run_dispatched(serve_run, options->config, &err)
		       ? start_report(&err)
		       : 0;
}

static int cmd_install(const struct options *options)
{
	struct configuration configuration = {0};
	struct err err = {0};
	int status = start_load(&configuration, options->config, true);

	if (!status && service_install(options->config, &err))
		status = start_report(&err);
	if (!status)
		puts("poold is installed and starts at the next boot; start it now with: "
		     "sc.exe start poold");
	configuration_free(&configuration);
	return status;
}

static int cmd_uninstall(const struct options *options)
{
	static const struct uninstall_service service = {
		service_stop, service_start, service_uninstall};
	char standard[HOST_PATH_BYTES], name[] = "SERVER";
	/* An installer may have put poold where nobody has configured it. */
	struct poold_config bare = {.server = name, .state_dir = standard};
	bool is_bare = options->package && !file_exists(options->config);
	struct configuration configuration = {0};
	struct err err = {0};
	int status;

	/* An upgrade: the package that goes is another than this poold's. */
	if (options->package && strcmp(options->package, VERSION) != 0)
		return 0;
	host_state_path(standard);
	status = is_bare ? 0 : start_load(&configuration, options->config, true);
	if (!status &&
	    uninstall(is_bare ? &bare : configuration.poold, &service, &err) &&
	    !(options->package && err.code == ERR_UNKNOWN_SERVICE))
		status = start_report(&err);
	if (!status)
		puts("poold is uninstalled");
	configuration_free(&configuration);
	return status;
}

static int cmd_tls_init(const struct options *options)
{
	struct configuration configuration = {0};
	struct err err = {0};
	int status = start_load(&configuration, options->config, false);

	if (!status && tls_init(&configuration.poold->tls, options->config,
				configuration.pool, configuration.server, &err))
		status = start_report(&err);
	configuration_free(&configuration);
	return status;
}

static void print_what_is_good(const struct configuration *c, const char *path)
{
	const struct list *services = pool_services(c->pool, c->server);
	char *certificate = certificate_describe(&c->poold->tls);
	struct buf advice = {0};

	pool_advice_print(c->pool, services, &c->poold->commands, &advice);
	printf("%s: server %s of pool %s, %zu service(s)\n%s", path,
	       c->server->named.name, c->pool->named.name, services->count,
	       advice.length ? advice.text : "");
	buf_done(&advice);
	if (certificate)
		printf("%s: %s\n", c->poold->tls.certificate, certificate);
	free(certificate);
}

static int cmd_check(const struct options *options)
{
	struct configuration configuration = {0};
	int status = start_load(&configuration, options->config, true);
	struct buf notes = {0};
	struct err err = {0};

	if (!status) {
		print_what_is_good(&configuration, options->config);
		if (start_check(&configuration, &notes, &err))
			status = start_report(&err);
		fputs(notes.length ? notes.text : "", stdout);
	}
	buf_done(&notes);
	configuration_free(&configuration);
	return status;
}

/* Works beside a running poold, whose drains it does not know. */
static int print_preflight(const struct configuration *configuration,
			   struct scm *scm, bool is_json)
{
	struct preflight_machine machine = {
		.server = configuration->server->named.name,
		.pool = configuration->pool->named.name};
	char *certificate =
		certificate_warn_of(&configuration->poold->tls, clock_wall());
	json_t *document;
	bool is_possible;

	machine.certificate = certificate;
	preflight_look_at_machine(scm, &machine);
	document = preflight_to_json(
		&machine,
		preflight_inspect(configuration->pool, configuration->server,
				  &configuration->poold->commands, scm));
	is_possible = json_is_true(json_object_get(document, "possible"));
	if (is_json) {
		(void)json_dumpf(document, stdout, JSON_INDENT(2));
		puts("");
	} else {
		preflight_text_print(document, stdout);
	}
	json_decref(document);
	free(certificate);
	return is_possible ? 0 : EXIT_REFUSED;
}

static int cmd_preflight(const struct options *options)
{
	struct configuration configuration = {0};
	struct err err = {0};
	int status = start_load(&configuration, options->config, true);
	struct scm *scm = status ? NULL : start_open_scm(configuration.poold, &err);

	if (!status)
		status = scm ? print_preflight(&configuration, scm,
					       options->output == 1)
			     : start_report(&err);
	if (scm)
		scm->ops->free(scm);
	configuration_free(&configuration);
	return status;
}

static void print_counter(const char *path, double value)
{
	if (isnan(value))
		printf("%12s  %s\n", "-", path);
	else
		printf("%12.10g  %s\n", value, path);
}

static int cmd_counters(const struct options *options)
{
	struct err err = {0};

	return counter_list(options->given.words.items[1], print_counter, &err)
		       ? start_report(&err)
		       : 0;
}

static int cmd_token_new(const struct options *o)
{
	struct err err = {0};
	char *state_dir;
	int status = start_load_state_dir(o->config, &state_dir);

	if (!status && token_commands_new(state_dir, o->name, o->role,
					  o->expires_ms, o->hash, &err))
		status = start_report(&err);
	free(state_dir);
	return status;
}

static int cmd_token_list(const struct options *options)
{
	struct err err = {0};
	char *state_dir;
	int status = start_load_state_dir(options->config, &state_dir);

	if (!status && token_commands_list(state_dir, options->output == 1, &err))
		status = start_report(&err);
	free(state_dir);
	return status;
}

static int cmd_token_revoke(const struct options *options)
{
	struct err err = {0};
	char *state_dir;
	int status = start_load_state_dir(options->config, &state_dir);

	if (!status &&
	    token_commands_revoke(state_dir, options->given.words.items[2], &err))
		status = start_report(&err);
	free(state_dir);
	return status;
}

/* ---- the command line ---- */

static const struct option options_table[] = {
	{"config", 0, true, OPTION_TEXT, offsetof(struct options, config), "FILE",
	 "read this poold.yaml", NULL},
	{"dump-states", 0, true, OPTION_FLAG, offsetof(struct options, has_dump),
	 NULL, "print the decision table (docs/states.md)", NULL},
	{"dump-routes", 0, true, OPTION_FLAG, offsetof(struct options, has_routes),
	 NULL, "print the routes of the API, and the roles that they need", NULL},
	{"output", 'o', false, OPTION_CHOICE, offsetof(struct options, output),
	 "FORMAT", "table or json", (const char *const[]){"table", "json", NULL}},
	{"name", 0, false, OPTION_ID, offsetof(struct options, name), "NAME",
	 "name of the token, which the record shows as the owner", NULL},
	{"role", 0, false, OPTION_CHOICE, offsetof(struct options, role), "ROLE",
	 "viewer, operator or admin",
	 (const char *const[]){"", "viewer", "operator", "admin", NULL}},
	{"expires", 0, false, OPTION_DEADLINE, offsetof(struct options, expires_ms),
	 "TIME", "how long the token is good: 90d (default), 12h, none", NULL},
	{"sha256", 0, false, OPTION_HASH, offsetof(struct options, hash), "HASH",
	 "take another server's token by its hash, 64 hex digits", NULL},
	{"package", 0, false, OPTION_TEXT, offsetof(struct options, package),
	 "VERSION", "only if poold is of this version; for an installer", NULL},
	{"help", 'h', true, OPTION_FLAG, offsetof(struct options, given.has_help),
	 NULL, "show this help", NULL},
	{"version", 0, true, OPTION_FLAG,
	 offsetof(struct options, given.has_version), NULL,
	 "show the version of poold", NULL},
};

static const struct program_command {
	struct command command;
	int (*run)(const struct options *options);
} commands[] = {
	{{"run", 0, 0, "", "", "run in the foreground",
	  .examples = "run\nrun --config poold.yaml", .also = "start serve"},
	 cmd_run},
	{{"check", 0, 0, "", "", "check all that a start checks, and start nothing",
	  "Reads both files and the store, and changes nothing.  Exits as a start would.",
	  .examples = "check --config poold.yaml"},
	 cmd_check},
	{{"preflight", 0, 0, "", "output",
	  "check whether a drain could work now, and what it would do",
	  .examples = "preflight\npreflight -o json"},
	 cmd_preflight},
	{{"counters", 1, 1, "PATTERN", "",
	  "list this machine's performance counters, as 'LS:*'",
	  "Prints the value and the path of each counter whose object is like PATTERN, with\n"
	  "* for any text.  In pool.yaml the path is given in English.",
	  .examples = "counters 'LS:*'"},
	 cmd_counters},
	{{"tls init", 0, 0, "", "",
	  "make a certificate for this server, signed by itself",
	  "Writes the certificate and its key where poold.yaml names them, else beside it, and\n"
	  "prints the lines for poold.yaml and pool.yaml.  Files that are there stay.",
	  .examples = "tls init", .also = "certificate cert"},
	 cmd_tls_init},
	{{"install", 0, 0, "", "",
	  "register as a Windows service that starts at boot",
	  .examples = "install"},
	 cmd_install},
	{{"uninstall", 0, 0, "", "package", "stop and remove the Windows service",
	  .examples = "uninstall", .also = "remove"},
	 cmd_uninstall},
	{{"service", 0, 0, "", "",
	  "run as the Windows service; only the SCM calls this", .about = NULL},
	 cmd_service},
	{{"token new", 0, 0, "", "name role expires sha256",
	  "make a token for a user or a pipeline, and show it once",
	  .about =
		  "Prints the token alone on standard output.  poold keeps only its hash, in the\n"
		  "state directory, and takes the token at once; it need not be restarted.",
	  .examples = "token new --name ci --role operator --expires 90d\n"
		      "token new --name monitoring --role viewer --expires none",
	  .also = "credential password"},
	 cmd_token_new},
	{{"token list", 0, 0, "", "output",
	  "list the tokens; -o json has their hashes",
	  .examples = "token list\ntoken list -o json"},
	 cmd_token_list},
	{{"token revoke", 1, 1, "NAME", "", "refuse a token from now on",
	  .examples = "token revoke ci", .also = "remove delete"},
	 cmd_token_revoke},
	{{"version", 0, 0, "", "output", "show the version of poold",
	  .examples = "version"},
	 NULL},
	{{"help", 0, 2, "[COMMAND]", "output", "show this help, or a command's",
	  .examples = "help run"},
	 NULL},
};

static const struct command_line command_line = {
	.program = "poold",
	.version = VERSION,
	.options = options_table,
	.option_count = sizeof(options_table) / sizeof(options_table[0]),
	.commands = commands,
	.command_bytes = sizeof(commands[0]),
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

static int run_command(const struct options *options, struct err *err)
{
	struct options with_config = *options;
	char standard[HOST_PATH_BYTES];
	const struct program_command *chosen;
	int status;

	if (options->has_dump) {
		reconcile_print(stdout);
		return 0;
	}
	if (options->has_routes) {
		routes_print(stdout);
		return 0;
	}
	with_config.given.is_json = options->output == 1;
	chosen = command_line_choose(&command_line, &with_config.given, &status,
				     err);
	if (!chosen)
		return status;
	host_config_path("poold.yaml", standard);
	if (!options->config)
		with_config.config = standard;
	if (chosen->run != cmd_run && chosen->run != cmd_service)
		log_plain("poold");
	return chosen->run(&with_config);
}

int main(int argc, char **argv)
{
	struct options options = {.expires_ms = TOKENS_USUAL_MS};
	struct err err = {0};
	int status = -1;

	host_init(&argc, &argv);
	json_set_alloc_funcs(xmalloc, free);
	if (!command_line_parse(&command_line, argc, argv, &options, &err))
		status = run_command(&options, &err);
	if (status < 0)
		status = err_info(err.code)->exit_status;
	if (log_is_stuck())
		_Exit(status);
	status = streams_finish(status, &err);
	if (err.code)
		(void)fprintf(stderr, "poold: %s\n", err.text);
	free(options.given.words.items);
	host_done();
	return status;
}
