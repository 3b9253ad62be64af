/*
 * The H.265 video and sequence parameter sets (7.3.2.1, 7.3.2.2, E.2.1). Most of an SPS stands
 * between its head and its VUI and is only read to get there.
 */
#include "config.h"

#include "media/h265.h"

#include "media/bits.h"
#include "media/vui.h"

#include <errno.h>

#define SUB_LAYERS_MAX           7u
#define DPB_PICTURES_MAX         16u
#define SHORT_TERM_SETS_MAX      64u
#define SPATIAL_SEGMENTATION_MAX 4095u

/* Both header bytes; false when it is not this type in the base layer. */
static bool
parse_nal_header(struct bits *bits, unsigned type)
{
	uint32_t header = bits_get(bits, 16);

	return header >> 9 == type && (header >> 3 & 0x3f) == 0 && (header & 7) != 0;
}

/* profile_tier_level(1, max_sub_layers - 1), 7.3.3 */
static void
parse_profile(struct bits *bits, unsigned max_sub_layers, struct h265_profile *profile)
{
	bool has_profile[SUB_LAYERS_MAX], has_level[SUB_LAYERS_MAX];
	unsigned i;

	profile->space = (uint8_t)bits_get(bits, 2);
	profile->is_high_tier = bits_get_flag(bits);
	profile->idc = (uint8_t)bits_get(bits, 5);
	profile->compatibility = bits_get(bits, 32);
	for (i = 0; i < sizeof(profile->constraints); i++)
		profile->constraints[i] = (uint8_t)bits_get(bits, 8);
	profile->level_idc = (uint8_t)bits_get(bits, 8);
	for (i = 0; i + 1 < max_sub_layers; i++) {
		has_profile[i] = bits_get_flag(bits);
		has_level[i] = bits_get_flag(bits);
	}
	if (max_sub_layers > 1)
		bits_skip(bits, 2 * (9 - (size_t)max_sub_layers));
	for (i = 0; i + 1 < max_sub_layers; i++)
		bits_skip(bits, (has_profile[i] ? 88u : 0u) + (has_level[i] ? 8u : 0u));
}

/* sub_layer_ordering_info: what stays in the outputs is that of the highest sub-layer, and the
 * largest reordering of all. */
static void
parse_ordering(struct bits *bits, unsigned max_sub_layers, struct h265_sps *sps)
{
	unsigned i;

	sps->ordering_bit = bits->position;
	sps->any_num_reorder_pics = 0;
	i = bits_get_flag(bits) ? 0 : max_sub_layers - 1;
	for (; i < max_sub_layers; i++) {
		sps->max_dec_pic_buffering = bits_get_ue_max(bits, DPB_PICTURES_MAX - 1) + 1;
		sps->max_num_reorder_pics = bits_get_ue_max(bits, DPB_PICTURES_MAX - 1);
		sps->max_latency_increase = bits_get_ue(bits);
		if (sps->max_num_reorder_pics > sps->any_num_reorder_pics)
			sps->any_num_reorder_pics = sps->max_num_reorder_pics;
	}
}

static void
parse_vps_timing(struct bits *bits, struct h265_vps *vps)
{
	size_t max_layer_id = bits_get(bits, 6);
	size_t layer_sets_minus1 = bits_get_ue_max(bits, 1023);

	bits_skip(bits, layer_sets_minus1 * (max_layer_id + 1));
	if (bits_get_flag(bits)) { /* vps_timing_info_present_flag */
		vps->num_units_in_tick = bits_get(bits, 32);
		vps->time_scale = bits_get(bits, 32);
		vps->has_timing = vps->num_units_in_tick > 0 && vps->time_scale > 0;
	}
}

int
h265_parse_vps(const uint8_t *nal, size_t len, struct h265_vps *vps)
{
	struct h265_vps found = { 0 };
	struct h265_sps ordering;
	struct h265_profile profile;
	struct bits bits;

	bits_init_nal(&bits, nal, len);
	if (!parse_nal_header(&bits, H265_NAL_VPS))
		return -EPROTO;
	found.id = (uint8_t)bits_get(&bits, 4);
	bits_skip(&bits, 2 + 6);
	found.max_sub_layers = (uint8_t)(bits_get(&bits, 3) + 1);
	if (found.max_sub_layers > SUB_LAYERS_MAX)
		return -EPROTO;
	bits_skip(&bits, 1 + 16);
	parse_profile(&bits, found.max_sub_layers, &profile);
	parse_ordering(&bits, found.max_sub_layers, &ordering);
	found.max_num_reorder_pics = ordering.any_num_reorder_pics;
	found.ordering_bit = ordering.ordering_bit;
	parse_vps_timing(&bits, &found);
	if (bits.err != 0)
		return bits.err;
	found.end_bit = bits.position;
	*vps = found;
	return 0;
}

/* 7.3.4 */
static void
skip_scaling_lists(struct bits *bits)
{
	unsigned size, matrix, i;

	for (size = 0; size < 4; size++) {
		unsigned coefficients = size == 0 ? 16 : 64;

		for (matrix = 0; matrix < 6; matrix += size == 3 ? 3 : 1) {
			if (!bits_get_flag(bits)) { /* scaling_list_pred_mode_flag */
				(void)bits_get_ue_max(bits, 5);
				continue;
			}
			if (size > 1)
				(void)bits_get_se(bits);
			for (i = 0; i < coefficients && bits->err == 0; i++)
				(void)bits_get_se(bits);
		}
	}
}

/* st_ref_pic_set(), 7.3.7, for one predicted from the set before it, which has `before` pictures.
 */
static unsigned
parse_predicted_set(struct bits *bits, unsigned before)
{
	unsigned n = 0, i;

	bits_skip(bits, 1);                 /* delta_rps_sign */
	(void)bits_get_ue_max(bits, 32767); /* abs_delta_rps_minus1 */
	for (i = 0; i <= before; i++) {
		bool is_used = bits_get_flag(bits);

		if (is_used || bits_get_flag(bits)) /* use_delta_flag */
			n++;
	}
	return n;
}

static void
skip_short_term_sets(struct bits *bits)
{
	uint32_t sets = bits_get_ue_max(bits, SHORT_TERM_SETS_MAX);
	unsigned pictures = 0;
	uint32_t set, i;

	for (set = 0; set < sets && bits->err == 0; set++) {
		if (set > 0 && bits_get_flag(bits)) {
			pictures = parse_predicted_set(bits, pictures);
		} else {
			pictures = bits_get_ue_max(bits, DPB_PICTURES_MAX);
			pictures += bits_get_ue_max(bits, DPB_PICTURES_MAX);
			for (i = 0; i < pictures && bits->err == 0; i++) {
				(void)bits_get_ue_max(bits, 32767);
				bits_skip(bits, 1);
			}
		}
		if (pictures > DPB_PICTURES_MAX)
			bits_fail(bits);
	}
}

static void
parse_size(struct bits *bits, struct h265_sps *sps)
{
	uint32_t unit_x, unit_y, left, right, top, bottom;

	sps->chroma_format_idc = (uint8_t)bits_get_ue_max(bits, 3);
	unit_x = sps->chroma_format_idc == 1 || sps->chroma_format_idc == 2 ? 2 : 1;
	unit_y = sps->chroma_format_idc == 1 ? 2 : 1;
	sps->has_separate_planes = sps->chroma_format_idc == 3 && bits_get_flag(bits);
	if (sps->has_separate_planes)
		unit_x = unit_y = 1;
	sps->coded_width = sps->width = bits_get_ue_max(bits, H265_SIZE_MAX);
	sps->coded_height = sps->height = bits_get_ue_max(bits, H265_SIZE_MAX);
	if (sps->width == 0 || sps->height == 0)
		bits_fail(bits);
	if (!bits_get_flag(bits)) /* conformance_window_flag */
		return;
	left = bits_get_ue_max(bits, H265_SIZE_MAX);
	right = bits_get_ue_max(bits, H265_SIZE_MAX);
	top = bits_get_ue_max(bits, H265_SIZE_MAX);
	bottom = bits_get_ue_max(bits, H265_SIZE_MAX);
	if ((left + right) * unit_x >= sps->width || (top + bottom) * unit_y >= sps->height) {
		bits_fail(bits);
		return;
	}
	sps->width -= (left + right) * unit_x;
	sps->height -= (top + bottom) * unit_y;
}

/* From log2_min_luma_coding_block_size_minus3 to strong_intra_smoothing_enabled_flag. */
static void
skip_coding_tools(struct bits *bits, unsigned poc_bits)
{
	unsigned i;
	uint32_t n;

	for (i = 0; i < 6; i++)
		(void)bits_get_ue_max(bits, 32);
	if (bits_get_flag(bits) && bits_get_flag(bits)) /* scaling_list_enabled, data_present */
		skip_scaling_lists(bits);
	bits_skip(bits, 2);
	if (bits_get_flag(bits)) { /* pcm_enabled_flag */
		bits_skip(bits, 8);
		(void)bits_get_ue_max(bits, 2);
		(void)bits_get_ue_max(bits, 2);
		bits_skip(bits, 1);
	}
	skip_short_term_sets(bits);
	if (bits_get_flag(bits)) { /* long_term_ref_pics_present_flag */
		n = bits_get_ue_max(bits, 32);
		bits_skip(bits, n * (poc_bits + 1));
	}
	bits_skip(bits, 2);
}

/* The VUI to its end, but for the HRD parameters: nothing after them is needed for showing
 * pictures. */
static void
parse_vui(struct bits *bits, struct h265_sps *sps)
{
	struct vui_head head;
	bool is_field_seq;
	unsigned i;

	vui_parse_head(bits, &head);
	sps->sar_num = head.sar_num;
	sps->sar_den = head.sar_den;
	sps->has_full_range = head.has_full_range;
	bits_skip(bits, 1); /* neutral_chroma_indication_flag */
	is_field_seq = bits_get_flag(bits);
	sps->is_interlaced = sps->is_interlaced || is_field_seq;
	bits_skip(bits, 1);      /* frame_field_info_present_flag */
	if (bits_get_flag(bits)) /* default_display_window_flag */
		for (i = 0; i < 4; i++)
			(void)bits_get_ue_max(bits, H265_SIZE_MAX);
	if (bits_get_flag(bits)) { /* vui_timing_info_present_flag */
		sps->num_units_in_tick = bits_get(bits, 32);
		sps->time_scale = bits_get(bits, 32);
		sps->has_timing = sps->num_units_in_tick > 0 && sps->time_scale > 0;
		if (bits_get_flag(bits)) /* vui_poc_proportional_to_timing_flag */
			(void)bits_get_ue(bits);
		if (bits_get_flag(bits)) /* vui_hrd_parameters_present_flag */
			return;
	}
	if (bits_get_flag(bits)) { /* bitstream_restriction_flag */
		bits_skip(bits, 3);
		sps->min_spatial_segmentation =
		    (uint16_t)bits_get_ue_max(bits, SPATIAL_SEGMENTATION_MAX);
	}
}

/* From the NAL header to vui_parameters_present_flag. */
static int
parse_before_vui(struct bits *bits, struct h265_sps *sps)
{
	unsigned poc_bits;

	if (!parse_nal_header(bits, H265_NAL_SPS))
		return -EPROTO;
	sps->vps_id = (uint8_t)bits_get(bits, 4);
	sps->max_sub_layers = (uint8_t)(bits_get(bits, 3) + 1);
	if (sps->max_sub_layers > SUB_LAYERS_MAX)
		return -EPROTO;
	sps->has_temporal_id_nesting = bits_get_flag(bits);
	parse_profile(bits, sps->max_sub_layers, &sps->profile);
	sps->is_interlaced = (sps->profile.constraints[0] & 0xc0) == 0x40;
	sps->id = (uint8_t)bits_get_ue_max(bits, 15);
	parse_size(bits, sps);
	sps->bit_depth_luma = (uint8_t)(8 + bits_get_ue_max(bits, 8));
	sps->bit_depth_chroma = (uint8_t)(8 + bits_get_ue_max(bits, 8));
	poc_bits = 4 + bits_get_ue_max(bits, 12);
	sps->log2_max_poc_lsb = (uint8_t)poc_bits;
	parse_ordering(bits, sps->max_sub_layers, sps);
	skip_coding_tools(bits, poc_bits);
	sps->vui_flag_bit = bits->position;
	sps->has_vui = bits_get_flag(bits);
	return bits->err;
}

int
h265_parse_sps(const uint8_t *nal, size_t len, struct h265_sps *sps)
{
	struct h265_sps found = { 0 }, with_vui;
	struct bits bits;
	int err;

	bits_init_nal(&bits, nal, len);
	err = parse_before_vui(&bits, &found);
	if (err != 0)
		return err;
	with_vui = found;
	if (found.has_vui)
		parse_vui(&bits, &with_vui);
	found.end_bit = with_vui.end_bit = bits.position;
	found.is_vui_damaged = bits.err != 0;
	*sps = found.is_vui_damaged ? found : with_vui;
	return 0;
}

bool
h265_fps(const struct h265_sps *sps, const struct h265_vps *vps, uint32_t *num, uint32_t *den)
{
	if (sps->has_timing && vui_fps(sps->num_units_in_tick, sps->time_scale, 1, num, den))
		return true;
	return vps != NULL && vps->has_timing &&
	       vui_fps(vps->num_units_in_tick, vps->time_scale, 1, num, den);
}
