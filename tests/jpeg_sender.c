/*
 * A JPEG file taken apart, and its packets.
 */
#include "config.h"

#include "tests/jpeg_sender.h"

#include "tests/media_data.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *name;
	uint8_t q;
} files[] = { { "libjpeg_160x96_q50.jpg", 50 }, { "libjpeg_64x32_q12.jpg", 12 } };

void
jpeg_load(struct jpeg_picture *picture, int i)
{
	size_t pos = 2;
	unsigned n_tables = 0;

	memset(picture, 0, sizeof(*picture));
	picture->file = data_load(files[i].name, &picture->len);
	picture->q = files[i].q;
	while (picture->scan == NULL) {
		const uint8_t *segment = picture->file + pos;
		size_t len = (size_t)segment[2] << 8 | segment[3];

		if (segment[1] == 0xdb)
			memcpy(picture->tables + 64 * n_tables++, segment + 5, 64);
		else if (segment[1] == 0xc0) {
			picture->height = (uint8_t)((segment[5] << 8 | segment[6]) / 8);
			picture->width = (uint8_t)((segment[7] << 8 | segment[8]) / 8);
			picture->type = segment[11] == 0x22;
		} else if (segment[1] == 0xda)
			picture->scan = segment + 2 + len;
		pos += 2 + len;
	}
	picture->scan_len = picture->len - pos - 2;
	ck_assert_uint_eq(n_tables, 2);
}

struct jpeg_sending
jpeg_usual(const struct jpeg_picture *picture)
{
	return (struct jpeg_sending){
		.type = picture->type,
		.q = 255,
		.tables = picture->tables,
		.tables_len = 128,
		.width = picture->width,
		.height = picture->height,
		.piece = 100,
	};
}

void
jpeg_put_header(struct byte_writer *out, const struct jpeg_sending *sending, size_t offset)
{
	byte_writer_u8(out, 0);
	byte_writer_u24(out, (uint32_t)offset);
	byte_writer_u8(out, sending->type);
	byte_writer_u8(out, sending->q);
	byte_writer_u8(out, sending->width);
	byte_writer_u8(out, sending->height);
	if (sending->has_restart) {
		byte_writer_u16(out, sending->restart_interval);
		byte_writer_u16(out, 0xffff);
	}
	if (offset == 0 && sending->q >= 128) {
		byte_writer_u8(out, 0);
		byte_writer_u8(out, sending->precision);
		byte_writer_u16(out, (uint16_t)sending->tables_len);
		byte_writer_bytes(out, sending->tables, sending->tables_len);
	}
}

void
jpeg_send_bytes(struct units *units, const struct jpeg_sending *sending, uint32_t timestamp,
		const uint8_t *scan, size_t scan_len)
{
	struct byte_writer out;
	size_t offset, n = 0, len;

	for (offset = 0; offset < scan_len; offset += len, n++) {
		bool is_last;

		len = scan_len - offset < sending->piece ? scan_len - offset : sending->piece;
		is_last = offset + len == scan_len;
		if (n >= sending->skip && n < sending->skip + sending->n_skip) {
			units->lost++;
			continue;
		}
		byte_writer_init(&out, 4096);
		jpeg_put_header(&out, sending, offset);
		byte_writer_bytes(&out, scan + offset, len);
		ck_assert_int_eq(out.err, 0);
		units_push(units, timestamp,
			   sending->marks == MARK_ALL || (sending->marks == MARK_LAST && is_last),
			   out.data, out.len);
		byte_writer_free(&out);
	}
}

void
jpeg_send_picture(struct units *units, const struct jpeg_sending *sending, uint32_t timestamp,
		  const struct jpeg_picture *picture)
{
	jpeg_send_bytes(units, sending, timestamp, picture->scan,
			picture->scan_len + (sending->with_eoi ? 2 : 0));
}

struct units *
jpeg_units_new(uint16_t width, uint16_t height)
{
	struct rtp_format format = { .codec = RTP_CODEC_JPEG,
				     .payload_type = 26,
				     .clock_rate = 90000,
				     .width = width,
				     .height = height };

	return units_new(&format, JPEG_LIMIT);
}
