/*
 * poold: the daemon's command line, and how its parts are put together.
 */
#include "host.h"
#include "http.h"
#include "log.h"
#include "mem.h"
#include "pool_config.h"
#include "preflight.h"
#include "reconcile.h"
#include "routes.h"
#include "service.h"
#include "store.h"
#include "stream.h"
#include "supervisor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	STALE_LEAST_MS = 15000,
	LISTEN_AGAIN_MS = 1000,
	LOOK_AFTER_MS = 1000,
	EXIT_NOT_POSSIBLE = 4,
	/* How often a watcher hears that there is nothing new. */
	BEAT_TICKS = 15,
	BEAT_MOST_MS = 15000,
};

/* Everything that one run needs; zeroed at first, so that it can be put down at any
 * stage. */
struct poold {
	struct poold_config *config;
	struct pool_config *pools;
	const struct pool *pool;
	const struct pool_server *server;
	struct net_address address;
	uint16_t port;
	struct supervisor *supervisor;
	struct store *reader;
	struct routes routes;
	struct http *_Atomic http; /* the supervisor's thread looks at it */
};

static int report(const struct err *err)
{
	log_error("%s", err->text);
	return err_info(err->code)->exit_status;
}

/* ---- configuration ---- */

/* A command of a service that is not here would never be run, and nobody would know. */
static int check_commands(const struct poold *poold, const char *path, struct err *err)
{
	const struct list *services = pool_services(poold->pool, poold->server);

	LIST_EACH (struct poold_command, command, poold->config->commands) {
		bool is_here = false;

		LIST_EACH (struct pool_service, service, *services)
			is_here = is_here ||
				  (!strcasecmp(service->named.name, command->service) &&
				   service->role == ROLE_DRAIN);
		if (!is_here)
			return err_set(err, ERR_CONFIG,
				       "%s: a command is for the service '%s', which "
				       "server %s does not drain",
				       path, command->service, poold->server->named.name);
	}
	return 0;
}

static int choose_address(struct poold *poold, struct err *err)
{
	const char *url = strstr(poold->server->url, "://") + 3;
	const struct net_address *own = poold->server->addresses.items;

	if (poold->config->listen) {
		/* Checked when the file was read. */
		(void)net_address_split(poold->config->listen, &poold->address,
					&poold->port);
	} else if (net_address_split(url, &poold->address, &poold->port)) {
		poold->address = *own;
		poold->port = 8650;
	}
	if (net_address_is_loopback(&poold->address))
		return 0;
	return err_set(err, ERR_CONFIG,
		       "poold has no TLS and no credentials yet, so it listens on "
		       "loopback addresses only; set 'listen: 127.0.0.1:8650' in "
		       "poold.yaml");
}

static int configure(struct poold *poold, const char *path, struct buf *mistakes,
		     struct err *err)
{
	const char *nearest;

	poold->config = poold_config_load(path, mistakes, err);
	if (!poold->config)
		return -1;
	poold->pools = pool_config_load(poold->config->pool_file, mistakes, err);
	if (!poold->pools)
		return -1;
	poold->server =
		pool_find_server(poold->pools, poold->config->server, &poold->pool);
	if (poold->server)
		return check_commands(poold, path, err) || choose_address(poold, err) ? -1
										      : 0;
	nearest = pool_suggest(poold->pools, poold->config->server);
	return err_set(err, ERR_CONFIG, "%s: server '%s' is in no pool of %s%s%s%s", path,
		       poold->config->server, poold->config->pool_file,
		       nearest ? " (did you mean '" : "", nearest ? nearest : "",
		       nearest ? "'?)" : "");
}

/* Mistakes are lines of their own; any other error is one. */
static int load_configuration(struct poold *poold, const char *path)
{
	struct buf mistakes = {0};
	struct err err = {0};
	int ret = configure(poold, path, &mistakes, &err);

	for (char *line = mistakes.text, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		log_error("%.*s", (int)(end - line), line);
	}
	if (ret && !mistakes.length)
		log_error("%s", err.text);
	buf_done(&mistakes);
	return ret ? err_info(err.code)->exit_status : 0;
}

/* ---- running ---- */

static void on_published(void *arg)
{
	struct poold *poold = arg;
	struct snapshot *snapshot = supervisor_snapshot(poold->supervisor);
	struct http *http = poold->http;

	if (http)
		http_wake(http, (int64_t[NEWS__COUNT]){
					[NEWS_INDEX] = snapshot->index,
					[NEWS_EVENT] = snapshot->last_event,
				});
	supervisor_release(poold->supervisor, snapshot);
}

static struct scm *open_scm(const struct poold_config *config, struct err *err)
{
	if (config->scm == SCM_KIND_SIMULATED)
		return scm_simulated_new(config->simulated_file, err);
	return scm_windows_new(err);
}

static int open_state(const struct poold_config *config, struct err *err)
{
	char *lock = xasprintf("%s/poold.lock", config->state_dir);
	int ret = host_make_directory(config->state_dir, err);

	if (!ret)
		ret = host_lock_for_life(lock, err);
	free(lock);
	return ret;
}

static int listen_for_requests(struct poold *poold, struct err *err)
{
	struct http_setup setup = {
		.address = poold->address,
		.port = poold->port,
		.handle = routes_handle,
		.finished = routes_finished,
		.arg = &poold->routes,
	};

	poold->http = http_start(&setup, err);
	return poold->http ? 0 : -1;
}

static int read_events(void *arg, int64_t after, int limit,
		       void (*each)(void *arg, const struct event *event), void *each_arg,
		       struct err *err)
{
	return store_each_event(arg, after, limit, each, each_arg, err);
}

static int start(struct poold *poold, bool is_service, struct err *err)
{
	struct err listening = {0};
	const struct poold_config *config = poold->config;
	struct supervisor_setup setup = {
		.pool = poold->pool,
		.server = poold->server,
		.state_dir = config->state_dir,
		.version = VERSION,
		.tick_ms = config->tick_ms,
		.commands = &config->commands,
	};

	if (open_state(config, err))
		return -1;
	setup.scm = open_scm(config, err);
	if (!setup.scm)
		return -1;
	poold->supervisor = supervisor_new(&setup, err);
	if (!poold->supervisor)
		return -1;
	poold->reader = store_open_reader(config->state_dir, err);
	if (!poold->reader)
		return -1;
	poold->routes = (struct routes){
		.supervisor = poold->supervisor,
		.reader = poold->reader,
		.server = poold->server->named.name,
		.stale_ms = config->tick_ms * 3 > STALE_LEAST_MS ? config->tick_ms * 3
								 : STALE_LEAST_MS,
		.ring = ring_new(read_events, poold->reader),
		.beat_ms = config->tick_ms * BEAT_TICKS < BEAT_MOST_MS
				   ? config->tick_ms * BEAT_TICKS
				   : BEAT_MOST_MS,
	};
	/* As a service it holds what it holds, also while nobody can talk to it. */
	if (listen_for_requests(poold, &listening)) {
		if (!is_service || listening.code != ERR_LISTEN)
			return err_set_os(err, listening.code, 0, "%s", listening.text);
		log_warning("%s; it is tried again", listening.text);
	}
	return supervisor_start(poold->supervisor, on_published, poold, err);
}

/* The supervisor first: it answers who waits for it, then nobody waits, then HTTP can
 * end. */
static void put_down(struct poold *poold)
{
	if (poold->supervisor)
		supervisor_stop(poold->supervisor);
	if (poold->http)
		http_release(poold->http);
	http_stop(poold->http);
	ring_free(poold->routes.ring);
	supervisor_free(poold->supervisor);
	store_close(poold->reader);
	pool_config_free(poold->pools);
	poold_config_free(poold->config);
}

/* A service has no standard error, so it logs to the standard place until it knows
 * better. */
static int open_log(const char *state_dir, const char *file)
{
	char *path = file ? xstrdup(file) : xasprintf("%s/poold.log", state_dir);
	struct err err = {0};
	int status = 0;

	if ((!file && host_make_directory(state_dir, &err)) || log_to_file(path, &err))
		status = report(&err);
	free(path);
	return status;
}

/* Returns once poold listens, or is told to stop. */
static void await_requests(struct poold *poold)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	while (!poold->http && !service_is_stopped_within(LISTEN_AGAIN_MS))
		(void)listen_for_requests(poold, NULL);
	if (poold->http)
		log_info("poold %s serves %s on %s port %u", VERSION,
			 poold->server->named.name,
			 net_address_format(&poold->address, text),
			 http_port(poold->http));
}

static int run(const char *config_path, bool is_service)
{
	struct poold poold = {0};
	struct err err = {0};
	char standard[HOST_PATH_BYTES];
	int status;

	host_state_path(standard);
	if (is_service)
		(void)open_log(standard, NULL);
	status = load_configuration(&poold, config_path);
	if (!status && (is_service || poold.config->log_file))
		status = open_log(poold.config->state_dir, poold.config->log_file);
	if (!status && start(&poold, is_service, &err))
		status = report(&err);
	if (!status) {
		service_is_ready();
		await_requests(&poold);
		/* Whatever the supervisor waits for. */
		while (!service_is_stopped_within(LOOK_AFTER_MS))
			http_look_after(poold.http);
		service_wait_for_stop();
		log_info("poold stops; every drain stays in force");
	}
	put_down(&poold);
	return status;
}

/* ---- commands ---- */

static int cmd_run(const char *config_path)
{
	return service_run_foreground(run, config_path);
}

static int cmd_service(const char *config_path)
{
	struct err err = {0};

	return service_run_dispatched(run, config_path, &err) ? report(&err) : 0;
}

static int cmd_install(const char *config_path)
{
	struct poold poold = {0};
	struct err err = {0};
	int status = load_configuration(&poold, config_path);

	if (!status && service_install(config_path, &err))
		status = report(&err);
	if (!status)
		puts("poold is installed and starts at the next boot; start it now with: "
		     "sc start poold");
	put_down(&poold);
	return status;
}

/* Without poold nobody would put back what it took out. */
static int check_nothing_saved(const struct poold_config *config, struct err *err)
{
	char *path = xasprintf("%s/poold.sqlite", config->state_dir);
	bool is_there = host_file_exists(path);
	struct store *store = is_there ? store_open_reader(config->state_dir, err) : NULL;
	int saved = store ? store_count_saved(store, err) : is_there ? -1 : 0;

	store_close(store);
	free(path);
	if (saved > 0)
		(void)err_set(err, ERR_HELD,
			      "%d service(s) are out and only poold can put them back; "
			      "end the drains first (poolctl resume %s --all)",
			      saved, config->server);
	return saved ? -1 : 0;
}

static int cmd_uninstall(const char *config_path)
{
	struct poold poold = {0};
	struct err err = {0};
	int status = load_configuration(&poold, config_path);

	if (!status &&
	    (check_nothing_saved(poold.config, &err) || service_uninstall(&err)))
		status = report(&err);
	if (!status)
		puts("poold is uninstalled");
	put_down(&poold);
	return status;
}

static int cmd_check(const char *config_path)
{
	struct poold poold = {0};
	int status = load_configuration(&poold, config_path);

	if (!status)
		printf("%s: server %s of pool %s, %zu service(s)\n", config_path,
		       poold.server->named.name, poold.pool->named.name,
		       pool_services(poold.pool, poold.server)->count);
	put_down(&poold);
	return status;
}

static json_t *look_at_services(const struct poold *poold, struct scm *scm)
{
	json_t *services = json_array();

	LIST_EACH (struct pool_service, service,
		   *pool_services(poold->pool, poold->server)) {
		struct preflight_input input =
			preflight_plan(poold->pool, poold->server, service);

		if (service->role != ROLE_DRAIN)
			continue;
		preflight_look(scm, &input);
		(void)json_array_append_new(services, preflight_service_to_json(&input));
		preflight_done(&input);
	}
	return services;
}

/* Beside a poold that runs, or without one: what that one holds is not known here. */
static int print_preflight(const struct poold *poold, struct scm *scm)
{
	struct preflight_machine machine = {.server = poold->server->named.name};
	json_t *document;
	bool is_possible;

	preflight_look_at_machine(scm, &machine);
	document = preflight_to_json(&machine, look_at_services(poold, scm));
	is_possible = json_is_true(json_object_get(document, "possible"));
	(void)json_dumpf(document, stdout, JSON_INDENT(2));
	puts("");
	json_decref(document);
	return is_possible ? 0 : EXIT_NOT_POSSIBLE;
}

static int cmd_preflight(const char *config_path)
{
	struct poold poold = {0};
	struct err err = {0};
	int status = load_configuration(&poold, config_path);
	struct scm *scm = status ? NULL : open_scm(poold.config, &err);

	if (!status)
		status = scm ? print_preflight(&poold, scm) : report(&err);
	if (scm)
		scm->ops->free(scm);
	put_down(&poold);
	return status;
}

static int cmd_dump_states(const char *config_path)
{
	(void)config_path;
	reconcile_print(stdout);
	return 0;
}

static int cmd_version(const char *config_path)
{
	(void)config_path;
	puts("poold " VERSION);
	return 0;
}

static const struct command {
	const char *name;
	int (*run)(const char *config_path);
	const char *help;
} commands[] = {
	{"run", cmd_run, "run in the foreground"},
	{"check", cmd_check, "check the configuration and say what it means"},
	{"preflight", cmd_preflight,
	 "say whether a drain could work now, and what it would do"},
	{"install", cmd_install, "register as a Windows service that starts at boot"},
	{"uninstall", cmd_uninstall, "stop the Windows service and take it out"},
	{"service", cmd_service, "for the Windows SCM, which starts the service with it"},
	{"--dump-states", cmd_dump_states, "print the decision table (docs/states.md)"},
	{"--version", cmd_version, "print the version"},
};

static int usage(FILE *out, int status)
{
	fputs("usage: poold COMMAND [--config FILE]\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].help);
	fputs("\nFILE is poold.yaml; see docs/configuration.md.\n", out);
	return status;
}

int main(int argc, char **argv)
{
	char config_path[HOST_PATH_BYTES];

	host_init(&argc, &argv);
	json_set_alloc_funcs(xmalloc, free);
	host_config_path("poold.yaml", config_path);
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")))
		return usage(stdout, 0);
	if (argc == 4 && !strcmp(argv[2], "--config"))
		copy_text(config_path, sizeof(config_path), argv[3]);
	else if (argc != 2)
		return usage(stderr, 2);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(config_path);
	fprintf(stderr, "poold: no command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
