#include "show/progress_display.h"

#include "terminal/redraw.h"
#include "mem.h"
#include "terminal/terminal.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "text/text.h"
#include "api/view_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	DRAW_MS = 125,
	BAR_COLUMNS = 20,
	NUMBERS_COLUMNS = 37, /* the phase, the sessions, the time */
	RATE_COLUMNS = 9,
	PART_BYTES = 512,
};

/* The last line that was printed of a server. */
struct printed {
	char *line; /* without what changes with time; or NULL */
	struct mono at;
};

struct progress_display {
	const struct job *jobs;
	size_t count;
	bool is_drawn; /* on a terminal, over and over */
	bool has_color, has_utf8;
	int name_columns;
	int64_t heartbeat_ms;
	struct printed *printed; /* not drawn: of each server */
	struct redraw frame;     /* drawn: what is on the screen */
	struct mono drawn_at;
};

/* A line under construction, which takes what still fits. */
struct line {
	struct buf *out;
	int columns_left;
	bool has_utf8;
};

struct progress_display *progress_display_new(const struct job *jobs, size_t count,
					      bool has_color, int64_t heartbeat_ms)
{
	struct progress_display *display = xcalloc(1, sizeof(*display));

	display->jobs = jobs;
	display->count = count;
	display->is_drawn = terminal_can_draw(stderr);
	display->frame.stream = stderr;
	display->has_color = has_color;
	display->has_utf8 = terminal_takes_utf8(stderr);
	display->heartbeat_ms = heartbeat_ms;
	display->printed = xcalloc(count, sizeof(*display->printed));
	display->drawn_at = clock_add(clock_mono(), -DRAW_MS);
	for (size_t i = 0; i < count; i++) {
		/* A server's name is ASCII, as an id is, and no longer. */
		int columns = (int)strlen(jobs[i].server->named.name);

		if (columns > display->name_columns)
			display->name_columns = columns;
		display->printed[i].at = clock_mono();
	}
	return display;
}

void progress_display_free(struct progress_display *display)
{
	if (!display)
		return;
	for (size_t i = 0; i < display->count; i++)
		free(display->printed[i].line);
	free(display->printed);
	redraw_done(&display->frame);
	free(display);
}

static const char *phase_of(const struct job *job)
{
	if (job->view)
		return api_phases[job->view->phase];
	return job->step == STEP_DONE ? job->result.word : "asking";
}

static void add_sessions(struct buf *text, const struct job *job, const char *what)
{
	const struct progress_view *progress = &job->view->progress;

	text_add_count(text, progress->sessions);
	if (progress->peak > 0)
		buf_printf(text, " of %lld", (long long)progress->peak);
	buf_printf(text, " %sleft", what);
}

/* True while the number of sessions left matters. */
static bool has_sessions(const struct job *job)
{
	return job->view &&
	       (job->view->phase == PHASE_DRAINING ||
		(job->view->phase == PHASE_ATTENTION && job_drain(job)));
}

/* Adds what matters more than numbers; returns false if there is nothing. */
static bool add_trouble(struct buf *text, const struct job *job)
{
	char duration[DURATION_BYTES];

	if (job->step == STEP_DONE && job->result.message)
		buf_puts(text, job->result.message);
	else if (job->is_failing && job->problem.is_silence)
		buf_printf(text, "no answer for %s",
			   duration_print(
				   clock_since(job->failing_since, clock_mono()),
				   duration));
	else if (job->is_failing || job_is_held_up(job))
		buf_puts(text, job->problem.text);
	else if (job->step == STEP_TURN)
		buf_puts(text,
			 "waiting for another server of this command to go first");
	else if (job->is_troubled)
		goal_explain(&job->order->goal, job->view, OUTCOME_ATTENTION, text);
	else
		return false;
	return true;
}

/* Adds a text, cleaned, after two spaces.  One that is too long is cut, or left
 * out, and then false is returned. */
static bool add(struct line *line, const char *text, bool is_cut)
{
	char part[PART_BYTES];

	(void)snprintf(part, sizeof(part), "  %s", text);
	text_clean(part, line->has_utf8);
	if (!is_cut && text_columns(part) > line->columns_left)
		return false;
	part[text_fit(part, line->columns_left)] = '\0';
	line->columns_left -= text_columns(part);
	buf_puts(line->out, part);
	return true;
}

/* The same for a text that may be empty, which is freed. */
static bool add_buf(struct line *line, struct buf *text, bool is_cut)
{
	bool is_added = !text->length || add(line, text->text, is_cut);

	buf_done(text);
	return is_added;
}

static bool is_out(const struct job *job)
{
	return has_sessions(job) ||
	       (job->view && job->view->phase == PHASE_DRAINED);
}

static double share_done(const struct job *job)
{
	const struct progress_view *progress = &job->view->progress;

	if (job->view->phase == PHASE_DRAINED)
		return 1;
	if (progress->sessions < 0 || progress->sessions > progress->peak ||
	    !progress->peak)
		return 0;
	return (double)(progress->peak - progress->sessions) /
	       (double)progress->peak;
}

/* Adds how the drain is to end, and what that has cost. */
static void add_drain_options(struct buf *text, const struct job *job,
			      bool has_countdown)
{
	const struct drain_view *drain = job_drain(job);
	struct wall now;

	if (drain) {
		now.ms = job->view->time.ms;
		if (has_countdown)
			now.ms += clock_since(job->view_at, clock_mono());
		view_text_drain_options(drain, now, has_countdown, text);
	}
	if (job->view && goal_cut(&job->order->goal, job->view) > 0)
		buf_printf(text, "%s%lld cut", text->length ? ", " : "",
			   (long long)goal_cut(&job->order->goal, job->view));
}

/* Adds how long the drain still takes, or that this is unknown; without `is_whole`
 * only the beginning.  A server in trouble may still take sessions, so it has none.
 */
static void add_eta(struct buf *text, const struct job *job, bool is_whole)
{
	if (job->view && job->view->phase == PHASE_DRAINING)
		view_text_eta(&job->view->progress, is_whole, text);
}

/* While a service may still take new sessions: adds what it waits for. */
static void add_not_out_yet(struct buf *text, const struct job *job)
{
	const struct drain_view *drain = job_drain(job);

	for (size_t i = 0; drain && !drain->is_out && i < job->view->service_count;
	     i++) {
		const struct service_view *service = &job->view->services[i];

		if (service->phase == PHASE_DRAINING &&
		    server_view_covers(drain, service->name))
			buf_printf(text, "%s%s: %s", text->length ? ", " : "",
				   service->name, service->message);
	}
}

/* With the two columns before it. */
static int count_columns(const struct buf *text)
{
	return text->length ? text_columns(text->text) + 2 : 0;
}

/* How the drain ends and how long it takes matter more than the bar, which gets the
 * rest of the columns. */
static void add_bar(struct line *line, const struct job *job,
		    const struct buf *drain_options)
{
	const char *full = line->has_utf8 ? "█" : "#",
		   *empty = line->has_utf8 ? "░" : ".";
	int columns = line->columns_left - NUMBERS_COLUMNS, others;
	struct buf bar = {0}, eta = {0};

	add_eta(&eta, job, true);
	others = count_columns(drain_options) + count_columns(&eta);
	buf_done(&eta);
	columns -= others > RATE_COLUMNS ? others : RATE_COLUMNS;
	columns = columns > BAR_COLUMNS ? BAR_COLUMNS : columns;
	if (columns < BAR_COLUMNS / 4 || !is_out(job) ||
	    job->view->progress.sessions == COUNT_UNKNOWN)
		return;
	for (int i = 0; i < columns; i++)
		buf_puts(&bar, i < (int)(share_done(job) * columns) ? full : empty);
	add_buf(line, &bar, false);
}

static void add_numbers(struct line *line, const struct job *job,
			const struct buf *drain_options)
{
	struct buf text = {0};
	char duration[DURATION_BYTES];

	if (has_sessions(job)) {
		add_not_out_yet(&text, job);
		add_buf(line, &text, true);
		add_sessions(&text, job, "");
		add_buf(line, &text, false);
		view_text_uncounted(job->view, &text);
		add_buf(line, &text, true);
	}
	if (drain_options->length && !add(line, drain_options->text, false)) {
		/* Half a countdown would be a wrong one. */
		add_drain_options(&text, job, false);
		add_buf(line, &text, true);
	}
	add_eta(&text, job, true);
	if (!add_buf(line, &text, false)) {
		add_eta(&text, job, false);
		add_buf(line, &text, false);
	}
	buf_printf(&text, "after %s",
		   duration_print(job_elapsed_ms(job), duration));
	add_buf(line, &text, false);
	if (has_sessions(job) && job->view->progress.rate_per_min > 0) {
		buf_printf(&text, "%.1f/min", job->view->progress.rate_per_min);
		add_buf(line, &text, false);
	}
}

/* One column stays free: a full line makes some terminals wrap. */
static void draw_job(const struct progress_display *display, const struct job *job,
		     int columns, struct buf *out)
{
	struct line line = {out, columns - 1, display->has_utf8};
	bool has_color = display->has_color && job->view;
	struct buf trouble = {0}, drain_options = {0};
	int width = display->name_columns;
	char name[PART_BYTES];

	if (width > line.columns_left)
		width = line.columns_left;
	(void)snprintf(name, sizeof(name), "%-*.*s", width, width,
		       job->server->named.name);
	buf_puts(out, name);
	line.columns_left -= (int)strlen(name);
	if (has_color)
		buf_puts(out, print_color(job->view->phase));
	add_drain_options(&drain_options, job, true);
	add_bar(&line, job, &drain_options);
	add(&line, phase_of(job), true);
	if (has_color)
		buf_puts(out, print_no_color);
	if (add_trouble(&trouble, job))
		add_buf(&line, &trouble, true);
	else
		add_numbers(&line, job, &drain_options);
	buf_done(&drain_options);
	buf_puts(out, "\n");
}

/* Of more servers than rows, those that are under way are shown. */
static void draw_jobs(const struct progress_display *display, struct buf *out)
{
	int columns, rows, used = 0;

	terminal_size(stderr, &columns, &rows);
	for (int want_done = 0; want_done < 2; want_done++)
		for (size_t i = 0; i < display->count; i++) {
			const struct job *job = &display->jobs[i];
			bool is_done = job->step == STEP_DONE;
			bool fits_all = display->count < (size_t)rows;

			if (fits_all ? want_done
				     : is_done != want_done || used >= rows - 1)
				continue;
			draw_job(display, job, columns, out);
			used++;
		}
}

/* As a frame holds the time, each second makes a new one. */
static void draw(struct progress_display *display)
{
	struct buf frame = {0};

	draw_jobs(display, &frame);
	redraw_show(&display->frame, frame.text ? frame.text : "");
	buf_done(&frame);
}

static void describe_job(struct buf *line, const struct job *job)
{
	struct buf part = {0};

	buf_puts(line, phase_of(job));
	if (job->is_troubled)
		(void)add_trouble(&part, job);
	else
		add_not_out_yet(&part, job);
	buf_join(line, ", ", &part);
	if (has_sessions(job)) {
		add_sessions(&part, job, "sessions ");
		buf_join(line, ", ", &part);
		view_text_uncounted(job->view, &part);
		buf_join(line, ", ", &part);
	}
	add_drain_options(&part, job, false);
	buf_join(line, ", ", &part);
}

/* What a line says beyond the change: how long it has been and may still be. */
static void add_times(struct buf *line, const struct job *job, bool is_beat)
{
	char duration[DURATION_BYTES];
	struct buf eta = {0};

	if (!job->is_failing)
		add_eta(&eta, job, true);
	buf_join(line, ", ", &eta);
	if (is_beat)
		buf_printf(line, ", after %s",
			   duration_print(job_elapsed_ms(job), duration));
	buf_done(&eta);
}

/* One line for one change.  Time that passes is no change, nor is a new forecast,
 * but each line ends with it; and so that nobody takes poolctl for dead, a line
 * comes also if nothing has changed for long. */
static void print_job(struct progress_display *display, size_t i)
{
	const struct job *job = &display->jobs[i];
	struct printed *last = &display->printed[i];
	struct mono now = clock_mono();
	bool is_beat = display->heartbeat_ms &&
		       clock_since(last->at, now) >= display->heartbeat_ms;
	struct buf line = {0};

	if (job->step == STEP_DONE ||
	    (!job->is_current && !job->is_failing && !is_beat))
		return;
	if (job->is_failing)
		buf_printf(&line, "%s, trying again",
			   job->problem.is_silence ? "does not answer"
						   : job->problem.text);
	else
		describe_job(&line, job);
	if (is_beat || !last->line || strcmp(line.text, last->line) != 0) {
		free(last->line);
		*last = (struct printed){xstrdup(line.text), now};
		add_times(&line, job, is_beat);
		print_line(stderr, "%s: %s", job->server->named.name, line.text);
	}
	buf_done(&line);
}

void progress_display_show(struct progress_display *display)
{
	struct mono now = clock_mono();

	for (size_t i = 0; !display->is_drawn && i < display->count; i++)
		print_job(display, i);
	if (!display->is_drawn || clock_since(display->drawn_at, now) < DRAW_MS)
		return;
	display->drawn_at = now;
	draw(display);
}

void progress_display_end(struct progress_display *display)
{
	if (display->is_drawn)
		draw(display);
}

void progress_display_hide(struct progress_display *display)
{
	if (display->frame.rows)
		redraw_show(&display->frame, "");
}
