/*
 * The commands of `poold token`: they write the file of tokens, which a running
 * poold reads again by itself.
 */
#ifndef POOLD_TOKEN_COMMANDS_H
#define POOLD_TOKEN_COMMANDS_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

/* They work on the file in the state directory, and return 0, or -1 with `err` set.
 */

/* Makes a token, prints it to standard output, the only time that anybody sees it,
 * and saves its hash; one that cannot be printed is not made.  `role` is an enum
 * role, and must be ROLE_VIEWER or more; `expires_ms` from now, 0 for never.  With
 * the `hash` of a token that another server made, that one is taken here as well,
 * and nothing is printed. Makes the state directory if it is not there yet. */
int token_commands_new(const char *state_dir, const char *name, int role,
		       int64_t expires_ms, const char *hash, struct err *err);

/* Prints the tokens as a table, or with their hashes as JSON. */
int token_commands_list(const char *state_dir, bool is_json, struct err *err);

/* From now on the token is refused; it stays in the list. */
int token_commands_revoke(const char *state_dir, const char *name, struct err *err);

#endif
