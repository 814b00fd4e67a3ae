#include "poold_config.h"
#include "pool_config.h"

#include <stddef.h>

/* Every key of both files.  docs/configuration.md is printed from these tables. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTION(text, type, keys)                            \
	{                                                    \
		text, sizeof(struct type), keys, COUNT(keys) \
	}
#define AT(type, field) .offset = offsetof(struct type, field)

enum {
	HOUR_MS = 3600000,
	DAY_MS = 86400000,
	YEAR_DAYS = 366,
	SERVERS_LIMIT = 10000,
	CAPACITY_LIMIT = 1000000000
};

static const char *const roles[] = {"drain", "leave", NULL};
static const char *const methods[] = {"pause", "logon_mode", NULL};
/* Both hold against a plain boot; see pool_startup_while_drained(). */
static const char *const held_startups[] = {"manual", "disabled", NULL};
static const char *const expectations[] = {"any", "balanced", "one_address", NULL};
static const char *const certainties[] = {"likely", "unsure", NULL};
static const char *const combinations[] = {"max", "sum", NULL};
static const char *const afters_resume[] = {"connect", "none", NULL};
const char *const pool_rds_states[] = {"active", "connected",    "connect_query",
				       "shadow", "disconnected", NULL};
static const char *const whiles_stopped[] = {"unknown", "zero", NULL};
const char *const poold_client_roles[] = {"viewer", "operator", "admin", NULL};
static const char *const scm_kinds[] = {"windows", "simulated", NULL};

/* Every source has these, except the kernel's list of connections. */
#define IGNORE_UNKNOWN(type)                                                                                                                      \
	{                                                                                                                                         \
		"ignore_unknown", KEY_FLAG, AT(type, ignores_unknown),                                                                            \
			.fallback = "false",                                                                                                      \
			.help = "true: while this source gives no count, the service's other session sources decide alone whether it is drained", \
			.example = "true"                                                                                                         \
	}
#define EVERY(type)                                                          \
	{                                                                    \
		"every", KEY_DURATION, AT(type, every_ms),                   \
			.fallback = "5s", .min = 100, .max = HOUR_MS,        \
			.help = "how often poold reads it", .example = "10s" \
	}
#define TIMEOUT(type)                                                                       \
	{                                                                                   \
		"timeout", KEY_DURATION, AT(type, timeout_ms),                              \
			.fallback = "5s", .min = 100, .max = HOUR_MS,                       \
			.help = "poold gives up after this time, and the count is unknown", \
			.example = "10s"                                                    \
	}
#define POINTER(type)                                                                                                        \
	{                                                                                                                    \
		"pointer", KEY_TEXT, AT(type, pointer),                                                                      \
			.help = "where the number is in the JSON (RFC 6901); without it, the whole text must be the number", \
			.example = "/sessions/active"                                                                        \
	}

static const struct key counter_keys[] = {
	{"path", KEY_TEXT, .is_required = true, AT(pool_counter, path),
	 .help = "the counter's exact English path",
	 .example = "'\\LS:AVMCU - Operations\\AVMCU - Number of Users'"},
	{"unverified", KEY_FLAG, AT(pool_counter, is_unverified),
	 .fallback = "false", .help = "true: no document confirms this path",
	 .example = "true"},
	IGNORE_UNKNOWN(pool_counter),
};
static const struct section counter_section =
	SECTION("a counter", pool_counter, counter_keys);

static const struct key rds_keys[] = {
	{"states", KEY_TEXTS, AT(pool_rds, states),
	 .help = "the states of Remote Desktop sessions that count as live: active, connected, connect_query, shadow, disconnected",
	 .example = "[active, connected, connect_query, shadow, disconnected]"},
	IGNORE_UNKNOWN(pool_rds),
};
static const struct section rds_section = SECTION("rds", pool_rds, rds_keys);

static const struct key http_keys[] = {
	{"url", KEY_TEXT, .is_required = true, AT(pool_http, url),
	 .help = "address of the document, http:// or https://; poold fetches it from the server itself",
	 .example = "http://127.0.0.1:8080/status"},
	POINTER(pool_http),
	EVERY(pool_http),
	TIMEOUT(pool_http),
	{"ca_file", KEY_PATH, AT(pool_http, ca_file),
	 .help = "PEM file with the authority for an https url; default: the system's authorities",
	 .example = "/etc/ssl/internal-ca.pem"},
	{"while_stopped", KEY_CHOICE, AT(pool_http, while_stopped),
	 .choices = whiles_stopped,
	 .help = "what this source counts while the service is stopped and the document cannot be read; default: zero if the url is of this server, as the document comes from the service, else unknown",
	 .example = "unknown"},
	IGNORE_UNKNOWN(pool_http),
};
static const struct section http_section = SECTION("http", pool_http, http_keys);

static const struct key probe_keys[] = {
	{"port", KEY_NUMBER, AT(pool_probe, port), .min = 1, .max = UINT16_MAX,
	 .help = "the port to connect to, at the server's own address",
	 .example = "5061"},
	{"send", KEY_TEXT, AT(pool_probe, send), .rule = TEXT_FREE,
	 .help = "a line to send after connecting", .example = "HELO poold"},
	{"taken", KEY_TEXT, AT(pool_probe, taken), .rule = TEXT_FREE,
	 .help = "how the reply begins if the service takes the session; default: a connection is enough",
	 .example = "'220'"},
	{"every", KEY_DURATION, AT(pool_probe, every_ms), .fallback = "30s",
	 .min = 100, .max = HOUR_MS, .help = "how often poold tries",
	 .example = "1m"},
	TIMEOUT(pool_probe),
};
static const struct section probe_section =
	SECTION("probe", pool_probe, probe_keys);

static const struct key service_keys[] = {
	{"display_name", KEY_TEXT, AT(pool_service, display_name),
	 .rule = TEXT_LABEL, .help = "the name that services.msc shows",
	 .example = "Skype for Business Server Front-End"},
	{"role", KEY_CHOICE, AT(pool_service, role), .fallback = "drain",
	 .choices = roles,
	 .help = "drain: pause it; leave: it must keep running, and poold never touches it",
	 .example = "leave"},
	{"optional", KEY_FLAG, AT(pool_service, is_optional), .fallback = "false",
	 .help = "true: the service may be missing on a server; then there is nothing to drain",
	 .example = "true"},
	{"method", KEY_CHOICE, AT(pool_service, method), .fallback = "pause",
	 .choices = methods,
	 .help = "how poold drains it; logon_mode, for Remote Desktop, is not supported yet",
	 .example = "pause"},
	{"settle", KEY_DURATION, AT(pool_service, settle_ms), .min = 0,
	 .max = DAY_MS,
	 .help = "settle time of this service, instead of the server's or the pool's",
	 .example = "30s"},
	{"components", KEY_TEXTS, AT(pool_service, components),
	 .help = "the logical parts of this Windows service; several parts can be drained only together",
	 .example = "[Front-End, Monitoring]"},
	{"dns_features", KEY_TEXTS, AT(pool_service, dns_features),
	 .help = "the features that re-route to other servers only with DNS load balancing",
	 .example = "[Response Group]"},
	{"ports", KEY_PORTS, AT(pool_service, ports),
	 .help = "the TCP ports whose established connections are the sessions",
	 .example = "[5061]"},
	{"behind_balancer", KEY_PORTS, AT(pool_service, behind_balancer),
	 .help = "the ports that clients reach through a load balancer, even if DNS balances the others: poolctl warns that a drain does not stop new sessions there",
	 .example = "[443]"},
	{"addresses", KEY_ADDRESSES, AT(pool_service, addresses),
	 .help = "only connections to these addresses of the server count",
	 .example = "[10.1.0.21]"},
	{"exclude", KEY_ADDRESSES, AT(pool_service, excluded),
	 .help = "peers whose connections are not sessions; the pool's other servers are excluded anyway",
	 .example = "[10.1.0.50]"},
	{"counters", KEY_ROWS, AT(pool_service, counters),
	 .section = &counter_section,
	 .help = "performance counters that count live sessions",
	 .example = "[{path: '\\LS:AVMCU - Operations\\AVMCU - Number of Users'}]"},
	{"rds", KEY_SECTION, AT(pool_service, rds), .section = &rds_section,
	 .help = "counts the sessions that Remote Desktop Services lists"},
	{"http", KEY_ROWS, AT(pool_service, http), .section = &http_section,
	 .help = "JSON documents that contain the number of live sessions",
	 .example = "[{url: 'http://127.0.0.1:8080/status', pointer: /sessions}]"},
	{"connections", KEY_CHOICE, AT(pool_service, connections),
	 .choices = certainties,
	 .help = "where no counter is known: how sure it is that the connections to its ports tell its sessions",
	 .example = "likely"},
	{"combine", KEY_CHOICE, AT(pool_service, combine), .fallback = "max",
	 .choices = combinations,
	 .help = "how to combine several sources: max if they see the same sessions, sum if each sees different ones",
	 .example = "sum"},
	{"probe", KEY_SECTION, AT(pool_service, probe), .section = &probe_section,
	 .help = "a new session that poold tries regularly while the service is out; it must be refused"},
	{"refused_within", KEY_DURATION, AT(pool_service, refused_within_ms),
	 .fallback = "5s", .min = 100, .max = HOUR_MS,
	 .help = "a connection that begins while the service is out and lasts this long is a session that the service accepted; then the server needs attention",
	 .example = "10s"},
	{"after_resume", KEY_CHOICE, AT(pool_service, after_resume),
	 .fallback = "connect", .choices = afters_resume,
	 .help = "what poolctl resume tries from its own machine: connect to one of the ports (or run `probe`); none if a firewall is in between",
	 .example = "none"},
	{"unverified", KEY_TEXTS, AT(pool_service, unverified),
	 .help = "the facts about this service that no document confirms",
	 .example = "[pause]"},
};
static const struct section service_section =
	SECTION("a service", pool_service, service_keys);

static const struct key server_keys[] = {
	{"address", KEY_ADDRESSES, .is_required = true, AT(pool_server, addresses),
	 .help = "the server's IP address, or a list of them",
	 .example = "10.1.0.11"},
	{"url", KEY_TEXT, AT(pool_server, url),
	 .help = "address of its poold; default http://ADDRESS:8650, and https where a pin or a ca_file is set",
	 .example = "http://127.0.0.1:8651"},
	{"pin", KEY_TEXTS, AT(pool_server, trust.pins),
	 .help = "the SHA-256 of the key that its poold must present, or a list of them; with a pin or a ca_file of its own, those of the pool do not count for this server",
	 .example = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
	{"ca_file", KEY_PATH, AT(pool_server, trust.ca_file),
	 .help = "instead of the pool's", .example = "/etc/poolctl/ca.pem"},
	{"token_file", KEY_PATH, AT(pool_server, token_file),
	 .help = "instead of the pool's", .example = "frontend01.token"},
	{"upgrade_domain", KEY_TEXT, AT(pool_server, upgrade_domain),
	 .help = "servers of the same upgrade domain may be out together, as far as max_out and the floor allow; servers of different domains may not",
	 .example = "ud1"},
	{"rank", KEY_NUMBER, AT(pool_server, rank), .min = 1, .max = SERVERS_LIMIT,
	 .help = "position in the order of first start, for floor tables that count only the first servers",
	 .example = "1"},
	{"settle", KEY_DURATION, AT(pool_server, settle_ms), .min = 0,
	 .max = DAY_MS, .help = "instead of the pool's", .example = "30s"},
	{"deadline", KEY_DURATION, AT(pool_server, deadline_ms), .min = 1000,
	 .max = (int64_t)YEAR_DAYS * DAY_MS, .help = "instead of the pool's",
	 .example = "8h"},
	{"on_deadline", KEY_CHOICE, AT(pool_server, on_deadline),
	 .choices = api_on_deadlines, .help = "instead of the pool's",
	 .example = "hold"},
	{"startup_while_drained", KEY_CHOICE,
	 AT(pool_server, startup_while_drained), .min = START_MANUAL,
	 .choices = held_startups, .help = "instead of the pool's",
	 .example = "disabled"},
	{"capacity", KEY_NUMBER, AT(pool_server, capacity), .min = 1,
	 .max = CAPACITY_LIMIT, .help = "instead of the pool's", .example = "8000"},
	{"services", KEY_NAMED, AT(pool_server, services),
	 .section = &service_section,
	 .help = "the services that differ on this server; the others are as in the pool",
	 .example = "{RTCSRV: {exclude: [10.1.0.99]}}"},
};
static const struct section server_section =
	SECTION("a server", pool_server, server_keys);

static const struct key dns_keys[] = {
	{"expect", KEY_CHOICE, AT(pool_dns, expect), .fallback = "any",
	 .choices = expectations,
	 .help = "what the pool's name should resolve to: balanced: all members; one_address: a single address; any: anything",
	 .example = "balanced"},
	{"resolvers", KEY_ADDRESSES, AT(pool_dns, resolvers),
	 .help = "DNS servers to ask; default: those of the system",
	 .example = "[10.0.0.53, 10.0.1.53]"},
	{"port", KEY_NUMBER, AT(pool_dns, port), .fallback = "53", .min = 1,
	 .max = UINT16_MAX, .help = "the port of these DNS servers",
	 .example = "5353"},
};
static const struct section dns_section = SECTION("dns", pool_dns, dns_keys);

static const struct key availability_keys[] = {
	{"floor", KEY_FLOOR, AT(pool_availability, floor),
	 .help = "the least number of servers that must serve: a number, a percentage of the pool, or table for the rows of floors; default: table if there is a row for the size of the pool, else 1",
	 .example = "table"},
	{"max_out", KEY_NUMBER, AT(pool_availability, max_out), .fallback = "1",
	 .min = 1, .max = SERVERS_LIMIT,
	 .help = "the most servers that may be out at once, for any reason and in any upgrade domain",
	 .example = "1"},
};
static const struct section availability_section =
	SECTION("availability", pool_availability, availability_keys);

static const struct key floor_keys[] = {
	{"servers", KEY_NUMBER, .is_required = true, AT(pool_floor_row, servers),
	 .min = 1, .max = SERVERS_LIMIT,
	 .help = "the size of the pool that this row is for", .example = "8"},
	{"functional", KEY_NUMBER, .is_required = true,
	 AT(pool_floor_row, functional), .min = 1, .max = SERVERS_LIMIT,
	 .help = "the least number of servers that must run", .example = "4"},
	{"of_first", KEY_NUMBER, AT(pool_floor_row, of_first), .min = 1,
	 .max = SERVERS_LIMIT,
	 .help = "only this many servers count, the first ones by rank",
	 .example = "7"},
	{"first_start", KEY_NUMBER, AT(pool_floor_row, first_start), .min = 1,
	 .max = SERVERS_LIMIT,
	 .help = "the least number of servers for a first start", .example = "6"},
	{"unverified", KEY_FLAG, AT(pool_floor_row, is_unverified),
	 .fallback = "false", .help = "true: no document confirms this row",
	 .example = "true"},
};
static const struct section floor_section =
	SECTION("a row of floors", pool_floor_row, floor_keys);

static const struct key pacing_keys[] = {
	{"between_domains", KEY_DURATION, AT(pool_pacing, between_domains_ms),
	 .min = 0, .max = DAY_MS,
	 .help = "how long to wait between two upgrade domains", .example = "20m"},
	{"retry_busy", KEY_DURATION, AT(pool_pacing, retry_busy_ms), .min = 0,
	 .max = DAY_MS, .help = "how long to wait if the pool is busy",
	 .example = "10m"},
	{"busy_limit", KEY_NUMBER, AT(pool_pacing, busy_limit), .min = 1,
	 .max = 1000,
	 .help = "how often in a row the pool may be busy before it counts as a problem",
	 .example = "3"},
};
static const struct section pacing_section =
	SECTION("pacing", pool_pacing, pacing_keys);

static const struct key pool_keys[] = {
	{"fqdn", KEY_TEXT, AT(pool, fqdn), .help = "the pool's name in DNS",
	 .example = "pool01.contoso.com"},
	{"pin", KEY_TEXTS, AT(pool, trust.pins),
	 .help = "the SHA-256 of a key that every poold of the pool may present, or a list of them; a pin without ca_file stands in place of the chain, the name and the dates of the certificate",
	 .example = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
	{"ca_file", KEY_PATH, AT(pool, trust.ca_file),
	 .help = "PEM file with the authority that certifies these poolds; default: the system's authorities",
	 .example = "/etc/poolctl/ca.pem"},
	{"token_file", KEY_PATH, AT(pool, token_file),
	 .help = "the file with the token that poolctl sends to these servers, which nobody else may read; on a server itself an administrator needs none",
	 .example = "/etc/poolctl/token"},
	{"profile", KEY_TEXT, AT(pool, profile),
	 .help = "the kind of servers: the name of a profile, or a file with one (./my.yaml, relative to this file's folder)",
	 .example = "sfb-2019-front-end"},
	{"title", KEY_TEXT, AT(pool, title), .rule = TEXT_FREE,
	 .help = "in a profile: what it is for",
	 .example = "Front ends with our add-on"},
	{"notes", KEY_TEXT, AT(pool, notes), .rule = TEXT_FREE,
	 .help = "in a profile: what to know before using it",
	 .example = "Drain at tapering-off hours."},
	{"settle", KEY_DURATION, AT(pool, settle_ms), .fallback = "10s", .min = 0,
	 .max = DAY_MS,
	 .help = "how long every session source must report zero before a server counts as drained",
	 .example = "30s"},
	{"deadline", KEY_DURATION, AT(pool, deadline_ms), .min = 1000,
	 .max = (int64_t)YEAR_DAYS * DAY_MS,
	 .help = "time for a drain to reach `drained`, counted from its start",
	 .example = "4h"},
	{"on_deadline", KEY_CHOICE, AT(pool, on_deadline), .fallback = "hold",
	 .choices = api_on_deadlines,
	 .help = "what poold does when the deadline passes: hold the drain, resume, or stop the services, which cuts their sessions",
	 .example = "hold"},
	{"startup_while_drained", KEY_CHOICE, AT(pool, startup_while_drained),
	 .fallback = "manual", .min = START_MANUAL, .choices = held_startups,
	 .help = "the startup type of a service while it is out; disabled also prevents a start by a trigger or by a service that depends on it, until poold restores it",
	 .example = "disabled"},
	{"capacity", KEY_NUMBER, AT(pool, capacity), .min = 1,
	 .max = CAPACITY_LIMIT,
	 .help = "the most sessions that one server should carry; a drain is refused if the other servers have no room for the sessions of the one that leaves",
	 .example = "5000"},
	{"count_own", KEY_FLAG, AT(pool, counts_own), .fallback = "true",
	 .help = "false: connections of a server to itself are not sessions",
	 .example = "false"},
	{"dns", KEY_SECTION, AT(pool, dns), .section = &dns_section,
	 .help = "what DNS should return for the pool"},
	{"availability", KEY_SECTION, AT(pool, availability),
	 .section = &availability_section,
	 .help = "how many servers may be out; the default floor is that of the profile's table, else 1"},
	{"floors", KEY_ROWS, AT(pool, floors), .section = &floor_section,
	 .help = "the floor for each size of a pool, usually from the profile"},
	{"pacing", KEY_SECTION, AT(pool, pacing), .section = &pacing_section,
	 .help = "waits between upgrade domains, usually from the profile"},
	{"services", KEY_NAMED, AT(pool, services), .section = &service_section,
	 .help = "the Windows services, by short name; with a profile, only the differences"},
	{"servers", KEY_NAMED, AT(pool, servers), .section = &server_section,
	 .help = "the members of the pool, by name"},
};
static const struct section pool_section = SECTION("a pool", pool, pool_keys);

static const struct key root_keys[] = {
	{"pools", KEY_NAMED, .is_required = true, AT(pool_config, pools),
	 .section = &pool_section, .help = "the pools, each under its name"},
};
const struct section pool_file_section =
	SECTION("pool.yaml", pool_config, root_keys);

static const struct key client_keys[] = {
	{"subject", KEY_TEXT, AT(poold_client, subject), .rule = TEXT_FREE,
	 .help = "the subject of the client's certificate, as RFC 4514 writes it",
	 .example = "'CN=runner7,O=Contoso'"},
	{"san", KEY_TEXT, AT(poold_client, san),
	 .help = "a name of the client's certificate (subjectAltName): a DNS name, an e-mail address or a URI",
	 .example = "runner7.contoso.com"},
	{"name", KEY_TEXT, .is_required = true, AT(poold_client, name),
	 .help = "the name of this client in the record", .example = "ci"},
	{"role", KEY_CHOICE, .is_required = true, AT(poold_client, role), .min = 1,
	 .choices = poold_client_roles, .help = "what it may do",
	 .example = "operator"},
};
static const struct section client_section =
	SECTION("a client", poold_client, client_keys);

static const struct key tls_keys[] = {
	{"certificate", KEY_PATH, AT(poold_tls, certificate),
	 .help = "PEM file with this server's certificate, and after it those of the authorities between; poold uses a new one by itself",
	 .example = "/etc/poolctl/server.pem"},
	{"key", KEY_PATH, AT(poold_tls, key),
	 .help = "PEM file with the key of the certificate, without a password; nobody but the user who runs poold may read it",
	 .example = "/etc/poolctl/server.key"},
	{"client_ca", KEY_PATH, AT(poold_tls, client_ca),
	 .help = "PEM file with the authorities whose client certificates count; without it, poold asks for none",
	 .example = "/etc/poolctl/clients-ca.pem"},
	{"clients", KEY_ROWS, AT(poold_tls, clients), .section = &client_section,
	 .help = "the clients that `client_ca` certifies, each with its name in the record and its role; others have none",
	 .example = "[{san: runner7.contoso.com, name: ci, role: operator}]"},
};
static const struct section tls_section = SECTION("tls", poold_tls, tls_keys);

static const struct key command_keys[] = {
	{"service", KEY_TEXT, .is_required = true, AT(poold_command, service),
	 .help = "short name of the service whose live sessions it counts",
	 .example = "RTCSRV"},
	{"run", KEY_TEXTS, .is_required = true, AT(poold_command, run),
	 .help = "the full path of the program, and its arguments; no shell is used",
	 .example = "['C:\\Tools\\count.exe', --live]"},
	POINTER(poold_command),
	EVERY(poold_command),
	TIMEOUT(poold_command),
	{"while_stopped", KEY_CHOICE, AT(poold_command, while_stopped),
	 .fallback = "unknown", .choices = whiles_stopped,
	 .help = "what this source counts while the service is stopped and the program gives no count: zero if the program asks the service",
	 .example = "zero"},
	IGNORE_UNKNOWN(poold_command),
};
static const struct section command_section =
	SECTION("a command", poold_command, command_keys);

static const struct key poold_keys[] = {
	{"server", KEY_TEXT, .is_required = true, AT(poold_config, server),
	 .help = "the name of this server in pool.yaml", .example = "frontend01"},
	{"listen", KEY_ENDPOINT, AT(poold_config, listen),
	 .help = "ADDRESS:PORT of the HTTP API; default: from the server's url, else port 8650 of its address; port 0 picks a free port",
	 .example = "127.0.0.1:8650"},
	{"tls", KEY_SECTION, AT(poold_config, tls), .section = &tls_section,
	 .help = "the certificate of the API; without it, poold serves plain HTTP, on loopback addresses only"},
	{"state_dir", KEY_PATH, AT(poold_config, state_dir),
	 .help = "the directory in which poold stores drains and the original settings of services; default: /var/lib/poold, on Windows C:\\ProgramData\\poolctl\\state",
	 .example = "/var/lib/poold"},
	{"pool_file", KEY_PATH, AT(poold_config, pool_file),
	 .help = "the pool.yaml to read; default: the standard place",
	 .example = "/etc/poolctl/pool.yaml"},
	{"log_file", KEY_PATH, AT(poold_config, log_file),
	 .help = "file for the log, at most 16 MiB; default: standard error, for a Windows service poold.log in state_dir",
	 .example = "/var/log/poold.log"},
	{"scm", KEY_CHOICE, AT(poold_config, scm), .fallback = "windows",
	 .choices = scm_kinds,
	 .help = "which Service Control Manager controls the services",
	 .example = "simulated"},
	{"simulated_file", KEY_PATH, AT(poold_config, simulated_file),
	 .help = "the file in which the simulated SCM keeps its services",
	 .example = "/var/lib/poold/scm.json"},
	{"tick", KEY_DURATION, AT(poold_config, tick_ms), .fallback = "1s",
	 .min = 20, .max = 60000,
	 .help = "how often poold checks services and sessions",
	 .example = "500ms"},
	{"commands", KEY_ROWS, AT(poold_config, commands),
	 .section = &command_section,
	 .help = "programs that print the number of live sessions, as a number or as JSON",
	 .example = "[{service: RTCSRV, run: ['C:\\Tools\\count.exe']}]"},
};
const struct section poold_file_section =
	SECTION("poold.yaml", poold_config, poold_keys);
