/*
 * Feeds arbitrary bytes to what poold reads of requests, and to the reader of its
 * file of tokens, and looks for a caller who is let in without a credential.
 *
 * The first byte says what it is: `0` the body of a drain, `1` the query of a
 * preflight (three lines), `2` a header Authorization, `3` a file of tokens.
 */
#include "access/access.h"
#include "access/tokens.h"
#include "drains/drain.h"
#include "mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

/* ---- what the files are ---- */

static char folder[] = "/tmp/poolctl-fuzz-XXXXXX";
static char *tokens_file, *other_file;

static void remove_files(void)
{
	(void)unlink(tokens_file);
	(void)unlink(other_file);
	(void)rmdir(folder);
}

static void make_folder(void)
{
	if (tokens_file)
		return;
	(void)umask(077);
	require(mkdtemp(folder));
	tokens_file = tokens_path(folder);
	other_file = xasprintf("%s/other", folder);
	(void)atexit(remove_files);
}

/* ---- each kind of input ---- */

static void feed_drain(const char *text, size_t length)
{
	struct drain drain = {0};
	struct err err = {0};

	if (!drain_parse(text, length, &drain, &err))
		require(*drain.reason && json_is_array(drain.services));
	else
		require(err.code == ERR_INVALID_JSON ||
			err.code == ERR_UNKNOWN_FIELD ||
			err.code == ERR_INVALID_REQUEST);
	drain_done(&drain);
}

static void feed_plan(char *text)
{
	char *until = strchr(text, '\n'), *deadline = NULL;
	struct drain drain = {0};
	struct err err = {0};

	if (until) {
		*until++ = '\0';
		deadline = strchr(until, '\n');
	}
	if (deadline)
		*deadline++ = '\0';
	(void)drain_parse_plan(text, until, deadline, &drain, &err);
	drain_done(&drain);
}

static void feed_authorization(const char *text)
{
	static const char credential[] = "poold_local_0123456789abcdef";
	static struct access *access;
	struct access_note note;
	struct caller caller;
	struct err err = {0};

	if (!access) {
		access = access_new(folder);
		access_set_local(access, credential);
	}
	if (!access_identify(access, text, "192.0.2.1", &caller, &err))
		require(caller.kind == CREDENTIAL_LOCAL &&
			strlen(text) > strlen(credential) &&
			!strcmp(text + strlen(text) - strlen(credential),
				credential));
	else
		require(caller.role == ROLE_NONE && *err.text);
	while (access_take_note(access, &note))
		free(note.text);
}

/* What is taken is written again, and is the same then. */
static void feed_tokens(const char *text, size_t length)
{
	static struct tokens tokens, again;
	FILE *file = fopen(other_file, "wb");
	struct err err = {0};

	require(file && fwrite(text, 1, length, file) == length && !fclose(file));
	tokens = again = (struct tokens){0};
	if (tokens_load(other_file, &tokens, &err)) {
		require(!tokens.count && *err.text);
		return;
	}
	require(!tokens_save(other_file, &tokens, &err) &&
		!tokens_load(other_file, &again, &err) &&
		tokens.count == again.count);
	for (size_t i = 0; i < tokens.count; i++)
		require(tokens.items[i].role > ROLE_NONE &&
			!strcmp(tokens.items[i].hash, again.items[i].hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	make_folder();
	text = xcalloc(1, size);
	memcpy(text, data + 1, size - 1);
	if (*data == '0')
		feed_drain(text, size - 1);
	else if (*data == '1')
		feed_plan(text);
	else if (*data == '2')
		feed_authorization(text);
	else if (*data == '3')
		feed_tokens(text, size - 1);
	free(text);
	return 0;
}
