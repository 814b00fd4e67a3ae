#include "show/nagios.h"

#include "terminal/print.h"
#include "utf8.h"

#include <string.h>

static const char *const status_names[] = {
	[NAGIOS_OK] = "OK",
	[NAGIOS_WARNING] = "WARNING",
	[NAGIOS_CRITICAL] = "CRITICAL",
	[NAGIOS_UNKNOWN] = "UNKNOWN",
};

/* What hinders no user now can wait for the morning. */
static enum nagios_status fault_status(enum pool_state_check check)
{
	return check == POOL_CONFIG || check == POOL_OWN_NAMES ||
			       check == POOL_CLOCKS || check == POOL_CERTIFICATES
		       ? NAGIOS_WARNING
		       : NAGIOS_CRITICAL;
}

/* '|' begins the performance data, and a line feed ends the line.  Who gets the
 * alert on a telephone reads no more than the beginning. */
static void add_plain(struct buf *text, const char *part)
{
	enum { PART_BYTES = 160 };
	char bounded[PART_BYTES];

	utf8_copy(bounded, sizeof(bounded), part ? part : "");
	for (char *c = bounded; *c; c++)
		if (strchr("|\r\n", *c))
			*c = ' ';
	buf_printf(text, "%s%s", bounded,
		   part && strlen(part) >= PART_BYTES ? "..." : "");
}

static void add_number(struct buf *data, const char *pool, const char *what,
		       size_t value, const char *rest)
{
	buf_printf(data, "%s'%s %s'=%zu%s", data->length ? " " : "", pool, what,
		   value, rest);
}

static void add_numbers(struct buf *data, const struct pool_snapshot_pool *pool,
			size_t serve)
{
	char limits[32];
	size_t answered = 0;
	int64_t sessions = 0;
	const char *name = pool->pool->named.name;

	for (size_t i = 0; i < pool->member_count; i++) {
		const struct gate_member *member = &pool->standings[i];

		answered += pool->members[i].view != NULL;
		if (sessions >= 0)
			sessions = member->sessions < 0
					   ? COUNT_UNKNOWN
					   : sessions + member->sessions;
	}
	(void)snprintf(limits, sizeof(limits), ";;;0;%zu", pool->member_count);
	add_number(data, name, "serving", serve, limits);
	add_number(data, name, "answered", answered, limits);
	/* What is unknown is left out: it is not zero. */
	if (sessions >= 0)
		add_number(data, name, "sessions", (size_t)sessions, ";;;0");
}

void nagios_add(struct nagios *line, const struct pool_snapshot_pool *pool,
		const struct pool_state *state)
{
	size_t serve = 0;

	for (size_t i = 0; i < pool->member_count; i++)
		serve += pool->standings[i].standing == STANDING_SERVING;
	buf_printf(&line->text, "%s%s: %zu of %zu serve",
		   line->text.length ? "; " : "", pool->pool->named.name, serve,
		   pool->member_count);
	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		enum nagios_status status = fault_status((enum pool_state_check)i);

		if (state->results[i].verdict != GATE_REFUSED)
			continue;
		buf_printf(&line->text, ", %s: ",
			   pool_state_check_name((enum pool_state_check)i));
		add_plain(&line->text, state->results[i].text.text);
		if (status > line->status)
			line->status = status;
	}
	add_numbers(&line->data, pool, serve);
}

int nagios_print(struct nagios *line)
{
	int status = (int)line->status;

	print_line(stdout, "POOLCTL %s - %s | %s", status_names[status],
		   line->text.text, line->data.text);
	buf_done(&line->text);
	buf_done(&line->data);
	return status;
}

int nagios_fail(const char *why)
{
	struct buf text = {0};

	add_plain(&text, why);
	print_line(stdout, "POOLCTL %s - %s", status_names[NAGIOS_UNKNOWN],
		   text.text ? text.text : "");
	buf_done(&text);
	return NAGIOS_UNKNOWN;
}
