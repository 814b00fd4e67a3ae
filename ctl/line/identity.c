#include "line/identity.h"

#include "buf.h"
#include "text/text.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { NAMES = 2, HASH_CHARS = 9 };

/*
 * The documented variables of CI systems.  GITHUB_RUN_ID and CI_PIPELINE_ID stay
 * the same when a run is repeated; JENKINS_URL is there only if the administrator
 * has set it.
 */
static const struct ci_system {
	const char *name;
	const char *mark; /* is set where it runs */
	const char *number;
	const char *names[NAMES]; /* that the number belongs to */
} systems[] = {
	{"github",
	 "GITHUB_ACTIONS",
	 "GITHUB_RUN_ID",
	 {"GITHUB_REPOSITORY", "GITHUB_WORKFLOW"}},
	{"gitlab", "GITLAB_CI", "CI_PIPELINE_ID", {"CI_PROJECT_PATH"}},
	{"azure",
	 "TF_BUILD",
	 "BUILD_BUILDID",
	 {"SYSTEM_TEAMPROJECT", "BUILD_DEFINITIONNAME"}},
	{"teamcity",
	 "TEAMCITY_VERSION",
	 "BUILD_NUMBER",
	 {"TEAMCITY_PROJECT_NAME", "TEAMCITY_BUILDCONF_NAME"}},
	{"buildkite",
	 "BUILDKITE",
	 "BUILDKITE_BUILD_NUMBER",
	 {"BUILDKITE_PIPELINE_SLUG"}},
	{"jenkins", "JENKINS_URL", "BUILD_NUMBER", {"JOB_NAME"}},
	{"jenkins", "JENKINS_HOME", "BUILD_NUMBER", {"JOB_NAME"}},
};

static bool is_set(const char *(*env)(const char *name), const char *name)
{
	const char *value = env(name);

	return value && *value;
}

/* The number tells runs apart, so without it there is no identity to be had. */
static bool is_running_in(const struct ci_system *ci,
			  const char *(*env)(const char *name))
{
	return is_set(env, ci->mark) && is_set(env, ci->number) &&
	       is_set(env, ci->names[0]);
}

static void add_names(const struct ci_system *ci,
		      const char *(*env)(const char *name), const char *between,
		      struct buf *text)
{
	for (int i = 0; i < NAMES && ci->names[i]; i++)
		if (is_set(env, ci->names[i]))
			buf_printf(text, "%s%s", i ? "/" : between,
				   env(ci->names[i]));
}

/* FNV-1a, of 32 bits: short, the same everywhere, and different for different
 * names. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261u;

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 16777619u;
	return value;
}

/* Different texts become different ids: what an id cannot have is told by a hash of
 * all of it. */
static void set_id(const char *text, char id[API_ID_BYTES])
{
	bool is_whole = api_id_is_valid(text);
	size_t used;

	utf8_copy(id, is_whole ? API_ID_BYTES : API_ID_BYTES - HASH_CHARS, text);
	for (char *c = id; *c; c++) {
		char one[] = {*c, '\0'}, later[] = {'x', *c, '\0'};

		if (!api_id_is_valid(c == id ? one : later))
			*c = c == id ? 'x' : '-';
	}
	used = strlen(id);
	if (!is_whole)
		(void)snprintf(id + used, API_ID_BYTES - used, "-%08x",
			       (unsigned)hash(text));
}

void identity_find(const char *(*env)(const char *name), const char *user,
		   const char *host, struct identity *identity)
{
	struct buf id = {0}, owner = {0};

	for (size_t i = 0; !id.length && i < sizeof(systems) / sizeof(systems[0]);
	     i++) {
		const struct ci_system *ci = &systems[i];

		if (!is_running_in(ci, env))
			continue;
		buf_printf(&id, "%s-%s", ci->name, env(ci->number));
		add_names(ci, env, "-", &id);
		buf_puts(&owner, ci->name);
		add_names(ci, env, " ", &owner);
		buf_printf(&owner, "#%s", env(ci->number));
	}
	if (!id.length)
		buf_printf(&id, "%s@%s", user, host);
	set_id(id.text, identity->id);
	utf8_copy(identity->owner, sizeof(identity->owner),
		  owner.length ? owner.text : id.text);
	text_clean(identity->owner, true);
	buf_done(&owner);
	buf_done(&id);
}
