/*
 * The bus header, byte by byte.
 */
#include "config.h"

#include "shared/frame.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Offsets of docs/protocol.md, "The bus". */
enum {
	AT_MAGIC = 0,
	AT_STREAM_ID = 4,
	AT_KIND = 8,
	AT_TRACK = 9,
	AT_FLAGS = 10,
	AT_HEADER_LEN = 12,
	AT_CODEC = 14,
	AT_EPOCH = 16,
	AT_SEQ = 24,
	AT_GOP_ID = 32,
	AT_GOP_INDEX = 36,
	AT_PTS = 40,
	AT_DTS = 48,
	AT_DURATION = 56,
	AT_CONFIG_VERSION = 60,
	AT_ARRIVED_REALTIME = 64,
	AT_ARRIVED_MONOTONIC = 72,
	AT_WIDTH = 80,
	AT_HEIGHT = 82,
	AT_PAYLOAD_LEN = 84,
	AT_CRC32C = 88, /* 0: not used */
	AT_RESERVED = 92,
	AT_CAPTURED_REALTIME = 96,
	AT_FOR_SUBSCRIBER = 104,
	AT_RESERVED2 = 108,
};

static void
put(uint8_t *out, size_t at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[at + i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
get(const uint8_t *in, size_t at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)in[at + i] << (8 * i);
	return value;
}

void
frame_encode(const struct frame *frame, uint8_t out[FRAME_HEADER_BYTES])
{
	memset(out, 0, FRAME_HEADER_BYTES);
	put(out, AT_MAGIC, FRAME_MAGIC, 4);
	put(out, AT_STREAM_ID, frame->stream_id, 4);
	put(out, AT_KIND, frame->kind, 1);
	put(out, AT_TRACK, frame->track, 1);
	put(out, AT_FLAGS, frame->flags, 2);
	put(out, AT_HEADER_LEN, FRAME_HEADER_BYTES, 2);
	put(out, AT_CODEC, frame->codec, 2);
	put(out, AT_EPOCH, frame->epoch, 8);
	put(out, AT_SEQ, frame->seq, 8);
	put(out, AT_GOP_ID, frame->gop_id, 4);
	put(out, AT_GOP_INDEX, frame->gop_index, 4);
	put(out, AT_PTS, (uint64_t)frame->pts_ns, 8);
	put(out, AT_DTS, (uint64_t)frame->dts_ns, 8);
	put(out, AT_DURATION, frame->duration_us, 4);
	put(out, AT_CONFIG_VERSION, frame->config_version, 4);
	put(out, AT_ARRIVED_REALTIME, (uint64_t)frame->arrived_realtime_ns, 8);
	put(out, AT_ARRIVED_MONOTONIC, (uint64_t)frame->arrived_monotonic_ns, 8);
	put(out, AT_WIDTH, frame->width, 2);
	put(out, AT_HEIGHT, frame->height, 2);
	put(out, AT_PAYLOAD_LEN, frame->payload_len, 4);
	put(out, AT_CAPTURED_REALTIME, (uint64_t)frame->captured_realtime_ns, 8);
	put(out, AT_FOR_SUBSCRIBER, frame->for_subscriber, 4);
}

static const char *const codec_names[] = {
	[FRAME_CODEC_NONE] = "none",         [FRAME_CODEC_H264] = "h264",
	[FRAME_CODEC_H265] = "h265",         [FRAME_CODEC_MJPEG] = "mjpeg",
	[FRAME_CODEC_AAC] = "aac",           [FRAME_CODEC_OPUS] = "opus",
	[FRAME_CODEC_PCMA] = "pcma",         [FRAME_CODEC_PCMU] = "pcmu",
	[FRAME_CODEC_JPEG_RTP] = "jpeg-rtp", [FRAME_CODEC_G726] = "g726",
	[FRAME_CODEC_L16] = "l16",           [FRAME_CODEC_FLAC] = "flac",
};

static bool
is_codec(uint64_t codec)
{
	return codec < sizeof(codec_names) / sizeof(codec_names[0]) && codec_names[codec] != NULL;
}

static int
check(const uint8_t *buf, size_t len, size_t *header_len)
{
	size_t hlen, plen;

	if (len < FRAME_HEADER_BYTES || get(buf, AT_MAGIC, 4) != FRAME_MAGIC)
		return -EPROTO;
	hlen = (size_t)get(buf, AT_HEADER_LEN, 2);
	plen = (size_t)get(buf, AT_PAYLOAD_LEN, 4);
	if (hlen < FRAME_HEADER_BYTES || hlen > len || plen > FRAME_PAYLOAD_MAX ||
	    len - hlen != plen)
		return -EPROTO;
	if (buf[AT_KIND] < FRAME_KIND_VIDEO || buf[AT_KIND] > FRAME_KIND_END)
		return -EPROTO;
	if (buf[AT_TRACK] > FRAME_TRACK_AUDIO || !is_codec(get(buf, AT_CODEC, 2)))
		return -EPROTO;
	*header_len = hlen;
	return 0;
}

int
frame_decode(const uint8_t *buf, size_t len, struct frame *frame, const uint8_t **payload)
{
	size_t header_len;

	if (check(buf, len, &header_len) < 0)
		return -EPROTO;
	*frame = (struct frame){
		.stream_id = (uint32_t)get(buf, AT_STREAM_ID, 4),
		.kind = buf[AT_KIND],
		.track = buf[AT_TRACK],
		.flags = (uint16_t)get(buf, AT_FLAGS, 2),
		.codec = (uint16_t)get(buf, AT_CODEC, 2),
		.epoch = get(buf, AT_EPOCH, 8),
		.seq = get(buf, AT_SEQ, 8),
		.gop_id = (uint32_t)get(buf, AT_GOP_ID, 4),
		.gop_index = (uint32_t)get(buf, AT_GOP_INDEX, 4),
		.pts_ns = (int64_t)get(buf, AT_PTS, 8),
		.dts_ns = (int64_t)get(buf, AT_DTS, 8),
		.duration_us = (uint32_t)get(buf, AT_DURATION, 4),
		.config_version = (uint32_t)get(buf, AT_CONFIG_VERSION, 4),
		.arrived_realtime_ns = (int64_t)get(buf, AT_ARRIVED_REALTIME, 8),
		.arrived_monotonic_ns = (int64_t)get(buf, AT_ARRIVED_MONOTONIC, 8),
		.width = (uint16_t)get(buf, AT_WIDTH, 2),
		.height = (uint16_t)get(buf, AT_HEIGHT, 2),
		.payload_len = (uint32_t)get(buf, AT_PAYLOAD_LEN, 4),
		.captured_realtime_ns = (int64_t)get(buf, AT_CAPTURED_REALTIME, 8),
		.for_subscriber = (uint32_t)get(buf, AT_FOR_SUBSCRIBER, 4),
	};
	*payload = buf + header_len;
	return 0;
}

const char *
frame_codec_name(enum frame_codec codec)
{
	return is_codec(codec) ? codec_names[codec] : "unknown";
}
