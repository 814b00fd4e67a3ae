#include "access/credential.h"

#include "api.h"
#include "mem.h"
#include "system/file.h"
#include "system/host.h"
#include "system/private.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT_BYTES = 4096 };

/* ---- the url ---- */

/* The place that a url leads to. */
struct url_place {
	bool is_https;
	bool is_literal;            /* an IP address, or "localhost" */
	struct net_address address; /* then */
	uint16_t port;
};

static void read_place(const char *url, struct url_place *place)
{
	const char *host = strstr(url, "://") + strlen("://"), *at;
	size_t length = strcspn(host, "/?#");
	char *authority;
	char *text;

	*place = (struct url_place){.is_https = !strncmp(url, "https://", 8)};
	while ((at = memchr(host, '@', length))) {
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	authority = xasprintf("%.*s", (int)length, host);
	/* client.c connects to nothing else. */
	text = pool_is_localhost(url)
		       ? xasprintf("127.0.0.1%s", authority + strlen("localhost"))
		       : xstrdup(authority);
	place->is_literal = !net_address_split(text, &place->address, &place->port);
	if (!place->is_literal) {
		free(authority);
		authority = xasprintf("%s:%d", text, place->is_https ? 443 : 80);
		place->is_literal = !net_address_split(authority, &place->address,
						       &place->port);
	}
	free(authority);
	free(text);
}

static bool is_safe(const struct url_place *place)
{
	return place->is_https ||
	       (place->is_literal && net_address_is_loopback(&place->address));
}

/* ---- where tokens are ---- */

/* A token goes into a header: nothing that ends one, and nothing that nobody sees.
 */
static int take(const char *from, size_t length, const char *what,
		char text[CREDENTIAL_BYTES], struct err *err)
{
	while (length && strchr(" \t\r\n", from[length - 1]))
		length--;
	if (length >= 3 && !memcmp(from, "\xEF\xBB\xBF", 3)) {
		from += 3;
		length -= 3;
	}
	if (!length || length >= CREDENTIAL_BYTES)
		return err_set(err, ERR_NOT_AUTHORISED, "%s has no token", what);
	for (size_t i = 0; i < length; i++)
		if (from[i] <= ' ' || from[i] > '~')
			return err_set(
				err, ERR_NOT_AUTHORISED,
				"%s has more than a token: it must be one word "
				"of ASCII",
				what);
	memcpy(text, from, length);
	text[length] = '\0';
	return 0;
}

/* `named` is what names the file. */
static int read_file(const char *path, const char *named,
		     char text[CREDENTIAL_BYTES], struct err *err)
{
	char *bytes = NULL;
	size_t length;
	int ret;

	if (private_check_secret(path, ERR_NOT_AUTHORISED, err) ||
	    file_read_regular(path, FILE_LIMIT_BYTES, ERR_NOT_AUTHORISED, &bytes,
			      &length, err))
		return err_prefix(err, "%s", named);
	ret = take(bytes, length, path, text, err);
	free(bytes);
	return ret;
}

/* One of another poold, or of somebody who is not trusted, is as good as none. */
static void find_local(const struct url_place *place, char text[CREDENTIAL_BYTES],
		       const char **source)
{
	char folders[HOST_LOCAL_FOLDERS][HOST_PATH_BYTES];
	char name[NET_ADDRESS_FILE_BYTES];
	int count = host_local_folders(folders);

	if (!place->is_literal || !is_safe(place))
		return;
	net_address_file_name(&place->address, place->port, name);
	for (int i = 0; i < count && !*text; i++) {
		char *path = xasprintf("%s/%s", folders[i], name), *bytes = NULL;
		char *state = private_folder_of(folders[i]);
		size_t length;

		private_begin_as_owner(state);
		if (!private_check_own_file(path, ERR_NOT_AUTHORISED, NULL) &&
		    !file_read_regular(path, FILE_LIMIT_BYTES, ERR_NOT_AUTHORISED,
				       &bytes, &length, NULL))
			(void)take(bytes, length, path, text, NULL);
		private_end_as_owner();
		if (strncmp(text, API_LOCAL_PREFIX, strlen(API_LOCAL_PREFIX)) != 0)
			*text = '\0';
		else
			*source = "poold on this machine";
		free(bytes);
		free(path);
		free(state);
	}
}

/* The file that pool.yaml names: on a server it need not be there, as whoever has
 * logged on as an administrator needs no token. */
static int find_in_config(const char *path, const struct url_place *place,
			  char text[CREDENTIAL_BYTES], const char **source,
			  struct err *err)
{
	if (!file_exists(path))
		find_local(place, text, source);
	return *text ? 0 : read_file(path, *source, text, err);
}

static int find_token(const struct pool_server *server,
		      const struct url_place *place, char text[CREDENTIAL_BYTES],
		      const char **source, struct err *err)
{
	const char *file = pool_token_file(server);
	const char *token = host_env("POOLCTL_TOKEN");
	const char *other = host_env("POOLCTL_TOKEN_FILE");

	if (file) {
		*source = "token_file in pool.yaml";
		return find_in_config(file, place, text, source, err);
	}
	if (token && *token) {
		*source = "POOLCTL_TOKEN";
		return take(token, strlen(token), *source, text, err);
	}
	if (other && *other) {
		*source = "POOLCTL_TOKEN_FILE";
		return read_file(other, *source, text, err);
	}
	find_local(place, text, source);
	return 0;
}

int credential_find(const struct pool_server *server, char text[CREDENTIAL_BYTES],
		    const char **source, struct err *err)
{
	const char *found = "";
	struct url_place place;
	int ret;

	*text = '\0';
	read_place(server->url, &place);
	ret = find_token(server, &place, text, &found, err);
	if (source)
		*source = found;
	if (ret) {
		*text = '\0';
		return -1;
	}
	if (!*text || is_safe(&place))
		return 0;
	*text = '\0';
	return err_set(
		err, ERR_NOT_AUTHORISED,
		"its url begins with http://, so the token would cross the "
		"network for everybody to read, and was not sent; use https://, "
		"or a tunnel and the url of its end at 127.0.0.1");
}

bool credential_needs_fresh(const struct pool_server *server,
			    const char *credential)
{
	return !strncmp(credential, API_LOCAL_PREFIX, strlen(API_LOCAL_PREFIX)) &&
	       !strncmp(server->url, "http://", 7);
}
