#include "record.h"

#include "eventlog.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>

/* There is always room for what is tied to one commit: a drain, or all services. */
enum { UNTIED_LIMIT = 255, WAITING_LIMIT = UNTIED_LIMIT + API_SERVICES_LIMIT + 2 };

struct waiting {
	struct event event; /* owns its texts */
	enum event_kind kind;
	bool is_tied;
};

struct record {
	struct store *store;
	struct wall (*clock)(void);
	int64_t last_id;
	char head[CHAIN_HASH_BYTES]; /* hash of the last event */
	struct waiting waiting[WAITING_LIMIT];
	int count;
	int64_t lost; /* events that did not fit */
	bool is_failing;
};

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static char *text_from(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(object);
	return text;
}

static void discard(struct waiting *waiting)
{
	const struct event *event = &waiting->event;
	const char *texts[] = {event->service, event->who,    event->from, event->why,
			       event->text,    event->before, event->after};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free((char *)texts[i]);
}

struct record *record_open(struct store *store, struct wall (*clock)(void),
			   struct err *err)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->store = store;
	record->clock = clock;
	if (!store_get_head(store, &record->last_id, record->head, err))
		return record;
	free(record);
	return NULL;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	for (int i = 0; i < record->count; i++)
		discard(&record->waiting[i]);
	free(record);
}

void record_add(struct record *record, const struct line *line)
{
	struct waiting *waiting = &record->waiting[record->count];

	if (record->count >= (line->is_tied ? WAITING_LIMIT : UNTIED_LIMIT)) {
		record->lost++;
		json_decref(line->before);
		json_decref(line->after);
		return;
	}
	record->count++;
	*waiting = (struct waiting){
		.kind = line->kind,
		.is_tied = line->is_tied,
		.event = {.time = record->clock(),
			  .kind = event_kind_name(line->kind),
			  .service = copy(line->service),
			  .who = copy(line->who),
			  .from = copy(line->from),
			  .why = copy(line->why),
			  .text = copy(line->text),
			  .before = text_from(line->before),
			  .after = text_from(line->after)},
	};
}

static void add_lost(struct record *record)
{
	char *text;

	if (!record->lost)
		return;
	text = xasprintf("%lld events could not be written while the store failed",
			 (long long)record->lost);
	/* Tied, so that it is said anew, with more of them, if this fails too. */
	record_add(record, &(struct line){.kind = EVENT_LOST,
					  .who = "poold",
					  .text = text,
					  .is_tied = true});
	free(text);
}

/* Chains the events that wait, and gives them to the store. */
static int write_waiting(struct record *record, char head[CHAIN_HASH_BYTES],
			 struct err *err)
{
	copy_text(head, CHAIN_HASH_BYTES, record->head);
	for (int i = 0; i < record->count; i++) {
		struct event *event = &record->waiting[i].event;
		char hash[CHAIN_HASH_BYTES];
		int ret;

		event->id = record->last_id + 1 + i;
		event_hash(event, head, hash);
		event->hash = hash;
		ret = store_add_event(record->store, event, err);
		event->hash = NULL;
		if (ret)
			return -1;
		copy_text(head, CHAIN_HASH_BYTES, hash);
	}
	return 0;
}

static void tell_event_log(const struct waiting *waiting)
{
	const struct event *event = &waiting->event;
	char *text;

	if (!event_kind_is_for_event_log(waiting->kind))
		return;
	text = xasprintf("%s%s%s%s%s%s%s%s%s", event->service ? event->service : "",
			 event->service ? ": " : "",
			 event->text ? event->text : event->kind,
			 event->who ? "\nby " : "", event->who ? event->who : "",
			 event->from ? " from " : "", event->from ? event->from : "",
			 event->why ? "\nreason: " : "", event->why ? event->why : "");
	eventlog_write(event_kind_id(waiting->kind), event_kind_level(waiting->kind),
		       text);
	free(text);
}

static void on_written(struct record *record, const char head[CHAIN_HASH_BYTES])
{
	copy_text(record->head, sizeof(record->head), head);
	record->last_id += record->count;
	for (int i = 0; i < record->count; i++) {
		tell_event_log(&record->waiting[i]);
		discard(&record->waiting[i]);
	}
	record->count = 0;
	record->lost = 0;
}

static void drop_tied(struct record *record)
{
	int kept = 0;

	for (int i = 0; i < record->count; i++)
		if (record->waiting[i].is_tied)
			discard(&record->waiting[i]);
		else
			record->waiting[kept++] = record->waiting[i];
	record->count = kept;
}

/* Said once, not with every attempt. */
static void note_health(struct record *record, const struct err *failure)
{
	bool is_failing = failure->code != ERR_NONE;

	if (is_failing && !record->is_failing)
		log_error("%s; it is tried again, and what is held stays held",
			  failure->text);
	if (!is_failing && record->is_failing)
		log_info("the store can be written again");
	record->is_failing = is_failing;
}

int record_commit(struct record *record, struct err *err)
{
	char head[CHAIN_HASH_BYTES];
	struct err failure = {0};
	int ret;

	if (!record->count && !record->lost && !store_has_writes(record->store))
		return 0;
	add_lost(record);
	ret = write_waiting(record, head, &failure);
	/* After a failed write the commit only closes what is open. */
	if (store_commit(record->store, ret ? NULL : &failure))
		ret = -1;
	note_health(record, &failure);
	if (!ret) {
		on_written(record, head);
		return 0;
	}
	drop_tied(record);
	return err_set(err, failure.code, "%s", failure.text);
}

int64_t record_last(const struct record *record)
{
	return record->last_id;
}

bool record_is_failing(const struct record *record)
{
	return record->is_failing;
}
