/*
 * NAL units in both framings, and the way between them.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/nal.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is found, written as hex of each unit and a bar. */
static void
describe(struct nal_iter *iter, char *out, size_t size)
{
	struct nal_unit nal;
	size_t n = 0, i;

	out[0] = '\0';
	while (nal_iter_next(iter, &nal)) {
		for (i = 0; i < nal.len; i++)
			n += (size_t)snprintf(out + n, size - n, "%02x", nal.data[i]);
		n += (size_t)snprintf(out + n, size - n, "|");
	}
}

static const struct {
	const char *bytes;
	size_t len;
	const char *want;
} annexb[] = {
	{ "", 0, "" },
	{ "\0\0\1", 3, "" },
	{ "\0\0\0\1", 4, "" },
	{ "\0\0\1\x65", 4, "65|" },
	{ "\0\0\0\1\x65", 5, "65|" },
	{ "\0\0\1\x65\0\0\1\x41\0", 9, "65|41|" },
	{ "\0\0\1\x65\1\0\0\0\1\x41\2", 11, "6501|4102|" },
	{ "\0\0\0\0\0\0\1\x65\0\0\0\0\0\0\1\x41\0\0\0", 19, "65|41|" },
	{ "\xaa\xbb\0\0\1\x65", 6, "65|" },
	{ "\0\0\1\0\0\1\x65", 7, "65|" },
	{ "\0\0\1\x65\0\0\3\1\0\1\0\0", 12,
	  "650000030100"
	  "01|" },
	{ "\x65\0\1\x41", 4, "" },
	{ "\0\0\1\1\0\0\1\1", 8, "01|01|" },
	{ "\0\0\1\x67\0\0", 6, "67|" },
};

START_TEST(annexb_units_are_found)
{
	uint8_t *copy = data_copy((const uint8_t *)annexb[_i].bytes, annexb[_i].len);
	struct nal_iter iter;
	char found[256];

	nal_iter_annexb(&iter, copy, annexb[_i].len);
	describe(&iter, found, sizeof(found));
	ck_assert_str_eq(found, annexb[_i].want);
	ck_assert_int_eq(iter.err, 0);
	free(copy);
}
END_TEST

static const struct {
	unsigned length_size;
	const char *bytes;
	size_t len;
	const char *want;
	int err;
} prefixed[] = {
	{ 4, "", 0, "", 0 },
	{ 4, "\0\0\0\2\x65\1\0\0\0\1\x41", 11, "6501|41|", 0 },
	{ 2, "\0\2\x65\1\0\1\x41", 7, "6501|41|", 0 },
	{ 1, "\2\x65\1\1\x41", 5, "6501|41|", 0 },
	{ 1, "\0\0\1\x41", 4, "41|", 0 },
	{ 4, "\0\0\0\2\x65", 5, "", -EPROTO },
	{ 4, "\0\0\0\1\x65\0\0\0", 8, "65|", -EPROTO },
	{ 4, "\xff\xff\xff\xff\x65", 5, "", -EPROTO },
	{ 2, "\xff\xff\x65", 3, "", -EPROTO },
	{ 3, "\0\0\1\x65", 4, "", -EPROTO },
	{ 0, "", 0, "", -EPROTO },
	{ 8, "\0\0\0\0\0\0\0\1\x65", 9, "", -EPROTO },
};

START_TEST(prefixed_units_are_found_and_bounded)
{
	uint8_t *copy = data_copy((const uint8_t *)prefixed[_i].bytes, prefixed[_i].len);
	struct byte_writer out;
	struct nal_iter iter;
	char found[256];

	nal_iter_prefixed(&iter, copy, prefixed[_i].len, prefixed[_i].length_size);
	describe(&iter, found, sizeof(found));
	ck_assert_str_eq(found, prefixed[_i].want);
	ck_assert_int_eq(iter.err, prefixed[_i].err);
	byte_writer_init(&out, 4096);
	ck_assert_int_eq(
	    nal_prefixed_to_annexb(copy, prefixed[_i].len, prefixed[_i].length_size, &out),
	    prefixed[_i].err);
	nal_iter_annexb(&iter, out.data, out.len);
	describe(&iter, found, sizeof(found));
	ck_assert_str_eq(found, prefixed[_i].want);
	byte_writer_free(&out);
	free(copy);
}
END_TEST

static const char *const streams[] = { "baseline_360p.h264", "high_crop_322x182.h264",
				       "main_360p.h265", "main_1080p_b.h265" };

static enum nal_codec
codec_of(const char *name)
{
	return name[strlen(name) - 1] == '4' ? NAL_H264 : NAL_H265;
}

START_TEST(samples_hold_what_decoders_need_and_no_more)
{
	enum nal_codec codec = codec_of(streams[_i]);
	size_t len, before = 0, after = 0, dropped = 0;
	uint8_t *stream = data_load(streams[_i], &len);
	struct byte_writer sample, back;
	struct nal_iter iter;
	struct nal_unit nal, again;

	byte_writer_init(&sample, len * 2);
	byte_writer_init(&back, len * 2);
	ck_assert_int_eq(nal_annexb_to_sample(codec, stream, len, &sample), 0);
	ck_assert_int_eq(nal_prefixed_to_annexb(sample.data, sample.len, 4, &back), 0);
	nal_iter_annexb(&iter, stream, len);
	{
		struct nal_iter iter_back;

		nal_iter_annexb(&iter_back, back.data, back.len);
		while (nal_iter_next(&iter, &nal)) {
			before++;
			if (nal_is_droppable_in_sample(codec, nal_type(codec, &nal))) {
				dropped++;
				continue;
			}
			ck_assert(nal_iter_next(&iter_back, &again));
			ck_assert_uint_eq(nal.len, again.len);
			ck_assert_mem_eq(nal.data, again.data, nal.len);
			after++;
		}
		ck_assert(!nal_iter_next(&iter_back, &again));
	}
	ck_assert_uint_ge(dropped, 2);
	ck_assert_uint_ge(after, 2);
	ck_assert_uint_eq(before, after + dropped);
	byte_writer_free(&sample);
	byte_writer_free(&back);
	free(stream);
}
END_TEST

START_TEST(pieces_are_the_same_bytes_as_the_copy)
{
	enum nal_codec codec = codec_of(streams[_i]);
	size_t len, n_units = 0, total = 0, i;
	uint8_t *stream = data_load(streams[_i], &len);
	struct byte_writer sample, gathered;
	struct iovec iov[128];
	uint8_t lengths[64][4];

	byte_writer_init(&sample, len * 2);
	byte_writer_init(&gathered, len * 2);
	ck_assert_int_eq(nal_annexb_to_sample(codec, stream, len, &sample), 0);
	ck_assert_int_eq(nal_annexb_to_iov(codec, stream, len, iov, lengths, 64, &n_units, &total),
			 0);
	for (i = 0; i < 2 * n_units; i++)
		byte_writer_bytes(&gathered, iov[i].iov_base, iov[i].iov_len);
	ck_assert_uint_eq(total, sample.len);
	ck_assert_uint_eq(gathered.len, sample.len);
	ck_assert_mem_eq(gathered.data, sample.data, sample.len);
	ck_assert_int_eq(
	    nal_annexb_to_iov(codec, stream, len, iov, lengths, n_units - 1, &i, &total), -E2BIG);
	byte_writer_free(&sample);
	byte_writer_free(&gathered);
	free(stream);
}
END_TEST

START_TEST(a_unit_without_slices_is_no_sample)
{
	static const uint8_t only_sets[] = { 0, 0, 1, 0x67, 1,    0, 0, 1, 0x68, 1,
					     0, 0, 1, 0x09, 0xf0, 0, 0, 1, 0x0c, 0xff };
	struct byte_writer out;
	struct iovec iov[2];
	uint8_t lengths[1][4], small[3];
	size_t n = 77, total = 77;

	byte_writer_init(&out, 100);
	ck_assert_int_eq(nal_annexb_to_sample(NAL_H264, only_sets, sizeof(only_sets), &out),
			 -ENODATA);
	ck_assert_int_eq(
	    nal_annexb_to_iov(NAL_H264, only_sets, sizeof(only_sets), iov, lengths, 1, &n, &total),
	    -ENODATA);
	ck_assert_uint_eq(n + total, 154);
	byte_writer_free(&out);
	byte_writer_init_fixed(&out, small, sizeof(small));
	ck_assert_int_eq(nal_annexb_to_sample(NAL_H265, only_sets, sizeof(only_sets), &out),
			 -EMSGSIZE);
}
END_TEST

START_TEST(annexb_is_recognised)
{
	ck_assert(nal_is_annexb((const uint8_t *)"\0\0\1", 3));
	ck_assert(nal_is_annexb((const uint8_t *)"\0\0\0\0\1\x67", 6));
	ck_assert(!nal_is_annexb((const uint8_t *)"\0\1\x67", 3));
	ck_assert(!nal_is_annexb((const uint8_t *)"\0\0\0", 3));
	ck_assert(!nal_is_annexb((const uint8_t *)"\1\x64\0\x1f", 4));
	ck_assert(!nal_is_annexb(NULL, 0));
}
END_TEST

START_TEST(equal_units_count_once)
{
	static const uint8_t sets[] = { 0,    0, 1, 0x68, 1, 0,    0, 1, 0x68, 2, 0,    0, 1,
					0x68, 1, 0, 0,    1, 0x67, 1, 0, 0,    1, 0x68, 1, 2 };
	struct nal_unit units[8];

	ck_assert_uint_eq(nal_find_unique(NAL_H264, 8, sets, sizeof(sets), units, 8), 3);
	ck_assert_ptr_eq(units[2].data, sets + sizeof(sets) - 3);
	ck_assert_uint_eq(nal_find_unique(NAL_H264, 8, sets, sizeof(sets), units, 2), 2);
	ck_assert_uint_eq(nal_find_unique(NAL_H264, 5, sets, sizeof(sets), units, 8), 0);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, annexb_units_are_found, 0, sizeof(annexb) / sizeof(annexb[0]));
	tcase_add_loop_test(tcase, prefixed_units_are_found_and_bounded, 0,
			    sizeof(prefixed) / sizeof(prefixed[0]));
	tcase_add_loop_test(tcase, samples_hold_what_decoders_need_and_no_more, 0, 4);
	tcase_add_loop_test(tcase, pieces_are_the_same_bytes_as_the_copy, 0, 4);
	tcase_add_test(tcase, a_unit_without_slices_is_no_sample);
	tcase_add_test(tcase, annexb_is_recognised);
	tcase_add_test(tcase, equal_units_count_once);
}

int
main(void)
{
	return data_run("media nal", add);
}
