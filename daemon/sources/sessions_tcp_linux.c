#include "sources/sessions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel lists connections over netlink (man 7 sock_diag).  A small program in
 * the request makes it list those with our ports only, so that a busy machine costs
 * little. The older request of two asks for IPv4 and IPv6 at once; the newer one
 * would walk through all sockets of the machine for each.
 */

enum { REPLY_BYTES = 32768, TIMEOUT_S = 5, OPS_PER_PORT = 5, PORTS_LIMIT = 16 };

struct request {
	struct nlmsghdr header;
	struct inet_diag_req query;
	struct nlattr attribute;
	struct inet_diag_bc_op program[OPS_PER_PORT * PORTS_LIMIT];
};

/*
 * "port >= P and port <= P, or the next one": each test is an operation and a word
 * with its port.  An operation's `yes` is where to go on when it holds, `no` when
 * it does not, in bytes from the operation; going just past the end accepts, four
 * bytes further rejects.
 */
static size_t write_program(struct inet_diag_bc_op *program, const uint16_t *ports,
			    size_t count)
{
	const size_t unit = sizeof(*program), port_bytes = OPS_PER_PORT * unit;
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_last = i + 1 == count;
		/* After the two tests comes a jump to the end; the last port does
		 * without. */
		size_t next = is_last ? 4 * unit + unit : port_bytes;
		size_t rest = (count - 1 - i) * port_bytes - (is_last ? 0 : unit);

		program[at] = (struct inet_diag_bc_op){INET_DIAG_BC_S_GE,
						       (unsigned char)(2 * unit),
						       (unsigned short)next};
		program[at + 1] = (struct inet_diag_bc_op){.no = ports[i]};
		program[at + 2] = (struct inet_diag_bc_op){
			INET_DIAG_BC_S_LE, (unsigned char)(2 * unit),
			(unsigned short)(next - 2 * unit)};
		program[at + 3] = (struct inet_diag_bc_op){.no = ports[i]};
		if (is_last)
			return at + 4;
		program[at + 4] = (struct inet_diag_bc_op){
			INET_DIAG_BC_JMP, (unsigned char)unit,
			(unsigned short)(unit + rest)};
		at += OPS_PER_PORT;
	}
	return at;
}

static int send_request(int netlink, const struct sessions_filter *filter,
			bool wants_idle)
{
	struct request request = {
		.header = {.nlmsg_type = TCPDIAG_GETSOCK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.query = {.idiag_ext = wants_idle ? 1u << (INET_DIAG_INFO - 1) : 0,
			  .idiag_states = 1u << TCP_ESTABLISHED},
	};
	size_t length = offsetof(struct request, attribute);

	/* The kernel compares one port itself. */
	if (filter->port_count == 1) {
		request.query.id.idiag_sport = htons(filter->ports[0]);
	} else if (filter->port_count <= PORTS_LIMIT) {
		size_t ops = write_program(request.program, filter->ports,
					   filter->port_count);

		request.attribute.nla_type = INET_DIAG_REQ_BYTECODE;
		request.attribute.nla_len =
			(uint16_t)(sizeof(request.attribute) +
				   ops * sizeof(request.program[0]));
		length += request.attribute.nla_len;
	}
	request.header.nlmsg_len = (uint32_t)length;
	return send(netlink, &request, length, 0) == (ssize_t)length ? 0 : -1;
}

static struct net_address address_of(int family, const void *bytes)
{
	return family == AF_INET ? net_address_from_ipv4(bytes)
				 : net_address_from_ipv6(bytes);
}

/* How long no data came or went, from the attributes after the message; -1 if they
 * do not tell.  An older kernel's tcp_info may be shorter than ours. */
static int64_t idle_ms(struct nlmsghdr *header)
{
	struct inet_diag_msg *socket = NLMSG_DATA(header);
	size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*socket));
	struct tcp_info info;

	for (struct rtattr *each = (struct rtattr *)(socket + 1);
	     RTA_OK(each, left); each = RTA_NEXT(each, left)) {
		if (each->rta_type != INET_DIAG_INFO ||
		    RTA_PAYLOAD(each) <
			    offsetof(struct tcp_info, tcpi_last_ack_recv))
			continue;
		memcpy(&info, RTA_DATA(each),
		       offsetof(struct tcp_info, tcpi_last_ack_recv));
		return info.tcpi_last_data_recv < info.tcpi_last_data_sent
			       ? info.tcpi_last_data_recv
			       : info.tcpi_last_data_sent;
	}
	return -1;
}

static void take_one(struct nlmsghdr *header, const struct sessions_filter *filter,
		     const struct sessions_taker *taker)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(header);
	struct sessions_connection connection = {
		.local = address_of(socket->idiag_family, socket->id.idiag_src),
		.peer = address_of(socket->idiag_family, socket->id.idiag_dst),
		.local_port = ntohs(socket->id.idiag_sport),
		.peer_port = ntohs(socket->id.idiag_dport),
		.idle_ms = -1,
	};

	if (socket->idiag_state != TCP_ESTABLISHED ||
	    !sessions_filter_matches(filter, &connection))
		return;
	if (taker->wants_idle)
		connection.idle_ms = idle_ms(header);
	taker->take(taker->arg, &connection);
}

/* Why a message ends the list too early, as an errno; 0 if it does not.  A kernel
 * that cannot list TCP at all says so in the message that ends its list. */
static int error_of(const struct nlmsghdr *header)
{
	size_t length = header->nlmsg_len;
	const struct nlmsgerr *error = NLMSG_DATA(header);
	const int *done = NLMSG_DATA(header);

	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		return EINTR;
	if (header->nlmsg_type == NLMSG_ERROR)
		return length < NLMSG_LENGTH(sizeof(*error)) ? EBADMSG
							     : -error->error;
	if (header->nlmsg_type == NLMSG_DONE)
		return length >= NLMSG_LENGTH(sizeof(*done)) && *done < 0 ? -*done
									  : 0;
	return length < NLMSG_LENGTH(sizeof(struct inet_diag_msg)) ? EBADMSG : 0;
}

/* Reads one datagram; returns 1 if more follow, 0 at the end, -1 on failure with
 * errno.
 */
static int read_reply(int netlink, const struct sessions_filter *filter,
		      const struct sessions_taker *taker)
{
	union {
		struct nlmsghdr header;
		char bytes[REPLY_BYTES];
	} reply;
	/* With MSG_TRUNC it gives the length of the datagram, also of one that had
	 * no room. */
	ssize_t got = recv(netlink, &reply, sizeof(reply), MSG_TRUNC);
	size_t left = got > 0 ? (size_t)got : 0;

	if (got < 0)
		return -1;
	errno = EBADMSG;
	if (left > sizeof(reply))
		return -1;
	for (struct nlmsghdr *header = &reply.header; NLMSG_OK(header, left);
	     header = NLMSG_NEXT(header, left)) {
		errno = error_of(header);
		if (errno)
			return -1;
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		take_one(header, filter, taker);
	}
	return got ? 1 : -1;
}

/* Returns -1 on failure, with errno. */
static int open_netlink(void)
{
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	int netlink =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	/* It cannot fail with what it is given. */
	if (netlink >= 0)
		(void)setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &timeout,
				 sizeof(timeout));
	return netlink;
}

/* As read_reply(), to the end. */
static int list_all(const struct sessions_filter *filter,
		    const struct sessions_taker *taker)
{
	int netlink = open_netlink();
	int more = -1, number;

	if (netlink < 0)
		return -1;
	if (!send_request(netlink, filter, taker->wants_idle))
		do
			more = read_reply(netlink, filter, taker);
		while (more > 0);
	number = errno;
	(void)close(netlink);
	errno = number;
	return more;
}

int sessions_tcp_list(const struct sessions_filter *filter,
		      const struct sessions_taker *taker, struct err *err)
{
	if (list_all(filter, taker))
		return err_set_os(err, ERR_SESSIONS, (unsigned long)errno,
				  "the kernel did not list its connections: %s",
				  strerror(errno));
	return 0;
}

/* ---- one of them ---- */

static void put_address(const struct net_address *address, bool is_ipv4,
			__be32 words[4])
{
	const size_t prefix = sizeof(address->bytes) - 4;

	if (is_ipv4)
		memcpy(words, address->bytes + prefix, 4);
	else
		memcpy(words, address->bytes, sizeof(address->bytes));
}

/* Without NLM_F_DUMP the kernel looks for this one alone. */
static int ask_for(int netlink, const struct sessions_connection *connection)
{
	bool is_ipv4 = net_address_is_ipv4(&connection->peer) &&
		       net_address_is_ipv4(&connection->local);
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 query;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.query = {.sdiag_family = is_ipv4 ? AF_INET : AF_INET6,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1u << TCP_ESTABLISHED,
			  .id = {.idiag_sport = htons(connection->local_port),
				 .idiag_dport = htons(connection->peer_port),
				 .idiag_cookie = {INET_DIAG_NOCOOKIE,
						  INET_DIAG_NOCOOKIE}}},
	};

	put_address(&connection->local, is_ipv4, request.query.id.idiag_src);
	put_address(&connection->peer, is_ipv4, request.query.id.idiag_dst);
	return send(netlink, &request, sizeof(request), 0) == sizeof(request) ? 0
									      : -1;
}

/* If it is gone, the kernel may find who listens on its port. */
static int read_one(int netlink)
{
	union {
		struct nlmsghdr header;
		char bytes[REPLY_BYTES];
	} reply;
	ssize_t got = recv(netlink, &reply, sizeof(reply), 0);
	const struct inet_diag_msg *socket = NLMSG_DATA(&reply.header);
	int error;

	if (got <= 0 || !NLMSG_OK(&reply.header, (size_t)got))
		return -1;
	error = error_of(&reply.header);
	if (error)
		return error == ENOENT ? 0 : -1;
	return socket->idiag_state == TCP_ESTABLISHED;
}

int sessions_tcp_is_there(const struct sessions_connection *connection)
{
	/* Kept for the next question: to open it costs more than to ask. */
	static int netlink = -1;
	int is_there = -1;

	if (netlink < 0)
		netlink = open_netlink();
	if (netlink < 0)
		return -1;
	if (!ask_for(netlink, connection))
		is_there = read_one(netlink);
	/* An answer that is late must not be taken for the next one. */
	if (is_there < 0) {
		(void)close(netlink);
		netlink = -1;
	}
	return is_there;
}
