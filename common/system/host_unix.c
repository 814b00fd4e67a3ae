#include "system/host.h"

#include "mem.h"
#include "utf8.h"
#include "system/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

void host_init(int *argc, char ***argv)
{
	int file;

	(void)argc;
	(void)argv;
	do
		file = open("/dev/null", O_RDWR);
	while (file >= 0 && file <= STDERR_FILENO);
	if (file >= 0)
		(void)close(file);
}

void host_done(void)
{
}

void host_name(char name[HOST_NAME_BYTES])
{
	if (gethostname(name, HOST_NAME_BYTES))
		utf8_copy(name, HOST_NAME_BYTES, "localhost");
	name[HOST_NAME_BYTES - 1] = '\0';
}

void host_user(char name[HOST_NAME_BYTES])
{
	struct passwd entry, *found = NULL;
	char space[4096];

	if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 &&
	    found)
		utf8_copy(name, HOST_NAME_BYTES, found->pw_name);
	else
		(void)snprintf(name, HOST_NAME_BYTES, "uid%u", (unsigned)geteuid());
}

int host_boot_id(char id[HOST_ID_BYTES], struct err *err)
{
	const char *path = "/proc/sys/kernel/random/boot_id";
	size_t length;
	char *text;

	if (file_read(path, HOST_ID_BYTES - 1, ERR_INTERNAL, &text, &length, err))
		return -1;
	text[strcspn(text, "\n")] = '\0';
	utf8_copy(id, HOST_ID_BYTES, text);
	free(text);
	return 0;
}

int host_reboot_pending(const char **what, struct err *err)
{
	static const char flag[] = "/run/reboot-required";

	(void)err;
	*what = file_exists(flag) ? flag : NULL;
	return 0;
}

int host_random(void *bytes, size_t length, struct err *err)
{
	if (getrandom(bytes, length, 0) != (ssize_t)length)
		return err_set_os(err, ERR_INTERNAL, (unsigned long)errno,
				  "the operating system gave no random bytes");
	return 0;
}

const char *host_env(const char *name)
{
	return getenv(name);
}

void host_config_path(const char *file, char path[HOST_PATH_BYTES])
{
	(void)snprintf(path, HOST_PATH_BYTES, "/etc/poolctl/%s", file);
}

void host_state_path(char path[HOST_PATH_BYTES])
{
	utf8_copy(path, HOST_PATH_BYTES, "/var/lib/poold");
}

int host_local_folders(char folders[HOST_LOCAL_FOLDERS][HOST_PATH_BYTES])
{
	const char *said = getenv("POOLCTL_LOCAL_DIR");
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (said && *said) {
		utf8_copy(folders[0], HOST_PATH_BYTES, said);
		return 1;
	}
	utf8_copy(folders[0], HOST_PATH_BYTES, "/var/lib/poold/local");
	if (run && *run == '/')
		(void)snprintf(folders[1], HOST_PATH_BYTES, "%.1000s/poold", run);
	else
		(void)snprintf(folders[1], HOST_PATH_BYTES, "/tmp/poold-%u",
			       (unsigned)geteuid());
	return 2;
}

unsigned host_allow_files(unsigned count)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count)
		return count;
	raised = limit;
	raised.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
	if (!setrlimit(RLIMIT_NOFILE, &raised))
		limit = raised;
	return (unsigned)limit.rlim_cur;
}

int host_listen(const struct net_address *address, uint16_t port,
		socket_handle *listener, struct err *err)
{
	enum { BACKLOG = 256 };
	struct sockaddr_storage to;
	int size = net_address_to_socket(address, port, &to), on = 1;
	char text[NET_ADDRESS_TEXT_BYTES];
	int number;

	*listener = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Without this, a restart waits until the kernel has forgotten old
	 * connections.
	 */
	if (*listener >= 0)
		(void)setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &on,
				 sizeof(on));
	if (*listener >= 0 &&
	    !bind(*listener, (struct sockaddr *)&to, (socklen_t)size) &&
	    !listen(*listener, BACKLOG))
		return 0;
	number = errno;
	if (*listener >= 0)
		(void)close(*listener);
	return err_set_os(err, ERR_LISTEN, (unsigned long)number,
			  "cannot listen on %s port %u: %s",
			  net_address_format(address, text), port,
			  strerror(number));
}

void host_cut(socket_handle connection)
{
	/* Fails if the peer closed first, which does the same. */
	(void)shutdown(connection, SHUT_RDWR);
}

bool host_is_left(socket_handle connection)
{
	struct pollfd look = {.fd = connection, .events = POLLRDHUP};

	return poll(&look, 1, 0) > 0;
}

void host_close_listener(socket_handle listener)
{
	int listens = 0;
	socklen_t size = sizeof(listens);

	if (!getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) &&
	    listens)
		(void)close(listener);
}
