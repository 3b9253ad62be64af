/*
 * H.264: streams of a real encoder, parameter sets no encoder makes, and damage.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As ffprobe and trace_headers of FFmpeg 5.1 tell it. */
static const struct {
	const char *name, *codec, *profile, *level;
	uint32_t width, height, coded_width, coded_height, fps_num, fps_den;
	uint16_t sar_num, sar_den;
	bool is_interlaced;
	uint8_t poc_type, reorder, buffering, refs;
	const char *units; /* one letter an access unit: see unit_letter() */
} streams[] = {
	{ "high_1080p_b.h264", "avc1.640029", "High", "4.1", 1920, 1080, 1920, 1088, 25, 1, 1, 1,
	  false, 0, 2, 4, 4, "KpBbpb" },
	{ "baseline_360p.h264", "avc1.42C016", "Constrained Baseline", "2.2", 640, 360, 640, 368,
	  15, 1, 1, 1, false, 2, 0, 3, 3, "KpppKppp" },
	{ "main_interlaced_576i.h264", "avc1.4D401E", "Main", "3.0", 720, 576, 720, 576, 25, 1, 16,
	  11, true, 0, 0, 3, 3, "Kpp" },
	{ "high_crop_322x182.h264", "avc1.64000D", "High", "1.3", 322, 182, 336, 192, 30000, 1001,
	  1, 1, false, 2, 0, 3, 3, "Kpp" },
	{ "high_open_gop.h264", "avc1.64000B", "High", "1.1", 160, 96, 160, 96, 25, 1, 1, 1, false,
	  0, 2, 4, 4, "KpBbRpBbRpBb" },
	{ "high_intra_refresh.h264", "avc1.64000B", "High", "1.1", 160, 96, 160, 96, 25, 1, 1, 1,
	  false, 2, 0, 1, 1, "Kppppppppp" },
	{ "high444.h264", "avc1.F4000A", "High 4:4:4 Predictive", "1.0", 162, 98, 176, 112, 10, 1,
	  1, 1, false, 2, 0, 3, 3, "Kp" },
	{ "high_hrd.h264", "avc1.64000B", "High", "1.1", 320, 240, 320, 240, 10, 1, 1, 1, false, 2,
	  0, 3, 3, "Kp" },
	{ "high_scaling_lists.h264", "avc1.64000B", "High", "1.1", 320, 240, 320, 240, 10, 1, 1, 1,
	  false, 2, 0, 3, 3, "Kp" },
};

#define STREAMS (sizeof(streams) / sizeof(streams[0]))

START_TEST(sps_of_streams)
{
	size_t len;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct nal_unit nal = data_find(NAL_H264, H264_NAL_SPS, stream, len);
	struct h264_sps sps;
	char codec[H264_CODEC_STRING_BYTES], level[8];
	uint32_t num = 0, den = 0;

	ck_assert_int_eq(h264_parse_sps(nal.data, nal.len, &sps), 0);
	h264_codec_string(&sps, codec);
	h264_level_text(&sps, level);
	ck_assert_str_eq(codec, streams[_i].codec);
	ck_assert_str_eq(level, streams[_i].level);
	ck_assert_str_eq(h264_profile_name(&sps), streams[_i].profile);
	ck_assert_uint_eq(sps.width, streams[_i].width);
	ck_assert_uint_eq(sps.height, streams[_i].height);
	ck_assert_uint_eq(sps.coded_width, streams[_i].coded_width);
	ck_assert_uint_eq(sps.coded_height, streams[_i].coded_height);
	ck_assert(h264_sps_fps(&sps, &num, &den));
	ck_assert_uint_eq(num, streams[_i].fps_num);
	ck_assert_uint_eq(den, streams[_i].fps_den);
	ck_assert_uint_eq(sps.sar_num, streams[_i].sar_num);
	ck_assert_uint_eq(sps.sar_den, streams[_i].sar_den);
	ck_assert_int_eq(sps.is_interlaced, streams[_i].is_interlaced);
	ck_assert_uint_eq(sps.poc_type, streams[_i].poc_type);
	ck_assert(sps.has_vui && !sps.is_vui_damaged && sps.has_bitstream_restriction);
	ck_assert_uint_eq(sps.max_num_reorder_frames, streams[_i].reorder);
	ck_assert_uint_eq(sps.max_dec_frame_buffering, streams[_i].buffering);
	ck_assert_uint_eq(sps.max_num_ref_frames, streams[_i].refs);
	free(stream);
}
END_TEST

/* K key, i all slices I but no key, B/b with B slices (b: disposable), p the rest, x no picture */
static char
unit_letter(const struct h264_unit *unit)
{
	if (unit->slices == 0)
		return 'x';
	if (unit->is_key)
		return unit->is_idr ? 'K' : 'R';
	if (unit->is_intra)
		return 'i';
	if (unit->has_b_slices)
		return unit->is_disposable ? 'b' : 'B';
	return unit->is_disposable ? 'd' : 'p';
}

static void
letters_of(const uint8_t *stream, size_t len, char *out, size_t size)
{
	struct h264_unit unit;
	const uint8_t *data;
	size_t unit_len, pos = 0, n = 0;

	while (n + 1 < size && data_next_unit(NAL_H264, stream, len, &pos, &data, &unit_len)) {
		uint8_t *copy = data_copy(data, unit_len);

		h264_classify(copy, unit_len, &unit);
		out[n++] = unit_letter(&unit);
		free(copy);
	}
	out[n] = '\0';
}

START_TEST(access_units_of_streams)
{
	size_t len;
	uint8_t *stream = data_load(streams[_i].name, &len);
	char found[64];

	letters_of(stream, len, found, sizeof(found));
	ck_assert_str_eq(found, streams[_i].units);
	free(stream);
}
END_TEST

START_TEST(first_unit_carries_its_parameter_sets)
{
	size_t len, unit_len, pos = 0;
	uint8_t *stream = data_load("high_crop_322x182.h264", &len);
	const uint8_t *data;
	struct h264_unit unit;

	ck_assert(data_next_unit(NAL_H264, stream, len, &pos, &data, &unit_len));
	h264_classify(data, unit_len, &unit);
	ck_assert(unit.has_sps && unit.has_pps && unit.is_idr);
	ck_assert_uint_eq(unit.slices, 4);
	ck_assert(data_next_unit(NAL_H264, stream, len, &pos, &data, &unit_len));
	h264_classify(data, unit_len, &unit);
	ck_assert(!unit.has_sps && !unit.has_pps && !unit.is_idr);
	ck_assert_uint_eq(unit.slices, 4);
	free(stream);
}
END_TEST

static bool
is_same_but_vui(const struct h264_sps *a, const struct h264_sps *b)
{
	return a->profile_idc == b->profile_idc && a->level_idc == b->level_idc &&
	       a->width == b->width && a->height == b->height && a->vui_flag_bit == b->vui_flag_bit;
}

START_TEST(sps_cut_at_every_byte)
{
	size_t len, cut, failed = 0, damaged = 0;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct nal_unit nal = data_find(NAL_H264, H264_NAL_SPS, stream, len);
	struct h264_sps whole, sps, untouched;

	memset(&untouched, 0x77, sizeof(untouched));
	ck_assert_int_eq(h264_parse_sps(nal.data, nal.len, &whole), 0);
	for (cut = 0; cut < nal.len; cut++) {
		uint8_t *copy = data_copy(nal.data, cut);

		sps = untouched;
		if (h264_parse_sps(copy, cut, &sps) != 0) {
			ck_assert_mem_eq(&sps, &untouched, sizeof(sps));
			ck_assert_uint_eq(failed, cut);
			failed++;
		} else {
			ck_assert(is_same_but_vui(&sps, &whole));
			if (sps.is_vui_damaged) {
				ck_assert(!sps.has_timing && !sps.has_bitstream_restriction);
				damaged++;
			}
		}
		free(copy);
	}
	ck_assert_uint_ge(failed, 4);
	ck_assert_uint_ge(damaged, 4);
	free(stream);
}
END_TEST

START_TEST(units_cut_at_every_byte)
{
	size_t len, unit_len, cut, pos = 0;
	uint8_t *stream = data_load(streams[_i].name, &len);
	const uint8_t *data;
	struct h264_unit unit, whole;

	ck_assert(data_next_unit(NAL_H264, stream, len, &pos, &data, &unit_len));
	h264_classify(data, unit_len, &whole);
	for (cut = 0; cut < unit_len; cut++) {
		uint8_t *copy = data_copy(data, cut);

		h264_classify(copy, cut, &unit);
		ck_assert(!unit.is_key || unit.is_idr);
		ck_assert_uint_le(unit.slices, whole.slices);
		free(copy);
	}
	free(stream);
}
END_TEST

/* A small SPS with everything that can be said before the VUI open to the tests. */
struct recipe {
	uint32_t profile, constraints, level, id, width_mbs, height_units, frame_mbs_only, crop[4];
	uint32_t poc_type, cycle, chroma;
	bool has_crop, has_vui;
};

static const struct recipe plain = { .profile = 100,
				     .level = 31,
				     .width_mbs = 80,
				     .height_units = 45,
				     .frame_mbs_only = 1,
				     .chroma = 1 };

static void
put_sps_head(struct bit_out *out, const struct recipe *recipe)
{
	put_bits(out, 0x67, 8);
	put_bits(out, recipe->profile, 8);
	put_bits(out, recipe->constraints, 8);
	put_bits(out, recipe->level, 8);
	put_ue(out, recipe->id);
	if (recipe->profile >= 100) {
		put_ue(out, recipe->chroma);
		if (recipe->chroma == 3)
			put_bits(out, 0, 1);
		put_ue(out, 0);
		put_ue(out, 0);
		put_bits(out, 0, 2);
	}
	put_ue(out, 0);
	put_ue(out, recipe->poc_type);
	if (recipe->poc_type == 0)
		put_ue(out, 4);
}

static void
put_sps(struct bit_out *out, const struct recipe *recipe)
{
	uint32_t i;

	put_sps_head(out, recipe);
	if (recipe->poc_type == 1) {
		put_bits(out, 1, 1);
		put_se(out, -3);
		put_se(out, 70000);
		put_ue(out, recipe->cycle);
		for (i = 0; i < recipe->cycle && i < 255; i++)
			put_se(out, -1);
	}
	put_ue(out, 1);
	put_bits(out, 0, 1);
	put_ue(out, recipe->width_mbs - 1);
	put_ue(out, recipe->height_units - 1);
	put_bits(out, recipe->frame_mbs_only, 1);
	if (!recipe->frame_mbs_only)
		put_bits(out, 1, 1);
	put_bits(out, 1, 1);
	put_bits(out, recipe->has_crop, 1);
	for (i = 0; i < 4 && recipe->has_crop; i++)
		put_ue(out, recipe->crop[i]);
	put_bits(out, recipe->has_vui, 1);
}

static int
parse(struct bit_out *out, struct h264_sps *sps)
{
	uint8_t nal[2048];
	size_t len = put_finish(out, nal);
	uint8_t *copy = data_copy(nal, len);
	int err = h264_parse_sps(copy, len, sps);

	free(copy);
	return err;
}

static int
parse_recipe(const struct recipe *recipe, struct h264_sps *sps)
{
	struct bit_out out = { 0 };

	put_sps(&out, recipe);
	return parse(&out, sps);
}

static const struct {
	struct recipe recipe;
	int err;
	uint32_t width, height;
} recipes[] = {
	{ { 100, 0, 31, 0, 80, 45, 1, { 0 }, 0, 0, 1, false, false }, 0, 1280, 720 },
	{ { 66, 0xc0, 31, 31, 80, 45, 1, { 0 }, 2, 0, 1, false, false }, 0, 1280, 720 },
	{ { 100, 0, 31, 32, 80, 45, 1, { 0 }, 0, 0, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 80, 45, 1, { 0 }, 3, 0, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 80, 45, 1, { 0 }, 1, 255, 1, false, false }, 0, 1280, 720 },
	{ { 100, 0, 31, 0, 80, 45, 1, { 0 }, 1, 256, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 80, 45, 1, { 0 }, 0, 0, 4, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 1024, 1024, 1, { 0 }, 0, 0, 1, false, false }, 0, 16384, 16384 },
	{ { 100, 0, 31, 0, 1025, 45, 1, { 0 }, 0, 0, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 80, 1025, 1, { 0 }, 0, 0, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 80, 513, 0, { 0 }, 0, 0, 1, false, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 120, 34, 0, { 0, 0, 0, 2 }, 0, 0, 1, true, false }, 0, 1920, 1080 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 1, 2, 3, 4 }, 0, 0, 1, true, false }, 0, 26, 18 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 1, 2, 3, 4 }, 0, 0, 2, true, false }, 0, 26, 25 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 1, 2, 3, 4 }, 0, 0, 3, true, false }, 0, 29, 25 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 1, 2, 3, 4 }, 0, 0, 0, true, false }, 0, 29, 25 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 8, 8, 0, 0 }, 0, 0, 1, true, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 0, 0, 15, 1 }, 0, 0, 1, true, false }, -EPROTO, 0, 0 },
	{ { 100, 0, 31, 0, 2, 2, 1, { 0, 0xfffffffe, 0, 0 }, 0, 0, 1, true, false },
	  -EPROTO,
	  0,
	  0 },
};

START_TEST(sps_values_are_bounded)
{
	struct h264_sps sps;

	ck_assert_int_eq(parse_recipe(&recipes[_i].recipe, &sps), recipes[_i].err);
	if (recipes[_i].err == 0) {
		ck_assert_uint_eq(sps.width, recipes[_i].width);
		ck_assert_uint_eq(sps.height, recipes[_i].height);
		ck_assert(!sps.has_vui && !sps.is_vui_damaged && !sps.has_bitstream_restriction);
		ck_assert(!h264_sps_fps(&sps, &sps.width, &sps.height));
	}
}
END_TEST

struct vui {
	uint32_t units, time_scale, reorder, buffering;
	bool is_damaged, has_fps;
	uint32_t num, den;
};

static const struct vui vuis[] = {
	{ 1, 50, 0, 1, false, true, 25, 1 },
	{ 1001, 60000, 2, 16, false, true, 30000, 1001 },
	{ 0, 50, 0, 1, false, false, 0, 0 },
	{ 1, 0, 0, 1, false, false, 0, 0 },
	{ 1, 2000, 0, 0, false, true, 1000, 1 },
	{ 1, 2001, 0, 0, false, false, 0, 0 },
	{ 60, 2, 0, 0, false, true, 1, 60 },
	{ 61, 2, 0, 0, false, false, 0, 0 },
	{ 0xffffffff, 0xffffffff, 0, 0, false, true, 1, 2 },
	{ 1, 50, 17, 17, true, false, 0, 0 },
	{ 1, 50, 0, 17, true, false, 0, 0 },
};

/* With every optional part before the restriction. */
static void
put_vui(struct bit_out *out, const struct vui *vui)
{
	unsigned i;

	put_bits(out, 0x1ff, 9); /* aspect ratio: extended */
	put_bits(out, 40, 16);
	put_bits(out, 33, 16);
	put_bits(out, 3, 2);                     /* overscan */
	put_bits(out, 0x1 << 4 | 5 << 1 | 1, 5); /* video_signal_type: format 5, full range */
	put_bits(out, 1, 1);
	put_bits(out, 0x010101, 24);
	put_bits(out, 1, 1); /* chroma_loc_info */
	put_ue(out, 0);
	put_ue(out, 5);
	put_bits(out, 1, 1);
	put_bits(out, vui->units, 32);
	put_bits(out, vui->time_scale, 32);
	put_bits(out, 1, 1);
	put_bits(out, 1, 1); /* nal_hrd */
	put_ue(out, 1);
	put_bits(out, 0, 8);
	for (i = 0; i < 2; i++) {
		put_ue(out, 1000);
		put_ue(out, 0xfffffffe);
		put_bits(out, 1, 1);
	}
	put_bits(out, 0, 20);
	put_bits(out, 0, 1); /* vcl_hrd */
	put_bits(out, 1, 1); /* low_delay_hrd_flag */
	put_bits(out, 1, 1); /* pic_struct_present_flag */
	put_bits(out, 3, 2); /* bitstream_restriction_flag, motion_vectors_over_... */
	put_ue(out, 2);
	put_ue(out, 1);
	put_ue(out, 16);
	put_ue(out, 16);
	put_ue(out, vui->reorder);
	put_ue(out, vui->buffering);
}

START_TEST(vui_with_everything_in_it)
{
	struct recipe recipe = plain;
	struct bit_out out = { 0 };
	struct h264_sps sps;
	const struct vui *vui = &vuis[_i];
	uint32_t num = 0, den = 0;
	size_t vui_flag_bit;

	recipe.has_vui = true;
	put_sps(&out, &recipe);
	vui_flag_bit = out.bits - 1;
	put_vui(&out, vui);
	ck_assert_int_eq(parse(&out, &sps), 0);
	ck_assert(sps.has_vui);
	ck_assert_uint_eq(sps.vui_flag_bit, vui_flag_bit);
	ck_assert_int_eq(sps.is_vui_damaged, vui->is_damaged);
	ck_assert_int_eq(sps.has_bitstream_restriction, !vui->is_damaged);
	ck_assert_int_eq(h264_sps_fps(&sps, &num, &den), vui->has_fps);
	ck_assert_uint_eq(num, vui->num);
	ck_assert_uint_eq(den, vui->den);
	if (!vui->is_damaged) {
		ck_assert_uint_eq(sps.max_num_reorder_frames, vui->reorder);
		ck_assert_uint_eq(sps.max_dec_frame_buffering, vui->buffering);
		ck_assert_uint_eq(sps.sar_num, 40);
		ck_assert_uint_eq(sps.sar_den, 33);
		ck_assert(sps.has_full_range && sps.is_fixed_rate);
		ck_assert_uint_gt(sps.bitstream_restriction_bit, vui_flag_bit);
		ck_assert(out.bytes[sps.bitstream_restriction_bit / 8] &
			  0x80 >> sps.bitstream_restriction_bit % 8);
	} else {
		ck_assert_uint_eq(sps.bitstream_restriction_bit, 0);
	}
}
END_TEST

START_TEST(a_vui_without_restriction_says_so)
{
	struct recipe recipe = plain;
	struct bit_out out = { 0 };
	struct h264_sps sps;

	recipe.has_vui = true;
	put_sps(&out, &recipe);
	put_zeros(&out, 8); /* nothing present, pic_struct_present_flag 0 */
	put_bits(&out, 0, 1);
	ck_assert_int_eq(parse(&out, &sps), 0);
	ck_assert(sps.has_vui && !sps.is_vui_damaged);
	ck_assert(!sps.has_bitstream_restriction && !sps.has_timing);
	ck_assert_uint_eq(sps.bitstream_restriction_bit, sps.vui_flag_bit + 9);
}
END_TEST

static const struct {
	uint8_t profile, constraints, level;
	const char *name, *text;
} names[] = {
	{ 66, 0, 30, "Baseline", "3.0" },
	{ 66, 0xe0, 11, "Constrained Baseline", "1.1" },
	{ 66, 0x50, 11, "Constrained Baseline", "1b" },
	{ 77, 0x10, 11, "Main", "1b" },
	{ 88, 0, 12, "Extended", "1.2" },
	{ 100, 0x10, 11, "High", "1.1" },
	{ 100, 0, 9, "High", "1b" },
	{ 100, 0x0c, 51, "Constrained High", "5.1" },
	{ 100, 0x08, 52, "Progressive High", "5.2" },
	{ 110, 0x10, 40, "High 10 Intra", "4.0" },
	{ 122, 0, 40, "High 4:2:2", "4.0" },
	{ 99, 0, 255, "unknown", "25.5" },
};

START_TEST(profiles_and_levels_have_names)
{
	struct h264_sps sps = { .profile_idc = names[_i].profile,
				.constraint_flags = names[_i].constraints,
				.level_idc = names[_i].level };
	char level[8];

	h264_level_text(&sps, level);
	ck_assert_str_eq(h264_profile_name(&sps), names[_i].name);
	ck_assert_str_eq(level, names[_i].text);
}
END_TEST

/* Slices by hand: nal header, first_mb ue, slice_type ue, pps id ue. */
#define SC        "\0\0\1"
#define I_REF     SC "\x41\xb8\x80" /* first_mb 0, type 2 (I) */
#define P_REF     SC "\x41\xe0\x80" /* type 0 */
#define P_NON_REF SC "\x01\xe0\x80"
#define B_NON_REF SC "\x01\xa8\x80" /* type 1 */
#define I7_REF    SC "\x41\x88\x80" /* type 7 */
#define IDR       SC "\x65\xb8\x80"
#define SPS_PPS   SC "\x67\x64" SC "\x68\xee"
#define RECOVERY  SC "\x06\x06\x01\xc4\x80"
#define SEI_USER  SC "\x06\x05\x02\x06\x01\x80"
#define SEI_BOTH  SC "\x06\x05\x02\xff\xff\x06\x01\xc4\x80"

static const struct {
	const char *bytes;
	size_t len;
	char letter;
} units[] = {
	{ IDR, sizeof(IDR) - 1, 'K' },
	{ SPS_PPS IDR, sizeof(SPS_PPS IDR) - 1, 'K' },
	{ I_REF, sizeof(I_REF) - 1, 'i' },
	{ I7_REF, sizeof(I7_REF) - 1, 'i' },
	{ RECOVERY I_REF, sizeof(RECOVERY I_REF) - 1, 'R' },
	{ SEI_BOTH I7_REF I_REF, sizeof(SEI_BOTH I7_REF I_REF) - 1, 'R' },
	{ SEI_USER I_REF, sizeof(SEI_USER I_REF) - 1, 'i' },
	{ RECOVERY P_REF, sizeof(RECOVERY P_REF) - 1, 'p' },
	{ RECOVERY I_REF P_REF, sizeof(RECOVERY I_REF P_REF) - 1, 'p' },
	{ P_NON_REF, sizeof(P_NON_REF) - 1, 'd' },
	{ P_NON_REF P_REF, sizeof(P_NON_REF P_REF) - 1, 'p' },
	{ B_NON_REF, sizeof(B_NON_REF) - 1, 'b' },
	{ B_NON_REF P_REF, sizeof(B_NON_REF P_REF) - 1, 'B' },
	{ SPS_PPS RECOVERY, sizeof(SPS_PPS RECOVERY) - 1, 'x' },
	{ SC "\x41", 4, 'p' },
	{ "", 0, 'x' },
};

START_TEST(access_units_by_hand)
{
	uint8_t *copy = data_copy((const uint8_t *)units[_i].bytes, units[_i].len);
	struct h264_unit unit;

	h264_classify(copy, units[_i].len, &unit);
	ck_assert_int_eq(unit_letter(&unit), units[_i].letter);
	free(copy);
}
END_TEST

START_TEST(ids_of_slices_and_pps)
{
	static const uint8_t wrong[][4] = { { 0xe1, 0xb8, 0x80 },
					    { 0x67, 0xb8, 0x80 },
					    { 0x41, 0x80 | 0x05, 0 } };
	struct bit_out out = { 0 };
	struct h264_slice slice;
	struct h264_pps pps;
	uint8_t nal[2048];
	size_t len, i;

	put_bits(&out, 0x41, 8);
	put_ue(&out, 3600);
	put_ue(&out, 6);
	put_ue(&out, 255);
	len = put_finish(&out, nal);
	ck_assert_int_eq(h264_parse_slice(nal, len, &slice), 0);
	ck_assert_uint_eq(slice.first_mb, 3600);
	ck_assert_int_eq(slice.type, H264_SLICE_B);
	ck_assert_uint_eq(slice.pps_id, 255);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(h264_parse_slice(wrong[i], 3, &slice), -EPROTO);

	memset(&out, 0, sizeof(out));
	put_bits(&out, 0x68, 8);
	put_ue(&out, 200);
	put_ue(&out, 31);
	len = put_finish(&out, nal);
	ck_assert_int_eq(h264_parse_pps(nal, len, &pps), 0);
	ck_assert_uint_eq(pps.id, 200);
	ck_assert_uint_eq(pps.sps_id, 31);
	ck_assert_int_eq(h264_parse_pps(nal, 2, &pps), -EPROTO);
	nal[0] = 0x67;
	ck_assert_int_eq(h264_parse_pps(nal, len, &pps), -EPROTO);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, sps_of_streams, 0, STREAMS);
	tcase_add_loop_test(tcase, access_units_of_streams, 0, STREAMS);
	tcase_add_test(tcase, first_unit_carries_its_parameter_sets);
	tcase_add_loop_test(tcase, sps_cut_at_every_byte, 0, STREAMS);
	tcase_add_loop_test(tcase, units_cut_at_every_byte, 0, STREAMS);
	tcase_add_loop_test(tcase, sps_values_are_bounded, 0, sizeof(recipes) / sizeof(recipes[0]));
	tcase_add_loop_test(tcase, vui_with_everything_in_it, 0, sizeof(vuis) / sizeof(vuis[0]));
	tcase_add_test(tcase, a_vui_without_restriction_says_so);
	tcase_add_loop_test(tcase, profiles_and_levels_have_names, 0,
			    sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(tcase, access_units_by_hand, 0, sizeof(units) / sizeof(units[0]));
	tcase_add_test(tcase, ids_of_slices_and_pps);
}

int
main(void)
{
	return data_run("media h264", add);
}
