#include "store/record.h"

#include "store/eventlog.h"
#include "system/log.h"
#include "system/file.h"
#include "mem.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* There is always room for the events of one commit: of a drain, or of all
 * services. */
enum { LOSSES_BYTES = 4096 };
enum { UNTIED_LIMIT = 255, WAITING_LIMIT = UNTIED_LIMIT + API_SERVICES_LIMIT + 2 };

struct waiting {
	struct event event; /* owns its texts */
	enum event_kind kind;
	bool is_tied;
};

struct record {
	struct store *store;
	struct wall (*clock)(void);
	struct eventlog *eventlog; /* or NULL */
	int64_t last_id;
	char head[CHAIN_HASH_BYTES]; /* hash of the last event */
	struct waiting waiting[WAITING_LIMIT];
	int count;
	int64_t lost;       /* events that did not fit */
	struct err failure; /* of the last commit */
	char *losses_path;  /* or NULL */
	int64_t noted;      /* that file says that so many are not written */
};

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static char *text_from(json_t *object)
{
	char *text =
		object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(object);
	return text;
}

static void discard(struct waiting *waiting)
{
	const struct event *event = &waiting->event;
	const char *texts[] = {event->service, event->who,  event->from,
			       event->why,     event->text, event->before,
			       event->after};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free((char *)texts[i]);
}

struct record *record_open(struct store *store, struct wall (*clock)(void),
			   struct err *err)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->store = store;
	record->clock = clock;
	if (store_get_head(store, &record->last_id, record->head, err)) {
		free(record);
		return NULL;
	}
	record->eventlog = eventlog_open();
	return record;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	for (int i = 0; i < record->count; i++)
		discard(&record->waiting[i]);
	eventlog_close(record->eventlog);
	free(record->losses_path);
	free(record);
}

/* ---- losses ---- */

/* One length for all: nothing is longer than two numbers and a space. */
static char *losses_text(const struct record *record)
{
	return xasprintf("%-20lld %-20lld\n", (long long)record->last_id,
			 (long long)record_unwritten(record));
}

/* Those after the last event that the file knows; if there are later ones, the
 * commit that was to write them all has worked. */
static int64_t read_losses(const struct record *record)
{
	long long last_id = 0, count = 0;
	char *text = NULL;
	size_t length;

	if (!file_read(record->losses_path, LOSSES_BYTES, ERR_STATE_DIR, &text,
		       &length, NULL) &&
	    (sscanf(text, "%lld %lld", &last_id, &count) != 2 || count < 0 ||
	     last_id != record->last_id))
		count = 0;
	free(text);
	return count;
}

void record_keep_losses(struct record *record, const char *path)
{
	char *text;

	record->losses_path = xstrdup(path);
	record->noted = record->lost = read_losses(record);
	text = losses_text(record);
	if (!file_exists(path))
		(void)file_create(path, text, NULL);
	free(text);
}

static void note_losses(struct record *record)
{
	int64_t count = record_unwritten(record);
	char *text;

	if (!record->losses_path || count == record->noted)
		return;
	text = losses_text(record);
	/* Somebody may have removed it. */
	if (!file_overwrite(record->losses_path, text, NULL) ||
	    !file_create(record->losses_path, text, NULL))
		record->noted = count;
	free(text);
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
	text = xasprintf(
		"%lld events were lost while the store could not be written",
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
	utf8_copy(head, CHAIN_HASH_BYTES, record->head);
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
		utf8_copy(head, CHAIN_HASH_BYTES, hash);
	}
	return 0;
}

static void tell_event_log(const struct record *record,
			   const struct waiting *waiting)
{
	const struct event *event = &waiting->event;
	char *text;

	if (!event_kind_is_for_event_log(waiting->kind))
		return;
	text = xasprintf(
		"%s%s%s%s%s%s%s%s%s", event->service ? event->service : "",
		event->service ? ": " : "", event->text ? event->text : event->kind,
		event->who ? "\nby " : "", event->who ? event->who : "",
		event->from ? " from " : "", event->from ? event->from : "",
		event->why ? "\nreason: " : "", event->why ? event->why : "");
	eventlog_write(record->eventlog, event_kind_id(waiting->kind),
		       event_kind_level(waiting->kind), text);
	free(text);
}

static void on_written(struct record *record, const char head[CHAIN_HASH_BYTES])
{
	utf8_copy(record->head, sizeof(record->head), head);
	record->last_id += record->count;
	for (int i = 0; i < record->count; i++) {
		tell_event_log(record, &record->waiting[i]);
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
	bool was_failing = record->failure.code != ERR_NONE;

	if (is_failing && !was_failing)
		log_error("%s; poold tries again, and what is out stays out",
			  failure->text);
	if (!is_failing && was_failing)
		log_info("poold can write to its store again");
	record->failure = *failure;
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
	/* After a failed write the commit only ends the transaction. */
	if (store_commit(record->store, ret ? NULL : &failure))
		ret = -1;
	note_health(record, &failure);
	if (!ret) {
		on_written(record, head);
		note_losses(record);
		return 0;
	}
	drop_tied(record);
	note_losses(record);
	return err_set(err, failure.code, "%s", failure.text);
}

int64_t record_last(const struct record *record)
{
	return record->last_id;
}

int record_verify(struct record *record, struct err *err)
{
	struct err damage = {0};

	if (!store_verify(record->store, record->last_id, record->head, &damage))
		return 0;
	note_health(record, &damage);
	return err_set(err, damage.code, "%s", damage.text);
}

void record_check(struct record *record)
{
	store_mend(record->store);
	if (record_verify(record, NULL))
		return;
	(void)store_touch(record->store, NULL);
	(void)record_commit(record, NULL);
}

const char *record_failure(const struct record *record)
{
	return record->failure.code ? record->failure.text : NULL;
}

int64_t record_unwritten(const struct record *record)
{
	return record->count + record->lost;
}
