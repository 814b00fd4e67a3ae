#include "dial.h"

#include "clock.h"
#include "compat.h"
#include "dial_socket.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct dial {
	socket_handle socket;
	struct net_address address;
};

struct dial *dial_new(const struct net_address *address, uint16_t *own_port,
		      struct err *err)
{
	struct dial *dial = xcalloc(1, sizeof(*dial));
	struct sockaddr_storage own;
	int size = net_address_to_socket(address, 0, &own);
	socklen_t room = sizeof(own);

	dial->address = *address;
	if (dial_socket_open(own.ss_family, &dial->socket)) {
		(void)err_set(err, ERR_SESSIONS, "no socket: %s", dial_socket_error());
		free(dial);
		return NULL;
	}
	if (!bind(dial->socket, (struct sockaddr *)&own, (socklen_t)size) &&
	    !getsockname(dial->socket, (struct sockaddr *)&own, &room)) {
		/* The port is at the same place for both families. */
		*own_port = ntohs(((struct sockaddr_in *)&own)->sin_port);
		return dial;
	}
	(void)err_set(err, ERR_SESSIONS, "cannot use the server's own address: %s",
		      dial_socket_error());
	dial_free(dial);
	return NULL;
}

void dial_free(struct dial *dial)
{
	if (!dial)
		return;
	dial_socket_close(dial->socket);
	free(dial);
}

int dial_connect(struct dial *dial, uint16_t port, int64_t timeout_ms, struct err *err)
{
	struct sockaddr_storage to;
	int size = net_address_to_socket(&dial->address, port, &to), number = 0;
	socklen_t room = sizeof(number);

	if (!connect(dial->socket, (struct sockaddr *)&to, (socklen_t)size))
		return 1;
	if (dial_socket_is_refused())
		return 0;
	if (!dial_socket_is_waiting())
		return err_set(err, ERR_SESSIONS, "cannot connect to port %u: %s", port,
			       dial_socket_error());
	if (!dial_socket_await(dial->socket, true, timeout_ms))
		return err_set(err, ERR_SESSIONS,
			       "port %u neither takes nor refuses a connection", port);
	if (getsockopt(dial->socket, SOL_SOCKET, SO_ERROR, (char *)&number, &room))
		number = -1;
	dial_socket_set_error(number);
	if (!number)
		return 1;
	if (dial_socket_is_refused())
		return 0;
	return err_set(err, ERR_SESSIONS, "cannot connect to port %u: %s", port,
		       dial_socket_error());
}

int dial_send(struct dial *dial, const char *text, int64_t timeout_ms, struct err *err)
{
	struct mono until = clock_add(clock_mono(), timeout_ms);

	while (*text) {
		int64_t rest_ms = clock_since(clock_mono(), until);
		long sent;

		if (rest_ms <= 0 || !dial_socket_await(dial->socket, true, rest_ms))
			return err_set(err, ERR_SESSIONS, "what is sent is not taken");
		sent = dial_socket_send(dial->socket, text, strlen(text));
		/* One that closed says so to whoever reads. */
		if (sent < 0 && !dial_socket_is_waiting())
			return 0;
		text += sent > 0 ? sent : 0;
	}
	return 0;
}

int dial_read_line(struct dial *dial, char *line, size_t room, int64_t timeout_ms,
		   struct err *err)
{
	struct mono until = clock_add(clock_mono(), timeout_ms);
	size_t length = 0;

	while (length + 1 < room) {
		int64_t rest_ms = clock_since(clock_mono(), until);
		long got;

		if (rest_ms <= 0 || !dial_socket_await(dial->socket, false, rest_ms))
			return err_set(err, ERR_SESSIONS,
				       "it was connected, and said nothing");
		got = dial_socket_receive(dial->socket, line + length, 1);
		if (got < 0 && dial_socket_is_waiting())
			continue;
		if (got <= 0)
			return 0;
		if (line[length] == '\n')
			break;
		length++;
	}
	if (length && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
	return 1;
}
