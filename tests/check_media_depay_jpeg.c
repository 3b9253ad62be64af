/*
 * JPEG out of RTP packets (RFC 2435): headers, tables, sizes. What is put together from the packets
 * of a sender of our own must be libjpeg's file again, byte for byte.
 */
#include "config.h"

#include "media/jpeg.h"
#include "tests/jpeg_sender.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

static const size_t pieces[] = { 1, 2, 3, 7, 100, 1000, 3000 };

START_TEST(the_file_comes_out_again)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	size_t i;

	jpeg_load(&picture, _i);
	sending = jpeg_usual(&picture);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		sending.piece = pieces[i];
		sending.with_eoi = i % 2 != 0;
		jpeg_send_picture(units, &sending, (uint32_t)i * 3600, &picture);
		units_expect(units, i, picture.file, picture.len);
		ck_assert_uint_eq(units->list[i].unit.timestamp, i * 3600);
		ck_assert_int_eq(units->list[i].unit.arrived_ns, units->now_ns - 1);
		ck_assert(!units->list[i].unit.is_damaged && !units->list[i].unit.is_after_loss);
		ck_assert(!units->list[i].unit.ended_by_timestamp);
	}
	ck_assert_int_eq(rtp_depay_stats(units->depay)->au_end, RTP_AU_END_MARKER);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->units, i);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 0);
	units_free(units);
	free(picture.file);
}
END_TEST

/* libjpeg makes its tables for a quality as RFC 2435 does for a Q. */
START_TEST(tables_are_computed_from_q)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, _i);
	sending = jpeg_usual(&picture);
	sending.q = picture.q;
	jpeg_send_picture(units, &sending, 0, &picture);
	units_expect(units, 0, picture.file, picture.len);
	units_free(units);
	free(picture.file);
}
END_TEST

/* The ends of the scale, by hand: luma 16 * 50 and 16 * 0.02, chroma's last 99. */
START_TEST(tables_at_the_ends_of_q)
{
	static const struct {
		uint8_t q, luma, chroma_last;
	} ends[] = {
		{ 1, 255, 255 }, { 49, 16, 101 }, { 50, 16, 99 }, { 51, 16, 97 }, { 99, 1, 2 }
	};
	struct jpeg_picture picture;
	size_t i;

	jpeg_load(&picture, 0);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct units *units = jpeg_units_new(0, 0);
		struct jpeg_sending sending = jpeg_usual(&picture);

		sending.q = ends[i].q;
		jpeg_send_picture(units, &sending, 0, &picture);
		ck_assert_uint_eq(units->n, 1);
		ck_assert_uint_eq(units->list[0].bytes[25], ends[i].luma);
		ck_assert_uint_eq(units->list[0].bytes[25 + 63 + 5 + 64], ends[i].chroma_last);
		units_free(units);
	}
	free(picture.file);
}
END_TEST

START_TEST(tables_as_before)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending with, without;

	jpeg_load(&picture, 0);
	with = without = jpeg_usual(&picture);
	with.q = without.q = 200;
	without.tables_len = 0;
	jpeg_send_picture(units, &without, 1, &picture); /* before any came: nothing to see */
	ck_assert_uint_eq(units->n, 0);
	jpeg_send_picture(units, &with, 2, &picture);
	ck_assert(units->list[0].unit.is_after_loss);
	jpeg_send_picture(units, &without, 3, &picture);
	units_expect(units, 1, picture.file, picture.len);
	without.q = 201;
	jpeg_send_picture(units, &without, 4, &picture); /* another Q has tables of its own */
	ck_assert_uint_eq(units->n, 2);
	with.q = 201;
	with.tables = picture.file + 200; /* anything else */
	jpeg_send_picture(units, &with, 5, &picture);
	without.q = 200;
	jpeg_send_picture(units, &without, 6, &picture);
	ck_assert_uint_eq(units->n, 4);
	units_expect(units, 3, picture.file, picture.len);
	units_free(units);
	free(picture.file);
}
END_TEST

/* One table is for all; a third one is passed over; 16-bit tables keep their form. */
START_TEST(tables_of_other_sizes)
{
	static const struct {
		size_t len;
		uint8_t precision;
		uint8_t n, first_is;
		bool is_good;
	} rows[] = {
		{ 64, 0, 1, 0x00, true },  { 192, 0, 2, 0x00, true },  { 127, 0, 1, 0x00, true },
		{ 128, 1, 1, 0x10, true }, { 192, 1, 2, 0x10, true },  { 256, 3, 2, 0x10, true },
		{ 192, 2, 2, 0x00, true }, { 1000, 0, 2, 0x00, true }, { 63, 0, 0, 0, false },
		{ 127, 1, 0, 0, false },
	};
	uint8_t tables[1000];
	struct jpeg_picture picture;
	size_t i;

	memset(tables, 7, sizeof(tables));
	jpeg_load(&picture, 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct units *units = jpeg_units_new(0, 0);
		struct jpeg_sending sending = jpeg_usual(&picture);
		size_t first_len = rows[i].precision & 1 ? 128 : 64, n = 0, pos;
		struct jpeg_info info;

		sending.tables = tables;
		sending.tables_len = rows[i].len;
		sending.precision = rows[i].precision;
		jpeg_send_picture(units, &sending, 0, &picture);
		ck_assert_uint_eq(units->n, rows[i].is_good ? 1 : 0);
		if (rows[i].is_good) {
			const uint8_t *jpeg = units->list[0].bytes;

			ck_assert_int_eq(jpeg_parse(jpeg, units->list[0].len, &info), 0);
			ck_assert_uint_eq(jpeg[24], rows[i].first_is);
			ck_assert_uint_eq(jpeg[23], first_len + 3);
			for (pos = 2; jpeg[pos + 1] != 0xc0;
			     pos += 2u + (jpeg[pos + 2] << 8 | jpeg[pos + 3]))
				n += jpeg[pos + 1] == 0xdb;
			ck_assert_uint_eq(n, rows[i].n);
			ck_assert_uint_eq(jpeg[pos + 15], rows[i].n - 1); /* of chroma */
		}
		units_free(units);
	}
	free(picture.file);
}
END_TEST

START_TEST(restart_intervals)
{
	static const uint8_t dri[] = { 0xff, 0xdd, 0, 4, 0x01, 0x23 };
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	size_t at = 2 + 18 + 2 * 69; /* behind APP0 and the tables */

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.type += 64;
	sending.has_restart = true;
	sending.restart_interval = 0x123;
	jpeg_send_picture(units, &sending, 0, &picture);
	ck_assert_uint_eq(units->n, 1);
	ck_assert_uint_eq(units->list[0].len, picture.len + sizeof(dri));
	ck_assert_mem_eq(units->list[0].bytes, picture.file, at);
	ck_assert_mem_eq(units->list[0].bytes + at, dri, sizeof(dri));
	ck_assert_mem_eq(units->list[0].bytes + at + sizeof(dri), picture.file + at,
			 picture.len - at);
	sending.restart_interval = 0;
	jpeg_send_picture(units, &sending, 1, &picture);
	units_expect(units, 1, picture.file, picture.len);
	units_free(units);
	free(picture.file);
}
END_TEST

static const struct {
	uint16_t described_width, described_height;
	uint8_t width, height;
	uint16_t want_width, want_height; /* 0: no picture */
} sizes[] = {
	{ 0, 0, 20, 12, 160, 96 },
	{ 0, 0, 255, 255, 2040, 2040 },
	{ 2560, 1440, 0, 180, 2560, 1440 },  /* 0: too large to say */
	{ 2560, 1440, 64, 180, 2560, 1440 }, /* the lower bits of 320 */
	{ 3840, 2160, 0, 0, 3840, 2160 },    /* */
	{ 2048, 2048, 0, 0, 2048, 2048 },    /* 256 has no lower bits */
	{ 1366, 766, 171, 96, 1366, 766 },   /* not a multiple of 8 */
	{ 1920, 1080, 80, 45, 640, 360 },    /* described is another stream */
	{ 0, 0, 0, 12, 0, 0 },
	{ 0, 0, 20, 0, 0, 0 },
	{ 1920, 0, 0, 0, 0, 0 },
};

START_TEST(sizes_from_the_packet_or_the_description)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(sizes[_i].described_width, sizes[_i].described_height);
	struct jpeg_sending sending;
	struct jpeg_info info;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.width = sizes[_i].width;
	sending.height = sizes[_i].height;
	jpeg_send_picture(units, &sending, 0, &picture);
	ck_assert_uint_eq(units->n, sizes[_i].want_width != 0);
	if (units->n > 0) {
		ck_assert_int_eq(jpeg_parse(units->list[0].bytes, units->list[0].len, &info), 0);
		ck_assert_uint_eq(info.width, sizes[_i].want_width);
		ck_assert_uint_eq(info.height, sizes[_i].want_height);
		ck_assert_uint_eq(info.len_bytes, units->list[0].len);
	} else
		ck_assert_uint_gt(rtp_depay_stats(units->depay)->ignored, 0);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(what_cannot_be_read_is_ignored)
{
	static const uint8_t types[] = { 2, 3, 63, 66, 127, 128, 129, 255 };
	static const uint8_t qs[] = { 0, 100, 101, 127 };
	struct jpeg_picture picture;
	struct jpeg_sending sending;
	size_t i;

	jpeg_load(&picture, 0);
	for (i = 0; i < sizeof(types) + sizeof(qs); i++) {
		struct units *units = jpeg_units_new(0, 0);

		sending = jpeg_usual(&picture);
		if (i < sizeof(types))
			sending.type = types[i];
		else
			sending.q = qs[i - sizeof(types)];
		jpeg_send_picture(units, &sending, 0, &picture);
		ck_assert_uint_eq(units->n, 0);
		ck_assert_uint_gt(rtp_depay_stats(units->depay)->ignored, 0);
		sending = jpeg_usual(&picture);
		jpeg_send_picture(units, &sending, 1, &picture);
		units_expect(units, 0, picture.file, picture.len);
		units_free(units);
	}
	free(picture.file);
}
END_TEST

START_TEST(packets_cut_at_every_byte)
{
	struct jpeg_picture picture;
	struct jpeg_sending sending;
	struct byte_writer out;
	size_t cut;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.type += 64;
	sending.has_restart = true;
	byte_writer_init(&out, 4096);
	jpeg_put_header(&out, &sending, 0);
	byte_writer_bytes(&out, picture.scan, 4);
	for (cut = 0; cut <= out.len; cut++) {
		struct units *units = jpeg_units_new(0, 0);

		units_push(units, 5, true, out.data, cut);
		/* a header without any coded data is no picture */
		ck_assert_uint_eq(units->n, cut > out.len - 4);
		ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, cut < out.len - 4);
		units_free(units);
	}
	byte_writer_reset(&out);
	sending.q = 50; /* no tables: the header ends with the restart interval */
	jpeg_put_header(&out, &sending, 0);
	ck_assert_uint_eq(out.len, 12);
	byte_writer_bytes(&out, picture.scan, 4);
	for (cut = 0; cut <= out.len; cut++) {
		struct units *units = jpeg_units_new(0, 0);

		units_push(units, 5, true, out.data, cut);
		ck_assert_uint_eq(units->n, cut > 12);
		ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, cut < 12);
		units_free(units);
	}
	byte_writer_free(&out);
	free(picture.file);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_file_comes_out_again, 0, 2);
	tcase_add_loop_test(tcase, tables_are_computed_from_q, 0, 2);
	tcase_add_test(tcase, tables_at_the_ends_of_q);
	tcase_add_test(tcase, tables_as_before);
	tcase_add_test(tcase, tables_of_other_sizes);
	tcase_add_test(tcase, restart_intervals);
	tcase_add_loop_test(tcase, sizes_from_the_packet_or_the_description, 0,
			    sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tcase, what_cannot_be_read_is_ignored);
	tcase_add_test(tcase, packets_cut_at_every_byte);
}

int
main(void)
{
	return data_run("media depay jpeg", add);
}
