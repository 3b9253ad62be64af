/*
 * Viewers that take less than there is: what they miss they are told, and nobody waits for them.
 */
#include "config.h"

#include "http/viewer.h"

#include "tests/check_http_viewer_rig.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What one GOP of n units of 20 KB does to a viewer that does not read. */
static void
push_large_gops(struct rig *rig, struct feed *feed, int gops)
{
	feed->padding = 20000;
	for (int i = 0; i < gops; i++) {
		rig_push_gop(rig, feed, 50);
		loop_settle(rig->loop);
	}
}

START_ASYNC_TEST(test_slow_viewer_skips_to_a_key_frame_and_is_told, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct stream *stream = stream_find(rig->front, "door");
	struct feed feed = feed_new(EPOCH);
	long long frames = 0, told = 0;
	struct fragment fragment;
	uint64_t time = 0;
	bool after_skip = false;

	rig_ws_send(browser, MSE);
	expect_want(rig, true);
	rig_push_gop(rig, &feed, 1);
	expect_mse_start(browser);
	expect_fragment(browser, &time, true);
	rig_ws_expect(browser, "state");
	push_large_gops(rig, &feed, 20);
	ck_assert_uint_gt(stream->skipped, 500);
	ck_assert_uint_le(stream->lag_bytes_high, (1 << 20) + 50 * 21000);
	ck_assert_uint_le(hub_stats(stream->hub)->bytes, 3 << 20);
	/* It reads again: whole fragments, one after the other, with no hole in time. */
	while (frames + told < 20 * 50) {
		struct ws_message message = rig_ws_next(browser);

		if (message.opcode == 1) {
			json_t *skipped =
			    json_loadb((const char *)message.bytes, message.len, 0, NULL);
			const json_t *value = json_object_get(skipped, "value");

			ck_assert_str_eq(msg_str(skipped, "type"), "skipped");
			ck_assert_int_eq(msg_int(value, "ms", 0),
					 FRAME_MS * msg_int(value, "frames", 0));
			told += msg_int(value, "frames", 0);
			after_skip = true;
			json_decref(skipped);
			continue;
		}
		ck_assert_uint_eq(rig_fragments(message.bytes, message.len, &fragment, 1), 1);
		ck_assert_uint_eq(fragment.decode_time, time);
		ck_assert(!after_skip || fragment.is_key);
		after_skip = false;
		time += fragment.duration;
		frames++;
	}
	ck_assert_int_eq(told, (long long)stream->skipped);
	ck_assert_int_eq(frames + told, 20 * 50);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_viewers_that_keep_up_go_first, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct stream *stream = stream_find(rig->front, "door");
	struct feed feed = feed_new(EPOCH);
	const struct viewer *viewer;
	uint64_t sent;

	rig_ws_send(browser, MSE);
	expect_want(rig, true);
	push_large_gops(rig, &feed, 4);
	ck_assert_uint_gt(stream->lag_bytes_high, 0);
	feed.padding = 0;
	viewer = LIST_FIRST(&rig->front->viewers);
	while (viewer->link.blocked || viewer->cursor.pos < hub_tail(stream->hub))
		rig_ws_next(browser);
	/* It was full a moment ago: it is not served before the loop has turned to the others. */
	sent = rig->front->bytes_sent;
	rig_push(rig, feed_delta(&feed));
	ck_assert_uint_eq(rig->front->bytes_sent, sent);
	while (rig->front->bytes_sent == sent)
		rig_ws_next(browser);
	loop_run_for_ms(loop, 1100);
	sent = rig->front->bytes_sent;
	rig_push(rig, feed_delta(&feed));
	ck_assert_uint_gt(rig->front->bytes_sent, sent);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_viewer_that_reads_nothing_is_closed, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_websocket(rig, "door");
	struct feed feed = feed_new(EPOCH);
	socklen_t len = sizeof(int);
	int error = 0;

	rig_ws_send(browser, MSE);
	expect_want(rig, true);
	push_large_gops(rig, &feed, 10);
	loop_run_for_ms(loop, 9900);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	loop_run_for_ms(loop, 200);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	expect_want(rig, false);
	/* At once: what it did not take is not kept for it. */
	ck_assert_int_eq(getsockopt(peer_fd(browser), SOL_SOCKET, SO_ERROR, &error, &len), 0);
	ck_assert_int_eq(error, ECONNRESET);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pictures_are_never_queued, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);
	struct viewer *viewer;
	static const char *const heads[] = {
		"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 60000\r\n\r\n",
		"--frame\r\nContent-Type: image/jpeg\r\n\r\n",
	};
	static uint8_t big[60000];

	rig_push(rig, feed_status(&feed, "{\"codec\":\"mjpeg\"}", 0));
	peer_send_text(browser,
		       _i == 0
			   ? "GET /api/stream.mjpeg?src=door HTTP/1.1\r\nHost: x\r\n\r\n"
			   : "GET /api/stream.mjpeg?src=door&early=1 HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_run(browser, 0);
	expect_want(rig, true);
	memcpy(big, JPEG_BYTES, sizeof(JPEG_BYTES) - 1);
	for (int i = 0; i < 100; i++) {
		rig_push(rig, feed_msg(&feed, FRAME_KIND_JPEG, FRAME_CODEC_MJPEG, big, sizeof(big),
				       FRAME_KEY));
		loop_settle(loop);
	}
	viewer = LIST_FIRST(&rig->front->viewers);
	ck_assert_uint_le(viewer->link.out.bytes, 2 * sizeof(big));
	ck_assert_uint_gt(viewer->cursor.skipped, 50);
	ck_assert_uint_le(viewer->cursor.skipped + viewer->cursor.frames, 100);
	peer_expect_until(browser, "\r\n\r\n", "multipart/x-mixed-replace; boundary=frame");
	peer_expect_text(browser, heads[_i]);
	peer_expect(browser, big, sizeof(big));
	/* Early, the next part's head follows at once: only then do browsers show this one. */
	peer_expect_text(browser, "\r\n");
	peer_expect_text(browser, heads[_i]);
	peer_run(browser, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_viewer_slow");
	TCase *slow = tcase_create("slow");

	tcase_add_test(slow, test_slow_viewer_skips_to_a_key_frame_and_is_told);
	tcase_add_test(slow, test_viewers_that_keep_up_go_first);
	tcase_add_test(slow, test_viewer_that_reads_nothing_is_closed);
	tcase_add_loop_test(slow, test_pictures_are_never_queued, 0, 2);
	suite_add_tcase(suite, slow);
	return suite;
}

HARNESS_MAIN(make_suite)
