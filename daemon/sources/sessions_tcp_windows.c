#include "compat.h"
#include "sources/sessions.h"

#include "mem.h"

#include <windows.h>

#include <iphlpapi.h>
#include <stdlib.h>

/* Both tables are asked for without the owners of the connections, which we do not
 * need and which cost most of the time.  For IPv6 only GetTcp6Table gives them so.
 */

/* The port sits in the low 16 bits of a DWORD, in network order (MIB_TCPROW). */
static uint16_t port_of(DWORD raw)
{
	return ntohs((u_short)raw);
}

static DWORD ask(ULONG family, void *table, DWORD *size)
{
	if (family == AF_INET6)
		return GetTcp6Table(table, size, FALSE);
	return GetExtendedTcpTable(table, size, FALSE, AF_INET,
				   TCP_TABLE_BASIC_CONNECTIONS, 0);
}

/* The table may grow between asking for its size and for itself, so ask a few
 * times. */
static void *read_table(ULONG family, struct err *err)
{
	enum { TRIES = 8, SLACK_BYTES = 16384 };
	DWORD size = SLACK_BYTES, status = ERROR_INSUFFICIENT_BUFFER;
	void *table = NULL;

	for (int i = 0; i < TRIES && status == ERROR_INSUFFICIENT_BUFFER; i++) {
		size += SLACK_BYTES;
		table = xrealloc(table, size);
		status = ask(family, table, &size);
	}
	if (status == NO_ERROR)
		return table;
	free(table);
	(void)err_set_os(err, ERR_SESSIONS, status,
			 "cannot list the %s connections",
			 family == AF_INET ? "IPv4" : "IPv6");
	return NULL;
}

static int list_ipv4(const struct sessions_filter *filter,
		     const struct sessions_taker *taker, struct err *err)
{
	MIB_TCPTABLE *table = read_table(AF_INET, err);

	if (!table)
		return -1;
	for (DWORD i = 0; i < table->dwNumEntries; i++) {
		const MIB_TCPROW *row = &table->table[i];
		struct sessions_connection connection = {
			.local = net_address_from_ipv4(&row->dwLocalAddr),
			.peer = net_address_from_ipv4(&row->dwRemoteAddr),
			.local_port = port_of(row->dwLocalPort),
			.peer_port = port_of(row->dwRemotePort),
			.idle_ms = -1,
		};

		if (row->dwState == MIB_TCP_STATE_ESTAB &&
		    sessions_filter_matches(filter, &connection))
			taker->take(taker->arg, &connection);
	}
	free(table);
	return 0;
}

static int list_ipv6(const struct sessions_filter *filter,
		     const struct sessions_taker *taker, struct err *err)
{
	MIB_TCP6TABLE *table = read_table(AF_INET6, err);

	if (!table)
		return -1;
	for (DWORD i = 0; i < table->dwNumEntries; i++) {
		const MIB_TCP6ROW *row = &table->table[i];
		struct sessions_connection connection = {
			.local = net_address_from_ipv6(&row->LocalAddr),
			.peer = net_address_from_ipv6(&row->RemoteAddr),
			.local_port = port_of(row->dwLocalPort),
			.peer_port = port_of(row->dwRemotePort),
			.idle_ms = -1,
		};

		if (row->State == MIB_TCP_STATE_ESTAB &&
		    sessions_filter_matches(filter, &connection))
			taker->take(taker->arg, &connection);
	}
	free(table);
	return 0;
}

int sessions_tcp_list(const struct sessions_filter *filter,
		      const struct sessions_taker *taker, struct err *err)
{
	return list_ipv4(filter, taker, err) || list_ipv6(filter, taker, err) ? -1
									      : 0;
}

/* ---- one of them ---- */

struct search {
	const struct sessions_connection *wanted;
	bool is_found;
};

static void look_at(void *arg, const struct sessions_connection *connection)
{
	struct search *search = arg;

	search->is_found =
		search->is_found ||
		(connection->peer_port == search->wanted->peer_port &&
		 net_address_equal(&connection->peer, &search->wanted->peer));
}

int sessions_tcp_is_there(const struct sessions_connection *connection)
{
	const struct sessions_filter filter = {.ports = &connection->local_port,
					       .port_count = 1,
					       .locals = &connection->local,
					       .local_count = 1};
	struct search search = {connection, false};
	const struct sessions_taker taker = {look_at, &search, false};
	int failed = net_address_is_ipv4(&connection->peer)
			     ? list_ipv4(&filter, &taker, NULL)
			     : list_ipv6(&filter, &taker, NULL);

	return failed ? -1 : search.is_found;
}
