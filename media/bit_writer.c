/*
 * The bit writer: a byte at a time, as the reader.
 */
#include "config.h"

#include "media/bit_writer.h"

#include "media/bytes.h"

#include <errno.h>

void
bit_writer_init(struct bit_writer *writer, struct byte_writer *out)
{
	*writer = (struct bit_writer){ .out = out };
}

void
bit_writer_init_nal(struct bit_writer *writer, struct byte_writer *out)
{
	bit_writer_init(writer, out);
	writer->is_nal = true;
}

static void
write_byte(struct bit_writer *writer, uint8_t byte)
{
	if (writer->is_nal && writer->zeros == 2 && byte <= 3) {
		byte_writer_u8(writer->out, 3);
		writer->zeros = 0;
	}
	byte_writer_u8(writer->out, byte);
	if (byte != 0)
		writer->zeros = 0;
	else if (writer->zeros < 2)
		writer->zeros++;
}

void
bit_writer_put(struct bit_writer *writer, uint32_t value, unsigned n)
{
	unsigned room, take;
	uint32_t part;

	if (n > 32)
		byte_writer_fail(writer->out, -EINVAL);
	for (; n > 0 && n <= 32; n -= take) {
		room = 8 - writer->bits;
		take = n < room ? n : room;
		part = (uint32_t)((uint64_t)value >> (n - take)) & ((1u << take) - 1);

		writer->current = (uint8_t)(writer->current | part << (room - take));
		writer->bits += take;
		if (writer->bits == 8) {
			write_byte(writer, writer->current);
			writer->current = 0;
			writer->bits = 0;
		}
	}
}

void
bit_writer_put_ue(struct bit_writer *writer, uint32_t value)
{
	unsigned zeros = 0;

	if (value == UINT32_MAX) { /* H.264 9.1: up to 2^32 - 2 */
		byte_writer_fail(writer->out, -EINVAL);
		return;
	}
	while ((value + 1) >> zeros > 1)
		zeros++;
	bit_writer_put(writer, 0, zeros);
	bit_writer_put(writer, value + 1, zeros + 1);
}

void
bit_writer_put_se(struct bit_writer *writer, int32_t value)
{
	if (value == INT32_MIN)
		byte_writer_fail(writer->out, -EINVAL);
	else if (value > 0)
		bit_writer_put_ue(writer, 2 * (uint32_t)value - 1);
	else
		bit_writer_put_ue(writer, 2 * (uint32_t)-value);
}

void
bit_writer_trail(struct bit_writer *writer)
{
	bit_writer_put(writer, 1, 1);
	if (writer->bits > 0)
		bit_writer_put(writer, 0, 8 - writer->bits);
}
