/*
 * Bus messages for tests of the http front: real parameter sets of two sizes, slices of which only
 * the headers are real, and a JPEG that is whole as far as anybody looks who does not decode.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_FRAMES_H
#define CAMHUB_TESTS_CHECK_HTTP_FRAMES_H

#include "shared/bus.h"

#include <string.h>

#define SUBSCRIBER 7u
#define EPOCH      100u
#define FRAME_MS   40

#define SETS_720                                                                                   \
	"\0\0\0\1\x67\x42\xc0\x1f\xda\x01\x40\x16\xec\x04\x40\x00\x00\x03\x00\x40\x00\x00\x0c\xa3" \
	"\xc6\x0c\xa8\0\0\0\1\x68\xce\x0f\xc8"
#define SETS_360                                                                                   \
	"\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\xc0\x44\x00\x00\x03\x00\x04\x00\x00\x03\x00" \
	"\xca\x3c\x58\xba\x80\0\0\0\1\x68\xce\x0f\xc8"
#define SLICE_IDR "\0\0\0\1\x65\x88\x80\x11\x22\x33\x80"
#define SLICE_P   "\0\0\0\1\x41\x9a\x44\x55\x66\x80"
#define JPEG_BYTES                                                                                 \
	"\xff\xd8\xff\xc0\x00\x11\x08\x01\x68\x02\x80\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"     \
	"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00\x12\x34\xff\xd9"

/* A worker: counts as one does. */
struct feed {
	uint32_t stream_id;
	uint64_t epoch, seq;
	uint32_t gop_id, gop_index, version;
	int64_t time_ms;
	size_t padding; /* bytes appended to each slice */
	uint16_t flags; /* added to the next message */
	uint32_t for_subscriber;
	int64_t captured_ns; /* of each message */
	uint64_t sound_seq;
	int64_t sound_ms; /* of the next frame of sound */
};

#define FEED_ARRIVED_NS(time_ms) (1700000000000000000 + (time_ms)*1000000)

static inline struct feed
feed_new(uint64_t epoch)
{
	return (struct feed){
		.stream_id = 1, .epoch = epoch, .version = 1, .time_ms = 5000, .sound_ms = 5000
	};
}

static inline struct bus_msg *
feed_msg(struct feed *feed, enum frame_kind kind, enum frame_codec codec, const void *bytes,
	 size_t len, uint16_t flags)
{
	uint8_t buf[1 << 16];
	struct frame frame = {
		.stream_id = feed->stream_id,
		.kind = kind,
		.track = FRAME_TRACK_VIDEO,
		.flags = flags | feed->flags,
		.codec = codec,
		.epoch = feed->epoch,
		.seq = ++feed->seq,
		.gop_id = feed->gop_id,
		.gop_index = feed->gop_index,
		.pts_ns = feed->time_ms * 1000000,
		.dts_ns = feed->time_ms * 1000000,
		.arrived_monotonic_ns = feed->time_ms * 1000000,
		/* Times that are about to overflow are tried, too. */
		.arrived_realtime_ns =
		    (int64_t)(1700000000000000000U + (uint64_t)feed->time_ms * 1000000U),
		.captured_realtime_ns = feed->captured_ns,
		.config_version = feed->version,
		.width = 640,
		.height = 360,
		.for_subscriber = feed->for_subscriber,
	};

	memcpy(buf, bytes, len);
	if (kind == FRAME_KIND_VIDEO) {
		memset(buf + len, 0x55, feed->padding);
		len += feed->padding;
	}
	if (kind != FRAME_KIND_CONFIG)
		feed->time_ms += FRAME_MS;
	feed->flags = 0;
	return bus_msg_new(&frame, buf, len);
}

static inline struct bus_msg *
feed_config(struct feed *feed, bool large)
{
	return large ? feed_msg(feed, FRAME_KIND_CONFIG, FRAME_CODEC_H264, SETS_720,
				sizeof(SETS_720) - 1, 0)
		     : feed_msg(feed, FRAME_KIND_CONFIG, FRAME_CODEC_H264, SETS_360,
				sizeof(SETS_360) - 1, 0);
}

static inline struct bus_msg *
feed_key(struct feed *feed)
{
	feed->gop_id++;
	feed->gop_index = 0;
	return feed_msg(feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, SLICE_IDR, sizeof(SLICE_IDR) - 1,
			FRAME_KEY);
}

static inline struct bus_msg *
feed_delta(struct feed *feed)
{
	feed->gop_index++;
	return feed_msg(feed, FRAME_KIND_VIDEO, FRAME_CODEC_H264, SLICE_P, sizeof(SLICE_P) - 1, 0);
}

static inline struct bus_msg *
feed_jpeg(struct feed *feed)
{
	return feed_msg(feed, FRAME_KIND_JPEG, FRAME_CODEC_MJPEG, JPEG_BYTES,
			sizeof(JPEG_BYTES) - 1, FRAME_KEY);
}

#define SOUND_MS     20
#define SOUND_CONFIG "\0\0\x1f\x40\1\x08\0\0" /* G.711, 8000 Hz, mono */
#define SOUND_BYTES  160

static inline struct bus_msg *
feed_sound_msg(struct feed *feed, enum frame_kind kind, enum frame_codec codec, const void *bytes,
	       size_t len)
{
	struct frame frame = {
		.stream_id = feed->stream_id,
		.kind = kind,
		.track = FRAME_TRACK_AUDIO,
		.flags = feed->flags,
		.codec = codec,
		.epoch = feed->epoch,
		.seq = ++feed->sound_seq,
		.pts_ns = feed->sound_ms * 1000000,
		.dts_ns = feed->sound_ms * 1000000,
		.config_version = 1,
	};

	feed->flags = 0;
	return bus_msg_new(&frame, bytes, len);
}

static inline struct bus_msg *
feed_sound_config(struct feed *feed)
{
	return feed_sound_msg(feed, FRAME_KIND_CONFIG, FRAME_CODEC_PCMA, SOUND_CONFIG,
			      sizeof(SOUND_CONFIG) - 1);
}

/* 20 ms of A-law, none of it silent. */
static inline struct bus_msg *
feed_sound(struct feed *feed)
{
	uint8_t bytes[SOUND_BYTES];
	struct bus_msg *msg;

	memset(bytes, 0x2a, sizeof(bytes));
	msg = feed_sound_msg(feed, FRAME_KIND_AUDIO, FRAME_CODEC_PCMA, bytes, sizeof(bytes));
	feed->sound_ms += SOUND_MS;
	return msg;
}

/* The same message as a replay for somebody. */
static inline struct bus_msg *
feed_replayed(const struct bus_msg *msg, uint32_t subscriber)
{
	struct frame frame = msg->frame;

	frame.flags |= FRAME_REPLAY;
	frame.for_subscriber = subscriber;
	return bus_msg_new(&frame, msg->payload, msg->frame.payload_len);
}

static inline struct bus_msg *
feed_status(const struct feed *feed, const char *json, uint32_t subscriber)
{
	struct frame frame = { .stream_id = feed->stream_id,
			       .kind = FRAME_KIND_STATUS,
			       .epoch = feed->epoch,
			       .for_subscriber = subscriber };

	return bus_msg_new(&frame, json, strlen(json));
}

#endif
