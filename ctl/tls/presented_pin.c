#include "tls/presented.h"

#include "mem.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left of a structure in DER (X.690). */
struct der {
	const uint8_t *at;
	size_t left;
};

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30, DER_VERSION = 0xA0 };

/* Reads the length behind a tag; -1 if it is none, or too large. */
static int read_length(struct der *in, size_t *length)
{
	unsigned bytes;

	if (!in->left)
		return -1;
	*length = *in->at++;
	in->left--;
	if (*length < 0x80)
		return 0;
	bytes = *length & 0x7F;
	*length = 0;
	if (!bytes || bytes > 3 || bytes > in->left)
		return -1;
	for (; bytes; bytes--, in->left--)
		*length = *length << 8 | *in->at++;
	return 0;
}

/* Takes the next element, which must have this tag: its content, and all of it. */
static int take(struct der *in, int tag, struct der *content, struct der *whole)
{
	struct der begin = *in;
	size_t length;

	if (!in->left || *in->at != tag)
		return -1;
	in->at++;
	in->left--;
	if (read_length(in, &length) || length > in->left)
		return -1;
	*content = (struct der){in->at, length};
	in->at += length;
	in->left -= length;
	*whole = (struct der){begin.at, begin.left - in->left};
	return 0;
}

/* Certificate: tbsCertificate: version, serial number, signature, issuer, validity,
 * subject, subjectPublicKeyInfo. */
static int find_key(struct der certificate, struct der *key)
{
	static const int before[] = {DER_INTEGER, DER_SEQUENCE, DER_SEQUENCE,
				     DER_SEQUENCE, DER_SEQUENCE};
	struct der parts, fields, skipped, whole;

	if (take(&certificate, DER_SEQUENCE, &parts, &whole) ||
	    take(&parts, DER_SEQUENCE, &fields, &whole))
		return -1;
	/* Only one of version 1 has none. */
	(void)take(&fields, DER_VERSION, &skipped, &whole);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (take(&fields, before[i], &skipped, &whole))
			return -1;
	return take(&fields, DER_SEQUENCE, &skipped, key);
}

static void make_pin(struct der key, char pin[PRESENTED_PIN_BYTES])
{
	static const char before[] = "sha256//";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha256;
	size_t length = strlen(before);

	sha256_init(&sha256);
	sha256_update(&sha256, key.left, key.at);
	sha256_digest(&sha256, sizeof(digest), digest);
	memcpy(pin, before, length);
	base64_encode_raw(pin + length, sizeof(digest), digest);
	pin[length + BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE)] = '\0';
}

int presented_make_pin(const char *pem, char pin[PRESENTED_PIN_BYTES])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *at = strstr(pem, begin), *end;
	struct base64_decode_ctx base64;
	struct der certificate, key;
	size_t length;
	uint8_t *bytes;
	int ret = -1;

	at = at ? at + strlen(begin) : NULL;
	end = at ? strstr(at, "-----END") : NULL;
	if (!end)
		return -1;
	length = (size_t)(end - at);
	bytes = xmalloc(BASE64_DECODE_LENGTH(length));
	base64_decode_init(&base64);
	if (base64_decode_update(&base64, &length, bytes, length, at) &&
	    base64_decode_final(&base64)) {
		certificate = (struct der){bytes, length};
		ret = find_key(certificate, &key);
		if (!ret)
			make_pin(key, pin);
	}
	free(bytes);
	return ret;
}
