#include "access/access.h"

#include "access/failures.h"
#include "access/tokens.h"
#include "mem.h"
#include "system/file.h"
#include "system/log.h"
#include "system/rate.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	/* Refusals in the record: so many at once, then one each ten minutes, so
	 * that a client with an old token cannot push out in a year what matters.
	 */
	TOLD_AT_ONCE = 10,
	TOLD_EVERY_MS = 600000,
	/* A file that could not be used is read again, as a right that was mended
	 * does not show. */
	READ_AGAIN_MS = 2000,
	NOTES_LIMIT = 8,
};

const char *const access_refusals[REFUSAL__COUNT] = {
	[REFUSAL_MISSING] = "missing", [REFUSAL_UNKNOWN] = "unknown",
	[REFUSAL_EXPIRED] = "expired", [REFUSAL_REVOKED] = "revoked",
	[REFUSAL_SLOWED] = "slowed",   [REFUSAL_ROLE] = "role",
};

struct access {
	char *path;
	struct tokens tokens;
	char stamp[FILE_STAMP_BYTES];
	char problem[ERR_TEXT_BYTES]; /* why the file is not used; "": it is */
	struct mono read_at;
	char local[CHAIN_HASH_BYTES];
	struct failures failures;
	int64_t counts[REFUSAL__COUNT];
	struct rate told;
	struct access_note notes[NOTES_LIMIT];
	int note_count;
};

/* ---- notes ---- */

/* Takes the text over. */
static void add_note(struct access *access, enum event_kind kind, const char *from,
		     const char *who, char *text)
{
	struct access_note *note = &access->notes[access->note_count];

	if (access->note_count == NOTES_LIMIT) {
		free(text);
		return;
	}
	*note = (struct access_note){.kind = kind, .text = text};
	utf8_copy(note->from, sizeof(note->from), from);
	utf8_copy(note->who, sizeof(note->who), who);
	access->note_count++;
}

bool access_take_note(struct access *access, struct access_note *note)
{
	if (!access->note_count)
		return false;
	*note = access->notes[0];
	access->note_count--;
	memmove(access->notes, access->notes + 1,
		(size_t)access->note_count * sizeof(access->notes[0]));
	return true;
}

/* ---- the file ---- */

static void use(struct access *access, const struct tokens *fresh)
{
	struct buf change = {0};

	tokens_describe_change(&access->tokens, fresh, &change);
	access->tokens = *fresh;
	*access->problem = '\0';
	if (!change.length)
		return;
	log_info("%s", change.text);
	add_note(access, EVENT_TOKENS, "", "", change.text);
}

static void refuse_file(struct access *access, const char *problem)
{
	char *text;

	if (!strcmp(access->problem, problem))
		return;
	utf8_copy(access->problem, sizeof(access->problem), problem);
	text = xasprintf(
		"the tokens of before stay in force, as their file cannot be "
		"used: %s",
		problem);
	log_warning("%s", text);
	add_note(access, EVENT_TOKENS, "", "", text);
}

static void read_tokens(struct access *access)
{
	struct tokens *fresh = xcalloc(1, sizeof(*fresh));
	struct err err = {0};

	access->read_at = clock_mono();
	if (tokens_load(access->path, fresh, &err))
		refuse_file(access, err.text);
	else
		use(access, fresh);
	free(fresh);
}

static void refresh(struct access *access)
{
	char stamp[FILE_STAMP_BYTES];

	file_stamp(access->path, stamp);
	if (!strcmp(stamp, access->stamp) &&
	    !(*access->problem &&
	      clock_since(access->read_at, clock_mono()) >= READ_AGAIN_MS))
		return;
	utf8_copy(access->stamp, sizeof(access->stamp), stamp);
	read_tokens(access);
}

struct access *access_new(const char *state_dir)
{
	struct access *access = xcalloc(1, sizeof(*access));
	struct err err = {0};

	access->path = tokens_path(state_dir);
	file_stamp(access->path, access->stamp);
	access->read_at = clock_mono();
	/* Those that were there before are no change. */
	if (tokens_load(access->path, &access->tokens, &err))
		refuse_file(access, err.text);
	return access;
}

void access_set_local(struct access *access, const char *credential)
{
	chain_digest(credential, access->local);
}

void access_free(struct access *access)
{
	struct access_note note;

	if (!access)
		return;
	while (access_take_note(access, &note))
		free(note.text);
	free(access->path);
	free(access);
}

/* ---- refusals ---- */

static const struct {
	enum err_code code;
	bool is_failure; /* a guess, for which the address is slowed */
	const char *what;
	const char *remedy;
} refusals[REFUSAL__COUNT] = {
	[REFUSAL_MISSING] =
		{ERR_UNAUTHENTICATED, false, "it has no credential",
		 "this request needs a credential: give poolctl a token by "
		 "POOLCTL_TOKEN, POOLCTL_TOKEN_FILE or token_file in "
		 "pool.yaml ('poold token new' on the server makes one), or "
		 "run it as an administrator on the server itself"},
	[REFUSAL_UNKNOWN] =
		{ERR_UNAUTHENTICATED, true, "its token is unknown here",
		 "the token is unknown here; 'poold token list' on the server shows "
		 "those that are known, and 'poold token new' makes another"},
	[REFUSAL_EXPIRED] =
		{ERR_UNAUTHENTICATED, true, "its token has expired",
		 "the token has expired; 'poold token new' on the server "
		 "makes another"},
	[REFUSAL_REVOKED] =
		{ERR_UNAUTHENTICATED, true, "its token is revoked",
		 "the token is revoked; 'poold token new' on the server "
		 "makes another"},
	[REFUSAL_SLOWED] =
		{ERR_TOO_MANY_FAILURES, false, "its address has failed too often",
		 "too many requests of this address had a wrong credential; "
		 "correct the token of whatever asks from there, and try "
		 "again in some seconds"},
	[REFUSAL_ROLE] = {ERR_FORBIDDEN, false, "its role does not allow it", NULL},
};

static void tell(struct access *access, enum refusal why, const char *from,
		 const char *who)
{
	char *before, *text;

	if (!rate_take(&access->told, TOLD_AT_ONCE, TOLD_EVERY_MS, clock_mono()))
		return;
	before =
		access->told.left_out
			? xasprintf("; %lld before it were left out, as there were "
				    "too many",
				    (long long)access->told.left_out)
			: xstrdup("");
	text = xasprintf("a request was refused: %s%s", refusals[why].what, before);
	access->told.left_out = 0;
	log_request_warning("%s%s%s from %s", text, *who ? ", of " : "", who, from);
	add_note(access, EVENT_REFUSED, from, who, text);
	free(before);
}

static int refuse(struct access *access, enum refusal why, const char *from,
		  const char *who, struct err *err)
{
	struct net_address address;

	access->counts[why]++;
	if (refusals[why].is_failure && !net_address_parse(from, &address))
		failures_note(&access->failures, &address, clock_mono());
	tell(access, why, from, who);
	return refusals[why].remedy ? err_set(err, refusals[why].code, "%s",
					      refusals[why].remedy)
				    : -1;
}

static bool is_slowed(struct access *access, const char *from)
{
	struct net_address address;

	return !net_address_parse(from, &address) &&
	       failures_is_slowed(&access->failures, &address, clock_mono());
}

/* ---- who asks ---- */

/* RFC 6750, 2.1; the scheme in any case.  NULL for another one. */
static const char *bearer(const char *authorization)
{
	static const char scheme[] = "Bearer ";

	if (strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return NULL;
	authorization += strlen(scheme);
	return authorization + strspn(authorization, " ");
}

bool access_knows(struct access *access, const char *authorization)
{
	const char *text = authorization ? bearer(authorization) : NULL;
	const struct token *token;
	char hash[CHAIN_HASH_BYTES];

	if (!text)
		return false;
	chain_digest(text, hash);
	if (token_is_same(hash, access->local))
		return true;
	refresh(access);
	token = tokens_find_hash(&access->tokens, hash);
	return token && token_is_good(token, clock_wall());
}

int access_identify(struct access *access, const char *authorization,
		    const char *from, struct caller *caller, struct err *err)
{
	const char *text = authorization ? bearer(authorization) : NULL;
	const struct token *token;
	char hash[CHAIN_HASH_BYTES];

	*caller = (struct caller){0};
	if (!authorization)
		return refuse(access, REFUSAL_MISSING, from, "", err);
	chain_digest(text ? text : "", hash);
	if (token_is_same(hash, access->local)) {
		caller->kind = CREDENTIAL_LOCAL;
		caller->role = ROLE_ADMIN;
		return 0;
	}
	refresh(access);
	token = tokens_find_hash(&access->tokens, hash);
	/* A good one passes: many may share the address of a tunnel. */
	if ((!token || !token_is_good(token, clock_wall())) &&
	    is_slowed(access, from))
		return refuse(access, REFUSAL_SLOWED, from, "", err);
	if (!token)
		return refuse(access, REFUSAL_UNKNOWN, from, "", err);
	if (token->revoked_at.ms)
		return refuse(access, REFUSAL_REVOKED, from, token->name, err);
	if (token_is_expired(token, clock_wall()))
		return refuse(access, REFUSAL_EXPIRED, from, token->name, err);
	caller->kind = CREDENTIAL_TOKEN;
	caller->role = token->role;
	utf8_copy(caller->name, sizeof(caller->name), token->name);
	utf8_copy(caller->hash, sizeof(caller->hash), hash);
	return 0;
}

int access_require(struct access *access, const struct caller *caller,
		   enum role role, const char *what, const char *from,
		   struct err *err)
{
	if (caller->role >= role)
		return 0;
	(void)err_set(
		err, ERR_FORBIDDEN,
		"'%s' has the role %s; to %s, the role %s is needed: use another "
		"token, or make one on the server with 'poold token new --name NAME "
		"--role %s'",
		caller->name, caller_roles[caller->role], what, caller_roles[role],
		caller_roles[role]);
	return refuse(access, REFUSAL_ROLE, from, caller->name, err);
}

void access_note_role(struct access *access, const struct caller *caller,
		      const char *from)
{
	(void)refuse(access, REFUSAL_ROLE, from, caller->name, NULL);
}

bool access_is_still_good(struct access *access, const struct caller *caller)
{
	const struct token *token;

	if (caller->kind != CREDENTIAL_TOKEN)
		return true;
	refresh(access);
	token = tokens_find_hash(&access->tokens, caller->hash);
	return token && token_is_good(token, clock_wall());
}

const int64_t *access_counts(const struct access *access)
{
	return access->counts;
}
