#include "access/tokens.h"

#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

static const struct wall now = {1800000000000};
static const struct wall later = {1800000001000};

static struct token make(const char *name, enum role role, int64_t expires_ms)
{
	struct token token = {.role = role, .created_at = now};

	utf8_copy(token.name, sizeof(token.name), name);
	chain_digest(name, token.hash);
	token.expires_at.ms = expires_ms;
	return token;
}

static struct tokens two(void)
{
	struct tokens tokens = {0};
	struct token ci = make("ci", ROLE_OPERATOR, later.ms);
	struct token old = make("old", ROLE_ADMIN, 0);
	struct err err = {0};

	assert_int_equal(tokens_add(&tokens, &ci, now, &err), 0);
	assert_int_equal(tokens_add(&tokens, &old, now, &err), 0);
	tokens_find_name(&tokens, "old")->revoked_at = now;
	return tokens;
}

static void what_is_saved_is_loaded(void **state)
{
	struct temp_folder folder;
	struct tokens saved = two(), loaded = {0};
	struct err err = {0};
	struct stat status;
	char *path;

	(void)state;
	assert_int_equal(temp_folder_make(&folder), 0);
	path = tokens_path(folder.path);
	assert_int_equal(tokens_load(path, &loaded, &err), 0);
	assert_int_equal(loaded.count, 0);
	assert_int_equal(tokens_save(path, &saved, &err), 0);
	assert_int_equal(tokens_load(path, &loaded, &err), 0);
	assert_memory_equal(&saved, &loaded, sizeof(saved));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	temp_folder_remove(&folder);
	free(path);
}

/* Cut off after any of its bytes, it is not taken, and the tokens stay. */
static void a_half_written_file_is_never_used(void **state)
{
	struct temp_folder folder;
	struct tokens saved = two(), loaded = {.count = 7};
	struct err err = {0};
	char *path, *text;
	size_t length;

	(void)state;
	assert_int_equal(temp_folder_make(&folder), 0);
	path = tokens_path(folder.path);
	assert_int_equal(tokens_save(path, &saved, &err), 0);
	text = temp_folder_read(&folder, "tokens.json");
	length = strlen(text);
	/* The last two bytes are the end of the object and of its line. */
	for (size_t cut = length - 2; cut > 0; cut--) {
		text[cut] = '\0';
		err = (struct err){0};
		assert_int_equal(temp_folder_write(&folder, "tokens.json", text),
				 0);
		assert_int_equal(tokens_load(path, &loaded, &err), -1);
		assert_non_null(strstr(err.text, path));
		assert_int_equal(loaded.count, 7);
	}
	temp_folder_remove(&folder);
	free(text);
	free(path);
}

static void what_is_not_known_is_refused(void **state)
{
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"", "line 1"},
		{"[]", "'tokens'"},
		{"{\"tokens\": {}}", "'tokens'"},
		{"{\"tokens\": [], \"more\": 1}", "'tokens'"},
		{"{\"tokens\": [1]}", "token 1 has no 'name'"},
		{"{\"tokens\": [{\"name\": \"a b\"}]}", "token 1 has no 'name'"},
		{"{\"tokens\": [{\"name\": \"a\"}]}", "'role' and 'sha256'"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"none\"}]}",
		 "'role' must"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"root\"}]}",
		 "'role' must"},
		{"{\"tokens\": [{\"name\": \"a\", \"sha256\": \"0F\"}]}",
		 "'sha256' must"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"admin\", \"sha256\": \"" HASH
		 "\", \"expires_at\": \"soon\"}]}",
		 "'expires_at' must"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"admin\", \"sha256\": \"" HASH
		 "\", \"expires_at\": 0}]}",
		 "'expires_at' must"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"admin\", \"sha256\": \"" HASH
		 "\", \"revokd_at\": null}]}",
		 "'revokd_at'"},
		{"{\"tokens\": [{\"name\": \"a\", \"role\": \"admin\", \"sha256\": \"" HASH
		 "\"}, {\"name\": \"a\", \"role\": \"viewer\", \"sha256\": \"" HASH
		 "\"}]}",
		 "two tokens 'a'"},
	};
	struct temp_folder folder;
	struct tokens tokens = {0};
	char *path;

	(void)state;
	assert_int_equal(temp_folder_make(&folder), 0);
	path = tokens_path(folder.path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};

		assert_int_equal(
			temp_folder_write(&folder, "tokens.json", cases[i].text),
			0);
		assert_int_equal(tokens_load(path, &tokens, &err), -1);
		assert_int_equal(err.code, ERR_STATE_DIR);
		if (!strstr(err.text, cases[i].word))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	temp_folder_remove(&folder);
	free(path);
}

static void a_file_that_others_may_write_is_refused_with_the_remedy(void **state)
{
	struct temp_folder folder;
	struct tokens tokens = two();
	struct err err = {0};
	char *path;

	(void)state;
	assert_int_equal(temp_folder_make(&folder), 0);
	path = tokens_path(folder.path);
	assert_int_equal(tokens_save(path, &tokens, &err), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(tokens_load(path, &tokens, &err), -1);
	assert_non_null(strstr(err.text, "chmod go-w"));
	temp_folder_remove(&folder);
	free(path);
}

static void a_token_is_found_by_its_hash_alone(void **state)
{
	struct tokens tokens = two();
	char hash[CHAIN_HASH_BYTES];

	(void)state;
	chain_digest("ci", hash);
	assert_string_equal(tokens_find_hash(&tokens, hash)->name, "ci");
	hash[63] ^= 1;
	assert_null(tokens_find_hash(&tokens, hash));
	assert_true(token_is_same("abc", "abc"));
	assert_false(token_is_same("abc", "abd"));
	assert_false(token_is_same("abc", "ab"));
	assert_false(token_is_same("", "a"));
}

static void a_token_ends_when_it_expires_or_is_revoked(void **state)
{
	struct tokens tokens = two();

	(void)state;
	assert_true(token_is_good(tokens_find_name(&tokens, "ci"), now));
	assert_false(token_is_good(tokens_find_name(&tokens, "ci"), later));
	assert_false(token_is_good(tokens_find_name(&tokens, "old"), now));
}

static void only_the_name_of_a_token_that_ended_is_used_again(void **state)
{
	struct tokens tokens = two();
	struct token ci = make("ci", ROLE_VIEWER, 0),
		     old = make("old", ROLE_VIEWER, 0);
	struct err err = {0};

	(void)state;
	assert_int_equal(tokens_add(&tokens, &ci, now, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(tokens_add(&tokens, &ci, later, NULL), 0);
	assert_int_equal(tokens_add(&tokens, &old, now, NULL), 0);
	assert_int_equal(tokens.count, 2);
	assert_true(token_is_good(tokens_find_name(&tokens, "old"), now));
	while (tokens.count < TOKENS_LIMIT) {
		struct token more = {.role = ROLE_VIEWER};

		(void)snprintf(more.name, sizeof(more.name), "t%zu", tokens.count);
		chain_digest(more.name, more.hash);
		assert_int_equal(tokens_add(&tokens, &more, now, NULL), 0);
	}
	utf8_copy(old.name, sizeof(old.name), "other");
	chain_digest("other", old.hash);
	assert_int_equal(tokens_add(&tokens, &old, now, &err), -1);
}

/* Revoked under one name must mean revoked. */
static void one_token_has_one_name(void **state)
{
	struct tokens tokens = two();
	struct token copy = make("ci", ROLE_ADMIN, 0);
	struct err err = {0};

	(void)state;
	utf8_copy(copy.name, sizeof(copy.name), "other");
	assert_int_equal(tokens_add(&tokens, &copy, later, &err), -1);
	assert_non_null(strstr(err.text, "'ci'"));
}

static void no_two_tokens_are_the_same(void **state)
{
	char one[TOKEN_TEXT_BYTES], other[TOKEN_TEXT_BYTES];

	(void)state;
	assert_int_equal(token_make(TOKEN_PREFIX, one, NULL), 0);
	assert_int_equal(token_make(TOKEN_PREFIX, other, NULL), 0);
	assert_int_equal(strlen(one), strlen(TOKEN_PREFIX) + 64);
	assert_int_equal(strncmp(one, TOKEN_PREFIX, strlen(TOKEN_PREFIX)), 0);
	assert_string_not_equal(one, other);
}

static void a_change_is_described(void **state)
{
	struct tokens before = two(), after = two();
	struct token fresh = make("new", ROLE_VIEWER, 0);
	struct buf text = {0};

	(void)state;
	tokens_describe_change(&before, &after, &text);
	assert_int_equal(text.length, 0);
	assert_int_equal(tokens_add(&after, &fresh, now, NULL), 0);
	tokens_find_name(&after, "ci")->revoked_at = now;
	before.items[before.count++] = make("gone", ROLE_VIEWER, 0);
	tokens_describe_change(&before, &after, &text);
	assert_string_equal(text.text,
			    "token ci was revoked, token new (viewer) was "
			    "added, token gone was removed");
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(a_half_written_file_is_never_used),
		cmocka_unit_test(what_is_not_known_is_refused),
		cmocka_unit_test(
			a_file_that_others_may_write_is_refused_with_the_remedy),
		cmocka_unit_test(a_token_is_found_by_its_hash_alone),
		cmocka_unit_test(a_token_ends_when_it_expires_or_is_revoked),
		cmocka_unit_test(only_the_name_of_a_token_that_ended_is_used_again),
		cmocka_unit_test(one_token_has_one_name),
		cmocka_unit_test(no_two_tokens_are_the_same),
		cmocka_unit_test(a_change_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
