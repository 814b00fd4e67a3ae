/*
 * Reads a DNS server's answer: its bytes become addresses, or the reason why there
 * are none.
 *
 * Pure.  The bytes are not trusted: the worst that they give is DNS_MALFORMED.
 */
#ifndef POOLCTL_DNS_ANSWER_H
#define POOLCTL_DNS_ANSWER_H

#include "net_address.h"
#include "schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DNS_ALIAS_LIMIT = 16,
	/* A name has 255 bytes (RFC 1035, section 2.3.4), and is 253 characters
	   then. */
	DNS_NAME_BYTES = 254,
	DNS_TTL_LIMIT_S = 0x7fffffff,
};

enum dns_kind { DNS_IPV4, DNS_IPV6, DNS_KIND__COUNT };

enum dns_status {
	DNS_SILENT, /* no answer in time */
	DNS_ANSWERED,
	DNS_NO_NAME,
	DNS_NO_ADDRESS, /* the name is there, and has no address of this kind */
	DNS_LOOP,       /* its aliases go in a circle, or there are too many */
	DNS_BAD_NAME,   /* it cannot be asked: no name of DNS looks like that */
	DNS_FAILED,     /* the server says that it failed */
	DNS_FORMAT,     /* it says that the question is malformed */
	DNS_REFUSED,    /* it does not answer us, or not for this name */
	DNS_UNREACHABLE,
	DNS_MALFORMED,
	DNS_STATUS__COUNT
};

struct dns_address {
	struct net_address address;
	int64_t ttl_s; /* the least of its own and those of the aliases before it */
};

struct dns_reply {
	enum dns_status status;
	struct list addresses; /* struct dns_address; some only if DNS_ANSWERED */
	/* char *: the CNAMEs that were followed, in their order. */
	struct list aliases;
};

/* True if the status says which addresses there are; false if that is unknown. */
bool dns_answer_is_known(enum dns_status status);

const char *dns_answer_status_name(enum dns_status status);

/* For people: "no such name". */
const char *dns_answer_status_text(enum dns_status status);

/* A question; its name is the last alias, once there are some. */
struct dns_query {
	enum dns_kind kind;
	const char *name; /* while it is an alias, the reply's */
	int64_t ttl_s;    /* the least of the aliases, DNS_TTL_LIMIT_S before */
	struct dns_reply *reply;
};

/* The type of record that has addresses of this kind. */
int dns_answer_record_type(enum dns_kind kind);

/*
 * Reads an answer to the query into its reply, which may have aliases from earlier
 * answers.  True if it has nothing but an alias: then `query->name` is to be asked
 * next.
 */
bool dns_answer_read(struct dns_query *query, const unsigned char *bytes,
		     size_t length);

void dns_answer_done(struct dns_reply *reply);

#endif
