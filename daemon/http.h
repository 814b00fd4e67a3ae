/*
 * The HTTP server: connections, limits, waiting.  What a request means is not known here.
 *
 * One thread of the library serves all connections.  A request that waits costs no
 * thread: it is parked, and its handler is called again when it may go on.
 */
#ifndef POOLD_HTTP_H
#define POOLD_HTTP_H

#include "clock.h"
#include "err.h"
#include "net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_ETAG_BYTES = 96,
	HTTP_FEEDS_LIMIT = 2000, /* bodies without an end; see request_may_feed */
};

struct http;
struct request;

/* What somebody may wait for: numbers that only grow. */
enum news { NEWS_INDEX, NEWS_EVENT, NEWS__COUNT };

/* A body that goes on until the client leaves or poold stops. */
struct feed {
	/*
	 * Writes at most so many bytes and returns how many: 0 if there is nothing now,
	 * and it is to be called again when http_wake brings NEWS_EVENT above `*seen`,
	 * or after `*rest_ms`; -1 if it cannot go on.  On the library's thread.
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
	void (*release)(void *arg); /* called instead of free(body) when it was sent */
	void *release_arg;
	struct feed feed;  /* instead of a body, if `read` is set */
	const char *allow; /* the Allow header of a 405 */
	char etag[HTTP_ETAG_BYTES];
	bool is_retryable; /* adds Retry-After */
};

struct http_setup {
	struct net_address address;
	uint16_t port; /* 0: any free one */
	/*
	 * Called when a request is complete.  True: `reply` is filled.  False: the
	 * request was parked with request_wait or request_park, and the handler is called
	 * again later.
	 */
	bool (*handle)(void *arg, struct request *request, struct reply *reply);
	/* Called when a request ends, for what its slot holds. */
	void (*finished)(void *arg, void *slot);
	void *arg;
};

/* Listens and serves.  Fails with ERR_LISTEN, which names the address. */
struct http *http_start(const struct http_setup *setup, struct err *err);
uint16_t http_port(const struct http *http);

/* Ends all connections, feeds after what they owe if that is taken at once.  Nothing may
 * be parked without a wake any more: see http_release. */
void http_stop(struct http *http);

/* Lets go on whoever waits for such news.  Any thread may call it. */
void http_wake(struct http *http, const int64_t news[NEWS__COUNT]);

/*
 * To be called about once a second: lets go on whoever waited long enough, and cuts
 * connections that take too long over a request, or over taking what a feed has for them.
 */
void http_look_after(struct http *http);

/* From here on nobody waits any more, and feeds end. */
void http_release(struct http *http);

const char *request_method(const struct request *request);
const char *request_path(const struct request *request);
const char *request_query(const struct request *request, const char *name);  /* or NULL */
const char *request_header(const struct request *request, const char *name); /* or NULL */
const char *request_body(const struct request *request, size_t *length);
bool request_is_too_large(const struct request *request);
const char *request_from(const struct request *request); /* the peer's address */

/* The handler's own, NULL at first, kept while the request is parked. */
void **request_slot(struct request *request);

/* Parks until http_wake brings such news above `seen`, or for so long. */
void request_wait(struct request *request, enum news news, int64_t seen, int64_t ms);

/* False while there are as many feeds as there may be. */
bool request_may_feed(const struct request *request);

/* Parks until request_unpark, which any thread may call, also before request_park
 * returns. */
void request_park(struct request *request);
void request_unpark(struct request *request);

#endif
