/*
 * Where units lie on the stream's clock: pictures with and without B frames, clocks that jump,
 * sound beside pictures.
 */
#include "config.h"

#include "worker/rtsp_times.h"

#include "tests/harness/harness.h"

#include <stdlib.h>

#define MS INT64_C(1000000)
#define V  FRAME_TRACK_VIDEO
#define A  FRAME_TRACK_AUDIO

static struct rtsp_times times;
static struct rtsp_times_unit last;

static bool
place(uint8_t track, int64_t stream_ms, int64_t arrived_ms, int64_t wall_ms)
{
	last = (struct rtsp_times_unit){ .stream_ns = stream_ms * MS,
					 .arrived_ns = arrived_ms * MS,
					 .wall_ns = wall_ms * MS };
	return rtsp_times_place(&times, track, &last);
}

static void
expect(uint8_t track, int64_t stream_ms, int64_t arrived_ms, int64_t pts_ms, bool is_jump)
{
	ck_assert(place(track, stream_ms, arrived_ms, 0));
	ck_assert_int_eq(last.pts_ns, pts_ms * MS);
	ck_assert_int_eq(last.is_jump, is_jump);
}

static void
begin(void)
{
	times = (struct rtsp_times){ .time = { .is_anchored = false } };
}

/* Pictures */

START_TEST(test_times_follow_the_camera)
{
	begin();
	expect(V, 0, 7000, 0, false);
	ck_assert_uint_eq(last.duration_us, 0);
	expect(V, 40, 7100, 40, false);
	ck_assert_uint_eq(last.duration_us, 40000);
	expect(V, 80, 7101, 80, false);
	ck_assert_int_eq(last.dts_ns, 80 * MS);
	/* A lost picture does not change what is foreseen. */
	expect(V, 160, 7160, 160, false);
	ck_assert_uint_eq(last.duration_us, 40000);
	expect(V, 200, 7200, 200, false);
	ck_assert_uint_eq(last.duration_us, 40000);
}
END_TEST

START_TEST(test_a_described_rate_is_foreseen)
{
	begin();
	rtsp_times_expect(&times, V, 100 * MS);
	expect(V, 0, 0, 0, false);
	ck_assert_uint_eq(last.duration_us, 100000);
	for (int i = 1; i < 4; i++)
		expect(V, i * 40, i * 40, i * 40, false);
	ck_assert_uint_eq(last.duration_us, 40000);
	begin();
	last.duration_us = 20000;
	last.stream_ns = last.arrived_ns = 0;
	ck_assert(rtsp_times_place(&times, A, &last));
	ck_assert_uint_eq(last.duration_us, 20000);
}
END_TEST

static const struct {
	int shown[10]; /* in decoding order */
	int depth;
} orders[] = {
	{ { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 0 },
	{ { 0, 3, 1, 2, 6, 4, 5, 9, 7, 8 }, 1 },
	{ { 0, 4, 2, 1, 3, 8, 6, 5, 7, 9 }, 2 },
};

/* They rise; once the depth is known they are never behind the time to show; they are even. */
START_TEST(test_decoding_times)
{
	int64_t dts_ns = -1;

	begin();
	for (int gop = 0; gop < 20; gop++)
		for (int i = 0; i < 10; i++) {
			int64_t shown_ms = (gop * 10 + orders[_i].shown[i]) * 40;

			expect(V, shown_ms, (gop * 10 + i) * 40, shown_ms, false);
			ck_assert_int_gt(last.dts_ns, dts_ns);
			if (gop > 1) {
				ck_assert_int_le(last.dts_ns, last.pts_ns);
				ck_assert_int_eq(last.dts_ns - dts_ns, 40 * MS);
			}
			dts_ns = last.dts_ns;
		}
	ck_assert_int_eq(times.tracks[V].reorder, orders[_i].depth);
	ck_assert_uint_eq(last.duration_us, 40000);
}
END_TEST

/* A time-lapse with B frames: steps back are long, and still no jumps. */
START_TEST(test_decoding_times_at_two_frames_a_second)
{
	int64_t dts_ns = -1;

	begin();
	for (int i = 0; i < 20; i++)
		expect(V, i * 500, i * 500, i * 500, false);
	for (int i = 20; i < 50; i++) {
		int64_t shown_ms = (i / 10 * 10 + orders[2].shown[i % 10]) * 500;

		expect(V, shown_ms, i * 500, shown_ms, false);
		ck_assert_int_gt(last.dts_ns, dts_ns);
		dts_ns = last.dts_ns;
	}
}
END_TEST

START_TEST(test_jump_of_the_cameras_clock)
{
	begin();
	for (int i = 0; i < 10; i++)
		expect(V, i * 40, i * 40, i * 40, false);
	/* It is set: far ahead, then back. */
	expect(V, 5000000, 400, 400, true);
	expect(V, 5000040, 440, 440, false);
	expect(V, 3, 480, 480, true);
	expect(V, 43, 520, 520, false);
	/* Sound beside it does not notice. */
	expect(A, 0, 530, 530, false);
	expect(V, 900000, 560, 560, true);
	expect(A, 20, 550, 550, false);
	expect(V, 900040, 600, 600, false);
}
END_TEST

START_TEST(test_a_network_that_stood_still)
{
	begin();
	for (int i = 0; i < 10; i++)
		expect(V, i * 40, i * 40, i * 40, false);
	/* 15 s of pictures at once: they lie where they were taken. */
	for (int i = 10; i < 385; i++)
		expect(V, i * 40, 15400, i * 40, false);
	expect(V, 15400, 15400, 15400, false);
}
END_TEST

START_TEST(test_a_sender_that_begins_anew)
{
	begin();
	expect(V, 0, 0, 0, false);
	expect(V, 40, 40, 40, false);
	rtsp_times_restart(&times, V);
	expect(V, 0, 240, 240, true);
	expect(V, 40, 280, 280, false);
	/* Before anything came it changes nothing. */
	begin();
	rtsp_times_restart(&times, V);
	expect(V, 0, 0, 0, false);
}
END_TEST

/* Sound */

START_TEST(test_sound_lies_where_it_arrives)
{
	begin();
	expect(V, 0, 1000, 0, false);
	expect(V, 40, 1040, 40, false);
	expect(A, 0, 1050, 50, false);
	expect(A, 20, 1080, 70, false);
	/* The other way round. */
	begin();
	expect(A, 0, 1000, 0, false);
	expect(A, 20, 1020, 20, false);
	expect(V, 0, 1100, 100, false);
}
END_TEST

START_TEST(test_sound_follows_the_cameras_clock)
{
	begin();
	expect(V, 0, 1000, 0, false);
	expect(A, 0, 1010, 10, false);
	/* Pictures were taken at 500000, sound 300 ms later than its arrival said. */
	ck_assert(place(V, 40, 1040, 500040));
	ck_assert_int_eq(last.pts_ns, 40 * MS);
	ck_assert(place(A, 20, 1030, 500330));
	ck_assert_int_eq(last.pts_ns, 330 * MS);
	ck_assert(!last.is_jump);
	/* A little is not worth a gap. */
	ck_assert(place(A, 40, 1050, 500370));
	ck_assert_int_eq(last.pts_ns, 350 * MS);
}
END_TEST

START_TEST(test_sound_that_was_too_late_waits)
{
	int64_t dts_ns;
	int passed = 0;

	begin();
	for (int i = 0; i < 50; i++) {
		expect(V, i * 40, 1000 + i * 40, i * 40, false);
		expect(A, i * 40, 1000 + i * 40, i * 40, false);
	}
	dts_ns = last.dts_ns;
	/* It was taken 200 ms earlier, as the first reports say: what would lie before the last one
	 * is passed over. */
	ck_assert(place(V, 2000, 3000, 502000));
	for (int i = 50; i < 100; i++) {
		if (!place(A, i * 40, 1000 + i * 40, 499800 + i * 40)) {
			passed++;
			continue;
		}
		ck_assert_int_gt(last.dts_ns, dts_ns);
		ck_assert_int_eq(last.pts_ns, (i * 40 - 200) * MS);
		dts_ns = last.dts_ns;
	}
	ck_assert_int_eq(passed, 5);
}
END_TEST

/* Sender reports of the two tracks come seconds apart: meanwhile they tell two clocks. */
START_TEST(test_a_camera_whose_clock_is_set)
{
	int64_t video_ms = 500000, audio_ms = 500000, expected_ms;

	begin();
	for (int i = 0; i < 3000; i++) {
		int64_t at_ms = i * 20;

		if (i == 500)
			video_ms += 7000;
		if (i == 700)
			audio_ms += 7000;
		if (i == 1500) /* this time one track only, for good */
			audio_ms += 100;
		ck_assert(place(V, at_ms, at_ms, video_ms + at_ms));
		ck_assert(place(A, at_ms, at_ms, audio_ms + at_ms));
		expected_ms = i < 1500 + RTSP_TIMES_PATIENCE_NS / MS / 20 ? at_ms : at_ms + 100;
		ck_assert_int_eq(last.pts_ns, expected_ms * MS);
	}
}
END_TEST

/* What was taken before the stream begins is not part of it. */
START_TEST(test_sound_from_before_the_beginning)
{
	begin();
	ck_assert(place(V, 0, 1000, 500000));
	for (int i = 0; i < 15; i++)
		ck_assert(!place(A, i * 20, 1010 + i * 20, 499700 + i * 20));
	ck_assert(place(A, 300, 1310, 500000));
	ck_assert_int_eq(last.pts_ns, 0);
	ck_assert_int_eq(last.dts_ns, 0);
	ck_assert(!last.is_jump);
	ck_assert(place(A, 320, 1330, 500020));
	ck_assert_int_eq(last.pts_ns, 20 * MS);
}
END_TEST

START_TEST(test_pictures_begin_beside_the_sound)
{
	begin();
	for (int i = 0; i < 10; i++)
		ck_assert(place(A, i * 20, 1000, 500000 + i * 20));
	ck_assert(place(V, 0, 1000, 500100));
	ck_assert_int_eq(last.pts_ns, 100 * MS);
	ck_assert(place(A, 200, 1001, 500200));
	ck_assert_int_eq(last.pts_ns, 200 * MS);
	/* Not before the beginning, nor far ahead: two clocks. */
	begin();
	ck_assert(place(A, 0, 1000, 500000));
	ck_assert(place(V, 0, 1020, 499000));
	ck_assert_int_eq(last.pts_ns, 20 * MS);
	begin();
	ck_assert(place(A, 0, 1000, 500000));
	ck_assert(place(V, 0, 1020, 600000));
	ck_assert_int_eq(last.pts_ns, 20 * MS);
}
END_TEST

START_TEST(test_two_clocks_in_one_camera)
{
	begin();
	ck_assert(place(V, 0, 1000, 500000));
	ck_assert(place(A, 0, 1010, 900000));
	ck_assert_int_eq(last.pts_ns, 10 * MS);
	ck_assert(place(A, 20, 1030, 0));
	ck_assert_int_eq(last.pts_ns, 30 * MS);
}
END_TEST

START_TEST(test_sound_that_pauses)
{
	begin();
	expect(V, 0, 0, 0, false);
	expect(A, 0, 0, 0, false);
	for (int i = 1; i <= 500; i++)
		expect(V, i * 40, i * 40, i * 40, false);
	for (int i = 0; i < 10; i++) {
		expect(A, 20000 + i * 40, 20000 + i * 40, 20000 + i * 40, false);
		expect(V, 20040 + i * 40, 20040 + i * 40, 20040 + i * 40, false);
	}
}
END_TEST

/* Whatever a camera says: decoding times rise, and nothing overflows. */
START_TEST(test_nonsense)
{
	static const int64_t big[] = { INT64_MAX / 4, -INT64_MAX / 4, 0, 1, -1, 900000000000 };
	int64_t dts_ns[2] = { -1, -1 }, arrived_ns = 0;

	begin();
	srandom(7);
	for (int i = 0; i < 200000; i++) {
		uint8_t track = random() % 3 == 0 ? A : V;

		arrived_ns += random() % (60 * MS);
		last = (struct rtsp_times_unit){
			.stream_ns = random() % 8 == 0 ? big[random() % 6]
						       : i * 40 * MS + random() % (400 * MS),
			.arrived_ns = arrived_ns,
			.wall_ns = random() % 4 == 0 ? INT64_MAX / 4 - random() : 0,
		};
		if (!rtsp_times_place(&times, track, &last))
			continue;
		ck_assert_int_gt(last.dts_ns, dts_ns[track]);
		dts_ns[track] = last.dts_ns;
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp-times");
	TCase *tcase = tcase_create("times");

	tcase_add_test(tcase, test_times_follow_the_camera);
	tcase_add_test(tcase, test_a_described_rate_is_foreseen);
	tcase_add_loop_test(tcase, test_decoding_times, 0, 3);
	tcase_add_test(tcase, test_decoding_times_at_two_frames_a_second);
	tcase_add_test(tcase, test_jump_of_the_cameras_clock);
	tcase_add_test(tcase, test_a_network_that_stood_still);
	tcase_add_test(tcase, test_a_sender_that_begins_anew);
	tcase_add_test(tcase, test_sound_lies_where_it_arrives);
	tcase_add_test(tcase, test_sound_follows_the_cameras_clock);
	tcase_add_test(tcase, test_sound_that_was_too_late_waits);
	tcase_add_test(tcase, test_a_camera_whose_clock_is_set);
	tcase_add_test(tcase, test_sound_from_before_the_beginning);
	tcase_add_test(tcase, test_pictures_begin_beside_the_sound);
	tcase_add_test(tcase, test_two_clocks_in_one_camera);
	tcase_add_test(tcase, test_sound_that_pauses);
	tcase_add_test(tcase, test_nonsense);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
