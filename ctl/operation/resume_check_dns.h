/*
 * Whether DNS leads to a server that is back in service.  Pure.
 */
#ifndef POOLCTL_RESUME_CHECK_DNS_H
#define POOLCTL_RESUME_CHECK_DNS_H

#include "buf.h"
#include "dns/dns_view.h"

/* What DNS says of a server. */
enum resume_check_dns {
	RESUME_CHECK_DNS_ASKING,
	RESUME_CHECK_DNS_PRESENT,   /* in the answer of every resolver that answered
				     */
	RESUME_CHECK_DNS_MISSING,   /* in that of one it is not */
	RESUME_CHECK_DNS_UNKNOWN,   /* nobody answered */
	RESUME_CHECK_DNS_NO_NAME,   /* not asked: the pool has no fqdn */
	RESUME_CHECK_DNS_ELSEWHERE, /* not asked: the name leads to none of its
				       servers */
	RESUME_CHECK_DNS__COUNT
};

/* The view was evaluated, and the server is one of its pool.  Adds to `text` which
 * resolvers do not lead to it. */
enum resume_check_dns resume_check_dns_evaluate(const struct dns_view *view,
						const struct pool_server *server,
						struct buf *text);

#endif
