#include "uninstall.h"

#include "drains/drains.h"
#include "mem.h"
#include "store/store.h"
#include "system/file.h"

#include <stdlib.h>

static void add_word(struct buf *text, const char *word)
{
	buf_printf(text, "%s%s", text->length ? ", " : "", word);
}

static int add_service(void *names, const char *service, const struct saved *saved)
{
	(void)saved;
	add_word(names, service);
	return 0;
}

static int add_drain(void *ids, const struct drain_row *row, struct err *err)
{
	(void)err;
	add_word(ids, row->id);
	return 0;
}

/* Without poold nobody would put back the services that it took out, or take out
 * those that a drain covers. */
static int check_nothing_held(struct store *store, const char *server,
			      struct err *err)
{
	struct buf services = {0}, drains = {0};
	int ret = store_each_saved(store, add_service, &services, err) < 0 ||
				  store_each_drain(store, NULL, API_DRAINS_LIMIT,
						   add_drain, &drains, err)
			  ? -1
			  : 0;

	if (!ret && services.length)
		ret = err_set(
			err, ERR_HELD,
			"only poold can put back what is out (%s); end the drains "
			"first (poolctl resume %s --all)",
			services.text, server);
	else if (!ret && drains.length)
		ret = err_set(
			err, ERR_HELD,
			"drains are active (%s); end them first (poolctl resume "
			"%s --all)",
			drains.text, server);
	buf_done(&services);
	buf_done(&drains);
	return ret;
}

static int check_store(const struct poold_config *config, struct err *err)
{
	char *path = xasprintf("%s/poold.sqlite", config->state_dir);
	bool is_there = file_exists(path);
	struct store *store;
	int ret;

	free(path);
	if (!is_there)
		return 0;
	store = store_open_reader(config->state_dir, NULL, err);
	ret = store ? check_nothing_held(store, config->server, err) : -1;
	store_close(store);
	return ret;
}

int uninstall(const struct poold_config *config,
	      const struct uninstall_service *service, struct err *err)
{
	struct err failure = {0};

	if (check_store(config, err) || service->stop(err))
		return -1;
	/* A drain may have come until it had stopped. */
	if (check_store(config, err)) {
		if (service->start(&failure))
			(void)err_prefix(err,
					 "poold is stopped and must be started "
					 "again (sc.exe start poold)");
		return -1;
	}
	return service->uninstall(err);
}
