#include "services/controller_private.h"

#include "system/log.h"
#include "mem.h"
#include "store/saved_text.h"

#include <stdlib.h>

static int put_saved(struct controller *c, struct err *err)
{
	return store_put_saved(c->deps.store, c->service->named.name, &c->saved,
			       err);
}

static bool is_on_startup(enum action action)
{
	return action == ACT_SET_STARTUP || action == ACT_RESTORE_STARTUP;
}

static const struct control_attempt *attempt_of(const struct controller *c,
						enum action action)
{
	return is_on_startup(action) ? &c->startup_attempt : &c->attempt;
}

static struct control_attempt *attempt_for(struct controller *c, enum action action)
{
	return is_on_startup(action) ? &c->startup_attempt : &c->attempt;
}

/* What it was meant to be: the boot leads one that starts automatically, and had no
 * turn yet, to running. */
static enum service_state lasting_state(const struct controller *c)
{
	return c->state == STATE_STOPPED && c->observed.is_start_due ? STATE_RUNNING
								     : c->state;
}

static int claim_save(struct controller *c, struct err *err)
{
	char *text;

	c->saved = (struct saved){
		.state = lasting_state(c),
		.start_type = c->observed.start_type,
		.delayed_auto_start = c->observed.delayed_auto_start,
		.out_type = c->observed.start_type,
	};
	text = xasprintf("was %s, startup %s; being taken out of service",
			 api_service_states[c->saved.state],
			 api_start_types[c->saved.start_type]);
	controller_record(
		c, (struct line){.kind = EVENT_SAVED,
				 .text = text,
				 .before = controller_saved_to_json(&c->saved),
				 .is_tied = true});
	free(text);
	return put_saved(c, err);
}

static const char *end_text(const struct controller *c)
{
	if (c->state == STATE_MISSING)
		return "the service was uninstalled; this is what it was before the drain";
	return c->state == c->saved.state
		       ? "everything is as it was before the drain"
		       : "the startup type is as it was before the drain; it did not run "
			 "then, and its state is left as it is";
}

static int claim_forget(struct controller *c, struct err *err)
{
	controller_record(
		c, (struct line){.kind = c->state == STATE_MISSING ? EVENT_FORGOTTEN
								   : EVENT_RESTORED,
				 .text = end_text(c),
				 .before = controller_saved_to_json(&c->saved),
				 .after = controller_seen_to_json(c),
				 .is_tied = true});
	return store_delete_saved(c->deps.store, c->service->named.name, err);
}

/* How many sessions a stop ends is written before it ends them. */
static int claim_cut(struct controller *c, struct err *err)
{
	c->is_stop_refused = false;
	c->saved.cutting = counting_is_known(&c->counting)
				   ? c->counting.progress.last.count
				   : -1;
	controller_record(
		c, (struct line){.kind = EVENT_ACTION,
				 .text = "about to be stopped, with these sessions",
				 .before = controller_seen_to_json(c),
				 .is_tied = true});
	return put_saved(c, err);
}

static void note_failure(struct controller *c, enum action action,
			 const struct err *err)
{
	*(is_on_startup(action) ? &c->startup_trouble : &c->trouble) = *err;
	if (!control_attempt_failed(attempt_for(c, action), action, err,
				    c->deps.clock()))
		return;
	log_warning("%s: %s", c->service->named.name, err->text);
	controller_record(c, (struct line){.kind = EVENT_FAILED,
					   .text = err->text,
					   .after = controller_seen_to_json(c)});
}

/* While the machine shuts down, its services stop as they will: none of that is
 * what they were, and poold must not work against it. */
bool controller_is_due(const struct controller *c, enum action action)
{
	struct mono now = c->deps.clock();
	bool is_undoing =
		c->drift.is_open && (action == ACT_SET_STARTUP ||
				     action == ACT_PAUSE || action == ACT_STOP);

	if (c->deps.is_machine_ending && c->deps.is_machine_ending())
		return false;
	return control_attempt_is_due(attempt_of(c, action), action, now) &&
	       (!is_undoing || undo_backoff_may_be_undone(&c->drift.backoff, now));
}

/* The store says what goes wrong when it is committed. */
void controller_put_stale(struct controller *c)
{
	if (c->has_saved && c->is_saved_stale)
		(void)put_saved(c, NULL);
}

/* Puts what must be on disk before the next action into the open transaction. */
void controller_claim(struct controller *c)
{
	static int (*const claims[ACT__COUNT])(struct controller *,
					       struct err *) = {
		[ACT_SAVE] = claim_save,
		[ACT_FORGET] = claim_forget,
		[ACT_STOP] = claim_cut,
	};
	enum action action = c->decision.action;

	/* It was to be stopped, and then there was no more reason to. */
	if (c->is_cut_written) {
		c->is_cut_written = false;
		controller_forget_cutting(c);
	}
	controller_put_stale(c);
	/* Whether there still are sessions to cut is seen now. */
	if (action == ACT_STOP && controller_is_due(c, action)) {
		counting_count(&c->counting, false);
		controller_set_decision(c, controller_decide(c));
		action = c->decision.action;
	}
	if (!claims[action] || !controller_is_due(c, action))
		return;
	c->claimed = action;
	(void)claims[action](c, NULL);
}

/* For whoever has only the log. */
static void log_saved(const struct controller *c)
{
	const char *name = c->service->named.name;
	struct buf was = {0}, commands = {0};

	saved_text_add(name, &c->saved, &was);
	saved_text_add_commands(name, &c->saved, "; ", &commands);
	log_info("%s; without poold it is put back with: %s", was.text,
		 commands.text);
	buf_done(&was);
	buf_done(&commands);
}

void controller_on_committed(struct controller *c, const struct err *err)
{
	enum action action = c->claimed;

	c->claimed = ACT_NONE;
	if (!err->code)
		c->is_saved_stale = false;
	if (action == ACT_NONE)
		return;
	if (err->code) {
		if (action == ACT_STOP)
			c->saved.cutting = 0;
		note_failure(c, action, err);
		return;
	}
	if (action == ACT_STOP) {
		c->is_cut_written = true;
		return;
	}
	c->has_saved = action == ACT_SAVE;
	control_attempt_done(&c->attempt, action, c->deps.clock());
	c->trouble = (struct err){0};
	log_info("%s: %s", c->service->named.name, reconcile_action_name(action));
	if (action == ACT_SAVE)
		log_saved(c);
	controller_set_decision(c, controller_decide(c));
}

/* Sets the startup type, and looks whether it is so: a policy or a filter may take
 * it and leave it as it was. */
static int set_startup(struct controller *c, struct err *err)
{
	const char *name = c->service->named.name;
	enum start_type type = controller_wanted_startup(c);

	if (c->deps.scm->ops->set_startup(c->deps.scm, name, type,
					  type == c->saved.start_type
						  ? c->saved.delayed_auto_start
						  : SCM_FLAG_UNSUPPORTED,
					  err))
		return -1;
	controller_observe(c);
	if (c->state >= STATE_MISSING)
		return 0;
	if (controller_startup(c) != STARTUP_RIGHT)
		return err_set(err, ERR_SCM_FAILED,
			       "the startup type of %s was set, but it is %s%s",
			       name, api_start_types[c->observed.start_type],
			       c->observed.start_type == type
				       ? ", its delayed start not as before"
				       : "");
	/* What poold did is no drift. */
	if (c->wanted.want == WANT_DRAINED)
		c->saved.out_type = c->observed.start_type;
	c->is_saved_stale |= c->saved.was_out;
	return 0;
}

bool controller_is_on_the_scm(const struct controller *c, enum action action)
{
	if (action == ACT_STOP)
		return c->is_cut_written;
	return action != ACT_NONE && action != ACT_WAIT && action != ACT_SAVE &&
	       action != ACT_FORGET;
}

/* True if there is something else to do now. */
static bool go_on_after_failure(struct controller *c, enum action action)
{
	if (!is_on_startup(action))
		return false;
	controller_set_decision(c, controller_decide(c));
	return c->decision.action != action;
}

bool controller_acted(struct controller *c, enum action action, json_t *before,
		      const struct err *err)
{
	bool is_failed = err->code != ERR_NONE;

	c->is_cut_written = false;
	if (is_failed) {
		json_decref(before);
		/* One that timed out may be taken yet. */
		c->is_stop_refused =
			action == ACT_STOP && err->code != ERR_SCM_FAILED;
		note_failure(c, action, err);
		return go_on_after_failure(c, action);
	}
	*(is_on_startup(action) ? &c->startup_trouble : &c->trouble) =
		(struct err){0};
	control_attempt_done(attempt_for(c, action), action, c->deps.clock());
	log_info("%s: %s", c->service->named.name, reconcile_action_name(action));
	if (!is_on_startup(action))
		controller_observe(c);
	controller_record(c, (struct line){.kind = EVENT_ACTION,
					   .text = reconcile_action_name(action),
					   .before = json_incref(before),
					   .after = controller_seen_to_json(c)});
	controller_note_change(c, before);
	controller_set_decision(c, controller_decide(c));
	json_decref(before);
	return true;
}

bool controller_act(struct controller *c, enum action action)
{
	json_t *before;
	struct err err = {0};

	if (!is_on_startup(action))
		return controller_call(c, action);
	before = controller_seen_to_json(c);
	(void)set_startup(c, &err);
	return controller_acted(c, action, before, &err);
}
