#include "reload.h"

#include "mem.h"
#include "start.h"
#include "start_rules.h"
#include "system/log.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 3000 };

static void look(struct reload *r, struct configuration_stamps *stamps)
{
	file_stamp(r->path, stamps->poold);
	file_stamp(r->current->poold->pool_file, stamps->pool);
}

void reload_init(struct reload *r, const char *path,
		 const struct configuration *current)
{
	*r = (struct reload){.path = path, .current = current};
	/* The start may have taken its time. */
	r->used = r->seen = current->stamps;
	r->looked_at = clock_mono();
}

static bool is_same(const struct configuration_stamps *a,
		    const struct configuration_stamps *b)
{
	return !strcmp(a->poold, b->poold) && !strcmp(a->pool, b->pool);
}

/* ---- what is told, and asked ---- */

/* On the supervisor's thread. */
static void on_done(struct task *task)
{
	struct reload *r = task->arg;

	r->is_answered = true;
}

static void submit(struct reload *r, struct task_queue *queue)
{
	r->task = (struct task){.kind = TASK_RELOAD,
				.problem = r->problem,
				.what = r->what,
				.pool = r->next.pool,
				.pool_server = r->next.server,
				.done = on_done,
				.arg = r};
	r->is_answered = false;
	r->is_waiting = true;
	task_queue_submit(queue, &r->task);
}

static void tell(struct reload *r, struct task_queue *queue, const char *problem)
{
	free(r->problem);
	r->problem = xstrdup(problem);
	log_warning("%s", problem);
	submit(r, queue);
}

static void describe_failure(const struct reload *r, const char *why,
			     struct buf *problem)
{
	buf_printf(
		problem,
		"the change of %s cannot be used: %s; poold goes on with what it "
		"read before",
		r->what, why);
}

void reload_tell_failure(struct reload *r, struct task_queue *queue,
			 const char *why)
{
	struct buf problem = {0};

	describe_failure(r, why, &problem);
	tell(r, queue, problem.text);
	buf_done(&problem);
}

/* ---- the new files ---- */

/* What a process keeps from its start to its end. */
static const char *needs_restart(const struct reload *r)
{
	const struct poold_config *now = r->current->poold, *next = r->next.poold;

	if (strcmp(now->state_dir, next->state_dir) != 0)
		return "state_dir";
	if (strcmp(now->log_file ? now->log_file : "",
		   next->log_file ? next->log_file : "") != 0)
		return "log_file";
	if (now->scm != next->scm ||
	    (now->simulated_file && next->simulated_file &&
	     strcmp(now->simulated_file, next->simulated_file) != 0))
		return "scm";
	if (strcmp(r->current->server->named.name, r->next.server->named.name) != 0)
		return "server";
	return NULL;
}

/* The first mistake says enough: `poold check` lists them all. */
static void describe_mistakes(const struct reload *r, struct buf *mistakes,
			      const struct err *err, struct buf *problem)
{
	if (mistakes->length)
		*strchr(mistakes->text, '\n') = '\0';
	describe_failure(r, mistakes->length ? mistakes->text : err->text, problem);
	buf_puts(problem, " (poold check shows all mistakes)");
}

/* Nothing begins anew with files that it would refuse. */
static int load_next(struct reload *r, struct buf *mistakes, struct err *err)
{
	struct configuration *next = &r->next;

	return configuration_load(next, r->path, mistakes, err) ||
			       start_check_private(next, r->path, err) ||
			       start_check_certificate(next, err) ||
			       start_rules_check_files(next->pool, next->server,
						       &next->poold->commands, err)
		       ? -1
		       : 0;
}

static void consider(struct reload *r, struct task_queue *queue)
{
	struct buf mistakes = {0}, problem = {0};
	struct err err = {0};
	const char *key;

	if (load_next(r, &mistakes, &err))
		describe_mistakes(r, &mistakes, &err, &problem);
	else if ((key = needs_restart(r)))
		buf_printf(
			&problem,
			"'%s' was changed in poold.yaml; restart poold to use it",
			key);
	if (problem.length) {
		configuration_free(&r->next);
		tell(r, queue, problem.text);
	} else {
		free(r->problem);
		r->problem = NULL;
		submit(r, queue);
	}
	buf_done(&mistakes);
	buf_done(&problem);
}

/* True if the files may be used now. */
static bool take_answer(struct reload *r)
{
	bool was_held = r->is_held;

	r->is_waiting = false;
	r->is_held = !r->problem && r->task.err.code == ERR_HELD;
	if (r->problem)
		return false;
	if (!r->task.err.code)
		return true;
	/* It is asked again and again. */
	if (!was_held)
		log_info("%s", r->task.err.text);
	configuration_free(&r->next);
	return false;
}

static const char *name_change(const struct reload *r)
{
	if (!strcmp(r->seen.poold, r->used.poold))
		return "pool.yaml";
	return strcmp(r->seen.pool, r->used.pool) ? "poold.yaml and pool.yaml"
						  : "poold.yaml";
}

bool reload_step(struct reload *r, struct task_queue *queue, bool is_asked)
{
	struct configuration_stamps before = r->seen;
	struct mono now = clock_mono();
	bool is_changed;

	if (r->is_waiting)
		return r->is_answered && take_answer(r);
	if (!is_asked && clock_since(r->looked_at, now) < LOOK_MS)
		return false;
	r->looked_at = now;
	look(r, &r->seen);
	is_changed = !is_same(&r->seen, &r->used);
	if (is_asked && !is_changed && !r->is_held)
		log_info("%s and pool.yaml have not changed since poold read them",
			 r->path);
	/* Nobody reads a file that is still being written. */
	if (!r->is_held &&
	    (!is_changed || (!is_asked && !is_same(&r->seen, &before))))
		return false;
	if (is_changed) {
		r->what = name_change(r);
		r->used = r->seen;
		r->is_held = false;
	}
	consider(r, queue);
	return false;
}

void reload_done(struct reload *r)
{
	configuration_free(&r->next);
	free(r->problem);
	r->problem = NULL;
}
