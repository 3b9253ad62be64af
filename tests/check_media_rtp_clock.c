/*
 * RTP time against simulated cameras: an oscillator that drifts, a wall clock that is set, reports
 * that arrive late or are nonsense. The camera's wall clock at the moment of taking a picture is
 * what must come out.
 */
#include "config.h"

#include "media/rtp_clock.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

#define MS    INT64_C(1000000)
#define S     INT64_C(1000000000)
#define START (1795392000 * S) /* our wall clock when the session begins, 2026-11-23 */
#define FRAME (40 * MS)
#define HOUR  (3600 * S)

struct camera {
	uint32_t rate, first;  /* Hz, timestamp at time 0 */
	int64_t drift_ppm;     /* of its RTP ticks against its wall clock */
	int64_t offset_ns;     /* of its wall clock from ours */
	int64_t delay_ns;      /* network, at most; varies */
	uint32_t report_error; /* ticks that its reports are wrong by */
	bool is_careless;      /* reports carry the timestamp of the frame before */
	uint32_t random;
	struct rtp_clock clock;
};

static void
camera_init(struct camera *camera)
{
	if (camera->rate == 0)
		camera->rate = 90000;
	camera->random = 1;
	rtp_clock_init(&camera->clock, camera->rate);
}

static uint32_t
camera_random(struct camera *camera)
{
	camera->random = camera->random * 1664525u + 1013904223u;
	return camera->random >> 8;
}

/* t: ns since the session began. */
static uint32_t
camera_ticks(const struct camera *camera, int64_t t)
{
	long double ticks = (long double)t * camera->rate / 1e9L;

	ticks += ticks * (long double)camera->drift_ppm / 1e6L;
	return camera->first + (uint32_t)(int64_t)ticks;
}

static int64_t
camera_wall(const struct camera *camera, int64_t t)
{
	return START + t + camera->offset_ns;
}

/* RFC 5905 6: seconds since 1900, era 0. */
static uint64_t
to_ntp(int64_t realtime_ns)
{
	int64_t s = realtime_ns / S, rest = realtime_ns % S;

	if (rest < 0) {
		s--;
		rest += S;
	}
	return (uint64_t)(s + 2208988800) << 32 | (((uint64_t)rest << 32) / (uint64_t)S);
}

static void
camera_frame(struct camera *camera, int64_t t)
{
	(void)rtp_clock_stream_ns(&camera->clock, camera_ticks(camera, t));
}

static void
camera_report(struct camera *camera, int64_t t)
{
	int64_t delay_ns =
	    camera->delay_ns > 0 ? camera_random(camera) % (camera->delay_ns / 1000) * 1000 : 0;
	uint32_t ticks = camera_ticks(camera, camera->is_careless ? t - t % FRAME : t);

	rtp_clock_on_report(&camera->clock, to_ntp(camera_wall(camera, t)),
			    ticks + camera->report_error, START + t + delay_ns);
}

/* How far the time told for the picture of t is from the camera's. */
static int64_t
camera_error(const struct camera *camera, int64_t t)
{
	int64_t captured = 0;
	bool is_synced;

	ck_assert(
	    rtp_clock_captured(&camera->clock, camera_ticks(camera, t), &captured, &is_synced));
	return captured - camera_wall(camera, t);
}

static bool
camera_is_known(const struct camera *camera, int64_t t)
{
	int64_t captured = -77;
	bool is_synced = true, is_known;

	is_known =
	    rtp_clock_captured(&camera->clock, camera_ticks(camera, t), &captured, &is_synced);
	if (!is_known)
		ck_assert(captured == -77 && is_synced);
	return is_known;
}

#define ck_assert_near(value, limit)                                                               \
	do {                                                                                       \
		int64_t near_value = (value);                                                      \
                                                                                                   \
		ck_assert_int_le(near_value, limit);                                               \
		ck_assert_int_ge(near_value, -(limit));                                            \
	} while (0)

/* Frames and, each 5 s, a report, from a time up to before another. Returns the largest error of a
 * frame; INT64_MAX when one was not known. */
static int64_t
camera_run(struct camera *camera, int64_t from, int64_t to)
{
	int64_t worst = 0;

	for (int64_t t = from; t < to; t += FRAME) {
		int64_t error;

		camera_frame(camera, t);
		if (t % (5 * S) == 0)
			camera_report(camera, t + 7 * MS);
		if (!camera_is_known(camera, t)) {
			worst = INT64_MAX;
			continue;
		}
		error = llabs(camera_error(camera, t));
		if (error > worst)
			worst = error;
	}
	return worst;
}

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
		ck_assert_near(camera_error(&camera, t + S), MS / 10);
		ck_assert_near(camera_error(&camera, t - S), MS / 10);
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
	ck_assert_near(camera_error(&camera, 0), 1000);
	ck_assert_near(camera_error(&camera, 5 * S), 1000);
	/* And does not make a known clock unknown. */
	rtp_clock_on_report(&camera.clock, 0, camera_ticks(&camera, 2 * S), START + S);
	ck_assert_near(camera_error(&camera, 5 * S), 1000);
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
	ck_assert_near(camera_error(&camera, 0), 1000);
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
	ck_assert_near(camera.clock.slope_ppb + drifts[_i] * 1000, 2000);
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
	ck_assert_near(camera.clock.slope_ppb + 300000, 2000);
	camera_frame(&camera, 48 * HOUR);
	camera_report(&camera, 48 * HOUR);
	before = camera_ticks(&camera, 48 * HOUR);
	camera.drift_ppm = -200;
	camera.first += before - camera_ticks(&camera, 48 * HOUR);
	(void)camera_run(&camera, 48 * HOUR, 48 * HOUR + 120 * S);
	ck_assert_near(camera.clock.slope_ppb - 200000, 10000);
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
	ck_assert_near(camera_error(&camera, 123 * S) + steps[_i], MS);
	camera_report(&camera, 124 * S);
	ck_assert_near(camera_error(&camera, 123 * S), MS);
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
			rtp_clock_on_report(&clock, to_ntp((rows[i].cameras + s) * S), s * 90000,
					    (rows[i].ours + s) * S);
		ck_assert_int_eq(rtp_clock_captured(&clock, 56 * 90000, &captured, &is_synced),
				 rows[i].is_known);
		if (rows[i].is_known)
			ck_assert_near(captured - (rows[i].cameras + 56) * S, 1000);
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
	ck_assert_near(camera_error(&camera, 601 * S), MS);
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
			rtp_clock_on_report(&clock, to_ntp(START + t), nonsense_timestamp(_i, t),
					    START + t);
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
	ck_assert_near(camera_error(&camera, 634 * S), MS);
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
	ck_assert_near(camera_error(&camera, 62 * S), MS);
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
	ck_assert_near(camera_error(&camera, 61 * S), MS);
	ck_assert_int_le(camera_run(&camera, 65 * S, 300 * S), MS);
	ck_assert_uint_eq(camera.clock.strikes, 0);
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
	ck_assert_near(camera_error(&camera, 297 * S), MS);
	/* The camera's clock is set meanwhile. */
	camera_report(&camera, 305 * S);
	camera.offset_ns = HOUR;
	camera_report(&camera, 310 * S);
	ck_assert_near(camera_error(&camera, 305 * S), MS);
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
	ck_assert_near(camera_error(&camera, 60 * S), 2 * MS);
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
add_clocks(TCase *tcase)
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
	add_clocks(tcase);
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
