#include "store/saved_text.h"

#include "api.h"
#include "system/file.h"
#include "system/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT_BYTES = 1 << 20 };

/* What poold itself reads in the file. */
static const char event_mark[] = ", with event ";
static const char nothing[] = "Nothing: there is nothing to put back.\n";

/* The words of sc.exe. */
static const char *const start_words[START__COUNT] = {
	[START_BOOT] = "boot",         [START_SYSTEM] = "system",
	[START_AUTOMATIC] = "auto",    [START_MANUAL] = "demand",
	[START_DISABLED] = "disabled",
};

static bool is_delayed(const struct saved *saved)
{
	return saved->start_type == START_AUTOMATIC &&
	       saved->delayed_auto_start == 1;
}

/* In quotes of PowerShell, unless every shell takes it as it is. */
static void add_name(const char *name, struct buf *text)
{
	bool is_plain = true;

	for (const char *at = name; *at; at++)
		is_plain = is_plain && (isalnum((unsigned char)*at) || *at == '_');
	if (is_plain) {
		buf_puts(text, name);
		return;
	}
	buf_puts(text, "'");
	for (; *name; name++)
		buf_add(text, *name == '\'' ? "''" : name, *name == '\'' ? 2 : 1);
	buf_puts(text, "'");
}

void saved_text_add(const char *service, const struct saved *saved,
		    struct buf *text)
{
	buf_printf(text, "%s was %s, startup %s%s", service,
		   api_service_states[saved->state],
		   api_start_types[saved->start_type],
		   is_delayed(saved) ? " (delayed)" : "");
}

void saved_text_add_commands(const char *service, const struct saved *saved,
			     const char *between, struct buf *text)
{
	buf_puts(text, "sc.exe config ");
	add_name(service, text);
	buf_printf(text, " start= %s",
		   is_delayed(saved) ? "delayed-auto"
				     : start_words[saved->start_type]);
	/* One that did not run is left as it is. */
	if (saved->state != STATE_RUNNING)
		return;
	buf_printf(text, "%sResume-Service ", between);
	add_name(service, text);
	buf_puts(text, " (if it is stopped: Start-Service ");
	add_name(service, text);
	buf_puts(text, ")");
}

static int add_entry(void *arg, const char *service, const struct saved *saved)
{
	struct buf *text = arg;

	saved_text_add(service, saved, text);
	buf_puts(text, "\n    ");
	saved_text_add_commands(service, saved, "\n    ", text);
	buf_puts(text, "\n");
	return 0;
}

void saved_text_write(struct saved_text *file, struct store *store, struct wall now)
{
	char time[CLOCK_TEXT_BYTES];
	struct buf text = {0};
	struct err err = {0};
	int count;

	buf_printf(
		&text,
		"What poold has taken out, as it was before, at %s%s%lld.\n"
		"poold puts it back when its drains end (poolctl resume).  The commands, "
		"for PowerShell,\nare for the day on which there is no poold and no "
		"store.\n\n",
		clock_format(now, time), event_mark,
		(long long)store_last_event(store, NULL));
	count = store_each_saved(store, add_entry, &text, &err);
	if (!count)
		buf_puts(&text, nothing);
	if (count < 0 || file_write(file->path, text.text, &err))
		log_warning("%s is not up to date: %s", file->path, err.text);
	free(file->text);
	file->text = text.text;
}

/* As of which event the file says that something is to be put back; 0 if it says
 * nothing, or was written by somebody else. */
static long long told_event(const char *path)
{
	long long event = 0;
	size_t length;
	char *text, *at;

	if (file_read(path, FILE_LIMIT_BYTES, ERR_STATE_DIR, &text, &length, NULL))
		return 0;
	at = strstr(text, event_mark);
	if (at && !strstr(text, nothing))
		event = strtoll(at + strlen(event_mark), NULL, 10);
	free(text);
	return event;
}

int saved_text_check_store(const char *path, struct store *store, struct err *err)
{
	long long told = told_event(path);
	long long last = store ? store_last_event(store, err) : 0;

	if (last < 0)
		return -1;
	if (told <= last)
		return 0;
	return err_set(
		err, ERR_STATE_DIR,
		"%s says what is to be put back, as of event %lld, but the last "
		"event in the store is %lld: the store was removed, or lost a "
		"part; see 'Repair a damaged store' in the runbooks",
		path, told, last);
}

void saved_text_check(struct saved_text *file, struct store *store, struct wall now)
{
	size_t length;
	char *found = NULL;

	if (!file->text)
		return;
	if (file_read(file->path, strlen(file->text), ERR_STATE_DIR, &found,
		      &length, NULL) ||
	    strcmp(found, file->text)) {
		log_warning("somebody else changed %s; it is written again",
			    file->path);
		saved_text_write(file, store, now);
	}
	free(found);
}

void saved_text_done(struct saved_text *file)
{
	free(file->path);
	free(file->text);
}
