/*
 * /ws: the client's words: what is not understood, the clock, reports; and who is seen to watch.
 */
#include "config.h"

#include "http/wall.h"
#include "tests/check_http_wall_rig.h"

#include <stdlib.h>
#include <string.h>

/* Nonsense */

START_ASYNC_TEST(test_requests_that_are_not_understood, .hold_time = true)
{
	static const struct {
		const char *text;
		int id;
	} cases[] = {
		{ "", 0 },
		{ "{", 0 },
		{ "[]", 0 },
		{ "{\"type\":1}", 0 },
		{ "{\"type\":\"mse\"}", 0 },
		{ "{\"type\":\"subscribe\",\"type\":\"subscribe\"}", 0 },
		{ "{\"type\":\"nonsense\",\"id\":5}", 0 },
		{ "{\"type\":\"subscribe\",\"src\":\"door\",\"forms\":[\"unit\"]}", 0 },
		{ "{\"type\":\"subscribe\",\"id\":0,\"src\":\"door\",\"forms\":[\"unit\"]}", 0 },
		{ "{\"type\":\"subscribe\",\"id\":65536,\"src\":\"door\",\"forms\":[\"unit\"]}",
		  0 },
		{ "{\"type\":\"subscribe\",\"id\":\"1\",\"src\":\"door\",\"forms\":[\"unit\"]}",
		  0 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"forms\":[\"unit\"]}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":7,\"forms\":[\"unit\"]}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"../door\",\"forms\":[\"unit\"]}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\"}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":\"unit\"}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[]}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"hls\",3]}", 5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"codecs\":[]}",
		  5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"quality\":\"best\"}",
		  5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"quality\":null}",
		  5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"pixels\":-1}",
		  5 },
		{ "{\"type\":\"subscribe\",\"id\":5,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"pixels\":\"640\"}",
		  5 },
		{ "{\"type\":\"unsubscribe\"}", 0 },
		{ "{\"type\":\"unsubscribe\",\"id\":-1}", 0 },
		{ "{\"type\":\"pause\",\"id\":1}", 0 },
		{ "{\"type\":\"pause\",\"id\":[],\"on\":true}", 0 },
		{ "{\"type\":\"pause\",\"id\":1,\"on\":1}", 0 },
		{ "{\"type\":\"clock\"}", 0 },
		{ "{\"type\":\"clock\",\"t0\":\"now\"}", 0 },
		{ "{\"type\":\"clock\",\"t0\":1e999}", 0 },
		{ "{\"type\":\"report\"}", 0 },
		{ "{\"type\":\"report\",\"reports\":{}}", 0 },
	};
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig_ws_send(page, cases[i].text);
		expect_error(page, cases[i].id, "request");
	}
	/* Not even these end a subscription that they are not about. */
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_is_not_known_is_passed_over, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	rig_ws_send(page,
		    "{\"hue\":[],\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"codecs\":"
		    "\"av01,avc1.64\",\"forms\":[\"raw\",null,\"unit\",\"unit\"],\"audio\":7}");
	expect_state(page, 1, "up");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* An error with an id always means that there is no subscription of it any more. */
START_ASYNC_TEST(test_errors_end_what_they_are_about, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	rig_stream(rig, 2, "yard", "up", "");
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_ws_send(page, UNIT(1, "yard"));
	expect_error(page, 1, "request");
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	rig_ws_send(page, UNIT(1, "yard"));
	expect_state(page, 1, "up");
	rig_ws_send(page, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"yard\",\"forms\":7}");
	expect_error(page, 1, "request");
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	rig_ws_send(page, UNIT(1, "nowhere"));
	expect_error(page, 1, "not-found");
	async_complete(loop);
}
END_ASYNC_TEST

/* The clock, reports, who watches */

START_ASYNC_TEST(test_clock, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	int64_t now_us = clock_realtime_ns(loop_clock(loop)) / 1000;
	const json_t *msg;

	rig_ws_send(page, "{\"type\":\"clock\",\"t0\":1234.0625}");
	msg = rig_ws_expect_json(page, "clock");
	ck_assert(json_real_value(json_object_get(msg, "t0")) == 1234.0625);
	ck_assert_int_eq(msg_int(msg, "t1_us", 0), now_us);
	ck_assert_int_eq(msg_int(msg, "t2_us", 0), now_us);
	loop_run_for_ms(loop, 5);
	rig_ws_send(page, "{\"type\":\"clock\",\"t0\":-9007199254740993}");
	msg = rig_ws_expect_json(page, "clock");
	ck_assert_int_eq(msg_int(msg, "t0", 0), -9007199254740993);
	ck_assert_int_eq(msg_int(msg, "t1_us", 0), now_us + 5000);
	async_complete(loop);
}
END_ASYNC_TEST

/* The answer tells when it was written, not when it was wished for. */
START_ASYNC_TEST(test_clock_of_a_slow_page, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);
	struct ws_message message;
	json_t *msg = NULL;

	rig_ws_send(page, UNIT(1, "door"));
	expect_want(rig, 1, true);
	feed.padding = 20000;
	for (int i = 0; i < 5; i++)
		rig_push_gop(rig, &feed, 50);
	for (int i = 0; i < 20; i++)
		rig_ws_send(page, "{\"type\":\"clock\",\"t0\":1}");
	loop_run_for_ms(loop, 300);
	do {
		message = rig_ws_next(page);
		json_decref(msg);
		msg = message.opcode == 1
			  ? json_loadb((const char *)message.bytes, message.len, 0, NULL)
			  : NULL;
	} while (msg == NULL || strcmp(msg_str(msg, "type"), "clock") != 0);
	ck_assert_int_ge(msg_int(msg, "t2_us", 0) - msg_int(msg, "t1_us", 0), 300000);
	json_decref(msg);
	/* Of many only the last few are answered. */
	for (int i = 1; i < WALL_CLOCKS_MAX; i++)
		rig_ws_expect_json(page, "clock");
	while ((message = rig_ws_next(page)).opcode != 2)
		ck_assert_ptr_null(strstr((const char *)message.bytes, "clock"));
	async_complete(loop);
}
END_ASYNC_TEST

#define REPORT(id, shown)                                                                          \
	"{\"id\":" #id ",\"transport\":\"webcodecs\",\"shown\":" #shown                            \
	",\"dropped\":0,\"delay_ms\":[12,25,30],\"buckets\":[0,100,0,0,0,0,0,0,0,0,0,0,0,0]}"

START_ASYNC_TEST(test_reports_of_delay, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	const struct delay_totals *totals;
	struct delay_figures figures;
	struct stream *door, *yard;

	rig_stream(rig, 2, "yard", "up", "");
	door = stream_find(rig->front, "door");
	yard = stream_find(rig->front, "yard");
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_ws_send(page, UNIT(2, "yard"));
	expect_state(page, 2, "up");
	rig_ws_send(page, "{\"type\":\"report\",\"reports\":[" REPORT(1, 100) "," REPORT(
			      9, 100) ",7,{}"
				      ",{\"id\":2,\"shown\":-1}]}");
	expect_nothing(page);
	totals = delay_stats_totals(door->delay);
	ck_assert_uint_eq(totals->reports, 1);
	ck_assert_uint_eq(totals->shown, 100);
	ck_assert_uint_eq(delay_stats_totals(yard->delay)->reports, 0);
	ck_assert_uint_eq(delay_stats_totals(yard->delay)->refused, 1);
	ck_assert(delay_stats_figures(door->delay, clock_now_ns(rig->front->clock), &figures));
	ck_assert_uint_eq(figures.viewers, 1);
	ck_assert_int_eq(figures.worst_transport, DELAY_TRANSPORT_WEBCODECS);
	/* Who leaves is forgotten. */
	unsubscribe(page, 1);
	ck_assert(!delay_stats_figures(door->delay, clock_now_ns(rig->front->clock), &figures));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_who_watches, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig), *browser = rig_connect(rig);
	struct feed feed = feed_of(1);
	const char *head, *body;
	json_t *json, *one;

	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 3);
	loop_settle(loop);
	head = strdup(rig_get(browser, "/api/streams?src=door", ""));
	body = rig_body(browser, head, NULL);
	json = json_loads(body, 0, NULL);
	ck_assert_int_eq(msg_int(json, "viewers", 0), 1);
	one = json_array_get(json_object_get(json, "consumers"), 0);
	ck_assert_str_eq(msg_str(one, "format_name"), "wall/unit");
	ck_assert_int_eq(msg_int(one, "frames", 0), 3);
	ck_assert_int_gt(msg_int(one, "bytes_send", 0), 3 * 40);
	json_decref(json);
	free((void *)head);
	head = strdup(rig_get(browser, "/api/streams?src=door&consumers=0", ""));
	json = json_loads(rig_body(browser, head, NULL), 0, NULL);
	ck_assert_int_eq(msg_int(json, "viewers", 0), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "consumers")), 0);
	json_decref(json);
	free((void *)head);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_wall_words");
	TCase *nonsense = tcase_create("nonsense"), *rest = tcase_create("rest");

	tcase_add_test(nonsense, test_requests_that_are_not_understood);
	tcase_add_test(nonsense, test_what_is_not_known_is_passed_over);
	tcase_add_test(nonsense, test_errors_end_what_they_are_about);
	suite_add_tcase(suite, nonsense);
	tcase_add_test(rest, test_clock);
	tcase_add_test(rest, test_clock_of_a_slow_page);
	tcase_add_test(rest, test_reports_of_delay);
	tcase_add_test(rest, test_who_watches);
	suite_add_tcase(suite, rest);
	return suite;
}

HARNESS_MAIN(make_suite)
