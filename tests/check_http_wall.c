/*
 * /ws: subscriptions over one socket, what each line of its chapter in docs/protocol.md promises.
 */
#include "config.h"

#include "http/wall.h"

#include "http/cursor.h"
#include "http/hub.h"
#include "shared/xalloc.h"
#include "tests/check_http_wall_rig.h"

/* Frames */

START_ASYNC_TEST(test_units_with_their_stamps, .hold_time = true)
{
	static const uint8_t sample[] = "\0\0\0\x07\x65\x88\x80\x11\x22\x33\x80";
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);
	struct picture picture;
	const json_t *config;
	uint8_t record[256];

	rig_ws_send(page, UNIT(300, "door"));
	expect_state(page, 300, "up");
	expect_want(rig, 1, true);
	feed.captured_ns = 1690000000123456789;
	rig_push_gop(rig, &feed, 1);
	config = expect_config(page, 300, "door", "unit");
	ck_assert_str_eq(msg_str(config, "codec"), "avc1.42C01E");
	ck_assert_int_eq(msg_int(config, "version", 0), 1);
	ck_assert_int_eq(msg_int(config, "width", 0), 640);
	ck_assert_int_eq(msg_int(config, "height", 0), 360);
	ck_assert_ptr_null(json_object_get(config, "init"));
	/* avcC: version 1, profile, compatibility, level as in the SPS, lengths of 4 bytes. */
	ck_assert_uint_gt(decode_base64(msg_str(config, "description"), record, sizeof(record)), 7);
	ck_assert_mem_eq(record, "\x01\x42\xc0\x1e\xff\xe1", 6);
	picture = expect_picture(page, 300, KEY);
	ck_assert_uint_eq(picture.version, 1);
	ck_assert_uint_eq(picture.seq, 2);
	ck_assert_uint_eq(picture.duration_us, FRAME_MS * 1000);
	ck_assert_int_eq(picture.pts_us, 0);
	ck_assert_int_eq(picture.arrived_us, FEED_ARRIVED_NS(5000LL) / 1000);
	ck_assert_int_eq(picture.captured_us, 1690000000123456);
	ck_assert_uint_eq(picture.len, sizeof(sample) - 1);
	ck_assert_mem_eq(picture.payload, sample, picture.len);
	for (unsigned i = 1; i < 5; i++) {
		/* A clock that nobody set, and none. */
		feed.flags = i == 1 ? FRAME_CLOCK_UNSYNCED : 0;
		feed.captured_ns = i == 1 ? 1690000000123456789 : 0;
		rig_push(rig, feed_delta(&feed));
		picture = expect_picture(page, 300, 0);
		ck_assert_uint_eq(picture.seq, 2 + i);
		ck_assert_int_eq(picture.pts_us, i * FRAME_MS * 1000);
		ck_assert_int_eq(picture.captured_us, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_fragments, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);
	struct fragment fragment;
	struct picture picture;
	const json_t *config;
	uint8_t init[2048];

	rig_ws_send(page, FMP4(1, "door"));
	expect_state(page, 1, "up");
	expect_want(rig, 1, true);
	rig_push_gop(rig, &feed, 3);
	config = expect_config(page, 1, "door", "fmp4");
	ck_assert_ptr_null(json_object_get(config, "description"));
	ck_assert(rig_is_init(init, decode_base64(msg_str(config, "init"), init, sizeof(init))));
	for (unsigned i = 0; i < 3; i++) {
		picture = expect_picture(page, 1, i == 0 ? KEY : 0);
		ck_assert_uint_eq(rig_fragments(picture.payload, picture.len, &fragment, 1), 1);
		ck_assert_uint_eq(fragment.decode_time * 100 / 9, (uint64_t)picture.pts_us);
		ck_assert_uint_eq(fragment.sequence, i + 1);
		ck_assert_int_eq(picture.pts_us, i * FRAME_MS * 1000);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_join_is_behind_but_for_the_last, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *first = open_wall(rig), *page;
	struct feed feed = feed_of(1);

	rig_ws_send(first, UNIT(1, "door"));
	expect_want(rig, 1, true);
	rig_push_gop(rig, &feed, 20);
	page = open_wall(rig);
	rig_ws_send(page, UNIT(2, "door"));
	expect_state(page, 2, "up");
	expect_config(page, 2, "door", "unit");
	for (unsigned i = 0; i < 20; i++) {
		struct picture picture =
		    expect_picture(page, 2, (i == 0 ? KEY : 0) | (i < 19 ? BEHIND : 0));

		ck_assert_int_eq(picture.pts_us, i * FRAME_MS * 1000);
	}
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 2, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pictures_are_the_newest_only, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);
	static uint8_t big[60000];
	struct picture picture;
	const json_t *config;
	uint32_t seq = 0;
	int64_t pts = 0;

	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	expect_want(rig, 1, true);
	memcpy(big, JPEG_BYTES, sizeof(JPEG_BYTES) - 1);
	for (int i = 0; i < 200; i++) {
		rig_push(rig, feed_msg(&feed, FRAME_KIND_JPEG, FRAME_CODEC_MJPEG, big, sizeof(big),
				       FRAME_KEY));
		loop_settle(loop);
	}
	ck_assert_uint_le(LIST_FIRST(&rig->front->walls)->link.out.bytes, 2 * sizeof(big));
	config = expect_config(page, 1, "door", "jpeg");
	ck_assert_str_eq(msg_str(config, "codec"), "mjpeg");
	ck_assert_int_eq(msg_int(config, "width", 0), 640);
	/* Whole, in order, on a line without holes; the last one is the newest. */
	for (unsigned n = 0; seq < 200; n++) {
		ck_assert_uint_lt(n, 150);
		picture = expect_picture(page, 1, KEY);
		ck_assert_uint_eq(picture.len, sizeof(big));
		ck_assert_uint_gt(picture.seq, seq);
		ck_assert_int_eq(picture.pts_us, pts);
		pts += picture.duration_us;
		seq = picture.seq;
	}
	ck_assert_uint_gt(stream_find(rig->front, "door")->skipped, 50);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_damage_and_other_parameters, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1), next = feed_of(1);
	struct picture picture;
	const json_t *config;

	hub_set_loss_hold(stream_find(rig->front, "door")->hub, 2 * FRAME_MS);
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	feed.flags = FRAME_CORRUPT;
	for (int i = 0; i < 4; i++)
		rig_push(rig, feed_delta(&feed));
	picture = expect_picture(page, 1, DAMAGED);
	expect_picture(page, 1, DAMAGED);
	rig_push(rig, feed_key(&feed));
	picture = expect_picture(page, 1, KEY);
	/* A new worker, the same parameters: nothing to be told, time goes on. */
	next.epoch++;
	next.time_ms = 77;
	rig_push_gop(rig, &next, 1);
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, picture.pts_us + picture.duration_us);
	/* Others: told before the first frame, which carries their version. */
	next.epoch++;
	rig_push(rig, feed_config(&next, true));
	rig_push(rig, feed_key(&next));
	config = expect_config(page, 1, "door", "unit");
	ck_assert_int_eq(msg_int(config, "version", 0), 2);
	ck_assert_int_eq(msg_int(config, "width", 0), 1280);
	ck_assert_uint_eq(expect_picture(page, 1, KEY).version, 2);
	async_complete(loop);
}
END_ASYNC_TEST

/* Subscriptions */

START_ASYNC_TEST(test_states_are_told, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct peer *page;
	const json_t *msg;

	rig_stream(rig, 1, "door", "down", "no route to host");
	rig_stream(rig, 2, "yard", "up", "");
	rig_synced(rig);
	page = open_wall(rig);
	rig_ws_send(page, UNIT(1, "door"));
	msg = rig_ws_expect_json(page, "state");
	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	ck_assert_str_eq(msg_str(msg, "state"), "down");
	ck_assert_str_eq(msg_str(msg, "reason"), "no route to host");
	ck_assert_int_gt(msg_int(msg, "since_ms", 0), 0);
	ck_assert_int_gt(msg_int(msg, "server_ms", 0), 1700000000000);
	rig_ws_send(page, UNIT(2, "yard"));
	expect_state(page, 2, "up");
	rig_stream(rig, 1, "door", "up", "");
	expect_state(page, 1, "up");
	rig_stream(rig, 2, "yard", "stalled", "no pictures for 3 s");
	expect_state(page, 2, "stalled");
	/* While it is paused, too. */
	pause_one(page, 2, true);
	rig_stream(rig, 2, "yard", "up", "");
	expect_state(page, 2, "up");
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_comes_after_unsubscribed, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);

	rig_ws_send(page, UNIT(1, "door"));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	unsubscribe(page, 1);
	expect_want(rig, 1, false);
	rig_push_gop(rig, &feed, 5);
	rig_stream(rig, 1, "door", "down", "gone");
	expect_nothing(page);
	ck_assert_uint_eq(rig->front->n_viewers, 0);
	ck_assert_uint_eq(stream_find(rig->front, "door")->n_viewers, 0);
	/* Again, and one that never was. */
	unsubscribe(page, 1);
	unsubscribe(page, 9);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_paused_costs_nothing_and_begins_anew, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);
	struct picture before;

	rig_ws_send(page, UNIT(1, "door"));
	expect_want(rig, 1, true);
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 2);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	before = expect_picture(page, 1, 0);
	if (_i == 0)
		pause_one(page, 1, true);
	else
		rig_ws_send(page, "{\"type\":\"pause\",\"on\":true}");
	expect_want(rig, 1, false);
	rig_push_gop(rig, &feed, 5);
	expect_nothing(page);
	ck_assert_uint_eq(hub_stats(stream_find(rig->front, "door")->hub)->bytes, 0);
	/* One that is not there. */
	pause_one(page, 7, false);
	expect_nothing(page);
	if (_i == 0)
		pause_one(page, 1, false);
	else
		rig_ws_send(page, "{\"type\":\"pause\",\"on\":false}");
	expect_want(rig, 1, true);
	/* What is known needs no second `config`; time has no hole. */
	rig_push_gop(rig, &feed, 1);
	ck_assert_int_eq(expect_picture(page, 1, KEY).pts_us, before.pts_us + before.duration_us);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_resumes_with_the_newest_group, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct peer *page = open_wall(rig);
	struct feed feed = feed_of(1);

	keep_alive(rig, "door");
	rig_ws_send(page, UNIT(1, "door"));
	expect_state(page, 1, "up");
	rig_push_gop(rig, &feed, 1);
	expect_config(page, 1, "door", "unit");
	expect_picture(page, 1, KEY);
	pause_one(page, 1, true);
	expect_nothing(page);
	rig_push_gop(rig, &feed, 30);
	rig_push_gop(rig, &feed, 3);
	expect_nothing(page);
	pause_one(page, 1, false);
	expect_picture(page, 1, KEY | BEHIND);
	expect_picture(page, 1, BEHIND);
	expect_picture(page, 1, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Cursors */

struct pair {
	struct cursor self;
	struct pair *other;
	unsigned told;
};

static void
on_frames_leave_other(void *arg)
{
	struct pair *pair = arg;

	pair->told++;
	cursor_leave(&pair->other->self);
}

/* A stream tells its cursors of frames; what one of them does may end the next. */
START_ASYNC_TEST(test_cursors_may_leave_while_they_are_told, .hold_time = true)
{
	static const struct cursor_ops ops = { .on_frames = on_frames_leave_other };
	struct rig *rig = wall_start(loop, NULL);
	struct stream *stream = stream_find(rig->front, "door");
	struct feed feed = feed_of(1);
	struct pair pairs[2];

	for (int i = 0; i < 2; i++) {
		pairs[i] = (struct pair){ .other = &pairs[1 - i] };
		cursor_init(&pairs[i].self, 1, &ops, &pairs[i]);
		cursor_enter(&pairs[i].self, stream);
		cursor_set_mode(&pairs[i].self, CURSOR_FRAMES);
	}
	rig_push_gop(rig, &feed, 3);
	ck_assert_uint_eq(pairs[0].told + pairs[1].told, 3);
	ck_assert_uint_eq(stream->n_viewers, 1);
	for (int i = 0; i < 2; i++)
		cursor_leave(&pairs[i].self);
	ck_assert_uint_eq(stream->n_viewers, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_wall");
	TCase *frames = tcase_create("frames"), *subs = tcase_create("subscriptions");

	tcase_add_test(frames, test_units_with_their_stamps);
	tcase_add_test(frames, test_fragments);
	tcase_add_test(frames, test_join_is_behind_but_for_the_last);
	tcase_add_test(frames, test_pictures_are_the_newest_only);
	tcase_add_test(frames, test_damage_and_other_parameters);
	suite_add_tcase(suite, frames);
	tcase_add_test(subs, test_states_are_told);
	tcase_add_test(subs, test_nothing_comes_after_unsubscribed);
	tcase_add_loop_test(subs, test_paused_costs_nothing_and_begins_anew, 0, 2);
	tcase_add_test(subs, test_resumes_with_the_newest_group);
	tcase_add_test(subs, test_cursors_may_leave_while_they_are_told);
	suite_add_tcase(suite, subs);
	return suite;
}

HARNESS_MAIN(make_suite)
