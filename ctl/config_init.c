#include "commands.h"
#include "config.h"
#include "mem.h"
#include "schema_show.h"
#include "terminal.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1024, COMMENT_COLUMNS = 72, OWN_WORDS = 2 };

enum ask { ASK_POOL, ASK_FQDN, ASK_PROFILE, ASK_SERVICE, ASK_SERVER, ASK__COUNT };

/* What is asked for, and where in the file the answer goes. */
static const struct question {
	const char *flag, *text;
	bool is_required;
	const char *key;      /* of the pool; NULL: it is the pool's name */
	const char *pair_key; /* of NAME=VALUE, which may be answered several times */
} questions[ASK__COUNT] = {
	[ASK_POOL] = {"--pool NAME", "Name of the pool", true, NULL, NULL},
	[ASK_FQDN] = {"--fqdn NAME", "Its name in DNS (empty: none)", false, "fqdn",
		      NULL},
	[ASK_PROFILE] = {"--profile NAME",
			 "Profile, as in docs/profiles.md (empty: none)", false,
			 "profile", NULL},
	[ASK_SERVICE] = {"--service NAME=PORT[,PORT]",
			 "A Windows service, NAME=PORT (empty: no more)", true,
			 "services", "ports"},
	[ASK_SERVER] = {"--server NAME=IP", "A server, NAME=IP (empty: no more)", true,
			"servers", "address"},
};

struct answers {
	struct list of[ASK__COUNT]; /* char * */
};

static void add_answer(struct list *list, const char *text)
{
	char **items = xrealloc(list->items, (list->count + 1) * sizeof(*items));

	items[list->count++] = xstrdup(text);
	list->items = items;
}

static void answers_done(struct answers *answers)
{
	for (size_t i = 0; i < ASK__COUNT; i++) {
		LIST_EACH (char *, text, answers->of[i])
			free(*text);
		free(answers->of[i].items);
	}
}

/* The one answer to a question, NULL if there is none. */
static const char *answer(const struct answers *answers, enum ask ask)
{
	return answers->of[ask].count ? *(char **)answers->of[ask].items : NULL;
}

static bool is_good_answer(enum ask ask, const char *text)
{
	const char *equals = strchr(text, '=');

	return !questions[ask].pair_key || (equals && equals > text && equals[1]);
}

/* A profile knows the services, but for the one that knows none. */
static bool is_needed(const struct answers *answers, enum ask ask)
{
	const char *profile = answer(answers, ASK_PROFILE);

	if (answers->of[ask].count || !questions[ask].is_required)
		return false;
	return ask != ASK_SERVICE || !profile || !strcmp(profile, "generic");
}

/* ---- asking ---- */

static int take_flags(const struct options *options, struct answers *answers,
		      struct err *err)
{
	const struct texts one[] = {
		{(const char **)&options->pool, options->pool != NULL},
		{(const char **)&options->fqdn, options->fqdn != NULL},
		{(const char **)&options->profile, options->profile != NULL},
		options->services,
		options->servers};

	for (size_t ask = 0; ask < ASK__COUNT; ask++)
		for (size_t i = 0; i < one[ask].count; i++) {
			if (!is_good_answer((enum ask)ask, one[ask].items[i]))
				return err_set(err, ERR_USAGE, "'%s' is no good: %s",
					       one[ask].items[i], questions[ask].flag);
			add_answer(&answers->of[ask], one[ask].items[i]);
		}
	return 0;
}

static int find_missing(const struct answers *answers)
{
	for (int ask = 0; ask < ASK__COUNT; ask++)
		if (is_needed(answers, (enum ask)ask))
			return ask;
	return -1;
}

static int read_line(char line[LINE_BYTES], struct err *err)
{
	return text_read_line(line, LINE_BYTES)
		       ? err_set(err, ERR_INTERRUPTED, "no answer; nothing was written")
		       : 0;
}

static int ask_one(struct answers *answers, enum ask ask, struct err *err)
{
	const struct question *question = &questions[ask];
	char line[LINE_BYTES];

	for (;;) {
		(void)fprintf(stderr, "%s: ", question->text);
		if (read_line(line, err))
			return -1;
		if (!*line && !is_needed(answers, ask))
			return 0;
		if (!*line || !is_good_answer(ask, line)) {
			text_complain("an answer is needed: %s", question->flag);
			continue;
		}
		add_answer(&answers->of[ask], line);
		if (!question->pair_key)
			return 0;
	}
}

static int ask_all(struct answers *answers, struct err *err)
{
	for (int ask = 0; ask < ASK__COUNT; ask++)
		if (!answers->of[ask].count &&
		    (ask != ASK_SERVICE || is_needed(answers, ASK_SERVICE)) &&
		    ask_one(answers, (enum ask)ask, err))
			return -1;
	return 0;
}

static int collect(const struct options *options, struct answers *answers,
		   struct err *err)
{
	int missing;

	if (take_flags(options, answers, err))
		return -1;
	missing = find_missing(answers);
	if (missing < 0)
		return 0;
	if (!terminal_can_ask())
		return err_set(err, ERR_USAGE, "without a terminal to ask, this needs %s",
			       questions[missing].flag);
	return ask_all(answers, err);
}

/* ---- writing ---- */

/* In lines that end between two words. */
static void add_comment(const char *comment, struct buf *text)
{
	while (*comment) {
		size_t length = strlen(comment);

		if (length > COMMENT_COLUMNS)
			for (length = COMMENT_COLUMNS; comment[length] != ' '; length--)
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

static void add_answers(const struct list *list, enum ask ask, struct buf *text)
{
	const struct question *question = &questions[ask];

	buf_printf(text, "    %s:", question->key);
	LIST_EACH (char *, value, *list) {
		if (question->pair_key) {
			buf_puts(text, value == list->items ? "\n" : "");
			add_pair(*value, question->pair_key, text);
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
	const struct section *section = key->type == KEY_SECTION ? key->section : NULL;
	size_t count = 0;

	if (key->fallback)
		buf_puts(text, key->fallback);
	for (size_t i = 0; section && i < section->key_count; i++)
		if (section->keys[i].fallback)
			buf_printf(text, "%s%s: %s", count++ ? ", " : "{",
				   section->keys[i].name, section->keys[i].fallback);
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

static int find_question(const char *key)
{
	for (int ask = 0; ask < ASK__COUNT; ask++)
		if (questions[ask].key && !strcmp(questions[ask].key, key))
			return ask;
	return -1;
}

static void compose(const struct answers *answers, struct buf *text)
{
	const struct section *pool =
		schema_find_key(&pool_file_section, "pools")->section;

	buf_puts(text,
		 "# The pools and their servers: the same file on every machine.\n"
		 "# What is commented out is the default, unless the profile says "
		 "otherwise.\n"
		 "# What is in force: poolctl config show.  All keys: poolctl config "
		 "reference.\npools:\n  ");
	schema_show_text(answer(answers, ASK_POOL), text);
	buf_puts(text, ":\n");
	for (size_t i = 0; i < pool->key_count; i++) {
		const struct key *key = &pool->keys[i];
		int ask = find_question(key->name);

		if (ask >= 0 && answers->of[ask].count) {
			add_comment(key->help, text);
			add_answers(&answers->of[ask], (enum ask)ask, text);
		} else {
			add_default(key, text);
		}
	}
}

/* Nothing is written that does not load. */
static int check(const char *path, const struct buf *text, struct err *err)
{
	struct mistakes mistakes = {0};
	struct buf report = {0};
	struct pool_config *config =
		pool_config_parse(path, text->text, text->length, &mistakes);
	int ret = 0;

	if (!config) {
		mistakes_print(&mistakes, &report);
		config_print_lines(stderr, report.text);
		buf_done(&report);
		ret = err_set(err, ERR_CONFIG,
			      "the answers make no good file; nothing was written");
	}
	pool_config_free(config);
	mistakes_done(&mistakes);
	return ret;
}

static int write_file(const char *path, struct buf *text, struct err *err)
{
	struct buf line = {0};

	if (!strcmp(path, "-")) {
		config_print_lines(stdout, text->text);
		return 0;
	}
	if (host_create_file(path, text->text, err))
		return -1;
	buf_printf(&line, "%s: written, and checked", path);
	text_print(stdout, line.text);
	buf_done(&line);
	return 0;
}

/* The file that is named; else what a terminal answers; else standard output. */
static const char *find_path(const struct options *options, char line[LINE_BYTES],
			     struct err *err)
{
	char standard[HOST_PATH_BYTES];
	const char *path;

	if (options->words.count > OWN_WORDS)
		return options->words.items[OWN_WORDS];
	if (!terminal_can_ask())
		return "-";
	path = config_path(options, standard);
	(void)fprintf(stderr, "File to write (empty: %s; -: only show it): ", path);
	if (read_line(line, err))
		return NULL;
	if (!*line)
		copy_text(line, LINE_BYTES, path);
	return line;
}

int command_config_init(const struct options *options, const struct pool_config *config,
			struct err *err)
{
	struct answers answers = {0};
	struct buf text = {0};
	char line[LINE_BYTES];
	const char *path;
	int ret = -1;

	(void)config;
	if (collect(options, &answers, err))
		goto out;
	path = find_path(options, line, err);
	if (!path)
		goto out;
	compose(&answers, &text);
	if (!check(path, &text, err))
		ret = write_file(path, &text, err);
out:
	buf_done(&text);
	answers_done(&answers);
	return ret;
}
