#include "line/options.h"

#include "api.h"

#include <stdlib.h>

enum { HEARTBEAT_MS = 60000 };
enum {
	LOCK_WAIT_MS = 20000
}; /* longer than the reservation of a poolctl that is gone */

static const char *const outputs[] = {"table", "json", "jsonl", "yaml", NULL};
static const char *const waits[] = {"", "drained", "serving", NULL};

#define FIELD(name) offsetof(struct options, name)

const struct option options_table[OPTIONS_COUNT] = {
	{"config", 0, true, OPTION_TEXT, FIELD(config), "FILE",
	 "read the pools from this file", NULL},
	{"output", 'o', true, OPTION_CHOICE, FIELD(output), "FORMAT",
	 "table, json or jsonl, sometimes yaml; short: -o", outputs},
	{"no-color", 0, true, OPTION_FLAG, FIELD(has_no_color), NULL,
	 "use no colours", NULL},
	{"local", 0, true, OPTION_FLAG, FIELD(is_local), NULL,
	 "show times in this machine's time zone, not in UTC", NULL},
	{"help", 'h', true, OPTION_FLAG, FIELD(given.has_help), NULL,
	 "show this help", NULL},
	{"version", 0, true, OPTION_FLAG, FIELD(given.has_version), NULL,
	 "show the version of poolctl", NULL},
	{"id", 0, false, OPTION_ID, FIELD(id), "ID",
	 "name of the drain; default USER@HOST or the CI run", NULL},
	{"all", 0, false, OPTION_FLAG, FIELD(is_all), NULL,
	 "end all drains, whoever owns them", NULL},
	{"owner", 0, false, OPTION_PROSE, FIELD(owner), "OWNER",
	 "owner of the drain; default USER@HOST or the CI run", NULL},
	{"reason", 0, false, OPTION_PROSE, FIELD(reason), "TEXT",
	 "why, for the record; default maintenance", NULL},
	{"service", 0, false, OPTION_TEXTS, FIELD(services), "NAME",
	 "one service (config init: NAME=PORT), repeatable", NULL},
	{"with-group", 0, false, OPTION_FLAG, FIELD(has_group), NULL,
	 "also drain what shares a service with the component", NULL},
	{"no-wait", 0, false, OPTION_FLAG, FIELD(has_no_wait), NULL,
	 "return once the server has acknowledged", NULL},
	{"timeout", 0, false, OPTION_DURATION, FIELD(timeout_ms), "TIME",
	 "stop waiting after this time: 90s, 30m, 2h", NULL},
	{"deadline", 0, false, OPTION_DEADLINE, FIELD(deadline_ms), "TIME",
	 "time for sessions to end (else pool.yaml): 30m, none", NULL},
	{"on-deadline", 0, false, OPTION_CHOICE, FIELD(on_deadline), "WHAT",
	 "then hold, resume or stop, which cuts sessions", api_on_deadlines},
	{"until", 0, false, OPTION_CHOICE, FIELD(until), "END",
	 "resume (default) or reboot: the next boot ends it", api_untils},
	{"dry-run", 0, false, OPTION_FLAG, FIELD(is_dry_run), NULL,
	 "say what would happen, and change nothing", NULL},
	{"force", 0, false, OPTION_TEXTS, FIELD(force), "GATES",
	 "gates that may refuse: floor,clocks; for resume: owner", NULL},
	{"nagios", 0, false, OPTION_FLAG, FIELD(is_nagios), NULL,
	 "one line and the exit codes of Nagios: 0, 1, 2, 3", NULL},
	{"accept-broken-sessions", 0, false, OPTION_FLAG, FIELD(accepts_broken),
	 NULL, "go on even if DNS load balancing is missing", NULL},
	{"confirm", 0, false, OPTION_TEXTS, FIELD(confirmed), "POOL",
	 "with --force: the pool's name, instead of a question", NULL},
	{"lock-wait", 0, false, OPTION_DURATION, FIELD(lock_wait_ms), "TIME",
	 "time to wait for another's reservation; default 20s", NULL},
	{"heartbeat", 0, false, OPTION_DURATION, FIELD(heartbeat_ms), "TIME",
	 "a line at least so often, if not a terminal; default 60s", NULL},
	{"for", 0, false, OPTION_CHOICE, FIELD(wait_for), "PHASE",
	 "drained or serving", waits},
	{"after", 0, false, OPTION_NUMBER, FIELD(after), "N",
	 "only events with a higher id", NULL},
	{"limit", 0, false, OPTION_NUMBER, FIELD(limit), "N",
	 "at most this many events, or sessions per service", NULL},
	{"follow", 0, false, OPTION_FLAG, FIELD(is_follow), NULL,
	 "keep printing new events until Ctrl-C", NULL},
	{"watch", 0, false, OPTION_FLAG, FIELD(is_watch), NULL,
	 "keep showing changes until Ctrl-C", NULL},
	{"verify", 0, false, OPTION_FLAG, FIELD(is_verify), NULL,
	 "check that no event was changed, added or removed", NULL},
	{"head", 0, false, OPTION_HASH, FIELD(head), "HASH",
	 "with --verify: an earlier head, which must be there", NULL},
	{"yes", 0, false, OPTION_TEXT, FIELD(yes_pin), "PIN",
	 "write this pin without a question, if it is the server's", NULL},
	{"poold", 0, false, OPTION_FLAG, FIELD(is_poold), NULL,
	 "the file is a poold.yaml, not a pool.yaml", NULL},
	{"no-defaults", 0, false, OPTION_FLAG, FIELD(has_no_defaults), NULL,
	 "leave out what no file and no profile says", NULL},
	{"pool", 0, false, OPTION_TEXT, FIELD(pool), "NAME", "name of the pool",
	 NULL},
	{"fqdn", 0, false, OPTION_TEXT, FIELD(fqdn), "NAME",
	 "name of the pool in DNS", NULL},
	{"profile", 0, false, OPTION_TEXT, FIELD(profile), "NAME",
	 "profile of its servers", NULL},
	{"server", 0, false, OPTION_TEXTS, FIELD(servers), "NAME=IP",
	 "a server and its address, repeatable", NULL},
};

_Static_assert((int)OPTIONS_COUNT <= (int)COMMAND_LINE_OPTIONS_LIMIT,
	       "given.used has a bit for each");

void options_init(struct options *options)
{
	*options = (struct options){.timeout_ms = -1,
				    .deadline_ms = -1,
				    .on_deadline = -1,
				    .until = -1,
				    .lock_wait_ms = LOCK_WAIT_MS,
				    .heartbeat_ms = HEARTBEAT_MS,
				    .after = -1,
				    .limit = API_EVENTS_LIMIT};
}

void options_done(struct options *options)
{
	free(options->given.words.items);
	free(options->services.items);
	free(options->force.items);
	free(options->confirmed.items);
	free(options->servers.items);
}
