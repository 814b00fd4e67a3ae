#include "line/config.h"

#include <string.h>

enum { OWN_WORDS = 2 }; /* "config show" */

static bool has_ending(const char *path, const char *ending)
{
	size_t length = strlen(path), tail = strlen(ending);

	return length > tail && !strcmp(path + length - tail, ending);
}

/* The file that `config show FILE` names, or NULL: what looks like no pool or
 * server. */
static const char *named_file(const struct options *options)
{
	const char *word = config_argument(options);
	bool is_file = word && !strcmp(options->given.words.items[0], "config") &&
		       (strpbrk(word, "/\\") || has_ending(word, ".yaml") ||
			has_ending(word, ".yml"));

	return is_file ? word : NULL;
}

const char *config_name(const struct options *options)
{
	size_t place = OWN_WORDS + (named_file(options) ? 1 : 0);

	return options->given.words.count > place
		       ? options->given.words.items[place]
		       : NULL;
}

const char *config_path(const struct options *options,
			char standard[HOST_PATH_BYTES])
{
	const char *path = named_file(options);

	if (!path)
		path = options->config ? options->config
				       : host_env("POOLCTL_CONFIG");
	if (path && *path)
		return path;
	host_config_path("pool.yaml", standard);
	return standard;
}

const char *config_argument(const struct options *options)
{
	return options->given.words.count > OWN_WORDS
		       ? options->given.words.items[OWN_WORDS]
		       : NULL;
}
