/*
 * The hash chain of the events: each event's hash covers the hash before it, so
 * that an event that is changed, taken out or put in later breaks every hash after
 * it.
 */
#ifndef POOLCTL_CHAIN_H
#define POOLCTL_CHAIN_H

enum { CHAIN_HASH_BYTES = 65 }; /* 64 hex digits and the end of the text */

/* The hash before the first event: 64 zeros. */
extern const char chain_start[CHAIN_HASH_BYTES];

/*
 * Writes to `next` the lower-case hex digits of SHA-256(previous + "\n" + text), as
 * `printf '%s\n%s' "$previous" "$text" | sha256sum` prints them.  `next` may be
 * `previous`.  Does not fail.
 */
void chain_next(const char previous[CHAIN_HASH_BYTES], const char *text,
		char next[CHAIN_HASH_BYTES]);

/* Writes the lower-case hex digits of SHA-256(text), as `printf '%s' "$text" |
 * sha256sum` prints them.  Does not fail. */
void chain_digest(const char *text, char digest[CHAIN_HASH_BYTES]);

#endif
