#include "configuration.h"

#include <string.h>

int configuration_choose_address(struct configuration *c, struct err *err)
{
	const char *url = strstr(c->server->url, "://") + 3;
	const struct net_address *own = c->server->addresses.items;
	char text[NET_ADDRESS_TEXT_BYTES];

	if (c->poold->listen) {
		/* Checked when the file was read. */
		(void)net_address_split(c->poold->listen, &c->address, &c->port);
	} else if (net_address_split(url, &c->address, &c->port)) {
		c->address = *own;
		c->port = 8650;
	}
	if (net_address_is_loopback(&c->address) || c->poold->tls.certificate)
		return 0;
	return err_set(
		err, ERR_CONFIG,
		"without TLS, poold listens on loopback addresses only, and "
		"%s is none; set 'tls' in poold.yaml (`poold tls init` makes "
		"the files), or 'listen: 127.0.0.1:8650'",
		net_address_format(&c->address, text));
}

int configuration_load_files(struct configuration *c, const char *path,
			     struct buf *mistakes, struct err *err)
{
	/* First, so that a change while they are read counts as one. */
	file_stamp(path, c->stamps.poold);
	c->poold = poold_config_load(path, mistakes, err);
	if (!c->poold)
		return -1;
	file_stamp(c->poold->pool_file, c->stamps.pool);
	c->pools = pool_config_load(c->poold->pool_file, pool_file_remedy, mistakes,
				    err);
	if (!c->pools)
		return -1;
	return poold_config_find_server(c->poold, path, c->pools, &c->server,
					&c->pool, err);
}

int configuration_load(struct configuration *c, const char *path,
		       struct buf *mistakes, struct err *err)
{
	return configuration_load_files(c, path, mistakes, err) ||
			       configuration_choose_address(c, err)
		       ? -1
		       : 0;
}

void configuration_free(struct configuration *c)
{
	pool_config_free(c->pools);
	poold_config_free(c->poold);
	*c = (struct configuration){0};
}
