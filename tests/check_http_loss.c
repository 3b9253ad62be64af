/*
 * What viewers get after a loss between camera and worker: nothing of it until the next key frame,
 * but not for ever.
 */
#include "config.h"

#include "tests/check_http_hub_rig.h"

#define HELD (HUB_LOSS_HOLD_MS / FRAME_MS) /* frames that one hold takes */

static unsigned
push_corrupt_delta(struct feed *feed)
{
	feed->flags = FRAME_CORRUPT;
	return push(feed_delta(feed));
}

static unsigned
push_corrupt_key(struct feed *feed)
{
	push(feed_config(feed, false));
	feed->flags = FRAME_CORRUPT;
	return push(feed_key(feed));
}

static void
push_deltas(struct feed *feed, unsigned n, unsigned expect)
{
	for (unsigned i = 0; i < n; i++)
		ck_assert_msg(push(feed_delta(feed)) == expect, "delta %u of %u", i, n);
}

static void
assert_counts(uint64_t withheld, uint64_t passed)
{
	ck_assert_uint_eq(hub_stats(hub)->withheld, withheld);
	ck_assert_uint_eq(hub_stats(hub)->passed_damaged, passed);
}

START_TEST(test_a_key_frame_in_time_ends_it)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	ck_assert_uint_eq(push_corrupt_delta(&feed), 0);
	push_deltas(&feed, HELD - 1, 0);
	ck_assert(!hub_wants_replay(hub));
	ck_assert(!hub_is_damaged(hub));
	push_gop(&feed, 2);
	assert_counts(HELD, 0);
	ck_assert(!hub_at(hub, hub_tail(hub) - 1)->is_damaged);
}
END_TEST

START_TEST(test_pictures_pass_again_after_the_hold)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	ck_assert_uint_eq(push_corrupt_delta(&feed), 0);
	push_deltas(&feed, HELD - 1, 0);
	push_deltas(&feed, 4, 1);
	ck_assert(hub_is_damaged(hub));
	ck_assert(hub_at(hub, hub_tail(hub) - 1)->is_damaged);
	ck_assert(!hub_at(hub, 2)->is_damaged);
	/* More damage while they pass changes nothing. */
	ck_assert_uint_eq(push_corrupt_delta(&feed), 1);
	push_deltas(&feed, 3, 1);
	assert_counts(HELD, 8);
	push_gop(&feed, 2);
	ck_assert(!hub_is_damaged(hub));
	/* The next loss is held back anew. */
	ck_assert_uint_eq(push_corrupt_delta(&feed), 0);
	assert_counts(HELD + 1, 8);
}
END_TEST

START_TEST(test_the_hold_is_as_long_as_was_said)
{
	static const int64_t holds_ms[] = { 0, 1, FRAME_MS, 10 * FRAME_MS };
	static const unsigned held[] = { 0, 1, 1, 10 };
	struct feed feed = feed_new(EPOCH);
	unsigned n = 0;

	make_hub(RING_BYTES);
	hub_set_loss_hold(hub, holds_ms[_i]);
	push_gop(&feed, 3);
	n += push_corrupt_delta(&feed) == 0;
	while (n > 0 && push(feed_delta(&feed)) == 0)
		n++;
	ck_assert_uint_eq(n, held[_i]);
	ck_assert(hub_is_damaged(hub));
}
END_TEST

START_TEST(test_a_damaged_key_frame_begins_no_sound_group)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	ck_assert_uint_eq(push_corrupt_key(&feed), 0);
	push_deltas(&feed, HELD - 2, 0);
	/* Neither does another one, whose time is the first one's. */
	ck_assert_uint_eq(push_corrupt_key(&feed), 0);
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
	ck_assert(hub_is_damaged(hub));
	ck_assert_uint_eq(push_corrupt_key(&feed), 1);
	ck_assert(hub_is_damaged(hub));
	ck_assert(hub_at(hub, hub_tail(hub) - 1)->is_key);
	push_gop(&feed, 2);
	ck_assert(!hub_is_damaged(hub));
}
END_TEST

/* Big key frames over a bad line: none of them ever is whole. */
START_TEST(test_all_key_frames_damaged)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(RING_BYTES);
	for (int gop = 0; gop < 4; gop++) {
		push_corrupt_key(&feed);
		for (int i = 1; i < 25; i++)
			push(feed_delta(&feed));
		if (!hub_is_flowing(hub))
			hub_replay_end(hub);
	}
	ck_assert(hub_is_damaged(hub));
	ck_assert(hub_join(hub, &pos));
	ck_assert_uint_eq(hub_tail(hub) - pos, 25);
	ck_assert(hub_at(hub, pos)->is_damaged);
	push_gop(&feed, 2);
	ck_assert(!hub_is_damaged(hub));
}
END_TEST

/* Nobody has seen anything yet, and what came is too much to be kept for a replay. */
START_TEST(test_without_any_picture_only_a_key_frame_helps)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push(feed_config(&feed, false));
	feed.gop_id = 1;
	feed.padding = 60000;
	push_deltas(&feed, RING_BYTES / 60000 + 1, 0);
	ck_assert(!hub_wants_replay(hub));
	feed.padding = 0;
	ck_assert_uint_eq(push_corrupt_key(&feed), 0);
	push_deltas(&feed, HELD + 20, 0);
	ck_assert_uint_eq(push_corrupt_key(&feed), 1);
	push_deltas(&feed, 3, 1);
	ck_assert(hub_is_damaged(hub));
}
END_TEST

START_TEST(test_what_nothing_refers_to_is_left_out_alone)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	feed.flags = FRAME_CORRUPT | FRAME_DISPOSABLE;
	ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	push_deltas(&feed, 3, 1);
	assert_counts(1, 0);
	ck_assert(!hub_is_damaged(hub));
}
END_TEST

START_TEST(test_times_that_stand_still_or_go_back_only_prolong_it)
{
	static const int64_t times[] = { 5000, 0, -1, INT64_MIN / 1000000 + 5000 };
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	feed.time_ms = _i == 3 ? INT64_MAX / 1000000 : 6000;
	ck_assert_uint_eq(push_corrupt_delta(&feed), 0);
	for (int i = 0; i < 100; i++) {
		feed.time_ms = times[_i];
		ck_assert_uint_eq(push(feed_delta(&feed)), 0);
	}
	push_gop(&feed, 2);
}
END_TEST

START_TEST(test_jpegs)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 1);
	feed.flags = FRAME_CORRUPT;
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 0);
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 1);
	for (int i = 0; i < HELD; i++) {
		feed.flags = FRAME_CORRUPT;
		ck_assert_uint_eq(push(feed_jpeg(&feed)), 0);
	}
	feed.flags = FRAME_CORRUPT;
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 1);
	ck_assert(hub_is_damaged(hub));
	ck_assert_uint_eq(push(feed_jpeg(&feed)), 1);
	ck_assert(!hub_is_damaged(hub));
}
END_TEST

/* Who joins in the middle of a damaged group gets it by a replay. before: units before the damage,
 * after: units since then. */
static unsigned
replay_damaged(struct feed *feed, unsigned before, unsigned after)
{
	struct bus_msg *config = feed_config(feed, false);

	push(feed_replayed(config, SUBSCRIBER));
	bus_msg_unref(&config);
	for (unsigned i = 0; i < before + 1 + after; i++) {
		struct bus_msg *msg;

		feed->flags = i == before ? FRAME_CORRUPT : 0;
		msg = i == 0 ? feed_key(feed) : feed_delta(feed);
		push(feed_replayed(msg, SUBSCRIBER));
		bus_msg_unref(&msg);
	}
	return hub_replay_end(hub);
}

START_TEST(test_joining_a_damaged_group)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(RING_BYTES);
	/* Long ago: what was shown then, and what has been shown since. */
	ck_assert_uint_eq(replay_damaged(&feed, 5, HELD + 10), 5 + 11);
	ck_assert(hub_is_damaged(hub));
	ck_assert(hub_join(hub, &pos));
	ck_assert_uint_eq(push(feed_delta(&feed)), 1);
}
END_TEST

START_TEST(test_joining_just_after_the_damage)
{
	struct feed feed = feed_new(EPOCH);
	uint64_t pos;

	make_hub(RING_BYTES);
	ck_assert_uint_eq(replay_damaged(&feed, 5, HELD - 10), 5);
	ck_assert(!hub_is_damaged(hub));
	ck_assert(hub_join(hub, &pos));
	push_deltas(&feed, 9, 0);
	push_deltas(&feed, 5, 1);
	ck_assert(hub_is_damaged(hub));
}
END_TEST

START_TEST(test_joining_a_group_with_a_damaged_key_frame)
{
	struct feed feed = feed_new(EPOCH), again;
	uint64_t pos;

	make_hub(RING_BYTES);
	again = feed;
	ck_assert_uint_eq(replay_damaged(&again, 0, HELD - 1), 0);
	ck_assert(!hub_join(hub, &pos));
	/* Asked for again, until it is old enough. */
	ck_assert(hub_wants_replay(hub));
	ck_assert_uint_eq(replay_damaged(&feed, 0, HELD), HELD + 1);
	ck_assert(hub_join(hub, &pos));
	ck_assert(hub_is_damaged(hub));
}
END_TEST

/* A hole on the bus while damaged pictures pass: the replay heals the hole, not the damage. */
START_TEST(test_a_hole_while_they_pass)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *units[4];

	make_hub(RING_BYTES);
	hub_set_loss_hold(hub, 0);
	push_gop(&feed, 3);
	ck_assert_uint_eq(push_corrupt_delta(&feed), 1);
	for (int i = 0; i < 4; i++)
		units[i] = feed_delta(&feed);
	ck_assert_uint_eq(push(bus_msg_ref(units[0])), 1);
	ck_assert_uint_eq(push(bus_msg_ref(units[2])), 0);
	ck_assert(hub_wants_replay(hub));
	for (int i = 0; i < 3; i++)
		push(feed_replayed(units[i], SUBSCRIBER));
	ck_assert_uint_eq(hub_replay_end(hub), 2);
	ck_assert(hub_is_damaged(hub));
	ck_assert_uint_eq(push(units[3]), 1);
	for (int i = 0; i < 3; i++)
		bus_msg_unref(&units[i]);
}
END_TEST

/* And one in which the damage is: it is learnt from the replay. */
START_TEST(test_a_hole_that_hides_damage)
{
	struct feed feed = feed_new(EPOCH);
	struct bus_msg *units[3];

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	for (int i = 0; i < 3; i++) {
		feed.flags = i == 0 ? FRAME_CORRUPT : 0;
		units[i] = feed_delta(&feed);
	}
	ck_assert_uint_eq(push(bus_msg_ref(units[1])), 0);
	for (int i = 0; i < 2; i++)
		push(feed_replayed(units[i], SUBSCRIBER));
	ck_assert_uint_eq(hub_replay_end(hub), 0);
	ck_assert(!hub_wants_replay(hub));
	ck_assert_uint_eq(push(units[2]), 0);
	assert_counts(3, 0);
	push_deltas(&feed, HELD - 3, 0);
	push_deltas(&feed, 2, 1);
	ck_assert(hub_is_damaged(hub));
	for (int i = 0; i < 2; i++)
		bus_msg_unref(&units[i]);
}
END_TEST

START_TEST(test_a_new_worker_begins_without_damage)
{
	struct feed feed = feed_new(EPOCH), next = feed_new(EPOCH + 1);

	make_hub(RING_BYTES);
	hub_set_loss_hold(hub, 0);
	push_gop(&feed, 3);
	push_corrupt_delta(&feed);
	ck_assert(hub_is_damaged(hub));
	push(feed_config(&next, false));
	ck_assert(!hub_is_damaged(hub));
	push_gop(&next, 2);
	ck_assert(!hub_at(hub, hub_tail(hub) - 1)->is_damaged);
}
END_TEST

/* Held back, and then a key frame whose configuration is missing: nothing may enter the ring. */
START_TEST(test_a_key_frame_without_its_configuration_ends_nothing)
{
	struct feed feed = feed_new(EPOCH);

	make_hub(RING_BYTES);
	push_gop(&feed, 3);
	push_corrupt_delta(&feed);
	feed.version = 2;
	ck_assert_uint_eq(push(feed_key(&feed)), 0);
	push_deltas(&feed, 2 * HELD, 0);
	push(feed_config(&feed, true));
	ck_assert_uint_eq(push(feed_key(&feed)), 1);
	ck_assert(!hub_is_damaged(hub));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_loss");
	TCase *hold = tcase_create("hold"), *replay = tcase_create("replay");

	tcase_add_test(hold, test_a_key_frame_in_time_ends_it);
	tcase_add_test(hold, test_pictures_pass_again_after_the_hold);
	tcase_add_loop_test(hold, test_the_hold_is_as_long_as_was_said, 0, 4);
	tcase_add_test(hold, test_a_damaged_key_frame_begins_no_sound_group);
	tcase_add_test(hold, test_all_key_frames_damaged);
	tcase_add_test(hold, test_without_any_picture_only_a_key_frame_helps);
	tcase_add_test(hold, test_what_nothing_refers_to_is_left_out_alone);
	tcase_add_loop_test(hold, test_times_that_stand_still_or_go_back_only_prolong_it, 0, 4);
	tcase_add_test(hold, test_jpegs);
	tcase_add_test(hold, test_a_new_worker_begins_without_damage);
	tcase_add_test(hold, test_a_key_frame_without_its_configuration_ends_nothing);
	suite_add_tcase(suite, hold);
	tcase_add_test(replay, test_joining_a_damaged_group);
	tcase_add_test(replay, test_joining_just_after_the_damage);
	tcase_add_test(replay, test_joining_a_group_with_a_damaged_key_frame);
	tcase_add_test(replay, test_a_hole_while_they_pass);
	tcase_add_test(replay, test_a_hole_that_hides_damage);
	suite_add_tcase(suite, replay);
	return suite;
}

HARNESS_MAIN(make_suite)
