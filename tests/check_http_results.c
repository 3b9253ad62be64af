/*
 * Results on their way from an analyser to the viewers who may have them. The analyser, the
 * supervisor, the camera and the browsers are fakes; the front between them is the real one.
 */
#include "config.h"

#include "http/wall.h"
#include "tests/check_http_results_rig.h"

#include <stdio.h>
#include <string.h>

/* Delivery */

START_ASYNC_TEST(test_from_a_frame_to_its_viewer, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	struct picture picture;
	const json_t *msg, *object;

	analyst_accept(&analyst);
	rig_push(rig, feed_delta(&feed));
	picture = expect_picture(page, 1, 0);
	analyst_say(
	    &analyst,
	    "{\"type\":\"result\",\"stream\":\"door\",\"epoch\":100,\"seq\":3,\"objects\":"
	    "[{\"box\":[-0.5,0.25,1,0.5],\"label\":\"<img onerror=alert(1)>\",\"score\":0.5,"
	    "\"track\":7,\"attributes\":{\"hat\":true,\"coat\":\"red\",\"m\":1.75}}],"
	    "\"counts\":{\"people\":1},\"note\":\"\\u00e9t\\u00e9\"}");
	msg = rig_ws_expect_json(page, "result");
	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	ck_assert_str_eq(msg_str(msg, "analyser"), "people");
	ck_assert_str_eq(msg_str(msg, "stream"), "door");
	ck_assert_int_eq(msg_int(msg, "seq", 0), picture.seq);
	ck_assert_int_eq(msg_int(msg, "arrived_us", 0), picture.arrived_us);
	ck_assert_str_eq(msg_str(msg, "note"), "\xc3\xa9t\xc3\xa9");
	ck_assert_int_eq(msg_int(json_object_get(msg, "counts"), "people", 0), 1);
	object = json_array_get(json_object_get(msg, "objects"), 0);
	ck_assert_str_eq(msg_str(object, "label"), "<img onerror=alert(1)>");
	ck_assert_double_eq(json_number_value(json_array_get(json_object_get(object, "box"), 0)),
			    0);
	ck_assert_double_eq(json_number_value(json_array_get(json_object_get(object, "box"), 2)),
			    0.5);
	ck_assert_int_eq(msg_int(object, "track", 0), 7);
	ck_assert(json_is_true(json_object_get(json_object_get(object, "attributes"), "hat")));
	ck_assert_uint_eq(json_object_size(msg), 9);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_only_for_those_who_asked_and_watch, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed), *plain = open_wall(rig), *other;

	rig_stream(rig, 2, "yard", "up", "");
	other = open_wall(rig);
	rig_ws_send(plain, UNIT(1, "door"));
	expect_state(plain, 1, "up");
	expect_config(plain, 1, "door", "unit");
	expect_picture(plain, 1, KEY);
	rig_ws_send(other, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"yard\",\"forms\":[\"unit\"],"
			   "\"codecs\":\"avc1.640029\",\"overlay\":true}");
	expect_state(other, 1, "up");
	analyst_accept(&analyst);
	analyst_label(&analyst, 2, "one");
	expect_label(page, "one");
	expect_nothing(plain);
	expect_nothing(other);
	/* Switched on and off without a new beginning of the pictures. */
	rig_ws_send(plain, "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"],"
			   "\"codecs\":\"avc1.640029\",\"overlay\":true}");
	expect_nothing(plain);
	analyst_label(&analyst, 2, "two");
	expect_label(plain, "two");
	rig_ws_send(plain, UNIT(1, "door"));
	expect_nothing(plain);
	analyst_label(&analyst, 2, "three");
	expect_nothing(plain);
	/* Who is paused sees nothing. */
	expect_label(page, "two");
	expect_label(page, "three");
	pause_one(page, 1, true);
	expect_nothing(page);
	analyst_label(&analyst, 2, "four");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* Other streams of the camera show the same, but not the same frames. */
/* Its pictures come by WebRTC: the want of another process keeps them coming here. */
START_ASYNC_TEST(test_for_one_who_is_paused, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	struct analyst analyst = analyst_new(rig, 1, "people", json_pack("[s]", "door"));

	analyst_accept(&analyst);
	pause_one(page, 1, true);
	expect_want(rig, 1, false);
	rig_push(rig, feed_delta(&feed));
	analyst_label(&analyst, feed.seq, "nobody listens");
	expect_nothing(page);
	rig_ws_send(page, "{\"type\":\"pause\",\"id\":1,\"on\":true,\"results\":true}");
	rig_push(rig, feed_delta(&feed));
	analyst_label(&analyst, feed.seq, "found");
	ck_assert_int_eq(msg_int(expect_label(page, "found"), "seq", 0), (long long)feed.seq);
	/* Neither pictures, nor a want of them. */
	rig_push(rig, feed_delta(&feed));
	expect_nothing(page);
	pause_one(page, 1, true);
	analyst_label(&analyst, feed.seq, "no more");
	expect_nothing(page);
	pause_one(page, 1, false);
	expect_want(rig, 1, true);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_other_streams_of_the_camera, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst =
	    analyst_new(rig, 5, "people", json_pack("[s, s]", "door.sub", "doors"));
	struct feed feed = feed_of(1), sub = feed_of(2), doors = feed_of(3);
	struct peer *page = page_with_overlay(rig, &feed), *other = open_wall(rig);
	const json_t *msg;

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_stream(rig, 3, "doors", "up", "");
	rig_ws_send(other,
		    "{\"type\":\"subscribe\",\"id\":1,\"src\":\"doors\",\"forms\":[\"unit\"],"
		    "\"codecs\":\"avc1.640029\",\"overlay\":true}");
	expect_state(other, 1, "up");
	analyst_accept(&analyst);
	sub.time_ms += 7;
	rig_push_gop(rig, &sub, 2);
	analyst_say(&analyst, "{\"stream\":\"door.sub\",\"epoch\":100,\"seq\":3}");
	msg = rig_ws_expect_json(page, "result");
	ck_assert_ptr_null(json_object_get(msg, "seq"));
	ck_assert_str_eq(msg_str(msg, "stream"), "door.sub");
	ck_assert_int_eq(msg_int(msg, "arrived_us", 0), FEED_ARRIVED_NS(5047LL) / 1000);
	expect_nothing(other);
	/* Its name only begins alike. */
	rig_push_gop(rig, &doors, 1);
	expect_config(other, 1, "doors", "unit");
	expect_picture(other, 1, KEY);
	analyst_say(&analyst, "{\"stream\":\"doors\",\"epoch\":100,\"seq\":2}");
	ck_assert_int_eq(msg_int(rig_ws_expect_json(other, "result"), "seq", 0), 2);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_frames_by_their_times, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	char text[128];

	analyst_accept(&analyst);
	feed.captured_ns = 1690000000123456789;
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	analyst_say(&analyst, "{\"stream\":\"door\",\"captured\":1690000000123456000}");
	ck_assert_int_eq(msg_int(rig_ws_expect_json(page, "result"), "seq", 0), 3);
	snprintf(text, sizeof(text), "{\"stream\":\"door\",\"arrived\":%lld}",
		 (long long)FEED_ARRIVED_NS(5000LL));
	analyst_say(&analyst, text);
	ck_assert_int_eq(msg_int(rig_ws_expect_json(page, "result"), "seq", 0), 2);
	/* Nothing came then. */
	snprintf(text, sizeof(text), "{\"stream\":\"door\",\"arrived\":%lld}",
		 (long long)FEED_ARRIVED_NS(5010LL));
	analyst_say(&analyst, text);
	expect_nothing(page);
	ck_assert_uint_eq(analyst_counted(&analyst)->drops[RESULTS_UNKNOWN_FRAME], 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_result_before_its_frame_waits, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);

	analyst_accept(&analyst);
	analyst_label(&analyst, 4, "soon");
	expect_nothing(page);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	expect_nothing(page);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	expect_label(page, "soon");
	/* A few at a time; far ahead is nonsense. */
	for (unsigned i = 0; i <= RESULTS_EARLY; i++)
		analyst_label(&analyst, 5 + i, "later");
	analyst_label(&analyst, 90, "never");
	ck_assert_uint_eq(analyst_counted(&analyst)->drops[RESULTS_UNKNOWN_FRAME], 2);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	expect_nothing(page);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	expect_label(page, "later");
	/* The front may end while it waits. */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_late_and_unknown_frames, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	const struct analyser *counted = analyst_counted(&analyst);

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	analyst_accept(&analyst);
	loop_run_for_ms(loop, 5000);
	analyst_label(&analyst, 2, "just in time");
	expect_label(page, "just in time");
	loop_run_for_ms(loop, 1);
	analyst_label(&analyst, 2, "late");
	ck_assert_uint_eq(counted->drops[RESULTS_LATE], 1);
	/* The configuration has a number, but is no frame. */
	analyst_label(&analyst, 1, "config");
	analyst_say(&analyst, "{\"stream\":\"door\",\"epoch\":99,\"seq\":2}");
	ck_assert_uint_eq(counted->drops[RESULTS_UNKNOWN_FRAME], 2);
	for (unsigned i = 0; i < STAMPS_KEPT; i++)
		rig_push(rig, feed_delta(&feed));
	for (unsigned i = 0; i < STAMPS_KEPT; i++)
		expect_picture(page, 1, 0);
	analyst_label(&analyst, 2, "forgotten");
	ck_assert_uint_eq(counted->drops[RESULTS_UNKNOWN_FRAME], 3);
	analyst_label(&analyst, 3, "the oldest");
	expect_label(page, "the oldest");
	ck_assert_uint_eq(counted->results, 6);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_slow_viewer_loses_results_and_no_picture, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	const struct analyser *counted = analyst_counted(&analyst);
	struct link *link = &LIST_FIRST(&rig->front->walls)->link;
	unsigned pushed = 0;

	analyst_accept(&analyst);
	/* Until its connection is full. */
	while (!link->blocked) {
		feed.padding = 40000;
		rig_push(rig, feed_delta(&feed));
		pushed++;
	}
	feed.padding = 0;
	for (unsigned i = 0; i < 30; i++) {
		rig_push(rig, feed_delta(&feed));
		analyst_label(&analyst, 3 + pushed + i, "in vain");
	}
	ck_assert_uint_eq(counted->drops[RESULTS_SLOW], 30);
	for (unsigned i = 0; i < pushed + 30; i++)
		expect_picture(page, 1, 0);
	ck_assert_uint_eq(stream_find(rig->front, "door")->skipped, 0);
	/* For a second after that it is not trusted to keep up. */
	loop_run_for_ms(loop, 1001);
	analyst_label(&analyst, 3, "again");
	expect_label(page, "again");
	async_complete(loop);
}
END_ASYNC_TEST

/* /api/ws */
START_ASYNC_TEST(test_for_scripts, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = rig_websocket(rig, "door");
	const json_t *value;

	rig_ws_send(page, "{\"type\":\"overlay\",\"value\":true}");
	value = rig_ws_expect(page, "overlay");
	ck_assert(json_is_true(value));
	rig_ws_send(page, "{\"type\":\"mse\",\"value\":\"avc1.640029\"}");
	expect_want(rig, 1, true);
	rig_push_gop(rig, &feed, 1);
	rig_ws_expect(page, "mse");
	ck_assert_int_eq(rig_ws_next(page).opcode, 2);
	ck_assert_int_eq(rig_ws_next(page).opcode, 2);
	rig_ws_expect(page, "state");
	analyst_accept(&analyst);
	analyst_label(&analyst, 2, "one");
	value = rig_ws_expect(page, "result");
	ck_assert_int_eq(msg_int(value, "seq", 0), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(value, "objects")), 1);
	rig_ws_send(page, "{\"type\":\"overlay\",\"value\":false}");
	value = rig_ws_expect(page, "overlay");
	ck_assert(json_is_false(value));
	analyst_label(&analyst, 2, "two");
	rig_ws_send(page, "{\"type\":\"overlay\",\"value\":1}");
	rig_ws_expect(page, "overlay");
	async_complete(loop);
}
END_ASYNC_TEST

/* What is told */

START_ASYNC_TEST(test_reports, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	const json_t *msg;

	/* Nobody watches: it is counted all the same. */
	analyst_accept(&analyst);
	feed.time_ms = (clock_realtime_ns(loop_clock(loop)) - 1700000000000000000) / NS_PER_MS;
	rig_push_gop(rig, &feed, 1);
	loop_run_for_ms(loop, 30);
	for (unsigned i = 0; i < 10; i++)
		analyst_label(&analyst, 2, "x");
	analyst_say(&analyst, "{\"stream\":\"yard\",\"epoch\":100,\"seq\":2}");
	loop_run_for_ms(loop, 1000);
	msg = peer_get_msg(rig->sup, MSG_FRONT_ANALYSER, 0);
	ck_assert_int_eq(msg_int(msg, "id", 0), 5);
	ck_assert(msg_bool(msg, "connected", false));
	ck_assert_int_eq(msg_int(msg, "results", 0), 11);
	ck_assert_int_eq(msg_int(msg, "foreign", 0), 1);
	ck_assert_int_eq(msg_int(msg, "malformed", -1), 0);
	ck_assert_int_eq(msg_int(msg, "lag_p50_us", 0), 30000);
	ck_assert_int_eq(msg_int(msg, "lag_p95_us", 0), 30000);
	ck_assert_str_eq(msg_str(msg, "last_error"), "a result of a stream that is not its own");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_api, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct peer *browser = rig_connect(rig);
	const char *head;
	json_t *json;
	size_t len;

	analyst_accept(&analyst);
	analyst_say(&analyst, "{\"stream\":\"yard\",\"epoch\":100,\"seq\":2}");
	head = rig_get(browser, "/api/analysers", "");
	json = json_loads(rig_body(browser, head, &len), 0, NULL);
	ck_assert_uint_eq(json_array_size(json), 1);
	ck_assert_str_eq(msg_str(json_array_get(json, 0), "name"), "people");
	ck_assert_int_eq(msg_int(json_object_get(json_array_get(json, 0), "dropped"), "foreign", 0),
			 1);
	ck_assert(json_is_null(json_object_get(json_array_get(json, 0), "lag_ms")));
	json_decref(json);
	head = rig_get(browser, "/api/streams?src=door", "");
	json = json_loads(rig_body(browser, head, &len), 0, NULL);
	ck_assert_int_eq(msg_int(json, "analysers", 0), 1);
	json_decref(json);
	head = rig_get(browser, "/metrics", "");
	ck_assert_ptr_nonnull(strstr(rig_body(browser, head, &len),
				     "camhub_analyser_dropped_total{analyser=\"people\",id=\"5\","
				     "cause=\"foreign\"} 1\n"));
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_results");
	TCase *delivery = tcase_create("delivery"), *told = tcase_create("told");

	tcase_add_test(delivery, test_from_a_frame_to_its_viewer);
	tcase_add_test(delivery, test_only_for_those_who_asked_and_watch);
	tcase_add_test(delivery, test_for_one_who_is_paused);
	tcase_add_test(delivery, test_other_streams_of_the_camera);
	tcase_add_test(delivery, test_frames_by_their_times);
	tcase_add_test(delivery, test_a_result_before_its_frame_waits);
	tcase_add_test(delivery, test_late_and_unknown_frames);
	tcase_add_test(delivery, test_a_slow_viewer_loses_results_and_no_picture);
	tcase_add_test(delivery, test_for_scripts);
	suite_add_tcase(suite, delivery);
	tcase_add_test(told, test_reports);
	tcase_add_test(told, test_api);
	suite_add_tcase(suite, told);
	return suite;
}

HARNESS_MAIN(make_suite)
