/*
 * GET /metrics as a text: what is not known is absent, whatever stands in a label.
 */
#include "mem.h"
#include "http/metrics.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct mono now = {1000000};
static const int64_t refused[REFUSAL__COUNT] = {[REFUSAL_EXPIRED] = 3};
static const struct wall now_wall = {1777624200250};

static struct metrics *make(size_t services, size_t drains)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	*metrics = (struct metrics){
		.sources = xcalloc(services + 1, sizeof(*metrics->sources)),
		.version = "0.1.0",
		.server = "frontend01",
		.pool = "fe-pool01",
		.started_at = {1777620600500},
		.services = xcalloc(services + 1, sizeof(*metrics->services)),
		.service_count = services,
		.drains = xcalloc(drains + 1, sizeof(*metrics->drains)),
		.drain_count = drains,
	};
	return metrics;
}

/* The series of one metric, without its HELP and TYPE. */
static char *series_of(const char *page, const char *name)
{
	char *start = xasprintf("# TYPE %s ", name), *found;
	const char *from = strstr(page, start), *end;

	free(start);
	assert_non_null(from);
	from = strchr(from, '\n') + 1;
	end = strstr(from, "# HELP ");
	found = xstrdup(from);
	if (end)
		found[end - from] = '\0';
	return found;
}

static void check(const struct metrics *metrics, const char *name,
		  const char *expected)
{
	char *page = metrics_render(metrics, refused, now, now_wall);
	char *found = series_of(page, name);

	assert_string_equal(found, expected);
	free(found);
	free(page);
}

static void a_whole_metric_has_help_type_and_value(void **state)
{
	struct metrics *metrics = make(0, 0);
	char *page = metrics_render(metrics, refused, now, now_wall);

	(void)state;
	assert_ptr_equal(
		strstr(page,
		       "# HELP poold_build_info The version of poold, its server "
		       "and its pool; always 1.\n"
		       "# TYPE poold_build_info gauge\n"
		       "poold_build_info{version=\"0.1.0\",server=\"frontend01\","
		       "pool=\"fe-pool01\"} 1\n"
		       "# HELP poold_start_time_seconds "),
		page);
	assert_non_null(strstr(page, "\npoold_start_time_seconds 1777620600.5\n"));
	assert_int_equal(page[strlen(page) - 1], '\n');
	free(page);
	metrics_free(metrics);
}

static void label_values_are_escaped(void **state)
{
	struct metrics *metrics = make(1, 1);

	(void)state;
	metrics->services[0] =
		(struct service_metrics){.name = "MSSQL$\"A\\B\"\nC\xc3\xa9"};
	utf8_copy(metrics->drains[0].id, API_ID_BYTES, "kb1");
	utf8_copy(metrics->drains[0].owner, API_TEXT_BYTES, "CORP\\al\"ice\\");
	metrics->drains[0].created_at = now_wall;
	check(metrics, "poold_drift_total",
	      "poold_drift_total{service=\"MSSQL$\\\"A\\\\B\\\"\\nC\xc3\xa9\"} 0\n");
	check(metrics, "poold_drain_age_seconds",
	      "poold_drain_age_seconds{drain=\"kb1\",owner=\"CORP\\\\al\\\"ice\\\\\"} "
	      "0\n");
	metrics_free(metrics);
}

static void what_is_not_known_is_absent(void **state)
{
	struct metrics *metrics = make(3, 0);

	(void)state;
	/* Known; not known any more, with what it was last; never looked at. */
	metrics->services[0] = (struct service_metrics){.name = "A",
							.is_count_known = true,
							.known_at = {999250},
							.sessions = 37};
	metrics->services[1] = (struct service_metrics){
		.name = "B", .known_at = {400000}, .sessions = 12};
	metrics->services[2] =
		(struct service_metrics){.name = "C", .known_at = {997500}};
	check(metrics, "poold_sessions", "poold_sessions{service=\"A\"} 37\n");
	check(metrics, "poold_sessions_unknown_seconds",
	      "poold_sessions_unknown_seconds{service=\"A\"} 0\n"
	      "poold_sessions_unknown_seconds{service=\"B\"} 600\n"
	      "poold_sessions_unknown_seconds{service=\"C\"} 2.5\n");
	metrics_free(metrics);
}

static void each_source_has_its_own_series(void **state)
{
	struct metrics *metrics = make(3, 0);

	(void)state;
	metrics->services[0] = metrics->services[1] = metrics->services[2] =
		(struct service_metrics){.name = "A"};
	metrics->source_count = 3;
	metrics->sources[0] = (struct source_metrics){.service = "A",
						      .kind = "tcp",
						      .has_sample = true,
						      .sampled_at = {999250},
						      .is_known = true,
						      .known_at = {999250},
						      .count = 37};
	metrics->sources[1] = (struct source_metrics){.service = "A",
						      .kind = "counter",
						      .name = "\\X(*)\\Y",
						      .has_sample = true,
						      .sampled_at = {999000},
						      .known_at = {400000},
						      .count = 12};
	metrics->sources[2] = (struct source_metrics){
		.service = "B", .kind = "rds", .known_at = {997500}};
	check(metrics, "poold_source_sessions",
	      "poold_source_sessions{service=\"A\",source=\"tcp\"} 37\n");
	check(metrics, "poold_source_unknown_seconds",
	      "poold_source_unknown_seconds{service=\"A\",source=\"tcp\"} 0\n"
	      "poold_source_unknown_seconds{service=\"A\",source=\"counter\","
	      "name=\"\\\\X(*)\\\\Y\"} 600\n"
	      "poold_source_unknown_seconds{service=\"B\",source=\"rds\"} 2.5\n");
	check(metrics, "poold_sample_age_seconds",
	      "poold_sample_age_seconds{service=\"A\",source=\"tcp\"} 0.75\n"
	      "poold_sample_age_seconds{service=\"A\",source=\"counter\","
	      "name=\"\\\\X(*)\\\\Y\"} 1\n");
	metrics_free(metrics);
}

static void one_phase_is_1_and_the_others_0(void **state)
{
	struct metrics *metrics = make(2, 0);

	(void)state;
	metrics->phase = PHASE_DRAINING;
	metrics->services[0] =
		(struct service_metrics){.name = "A", .phase = PHASE_DRAINED};
	metrics->services[1] =
		(struct service_metrics){.name = "B", .phase = PHASE_ATTENTION};
	check(metrics, "poold_phase",
	      "poold_phase{phase=\"serving\"} 0\npoold_phase{phase=\"drained\"} 0\n"
	      "poold_phase{phase=\"resuming\"} 0\npoold_phase{phase=\"draining\"} 1\n"
	      "poold_phase{phase=\"attention\"} 0\n");
	check(metrics, "poold_service_phase",
	      "poold_service_phase{service=\"A\",phase=\"serving\"} 0\n"
	      "poold_service_phase{service=\"A\",phase=\"drained\"} 1\n"
	      "poold_service_phase{service=\"A\",phase=\"resuming\"} 0\n"
	      "poold_service_phase{service=\"A\",phase=\"draining\"} 0\n"
	      "poold_service_phase{service=\"A\",phase=\"attention\"} 0\n"
	      "poold_service_phase{service=\"B\",phase=\"serving\"} 0\n"
	      "poold_service_phase{service=\"B\",phase=\"drained\"} 0\n"
	      "poold_service_phase{service=\"B\",phase=\"resuming\"} 0\n"
	      "poold_service_phase{service=\"B\",phase=\"draining\"} 0\n"
	      "poold_service_phase{service=\"B\",phase=\"attention\"} 1\n");
	metrics_free(metrics);
}

static void numbers_keep_all_their_digits(void **state)
{
	struct metrics *metrics = make(1, 0);

	(void)state;
	metrics->is_store_failing = true;
	metrics->is_reserved = true;
	metrics->services[0] = (struct service_metrics){
		.name = "A", .drifts = 123456789, .cut = 999999999999};
	check(metrics, "poold_store_failing", "poold_store_failing 1\n");
	check(metrics, "poold_reserved", "poold_reserved 1\n");
	check(metrics, "poold_drift_total",
	      "poold_drift_total{service=\"A\"} 123456789\n");
	check(metrics, "poold_sessions_cut",
	      "poold_sessions_cut{service=\"A\"} 999999999999\n");
	metrics_free(metrics);
}

static void a_drain_has_its_age_also_after_the_clock_was_set_back(void **state)
{
	struct metrics *metrics = make(0, 2);

	(void)state;
	utf8_copy(metrics->drains[0].id, API_ID_BYTES, "old");
	utf8_copy(metrics->drains[0].owner, API_TEXT_BYTES, "ci");
	metrics->drains[0].created_at = (struct wall){now_wall.ms - 86400250};
	metrics->drains[0].is_overdue = true;
	utf8_copy(metrics->drains[1].id, API_ID_BYTES, "new");
	utf8_copy(metrics->drains[1].owner, API_TEXT_BYTES, "alice");
	metrics->drains[1].created_at = (struct wall){now_wall.ms + 5000};
	check(metrics, "poold_drain_age_seconds",
	      "poold_drain_age_seconds{drain=\"old\",owner=\"ci\"} 86400.25\n"
	      "poold_drain_age_seconds{drain=\"new\",owner=\"alice\"} 0\n");
	check(metrics, "poold_drain_overdue",
	      "poold_drain_overdue{drain=\"old\"} 1\n"
	      "poold_drain_overdue{drain=\"new\"} 0\n");
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_metric_has_help_type_and_value),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(what_is_not_known_is_absent),
		cmocka_unit_test(each_source_has_its_own_series),
		cmocka_unit_test(one_phase_is_1_and_the_others_0),
		cmocka_unit_test(numbers_keep_all_their_digits),
		cmocka_unit_test(
			a_drain_has_its_age_also_after_the_clock_was_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
