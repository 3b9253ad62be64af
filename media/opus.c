/*
 * What an Opus packet says of itself, and the head.
 */
#include "config.h"

#include "media/opus.h"

#include <string.h>

#define SAMPLES_MAX       5760u /* 120 ms, RFC 6716 3.2.5 */
#define CHANNELS_UNMAPPED 2u    /* without a table */

/* Of one frame, by the configuration number: RFC 6716 3.1. */
static uint32_t
frame_samples(unsigned config)
{
	static const uint16_t silk[] = { 480, 960, 1920, 2880 };
	static const uint16_t hybrid[] = { 480, 960 };
	static const uint16_t celt[] = { 120, 240, 480, 960 };

	if (config < 12)
		return silk[config % 4];
	return config < 16 ? hybrid[config % 2] : celt[config % 4];
}

uint32_t
opus_packet_samples(const uint8_t *data, size_t len)
{
	uint32_t frames = 2;

	if (len == 0)
		return 0;
	if (data[0] % 4 == 0)
		frames = 1;
	else if (data[0] % 4 == 3)
		frames = len > 1 ? data[1] & 0x3f : 0;
	frames *= frame_samples(data[0] >> 3);
	return frames <= SAMPLES_MAX ? frames : 0;
}

bool
opus_is_head(const uint8_t *head, size_t len)
{
	if (len < OPUS_HEAD_BYTES || memcmp(head, "OpusHead", 8) != 0 || head[9] == 0)
		return false;
	if (head[18] == 0)
		return len == OPUS_HEAD_BYTES && head[9] <= CHANNELS_UNMAPPED;
	return len == OPUS_HEAD_BYTES + 2 + (size_t)head[9];
}

void
opus_write_head(uint8_t channels, uint8_t out[OPUS_HEAD_BYTES])
{
	/* version 1; pre-skip 0; 48000 Hz; no gain; mapping family 0 */
	memcpy(out, "OpusHead\1\0\0\0\x80\xbb\0\0\0\0\0", OPUS_HEAD_BYTES);
	out[9] = channels;
}
