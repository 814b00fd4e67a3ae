#include "system/dial_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int dial_socket_open(int family, socket_handle *handle)
{
	*handle = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *handle < 0 ? -1 : 0;
}

void dial_socket_close(socket_handle handle)
{
	(void)close(handle);
}

bool dial_socket_await(socket_handle handle, bool to_write, int64_t timeout_ms)
{
	struct pollfd one = {.fd = handle, .events = to_write ? POLLOUT : POLLIN};

	return poll(&one, 1, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms) > 0;
}

long dial_socket_send(socket_handle handle, const char *data, size_t size)
{
	return send(handle, data, size, MSG_NOSIGNAL);
}

long dial_socket_receive(socket_handle handle, char *data, size_t size)
{
	return recv(handle, data, size, 0);
}

bool dial_socket_is_refused(void)
{
	return errno == ECONNREFUSED || errno == ECONNRESET;
}

bool dial_socket_is_waiting(void)
{
	return errno == EINPROGRESS || errno == EAGAIN || errno == EINTR;
}

void dial_socket_set_error(int number)
{
	errno = number;
}

const char *dial_socket_error(void)
{
	return strerror(errno);
}
