#include "serve.h"

#include "access/local_credential.h"
#include "configuration.h"
#include "http/http.h"
#include "http/routes.h"
#include "http/stream.h"
#include "mem.h"
#include "reload.h"
#include "service.h"
#include "sessions/sampler.h"
#include "start.h"
#include "store/store.h"
#include "supervisor.h"
#include "system/file.h"
#include "system/host.h"
#include "system/log.h"
#include "system/private.h"

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
		.knows = routes_know,
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
		return start_report(&err);
	service_is_ready();
	reload_init(&reload, path, &poold->configuration);
	while (serve_until_changed(poold, &reload))
		if (use_next(poold, &reload, is_service, &err))
			break;
	if (!err.code)
		put_down(poold);
	reload_done(&reload);
	return err.code ? start_report(&err) : 0;
}

int serve_run(const char *config_path, bool is_service)
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
	status = start_load(&poold.configuration, config_path, true);
	config = poold.configuration.poold;
	if (!status && (is_service || config->log_file))
		open_log(config->state_dir, config->log_file);
	if (!status && start_open_state(config, &err))
		status = start_report(&err);
	if (!status)
		status = serve(&poold, config_path, is_service);
	free_configuration(&poold.configuration);
	log_stop(LOG_WAIT_MS);
	return status;
}
