/*
 * Bits out, most significant first, into a byte_writer; and a NAL unit's escaping (emulation
 * prevention, H.264 and H.265 7.3.1).
 */
#ifndef CAMHUB_MEDIA_BIT_WRITER_H
#define CAMHUB_MEDIA_BIT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

struct bit_writer {
	struct byte_writer *out; /* errors are its errors */
	uint8_t current;
	unsigned bits;  /* in current, 0..7 */
	bool is_nal;    /* put emulation prevention bytes in */
	unsigned zeros; /* zero bytes in a row at the end of out */
};

void bit_writer_init(struct bit_writer *writer, struct byte_writer *out);
void bit_writer_init_nal(struct bit_writer *writer, struct byte_writer *out);
void bit_writer_put(struct bit_writer *writer, uint32_t value, unsigned n); /* n 0..32 */
void bit_writer_put_ue(struct bit_writer *writer, uint32_t value);
void bit_writer_put_se(struct bit_writer *writer, int32_t value);
/* rbsp_trailing_bits: a one, then zeros to the end of the byte. */
void bit_writer_trail(struct bit_writer *writer);

#endif
