/*
 * A track: units out are the units in, byte for byte, whatever order their packets come in; what
 * was lost is told; times, reports and configurations are right. Packets are written by
 * tests/rtp_writer.c.
 */
#include "config.h"

#include "tests/check_rtsp_track_rig.h"

#include "media/bytes.h"

#include <errno.h>

/* Byte for byte */

static void
write_units(struct rtp_writer *writer, enum rtp_codec codec, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rig_write_picture(writer, codec, i % 10 == 0);
}

/* All arrived, in order, unharmed, 40 ms apart. */
static void
assert_all_there(size_t n)
{
	ck_assert_uint_eq(rig->n_units, n);
	for (size_t i = 0; i < n; i++) {
		const struct rig_unit *unit = &rig->units[i];

		ck_assert_uint_eq(unit->len, rig->written[i].len);
		ck_assert_mem_eq(unit->data, rig->written[i].data, unit->len);
		ck_assert_uint_eq(unit->unit.flags, 0);
		ck_assert(!unit->unit.is_after_loss);
		ck_assert_int_eq(unit->unit.pts_ns, (int64_t)i * FRAME_NS);
		ck_assert_int_eq(unit->unit.dts_ns, (int64_t)i * FRAME_NS);
		ck_assert_int_eq(unit->unit.captured_realtime_ns, 0);
		ck_assert_uint_eq(unit->unit.track, FRAME_TRACK_VIDEO);
	}
}

static const struct {
	enum rtp_codec codec;
	enum frame_codec frame_codec;
	bool aggregates, is_udp;
} ways[] = {
	{ RTP_CODEC_H264, FRAME_CODEC_H264, false, false },
	{ RTP_CODEC_H264, FRAME_CODEC_H264, true, true },
	{ RTP_CODEC_H265, FRAME_CODEC_H265, true, false },
	{ RTP_CODEC_H265, FRAME_CODEC_H265, false, true },
};

START_TEST(test_units_out_are_units_in)
{
	struct rtp_writer *writer = rig_new(ways[_i].codec, ways[_i].is_udp ? WAIT_NS : 0);

	writer->aggregates = ways[_i].aggregates;
	write_units(writer, ways[_i].codec, 100);
	rig_feed_all(writer);
	assert_all_there(100);
	ck_assert_int_eq(rig->units[99].unit.codec, ways[_i].frame_codec);
	ck_assert_int_eq(rig->units[99].unit.kind, FRAME_KIND_VIDEO);
	ck_assert_uint_eq(rig->units[99].unit.duration_us, 40000);
	ck_assert_uint_eq(rtsp_track_stats(rig->track)->units, 100);
	ck_assert_uint_eq(rtsp_track_stats(rig->track)->packets, writer->n);
	ck_assert_int_eq(rtsp_track_stats(rig->track)->au_end, RTP_AU_END_MARKER);
}
END_TEST

/* Each unit arrives with its last packet, whenever that is. */
START_TEST(test_arrival_is_that_of_the_last_packet)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	write_units(writer, RTP_CODEC_H264, 20);
	for (size_t i = 0, unit = 0; i < writer->n; i++) {
		rig->now_ns += 1000003;
		rig_feed(&writer->packets[i]);
		if (i + 1 < writer->n && writer->packets[i + 1].unit == unit)
			continue;
		ck_assert_uint_eq(rig->n_units, ++unit);
		ck_assert_int_eq(rig->units[unit - 1].unit.arrived_monotonic_ns, rig->now_ns);
		ck_assert_int_eq(rig->units[unit - 1].unit.arrived_realtime_ns,
				 rig->now_ns + REALTIME_OFFSET_NS);
	}
}
END_TEST

/* Units lie in messages from their first byte on. */
START_TEST(test_units_are_messages)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	write_units(writer, RTP_CODEC_H264, 200);
	rig_feed_all(writer);
	for (size_t i = 0; i < rig->n_units; i++)
		ck_assert(rig->units[i].was_message);
	/* And after a while in messages of about the right size. */
	for (size_t i = 100; i < rig->n_units; i++)
		ck_assert_uint_lt(rig->units[i].spare, rig->units[i].len < 10000 ? 12000 : 70000);
}
END_TEST

START_TEST(test_reordered_packets)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, WAIT_NS);

	write_units(writer, RTP_CODEC_H264, 100);
	/* The first packet tells where the numbers begin. */
	for (size_t i = 1; i + 8 < writer->n; i += 8)
		for (size_t j = 7; j > 0; j--)
			rig_swap(&writer->packets[i + j], &writer->packets[i + rig_random(j + 1)]);
	for (size_t i = 0; i < writer->n; i++, rig->now_ns += NS_PER_MS)
		rig_feed(&writer->packets[i]);
	assert_all_there(100);
	ck_assert_uint_gt(rtsp_track_stats(rig->track)->reordered, 100);
	ck_assert_uint_eq(rtsp_track_stats(rig->track)->lost, 0);
}
END_TEST

/* Loss */

static void
assert_bytes(size_t i, const void *data, size_t len)
{
	ck_assert_uint_lt(i, rig->n_units);
	ck_assert_uint_eq(rig->units[i].len, len);
	ck_assert_mem_eq(rig->units[i].data, data, len);
}

static bool
is_whole(const struct rtp_writer *writer, const bool *is_lost, size_t unit)
{
	for (size_t i = 0; i < writer->n; i++)
		if (writer->packets[i].unit == unit && is_lost[i])
			return false;
	return true;
}

/* A key frame of which the packet with the parameter sets was lost, between two units as far as
 * anybody can tell: its slices are whole, and its sets are known from before. */
static bool
lacks_sets_only(const struct rig_unit *unit, const struct rtp_nal *written)
{
	size_t missing = written->len - unit->len;

	return unit->unit.is_after_loss && unit->len < written->len && missing < 50 &&
	       memcmp(unit->data, written->data + missing, unit->len) == 0;
}

/* Whatever comes is what was sent, or says that it is not. */
static void
assert_honest(const struct rtp_writer *writer, const bool *is_lost)
{
	size_t next = 0;

	for (size_t i = 0; i < rig->n_units; i++) {
		const struct rig_unit *unit = &rig->units[i];
		size_t n = (size_t)(unit->unit.pts_ns / FRAME_NS);
		bool is_same = unit->len == rig->written[n].len &&
			       memcmp(unit->data, rig->written[n].data, unit->len) == 0;

		ck_assert_uint_ge(n, next);
		ck_assert_int_eq(unit->unit.pts_ns % FRAME_NS, 0);
		ck_assert(is_same || (unit->unit.flags & FRAME_CORRUPT) ||
			  lacks_sets_only(unit, &rig->written[n]));
		ck_assert(!is_whole(writer, is_lost, n) || is_same);
		/* A unit that never came is told with the next one. */
		ck_assert(n == next || unit->unit.is_after_loss);
		next = n + 1;
	}
	for (size_t n = 0, i = 0; n < writer->units; n++) {
		while (i < rig->n_units && rig->units[i].unit.pts_ns < (int64_t)n * FRAME_NS)
			i++;
		if (is_whole(writer, is_lost, n) && n + 1 < writer->units)
			ck_assert(i < rig->n_units &&
				  rig->units[i].unit.pts_ns == (int64_t)n * FRAME_NS);
	}
}

START_TEST(test_loss_is_told)
{
	static bool is_lost[RTP_WRITER_MAX];
	struct rtp_writer *writer = rig_new(ways[_i].codec, ways[_i].is_udp ? WAIT_NS : 0);
	size_t n_lost = 0;

	memset(is_lost, 0, sizeof(is_lost));
	writer->aggregates = ways[_i].aggregates;
	write_units(writer, ways[_i].codec, 300);
	for (size_t i = 0; i < writer->n; i++) {
		is_lost[i] =
		    writer->packets[i].unit > 0 && i + 1 < writer->n && rig_random(25) == 0;
		n_lost += is_lost[i];
	}
	for (size_t i = 0; i < writer->n; i++) {
		if (i == 0 || writer->packets[i].unit != writer->packets[i - 1].unit)
			rig->now_ns += FRAME_NS;
		if (!is_lost[i])
			rig_feed(&writer->packets[i]);
	}
	rig->now_ns += 2 * WAIT_NS;
	rtsp_track_tick(rig->track, rig->now_ns);
	assert_honest(writer, is_lost);
	ck_assert_uint_eq(rtsp_track_stats(rig->track)->lost, n_lost);
	ck_assert_uint_gt(rtsp_track_stats(rig->track)->damaged, 0);
}
END_TEST

START_TEST(test_a_hole_is_given_up_in_time)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, WAIT_NS);
	size_t second = 0;

	write_units(writer, RTP_CODEC_H264, 3);
	while (writer->packets[second].unit == 0)
		rig_feed(&writer->packets[second++]);
	ck_assert_uint_eq(rig->n_units, 1);
	ck_assert_int_eq(rtsp_track_due_ns(rig->track), INT64_MAX);
	for (size_t i = second + 1; i < writer->n; i++)
		rig_feed(&writer->packets[i]);
	ck_assert_uint_eq(rig->n_units, 1);
	ck_assert_int_eq(rtsp_track_due_ns(rig->track), rig->now_ns + WAIT_NS);
	rtsp_track_tick(rig->track, rig->now_ns + WAIT_NS - 1);
	ck_assert_uint_eq(rig->n_units, 1);
	rtsp_track_tick(rig->track, rig->now_ns + WAIT_NS);
	ck_assert_uint_ge(rig->n_units, 2);
	ck_assert(rig->units[1].unit.is_after_loss || rig->units[1].unit.flags & FRAME_CORRUPT);
	ck_assert_int_eq(rtsp_track_due_ns(rig->track), INT64_MAX);
}
END_TEST

/* What the bus does not take is dropped whole; the memory for the next unit stays bounded. */
START_TEST(test_units_are_bounded)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);
	size_t lens[] = { 2000, FRAME_PAYLOAD_MAX - 4, 2000, FRAME_PAYLOAD_MAX - 3, 2000, 3000 };

	writer->mtu = 60000;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		rig_write_slice(writer, lens[i]);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct rtp_nal *written = &rig->written[i < 3 ? i : i + 1];

		assert_bytes(i, written->data, written->len);
		ck_assert(rig->units[i].unit.is_after_loss == (i == 3));
	}
}
END_TEST

/* Cameras and their marker */

START_TEST(test_without_markers)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	writer->no_marker = true;
	write_units(writer, RTP_CODEC_H264, 101);
	rig_feed_all(writer);
	ck_assert_int_eq(rtsp_track_stats(rig->track)->au_end, RTP_AU_END_NEVER);
	assert_all_there(100);
}
END_TEST

/* Other formats */

START_TEST(test_jpeg)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_JPEG, 0);
	uint8_t scan[5000], tables[128];

	for (size_t i = 0; i < sizeof(tables); i++)
		tables[i] = (uint8_t)(i + 1);
	for (size_t i = 0; i < sizeof(scan); i++)
		scan[i] = (uint8_t)(i % 251);
	rtp_write_jpeg(writer, 640, 360, tables, scan, sizeof(scan));
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 1);
	ck_assert_int_eq(rig->units[0].unit.kind, FRAME_KIND_JPEG);
	ck_assert_int_eq(rig->units[0].unit.codec, FRAME_CODEC_MJPEG);
	ck_assert_uint_eq(rig->units[0].unit.track, FRAME_TRACK_VIDEO);
	ck_assert_mem_eq(rig->units[0].data, "\xff\xd8\xff", 3);
	ck_assert_ptr_nonnull(memmem(rig->units[0].data, rig->units[0].len, tables, 64));
	ck_assert_ptr_nonnull(memmem(rig->units[0].data, rig->units[0].len, tables + 64, 64));
	ck_assert_ptr_nonnull(memmem(rig->units[0].data, rig->units[0].len, scan, sizeof(scan)));
	ck_assert_mem_eq(rig->units[0].data + rig->units[0].len - 2, "\xff\xd9", 2);
}
END_TEST

START_TEST(test_aac)
{
	static const struct rtp_nal frames[3] = { { (const uint8_t *)"one", 3 },
						  { (const uint8_t *)"two!", 4 },
						  { (const uint8_t *)"three", 5 } };
	struct rtp_writer *writer;

	rig_prepare();
	rig->format.config = (uint8_t *)"\x12\x10";
	rig->format.config_len = 2;
	writer = rig_start(RTP_CODEC_AAC, 0);
	ck_assert_int_eq(rig->units[0].unit.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->units[0].unit.track, FRAME_TRACK_AUDIO);
	ck_assert_int_gt(rig->units[0].unit.arrived_realtime_ns, 0);
	assert_bytes(0, "\x12\x10", 2);
	rtp_write_aac(writer, frames, 3);
	writer->timestamp += 3 * 1024;
	rtp_write_aac(writer, frames, 1);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 5);
	for (size_t i = 0; i < 4; i++) {
		assert_bytes(1 + i, frames[i % 3].data, frames[i % 3].len);
		ck_assert_int_eq(rig->units[1 + i].unit.kind, FRAME_KIND_AUDIO);
		ck_assert_int_eq(rig->units[1 + i].unit.codec, FRAME_CODEC_AAC);
		ck_assert_int_eq(rig->units[1 + i].unit.pts_ns,
				 (int64_t)i * 1024 * NS_PER_S / 44100);
		ck_assert_uint_eq(rig->units[1 + i].unit.duration_us, 1024 * 1000000 / 44100);
	}
}
END_TEST

static const struct {
	enum rtp_codec codec;
	enum frame_codec frame_codec;
	uint32_t rate, ticks;
	const char *config;
	size_t config_len;
} sounds[] = {
	{ RTP_CODEC_PCMU, FRAME_CODEC_PCMU, 8000, 160, "\0\0\x1f\x40\1\x08\0\0", 8 },
	{ RTP_CODEC_PCMA, FRAME_CODEC_PCMA, 8000, 160, "\0\0\x1f\x40\1\x08\0\0", 8 },
	{ RTP_CODEC_L16, FRAME_CODEC_L16, 44100, 882, "\0\0\xac\x44\1\x10\0\0", 8 },
	{ RTP_CODEC_OPUS, FRAME_CODEC_OPUS, 48000, 960, "OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0", 19 },
};

START_TEST(test_sound_as_it_is)
{
	struct rtp_writer *writer = rig_new(sounds[_i].codec, WAIT_NS);
	uint8_t payload[160];

	for (int n = 0; n < 50; n++) {
		memset(payload, n, sizeof(payload));
		payload[0] = 0x08; /* Opus: one frame of 20 ms */
		rtp_write_plain(writer, payload, sizeof(payload));
		writer->timestamp += sounds[_i].ticks;
	}
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 51);
	ck_assert_int_eq(rig->units[0].unit.kind, FRAME_KIND_CONFIG);
	ck_assert_int_eq(rig->units[0].unit.codec, sounds[_i].frame_codec);
	assert_bytes(0, sounds[_i].config, sounds[_i].config_len);
	for (size_t n = 1; n <= 50; n++) {
		memset(payload, (int)n - 1, sizeof(payload));
		payload[0] = 0x08;
		assert_bytes(n, payload, sizeof(payload));
		ck_assert_int_eq(rig->units[n].unit.codec, sounds[_i].frame_codec);
		ck_assert_int_eq(rig->units[n].unit.pts_ns, (int64_t)(n - 1) * 20 * NS_PER_MS);
		ck_assert_uint_eq(rig->units[n].unit.flags, 0);
	}
}
END_TEST

START_TEST(test_what_is_not_for_a_track)
{
	struct rtsp_track_config config = { .format = &rig_no_format };
	struct rtsp_tracks tracks = { .wrk = NULL };

	ck_assert_ptr_null(rtsp_track_new(&tracks, &config));
	rig_new(RTP_CODEC_H264, 0);
	ck_assert_int_eq(rtsp_track_rtp(rig->track, (const uint8_t *)"", 0, 1, 1), -EPROTO);
	ck_assert_int_eq(
	    rtsp_track_rtp(rig->track, (const uint8_t *)"GET / HTTP/1.1\r\n", 16, 1, 1), -EPROTO);
	ck_assert_int_eq(rtsp_track_stats(rig->track)->last_packet_ns, 0);
	ck_assert_uint_eq(rtsp_track_report(rig->track, 1, rig->report), 0);
}
END_TEST

/* Comfort noise among sound is none; a camera that always sends another type than it said is
 * believed. */
START_TEST(test_other_payload_types)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_PCMU, 0);

	for (int n = 0; n < 200; n++) {
		writer->payload_type = n % 4 == 3 ? 13 : 96;
		rtp_write_plain(writer, (const uint8_t *)"abcd", 4);
		writer->timestamp += 4;
	}
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 1 + 150); /* the configuration first */
}
END_TEST

START_TEST(test_another_payload_type_than_described)
{
	struct rtp_writer *writer = rig_new(RTP_CODEC_H264, 0);

	writer->payload_type = 35;
	write_units(writer, RTP_CODEC_H264, 40);
	rig_feed_all(writer);
	ck_assert_uint_ge(rig->n_units, 20);
}
END_TEST

/* Parameter sets */

START_TEST(test_described_sets_come_first)
{
	rig_prepare();
	rig->format.config = (uint8_t *)SETS_720;
	rig->format.config_len = sizeof(SETS_720) - 1;
	rig_start(RTP_CODEC_H264, 0);
	ck_assert_uint_eq(rig->n_units, 1);
	ck_assert_int_eq(rig->units[0].unit.kind, FRAME_KIND_CONFIG);
	ck_assert_int_eq(rig->units[0].unit.codec, FRAME_CODEC_H264);
	assert_bytes(0, SETS_720, sizeof(SETS_720) - 1);
}
END_TEST

/* Main profile, 1280x720, poc type 2, no VUI: written by hand. */
#define SILENT_SPS "\x67\x4d\x00\x1f\xda\x01\x40\x16\xe4"
#define PPS        "\x68\xce\x0f\xc8"
#define SLICE      "\x65\x88\x80\x11\x22"

/* The sets of a stream that never reorders tell so; all else stays as it was. */
START_TEST(test_sets_are_rewritten)
{
	static const char described[] = "\0\0\0\1" SILENT_SPS "\0\0\0\1" PPS;
	static const struct rtp_nal nals[3] = { { BYTES(SILENT_SPS) },
						{ BYTES(PPS) },
						{ BYTES(SLICE) } };
	const struct rig_unit *config;
	struct rtp_writer *writer;

	rig_prepare();
	config = &rig->units[0];
	rig->tracks.keep_vui = false;
	rig->format.config = (uint8_t *)(uintptr_t)described;
	rig->format.config_len = sizeof(described) - 1;
	writer = rig_start(RTP_CODEC_H264, 0);
	rtp_write_h264(writer, nals, 3);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->n_units, 2);
	ck_assert_int_eq(config->unit.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_gt(config->len, sizeof(described) - 1);
	ck_assert_uint_lt(config->len, sizeof(described) - 1 + 20);
	ck_assert_mem_eq(config->data, described, 4 + 4);
	/* In band the same sets, then the slice as it came. */
	ck_assert_uint_eq(rig->units[1].len, config->len + 4 + sizeof(SLICE) - 1);
	ck_assert_mem_eq(rig->units[1].data, config->data, config->len);
	ck_assert_mem_eq(rig->units[1].data + config->len, "\0\0\0\1" SLICE, 4 + sizeof(SLICE) - 1);
	/* And all of it as it came when that is asked for. */
	rtsp_track_free(&rig->track);
	rig->tracks.keep_vui = true;
	writer = rig_start(RTP_CODEC_H264, 0);
	rtp_write_h264(writer, nals, 3);
	rig_feed_all(writer);
	assert_bytes(2, described, sizeof(described) - 1);
	ck_assert_uint_eq(rig->units[3].len, sizeof(described) - 1 + 4 + sizeof(SLICE) - 1);
	ck_assert_mem_eq(rig->units[3].data, described, sizeof(described) - 1);
}
END_TEST

/* As SILENT_SPS, but poc type 0: pictures may be reordered. Slices with 4 bits of frame_num and of
 * pic_order_cnt_lsb. */
#define OPEN_SPS  "\x67\x4d\x00\x1f\xf4\x02\x80\x2d\xc8"
#define IDR_POC_0 "\x65\x88\x84\x3f\x55\x66"
#define P_POC_4   "\x41\x9a\x29\x55\x66"
#define B_POC_2   "\x01\x9e\x45\x55\x66"
#define P_POC_8   "\x41\x9a\x51\x55\x66"

/* A stream that reorders after all: nothing is told any more, and what a decoder would show in the
 * wrong order is marked until the camera's own sets are there: in band, or (_i 1) told with the
 * next key frame. */
START_TEST(test_b_frames_end_the_rewriting)
{
	static const char described[] = "\0\0\0\1" OPEN_SPS "\0\0\0\1" PPS;
	static const struct rtp_nal key[3] = { { BYTES(OPEN_SPS) },
					       { BYTES(PPS) },
					       { BYTES(IDR_POC_0) } };
	static const struct rtp_nal p = { BYTES(P_POC_4) };
	static const struct rtp_nal p8 = { BYTES(P_POC_8) };
	static const struct rtp_nal b = { BYTES(B_POC_2) };
	static const struct rtp_nal *const order[] = { key, &p, &b, &p8, key, &p };
	static const uint16_t flags[] = { 0, 0, FRAME_CORRUPT, FRAME_CORRUPT, 0, 0 };
	struct rtp_writer *writer;
	size_t n = 0, configs = 0;

	rig_prepare();
	rig->tracks.keep_vui = false;
	writer = rig_start(RTP_CODEC_H264, 0);
	for (size_t i = 0; i < 6; i++) {
		bool has_sets = i == 0 || (i == 4 && _i == 0);

		rtp_write_h264(writer, order[i] + (i == 4 && !has_sets ? 2 : 0), has_sets ? 3 : 1);
		writer->timestamp += 3600;
	}
	rig_feed_all(writer);
	for (size_t i = 0; i < rig->n_units; i++) {
		if (rig->units[i].unit.kind == FRAME_KIND_CONFIG) {
			assert_bytes(i, described, sizeof(described) - 1);
			ck_assert_uint_eq(n, 4); /* before the second key frame */
			ck_assert_uint_eq(rig->units[i].unit.flags, 0);
			configs++;
			continue;
		}
		ck_assert_uint_eq(rig->units[i].unit.flags, flags[n]);
		n++;
	}
	ck_assert_uint_eq(n, 6);
	ck_assert_uint_eq(configs, (size_t)_i);
	if (_i == 0)
		ck_assert_mem_eq(rig->units[rig->n_units - 2].data, described,
				 sizeof(described) - 1);
}
END_TEST

START_TEST(test_a_described_rate)
{
	struct rtp_writer *writer;

	rig_prepare();
	rig->framerate = 12.5;
	writer = rig_start(RTP_CODEC_H264, 0);
	write_units(writer, RTP_CODEC_H264, 1);
	rig_feed_all(writer);
	ck_assert_uint_eq(rig->units[0].unit.duration_us, 80000);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp-track");
	TCase *tcase = tcase_create("units");

	tcase_add_loop_test(tcase, test_units_out_are_units_in, 0, 4);
	tcase_add_test(tcase, test_arrival_is_that_of_the_last_packet);
	tcase_add_test(tcase, test_units_are_messages);
	tcase_add_test(tcase, test_reordered_packets);
	tcase_add_loop_test(tcase, test_loss_is_told, 0, 4);
	tcase_add_test(tcase, test_a_hole_is_given_up_in_time);
	tcase_add_test(tcase, test_units_are_bounded);
	tcase_add_test(tcase, test_without_markers);
	tcase_add_test(tcase, test_jpeg);
	tcase_add_test(tcase, test_aac);
	tcase_add_loop_test(tcase, test_sound_as_it_is, 0, sizeof(sounds) / sizeof(sounds[0]));
	tcase_add_test(tcase, test_what_is_not_for_a_track);
	tcase_add_test(tcase, test_other_payload_types);
	tcase_add_test(tcase, test_another_payload_type_than_described);
	tcase_add_test(tcase, test_described_sets_come_first);
	tcase_add_test(tcase, test_sets_are_rewritten);
	tcase_add_loop_test(tcase, test_b_frames_end_the_rewriting, 0, 2);
	tcase_add_test(tcase, test_a_described_rate);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
