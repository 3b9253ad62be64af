/*
 * Windows and buckets.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/clock.h"
#include "shared/rate.h"

START_TEST(test_windows)
{
	struct rate_window window = { 0 };

	ck_assert_uint_eq(rate_count(&window, NS_PER_S, 5), 1);
	ck_assert_uint_eq(rate_count(&window, NS_PER_S, NS_PER_S - 1), 2);
	/* The next one begins with whoever comes first. */
	ck_assert_uint_eq(rate_count(&window, NS_PER_S, 3 * NS_PER_S), 1);
	ck_assert_uint_eq(rate_count(&window, NS_PER_S, 4 * NS_PER_S - 1), 2);
	ck_assert_uint_eq(rate_count(&window, NS_PER_S, 4 * NS_PER_S), 1);
}
END_TEST

START_TEST(test_lines)
{
	struct rate_window window = { 0 };
	unsigned lost = 7;

	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(rate_may_log(&window, 3, NS_PER_S, i, &lost), i < 3);
		ck_assert_uint_eq(lost, 0);
	}
	ck_assert(rate_may_log(&window, 3, NS_PER_S, NS_PER_S, &lost));
	ck_assert_uint_eq(lost, 2);
	/* Told once; and of a window in which all had room nothing. */
	ck_assert(rate_may_log(&window, 3, NS_PER_S, NS_PER_S + 1, &lost));
	ck_assert_uint_eq(lost, 0);
	ck_assert(rate_may_log(&window, 3, NS_PER_S, 2 * NS_PER_S, &lost));
	ck_assert_uint_eq(lost, 0);
}
END_TEST

START_TEST(test_bucket)
{
	struct rate_bucket bucket = { 0 };
	int64_t now = 100 * NS_PER_S;

	/* Four at once, then one each quarter of a second. */
	for (unsigned i = 0; i < 4; i++)
		ck_assert(rate_spend(&bucket, NS_PER_S / 4, NS_PER_S, now));
	ck_assert(!rate_spend(&bucket, NS_PER_S / 4, NS_PER_S, now));
	ck_assert(!rate_spend(&bucket, NS_PER_S / 4, NS_PER_S, now + NS_PER_S / 4 - 1));
	ck_assert(rate_spend(&bucket, NS_PER_S / 4, NS_PER_S, now + NS_PER_S / 4));
	ck_assert(!rate_spend(&bucket, 1, NS_PER_S, now + NS_PER_S / 4));
	/* It holds no more than it can, however long it was left alone. */
	ck_assert(rate_spend(&bucket, NS_PER_S, NS_PER_S, 2 * now));
	ck_assert(!rate_spend(&bucket, 1, NS_PER_S, 2 * now));
	/* More than it holds is never there, and costs nothing. */
	ck_assert(!rate_spend(&bucket, NS_PER_S + 1, NS_PER_S, 3 * now));
	ck_assert(rate_spend(&bucket, NS_PER_S, NS_PER_S, 3 * now));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared_rate");
	TCase *tcase = tcase_create("rate");

	tcase_add_test(tcase, test_windows);
	tcase_add_test(tcase, test_lines);
	tcase_add_test(tcase, test_bucket);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
