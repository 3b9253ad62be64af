/*
 * Where JPEG pictures in RTP packets end: holes, markers, EOI, limits.
 */
#include "config.h"

#include "media/jpeg.h"
#include "tests/jpeg_sender.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

/* Up to the hole, and EOI. */
static void
expect_damaged(const struct units *units, size_t i, const struct jpeg_picture *picture,
	       size_t scan_len)
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending whole, holed;

	jpeg_load(&picture, 0);
	whole = holed = jpeg_usual(&picture);
	holed.skip = 3;
	holed.n_skip = 2;
	jpeg_send_picture(units, &holed, 1, &picture);
	jpeg_send_picture(units, &whole, 2, &picture);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending whole, holed;

	jpeg_load(&picture, 0);
	whole = holed = jpeg_usual(&picture);
	holed.n_skip = 1;
	jpeg_send_picture(units, &holed, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	jpeg_send_picture(units, &whole, 2, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(units->list[0].unit.is_after_loss && !units->list[0].unit.is_damaged);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(the_last_packet_is_lost)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending whole, holed;

	jpeg_load(&picture, 0);
	whole = holed = jpeg_usual(&picture);
	holed.skip = (picture.scan_len + 99) / 100 - 1;
	holed.n_skip = 1;
	jpeg_send_picture(units, &holed, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	jpeg_send_picture(units, &whole, 2, &picture);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.skip = 2;
	sending.n_skip = 1;
	jpeg_send_bytes(units, &sending, 1, picture.scan, 200);
	units->lost = 0;
	sending.skip = 1;
	jpeg_send_bytes(units, &sending, 1, picture.scan, 100);
	jpeg_send_picture(units, &sending, 1, &picture);
	ck_assert_uint_ge(units->n, 1);
	ck_assert(units->list[units->n - 1].unit.is_damaged);
	units_free(units);
	free(picture.file);
}
END_TEST

/* The same bytes again are passed over. */
START_TEST(a_fragment_twice)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	struct byte_writer out;
	size_t offset;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	for (offset = 0; offset < picture.scan_len; offset += 100) {
		size_t len = picture.scan_len - offset < 100 ? picture.scan_len - offset : 100;
		int i;

		byte_writer_init(&out, 4096);
		jpeg_put_header(&out, &sending, offset);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	uint32_t i;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.marks = MARK_NEVER;
	for (i = 0; i < 4; i++)
		jpeg_send_picture(units, &sending, i, &picture);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.marks = MARK_NEVER;
	sending.with_eoi = true;
	sending.piece = picture.scan_len + 1; /* FF and D9 in two packets */
	jpeg_send_picture(units, &sending, 0, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(!units->list[0].unit.ended_by_timestamp);
	units_free(units);
	free(picture.file);
}
END_TEST

/* Behind EOI, or an empty last packet: neither a loss nor a marker that lies. */
START_TEST(padding_behind_a_picture)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	struct byte_writer out;
	int with_eoi;

	jpeg_load(&picture, 0);
	byte_writer_init(&out, 4096);
	for (with_eoi = 0; with_eoi < 2; with_eoi++) {
		sending = jpeg_usual(&picture);
		sending.with_eoi = with_eoi != 0;
		jpeg_send_picture(units, &sending, 1, &picture);
		byte_writer_reset(&out);
		jpeg_put_header(&out, &sending, picture.scan_len + (sending.with_eoi ? 2 : 0));
		byte_writer_zeros(&out, sending.with_eoi ? 7 : 0);
		units_push(units, 1, true, out.data, out.len);
	}
	jpeg_send_picture(units, &sending, 2, &picture);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;
	uint32_t i;
	size_t last;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.marks = MARK_ALL;
	for (i = 0; i < 4; i++)
		jpeg_send_picture(units, &sending, i, &picture);
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
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	sending.marks = MARK_NEVER;
	jpeg_send_bytes(units, &sending, 1, picture.scan, 300);
	units_push(units, 1, false, broken, sizeof(broken));
	sending.marks = MARK_LAST;
	jpeg_send_picture(units, &sending, 2, &picture);
	expect_damaged(units, 0, &picture, 300);
	units_expect(units, 1, picture.file, picture.len);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(pictures_beyond_the_limit)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	units->limit = picture.len - 1;
	jpeg_send_picture(units, &sending, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	ck_assert_uint_eq(rtp_depay_stats(units->depay)->too_large, 1);
	units_free(units);
	free(picture.file);
}
END_TEST

START_TEST(no_memory_for_a_picture)
{
	struct jpeg_picture picture;
	struct units *units = jpeg_units_new(0, 0);
	struct jpeg_sending sending;

	jpeg_load(&picture, 0);
	sending = jpeg_usual(&picture);
	units->has_no_memory = true;
	jpeg_send_picture(units, &sending, 1, &picture);
	ck_assert_uint_eq(units->n, 0);
	units->has_no_memory = false;
	jpeg_send_picture(units, &sending, 2, &picture);
	units_expect(units, 0, picture.file, picture.len);
	ck_assert(units->list[0].unit.is_after_loss);
	units_free(units);
	free(picture.file);
}
END_TEST

static void
add(TCase *tcase)
{
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
	return data_run("media depay jpeg ends", add);
}
