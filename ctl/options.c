#include "options.h"

#include "api.h"
#include "chain.h"
#include "mem.h"
#include "schema.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOUR_MS = 3600000,
	TIMEOUT_LIMIT_H = 24 * 365,
	LOCK_WAIT_MS = 20000, /* longer than the reservation of a poolctl that is gone */
	HELP_COLUMNS = 26
};

enum option_type {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_ID,
	OPTION_TEXTS,
	OPTION_CHOICE,
	OPTION_DURATION,
	OPTION_DEADLINE,
	OPTION_NUMBER,
	OPTION_HASH,
};

static const char *const outputs[] = {"table", "json", "jsonl", "yaml", NULL};
static const char *const waits[] = {"", "drained", "serving", NULL};

static int find_choice(const char *const *choices, const char *name)
{
	for (int i = 0; choices[i]; i++)
		if (*name && !strcmp(choices[i], name))
			return i;
	return -1;
}

static int output_from_name(const char *name)
{
	return find_choice(outputs, name);
}

static int wait_from_name(const char *name)
{
	return find_choice(waits, name);
}

#define FIELD(name) offsetof(struct options, name)

static const struct option {
	const char *name;
	char letter;
	bool is_global;
	enum option_type type;
	size_t offset;
	const char *value;
	const char *help;
	int (*choice_from_name)(const char *name); /* -1: there is no such choice */
} table[] = {
	{"config", 0, true, OPTION_TEXT, FIELD(config), "FILE",
	 "read the pools from this file", NULL},
	{"output", 'o', true, OPTION_CHOICE, FIELD(output), "FORMAT",
	 "table, json, jsonl, or yaml where it fits; also -o FORMAT", output_from_name},
	{"no-color", 0, true, OPTION_FLAG, FIELD(has_no_color), NULL, "use no colours",
	 NULL},
	{"help", 'h', true, OPTION_FLAG, FIELD(has_help), NULL, "show this help", NULL},
	{"version", 0, true, OPTION_FLAG, FIELD(has_version), NULL,
	 "show the version of poolctl", NULL},
	{"id", 0, false, OPTION_ID, FIELD(id), "ID",
	 "name the drain; default USER@HOST, in CI the pipeline's run", NULL},
	{"all", 0, false, OPTION_FLAG, FIELD(is_all), NULL,
	 "end all drains, whoever's they are", NULL},
	{"owner", 0, false, OPTION_TEXT, FIELD(owner), "OWNER",
	 "say who asks; default USER@HOST, in CI the pipeline's run", NULL},
	{"reason", 0, false, OPTION_TEXT, FIELD(reason), "TEXT",
	 "say why; default maintenance", NULL},
	{"service", 0, false, OPTION_TEXTS, FIELD(services), "NAME",
	 "only this service or component, repeatable; config init: NAME=PORT[,PORT]",
	 NULL},
	{"with-group", 0, false, OPTION_FLAG, FIELD(has_group), NULL,
	 "a component may take along what shares its service", NULL},
	{"no-wait", 0, false, OPTION_FLAG, FIELD(has_no_wait), NULL,
	 "return once the server has acknowledged", NULL},
	{"timeout", 0, false, OPTION_DURATION, FIELD(timeout_ms), "TIME",
	 "wait no longer: 90s, 30m, 2h", NULL},
	{"deadline", 0, false, OPTION_DEADLINE, FIELD(deadline_ms), "TIME",
	 "time for sessions to end: 30m, 2h, none; else pool.yaml's", NULL},
	{"on-deadline", 0, false, OPTION_CHOICE, FIELD(on_deadline), "WHAT",
	 "then hold, resume, or stop (cuts them); else pool.yaml's",
	 on_deadline_from_name},
	{"until", 0, false, OPTION_CHOICE, FIELD(until), "END",
	 "resume (default), or reboot: the next boot ends the drain", until_from_name},
	{"dry-run", 0, false, OPTION_FLAG, FIELD(is_dry_run), NULL,
	 "say what would happen, and change nothing", NULL},
	{"force", 0, false, OPTION_TEXT, FIELD(force), "GATES",
	 "go on although these gates refuse: floor,clocks", NULL},
	{"accept-broken-sessions", 0, false, OPTION_FLAG, FIELD(accepts_broken), NULL,
	 "go on although DNS load balancing is missing", NULL},
	{"confirm", 0, false, OPTION_TEXTS, FIELD(confirmed), "POOL",
	 "with --force: the pool's name, where nobody can be asked", NULL},
	{"lock-wait", 0, false, OPTION_DURATION, FIELD(lock_wait_ms), "TIME",
	 "wait so long for who reserved first: 20s (default), 2m", NULL},
	{"for", 0, false, OPTION_CHOICE, FIELD(wait_for), "PHASE", "drained or serving",
	 wait_from_name},
	{"after", 0, false, OPTION_NUMBER, FIELD(after), "N",
	 "only events with a higher id", NULL},
	{"limit", 0, false, OPTION_NUMBER, FIELD(limit), "N",
	 "at most so many events, or sessions of each service", NULL},
	{"follow", 0, false, OPTION_FLAG, FIELD(is_follow), NULL,
	 "go on with each new event until Ctrl-C", NULL},
	{"watch", 0, false, OPTION_FLAG, FIELD(is_watch), NULL,
	 "go on with each change until Ctrl-C", NULL},
	{"verify", 0, false, OPTION_FLAG, FIELD(is_verify), NULL,
	 "check that no event was changed, added or taken out", NULL},
	{"head", 0, false, OPTION_HASH, FIELD(head), "HASH",
	 "with --verify: this earlier head must be in the record", NULL},
	{"poold", 0, false, OPTION_FLAG, FIELD(is_poold), NULL,
	 "poold.yaml is meant, not pool.yaml", NULL},
	{"pool", 0, false, OPTION_TEXT, FIELD(pool), "NAME", "the pool's name", NULL},
	{"fqdn", 0, false, OPTION_TEXT, FIELD(fqdn), "NAME", "the pool's name in DNS",
	 NULL},
	{"profile", 0, false, OPTION_TEXT, FIELD(profile), "NAME",
	 "the profile of its servers", NULL},
	{"server", 0, false, OPTION_TEXTS, FIELD(servers), "NAME=IP",
	 "a server and its address; may be given several times", NULL},
};

enum { OPTIONS_COUNT = sizeof(table) / sizeof(table[0]) };

_Static_assert(OPTIONS_COUNT <= 64, "options.used has a bit for each option");

static const char *option_name(const void *from, size_t i)
{
	return ((const struct option *)from)[i].name;
}

static int unknown(const char *word, struct err *err)
{
	const char *nearest = word[1] == '-' ? schema_nearest(word + 2, option_name,
							      table, OPTIONS_COUNT)
					     : NULL;

	if (nearest)
		return err_set(err, ERR_USAGE,
			       "there is no option '%s' (did you mean --%s?)", word,
			       nearest);
	return err_set(err, ERR_USAGE, "there is no option '%s'; see poolctl --help",
		       word);
}

static const struct option *find_option(const char *name, size_t length)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		if (strlen(table[i].name) == length &&
		    !strncmp(table[i].name, name, length))
			return &table[i];
	return NULL;
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		if (letter && table[i].letter == letter)
			return &table[i];
	return NULL;
}

static void add_text(struct texts *texts, const char *text)
{
	texts->items = xrealloc(texts->items, (texts->count + 1) * sizeof(*texts->items));
	texts->items[texts->count++] = text;
}

/* Reads a whole number from 0 up; `*end` is where it stops. */
static int read_number(const char *text, int64_t *number, char **end)
{
	errno = 0;
	*number = strtoll(text, end, 10);
	return text[0] < '0' || text[0] > '9' || errno ? -1 : 0;
}

static int read_duration(const char *text, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"s", 1000}, {"m", 60000}, {"h", HOUR_MS}};
	int64_t number;
	char *end;

	if (read_number(text, &number, &end))
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(end, units[i].name) &&
		    number <= (int64_t)TIMEOUT_LIMIT_H * HOUR_MS / units[i].ms) {
			*ms = number * units[i].ms;
			return 0;
		}
	return -1;
}

/* 0 stands for no deadline, so that 0s is none to ask for. */
static int read_deadline(const char *text, int64_t *ms)
{
	*ms = 0;
	if (!strcmp(text, "none"))
		return 0;
	return read_duration(text, ms) || !*ms ? -1 : 0;
}

static bool is_hash(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");

	return digits == CHAIN_HASH_BYTES - 1 && !text[digits];
}

/* What a reader of HTTP headers, JSON or logs would trip over is not taken. */
static bool is_good_text(const char *text)
{
	char *clean = xstrdup(text);
	bool is_good = *text && strlen(text) < API_TEXT_BYTES;

	text_clean(clean, true);
	is_good = is_good && !strcmp(clean, text);
	free(clean);
	return is_good;
}

static int set(const struct option *option, const char *value, struct options *options)
{
	void *field = (char *)options + option->offset;
	char *end;

	options->used |= UINT64_C(1) << (option - table);
	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_ID:
		*(const char **)field = value;
		return api_id_is_valid(value) ? 0 : -1;
	case OPTION_TEXTS:
		add_text(field, value);
		return is_good_text(value) ? 0 : -1;
	case OPTION_CHOICE:
		*(int *)field = option->choice_from_name(value);
		return *(int *)field < 0 ? -1 : 0;
	case OPTION_DURATION:
		return read_duration(value, field);
	case OPTION_DEADLINE:
		return read_deadline(value, field);
	case OPTION_HASH:
		*(const char **)field = value;
		return is_hash(value) ? 0 : -1;
	case OPTION_NUMBER:
		return read_number(value, field, &end) || *end ? -1 : 0;
	default:
		*(const char **)field = value;
		return is_good_text(value) ? 0 : -1;
	}
}

/* Reads the option in argv[i]; returns how many arguments it took, or -1. */
static int read_option(char **argv, int i, struct options *options, struct err *err)
{
	const char *word = argv[i];
	bool is_long = word[1] == '-';
	size_t length = is_long ? 2 + strcspn(word + 2, "=") : 2;
	const struct option *option =
		is_long ? find_option(word + 2, length - 2) : find_letter(word[1]);
	const char *value = NULL;
	int taken = 1;

	if (!option)
		return unknown(word, err);
	if (word[length])
		value = word + length + (is_long ? 1 : 0);
	if (option->type == OPTION_FLAG && value)
		return err_set(err, ERR_USAGE, "option --%s takes no value",
			       option->name);
	if (option->type != OPTION_FLAG && !value) {
		value = argv[i + 1];
		taken = 2;
	}
	if (option->type != OPTION_FLAG && !value)
		return err_set(err, ERR_USAGE, "option --%s needs a value: %s (%s)",
			       option->name, option->value, option->help);
	if (set(option, value, options))
		return err_set(err, ERR_USAGE, "option --%s cannot be '%s': %s (%s)",
			       option->name, value, option->value, option->help);
	return taken;
}

int options_parse(int argc, char **argv, struct options *options, struct err *err)
{
	*options = (struct options){.timeout_ms = -1,
				    .deadline_ms = -1,
				    .on_deadline = -1,
				    .lock_wait_ms = LOCK_WAIT_MS,
				    .after = -1,
				    .limit = API_EVENTS_LIMIT};
	for (int i = 1; i < argc;) {
		int taken = 1;

		if (argv[i][0] != '-' || !argv[i][1])
			add_text(&options->words, argv[i]);
		else
			taken = read_option(argv, i, options, err);
		if (taken < 0)
			return -1;
		i += taken;
	}
	return 0;
}

void options_done(struct options *options)
{
	free(options->words.items);
	free(options->services.items);
	free(options->confirmed.items);
	free(options->servers.items);
}

static bool is_allowed(const char *option, const char *allowed)
{
	size_t length = strlen(option);

	for (const char *name = allowed; *name;
	     name += strcspn(name, " "), name += *name == ' ')
		if (strcspn(name, " ") == length && !strncmp(name, option, length))
			return true;
	return false;
}

int options_check(const struct options *options, const char *command, const char *allowed,
		  struct err *err)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++)
		if (!table[i].is_global && (options->used & UINT64_C(1) << i) &&
		    !is_allowed(table[i].name, allowed))
			return err_set(err, ERR_USAGE,
				       "'%s' has no option --%s; see poolctl %s --help",
				       command, table[i].name, command);
	if (options->output == OUTPUT_YAML && !is_allowed("yaml", allowed))
		return err_set(err, ERR_USAGE,
			       "'%s' has no output yaml: table, json or jsonl", command);
	return 0;
}

void options_help(const char *allowed, struct buf *text)
{
	char name[32];

	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		const struct option *option = &table[i];

		if (allowed ? !is_allowed(option->name, allowed) : !option->is_global)
			continue;
		(void)snprintf(name, sizeof(name), "--%s %s", option->name,
			       option->value ? option->value : "");
		buf_printf(text, "  %-*s%s\n", HELP_COLUMNS, name, option->help);
	}
}
