/*
 * What a controller knows of its service; for the files controller*.c alone.
 */
#ifndef POOLD_CONTROLLER_PRIVATE_H
#define POOLD_CONTROLLER_PRIVATE_H

#include "services/control_attempt.h"
#include "services/controller.h"
#include "sessions/counting.h"
#include "scm/scm_call.h"
#include "services/drift.h"
#include "system/rate.h"

/* A call to the SCM that has not returned, or nothing. */
struct under_way {
	struct scm_call *call;
	enum action action;
	json_t *before; /* the service as it was seen before */
	uint32_t pid;   /* of it then */
	struct mono since;
};

struct controller {
	const struct pool_service *service;
	struct deps deps;
	int64_t settle_ms;
	enum start_type drained_type; /* the startup type while it is drained */

	struct wanted wanted; /* without its cover */
	char *why;

	struct scm_status observed; /* valid unless state is missing or unknown */
	enum service_state state;
	struct mono looked_at; /* before the SCM was asked for that */
	bool is_server_empty;  /* no service is installed, this one included */
	struct err trouble;    /* why the SCM or the store failed last */

	bool has_saved;
	struct saved saved;
	bool is_saved_stale; /* the store has an older one */
	/* A store action or a stop that is written, but not committed yet. */
	enum action claimed;
	bool is_cut_written; /* the sessions that a stop will end are on disk */
	bool is_stop_refused;

	struct under_way under_way;
	struct mono patient_until; /* a call is waited for in this round */
	struct control_attempt attempt;
	/* The startup type is set beside the controls: one that cannot be set must
	 * not keep the service from being paused, or from running again. */
	struct control_attempt startup_attempt;
	struct err startup_trouble; /* why it could not be set last */
	struct drift drift;

	struct counting counting;

	struct decision decision;
	enum phase told_phase; /* in the record; it may be behind, see `phases` */
	int phase_changes;     /* since then */
	struct rate phases;
};

/* ---- controller_observe.c ---- */

/* Adds a line about this service, by poold. */
void controller_record(struct controller *controller, struct line line);
void controller_observe(struct controller *controller);
void controller_set_decision(struct controller *controller,
			     struct decision decision);

/* ---- controller_decide.c ---- */

/* What the startup type is set to, if it is not right.  A service that was disabled
 * stays so: nothing is safer. */
enum start_type controller_wanted_startup(const struct controller *controller);
enum startup controller_startup(const struct controller *controller);
struct decision controller_decide(const struct controller *controller);

/* ---- controller_act.c ---- */

/* Puts what must be on disk before the next action into the open transaction; then
 * controller_on_committed. */
void controller_claim(struct controller *controller);
void controller_on_committed(struct controller *controller, const struct err *err);

/* Writes `saved`, if the store has an older one. */
void controller_put_stale(struct controller *controller);
bool controller_is_due(const struct controller *controller, enum action action);
bool controller_is_on_the_scm(const struct controller *controller,
			      enum action action);

/* Carries out one action on the SCM; false if it failed or must wait, so that this
 * round is over.  After a startup type that cannot be set the round goes on. */
bool controller_act(struct controller *controller, enum action action);

/* The action was carried out, or failed with `err`; takes over `before`.  As
 * controller_act. */
bool controller_acted(struct controller *controller, enum action action,
		      json_t *before, const struct err *err);

/* ---- controller_call.c ---- */

/* From now on calls are waited for a second in all; those that take longer go on
 * beside the rounds. */
void controllers_be_patient(struct controller *const *controllers, size_t count);

/* Calls the SCM for the action, which is none on the startup type.  As
 * controller_act. */
bool controller_call(struct controller *controller, enum action action);

/* What came of a call that has returned since; as controller_act. */
bool controller_take_answer(struct controller *controller);

/* Leaves what is under way behind; true if that never returned. */
bool controller_leave_call(struct controller *controller);

/* Says that a call is under way, where the decision waits for it. */
struct decision controller_tell_unanswered(const struct controller *controller,
					   struct decision decision);

/* ---- controller_drift.c ---- */

/* What was observed last means for drift and cut sessions; `before`: as it was seen
 * before. */
void controller_note_change(struct controller *controller, json_t *before);

/* It is out and accepted a test session: that is drift, and not poold's to undo. */
void controller_note_taken(struct controller *controller);

/* What became of its sessions since it is out: accepted ones are drift, too. */
void controller_note_sessions(struct controller *controller);

/* The stop that was to end sessions does not. */
void controller_forget_cutting(struct controller *controller);

/* ---- controller_json.c ---- */

/* The service as it was seen last, with its sessions, for the record; a new
 * reference. */
json_t *controller_seen_to_json(const struct controller *controller);
/* How many sessions ended with the pause, in words; the caller frees it. */
char *controller_ended_text(const struct controller *controller);
json_t *controller_saved_to_json(const struct saved *saved);

#endif
