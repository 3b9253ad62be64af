/*
 * The worker's pure parts: what units are, the state table, the stream clock, what is measured, the
 * current GOP.
 */
#include "config.h"

#include "publish/wrk_unit.h"

#include "publish/wrk_fsm.h"
#include "publish/wrk_gop.h"
#include "publish/wrk_meter.h"
#include "publish/wrk_time.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"

#include <errno.h>

#define MS INT64_C(1000000)

/* Units */

static struct wrk_unit_info
examine(struct wrk_track *track, struct wrk_unit unit, int expect)
{
	struct wrk_unit_info info = { 0 };

	ck_assert_int_eq(wrk_track_examine(track, &unit, &info), expect);
	return info;
}

START_TEST(test_key_frame_with_sets_in_band)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	info = examine(&track, H264_UNIT(SETS_720 SLICE_IDR, 0), 0);
	ck_assert(info.is_key && info.has_config && info.config_changed);
	ck_assert_uint_eq(track.config_version, 1);
	ck_assert_uint_eq(track.width, 1280);
	ck_assert_uint_eq(track.height, 720);
	ck_assert_str_eq(track.codec_string, "avc1.42C01F");
	ck_assert_str_eq(track.profile, "Constrained Baseline 3.1");
	ck_assert(!track.has_b_frames);
	ck_assert_mem_eq(track.config, SETS_720, sizeof(SETS_720) - 1);

	info = examine(&track, H264_UNIT(SETS_720 SLICE_IDR, 40), 0);
	ck_assert(info.is_key && !info.config_changed);
	ck_assert_uint_eq(track.config_version, 1);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_other_sets_are_a_new_version)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	examine(&track, H264_UNIT(SETS_720 SLICE_IDR, 0), 0);
	info = examine(&track, H264_UNIT(SETS_360 SLICE_IDR, 40), 0);
	ck_assert(info.config_changed);
	ck_assert_uint_eq(track.config_version, 2);
	ck_assert_uint_eq(track.width, 640);
	ck_assert_uint_eq(track.height, 360);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_key_frame_needs_parameter_sets)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	info = examine(&track, H264_UNIT(SLICE_IDR, 0), 0);
	ck_assert(!info.is_key);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H264, BYTES(SETS_720)), 1);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H264, BYTES(SETS_720)), 0);
	info = examine(&track, H264_UNIT(SLICE_IDR, 40), 0);
	ck_assert(info.is_key && !info.has_config && !info.config_changed);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_other_pictures)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	examine(&track, H264_UNIT(SETS_720 SLICE_IDR, 0), 0);
	info = examine(&track, H264_UNIT(SLICE_P, 40), 0);
	ck_assert(!info.is_key && !info.is_disposable);
	info = examine(&track, H264_UNIT(SLICE_B, 80), 0);
	ck_assert(!info.is_key && info.is_disposable);
	ck_assert(track.has_b_frames);
	examine(&track, H264_UNIT(DELIMITER, 120), -ENODATA);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_broken_sets_change_nothing)
{
	struct wrk_track track;

	wrk_track_init(&track);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H264, BYTES(SETS_720)), 1);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H264,
					     BYTES("\0\0\0\1\x67\x42\0\0\0\1\x68\xce")),
			 -EPROTO);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H264, BYTES("rubbish")), -EPROTO);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_H265, BYTES(SETS_720)), -EPROTO);
	ck_assert_uint_eq(track.config_version, 1);
	ck_assert_uint_eq(track.width, 1280);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_a_new_pps_alone_joins_the_others)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	examine(&track, H264_UNIT(SETS_720 SLICE_IDR, 0), 0);
	info = examine(&track, H264_UNIT("\0\0\0\1\x68\x53\x8f\x20" SLICE_P, 40), 0);
	ck_assert(info.config_changed);
	ck_assert_uint_eq(track.config_version, 2);
	ck_assert_uint_gt(track.config_len, sizeof(SETS_720) - 1);
	ck_assert_mem_eq(track.config, SETS_720, sizeof(SETS_720) - 1);
	wrk_track_clear(&track);
}
END_TEST

static struct wrk_unit
jpeg(const uint8_t *data, size_t len)
{
	return make_unit(FRAME_KIND_JPEG, FRAME_CODEC_MJPEG, data, len, 0);
}

START_TEST(test_jpeg)
{
	struct wrk_unit_info info;
	struct wrk_track track;

	wrk_track_init(&track);
	info = examine(&track, jpeg(BYTES(JPEG_640_360 "\0\0padding")), 0);
	ck_assert(info.is_key && !info.is_damaged);
	ck_assert_uint_eq(info.len, sizeof(JPEG_640_360) - 1);
	ck_assert_uint_eq(track.width, 640);
	ck_assert_uint_eq(track.height, 360);
	ck_assert_uint_eq(track.config_version, 0);
	info = examine(&track, jpeg(BYTES(JPEG_HEAD JPEG_SCAN)), 0);
	ck_assert(info.is_damaged);
	examine(&track, jpeg(BYTES("GIF89a")), -EPROTO);
	examine(&track, H264_UNIT(SLICE_P, 0), -EPROTO);
	wrk_track_clear(&track);
}
END_TEST

START_TEST(test_aac)
{
	struct wrk_track track;

	wrk_track_init(&track);
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_AAC, BYTES("\x12\x10")), 1);
	ck_assert_str_eq(track.codec_string, "mp4a.40.2");
	ck_assert_int_eq(wrk_track_configure(&track, FRAME_CODEC_AAC, BYTES("\xff")), -EPROTO);
	ck_assert_uint_eq(track.config_version, 1);
	wrk_track_clear(&track);
}
END_TEST

/* States */

START_TEST(test_every_state_has_a_way_out)
{
	for (int s = 0; s < WRK_STATE_COUNT; s++) {
		struct wrk_step step = wrk_fsm_step(s, WRK_EVENT_STOP);

		ck_assert_int_eq(step.next, WRK_STATE_ENDED);
		ck_assert_int_ne(step.action, WRK_ACTION_NONE);
	}
	/* Nothing leads back from the end. */
	for (int e = 0; e < WRK_EVENT_COUNT; e++)
		ck_assert_int_eq(wrk_fsm_step(WRK_STATE_ENDED, e).next, WRK_STATE_ENDED);
}
END_TEST

/* The table once more, as a person would tell it; what is not told does nothing. */
static const struct {
	enum wrk_state from;
	enum wrk_event event;
	enum wrk_state to;
	enum wrk_action action;
} story[] = {
	{ WRK_STATE_WAITING_CONFIG, WRK_EVENT_CONFIG, WRK_STATE_CONNECTING, WRK_ACTION_START },
	{ WRK_STATE_WAITING_CONFIG, WRK_EVENT_STOP, WRK_STATE_ENDED, WRK_ACTION_EXIT },
	{ WRK_STATE_CONNECTING, WRK_EVENT_OPENED, WRK_STATE_CONNECTING, WRK_ACTION_WATCH },
	{ WRK_STATE_CONNECTING, WRK_EVENT_VIDEO, WRK_STATE_CONNECTING, WRK_ACTION_WATCH },
	{ WRK_STATE_CONNECTING, WRK_EVENT_KEY, WRK_STATE_UP, WRK_ACTION_GO_UP },
	{ WRK_STATE_CONNECTING, WRK_EVENT_SILENCE, WRK_STATE_ENDED, WRK_ACTION_TIMED_OUT },
	{ WRK_STATE_CONNECTING, WRK_EVENT_FAILED, WRK_STATE_ENDED, WRK_ACTION_FAIL },
	{ WRK_STATE_CONNECTING, WRK_EVENT_PROBED, WRK_STATE_ENDED, WRK_ACTION_NO_KEY },
	{ WRK_STATE_CONNECTING, WRK_EVENT_STOP, WRK_STATE_ENDED, WRK_ACTION_CLOSE },
	{ WRK_STATE_UP, WRK_EVENT_VIDEO, WRK_STATE_UP, WRK_ACTION_WATCH },
	{ WRK_STATE_UP, WRK_EVENT_KEY, WRK_STATE_UP, WRK_ACTION_WATCH },
	{ WRK_STATE_UP, WRK_EVENT_SILENCE, WRK_STATE_STALLED, WRK_ACTION_STALL },
	{ WRK_STATE_UP, WRK_EVENT_FAILED, WRK_STATE_ENDED, WRK_ACTION_FAIL },
	{ WRK_STATE_UP, WRK_EVENT_PROBED, WRK_STATE_ENDED, WRK_ACTION_DESCRIBE },
	{ WRK_STATE_UP, WRK_EVENT_STOP, WRK_STATE_ENDED, WRK_ACTION_CLOSE },
	{ WRK_STATE_STALLED, WRK_EVENT_VIDEO, WRK_STATE_UP, WRK_ACTION_GO_UP },
	{ WRK_STATE_STALLED, WRK_EVENT_KEY, WRK_STATE_UP, WRK_ACTION_GO_UP },
	{ WRK_STATE_STALLED, WRK_EVENT_SILENCE, WRK_STATE_ENDED, WRK_ACTION_TIMED_OUT },
	{ WRK_STATE_STALLED, WRK_EVENT_FAILED, WRK_STATE_ENDED, WRK_ACTION_FAIL },
	{ WRK_STATE_STALLED, WRK_EVENT_PROBED, WRK_STATE_ENDED, WRK_ACTION_DESCRIBE },
	{ WRK_STATE_STALLED, WRK_EVENT_STOP, WRK_STATE_ENDED, WRK_ACTION_CLOSE },
	{ WRK_STATE_ENDED, WRK_EVENT_STOP, WRK_STATE_ENDED, WRK_ACTION_FORGIVE },
	{ WRK_STATE_ENDED, WRK_EVENT_CLOSED, WRK_STATE_ENDED, WRK_ACTION_EXIT },
	{ WRK_STATE_ENDED, WRK_EVENT_GRACE_OVER, WRK_STATE_ENDED, WRK_ACTION_EXIT_LATE },
};

START_TEST(test_state_table)
{
	for (int s = 0; s < WRK_STATE_COUNT; s++)
		for (int e = 0; e < WRK_EVENT_COUNT; e++) {
			struct wrk_step expect = { s, WRK_ACTION_NONE }, got = wrk_fsm_step(s, e);

			for (size_t i = 0; i < sizeof(story) / sizeof(story[0]); i++)
				if ((int)story[i].from == s && (int)story[i].event == e)
					expect = (struct wrk_step){ story[i].to, story[i].action };
			ck_assert_msg(got.next == expect.next && got.action == expect.action,
				      "%s in %s", wrk_event_name(e), wrk_state_name(s));
		}
}
END_TEST

/* The stream clock */

static int64_t
fix(struct wrk_time *time, int64_t pts_ms, int64_t dts_ms, bool jumps)
{
	int64_t pts = pts_ms == INT64_MIN ? WRK_TIME_NONE : pts_ms * MS;
	int64_t dts = dts_ms == INT64_MIN ? WRK_TIME_NONE : dts_ms * MS;

	ck_assert_int_eq(wrk_time_fix(time, 0, 40 * MS, &pts, &dts), jumps);
	return dts / MS;
}

START_TEST(test_time_starts_at_zero_and_follows)
{
	struct wrk_time time = { 0 };

	ck_assert_int_eq(fix(&time, 5000, 5000, false), 0);
	ck_assert_int_eq(fix(&time, 5040, 5040, false), 40);
	ck_assert_int_eq(fix(&time, 5120, 5120, false), 120);
	ck_assert_int_eq(fix(&time, 9000, 9000, false), 4000);
}
END_TEST

START_TEST(test_time_jumps_are_closed)
{
	struct wrk_time time = { 0 };

	fix(&time, 0, 0, false);
	fix(&time, 40, 40, false);
	ck_assert_int_eq(fix(&time, 900000, 900000, true), 80);
	ck_assert_int_eq(fix(&time, 900040, 900040, false), 120);
	ck_assert_int_eq(fix(&time, 3, 3, true), 160);
	ck_assert_int_eq(fix(&time, 43, 43, false), 200);
}
END_TEST

START_TEST(test_time_without_any)
{
	struct wrk_time time = { 0 };

	ck_assert_int_eq(fix(&time, INT64_MIN, INT64_MIN, false), 0);
	ck_assert_int_eq(fix(&time, INT64_MIN, INT64_MIN, false), 40);
	ck_assert_int_eq(fix(&time, INT64_MIN, INT64_MIN, false), 80);
}
END_TEST

START_TEST(test_time_of_b_frames_without_dts)
{
	static const int64_t shown_ms[] = { 0, 120, 40, 80, 240, 160, 200 };
	struct wrk_time time = { 0 };
	int64_t last = -1;

	for (size_t i = 0; i < sizeof(shown_ms) / sizeof(shown_ms[0]); i++) {
		int64_t pts = shown_ms[i] * MS, dts = WRK_TIME_NONE;

		wrk_time_fix(&time, 0, 40 * MS, &pts, &dts);
		ck_assert_int_gt(dts, last);
		ck_assert_int_eq(pts, shown_ms[i] * MS);
		last = dts;
	}
}
END_TEST

START_TEST(test_time_restart_keeps_tracks_together)
{
	struct wrk_time time = { 0 };
	int64_t pts, dts;

	fix(&time, 0, 0, false);
	pts = dts = 0;
	wrk_time_fix(&time, FRAME_TRACK_AUDIO, 20 * MS, &pts, &dts);
	fix(&time, 100, 100, false);
	wrk_time_restart(&time);
	ck_assert_int_eq(fix(&time, 0, 0, true), 200);
	pts = dts = 20 * MS;
	ck_assert(!wrk_time_fix(&time, FRAME_TRACK_AUDIO, 20 * MS, &pts, &dts));
	ck_assert_int_eq(dts, 220 * MS);
}
END_TEST

/* Sound alone pauses: neither its return nor the next picture is a jump. */
START_TEST(test_time_of_a_track_that_pauses)
{
	struct wrk_time time = { 0 };
	int64_t pts = 0, dts = 0;

	fix(&time, 0, 0, false);
	wrk_time_fix(&time, FRAME_TRACK_AUDIO, 20 * MS, &pts, &dts);
	for (int i = 1; i <= 500; i++)
		fix(&time, i * 40, i * 40, false);
	for (int i = 0; i < 3; i++) {
		pts = dts = (20000 + i * 40) * MS;
		ck_assert(!wrk_time_fix(&time, FRAME_TRACK_AUDIO, 20 * MS, &pts, &dts));
		ck_assert_int_eq(dts, (20000 + i * 40) * MS);
		ck_assert_int_eq(fix(&time, 20040 + i * 40, 20040 + i * 40, false), 20040 + i * 40);
	}
}
END_TEST

START_TEST(test_absurd_times_do_not_overflow)
{
	static const int64_t values[] = { INT64_MAX, INT64_MIN + 1, INT64_MAX / 2, 0,
					  -1,        INT64_MIN / 2, INT64_MAX - 1 };
	struct wrk_time time = { 0 };
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < 49; i++) {
		int64_t pts = values[i % 7], dts = values[i / 7];

		wrk_time_fix(&time, 0, 40 * MS, &pts, &dts);
		ck_assert_int_gt(dts, last);
		last = dts;
	}
}
END_TEST

/* Measuring */

START_TEST(test_meter)
{
	struct wrk_meter meter = { 0 };

	ck_assert_int_eq(wrk_meter_silence_ms(&meter, 5 * NS_PER_S), -1);
	for (int i = 0; i <= 100; i++) {
		if (i % 25 == 0)
			wrk_meter_tick(&meter, i * 40 * MS);
		wrk_meter_frame(&meter, i * 40 * MS, 1 + i * 40 * MS, 10000, i % 30 == 0, false);
	}
	ck_assert_double_eq_tol(wrk_meter_fps(&meter, 4001 * MS), 25.0, 0.01);
	ck_assert_int_eq(wrk_meter_bitrate_bps(&meter), 2000000);
	ck_assert_uint_eq(meter.gop_frames, 30);
	ck_assert_int_eq(wrk_meter_silence_ms(&meter, 4500 * MS), 499);
	/* Right behind a jump: what was known before; long after the last frame: nothing moves. */
	wrk_meter_frame(&meter, 4040 * MS, 4041 * MS, 10000, false, true);
	ck_assert_double_eq_tol(wrk_meter_fps(&meter, 4041 * MS), 25.0, 0.01);
	ck_assert_double_eq(wrk_meter_fps(&meter, 9000 * MS), 0);
}
END_TEST

/* The GOP */

static struct bus_msg *
message(size_t len)
{
	static uint8_t payload[4096];
	struct frame frame = { .kind = FRAME_KIND_VIDEO };

	return bus_msg_new(&frame, payload, len);
}

static void
add(struct wrk_gop *gop, size_t len)
{
	struct bus_msg *msg = message(len);

	wrk_gop_add(gop, msg);
	bus_msg_unref(&msg);
}

START_TEST(test_gop_keeps_until_the_next)
{
	struct wrk_gop *gop = wrk_gop_new(100000);

	add(gop, 1000);
	ck_assert(!wrk_gop_is_whole(gop));
	wrk_gop_begin(gop);
	ck_assert(!wrk_gop_is_whole(gop));
	for (int i = 0; i < 3; i++)
		add(gop, 1000);
	ck_assert(wrk_gop_is_whole(gop));
	ck_assert_uint_eq(wrk_gop_count(gop), 3);
	ck_assert_uint_eq(wrk_gop_at(gop, 2)->frame.payload_len, 1000);
	wrk_gop_begin(gop);
	add(gop, 10);
	ck_assert_uint_eq(wrk_gop_count(gop), 1);
	wrk_gop_free(&gop);
	ck_assert_ptr_null(gop);
}
END_TEST

START_TEST(test_gop_too_long_is_not_kept)
{
	struct wrk_gop *gop = wrk_gop_new(5000);

	wrk_gop_begin(gop);
	add(gop, 2000);
	add(gop, 2000);
	ck_assert(wrk_gop_is_whole(gop));
	ck_assert_uint_le(wrk_gop_bytes(gop), 5000);
	ck_assert(!wrk_gop_would_keep(gop, 2000));
	add(gop, 2000);
	ck_assert(!wrk_gop_is_whole(gop));
	ck_assert(wrk_gop_is_too_long(gop));
	ck_assert_uint_eq(wrk_gop_bytes(gop), 0);
	add(gop, 10);
	ck_assert(!wrk_gop_is_whole(gop));
	wrk_gop_begin(gop);
	add(gop, 10);
	ck_assert(wrk_gop_is_whole(gop) && !wrk_gop_is_too_long(gop));
	wrk_gop_free(&gop);
}
END_TEST

START_TEST(test_gop_counts_more_than_payload)
{
	struct wrk_gop *gop = wrk_gop_new(100000);
	unsigned n = 0;

	wrk_gop_begin(gop);
	while (wrk_gop_would_keep(gop, 0) && n < 100000) {
		add(gop, 0);
		n++;
	}
	ck_assert_uint_lt(n, 1000);
	wrk_gop_free(&gop);
}
END_TEST

START_TEST(test_no_cache_at_all)
{
	struct wrk_gop *gop = wrk_gop_new(0);

	wrk_gop_begin(gop);
	ck_assert(!wrk_gop_would_keep(gop, 1));
	add(gop, 1);
	ck_assert(!wrk_gop_is_whole(gop) && !wrk_gop_is_too_long(gop));
	wrk_gop_free(&gop);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_unit");
	TCase *units = tcase_create("units"), *rest = tcase_create("rest");

	tcase_add_test(units, test_key_frame_with_sets_in_band);
	tcase_add_test(units, test_other_sets_are_a_new_version);
	tcase_add_test(units, test_key_frame_needs_parameter_sets);
	tcase_add_test(units, test_other_pictures);
	tcase_add_test(units, test_broken_sets_change_nothing);
	tcase_add_test(units, test_a_new_pps_alone_joins_the_others);
	tcase_add_test(units, test_jpeg);
	tcase_add_test(units, test_aac);
	suite_add_tcase(s, units);
	tcase_add_test(rest, test_every_state_has_a_way_out);
	tcase_add_test(rest, test_state_table);
	tcase_add_test(rest, test_time_starts_at_zero_and_follows);
	tcase_add_test(rest, test_time_jumps_are_closed);
	tcase_add_test(rest, test_time_without_any);
	tcase_add_test(rest, test_time_of_b_frames_without_dts);
	tcase_add_test(rest, test_time_restart_keeps_tracks_together);
	tcase_add_test(rest, test_time_of_a_track_that_pauses);
	tcase_add_test(rest, test_absurd_times_do_not_overflow);
	tcase_add_test(rest, test_meter);
	tcase_add_test(rest, test_gop_keeps_until_the_next);
	tcase_add_test(rest, test_gop_too_long_is_not_kept);
	tcase_add_test(rest, test_gop_counts_more_than_payload);
	tcase_add_test(rest, test_no_cache_at_all);
	suite_add_tcase(s, rest);
	return s;
}

HARNESS_MAIN(suite)
