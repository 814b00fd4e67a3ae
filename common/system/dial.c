#include "system/dial.h"

#include "clock.h"
#include "compat.h"
#include "system/dial_socket.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 64 };

struct dial {
	socket_handle socket;
	struct net_address address;
	struct mono until;
};

struct dial *dial_new(const struct net_address *address, int64_t timeout_ms,
		      uint16_t *own_port, struct err *err)
{
	struct dial *dial = xcalloc(1, sizeof(*dial));
	struct sockaddr_storage own;
	int size = net_address_to_socket(address, 0, &own);
	socklen_t room = sizeof(own);

	dial->address = *address;
	dial->until = clock_add(clock_mono(), timeout_ms);
	if (dial_socket_open(own.ss_family, &dial->socket)) {
		(void)err_set(err, ERR_SESSIONS, "no socket: %s",
			      dial_socket_error());
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

/* False when the time is over. */
static bool await(const struct dial *dial, bool to_write)
{
	int64_t rest_ms = clock_since(clock_mono(), dial->until);

	return rest_ms > 0 && dial_socket_await(dial->socket, to_write, rest_ms);
}

int dial_connect(struct dial *dial, uint16_t port, struct err *err)
{
	struct sockaddr_storage to;
	int size = net_address_to_socket(&dial->address, port, &to), number = 0;
	socklen_t room = sizeof(number);

	if (!connect(dial->socket, (struct sockaddr *)&to, (socklen_t)size))
		return 1;
	if (dial_socket_is_refused())
		return 0;
	if (!dial_socket_is_waiting())
		return err_set(err, ERR_SESSIONS, "cannot connect to port %u: %s",
			       port, dial_socket_error());
	if (!await(dial, true))
		return err_set(err, ERR_SESSIONS,
			       "port %u neither takes nor refuses a connection",
			       port);
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

int dial_send(struct dial *dial, const char *text, struct err *err)
{
	while (*text) {
		long sent;

		if (!await(dial, true))
			return err_set(err, ERR_SESSIONS,
				       "what is sent is not taken");
		sent = dial_socket_send(dial->socket, text, strlen(text));
		/* One that closed says so to whoever reads. */
		if (sent < 0 && !dial_socket_is_waiting())
			return 0;
		text += sent > 0 ? sent : 0;
	}
	return 0;
}

/* So much of the text came, which is UTF-8: half a character is not shown. */
static int fail_silent(const char *text, size_t length, struct err *err)
{
	if (length > SHOWN_BYTES)
		length = SHOWN_BYTES;
	while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	if (!length)
		return err_set(err, ERR_SESSIONS,
			       "it was connected, and said nothing");
	return err_set(err, ERR_SESSIONS,
		       "it was connected, and said '%.*s' and no more", (int)length,
		       text);
}

int dial_expect(struct dial *dial, const char *text, struct err *err)
{
	size_t length = 0;

	while (text[length]) {
		char byte;
		long got;

		if (!await(dial, false))
			return fail_silent(text, length, err);
		got = dial_socket_receive(dial->socket, &byte, 1);
		if (got < 0 && dial_socket_is_waiting())
			continue;
		if (got <= 0 || byte != text[length])
			return 0;
		length++;
	}
	return 1;
}
