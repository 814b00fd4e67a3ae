/*
 * The simulated SCM: what it does with a stop, what it says of a boot, and what it
 * finds out for an inspection; and security templates, which the real one reads.
 */
#include "scm/scm.h"
#include "scm/security_template.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct temp_folder folder;
static struct scm *scm;

/* A machine with these services. */
static void begin(const char *services)
{
	char *path = temp_folder_file(&folder, "scm.json");
	char *text = xasprintf("{\"services\":{%s}}", services);

	assert_int_equal(temp_folder_write(&folder, "scm.json", text), 0);
	scm = scm_simulated_new(path, NULL);
	assert_non_null(scm);
	free(path);
	free(text);
}

static void end(void)
{
	scm->ops->free(scm);
}

static struct scm_status look(const char *service)
{
	struct scm_status status;

	assert_int_equal(scm->ops->observe(scm, service, &status, NULL), 0);
	return status;
}

#define RUNS "\"A\":{\"state\":\"running\",\"start_type\":\"automatic\""

static void a_stop_does_what_the_file_says(void **state)
{
	static const struct {
		const char *services;
		enum err_code code;
		unsigned long number;
		enum service_state after;
	} cases[] = {
		{RUNS "}", ERR_NONE, 0, STATE_STOPPED},
		{RUNS ",\"accepts_pause\":false}", ERR_NONE, 0, STATE_STOPPED},
		{RUNS ",\"on_stop\":\"stop\"}", ERR_NONE, 0, STATE_STOPPED},
		{RUNS ",\"on_stop\":\"ignore\"}", ERR_NONE, 0, STATE_RUNNING},
		{RUNS ",\"on_stop\":\"refuse\"}", ERR_SCM_REFUSED, 1051,
		 STATE_RUNNING},
		{"\"A\":{\"state\":\"paused\",\"start_type\":\"manual\"}", ERR_NONE,
		 0, STATE_STOPPED},
		{"\"A\":{\"state\":\"stopped\",\"start_type\":\"manual\","
		 "\"on_stop\":\"refuse\"}",
		 ERR_NONE, 0, STATE_STOPPED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int ret;

		begin(cases[i].services);
		ret = scm->ops->control(scm, "A", SCM_STOP, &err);
		assert_int_equal(ret, cases[i].code ? -1 : 0);
		assert_int_equal(err.code, cases[i].code);
		assert_int_equal(err.os_code, cases[i].number);
		assert_int_equal(look("A").state, cases[i].after);
		end();
	}
}

static void a_stop_of_what_is_not_installed_says_so(void **state)
{
	struct err err = {0};

	(void)state;
	begin(RUNS "}");
	assert_int_equal(scm->ops->control(scm, "B", SCM_STOP, &err), -1);
	assert_int_equal(err.code, ERR_SCM_MISSING);
	end();
}

static void on_pause_says_nothing_about_a_stop(void **state)
{
	(void)state;
	begin(RUNS ",\"on_pause\":\"refuse\",\"on_stop\":\"ignore\"}");
	assert_int_equal(scm->ops->control(scm, "A", SCM_PAUSE, NULL), -1);
	assert_int_equal(scm->ops->control(scm, "A", SCM_STOP, NULL), 0);
	assert_int_equal(look("A").state, STATE_RUNNING);
	end();
}

#define NEVER(state, start_type, never)                               \
	"\"A\":{\"state\":\"" state "\",\"start_type\":\"" start_type \
	"\",\"never_started\":" never "}"

static void a_start_is_due_until_this_boot_has_made_it(void **state)
{
	(void)state;
	begin(NEVER("stopped", "automatic", "true"));
	assert_true(look("A").is_start_due);
	assert_int_equal(scm->ops->start(scm, "A", NULL), 0);
	assert_false(look("A").is_start_due);
	assert_int_equal(scm->ops->control(scm, "A", SCM_STOP, NULL), 0);
	assert_false(look("A").is_start_due);
	end();
}

static void no_start_is_due_of_what_runs_or_is_manual(void **state)
{
	static const char *const services[] = {
		NEVER("stopped", "automatic", "false"),
		NEVER("stopped", "manual", "true"),
		NEVER("stopped", "disabled", "true"),
		NEVER("running", "automatic", "true"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		begin(services[i]);
		assert_false(look("A").is_start_due);
		end();
	}
}

static struct scm_inspection inspect(const char *services)
{
	struct scm_inspection found;

	begin(services);
	assert_int_equal(scm->ops->inspect(scm, "A", &found, NULL), 0);
	end();
	return found;
}

static void an_inspection_of_a_plain_service_finds_nothing(void **state)
{
	struct scm_inspection found = inspect(RUNS "}");

	(void)state;
	for (int i = 0; i < SCM_FACT__COUNT; i++)
		assert_string_equal(found.unknown[i], "");
	assert_int_equal(found.dependant_count, 0);
	assert_int_equal(found.trigger_count, 0);
	assert_int_equal(found.recovery, 0);
	assert_string_equal(found.policy, "");
	assert_int_equal(found.denied, 0);
}

static void an_inspection_finds_what_the_file_says(void **state)
{
	struct scm_inspection found = inspect(
		RUNS
		",\"triggers\":2,\"recovery\":\"reboot\","
		"\"policy\":\"gpt00001.inf\",\"denied\":[\"start\",\"pause\"]},"
		"\"B\":{\"state\":\"paused\",\"start_type\":\"manual\","
		"\"depends_on\":[\"X\",\"A\"]},"
		"\"C\":{\"state\":\"running\",\"start_type\":\"automatic\","
		"\"depends_on\":[\"B\"]}");

	(void)state;
	assert_int_equal(found.trigger_count, 2);
	assert_int_equal(found.recovery, SCM_RECOVERY_REBOOT);
	assert_string_equal(found.policy, "gpt00001.inf");
	assert_int_equal(found.denied,
			 1u << SCM_RIGHT_START | 1u << SCM_RIGHT_PAUSE);
	assert_int_equal(found.dependant_count, 1);
	assert_string_equal(found.dependants[0].name, "B");
	assert_int_equal(found.dependants[0].state, STATE_PAUSED);
	assert_int_equal(found.dependants[0].start_type, START_MANUAL);
	free(found.dependants);
}

static void each_fact_may_be_unknown(void **state)
{
	static const struct {
		const char *services;
		enum scm_fact fact;
	} cases[] = {
		{RUNS ",\"triggers\":\"unknown\"}", SCM_FACT_TRIGGERS},
		{RUNS ",\"recovery\":\"unknown\"}", SCM_FACT_RECOVERY},
		{RUNS ",\"policy\":\"unknown\"}", SCM_FACT_POLICY},
		{RUNS ",\"denied\":\"unknown\"}", SCM_FACT_RIGHTS},
		{RUNS "},\"B\":{\"state\":\"running\",\"start_type\":\"manual\","
		      "\"depends_on\":\"unknown\"}",
		 SCM_FACT_DEPENDANTS},
		{RUNS "},\"B\":{\"depends_on\":[\"A\"]}", SCM_FACT_DEPENDANTS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scm_inspection found = inspect(cases[i].services);

		for (int fact = 0; fact < SCM_FACT__COUNT; fact++)
			assert_int_equal(*found.unknown[fact] != '\0',
					 fact == (int)cases[i].fact);
		assert_int_equal(found.trigger_count + found.recovery +
					 found.denied + found.dependant_count,
				 0);
		assert_string_equal(found.policy, "");
	}
}

static void what_is_not_installed_cannot_be_inspected(void **state)
{
	struct scm_inspection found;
	struct err err = {0};

	(void)state;
	begin(RUNS "}");
	assert_int_equal(scm->ops->inspect(scm, "B", &found, &err), -1);
	assert_int_equal(err.code, ERR_SCM_MISSING);
	end();
}

#define HEAD "[Unicode]\r\nUnicode=yes\r\n"
#define SERVICES "[Service General Setting]\r\n"

static void a_template_sets_startup_types_in_its_section(void **state)
{
	static const struct {
		const char *text;
		int start_type; /* -1: none */
	} cases[] = {
		{HEAD SERVICES "\"RTCSRV\",2,\"D:AR(A;;CCDC;;;BA)\"\r\n",
		 START_AUTOMATIC},
		{HEAD SERVICES "RTCSRV,3,\r\n", START_MANUAL},
		{HEAD SERVICES "\"Spooler\",4,\"\"\n \"rtcsrv\" , 4,\"\"",
		 START_DISABLED},
		{"[service general setting]\nRTCSRV,2,\"\"\n", START_AUTOMATIC},
		{SERVICES "\r\n\r\n[Version]\r\n" SERVICES "RTCSRV,2",
		 START_AUTOMATIC},
		{"", -1},
		{HEAD "\"RTCSRV\",2,\"\"\r\n", -1},
		{SERVICES "[Version]\r\n\"RTCSRV\",2,\"\"\r\n", -1},
		{SERVICES "\"RTCSRVX\",2,\"\"\r\nXRTCSRV,2,\r\nRTCSRVX,2,", -1},
		{SERVICES "\"RTCSRV,2,\"\"\r\n", -1},
		{SERVICES "RTCSRV,9,\"\"\r\n", -1},
		{SERVICES "RTCSRV,\r\n2\r\n", -1},
		{SERVICES "RTCSRV", -1},
		{SERVICES "\"RTCSR", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum start_type type = START__COUNT;
		bool is_found =
			security_template_find(cases[i].text, "RTCSRV", &type);

		assert_int_equal(is_found, cases[i].start_type >= 0);
		if (is_found)
			assert_int_equal(type, cases[i].start_type);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return temp_folder_make(&folder);
}

static int remove_folder(void **state)
{
	(void)state;
	temp_folder_remove(&folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_does_what_the_file_says),
		cmocka_unit_test(a_stop_of_what_is_not_installed_says_so),
		cmocka_unit_test(on_pause_says_nothing_about_a_stop),
		cmocka_unit_test(a_start_is_due_until_this_boot_has_made_it),
		cmocka_unit_test(no_start_is_due_of_what_runs_or_is_manual),
		cmocka_unit_test(an_inspection_of_a_plain_service_finds_nothing),
		cmocka_unit_test(an_inspection_finds_what_the_file_says),
		cmocka_unit_test(each_fact_may_be_unknown),
		cmocka_unit_test(what_is_not_installed_cannot_be_inspected),
		cmocka_unit_test(a_template_sets_startup_types_in_its_section),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
