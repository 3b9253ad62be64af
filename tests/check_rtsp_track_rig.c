/*
 * The worker that keeps what it is given, and pictures to be sent.
 */
#include "config.h"

#include "tests/check_rtsp_track_rig.h"

#include "publish/wrk.h"
#include "shared/bus.h"
#include "shared/xalloc.h"

#include <stdlib.h>

#define SMALL_MAX 9000
#define KEY_MIN   30000
#define KEY_MAX   70000

struct rig *rig;
const struct rtp_format rig_no_format = { .codec = RTP_CODEC_NONE, .clock_rate = 90000 };

/* In place of publish/wrk.c */

void
wrk_deliver(struct wrk *wrk, const struct wrk_unit *unit)
{
	struct rig_unit *kept = &rig->units[rig->n_units++];
	struct bus_msg *msg = unit->msg;

	(void)wrk;
	ck_assert_uint_lt(rig->n_units, sizeof(rig->units) / sizeof(rig->units[0]));
	kept->unit = *unit;
	kept->len = unit->len;
	kept->data = xcalloc(1, unit->len + 1);
	memcpy(kept->data, unit->data, unit->len);
	if (msg != NULL) {
		kept->was_message = msg->payload == unit->data && msg->refs == 1;
		bus_msg_finish(msg, &(struct frame){ .kind = FRAME_KIND_VIDEO }, unit->len);
		kept->spare = bus_msg_spare(msg);
		bus_msg_unref(&msg);
	}
}

struct clock *
wrk_clock(const struct wrk *wrk)
{
	(void)wrk;
	return rig->clock;
}

/* The rig */

static void
rig_free(void *arg)
{
	rtsp_track_free(&rig->track);
	rtsp_track_free(&rig->track); /* harmless */
	clock_free(&rig->clock);
	for (size_t i = 0; i < rig->n_units; i++)
		free(rig->units[i].data);
	for (size_t i = 0; i < rig->n_written; i++)
		free((void *)(uintptr_t)rig->written[i].data);
	free(arg);
}

void
rig_prepare(void)
{
	rig = xcalloc(1, sizeof(*rig));
	rig->clock = clock_new_fake(NS_PER_S);
	rig->now_ns = 5 * NS_PER_S;
	rig->random = 1;
	rig->tracks.keep_vui = true;
	rig->format = (struct rtp_format){ .payload_type = 96 };
	harness_defer(rig_free, rig);
}

static uint32_t
rate_of(enum rtp_codec codec)
{
	switch (codec) {
	case RTP_CODEC_AAC:
		return 44100;
	case RTP_CODEC_OPUS:
		return 48000;
	case RTP_CODEC_L16:
		return 44100;
	case RTP_CODEC_PCMU:
	case RTP_CODEC_PCMA:
		return 8000;
	default:
		return 90000;
	}
}

struct rtp_writer *
rig_start(enum rtp_codec codec, int64_t wait_ns)
{
	struct rtsp_track_config config = { .format = &rig->format,
					    .wait_ns = wait_ns,
					    .our_ssrc = 0xaabbccdd,
					    .framerate = rig->framerate };
	struct rtp_writer *writer = rtp_writer_new(96);

	harness_defer(rtp_writer_free, writer);
	rig->format.codec = codec;
	rig->format.clock_rate = rate_of(codec);
	rig->format.channels = rtp_codec_is_video(codec) ? 0 : 1;
	if (codec == RTP_CODEC_AAC) {
		rig->format.size_length = 13;
		rig->format.index_length = rig->format.index_delta_length = 3;
	}
	rig->track = rtsp_track_new(&rig->tracks, &config);
	ck_assert_ptr_nonnull(rig->track);
	return writer;
}

struct rtp_writer *
rig_new(enum rtp_codec codec, int64_t wait_ns)
{
	rig_prepare();
	return rig_start(codec, wait_ns);
}

uint32_t
rig_random(uint32_t below)
{
	rig->random = rig->random * 1664525u + 1013904223u;
	return (rig->random >> 8) % below;
}

void
rig_swap(struct rtp_written *a, struct rtp_written *b)
{
	struct rtp_written kept = *a;

	*a = *b;
	*b = kept;
}

/* Pictures */

struct picture {
	struct rtp_nal nals[8];
	size_t n;
	uint8_t *annexb;
	size_t len;
};

static void
add(struct picture *picture, const void *nal, size_t len)
{
	static const uint8_t start_code[4] = { 0, 0, 0, 1 };

	memcpy(picture->annexb + picture->len, start_code, sizeof(start_code));
	picture->len += sizeof(start_code);
	memcpy(picture->annexb + picture->len, nal, len);
	picture->nals[picture->n++] = (struct rtp_nal){ picture->annexb + picture->len, len };
	picture->len += len;
}

/* Of a slice only the beginning is real; no zero, so that nothing looks like a start code. */
static void
add_slice(struct picture *picture, const char *head, size_t len)
{
	uint8_t *slice = xcalloc(1, len);

	for (size_t i = 0; i < len; i++)
		slice[i] = (uint8_t)(1 + rig_random(255));
	memcpy(slice, head, strlen(head));
	add(picture, slice, len);
	free(slice);
}

static void
draw_h264(struct picture *picture, bool is_key)
{
	if (is_key) {
		/* Behind the start codes of the fixture. */
		add(picture, SETS_720 + 4, sizeof(SETS_720) - 1 - 12);
		add(picture, SETS_720 + sizeof(SETS_720) - 1 - 4, 4);
		add_slice(picture, "\x65\x88\x80", KEY_MIN + rig_random(KEY_MAX - KEY_MIN));
		return;
	}
	add_slice(picture, "\x41\x9a\x44", 20 + rig_random(SMALL_MAX));
	for (uint32_t more = rig_random(3); more > 0; more--)
		add_slice(picture, "\x41\x06\x44", 20 + rig_random(SMALL_MAX / 4));
}

static void
draw_h265(struct picture *picture, bool is_key)
{
	if (is_key) {
		add(picture, "\x40\x01vps", 5);
		add(picture, "\x42\x01sps", 5);
		add(picture, "\x44\x01pps", 5);
		add_slice(picture, "\x26\x01\xa0", KEY_MIN + rig_random(KEY_MAX - KEY_MIN));
		return;
	}
	add_slice(picture, "\x02\x01\xd0", 20 + rig_random(SMALL_MAX));
	for (uint32_t more = rig_random(3); more > 0; more--)
		add_slice(picture, "\x02\x01\x50", 20 + rig_random(SMALL_MAX / 4));
}

void
rig_write_picture(struct rtp_writer *writer, enum rtp_codec codec, bool is_key)
{
	struct picture picture = { .annexb = xcalloc(1, KEY_MAX + 1024) };

	if (codec == RTP_CODEC_H265) {
		draw_h265(&picture, is_key);
		rtp_write_h265(writer, picture.nals, picture.n);
	} else {
		draw_h264(&picture, is_key);
		rtp_write_h264(writer, picture.nals, picture.n);
	}
	writer->timestamp += 3600;
	rig->written[rig->n_written++] = (struct rtp_nal){ picture.annexb, picture.len };
}

void
rig_write_slice(struct rtp_writer *writer, size_t len)
{
	struct picture picture = { .annexb = xcalloc(1, len + 4) };

	add_slice(&picture, "\x41\x9a\x44", len);
	rtp_write_h264(writer, picture.nals, picture.n);
	writer->timestamp += 3600;
	rig->written[rig->n_written++] = (struct rtp_nal){ picture.annexb, picture.len };
}

/* Feeding */

void
rig_feed(const struct rtp_written *packet)
{
	ck_assert_int_eq(rtsp_track_rtp(rig->track, packet->data, packet->len, rig->now_ns,
					rig->now_ns + REALTIME_OFFSET_NS),
			 0);
}

void
rig_feed_all(const struct rtp_writer *writer)
{
	for (size_t i = 0; i < writer->n; i++) {
		if (i > 0 && writer->packets[i].unit > writer->packets[i - 1].unit)
			rig->now_ns += FRAME_NS;
		rig_feed(&writer->packets[i]);
	}
}

void
rig_feed_report(uint32_t ssrc, uint64_t ntp, uint32_t timestamp)
{
	uint8_t packet[28];

	rtsp_track_rtcp(rig->track, packet, rtp_write_sr(packet, ssrc, ntp, timestamp), rig->now_ns,
			rig->now_ns + REALTIME_OFFSET_NS);
}
