/*
 * Says, before a drain, whether it could work and what it would change.
 *
 * preflight_look() and preflight_look_at_machine() ask and change nothing; the rest
 * are pure functions that turn what was found into the document of GET
 * /v1/preflight and of `poold preflight`.  What is found is a list of findings: a
 * refusal means that the drain cannot work, a warning that something may undo it, a
 * note that one should know it.
 */
#ifndef POOLD_PREFLIGHT_H
#define POOLD_PREFLIGHT_H

#include "pool.h"
#include "scm/scm.h"

#include <jansson.h>

enum { PREFLIGHT_AGENTS = 16 };

/* One service: what is planned, and what was found. */
struct preflight_input {
	const struct pool_service *service;

	/* The plan. */
	enum start_type startup; /* START_MANUAL or START_DISABLED */
	bool is_startup_left;    /* until: reboot, so it stays as it is */
	bool is_stop_planned;    /* at the deadline */
	enum want wanted;        /* now */
	bool has_saved;

	bool has_command;  /* one in poold.yaml counts its sessions */
	bool has_sessions; /* somebody counts them; else they are left out */
	bool is_count_known;
	int64_t count;
	size_t own_count;            /* connections of the server to itself */
	struct net_address own_peer; /* of one of them */
	bool counts_own;             /* they are in `count` */

	/* Filled by preflight_look(). */
	struct err observe_error; /* if its code is set, the rest is not known */
	struct scm_status status;
	/* If its code is set, the inspection is not known. */
	struct err inspect_error;
	struct scm_inspection inspection;
};

/* The machine, by preflight_look_at_machine(). */
struct preflight_machine {
	const char *server, *pool;
	const char *store_failure; /* why poold cannot write its store; or NULL */
	const char *certificate;   /* when it ends, if that is soon; or NULL */
	struct err reboot_error;
	const char *reboot; /* what waits for one; NULL: nothing */
	const char *agents[PREFLIGHT_AGENTS];
	size_t agent_count;
};

/* What pool.yaml plans for a drain of the service, with nothing looked at yet. */
struct preflight_input preflight_plan(const struct pool *pool,
				      const struct pool_server *server,
				      const struct pool_service *service);

/* Asks the SCM; blocks as it does.  To be undone with preflight_done. */
void preflight_look(struct scm *scm, struct preflight_input *input);
void preflight_done(struct preflight_input *input);

/* Finds the tools that set startup types back, and whether a reboot is pending. */
void preflight_look_at_machine(struct scm *scm, struct preflight_machine *machine);

/* The objects of all services that are drained, as the SCM has them now;
 * `commands`: struct poold_command. */
json_t *preflight_inspect(const struct pool *pool, const struct pool_server *server,
			  const struct list *commands, struct scm *scm);

/* The object of one service. */
json_t *preflight_service_to_json(const struct preflight_input *input);

/* The whole document; takes the array of the services' objects over. */
json_t *preflight_to_json(const struct preflight_machine *machine,
			  json_t *services);

#endif
