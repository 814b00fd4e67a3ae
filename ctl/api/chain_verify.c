#include "api/chain_verify.h"

#include "api.h"
#include "utf8.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void chain_verify_init(struct chain_verify *verify, const char *head)
{
	*verify = (struct chain_verify){.head = head, .first = 1};
	utf8_copy(verify->hash, sizeof(verify->hash), chain_start);
	verify->has_head = head && !strcmp(head, chain_start);
}

/* What the first event's hash follows from is not known any more; the next one's
 * follows from it. */
void chain_verify_begin(struct chain_verify *verify, const json_t *event,
			int64_t last_id)
{
	int64_t id = json_integer_value(json_object_get(event, "id"));
	const char *hash = json_string_value(json_object_get(event, "hash"));

	if (id <= 1 || !hash || last_id - id + 1 < API_EVENTS_KEPT)
		return;
	verify->first = id;
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

bool chain_verify_follows(const char before[CHAIN_HASH_BYTES], const json_t *event)
{
	const char *said = json_string_value(json_object_get(event, "hash"));
	char hash[CHAIN_HASH_BYTES];

	utf8_copy(hash, sizeof(hash), before);
	add_to_chain(hash, event);
	return said && !strcmp(said, hash);
}

int chain_verify_event(struct chain_verify *verify, const json_t *event,
		       struct err *err)
{
	const json_t *id = json_object_get(event, "id");
	const char *hash = json_string_value(json_object_get(event, "hash"));
	bool is_first = verify->first > 1 && !verify->id;
	int64_t before = is_first ? verify->first - 1 : verify->id;

	if (!json_is_integer(id) || !hash)
		return err_set(err, ERR_BAD_REPLY,
			       "the event after id %lld has no id or no hash",
			       (long long)before);
	verify->id = json_integer_value(id);
	if (verify->id != before + 1)
		return err_set(err, ERR_NOT_VERIFIED,
			       "event %lld is missing: event %lld follows",
			       (long long)before + 1, (long long)verify->id);
	if (is_first)
		utf8_copy(verify->hash, sizeof(verify->hash), hash);
	else
		add_to_chain(verify->hash, event);
	if (strcmp(hash, verify->hash) != 0)
		return err_set(err, ERR_NOT_VERIFIED,
			       "the hash of event %lld does not match: this event "
			       "or an earlier one was changed",
			       (long long)verify->id);
	if (verify->head && !strcmp(hash, verify->head))
		verify->has_head = true;
	return 0;
}

int chain_verify_end(const struct chain_verify *verify, int64_t last_id,
		     struct err *err)
{
	if (verify->id < last_id)
		return err_set(err, ERR_NOT_VERIFIED,
			       "events %lld to %lld are missing",
			       (long long)verify->id + 1, (long long)last_id);
	if (verify->head && !verify->has_head)
		return err_set(
			err, ERR_NOT_VERIFIED,
			"no event has the hash %s: the record was cut off or "
			"replaced%s",
			verify->head,
			verify->first > 1 ? ", or poold has removed that event, as "
					    "it keeps the newest 100,000"
					  : "");
	return 0;
}
