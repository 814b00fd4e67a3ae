/*
 * Reads the fields of a reply.
 *
 * A reply comes from another machine.  A field that is not what it should be is
 * ERR_BAD_REPLY, which names the field; the value that is given then does no harm.
 * As the first error stays in `err`, a reader may read all fields and look at it
 * once.
 */
#ifndef POOLCTL_REPLY_READ_H
#define POOLCTL_REPLY_READ_H

#include "clock.h"
#include "err.h"
#include "pool.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { COUNT_UNKNOWN = -1 };

/* The most that an id, an index or a number of sessions may be: a whole number that
 * every JSON program can read (RFC 8259, 6), and of which a thousand can be added
 * up. */
extern const int64_t reply_id_most, reply_count_most;

/* A moment that may not be given. */
struct moment {
	bool is_given;
	struct wall at;
};

/* May a field have no value?  Never; as null; or also by being absent, as in
 * replies of an older poold. */
enum reply_absence { REPLY_REQUIRED, REPLY_NULL, REPLY_OPTIONAL };

/* Parses the whole reply; NULL on failure. */
json_t *reply_read_document(const char *body, size_t length, struct err *err);

/* Sets the error "'name' is not WHAT", as in "a text".  Returns -1. */
int reply_read_fail(const char *name, const char *what, struct err *err);

/* Fails with ERR_WRONG_SERVER if the reply says that it comes from another server,
 * or from one of this name in another pool. */
int reply_read_check_server(const json_t *reply, const struct pool_server *server,
			    struct err *err);

/* A text, borrowed from the object; NULL without a value, "" on failure. */
const char *reply_read_text(const json_t *object, const char *name,
			    enum reply_absence absence, struct err *err);

bool reply_read_flag(const json_t *object, const char *name,
		     enum reply_absence absence, struct err *err);

/* A number from 0 to `most`; COUNT_UNKNOWN without a value. */
int64_t reply_read_number(const json_t *object, const char *name, int64_t most,
			  enum reply_absence absence, struct err *err);

/* For what is only information, and must not hinder: COUNT_UNKNOWN also for what
 * cannot be read; NULL for what is no text. */
int64_t reply_read_estimate(const json_t *object, const char *name, int64_t most);
const char *reply_read_hint(const json_t *object, const char *name);

struct moment reply_read_time(const json_t *object, const char *name,
			      enum reply_absence absence, struct err *err);

/* The index of a word in a list of words (see words.h); `usual` without one. */
int reply_read_word(const json_t *object, const char *name,
		    const char *const *words, int usual, enum reply_absence absence,
		    struct err *err);

/* An object; NULL without a value, and on failure. */
const json_t *reply_read_object(const json_t *object, const char *name,
				enum reply_absence absence, struct err *err);

/* A list of at most `most` items; NULL without a value, and on failure. */
const json_t *reply_read_list(const json_t *object, const char *name, size_t most,
			      enum reply_absence absence, struct err *err);

#endif
