/*
 * The pools of pool.yaml as structs, with their servers and services; finding one
 * of them, and the value that is in force for it.
 */
#ifndef POOLCTL_POOL_H
#define POOLCTL_POOL_H

#include "api.h"
#include "err.h"
#include "net_address.h"
#include "schema.h"
#include "text/nearest.h"

/* The session sources of one service, with those of poold.yaml. */
enum { POOL_SOURCES_LIMIT = 32 };

enum service_role {
	ROLE_DRAIN,
	ROLE_LEAVE, /* must be left running: never touched, whatever is asked */
};

enum service_method {
	METHOD_PAUSE,
	METHOD_LOGON_MODE, /* Remote Desktop: no new logons; the service is not
			      paused */
};

enum dns_expectation { DNS_ANY, DNS_BALANCED, DNS_ONE_ADDRESS };

/* Where no counter is known: how sure it is that a service's connections tell its
 * sessions. */
enum connections { CONNECTIONS_LIKELY, CONNECTIONS_UNSURE };

/* What a source that cannot answer says while the service is stopped: nothing, or
 * zero, as it is part of the service. */
enum while_stopped { WHILE_STOPPED_UNKNOWN, WHILE_STOPPED_ZERO };

/* A performance counter that says how many sessions live. */
struct pool_counter {
	char *path; /* English, as PdhAddEnglishCounter takes it */
	bool is_unverified;
	bool ignores_unknown; /* of every source: see the key ignore_unknown */
};

/* The sessions that Remote Desktop Services lists. */
struct pool_rds {
	/* char *, of pool_rds_states; none: they are not counted. */
	struct list states;
	bool ignores_unknown;
};

/* A JSON document with the number of live sessions. */
struct pool_http {
	char *url;
	char *pointer; /* of RFC 6901; NULL: the whole document */

	char *ca_file; /* NULL: the system's authorities */
	int64_t every_ms, timeout_ms;
	int while_stopped; /* enum while_stopped; -1: zero on the server itself */
	bool ignores_unknown;
};

/* A new session that is tried while the service is out: it must be refused. */
struct pool_probe {
	int64_t port; /* -1: none is tried */
	char *send;   /* a line, or NULL */
	char *taken;  /* what the line that takes a session begins with; NULL: a
			 connection  alone is one */
	int64_t every_ms, timeout_ms;
};

/* The test from outside, once the service serves again. */
enum after_resume { AFTER_RESUME_CONNECT, AFTER_RESUME_NONE };

/* The rule that makes one count of those of several sources. */
enum combination { COMBINE_MAX, COMBINE_SUM };

/* A Windows service. */
struct pool_service {
	struct named named; /* short name, as `sc.exe query` takes it */
	char *display_name;
	int role, method;
	bool is_optional;       /* may not be installed */
	int64_t settle_ms;      /* -1: that of the server or pool */
	struct list components; /* char *: what is grouped in this service */
	/* char *: re-route only with DNS load balancing. */
	struct list dns_features;
	struct list ports;           /* uint16_t */
	struct list behind_balancer; /* uint16_t: reached through a load balancer */
	struct list addresses; /* struct net_address; see pool_local_addresses() */
	struct list excluded;  /* struct net_address: peers that are no sessions */
	struct list counters;  /* struct pool_counter */
	struct pool_rds rds;
	struct list http; /* struct pool_http */
	int connections;  /* enum connections; -1: not given */
	int combine;      /* enum combination */
	struct pool_probe probe;
	int64_t refused_within_ms;
	int after_resume;       /* enum after_resume */
	struct list unverified; /* char *: facts that no document confirms */
};

/* The floor of a pool of so many servers. */
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

/* What poolctl must see of a server's TLS before it believes it.  Nothing here: a
 * certificate of the system's authorities, for the host of the url. */
struct pool_trust {
	/* char *, "sha256//BASE64": the server has one of these keys. */
	struct list pins;
	char *ca_file; /* the authorities, instead of the system's; or NULL */
};

struct pool_server {
	struct named named;
	const struct pool
		*pool;         /* whose it is; NULL before the rules were checked */
	struct list addresses; /* struct net_address, at least one */
	char *url;             /* of its poold, without a slash at the end */
	bool is_url_given;     /* it does not follow from the address */
	struct pool_trust trust;
	char *token_file; /* for poolctl; NULL: that of the pool */
	char *upgrade_domain;
	int64_t rank; /* order of first start, from 1; -1: not given */
	int64_t settle_ms, deadline_ms; /* -1: those of the pool */
	int on_deadline;                /* enum on_deadline; -1: that of the pool */
	int startup_while_drained;      /* enum start_type; -1: that of the pool */
	int64_t capacity;               /* -1: that of the pool */
	struct list services; /* struct pool_service, complete; none: those of the
				 pool */
};

struct pool {
	struct named named;
	char *fqdn, *profile, *title, *notes;
	struct pool_trust trust; /* of servers without one of their own */
	char *token_file; /* for poolctl, of servers without their own; or NULL */
	int64_t settle_ms;
	int64_t deadline_ms;       /* -1: none */
	int on_deadline;           /* enum on_deadline */
	int startup_while_drained; /* START_MANUAL or START_DISABLED */
	int64_t capacity; /* sessions that a server should carry; -1: not given */
	bool counts_own;  /* connections of a server to itself are sessions */
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
	/* The file as it was read: each pool is laid over its profile, each
	 * server's services over the pool's. */
	struct yaml_node *root;
};

/* The states of a Remote Desktop session that may be called live, by the numbers of
 * Windows' WTS_CONNECTSTATE_CLASS from 0 on; ends with NULL. */
extern const char *const pool_rds_states[];

/* NULL if there is none. */
const struct pool *pool_find(const struct pool_config *config, const char *name);
const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name,
					   const struct pool **pool);

/* " (did you mean 'x'?)" if the name of a server is near to the word of `nearest`,
 * which was not tried before; else "".  It lives as long as `nearest`. */
const char *pool_hint(const struct pool_config *config, struct nearest *nearest);

/* The services of a server: its own, else those of its pool.  NULL: of a server
 * that says nothing of its own. */
const struct list *pool_services(const struct pool *pool,
				 const struct pool_server *server);
/* NULL for the server: of one that says nothing of its own. */
int64_t pool_settle_ms(const struct pool *pool, const struct pool_server *server,
		       const struct pool_service *service);

/* The startup type of a service that is out: START_MANUAL or START_DISABLED. */
enum start_type pool_startup_while_drained(const struct pool *pool,
					   const struct pool_server *server);

/* The time that a drain has for its sessions to end, or negative: none is set; and
 * what happens then. */
int64_t pool_deadline_ms(const struct pool *pool, const struct pool_server *server);
enum on_deadline pool_on_deadline(const struct pool *pool,
				  const struct pool_server *server);

/* The trust that is in force for a server: its own, if it has any of it, else that
 * of its pool. */
const struct pool_trust *pool_trust(const struct pool *pool,
				    const struct pool_server *server);

/* The file with the token that poolctl sends to the server, or NULL. */
const char *pool_token_file(const struct pool_server *server);

/* As libcurl takes a pin: sha256// and the base64 of 32 bytes. */
bool pool_is_pin(const char *text);

/* The most sessions that the server should carry; -1 if nobody says it. */
int64_t pool_capacity(const struct pool *pool, const struct pool_server *server);

/*
 * The service that a person means by its short name, its display name, or a
 * component, in whatever case.  A component that shares its service with others
 * fails with ERR_GROUPED, which names all of them, unless `with_group`; a service
 * that must be left running fails with ERR_LEFT_RUNNING, an unknown word with
 * ERR_UNKNOWN_SERVICE.
 */
const struct pool_service *pool_resolve_service(const struct list *services,
						const char *word, bool with_group,
						struct err *err);

/*
 * On which local addresses a connection to the service's ports is a session on this
 * server. What the service says in `addresses`; else the server's own address if
 * that is a loopback address (several servers on one machine, as in tests); else
 * all of the machine (NULL).
 */
const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service);

/* True if the host of the url is "localhost", in any case. */
bool pool_is_localhost(const char *url);

/* True if the url is that of a loopback address, "localhost", or the server's own
 * address or name: who answers there ends with the server's service. */
bool pool_is_on_server(const struct pool_server *server, const char *url);

/* True if nothing tells the sessions of a service that is drained: it has no
 * source, or ports alone where a counter is needed.  `has_command`: one in
 * poold.yaml counts them.
 */
bool pool_lacks_count(const struct pool_service *service, bool has_command);

/* The row of a floor table for a pool of this size, NULL if there is none. */
const struct pool_floor_row *pool_floor_row(const struct pool *pool,
					    size_t servers);

#endif
