#include "api/sse.h"

#include <stdbool.h>
#include <string.h>

/* The value of the line if it is such a field, or NULL. */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	line += length + 1;
	return line + (*line == ' ');
}

/* Several lines of data are joined; of other fields the last line is in force
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6). */
static void read_field(struct buf *field, const char *line, const char *name,
		       bool is_joined)
{
	const char *value = value_of(line, name);

	if (!value)
		return;
	if (!is_joined)
		buf_done(field);
	if (field->text)
		buf_puts(field, "\n");
	buf_puts(field, value);
}

static void end_message(struct sse *sse,
			void (*got)(void *arg, const struct sse_message *message),
			void *arg)
{
	const struct sse_message message = {sse->id.text, sse->event.text,
					    sse->data.text};

	if (message.id || message.event || message.data)
		got(arg, &message);
	buf_done(&sse->id);
	buf_done(&sse->event);
	buf_done(&sse->data);
}

static void end_line(struct sse *sse,
		     void (*got)(void *arg, const struct sse_message *message),
		     void *arg)
{
	char *line = sse->line.text;

	if (line && line[sse->line.length - 1] == '\r')
		line[sse->line.length - 1] = '\0';
	if (!line || !*line) {
		end_message(sse, got, arg);
	} else {
		read_field(&sse->id, line, "id", false);
		read_field(&sse->event, line, "event", false);
		read_field(&sse->data, line, "data", true);
	}
	buf_done(&sse->line);
}

/* All that is kept of the message that is not complete. */
static size_t count_bytes(const struct sse *sse)
{
	return sse->line.length + sse->id.length + sse->event.length +
	       sse->data.length;
}

int sse_read(struct sse *sse, const char *bytes, size_t length,
	     void (*got)(void *arg, const struct sse_message *message), void *arg,
	     struct err *err)
{
	const char *end = bytes + length;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = newline ? newline : end;

		if (count_bytes(sse) + (size_t)(stop - bytes) > SSE_LIMIT_BYTES)
			return err_set(err, ERR_BAD_REPLY,
				       "an event is larger than %d bytes",
				       SSE_LIMIT_BYTES);
		if (stop > bytes)
			buf_add(&sse->line, bytes, (size_t)(stop - bytes));
		if (newline)
			end_line(sse, got, arg);
		bytes = newline ? newline + 1 : end;
	}
	return 0;
}

void sse_reset(struct sse *sse)
{
	buf_done(&sse->line);
	buf_done(&sse->id);
	buf_done(&sse->event);
	buf_done(&sse->data);
}
