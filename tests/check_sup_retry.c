/*
 * When a stream is tried again: the whole schedule, on paper time.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "supervisor/sup_retry.h"

#define MS 1000000LL
#define S  (1000 * MS)

/* With this random number jitter takes its whole 20 % off. */
#define LOW 0u

static const int64_t start_ns = 1000 * S;

/* One incarnation from `now` that lives age_ms and delivers all but the first wait_ms of it. */
static int64_t
live(struct sup_account *account, int64_t *now, int64_t age_ms, int64_t delivered_ms, bool failed)
{
	sup_account_on_start(account, *now);
	if (delivered_ms > 0)
		sup_account_on_up(account, *now + (age_ms - delivered_ms) * MS);
	*now += age_ms * MS;
	return sup_retry_ms(&backoff_worker, account, failed, *now, LOW);
}

START_TEST(test_crashes_wait_twice_as_long_each_time_up_to_the_cap)
{
	static const int64_t waits[] = { 200, 400, 800, 1600, 3200, 6400, 12800, 24000, 24000 };
	struct sup_account account = { 0 };
	int64_t now = start_ns;

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t wait = live(&account, &now, 10, 0, false);

		ck_assert_int_eq(wait, waits[i]);
		now += wait * MS;
	}
}
END_TEST

START_TEST(test_jitter_is_a_fifth_both_ways)
{
	int64_t least = INT64_MAX, most = 0;

	for (uint32_t random = 0; random < 1000; random++) {
		struct sup_account account = { .started_ns = start_ns };
		int64_t wait =
		    sup_retry_ms(&backoff_worker, &account, false, start_ns + 10 * MS, random);

		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	ck_assert_int_eq(least, 200);
	ck_assert_int_eq(most, 300);
}
END_TEST

START_TEST(test_who_delivered_restarts_at_once_but_once_a_second)
{
	struct sup_account account = { .early_deaths = 7 };
	int64_t now = start_ns;

	ck_assert_int_eq(live(&account, &now, 60000, 59000, false), 0);
	ck_assert_uint_eq(account.early_deaths, 0);
	/* Two seconds of pictures are enough, and by then the second has passed. */
	ck_assert_int_eq(live(&account, &now, 2500, 2000, false), 0);
	/* A hair less is an early death. */
	ck_assert_int_eq(live(&account, &now, 2500, 1999, false), 200);
	ck_assert_uint_eq(account.early_deaths, 1);
}
END_TEST

START_TEST(test_stalls_do_not_count_as_delivered)
{
	struct sup_account account = { 0 };

	sup_account_on_start(&account, start_ns);
	sup_account_on_up(&account, start_ns);
	sup_account_on_down(&account, start_ns + 1 * S);
	sup_account_on_down(&account, start_ns + 9 * S);
	sup_account_on_up(&account, start_ns + 20 * S);
	sup_account_on_up(&account, start_ns + 20 * S + 500 * MS);
	ck_assert_int_eq(
	    sup_retry_ms(&backoff_worker, &account, false, start_ns + 20 * S + 900 * MS, LOW), 200);
	ck_assert_int_eq(account.delivered_ms, 1900);
}
END_TEST

START_TEST(test_a_camera_that_answers_is_tried_every_second_for_a_minute)
{
	struct sup_account account = { 0 };
	int64_t now = start_ns, wait;
	int tries = 0;

	sup_account_on_answer(&account, now);
	while ((now - start_ns) / S < 59) {
		wait = live(&account, &now, 300, 0, true);
		ck_assert_int_eq(wait, 700);
		now += wait * MS;
		sup_account_on_answer(&account, now);
		tries++;
	}
	ck_assert_int_eq(tries, 59);
	ck_assert_uint_eq(account.early_deaths, 0);
	now = start_ns + 60 * S;
	ck_assert_int_eq(live(&account, &now, 300, 0, true), 200);
	ck_assert_int_eq(live(&account, &now, 300, 0, true), 400);
}
END_TEST

START_TEST(test_a_slow_failure_is_followed_by_no_wait)
{
	struct sup_account account = { 0 };
	int64_t now = start_ns;

	sup_account_on_answer(&account, now);
	ck_assert_int_eq(live(&account, &now, 5000, 0, true), 0);
}
END_TEST

START_TEST(test_the_minute_does_not_help_a_crash)
{
	struct sup_account account = { 0 };
	int64_t now = start_ns;

	sup_account_on_answer(&account, now);
	ck_assert_int_eq(live(&account, &now, 10, 0, false), 200);
	ck_assert_int_eq(live(&account, &now, 10, 0, false), 400);
}
END_TEST

START_TEST(test_silence_and_delivery_begin_a_new_minute)
{
	struct sup_account account = { 0 };
	int64_t now = start_ns;

	sup_account_on_answer(&account, now);
	now += 61 * S;
	sup_account_on_silence(&account, now);
	now += 30 * S;
	sup_account_on_answer(&account, now);
	ck_assert_int_eq(live(&account, &now, 300, 0, true), 700);
	now += 61 * S;
	ck_assert_int_eq(live(&account, &now, 10000, 9000, true), 0);
	sup_account_on_answer(&account, now);
	ck_assert_int_eq(live(&account, &now, 300, 0, true), 700);
}
END_TEST

START_TEST(test_probes_are_a_second_apart_and_five_after_ten_minutes)
{
	struct sup_account account = { .asked_ns = start_ns };

	ck_assert_int_eq(sup_retry_probe_ms(&account, start_ns), 1000);
	ck_assert_int_eq(sup_retry_probe_ms(&account, start_ns + 300 * MS), 700);
	ck_assert_int_eq(sup_retry_probe_ms(&account, start_ns + 3 * S), 0);
	ck_assert_int_eq(sup_retry_probe_timeout_ms(&account, start_ns), 1000);
	sup_account_on_silence(&account, start_ns);
	account.asked_ns = start_ns + 600 * S - MS;
	ck_assert_int_eq(sup_retry_probe_ms(&account, account.asked_ns), 1000);
	account.asked_ns = start_ns + 600 * S;
	ck_assert_int_eq(sup_retry_probe_ms(&account, account.asked_ns), 5000);
	ck_assert_int_eq(sup_retry_probe_timeout_ms(&account, account.asked_ns), 5000);
	/* Silence goes on counting from its beginning; an answer ends it. */
	sup_account_on_silence(&account, start_ns + 600 * S);
	ck_assert_int_eq(sup_retry_probe_ms(&account, account.asked_ns), 5000);
	sup_account_on_answer(&account, account.asked_ns);
	ck_assert_int_eq(sup_retry_probe_ms(&account, account.asked_ns), 1000);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_retry");
	TCase *tcase = tcase_create("schedule");

	tcase_add_test(tcase, test_crashes_wait_twice_as_long_each_time_up_to_the_cap);
	tcase_add_test(tcase, test_jitter_is_a_fifth_both_ways);
	tcase_add_test(tcase, test_who_delivered_restarts_at_once_but_once_a_second);
	tcase_add_test(tcase, test_stalls_do_not_count_as_delivered);
	tcase_add_test(tcase, test_a_camera_that_answers_is_tried_every_second_for_a_minute);
	tcase_add_test(tcase, test_a_slow_failure_is_followed_by_no_wait);
	tcase_add_test(tcase, test_the_minute_does_not_help_a_crash);
	tcase_add_test(tcase, test_silence_and_delivery_begin_a_new_minute);
	tcase_add_test(tcase, test_probes_are_a_second_apart_and_five_after_ten_minutes);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
