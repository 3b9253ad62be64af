/*
 * What a transcoder makes of its source's bus: joins, holes, damage; and the sizes of what it
 * makes.
 */
#include "config.h"

#include "transcode/tc_feed.h"
#include "transcode/tc_size.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#define ME 7

/* What came out, as text: "K3 s" is the key frame with seq 3, a start; b behind, x broken, c with a
 * configuration, j with a jump. */
static char out[4096];
static uint64_t epoch; /* of what is pushed */

static void
on_unit(void *arg, const struct tc_unit *unit)
{
	const struct frame *frame = &unit->msg->frame;
	size_t len = strlen(out);

	(void)arg;
	snprintf(out + len, sizeof(out) - len, "%s%s%llu%s%s%s%s%s", len > 0 ? " " : "",
		 frame->flags & FRAME_KEY ? "K" : "P", (unsigned long long)frame->seq,
		 unit->is_start ? "s" : "", unit->config != NULL ? "c" : "",
		 unit->is_behind ? "b" : "", unit->is_broken ? "x" : "", unit->is_jump ? "j" : "");
}

static void
push_long(struct tc_feed *feed, enum frame_kind kind, uint64_t seq, unsigned flags,
	  uint32_t subscriber, uint8_t track, size_t len)
{
	static const uint8_t payload[FRAME_PAYLOAD_MAX];
	const struct frame frame = { .kind = (uint8_t)kind,
				     .codec = FRAME_CODEC_H265,
				     .epoch = epoch,
				     .seq = seq,
				     .flags = (uint16_t)flags,
				     .config_version = 1,
				     .track = track,
				     .for_subscriber = subscriber };
	struct bus_msg *msg = bus_msg_new(&frame, payload, len);

	tc_feed_push(feed, msg);
	bus_msg_unref(&msg);
}

static void
push(struct tc_feed *feed, enum frame_kind kind, uint64_t seq, unsigned flags, uint32_t subscriber,
     uint8_t track)
{
	push_long(feed, kind, seq, flags, subscriber, track, 1);
}

/* One letter for each message, numbered from seq on: C configuration, K key frame, P other, X
 * damaged, D damaged and disposable, Y damaged key frame, J other that jumps, - lost. */
static void
push_all(struct tc_feed *feed, const char *letters, uint64_t seq, uint32_t subscriber)
{
	unsigned replay = subscriber != 0 ? FRAME_REPLAY : 0;

	for (; *letters != '\0'; letters++, seq++) {
		unsigned flags = replay | (strchr("KY", *letters) != NULL ? FRAME_KEY : 0) |
				 (strchr("XDY", *letters) != NULL ? FRAME_CORRUPT : 0) |
				 (*letters == 'D' ? FRAME_DISPOSABLE : 0) |
				 (*letters == 'J' ? FRAME_DISCONTINUITY : 0);

		if (*letters != '-')
			push(feed, *letters == 'C' ? FRAME_KIND_CONFIG : FRAME_KIND_VIDEO, seq,
			     flags, subscriber, FRAME_TRACK_VIDEO);
	}
}

static struct tc_feed *
new_feed(void)
{
	out[0] = '\0';
	return tc_feed_new(ME, on_unit, NULL);
}

START_TEST(test_it_begins_with_a_key_frame)
{
	struct tc_feed *feed = new_feed();

	ck_assert(tc_feed_wants_replay(feed));
	push_all(feed, "PPCKPP", 10, 0);
	ck_assert_str_eq(out, "K13sc P14 P15");
	ck_assert(!tc_feed_wants_replay(feed));
	/* A key frame whose configuration was not seen is no start. */
	tc_feed_free(&feed);
	feed = new_feed();
	push_all(feed, "KP", 10, 0);
	ck_assert_str_eq(out, "");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_replay_is_joined_to_what_came_meanwhile)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "P", 15, 0);
	push_all(feed, "CKP", 10, ME);
	push_all(feed, "P", 16, 0);
	push_all(feed, "PPP", 13, ME);
	ck_assert_str_eq(out, "");
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11scb P12b P13b P14b P15b P16");
	push_all(feed, "PCK", 17, 0);
	ck_assert_str_eq(out, "K11scb P12b P13b P14b P15b P16 P17 K19c");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_replays_of_others_and_late_ones_are_passed_over)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKP", 10, ME + 1);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "");
	push_all(feed, "CKP", 20, 0);
	push_all(feed, "CKP", 20, ME);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K21sc P22");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_key_frame_comes_before_the_replay_is_over)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKPP", 10, ME);
	push_all(feed, "CKP", 14, 0);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K15sc P16");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_replay_with_a_hole_is_half_of_one)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKP-P", 10, ME);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "");
	ck_assert(tc_feed_wants_replay(feed));
	push_all(feed, "P", 15, 0);
	push_all(feed, "C-PPPP", 10, ME);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11scb P12b P13b P14b P15");
	tc_feed_free(&feed);
	/* Or a key frame comes first. */
	feed = new_feed();
	push_all(feed, "CKP-P", 10, ME);
	tc_feed_replay_end(feed);
	push_all(feed, "PCKP", 15, 0);
	ck_assert_str_eq(out, "K17sc P18");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_hole_is_over_with_a_replay)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKP-P", 10, 0);
	ck_assert(tc_feed_wants_replay(feed));
	push_all(feed, "CKP", 10, ME);
	push_all(feed, "P", 15, 0);
	push_all(feed, "PP", 13, ME);
	ck_assert_str_eq(out, "K11sc P12");
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11sc P12 K11scb P12b P13b P14b P15");
	ck_assert(!tc_feed_wants_replay(feed));
	ck_assert_uint_eq(tc_feed_skipped(feed), 0);
	push_all(feed, "P", 16, 0);
	ck_assert_str_eq(out, "K11sc P12 K11scb P12b P13b P14b P15 P16");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_cut_is_over_with_one_replay_in_a_group)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKP", 10, 0);
	tc_feed_cut(feed);
	ck_assert(tc_feed_wants_replay(feed));
	push_all(feed, "CKP", 10, ME);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11sc P12 K11scb P12");
	/* It was too much again. */
	tc_feed_cut(feed);
	ck_assert(!tc_feed_wants_replay(feed));
	push_all(feed, "PCK", 13, 0);
	ck_assert_str_eq(out, "K11sc P12 K11scb P12 K15sc");
	tc_feed_cut(feed);
	ck_assert(tc_feed_wants_replay(feed));
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_jump_is_told_once)
{
	struct tc_feed *feed = new_feed();

	/* With the next unit when its own is passed over. */
	push_all(feed, "CKJP-JPCKP", 10, 0);
	ck_assert_str_eq(out, "K11sc P12j P13 K18scj P19");
	tc_feed_free(&feed);
	/* With its own when that comes again; not again with what was given before. */
	feed = new_feed();
	push_all(feed, "CKJ-P", 10, 0);
	push_all(feed, "CKJJP", 10, ME);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11sc P12j K11scb P12b P13bj P14");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_another_worker_counts_anew)
{
	struct tc_feed *feed = new_feed();

	epoch = 1;
	push_all(feed, "CKP", 10, 0);
	epoch = 2;
	/* What is known of the old one does not go with it, though the numbers fit. */
	push_all(feed, "P-K", 13, 0);
	ck_assert_str_eq(out, "K11sc P12");
	ck_assert(tc_feed_wants_replay(feed));
	push_all(feed, "CK", 14, ME);
	push_all(feed, "P", 16, 0);
	tc_feed_replay_end(feed);
	ck_assert_str_eq(out, "K11sc P12 K15scbj P16");
	epoch = 0;
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_hole_is_over_with_the_next_key_frame)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKP-PPCKP", 10, 0);
	ck_assert_str_eq(out, "K11sc P12 K17sc P18");
	ck_assert_uint_eq(tc_feed_holes(feed), 1);
	ck_assert_uint_eq(tc_feed_skipped(feed), 2);
	tc_feed_cut(feed);
	push_all(feed, "PPCKP", 19, 0);
	ck_assert_str_eq(out, "K11sc P12 K17sc P18 K22sc P23");
	ck_assert_uint_eq(tc_feed_skipped(feed), 4);
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_damage_lasts_up_to_a_sound_key_frame)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKPDPXPCYPCKP", 10, 0);
	ck_assert_str_eq(out, "K11sc P12 P13x P14 P15x P16x K18cx P19x K21c P22");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_a_new_configuration_in_mid_group)
{
	struct tc_feed *feed = new_feed();

	push_all(feed, "CKPCPP", 10, 0);
	ck_assert_str_eq(out, "K11sc P12 P14c P15");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_sound_and_status_are_not_its_business)
{
	struct tc_feed *feed = new_feed();

	push(feed, FRAME_KIND_CONFIG, 1, 0, 0, FRAME_TRACK_AUDIO);
	push(feed, FRAME_KIND_AUDIO, 2, FRAME_KEY, 0, FRAME_TRACK_AUDIO);
	push(feed, FRAME_KIND_STATUS, 0, 0, 0, FRAME_TRACK_VIDEO);
	push(feed, FRAME_KIND_END, 3, 0, 0, FRAME_TRACK_VIDEO);
	ck_assert_str_eq(out, "");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_what_waits_for_a_replay_is_bounded)
{
	struct tc_feed *feed = new_feed();

	for (uint64_t seq = 1; seq <= TC_FEED_PENDING_MAX + 1; seq++)
		push_all(feed, "P", seq, 0);
	ck_assert(!tc_feed_wants_replay(feed));
	ck_assert_str_eq(out, "");
	tc_feed_free(&feed);
}
END_TEST

START_TEST(test_what_waits_for_a_replay_is_bounded_in_bytes)
{
	const size_t n = TC_FEED_PENDING_MAX_BYTES / FRAME_PAYLOAD_MAX;
	struct tc_feed *feed = new_feed();
	uint64_t seq;

	for (seq = 1; seq <= n; seq++)
		push_long(feed, FRAME_KIND_VIDEO, seq, 0, 0, FRAME_TRACK_VIDEO, FRAME_PAYLOAD_MAX);
	/* As much as may be. */
	ck_assert(tc_feed_wants_replay(feed));
	push(feed, FRAME_KIND_VIDEO, seq, 0, 0, FRAME_TRACK_VIDEO);
	ck_assert(!tc_feed_wants_replay(feed));
	push_all(feed, "PCKP", seq + 1, 0);
	ck_assert_str_eq(out, "K12sc P13");
	tc_feed_free(&feed);
}
END_TEST

static const struct {
	int width, height, new_width, new_height;
} sizes[] = {
	{ 1920, 1080, 1920, 1080 }, { 640, 360, 640, 360 },     { 3840, 2160, 1920, 1080 },
	{ 2560, 1920, 1440, 1080 }, { 2592, 1944, 1440, 1080 }, { 1080, 1920, 1080, 1920 },
	{ 2160, 3840, 1080, 1920 }, { 321, 243, 320, 242 },     { 8192, 64, 1920, 16 },
	{ 1920, 1088, 1904, 1080 },
};

START_TEST(test_sizes)
{
	int width, height;

	ck_assert_int_eq(tc_size_fit(sizes[_i].width, sizes[_i].height, &width, &height), 0);
	ck_assert_int_eq(width, sizes[_i].new_width);
	ck_assert_int_eq(height, sizes[_i].new_height);
}
END_TEST

START_TEST(test_too_small_and_rates)
{
	int width = 5, height = 5;

	ck_assert_int_lt(tc_size_fit(15, 400, &width, &height), 0);
	ck_assert_int_lt(tc_size_fit(0, 0, &width, &height), 0);
	ck_assert_int_eq(width, 5);
	ck_assert_int_gt(tc_size_bitrate(1920, 1080), 4000000);
	ck_assert_int_lt(tc_size_bitrate(1920, 1080), 8000000);
	ck_assert_int_lt(tc_size_bitrate(640, 360), 1500000);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("transcode_feed");
	TCase *feed = tcase_create("feed"), *size = tcase_create("size");

	tcase_add_test(feed, test_it_begins_with_a_key_frame);
	tcase_add_test(feed, test_a_replay_is_joined_to_what_came_meanwhile);
	tcase_add_test(feed, test_replays_of_others_and_late_ones_are_passed_over);
	tcase_add_test(feed, test_a_key_frame_comes_before_the_replay_is_over);
	tcase_add_test(feed, test_a_replay_with_a_hole_is_half_of_one);
	tcase_add_test(feed, test_a_hole_is_over_with_a_replay);
	tcase_add_test(feed, test_a_cut_is_over_with_one_replay_in_a_group);
	tcase_add_test(feed, test_a_jump_is_told_once);
	tcase_add_test(feed, test_another_worker_counts_anew);
	tcase_add_test(feed, test_a_hole_is_over_with_the_next_key_frame);
	tcase_add_test(feed, test_damage_lasts_up_to_a_sound_key_frame);
	tcase_add_test(feed, test_a_new_configuration_in_mid_group);
	tcase_add_test(feed, test_sound_and_status_are_not_its_business);
	tcase_add_test(feed, test_what_waits_for_a_replay_is_bounded);
	tcase_add_test(feed, test_what_waits_for_a_replay_is_bounded_in_bytes);
	suite_add_tcase(s, feed);
	tcase_add_loop_test(size, test_sizes, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(size, test_too_small_and_rates);
	suite_add_tcase(s, size);
	return s;
}

HARNESS_MAIN(suite)
