#include "access/tokens.h"

#include "mem.h"
#include "system/file.h"
#include "system/host.h"
#include "system/private.h"
#include "text/json_parse.h"
#include "text/json_write.h"
#include "text/words.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT_BYTES = 256 << 10, RANDOM_BYTES = 32 };

char *tokens_path(const char *state_dir)
{
	return xasprintf("%s/tokens.json", state_dir);
}

/* ---- reading ---- */

static int fail(const char *name, const char *field, const char *must,
		struct err *err)
{
	return err_set(err, ERR_STATE_DIR, "token '%.64s': '%.32s' must be %s",
		       name, field, must);
}

/* A time may be null. */
static int read_time(const json_t *value, struct wall *wall)
{
	if (json_is_null(value))
		return 0;
	return json_is_string(value) ? clock_parse(json_string_value(value), wall)
				     : -1;
}

static bool is_hash(const char *text)
{
	return strlen(text) == CHAIN_HASH_BYTES - 1 &&
	       strspn(text, "0123456789abcdef") == CHAIN_HASH_BYTES - 1;
}

static int read_field(const char *field, const json_t *value, struct token *token,
		      struct err *err)
{
	const char *text = json_string_value(value);
	int role;

	if (!strcmp(field, "name"))
		return 0;
	if (!strcmp(field, "role")) {
		role = text ? words_find(caller_roles, text) : -1;
		token->role = role > 0 ? (enum role)role : ROLE_NONE;
		return role > 0 ? 0
				: fail(token->name, field,
				       "viewer, operator or admin", err);
	}
	if (!strcmp(field, "sha256")) {
		if (!text || !is_hash(text))
			return fail(token->name, field, "64 digits 0-9 a-f", err);
		utf8_copy(token->hash, sizeof(token->hash), text);
		return 0;
	}
	if (!strcmp(field, "created_at"))
		return read_time(value, &token->created_at)
			       ? fail(token->name, field, "a time", err)
			       : 0;
	if (!strcmp(field, "expires_at"))
		return read_time(value, &token->expires_at)
			       ? fail(token->name, field, "a time or null", err)
			       : 0;
	if (!strcmp(field, "revoked_at"))
		return read_time(value, &token->revoked_at)
			       ? fail(token->name, field, "a time or null", err)
			       : 0;
	return err_set(err, ERR_STATE_DIR,
		       "token '%.64s' has an unknown field '%.32s'", token->name,
		       field);
}

static int read_token(const json_t *json, struct tokens *tokens, struct err *err)
{
	const char *name = json_string_value(json_object_get(json, "name"));
	struct token *token = &tokens->items[tokens->count];
	const char *field;
	json_t *value;

	if (!name || !api_id_is_valid(name))
		return err_set(err, ERR_STATE_DIR,
			       "token %zu has no 'name' of 1 to 64 letters, digits "
			       "and . _ @ -",
			       tokens->count + 1);
	if (tokens_find_name(tokens, name))
		return err_set(err, ERR_STATE_DIR, "there are two tokens '%s'",
			       name);
	*token = (struct token){0};
	utf8_copy(token->name, sizeof(token->name), name);
	json_object_foreach ((json_t *)json, field, value)
		if (read_field(field, value, token, err))
			return -1;
	if (!token->role || !*token->hash)
		return err_set(err, ERR_STATE_DIR,
			       "token '%s' needs 'role' and 'sha256'", name);
	tokens->count++;
	return 0;
}

static int read_document(const json_t *root, struct tokens *tokens, struct err *err)
{
	const json_t *list = json_object_get(root, "tokens");
	const json_t *json;
	size_t i;

	if (!json_is_array(list) || json_object_size(root) != 1)
		return err_set(err, ERR_STATE_DIR,
			       "it must be one object with the list 'tokens'");
	if (json_array_size(list) > TOKENS_LIMIT)
		return err_set(err, ERR_STATE_DIR, "it has more than %d tokens",
			       TOKENS_LIMIT);
	json_array_foreach (list, i, json)
		if (read_token(json, tokens, err))
			return -1;
	return 0;
}

int tokens_load(const char *path, struct tokens *tokens, struct err *err)
{
	struct tokens *fresh = xcalloc(1, sizeof(*fresh));
	json_error_t error;
	json_t *root = NULL;
	char *text = NULL;
	size_t length;
	int ret = -1;

	if (!file_exists(path)) {
		ret = 0;
	} else if (!private_check_own_file(path, ERR_STATE_DIR, err) &&
		   !file_read_regular(path, FILE_LIMIT_BYTES, ERR_STATE_DIR, &text,
				      &length, err)) {
		root = json_parse(text, length, 0, &error);
		ret = root ? read_document(root, fresh, err)
			   : err_set(err, ERR_STATE_DIR, "line %d, column %d: %s",
				     error.line, error.column, error.text);
		if (ret)
			(void)err_prefix(err, "%s", path);
	}
	if (!ret)
		*tokens = *fresh;
	json_decref(root);
	free(text);
	free(fresh);
	return ret;
}

/* ---- writing ---- */

static void write_time(json_t *json, const char *name, struct wall time)
{
	char text[CLOCK_TEXT_BYTES];

	json_write_text(json, name, time.ms ? clock_format(time, text) : NULL);
}

int tokens_save(const char *path, const struct tokens *tokens, struct err *err)
{
	json_t *list = json_array(), *root = json_object();
	char *text, *lines;
	int ret;

	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		json_t *json = json_object();

		json_write_text(json, "name", token->name);
		json_write_text(json, "role", caller_roles[token->role]);
		json_write_text(json, "sha256", token->hash);
		write_time(json, "created_at", token->created_at);
		write_time(json, "expires_at", token->expires_at);
		write_time(json, "revoked_at", token->revoked_at);
		json_write_item(list, json);
	}
	json_write_value(root, "tokens", list);
	text = json_dumps(root, JSON_INDENT(2));
	lines = xasprintf("%s\n", text);
	ret = file_write(path, lines, err);
	json_decref(root);
	free(text);
	free(lines);
	return ret;
}

/* ---- tokens ---- */

int token_make(const char *prefix, char text[TOKEN_TEXT_BYTES], struct err *err)
{
	unsigned char bytes[RANDOM_BYTES];
	size_t used = strlen(prefix);

	if (host_random(bytes, sizeof(bytes), err))
		return -1;
	utf8_copy(text, TOKEN_TEXT_BYTES, prefix);
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(text + used + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

bool token_is_expired(const struct token *token, struct wall now)
{
	return token->expires_at.ms && now.ms >= token->expires_at.ms;
}

bool token_is_good(const struct token *token, struct wall now)
{
	return !token->revoked_at.ms && !token_is_expired(token, now);
}

struct token *tokens_find_name(struct tokens *tokens, const char *name)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (!strcmp(tokens->items[i].name, name))
			return &tokens->items[i];
	return NULL;
}

int tokens_add(struct tokens *tokens, const struct token *token, struct wall now,
	       struct err *err)
{
	struct token *known = tokens_find_name(tokens, token->name);

	if (!known && tokens_find_hash(tokens, token->hash))
		return err_set(err, ERR_USAGE,
			       "this token has another name here: '%s'",
			       tokens_find_hash(tokens, token->hash)->name);
	if (known && token_is_good(known, now))
		return err_set(
			err, ERR_USAGE,
			"there is a token '%s' (%s); choose another name, or "
			"revoke it first: poold token revoke %s",
			known->name, caller_roles[known->role], known->name);
	if (!known && tokens->count == TOKENS_LIMIT)
		return err_set(
			err, ERR_USAGE,
			"there are %d tokens, and there can be no more; make "
			"new ones with the names of revoked ones",
			TOKENS_LIMIT);
	*(known ? known : &tokens->items[tokens->count++]) = *token;
	return 0;
}

bool token_is_same(const char *a, const char *b)
{
	size_t length = strlen(a);
	volatile unsigned char differs = 0;

	if (length != strlen(b))
		return false;
	for (size_t i = 0; i < length; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return !differs;
}

const struct token *tokens_find_hash(const struct tokens *tokens,
				     const char hash[CHAIN_HASH_BYTES])
{
	const struct token *found = NULL;

	for (size_t i = 0; i < tokens->count; i++)
		if (token_is_same(tokens->items[i].hash, hash))
			found = &tokens->items[i];
	return found;
}

/* ---- changes ---- */

static void describe(const struct token *token, const struct token *before,
		     struct buf *text)
{
	const char *between = text->length ? ", " : "";

	if (before && !strcmp(before->hash, token->hash) &&
	    before->role == token->role &&
	    before->expires_at.ms == token->expires_at.ms &&
	    before->revoked_at.ms == token->revoked_at.ms)
		return;
	if (before && token->revoked_at.ms && !before->revoked_at.ms)
		buf_printf(text, "%stoken %s was revoked", between, token->name);
	else
		buf_printf(text, "%stoken %s (%s) was %s", between, token->name,
			   caller_roles[token->role], before ? "changed" : "added");
}

void tokens_describe_change(const struct tokens *before, const struct tokens *after,
			    struct buf *text)
{
	for (size_t i = 0; i < after->count; i++)
		describe(&after->items[i],
			 tokens_find_name((struct tokens *)before,
					  after->items[i].name),
			 text);
	for (size_t i = 0; i < before->count; i++)
		if (!tokens_find_name((struct tokens *)after,
				      before->items[i].name))
			buf_printf(text, "%stoken %s was removed",
				   text->length ? ", " : "", before->items[i].name);
}
