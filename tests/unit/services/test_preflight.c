/*
 * Preflight: each finding where it belongs and not next to it, and the document.
 *
 * The services are those of the simulated SCM, so that what is looked at is tested
 * too.
 */
#include "services/preflight.h"
#include "temp_folder.h"
#include "pool_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct temp_folder folder;

static const char pool_yaml[] =
	"pools:\n"
	"  p:\n"
	"    deadline: 1h\n"
	"    on_deadline: stop\n"
	"    startup_while_drained: disabled\n"
	"    services: {A: {ports: 1}}\n"
	"    servers:\n"
	"      a: {address: 192.0.2.1}\n"
	"      b: {address: 192.0.2.2, on_deadline: hold, startup_while_drained: manual}\n"
	"  q:\n"
	"    on_deadline: stop\n"
	"    services: {A: {ports: 1}}\n"
	"    servers: {c: {address: 192.0.2.3}}\n";

/* What is planned for the service A, and what the SCM has. */
struct world {
	const char *services; /* in the file; NULL: the file is no JSON */
	struct preflight_input plan;
	bool is_optional, is_logon_mode, lacks_count;
};

static json_t *preflight(const struct world *world)
{
	char *path = temp_folder_file(&folder, "scm.json"), *text;
	struct pool_service service = {.named = {.name = (char *)"A"},
				       .is_optional = world->is_optional};
	struct preflight_input input = world->plan;
	struct scm *scm;
	json_t *found;

	service.method = world->is_logon_mode ? METHOD_LOGON_MODE : METHOD_PAUSE;
	input.service = &service;
	input.has_command = !world->lacks_count;
	if (!input.startup)
		input.startup = START_MANUAL;
	assert_int_equal(temp_folder_write(&folder, "scm.json", "{}"), 0);
	scm = scm_simulated_new(path, NULL);
	text = world->services ? xasprintf("{\"services\":{%s}}", world->services)
			       : xstrdup("?");
	assert_int_equal(temp_folder_write(&folder, "scm.json", text), 0);
	preflight_look(scm, &input);
	found = preflight_service_to_json(&input);
	assert_non_null(found);
	preflight_done(&input);
	scm->ops->free(scm);
	free(text);
	free(path);
	return found;
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The finding with this code and this word in its text. */
static const json_t *find(const json_t *service, const char *code, const char *word)
{
	const json_t *findings = json_object_get(service, "findings");

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);

		if (!strcmp(text_at(finding, "code"), code) &&
		    strstr(text_at(finding, "text"), word))
			return finding;
	}
	return NULL;
}

#define SERVICE(name, state, start_type)                                     \
	"\"" name "\":{\"state\":\"" state "\",\"start_type\":\"" start_type \
	"\",\"delayed_auto_start\":false"
#define RUNS SERVICE("A", "running", "automatic")
#define NEEDED(state, start_type) \
	RUNS "}," SERVICE("B", state, start_type) ",\"depends_on\":[\"A\"]}"
#define PLAN(...) .plan = {__VA_ARGS__}

static const struct {
	const char *code, *level, *word;
	struct world with, without;
} cases[] = {
	{"not_installed",
	 "refusal",
	 "not installed",
	 {.services = ""},
	 {.services = RUNS "}"}},
	{"not_installed",
	 "refusal",
	 "",
	 {.services = "", .is_optional = true, PLAN(.has_saved = true)},
	 {.services = "", .is_optional = true}},
	{"absent",
	 "note",
	 "optional",
	 {.services = "", .is_optional = true},
	 {.services = ""}},
	{"cannot_be_asked",
	 "refusal",
	 "scm.json",
	 {.services = NULL},
	 {.services = ""}},
	{"logon_mode",
	 "refusal",
	 "logon mode",
	 {.services = RUNS "}", .is_logon_mode = true},
	 {.services = RUNS "}"}},
	{"no_pause",
	 "refusal",
	 "pause",
	 {.services = RUNS ",\"accepts_pause\":false}"},
	 {.services = RUNS "}"}},
	{"no_pause",
	 "refusal",
	 "pause",
	 {.services = RUNS ",\"accepts_pause\":false}"},
	 {.services = SERVICE("A", "stopped", "automatic") "}"}},
	{"missing_right",
	 "refusal",
	 "SERVICE_PAUSE_CONTINUE",
	 {.services = RUNS ",\"denied\":[\"pause\"]}"},
	 {.services = RUNS ",\"denied\":[\"start\"]}"}},
	{"missing_right",
	 "refusal",
	 "SERVICE_CHANGE_CONFIG",
	 {.services = RUNS ",\"denied\":[\"configure\"]}"},
	 {.services = RUNS ",\"denied\":[\"configure\"]}",
	  PLAN(.is_startup_left = true)}},
	{"missing_right",
	 "refusal",
	 "SERVICE_START",
	 {.services = RUNS ",\"denied\":[\"start\"]}"},
	 {.services = RUNS ",\"denied\":[\"pause\"]}"}},
	{"missing_right",
	 "refusal",
	 "SERVICE_STOP",
	 {.services = RUNS ",\"denied\":[\"stop\"]}",
	  PLAN(.is_stop_planned = true)},
	 {.services = RUNS ",\"denied\":[\"stop\"]}"}},
	{"pending",
	 "warning",
	 "start_pending",
	 {.services = SERVICE("A", "start_pending", "automatic") "}"},
	 {.services = RUNS "}"}},
	{"pending",
	 "warning",
	 "pause_pending",
	 {.services = SERVICE("A", "pause_pending", "automatic") "}"},
	 {.services = SERVICE("A", "paused", "automatic") "}"}},
	{"start_triggers",
	 "warning",
	 ": 2",
	 {.services = RUNS ",\"triggers\":2}"},
	 {.services = RUNS ",\"triggers\":0}"}},
	{"start_triggers",
	 "warning",
	 "",
	 {.services = RUNS ",\"triggers\":2}"},
	 {.services = RUNS ",\"triggers\":2}", PLAN(.startup = START_DISABLED)}},
	{"start_triggers",
	 "warning",
	 "",
	 {.services = RUNS ",\"triggers\":2}"},
	 {.services = RUNS ",\"triggers\":2}", PLAN(.is_startup_left = true)}},
	{"dependants_start",
	 "warning",
	 ": B",
	 {.services = NEEDED("stopped", "automatic")},
	 {.services = NEEDED("running", "manual")}},
	{"dependants_start",
	 "warning",
	 "",
	 {.services = NEEDED("stopped", "automatic")},
	 {.services = NEEDED("stopped", "automatic"),
	  PLAN(.startup = START_DISABLED)}},
	{"recovery_restarts",
	 "warning",
	 "crash",
	 {.services = RUNS ",\"recovery\":\"restart\"}"},
	 {.services = RUNS ",\"recovery\":\"reboot\"}"}},
	{"recovery_reboots",
	 "warning",
	 "reboots",
	 {.services = RUNS ",\"recovery\":\"reboot\"}"},
	 {.services = RUNS ",\"recovery\":\"run\"}"}},
	{"recovery_runs",
	 "warning",
	 "program",
	 {.services = RUNS ",\"recovery\":\"run\"}"},
	 {.services = RUNS ",\"recovery\":\"restart\"}"}},
	{"group_policy",
	 "warning",
	 "gpt1.inf sets automatic",
	 {.services = RUNS ",\"policy\":\"gpt1.inf\"}"},
	 {.services = RUNS "}"}},
	{"group_policy",
	 "warning",
	 "",
	 {.services = RUNS ",\"policy\":\"gpt1.inf\"}",
	  PLAN(.startup = START_DISABLED)},
	 {.services = RUNS ",\"policy\":\"gpt1.inf\"}",
	  PLAN(.is_startup_left = true)}},
	{"sessions_unknown",
	 "warning",
	 "never",
	 {.services = RUNS "}", PLAN(.has_sessions = true)},
	 {.services = RUNS "}",
	  PLAN(.has_sessions = true, .is_count_known = true)}},
	{"sessions_unknown",
	 "warning",
	 "never",
	 {.services = RUNS "}", PLAN(.has_sessions = true)},
	 {.services = RUNS "}"}},
	{"not_running",
	 "note",
	 "stopped",
	 {.services = SERVICE("A", "stopped", "automatic") "}"},
	 {.services = RUNS "}"}},
	{"no_counter",
	 "warning",
	 "A: {unverified: []}",
	 {.services = RUNS "}", .lacks_count = true},
	 {.services = RUNS "}"}},
	{"not_running",
	 "note",
	 "paused",
	 {.services = SERVICE("A", "paused", "automatic") "}"},
	 {.services = SERVICE("A", "paused", "manual") "}",
	  PLAN(.wanted = WANT_DRAINED)}},
	{"not_running",
	 "note",
	 "not started it yet",
	 {.services =
		  SERVICE("A", "stopped", "automatic") ",\"never_started\":true}"},
	 {.services = SERVICE("A", "stopped", "automatic") "}"}},
	{"already_draining",
	 "note",
	 "already",
	 {.services = RUNS "}", PLAN(.wanted = WANT_DRAINED)},
	 {.services = RUNS "}"}},
	{"saved_left",
	 "note",
	 "putting it back",
	 {.services = RUNS "}", PLAN(.has_saved = true)},
	 {.services = RUNS "}", PLAN(.has_saved = true, .wanted = WANT_DRAINED)}},
	{"dependants_running",
	 "note",
	 ": B",
	 {.services = NEEDED("running", "manual"), PLAN(.is_stop_planned = true)},
	 {.services = NEEDED("stopped", "manual"), PLAN(.is_stop_planned = true)}},
	{"dependants_running",
	 "note",
	 ": B",
	 {.services = NEEDED("paused", "manual"), PLAN(.is_stop_planned = true)},
	 {.services = NEEDED("paused", "manual")}},
	{"delayed_auto_start",
	 "note",
	 "delayed",
	 {.services = "\"A\":{\"state\":\"running\",\"start_type\":\"automatic\","
		      "\"delayed_auto_start\":true}"},
	 {.services = "\"A\":{\"state\":\"running\",\"start_type\":\"manual\","
		      "\"delayed_auto_start\":true}"}},
	{"delayed_unknown",
	 "note",
	 "delayed",
	 {.services = "\"A\":{\"state\":\"running\",\"start_type\":\"automatic\"}"},
	 {.services = RUNS "}"}},
	{"dependants_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS
	  "}," SERVICE("B", "running", "manual") ",\"depends_on\":\"unknown\"}"},
	 {.services = NEEDED("running", "manual")}},
	{"triggers_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS ",\"triggers\":\"unknown\"}"},
	 {.services = RUNS ",\"recovery\":\"unknown\"}"}},
	{"recovery_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS ",\"recovery\":\"unknown\"}"},
	 {.services = RUNS ",\"policy\":\"unknown\"}"}},
	{"policy_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS ",\"policy\":\"unknown\"}"},
	 {.services = RUNS ",\"denied\":\"unknown\"}"}},
	{"rights_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS ",\"denied\":\"unknown\"}"},
	 {.services = RUNS ",\"protected\":\"unknown\"}"}},
	{"protection_unknown",
	 "note",
	 "the file does not tell",
	 {.services = RUNS ",\"protected\":\"unknown\"}"},
	 {.services = RUNS ",\"triggers\":\"unknown\"}"}},
	{"protected",
	 "warning",
	 "protects the service",
	 {.services = RUNS ",\"protected\":true}"},
	 {.services = RUNS ",\"protected\":false}"}},
	{"marked_for_deletion",
	 "warning",
	 "marked for deletion",
	 {.services = RUNS ",\"marked_for_deletion\":true}"},
	 {.services = RUNS "}"}},
};

static void each_finding_is_where_it_belongs_and_not_next_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *with = preflight(&cases[i].with);
		json_t *without = preflight(&cases[i].without);
		const json_t *finding = find(with, cases[i].code, cases[i].word);
		bool is_refusal = !strcmp(cases[i].level, "refusal");

		print_message("%s %s\n", cases[i].code, cases[i].word);
		assert_non_null(finding);
		assert_string_equal(text_at(finding, "level"), cases[i].level);
		assert_int_equal(json_is_false(json_object_get(with, "possible")),
				 is_refusal);
		if (is_refusal || !strcmp(cases[i].level, "warning"))
			assert_non_null(text_at(finding, "remedy"));
		assert_null(find(without, cases[i].code, cases[i].word));
		json_decref(with);
		json_decref(without);
	}
}

static void check_json(json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_string_equal(text, expected);
	free(text);
}

static void a_plain_service_has_changes_and_no_findings(void **state)
{
	const struct world world = {
		.services = RUNS "}",
		PLAN(.has_sessions = true, .is_count_known = true, .count = 7)};
	json_t *found = preflight(&world);

	(void)state;
	check_json(
		found,
		"{\"name\":\"A\",\"display_name\":\"A\",\"possible\":true,"
		"\"observed\":{\"state\":\"running\",\"start_type\":\"automatic\","
		"\"delayed_auto_start\":false,\"accepts_pause\":true},"
		"\"dependants\":[],\"changes\":[\"save: running, automatic\","
		"\"startup type: automatic -> manual\",\"pause\"],\"findings\":[],"
		"\"sessions\":{\"known\":true,\"count\":7}}");
	json_decref(found);
}

static void the_changes_are_those_that_are_left_to_make(void **state)
{
	static const struct {
		struct world world;
		const char *changes;
	} plans[] = {
		{{.services = ""}, "[]"},
		{{.services = NULL}, "[]"},
		{{.services =
			  "\"A\":{\"state\":\"running\",\"start_type\":\"automatic\","
			  "\"delayed_auto_start\":true}",
		  PLAN(.startup = START_DISABLED)},
		 "[\"save: running, automatic (delayed)\","
		 "\"startup type: automatic (delayed) -> disabled\",\"pause\"]"},
		{{.services = RUNS "}", PLAN(.is_startup_left = true)},
		 "[\"save: running, automatic\",\"pause\"]"},
		{{.services = SERVICE("A", "stopped", "manual") "}"},
		 "[\"save: stopped, manual\"]"},
		{{.services = SERVICE("A", "stopped", "disabled") "}"},
		 "[\"save: stopped, disabled\"]"},
		{{.services = SERVICE("A", "stopped", "manual") "}",
		  PLAN(.startup = START_DISABLED)},
		 "[\"save: stopped, manual\",\"startup type: manual -> disabled\"]"},
		{{.services = SERVICE("A", "stop_pending", "manual") "}"},
		 "[\"save: its state once that has settled, manual\"]"},
		{{.services = SERVICE("A", "stopped",
				      "automatic") ",\"never_started\":true}",
		  PLAN(.is_startup_left = true)},
		 "[\"save: running, automatic\"]"},
		{{.services = SERVICE("A", "start_pending", "manual") "}",
		  PLAN(.has_saved = true)},
		 "[\"pause\"]"},
		{{.services = SERVICE("A", "paused", "manual") "}",
		  PLAN(.has_saved = true)},
		 "[]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		json_t *found = preflight(&plans[i].world);

		check_json(json_object_get(found, "changes"), plans[i].changes);
		json_decref(found);
	}
}

static void what_is_not_seen_is_null(void **state)
{
	const struct world world = {.services = NULL, PLAN(.has_sessions = true)};
	const struct world partly = {
		.services = NEEDED("running", "manual") "," SERVICE(
			"C", "running", "manual") ",\"depends_on\":\"unknown\"}"};
	json_t *found = preflight(&world);

	(void)state;
	check_json(json_object_get(found, "observed"),
		   "{\"state\":\"unknown\",\"start_type\":null,"
		   "\"delayed_auto_start\":null,\"accepts_pause\":null}");
	check_json(json_object_get(found, "dependants"), "null");
	check_json(json_object_get(found, "sessions"),
		   "{\"known\":false,\"count\":null}");
	json_decref(found);
	found = preflight(&partly);
	check_json(
		json_object_get(found, "dependants"),
		"[{\"name\":\"B\",\"start_type\":\"manual\",\"state\":\"running\"}]");
	json_decref(found);
}

static void an_inspection_that_fails_is_a_warning(void **state)
{
	struct pool_service service = {.named = {.name = (char *)"A"}};
	struct preflight_input input = {
		.service = &service,
		.startup = START_MANUAL,
		.status = {.state = STATE_RUNNING, .accepts_pause = true},
	};
	json_t *found;

	(void)state;
	(void)err_set(&input.inspect_error, ERR_SCM_FAILED, "the SCM went away");
	found = preflight_service_to_json(&input);
	assert_non_null(find(found, "inspection_failed", "the SCM went away"));
	assert_true(json_is_true(json_object_get(found, "possible")));
	check_json(json_object_get(found, "dependants"), "null");
	json_decref(found);
}

static void recovery_may_also_come_after_an_error(void **state)
{
	struct pool_service service = {.named = {.name = (char *)"A"}};
	struct preflight_input input = {
		.service = &service,
		.startup = START_MANUAL,
		.status = {.state = STATE_RUNNING, .accepts_pause = true},
		.inspection = {.recovery = SCM_RECOVERY_RESTART |
					   SCM_RECOVERY_ON_ERROR},
	};
	json_t *found = preflight_service_to_json(&input);

	(void)state;
	assert_non_null(find(found, "recovery_restarts", "stops with an error"));
	json_decref(found);
}

/* ---- the machine ---- */

static json_t *machine_findings(json_t *document)
{
	return json_object_get(document, "findings");
}

static void the_document_is_possible_if_every_service_is(void **state)
{
	struct preflight_machine machine = {.server = "a", .pool = "p"};
	json_t *document = preflight_to_json(
		&machine, json_pack("[{sb} {sb}]", "possible", 1, "possible", 1));

	(void)state;
	check_json(
		document,
		"{\"server\":\"a\",\"pool\":\"p\",\"possible\":true,\"reboot_pending\":false,"
		"\"findings\":[],\"services\":[{\"possible\":true},"
		"{\"possible\":true}]}");
	json_decref(document);
	document = preflight_to_json(
		&machine, json_pack("[{sb} {sb}]", "possible", 0, "possible", 1));
	assert_true(json_is_false(json_object_get(document, "possible")));
	json_decref(document);
}

static void a_reboot_is_pending_or_not_or_not_known(void **state)
{
	struct preflight_machine machine = {.server = "a",
					    .reboot = "Windows Update"};
	json_t *document = preflight_to_json(&machine, json_array());

	(void)state;
	check_json(machine_findings(document),
		   "[{\"code\":\"reboot_pending\",\"level\":\"note\",\"text\":"
		   "\"a reboot is pending: Windows Update\",\"remedy\":null}]");
	assert_true(json_is_true(json_object_get(document, "reboot_pending")));
	json_decref(document);
	machine.reboot = NULL;
	(void)err_set(&machine.reboot_error, ERR_INTERNAL, "no registry");
	document = preflight_to_json(&machine, json_array());
	assert_non_null(find(document, "reboot_unknown", "no registry"));
	assert_true(json_is_null(json_object_get(document, "reboot_pending")));
	json_decref(document);
}

static void agents_are_found_unless_they_are_disabled(void **state)
{
	char *path = temp_folder_file(&folder, "scm.json");
	struct preflight_machine machine = {.server = "a"};
	struct scm *scm;
	json_t *document;

	(void)state;
	assert_int_equal(
		temp_folder_write(
			&folder, "scm.json",
			"{\"services\":{" SERVICE("puppet", "running", "automatic") "}," SERVICE(
				"CcmExec", "stopped",
				"manual") "}," SERVICE("salt-minion", "stopped",
						       "disabled") "}}}"),
		0);
	scm = scm_simulated_new(path, NULL);
	preflight_look_at_machine(scm, &machine);
	document = preflight_to_json(&machine, json_array());
	assert_non_null(find(document, "configuration_agent", "puppet"));
	assert_non_null(find(document, "configuration_agent", "CcmExec"));
	assert_int_equal(machine.agent_count, 2);
	json_decref(document);
	scm->ops->free(scm);
	free(path);
}

static void a_plan_is_that_of_the_server_or_else_of_the_pool(void **state)
{
	static const struct {
		const char *server;
		enum start_type startup;
		bool is_stop_planned;
	} plans[] = {
		{"a", START_DISABLED, true},
		{"b", START_MANUAL, false},
		/* Without a deadline nothing is stopped at it. */
		{"c", START_MANUAL, false},
	};
	char *path = temp_folder_file(&folder, "pool.yaml");
	struct pool_config *config;
	struct buf mistakes = {0};

	(void)state;
	assert_int_equal(temp_folder_write(&folder, "pool.yaml", pool_yaml), 0);
	config = pool_config_load(path, pool_config_remedy, &mistakes, NULL);
	assert_non_null(config);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const struct pool *pool;
		const struct pool_server *server =
			pool_find_server(config, plans[i].server, &pool);
		struct preflight_input plan = preflight_plan(
			pool, server, pool_services(pool, server)->items);

		assert_int_equal(plan.startup, plans[i].startup);
		assert_int_equal(plan.startup,
				 pool_startup_while_drained(pool, server));
		assert_int_equal(plan.is_stop_planned, plans[i].is_stop_planned);
		assert_string_equal(plan.service->named.name, "A");
	}
	pool_config_free(config);
	free(path);
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
		cmocka_unit_test(
			each_finding_is_where_it_belongs_and_not_next_to_it),
		cmocka_unit_test(a_plain_service_has_changes_and_no_findings),
		cmocka_unit_test(the_changes_are_those_that_are_left_to_make),
		cmocka_unit_test(what_is_not_seen_is_null),
		cmocka_unit_test(an_inspection_that_fails_is_a_warning),
		cmocka_unit_test(recovery_may_also_come_after_an_error),
		cmocka_unit_test(the_document_is_possible_if_every_service_is),
		cmocka_unit_test(a_reboot_is_pending_or_not_or_not_known),
		cmocka_unit_test(agents_are_found_unless_they_are_disabled),
		cmocka_unit_test(a_plan_is_that_of_the_server_or_else_of_the_pool),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
