/*
 * A track and the camera's clock: sender reports in, captured times and receiver reports out;
 * senders that begin anew; sound beside pictures.
 */
#include "config.h"

#include "tests/check_rtsp_track_rig.h"

#define NTP_OF_1970 UINT64_C(2208988800)
#define OLD_SSRC    0x11223344u

static uint64_t
ntp_of(int64_t realtime_ns)
{
	uint64_t s = (uint64_t)(realtime_ns / NS_PER_S) + NTP_OF_1970;
	uint64_t rest = (uint64_t)(realtime_ns % NS_PER_S);

	return s << 32 | (rest << 32) / NS_PER_S;
}

/* From packet `from` of the writer on. */
static void
feed_from(const struct rtp_writer *writer, size_t from)
{
	for (size_t i = from; i < writer->n; i++) {
		if (i > from && writer->packets[i].unit > writer->packets[i - 1].unit)
			rig->now_ns += FRAME_NS;
		rig_feed(&writer->packets[i]);
	}
}

static void
write_pictures(struct rtp_writer *writer, int n)
{
	for (int i = 0; i < n; i++)
		rig_write_picture(writer, RTP_CODEC_H264, i % 10 == 0);
}

static void
assert_captured(const struct rig_unit *unit, int64_t realtime_ns)
{
	ck_assert_int_lt(llabs(unit->unit.captured_realtime_ns - realtime_ns), NS_PER_MS);
}

static const struct {
	int64_t behind_ns; /* the camera's clock is behind ours */
	uint16_t flags;
} clocks[] = {
	{ 100 * NS_PER_MS, 0 },
	{ 3600 * NS_PER_S, FRAME_CLOCK_UNSYNCED },
	{ -50 * NS_PER_S, FRAME_CLOCK_UNSYNCED },
};

START_TEST(test_captured_times)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	uint32_t timestamp = writer->timestamp;
	int64_t taken_ns = rig->now_ns + REALTIME_OFFSET_NS - clocks[_i].behind_ns;

	write_pictures(writer, 50);
	rig_feed_report(OLD_SSRC, ntp_of(taken_ns), timestamp);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 50);
	for (int i = 0; i < 50; i++) {
		assert_captured(&rig->units[i], taken_ns + i * FRAME_NS);
		ck_assert_uint_eq(rig->units[i].unit.flags, clocks[_i].flags);
	}
	ck_assert(rtsp_track_stats(rig->track)->has_clock);
	ck_assert(rtsp_track_stats(rig->track)->is_clock_synced == (clocks[_i].flags == 0));
}
END_TEST

START_TEST(test_a_camera_without_a_clock)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	rig_feed_report(OLD_SSRC, 0, writer->timestamp);
	write_pictures(writer, 5);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 5);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(rig->units[i].unit.captured_realtime_ns, 0);
		ck_assert_uint_eq(rig->units[i].unit.flags, 0);
	}
	ck_assert(!rtsp_track_stats(rig->track)->has_clock);
	ck_assert(!rtsp_track_stats(rig->track)->is_clock_synced);
}
END_TEST

/* Another source, other numbers, another origin of time: pictures go on where they were. */
START_TEST(test_a_sender_that_begins_anew)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	size_t first;

	rig_feed_report(OLD_SSRC, ntp_of(rig->now_ns + REALTIME_OFFSET_NS), writer->timestamp);
	write_pictures(writer, 10);
	feed_from(writer, 0);
	first = writer->n;
	writer->ssrc = 0x55667788;
	writer->seq = 30000;
	writer->timestamp = 0x12345678;
	write_pictures(writer, 20);
	rig->now_ns += 500 * NS_PER_MS;
	feed_from(writer, first);
	ck_assert_uint_eq(rig->n_units, 30);
	assert_captured(&rig->units[9], 5 * NS_PER_S + REALTIME_OFFSET_NS + 9 * FRAME_NS);
	for (int i = 10; i < 30; i++) {
		const struct wrk_unit *unit = &rig->units[i].unit;

		ck_assert_int_eq(unit->pts_ns, (i - 1) * FRAME_NS + 500 * NS_PER_MS);
		ck_assert_uint_eq(unit->flags, i == 10 ? FRAME_DISCONTINUITY : 0);
		ck_assert(unit->is_after_loss == (i == 10));
		/* The old reports say nothing about the new one. */
		ck_assert_int_eq(unit->captured_realtime_ns, 0);
		ck_assert_uint_eq(rig->units[i].len, rig->written[i].len);
		ck_assert_mem_eq(rig->units[i].data, rig->written[i].data, rig->units[i].len);
	}
}
END_TEST

/* Of what was sent by the old source and is not whole, nothing is left. */
START_TEST(test_a_sender_that_begins_anew_in_the_middle)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	size_t first;

	write_pictures(writer, 1);
	first = writer->n;
	for (size_t i = 0; i + 1 < first; i++)
		rig_feed(&writer->packets[i]);
	writer->ssrc++;
	writer->seq += 20000;
	writer->timestamp += 0x40000000;
	write_pictures(writer, 2);
	feed_from(writer, first);
	ck_assert_uint_eq(rig->n_units, 2);
	ck_assert_uint_eq(rig->units[0].len, rig->written[1].len);
	ck_assert_int_eq(rig->units[0].unit.pts_ns, 0);
	ck_assert_uint_eq(rig->units[1].unit.flags, 0);
}
END_TEST

/* A camera that gives each packet another name: its numbers and times go on, so it does. */
START_TEST(test_a_name_for_each_packet)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	write_pictures(writer, 20);
	for (size_t i = 0; i < writer->n; i++)
		writer->packets[i].data[11] = (uint8_t)i;
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 20);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(rig->units[i].unit.pts_ns, i * FRAME_NS);
		ck_assert_uint_eq(rig->units[i].unit.flags, 0);
		ck_assert_uint_eq(rig->units[i].len, rig->written[i].len);
	}
}
END_TEST

static uint32_t
u32_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* RFC 3550 6.4.2 */
START_TEST(test_receiver_report)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	const uint8_t *report = rig->report;
	uint64_t ntp = ntp_of(rig->now_ns + REALTIME_OFFSET_NS);
	size_t len;

	write_pictures(writer, 30);
	ck_assert_uint_eq(rtsp_track_report(rig->track, rig->now_ns, rig->report), 0);
	rig_feed_report(OLD_SSRC, ntp, writer->timestamp);
	for (size_t i = 0; i < writer->n; i++)
		if (i % 4 != 1)
			rig_feed(&writer->packets[i]);
	len = rtsp_track_report(rig->track, rig->now_ns + NS_PER_S, rig->report);
	ck_assert_uint_gt(len, 32);
	ck_assert_uint_eq(report[0], 0x81);
	ck_assert_uint_eq(report[1], 201);
	ck_assert_uint_eq(u32_at(report + 4), 0xaabbccdd);
	ck_assert_uint_eq(u32_at(report + 8), OLD_SSRC);
	/* A quarter is lost; the numbers have wrapped once. */
	ck_assert_int_lt(abs((int)report[12] - 64), 8);
	ck_assert_uint_eq(u32_at(report + 12) & 0xffffff, rtsp_track_stats(rig->track)->lost);
	ck_assert_uint_eq(u32_at(report + 16), 65500 + writer->n - 1);
	ck_assert_uint_eq(u32_at(report + 24), (uint32_t)(ntp >> 16));
	ck_assert_uint_eq(u32_at(report + 28), 65536); /* 1 s */
	ck_assert_uint_eq(report[32 + 1], 202);        /* SDES */
	ck_assert_ptr_nonnull(memmem(report, len, "camhub", 6));
}
END_TEST

START_TEST(test_rtcp_that_is_none)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	uint8_t packet[28];

	rtsp_track_rtcp(rig->track, packet, 0, 1, 1);
	memset(packet, 0xff, sizeof(packet));
	rtsp_track_rtcp(rig->track, packet, sizeof(packet), 1, 1);
	write_pictures(writer, 1);
	rig_feed_all(writer);
	ck_assert_int_eq(rig->units[0].unit.captured_realtime_ns, 0);
}
END_TEST

/* Two tracks of one session: what was taken at one time is shown at one time, though sound arrives
 * 200 ms earlier. */
START_TEST(test_sound_and_pictures)
{
	struct rtp_writer *pictures = rig_new(RTP_CODEC_H264, 0), *sound;
	struct rtsp_track *video = rig->track, *audio;
	int64_t taken_ns = rig->now_ns + REALTIME_OFFSET_NS;
	size_t first;

	sound = rig_start(RTP_CODEC_PCMU, 0);
	audio = rig->track;
	first = rig->n_units; /* behind the configuration */
	rig_feed_report(OLD_SSRC, ntp_of(taken_ns), sound->timestamp);
	rig->track = video;
	rig_feed_report(OLD_SSRC, ntp_of(taken_ns), pictures->timestamp);
	write_pictures(pictures, 20);
	for (int i = 0; i < 50; i++) {
		rtp_write_plain(sound, (const uint8_t *)"sound", 5);
		sound->timestamp += 160;
	}
	for (size_t v = 0, a = 0; v < pictures->n; v++) {
		if (v > 0 && pictures->packets[v].unit > pictures->packets[v - 1].unit)
			rig->now_ns += FRAME_NS;
		rig->track = audio;
		for (; a < 2 * pictures->packets[v].unit + 10; a++)
			rig_feed(&sound->packets[a]);
		rig->track = video;
		rig_feed(&pictures->packets[v]);
	}
	for (size_t i = first + 20; i < rig->n_units; i++) {
		const struct wrk_unit *unit = &rig->units[i].unit;

		ck_assert_int_lt(llabs(unit->captured_realtime_ns - taken_ns - unit->pts_ns -
				       (taken_ns - rig->units[first].unit.captured_realtime_ns)),
				 45 * NS_PER_MS);
		ck_assert(!(unit->flags & FRAME_DISCONTINUITY));
	}
	rig->track = audio;
	rtsp_track_free(&rig->track);
	rig->track = video;
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp-track-time");
	TCase *tcase = tcase_create("time");

	tcase_add_loop_test(tcase, test_captured_times, 0, 3);
	tcase_add_test(tcase, test_a_camera_without_a_clock);
	tcase_add_test(tcase, test_a_sender_that_begins_anew);
	tcase_add_test(tcase, test_a_sender_that_begins_anew_in_the_middle);
	tcase_add_test(tcase, test_a_name_for_each_packet);
	tcase_add_test(tcase, test_receiver_report);
	tcase_add_test(tcase, test_rtcp_that_is_none);
	tcase_add_test(tcase, test_sound_and_pictures);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
