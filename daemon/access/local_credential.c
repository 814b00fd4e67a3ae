#include "access/local_credential.h"

#include "mem.h"
#include "system/file.h"
#include "system/host.h"
#include "system/log.h"
#include "system/private.h"

#include <stdlib.h>
#include <string.h>

/* Who listens on all addresses is asked at the loopback address. */
static struct net_address asked_at(const struct net_address *address)
{
	static const uint8_t any_ipv6[16], any_ipv4[4];
	struct net_address v6 = net_address_from_ipv6(any_ipv6);
	struct net_address v4 = net_address_from_ipv4(any_ipv4);
	struct net_address own = *address;

	if (net_address_equal(address, &v6))
		(void)net_address_parse("::1", &own);
	if (net_address_equal(address, &v4))
		(void)net_address_parse("127.0.0.1", &own);
	return own;
}

static int write_in(const char *folder, const char *path, const char *credential,
		    struct err *err)
{
	char *text = xasprintf("%s\n", credential);
	int ret =
		file_make_directory(folder, err) ||
				private_check_folder(folder, ERR_STATE_DIR, err) ||
				file_write(path, text, err)
			? -1
			: 0;

	free(text);
	return ret;
}

/* In the first folder that works. */
static void prepare(struct local_credential *local, uint16_t port)
{
	char folders[HOST_LOCAL_FOLDERS][HOST_PATH_BYTES];
	char name[NET_ADDRESS_FILE_BYTES], *next;
	int count = host_local_folders(folders);

	net_address_file_name(&local->address, port, name);
	for (int i = 0; i < count && !local->next; i++) {
		local->problem = (struct err){0};
		next = xasprintf("%s/%s.next", folders[i], name);
		if (write_in(folders[i], next, local->text, &local->problem)) {
			free(next);
			continue;
		}
		local->next = next;
		local->path = xasprintf("%s/%s", folders[i], name);
	}
}

int local_credential_make(struct local_credential *local,
			  const struct net_address *address, uint16_t port,
			  struct err *err)
{
	local->address = asked_at(address);
	if (token_make(API_LOCAL_PREFIX, local->text, err))
		return -1;
	if (port)
		prepare(local, port);
	return 0;
}

void local_credential_leave(struct local_credential *local, uint16_t port)
{
	if (!local->next)
		prepare(local, port);
	if (!local->next || file_replace(local->next, local->path, &local->problem))
		log_warning("administrators of this machine need a token, as poold "
			    "cannot leave its own credential for them: %s",
			    local->problem.text);
}

void local_credential_remove(struct local_credential *local)
{
	/* Another start writes it anew, and what it has is worth nothing by then.
	 * One that poold has not left yet has its other name. */
	if (local->next && file_remove(local->next, NULL))
		(void)file_remove(local->path, NULL);
	free(local->next);
	free(local->path);
	local->next = local->path = NULL;
}
