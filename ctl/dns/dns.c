#include "dns/dns.h"

#include "clock.h"
#include "dns/idn.h"
#include "mem.h"
#include "utf8.h"

#include <ares.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNDER_WAY_LIMIT =
		64,        /* questions to one server at once: more would be lost */
	SOCKETS_LIMIT = 2, /* for one server: UDP and TCP */
	TRIES = 2,         /* the second waits twice as long */
	CLASS_IN = 1,
};

/* One resolver, and what it is asked. */
struct asker {
	struct dns_resolver resolver;
	ares_channel channel;
	size_t next; /* question that was not looked at yet */
	size_t under_way;
};

struct asked {
	struct asker *asker;
	char *name; /* as DNS is asked */
	struct dns_query query;
};

const char *dns_resolver_format(const struct dns_resolver *resolver,
				char text[DNS_RESOLVER_TEXT_BYTES])
{
	bool is_ipv4 = net_address_is_ipv4(&resolver->address);
	char address[NET_ADDRESS_TEXT_BYTES];

	(void)net_address_format(&resolver->address, address);
	if (resolver->port == DNS_PORT)
		utf8_copy(text, DNS_RESOLVER_TEXT_BYTES, address);
	else
		(void)snprintf(text, DNS_RESOLVER_TEXT_BYTES,
			       is_ipv4 ? "%s:%u" : "[%s]:%u", address,
			       resolver->port);
	return text;
}

/* ---- asking ---- */

static enum dns_status status_without_answer(int error)
{
	switch (error) {
	case ARES_ETIMEOUT:
	case ARES_EDESTRUCTION:
		return DNS_SILENT;
	case ARES_EBADNAME:
	case ARES_EBADQUERY:
		return DNS_BAD_NAME;
	case ARES_EBADRESP:
		return DNS_MALFORMED;
	case ARES_ENOTFOUND: /* .onion, which no DNS server may be asked (RFC 7686)
			      */
		return DNS_NO_NAME;
	default:
		return DNS_UNREACHABLE;
	}
}

static void on_answer(void *context, int error, int timeouts, unsigned char *bytes,
		      int length);

static void ask(struct asked *asked)
{
	asked->asker->under_way++;
	ares_query(asked->asker->channel, asked->query.name, CLASS_IN,
		   dns_answer_record_type(asked->query.kind), on_answer, asked);
}

/* Errors of the server come with its answer. */
static void on_answer(void *context, int error, int timeouts, unsigned char *bytes,
		      int length)
{
	struct asked *asked = context;

	(void)timeouts;
	asked->asker->under_way--;
	if (!bytes)
		asked->query.reply->status = status_without_answer(error);
	else if (dns_answer_read(&asked->query, bytes, (size_t)length))
		ask(asked);
}

static void start_more(struct asker *asker, struct asked *all, size_t count)
{
	while (asker->under_way < UNDER_WAY_LIMIT && asker->next < count) {
		struct asked *asked = &all[asker->next++];

		if (asked->asker == asker)
			ask(asked);
	}
}

/* The sockets that c-ares waits for, of all askers. */
struct waiting {
	struct pollfd *sockets;
	struct asker **askers; /* whose each of them is */
	size_t count;
	int64_t limit_ms;
};

static void add_waiting(struct waiting *waiting, struct asker *asker)
{
	ares_socket_t sockets[SOCKETS_LIMIT];
	int bits = ares_getsock(asker->channel, sockets, SOCKETS_LIMIT);
	struct timeval time, *next = ares_timeout(asker->channel, NULL, &time);
	int64_t next_ms = next ? next->tv_sec * 1000 + next->tv_usec / 1000 + 1 : 0;

	if (next && next_ms < waiting->limit_ms)
		waiting->limit_ms = next_ms;
	for (int i = 0; i < SOCKETS_LIMIT; i++) {
		int events = (ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
			     (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0);

		if (!events)
			continue;
		waiting->sockets[waiting->count] =
			(struct pollfd){.fd = sockets[i], .events = (short)events};
		waiting->askers[waiting->count++] = asker;
	}
}

/* An error shows to reading and to writing. */
static void process(const struct waiting *waiting)
{
	for (size_t i = 0; i < waiting->count; i++) {
		const struct pollfd *one = &waiting->sockets[i];

		if (one->revents)
			ares_process_fd(
				waiting->askers[i]->channel,
				one->revents & ~POLLOUT ? one->fd : ARES_SOCKET_BAD,
				one->revents & ~POLLIN && one->events & POLLOUT
					? one->fd
					: ARES_SOCKET_BAD);
	}
}

/* Does all that needs no answer; returns false if nothing is left. */
static bool go_on(struct asker *askers, size_t asker_count, struct asked *all,
		  size_t count, struct waiting *waiting)
{
	size_t under_way = 0;

	waiting->count = 0;
	for (size_t i = 0; i < asker_count; i++) {
		ares_process_fd(askers[i].channel, ARES_SOCKET_BAD,
				ARES_SOCKET_BAD);
		start_more(&askers[i], all, count);
		add_waiting(waiting, &askers[i]);
		under_way += askers[i].under_way;
	}
	return under_way > 0;
}

static void run(struct asker *askers, size_t asker_count, struct asked *all,
		size_t count, int64_t limit_ms)
{
	struct mono until = clock_add(clock_mono(), limit_ms);
	struct waiting waiting = {
		.sockets =
			xcalloc(asker_count, SOCKETS_LIMIT * sizeof(struct pollfd)),
		.askers = xcalloc(asker_count,
				  SOCKETS_LIMIT * sizeof(struct asker *)),
	};

	while ((waiting.limit_ms = clock_since(clock_mono(), until)) > 0 &&
	       go_on(askers, asker_count, all, count, &waiting)) {
		(void)poll(waiting.sockets, waiting.count, (int)waiting.limit_ms);
		process(&waiting);
	}
	free(waiting.sockets);
	free(waiting.askers);
}

/* ---- askers ---- */

static int fail(int error, struct err *err)
{
	return err_set(err, ERR_INTERNAL, "the DNS library cannot start: %s",
		       ares_strerror(error));
}

static int init_asker(struct asker *asker, const struct dns_resolver *resolver,
		      int64_t limit_ms, struct err *err)
{
	bool is_ipv4 = net_address_is_ipv4(&resolver->address);
	struct ares_addr_port_node server = {.family = is_ipv4 ? AF_INET : AF_INET6,
					     .udp_port = resolver->port,
					     .tcp_port = resolver->port};
	struct ares_options options = {
		/* Refusals are answers here.  No EDNS: some DNS servers are silent
		 * on it or call it an error, and what is too long for UDP comes
		 * over TCP. */
		.flags = ARES_FLAG_NOCHECKRESP,
		.tries = TRIES,
		/* The second try waits for the rest. */
		.timeout = (int)(limit_ms / 3) + 1,
	};
	int error = ares_init_options(&asker->channel, &options,
				      ARES_OPT_FLAGS | ARES_OPT_TRIES |
					      ARES_OPT_TIMEOUTMS);

	if (error)
		return fail(error, err);
	asker->resolver = *resolver;
	if (is_ipv4)
		memcpy(&server.addr.addr4, resolver->address.bytes + 12, 4);
	else
		memcpy(&server.addr.addr6, resolver->address.bytes, 16);
	error = ares_set_servers_ports(asker->channel, &server);
	if (!error)
		return 0;
	ares_destroy(asker->channel);
	return fail(error, err);
}

/* The one for this resolver, which may be a new one; or NULL. */
static struct asker *get_asker(struct asker *askers, size_t *count,
			       const struct dns_resolver *resolver,
			       int64_t limit_ms, struct err *err)
{
	for (size_t i = 0; i < *count; i++)
		if (askers[i].resolver.port == resolver->port &&
		    net_address_equal(&askers[i].resolver.address,
				      &resolver->address))
			return &askers[i];
	if (init_asker(&askers[*count], resolver, limit_ms, err))
		return NULL;
	return &askers[(*count)++];
}

int dns_ask(struct dns_question *questions, size_t count, int64_t limit_ms,
	    struct err *err)
{
	struct asker *askers = xcalloc(count, sizeof(*askers));
	struct asked *all = xcalloc(count, DNS_KIND__COUNT * sizeof(*all));
	size_t asker_count = 0, asked_count = 0;
	int error =
		ares_library_init_mem(ARES_LIB_INIT_ALL, xmalloc, free, xrealloc);
	int ret = error ? fail(error, err) : 0;

	for (size_t i = 0; i < count && !ret; i++) {
		struct asker *asker =
			get_asker(askers, &asker_count, &questions[i].resolver,
				  limit_ms, err);

		ret = asker ? 0 : -1;
		for (enum dns_kind kind = 0; kind < DNS_KIND__COUNT; kind++) {
			struct asked *one = &all[asked_count++];

			one->asker = asker;
			one->name = idn_to_ascii(questions[i].name);
			one->query = (struct dns_query){
				.kind = kind,
				.name = one->name,
				.ttl_s = DNS_TTL_LIMIT_S,
				.reply = &questions[i].replies[kind],
			};
		}
	}
	if (!ret)
		run(askers, asker_count, all, asked_count, limit_ms);
	/* Ends what is still open: silent. */
	for (size_t i = 0; i < asker_count; i++)
		ares_destroy(askers[i].channel);
	if (!error)
		ares_library_cleanup();
	for (size_t i = 0; i < asked_count; i++)
		free(all[i].name);
	free(askers);
	free(all);
	return ret;
}

void dns_question_done(struct dns_question *question)
{
	for (int kind = 0; kind < DNS_KIND__COUNT; kind++)
		dns_answer_done(&question->replies[kind]);
}

/* ---- resolvers ---- */

static void add_resolver(struct list *resolvers, const struct net_address *address,
			 int64_t port)
{
	size_t size_bytes = (resolvers->count + 1) * sizeof(struct dns_resolver);
	struct dns_resolver *items = xrealloc(resolvers->items, size_bytes);

	resolvers->items = items;
	items[resolvers->count++] = (struct dns_resolver){*address, (uint16_t)port};
}

static void add_node(struct list *resolvers, const struct ares_addr_port_node *node)
{
	struct net_address address =
		node->family == AF_INET ? net_address_from_ipv4(&node->addr.addr4)
					: net_address_from_ipv6(&node->addr.addr6);

	add_resolver(resolvers, &address,
		     node->udp_port ? node->udp_port : DNS_PORT);
}

static int add_system_resolvers(struct list *resolvers, struct err *err)
{
	int error =
		ares_library_init_mem(ARES_LIB_INIT_ALL, xmalloc, free, xrealloc);
	struct ares_addr_port_node *nodes = NULL;
	ares_channel channel;

	if (error)
		return fail(error, err);
	error = ares_init(&channel);
	if (!error) {
		error = ares_get_servers_ports(channel, &nodes);
		for (struct ares_addr_port_node *node = nodes; node;
		     node = node->next)
			add_node(resolvers, node);
		ares_free_data(nodes);
		ares_destroy(channel);
	}
	ares_library_cleanup();
	return error ? fail(error, err) : 0;
}

int dns_resolvers(const struct pool_dns *dns, struct list *resolvers,
		  struct err *err)
{
	LIST_EACH (struct net_address, address, dns->resolvers)
		add_resolver(resolvers, address, dns->port);
	return dns->resolvers.count ? 0 : add_system_resolvers(resolvers, err);
}
