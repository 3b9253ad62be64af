/*
 * Parameter sets that tell decoders what is true of a stream without B frames: nothing is
 * reordered, so that no decoder holds pictures back. All else stays bit by bit as it was.
 */
#ifndef CAMHUB_MEDIA_VUI_REWRITE_H
#define CAMHUB_MEDIA_VUI_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

/* What an SPS says about reordering by itself. */
enum vui_reorder {
	VUI_REORDER_NONE,    /* never: poc type 2, a profile without B slices, or told so already */
	VUI_REORDER_UNKNOWN, /* it does not say: decoders assume the worst */
	VUI_REORDER_TOLD,    /* it says that pictures are reordered */
};

/* H.264: nal is an SPS from its header byte on, escaped. -EPROTO: it cannot be read. */
int h264_sps_reorder(const uint8_t *nal, size_t len, enum vui_reorder *reorder);
int h265_sps_reorder(const uint8_t *nal, size_t len, enum vui_reorder *reorder);

/*
 * The same SPS with max_num_reorder_frames 0 and max_dec_frame_buffering as small as
 * max_num_ref_frames (H.264 E.2.1) allows, a VUI added where there is none. Appends to out (no
 * start code), escaped. Returns 1; 0 when it says so already (nothing is written); -EPROTO when it
 * cannot be read safely to its end (nothing is written); the writer's error.
 */
int h264_sps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out);

/* H.265: sps_max_num_reorder_pics and sps_max_latency_increase_plus1 0 in all sub-layers; the same
 * for a VPS. As above. */
int h265_sps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out);
int h265_vps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out);

#endif
