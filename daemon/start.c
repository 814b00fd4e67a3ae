#include "start.h"

#include "mem.h"
#include "scm/scm_lock.h"
#include "start_rules.h"
#include "store/saved_text.h"
#include "system/dial_socket.h"
#include "system/file.h"
#include "system/host.h"
#include "system/log.h"
#include "system/private.h"
#include "tls/certificate.h"

#include <stdlib.h>
#include <string.h>

static char *state_lock(const struct poold_config *config)
{
	return xasprintf("%s/poold.lock", config->state_dir);
}

int start_open_state(const struct poold_config *config, struct err *err)
{
	char *lock = state_lock(config);
	int ret = file_make_directory(config->state_dir, err);

	if (!ret)
		ret = file_lock_for_life(lock, err);
	free(lock);
	return ret;
}

/* Those that are there from an earlier start. */
static int check_state(const char *state_dir, struct err *err)
{
	static const char *const names[] = {
		"poold.lock",       "poold.sqlite",  "poold.sqlite-wal",
		"poold.sqlite-shm", "poold.reserve", "poold.losses",
		"saved.txt",        "poold.log",     "poold.log.1",
		"tokens.json",      "tokens.lock",
	};
	int ret = private_check_folder(state_dir, ERR_STATE_DIR, err);

	for (size_t i = 0; !ret && i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", state_dir, names[i]);

		ret = private_check_own_file(path, ERR_STATE_DIR, err);
		free(path);
	}
	return ret;
}

static int check_profile(const struct configuration *c, struct err *err)
{
	char *path = pool_config_profile_file(c->pool, c->poold->pool_file);
	int ret = path ? private_check_file(path, ERR_CONFIG, err) : 0;

	free(path);
	return ret;
}

int start_check_certificate(const struct configuration *c, struct err *err)
{
	struct certificate *certificate;

	if (!c->poold->tls.certificate)
		return 0;
	certificate = certificate_load(&c->poold->tls, err);
	certificate_free(certificate);
	return certificate ? 0 : -1;
}

int start_check_private(const struct configuration *c, const char *path,
			struct err *err)
{
	const struct poold_config *poold = c->poold;

	if (private_check_file(path, ERR_CONFIG, err) ||
	    private_check_file(poold->pool_file, ERR_CONFIG, err) ||
	    check_profile(c, err))
		return -1;
	LIST_EACH (struct poold_command, command, poold->commands)
		if (private_check_file(*(char **)command->run.items, ERR_CONFIG,
				       err))
			return -1;
	if (poold->log_file &&
	    private_check_own_file(poold->log_file, ERR_STATE_DIR, err))
		return -1;
	return check_state(poold->state_dir, err);
}

/* Beside the services: another poold may have another state directory. */
static char *service_locks(const struct poold_config *config)
{
	char standard[HOST_PATH_BYTES];

	host_state_path(standard);
	return config->scm == SCM_KIND_SIMULATED
		       ? xstrdup(config->simulated_file)
		       : xasprintf("%s/service", standard);
}

/* ---- the state directory that each service had before ---- */

/* 1 if the store in that directory holds the service, 0 if not or if there is none.
 */
static int holds(const char *state_dir, const char *service)
{
	char *path = xasprintf("%s/poold.sqlite", state_dir);
	struct store *store = file_size(path) > 0
				      ? store_open_reader(state_dir, NULL, NULL)
				      : NULL;
	struct saved saved;
	int got = store ? store_get_saved(store, service, &saved, NULL) : 0;

	store_close(store);
	free(path);
	return got == 1;
}

/* A poold with another state directory would take what the one before paused for
 * the work of somebody else. */
static int check_home(const char *path, const char *service, const char *state_dir,
		      struct err *err)
{
	size_t length;
	char *home;
	int ret = 0;

	if (file_read(path, HOST_PATH_BYTES, ERR_STATE_DIR, &home, &length, NULL))
		return 0;
	if (strcmp(home, state_dir) != 0 && holds(home, service) &&
	    !holds(state_dir, service))
		ret = err_set(
			err, ERR_STATE_DIR,
			"poold took out %s with the state_dir %s, and it is %s "
			"now; set it back until the service's drains have ended, "
			"or move what is in it",
			service, home, state_dir);
	free(home);
	return ret;
}

/* It is only written if it was another one. */
static void note_home(const char *path, const char *state_dir)
{
	struct err err = {0};
	size_t length;
	char *home = NULL;

	if ((file_read(path, HOST_PATH_BYTES, ERR_STATE_DIR, &home, &length,
		       NULL) ||
	     strcmp(home, state_dir) != 0) &&
	    file_write(path, state_dir, &err))
		log_warning("which state_dir poold has is not noted: %s", err.text);
	free(home);
}

static int each_home(const struct configuration *c, bool is_noted, struct err *err)
{
	char *beside = service_locks(c->poold);
	const char *state_dir = c->poold->state_dir;
	int ret = 0;

	LIST_EACH (struct pool_service, service,
		   *pool_services(c->pool, c->server)) {
		const char *name = service->named.name;
		char *path = scm_lock_path(beside, name, ".state");

		if (ret || service->role != ROLE_DRAIN)
			;
		else if (is_noted)
			note_home(path, state_dir);
		else
			ret = check_home(path, name, state_dir, err);
		free(path);
	}
	free(beside);
	return ret;
}

int start_lock_services(const struct configuration *c, struct err *err)
{
	char *beside = service_locks(c->poold);
	char standard[HOST_PATH_BYTES];
	int ret;

	host_state_path(standard);
	if (c->poold->scm != SCM_KIND_SIMULATED)
		(void)file_make_directory(standard, NULL);
	ret = scm_lock(beside, pool_services(c->pool, c->server), err);
	free(beside);
	if (ret || each_home(c, false, err))
		return -1;
	(void)each_home(c, true, NULL);
	return 0;
}

struct scm *start_open_scm(const struct poold_config *config, struct err *err)
{
	if (config->scm == SCM_KIND_SIMULATED)
		return scm_simulated_new(config->simulated_file, err);
	return scm_windows_new(err);
}

/* ---- without a start ---- */

static int check_scm(const struct poold_config *config, struct err *err)
{
	struct scm *scm = start_open_scm(config, err);

	if (!scm)
		return -1;
	scm->ops->free(scm);
	return 0;
}

static int check_address(const struct configuration *c, struct err *err)
{
	socket_handle listener;

	if (host_listen(&c->address, c->port, &listener, err))
		return -1;
	dial_socket_close(listener);
	return 0;
}

static int check_locks(const struct configuration *c, struct err *err)
{
	char *beside = service_locks(c->poold);
	int ret = scm_lock_check(beside, pool_services(c->pool, c->server), err);

	free(beside);
	return ret;
}

/* Sets `*store`, for reading, to NULL if there is none yet. */
static int open_store(const struct poold_config *config, struct store **store,
		      struct err *err)
{
	char *path = xasprintf("%s/poold.sqlite", config->state_dir);
	bool is_there = file_exists(path) && file_size(path) != 0;

	free(path);
	*store = NULL;
	if (!is_there)
		return 0;
	*store = store_open_reader(config->state_dir, NULL, err);
	return *store ? store_check(*store, err) : -1;
}

static int check_rules(const struct configuration *c, struct err *err)
{
	struct store *store;
	int found = open_store(c->poold, &store, err), ret = found < 0 ? -1 : 0;
	char *saved = xasprintf("%s/saved.txt", c->poold->state_dir);

	if (!ret)
		ret = each_home(c, false, err);
	if (!ret)
		ret = saved_text_check_store(saved, found ? store : NULL, err);
	if (!ret)
		ret = start_rules_check_files(c->pool, c->server,
					      &c->poold->commands, err);
	if (!ret && found)
		ret = start_rules_check_store(c->pool, c->server, store, err);
	store_close(store);
	free(saved);
	return ret;
}

int start_check(const struct configuration *c, struct buf *notes, struct err *err)
{
	char *lock = state_lock(c->poold);
	bool is_running = file_is_locked(lock);

	if (is_running)
		buf_printf(notes, "poold is running: it has locked %s\n", lock);
	free(lock);
	/* A poold that is running has the locks and the address itself. */
	if ((!is_running && check_locks(c, err)) || check_scm(c->poold, err) ||
	    check_rules(c, err) || start_check_certificate(c, err))
		return -1;
	return is_running ? 0 : check_address(c, err);
}

int start_report(const struct err *err)
{
	log_error("%s", err->text);
	return err_info(err->code)->exit_status;
}

/* The mistakes in the files, or else the error; the exit status. */
static int report_load(int ret, struct buf *mistakes, const struct err *err)
{
	for (char *line = mistakes->text, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		log_error("%.*s", (int)(end - line), line);
	}
	if (ret && !mistakes->length)
		log_error("%s", err->text);
	buf_done(mistakes);
	return ret ? err_info(err->code)->exit_status : 0;
}

int start_load_state_dir(const char *path, char **state_dir)
{
	struct buf mistakes = {0};
	struct err err = {0};
	struct poold_config *config = poold_config_load(path, &mistakes, &err);

	*state_dir = config ? xstrdup(config->state_dir) : NULL;
	poold_config_free(config);
	return report_load(*state_dir ? 0 : -1, &mistakes, &err);
}

int start_load(struct configuration *configuration, const char *path,
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

	return report_load(ret, &mistakes, &err);
}
