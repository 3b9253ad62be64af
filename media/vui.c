/*
 * What the usability information of H.264 and H.265 have in common.
 */
#include "config.h"

#include "media/vui.h"

#include "media/bits.h"

#include <stddef.h>

#define ASPECT_EXTENDED 255u

/* Table E-1, the same in both standards. */
static const uint16_t aspect_ratios[][2] = {
	{ 0, 0 },   { 1, 1 },    { 12, 11 }, { 10, 11 }, { 16, 11 }, { 40, 33 },
	{ 24, 11 }, { 20, 11 },  { 32, 11 }, { 80, 33 }, { 18, 11 }, { 15, 11 },
	{ 64, 33 }, { 160, 99 }, { 4, 3 },   { 3, 2 },   { 2, 1 },
};

static void
parse_aspect(struct bits *bits, struct vui_head *head)
{
	uint32_t idc = bits_get(bits, 8);

	if (idc == ASPECT_EXTENDED) {
		head->sar_num = (uint16_t)bits_get(bits, 16);
		head->sar_den = (uint16_t)bits_get(bits, 16);
	} else if (idc < sizeof(aspect_ratios) / sizeof(aspect_ratios[0])) {
		head->sar_num = aspect_ratios[idc][0];
		head->sar_den = aspect_ratios[idc][1];
	}
	if (head->sar_num == 0 || head->sar_den == 0)
		head->sar_num = head->sar_den = 0;
}

void
vui_parse_head(struct bits *bits, struct vui_head *head)
{
	*head = (struct vui_head){ 0 };
	if (bits_get_flag(bits)) /* aspect_ratio_info_present_flag */
		parse_aspect(bits, head);
	if (bits_get_flag(bits)) /* overscan_info_present_flag */
		bits_skip(bits, 1);
	if (bits_get_flag(bits)) { /* video_signal_type_present_flag */
		bits_skip(bits, 3);
		head->has_full_range = bits_get_flag(bits);
		if (bits_get_flag(bits)) /* colour_description_present_flag */
			bits_skip(bits, 24);
	}
	if (bits_get_flag(bits)) { /* chroma_loc_info_present_flag */
		(void)bits_get_ue_max(bits, 5);
		(void)bits_get_ue_max(bits, 5);
	}
}

static uint64_t
greatest_common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

bool
vui_fps(uint32_t units, uint32_t time_scale, unsigned ticks_per_frame, uint32_t *num, uint32_t *den)
{
	uint64_t n = time_scale;
	uint64_t d = (uint64_t)units * ticks_per_frame;
	uint64_t divisor;

	if (n == 0 || d == 0 || n > d * 1000 || n * 60 < d)
		return false;
	divisor = greatest_common_divisor(n, d);
	if (d / divisor > UINT32_MAX)
		return false;
	*num = (uint32_t)(n / divisor);
	*den = (uint32_t)(d / divisor);
	return true;
}
