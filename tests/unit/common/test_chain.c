/*
 * The chain is what anybody with sha256sum can compute.
 */
#include "chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* printf '%s\n%s' "$previous" "$text" | sha256sum, the first two in a row. */
static const char first[] =
	"cca6fe2b6ac2f23ff34e3d7cd60e9b4462026d1115a08a76d438bb5f901d22ec";
static const char second[] =
	"5860a74996859a2c477100b5b606ff248a53248ef1336ea5af3039539ecdb4e2";

static void known_texts_have_known_hashes(void **state)
{
	static const struct {
		const char *previous, *text, *next;
	} vectors[] = {
		{chain_start, "{\"id\":1}", first},
		{first, "", second},
		{chain_start, "",
		 "827d096d92f3deeaa0e8070d79f45beb176768e57a958a1cd325f5f4b754b048"},
		{chain_start, "ü",
		 "550a414b548feb81df414127d875573bbb88395bab67a62b0f07f18895f354ad"},
	};
	char next[CHAIN_HASH_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		chain_next(vectors[i].previous, vectors[i].text, next);
		assert_string_equal(next, vectors[i].next);
	}
}

/* A thousand "x": several blocks of SHA-256. */
static void long_texts_are_hashed_whole(void **state)
{
	char text[1001] = "", next[CHAIN_HASH_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	chain_next(chain_start, text, next);
	assert_string_equal(
		next,
		"d117c34f2db97359784401d045d0e37acc0f71bdd9f45bf6e7a6a663911fcd98");
}

static void a_hash_may_be_replaced_by_the_next(void **state)
{
	char hash[CHAIN_HASH_BYTES];

	(void)state;
	memcpy(hash, chain_start, sizeof(hash));
	chain_next(hash, "{\"id\":1}", hash);
	assert_string_equal(hash, first);
	chain_next(hash, "", hash);
	assert_string_equal(hash, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts_have_known_hashes),
		cmocka_unit_test(long_texts_are_hashed_whole),
		cmocka_unit_test(a_hash_may_be_replaced_by_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
