#include "show/session_sources.h"

#include "api/view_text.h"
#include "terminal/print.h"
#include "text/duration.h"

#include <string.h>

/* Other kinds only count. */
static bool can_list(const struct session_source *source)
{
	return !strcmp(source->kind, "tcp") || !strcmp(source->kind, "rds");
}

static bool is_worth_a_line(const struct session_sources *sources)
{
	return sources->count > 1 || !can_list(sources->items) ||
	       !sources->items->is_known;
}

static void add_count(const struct session_source *source, struct wall now,
		      struct buf *text)
{
	char duration[DURATION_BYTES];

	buf_printf(text, "counted %lld", (long long)source->count);
	if (source->sampled_at.is_given)
		buf_printf(text, ", %s ago",
			   duration_print(now.ms - source->sampled_at.at.ms,
					  duration));
}

static void add_silence(const struct session_source *source, struct wall now,
			struct buf *text)
{
	view_text_silence(source, now, text);
	if (source->is_ignored)
		buf_puts(text, " (ignored)");
}

void session_sources_print(const char *service,
			   const struct session_sources *sources, struct wall now)
{
	if (!sources->count || !is_worth_a_line(sources))
		return;
	for (size_t i = 0; i < sources->count; i++) {
		const struct session_source *source = &sources->items[i];
		struct buf text = {0};

		(source->is_known ? add_count : add_silence)(source, now, &text);
		print_line(stdout, "%s: %s%s%s: %s", service, source->kind,
			   source->name ? " " : "",
			   source->name ? source->name : "", text.text);
		buf_done(&text);
	}
}
