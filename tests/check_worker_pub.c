/*
 * What a worker puts on the bus: headers, configurations, demand, the pulse, replays.
 */
#include "config.h"

#include "tests/check_worker_rig.h"

#include "publish/wrk_replay.h"
#include "shared/clock.h"
#include "shared/xalloc.h"

/* Publishing */

START_ASYNC_TEST(test_headers)
{
	const struct sent *sent;
	size_t i = 0;

	rig_new(loop);
	go_up();
	demand(true);
	deliver_frames(10, 23, 10);
	for (uint64_t seq = 3; (sent = next_sent(&i)) != NULL; seq++) {
		ck_assert_uint_eq(sent->frame.seq, seq);
		ck_assert_uint_eq(sent->frame.stream_id, 3);
		ck_assert_uint_eq(sent->frame.epoch, 77);
		ck_assert_uint_eq(sent->frame.codec, FRAME_CODEC_H264);
		ck_assert_uint_eq(sent->frame.width, 1280);
		ck_assert_uint_eq(sent->frame.height, 720);
		ck_assert_uint_eq(sent->frame.config_version, 1);
		ck_assert_int_gt(sent->frame.arrived_monotonic_ns, 0);
	}
	/* Two GOPs: configuration, key frame, nine others; and again. */
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_mem_eq(rig->sent[0].payload, SETS_720, sizeof(SETS_720) - 1);
	ck_assert_uint_eq(rig->sent[1].frame.flags, FRAME_KEY | FRAME_CONFIG_IN_BAND);
	ck_assert_uint_eq(rig->sent[1].frame.gop_id, 2);
	ck_assert_uint_eq(rig->sent[1].frame.gop_index, 0);
	ck_assert_uint_eq(rig->sent[10].frame.gop_index, 9);
	ck_assert_uint_eq(rig->sent[10].frame.flags, 0);
	ck_assert_int_eq(rig->sent[10].frame.pts_ns, 19 * FRAME_MS * NS_PER_MS);
	ck_assert_uint_eq(rig->sent[11].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[12].frame.gop_id, 3);
	ck_assert_uint_eq(count_sent(), 15);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_config_changes_in_the_middle)
{
	rig_new(loop);
	go_up();
	demand(true);
	deliver(H264_UNIT(SETS_360 SLICE_P, 40));
	deliver(H264_UNIT(SLICE_P, 80));
	ck_assert_uint_eq(count_sent(), 3);
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[0].frame.config_version, 2);
	ck_assert_mem_eq(rig->sent[0].payload, SETS_360, sizeof(SETS_360) - 1);
	ck_assert_uint_eq(rig->sent[1].frame.config_version, 2);
	ck_assert_uint_eq(rig->sent[1].frame.width, 640);
	ck_assert_uint_eq(rig->sent[2].frame.config_version, 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_without_demand)
{
	json_t *pulse;

	rig_new(loop);
	go_up();
	deliver_frames(1, 30, 10);
	ck_assert_uint_eq(count_sent(), 0);
	loop_run_for_ms(loop, 1000);
	pulse = last_pulse();
	ck_assert(msg_bool(pulse, "paused", false));
	/* Numbers go on: 30 frames and three configurations. */
	ck_assert_int_eq(msg_int(pulse, "last_video_seq", 0), 33);
	json_decref(pulse);
	demand(true);
	deliver_frames(31, 33, 10);
	ck_assert_uint_eq(count_sent(), 2);
	ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.seq, 35);
	demand(false);
	deliver_frames(33, 60, 10);
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(count_sent(), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pulse_every_second)
{
	size_t n;

	rig_new(loop);
	go_up();
	n = rig->n_sent;
	for (int i = 1; i <= 10; i++) {
		deliver_frames(i, i + 1, 100);
		loop_run_for_ms(loop, 1000);
		ck_assert_uint_eq(rig->n_sent, n + (size_t)i);
		ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.kind, FRAME_KIND_STATUS);
		ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.seq, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_audio_has_numbers_of_its_own)
{
	rig_new(loop);
	go_up();
	demand(true);
	deliver(make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMU, BYTES("aaaa"), 0));
	ck_assert_uint_eq(rig->sent[0].frame.track, FRAME_TRACK_AUDIO);
	ck_assert_uint_eq(rig->sent[0].frame.seq, 1);
	ck_assert_uint_eq(rig->sent[0].frame.codec, FRAME_CODEC_PCMU);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_aac_config_comes_with_every_key_frame)
{
	struct wrk_unit asc = make_unit(FRAME_KIND_CONFIG, FRAME_CODEC_AAC, BYTES("\x12\x10"), 0);

	asc.track = FRAME_TRACK_AUDIO;
	rig_new(loop);
	go_up();
	demand(true);
	deliver(asc);
	deliver(asc);
	ck_assert_uint_eq(count_sent(), 1);
	deliver_frames(10, 11, 10);
	ck_assert_uint_eq(count_sent(), 4);
	ck_assert_uint_eq(rig->sent[2].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[2].frame.track, FRAME_TRACK_AUDIO);
	ck_assert_uint_eq(rig->sent[2].frame.seq, 2);
	ck_assert_mem_eq(rig->sent[2].payload, "\x12\x10", 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_unit_too_large_leaves_a_hole)
{
	uint8_t *huge = xcalloc(1, FRAME_PAYLOAD_MAX + 1);
	struct wrk_unit unit =
	    make_unit(FRAME_KIND_VIDEO, FRAME_CODEC_H264, huge, FRAME_PAYLOAD_MAX + 1, 40);

	rig_new(loop);
	go_up();
	demand(true);
	deliver(unit);
	free(huge);
	deliver_frames(2, 3, 10);
	ck_assert_uint_eq(count_sent(), 1);
	ck_assert_uint_eq(rig->sent[0].frame.seq, 4);
	expect_log("larger than the bus takes");
	/* The GOP has a hole too: it is not replayed. */
	ask_replay(5);
	ck_assert_uint_eq(rig->n_sent, 2);
	ck_assert_uint_eq(rig->sent[1].frame.kind, FRAME_KIND_STATUS);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_damaged_units_go_out_marked)
{
	struct wrk_unit unit = H264_UNIT(SLICE_P, 40);

	rig_new(loop);
	go_up();
	demand(true);
	unit.flags = FRAME_CORRUPT | FRAME_DISCONTINUITY;
	deliver(unit);
	ck_assert_uint_eq(rig->sent[0].frame.flags, FRAME_CORRUPT | FRAME_DISCONTINUITY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_after_a_loss)
{
	struct wrk_unit lost = H264_UNIT(SLICE_P, 40);
	struct wrk_unit key = H264_UNIT(SETS_720 SLICE_IDR, 80);
	struct wrk_unit sound = make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMU, BYTES("aaaa"), 80);

	rig_new(loop);
	go_up();
	demand(true);
	lost.is_after_loss = key.is_after_loss = sound.is_after_loss = true;
	deliver(lost);
	ck_assert_uint_eq(rig->sent[0].frame.flags, FRAME_CORRUPT);
	/* A key frame needs nothing from before, nor does sound. */
	deliver(key);
	ck_assert_uint_eq(rig->sent[2].frame.flags, FRAME_KEY | FRAME_CONFIG_IN_BAND);
	deliver(sound);
	ck_assert_uint_eq(rig->sent[3].frame.flags, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* Units that come as messages */

START_ASYNC_TEST(test_a_message_leaves_as_it_was_written)
{
	rig_new(loop);
	go_up();
	demand(true);
	deliver_msg(H264_UNIT(SETS_720 SLICE_IDR, 40), 2000);
	ck_assert_uint_eq(count_sent(), 2);
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_ptr_eq(rig->sent[1].written_at, rig->written_at);
	ck_assert_uint_eq(rig->sent[1].frame.flags, FRAME_KEY | FRAME_CONFIG_IN_BAND);
	ck_assert_uint_eq(rig->sent[1].frame.payload_len, sizeof(SETS_720 SLICE_IDR) - 1);
	ck_assert_mem_eq(rig->sent[1].payload, SETS_720 SLICE_IDR, sizeof(SETS_720 SLICE_IDR) - 1);
	deliver_msg(make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMU, BYTES("aaaa"), 40), 0);
	ck_assert_ptr_eq(rig->sent[2].written_at, rig->written_at);
	/* The cache has a copy of its own. */
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), 6);
	ck_assert_mem_eq(rig->sent[4].payload, SETS_720 SLICE_IDR, sizeof(SETS_720 SLICE_IDR) - 1);
	ck_assert_uint_eq(rig->sent[4].frame.seq, rig->sent[1].frame.seq);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_without_demand_a_message_is_the_caches)
{
	const uint8_t *key, *wasteful;

	rig_new(loop);
	go_up();
	deliver_msg(H264_UNIT(SETS_720 SLICE_IDR, 40), 0);
	key = rig->written_at;
	deliver_msg(H264_UNIT(SLICE_P, 80), 100000);
	wasteful = rig->written_at;
	ck_assert_uint_eq(count_sent(), 0);
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), 4);
	ck_assert_ptr_eq(rig->sent[1].written_at, key);
	ck_assert_mem_eq(rig->sent[1].payload, SETS_720 SLICE_IDR, sizeof(SETS_720 SLICE_IDR) - 1);
	/* One with much more memory than it needs is not kept: a copy is. */
	ck_assert_ptr_ne(rig->sent[2].written_at, wasteful);
	ck_assert_mem_eq(rig->sent[2].payload, SLICE_P, sizeof(SLICE_P) - 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_trailing_bytes_of_a_message_do_not_leave)
{
	rig_new(loop);
	configure(config());
	wrk_input_opened(rig->wrk);
	demand(true);
	deliver_msg(make_unit(FRAME_KIND_JPEG, FRAME_CODEC_JPEG_RTP, BYTES(JPEG_640_360 "rest"), 0),
		    0);
	expect_input("up");
	ck_assert_ptr_eq(rig->sent[0].written_at, rig->written_at);
	ck_assert_uint_eq(rig->sent[0].frame.payload_len, sizeof(JPEG_640_360) - 1);
	async_complete(loop);
}
END_ASYNC_TEST

/* Delivers it with a reference kept, which must be the last one afterwards. */
static void
assert_let_go(struct wrk_unit unit)
{
	struct bus_msg *msg;
	uint8_t *data;
	size_t cap;

	msg = bus_msg_begin(unit.len, &data, &cap);
	memcpy(data, unit.data, unit.len);
	unit.data = data;
	unit.msg = bus_msg_ref(msg);
	deliver(unit);
	ck_assert_int_eq(msg->refs, 1);
	bus_msg_unref(&msg);
}

START_ASYNC_TEST(test_messages_that_go_nowhere_are_let_go)
{
	struct wrk_unit sound = make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMU, BYTES("aaaa"), 0);
	json_t *msg = config();

	rig_new(loop);
	msg_set_int(msg, "gop_cache_bytes", 300);
	configure(msg);
	wrk_input_opened(rig->wrk);
	demand(true);
	assert_let_go(sound);                   /* before the first key frame */
	assert_let_go(H264_UNIT(SLICE_P, 0));   /* the same */
	assert_let_go(H264_UNIT(DELIMITER, 0)); /* no picture */
	assert_let_go(H264_CONFIG(SETS_720));   /* a configuration is copied */
	assert_let_go(make_unit(FRAME_KIND_JPEG, FRAME_CODEC_JPEG_RTP, BYTES(JPEG_640_360), 0));
	demand(false);
	deliver_frames(0, 1, 10);
	assert_let_go(sound); /* nobody watches */
	for (int i = 1; i < 4; i++)
		assert_let_go(H264_UNIT(SLICE_P, i * FRAME_MS)); /* nor fits it the cache */
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	assert_let_go(H264_UNIT(SLICE_P, 1000)); /* all is over */
	async_complete(loop);
}
END_ASYNC_TEST

/* Replays */

static void
assert_replay_end(const struct sent *sent, uint32_t subscriber, uint64_t last_seq)
{
	json_t *end = json_loads((const char *)sent->payload, 0, NULL);

	ck_assert_uint_eq(sent->frame.kind, FRAME_KIND_STATUS);
	ck_assert_uint_eq(sent->frame.for_subscriber, subscriber);
	ck_assert_int_eq(msg_int(end, "replay_end", 0), subscriber);
	ck_assert_int_eq(msg_int(end, "last_video_seq", 0), (long long)last_seq);
	json_decref(end);
}

START_ASYNC_TEST(test_replay)
{
	rig_new(loop);
	go_up();
	deliver_frames(10, 15, 10);
	ask_replay(9);
	/* seq 1, 2 were the first GOP; 3 the configuration, 4 to 8 the frames. */
	ck_assert_uint_eq(count_sent(), 7);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(rig->sent[i].frame.seq, 3 + i);
		ck_assert(rig->sent[i].frame.flags & FRAME_REPLAY);
		ck_assert_uint_eq(rig->sent[i].frame.for_subscriber, 9);
	}
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert(rig->sent[1].frame.flags & FRAME_KEY);
	assert_replay_end(&rig->sent[6], 9, 8);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_replay_joins_live_without_a_hole)
{
	uint64_t replayed = 0, live = 0;
	const struct sent *sent;
	size_t i = 0;

	rig_new(loop);
	go_up();
	deliver_frames(10, 110, 100);
	demand(true);
	deliver_frames(110, 200, 100);
	ask_replay(9);
	ck_assert_uint_lt(count_sent(), 90 + 100);
	/* Live frames go on between the portions. */
	for (int f = 201; f < 240; f++) {
		deliver_frames(f, f + 1, 1000);
		loop_run_for_ms(loop, 4);
	}
	while ((sent = next_sent(&i)) != NULL) {
		if (sent->frame.kind == FRAME_KIND_STATUS)
			assert_replay_end(sent, 9, replayed);
		else if (sent->frame.for_subscriber == 9)
			ck_assert(replayed == 0 || sent->frame.seq == replayed + 1);
		else
			ck_assert(live == 0 || sent->frame.seq == live + 1);
		if (sent->frame.kind != FRAME_KIND_STATUS)
			*(sent->frame.for_subscriber == 9 ? &replayed : &live) = sent->frame.seq;
	}
	ck_assert_uint_gt(replayed, 100);
	ck_assert_uint_eq(live, replayed + 39);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_replay_portions_fit_the_bus)
{
	size_t before;

	rig_new(loop);
	go_up();
	deliver_frames(1, 300, 1000);
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), WRK_REPLAY_FIRST_MSGS);
	for (int i = 0; i < 20; i++) {
		before = count_sent();
		loop_run_for_ms(loop, WRK_REPLAY_PORTION_MS);
		ck_assert_uint_le(count_sent() - before, WRK_REPLAY_PORTION_MSGS);
	}
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(count_sent(), 300 + 1 + 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_replay_a_second_each)
{
	rig_new(loop);
	go_up();
	for (int i = 0; i < 20; i++)
		ask_replay(9);
	ck_assert_uint_eq(count_sent(), 3);
	/* Another subscriber does not wait. */
	ask_replay(10);
	ck_assert_uint_eq(count_sent(), 6);
	/* All that came too soon is one, and is not lost. */
	loop_run_for_ms(loop, WRK_REPLAY_INTERVAL_MS - 10);
	ck_assert_uint_eq(count_sent(), 6);
	loop_run_for_ms(loop, 20);
	ck_assert_uint_eq(count_sent(), 9);
	loop_run_for_ms(loop, 5000);
	ck_assert_uint_eq(count_sent(), 9);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_subscribers)
{
	rig_new(loop);
	go_up();
	for (uint32_t i = 1; i <= WRK_REPLAY_SUBSCRIBERS_MAX; i++)
		ask_replay(i);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX);
	ask_replay(WRK_REPLAY_SUBSCRIBERS_MAX + 1);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX);
	expect_log("one is refused");
	loop_run_for_ms(loop, WRK_REPLAY_INTERVAL_MS);
	ask_replay(WRK_REPLAY_SUBSCRIBERS_MAX + 1);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX + 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pause_breaks_a_replay_off)
{
	size_t n;

	rig_new(loop);
	go_up();
	deliver_frames(1, 300, 1000);
	ask_replay(9);
	demand(false);
	n = count_sent();
	loop_run_for_ms(loop, 900);
	ck_assert_uint_eq(count_sent(), n);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_gop_too_long_is_told)
{
	json_t *msg = config(), *pulse;

	rig_new(loop);
	msg_set_int(msg, "gop_cache_bytes", 2000);
	configure(msg);
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 50, 100);
	expect_input("up");
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), 1);
	assert_replay_end(&rig->sent[0], 9, 51);
	loop_run_for_ms(loop, 1000);
	pulse = last_pulse();
	ck_assert(!msg_bool(pulse, "gop_cached", true));
	ck_assert(msg_bool(pulse, "gop_too_long", false));
	json_decref(pulse);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_pub");
	TCase *tc = tcase_create("publishing");

	tcase_add_test(tc, test_headers);
	tcase_add_test(tc, test_config_changes_in_the_middle);
	tcase_add_test(tc, test_nothing_without_demand);
	tcase_add_test(tc, test_pulse_every_second);
	tcase_add_test(tc, test_audio_has_numbers_of_its_own);
	tcase_add_test(tc, test_aac_config_comes_with_every_key_frame);
	tcase_add_test(tc, test_a_unit_too_large_leaves_a_hole);
	tcase_add_test(tc, test_damaged_units_go_out_marked);
	tcase_add_test(tc, test_after_a_loss);
	tcase_add_test(tc, test_a_message_leaves_as_it_was_written);
	tcase_add_test(tc, test_without_demand_a_message_is_the_caches);
	tcase_add_test(tc, test_trailing_bytes_of_a_message_do_not_leave);
	tcase_add_test(tc, test_messages_that_go_nowhere_are_let_go);
	tcase_add_test(tc, test_replay);
	tcase_add_test(tc, test_replay_joins_live_without_a_hole);
	tcase_add_test(tc, test_replay_portions_fit_the_bus);
	tcase_add_test(tc, test_one_replay_a_second_each);
	tcase_add_test(tc, test_too_many_subscribers);
	tcase_add_test(tc, test_pause_breaks_a_replay_off);
	tcase_add_test(tc, test_gop_too_long_is_told);
	suite_add_tcase(s, tc);
	return s;
}

HARNESS_MAIN(suite)
