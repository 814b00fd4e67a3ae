/*
 * The tokens that poold takes, in a file of its state directory.
 *
 * The file has a hash of each token, never the token: a token has 256 random bits,
 * so that SHA-256 without a salt keeps it secret.  `poold token` writes the file,
 * and a running poold reads it again when it changes.  It is one JSON document, so
 * that a file that was cut off cannot be taken for a whole one.
 */
#ifndef POOLD_TOKENS_H
#define POOLD_TOKENS_H

#include "access/caller.h"
#include "buf.h"
#include "clock.h"
#include "err.h"

enum {
	TOKENS_LIMIT = 256,
	TOKEN_TEXT_BYTES = 96, /* a prefix, 64 hex digits, a NUL */
};

/* The life of a token of which nobody says how long it is good: 90 days. */
#define TOKENS_USUAL_MS ((int64_t)90 * 24 * 3600 * 1000)

/* What a token begins with, so that people and scanners of secrets know it; see
 * also API_LOCAL_PREFIX. */
#define TOKEN_PREFIX "poolctl_"

struct token {
	char name[API_ID_BYTES];
	enum role role; /* ROLE_VIEWER or more */
	char hash[CHAIN_HASH_BYTES];
	struct wall created_at;
	struct wall expires_at; /* 0: never */
	struct wall revoked_at; /* 0: it is not revoked */
};

struct tokens {
	struct token items[TOKENS_LIMIT];
	size_t count;
};

/* The path of the file in a state directory, to be freed. */
char *tokens_path(const char *state_dir);

/* Reads the file; if there is none, there are no tokens.  Fails with ERR_STATE_DIR
 * and leaves `tokens` as it was: if others may write the file, if it is not whole,
 * or says anything that is not known. */
int tokens_load(const char *path, struct tokens *tokens, struct err *err);

/* Writes the file, so that a reader sees the old one or the new one. */
int tokens_save(const char *path, const struct tokens *tokens, struct err *err);

/* Makes a token with 256 random bits behind the prefix. */
int token_make(const char *prefix, char text[TOKEN_TEXT_BYTES], struct err *err);

/* Adds a token, in the place of one of this name that is revoked or has expired;
 * fails with ERR_USAGE if one of this name is in use, or there are too many. */
int tokens_add(struct tokens *tokens, const struct token *token, struct wall now,
	       struct err *err);

/* NULL if there is none of this name. */
struct token *tokens_find_name(struct tokens *tokens, const char *name);

/* The token with this hash, whether it is good or not; NULL if there is none. Takes
 * as long for each hash. */
const struct token *tokens_find_hash(const struct tokens *tokens,
				     const char hash[CHAIN_HASH_BYTES]);

bool token_is_expired(const struct token *token, struct wall now);
bool token_is_good(const struct token *token, struct wall now);

/* Compares two texts of one length in a time that does not tell where they differ;
 * false at once if the lengths differ. */
bool token_is_same(const char *a, const char *b);

/* Says what changed from one set to the other, "token ci (operator) was added,
 * token old was revoked"; "" if nothing did.  The caller frees the buf. */
void tokens_describe_change(const struct tokens *before, const struct tokens *after,
			    struct buf *text);

#endif
