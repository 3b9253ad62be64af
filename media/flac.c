/*
 * Frames of FLAC. Section numbers of RFC 9639.
 */
#include "config.h"

#include "media/flac.h"

#include "media/bit_writer.h"
#include "media/bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SAMPLE_BITS       16u
#define POSITION_MASK     ((UINT64_C(1) << 36) - 1)
#define SYNC_VARIABLE     0xfff9u /* 9.1: sync code, blocks of different sizes */
#define BLOCK_CODE_8      6u      /* 9.1.1: its size less one follows, in 8 bits or in 16 */
#define BLOCK_CODE_16     7u
#define DEPTH_CODE_16     4u /* 9.1.4 */
#define SUBFRAME_CONSTANT 0u /* 9.2.1 */
#define SUBFRAME_VERBATIM 1u

void
flac_write_streaminfo(const struct flac_format *format, uint8_t out[FLAC_STREAMINFO_BYTES])
{
	struct byte_writer writer;
	struct bit_writer bits;

	memset(out, 0, FLAC_STREAMINFO_BYTES); /* frame sizes, length and checksum: unknown */
	byte_writer_init_fixed(&writer, out, FLAC_STREAMINFO_BYTES);
	byte_writer_u16(&writer, FLAC_BLOCK_MIN);
	byte_writer_u16(&writer, FLAC_BLOCK_MAX);
	byte_writer_zeros(&writer, 3 + 3);
	bit_writer_init(&bits, &writer);
	bit_writer_put(&bits, format->sample_rate, 20);
	bit_writer_put(&bits, format->channels - 1u, 3);
	bit_writer_put(&bits, SAMPLE_BITS - 1, 5);
	bit_writer_put(&bits, 0, 4); /* the upper bits of the length */
}

/* 9.1.2; 0: as in STREAMINFO. */
static unsigned
rate_code(uint32_t rate)
{
	static const uint32_t rates[] = { 0,     88200, 176400, 192000, 8000,  16000,
					  22050, 24000, 32000,  44100,  48000, 96000 };
	unsigned i;

	for (i = 1; i < sizeof(rates) / sizeof(rates[0]); i++)
		if (rates[i] == rate)
			return i;
	return 0;
}

/* 9.1.5: as UTF-8 would, but up to 36 bits. */
static void
write_position(struct byte_writer *out, uint64_t position)
{
	unsigned more = 0;

	position &= POSITION_MASK;
	if (position < 0x80) {
		byte_writer_u8(out, (uint8_t)position);
		return;
	}
	/* A byte more is 6 bits more and one bit less in the first: 6 - more are left there. */
	do
		more++;
	while (position >> (6 * more + 6 - more) != 0);
	byte_writer_u8(out, (uint8_t)(0xff80u >> more | position >> 6 * more));
	while (more-- > 0)
		byte_writer_u8(out, (uint8_t)(0x80 | (position >> 6 * more & 0x3f)));
}

/* 9.1.8: x^8 + x^2 + x + 1 */
static uint8_t
crc8(const uint8_t *data, size_t len)
{
	unsigned crc = 0, bit;
	size_t i;

	for (i = 0; i < len; i++) {
		crc ^= data[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc & 0x80 ? 0x107u : 0);
	}
	return (uint8_t)crc;
}

/* 9.3: x^16 + x^15 + x^2 + 1, over four bits at a time */
static uint16_t
crc16(const uint8_t *data, size_t len)
{
	static const uint16_t table[16] = { 0x0000, 0x8005, 0x800f, 0x000a, 0x801b, 0x001e,
					    0x0014, 0x8011, 0x8033, 0x0036, 0x003c, 0x8039,
					    0x0028, 0x802d, 0x8027, 0x0022 };
	uint16_t crc = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ data[i] >> 4]);
		crc = (uint16_t)(crc << 4 ^ table[crc >> 12 ^ (data[i] & 15)]);
	}
	return crc;
}

/* 9.1 */
static void
write_head(const struct flac_format *format, size_t n, uint64_t position, struct byte_writer *out)
{
	size_t begin = out->len;
	bool is_short = n <= 256;

	byte_writer_u16(out, SYNC_VARIABLE);
	byte_writer_u8(out, (uint8_t)((is_short ? BLOCK_CODE_8 : BLOCK_CODE_16) << 4 |
				      rate_code(format->sample_rate)));
	byte_writer_u8(out, (uint8_t)((format->channels - 1u) << 4 | DEPTH_CODE_16 << 1));
	write_position(out, position);
	if (is_short)
		byte_writer_u8(out, (uint8_t)(n - 1));
	else
		byte_writer_u16(out, (uint16_t)(n - 1));
	if (out->err == 0)
		byte_writer_u8(out, crc8(out->data + begin, out->len - begin));
}

/* How many low bits are zero in all samples of a channel; SAMPLE_BITS: it is silent. */
static unsigned
wasted_bits(const int16_t *samples, size_t n, unsigned step)
{
	uint16_t seen = 0;
	unsigned wasted = 0;
	size_t i;

	for (i = 0; i < n; i++)
		seen |= (uint16_t)samples[i * step];
	while (wasted < SAMPLE_BITS && !(seen >> wasted & 1))
		wasted++;
	return wasted;
}

/* 9.2: each channel begins where the last one's bits end. */
static void
write_subframe(struct bit_writer *bits, const int16_t *samples, size_t n, unsigned step)
{
	unsigned wasted = samples != NULL ? wasted_bits(samples, n, step) : SAMPLE_BITS;
	size_t i;

	if (wasted == SAMPLE_BITS) {
		bit_writer_put(bits, SUBFRAME_CONSTANT << 1, 8);
		bit_writer_put(bits, 0, SAMPLE_BITS);
		return;
	}
	bit_writer_put(bits, SUBFRAME_VERBATIM << 1 | (wasted > 0), 8);
	if (wasted > 0)
		bit_writer_put(bits, 1, wasted); /* 9.2.2: unary, less one */
	for (i = 0; i < n; i++)
		bit_writer_put(bits, (uint16_t)samples[i * step] >> wasted, SAMPLE_BITS - wasted);
}

int
flac_write_frame(const struct flac_format *format, const int16_t *samples, size_t n,
		 uint64_t position, struct byte_writer *out)
{
	size_t begin = out->len;
	struct bit_writer bits;
	unsigned i;

	if (n < FLAC_BLOCK_MIN || n > FLAC_BLOCK_MAX || format->channels == 0 ||
	    format->channels > FLAC_CHANNELS_MAX || format->sample_rate == 0 ||
	    format->sample_rate > FLAC_RATE_MAX)
		return -EINVAL;
	write_head(format, n, position, out);
	bit_writer_init(&bits, out);
	for (i = 0; i < format->channels; i++)
		write_subframe(&bits, samples != NULL ? samples + i : NULL, n, format->channels);
	bit_writer_put(&bits, 0, (8 - bits.bits) % 8);
	if (out->err == 0)
		byte_writer_u16(out, crc16(out->data + begin, out->len - begin));
	return out->err;
}
