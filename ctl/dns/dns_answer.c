#include "dns/dns_answer.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 1035, sections 3.2 and 4.1.1. */
enum {
	HEADER_BYTES = 12,
	QUESTION_BYTES = 4, /* after the name */
	RECORD_BYTES = 10,  /* after the name */
	LABEL_LIMIT = 63,
	CLASS_IN = 1,
	TYPE_CNAME = 5,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_CUT_OFF = 0x0200,
	FLAG_RECURSIVE = 0x0080,
	CODE_FINE = 0,
	CODE_FORMAT = 1,
	CODE_NO_NAME = 3,
	CODE_NOT_IMPLEMENTED = 4,
	CODE_REFUSED = 5,
};

static const struct {
	int type;
	size_t size_bytes;
	struct net_address (*read)(const void *bytes);
} kinds[DNS_KIND__COUNT] = {
	[DNS_IPV4] = {1, 4, net_address_from_ipv4},
	[DNS_IPV6] = {28, 16, net_address_from_ipv6},
};

static const struct {
	const char *name, *text;
	bool is_known;
} statuses[DNS_STATUS__COUNT] = {
	[DNS_SILENT] = {"silent", "no answer in time", false},
	[DNS_ANSWERED] = {"answered", "answered", true},
	[DNS_NO_NAME] = {"no_name", "no such name", true},
	[DNS_NO_ADDRESS] = {"no_address", "the name has no address", true},
	[DNS_LOOP] = {"loop", "its aliases form a loop", true},
	[DNS_BAD_NAME] = {"bad_name", "this is not a valid DNS name", true},
	[DNS_FAILED] = {"failed", "the DNS server failed (SERVFAIL)", false},
	[DNS_FORMAT] = {"format",
			"the DNS server does not understand the question (FORMERR)",
			false},
	[DNS_REFUSED] = {"refused", "the DNS server refuses to answer", false},
	[DNS_UNREACHABLE] = {"unreachable", "no DNS server is reachable there",
			     false},
	[DNS_MALFORMED] = {"malformed", "the answer cannot be understood", false},
};

bool dns_answer_is_known(enum dns_status status)
{
	return statuses[status].is_known;
}

const char *dns_answer_status_name(enum dns_status status)
{
	return statuses[status].name;
}

const char *dns_answer_status_text(enum dns_status status)
{
	return statuses[status].text;
}

int dns_answer_record_type(enum dns_kind kind)
{
	return kinds[kind].type;
}

/* ---- bytes ---- */

struct reader {
	const unsigned char *bytes;
	size_t length, at;
	int left; /* records that are still to come */
};

struct record {
	char name[DNS_NAME_BYTES];
	int type, class;
	int64_t ttl_s;
	size_t data, size_bytes; /* where they are */
};

static int read_16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static bool has_bytes(const struct reader *reader, size_t at, size_t count)
{
	return at <= reader->length && reader->length - at >= count;
}

/* Neither in a name that people read, nor in one that is asked, may be just
 * anything. */
static bool is_printable(const unsigned char *label, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.' ||
		    label[i] == '\\')
			return false;
	return true;
}

/*
 * Reads the name at `*at`, which is moved behind it; -1 if there is none.  A name
 * may end with the end of an earlier one (RFC 1035, section 4.1.4): always earlier,
 * hence this comes to an end.
 */
static int read_name(const struct reader *reader, size_t *at,
		     char name[DNS_NAME_BYTES])
{
	size_t from = *at, earliest = *at, used = 0;
	bool has_jumped = false;

	while (has_bytes(reader, from, 1) && reader->bytes[from]) {
		size_t length = reader->bytes[from];

		if (length <= LABEL_LIMIT) {
			if (!has_bytes(reader, from + 1, length) ||
			    used + length + 2 > DNS_NAME_BYTES ||
			    !is_printable(reader->bytes + from + 1, length))
				return -1;
			if (used)
				name[used++] = '.';
			memcpy(name + used, reader->bytes + from + 1, length);
			used += length;
			from += 1 + length;
			continue;
		}
		if (length < 0xc0 || !has_bytes(reader, from, 2))
			return -1;
		if (!has_jumped)
			*at = from + 2;
		has_jumped = true;
		from = (size_t)(read_16(reader->bytes + from) & 0x3fff);
		if (from >= earliest)
			return -1;
		earliest = from;
	}
	if (!has_bytes(reader, from, 1))
		return -1;
	if (!has_jumped)
		*at = from + 1;
	name[used] = '\0';
	return 0;
}

/* To the first record of the answer. */
static int start_reading(struct reader *reader, const unsigned char *bytes,
			 size_t length)
{
	char name[DNS_NAME_BYTES];

	*reader = (struct reader){bytes, length, HEADER_BYTES, read_16(bytes + 6)};
	for (int i = 0; i < read_16(bytes + 4); i++) {
		if (read_name(reader, &reader->at, name) ||
		    !has_bytes(reader, reader->at, QUESTION_BYTES))
			return -1;
		reader->at += QUESTION_BYTES;
	}
	return 0;
}

/* 1: there is a record, 0: there is none left, -1: it cannot be read. */
static int read_record(struct reader *reader, struct record *record)
{
	const unsigned char *fields;
	uint32_t ttl_s;

	if (!reader->left)
		return 0;
	reader->left--;
	if (read_name(reader, &reader->at, record->name) ||
	    !has_bytes(reader, reader->at, RECORD_BYTES))
		return -1;
	fields = reader->bytes + reader->at;
	record->type = read_16(fields);
	record->class = read_16(fields + 2);
	ttl_s = (uint32_t)read_16(fields + 4) << 16 | (uint32_t)read_16(fields + 6);
	/* RFC 2181, section 8. */
	record->ttl_s = ttl_s > DNS_TTL_LIMIT_S ? 0 : ttl_s;
	record->size_bytes = (size_t)read_16(fields + 8);
	record->data = reader->at + RECORD_BYTES;
	reader->at = record->data + record->size_bytes;
	return has_bytes(reader, record->data, record->size_bytes) ? 1 : -1;
}

/* ---- the answer ---- */

static void *add_item(struct list *list, size_t size_bytes)
{
	list->items = xrealloc(list->items, (list->count + 1) * size_bytes);
	return (char *)list->items + list->count++ * size_bytes;
}

static bool is_same_name(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);

	a_length -= a_length && a[a_length - 1] == '.';
	b_length -= b_length && b[b_length - 1] == '.';
	return a_length == b_length && !strncasecmp(a, b, a_length);
}

/* The next record of this type that belongs to the name in question; see
 * read_record. */
static int find_record(struct reader *reader, const struct dns_query *query,
		       int type, struct record *record)
{
	int found;

	while ((found = read_record(reader, record)) > 0)
		if (record->type == type && record->class == CLASS_IN &&
		    is_same_name(record->name, query->name))
			break;
	return found;
}

/* The query goes on with the alias, unless that was there before. */
static bool take_alias(struct dns_query *query, const char *asked,
		       const char *alias, int64_t ttl_s)
{
	struct list *aliases = &query->reply->aliases;

	if (aliases->count == DNS_ALIAS_LIMIT || is_same_name(asked, alias))
		return false;
	LIST_EACH (char *, other, *aliases)
		if (is_same_name(*other, alias))
			return false;
	query->name = *(char **)add_item(aliases, sizeof(char *)) = xstrdup(alias);
	if (ttl_s < query->ttl_s)
		query->ttl_s = ttl_s;
	return true;
}

/* The records of an answer may stand in any order, hence a walk for each alias. */
static enum dns_status follow_aliases(struct dns_query *query, struct reader start)
{
	const char *asked = query->name;

	for (;;) {
		struct reader reader = start;
		struct record record;
		char alias[DNS_NAME_BYTES];
		int found = find_record(&reader, query, TYPE_CNAME, &record);

		if (!found)
			return DNS_ANSWERED;
		if (found < 0 || read_name(&reader, &record.data, alias))
			return DNS_MALFORMED;
		if (!take_alias(query, asked, alias, record.ttl_s))
			return DNS_LOOP;
	}
}

static enum dns_status take_addresses(struct dns_query *query, struct reader reader)
{
	struct list *addresses = &query->reply->addresses;
	struct record record;
	int found;

	while ((found = find_record(&reader, query, kinds[query->kind].type,
				    &record)) > 0) {
		struct dns_address *address;

		if (record.size_bytes != kinds[query->kind].size_bytes)
			return DNS_MALFORMED;
		address = add_item(addresses, sizeof(*address));
		address->address =
			kinds[query->kind].read(reader.bytes + record.data);
		address->ttl_s =
			record.ttl_s < query->ttl_s ? record.ttl_s : query->ttl_s;
	}
	if (found < 0)
		return DNS_MALFORMED;
	return addresses->count ? DNS_ANSWERED : DNS_NO_ADDRESS;
}

static enum dns_status read_answer(struct dns_query *query,
				   const unsigned char *bytes, size_t length)
{
	enum dns_status status;
	struct reader reader;
	int flags, code;

	if (length < HEADER_BYTES)
		return DNS_MALFORMED;
	flags = read_16(bytes + 2);
	code = flags & 15;
	if (code == CODE_REFUSED || code == CODE_NOT_IMPLEMENTED)
		return DNS_REFUSED;
	if (code == CODE_FORMAT)
		return DNS_FORMAT;
	if (code != CODE_FINE && code != CODE_NO_NAME)
		return DNS_FAILED;
	if (flags & FLAG_CUT_OFF || start_reading(&reader, bytes, length))
		return DNS_MALFORMED;
	/* It knows nothing of the name, and at best says who may. */
	if (code == CODE_FINE && !reader.left &&
	    !(flags & (FLAG_AUTHORITATIVE | FLAG_RECURSIVE)))
		return DNS_REFUSED;
	status = follow_aliases(query, reader);
	if (status != DNS_ANSWERED)
		return status;
	return code == CODE_NO_NAME ? DNS_NO_NAME : take_addresses(query, reader);
}

/* A resolver gives all that an alias leads to; another server may not. */
bool dns_answer_read(struct dns_query *query, const unsigned char *bytes,
		     size_t length)
{
	struct dns_reply *reply = query->reply;
	const char *asked = query->name;

	reply->status = read_answer(query, bytes, length);
	if (reply->status != DNS_ANSWERED)
		reply->addresses.count = 0;
	return reply->status == DNS_NO_ADDRESS && query->name != asked;
}

void dns_answer_done(struct dns_reply *reply)
{
	LIST_EACH (char *, alias, reply->aliases)
		free(*alias);
	free(reply->aliases.items);
	free(reply->addresses.items);
	*reply = (struct dns_reply){0};
}
