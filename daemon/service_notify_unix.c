#include "service_notify.h"

#include "text/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_bytes; /* 0: nobody listens */
static bool is_watched;

/* The path of a socket; with '@' in front, a name without a file. */
static void read_address(const char *path)
{
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	address_bytes =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void service_notify_begin(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	const char *end = "";
	int64_t number = 0;

	read_address(getenv("NOTIFY_SOCKET"));
	if (pid && (text_read_number(pid, &number, &end) || *end))
		number = -1;
	is_watched = usec && (!pid || number == (int64_t)getpid());
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void service_notify(const char *state)
{
	int sender;

	if (!address_bytes)
		return;
	sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sender < 0)
		return;
	/* If it is lost, systemd's own time limits hold. */
	(void)sendto(sender, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		     (const struct sockaddr *)&address, address_bytes);
	(void)close(sender);
}

void service_notify_alive(void)
{
	if (is_watched)
		service_notify("WATCHDOG=1");
}
