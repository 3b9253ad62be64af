/*
 * JPEG out of RTP packets (RFC 2435). The files are libjpeg's: what is put together from the
 * packets of a sender of our own must be the file again, byte for byte.
 */
#include "config.h"

#include "media/jpeg.h"
#include "tests/media_data.h"
#include "tests/rtp_units.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT (1u << 20)

/* A JPEG file in its parts. */
struct picture {
	uint8_t *file;
	size_t len;
	uint8_t tables[128]; /* both DQT */
	const uint8_t *scan; /* coded data, without EOI */
	size_t scan_len;
	uint8_t type; /* of RFC 2435 */
	uint8_t q;    /* what it was made with */
	uint8_t width, height;
};

/* How it is sent. */
struct sending {
	uint8_t type, q;
	const uint8_t *tables;
	size_t tables_len;
	uint8_t precision;
	uint8_t width, height;
	bool has_restart;
	uint16_t restart_interval;
	size_t piece; /* coded bytes in a packet */
	enum { MARK_LAST, MARK_NEVER, MARK_ALL } marks;
	bool with_eoi;
	size_t skip, n_skip; /* packets that get lost */
};

static const struct {
	const char *name;
	uint8_t q;
} files[] = { { "libjpeg_160x96_q50.jpg", 50 }, { "libjpeg_64x32_q12.jpg", 12 } };

static void
load(struct picture *picture, int i)
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

static struct sending
usual(const struct picture *picture)
{
	return (struct sending){
		.type = picture->type,
		.q = 255,
		.tables = picture->tables,
		.tables_len = 128,
		.width = picture->width,
		.height = picture->height,
		.piece = 100,
	};
}

static void
put_header(struct byte_writer *out, const struct sending *sending, size_t offset)
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

static void
send_bytes(struct units *units, const struct sending *sending, uint32_t timestamp,
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
		put_header(&out, sending, offset);
		byte_writer_bytes(&out, scan + offset, len);
		ck_assert_int_eq(out.err, 0);
		units_push(units, timestamp,
			   sending->marks == MARK_ALL || (sending->marks == MARK_LAST && is_last),
			   out.data, out.len);
		byte_writer_free(&out);
	}
}

static void
send_picture(struct units *units, const struct sending *sending, uint32_t timestamp,
	     const struct picture *picture)
{
	send_bytes(units, sending, timestamp, picture->scan,
		   picture->scan_len + (sending->with_eoi ? 2 : 0));
}

static struct units *
new_units(uint16_t width, uint16_t height)
{
	struct rtp_format format = { .codec = RTP_CODEC_JPEG,
				     .payload_type = 26,
				     .clock_rate = 90000,
				     .width = width,
				     .height = height };

	return units_new(&format, LIMIT);
}

static const size_t pieces[] = { 1, 2, 3, 7, 100, 1000, 3000 };

START_TEST(the_file_comes_out_again)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	size_t i;

	load(&picture, _i);
	sending = usual(&picture);
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		sending.piece = pieces[i];
		sending.with_eoi = i % 2 != 0;
		send_picture(units, &sending, (uint32_t)i * 3600, &picture);
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
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, _i);
	sending = usual(&picture);
	sending.q = picture.q;
	send_picture(units, &sending, 0, &picture);
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
	struct picture picture;
	size_t i;

	load(&picture, 0);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct units *units = new_units(0, 0);
		struct sending sending = usual(&picture);

		sending.q = ends[i].q;
		send_picture(units, &sending, 0, &picture);
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
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending with, without;

	load(&picture, 0);
	with = without = usual(&picture);
	with.q = without.q = 200;
	without.tables_len = 0;
	send_picture(units, &without, 1, &picture); /* before any came: nothing to see */
	ck_assert_uint_eq(units->n, 0);
	send_picture(units, &with, 2, &picture);
	ck_assert(units->list[0].unit.is_after_loss);
	send_picture(units, &without, 3, &picture);
	units_expect(units, 1, picture.file, picture.len);
	without.q = 201;
	send_picture(units, &without, 4, &picture); /* another Q has tables of its own */
	ck_assert_uint_eq(units->n, 2);
	with.q = 201;
	with.tables = picture.file + 200; /* anything else */
	send_picture(units, &with, 5, &picture);
	without.q = 200;
	send_picture(units, &without, 6, &picture);
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
	struct picture picture;
	size_t i;

	memset(tables, 7, sizeof(tables));
	load(&picture, 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct units *units = new_units(0, 0);
		struct sending sending = usual(&picture);
		size_t first_len = rows[i].precision & 1 ? 128 : 64, n = 0, pos;
		struct jpeg_info info;

		sending.tables = tables;
		sending.tables_len = rows[i].len;
		sending.precision = rows[i].precision;
		send_picture(units, &sending, 0, &picture);
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
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	size_t at = 2 + 18 + 2 * 69; /* behind APP0 and the tables */

	load(&picture, 0);
	sending = usual(&picture);
	sending.type += 64;
	sending.has_restart = true;
	sending.restart_interval = 0x123;
	send_picture(units, &sending, 0, &picture);
	ck_assert_uint_eq(units->n, 1);
	ck_assert_uint_eq(units->list[0].len, picture.len + sizeof(dri));
	ck_assert_mem_eq(units->list[0].bytes, picture.file, at);
	ck_assert_mem_eq(units->list[0].bytes + at, dri, sizeof(dri));
	ck_assert_mem_eq(units->list[0].bytes + at + sizeof(dri), picture.file + at,
			 picture.len - at);
	sending.restart_interval = 0;
	send_picture(units, &sending, 1, &picture);
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
	struct picture picture;
	struct units *units = new_units(sizes[_i].described_width, sizes[_i].described_height);
	struct sending sending;
	struct jpeg_info info;

	load(&picture, 0);
	sending = usual(&picture);
	sending.width = sizes[_i].width;
	sending.height = sizes[_i].height;
	send_picture(units, &sending, 0, &picture);
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
	struct picture picture;
	struct sending sending;
	size_t i;

	load(&picture, 0);
	for (i = 0; i < sizeof(types) + sizeof(qs); i++) {
		struct units *units = new_units(0, 0);

		sending = usual(&picture);
		if (i < sizeof(types))
			sending.type = types[i];
		else
			sending.q = qs[i - sizeof(types)];
		send_picture(units, &sending, 0, &picture);
		ck_assert_uint_eq(units->n, 0);
		ck_assert_uint_gt(rtp_depay_stats(units->depay)->ignored, 0);
		sending = usual(&picture);
		send_picture(units, &sending, 1, &picture);
		units_expect(units, 0, picture.file, picture.len);
		units_free(units);
	}
	free(picture.file);
}
END_TEST

START_TEST(packets_cut_at_every_byte)
{
	struct picture picture;
	struct sending sending;
	struct byte_writer out;
	size_t cut;

	load(&picture, 0);
	sending = usual(&picture);
	sending.type += 64;
	sending.has_restart = true;
	byte_writer_init(&out, 4096);
	put_header(&out, &sending, 0);
	byte_writer_bytes(&out, picture.scan, 4);
	for (cut = 0; cut <= out.len; cut++) {
		struct units *units = new_units(0, 0);

		units_push(units, 5, true, out.data, cut);
		/* a header without any coded data is no picture */
		ck_assert_uint_eq(units->n, cut > out.len - 4);
		ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, cut < out.len - 4);
		units_free(units);
	}
	byte_writer_reset(&out);
	sending.q = 50; /* no tables: the header ends with the restart interval */
	put_header(&out, &sending, 0);
	ck_assert_uint_eq(out.len, 12);
	byte_writer_bytes(&out, picture.scan, 4);
	for (cut = 0; cut <= out.len; cut++) {
		struct units *units = new_units(0, 0);

		units_push(units, 5, true, out.data, cut);
		ck_assert_uint_eq(units->n, cut > 12);
		ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, cut < 12);
		units_free(units);
	}
	byte_writer_free(&out);
	free(picture.file);
}
END_TEST

/* Up to the hole, and EOI. */
static void
expect_damaged(const struct units *units, size_t i, const struct picture *picture, size_t scan_len)
{
	size_t head = (size_t)(picture->scan - picture->file);

	ck_assert_uint_lt(i, units->n);
	ck_assert(units->list[i].unit.is_damaged);
	ck_assert_uint_eq(units->list[i].len, head + scan_len + 2);
	ck_assert_mem_eq(units->list[i].bytes, picture->file, head + scan_len);
	ck_assert_mem_eq(units->list[i].bytes + head + scan_len, "\xff\xd9", 2);
}

START_TEST(a_hole_ends_the_picture_early)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending whole, holed;

	load(&picture, 0);
	whole = holed = usual(&picture);
	holed.skip = 3;
	holed.n_skip = 2;
	send_picture(units, &holed, 1, &picture);
	send_picture(units, &whole, 2, &picture);
	expect_damaged(units, 0, &picture, 300);
	ck_assert(!units->list[0].unit.is_after_loss);
	units_expect(units, 1, picture.file, picture.len);
	ck_assert(!units->list[1].unit.is_damaged && !units->list[1].unit.is_after_loss);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->damaged, 1);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(the_first_packet_is_lost)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending whole, holed;

	load(&picture, 0);
	whole = holed = usual(&picture);
	holed.n_skip = 1;
	send_picture(units, &holed, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	send_picture(units, &whole, 2, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(units->list[0].unit.is_after_loss && !units->list[0].unit.is_damaged);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(the_last_packet_is_lost)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending whole, holed;

	load(&picture, 0);
	whole = holed = usual(&picture);
	holed.skip = (picture.scan_len + 99) / 100 - 1;
	holed.n_skip = 1;
	send_picture(units, &holed, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	send_picture(units, &whole, 2, &picture);
	expect_damaged(units, 0, &picture, 100 * holed.skip);
	units_expect(units, 1, picture.file, picture.len);
	ck_assert(units->list[1].unit.is_after_loss);
	ck_assert_int_eq(rtp_depay_stats(units->depay)->au_end, RTP_AU_END_MARKER);
	units_free(units);
	free(picture.file);
}
END_TEST

/* Offsets that do not fit together, though no number was missing. */
START_TEST(offsets_are_checked)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, 0);
	sending = usual(&picture);
	sending.skip = 2;
	sending.n_skip = 1;
	send_bytes(units, &sending, 1, picture.scan, 200);
	units->lost = 0;
	sending.skip = 1;
	send_bytes(units, &sending, 1, picture.scan, 100);
	send_picture(units, &sending, 1, &picture);
	ck_assert_uint_ge(units->n, 1);
	ck_assert(units->list[units->n - 1].unit.is_damaged);
	units_free(units);
	free(picture.file);
}
END_TEST

/* The same bytes again are passed over. */
START_TEST(a_fragment_twice)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	struct byte_writer out;
	size_t offset;

	load(&picture, 0);
	sending = usual(&picture);
	for (offset = 0; offset < picture.scan_len; offset += 100) {
		size_t len = picture.scan_len - offset < 100 ? picture.scan_len - offset : 100;
		int i;

		byte_writer_init(&out, 4096);
		put_header(&out, &sending, offset);
		byte_writer_bytes(&out, picture.scan + offset, len);
		for (i = 0; i < (offset == 0 ? 1 : 2) && units->n == 0; i++)
			units_push(units, 1, offset + len == picture.scan_len, out.data, out.len);
		byte_writer_free(&out);
	}
	units_expect(units, 0, picture.file, picture.len);
	ck_assert_uint_gt(rtp_depay_stats(units->depay)->ignored, 0);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(the_marker_never_comes)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	uint32_t i;

	load(&picture, 0);
	sending = usual(&picture);
	sending.marks = MARK_NEVER;
	for (i = 0; i < 4; i++)
		send_picture(units, &sending, i, &picture);
	ck_assert_uint_eq(units->n, 3);
	for (i = 0; i < 3; i++) {
		units_expect(units, i, picture.file, picture.len);
		ck_assert(units->list[i].unit.ended_by_timestamp);
		ck_assert(!units->list[i].unit.is_damaged);
	}
	ck_assert_int_eq(rtp_depay_stats(units->depay)->au_end, RTP_AU_END_NEVER);
	rtp_depay_flush(units->depay);
	ck_assert_uint_eq(units->n, 3);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(eoi_ends_a_picture_as_well)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, 0);
	sending = usual(&picture);
	sending.marks = MARK_NEVER;
	sending.with_eoi = true;
	sending.piece = picture.scan_len + 1; /* FF and D9 in two packets */
	send_picture(units, &sending, 0, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(!units->list[0].unit.ended_by_timestamp);
	units_free(units);
	free(picture.file);
}
END_TEST

/* Behind EOI, or an empty last packet: neither a loss nor a marker that lies. */
START_TEST(padding_behind_a_picture)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	struct byte_writer out;
	int with_eoi;

	load(&picture, 0);
	byte_writer_init(&out, 4096);
	for (with_eoi = 0; with_eoi < 2; with_eoi++) {
		sending = usual(&picture);
		sending.with_eoi = with_eoi != 0;
		send_picture(units, &sending, 1, &picture);
		byte_writer_reset(&out);
		put_header(&out, &sending, picture.scan_len + (sending.with_eoi ? 2 : 0));
		byte_writer_zeros(&out, sending.with_eoi ? 7 : 0);
		units_push(units, 1, true, out.data, out.len);
	}
	send_picture(units, &sending, 2, &picture);
	ck_assert_uint_eq(units->n, 3);
	ck_assert(!units->list[1].unit.is_after_loss && !units->list[2].unit.is_after_loss);
	ck_assert_int_eq(rtp_depay_stats(units->depay)->au_end, RTP_AU_END_MARKER);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->ignored, 2);
	byte_writer_free(&out);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(the_marker_is_on_every_packet)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;
	uint32_t i;
	size_t last;

	load(&picture, 0);
	sending = usual(&picture);
	sending.marks = MARK_ALL;
	for (i = 0; i < 4; i++)
		send_picture(units, &sending, i, &picture);
	ck_assert_int_eq(rtp_depay_stats(units->depay)->au_end, RTP_AU_END_EACH_SLICE);
	last = units->n - 1;
	units_expect(units, last, picture.file, picture.len);
	units_expect(units, last - 1, picture.file, picture.len);
	ck_assert(units->list[last].unit.ended_by_timestamp);
	ck_assert_uint_eq(units->n, 3);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(a_broken_packet_breaks_its_picture)
{
	static const uint8_t broken[] = { 0, 0, 1, 44, 200, 255, 20, 12, 1, 2, 3 };
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, 0);
	sending = usual(&picture);
	sending.marks = MARK_NEVER;
	send_bytes(units, &sending, 1, picture.scan, 300);
	units_push(units, 1, false, broken, sizeof(broken));
	sending.marks = MARK_LAST;
	send_picture(units, &sending, 2, &picture);
	expect_damaged(units, 0, &picture, 300);
	units_expect(units, 1, picture.file, picture.len);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(pictures_beyond_the_limit)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, 0);
	sending = usual(&picture);
	units->limit = picture.len - 1;
	send_picture(units, &sending, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->too_large, 1);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(no_memory_for_a_picture)
{
	struct picture picture;
	struct units *units = new_units(0, 0);
	struct sending sending;

	load(&picture, 0);
	sending = usual(&picture);
	units->has_no_memory = true;
	send_picture(units, &sending, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	units->has_no_memory = false;
	send_picture(units, &sending, 2, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(units->list[0].unit.is_after_loss);
	units_free(units);
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
	tcase_add_test(tcase, a_hole_ends_the_picture_early);
	tcase_add_test(tcase, the_first_packet_is_lost);
	tcase_add_test(tcase, the_last_packet_is_lost);
	tcase_add_test(tcase, offsets_are_checked);
	tcase_add_test(tcase, a_fragment_twice);
	tcase_add_test(tcase, the_marker_never_comes);
	tcase_add_test(tcase, eoi_ends_a_picture_as_well);
	tcase_add_test(tcase, padding_behind_a_picture);
	tcase_add_test(tcase, the_marker_is_on_every_packet);
	tcase_add_test(tcase, a_broken_packet_breaks_its_picture);
	tcase_add_test(tcase, pictures_beyond_the_limit);
	tcase_add_test(tcase, no_memory_for_a_picture);
}

int
main(void)
{
	return data_run("media depay jpeg", add);
}
