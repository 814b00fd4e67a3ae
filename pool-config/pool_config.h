/*
 * The two configuration files: pool.yaml says what the pools are and is the same on every
 * machine; poold.yaml says how one daemon runs.
 *
 * A pool may name a profile: what is known about its kind of server.  A profile has the
 * keys of a pool; what the pool says goes over it, and what a server says over that.
 */
#ifndef POOLCTL_POOL_CONFIG_H
#define POOLCTL_POOL_CONFIG_H

#include "api.h"
#include "buf.h"
#include "err.h"
#include "net_address.h"
#include "schema.h"

enum service_role {
	ROLE_DRAIN,
	ROLE_LEAVE, /* must be left running: never touched, whatever is asked */
};

enum service_method {
	METHOD_PAUSE,
	METHOD_LOGON_MODE, /* Remote Desktop: no new logons; the service is not paused */
};

enum dns_expectation { DNS_ANY, DNS_BALANCED, DNS_ONE_ADDRESS };

/* A performance counter that says how many sessions live. */
struct pool_counter {
	char *path; /* English, as PdhAddEnglishCounter takes it */
	bool is_unverified;
	bool ignores_unknown; /* of every source: see the key ignore_unknown */
};

/* The sessions that Remote Desktop Services lists. */
struct pool_rds {
	struct list states; /* char *, of pool_rds_states; none: they are not counted */
	bool ignores_unknown;
};

/* A JSON document with the number of live sessions. */
struct pool_http {
	char *url;
	char *pointer; /* of RFC 6901; NULL: the whole document */

	char *ca_file; /* NULL: the system's authorities */
	int64_t every_ms, timeout_ms;
	bool ignores_unknown;
};

/* A new session that is tried while the service is out: it must be refused. */
struct pool_probe {
	int64_t port; /* -1: none is tried */
	char *send;   /* a line, or NULL */
	char *taken; /* what the line that takes a session begins with; NULL: a connection
			alone is one */
	int64_t every_ms, timeout_ms;
};

/* What is tried from outside, once the service serves again. */
enum after_resume { AFTER_RESUME_CONNECT, AFTER_RESUME_NONE };

/* How the counts of several sources make one. */
enum combination { COMBINE_MAX, COMBINE_SUM };

/* A Windows service. */
struct pool_service {
	struct named named; /* short name, as `sc query` takes it */
	char *display_name;
	int role, method;
	bool is_optional;            /* may not be installed */
	int64_t settle_ms;           /* -1: that of the server or pool */
	struct list components;      /* char *: what is grouped in this service */
	struct list dns_features;    /* char *: re-route only with DNS load balancing */
	struct list ports;           /* uint16_t */
	struct list behind_balancer; /* uint16_t: reached through a load balancer */
	struct list addresses;       /* struct net_address; see pool_local_addresses() */
	struct list excluded;        /* struct net_address: peers that are no sessions */
	struct list counters;        /* struct pool_counter */
	struct pool_rds rds;
	struct list http; /* struct pool_http */
	int combine;      /* enum combination */
	struct pool_probe probe;
	int after_resume;       /* enum after_resume */
	struct list unverified; /* char *: facts that no document confirms */
};

/* What a pool of so many servers needs. */
struct pool_floor_row {
	int64_t servers;
	int64_t functional;  /* least servers that must run */
	int64_t of_first;    /* counted among the first so many by rank; -1: all */
	int64_t first_start; /* least servers for a first start */
	bool is_unverified;
};

/* Between upgrade domains. */
struct pool_pacing {
	int64_t between_domains_ms, retry_busy_ms; /* -1: none */
	int64_t busy_limit;                        /* -1: none */
};

struct pool_dns {
	int expect;            /* enum dns_expectation */
	struct list resolvers; /* struct net_address; none: the system's */
	int64_t port;          /* of these resolvers */
};

struct pool_availability {
	struct floor floor;
	int64_t max_out;
};

struct pool_server {
	struct named named;
	struct list addresses; /* struct net_address, at least one */
	char *url;             /* of its poold, without a slash at the end */
	char *upgrade_domain;
	int64_t rank;                   /* order of first start, from 1; -1: not given */
	int64_t settle_ms, deadline_ms; /* -1: those of the pool */
	int on_deadline;                /* enum on_deadline; -1: that of the pool */
	int startup_while_drained;      /* enum start_type; -1: that of the pool */
	int64_t capacity;               /* -1: that of the pool */
	struct list services; /* struct pool_service, complete; none: those of the pool */
};

struct pool {
	struct named named;
	char *fqdn, *profile, *title, *notes;
	int64_t settle_ms;
	int64_t deadline_ms;       /* -1: none */
	int on_deadline;           /* enum on_deadline */
	int startup_while_drained; /* START_MANUAL or START_DISABLED */
	int64_t capacity; /* sessions that a server should carry; -1: not given */
	struct pool_dns dns;
	struct pool_availability availability;
	struct list floors; /* struct pool_floor_row */
	struct pool_pacing pacing;
	struct list services; /* struct pool_service */
	struct list servers;  /* struct pool_server */
};

struct pool_config {
	struct list pools; /* struct pool */
	struct yaml_tree *tree;
};

enum scm_kind { SCM_KIND_WINDOWS, SCM_KIND_SIMULATED };

/* A program that prints how many sessions of a service live. */
struct poold_command {
	char *service;
	struct list run; /* char *: the program and its arguments */
	char *pointer;   /* into what it prints, as of pool_http */
	int64_t every_ms, timeout_ms;
	bool ignores_unknown;
};

struct poold_config {
	char *server;
	char *listen;
	char *state_dir;
	char *pool_file;
	char *log_file;
	int scm;              /* enum scm_kind */
	char *simulated_file; /* the simulated SCM's services */
	int64_t tick_ms;
	struct list commands; /* struct poold_command */
};

/* The states of a Remote Desktop session that may be called live, by the numbers of
 * Windows' WTS_CONNECTSTATE_CLASS from 0 on; ends with NULL. */
extern const char *const pool_rds_states[];

/* The tables of both files; a pool's is that of a profile too. */
extern const struct section pool_file_section, poold_file_section;

/* Loads a file or fails with ERR_CONFIG and all its mistakes in `mistakes`, one line
 * each; the error's text is the first of them.  Free a loaded one. */
struct pool_config *pool_config_load(const char *path, struct buf *mistakes,
				     struct err *err);
void pool_config_free(struct pool_config *config);

struct poold_config *poold_config_load(const char *path, struct buf *mistakes,
				       struct err *err);
void poold_config_free(struct poold_config *config);

/* As pool_config_load, from a text; `path` is for messages and for profiles beside it. */
struct pool_config *pool_config_parse(const char *path, const char *text, size_t length,
				      struct mistakes *mistakes);

/* What pool_config_load loads, as a tree: each pool over its profile, each server's
 * services over the pool's.  It belongs to `tree`. */
struct yaml_node *pool_config_merge(const char *path, const char *text, size_t length,
				    struct yaml_tree *tree, struct mistakes *mistakes);
struct yaml_node *pool_config_read(const char *path, struct yaml_tree *tree,
				   struct mistakes *mistakes, struct err *err);

/* NULL if there is none. */
const struct pool *pool_find(const struct pool_config *config, const char *name);
const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name, const struct pool **pool);

/* The server's name that is nearest to a mistyped one, or NULL. */
const char *pool_suggest(const struct pool_config *config, const char *name);

/* The services of a server: its own, else those of its pool. */
const struct list *pool_services(const struct pool *pool,
				 const struct pool_server *server);
int64_t pool_settle_ms(const struct pool *pool, const struct pool_server *server,
		       const struct pool_service *service);

/* What a service's startup type is while it is out: START_MANUAL or START_DISABLED. */
enum start_type pool_startup_while_drained(const struct pool *pool,
					   const struct pool_server *server);

/* The most sessions that the server should carry; -1 if nobody says it. */
int64_t pool_capacity(const struct pool *pool, const struct pool_server *server);

/*
 * The service that a person means by its short name, its display name, or a component, in
 * whatever case.  A component that shares its service with others fails with ERR_GROUPED,
 * which names all of them, unless `with_group`; a service that must be left running fails
 * with ERR_LEFT_RUNNING, an unknown word with ERR_UNKNOWN_SERVICE.
 */
const struct pool_service *pool_resolve_service(const struct list *services,
						const char *word, bool with_group,
						struct err *err);

/*
 * On which local addresses a connection to the service's ports is a session on this
 * server. What the service says in `addresses`; else the server's own address if that is
 * a loopback address (several servers on one machine, as in tests); else all of the
 * machine (NULL).
 */
const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service);

#endif
