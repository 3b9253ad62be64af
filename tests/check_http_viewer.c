/*
 * Viewers: what each kind gets, over a camera's death and return.
 */
#include "config.h"

#include "http/viewer.h"

#include "tests/check_http_viewer_rig.h"

#include <string.h>

START_ASYNC_TEST(test_mse_begins_with_the_gop_in_one_message, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *first = rig_websocket(rig, "door"), *second;
	struct feed feed = feed_new(EPOCH);
	struct fragment fragments[8];
	struct ws_message message;
	uint64_t time = 0;

	rig_ws_send(first, MSE);
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 1);
	expect_mse_start(first);
	expect_fragment(first, &time, true);
	ck_assert_str_eq(msg_str(rig_ws_expect(first, "state"), "state"), "up");
	for (int i = 0; i < 4; i++) {
		rig_push(rig, feed_delta(&feed));
		expect_fragment(first, &time, false);
	}
	/* Who comes later gets all of it at once, from time 0. */
	second = rig_websocket(rig, "door");
	rig_ws_send(second, MSE);
	expect_mse_start(second);
	message = rig_ws_next(second);
	ck_assert_uint_eq(rig_fragments(message.bytes, message.len, fragments, 8), 5);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(fragments[i].decode_time, i * 3600);
		ck_assert_uint_eq(fragments[i].sequence, i + 1);
		ck_assert_int_eq(fragments[i].is_key, i == 0);
	}
	rig_ws_expect(second, "state");
	peer_close(first);
	peer_run(first, 0);
	rig_push(rig, feed_delta(&feed));
	time = 5 * 3600;
	expect_fragment(second, &time, false);
	peer_assert_no_msg(rig->sup);
	peer_close(second);
	peer_run(second, 0);
	expect_want(rig, false);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_socket_survives_the_camera, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct feed feed = feed_new(EPOCH), next = feed_new(EPOCH + 1);
	struct peer *browser;
	const json_t *state;
	uint64_t time = 0;

	rig_stream(rig, 1, "door", "down", "no route to host");
	rig_synced(rig);
	browser = rig_websocket(rig, "door");
	rig_ws_send(browser, MSE);
	/* No answer yet, but the reason. */
	state = rig_ws_expect(browser, "state");
	ck_assert_str_eq(msg_str(state, "state"), "down");
	ck_assert_str_eq(msg_str(state, "reason"), "no route to host");
	ck_assert_int_gt(msg_int(state, "server_ms", 0), 1700000000000);
	rig_push_gop(rig, &feed, 1);
	expect_mse_start(browser);
	expect_fragment(browser, &time, true);
	rig_stream(rig, 1, "door", "up", "");
	ck_assert_str_eq(msg_str(rig_ws_expect(browser, "state"), "state"), "up");
	rig_stream(rig, 1, "door", "down", "timeout");
	ck_assert_str_eq(msg_str(rig_ws_expect(browser, "state"), "state"), "down");
	/* It is back as another incarnation, with another clock and another size. */
	next.time_ms = 123;
	rig_push(rig, feed_config(&next, true));
	rig_push(rig, feed_key(&next));
	ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "config")),
			 "video/mp4; codecs=\"avc1.42C01F\"");
	expect_init(browser);
	expect_fragment(browser, &time, true);
	rig_push(rig, feed_delta(&next));
	expect_fragment(browser, &time, false);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_requests_that_cannot_be_served, .hold_time = true)
{
	static const struct {
		const char *src, *request, *error;
	} cases[] = {
		{ "nope", MSE, "mse: stream not found" },
		{ "../etc", MSE, "mse: stream not found" },
		{ "nope", "{\"type\":\"mjpeg\"}", "mjpeg: stream not found" },
		{ "door", "{\"type\":\"mse\",\"value\":\"vp9\"}",
		  "mse: codec avc1 is not among yours" },
		{ "door", "{\"type\":\"mse\"}", "mse: codec avc1 is not among yours" },
		{ "door", "{\"type\":\"mjpeg\"}", "mjpeg: codec is not mjpeg: ask for mse" },
		{ "yard", MSE, "mse: codec mjpeg is not for MSE, ask for mjpeg" },
		{ "door", "{\"type\":\"webrtc/offer\"}",
		  "webrtc/offer: the offer is no session description" },
		{ "door", "{\"type\":\"hls\"}", "hls: not supported" },
		{ "door", "{\"type\":\"<b>\"}", "?b?: not supported" },
		{ "door", "[]", "not a message of this protocol" },
		{ "door", "{\"type\":7}", "not a message of this protocol" },
		{ "door", "{\"type\"", "not a message of this protocol" },
	};
	struct rig *rig = start_door(loop, NULL);
	struct feed feed = feed_new(EPOCH), yard = feed_new(EPOCH);

	rig_stream(rig, 2, "yard", "up", "");
	stream_find(rig->front, "door")->interest = 1;
	stream_update_want(stream_find(rig->front, "door"));
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 1);
	yard.stream_id = 2;
	rig_push(rig, feed_status(&yard, "{\"codec\":\"mjpeg\"}", 0));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer *browser = rig_websocket(rig, cases[i].src);

		rig_ws_send(browser, cases[i].request);
		ck_assert_str_eq(json_string_value(rig_ws_expect(browser, "error")),
				 cases[i].error);
		peer_close(browser);
		peer_run(browser, 0);
	}
	loop_settle(loop);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pictures_over_a_websocket, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(browser, "{\"type\":\"mjpeg\"}");
	expect_want(rig, true);
	for (int i = 0; i < 3; i++) {
		struct ws_message message;

		rig_push(rig, feed_jpeg(&feed));
		if (i == 0)
			ck_assert_ptr_null(rig_ws_expect(browser, "mjpeg"));
		message = rig_ws_next(browser);
		ck_assert_uint_eq(message.opcode, 2);
		ck_assert_uint_eq(message.len, sizeof(JPEG_BYTES) - 1);
		ck_assert_mem_eq(message.bytes, JPEG_BYTES, message.len);
		if (i == 0)
			rig_ws_expect(browser, "state");
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_viewer_is_told_of_damage_and_of_its_end)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door"), *late;
	struct feed feed = feed_new(EPOCH);
	uint64_t time = 0;

	hub_set_loss_hold(stream_find(rig->front, "door")->hub, 2 * FRAME_MS);
	rig_ws_send(browser, MSE);
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 2);
	expect_mse_start(browser);
	expect_fragment(browser, &time, true);
	rig_ws_expect(browser, "state");
	expect_fragment(browser, &time, false);
	feed.flags = FRAME_CORRUPT;
	for (int i = 0; i < 4; i++)
		rig_push(rig, feed_delta(&feed));
	ck_assert(msg_bool(rig_ws_expect(browser, "damaged"), "on", false));
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(rig_ws_next(browser).opcode, 2);
	/* Who joins now is told where it begins. */
	late = rig_websocket(rig, "door");
	rig_ws_send(late, MSE);
	expect_mse_start(late);
	ck_assert_uint_eq(rig_ws_next(late).opcode, 2);
	rig_ws_expect(late, "state");
	loop_run_for_ms(loop, 200);
	ck_assert(msg_bool(rig_ws_expect(late, "damaged"), "on", false));
	rig_push_gop(rig, &feed, 1);
	ck_assert(!msg_bool(rig_ws_expect(browser, "damaged"), "on", true));
	ck_assert_uint_eq(rig_ws_next(browser).opcode, 2);
	async_complete(loop);
}
END_ASYNC_TEST

/* HTTP */

static size_t
next_chunk(struct peer *browser, const uint8_t **bytes)
{
	size_t len;

	peer_expect_until(browser, "\r\n", "");
	peer_run(browser, 0);
	len = strtoul(peer_last(browser, NULL), NULL, 16);
	peer_expect_bytes(browser, len + 2);
	peer_run(browser, 0);
	*bytes = (const uint8_t *)peer_last(browser, NULL);
	ck_assert_mem_eq(*bytes + len, "\r\n", 2);
	return len;
}

START_ASYNC_TEST(test_mp4_over_http, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH), next = feed_new(EPOCH + 1);
	struct fragment fragment;
	const uint8_t *bytes;
	size_t len;

	peer_send_text(browser, "GET /api/stream.mp4?src=door HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_run(browser, 0);
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 3);
	peer_expect_until(browser, "\r\n\r\n", "Content-Type: video/mp4\r\n");
	peer_run(browser, 0);
	ck_assert_str_eq(rig_header(peer_last(browser, NULL), "Transfer-Encoding"), "chunked");
	ck_assert_str_eq(rig_header(peer_last(browser, NULL), "Cache-Control"), "no-store");
	len = next_chunk(browser, &bytes);
	ck_assert(rig_is_init(bytes, len));
	/* A new incarnation with the same parameters: no second moov, time goes on. */
	rig_push_gop(rig, &next, 3);
	for (unsigned i = 0; i < 6; i++) {
		len = next_chunk(browser, &bytes);
		ck_assert_uint_eq(rig_fragments(bytes, len, &fragment, 1), 1);
		ck_assert_uint_eq(fragment.decode_time, i * 3600);
		ck_assert_uint_eq(fragment.sequence, i + 1);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_mp4_of_a_camera_that_is_down, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct peer *browser;

	rig_stream(rig, 1, "door", "down", "no answer");
	rig_synced(rig);
	browser = rig_connect(rig);
	peer_send_text(browser, "GET /api/stream.mp4?src=door HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_run(browser, 0);
	expect_want(rig, true);
	loop_run_for_ms(loop, 4900);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	loop_run_for_ms(loop, 200);
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 503 ");
	peer_run(browser, 0);
	ck_assert_ptr_nonnull(rig_header(peer_last(browser, NULL), "Retry-After"));
	peer_expect_until(browser, "}\n", "{\"error\": \"");
	peer_expect_close(browser);
	peer_run(browser, 0);
	expect_want(rig, false);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stream_that_goes_away, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *ws = rig_websocket(rig, "door"), *mp4 = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);

	rig_ws_send(ws, MSE);
	peer_send_text(mp4, "GET /api/stream.mp4?src=door HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_run(mp4, 0);
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 1);
	expect_mse_start(ws);
	rig_ws_next(ws);
	rig_ws_expect(ws, "state");
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "stream-gone", "id", 1), -1);
	peer_run(rig->sup, 0);
	ck_assert_str_eq(json_string_value(rig_ws_expect(ws, "error")), "mse: stream not found");
	ck_assert_uint_eq(rig_ws_next(ws).opcode, 8);
	peer_expect_close(ws);
	peer_run(ws, 0);
	peer_expect_until(mp4, "\r\n0\r\n\r\n", "");
	peer_expect_close(mp4);
	peer_run(mp4, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_quiet_line_is_kept, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct peer *browser, *mute;
	const struct ws_message *none = NULL;
	struct ws_message message;

	(void)none;
	rig_stream(rig, 1, "door", "down", "");
	rig_synced(rig);
	browser = rig_websocket(rig, "door");
	mute = rig_websocket(rig, "door");
	rig_ws_send(browser, MSE);
	rig_ws_expect(browser, "state");
	loop_run_for_ms(loop, 31000);
	message = rig_ws_next(browser);
	ck_assert_uint_eq(message.opcode, 9);
	/* Scripts do not see pings. */
	ck_assert_str_eq(msg_str(rig_ws_expect(browser, "state"), "state"), "down");
	/* Who asked for nothing is let go. */
	peer_drain_until_close(mute);
	peer_run(mute, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bad_frames_end_the_viewer, .hold_time = true)
{
	static const char *const frames[] = { "\x81\x02{}", "\x01\x82\1\2\3\4xx",
					      "\xff\xff\xff\xff" };
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct ws_message message;

	peer_send_text(browser, frames[_i]);
	peer_run(browser, 0);
	message = rig_ws_next(browser);
	ck_assert_uint_eq(message.opcode, 8);
	ck_assert_mem_eq(message.bytes, "\x03\xea", 2);
	peer_expect_close(browser);
	peer_run(browser, 0);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_viewers, .hold_time = true)
{
	struct rig *rig = start_door(loop, json_pack("{s:i}", "max_viewers", 2));
	struct peer *a = rig_websocket(rig, "door"), *b = rig_websocket(rig, "door"), *c;
	const char *head;

	(void)b;
	c = rig_connect(rig);
	head = rig_get(c, "/api/stream.mp4?src=door", "");
	ck_assert_msg(strncmp(head, "HTTP/1.1 503 ", 13) == 0, "%s", head);
	ck_assert_str_eq(rig_header(head, "Retry-After"), "2");
	peer_close(a);
	peer_run(a, 0);
	loop_settle(loop);
	rig_websocket(rig, "door");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_viewer");
	TCase *viewers = tcase_create("viewers");

	tcase_add_test(viewers, test_mse_begins_with_the_gop_in_one_message);
	tcase_add_test(viewers, test_socket_survives_the_camera);
	tcase_add_test(viewers, test_requests_that_cannot_be_served);
	tcase_add_test(viewers, test_pictures_over_a_websocket);
	tcase_add_test(viewers, test_viewer_is_told_of_damage_and_of_its_end);
	tcase_add_test(viewers, test_mp4_over_http);
	tcase_add_test(viewers, test_mp4_of_a_camera_that_is_down);
	tcase_add_test(viewers, test_stream_that_goes_away);
	tcase_add_test(viewers, test_a_quiet_line_is_kept);
	tcase_add_loop_test(viewers, test_bad_frames_end_the_viewer, 0, 3);
	tcase_add_test(viewers, test_too_many_viewers);
	suite_add_tcase(suite, viewers);
	return suite;
}

HARNESS_MAIN(make_suite)
