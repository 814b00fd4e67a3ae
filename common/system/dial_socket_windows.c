#include "system/dial_socket.h"

#include <limits.h>
#include <stdio.h>

int dial_socket_open(int family, socket_handle *handle)
{
	u_long on = 1;

	*handle = WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
			     WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
	if (*handle == INVALID_SOCKET)
		return -1;
	return ioctlsocket(*handle, FIONBIO, &on) ? -1 : 0;
}

void dial_socket_close(socket_handle handle)
{
	(void)closesocket(handle);
}

/* select() and not WSAPoll(), which did not report refused connections before 2020.
 */
bool dial_socket_await(socket_handle handle, bool to_write, int64_t timeout_ms)
{
	struct timeval limit = {(long)(timeout_ms / 1000),
				(long)(timeout_ms % 1000 * 1000)};
	fd_set ready, broken;

	FD_ZERO(&ready);
	FD_ZERO(&broken);
	FD_SET(handle, &ready);
	FD_SET(handle, &broken);
	return select(0, to_write ? NULL : &ready, to_write ? &ready : NULL,
		      &broken, &limit) > 0;
}

long dial_socket_send(socket_handle handle, const char *data, size_t size)
{
	return send(handle, data, (int)size, 0);
}

long dial_socket_receive(socket_handle handle, char *data, size_t size)
{
	return recv(handle, data, (int)size, 0);
}

bool dial_socket_is_refused(void)
{
	return WSAGetLastError() == WSAECONNREFUSED ||
	       WSAGetLastError() == WSAECONNRESET;
}

bool dial_socket_is_waiting(void)
{
	return WSAGetLastError() == WSAEWOULDBLOCK ||
	       WSAGetLastError() == WSAEINPROGRESS;
}

void dial_socket_set_error(int number)
{
	WSASetLastError(number);
}

const char *dial_socket_error(void)
{
	static _Thread_local char text[32];

	(void)snprintf(text, sizeof(text), "error %d", WSAGetLastError());
	return text;
}
