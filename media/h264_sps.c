/*
 * The H.264 sequence parameter set, to the end of the VUI (7.3.2.1.1, E.1.1). Values that no
 * picture a camera sends can have are refused, so that later arithmetic cannot overflow.
 */
#include "config.h"

#include "media/h264.h"

#include "media/bits.h"
#include "media/vui.h"

#include <errno.h>

#define DPB_FRAMES_MAX 16u

static void
skip_scaling_list(struct bits *bits, unsigned size)
{
	int last = 8, next = 8;
	unsigned i;

	for (i = 0; i < size && bits->err == 0; i++) {
		if (next != 0) {
			int32_t delta = bits_get_se(bits);

			if (delta < -128 || delta > 127)
				bits_fail(bits);
			else
				next = (last + delta + 256) % 256;
		}
		last = next == 0 ? last : next;
	}
}

static bool
has_chroma_format(uint8_t profile_idc)
{
	switch (profile_idc) {
	case 44:
	case 83:
	case 86:
	case 100:
	case 110:
	case 118:
	case 122:
	case 128:
	case 134:
	case 135:
	case 138:
	case 139:
	case 244:
		return true;
	default:
		return false;
	}
}

/* Sets *chroma_array_type: 0 for separate planes too. */
static void
parse_chroma_format(struct bits *bits, struct h264_sps *sps, unsigned *chroma_array_type)
{
	unsigned lists, i;

	sps->chroma_format_idc = 1;
	sps->bit_depth_luma = sps->bit_depth_chroma = 8;
	*chroma_array_type = 1;
	if (!has_chroma_format(sps->profile_idc))
		return;
	sps->chroma_format_idc = (uint8_t)bits_get_ue_max(bits, 3);
	*chroma_array_type = sps->chroma_format_idc;
	sps->has_separate_planes = sps->chroma_format_idc == 3 && bits_get_flag(bits);
	if (sps->has_separate_planes)
		*chroma_array_type = 0;
	sps->bit_depth_luma = (uint8_t)(8 + bits_get_ue_max(bits, 6));
	sps->bit_depth_chroma = (uint8_t)(8 + bits_get_ue_max(bits, 6));
	bits_skip(bits, 1);       /* qpprime_y_zero_transform_bypass_flag */
	if (!bits_get_flag(bits)) /* seq_scaling_matrix_present_flag */
		return;
	lists = sps->chroma_format_idc == 3 ? 12 : 8;
	for (i = 0; i < lists; i++)
		if (bits_get_flag(bits))
			skip_scaling_list(bits, i < 6 ? 16 : 64);
}

static void
parse_picture_order(struct bits *bits, struct h264_sps *sps)
{
	uint32_t cycle, i;

	sps->poc_type = (uint8_t)bits_get_ue_max(bits, 2);
	if (sps->poc_type == 0) {
		sps->log2_max_poc_lsb = (uint8_t)(4 + bits_get_ue_max(bits, 12));
	} else if (sps->poc_type == 1) {
		bits_skip(bits, 1);
		(void)bits_get_se(bits);
		(void)bits_get_se(bits);
		cycle = bits_get_ue_max(bits, 255);
		for (i = 0; i < cycle && bits->err == 0; i++)
			(void)bits_get_se(bits);
	}
}

/* frame_cropping: 7.4.2.1.1, equations 7-19 to 7-22. */
static void
parse_cropping(struct bits *bits, struct h264_sps *sps, unsigned chroma_array_type)
{
	uint32_t unit_x = chroma_array_type == 1 || chroma_array_type == 2 ? 2 : 1;
	uint32_t unit_y = (chroma_array_type == 1 ? 2 : 1) * (sps->is_interlaced ? 2 : 1);
	uint32_t left, right, top, bottom;

	sps->width = sps->coded_width;
	sps->height = sps->coded_height;
	if (!bits_get_flag(bits))
		return;
	left = bits_get_ue_max(bits, H264_SIZE_MAX);
	right = bits_get_ue_max(bits, H264_SIZE_MAX);
	top = bits_get_ue_max(bits, H264_SIZE_MAX);
	bottom = bits_get_ue_max(bits, H264_SIZE_MAX);
	if ((left + right) * unit_x >= sps->coded_width ||
	    (top + bottom) * unit_y >= sps->coded_height) {
		bits_fail(bits);
		return;
	}
	sps->width -= (left + right) * unit_x;
	sps->height -= (top + bottom) * unit_y;
}

static void
parse_size(struct bits *bits, struct h264_sps *sps, unsigned chroma_array_type)
{
	uint32_t width_mbs = bits_get_ue_max(bits, H264_SIZE_MAX / 16 - 1) + 1;
	uint32_t height_units = bits_get_ue_max(bits, H264_SIZE_MAX / 16 - 1) + 1;

	sps->is_interlaced = !bits_get_flag(bits); /* frame_mbs_only_flag */
	if (sps->is_interlaced)
		bits_skip(bits, 1); /* mb_adaptive_frame_field_flag */
	bits_skip(bits, 1);         /* direct_8x8_inference_flag */
	sps->coded_width = width_mbs * 16;
	sps->coded_height = height_units * 16 * (sps->is_interlaced ? 2 : 1);
	if (sps->coded_height > H264_SIZE_MAX)
		bits_fail(bits);
	parse_cropping(bits, sps, chroma_array_type);
}

/* E.1.2 */
static void
skip_hrd(struct bits *bits)
{
	uint32_t count = bits_get_ue_max(bits, 31) + 1;
	uint32_t i;

	bits_skip(bits, 8);
	for (i = 0; i < count && bits->err == 0; i++) {
		(void)bits_get_ue(bits);
		(void)bits_get_ue(bits);
		bits_skip(bits, 1);
	}
	bits_skip(bits, 20);
}

static void
parse_bitstream_restriction(struct bits *bits, struct h264_sps *sps)
{
	sps->bitstream_restriction_bit = bits->position;
	sps->has_bitstream_restriction = bits_get_flag(bits);
	if (!sps->has_bitstream_restriction)
		return;
	bits_skip(bits, 1);              /* motion_vectors_over_pic_boundaries_flag */
	(void)bits_get_ue_max(bits, 16); /* max_bytes_per_pic_denom */
	(void)bits_get_ue_max(bits, 16); /* max_bits_per_mb_denom */
	(void)bits_get_ue_max(bits, 32); /* log2_max_mv_length_horizontal */
	(void)bits_get_ue_max(bits, 32); /* log2_max_mv_length_vertical */
	sps->reorder_bit = bits->position;
	sps->max_num_reorder_frames = bits_get_ue_max(bits, DPB_FRAMES_MAX);
	sps->max_dec_frame_buffering = bits_get_ue_max(bits, DPB_FRAMES_MAX);
}

static void
parse_vui(struct bits *bits, struct h264_sps *sps)
{
	struct vui_head head;
	bool has_hrd;

	vui_parse_head(bits, &head);
	sps->sar_num = head.sar_num;
	sps->sar_den = head.sar_den;
	sps->has_full_range = head.has_full_range;
	if (bits_get_flag(bits)) { /* timing_info_present_flag */
		sps->num_units_in_tick = bits_get(bits, 32);
		sps->time_scale = bits_get(bits, 32);
		sps->is_fixed_rate = bits_get_flag(bits);
		sps->has_timing = sps->num_units_in_tick > 0 && sps->time_scale > 0;
	}
	has_hrd = bits_get_flag(bits); /* nal_hrd_parameters_present_flag */
	if (has_hrd)
		skip_hrd(bits);
	if (bits_get_flag(bits)) { /* vcl_hrd_parameters_present_flag */
		skip_hrd(bits);
		has_hrd = true;
	}
	if (has_hrd)
		bits_skip(bits, 1); /* low_delay_hrd_flag */
	bits_skip(bits, 1);         /* pic_struct_present_flag */
	parse_bitstream_restriction(bits, sps);
	sps->vui_end_bit = bits->position;
}

int
h264_parse_sps(const uint8_t *nal, size_t len, struct h264_sps *sps)
{
	struct h264_sps found = { 0 }, with_vui;
	struct bits bits;
	unsigned chroma_array_type;

	bits_init_nal(&bits, nal, len);
	if ((bits_get(&bits, 8) & 0x9f) != H264_NAL_SPS)
		return -EPROTO;
	found.profile_idc = (uint8_t)bits_get(&bits, 8);
	found.constraint_flags = (uint8_t)bits_get(&bits, 8);
	found.level_idc = (uint8_t)bits_get(&bits, 8);
	found.id = (uint8_t)bits_get_ue_max(&bits, 31);
	parse_chroma_format(&bits, &found, &chroma_array_type);
	found.log2_max_frame_num = (uint8_t)(4 + bits_get_ue_max(&bits, 12));
	parse_picture_order(&bits, &found);
	found.max_num_ref_frames = (uint8_t)bits_get_ue_max(&bits, 32);
	bits_skip(&bits, 1); /* gaps_in_frame_num_value_allowed_flag */
	parse_size(&bits, &found, chroma_array_type);
	found.vui_flag_bit = bits.position;
	found.has_vui = bits_get_flag(&bits);
	if (bits.err != 0)
		return bits.err;
	with_vui = found;
	if (found.has_vui)
		parse_vui(&bits, &with_vui);
	found.is_vui_damaged = bits.err != 0;
	*sps = found.is_vui_damaged ? found : with_vui;
	return 0;
}

bool
h264_sps_fps(const struct h264_sps *sps, uint32_t *num, uint32_t *den)
{
	return sps->has_timing && vui_fps(sps->num_units_in_tick, sps->time_scale, 2, num, den);
}
