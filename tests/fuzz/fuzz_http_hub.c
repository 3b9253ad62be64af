/*
 * A hostile worker: messages of every kind in any order. Each takes 8 bytes of the input. Whatever
 * comes, the ring keeps its promises.
 */
#include "config.h"

#include "http/hub.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define SUBSCRIBER 7u
#define RING_BYTES 20000u

static const uint8_t sets[] =
    "\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\xc0\x44\x00\x00\x03\x00\x04"
    "\x00\x00\x03\x00\xca\x3c\x58\xba\x80\0\0\0\1\x68\xce\x0f\xc8";
static const uint8_t slice[] = "\0\0\0\1\x65\x88\x80\x11\x22\x33\x80";

static void
check_ring(const struct hub *hub)
{
	FUZZ_CHECK(hub_stats(hub)->bytes <= RING_BYTES || hub_tail(hub) - hub_head(hub) == 1);
	for (uint64_t pos = hub_head(hub); pos < hub_tail(hub); pos++) {
		struct hub_entry *entry = hub_at(hub, pos);
		const struct hub_entry *before = pos > hub_head(hub) ? hub_at(hub, pos - 1) : NULL;

		FUZZ_CHECK(entry->is_damaged || !(entry->msg->frame.flags & FRAME_CORRUPT));
		FUZZ_CHECK(before == NULL || entry->stamp.decode_time > before->stamp.decode_time);
		FUZZ_CHECK(entry->is_key || entry->config != NULL);
		hub_wire(entry);
	}
}

/* Sound lies in a row, within its bounds. */
static void
check_sound(const struct hub *hub)
{
	const struct hub_audio *sound = hub_sound(hub);

	FUZZ_CHECK(sound->tail - sound->head <= HUB_AUDIO_ENTRIES_MAX);
	FUZZ_CHECK(sound->bytes <= HUB_AUDIO_BYTES_MAX);
	for (uint64_t pos = sound->head; pos < sound->tail; pos++) {
		struct hub_audio_entry *entry = hub_audio_at(sound, pos);
		const struct hub_audio_entry *before =
		    pos > sound->head ? hub_audio_at(sound, pos - 1) : NULL;

		FUZZ_CHECK(entry->ticks > 0);
		FUZZ_CHECK(before == NULL || before->config != entry->config ||
			   entry->time >= before->time + before->ticks);
		FUZZ_CHECK(hub_audio_wire(entry) != NULL);
	}
	if (hub_newest_config(hub) != NULL)
		FUZZ_CHECK(hub_config_init(hub_newest_config(hub), hub_audio_offer(sound)) != NULL);
}

static void
push_sound(struct hub *hub, const uint8_t *in, uint64_t *seq)
{
	static const struct {
		enum frame_codec codec;
		const char *config;
		size_t len;
	} codecs[] = {
		{ FRAME_CODEC_AAC, "\x12\x10", 2 },
		{ FRAME_CODEC_AAC, "\xf8\xe6\x30", 3 },
		{ FRAME_CODEC_OPUS, "OpusHead\1\2\0\0\x80\xbb\0\0\0\0\0", 19 },
		{ FRAME_CODEC_PCMA, "\0\0\x1f\x40\1\x08\0\0", 8 },
		{ FRAME_CODEC_L16, "\0\0\x00\x32\2\x10\0\0", 8 },
		{ FRAME_CODEC_G726, "\0\0\x1f\x40\1\4\0\0", 8 },
	};
	unsigned which = in[4] % (sizeof(codecs) / sizeof(codecs[0]));
	bool is_config = in[0] & 4;
	uint8_t buf[4096] = { in[2], in[3], in[4], in[5] };
	struct frame frame = {
		.kind = is_config ? FRAME_KIND_CONFIG : FRAME_KIND_AUDIO,
		.track = FRAME_TRACK_AUDIO,
		.flags = in[1],
		.codec = codecs[which].codec,
		.epoch = 1 + (in[0] >> 6),
		.seq = ++*seq,
		.pts_ns = (int64_t)((uint64_t)in[5] << 56 | (uint64_t)in[6] << 24),
		.for_subscriber = in[1] & FRAME_REPLAY ? SUBSCRIBER : 0,
	};
	struct bus_msg *msg;

	if (is_config)
		memcpy(buf, codecs[which].config, codecs[which].len);
	msg = bus_msg_new(&frame, buf, is_config ? codecs[which].len : (size_t)(in[7] & 15) * 17);
	FUZZ_CHECK(msg != NULL);
	FUZZ_CHECK(hub_push(hub, msg) == 0);
	bus_msg_unref(&msg);
}

static void
push(struct hub *hub, const uint8_t *in, uint64_t *seq)
{
	static const uint8_t kinds[] = { FRAME_KIND_VIDEO, FRAME_KIND_VIDEO, FRAME_KIND_CONFIG,
					 FRAME_KIND_JPEG };
	struct frame frame = {
		.kind = kinds[in[0] & 3],
		.flags = in[1],
		.codec = in[0] & 4 ? FRAME_CODEC_H265 : FRAME_CODEC_H264,
		.epoch = 1 + (in[0] >> 6),
		.seq = *seq += in[2] & 0xf0 ? 1 : in[2],
		.gop_id = in[3] >> 4,
		.gop_index = in[3] & 15,
		.config_version = in[4] & 3,
		.dts_ns = (int64_t)((uint64_t)in[5] << 56 | (uint64_t)in[6] << 24),
		.pts_ns = (int64_t)((uint64_t)in[6] << 56),
		.duration_us = (uint32_t)in[6] << 20,
		.arrived_monotonic_ns = (int64_t)((uint64_t)in[6] << 28),
		.for_subscriber = in[1] & FRAME_REPLAY ? SUBSCRIBER + (in[4] >> 7) : 0,
	};
	const uint8_t *bytes = frame.kind == FRAME_KIND_CONFIG ? sets : slice;
	size_t len = frame.kind == FRAME_KIND_CONFIG ? sizeof(sets) - 1 : sizeof(slice) - 1;
	uint8_t buf[4096] = { 0 };
	struct bus_msg *msg;

	memcpy(buf, bytes, len);
	if (frame.kind == FRAME_KIND_CONFIG && (in[7] & 0x80))
		buf[in[7] % len] ^= in[6];
	else
		len += (size_t)(in[7] & 15) * 200;
	msg = bus_msg_new(&frame, buf, len);
	FUZZ_CHECK(msg != NULL);
	hub_push(hub, msg);
	bus_msg_unref(&msg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hub *hub = hub_new(SUBSCRIBER, RING_BYTES);
	uint64_t seq = 0, sound_seq = 0;

	hub_start(hub);
	for (size_t at = 0; at + 8 <= size && at < 8 * 400; at += 8) {
		switch (data[at + 7] & 0x70) {
		case 0x70:
			hub_replay_end(hub);
			break;
		case 0x60:
			hub_trim(hub, hub_head(hub) + data[at]);
			break;
		case 0x50:
			hub_note_last_seq(hub, 1 + (data[at] & 3), seq + data[at + 1]);
			break;
		default:
			if (data[at] & 8)
				push_sound(hub, data + at, &sound_seq);
			else
				push(hub, data + at, &seq);
			break;
		}
		check_ring(hub);
		check_sound(hub);
	}
	hub_free(&hub);
	return 0;
}
