/*
 * The hub alone: what enters the ring, in which order, and what never does.
 */
#include "config.h"

#include "tests/check_http_hub_rig.h"

/* Every entry can be decoded after the one before it: key frames begin, no place is left out. */
static void
assert_ring_is_decodable(void)
{
	for (uint64_t pos = hub_head(hub) + 1; pos < hub_tail(hub); pos++) {
		const struct hub_entry *a = hub_at(hub, pos - 1), *b = hub_at(hub, pos);

		ck_assert(!(b->msg->frame.flags & FRAME_CORRUPT));
		ck_assert_uint_gt(b->stamp.decode_time, a->stamp.decode_time);
		if (!b->is_key) {
			ck_assert_uint_eq(b->msg->frame.gop_id, a->msg->frame.gop_id);
			ck_assert_uint_eq(b->msg->frame.gop_index, a->msg->frame.gop_index + 1);
		}
	}
}

START_TEST(test_flow_begins_with_a_key_frame)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(RING_BYTES);
	push(feed_config(&feed, false));
	feed.gop_id = 4;
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert(!hub_join(hub, &pos));
	ck_assert(hub_wants_replay(hub));
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
	ck_assert(hub_join(hub, &pos));
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
	ck_assert(!hub_wants_replay(hub));
	ck_assert_uint_eq(hub_tail(hub) - pos, 2);
	ck_assert_str_eq(hub_newest_config(hub)->codec, "avc1.42C01E");
}
END_TEST

START_TEST(test_nothing_is_kept_for_nobody)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(RING_BYTES);
	push_gop(&feed, 5);
	hub_stop(hub);
	ck_assert_uint_eq(hub_stats(hub)->bytes, 0);
	push(feed_config(&feed, false));
	ck_assert_uint_eq(push(feed_key(&feed)), 0);
	ck_assert(!hub_join(hub, &pos));
	ck_assert(!hub_wants_replay(hub));
}
END_TEST

/* A replay of units 0..4 while 3..6 come live, in every interleaving that keeps both orders. */
START_TEST(test_replay_and_live_are_joined)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *config = feed_config(&feed, false), *units[7];
	unsigned replayed = 0, live = 3;
	uint64_t pos;

	units[0] = feed_key(&feed);
	for (int i = 1; i < 7; i++)
		units[i] = feed_delta(&feed);
	make_hub(RING_BYTES);
	push(feed_replayed(config, SUBSCRIBER));
	/* _i's bits say who is next. */
	for (int turn = 0; replayed < 5 || live < 7; turn++) {
		if (live == 7 || (replayed < 5 && (_i >> (turn % 9)) & 1))
			ck_assert_uint_eq(push(feed_replayed(units[replayed++], SUBSCRIBER)), 0);
		else
			ck_assert_uint_eq(push(bus_msg_ref(units[live++])), 0);
	}
	ck_assert_uint_eq(hub_replay_end(hub), 7);
	ck_assert(hub_is_flowing(hub));
	ck_assert(hub_join(hub, &pos));
	ck_assert_uint_eq(hub_tail(hub) - pos, 7);
	assert_ring_is_decodable();
	ck_assert_uint_eq(hub_stats(hub)->holes, 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
	bus_msg_unref(&config);
	for (int i = 0; i < 7; i++)
		bus_msg_unref(&units[i]);
}
END_TEST

START_TEST(test_replay_of_others_is_ignored)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *config = feed_config(&feed, false), *key = feed_key(&feed);

	make_hub(RING_BYTES);
	push(feed_replayed(config, SUBSCRIBER + 1));
	push(feed_replayed(key, SUBSCRIBER + 1));
	push(feed_replayed(key, 0));
	ck_assert_uint_eq(hub_replay_end(hub), 0);
	ck_assert_ptr_null(hub_newest_config(hub));
	bus_msg_unref(&config);
	bus_msg_unref(&key);
}
END_TEST

static void
push_replay_without(struct bus_msg *const units[], int n, int missing)
{
	for (int i = 0; i < n; i++)
		if (i != missing)
			push(feed_replayed(units[i], SUBSCRIBER));
}

/* A loaded machine: the bus drops a piece of each replay, but not always the same. One alone does
 * not flow. */
START_TEST(test_two_torn_replays_make_a_whole_one)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *config = feed_config(&feed, false), *units[6];

	units[0] = feed_key(&feed);
	for (int i = 1; i < 6; i++)
		units[i] = feed_delta(&feed);
	make_hub(RING_BYTES);
	push(feed_replayed(config, SUBSCRIBER));
	push_replay_without(units, 5, 2);
	ck_assert_uint_eq(hub_replay_end(hub), 0);
	ck_assert(!hub_is_flowing(hub));
	ck_assert(hub_wants_replay(hub));
	push(bus_msg_ref(units[5]));
	push_replay_without(units, 5, 3);
	ck_assert_uint_eq(hub_replay_end(hub), 6);
	assert_ring_is_decodable();
	bus_msg_unref(&config);
	for (int i = 0; i < 6; i++)
		bus_msg_unref(&units[i]);
}
END_TEST

START_TEST(test_hole_waits_for_the_next_key_frame)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 4);
	feed.seq++;
	feed.gop_index++;
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert_uint_eq(hub_stats(hub)->holes, 1);
	ck_assert(hub_wants_replay(hub));
	push_gop(&feed, 2);
	assert_ring_is_decodable();
	ck_assert_uint_eq(hub_tail(hub) - hub_head(hub), 6);
}
END_TEST

START_TEST(test_replay_heals_a_hole_without_a_new_key_frame)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *config = feed_config(&feed, false), *units[8];

	make_hub(RING_BYTES);
	units[0] = feed_key(&feed);
	for (int i = 1; i < 8; i++)
		units[i] = feed_delta(&feed);
	push(bus_msg_ref(config));
	for (int i = 0; i < 4; i++)
		push(bus_msg_ref(units[i]));
	ck_assert_uint_eq(push(bus_msg_ref(units[6])), 0);
	for (int i = 0; i < 7; i++)
		push(feed_replayed(units[i], SUBSCRIBER));
	ck_assert_uint_eq(push(bus_msg_ref(units[7])), 0);
	ck_assert_uint_eq(hub_replay_end(hub), 4);
	ck_assert_uint_eq(hub_tail(hub), 8);
	assert_ring_is_decodable();
	bus_msg_unref(&config);
	for (int i = 0; i < 8; i++)
		bus_msg_unref(&units[i]);
}
END_TEST

START_TEST(test_old_and_double_messages_are_dropped)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *again;

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	again = bus_msg_ref(hub_at(hub, 1)->msg);
	ck_assert_uint_eq(push(again), 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
	ck_assert_uint_eq(hub_stats(hub)->holes, 0);
}
END_TEST

START_TEST(test_damage_is_kept_from_viewers_until_the_next_key_frame)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	feed.flags = FRAME_CORRUPT;
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert(!hub_wants_replay(hub));
	push(feed_config(&feed, false));
	feed.flags = FRAME_CORRUPT;
	ck_assert_uint_eq(push(feed_key(&feed)), 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	ck_assert_uint_eq(hub_stats(hub)->withheld, 4);
	push_gop(&feed, 2);
	assert_ring_is_decodable();
}
END_TEST

START_TEST(test_new_epoch_resets_but_time_goes_on)
{
	struct feed feed = feed_new(EPOCH), next = feed_new(EPOCH + 1);
	const struct hub_entry *last;
	uint64_t end, pos;

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	last = hub_at(hub, hub_tail(hub) - 1);
	end = last->stamp.decode_time + last->stamp.duration;
	next.time_ms = _i == 0 ? 1 : feed.time_ms + 3000; /* another clock: far behind, or ahead */
	next.gop_id = 9;
	ck_assert_uint_eq(push(feed_delta(&next)), 0);
	ck_assert(!hub_join(hub, &pos));
	ck_assert_ptr_null(hub_newest_config(hub));
	push_gop(&next, 2);
	ck_assert(hub_join(hub, &pos));
	ck_assert_uint_eq(hub_at(hub, pos)->stamp.decode_time, end);
	ck_assert_uint_eq(hub_stats(hub)->holes, 0);
}
END_TEST

START_TEST(test_unit_without_its_configuration_waits)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 2);
	feed.version = 2;
	ck_assert_uint_eq(push(feed_key(&feed)), 0);
	push(feed_config(&feed, true));
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
	ck_assert_uint_eq(hub_at(hub, hub_tail(hub) - 1)->config->width, 1280);
	ck_assert_uint_eq(hub_at(hub, 0)->config->width, 640);
}
END_TEST

START_TEST(test_ring_is_bounded_and_keeps_the_newest_gop)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(100000);
	feed.padding = 4000;
	for (int gop = 0; gop < 10; gop++) {
		push_gop(&feed, 8);
		ck_assert_uint_le(hub_stats(hub)->bytes, 100000);
		ck_assert(hub_join(hub, &pos));
		ck_assert_uint_eq(hub_tail(hub) - pos, 8);
	}
	ck_assert_uint_le(hub_stats(hub)->bytes_high, 100000);
	/* One that is longer than the ring cannot be joined: its key frame is gone. */
	push_gop(&feed, 60);
	ck_assert(!hub_join(hub, &pos));
	ck_assert_uint_le(hub_stats(hub)->bytes, 100000);
	push_gop(&feed, 2);
	ck_assert(hub_join(hub, &pos));
}
END_TEST

START_TEST(test_trim_leaves_what_cursors_and_joiners_need)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 4);
	push_gop(&feed, 4);
	push_gop(&feed, 4);
	hub_trim(hub, 2);
	ck_assert_uint_eq(hub_head(hub), 2);
	hub_trim(hub, UINT64_MAX);
	ck_assert_uint_eq(hub_head(hub), 8);
	ck_assert_uint_eq(hub_bytes_from(hub, 0),
			  4 * (sizeof(SLICE_P) - 1) + sizeof(SLICE_IDR) - sizeof(SLICE_P));
}
END_TEST

START_TEST(test_loss_at_the_tail_shows_in_the_pulse)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	hub_note_last_seq(hub, EPOCH, feed.seq);
	hub_note_last_seq(hub, EPOCH, feed.seq + 1); /* perhaps on its way */
	ck_assert(hub_is_flowing(hub));
	hub_note_last_seq(hub, EPOCH, feed.seq + 5);
	ck_assert(!hub_is_flowing(hub));
	ck_assert_uint_eq(hub_stats(hub)->holes, 1);
}
END_TEST

/* A camera that sends nothing after a viewer has come: all there is came with the replay. */
START_TEST(test_what_a_replay_brought_is_not_lost)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msgs[3];

	make_hub(RING_BYTES);
	msgs[0] = feed_config(&feed, false);
	msgs[1] = feed_key(&feed);
	msgs[2] = feed_delta(&feed);
	for (int i = 0; i < 3; i++) {
		push(feed_replayed(msgs[i], SUBSCRIBER));
		bus_msg_unref(&msgs[i]);
	}
	ck_assert_uint_eq(hub_replay_end(hub), 2);
	for (int i = 0; i < 3; i++)
		hub_note_last_seq(hub, EPOCH, feed.seq);
	ck_assert(hub_is_flowing(hub));
	ck_assert_uint_eq(hub_stats(hub)->holes, 0);
	/* What comes next and is not the next one is a hole all the same. */
	feed.seq++;
	push(feed_delta(&feed));
	ck_assert_uint_eq(hub_stats(hub)->holes, 1);
}
END_TEST

START_TEST(test_pending_is_bounded)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(50000);
	feed.padding = 10000;
	push(feed_config(&feed, false));
	feed.gop_id = 1;
	for (int i = 0; i < 20; i++)
		push(feed_delta(&feed));
	/* Full: a replay could not be held, so the next key frame it is. */
	ck_assert(!hub_wants_replay(hub));
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
}
END_TEST

START_TEST(test_jpegs_flow_at_once)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *msg = feed_jpeg(&feed);
	struct hub_entry *entry;

	make_hub(RING_BYTES);
	push(feed_replayed(msg, SUBSCRIBER));
	bus_msg_unref(&msg);
	ck_assert(hub_is_flowing(hub));
	feed.seq += 3;
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 1);
	entry = hub_at(hub, hub_tail(hub) - 1);
	ck_assert_ptr_null(entry->config);
	ck_assert_uint_eq(hub_wire(entry)->len, sizeof(JPEG_BYTES) - 1);
	ck_assert_ptr_eq(hub_wire(entry)->piece[0].iov_base, entry->msg->payload);
}
END_TEST

START_TEST(test_broken_parameter_sets_stop_the_flow)
{
	struct feed feed = feed_new(EPOCH);
	static const char broken[] = "\0\0\0\1\x67\x42";

	make_hub(RING_BYTES);
	push_gop(&feed, 2);
	feed.version = 2;
	push(feed_msg(&feed, FRAME_KIND_CONFIG, FRAME_CODEC_H264, broken, sizeof(broken) - 1, 0));
	ck_assert_ptr_null(hub_newest_config(hub));
	ck_assert_uint_eq(push(feed_key(&feed)), 0);
	feed.version = 3;
	push_gop(&feed, 2);
}
END_TEST

START_TEST(test_foreign_messages_are_ignored)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *audio;

	make_hub(RING_BYTES);
	push_gop(&feed, 2);
	audio = feed_delta(&feed);
	audio->frame.track = FRAME_TRACK_AUDIO;
	audio->frame.kind = FRAME_KIND_AUDIO;
	audio->frame.seq = 1000;
	ck_assert_uint_eq(push(audio), 0);
	feed.seq--;
	feed.gop_index--;
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
	ck_assert_uint_eq(hub_stats(hub)->holes, 0);
}
END_TEST

/* Time */

START_TEST(test_timeline_takes_jumps_out)
{
	static const struct {
		int64_t dts_ms;
		uint64_t ticks;
	} steps[] = {
		{ 7000, 0 },     { 7040, 3600 },   { 7100, 9000 },
		{ 7090, 9001 },  { 7140, 12600 },  { 3000, 16199 },
		{ 3040, 19799 }, { 93040, 23399 }, { 95040, 30599 },
	};
	struct timeline timeline = { 0 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct frame frame = { .dts_ns = steps[i].dts_ms * 1000000 };
		struct timeline_stamp stamp;

		frame.pts_ns = frame.dts_ns + 80000000;
		stamp = timeline_stamp(&timeline, &frame);
		ck_assert_uint_eq(stamp.decode_time, steps[i].ticks);
		ck_assert_int_eq(stamp.composition_offset, 7200);
	}
}
END_TEST

/* MSE drops all up to the next key frame after a step of more than two durations, whatever the rate
 * that the camera tells. */
START_TEST(test_timeline_has_no_holes_for_players)
{
	static const int steps_ms[] = { 40, 40,   120, 120, 120, 120, 40,  40, 200,
					40, 5000, 40,  333, 333, 333, 333, 333 };
	static const uint32_t told_us[] = { 0, 40000, 1000000 };
	uint32_t told = told_us[_i];
	struct timeline timeline = { 0 };
	struct timeline_stamp before, stamp;
	struct frame frame = { .duration_us = told };

	before = timeline_stamp(&timeline, &frame);
	for (size_t i = 0; i < sizeof(steps_ms) / sizeof(steps_ms[0]); i++) {
		frame.pts_ns = frame.dts_ns += steps_ms[i] * 1000000LL;
		stamp = timeline_stamp(&timeline, &frame);
		ck_assert_uint_gt(stamp.decode_time, before.decode_time);
		ck_assert_uint_le(stamp.decode_time - before.decode_time,
				  2 * (uint64_t)before.duration);
		before = stamp;
	}
	/* It has come to the camera's real rate again. */
	ck_assert_uint_ge(stamp.duration, 333 * 90);
	ck_assert_uint_le(stamp.duration, told > 333000 ? 1000 * 90 : 333 * 90);
}
END_TEST

START_TEST(test_timeline_survives_any_clock)
{
	static const int64_t times[] = { INT64_MIN, INT64_MAX, 0, -1, INT64_MAX, INT64_MIN, 1 };
	struct timeline timeline = { 0 };
	uint64_t last = 0;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct frame frame = { .dts_ns = times[i],
				       .pts_ns = times[(i + 1) % 7],
				       .duration_us = UINT32_MAX };
		struct timeline_stamp stamp = timeline_stamp(&timeline, &frame);

		if (i > 0)
			ck_assert_uint_gt(stamp.decode_time, last);
		ck_assert_uint_lt(stamp.decode_time - last, 90000 * 11);
		last = stamp.decode_time;
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_hub");
	TCase *flow = tcase_create("flow"), *time = tcase_create("time");

	tcase_add_test(flow, test_flow_begins_with_a_key_frame);
	tcase_add_test(flow, test_nothing_is_kept_for_nobody);
	tcase_add_loop_test(flow, test_replay_and_live_are_joined, 0, 512);
	tcase_add_test(flow, test_replay_of_others_is_ignored);
	tcase_add_test(flow, test_two_torn_replays_make_a_whole_one);
	tcase_add_test(flow, test_hole_waits_for_the_next_key_frame);
	tcase_add_test(flow, test_replay_heals_a_hole_without_a_new_key_frame);
	tcase_add_test(flow, test_old_and_double_messages_are_dropped);
	tcase_add_test(flow, test_damage_is_kept_from_viewers_until_the_next_key_frame);
	tcase_add_loop_test(flow, test_new_epoch_resets_but_time_goes_on, 0, 2);
	tcase_add_test(flow, test_unit_without_its_configuration_waits);
	tcase_add_test(flow, test_ring_is_bounded_and_keeps_the_newest_gop);
	tcase_add_test(flow, test_trim_leaves_what_cursors_and_joiners_need);
	tcase_add_test(flow, test_loss_at_the_tail_shows_in_the_pulse);
	tcase_add_test(flow, test_what_a_replay_brought_is_not_lost);
	tcase_add_test(flow, test_pending_is_bounded);
	tcase_add_test(flow, test_jpegs_flow_at_once);
	tcase_add_test(flow, test_broken_parameter_sets_stop_the_flow);
	tcase_add_test(flow, test_foreign_messages_are_ignored);
	suite_add_tcase(suite, flow);
	tcase_add_test(time, test_timeline_takes_jumps_out);
	tcase_add_loop_test(time, test_timeline_has_no_holes_for_players, 0, 3);
	tcase_add_test(time, test_timeline_survives_any_clock);
	suite_add_tcase(suite, time);
	return suite;
}

HARNESS_MAIN(make_suite)
