/*
 * RTP time against simulated cameras: wraps, drift, careless and missing reports.
 */
#include "config.h"

#include "tests/rtp_camera.h"

#include <stdlib.h>

START_TEST(stream_time_follows_timestamps)
{
	struct rtp_clock clock;

	rtp_clock_init(&clock, 90000);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u), 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u), 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u + 90), MS);
	/* B frames step back, also before the first. */
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u - 3600), -40 * MS);
	/* Past the end of 32 bits and back. */
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u + 9000), 100 * MS);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 4294960000u + 5400), 60 * MS);
	rtp_clock_init(&clock, 3);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 0), 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 1), 333333333);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 0x80000000u), 715827882 * S + 666666666);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 1), 333333333);
	/* One further than half the range is a step back. */
	rtp_clock_init(&clock, 1);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 0), 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 0x80000000u), -2147483648 * S);
	rtp_clock_init(&clock, 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 5), 0);
	ck_assert_int_eq(rtp_clock_stream_ns(&clock, 6), S);
}
END_TEST

/* 90 kHz wraps after 13 h 15 min. */
START_TEST(stream_time_wraps_for_days)
{
	struct camera camera = { .first = 0xfff00000 };

	camera_init(&camera);
	for (int64_t t = 0; t < 40 * HOUR; t += 5 * S) {
		ck_assert_int_eq(rtp_clock_stream_ns(&camera.clock, camera_ticks(&camera, t)), t);
		camera_report(&camera, t);
		CAMERA_NEAR(camera_error(&camera, t + S), MS / 10);
		CAMERA_NEAR(camera_error(&camera, t - S), MS / 10);
	}
}
END_TEST

START_TEST(one_report_is_enough)
{
	struct camera camera = { .first = 77, .offset_ns = 123 * MS };

	camera_init(&camera);
	ck_assert(!camera_is_known(&camera, 0));
	camera_frame(&camera, 0);
	ck_assert(!camera_is_known(&camera, 0));
	/* A camera without a clock says 0. */
	rtp_clock_on_report(&camera.clock, 0, camera_ticks(&camera, S), START + S);
	ck_assert(!camera_is_known(&camera, 0));
	camera_report(&camera, S);
	CAMERA_NEAR(camera_error(&camera, 0), 1000);
	CAMERA_NEAR(camera_error(&camera, 5 * S), 1000);
	/* And does not make a known clock unknown. */
	rtp_clock_on_report(&camera.clock, 0, camera_ticks(&camera, 2 * S), START + S);
	CAMERA_NEAR(camera_error(&camera, 5 * S), 1000);
}
END_TEST

START_TEST(a_report_before_the_first_packet_is_kept)
{
	struct camera camera = { .first = 0xffffff00 };
	struct camera nonsense = { .report_error = 90000 * 31 };

	camera_init(&camera);
	camera_report(&camera, -2 * S);
	camera_report(&camera, -S);
	ck_assert(!camera_is_known(&camera, 0));
	camera_frame(&camera, 0);
	CAMERA_NEAR(camera_error(&camera, 0), 1000);
	camera_init(&nonsense);
	camera_report(&nonsense, 0);
	camera_frame(&nonsense, 0);
	ck_assert(!camera_is_known(&nonsense, 0));
}
END_TEST

/* Up to a second in the network, which must not be seen. */
START_TEST(drift_is_followed_for_an_hour)
{
	static const int64_t drifts[] = { 0, 100, -100, 1000, -1000 };
	struct camera camera = { .first = 0xf0000000, .drift_ppm = drifts[_i], .delay_ns = S };
	int64_t per_report_ns = llabs(drifts[_i]) * 5000 + MS / 10;

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 60 * S), per_report_ns);
	ck_assert_int_le(camera_run(&camera, 60 * S, HOUR), MS / 2);
	CAMERA_NEAR(camera.clock.slope_ppb + drifts[_i] * 1000, 2000);
}
END_TEST

/* Oscillators warm up, and networks fail for days: the slope is that of the last minutes. */
START_TEST(a_drift_that_changes)
{
	struct camera camera = { .rate = 8000, .drift_ppm = 100 };
	uint32_t before;

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, HOUR), MS);
	before = camera_ticks(&camera, HOUR);
	camera.drift_ppm = 300;
	camera.first += before - camera_ticks(&camera, HOUR);
	(void)camera_run(&camera, HOUR, HOUR + 905 * S);
	CAMERA_NEAR(camera.clock.slope_ppb + 300000, 2000);
	camera_frame(&camera, 48 * HOUR);
	camera_report(&camera, 48 * HOUR);
	before = camera_ticks(&camera, 48 * HOUR);
	camera.drift_ppm = -200;
	camera.first += before - camera_ticks(&camera, 48 * HOUR);
	(void)camera_run(&camera, 48 * HOUR, 48 * HOUR + 120 * S);
	CAMERA_NEAR(camera.clock.slope_ppb - 200000, 10000);
}
END_TEST

/* Reports whose timestamp is that of the last frame: up to 40 ms late, and no jumps by that. */
START_TEST(careless_reports_are_smoothed)
{
	struct camera camera = { .is_careless = true, .drift_ppm = 50 };
	int64_t last = 0, jump, worst_jump = 0;

	camera_init(&camera);
	for (int64_t t = 0; t < 1800 * S; t += FRAME) {
		camera_frame(&camera, t);
		/* At any moment between two frames. */
		if (t % (5 * S) == 0)
			camera_report(&camera, t + (int64_t)(camera_random(&camera) % 40) * MS);
		jump = llabs(camera_error(&camera, t) - last);
		if (t > 60 * S && jump > worst_jump)
			worst_jump = jump;
		last = camera_error(&camera, t);
		ck_assert_int_ge(last, -10 * MS);
		ck_assert_int_le(last, 50 * MS);
	}
	ck_assert_int_le(worst_jump, 15 * MS);
	ck_assert_uint_eq(camera.clock.strikes, 0);
}
END_TEST

/* Timestamps that count frames of a rate that is not kept: 2 % too slow. */
START_TEST(a_wrong_frame_rate_is_measured)
{
	struct camera camera = { .drift_ppm = -20000 };

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 60 * S), 110 * MS);
	ck_assert_int_le(camera_run(&camera, 60 * S, HOUR), 5 * MS);
	/* And the other way from now on. */
	camera.first = camera_ticks(&camera, HOUR) - (uint32_t)(3600 * 90000ull * 1015 / 1000);
	camera.drift_ppm = 15000;
	ck_assert_int_le(camera_run(&camera, HOUR, HOUR + 60 * S), 200 * MS);
	ck_assert_int_le(camera_run(&camera, HOUR + 60 * S, HOUR + 1800 * S), 5 * MS);
	ck_assert(!camera.clock.is_bad);
}
END_TEST

/* Sound that is not sent in silence: reports go on. */
START_TEST(packets_that_pause)
{
	struct camera camera = { .rate = 8000 };

	camera_init(&camera);
	camera_frame(&camera, 0);
	for (int64_t t = 0; t < 300 * S; t += 5 * S)
		camera_report(&camera, t);
	ck_assert_uint_eq(camera.clock.strikes, 0);
	camera_frame(&camera, 297 * S);
	camera_report(&camera, 300 * S);
	CAMERA_NEAR(camera_error(&camera, 297 * S), MS);
	/* The camera's clock is set meanwhile. */
	camera_report(&camera, 305 * S);
	camera.offset_ns = HOUR;
	camera_report(&camera, 310 * S);
	CAMERA_NEAR(camera_error(&camera, 305 * S), MS);
}
END_TEST

START_TEST(reports_twice_and_in_disorder)
{
	struct camera camera = { .drift_ppm = 100 };

	camera_init(&camera);
	ck_assert_int_le(camera_run(&camera, 0, 60 * S), MS);
	camera_report(&camera, 55 * S + 7 * MS);
	camera_report(&camera, 55 * S + 7 * MS);
	camera_report(&camera, 50 * S);
	ck_assert_uint_eq(camera.clock.strikes, 0);
	CAMERA_NEAR(camera_error(&camera, 60 * S), 2 * MS);
	ck_assert_int_le(camera_run(&camera, 60 * S, 120 * S), 2 * MS);
	ck_assert_uint_eq(camera.clock.strikes, 0);
}
END_TEST

/* Every extreme at once; the sanitizers look on. */
START_TEST(extremes_are_no_overflow)
{
	static const uint32_t rates[] = { 1, 2, 90000, UINT32_MAX };
	static const uint64_t ntps[] = { 1, UINT64_MAX, UINT64_C(1) << 63, 0x7fffffffffffffff };
	struct rtp_clock clock;
	uint32_t timestamp = 0;

	rtp_clock_init(&clock, rates[_i]);
	for (unsigned i = 0; i < 4000; i++) {
		int64_t captured;
		bool is_synced;

		timestamp += i < 2000 ? 0x7fffffff : 0x80000001;
		(void)rtp_clock_stream_ns(&clock, timestamp);
		rtp_clock_on_report(&clock, ntps[i % 4], timestamp + (i % 3) * 0x7fffffff,
				    START + i * S);
		(void)rtp_clock_captured(&clock, timestamp ^ 0x80000000, &captured, &is_synced);
	}
}
END_TEST

START_TEST(stream_time_has_an_end)
{
	struct rtp_clock clock;

	rtp_clock_init(&clock, 1);
	(void)rtp_clock_stream_ns(&clock, 0);
	clock.unwrapped = (INT64_C(1) << 60) - 1;
	(void)rtp_clock_stream_ns(&clock, 0x7fffffff);
	ck_assert_int_le(clock.unwrapped, INT64_C(1) << 60);
	ck_assert_int_gt(rtp_clock_stream_ns(&clock, 0xfffffffe), 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, stream_time_follows_timestamps);
	tcase_add_test(tcase, stream_time_wraps_for_days);
	tcase_add_test(tcase, one_report_is_enough);
	tcase_add_test(tcase, a_report_before_the_first_packet_is_kept);
	tcase_add_loop_test(tcase, drift_is_followed_for_an_hour, 0, 5);
	tcase_add_test(tcase, careless_reports_are_smoothed);
	tcase_add_test(tcase, a_wrong_frame_rate_is_measured);
	tcase_add_test(tcase, packets_that_pause);
	tcase_add_test(tcase, reports_twice_and_in_disorder);
	tcase_add_test(tcase, a_drift_that_changes);
	tcase_add_test(tcase, stream_time_has_an_end);
	tcase_add_loop_test(tcase, extremes_are_no_overflow, 0, 4);
}

int
main(void)
{
	return data_run("media rtp_clock", add);
}
