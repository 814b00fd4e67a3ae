#include "verify.h"

#include "mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void verify_init(struct verify *verify, const char *head)
{
	*verify = (struct verify){.head = head};
	copy_text(verify->hash, sizeof(verify->hash), chain_start);
	verify->has_head = head && !strcmp(head, chain_start);
}

/* The hash covers the event as poold has written it, without the hash itself. */
static void add_to_chain(char hash[CHAIN_HASH_BYTES], const json_t *event)
{
	json_t *bare = json_copy((json_t *)event);
	char *text;

	(void)json_object_del(bare, "hash");
	text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text)
		abort();
	chain_next(hash, text, hash);
	free(text);
	json_decref(bare);
}

bool verify_follows(const char before[CHAIN_HASH_BYTES], const json_t *event)
{
	const char *said = json_string_value(json_object_get(event, "hash"));
	char hash[CHAIN_HASH_BYTES];

	copy_text(hash, sizeof(hash), before);
	add_to_chain(hash, event);
	return said && !strcmp(said, hash);
}

int verify_event(struct verify *verify, const json_t *event, struct err *err)
{
	const json_t *id = json_object_get(event, "id");
	const char *hash = json_string_value(json_object_get(event, "hash"));
	int64_t before = verify->id;

	if (!json_is_integer(id) || !hash)
		return err_set(err, ERR_BAD_REPLY,
			       "the event after id %lld has no id or no hash",
			       (long long)before);
	verify->id = json_integer_value(id);
	if (verify->id != before + 1)
		return err_set(err, ERR_NOT_VERIFIED,
			       "the event with id %lld is missing: %lld comes next",
			       (long long)before + 1, (long long)verify->id);
	add_to_chain(verify->hash, event);
	if (strcmp(hash, verify->hash) != 0)
		return err_set(
			err, ERR_NOT_VERIFIED,
			"the hash of the event with id %lld does not match: it was "
			"changed, or what came before it",
			(long long)verify->id);
	if (verify->head && !strcmp(hash, verify->head))
		verify->has_head = true;
	return 0;
}

int verify_end(const struct verify *verify, int64_t last_id, struct err *err)
{
	if (verify->id < last_id)
		return err_set(err, ERR_NOT_VERIFIED,
			       "the events from id %lld to %lld are missing",
			       (long long)verify->id + 1, (long long)last_id);
	if (verify->head && !verify->has_head)
		return err_set(err, ERR_NOT_VERIFIED,
			       "no event has the head %s: the record was cut off, or "
			       "written anew",
			       verify->head);
	return 0;
}
