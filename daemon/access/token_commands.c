#include "access/token_commands.h"

#include "access/tokens.h"
#include "mem.h"
#include "system/file.h"
#include "system/private.h"
#include "text/json_write.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a command works on. */
struct work {
	char *state_dir, *path;
	struct tokens tokens;
};

static void finish(struct work *work)
{
	free(work->state_dir);
	free(work->path);
	free(work);
	private_end_as_owner();
}

/* Two commands at once must not lose what one of them wrote. */
static int lock(const struct work *work, struct err *err)
{
	char *path = xasprintf("%s/tokens.lock", work->state_dir);
	struct err problem = {0};
	int ret = file_make_directory(work->state_dir, err);

	if (!ret)
		ret = private_check_folder(work->state_dir, ERR_STATE_DIR, err);
	if (!ret && file_lock_for_life(path, &problem))
		ret = problem.code == ERR_STATE_LOCKED
			      ? err_set(err, ERR_STATE_LOCKED,
					"another 'poold token' command is at work; "
					"try again")
			      : err_set_os(err, problem.code, problem.os_code, "%s",
					   problem.text);
	free(path);
	return ret;
}

/* To be freed with finish(); NULL on failure. */
static struct work *begin(const char *state_dir, bool is_change, struct err *err)
{
	struct work *work = xcalloc(1, sizeof(*work));

	work->state_dir = xstrdup(state_dir);
	work->path = tokens_path(state_dir);
	private_begin();
	private_begin_as_owner(work->state_dir);
	if ((!is_change || !lock(work, err)) &&
	    !tokens_load(work->path, &work->tokens, err))
		return work;
	finish(work);
	return NULL;
}

/* A script reads the token alone from standard output. */
static int print_token(const char *text, struct err *err)
{
	if (puts(text) >= 0 && !fflush(stdout))
		return 0;
	return err_set(err, ERR_INTERNAL,
		       "no token was made, as it could not be printed");
}

static void explain(const struct token *token, bool is_shown)
{
	char until[CLOCK_TEXT_BYTES];

	(void)fprintf(
		stderr, "Token '%s' (%s), good until %s.%s\n", token->name,
		caller_roles[token->role],
		token->expires_at.ms ? clock_format(token->expires_at, until)
				     : "it is revoked",
		is_shown ? "  It is shown this once: put it into a file that "
			   "only its user can read, and name that in token_file "
			   "of pool.yaml or in POOLCTL_TOKEN_FILE."
			 : "");
}

/* It is printed before it is good: one that nobody saw must not stay. */
static int add(struct work *work, const struct token *token, const char *text,
	       struct err *err)
{
	if (tokens_add(&work->tokens, token, token->created_at, err) ||
	    (text && print_token(text, err)))
		return -1;
	if (!tokens_save(work->path, &work->tokens, err))
		return 0;
	return text ? err_prefix(err, "the token that was printed is not good")
		    : -1;
}

int token_commands_new(const char *state_dir, const char *name, int role,
		       int64_t expires_ms, const char *hash, struct err *err)
{
	struct token token = {.role = (enum role)role, .created_at = clock_wall()};
	char text[TOKEN_TEXT_BYTES];
	struct work *work;
	int ret;

	if (!name || role < ROLE_VIEWER)
		return err_set(
			err, ERR_USAGE,
			"'token new' needs --name, and --role viewer, operator "
			"or admin");
	work = begin(state_dir, true, err);
	if (!work)
		return -1;
	utf8_copy(token.name, sizeof(token.name), name);
	if (expires_ms)
		token.expires_at.ms = token.created_at.ms + expires_ms;
	ret = hash ? 0 : token_make(TOKEN_PREFIX, text, err);
	if (!ret && hash)
		utf8_copy(token.hash, sizeof(token.hash), hash);
	else if (!ret)
		chain_digest(text, token.hash);
	if (!ret)
		ret = add(work, &token, hash ? NULL : text, err);
	if (!ret)
		explain(&token, !hash);
	finish(work);
	return ret;
}

static const char *time_text(struct wall time, char text[CLOCK_TEXT_BYTES])
{
	return time.ms ? clock_format(time, text) : NULL;
}

static const char *state_of(const struct token *token, struct wall now)
{
	if (token->revoked_at.ms)
		return "revoked";
	return token_is_expired(token, now) ? "expired" : "good";
}

static void print_json(const struct tokens *tokens, struct wall now)
{
	json_t *list = json_array(), *root = json_object();
	char text[CLOCK_TEXT_BYTES];

	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		json_t *json = json_object();

		json_write_text(json, "name", token->name);
		json_write_text(json, "role", caller_roles[token->role]);
		json_write_text(json, "state", state_of(token, now));
		json_write_text(json, "sha256", token->hash);
		json_write_text(json, "created_at",
				time_text(token->created_at, text));
		json_write_text(json, "expires_at",
				time_text(token->expires_at, text));
		json_write_text(json, "revoked_at",
				time_text(token->revoked_at, text));
		json_write_item(list, json);
	}
	json_write_value(root, "tokens", list);
	(void)json_dumpf(root, stdout, JSON_INDENT(2));
	puts("");
	json_decref(root);
}

static void print_table(const struct tokens *tokens, struct wall now)
{
	char text[CLOCK_TEXT_BYTES];
	int width = 4;

	for (size_t i = 0; i < tokens->count; i++)
		if ((int)strlen(tokens->items[i].name) > width)
			width = (int)strlen(tokens->items[i].name);
	printf("%-*s  ROLE      STATE    EXPIRES\n", width, "NAME");
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->items[i];
		const char *until = time_text(token->expires_at, text);

		printf("%-*s  %-8s  %-7s  %s\n", width, token->name,
		       caller_roles[token->role], state_of(token, now),
		       until ? until : "never");
	}
}

int token_commands_list(const char *state_dir, bool is_json, struct err *err)
{
	struct work *work = begin(state_dir, false, err);

	if (!work)
		return -1;
	if (is_json)
		print_json(&work->tokens, clock_wall());
	else
		print_table(&work->tokens, clock_wall());
	finish(work);
	return 0;
}

static int revoke(struct work *work, const char *name, struct err *err)
{
	struct token *token = tokens_find_name(&work->tokens, name);

	if (!token)
		return err_set(
			err, ERR_USAGE,
			"there is no token '%s'; 'poold token list' shows all",
			name);
	if (token->revoked_at.ms) {
		printf("token '%s' is revoked already\n", name);
		return 0;
	}
	token->revoked_at = clock_wall();
	if (tokens_save(work->path, &work->tokens, err))
		return -1;
	printf("token '%s' is revoked\n", name);
	return 0;
}

int token_commands_revoke(const char *state_dir, const char *name, struct err *err)
{
	struct work *work = begin(state_dir, true, err);
	int ret;

	if (!work)
		return -1;
	ret = revoke(work, name, err);
	finish(work);
	return ret;
}
