#include "chain.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>

#include <string.h>

const char chain_start[CHAIN_HASH_BYTES] =
	"0000000000000000000000000000000000000000000000000000000000000000";

static void finish(struct sha256_ctx *sha256, char hash[CHAIN_HASH_BYTES])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(sha256, sizeof(digest), digest);
	base16_encode_update(hash, sizeof(digest), digest);
	hash[CHAIN_HASH_BYTES - 1] = '\0';
}

void chain_next(const char previous[CHAIN_HASH_BYTES], const char *text,
		char next[CHAIN_HASH_BYTES])
{
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	sha256_update(&sha256, CHAIN_HASH_BYTES - 1, (const uint8_t *)previous);
	sha256_update(&sha256, 1, (const uint8_t *)"\n");
	sha256_update(&sha256, strlen(text), (const uint8_t *)text);
	finish(&sha256, next);
}

void chain_digest(const char *text, char digest[CHAIN_HASH_BYTES])
{
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	sha256_update(&sha256, strlen(text), (const uint8_t *)text);
	finish(&sha256, digest);
}
