/*
 * The order of frames in libcamhub: beginnings, holes, replays, and what is skipped.
 */
#include "config.h"

#include "lib/feed.h"
#include "tests/harness/harness.h"

#include <stdlib.h>

#define ME 7

static struct feed feed;

static void
free_feed(void *arg)
{
	feed_clear(arg);
}

static void
begin(void)
{
	feed_init(&feed);
	feed.subscriber = ME;
	feed_begin(&feed, 1);
	harness_defer(free_feed, &feed);
}

static void
push_frame(const struct frame *frame)
{
	struct bus_msg *msg = bus_msg_new(frame, "payload", 7);

	feed_push(&feed, msg);
	bus_msg_unref(&msg);
}

/* kind: K key, P picture, C configuration, J a JPEG, A audio, e of another epoch. */
static struct frame
make(char kind, uint64_t seq)
{
	struct frame frame = { .kind = FRAME_KIND_VIDEO, .epoch = 1, .seq = seq };

	if (kind == 'K')
		frame.flags = FRAME_KEY;
	if (kind == 'C')
		frame.kind = FRAME_KIND_CONFIG;
	if (kind == 'J')
		frame.kind = FRAME_KIND_JPEG;
	if (kind == 'A')
		frame.track = FRAME_TRACK_AUDIO;
	if (kind == 'e')
		frame.epoch = 2;
	return frame;
}

static void
live(const char *kinds, uint64_t seq)
{
	for (; *kinds != '\0'; kinds++, seq++) {
		struct frame frame = make(*kinds, seq);

		push_frame(&frame);
	}
}

static void
replay_for(const char *kinds, uint64_t seq, uint32_t subscriber)
{
	for (; *kinds != '\0'; kinds++, seq++) {
		struct frame frame = make(*kinds, seq);

		frame.flags |= FRAME_REPLAY;
		frame.for_subscriber = subscriber;
		push_frame(&frame);
	}
}

/* What comes out: each number, "!" before one that follows nothing. */
static const char *
taken(bool is_newest, size_t n)
{
	static char text[8192];
	size_t len = 0;
	struct bus_msg *msg;
	const struct bus_msg *config;
	bool is_first;

	text[0] = '\0';
	while (n-- > 0 && (msg = feed_take(&feed, is_newest, &config, &is_first)) != NULL) {
		len +=
		    (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%d", len > 0 ? " " : "",
				     is_first ? "!" : "", (int)msg->frame.seq);
		bus_msg_unref(&msg);
	}
	return text;
}

START_TEST(test_begins_with_a_key_frame)
{
	begin();
	live("PP", 5);
	ck_assert_str_eq(taken(false, 9), "");
	ck_assert(feed_wants_replay(&feed));
	live("CKPP", 7);
	ck_assert(!feed_wants_replay(&feed));
	ck_assert_uint_eq(feed_waiting(&feed), 3);
	ck_assert_str_eq(taken(false, 9), "!8 9 10");
	live("PA", 11);
	live("e", 12);
	ck_assert_str_eq(taken(false, 9), "11");
}
END_TEST

START_TEST(test_a_replay_comes_first)
{
	begin();
	live("P", 14);
	replay_for("CKPP", 10, 99); /* somebody else's */
	replay_for("CKPPP", 10, ME);
	live("P", 15);
	ck_assert_str_eq(taken(false, 9), "");
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "!11 12 13 14 15");
	live("P", 16);
	ck_assert_str_eq(taken(false, 9), "16");
	/* It flows: another one is not taken. */
	replay_for("CKPPP", 10, ME);
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "");
	ck_assert_uint_eq(feed.gaps, 0);
}
END_TEST

START_TEST(test_a_replay_with_holes_is_none)
{
	begin();
	replay_for("CK", 10, ME);
	replay_for("P", 13, ME);
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "");
	replay_for("PP", 12, ME); /* without its key frame */
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "");
	replay_for("CKP", 10, ME); /* and what follows is not there */
	live("P", 14);
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "");
	ck_assert(feed_wants_replay(&feed));
	replay_for("CKPP", 10, ME); /* or only a part of it */
	live("P", 16);
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "!11 12 13 14");
	ck_assert(feed_wants_replay(&feed));
}
END_TEST

START_TEST(test_goes_on_after_a_hole)
{
	begin();
	live("CKPP", 1);
	live("PPP", 7); /* 5 and 6 are lost */
	ck_assert_str_eq(taken(false, 9), "!2 3 4");
	ck_assert_uint_eq(feed.gaps, 1);
	ck_assert(feed_wants_replay(&feed));
	/* All of them again: nothing comes twice, nothing is missing. */
	replay_for("CKPPPPPPP", 1, ME);
	feed_replay_end(&feed);
	ck_assert_str_eq(taken(false, 9), "5 6 7 8 9");
	live("PPK", 12); /* or a key frame comes first */
	ck_assert_str_eq(taken(false, 9), "!14");
	ck_assert_uint_eq(feed.gaps, 2);
}
END_TEST

START_TEST(test_what_is_old_is_passed_over)
{
	begin();
	live("KPP", 1);
	live("PP", 2);
	live("P", 4);
	ck_assert_str_eq(taken(false, 9), "!1 2 3 4");
	ck_assert_uint_eq(feed.gaps, 0);
}
END_TEST

START_TEST(test_another_publisher_begins_afresh)
{
	struct frame frame = make('K', 1);

	begin();
	live("KPP", 1);
	feed_begin(&feed, 2);
	live("P", 4); /* of the old one, late */
	frame.epoch = 2;
	push_frame(&frame);
	ck_assert_str_eq(taken(false, 9), "!1 2 3 !1");
	feed_begin(&feed, 0);
	push_frame(&frame);
	ck_assert_str_eq(taken(false, 9), "");
	ck_assert(!feed_wants_replay(&feed));
}
END_TEST

START_TEST(test_newest_skips_to_the_last_key_frame)
{
	begin();
	live("KPPKPPCKPP", 1);
	ck_assert_str_eq(taken(true, 1), "!8");
	ck_assert_uint_eq(feed.skipped, 6);
	ck_assert_str_eq(taken(true, 9), "9 10");
	live("JJJJ", 11);
	ck_assert_str_eq(taken(true, 9), "!14");
	ck_assert_uint_eq(feed_waiting(&feed), 0);
}
END_TEST

START_TEST(test_the_queue_is_bounded)
{
	begin();
	live("K", 1);
	for (uint64_t seq = 2; seq < 3000; seq++)
		live(seq % 50 == 0 ? "K" : "P", seq);
	ck_assert_uint_le(feed_waiting(&feed), FEED_READY_MAX);
	ck_assert_uint_gt(feed_waiting(&feed), 0);
	ck_assert_str_eq(taken(false, 1), "!2750");
	ck_assert_uint_eq(feed.skipped, 2749);
	ck_assert_uint_eq(feed.gaps, 0);
}
END_TEST

START_TEST(test_too_slow_without_key_frames)
{
	begin();
	live("K", 1);
	for (uint64_t seq = 2; seq < 2000; seq++)
		live("P", seq);
	/* A replay would only make it worse. */
	ck_assert(!feed_wants_replay(&feed));
	ck_assert_uint_eq(feed_waiting(&feed), 0);
	ck_assert_uint_eq(feed.live.bytes, 0);
	live("CKP", 2000);
	ck_assert_str_eq(taken(false, 9), "!2001 2002");
	ck_assert(!feed.key_only);
}
END_TEST

START_TEST(test_the_replay_of_a_long_group_fits)
{
	begin();
	replay_for("K", 1, ME);
	for (uint64_t seq = 2; seq <= 4 * FEED_READY_MAX; seq++)
		replay_for("P", seq, ME);
	feed_replay_end(&feed);
	ck_assert_uint_eq(feed_waiting(&feed), 4 * FEED_READY_MAX);
	live("P", 4 * FEED_READY_MAX + 1);
	ck_assert_uint_eq(feed_waiting(&feed), 4 * FEED_READY_MAX + 1);
}
END_TEST

/* Whatever comes, what leaves is in order within its epoch and begins with a key frame. */
START_TEST(test_any_input_leaves_in_order)
{
	uint32_t random = 12345 + (uint32_t)_i;
	uint64_t last = 0, seq = 2;

	begin();
	for (int i = 0; i < 20000; i++) {
		const struct bus_msg *config;
		struct frame frame;
		struct bus_msg *msg;
		bool is_first;

		random = random * 1664525 + 1013904223;
		seq += random >> 30 == 0 ? random >> 20 & 3 : 1;
		frame = make("KPPPPCJPPA"[(random >> 8) % 10], seq - (random >> 16) % 2);
		if ((random >> 18) % 4 == 0) {
			frame.flags |= FRAME_REPLAY;
			frame.for_subscriber = ME;
			frame.seq -= frame.seq > 20 ? (random >> 12) % 20 : 0;
		}
		push_frame(&frame);
		if ((random >> 24) % 16 == 0)
			feed_replay_end(&feed);
		if ((random >> 22) % 3 != 0)
			continue;
		msg = feed_take(&feed, (random >> 26) % 8 == 0, &config, &is_first);
		if (msg == NULL)
			continue;
		ck_assert_uint_gt(msg->frame.seq, last);
		ck_assert(!is_first || msg->frame.kind == FRAME_KIND_JPEG ||
			  (msg->frame.flags & FRAME_KEY));
		last = msg->frame.seq;
		bus_msg_unref(&msg);
	}
	ck_assert_uint_gt(last, 100);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("lib_feed");
	TCase *tcase = tcase_create("feed");

	tcase_add_test(tcase, test_begins_with_a_key_frame);
	tcase_add_test(tcase, test_a_replay_comes_first);
	tcase_add_test(tcase, test_a_replay_with_holes_is_none);
	tcase_add_test(tcase, test_goes_on_after_a_hole);
	tcase_add_test(tcase, test_what_is_old_is_passed_over);
	tcase_add_test(tcase, test_another_publisher_begins_afresh);
	tcase_add_test(tcase, test_newest_skips_to_the_last_key_frame);
	tcase_add_test(tcase, test_the_queue_is_bounded);
	tcase_add_test(tcase, test_too_slow_without_key_frames);
	tcase_add_test(tcase, test_the_replay_of_a_long_group_fits);
	tcase_add_loop_test(tcase, test_any_input_leaves_in_order, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
