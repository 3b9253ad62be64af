/*
 * The restart schedule, number by number.
 */
#include "config.h"

#include "shared/backoff.h"
#include "tests/harness/harness.h"

#include <stdint.h>

/* Which 32 bits give no jitter: with span = ms * 20 / 100, random % (2 span + 1) == span. */
static uint32_t
no_jitter(int64_t ms)
{
	return (uint32_t)(ms / 5);
}

static void
assert_schedule(const struct backoff_policy *policy, const int64_t *expected, size_t n)
{
	unsigned deaths = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t ms = backoff_next_ms(policy, 0, 10, &deaths, no_jitter(expected[i]));

		ck_assert_int_eq(ms, expected[i]);
		ck_assert_uint_eq(deaths, i + 1);
	}
}

START_TEST(test_worker_schedule)
{
	static const int64_t ms[] = {
		250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000
	};

	assert_schedule(&backoff_worker, ms, sizeof(ms) / sizeof(ms[0]));
}
END_TEST

START_TEST(test_front_schedule)
{
	static const int64_t ms[] = { 100, 200, 400, 800, 1000, 1000 };

	assert_schedule(&backoff_front, ms, sizeof(ms) / sizeof(ms[0]));
}
END_TEST

/* Killed again and again, as soon as it serves. */
START_TEST(test_a_front_that_served_starts_at_once)
{
	unsigned deaths = 0;

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(backoff_next_ms(&backoff_front, 20, 60, &deaths, 0), 40);
		ck_assert_int_eq(backoff_next_ms(&backoff_front, 20, 120, &deaths, 0), 0);
	}
	/* One that never serves for a moment does not spin. */
	ck_assert_int_eq(backoff_next_ms(&backoff_front, 19, 60, &deaths, no_jitter(100)), 100);
	ck_assert_int_eq(backoff_next_ms(&backoff_front, 19, 60, &deaths, no_jitter(200)), 200);
}
END_TEST

START_TEST(test_delivering_long_enough_starts_afresh)
{
	unsigned deaths = 5;

	/* Old enough: at once. */
	ck_assert_int_eq(backoff_next_ms(&backoff_worker, 2000, 60000, &deaths, 0), 0);
	ck_assert_uint_eq(deaths, 0);
	/* At most once a second. */
	ck_assert_int_eq(backoff_next_ms(&backoff_worker, 2000, 400, &deaths, 0), 600);
	ck_assert_int_eq(backoff_next_ms(&backoff_worker, INT64_MAX, 1000, &deaths, 0), 0);
	/* A moment too short counts as an early death. */
	ck_assert_int_eq(backoff_next_ms(&backoff_worker, 1999, 60000, &deaths, no_jitter(250)),
			 250);
	ck_assert_uint_eq(deaths, 1);
}
END_TEST

START_TEST(test_jitter_stays_within_its_bounds)
{
	uint32_t random = 1;
	int64_t low = INT64_MAX, high = 0;

	for (int i = 0; i < 20000; i++) {
		unsigned deaths = 3;
		int64_t ms;

		random = random * 1664525u + 1013904223u;
		ms = backoff_next_ms(&backoff_worker, 0, 0, &deaths, random);
		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	ck_assert_int_eq(low, 1600);
	ck_assert_int_eq(high, 2400);
}
END_TEST

START_TEST(test_never_gives_up_never_negative)
{
	static const uint32_t randoms[] = { 0, 1, UINT32_MAX / 2, UINT32_MAX };
	unsigned deaths = 0;

	for (int i = 0; i < 5000; i++) {
		int64_t ms = backoff_next_ms(&backoff_worker, 0, 0, &deaths, randoms[i % 4]);

		ck_assert_int_ge(ms, 200);
		ck_assert_int_le(ms, 36000);
	}
	deaths = UINT32_MAX;
	ck_assert_int_le(backoff_next_ms(&backoff_worker, -1, -1, &deaths, 0), 36000);
	ck_assert_uint_eq(deaths, UINT32_MAX);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-backoff");
	TCase *tcase = tcase_create("backoff");

	tcase_add_test(tcase, test_worker_schedule);
	tcase_add_test(tcase, test_front_schedule);
	tcase_add_test(tcase, test_a_front_that_served_starts_at_once);
	tcase_add_test(tcase, test_delivering_long_enough_starts_afresh);
	tcase_add_test(tcase, test_jitter_stays_within_its_bounds);
	tcase_add_test(tcase, test_never_gives_up_never_negative);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
