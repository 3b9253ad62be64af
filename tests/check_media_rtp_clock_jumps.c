/*
 * Clocks of cameras that are set, begin anew, or make no sense.
 */
#include "config.h"

#include "tests/rtp_camera.h"

#include <stdlib.h>

/* NTP sets the camera's clock: from the next report on it is the new one. */
START_TEST(a_clock_that_is_set)
{
	static const int64_t steps[] = {
		3600 * S, -3600 * S, S, -S, 200 * MS, -49 * 366 * 24 * HOUR
	};
	struct camera camera = { .drift_ppm = 100, .delay_ns = 100 * MS };
	int64_t captured;
	bool is_synced = false;

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 120 * S), MS);
	camera.offset_ns = steps[_i];
	camera_frame(&camera, 123 * S);
	CAMERA_NEAR(camera_error(&camera, 123 * S) + steps[_i], MS);
	camera_report(&camera, 124 * S);
	CAMERA_NEAR(camera_error(&camera, 123 * S), MS);
	ck_assert_int_le(camera_run(&camera, 125 * S, 300 * S), 5 * MS);
	ck_assert(rtp_clock_captured(&camera.clock, camera_ticks(&camera, 300 * S), &captured,
				     &is_synced));
	ck_assert_int_eq(is_synced, llabs(steps[_i]) <= 2 * S);
	ck_assert(!camera.clock.is_bad);
}
END_TEST

START_TEST(synced_is_within_two_seconds)
{
	static const struct {
		int64_t offset_ns;
		bool is_synced;
	} rows[] = { { 0, true },
		     { 2 * S - MS, true },
		     { 2 * S + MS, false },
		     { -2 * S + MS, true },
		     { -2 * S - MS, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct camera camera = { .offset_ns = rows[i].offset_ns };
		int64_t captured;
		bool is_synced = !rows[i].is_synced;

		camera_init(&camera);
		camera_frame(&camera, 0);
		camera_report(&camera, S);
		ck_assert(rtp_clock_captured(&camera.clock, camera_ticks(&camera, S), &captured,
					     &is_synced));
		ck_assert_int_eq(is_synced, rows[i].is_synced);
	}
}
END_TEST

/* A clock of 1970 is one that nobody has set; uptime in the place of time is none. */
START_TEST(clocks_of_other_eras)
{
	static const struct {
		int64_t ours, cameras; /* seconds since 1970 */
		bool is_known, is_synced;
	} rows[] = {
		{ 1795392000, 86400, true, false },     /* 1970 */
		{ 1795392000, 946684800, true, false }, /* 2000 */
		{ 1795392000, 1795392000 + 86400 * 365, true, false },
		{ 1795392000, 2085978496 + 100, false, false }, /* 100 s of uptime */
		{ 1795392000, -1000, false, false },            /* before 1970 */
		{ 2085978490, 2085978490, true, true },         /* over the end of the era */
		{ 2240524800, 2240524800, true, true },         /* 2041 */
		{ 100, 1795392000, false, false },              /* ours is not set */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_clock clock;
		int64_t captured = 0;
		bool is_synced = false;

		rtp_clock_init(&clock, 90000);
		rtp_clock_stream_ns(&clock, 0);
		for (uint32_t s = 0; s < 60; s += 5)
			rtp_clock_on_report(&clock, camera_ntp((rows[i].cameras + s) * S),
					    s * 90000, (rows[i].ours + s) * S);
		ck_assert_int_eq(rtp_clock_captured(&clock, 56 * 90000, &captured, &is_synced),
				 rows[i].is_known);
		if (rows[i].is_known)
			CAMERA_NEAR(captured - (rows[i].cameras + 56) * S, 1000);
		ck_assert_int_eq(is_synced, rows[i].is_synced);
		ck_assert(!clock.is_bad);
	}
}
END_TEST

START_TEST(far_from_the_last_report_nothing_is_known)
{
	struct camera camera = { 0 };

	camera_init(&camera);
	camera_frame(&camera, 0);
	camera_report(&camera, 0);
	for (int64_t t = 0; t <= 600 * S; t += S)
		camera_frame(&camera, t);
	ck_assert(camera_is_known(&camera, 600 * S));
	ck_assert(!camera_is_known(&camera, 600 * S + MS));
	camera_frame(&camera, 601 * S);
	camera_report(&camera, 601 * S);
	CAMERA_NEAR(camera_error(&camera, 601 * S), MS);
	ck_assert_uint_eq(camera.clock.strikes, 0);
}
END_TEST

/* Timestamps of reports that are not the packets': told at the first, never believed. */
START_TEST(reports_of_another_rtp_clock)
{
	static const uint32_t errors[] = { 90000 * 31, UINT32_MAX - 90000 * 31, 0x80000000,
					   0x12345678 };
	struct camera camera = { .report_error = errors[_i] };

	camera_init(&camera);
	for (int64_t t = 0; t < 3 * S; t += S) {
		ck_assert(!camera.clock.is_bad);
		camera_frame(&camera, t);
		camera_report(&camera, t);
		ck_assert(!camera_is_known(&camera, t));
	}
	ck_assert(camera.clock.is_bad);
}
END_TEST

/* What reports say in the place of the RTP timestamp, when packets begin at 0. */
static uint32_t
nonsense_timestamp(int kind, int64_t t)
{
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)(t / MS); /* of another rate */
	case 2:
		return (uint32_t)(t / S * 180000);
	case 3:
		return t / S % 10 == 0 ? (uint32_t)(t / S * 90000) : 5; /* now so, now so */
	default:
		return (uint32_t)(-t / S * 90000);
	}
}

START_TEST(reports_that_contradict_each_other)
{
	struct rtp_clock clock;
	int64_t captured;
	bool is_synced;
	unsigned wrong = 0;

	rtp_clock_init(&clock, 90000);
	for (int64_t t = 0; t < 120 * S; t += FRAME) {
		(void)rtp_clock_stream_ns(&clock, (uint32_t)(t / MS * 90));
		if (t % (5 * S) == 0)
			rtp_clock_on_report(&clock, camera_ntp(START + t),
					    nonsense_timestamp(_i, t), START + t);
		if (!rtp_clock_captured(&clock, (uint32_t)(t / MS * 90), &captured, &is_synced))
			continue;
		if (llabs(captured - START - t) > 200 * MS)
			wrong++;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert(clock.is_bad);
}
END_TEST

/* A wall clock that is another one each time. */
START_TEST(a_wall_clock_that_jumps_about)
{
	struct camera camera = { 0 };

	camera_init(&camera);
	for (int64_t t = 0; t < 600 * S; t += S) {
		camera_frame(&camera, t);
		if (t % (5 * S) != 0)
			continue;
		camera.offset_ns = (int64_t)(camera_random(&camera) % 100000) * S;
		camera_report(&camera, t);
	}
	ck_assert(camera.clock.is_bad);
	ck_assert(!camera_is_known(&camera, 599 * S));
	/* It comes to itself. */
	for (int64_t t = 600 * S; t < 635 * S; t += S) {
		camera_frame(&camera, t);
		if (t % (5 * S) == 0)
			camera_report(&camera, t);
	}
	ck_assert(!camera.clock.is_bad);
	CAMERA_NEAR(camera_error(&camera, 634 * S), MS);
}
END_TEST

/* The camera's encoder begins anew, its wall clock goes on. */
START_TEST(rtp_time_that_begins_anew)
{
	static const uint32_t steps[] = { 0x40000000, 0xc0000000, 90000 * 11, -90000u * 4 };
	struct camera camera = { .first = 1000, .drift_ppm = 100 };

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 60 * S), MS);
	camera.first += steps[_i];
	camera_frame(&camera, 61 * S);
	ck_assert(!camera_is_known(&camera, 61 * S));
	camera_frame(&camera, 62 * S);
	ck_assert(!camera_is_known(&camera, 62 * S));
	camera_report(&camera, 63 * S);
	CAMERA_NEAR(camera_error(&camera, 62 * S), MS);
	ck_assert_int_le(camera_run(&camera, 65 * S, 300 * S), MS);
	ck_assert(!camera.clock.is_bad);
}
END_TEST

/* RTP time that is made from the wall clock steps together with it. */
START_TEST(both_clocks_step_together)
{
	struct camera camera = { .drift_ppm = 0 };

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 60 * S), MS);
	camera.offset_ns = 183 * S;
	camera.first += 183 * 90000;
	camera_frame(&camera, 61 * S);
	camera_report(&camera, 62 * S);
	CAMERA_NEAR(camera_error(&camera, 61 * S), MS);
	ck_assert_int_le(camera_run(&camera, 65 * S, 300 * S), MS);
	ck_assert_uint_eq(camera.clock.strikes, 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_clock_that_is_set, 0, 6);
	tcase_add_test(tcase, synced_is_within_two_seconds);
	tcase_add_test(tcase, clocks_of_other_eras);
	tcase_add_test(tcase, far_from_the_last_report_nothing_is_known);
	tcase_add_loop_test(tcase, reports_of_another_rtp_clock, 0, 4);
	tcase_add_loop_test(tcase, reports_that_contradict_each_other, 0, 5);
	tcase_add_test(tcase, a_wall_clock_that_jumps_about);
	tcase_add_loop_test(tcase, rtp_time_that_begins_anew, 0, 4);
	tcase_add_test(tcase, both_clocks_step_together);
}

int
main(void)
{
	return data_run("media rtp_clock_jumps", add);
}
