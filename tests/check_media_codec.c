/*
 * H.264 and H.265 behind one face: descriptions, flags, parameter sets and extradata.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/h264.h"
#include "media/h265.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum nal_codec codec;
	struct codec_video_info want;
} streams[] = {
	{ "high_1080p_b.h264",
	  NAL_H264,
	  { 1920, 1080, 25, 1, 1, 1, "avc1.640029", "High", "4.1", false, true, 2, 0 } },
	{ "main_interlaced_576i.h264",
	  NAL_H264,
	  { 720, 576, 25, 1, 16, 11, "avc1.4D401E", "Main", "3.0", true, true, 0, 0 } },
	{ "main_1080p_b.h265",
	  NAL_H265,
	  { 1920, 1080, 25, 1, 1, 1, "hvc1.1.6.L120.90", "Main", "4.0", false, true, 2, 0 } },
	{ "main10_322x182.h265",
	  NAL_H265,
	  { 322, 182, 30000, 1001, 4, 3, "hvc1.2.4.L60.90", "Main 10", "2.0", false, true, 0, 0 } },
	{ "main_temporal_layers.h265",
	  NAL_H265,
	  { 160, 96, 25, 1, 1, 1, "hvc1.1.6.L30.90", "Main", "1.0", false, true, 2, 1 } },
};

#define STREAMS (sizeof(streams) / sizeof(streams[0]))

START_TEST(streams_are_described)
{
	const struct codec_video_info *want = &streams[_i].want;
	struct codec_video_info info;
	size_t len;
	uint8_t *stream = data_load(streams[_i].name, &len);

	ck_assert_int_eq(codec_video_describe(streams[_i].codec, stream, len, &info), 0);
	ck_assert_str_eq(info.codec, want->codec);
	ck_assert_str_eq(info.profile, want->profile);
	ck_assert_str_eq(info.level, want->level);
	ck_assert_uint_eq(info.width, want->width);
	ck_assert_uint_eq(info.height, want->height);
	ck_assert_uint_eq(info.fps_num, want->fps_num);
	ck_assert_uint_eq(info.fps_den, want->fps_den);
	ck_assert_uint_eq(info.sar_num, want->sar_num);
	ck_assert_uint_eq(info.sar_den, want->sar_den);
	ck_assert_int_eq(info.is_interlaced, want->is_interlaced);
	ck_assert_int_eq(info.is_reorder_known, want->is_reorder_known);
	ck_assert_uint_eq(info.reorder_frames, want->reorder_frames);
	ck_assert_uint_eq(info.top_temporal_id, want->top_temporal_id);
	free(stream);
}
END_TEST

START_TEST(what_cannot_be_described_says_why)
{
	struct codec_video_info info = { .width = 7 };
	static const uint8_t slice[] = { 0, 0, 1, 0x65, 0xb8, 0x80 };
	static const uint8_t broken[] = { 0, 0, 1, 0x67, 0x64, 0, 0, 1, 0x42, 0x01, 0x01 };

	ck_assert_int_eq(codec_video_describe(NAL_H264, slice, sizeof(slice), &info), -ENODATA);
	ck_assert_int_eq(codec_video_describe(NAL_H264, broken, sizeof(broken), &info), -EPROTO);
	ck_assert_int_eq(codec_video_describe(NAL_H265, slice, sizeof(slice), &info), -ENODATA);
	ck_assert_int_eq(codec_video_describe(NAL_H265, broken, sizeof(broken), &info), -EPROTO);
	ck_assert_int_eq(codec_video_describe(NAL_H265, NULL, 0, &info), -ENODATA);
	ck_assert_uint_eq(info.width, 7);
}
END_TEST

START_TEST(extradata_goes_there_and_back)
{
	enum nal_codec codec = streams[_i].codec;
	struct byte_writer sets, extradata, back, again;
	size_t len, cut;
	uint8_t *stream = data_load(streams[_i].name, &len);
	unsigned length_size = 77;

	byte_writer_init(&sets, CODEC_PARAMETER_SETS_MAX);
	byte_writer_init(&extradata, CODEC_PARAMETER_SETS_MAX);
	byte_writer_init(&back, CODEC_PARAMETER_SETS_MAX);
	byte_writer_init(&again, CODEC_PARAMETER_SETS_MAX);
	ck_assert_int_eq(codec_collect_parameter_sets(codec, stream, len, &sets), 0);
	ck_assert_int_eq(codec_write_extradata(codec, stream, len, &extradata), 0);
	ck_assert_int_eq(
	    codec_extradata_to_annexb(codec, extradata.data, extradata.len, &back, &length_size),
	    0);
	ck_assert_uint_eq(length_size, 4);
	ck_assert_uint_eq(back.len, sets.len);
	ck_assert_mem_eq(back.data, sets.data, sets.len);
	ck_assert_int_eq(
	    codec_extradata_to_annexb(codec, sets.data, sets.len, &again, &length_size), 0);
	ck_assert_uint_eq(length_size, 0);
	ck_assert_mem_eq(again.data, sets.data, sets.len);
	for (cut = 0; cut < extradata.len - 4; cut++) {
		uint8_t *copy = data_copy(extradata.data, cut);

		byte_writer_reset(&back);
		length_size = 77;
		ck_assert_int_eq(codec_extradata_to_annexb(codec, copy, cut, &back, &length_size),
				 cut == 0 ? -ENODATA : -EPROTO);
		ck_assert_uint_eq(length_size, 77);
		free(copy);
	}
	byte_writer_free(&sets);
	byte_writer_free(&extradata);
	byte_writer_free(&back);
	byte_writer_free(&again);
	free(stream);
}
END_TEST

START_TEST(extradata_has_the_known_form)
{
	static const uint8_t sets[] = { 0,    0,    1,    0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02,
					0x80, 0xf6, 0x40, 0,    0,    1,    0x68, 0xce, 0x3c,
					0x80, 0,    0,    1,    0x68, 0xce, 0x3c, 0x80 };
	static const uint8_t avcc[] = { 1,    0x42, 0xc0, 0x1e, 0xff, 0xe1, 0,    9,
					0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xf6,
					0x40, 1,    0,    4,    0x68, 0xce, 0x3c, 0x80 };
	struct byte_writer out;

	byte_writer_init(&out, 1000);
	ck_assert_int_eq(h264_write_avcc(sets, sizeof(sets), &out), 0);
	ck_assert_uint_eq(out.len, sizeof(avcc));
	ck_assert_mem_eq(out.data, avcc, sizeof(avcc));
	ck_assert_int_eq(h264_write_avcc(sets, 12, &out), -ENODATA);
	ck_assert_int_eq(h265_write_hvcc(sets, sizeof(sets), &out), -ENODATA);
	byte_writer_free(&out);
}
END_TEST

static const struct {
	enum nal_codec codec;
	uint8_t bytes[32];
	size_t len;
} bad_extradata[] = {
	{ NAL_H264, { 2, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0 }, 7 }, /* version */
	{ NAL_H264, { 1, 0x42, 0xc0, 0x1e, 0xfe, 0xe0, 0 }, 7 }, /* lengths of 3 bytes */
	{ NAL_H264,
	  { 1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0xff, 0xff, 1 },
	  9 },                                                      /* SPS beyond the end */
	{ NAL_H264, { 1, 0x42, 0xc0, 0x1e, 0xff, 0xff, 0, 0 }, 8 }, /* 31 SPS promised */
	{ NAL_H265, { 1, [21] = 0xfe, [22] = 0 }, 23 },             /* lengths of 3 bytes */
	{ NAL_H265, { 1, [21] = 0xff, [22] = 1, 0x20, 0, 1, 0xff }, 27 },
	{ NAL_H265, { 1, [21] = 0xff, [22] = 255 }, 23 },
	{ NAL_H265, { 0, 0, 0, 2 }, 4 },
};

START_TEST(broken_extradata_is_refused)
{
	uint8_t *copy = data_copy(bad_extradata[_i].bytes, bad_extradata[_i].len);
	struct byte_writer out;
	unsigned length_size = 77;

	byte_writer_init(&out, 1000);
	ck_assert_int_eq(codec_extradata_to_annexb(bad_extradata[_i].codec, copy,
						   bad_extradata[_i].len, &out, &length_size),
			 -EPROTO);
	ck_assert_uint_eq(length_size, 77);
	byte_writer_free(&out);
	free(copy);
}
END_TEST

START_TEST(collected_sets_are_the_same_whatever_the_order)
{
	static const uint8_t one[] = { 0, 0, 0, 1,    0x09, 0xf0, 0, 0, 1,    0x67, 1,
				       0, 0, 1, 0x68, 2,    0,    0, 1, 0x65, 3 };
	static const uint8_t other[] = {
		0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2
	};
	static const uint8_t want[] = { 0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2 };
	struct byte_writer a, b;

	byte_writer_init(&a, 100);
	byte_writer_init(&b, 100);
	ck_assert_int_eq(codec_collect_parameter_sets(NAL_H264, one, sizeof(one), &a), 0);
	ck_assert_int_eq(codec_collect_parameter_sets(NAL_H264, other, sizeof(other), &b), 0);
	ck_assert_uint_eq(a.len, sizeof(want));
	ck_assert_mem_eq(a.data, want, sizeof(want));
	ck_assert_uint_eq(b.len, sizeof(want));
	ck_assert_mem_eq(b.data, want, sizeof(want));
	ck_assert_int_eq(codec_collect_parameter_sets(NAL_H264, one, 11, &a), -ENODATA);
	ck_assert_uint_eq(a.len, sizeof(want));
	byte_writer_free(&a);
	byte_writer_free(&b);
}
END_TEST

START_TEST(too_large_sets_are_refused)
{
	size_t len = CODEC_PARAMETER_SETS_MAX + 64;
	uint8_t *units = malloc(len);
	struct byte_writer out;
	size_t half;

	memset(units, 0x55, len);
	memcpy(units, "\0\0\1\x67\x64\0\0\1\x68", 9);
	byte_writer_init(&out, len);
	ck_assert_int_eq(codec_collect_parameter_sets(NAL_H264, units, len, &out), -EMSGSIZE);
	half = CODEC_PARAMETER_SETS_MAX / 2;
	ck_assert_int_eq(codec_collect_parameter_sets(NAL_H264, units, half, &out), 0);
	byte_writer_free(&out);
	free(units);
}
END_TEST

START_TEST(units_are_classified)
{
	static const uint8_t key[] = {
		0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 0xb8, 0x80
	};
	static const uint8_t b264[] = { 0, 0, 1, 0x01, 0xa8, 0x80 };
	static const uint8_t pps[] = { 0, 0, 1, 0x68, 0xa8, 0x80 };
	struct codec_unit unit;

	codec_classify(NAL_H264, key, sizeof(key), NULL, &unit);
	ck_assert(unit.is_picture && unit.is_key && unit.is_idr && unit.is_intra);
	ck_assert(unit.has_parameter_sets && unit.has_any_parameter_set);
	ck_assert(!unit.has_b_slices && !unit.is_disposable);
	codec_classify(NAL_H264, b264, sizeof(b264), NULL, &unit);
	ck_assert(unit.is_picture && !unit.is_key && unit.has_b_slices && unit.is_disposable);
	ck_assert(!unit.has_any_parameter_set);
	codec_classify(NAL_H264, pps, sizeof(pps), NULL, &unit);
	ck_assert(!unit.is_picture && !unit.is_disposable && !unit.has_parameter_sets);
	ck_assert(unit.has_any_parameter_set);
}
END_TEST

START_TEST(only_the_top_sub_layer_is_disposable)
{
	static const uint8_t low[] = { 0, 0, 1, 0x00, 1, 0xaf }, top[] = { 0, 0, 1, 0x04, 2, 0xaf };
	static const uint8_t used[] = { 0, 0, 1, 0x06, 2, 0xaf };
	struct codec_video_info flat = { .top_temporal_id = 0 }, layered = { .top_temporal_id = 1 };
	struct codec_unit unit;

	codec_classify(NAL_H265, low, sizeof(low), &flat, &unit);
	ck_assert(unit.is_disposable);
	codec_classify(NAL_H265, low, sizeof(low), NULL, &unit);
	ck_assert(!unit.is_disposable);
	codec_classify(NAL_H265, low, sizeof(low), &layered, &unit);
	ck_assert(!unit.is_disposable);
	codec_classify(NAL_H265, top, sizeof(top), &layered, &unit);
	ck_assert(unit.is_disposable);
	codec_classify(NAL_H265, used, sizeof(used), &layered, &unit);
	ck_assert(!unit.is_disposable);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, streams_are_described, 0, STREAMS);
	tcase_add_test(tcase, what_cannot_be_described_says_why);
	tcase_add_loop_test(tcase, extradata_goes_there_and_back, 0, STREAMS);
	tcase_add_test(tcase, extradata_has_the_known_form);
	tcase_add_loop_test(tcase, broken_extradata_is_refused, 0,
			    sizeof(bad_extradata) / sizeof(bad_extradata[0]));
	tcase_add_test(tcase, collected_sets_are_the_same_whatever_the_order);
	tcase_add_test(tcase, too_large_sets_are_refused);
	tcase_add_test(tcase, units_are_classified);
	tcase_add_test(tcase, only_the_top_sub_layer_is_disposable);
}

int
main(void)
{
	return data_run("media codec", add);
}
