/* What is said of a drain's end: the middle, nine tenths, and when nothing is
 * known. */
#include "forecast/eta.h"
#include "forecast/forecast.h"
#include "forecast/hazard_model.h"
#include "mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 20000 };

/* Sessions that end at the same rate whatever their age, mean 100 s. */
static struct lifetimes even(int sessions)
{
	struct lifetimes lifetimes = {0};

	for (int i = 0; i < sessions; i++)
		lifetimes_add(&lifetimes, 0, -100 * log((i + 0.5) / sessions), 1,
			      true);
	return lifetimes;
}

static struct forecast_result ask(const struct forecast_service *service)
{
	struct forecast *forecast = forecast_new();
	struct forecast_result result;

	forecast_add(forecast, service);
	forecast_result(forecast, &result);
	forecast_free(forecast);
	return result;
}

static bool is_about(double value, double expected)
{
	return value > expected * 0.8 && value < expected * 1.25;
}

static void one_session_takes_what_is_usual(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session session = {.age_s = 50};
	struct forecast_result result =
		ask(&(struct forecast_service){.name = "A",
					       .count = 1,
					       .sessions = &session,
					       .lifetimes = &lifetimes});

	(void)state;
	assert_int_equal(result.basis, FORECAST_LIFETIMES);
	assert_true(is_about(result.half_s, 100 * log(2)));
	assert_true(is_about(result.nine_tenths_s, 100 * log(10)));
	assert_string_equal(result.reason, "");
}

static void the_last_of_many_takes_longer(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session sessions[100] = {{0}};
	struct forecast_result result =
		ask(&(struct forecast_service){.name = "A",
					       .count = 100,
					       .sessions = sessions,
					       .lifetimes = &lifetimes});

	(void)state;
	/* The greatest of 100: the tail goes a little beyond what was ever seen. */
	assert_true(result.half_s > 350 && result.half_s < 750);
	assert_true(result.nine_tenths_s > result.half_s);
}

static void settling_comes_on_top(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session session = {.age_s = 50};
	struct forecast_service service = {.name = "A",
					   .count = 1,
					   .sessions = &session,
					   .lifetimes = &lifetimes};
	double half_s = ask(&service).half_s;

	(void)state;
	service.settle_s = 1000;
	assert_true(fabs(ask(&service).half_s - half_s - 1000) < 25);
	service.count = 0;
	assert_true(fabs(ask(&service).half_s - 1000) < 1e-9);
	assert_true(fabs(ask(&service).nine_tenths_s - 1000) < 1e-9);
}

static void who_is_older_than_anyone_was_may_stay_as_long_again(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session session = {.age_s = 86400};
	struct forecast_service service = {.name = "A",
					   .count = 1,
					   .sessions = &session,
					   .lifetimes = &lifetimes};
	struct forecast_result result;
	struct forecast *forecast = forecast_new();

	(void)state;
	lifetimes_add(&lifetimes, 0, 86400, 1, false);
	result = ask(&service);
	assert_true(result.half_s > 3600);
	assert_true(result.nine_tenths_s > 12 * 3600);
	forecast_add(forecast, &service);
	assert_true(forecast_chance(forecast, 30.0 * 86400) < 1);
	forecast_free(forecast);
}

static void a_session_of_unknown_age_is_not_taken_for_a_young_one(void **state)
{
	struct lifetimes lifetimes = {0};
	struct forecast_session session = {0};
	struct forecast_service service = {.name = "A",
					   .count = 1,
					   .sessions = &session,
					   .lifetimes = &lifetimes};
	double young_s;

	(void)state;
	/* Nine of ten are short, but who is met at some moment is mostly one of the
	 * others. */
	for (int i = 0; i < 300; i++)
		lifetimes_add(&lifetimes, 0, i % 10 ? 10 + i % 7 : 3600 + 10 * i, 1,
			      true);
	young_s = ask(&service).half_s;
	assert_true(young_s < 60);
	session.is_least = true;
	assert_true(ask(&service).half_s > 600);
}

static void a_deadlines_chance_is_what_the_quantiles_say(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session sessions[3] = {
		{.age_s = 5}, {.age_s = 50}, {.is_least = true}};
	struct forecast_service service = {.name = "A",
					   .count = 3,
					   .sessions = sessions,
					   .lifetimes = &lifetimes,
					   .settle_s = 30};
	struct forecast *forecast = forecast_new();
	struct forecast_result result;
	double last = 0;

	(void)state;
	forecast_add(forecast, &service);
	forecast_result(forecast, &result);
	assert_true(fabs(forecast_chance(forecast, result.half_s) - 0.5) < 0.02);
	assert_true(fabs(forecast_chance(forecast, result.nine_tenths_s) - 0.9) <
		    0.02);
	for (double within_s = 0; within_s < 1e7; within_s = within_s * 1.3 + 1) {
		double chance = forecast_chance(forecast, within_s);

		assert_true(chance >= last - 1e-12 && chance <= 1);
		assert_true(within_s >= 30 || chance <= 0);
		last = chance;
	}
	forecast_free(forecast);
}

static void a_server_is_through_when_all_its_services_are(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session session = {0};
	struct forecast_service service = {.name = "A",
					   .count = 1,
					   .sessions = &session,
					   .lifetimes = &lifetimes};
	struct forecast *one = forecast_new(), *two = forecast_new();
	double chance;

	(void)state;
	forecast_add(one, &service);
	forecast_add(two, &service);
	forecast_add(two, &service);
	chance = forecast_chance(one, 100);
	assert_true(chance > 0.5 && chance < 0.8);
	assert_true(fabs(forecast_chance(two, 100) - chance * chance) < 1e-9);
	forecast_free(one);
	forecast_free(two);
}

static void the_same_lifetimes_give_the_same_forecast(void **state)
{
	struct lifetimes lifetimes = even(50);
	struct forecast_session session = {.age_s = 7};
	struct forecast_service service = {.name = "A",
					   .count = 1,
					   .sessions = &session,
					   .lifetimes = &lifetimes};
	struct forecast_result first = ask(&service), second = ask(&service);

	(void)state;
	assert_memory_equal(&first.half_s, &second.half_s, sizeof(double));
	assert_memory_equal(&first.nine_tenths_s, &second.nine_tenths_s,
			    sizeof(double));
}

static void too_few_ends_leave_the_rate_which_gives_the_middle_alone(void **state)
{
	struct lifetimes lifetimes = even(FORECAST_LEAST_ENDS - 1);
	struct forecast_session sessions[30] = {{0}};
	struct forecast_service service = {.name = "A",
					   .count = 30,
					   .sessions = sessions,
					   .lifetimes = &lifetimes,
					   .per_minute = 10,
					   .settle_s = 5};
	struct forecast_result result = ask(&service);
	struct forecast *forecast = forecast_new();

	(void)state;
	assert_int_equal(result.basis, FORECAST_RATE);
	assert_true(fabs(result.half_s - 185) < 1e-9);
	assert_true(result.nine_tenths_s < 0);
	assert_string_equal(
		result.reason,
		"A: poold has seen 9 of the 10 session ends that it needs");
	forecast_add(forecast, &service);
	assert_true(forecast_chance(forecast, 1e9) < 0);
	forecast_free(forecast);
	service.sessions = NULL;
	result = ask(&service);
	assert_int_equal(result.basis, FORECAST_RATE);
	assert_string_equal(result.reason,
			    "A: its source gives only a number, not each session");
}

static void who_may_be_older_than_anyone_is_not_reckoned_with(void **state)
{
	struct lifetimes lifetimes = even(400);
	double oldest_s = lifetimes_oldest(&lifetimes);
	struct forecast_session sessions[] = {
		{.age_s = 10 * oldest_s},
		{.age_s = oldest_s / 3, .is_least = true}};
	struct forecast_service service = {.name = "A",
					   .count = 2,
					   .sessions = sessions,
					   .lifetimes = &lifetimes};
	struct forecast_result result;

	(void)state;
	assert_true(oldest_s > 600 && oldest_s < 800);
	assert_int_equal(ask(&service).basis, FORECAST_LIFETIMES);
	sessions[1].age_s = oldest_s * 2 / 3;
	result = ask(&service);
	assert_int_equal(result.basis, FORECAST_NOT_KNOWN);
	assert_string_equal(result.reason,
			    "A: 1 of its sessions may be older than any "
			    "that poold has watched");
}

static void when_nothing_is_known_it_says_why(void **state)
{
	struct forecast_service service = {.name = "A", .count = 3};
	struct forecast_result result = ask(&service);

	(void)state;
	assert_int_equal(result.basis, FORECAST_NOT_KNOWN);
	assert_null(forecast_basis_name(result.basis));
	assert_true(result.half_s < 0 && result.nine_tenths_s < 0);
	assert_string_equal(result.reason,
			    "A: its source gives only a number, not each session");
	service.unknown = "the counter is missing";
	assert_string_equal(ask(&service).reason, "A: the counter is missing");
}

static void one_unknown_service_makes_the_server_unknown(void **state)
{
	struct lifetimes lifetimes = even(400);
	struct forecast_session session = {0};
	struct forecast *forecast = forecast_new();
	struct forecast_result result;

	(void)state;
	forecast_add(forecast, &(struct forecast_service){.name = "A",
							  .count = 1,
							  .sessions = &session,
							  .lifetimes = &lifetimes});
	forecast_add(forecast,
		     &(struct forecast_service){.name = "B", .unknown = "no"});
	forecast_result(forecast, &result);
	assert_int_equal(result.basis, FORECAST_NOT_KNOWN);
	assert_string_equal(result.reason, "B: no");
	forecast_free(forecast);
}

static void nothing_to_wait_for_is_through_at_once(void **state)
{
	struct forecast *forecast = forecast_new();
	struct forecast_result result;

	(void)state;
	forecast_result(forecast, &result);
	assert_int_equal(result.basis, FORECAST_LIFETIMES);
	assert_true(result.half_s <= 0 && result.nine_tenths_s <= 0);
	assert_true(forecast_chance(forecast, 0) >= 1);
	forecast_free(forecast);
	forecast_free(NULL);
}

static void all_ages_and_lifetimes_give_numbers(void **state)
{
	struct lifetimes odd[] = {even(12), even(MANY), {{0}, {0}}, {{0}, {0}}};
	struct forecast_session *sessions =
		xcalloc(MANY, sizeof(struct forecast_session));

	(void)state;
	for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
		odd[2].ends[bin] = 512; /* ends, and hardly anyone who lived */
		odd[2].risk[bin] = 1e-9;
		odd[3].risk[bin] = 65536;
	}
	odd[3].ends[0] = FORECAST_LEAST_ENDS;
	for (int i = 0; i < MANY; i++)
		sessions[i] = (struct forecast_session){
			.age_s = exp(i / 900.0) - 1, .is_least = i < 4000 && i % 3};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct forecast *forecast = forecast_new();
		struct forecast_result result;
		double chance;

		forecast_add(forecast,
			     &(struct forecast_service){.name = "A",
							.count = MANY,
							.sessions = sessions,
							.lifetimes = &odd[i]});
		forecast_result(forecast, &result);
		chance = forecast_chance(forecast, 3600);
		assert_true(chance >= 0 && chance <= 1);
		assert_true(result.nine_tenths_s < 0 ||
			    result.nine_tenths_s >= result.half_s);
		assert_true(result.nine_tenths_s >= 0 || *result.reason);
		forecast_free(forecast);
	}
	free(sessions);
}

/* The draws must stand for what was seen: the share that gets to an age. */
static void the_draws_survive_as_the_sessions_did(void **state)
{
	static const double ages[] = {10, 50, 100, 200};
	struct hazard_model *model = xcalloc(1, sizeof(*model));
	struct lifetimes lifetimes = even(400);
	double logs[HAZARD_MODEL_DRAWS];

	(void)state;
	hazard_model_init(model, &lifetimes);
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		double survive = 0;

		hazard_model_share(model, ages[i], false, logs);
		for (int draw = 0; draw < HAZARD_MODEL_DRAWS; draw++)
			survive += exp(logs[draw]) / HAZARD_MODEL_DRAWS;
		assert_true(fabs(survive - exp(-ages[i] / 100)) < 0.05);
	}
	hazard_model_share(model, 1e12, true, logs);
	for (int draw = 0; draw < HAZARD_MODEL_DRAWS; draw++)
		assert_true(logs[draw] < log(1e-3));
	free(model);
}

/* A source that falls by one a minute from 1,000,000,000 says 2,000 years. */
static void an_estimate_has_a_bound(void **state)
{
	struct eta eta = {.is_made = true,
			  .result = {.half_s = 6e10, .nine_tenths_s = 1e300}};
	json_t *progress = json_object();

	(void)state;
	eta_add(&eta, progress);
	assert_int_equal(json_integer_value(json_object_get(progress, "eta_s")),
			 320000000);
	assert_int_equal(json_integer_value(json_object_get(progress, "eta_90_s")),
			 320000000);
	json_decref(progress);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_session_takes_what_is_usual),
		cmocka_unit_test(the_last_of_many_takes_longer),
		cmocka_unit_test(settling_comes_on_top),
		cmocka_unit_test(
			who_is_older_than_anyone_was_may_stay_as_long_again),
		cmocka_unit_test(
			a_session_of_unknown_age_is_not_taken_for_a_young_one),
		cmocka_unit_test(a_deadlines_chance_is_what_the_quantiles_say),
		cmocka_unit_test(a_server_is_through_when_all_its_services_are),
		cmocka_unit_test(the_same_lifetimes_give_the_same_forecast),
		cmocka_unit_test(
			too_few_ends_leave_the_rate_which_gives_the_middle_alone),
		cmocka_unit_test(who_may_be_older_than_anyone_is_not_reckoned_with),
		cmocka_unit_test(when_nothing_is_known_it_says_why),
		cmocka_unit_test(one_unknown_service_makes_the_server_unknown),
		cmocka_unit_test(nothing_to_wait_for_is_through_at_once),
		cmocka_unit_test(all_ages_and_lifetimes_give_numbers),
		cmocka_unit_test(the_draws_survive_as_the_sessions_did),
		cmocka_unit_test(an_estimate_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
