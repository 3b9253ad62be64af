/*
 * The first fields of the video usability information, which H.264 (annex E.1.1) and H.265 (annex
 * E.2.1) share.
 */
#ifndef CAMHUB_MEDIA_VUI_H
#define CAMHUB_MEDIA_VUI_H

#include <stdbool.h>
#include <stdint.h>

struct bits;

struct vui_head {
	uint16_t sar_num, sar_den; /* 0/0 unknown */
	bool has_full_range;
};

/* From aspect_ratio_info_present_flag to the chroma sample locations. Errors stay in bits. */
void vui_parse_head(struct bits *bits, struct vui_head *head);

/*
 * Frames per second of time_scale / (units * ticks_per_frame), reduced. Returns false, outputs
 * untouched, when it is above 1000 or below 1/60.
 */
bool vui_fps(uint32_t units, uint32_t time_scale, unsigned ticks_per_frame, uint32_t *num,
	     uint32_t *den);

#endif
