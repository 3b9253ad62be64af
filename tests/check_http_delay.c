/*
 * The delay that players report: what is believed, and the figures, computed by hand beforehand.
 */
#include "config.h"

#include "http/delay_stats.h"
#include "http/delay_tell.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof(a[0])))
#define S_NS     1000000000LL
#define WINDOW_S 30

/* Reports */

static int
parse(const char *text, struct delay_report *report)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	int rc = delay_report_parse(json, report);

	json_decref(json);
	return rc;
}

START_TEST(test_a_report)
{
	static const char text[] =
	    "{\"id\":7,\"transport\":\"mse\",\"shown\":125,\"dropped\":2,\"delay_ms\":[41,63.5,88],"
	    "\"buckets\":[0,0,0,60,40,15,5,0,0,0,0,0,0,0],\"more\":{}}";
	struct delay_report report;

	ck_assert_int_eq(parse(text, &report), 0);
	ck_assert_uint_eq(report.id, 7);
	ck_assert_int_eq(report.transport, DELAY_TRANSPORT_MSE);
	ck_assert_uint_eq(report.shown, 125);
	ck_assert_uint_eq(report.dropped, 2);
	ck_assert_uint_eq(report.buckets[3], 60);
	ck_assert_uint_eq(report.buckets[6], 5);
	ck_assert_double_eq(report.max_ms, 88);
}
END_TEST

#define EMPTY "[0,0,0,0,0,0,0,0,0,0,0,0,0,0]"
#define ONE   "[0,1,0,0,0,0,0,0,0,0,0,0,0,0]"

static const struct {
	const char *text;
	bool is_good;
	double max_ms;
	enum delay_transport transport;
} reports[] = {
	/* nothing shown, nothing measured, no transport named, another one named */
	{ "{\"id\":1,\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", true, 0, 0 },
	{ "{\"id\":1,\"shown\":3,\"dropped\":0,\"buckets\":" EMPTY ",\"delay_ms\":null,"
	  "\"transport\":\"webcodecs\"}",
	  true, 0, DELAY_TRANSPORT_WEBCODECS },
	{ "{\"id\":65535,\"shown\":100000,\"dropped\":100000,\"buckets\":" EMPTY
	  ",\"delay_ms\":[0,0,0],\"transport\":\"mjpeg\"}",
	  true, 0, DELAY_TRANSPORT_MJPEG },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE
	  ",\"delay_ms\":[12,12,12],\"transport\":\"\\u001b[31mpigeon\"}",
	  true, 12, DELAY_TRANSPORT_OTHER },
	/* the counts are believed, the words about them only inside the bucket */
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,2,3]}", true, 10,
	  0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[0,0,3600000]}",
	  true, 20, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"
	  "\"delay_ms\":[0,0,3600000]}",
	  true, 3600000, 0 },
	/* not a report */
	{ "null", false, 0, 0 },
	{ "7", false, 0, 0 },
	{ "[]", false, 0, 0 },
	{ "{}", false, 0, 0 },
	/* members that are missing */
	{ "{\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":0}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE "}", false, 0, 0 },
	/* out of range, or of another kind */
	{ "{\"id\":0,\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":65536,\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":\"1\",\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1.0,\"shown\":0,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":-1,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":100001,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":9223372036854775807,\"dropped\":0,\"buckets\":" EMPTY "}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":-1,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":100001,\"buckets\":" EMPTY "}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":0,\"transport\":7,\"buckets\":" EMPTY "}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,2]}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,2,3,4]}", false,
	  0, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":{}}", false, 0, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":null}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[-1,2,3]}", false,
	  0, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,2,3600000.5]}",
	  false, 0, 0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,2,\"3\"]}",
	  false, 0, 0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":0,\"buckets\":[0,0,0,0,0,0,0,0,0,0,0,0,0]}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":0,\"buckets\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", false,
	  0, 0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":0,\"buckets\":[0,0,0,0,0,0,0,0,0,0,0,0,0,null]}",
	  false, 0, 0 },
	{ "{\"id\":1,\"shown\":9,\"dropped\":0,\"buckets\":[0,-1,0,0,0,0,0,0,0,0,0,0,0,0],"
	  "\"delay_ms\":[1,2,3]}",
	  false, 0, 0 },
	/* that contradict each other */
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[2,1,3]}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":1,\"dropped\":0,\"buckets\":" ONE ",\"delay_ms\":[1,3,2]}", false, 0,
	  0 },
	{ "{\"id\":1,\"shown\":0,\"dropped\":9,\"buckets\":" ONE ",\"delay_ms\":[12,12,12]}", false,
	  0, 0 },
	{ "{\"id\":1,\"shown\":100000,\"dropped\":0,\"buckets\":"
	  "[100000,100000,0,0,0,0,0,0,0,0,0,0,0,0],\"delay_ms\":[1,2,12]}",
	  false, 0, 0 },
};

START_TEST(test_which_reports_are_believed)
{
	struct delay_report report, untouched;

	memset(&untouched, 0xa5, sizeof(untouched));
	report = untouched;
	if (!reports[_i].is_good) {
		ck_assert_int_eq(parse(reports[_i].text, &report), -EPROTO);
		ck_assert_mem_eq(&report, &untouched, sizeof(report));
		return;
	}
	ck_assert_int_eq(parse(reports[_i].text, &report), 0);
	ck_assert_double_eq(report.max_ms, reports[_i].max_ms);
	ck_assert_int_eq(report.transport, reports[_i].transport);
}
END_TEST

/* Quantiles */

static const struct {
	uint64_t buckets[DELAY_BUCKETS];
	double max_ms, p50_ms, p95_ms;
} quantiles[] = {
	{ { 0 }, 0, 0, 0 },
	/* evenly from 10 to 20: the 50th of 100 at 15, the 95th at 19.5 */
	{ { 0, 100 }, 20, 15, 19.5 },
	/* the same, none older than 14: 10 + 4 * 0.5, 10 + 4 * 0.95 */
	{ { 0, 100 }, 14, 12, 13.8 },
	/* the 50th is the last of the first bucket; the 95th the 45th of 50 in the second */
	{ { 50, 50 }, 20, 10, 19 },
	{ { 1 }, 8, 4, 7.6 },
	/* 20 frames, the 10th is 6th of 8 in 50..75, the 19th the 2nd of 3 in 150..200 */
	{ { 0, 4, 0, 0, 0, 8, 0, 5, 3 }, 200, 50 + 25 * 6 / 8.0, 150 + 50 * 2 / 3.0 },
	/* the last bucket has no upper edge but the oldest frame */
	{ { [13] = 10 }, 5000, 3500, 4850 },
	{ { 90, [13] = 10 }, 2000, 10 * 50 / 90.0, 2000 },
};

START_TEST(test_quantiles)
{
	const uint64_t *buckets = quantiles[_i].buckets;
	double max_ms = quantiles[_i].max_ms;

	ck_assert_double_eq_tol(delay_quantile(buckets, max_ms, 0.5), quantiles[_i].p50_ms, 1e-9);
	ck_assert_double_eq_tol(delay_quantile(buckets, max_ms, 0.95), quantiles[_i].p95_ms, 1e-9);
	ck_assert_double_ge(delay_quantile(buckets, max_ms, 0), 0);
	ck_assert_double_eq_tol(delay_quantile(buckets, max_ms, 1), max_ms, 1e-9);
}
END_TEST

/* A stream's viewers */

static struct delay_stats *stats;

static void
make_stats(void)
{
	stats = delay_stats_new();
}

static void
free_stats(void)
{
	delay_stats_free(&stats);
	ck_assert_ptr_null(stats);
	delay_stats_free(&stats);
}

/* n frames in bucket b, the oldest at its upper edge. */
static int
add(uint64_t viewer, unsigned b, uint32_t n, int64_t at_s)
{
	struct delay_report report = { .id = 1, .transport = DELAY_TRANSPORT_MSE, .shown = n };

	report.buckets[b] = n;
	report.max_ms = b < DELAY_BUCKETS - 1 ? delay_bound_ms(b) : 3000;
	return delay_stats_add(stats, viewer, &report, at_s * S_NS);
}

static void
assert_figures(int64_t at_s, unsigned viewers, double p50_ms, double p95_ms, uint64_t worst,
	       double worst_ms)
{
	struct delay_figures figures;

	ck_assert(delay_stats_figures(stats, at_s * S_NS, &figures));
	ck_assert_uint_eq(figures.viewers, viewers);
	ck_assert_double_eq_tol(figures.p50_ms, p50_ms, 1e-9);
	ck_assert_double_eq_tol(figures.p95_ms, p95_ms, 1e-9);
	ck_assert_uint_eq(figures.worst_viewer, worst);
	ck_assert_double_eq_tol(figures.worst_p95_ms, worst_ms, 1e-9);
	ck_assert_int_eq(figures.worst_transport, DELAY_TRANSPORT_MSE);
}

static void
assert_nobody(int64_t at_s)
{
	struct delay_figures figures = { .viewers = 77 };

	ck_assert(!delay_stats_figures(stats, at_s * S_NS, &figures));
	ck_assert_uint_eq(figures.viewers, 77);
}

START_TEST(test_all_viewers_and_the_worst)
{
	double p95_ms = -1;

	assert_nobody(100);
	/* 100 frames in 10..20 of one, 100 in 40..50 of another, 50 in 200..300 of a third. */
	ck_assert_int_eq(add(1, 1, 100, 100), 0);
	ck_assert_int_eq(add(2, 4, 100, 100), 0);
	ck_assert_int_eq(add(3, 9, 50, 101), 0);
	/* The 125th of 250 is the 25th of 100 in 40..50, the 237.5th the 37.5th of 50 in 200..300.
	 */
	assert_figures(101, 3, 42.5, 275, 3, 295);
	ck_assert(delay_stats_viewer(stats, 2, 101 * S_NS, &p95_ms));
	ck_assert_double_eq_tol(p95_ms, 49.5, 1e-9);
	ck_assert(!delay_stats_viewer(stats, 4, 101 * S_NS, &p95_ms));
	ck_assert_double_eq_tol(p95_ms, 49.5, 1e-9);
}
END_TEST

START_TEST(test_who_left_is_forgotten)
{
	add(1, 1, 100, 100);
	add(2, 9, 100, 100);
	delay_stats_forget(stats, 2);
	delay_stats_forget(stats, 2);
	delay_stats_forget(stats, 99);
	assert_figures(100, 1, 15, 19.5, 1, 19.5);
	delay_stats_forget(stats, 1);
	assert_nobody(100);
	/* What was counted stays counted. */
	ck_assert_uint_eq(delay_stats_totals(stats)->shown, 200);
	ck_assert_uint_eq(delay_stats_totals(stats)->buckets[9], 100);
}
END_TEST

/* What was seen goes after 30 s, in steps of 5 s, while the same viewer goes on. */
START_TEST(test_the_window_slides)
{
	static const struct {
		int64_t at_s;
		double p50_ms, p95_ms;
	} rows[] = {
		/* of 60 frames the 30th and the 57th; 10 more each time within 10 ms, 10 fewer old
		 */
		{ 130, 240, 294 }, { 135, 225, 292.5 }, { 140, 10, 290 },
		{ 145, 7.5, 285 }, { 150, 6, 270 },     { 155, 5, 9.5 },
	};

	for (int64_t s = 100; s < 130; s += 5)
		add(1, 9, 10, s);
	assert_figures(129, 1, 250, 295, 1, 295);
	for (int i = 0; i < COUNT(rows); i++) {
		add(1, 0, 10, rows[i].at_s);
		assert_figures(rows[i].at_s, 1, rows[i].p50_ms, rows[i].p95_ms, 1, rows[i].p95_ms);
	}
	assert_figures(184, 1, 5, 9.5, 1, 9.5);
	assert_nobody(185);
}
END_TEST

START_TEST(test_who_says_nothing_any_more_is_nobody)
{
	double p95_ms;

	add(1, 1, 100, 100);
	add(2, 9, 100, 100);
	for (int64_t s = 105; s <= 160; s += 5)
		add(1, 1, 100, s);
	assert_figures(160, 1, 15, 19.5, 1, 19.5);
	ck_assert(!delay_stats_viewer(stats, 2, 160 * S_NS, &p95_ms));
	/* It reports, but no picture: it has no delay. */
	add(2, 9, 0, 160);
	assert_figures(160, 1, 15, 19.5, 1, 19.5);
	ck_assert(!delay_stats_viewer(stats, 2, 160 * S_NS, &p95_ms));
}
END_TEST

START_TEST(test_more_frames_than_time_allows)
{
	/* On credit for the whole window, whoever it is. */
	ck_assert_int_eq(add(1, 0, WINDOW_S * DELAY_FPS_MAX, 100), 0);
	ck_assert_int_eq(add(1, 13, 1, 100), -ERANGE);
	ck_assert_int_eq(add(1, 13, DELAY_FPS_MAX + 1, 101), -ERANGE);
	ck_assert_int_eq(add(1, 0, DELAY_FPS_MAX, 101), 0);
	ck_assert_int_eq(add(2, 0, WINDOW_S * DELAY_FPS_MAX + 1, 101), -ERANGE);
	ck_assert_int_eq(add(2, 0, 100000, 1000), -ERANGE);
	assert_figures(101, 1, 5, 9.5, 1, 9.5);
	ck_assert_uint_eq(delay_stats_totals(stats)->refused, 4);
	ck_assert_uint_eq(delay_stats_totals(stats)->reports, 2);
	ck_assert_uint_eq(delay_stats_totals(stats)->shown, (WINDOW_S + 1) * DELAY_FPS_MAX);
	ck_assert_uint_eq(delay_stats_totals(stats)->buckets[13], 0);
}
END_TEST

START_TEST(test_what_was_dropped_takes_time_too)
{
	struct delay_report report = { .id = 1, .dropped = WINDOW_S * DELAY_FPS_MAX };

	ck_assert_int_eq(delay_stats_add(stats, 1, &report, 100 * S_NS), 0);
	ck_assert_int_eq(delay_stats_add(stats, 1, &report, 129 * S_NS), -ERANGE);
	ck_assert_int_eq(delay_stats_add(stats, 1, &report, 130 * S_NS), 0);
	ck_assert_uint_eq(delay_stats_totals(stats)->dropped, 2 * WINDOW_S * DELAY_FPS_MAX);
	assert_nobody(130);
}
END_TEST

START_TEST(test_memory_is_bounded)
{
	for (uint64_t viewer = 1; viewer <= DELAY_VIEWERS_MAX; viewer++)
		ck_assert_int_eq(add(viewer, 1, 1, 100), 0);
	ck_assert_int_eq(add(DELAY_VIEWERS_MAX + 1, 9, 1, 100), -ENOSPC);
	ck_assert_int_eq(add(DELAY_VIEWERS_MAX, 1, 1, 100), 0);
	delay_stats_forget(stats, 5);
	ck_assert_int_eq(add(DELAY_VIEWERS_MAX + 1, 9, 1, 100), 0);
	/* Nobody said that they left; they are silent. */
	ck_assert_int_eq(add(DELAY_VIEWERS_MAX + 2, 1, 1, 200), 0);
	assert_figures(200, 1, 15, 19.5, DELAY_VIEWERS_MAX + 2, 19.5);
}
END_TEST

/* Telling */

START_TEST(test_the_histogram)
{
	static const char want[] = "d_bucket{stream=\"door\",le=\"0.01\"} 0\n"
				   "d_bucket{stream=\"door\",le=\"0.02\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.03\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.04\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.05\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.075\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.1\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.15\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.2\"} 100\n"
				   "d_bucket{stream=\"door\",le=\"0.3\"} 150\n"
				   "d_bucket{stream=\"door\",le=\"0.5\"} 150\n"
				   "d_bucket{stream=\"door\",le=\"1\"} 150\n"
				   "d_bucket{stream=\"door\",le=\"2\"} 150\n"
				   "d_bucket{stream=\"door\",le=\"+Inf\"} 151\n"
				   /* 100 * 0.015 + 50 * 0.25 + (2 + 3) / 2 */
				   "d_sum{stream=\"door\"} 16.500\n"
				   "d_count{stream=\"door\"} 151\n";
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	add(1, 1, 100, 100);
	add(1, 9, 50, 200);
	add(2, 13, 1, 900);
	delay_write_histogram(stats, "d", "door", out);
	fclose(out);
	ck_assert_str_eq(text, want);
	free(text);
}
END_TEST

START_TEST(test_the_description)
{
	json_t *json = delay_describe(stats, 100 * S_NS), *want;

	ck_assert(json_is_null(json));
	add(1, 1, 100, 100);
	add(9, 9, 100, 100);
	json = delay_describe(stats, 100 * S_NS);
	/* The 190th of 200 is the 90th of 100 in 200..300. */
	want = json_pack("{s:i, s:i, s:i, s:i, s:i, s:s}", "p50", 20, "p95", 290, "worst", 295,
			 "viewers", 2, "worst_viewer", 9, "worst_transport", "mse");
	ck_assert(json_equal(json, want));
	json_decref(want);
	json_decref(json);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_delay");
	TCase *reports_case = tcase_create("reports"), *figures = tcase_create("figures");

	tcase_add_test(reports_case, test_a_report);
	tcase_add_loop_test(reports_case, test_which_reports_are_believed, 0, COUNT(reports));
	suite_add_tcase(suite, reports_case);
	tcase_add_checked_fixture(figures, make_stats, free_stats);
	tcase_add_loop_test(figures, test_quantiles, 0, COUNT(quantiles));
	tcase_add_test(figures, test_all_viewers_and_the_worst);
	tcase_add_test(figures, test_who_left_is_forgotten);
	tcase_add_test(figures, test_the_window_slides);
	tcase_add_test(figures, test_who_says_nothing_any_more_is_nobody);
	tcase_add_test(figures, test_more_frames_than_time_allows);
	tcase_add_test(figures, test_what_was_dropped_takes_time_too);
	tcase_add_test(figures, test_memory_is_bounded);
	tcase_add_test(figures, test_the_histogram);
	tcase_add_test(figures, test_the_description);
	suite_add_tcase(suite, figures);
	return suite;
}

HARNESS_MAIN(make_suite)
