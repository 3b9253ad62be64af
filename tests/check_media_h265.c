/*
 * H.265: streams of a real encoder, parameter sets no encoder makes, and damage.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h265.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* As ffprobe and trace_headers of FFmpeg 5.1 tell it; the codec string by hand from those. */
static const struct {
	const char *name, *codec, *profile, *level;
	uint32_t width, height, coded_width, coded_height, fps_num, fps_den;
	uint16_t sar_num, sar_den;
	uint8_t bit_depth, sub_layers, reorder;
	const char *units; /* one letter an access unit: see unit_letter() */
} streams[] = {
	{ "main_1080p_b.h265", "hvc1.1.6.L120.90", "Main", "4.0", 1920, 1080, 1920, 1080, 25, 1, 1,
	  1, 8, 1, 2, "Kppbpb" },
	{ "main_360p.h265", "hvc1.1.6.L63.90", "Main", "2.1", 640, 360, 640, 360, 15, 1, 1, 1, 8, 1,
	  0, "KppCpp" },
	{ "main10_322x182.h265", "hvc1.2.4.L60.90", "Main 10", "2.0", 322, 182, 328, 184, 30000,
	  1001, 4, 3, 10, 1, 0, "Kpp" },
	{ "main_open_gop.h265", "hvc1.1.6.L30.90", "Main", "1.0", 160, 96, 160, 96, 25, 1, 1, 1, 8,
	  1, 2, "KCRrrCRrrppb" },
	{ "main_temporal_layers.h265", "hvc1.1.6.L30.90", "Main", "1.0", 160, 96, 160, 96, 25, 1, 1,
	  1, 8, 2, 2, "Kppttppt" },
	{ "main_scaling_lists.h265", "hvc1.1.6.L30.90", "Main", "1.0", 160, 96, 160, 96, 25, 1, 1,
	  1, 8, 1, 0, "Kp" },
};

#define STREAMS (sizeof(streams) / sizeof(streams[0]))

START_TEST(sps_of_streams)
{
	size_t len;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct nal_unit nal = data_find(NAL_H265, H265_NAL_SPS, stream, len);
	struct h265_sps sps;
	char codec[H265_CODEC_STRING_BYTES], level[16];
	uint32_t num = 0, den = 0;

	ck_assert_int_eq(h265_parse_sps(nal.data, nal.len, &sps), 0);
	h265_codec_string(&sps, codec);
	h265_level_text(&sps, level);
	ck_assert_str_eq(codec, streams[_i].codec);
	ck_assert_str_eq(level, streams[_i].level);
	ck_assert_str_eq(h265_profile_name(&sps), streams[_i].profile);
	ck_assert_uint_eq(sps.width, streams[_i].width);
	ck_assert_uint_eq(sps.height, streams[_i].height);
	ck_assert_uint_eq(sps.coded_width, streams[_i].coded_width);
	ck_assert_uint_eq(sps.coded_height, streams[_i].coded_height);
	ck_assert(h265_fps(&sps, NULL, &num, &den));
	ck_assert_uint_eq(num, streams[_i].fps_num);
	ck_assert_uint_eq(den, streams[_i].fps_den);
	ck_assert_uint_eq(sps.sar_num, streams[_i].sar_num);
	ck_assert_uint_eq(sps.sar_den, streams[_i].sar_den);
	ck_assert_uint_eq(sps.bit_depth_luma, streams[_i].bit_depth);
	ck_assert_uint_eq(sps.bit_depth_chroma, streams[_i].bit_depth);
	ck_assert_uint_eq(sps.max_sub_layers, streams[_i].sub_layers);
	ck_assert_uint_eq(sps.max_num_reorder_pics, streams[_i].reorder);
	ck_assert(sps.has_vui && !sps.is_vui_damaged && !sps.is_interlaced);
	free(stream);
}
END_TEST

START_TEST(vps_and_pps_of_streams)
{
	size_t len, cut;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct nal_unit nal = data_find(NAL_H265, H265_NAL_VPS, stream, len);
	struct h265_vps vps;
	struct h265_pps pps;

	ck_assert_int_eq(h265_parse_vps(nal.data, nal.len, &vps), 0);
	ck_assert_uint_eq(vps.id, 0);
	ck_assert_uint_eq(vps.max_sub_layers, streams[_i].sub_layers);
	for (cut = 0; cut < nal.len - 2; cut++) {
		uint8_t *copy = data_copy(nal.data, cut);

		ck_assert_int_eq(h265_parse_vps(copy, cut, &vps), -EPROTO);
		free(copy);
	}
	nal = data_find(NAL_H265, H265_NAL_PPS, stream, len);
	ck_assert_int_eq(h265_parse_pps(nal.data, nal.len, &pps), 0);
	ck_assert_uint_eq(pps.id + pps.sps_id, 0);
	ck_assert_int_eq(h265_parse_pps(nal.data, 2, &pps), -EPROTO);
	ck_assert_int_eq(h265_parse_vps(nal.data, nal.len, &vps), -EPROTO);
	free(stream);
}
END_TEST

/* K IDR, C CRA, L another IRAP, R RASL, T a higher sub-layer, p the rest; small r and t, and b:
 * sub-layer non-reference. */
static char
unit_letter(const struct h265_unit *unit)
{
	if (unit->slices == 0)
		return 'x';
	if (unit->is_key)
		return unit->is_idr ? 'K' : unit->is_cra ? 'C' : 'L';
	if (unit->is_rasl)
		return unit->is_non_reference ? 'r' : 'R';
	if (unit->temporal_id > 0)
		return unit->is_non_reference ? 't' : 'T';
	return unit->is_non_reference ? 'b' : 'p';
}

START_TEST(access_units_of_streams)
{
	size_t len, unit_len, pos = 0, n = 0;
	uint8_t *stream = data_load(streams[_i].name, &len);
	const uint8_t *data;
	struct h265_unit unit;
	char found[64];

	while (n < 63 && data_next_unit(NAL_H265, stream, len, &pos, &data, &unit_len)) {
		uint8_t *copy = data_copy(data, unit_len);

		h265_classify(copy, unit_len, &unit);
		ck_assert(unit.has_sps == unit.has_vps && unit.has_pps == unit.has_vps);
		ck_assert(unit.has_sps || !unit.is_key);
		found[n++] = unit_letter(&unit);
		free(copy);
	}
	found[n] = '\0';
	ck_assert_str_eq(found, streams[_i].units);
	free(stream);
}
END_TEST

START_TEST(sps_cut_at_every_byte)
{
	size_t len, cut, failed = 0, damaged = 0;
	uint8_t *stream = data_load(streams[_i].name, &len);
	struct nal_unit nal = data_find(NAL_H265, H265_NAL_SPS, stream, len);
	struct h265_sps whole, sps, untouched;

	memset(&untouched, 0x77, sizeof(untouched));
	ck_assert_int_eq(h265_parse_sps(nal.data, nal.len, &whole), 0);
	for (cut = 0; cut < nal.len; cut++) {
		uint8_t *copy = data_copy(nal.data, cut);

		sps = untouched;
		if (h265_parse_sps(copy, cut, &sps) != 0) {
			ck_assert_mem_eq(&sps, &untouched, sizeof(sps));
			ck_assert_uint_eq(failed, cut);
			failed++;
		} else {
			ck_assert_uint_eq(sps.width, whole.width);
			ck_assert_uint_eq(sps.vui_flag_bit, whole.vui_flag_bit);
			ck_assert(!sps.is_vui_damaged || !sps.has_timing);
			damaged += sps.is_vui_damaged;
		}
		free(copy);
	}
	ck_assert_uint_ge(failed, 20);
	ck_assert_uint_ge(damaged, 4);
	free(stream);
}
END_TEST

/* What varies in an SPS made by hand. */
struct recipe {
	uint32_t sub_layers, sps_id, chroma, width, height, window[4];
	uint32_t reorder, short_term_sets, long_term;
	uint8_t constraints;
	bool has_window, has_lists;
};

static void
put_profile(struct bit_out *out, const struct recipe *recipe)
{
	unsigned i;

	put_bits(out, 1, 8); /* space 0, main tier, idc 1 */
	put_bits(out, 0x60000000, 32);
	put_bits(out, recipe->constraints, 8);
	put_zeros(out, 40);
	put_bits(out, 93, 8);
	for (i = 1; i < recipe->sub_layers; i++)
		put_bits(out, 3, 2);
	for (i = recipe->sub_layers; recipe->sub_layers > 1 && i < 9; i++)
		put_bits(out, 0, 2);
	for (i = 1; i < recipe->sub_layers; i++) {
		put_zeros(out, 88);
		put_bits(out, 60, 8);
	}
}

static void
put_scaling_lists(struct bit_out *out)
{
	unsigned size, matrix, i;

	for (size = 0; size < 4; size++) {
		for (matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
			put_bits(out, matrix > 0, 1);
			if (matrix == 0) {
				put_ue(out, 0);
				continue;
			}
			if (size > 1)
				put_se(out, -7);
			for (i = 0; i < (size == 0 ? 16u : 64u); i++)
				put_se(out, i % 2 == 0 ? 1 : -1);
		}
	}
}

/* The first set has two pictures, each next one is predicted and has one more. */
static void
put_short_term_sets(struct bit_out *out, uint32_t n)
{
	uint32_t set, i;

	put_ue(out, n);
	for (set = 0; set < n; set++) {
		if (set > 0) {
			put_bits(out, 1, 1);
			put_bits(out, 1, 1);
			put_ue(out, 0);
			put_bits(out, 1, 2); /* not used by the current picture, but kept: counts */
			for (i = 0; i < set + 1; i++)
				put_bits(out, 1, 1);
			continue;
		}
		put_ue(out, 1);
		put_ue(out, 1);
		for (i = 0; i < 2; i++) {
			put_ue(out, i);
			put_bits(out, 1, 1);
		}
	}
}

static void
put_size(struct bit_out *out, const struct recipe *recipe)
{
	unsigned i;

	put_ue(out, recipe->chroma);
	if (recipe->chroma == 3)
		put_bits(out, 0, 1);
	put_ue(out, recipe->width);
	put_ue(out, recipe->height);
	put_bits(out, recipe->has_window, 1);
	for (i = 0; i < 4 && recipe->has_window; i++)
		put_ue(out, recipe->window[i]);
}

static void
put_tools(struct bit_out *out, const struct recipe *recipe)
{
	uint32_t i;

	for (i = 0; i < 6; i++)
		put_ue(out, i);
	put_bits(out, recipe->has_lists, 1);
	if (recipe->has_lists) {
		put_bits(out, 1, 1);
		put_scaling_lists(out);
	}
	put_bits(out, 0, 2);
	put_bits(out, 1, 1); /* pcm_enabled_flag */
	put_bits(out, 0x77, 8);
	put_ue(out, 0);
	put_ue(out, 2);
	put_bits(out, 0, 1);
	put_short_term_sets(out, recipe->short_term_sets);
	put_bits(out, recipe->long_term > 0, 1);
	if (recipe->long_term > 0)
		put_ue(out, recipe->long_term);
	for (i = 0; i < recipe->long_term; i++)
		put_bits(out, 0x155, 9); /* 8 bits of picture order, one flag */
	put_bits(out, 0, 2);
}

static void
put_sps(struct bit_out *out, const struct recipe *recipe)
{
	uint32_t i;

	put_bits(out, 33 << 9 | 1, 16);
	put_bits(out, 0, 4);
	put_bits(out, recipe->sub_layers - 1, 3);
	put_bits(out, 1, 1);
	put_profile(out, recipe);
	put_ue(out, recipe->sps_id);
	put_size(out, recipe);
	put_ue(out, 0);
	put_ue(out, 0);
	put_ue(out, 4);
	put_bits(out, 1, 1); /* sps_sub_layer_ordering_info_present_flag */
	for (i = 0; i < recipe->sub_layers; i++) {
		put_ue(out, 4);
		put_ue(out, i + 1 == recipe->sub_layers ? recipe->reorder : 0);
		put_ue(out, 0);
	}
	put_tools(out, recipe);
}

static int
parse(struct bit_out *out, struct h265_sps *sps)
{
	uint8_t nal[2048];
	size_t len = put_finish(out, nal);
	uint8_t *copy = data_copy(nal, len);
	int err = h265_parse_sps(copy, len, sps);

	free(copy);
	return err;
}

static const struct {
	struct recipe recipe;
	int err;
	uint32_t width, height;
} recipes[] = {
	{ { 1, 0, 1, 1280, 720, { 0 }, 2, 0, 0, 0x90, false, false }, 0, 1280, 720 },
	{ { 7, 15, 1, 1280, 720, { 0 }, 3, 3, 32, 0x90, false, true }, 0, 1280, 720 },
	{ { 3, 0, 1, 1920, 1088, { 0, 0, 0, 4 }, 3, 14, 1, 0x40, true, false }, 0, 1920, 1080 },
	{ { 8, 0, 1, 1280, 720, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 16, 1, 1280, 720, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 4, 1280, 720, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 0, 720, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 1280, 0, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 16384, 16384, { 0 }, 2, 0, 0, 0x90, false, false }, 0, 16384, 16384 },
	{ { 1, 0, 1, 16385, 720, { 0 }, 2, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 32, 32, { 1, 2, 3, 4 }, 2, 0, 0, 0x90, true, false }, 0, 26, 18 },
	{ { 1, 0, 2, 32, 32, { 1, 2, 3, 4 }, 2, 0, 0, 0x90, true, false }, 0, 26, 25 },
	{ { 1, 0, 3, 32, 32, { 1, 2, 3, 4 }, 2, 0, 0, 0x90, true, false }, 0, 29, 25 },
	{ { 1, 0, 0, 32, 32, { 1, 2, 3, 4 }, 2, 0, 0, 0x90, true, false }, 0, 29, 25 },
	{ { 1, 0, 1, 32, 32, { 8, 8, 0, 0 }, 2, 0, 0, 0x90, true, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 32, 32, { 0, 0, 8, 8 }, 2, 0, 0, 0x90, true, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 32, 32, { 0, 0, 0, 0xfffffffe }, 2, 0, 0, 0x90, true, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 1280, 720, { 0 }, 16, 0, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 1280, 720, { 0 }, 2, 16, 0, 0x90, false, false }, -EPROTO, 0, 0 },
	{ { 1, 0, 1, 1280, 720, { 0 }, 2, 0, 33, 0x90, false, false }, -EPROTO, 0, 0 },
};

START_TEST(sps_values_are_bounded)
{
	const struct recipe *recipe = &recipes[_i].recipe;
	struct bit_out out = { 0 };
	struct h265_sps sps;
	size_t vui_flag_bit;

	put_sps(&out, recipe);
	vui_flag_bit = out.bits;
	put_bits(&out, 0, 2); /* no VUI, no extension */
	ck_assert_int_eq(parse(&out, &sps), recipes[_i].err);
	if (recipes[_i].err != 0)
		return;
	ck_assert_uint_eq(sps.width, recipes[_i].width);
	ck_assert_uint_eq(sps.height, recipes[_i].height);
	ck_assert_uint_eq(sps.max_sub_layers, recipe->sub_layers);
	ck_assert_uint_eq(sps.max_num_reorder_pics, recipe->reorder);
	ck_assert_uint_eq(sps.max_dec_pic_buffering, 5);
	ck_assert_uint_eq(sps.vui_flag_bit, vui_flag_bit);
	ck_assert_int_eq(sps.is_interlaced, recipe->constraints == 0x40);
	ck_assert(!sps.has_vui);
}
END_TEST

/* flags: 1 field_seq, 2 timing, 4 HRD behind the timing, 8 restriction, 16 display window */
static void
put_vui(struct bit_out *out, unsigned flags, uint32_t segmentation)
{
	unsigned i;

	put_bits(out, 1, 1);
	put_bits(out, 14, 8); /* aspect ratio 4:3 */
	put_bits(out, 0, 3);  /* overscan, video signal, chroma location */
	put_bits(out, 0, 1);
	put_bits(out, flags & 1, 1);
	put_bits(out, 0, 1);
	put_bits(out, flags >> 4 & 1, 1);
	for (i = 0; i < 4 && flags & 16; i++)
		put_ue(out, 16);
	put_bits(out, flags >> 1 & 1, 1);
	if (flags & 2) {
		put_bits(out, 1, 32);
		put_bits(out, 15, 32);
		put_bits(out, 1, 1);
		put_ue(out, 0);
		put_bits(out, flags >> 2 & 1, 1);
	}
	put_bits(out, flags >> 3 & 1, 1);
	if (flags & 8) {
		put_bits(out, 0, 3);
		put_ue(out, segmentation);
	}
}

static const struct {
	unsigned flags;
	uint32_t segmentation;
	bool is_damaged;
} vuis[] = { { 0, 0, false },
	     { 1, 0, false },
	     { 2, 0, false },
	     { 8, 4095, false },
	     { 8, 4096, true },
	     { 2 | 4, 0, false },
	     { 1 | 2 | 8 | 16, 77, false } };

START_TEST(vui_with_everything_in_it)
{
	unsigned flags = vuis[_i].flags;
	struct bit_out out = { 0 };
	struct h265_sps sps;
	uint32_t num = 0, den = 0;

	put_sps(&out, &recipes[0].recipe);
	put_bits(&out, 1, 1);
	put_vui(&out, flags, vuis[_i].segmentation);
	ck_assert_int_eq(parse(&out, &sps), 0);
	ck_assert(sps.has_vui);
	ck_assert_int_eq(sps.is_vui_damaged, vuis[_i].is_damaged);
	ck_assert_uint_eq(sps.sar_num, vuis[_i].is_damaged ? 0 : 4);
	ck_assert_int_eq(sps.is_interlaced, flags & 1);
	ck_assert_int_eq(h265_fps(&sps, NULL, &num, &den), (flags & 2) != 0);
	ck_assert_uint_eq(num, flags & 2 ? 15 : 0);
	ck_assert_uint_eq(sps.min_spatial_segmentation,
			  vuis[_i].is_damaged ? 0 : vuis[_i].segmentation);
}
END_TEST

START_TEST(timing_of_the_vps_is_second)
{
	struct h265_vps vps = { .has_timing = true, .num_units_in_tick = 1, .time_scale = 12 };
	struct h265_sps sps = { .has_timing = false };
	uint32_t num = 0, den = 0;

	ck_assert(h265_fps(&sps, &vps, &num, &den));
	ck_assert_uint_eq(num, 12);
	sps = (struct h265_sps){ .has_timing = true, .num_units_in_tick = 2, .time_scale = 50 };
	ck_assert(h265_fps(&sps, &vps, &num, &den));
	ck_assert_uint_eq(num, 25);
}
END_TEST

static const struct {
	struct h265_profile profile;
	const char *codec, *name, *level;
} names[] = {
	{ { 0, false, 1, 0x60000000, { 0xb0, 0, 0, 0, 0, 0 }, 93 },
	  "hvc1.1.6.L93.B0",
	  "Main",
	  "3.1" },
	{ { 0, true, 2, 0x20000000, { 0x90, 0, 0, 0, 0, 0 }, 153 },
	  "hvc1.2.4.H153.90",
	  "Main 10",
	  "5.1 High" },
	{ { 2, false, 4, 0x08000000, { 0x80, 0x12, 0, 3, 0, 0 }, 186 },
	  "hvc1.B4.10.L186.80.12.0.3",
	  "Range Extensions",
	  "6.2" },
	{ { 0, false, 1, 0x60000000, { 0 }, 120 }, "hvc1.1.6.L120", "Main", "4.0" },
	{ { 0, false, 0, 0x10000000, { 0 }, 30 }, "hvc1.0.8.L30", "Main Still Picture", "1.0" },
	{ { 0, false, 31, 0, { 0 }, 255 }, "hvc1.31.0.L255", "unknown", "8.5" },
	{ { 3, true, 31, 0xffffffff, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 255 },
	  "hvc1.C31.FFFFFFFF.H255.FF.FF.FF.FF.FF.FF",
	  "Main",
	  "8.5 High" },
};

START_TEST(profiles_and_levels_have_names)
{
	struct h265_sps sps = { .profile = names[_i].profile };
	char codec[H265_CODEC_STRING_BYTES], level[16];

	h265_codec_string(&sps, codec);
	h265_level_text(&sps, level);
	ck_assert_str_eq(codec, names[_i].codec);
	ck_assert_str_eq(level, names[_i].level);
	ck_assert_str_eq(h265_profile_name(&sps), names[_i].name);
}
END_TEST

#define SC   "\0\0\1"
#define IDR  SC "\x26\1\xaf" /* type 19 */
#define CRA  SC "\x2a\1\xaf" /* type 21 */
#define BLA  SC "\x20\1\xaf" /* type 16 */
#define RASL SC "\x10\1\xaf" /* type 8, N */
#define P    SC "\2\1\xaf"   /* type 1 */
#define B    SC "\0\1\xaf"   /* type 0 */
#define T    SC "\4\2\xaf"   /* type 2, temporal id 1 */

static const struct {
	const char *bytes;
	size_t len;
	char letter;
} units[] = {
	{ IDR, sizeof(IDR) - 1, 'K' },
	{ CRA, sizeof(CRA) - 1, 'C' },
	{ BLA, sizeof(BLA) - 1, 'L' },
	{ RASL, sizeof(RASL) - 1, 'r' },
	{ P, sizeof(P) - 1, 'p' },
	{ B, sizeof(B) - 1, 'b' },
	{ B P, sizeof(B P) - 1, 'p' },
	{ T, sizeof(T) - 1, 't' },
	{ SC "\x26\x09\xaf", 6, 'x' }, /* layer 1 */
	{ SC "\x27\x01\xaf", 6, 'x' }, /* layer 32 */
	{ SC "\x26\0\xaf", 6, 'x' },   /* no temporal id */
	{ SC "\xa6\1\xaf", 6, 'x' },   /* forbidden_zero_bit */
	{ SC "\x26\1", 5, 'x' },
	{ SC "\x2e\1\xaf", 6, 'L' }, /* type 23: IRAP of the future */
	{ SC "\x30\1\xaf", 6, 'p' }, /* type 24: not IRAP, not known to be droppable */
	{ SC "\x40\1\xaf" SC "\x42\1\xaf", 12, 'x' },
};

START_TEST(access_units_by_hand)
{
	uint8_t *copy = data_copy((const uint8_t *)units[_i].bytes, units[_i].len);
	struct h265_unit unit;

	h265_classify(copy, units[_i].len, &unit);
	ck_assert_int_eq(unit_letter(&unit), units[_i].letter);
	free(copy);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, sps_of_streams, 0, STREAMS);
	tcase_add_loop_test(tcase, vps_and_pps_of_streams, 0, STREAMS);
	tcase_add_loop_test(tcase, access_units_of_streams, 0, STREAMS);
	tcase_add_loop_test(tcase, sps_cut_at_every_byte, 0, STREAMS);
	tcase_add_loop_test(tcase, sps_values_are_bounded, 0, sizeof(recipes) / sizeof(recipes[0]));
	tcase_add_loop_test(tcase, vui_with_everything_in_it, 0, sizeof(vuis) / sizeof(vuis[0]));
	tcase_add_test(tcase, timing_of_the_vps_is_second);
	tcase_add_loop_test(tcase, profiles_and_levels_have_names, 0,
			    sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(tcase, access_units_by_hand, 0, sizeof(units) / sizeof(units[0]));
}

int
main(void)
{
	return data_run("media h265", add);
}
