/*
 * What a DNS server answered, from bytes.  Real servers, and bytes at random, are
 * for tests/system/test_dns.py; here is what those never say.
 */
#include "dns/dns_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NAME_AT = 12, TYPE_AT = 25, CLASS_AT = 27 };

/* "a.bc", asked for an IPv4 address, has 10.0.0.1 for 60 s. */
static const unsigned char good[] = {
	0x12, 0x34, 0x81, 0x80, 0, 1,  0, 1, 0,  0,    0,    0, 1,
	'a',  2,    'b',  'c',  0, 0,  1, 0, 1,  0xc0, 0x0c, 0, 1,
	0,    1,    0,    0,    0, 60, 0, 4, 10, 0,    0,    1,
};

struct asked {
	struct dns_reply reply;
	struct dns_query query;
};

static bool read_as(struct asked *asked, const char *name,
		    const unsigned char *bytes, size_t length)
{
	*asked = (struct asked){.query = {.kind = DNS_IPV4,
					  .name = name,
					  .ttl_s = DNS_TTL_LIMIT_S}};
	asked->query.reply = &asked->reply;
	return dns_answer_read(&asked->query, bytes, length);
}

static enum dns_status status_of(const char *name, const unsigned char *bytes,
				 size_t length)
{
	enum dns_status status;
	struct asked asked;

	(void)read_as(&asked, name, bytes, length);
	status = asked.reply.status;
	if (status != DNS_ANSWERED)
		assert_int_equal(asked.reply.addresses.count, 0);
	dns_answer_done(&asked.reply);
	return status;
}

static void a_good_answer_is_read(void **state)
{
	struct net_address expected;
	const struct dns_address *address;
	struct asked asked;

	(void)state;
	assert_false(read_as(&asked, "a.bc", good, sizeof(good)));
	assert_int_equal(asked.reply.status, DNS_ANSWERED);
	assert_int_equal(asked.reply.addresses.count, 1);
	address = asked.reply.addresses.items;
	assert_int_equal(net_address_parse("10.0.0.1", &expected), 0);
	assert_true(net_address_equal(&address->address, &expected));
	assert_int_equal(address->ttl_s, 60);
	dns_answer_done(&asked.reply);
}

static void of_an_answer_that_ends_early_nothing_is_believed(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(good); length++) {
		unsigned char bytes[sizeof(good)];

		/* At the end of an array, so that a sanitizer sees a read beyond.
		 */
		memcpy(bytes + sizeof(good) - length, good, length);
		assert_int_equal(
			status_of("a.bc", bytes + sizeof(good) - length, length),
			DNS_MALFORMED);
	}
}

/* As c-ares asks for it again over TCP, it was cut off there too. */
static void an_answer_that_was_cut_off_is_not_believed(void **state)
{
	unsigned char bytes[sizeof(good)];

	(void)state;
	memcpy(bytes, good, sizeof(good));
	bytes[2] |= 0x02;
	assert_int_equal(status_of("a.bc", bytes, sizeof(bytes)), DNS_MALFORMED);
}

static void another_name_class_or_type_is_no_answer(void **state)
{
	static const size_t fields[] = {TYPE_AT, CLASS_AT};

	(void)state;
	assert_int_equal(status_of("a.bd", good, sizeof(good)), DNS_NO_ADDRESS);
	assert_int_equal(status_of("a.b", good, sizeof(good)), DNS_NO_ADDRESS);
	assert_int_equal(status_of("A.Bc.", good, sizeof(good)), DNS_ANSWERED);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		unsigned char bytes[sizeof(good)];

		memcpy(bytes, good, sizeof(good));
		bytes[fields[i]] = 3;
		assert_int_equal(status_of("a.bc", bytes, sizeof(bytes)),
				 DNS_NO_ADDRESS);
	}
}

static void a_name_is_as_long_as_a_name_may_be(void **state)
{
	enum { LABELS = 4, LABEL_BYTES = 63, LONGEST_LAST = 61 };
	unsigned char bytes[NAME_AT + LABELS * (1 + LABEL_BYTES) + 5] = {
		0, 0, 0x81, 0x80, 0, 1};

	(void)state;
	for (size_t last = LONGEST_LAST - 1; last <= LONGEST_LAST + 1; last++) {
		size_t at = NAME_AT;

		for (int i = 0; i < LABELS; i++) {
			size_t length = i == LABELS - 1 ? last : LABEL_BYTES;

			bytes[at++] = (unsigned char)length;
			memset(bytes + at, 'x', length);
			at += length;
		}
		memset(bytes + at, 0, 5);
		assert_int_equal(status_of("x", bytes, at + 5),
				 last > LONGEST_LAST ? DNS_MALFORMED
						     : DNS_NO_ADDRESS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_answer_is_read),
		cmocka_unit_test(of_an_answer_that_ends_early_nothing_is_believed),
		cmocka_unit_test(an_answer_that_was_cut_off_is_not_believed),
		cmocka_unit_test(another_name_class_or_type_is_no_answer),
		cmocka_unit_test(a_name_is_as_long_as_a_name_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
