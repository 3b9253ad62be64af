/*
 * FLAC (RFC 9639), written without compressing: 16-bit samples as verbatim subframes, less the low
 * bits that are zero in all of them, and silence as constant ones. One packet of a camera is one
 * frame, of as many samples as it has.
 */
#ifndef CAMHUB_MEDIA_FLAC_H
#define CAMHUB_MEDIA_FLAC_H

#include <stddef.h>
#include <stdint.h>

struct byte_writer;

#define FLAC_STREAMINFO_BYTES 34u
#define FLAC_BLOCK_MIN        16u /* samples of one frame; only a stream's last may have fewer */
#define FLAC_BLOCK_MAX        65535u
#define FLAC_CHANNELS_MAX     8u
#define FLAC_RATE_MAX         655350u

struct flac_format {
	uint32_t sample_rate; /* Hz, 1..FLAC_RATE_MAX */
	uint8_t channels;     /* 1..FLAC_CHANNELS_MAX */
};

/* The metadata block without its head (RFC 9639 8.2): blocks of any size, 16 bits a sample. */
void flac_write_streaminfo(const struct flac_format *format, uint8_t out[FLAC_STREAMINFO_BYTES]);

/*
 * Appends one frame (RFC 9639 9) of `n` samples of each channel, interleaved; samples NULL:
 * silence. position: of the first sample in the stream; of it the lower 36 bits are written.
 * Returns 0, -EINVAL for a size, rate or number of channels that is out of bounds, or the writer's
 * error.
 */
int flac_write_frame(const struct flac_format *format, const int16_t *samples, size_t n,
		     uint64_t position, struct byte_writer *out);

#endif
