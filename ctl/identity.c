#include "identity.h"

#include "buf.h"
#include "mem.h"
#include "text.h"

enum { NAMES = 2 };

/*
 * The documented variables of CI systems.  GITHUB_RUN_ID and CI_PIPELINE_ID stay the same
 * when a run is repeated; JENKINS_URL is there only if the administrator has set it.
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
	{"buildkite", "BUILDKITE", "BUILDKITE_BUILD_NUMBER", {"BUILDKITE_PIPELINE_SLUG"}},
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

static void add_names(const struct ci_system *ci, const char *(*env)(const char *name),
		      const char *between, struct buf *text)
{
	for (int i = 0; i < NAMES && ci->names[i]; i++)
		if (is_set(env, ci->names[i]))
			buf_printf(text, "%s%s", i ? "/" : between, env(ci->names[i]));
}

static void set_id(const char *text, char id[API_ID_BYTES])
{
	copy_text(id, API_ID_BYTES, text);
	for (char *c = id; *c; c++) {
		char one[] = {*c, '\0'}, later[] = {'x', *c, '\0'};

		if (!api_id_is_valid(c == id ? one : later))
			*c = c == id ? 'x' : '-';
	}
}

void identity_find(const char *(*env)(const char *name), const char *user,
		   const char *host, struct identity *identity)
{
	struct buf id = {0}, owner = {0};

	for (size_t i = 0; !id.length && i < sizeof(systems) / sizeof(systems[0]); i++) {
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
	copy_text(identity->owner, sizeof(identity->owner),
		  owner.length ? owner.text : identity->id);
	text_clean(identity->owner, true);
	buf_done(&owner);
	buf_done(&id);
}
