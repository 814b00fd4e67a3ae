/*
 * The HTTP server of poold with the TLS of a poold.yaml, which says to each client
 * who it is: {"name": ..., "role": ...}, or null.  It prints its port, and ends
 * with its standard input.
 *
 * usage: serve_tls POOLD.YAML
 */
#include "http/http.h"
#include "mem.h"
#include "system/log.h"

#include <stdio.h>
#include <string.h>

static bool handle(void *arg, struct request *request, struct reply *reply)
{
	const struct poold_client *client = request_client(request);

	(void)arg;
	reply->status = 200;
	reply->body = client ? xasprintf("{\"name\":\"%s\",\"role\":%d}\n",
					 client->name, client->role)
			     : xstrdup("null\n");
	reply->length = strlen(reply->body);
	return true;
}

static void finished(void *arg, void *slot)
{
	(void)arg;
	(void)slot;
}

/* The files are looked at once a second, as poold does. */
static void serve(struct tls *tls)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin))
		tls_step(tls);
}

static int run(const struct poold_config *config, struct err *err)
{
	struct tls *tls = tls_new(&config->tls);
	struct http_setup setup = {
		.tls = tls, .handle = handle, .finished = finished};
	struct http *http;

	(void)net_address_parse("127.0.0.1", &setup.address);
	if ((tls && tls_load(tls, err)) || !(http = http_start(&setup, err))) {
		tls_free(tls);
		return -1;
	}
	printf("%u\n", http_port(http));
	(void)fflush(stdout);
	serve(tls);
	http_release(http);
	http_stop(http);
	tls_free(tls);
	return 0;
}

int main(int argc, char **argv)
{
	struct buf mistakes = {0};
	struct err err = {0};
	struct poold_config *config;

	log_plain("serve_tls");
	config = argc == 2 ? poold_config_load(argv[1], &mistakes, &err) : NULL;
	if (config)
		(void)run(config, &err);
	if (!config || err.code)
		(void)fprintf(stderr, "%s\n", err.text);
	poold_config_free(config);
	buf_done(&mistakes);
	return !config || err.code;
}
