#include "screen.h"

#include "frame.h"
#include "mem.h"
#include "terminal.h"
#include "text.h"
#include "view_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	DRAW_MS = 125,
	BAR_COLUMNS = 20,
	NUMBERS_COLUMNS = 37, /* the phase, the sessions, the time */
	RATE_COLUMNS = 9,
	PART_BYTES = 512,
};

struct screen {
	const struct job *jobs;
	size_t count;
	bool is_drawn; /* on a terminal, over and over */
	bool has_color, has_utf8;
	int name_columns;
	char **lines;       /* not drawn: what was last printed of each server */
	struct frame frame; /* drawn: what is on the screen */
	struct mono drawn_at;
};

/* A line under construction, which takes what still fits. */
struct line {
	struct buf *out;
	int columns_left;
	bool has_utf8;
};

struct screen *screen_new(const struct job *jobs, size_t count, bool has_color)
{
	struct screen *screen = xcalloc(1, sizeof(*screen));

	screen->jobs = jobs;
	screen->count = count;
	screen->is_drawn = terminal_can_draw(stderr);
	screen->frame.stream = stderr;
	screen->has_color = has_color;
	screen->has_utf8 = terminal_takes_utf8(stderr);
	screen->lines = xcalloc(count, sizeof(*screen->lines));
	screen->drawn_at = clock_add(clock_mono(), -DRAW_MS);
	for (size_t i = 0; i < count; i++) {
		/* A server's name is ASCII, as an id is, and no longer. */
		int columns = (int)strlen(jobs[i].server->named.name);

		if (columns > screen->name_columns)
			screen->name_columns = columns;
	}
	return screen;
}

void screen_free(struct screen *screen)
{
	if (!screen)
		return;
	for (size_t i = 0; i < screen->count; i++)
		free(screen->lines[i]);
	free(screen->lines);
	frame_done(&screen->frame);
	free(screen);
}

static const char *phase_of(const struct job *job)
{
	if (job->view)
		return phase_name(job->view->phase);
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

/* True while it is of interest how many sessions are left. */
static bool has_sessions(const struct job *job)
{
	return job->view && (job->view->phase == PHASE_DRAINING ||
			     (job->view->phase == PHASE_ATTENTION && job_drain(job)));
}

/* Adds what a person should know before numbers; returns false if there is nothing. */
static bool add_trouble(struct buf *text, const struct job *job)
{
	char duration[TEXT_DURATION_BYTES];

	if (job->step == STEP_DONE && job->result.message)
		buf_puts(text, job->result.message);
	else if (job->is_failing && job->problem.is_silence)
		buf_printf(text, "no answer for %s",
			   text_duration(clock_since(job->failing_since, clock_mono()),
					 duration));
	else if (job->is_failing || job_is_held_up(job))
		buf_puts(text, job->problem.text);
	else if (job->step == STEP_TURN)
		buf_puts(text, "waits for another server to go first");
	else if (job->is_troubled)
		judge_explain(&job->order->aim, job->view, VERDICT_ATTENTION, text);
	else
		return false;
	return true;
}

/* Adds a text, cleaned, after two spaces.  One that is too long is cut, or left out, and
 * then false is returned. */
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

static bool is_out(const struct job *job)
{
	return has_sessions(job) || (job->view && job->view->phase == PHASE_DRAINED);
}

static double share_done(const struct job *job)
{
	const struct progress_view *progress = &job->view->progress;

	if (job->view->phase == PHASE_DRAINED)
		return 1;
	if (progress->sessions < 0 || progress->sessions > progress->peak ||
	    !progress->peak)
		return 0;
	return (double)(progress->peak - progress->sessions) / (double)progress->peak;
}

/* Adds how the drain is to end, and what that has cost. */
static void add_terms(struct buf *text, const struct job *job, bool has_countdown)
{
	const struct drain_view *drain = job_drain(job);
	struct wall now;

	if (drain) {
		now.ms = job->view->time.ms;
		if (has_countdown)
			now.ms += clock_since(job->view_at, clock_mono());
		view_text_terms(drain, now, has_countdown, text);
	}
	if (job->view && job->view->progress.cut > 0)
		buf_printf(text, "%s%lld cut", text->length ? ", " : "",
			   (long long)job->view->progress.cut);
}

/* Adds how long it will still take, or that nobody can tell; without `is_whole` only the
 * beginning.  Who is in trouble may still take sessions. */
static void add_outlook(struct buf *text, const struct job *job, bool is_whole)
{
	if (job->view && job->view->phase == PHASE_DRAINING)
		view_text_outlook(&job->view->progress, is_whole, text);
}

/* With the two columns before it. */
static int count_columns(const struct buf *text)
{
	return text->length ? text_columns(text->text) + 2 : 0;
}

/* What the terms and the outlook take, the bar does not; they matter more than it. */
static void add_bar(struct line *line, const struct job *job, const struct buf *terms)
{
	const char *full = line->has_utf8 ? "█" : "#",
		   *empty = line->has_utf8 ? "░" : ".";
	int columns = line->columns_left - NUMBERS_COLUMNS, others;
	struct buf bar = {0}, outlook = {0};

	add_outlook(&outlook, job, true);
	others = count_columns(terms) + count_columns(&outlook);
	buf_done(&outlook);
	columns -= others > RATE_COLUMNS ? others : RATE_COLUMNS;
	columns = columns > BAR_COLUMNS ? BAR_COLUMNS : columns;
	if (columns < BAR_COLUMNS / 4 || !is_out(job) ||
	    job->view->progress.sessions == COUNT_UNKNOWN)
		return;
	for (int i = 0; i < columns; i++)
		buf_puts(&bar, i < (int)(share_done(job) * columns) ? full : empty);
	add(line, bar.text, false);
	buf_done(&bar);
}

/* Half an outlook, if the whole one does not fit. */
static void add_fitting_outlook(struct line *line, const struct job *job)
{
	for (int is_whole = 1; is_whole >= 0; is_whole--) {
		struct buf outlook = {0};
		bool is_added;

		add_outlook(&outlook, job, is_whole);
		is_added = !outlook.length || add(line, outlook.text, false);
		buf_done(&outlook);
		if (is_added)
			return;
	}
}

static void add_numbers(struct line *line, const struct job *job, const struct buf *terms)
{
	char text[TEXT_DURATION_BYTES], elapsed[2 * TEXT_DURATION_BYTES];
	struct buf sessions = {0}, uncounted = {0}, shorter = {0};

	if (has_sessions(job)) {
		add_sessions(&sessions, job, "");
		add(line, sessions.text, false);
		buf_done(&sessions);
		view_text_uncounted(job->view, &uncounted);
		if (uncounted.length)
			add(line, uncounted.text, true);
		buf_done(&uncounted);
	}
	if (terms->length && !add(line, terms->text, false)) {
		/* Half a countdown would be a wrong one. */
		add_terms(&shorter, job, false);
		add(line, shorter.text, true);
		buf_done(&shorter);
	}
	add_fitting_outlook(line, job);
	(void)snprintf(elapsed, sizeof(elapsed), "after %s",
		       text_duration(job_elapsed_ms(job), text));
	add(line, elapsed, false);
	if (has_sessions(job) && job->view->progress.rate_per_min > 0) {
		(void)snprintf(text, sizeof(text), "%.1f/min",
			       job->view->progress.rate_per_min);
		add(line, text, false);
	}
}

/* One column stays free: a full line makes some terminals wrap. */
static void draw_job(const struct screen *screen, const struct job *job, int columns,
		     struct buf *out)
{
	struct line line = {out, columns - 1, screen->has_utf8};
	bool has_color = screen->has_color && job->view;
	struct buf trouble = {0}, terms = {0};
	int width = screen->name_columns;
	char name[PART_BYTES];

	if (width > line.columns_left)
		width = line.columns_left;
	(void)snprintf(name, sizeof(name), "%-*.*s", width, width,
		       job->server->named.name);
	buf_puts(out, name);
	line.columns_left -= (int)strlen(name);
	if (has_color)
		buf_puts(out, text_color(job->view->phase));
	add_terms(&terms, job, true);
	add_bar(&line, job, &terms);
	add(&line, phase_of(job), true);
	if (has_color)
		buf_puts(out, text_no_color);
	if (add_trouble(&trouble, job))
		add(&line, trouble.text, true);
	else
		add_numbers(&line, job, &terms);
	buf_done(&terms);
	buf_done(&trouble);
	buf_puts(out, "\n");
}

/* Of more servers than rows, those that are under way are shown. */
static void draw_jobs(const struct screen *screen, struct buf *out)
{
	int columns, rows, used = 0;

	terminal_size(stderr, &columns, &rows);
	for (int want_done = 0; want_done < 2; want_done++)
		for (size_t i = 0; i < screen->count; i++) {
			const struct job *job = &screen->jobs[i];
			bool is_done = job->step == STEP_DONE;
			bool fits_all = screen->count < (size_t)rows;

			if (fits_all ? want_done
				     : is_done != want_done || used >= rows - 1)
				continue;
			draw_job(screen, job, columns, out);
			used++;
		}
}

/* As a frame holds the time, each second makes a new one. */
static void draw(struct screen *screen)
{
	struct buf frame = {0};

	draw_jobs(screen, &frame);
	frame_show(&screen->frame, frame.text ? frame.text : "");
	buf_done(&frame);
}

/* An outlook that changes is no reason for a line, but each has it. */
static void print_line(const struct job *job, const char *line)
{
	struct buf text = {0}, outlook = {0};

	if (!job->is_failing)
		add_outlook(&outlook, job, true);
	buf_printf(&text, "%s%s%s", line, outlook.length ? ", " : "",
		   outlook.length ? outlook.text : "");
	text_print(stderr, text.text);
	buf_done(&outlook);
	buf_done(&text);
}

static void add_uncounted(struct buf *line, const struct job *job)
{
	struct buf uncounted = {0};

	view_text_uncounted(job->view, &uncounted);
	if (uncounted.length)
		buf_printf(line, ", %s", uncounted.text);
	buf_done(&uncounted);
}

/* One line for one change; times that pass are no change. */
static void print_job(struct screen *screen, size_t i)
{
	const struct job *job = &screen->jobs[i];
	struct buf line = {0}, terms = {0};

	if (job->step == STEP_DONE || (!job->is_current && !job->is_failing))
		return;
	buf_printf(&line, "%s: ", job->server->named.name);
	if (job->is_failing) {
		buf_printf(&line, "%s, trying again",
			   job->problem.is_silence ? "does not answer"
						   : job->problem.text);
	} else {
		buf_printf(&line, "%s", phase_of(job));
		if (has_sessions(job)) {
			buf_puts(&line, ", ");
			add_sessions(&line, job, "sessions ");
			add_uncounted(&line, job);
		}
		if (job->is_troubled) {
			buf_puts(&line, ", ");
			(void)add_trouble(&line, job);
		}
		add_terms(&terms, job, false);
		if (terms.length)
			buf_printf(&line, ", %s", terms.text);
		buf_done(&terms);
	}
	if (!screen->lines[i] || strcmp(line.text, screen->lines[i]) != 0)
		print_line(job, line.text);
	free(screen->lines[i]);
	screen->lines[i] = line.text;
}

void screen_show(struct screen *screen)
{
	struct mono now = clock_mono();

	for (size_t i = 0; !screen->is_drawn && i < screen->count; i++)
		print_job(screen, i);
	if (!screen->is_drawn || clock_since(screen->drawn_at, now) < DRAW_MS)
		return;
	screen->drawn_at = now;
	draw(screen);
}

void screen_end(struct screen *screen)
{
	if (screen->is_drawn)
		draw(screen);
}

void screen_hide(struct screen *screen)
{
	if (screen->frame.rows)
		frame_show(&screen->frame, "");
}
