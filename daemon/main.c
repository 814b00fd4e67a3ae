/*
 * poold: the daemon's command line, and how its parts are put together.
 */
#include "access/local_credential.h"
#include "access/tokens.h"
#include "system/host.h"
#include "exit_status.h"
#include "http/http.h"
#include "system/log.h"
#include "mem.h"
#include "pool_advice.h"
#include "configuration.h"
#include "services/preflight.h"
#include "services/preflight_text.h"
#include "services/reconcile.h"
#include "http/routes.h"
#include "http/tls_init.h"
#include "reload.h"
#include "service.h"
#include "sessions/sampler.h"
#include "start.h"
#include "store/store.h"
#include "http/stream.h"
#include "sources/counter_list.h"
#include "supervisor.h"
#include "access/token_commands.h"
#include "uninstall.h"
#include "text/command_line.h"
#include "utf8.h"
#include "system/file.h"
#include "system/private.h"
#include "system/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	STALE_LEAST_MS = 15000,
	LISTEN_AGAIN_MS = 1000,
	HTTP_TICK_MS = 1000,
	LOG_WAIT_MS = 2000, /* for the last lines, if nobody reads them */
	/* How often a watcher hears that there is nothing new. */
	BEAT_TICKS = 15,
	BEAT_MOST_MS = 15000,
};

/* Everything that one run needs; zeroed at first, so that it can be put down at any
 * stage. */
struct poold {
	struct configuration configuration;
	struct task_queue tasks;
	struct snapshot_shelf snapshots;
	struct supervisor *supervisor;
	struct store *reader;
	char machine[HOST_NAME_BYTES];
	struct host_names names;
	struct tls *tls; /* NULL: plain HTTP */
	struct routes routes;
	struct http *_Atomic http; /* the supervisor's thread reads it */
	struct local_credential local;
	/* The last round of the supervisor, which writes it: ms of clock_mono(). */
	_Atomic int64_t round_at_ms;
};

static int report(const struct err *err)
{
	log_error("%s", err->text);
	return err_info(err->code)->exit_status;
}

/* Mistakes are lines of their own; any other error is one. */
static int load_files(struct configuration *configuration, const char *path,
		      bool needs_address)
{
	struct buf mistakes = {0};
	struct err err = {0};
	int ret = configuration_load_files(configuration, path, &mistakes, &err) ||
				  (needs_address && configuration_choose_address(
							    configuration, &err)) ||
				  start_check_private(configuration, path, &err)
			  ? -1
			  : 0;

	for (char *line = mistakes.text, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		log_error("%.*s", (int)(end - line), line);
	}
	if (ret && !mistakes.length)
		log_error("%s", err.text);
	buf_done(&mistakes);
	return ret ? err_info(err.code)->exit_status : 0;
}

static int load_configuration(struct configuration *configuration, const char *path)
{
	return load_files(configuration, path, true);
}

/* ---- running ---- */

static void on_published(void *arg)
{
	struct poold *poold = arg;
	struct snapshot *snapshot = snapshot_take(&poold->snapshots);
	struct http *http = poold->http;

	poold->round_at_ms = clock_mono().ms;
	if (http)
		http_wake(http, (int64_t[NEWS__COUNT]){
					[NEWS_INDEX] = snapshot->index,
					[NEWS_EVENT] = snapshot->last_event,
				});
	snapshot_release(snapshot);
}

/* With port 0 it is known later. */
static void leave_credential(void *arg)
{
	struct poold *poold = arg;

	if (poold->configuration.port)
		local_credential_leave(&poold->local, poold->configuration.port);
}

static int listen_for_requests(struct poold *poold, struct err *err)
{
	struct http_setup setup = {
		.address = poold->configuration.address,
		.port = poold->configuration.port,
		.tls = poold->tls,
		.taken = leave_credential,
		.taken_arg = poold,
		.handle = routes_handle,
		.finished = routes_finished,
		.arg = &poold->routes,
	};

	if (poold->tls && tls_load(poold->tls, err))
		return -1;
	if (local_credential_make(&poold->local, &setup.address, setup.port, err))
		return -1;
	access_set_local(poold->routes.check.access, poold->local.text);
	poold->http = http_start(&setup, err);
	if (poold->http && !setup.port)
		local_credential_leave(&poold->local, http_port(poold->http));
	if (!poold->http)
		local_credential_remove(&poold->local);
	return poold->http ? 0 : -1;
}

static int read_events(void *arg, int64_t after, int limit,
		       void (*each)(void *arg, const struct event *event),
		       void *each_arg, struct err *err)
{
	return store_each_event(arg, after, limit, each, each_arg, err);
}

static int start(struct poold *poold, bool is_service, struct err *err)
{
	struct err listening = {0};
	const struct poold_config *config = poold->configuration.poold;
	struct tls *tls = poold->tls = tls_new(&config->tls);
	struct supervisor_setup setup = {
		.pool = poold->configuration.pool,
		.server = poold->configuration.server,
		.state_dir = config->state_dir,
		.version = VERSION,
		.tick_ms = config->tick_ms,
		.commands = &config->commands,
		.tls = tls,
		.tasks = &poold->tasks,
		.snapshots = &poold->snapshots,
		.is_machine_ending = service_is_machine_ending,
		.published = on_published,
		.published_arg = poold,
	};

	if (start_lock_services(&poold->configuration, err))
		return -1;
	setup.scm = start_open_scm(config, err);
	if (!setup.scm)
		return -1;
	poold->supervisor = supervisor_new(&setup, err);
	if (!poold->supervisor)
		return -1;
	poold->reader = supervisor_open_reader(poold->supervisor, err);
	if (!poold->reader)
		return -1;
	host_name(poold->machine);
	host_names_init(&poold->names, poold->configuration.pool,
			poold->configuration.server, poold->machine);
	poold->routes = (struct routes){
		.check = {access_new(config->state_dir), &poold->tasks},
		.tasks = &poold->tasks,
		.snapshots = &poold->snapshots,
		.reader = poold->reader,
		.server = poold->configuration.server->named.name,
		.names = &poold->names,
		.stale_ms = config->tick_ms * 3 > STALE_LEAST_MS
				    ? config->tick_ms * 3
				    : STALE_LEAST_MS,
		.ring = stream_ring_new(read_events, poold->reader),
		.beat_ms = config->tick_ms * BEAT_TICKS < BEAT_MOST_MS
				   ? config->tick_ms * BEAT_TICKS
				   : BEAT_MOST_MS,
	};
	/* As a service it keeps services out also while nobody can talk to it. */
	if (listen_for_requests(poold, &listening)) {
		if (!is_service ||
		    (listening.code != ERR_LISTEN && listening.code != ERR_CONFIG))
			return err_set_os(err, listening.code, 0, "%s",
					  listening.text);
		log_warning("%s; poold tries again every second", listening.text);
	}
	return supervisor_start(poold->supervisor, err);
}

/* The supervisor first: then no request waits for it any more, and HTTP can end. */
static void put_down(struct poold *poold)
{
	if (poold->supervisor)
		supervisor_stop(poold->supervisor);
	if (poold->http)
		http_release(poold->http);
	http_stop(poold->http);
	poold->http = NULL;
	local_credential_remove(&poold->local);
	stream_ring_free(poold->routes.ring);
	access_free(poold->routes.check.access);
	poold->routes = (struct routes){0};
	store_close(poold->reader);
	poold->reader = NULL;
	supervisor_free(poold->supervisor);
	poold->supervisor = NULL;
	tls_free(poold->tls);
	poold->tls = NULL;
	snapshot_shelf_done(&poold->snapshots);
	task_queue_done(&poold->tasks);
}

/* A log that cannot be opened is no reason to leave services unguarded: the log
 * itself says so, and goes on where it was. */
static void open_log(const char *state_dir, const char *file)
{
	char *path = file ? xstrdup(file) : xasprintf("%s/poold.log", state_dir);

	if (!file)
		(void)file_make_directory(state_dir, NULL);
	(void)log_to_file(path, NULL);
	free(path);
}

/* Returns once poold listens, or is told to stop. */
static void await_requests(struct poold *poold)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	while (!poold->http && service_await(LISTEN_AGAIN_MS) != SERVICE_WORD_STOP)
		(void)listen_for_requests(poold, NULL);
	if (poold->http)
		log_info("poold %s serves %s on %s port %u%s", VERSION,
			 poold->configuration.server->named.name,
			 net_address_format(&poold->configuration.address, text),
			 http_port(poold->http), poold->tls ? " with TLS" : "");
}

/* True if the supervisor makes its rounds. */
static bool is_working(const struct poold *poold)
{
	struct mono round = {poold->round_at_ms};

	return clock_since(round, clock_mono()) <= poold->routes.stale_ms;
}

/* True if the files were changed and `reload` has what is to be used; false for the
 * stop. */
static bool serve_until_changed(struct poold *poold, struct reload *reload)
{
	enum service_word word = SERVICE_WORD_NONE;

	await_requests(poold);
	/* Also while the supervisor is blocked. */
	while (word != SERVICE_WORD_STOP) {
		word = service_await(HTTP_TICK_MS);
		/* There is none if the stop came first. */
		if (poold->http)
			http_tick(poold->http);
		tls_step(poold->tls);
		if (is_working(poold))
			service_is_alive();
		if (reload_step(reload, &poold->tasks, word == SERVICE_WORD_RELOAD))
			return true;
	}
	service_wait_for_stop();
	log_info("poold is stopping; every drain stays in force");
	return false;
}

static int bring_up(struct poold *poold, bool is_service, struct err *err)
{
	task_queue_init(&poold->tasks, poold->configuration.server->named.name);
	snapshot_shelf_init(&poold->snapshots);
	if (!start(poold, is_service, err))
		return 0;
	put_down(poold);
	return -1;
}

/* A session source that did not answer, and was left behind, may still read it. */
static void free_configuration(struct configuration *configuration)
{
	if (!sampler_has_left_any())
		configuration_free(configuration);
}

/* Begins anew with the files as they are now; if that fails, with those before. */
static int use_next(struct poold *poold, struct reload *reload, bool is_service,
		    struct err *err)
{
	struct configuration before = poold->configuration;
	struct err problem = {0};

	put_down(poold);
	poold->configuration = reload->next;
	reload->next = (struct configuration){0};
	if (!bring_up(poold, is_service, &problem)) {
		free_configuration(&before);
		log_info("the change of %s is in use now", reload->what);
		return 0;
	}
	free_configuration(&poold->configuration);
	poold->configuration = before;
	if (bring_up(poold, is_service, err))
		return -1;
	reload_tell_failure(reload, &poold->tasks, problem.text);
	return 0;
}

static int serve(struct poold *poold, const char *path, bool is_service)
{
	struct reload reload;
	struct err err = {0};

	if (bring_up(poold, is_service, &err))
		return report(&err);
	service_is_ready();
	reload_init(&reload, path, &poold->configuration);
	while (serve_until_changed(poold, &reload))
		if (use_next(poold, &reload, is_service, &err))
			break;
	if (!err.code)
		put_down(poold);
	reload_done(&reload);
	return err.code ? report(&err) : 0;
}

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

static int run(const char *config_path, bool is_service)
{
	/* What a source that was left behind reads must not go. */
	static struct poold poold;
	const struct poold_config *config;
	struct err err = {0};
	char standard[HOST_PATH_BYTES];
	int status;

	host_state_path(standard);
	log_start();
	/* A service has no standard error, so it logs to the standard place until
	 * it knows better. */
	private_begin();
	if (is_service && !private_check_folder(standard, ERR_STATE_DIR, NULL))
		open_log(standard, NULL);
	status = load_configuration(&poold.configuration, config_path);
	config = poold.configuration.poold;
	if (!status && (is_service || config->log_file))
		open_log(config->state_dir, config->log_file);
	if (!status && start_open_state(config, &err))
		status = report(&err);
	if (!status)
		status = serve(&poold, config_path, is_service);
	free_configuration(&poold.configuration);
	log_stop(LOG_WAIT_MS);
	return status;
}

/* ---- commands ---- */

static int cmd_run(const struct options *options)
{
	return service_run_foreground(run, options->config);
}

static int cmd_service(const struct options *options)
{
	struct err err = {0};

	return service_run_dispatched(run, options->config, &err) ? report(&err)
								  : 0;
}

static int cmd_install(const struct options *options)
{
	struct configuration configuration = {0};
	struct err err = {0};
	int status = load_configuration(&configuration, options->config);

	if (!status && service_install(options->config, &err))
		status = report(&err);
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
	status = is_bare ? 0 : load_configuration(&configuration, options->config);
	if (!status &&
	    uninstall(is_bare ? &bare : configuration.poold, &service, &err) &&
	    !(options->package && err.code == ERR_UNKNOWN_SERVICE))
		status = report(&err);
	if (!status)
		puts("poold is uninstalled");
	configuration_free(&configuration);
	return status;
}

static int cmd_tls_init(const struct options *options)
{
	struct configuration configuration = {0};
	struct err err = {0};
	int status = load_files(&configuration, options->config, false);

	if (!status && tls_init(&configuration.poold->tls, options->config,
				configuration.pool, configuration.server, &err))
		status = report(&err);
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
	int status = load_configuration(&configuration, options->config);
	struct buf notes = {0};
	struct err err = {0};

	if (!status) {
		print_what_is_good(&configuration, options->config);
		if (start_check(&configuration, &notes, &err))
			status = report(&err);
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
	int status = load_configuration(&configuration, options->config);
	struct scm *scm = status ? NULL : start_open_scm(configuration.poold, &err);

	if (!status)
		status = scm ? print_preflight(&configuration, scm,
					       options->output == 1)
			     : report(&err);
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
		       ? report(&err)
		       : 0;
}

static int cmd_token_new(const struct options *o)
{
	struct err err = {0};

	return token_commands_new(o->config, o->name, o->role, o->expires_ms,
				  o->hash, &err)
		       ? report(&err)
		       : 0;
}

static int cmd_token_list(const struct options *options)
{
	struct err err = {0};

	return token_commands_list(options->config, options->output == 1, &err)
		       ? report(&err)
		       : 0;
}

static int cmd_token_revoke(const struct options *options)
{
	const char *name = options->given.words.items[2];
	struct err err = {0};

	return token_commands_revoke(options->config, name, &err) ? report(&err)
								  : 0;
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
