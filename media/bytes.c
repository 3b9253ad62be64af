/*
 * The byte cursor and the byte writer. Every access is checked where it is made; there is no
 * unchecked form.
 */
#include "config.h"

#include "media/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITER_FIRST_BYTES 256u

void
byte_reader_init(struct byte_reader *reader, const uint8_t *data, size_t len)
{
	*reader = (struct byte_reader){ .data = data, .len = len };
}

const uint8_t *
byte_reader_bytes(struct byte_reader *reader, size_t len)
{
	const uint8_t *at;

	if (reader->err != 0 || len > reader->len - reader->pos) {
		reader->err = -EPROTO;
		return NULL;
	}
	at = reader->data + reader->pos;
	reader->pos += len;
	return at;
}

uint8_t
byte_reader_u8(struct byte_reader *reader)
{
	const uint8_t *at = byte_reader_bytes(reader, 1);

	return at != NULL ? at[0] : 0;
}

uint16_t
byte_reader_u16(struct byte_reader *reader)
{
	const uint8_t *at = byte_reader_bytes(reader, 2);

	return at != NULL ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}

uint32_t
byte_reader_u32(struct byte_reader *reader)
{
	const uint8_t *at = byte_reader_bytes(reader, 4);

	return at != NULL
		   ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
		   : 0;
}

void
byte_writer_init(struct byte_writer *writer, size_t limit)
{
	*writer = (struct byte_writer){ .limit = limit };
}

void
byte_writer_init_fixed(struct byte_writer *writer, uint8_t *data, size_t cap)
{
	*writer = (struct byte_writer){ .data = data, .cap = cap, .limit = cap, .is_fixed = true };
}

void
byte_writer_init_growing(struct byte_writer *writer, uint8_t *data, size_t cap, size_t limit,
			 byte_writer_grow_fn *grow, void *grow_arg)
{
	*writer = (struct byte_writer){
		.data = data,
		.cap = cap < limit ? cap : limit,
		.limit = limit,
		.is_fixed = true,
		.grow = grow,
		.grow_arg = grow_arg,
	};
}

void
byte_writer_truncate(struct byte_writer *writer, size_t len)
{
	writer->len = len;
	writer->err = 0;
}

void
byte_writer_reset(struct byte_writer *writer)
{
	writer->len = 0;
	writer->err = 0;
}

void
byte_writer_free(struct byte_writer *writer)
{
	if (!writer->is_fixed)
		free(writer->data);
	*writer = (struct byte_writer){ 0 };
}

uint8_t *
byte_writer_take(struct byte_writer *writer, size_t *len)
{
	uint8_t *data = NULL;

	if (!writer->is_fixed && writer->len > 0) {
		data = writer->data;
		*len = writer->len;
		byte_writer_init(writer, writer->limit);
	}
	return data;
}

void
byte_writer_fail(struct byte_writer *writer, int err)
{
	if (writer->err == 0)
		writer->err = err;
}

static int
byte_writer_grow(struct byte_writer *writer, size_t need)
{
	size_t cap = writer->cap > 0 ? writer->cap : WRITER_FIRST_BYTES;
	uint8_t *data;

	if (cap > writer->limit)
		cap = writer->limit;
	while (cap < need)
		cap = cap > writer->limit / 2 ? writer->limit : cap * 2;
	if (writer->grow != NULL) {
		if (writer->grow(writer->grow_arg, cap, &writer->data, &writer->cap) == 0)
			return 0;
		byte_writer_fail(writer, -ENOMEM);
		return writer->err;
	}
	data = realloc(writer->data, cap);
	if (data == NULL) {
		byte_writer_fail(writer, -ENOMEM);
		return writer->err;
	}
	writer->data = data;
	writer->cap = cap;
	return 0;
}

int
byte_writer_reserve(struct byte_writer *writer, size_t more)
{
	if (writer->err != 0)
		return writer->err;
	if (more > writer->limit - writer->len) {
		byte_writer_fail(writer, -EMSGSIZE);
		return writer->err;
	}
	if (more <= writer->cap - writer->len)
		return 0;
	return byte_writer_grow(writer, writer->len + more);
}

void
byte_writer_bytes(struct byte_writer *writer, const void *data, size_t len)
{
	if (len == 0 || byte_writer_reserve(writer, len) != 0)
		return;
	memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}

void
byte_writer_zeros(struct byte_writer *writer, size_t n)
{
	if (n == 0 || byte_writer_reserve(writer, n) != 0)
		return;
	memset(writer->data + writer->len, 0, n);
	writer->len += n;
}

/* The lowest n bytes of value, the highest of them first. */
static void
byte_writer_integer(struct byte_writer *writer, uint64_t value, unsigned n)
{
	uint8_t bytes[8];
	unsigned i;

	for (i = 0; i < n; i++)
		bytes[i] = (uint8_t)(value >> 8 * (n - 1 - i));
	byte_writer_bytes(writer, bytes, n);
}

void
byte_writer_u8(struct byte_writer *writer, uint8_t value)
{
	byte_writer_integer(writer, value, 1);
}

void
byte_writer_u16(struct byte_writer *writer, uint16_t value)
{
	byte_writer_integer(writer, value, 2);
}

void
byte_writer_u24(struct byte_writer *writer, uint32_t value)
{
	byte_writer_integer(writer, value, 3);
}

void
byte_writer_u32(struct byte_writer *writer, uint32_t value)
{
	byte_writer_integer(writer, value, 4);
}

void
byte_writer_u64(struct byte_writer *writer, uint64_t value)
{
	byte_writer_integer(writer, value, 8);
}

void
byte_writer_patch_u32(struct byte_writer *writer, size_t pos, uint32_t value)
{
	if (writer->err != 0)
		return;
	if (writer->len < 4 || pos > writer->len - 4) {
		byte_writer_fail(writer, -EINVAL);
		return;
	}
	writer->data[pos] = (uint8_t)(value >> 24);
	writer->data[pos + 1] = (uint8_t)(value >> 16);
	writer->data[pos + 2] = (uint8_t)(value >> 8);
	writer->data[pos + 3] = (uint8_t)value;
}
