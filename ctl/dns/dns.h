/*
 * The addresses of names, asked of DNS servers: many questions at once, in one
 * thread.
 *
 * The only user of c-ares.  Each server is asked by itself, so that it is known
 * which server said what.  A name is asked as it is written: no search domains, no
 * hosts file.
 */
#ifndef POOLCTL_DNS_H
#define POOLCTL_DNS_H

#include "dns/dns_answer.h"
#include "err.h"
#include "pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_PORT = 53,
	DNS_TIMEOUT_MS = 5000,
	DNS_RESOLVER_TEXT_BYTES = NET_ADDRESS_TEXT_BYTES + 8
};

struct dns_resolver {
	struct net_address address;
	uint16_t port;
};

struct dns_question {
	const char *name; /* with or without a dot at the end */
	struct dns_resolver resolver;
	struct dns_reply replies[DNS_KIND__COUNT];
};

/*
 * Asks all of them, whose replies are empty, for IPv4 and IPv6 addresses.  Answers
 * that were cut off are fetched again over TCP; a question is sent twice before it
 * counts as lost.  Blocks until all is answered, and not longer than `limit_ms`:
 * what is open then is DNS_SILENT.  Fails only with ERR_INTERNAL, if it cannot ask
 * at all.
 */
int dns_ask(struct dns_question *questions, size_t count, int64_t limit_ms,
	    struct err *err);

/* Frees what the replies hold. */
void dns_question_done(struct dns_question *question);

/* Adds the resolvers (struct dns_resolver) that the configuration names; if it
 * names none, those that this system is set up to ask.  The items of the list are
 * to be freed. Fails with ERR_INTERNAL. */
int dns_resolvers(const struct pool_dns *dns, struct list *resolvers,
		  struct err *err);

/* "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353"; returns `text`. */
const char *dns_resolver_format(const struct dns_resolver *resolver,
				char text[DNS_RESOLVER_TEXT_BYTES]);

#endif
