/*
 * Walking NAL units and changing their framing. The walk is one pass over the bytes; what it
 * yields points into the buffer.
 */
#include "config.h"

#include "media/nal.h"

#include "media/bytes.h"

#include <errno.h>
#include <string.h>

static const uint8_t start_code[4] = { 0, 0, 0, 1 };

/* Where 00 00 01 begins, or end. */
static const uint8_t *
find_start_code(const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 3) {
		if (p[2] == 0)
			p++;
		else if (p[2] == 1 && p[1] == 0 && p[0] == 0)
			return p;
		else
			p += 3;
	}
	return end;
}

void
nal_iter_annexb(struct nal_iter *iter, const uint8_t *buf, size_t len)
{
	*iter = (struct nal_iter){ .next = buf, .end = buf };
	if (len > 0) {
		iter->end = buf + len;
		iter->next = find_start_code(buf, iter->end);
	}
}

void
nal_iter_prefixed(struct nal_iter *iter, const uint8_t *buf, size_t len, unsigned length_size)
{
	*iter = (struct nal_iter){ .next = buf, .end = buf, .length_size = length_size };
	if (length_size != 1 && length_size != 2 && length_size != 4)
		iter->err = -EPROTO;
	else if (len > 0)
		iter->end = buf + len;
}

/* iter->next is at a start code or at the end. */
static bool
next_annexb(struct nal_iter *iter, struct nal_unit *nal)
{
	while (iter->next < iter->end) {
		const uint8_t *begin = iter->next + 3;
		const uint8_t *end = find_start_code(begin, iter->end);

		iter->next = end;
		while (end > begin && end[-1] == 0)
			end--;
		if (end > begin) {
			*nal = (struct nal_unit){ begin, (size_t)(end - begin) };
			return true;
		}
	}
	return false;
}

static bool
next_prefixed(struct nal_iter *iter, struct nal_unit *nal)
{
	while (iter->next < iter->end) {
		size_t left = (size_t)(iter->end - iter->next);
		size_t len = 0;
		unsigned i;

		if (left < iter->length_size)
			break;
		for (i = 0; i < iter->length_size; i++)
			len = len << 8 | iter->next[i];
		if (len > left - iter->length_size)
			break;
		iter->next += iter->length_size;
		if (len > 0) {
			*nal = (struct nal_unit){ iter->next, len };
			iter->next += len;
			return true;
		}
	}
	if (iter->next < iter->end)
		iter->err = -EPROTO;
	return false;
}

bool
nal_iter_next(struct nal_iter *iter, struct nal_unit *nal)
{
	if (iter->err != 0)
		return false;
	return iter->length_size == 0 ? next_annexb(iter, nal) : next_prefixed(iter, nal);
}

bool
nal_is_annexb(const uint8_t *buf, size_t len)
{
	size_t zeros = 0;

	while (zeros < len && buf[zeros] == 0)
		zeros++;
	return zeros >= 2 && zeros < len && buf[zeros] == 1;
}

unsigned
nal_type(enum nal_codec codec, const struct nal_unit *nal)
{
	return codec == NAL_H264 ? nal->data[0] & 0x1fu : nal->data[0] >> 1 & 0x3fu;
}

bool
nal_is_parameter_set(enum nal_codec codec, unsigned type)
{
	if (codec == NAL_H264)
		return type == 7 || type == 8 || type == 13 || type == 15;
	return type >= 32 && type <= 34;
}

bool
nal_is_droppable_in_sample(enum nal_codec codec, unsigned type)
{
	if (nal_is_parameter_set(codec, type))
		return true;
	return codec == NAL_H264 ? type == 9 || type == 12 : type == 35 || type == 38;
}

size_t
nal_find_unique(enum nal_codec codec, unsigned type, const uint8_t *buf, size_t len,
		struct nal_unit *units, size_t max_units)
{
	struct nal_iter iter;
	struct nal_unit nal;
	size_t n = 0, i;

	nal_iter_annexb(&iter, buf, len);
	while (n < max_units && nal_iter_next(&iter, &nal)) {
		if (nal_type(codec, &nal) != type)
			continue;
		for (i = 0; i < n; i++)
			if (units[i].len == nal.len &&
			    memcmp(units[i].data, nal.data, nal.len) == 0)
				break;
		if (i == n)
			units[n++] = nal;
	}
	return n;
}

/* The next unit that belongs into a sample. */
static bool
next_for_sample(enum nal_codec codec, struct nal_iter *iter, struct nal_unit *nal)
{
	while (nal_iter_next(iter, nal))
		if (!nal_is_droppable_in_sample(codec, nal_type(codec, nal)))
			return true;
	return false;
}

int
nal_annexb_to_sample(enum nal_codec codec, const uint8_t *buf, size_t len, struct byte_writer *out)
{
	struct nal_iter iter;
	struct nal_unit nal;
	bool is_empty = true;

	nal_iter_annexb(&iter, buf, len);
	while (next_for_sample(codec, &iter, &nal)) {
		if (nal.len > UINT32_MAX)
			byte_writer_fail(out, -EMSGSIZE);
		byte_writer_u32(out, (uint32_t)nal.len);
		byte_writer_bytes(out, nal.data, nal.len);
		is_empty = false;
	}
	if (out->err != 0)
		return out->err;
	return is_empty ? -ENODATA : 0;
}

int
nal_annexb_to_iov(enum nal_codec codec, const uint8_t *buf, size_t len, struct iovec *iov,
		  uint8_t (*lengths)[4], size_t max_units, size_t *n_units, size_t *total_bytes)
{
	struct nal_iter iter;
	struct nal_unit nal;
	size_t n = 0, total = 0;

	nal_iter_annexb(&iter, buf, len);
	while (next_for_sample(codec, &iter, &nal)) {
		struct byte_writer length;

		if (n == max_units || nal.len > UINT32_MAX)
			return -E2BIG;
		byte_writer_init_fixed(&length, lengths[n], 4);
		byte_writer_u32(&length, (uint32_t)nal.len);
		iov[2 * n] = (struct iovec){ lengths[n], 4 };
		iov[2 * n + 1] = (struct iovec){ (void *)(uintptr_t)nal.data, nal.len };
		total += 4 + nal.len;
		n++;
	}
	if (n == 0)
		return -ENODATA;
	*n_units = n;
	*total_bytes = total;
	return 0;
}

void
nal_write_annexb(struct byte_writer *out, const struct nal_unit *nal)
{
	byte_writer_bytes(out, start_code, sizeof(start_code));
	byte_writer_bytes(out, nal->data, nal->len);
}

int
nal_prefixed_to_annexb(const uint8_t *buf, size_t len, unsigned length_size,
		       struct byte_writer *out)
{
	struct nal_iter iter;
	struct nal_unit nal;

	nal_iter_prefixed(&iter, buf, len, length_size);
	while (nal_iter_next(&iter, &nal))
		nal_write_annexb(out, &nal);
	return iter.err != 0 ? iter.err : out->err;
}
