/*
 * Loads one configuration file and prints the result, or its mistakes; or only
 * measures.
 *
 * usage: load_config pool|poold FILE         exit status 0, or 2 after mistakes
 *        load_config ours|bare FILE TIMES    loads a pool.yaml so often, and prints
 * how many bytes it holds; bare: libyaml alone
 */
#include "net_address.h"
#include "pool_config.h"
#include "poold_config.h"
#include "system/file.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

static void print_addresses(const char *what, struct list addresses)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	if (addresses.count)
		printf(" %s", what);
	LIST_EACH (struct net_address, address, addresses)
		printf(" %s", net_address_format(address, text));
}

static void print_texts(const char *what, struct list texts)
{
	const char *between = "";

	if (texts.count)
		printf(" %s '", what);
	LIST_EACH (char *, text, texts) {
		printf("%s%s", between, *text);
		between = "', '";
	}
	if (texts.count)
		putchar('\'');
}

static void print_text_if(const char *what, const char *text)
{
	if (text)
		printf(" %s '%s'", what, text);
}

static void print_number_if(const char *what, int64_t number)
{
	if (number >= 0)
		printf(" %s %" PRId64, what, number);
}

static void print_times(int64_t every_ms, int64_t timeout_ms)
{
	printf(" every %" PRId64 "ms timeout %" PRId64 "ms", every_ms, timeout_ms);
}

static void print_service(const struct pool_service *service)
{
	printf(" service %s", service->named.name);
	print_text_if("display", service->display_name);
	if (service->role == ROLE_LEAVE)
		printf(" leave");
	if (service->is_optional)
		printf(" optional");
	if (service->method == METHOD_LOGON_MODE)
		printf(" logon_mode");
	print_number_if("settle", service->settle_ms);
	if (service->ports.count)
		printf(" ports");
	LIST_EACH (uint16_t, port, service->ports)
		printf(" %u", *port);
	if (service->behind_balancer.count)
		printf(" behind_balancer");
	LIST_EACH (uint16_t, port, service->behind_balancer)
		printf(" %u", *port);
	print_addresses("addresses", service->addresses);
	print_addresses("exclude", service->excluded);
	print_texts("components", service->components);
	print_texts("dns_features", service->dns_features);
	LIST_EACH (struct pool_counter, counter, service->counters)
		printf(" counter%s%s '%s'", counter->is_unverified ? "?" : "",
		       counter->ignores_unknown ? "!" : "", counter->path);
	print_texts("rds", service->rds.states);
	if (service->rds.ignores_unknown)
		printf(" !");
	LIST_EACH (struct pool_http, http, service->http) {
		printf(" http%s '%s'", http->ignores_unknown ? "!" : "", http->url);
		print_text_if("at", http->pointer);
		print_times(http->every_ms, http->timeout_ms);
		print_text_if("ca_file", http->ca_file);
		print_number_if("while_stopped", http->while_stopped);
	}
	if (service->combine == COMBINE_SUM)
		printf(" sum");
	print_number_if("probe", service->probe.port);
	if (service->probe.port >= 0) {
		print_text_if("send", service->probe.send);
		print_text_if("taken", service->probe.taken);
		print_times(service->probe.every_ms, service->probe.timeout_ms);
	}
	if (service->after_resume == AFTER_RESUME_NONE)
		printf(" not tried after resume");
	print_texts("unverified", service->unverified);
	putchar('\n');
}

static void print_pool_keys(const struct pool *pool)
{
	static const char *const floors[] = {"", "%", "table"};
	const struct floor *floor = &pool->availability.floor;

	printf("pool %s settle %" PRId64 "ms", pool->named.name, pool->settle_ms);
	print_text_if("fqdn", pool->fqdn);
	print_text_if("profile", pool->profile);
	print_text_if("title", pool->title);
	print_number_if("deadline", pool->deadline_ms);
	print_number_if("on_deadline", pool->on_deadline);
	if (pool->startup_while_drained != START_MANUAL)
		print_number_if("startup", pool->startup_while_drained);
	print_number_if("capacity", pool->capacity);
	if (!pool->counts_own)
		printf(" own not counted");
	if (floor->kind || floor->value != 1)
		printf(" floor %d%s", floor->value, floors[floor->kind]);
	if (pool->availability.max_out != 1)
		print_number_if("max_out", pool->availability.max_out);
	if (pool->dns.expect)
		print_number_if("dns", pool->dns.expect);
	print_addresses("resolvers", pool->dns.resolvers);
	if (pool->dns.port != 53)
		printf(" port %lld", (long long)pool->dns.port);
	print_number_if("between_domains", pool->pacing.between_domains_ms);
	print_number_if("retry_busy", pool->pacing.retry_busy_ms);
	print_number_if("busy_limit", pool->pacing.busy_limit);
	putchar('\n');
	LIST_EACH (struct pool_floor_row, row, pool->floors) {
		printf("  floor for %" PRId64 " is %" PRId64, row->servers,
		       row->functional);
		print_number_if("of", row->of_first);
		print_number_if("first", row->first_start);
		puts(row->is_unverified ? " unverified" : "");
	}
}

static void print_server(const struct pool *pool, const struct pool_server *server)
{
	printf("  server %s", server->named.name);
	print_addresses("address", server->addresses);
	printf(" url %s", server->url);
	print_text_if("upgrade_domain", server->upgrade_domain);
	print_number_if("rank", server->rank);
	print_number_if("settle", server->settle_ms);
	print_number_if("deadline", server->deadline_ms);
	print_number_if("on_deadline", server->on_deadline);
	print_number_if("startup", server->startup_while_drained);
	print_number_if("capacity", pool_capacity(pool, server));
	print_texts("pin", pool_trust(pool, server)->pins);
	print_text_if("ca_file", pool_trust(pool, server)->ca_file);
	putchar('\n');
	LIST_EACH (struct pool_service, service, server->services) {
		printf("   ");
		print_service(service);
	}
}

static void print_pool(const struct pool *pool)
{
	print_pool_keys(pool);
	LIST_EACH (struct pool_service, service, pool->services) {
		putchar(' ');
		print_service(service);
	}
	LIST_EACH (struct pool_server, server, pool->servers)
		print_server(pool, server);
}

static int load_pool(const char *file, struct buf *mistakes, struct err *err)
{
	struct pool_config *config =
		pool_config_load(file, pool_config_remedy, mistakes, err);

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

static void print_tls(const struct poold_tls *tls)
{
	printf("tls %s %s\n", tls->certificate, tls->key);
	LIST_EACH (struct poold_client, client, tls->clients)
		printf("client %s of %s as %s: role %d\n",
		       client->subject ? client->subject : client->san,
		       tls->client_ca, client->name, client->role);
}

static int load_poold(const char *file, struct buf *mistakes, struct err *err)
{
	struct poold_config *config = poold_config_load(file, mistakes, err);

	if (!config)
		return -1;
	print_text("server", config->server);
	print_text("listen", config->listen);
	if (config->tls.certificate)
		print_tls(&config->tls);
	print_text("state_dir", config->state_dir);
	print_text("pool_file", config->pool_file);
	print_text("log_file", config->log_file);
	print_text("scm",
		   config->scm == SCM_KIND_SIMULATED ? "simulated" : "windows");
	print_text("simulated_file", config->simulated_file);
	printf("tick %" PRId64 "ms\n", config->tick_ms);
	LIST_EACH (struct poold_command, command, config->commands) {
		printf("command%s for %s", command->ignores_unknown ? "!" : "",
		       command->service);
		print_texts("run", command->run);
		print_text_if("at", command->pointer);
		print_times(command->every_ms, command->timeout_ms);
		if (command->while_stopped)
			print_number_if("while_stopped", command->while_stopped);
		putchar('\n');
	}
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

/* Messages name the file as it was given, so go where it is and give its name
 * alone. */
static const char *go_to_folder(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return path;
	*slash = '\0';
	return chdir(path) ? NULL : slash + 1;
}

/* ---- measuring ---- */

static int measure_ours(const char *file)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct buf mistakes = {0};
	struct err err = {0};
	struct pool_config *config =
		pool_config_load(file, pool_config_remedy, &mistakes, &err);

	if (!config) {
		fputs(mistakes.text, stderr);
		return -1;
	}
	printf("%zu\n", mallinfo2().uordblks + mallinfo2().hblkhd - before);
	pool_config_free(config);
	buf_done(&mistakes);
	return 0;
}

static int measure_bare(const char *file)
{
	struct err err = {0};
	yaml_parser_t parser;
	yaml_event_t event;
	size_t length;
	char *text;
	int is_over = 0;

	if (file_read(file, 1 << 20, ERR_CONFIG, &text, &length, &err) ||
	    !yaml_parser_initialize(&parser))
		return -1;
	yaml_parser_set_input_string(&parser, (unsigned char *)text, length);
	while (!is_over && yaml_parser_parse(&parser, &event)) {
		is_over = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	free(text);
	return is_over ? 0 : -1;
}

static int measure(const char *what, const char *file, const char *times)
{
	int ret = 0;

	for (long i = strtol(times, NULL, 10); i > 0 && !ret; i--)
		ret = strcmp(what, "ours") ? measure_bare(file)
					   : measure_ours(file);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *file = argc == 3 ? go_to_folder(argv[2]) : NULL;
	struct buf mistakes = {0};
	struct err err = {0};
	int status = 0;

	if (argc == 4)
		return measure(argv[1], argv[2], argv[3]);
	if (!file) {
		fputs("usage: load_config pool|poold FILE\n"
		      "       load_config ours|bare FILE TIMES\n",
		      stderr);
		return 1;
	}
	if (strcmp(argv[1], "poold") ? load_pool(file, &mistakes, &err)
				     : load_poold(file, &mistakes, &err))
		status = print_mistakes(&mistakes, &err);
	buf_done(&mistakes);
	return status;
}
