#include "commands/commands.h"
#include "line/config.h"
#include "mem.h"
#include "pool_advice.h"
#include "pool_config.h"
#include "schema_show.h"
#include "system/file.h"
#include "terminal/print.h"
#include "terminal/terminal.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1024, COMMENT_COLUMNS = 72, POOLD_PORT = 8650 };

enum field {
	FIELD_POOL,
	FIELD_FQDN,
	FIELD_PROFILE,
	FIELD_SERVICE,
	FIELD_SERVER,
	FIELD__COUNT
};

/* What the file is made of. */
static const struct field_info {
	const char *flag, *prompt;
	bool is_required;
	const char *key;      /* of the pool; NULL: it is the pool's name */
	const char *pair_key; /* of NAME=VALUE, of which there may be several */
} fields[FIELD__COUNT] = {
	[FIELD_POOL] = {"--pool NAME", "Name of the pool", true, NULL, NULL},
	[FIELD_FQDN] = {"--fqdn NAME", "Its name in DNS (empty: none)", false,
			"fqdn", NULL},
	[FIELD_PROFILE] = {"--profile NAME",
			   "Profile, as in docs/profiles.md (empty: none)", false,
			   "profile", NULL},
	[FIELD_SERVICE] = {"--service NAME=PORT[,PORT]",
			   "A Windows service, NAME=PORT (empty: no more)", true,
			   "services", "ports"},
	[FIELD_SERVER] = {"--server NAME=IP", "A server, NAME=IP (empty: no more)",
			  true, "servers", "address"},
};

/* The values of each field: those of the command line, or typed. */
struct values {
	struct list of[FIELD__COUNT]; /* char * */
};

static void values_done(struct values *values)
{
	for (size_t i = 0; i < FIELD__COUNT; i++) {
		LIST_EACH (char *, text, values->of[i])
			free(*text);
		free(values->of[i].items);
	}
}

/* The first value of a field, or NULL. */
static const char *first(const struct values *values, enum field field)
{
	return values->of[field].count ? *(char **)values->of[field].items : NULL;
}

/* A profile knows the services, but for the one that knows none. */
static bool is_missing(const struct values *values, enum field field)
{
	const char *profile = first(values, FIELD_PROFILE);

	return fields[field].is_required && !values->of[field].count &&
	       (field != FIELD_SERVICE || !profile || !strcmp(profile, "generic"));
}

/* ---- asking ---- */

/* Fails if the text has not the form of the field's values. */
static int add_value(struct values *values, enum field field, const char *text)
{
	struct list *list = &values->of[field];
	const char *equals = strchr(text, '=');
	char **items;

	if (!*text ||
	    (fields[field].pair_key && (!equals || equals == text || !equals[1])))
		return -1;
	items = xrealloc(list->items, (list->count + 1) * sizeof(*items));
	items[list->count++] = xstrdup(text);
	list->items = items;
	return 0;
}

/* The form of the field's values, with what is missing in this one. */
static void fail_form(enum field field, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (!fields[field].pair_key || !*text)
		(void)err_set(err, ERR_USAGE, "'%s' is not in the form %s", text,
			      fields[field].flag);
	else
		(void)err_set(err, ERR_USAGE,
			      "'%s' has no %s: expected %s, like %s=%s", text,
			      equals == text           ? "name"
			      : field == FIELD_SERVICE ? "port"
						       : "address",
			      fields[field].flag, equals ? "NAME" : text,
			      field == FIELD_SERVICE ? "5061" : "10.1.0.11");
}

static int take_flags(const struct options *options, struct values *values,
		      struct err *err)
{
	const struct texts given[FIELD__COUNT] = {
		{(const char **)&options->pool, options->pool != NULL},
		{(const char **)&options->fqdn, options->fqdn != NULL},
		{(const char **)&options->profile, options->profile != NULL},
		options->services,
		options->servers};

	for (int field = 0; field < FIELD__COUNT; field++)
		for (size_t i = 0; i < given[field].count; i++)
			if (add_value(values, (enum field)field,
				      given[field].items[i])) {
				fail_form((enum field)field, given[field].items[i],
					  err);
				return -1;
			}
	return 0;
}

static int ask(const char *prompt, char line[LINE_BYTES], struct err *err)
{
	return print_prompt(line, LINE_BYTES, "%s: ", prompt)
		       ? err_set(err, ERR_INTERRUPTED,
				 "the input ended; nothing was written")
		       : 0;
}

static int ask_for(struct values *values, enum field field, struct err *err)
{
	const struct field_info *info = &fields[field];
	char line[LINE_BYTES];

	do {
		if (ask(info->prompt, line, err))
			return -1;
		if (!*line && !is_missing(values, field))
			return 0;
		if (add_value(values, field, line))
			print_complaint("a value is needed, as for %s", info->flag);
	} while (info->pair_key || !values->of[field].count);
	return 0;
}

/* If the command line leaves something open, all that it does not say is asked for.
 */
static int collect(const struct options *options, struct values *values,
		   struct err *err)
{
	int field = 0;

	if (take_flags(options, values, err))
		return -1;
	while (field < FIELD__COUNT && !is_missing(values, (enum field)field))
		field++;
	if (field == FIELD__COUNT)
		return 0;
	if (!terminal_can_ask())
		return err_set(err, ERR_USAGE,
			       "%s is required, as there is no terminal to ask on",
			       fields[field].flag);
	for (field = 0; field < FIELD__COUNT; field++)
		if (!values->of[field].count &&
		    (field != FIELD_SERVICE || is_missing(values, FIELD_SERVICE)) &&
		    ask_for(values, (enum field)field, err))
			return -1;
	return 0;
}

/* ---- writing ---- */

/* In lines that end between two words. */
static void add_comment(const char *comment, struct buf *text)
{
	while (*comment) {
		size_t length = strlen(comment);

		if (length > COMMENT_COLUMNS)
			for (length = COMMENT_COLUMNS; comment[length] != ' ';
			     length--)
				;
		buf_printf(text, "    # %.*s\n", (int)length, comment);
		comment += length;
		comment += strspn(comment, " ");
	}
}

/* Ports are numbers, and everything else is for the loader to judge. */
static void add_part(const char *part, struct buf *text)
{
	if (*part && !part[strspn(part, "0123456789")])
		buf_puts(text, part);
	else
		schema_show_text(part, text);
}

/* "NAME=VALUE,VALUE" as a named section with one key. */
static void add_pair(const char *pair, const char *key, struct buf *text)
{
	char *name = xstrdup(pair), *value = strchr(name, '=');
	bool is_list = strchr(value, ',') != NULL;

	*value++ = '\0';
	buf_puts(text, "      ");
	schema_show_text(name, text);
	buf_printf(text, ":\n        %s: %s", key, is_list ? "[" : "");
	for (char *end; value; value = end) {
		end = strchr(value, ',');
		if (end)
			*end++ = '\0';
		add_part(value, text);
		buf_puts(text, end ? ", " : "");
	}
	buf_puts(text, is_list ? "]\n" : "\n");
	free(name);
}

/* poold listens on loopback addresses only: elsewhere a tunnel ends at a port of
 * each server's own. */
static void add_url(const char *pair, size_t index, struct buf *text)
{
	char *value = xstrdup(strchr(pair, '=') + 1);
	char address[NET_ADDRESS_TEXT_BYTES];
	struct net_address own;

	value[strcspn(value, ",")] = '\0';
	if (!net_address_parse(value, &own) && net_address_is_loopback(&own)) {
		bool is_ipv4 = net_address_is_ipv4(&own);

		buf_printf(text, "        url: http://%s%s%s:%d\n",
			   is_ipv4 ? "" : "[", net_address_format(&own, address),
			   is_ipv4 ? "" : "]", POOLD_PORT);
	} else {
		buf_printf(text, "        url: http://127.0.0.1:%zu\n",
			   POOLD_PORT + 1 + index);
	}
	free(value);
}

static void add_values(const struct list *list, const struct field_info *info,
		       struct buf *text)
{
	size_t index = 0;

	if (info == &fields[FIELD_SERVER])
		add_comment(
			"url is where poolctl reaches poold, such as your end of "
			"a tunnel; poold itself listens there unless poold.yaml "
			"says otherwise",
			text);
	buf_printf(text, "    %s:", info->key);
	LIST_EACH (char *, value, *list) {
		if (info->pair_key) {
			buf_puts(text, value == list->items ? "\n" : "");
			add_pair(*value, info->pair_key, text);
			if (info == &fields[FIELD_SERVER])
				add_url(*value, index++, text);
		} else {
			buf_puts(text, " ");
			schema_show_text(*value, text);
			buf_puts(text, "\n");
		}
	}
}

/* "10s", or "{floor: 1, max_out: 1}" for a section; nothing without a default. */
static void add_fallback(const struct key *key, struct buf *text)
{
	const struct section *section =
		key->type == KEY_SECTION ? key->section : NULL;
	size_t count = 0;

	if (key->fallback)
		buf_puts(text, key->fallback);
	for (size_t i = 0; section && i < section->key_count; i++)
		if (section->keys[i].fallback)
			buf_printf(text, "%s%s: %s", count++ ? ", " : "{",
				   section->keys[i].name,
				   section->keys[i].fallback);
	buf_puts(text, count ? "}" : "");
}

/* Keys that were not asked for stand there with their defaults, as comments. */
static void add_default(const struct key *key, struct buf *text)
{
	struct buf fallback = {0};

	add_fallback(key, &fallback);
	if (fallback.length) {
		add_comment(key->help, text);
		buf_printf(text, "    #%s: %s\n", key->name, fallback.text);
	}
	buf_done(&fallback);
}

/* The field of a key of the pool, or FIELD__COUNT. */
static int find_field(const char *key)
{
	int field = 0;

	while (field < FIELD__COUNT &&
	       (!fields[field].key || strcmp(fields[field].key, key)))
		field++;
	return field;
}

static void compose(const struct values *values, struct buf *text)
{
	const struct section *pool =
		schema_find_key(&pool_file_section, "pools")->section;

	buf_puts(
		text,
		"# The pools and their servers: the same file on every machine.\n"
		"# What is commented out is the default, unless the profile says "
		"otherwise.\n"
		"# What is in force: poolctl config show.  All keys: poolctl config "
		"reference.\npools:\n  ");
	schema_show_text(first(values, FIELD_POOL), text);
	buf_puts(text, ":\n");
	for (size_t i = 0; i < pool->key_count; i++) {
		const struct key *key = &pool->keys[i];
		int field = find_field(key->name);

		if (field < FIELD__COUNT && values->of[field].count) {
			add_comment(key->help, text);
			add_values(&values->of[field], &fields[field], text);
		} else {
			add_default(key, text);
		}
	}
}

static void add_advice(const struct pool_config *config, struct buf *advice)
{
	LIST_EACH (struct pool, pool, config->pools) {
		pool_advice_add_floor(pool, advice);
		pool_advice_print(pool, &pool->services, NULL, advice);
	}
}

/* Nothing is written that does not load.  `advice` gets what to know about it. */
static int check(const char *path, const struct buf *text, struct buf *advice,
		 struct err *err)
{
	struct mistakes mistakes = {0};
	struct buf report = {0};
	struct pool_config *config =
		pool_config_parse(path, text->text, text->length, &mistakes);
	int ret = 0;

	if (!config) {
		mistakes_print(&mistakes, &report);
		print_lines(stderr, report.text);
		buf_done(&report);
		ret = err_set(
			err, ERR_CONFIG,
			"these values do not make a valid file; nothing was written");
	}
	if (config)
		add_advice(config, advice);
	pool_config_free(config);
	mistakes_done(&mistakes);
	return ret;
}

static int write_file(const char *path, struct buf *text, struct err *err)
{
	if (!strcmp(path, "-")) {
		print_lines(stdout, text->text);
		return 0;
	}
	if (file_exists(path))
		return err_set(
			err, ERR_USAGE,
			"%s is there already, and is never overwritten; name "
			"another file, or - to only see the text",
			path);
	if (file_create(path, text->text, err))
		return -1;
	print_line(stdout, "%s: written and checked", path);
	return 0;
}

/* The file that is named; else the one that is typed; without a terminal, "-". */
static const char *find_path(const struct options *options, char line[LINE_BYTES],
			     struct err *err)
{
	const char *path = config_argument(options);
	char standard[HOST_PATH_BYTES], prompt[LINE_BYTES];

	if (path || !terminal_can_ask())
		return path ? path : "-";
	path = config_path(options, standard);
	(void)snprintf(prompt, sizeof(prompt),
		       "File to write (empty: %s; -: only show it)", path);
	if (ask(prompt, line, err))
		return NULL;
	if (!*line)
		utf8_copy(line, LINE_BYTES, path);
	return line;
}

int command_config_init(const struct options *options,
			const struct pool_config *config, struct err *err)
{
	struct values values = {0};
	struct buf text = {0}, advice = {0};
	char line[LINE_BYTES];
	const char *path = NULL;
	int ret = -1;

	(void)config;
	if (!collect(options, &values, err))
		path = find_path(options, line, err);
	if (path) {
		compose(&values, &text);
		if (!check(path, &text, &advice, err))
			ret = write_file(path, &text, err);
		if (!ret && advice.length)
			print_lines(stderr, advice.text);
	}
	buf_done(&advice);
	buf_done(&text);
	values_done(&values);
	return ret;
}
