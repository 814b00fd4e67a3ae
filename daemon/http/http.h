/*
 * The HTTP server: connections, limits, waiting.  The meaning of requests is
 * elsewhere.
 *
 * One thread of the library serves all connections.  A request that waits costs no
 * thread: it is parked, and its handler is called again when it may go on.
 */
#ifndef POOLD_HTTP_H
#define POOLD_HTTP_H

#include "clock.h"
#include "err.h"
#include "net_address.h"
#include "tls/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_ETAG_BYTES = 96,
	HTTP_WATCHERS_LIMIT = 2000, /* see request_may_watch */
};

struct http;
struct request;

/* Numbers that only grow, for which a request may wait. */
enum news { NEWS_INDEX, NEWS_EVENT, NEWS__COUNT };

/* A body that goes on until the client leaves or poold stops. */
struct feed {
	/*
	 * Writes at most so many bytes and returns how many: 0 if there is nothing
	 * now, and it is to be called again when http_wake brings NEWS_EVENT above
	 * `*seen`, or after `*rest_ms`; -1 if it cannot go on.  On the library's
	 * thread.
	 */
	int64_t (*read)(void *arg, char *room, size_t room_bytes, int64_t *seen,
			int64_t *rest_ms);
	void (*free)(void *arg);
	void *arg;
};

struct reply {
	int status;
	const char *type; /* Content-Type; NULL: JSON */
	char *body;       /* freed by http, unless `release` is set */
	size_t length;
	void (*release)(
		void *arg); /* called instead of free(body) when it was sent */
	void *release_arg;
	struct feed feed;      /* instead of a body, if `read` is set */
	const char *allow;     /* the Allow header of a 405 */
	const char *challenge; /* the WWW-Authenticate header of a 401 */
	bool is_last;          /* the connection ends with it, and takes no room */
	char etag[HTTP_ETAG_BYTES];
	bool is_retryable; /* adds Retry-After */
};

struct http_setup {
	struct net_address address;
	uint16_t port;   /* 0: any free one */
	struct tls *tls; /* loaded; NULL: plain HTTP */
	/* Whether the sender has a credential, by the headers of a request: the
	 * body of any other is not kept.  NULL: all are. */
	bool (*knows)(void *arg, const struct request *request);
	/*
	 * Called when a request is complete.  True: `reply` is filled.  False: the
	 * request was parked with request_wait or request_park, and the handler is
	 * called again later.
	 */
	bool (*handle)(void *arg, struct request *request, struct reply *reply);
	/* Called with `taken_arg` once the address is taken, before anything is
	 * served, so that nobody else had the port after that; NULL: nothing is to
	 * be done. */
	void (*taken)(void *taken_arg);
	void *taken_arg;
	/* Called when a request ends, to free its slot. */
	void (*finished)(void *arg, void *slot);
	void *arg;
};

/* Listens and serves.  Fails with ERR_LISTEN, which names the address. */
struct http *http_start(const struct http_setup *setup, struct err *err);
uint16_t http_port(const struct http *http);

/* Ends all connections, feeds after what they owe if that is taken at once. Nothing
 * may be parked without a wake any more: see http_release. */
void http_stop(struct http *http);

/* Resumes the requests that wait for such news.  Any thread may call it. */
void http_wake(struct http *http, const int64_t news[NEWS__COUNT]);

/*
 * To be called about once a second: answers expired long polls, ends those whose
 * client has gone, and cuts connections that take too long over a request, or over
 * taking what was sent.
 */
void http_tick(struct http *http);

/* From here on nobody waits any more, and feeds end. */
void http_release(struct http *http);

const char *request_method(const struct request *request);

/* Without escapes, as are the names and values of the query; an escaped NUL is
 * another control character in them, so that nothing is cut off. */
const char *request_path(const struct request *request);
const char *request_query(const struct request *request,
			  const char *name); /* or NULL */

/* Calls `each` for every name of the query, as it was sent; a name without a value
 * has NULL. */
void request_each_query(const struct request *request,
			void (*each)(void *arg, const char *name,
				     const char *value),
			void *arg);
const char *request_header(const struct request *request,
			   const char *name); /* or NULL */
/* A header that may be there once only and is there twice, or contradicts another;
 * or NULL. */
const char *request_twice(const struct request *request);
/* The body was not kept, as nobody knew the sender when it began. */
bool request_lacks_body(const struct request *request);
const char *request_body(const struct request *request, size_t *length);
bool request_has_nul(const struct request *request); /* in the path or the query */
bool request_is_too_large(const struct request *request);
const char *request_from(const struct request *request); /* the peer's address */

/*
 * The client of a connection whose certificate was verified and is in poold.yaml,
 * with its name and role; else NULL: also for plain HTTP.  It lives as long as the
 * configuration.
 */
const struct poold_client *request_client(const struct request *request);

/* The handler's own, NULL at first, kept while the request is parked. */
void **request_slot(struct request *request);

/* Parks until http_wake brings such news above `seen`, or for so long. */
void request_wait(struct request *request, enum news news, int64_t seen,
		  int64_t ms);

/* False while as many clients watch as may, for news or with a feed; to be asked
 * before request_wait and before a feed, so that connections are left for others.
 */
bool request_may_watch(const struct request *request);

/* False while as many requests are parked as may be; to be asked before
 * request_park. */
bool request_may_park(const struct request *request);

/* Parks until request_unpark, which any thread may call, also before request_park
 * returns. */
void request_park(struct request *request);
void request_unpark(struct request *request);

#endif
