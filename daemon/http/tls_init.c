#include "http/tls_init.h"

#include "http/host_names.h"
#include "mem.h"
#include "system/file.h"
#include "system/private.h"
#include "tls/self_signed.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside poold.yaml. */
#define CERTIFICATE_NAME "server.pem"
#define KEY_NAME "server.key"

/* The names and the addresses by which clients reach this server. */
struct names {
	const char *items[SELF_SIGNED_NAMES];
	size_t count;
	char machine[HOST_NAME_BYTES];
	char addresses[SELF_SIGNED_NAMES][NET_ADDRESS_TEXT_BYTES];
	struct host_names known;
};

static void add(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!utf8_compare_names(names->items[i], name))
			return;
	if (*name && names->count < SELF_SIGNED_NAMES)
		names->items[names->count++] = name;
}

/* The pool's own name is not among them: others have it too. */
static void collect(const struct pool *pool, const struct pool_server *server,
		    struct names *names)
{
	size_t i = 0;

	host_name(names->machine);
	host_names_init(&names->known, pool, server, names->machine);
	add(names, server->named.name);
	add(names, names->known.of_url);
	add(names, names->machine);
	LIST_EACH (struct net_address, address, server->addresses)
		if (i < SELF_SIGNED_NAMES)
			add(names,
			    net_address_format(address, names->addresses[i++]));
}

static char *place(const char *given, const char *path, const char *name)
{
	char *folder, *text;

	if (given)
		return xstrdup(given);
	folder = private_folder_of(path);
	text = xasprintf("%s/%s", folder, name);
	free(folder);
	return text;
}

static int refuse_old(const char *file, struct err *err)
{
	if (!file_exists(file))
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s is there, and may be in use; to make a new one, move the "
		"certificate and its key away first.  Pins of the old key "
		"stop fitting then",
		file);
}

static void print(const struct poold_tls *files, const char *server,
		  const struct names *names, const char *certificate,
		  const char *key, const struct self_signed *made)
{
	printf("%s: the certificate, for", certificate);
	for (size_t i = 0; i < names->count; i++)
		printf("%s %s", i ? "," : "", names->items[i]);
	printf("\n%s: its key; it is a secret, and stays on this machine\n", key);
	if (!files->certificate)
		puts("\nfor poold.yaml:\n\ntls: {certificate: " CERTIFICATE_NAME
		     ", key: " KEY_NAME "}");
	printf("\nfor pool.yaml, below server %s, whose url must begin with https://:"
	       "\n\n    pin: %s\n",
	       server, made->pin);
}

int tls_init(const struct poold_tls *files, const char *path,
	     const struct pool *pool, const struct pool_server *server,
	     struct err *err)
{
	char *certificate = place(files->certificate, path, CERTIFICATE_NAME);
	char *key = place(files->key, path, KEY_NAME);
	struct self_signed made = {0};
	struct names names = {0};
	int ret = -1;

	collect(pool, server, &names);
	if (refuse_old(certificate, err) || refuse_old(key, err) ||
	    self_signed_make(names.items, names.count, clock_wall(), &made, err) ||
	    file_create_secret(key, made.key, err))
		goto out;
	if (file_create(certificate, made.certificate, err)) {
		(void)file_remove(key, NULL);
		goto out;
	}
	print(files, server->named.name, &names, certificate, key, &made);
	ret = 0;
out:
	self_signed_done(&made);
	free(certificate);
	free(key);
	return ret;
}
