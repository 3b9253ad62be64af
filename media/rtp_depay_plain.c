/*
 * Sound whose packets are the samples themselves: G.711, G.726 and L16 (RFC 3551), Opus (RFC 7587).
 * A packet is a unit; how long it lasts follows from its size, or from what Opus says of itself.
 */
#include "config.h"

#include "media/opus.h"
#include "media/rtp_depay_int.h"

/* In ticks of the track's clock. */
static uint32_t
duration_of(const struct rtp_format *format, const uint8_t *data, size_t len)
{
	uint32_t channels = format->channels > 0 ? format->channels : 1, bits = 8;

	if (format->codec == RTP_CODEC_OPUS)
		return (uint32_t)((uint64_t)opus_packet_samples(data, len) * format->clock_rate /
				  OPUS_RATE);
	if (format->codec == RTP_CODEC_L16)
		bits = 16;
	else if (format->codec == RTP_CODEC_G726)
		bits = format->bits_per_sample > 0 ? format->bits_per_sample : 4;
	return (uint32_t)(len * 8 / bits / channels);
}

/* Without the part of a sample that a damaged packet may end with. */
static size_t
whole_samples(const struct rtp_format *format, size_t len)
{
	size_t channels = format->channels > 0 ? format->channels : 1;

	return format->codec == RTP_CODEC_L16 ? len - len % (2 * channels) : len;
}

static void
plain_push(struct rtp_depay *depay, void *state, const struct rtp_packet *packet, uint32_t lost,
	   int64_t arrived_ns)
{
	size_t len = whole_samples(&depay->format, packet->len);
	struct byte_writer *out;

	(void)state;
	(void)lost;
	if (len == 0) {
		depay->stats.ignored++;
		return;
	}
	out = rtp_depay_begin(depay, packet->timestamp);
	if (out == NULL)
		return;
	byte_writer_bytes(out, packet->payload, len);
	depay->unit.duration = duration_of(&depay->format, packet->payload, len);
	rtp_depay_end(depay, arrived_ns);
}

const struct rtp_depay_codec rtp_depay_plain = { .push = plain_push };
