/*
 * /ws: which of a camera's streams a subscription gets, and how it changes from one to another.
 */
#include "config.h"

#include "shared/xalloc.h"
#include "tests/check_http_wall_rig.h"

#include <stdlib.h>

#define WISH(quality, more)                                                                        \
	"{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\",\"jpeg\"],"         \
	"\"codecs\":\"avc1.640029\",\"quality\":\"" quality "\"" more "}"

START_ASYNC_TEST(test_qualities, .hold_time = true)
{
	static const struct {
		const char *wish;
		int want;
	} cases[] = {
		{ WISH("main", ",\"pixels\":100"), 1 },
		{ WISH("sub", ",\"pixels\":4000"), 2 },
		{ WISH("auto", ",\"pixels\":959"), 2 },
		{ WISH("auto", ",\"pixels\":959.9"), 2 },
		{ WISH("auto", ",\"pixels\":960"), 1 },
		{ WISH("auto", ""), 1 },
		{ UNIT(1, "door"), 1 },
		{ UNIT(1, "door.sub"), 2 },
	};
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	rig_stream(rig, 2, "door.sub", "connecting", "");
	rig_ws_send(page, cases[_i].wish);
	expect_want(rig, cases[_i].want, true);
	expect_state(page, 1, cases[_i].want == 1 ? "up" : "connecting");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_quality_changes_at_a_key_frame_without_black, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), sub = feed_of(2);
	struct picture picture;

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, WISH("main", ""));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	picture = expect_picture(page, 1, KEY);
	rig_ws_send(page, WISH("sub", ""));
	expect_want(rig, 2, true);
	/* Nothing of it yet, nor anything that could be decoded: the old pictures go on. */
	for (int i = 0; i < 3; i++) {
		rig_push(rig, feed_delta(&sub));
		rig_push(rig, feed_delta(&feed));
		picture = expect_picture(page, 1, 0);
	}
	expect_nothing(page);
	peer_assert_no_msg(rig->sup);
	sub.time_ms = 1;
	rig_push(rig, feed_config(&sub, true));
	rig_push(rig, feed_key(&sub));
	expect_want(rig, 1, false);
	expect_state(page, 1, "up");
	ck_assert_int_eq(msg_int(expect_config(page, 1, "door.sub", "unit"), "version", 0), 2);
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, picture.pts_us + picture.duration_us);
	rig_push(rig, feed_delta(&feed));
	rig_push(rig, feed_delta(&sub));
	ck_assert_uint_eq(expect_picture(page, 1, 0).version, 2);
	ck_assert_uint_eq(rig->front->n_viewers, 1);
	ck_assert_uint_eq(stream_find(rig->front, "door")->n_viewers, 0);
	ck_assert_uint_eq(stream_find(rig->front, "door.sub")->n_viewers, 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Back before it happened; the same again; another form of the same stream; while paused. */
START_ASYNC_TEST(test_other_changes, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), sub = feed_of(2);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, WISH("main", ""));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	rig_ws_send(page, WISH("sub", ""));
	expect_want(rig, 2, true);
	rig_ws_send(page, WISH("main", ""));
	expect_want(rig, 2, false);
	rig_ws_send(page, UNIT(1, "door.sub"));
	expect_want(rig, 2, true);
	rig_ws_send(page, WISH("main", ""));
	expect_want(rig, 2, false);
	rig_ws_send(page, WISH("main", ",\"audio\":false"));
	expect_nothing(page);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	rig_ws_send(page, FMP4(1, "door"));
	expect_config(page, 1, "door", "fmp4");
	expect_picture(page, 1, KEY | BEHIND);
	expect_picture(page, 1, 0);
	peer_assert_no_msg(rig->sup);
	pause_one(page, 1, true);
	expect_want(rig, 1, false);
	rig_ws_send(page, WISH("sub", ""));
	expect_state(page, 1, "up");
	expect_nothing(page);
	pause_one(page, 1, false);
	expect_want(rig, 2, true);
	rig_push_gop(rig, &sub, 1);
	expect_config(page, 1, "door.sub", "unit");
	expect_picture(page, 1, KEY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_streams_that_go_away, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), sub = feed_of(2), again = feed_of(3);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, WISH("sub", ""));
	expect_want(rig, 2, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &sub, 1);
	expect_config(page, 1, "door.sub", "unit");
	expect_picture(page, 1, KEY);
	/* The camera still has another. */
	stream_gone(rig, 2);
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	stream_gone(rig, 1);
	expect_error(page, 1, "not-found");
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	rig_ws_send(page, WISH("main", ""));
	expect_error(page, 1, "not-found");
	/* The id is free: a new one may have it. */
	rig_stream(rig, 3, "yard", "up", "");
	rig_ws_send(page, UNIT(1, "yard"));
	expect_state(page, 1, "up");
	expect_want(rig, 3, true);
	rig_push_gop(rig, &again, 1);
	ck_assert_int_eq(msg_int(expect_config(page, 1, "yard", "unit"), "version", 0), 1);
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* The stream that a change waits for goes away: the old one stays. */
START_ASYNC_TEST(test_change_that_cannot_come, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, WISH("main", ""));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	rig_ws_send(page, WISH("sub", ""));
	expect_want(rig, 2, true);
	stream_gone(rig, 2);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	/* And the other way about: the old one goes, the new one is waited for. */
	rig_stream(rig, 3, "door.sub", "connecting", "");
	rig_ws_send(page, WISH("sub", ""));
	expect_want(rig, 3, true);
	stream_gone(rig, 1);
	expect_state(page, 1, "connecting");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* Codecs */

static void
tell_codec(struct rig *rig, int id, const char *codec)
{
	struct feed feed = feed_of((uint32_t)id);
	char *status = xasprintf("{\"codec\":\"%s\"}", codec);

	rig_push(rig, feed_status(&feed, status, 0));
	free(status);
}

START_ASYNC_TEST(test_codecs, .hold_time = true)
{
	static const struct {
		const char *main, *sub,
		    *h264; /* NULL: there is no such stream; "": not known yet */
		const char *wish;
		int want; /* 0: error */
		bool has_small_copy;
	} cases[] = {
		{ "h264", NULL, NULL, WISH("main", ""), 1 },
		{ "h265", NULL, NULL, WISH("main", ""), 0 },
		{ "h265", NULL, NULL, FMP4(1, "door"), 1 },
		{ "h265", "h264", NULL, WISH("main", ""), 2 },
		{ "h265", "h264", "", WISH("main", ""), 2 },
		{ "h265", "h265", "", WISH("main", ""), 3 },
		{ "h265", "h265", NULL, WISH("main", ""), 0 },
		{ "h265", "h265", "", WISH("main", ""), 3, true },
		{ "h265", "h265", "", WISH("sub", ""), 4, true },
		{ "h265", "h265", "", WISH("auto", ",\"pixels\":10"), 4, true },
		{ "h265", "h265", "", WISH("sub", ""), 3 },
		{ "h265", NULL, "", WISH("auto", ",\"pixels\":10"), 3 },
		{ "h264", "h265", NULL, WISH("sub", ""), 1 },
		{ "h265", "", NULL, WISH("main", ""), 2 },
		{ "mjpeg", NULL, NULL, WISH("main", ""), 1 },
		{ "jpeg-rtp", NULL, NULL, WISH("main", ""), 1 },
		{ "mjpeg", NULL, NULL,
		  "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"],"
		  "\"codecs\":\"avc1\"}",
		  0 },
		{ "h264", NULL, NULL,
		  "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"jpeg\"]}", 0 },
		{ "h265", NULL, "",
		  "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"forms\":[\"unit\"]}", 0 },
	};
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);

	tell_codec(rig, 1, cases[_i].main);
	if (cases[_i].sub != NULL)
		rig_stream(rig, 2, "door.sub", "up", "");
	if (cases[_i].sub != NULL && cases[_i].sub[0] != '\0')
		tell_codec(rig, 2, cases[_i].sub);
	if (cases[_i].h264 != NULL)
		rig_stream(rig, 3, "door.h264", "off", "");
	if (cases[_i].has_small_copy)
		rig_stream(rig, 4, "door.sub.h264", "off", "");
	rig_ws_send(page, cases[_i].wish);
	if (cases[_i].want == 0) {
		expect_error(page, 1, "codec");
		ck_assert_uint_eq(rig->front->n_viewers, 0);
	} else {
		expect_want(rig, cases[_i].want, true);
		rig_ws_expect_json(page, "state");
	}
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* Nothing was known of the second stream, and then it is what this client cannot decode. */
START_ASYNC_TEST(test_codec_is_found_out_late, .hold_time = true)
{
	static const char wish[] =
	    "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"quality\":\"sub\","
	    "\"forms\":[\"unit\"],\"codecs\":\"avc1\"}";
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), sub = feed_of(2);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, wish);
	expect_want(rig, 2, true);
	expect_state(page, 1, "up");
	rig_push(rig, feed_jpeg(&sub));
	if (_i == 0) {
		expect_want(rig, 1, true);
		expect_want(rig, 2, false);
		expect_state(page, 1, "up");
		rig_push_gop(rig, &feed, 1);
		expect_config(page, 1, "door", "unit");
		expect_picture(page, 1, KEY);
	} else {
		/* Neither can the other be. */
		expect_want(rig, 1, true);
		expect_state(page, 1, "up");
		rig_push(rig, feed_jpeg(&feed));
		expect_error(page, 1, "codec");
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* A change to what cannot be decoded, as it turns out: the old pictures go on. */
START_ASYNC_TEST(test_change_to_a_wrong_codec, .hold_time = true)
{
	static const char wish[] =
	    "{\"type\":\"subscribe\",\"id\":1,\"src\":\"door\",\"quality\":\"sub\","
	    "\"forms\":[\"unit\"],\"codecs\":\"avc1\"}";
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), sub = feed_of(2);

	rig_stream(rig, 2, "door.sub", "up", "");
	rig_ws_send(page, UNIT(1, "door"));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	rig_ws_send(page, wish);
	expect_want(rig, 2, true);
	rig_push(rig, feed_jpeg(&sub));
	expect_want(rig, 2, false);
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* The same socket, the same id, another codec of the same camera. */
START_ASYNC_TEST(test_camera_turns_to_jpeg_and_back, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), jpeg = feed_of(1), back = feed_of(1);

	jpeg.epoch++;
	back.epoch += 2;
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 2);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	expect_picture(page, 1, 0);
	rig_push(rig, feed_jpeg(&jpeg));
	expect_config(page, 1, "door", "jpeg");
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, 2 * FRAME_MS * 1000);
	rig_push_gop(rig, &back, 1);
	ck_assert_int_eq(msg_int(expect_config(page, 1, "door", "unit"), "version", 0), 3);
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, 3 * FRAME_MS * 1000);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_wall_choice");
	TCase *changes = tcase_create("changes"), *codecs = tcase_create("codecs");

	tcase_add_loop_test(changes, test_qualities, 0, 8);
	tcase_add_test(changes, test_quality_changes_at_a_key_frame_without_black);
	tcase_add_test(changes, test_other_changes);
	tcase_add_test(changes, test_streams_that_go_away);
	tcase_add_test(changes, test_change_that_cannot_come);
	suite_add_tcase(suite, changes);
	tcase_add_loop_test(codecs, test_codecs, 0, 19);
	tcase_add_loop_test(codecs, test_codec_is_found_out_late, 0, 2);
	tcase_add_test(codecs, test_change_to_a_wrong_codec);
	tcase_add_test(codecs, test_camera_turns_to_jpeg_and_back);
	suite_add_tcase(suite, codecs);
	return suite;
}

HARNESS_MAIN(make_suite)
