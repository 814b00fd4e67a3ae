/*
 * Who asks: the same in every step of a pipeline's run, another in every other run.
 */
#include "line/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { VARIABLES = 6 };

static struct variable {
	const char *name, *value;
} environment[VARIABLES];

static const char *env(const char *name)
{
	for (int i = 0; i < VARIABLES && environment[i].name; i++)
		if (!strcmp(environment[i].name, name))
			return environment[i].value;
	return NULL;
}

static struct identity find(const struct variable *variables)
{
	struct identity identity;

	memcpy(environment, variables, sizeof(environment));
	identity_find(env, "jane doe", "desk", &identity);
	assert_true(api_id_is_valid(identity.id));
	return identity;
}

static const struct run {
	struct variable variables[VARIABLES];
	const char *id, *owner;
} runs[] = {
	{{{"GITHUB_ACTIONS", "true"},
	  {"GITHUB_REPOSITORY", "org/repo"},
	  {"GITHUB_WORKFLOW", "Patch day"},
	  {"GITHUB_RUN_ID", "1658821493"}},
	 "github-1658821493-org-repo-Patch-day-38902873",
	 "github org/repo/Patch day#1658821493"},
	{{{"GITLAB_CI", "true"},
	  {"CI_PROJECT_PATH", "group/project"},
	  {"CI_PIPELINE_ID", "1234"},
	  {"CI_JOB_ID", "99"}},
	 "gitlab-1234-group-project-b8da20f9",
	 "gitlab group/project#1234"},
	{{{"TF_BUILD", "True"},
	  {"SYSTEM_TEAMPROJECT", "Fabrikam"},
	  {"BUILD_DEFINITIONNAME", "Patch"},
	  {"BUILD_BUILDID", "812"}},
	 "azure-812-Fabrikam-Patch-a1f83487",
	 "azure Fabrikam/Patch#812"},
	{{{"TEAMCITY_VERSION", "2025.07"},
	  {"TEAMCITY_PROJECT_NAME", "Ops"},
	  {"TEAMCITY_BUILDCONF_NAME", "Patch"},
	  {"BUILD_NUMBER", "7"}},
	 "teamcity-7-Ops-Patch-7c625d77",
	 "teamcity Ops/Patch#7"},
	{{{"BUILDKITE", "true"},
	  {"BUILDKITE_PIPELINE_SLUG", "patch"},
	  {"BUILDKITE_BUILD_NUMBER", "59034"}},
	 "buildkite-59034-patch",
	 "buildkite patch#59034"},
	{{{"JENKINS_URL", "http://ci/"},
	  {"JOB_NAME", "ops/patch"},
	  {"BUILD_NUMBER", "5"}},
	 "jenkins-5-ops-patch-ce1e7a03",
	 "jenkins ops/patch#5"},
	{{{"JENKINS_HOME", "/var/lib/jenkins"},
	  {"JOB_NAME", "ops"},
	  {"BUILD_NUMBER", "5"}},
	 "jenkins-5-ops",
	 "jenkins ops#5"},
};

static void a_run_of_a_pipeline_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct identity identity = find(runs[i].variables);

		assert_string_equal(identity.id, runs[i].id);
		assert_string_equal(identity.owner, runs[i].owner);
	}
}

/* Another job on another machine. */
static void a_later_step_is_the_same(void **state)
{
	struct variable later[VARIABLES];
	struct identity first = find(runs[1].variables), second;

	(void)state;
	memcpy(later, runs[1].variables, sizeof(later));
	later[3].value = "100";
	memcpy(environment, later, sizeof(environment));
	identity_find(env, "root", "runner9", &second);
	assert_string_equal(first.id, second.id);
	assert_string_equal(first.owner, second.owner);
}

/* Without the number, all runs would share one drain. */
static void a_pipeline_without_a_number_is_a_person(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct variable variables[VARIABLES];
		size_t missing = 0;

		memcpy(variables, runs[i].variables, sizeof(variables));
		while (!strstr(variables[missing].name, "NUMBER") &&
		       !strstr(variables[missing].name, "RUN_ID") &&
		       !strstr(variables[missing].name, "PIPELINE_ID") &&
		       !strstr(variables[missing].name, "BUILDID"))
			missing++;
		variables[missing].value = "";
		assert_string_equal(find(variables).id, "jane-doe@desk-417a44f6");
		assert_string_equal(find(variables).owner, "jane doe@desk");
	}
}

static void a_long_or_hostile_name_is_cut_and_cleaned(void **state)
{
	static char name[2048];
	const struct variable variables[VARIABLES] = {{"GITLAB_CI", "true"},
						      {"CI_PROJECT_PATH", name},
						      {"CI_PIPELINE_ID", "1234"}};
	struct identity identity;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "\033[31m\xff", 6);
	identity = find(variables);
	assert_int_equal(strlen(identity.id), API_ID_BYTES - 1);
	assert_int_equal(strlen(identity.owner), API_TEXT_BYTES - 1);
	assert_memory_equal(identity.id, "gitlab-1234-", 12);
	assert_memory_equal(identity.owner, "gitlab ?[31m?xxx", 16);
}

static void a_person_is_named_by_user_and_machine(void **state)
{
	const struct variable nothing[VARIABLES] = {{NULL, NULL}};

	(void)state;
	assert_string_equal(find(nothing).id, "jane-doe@desk-417a44f6");
	assert_string_equal(find(nothing).owner, "jane doe@desk");
}

/* Users whose names differ only in what an id cannot have. */
static void different_people_have_different_ids(void **state)
{
	static const char *const users[] = {"müller",         "möller",
					    "m--ller",        "CONTOSO\\anna",
					    "FABRIKAM\\anna", "anna"};
	enum { USERS = sizeof(users) / sizeof(users[0]) };
	struct identity identities[USERS];

	(void)state;
	memset(environment, 0, sizeof(environment));
	for (size_t i = 0; i < USERS; i++) {
		identity_find(env, users[i], "desk", &identities[i]);
		assert_true(api_id_is_valid(identities[i].id));
		assert_memory_equal(identities[i].owner, users[i],
				    strlen(users[i]));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(identities[i].id, identities[k].id);
	}
	assert_string_equal(identities[USERS - 1].id, "anna@desk");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_of_a_pipeline_is_named),
		cmocka_unit_test(a_later_step_is_the_same),
		cmocka_unit_test(a_pipeline_without_a_number_is_a_person),
		cmocka_unit_test(a_long_or_hostile_name_is_cut_and_cleaned),
		cmocka_unit_test(a_person_is_named_by_user_and_machine),
		cmocka_unit_test(different_people_have_different_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
