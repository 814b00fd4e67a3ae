/*
 * Loads one configuration file and prints what was understood, or its mistakes.
 *
 * usage: load_config pool|poold FILE.  Exit status 0 or 2.
 */
#include "net_address.h"
#include "pool_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_addresses(const char *what, struct list addresses)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	if (addresses.count)
		printf(" %s", what);
	LIST_EACH (struct net_address, address, addresses)
		printf(" %s", net_address_format(address, text));
}

static void print_pool(const struct pool *pool)
{
	printf("pool %s settle %" PRId64 "ms\n", pool->named.name, pool->settle_ms);
	LIST_EACH (struct pool_service, service, pool->services) {
		printf("  service %s ports", service->named.name);
		LIST_EACH (uint16_t, port, service->ports)
			printf(" %u", *port);
		print_addresses("addresses", service->addresses);
		print_addresses("exclude", service->excluded);
		putchar('\n');
	}
	LIST_EACH (struct pool_server, server, pool->servers) {
		printf("  server %s", server->named.name);
		print_addresses("address", server->addresses);
		printf(" url %s\n", server->url);
	}
}

static int load_pool(const char *file, struct buf *mistakes, struct err *err)
{
	struct pool_config *config = pool_config_load(file, mistakes, err);

	if (!config)
		return -1;
	LIST_EACH (struct pool, pool, config->pools)
		print_pool(pool);
	pool_config_free(config);
	return 0;
}

static void print_text(const char *key, const char *text)
{
	printf("%s %s\n", key, text ? text : "-");
}

static int load_poold(const char *file, struct buf *mistakes, struct err *err)
{
	struct poold_config *config = poold_config_load(file, mistakes, err);

	if (!config)
		return -1;
	print_text("server", config->server);
	print_text("listen", config->listen);
	print_text("state_dir", config->state_dir);
	print_text("pool_file", config->pool_file);
	print_text("log_file", config->log_file);
	print_text("scm", config->scm == SCM_KIND_SIMULATED ? "simulated" : "windows");
	print_text("simulated_file", config->simulated_file);
	printf("tick %" PRId64 "ms\n", config->tick_ms);
	poold_config_free(config);
	return 0;
}

/* The first mistake is the error's text too. */
static int print_mistakes(const struct buf *mistakes, const struct err *err)
{
	size_t length = strlen(err->text);

	fputs(mistakes->text, stdout);
	if (err->code != ERR_CONFIG || strncmp(mistakes->text, err->text, length))
		printf("the error differs from the mistakes: %s\n", err->text);
	return 2;
}

/* Messages name the file as it was given, so go where it is and give its name alone. */
static const char *go_to_folder(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return path;
	*slash = '\0';
	return chdir(path) ? NULL : slash + 1;
}

int main(int argc, char **argv)
{
	const char *file = argc == 3 ? go_to_folder(argv[2]) : NULL;
	struct buf mistakes = {0};
	struct err err = {0};
	int status = 0;

	if (!file) {
		fputs("usage: load_config pool|poold FILE\n", stderr);
		return 1;
	}
	if (strcmp(argv[1], "poold") ? load_pool(file, &mistakes, &err)
				     : load_poold(file, &mistakes, &err))
		status = print_mistakes(&mistakes, &err);
	buf_done(&mistakes);
	return status;
}
