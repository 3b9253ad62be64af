/*
 * Whether a stream's parameter sets are rewritten (media/vui_rewrite.h), and what is to be done
 * when the stream turns out to reorder its pictures after all. Pure: it is asked for each parameter
 * set and shown each unit.
 *
 * An SPS that says nothing about reordering, or that rules it out, is rewritten at once. One that
 * tells of reordered pictures is left alone until whole GOPs of together at least WRK_VUI_PROOF_NS
 * and WRK_VUI_PROOF_FRAMES had none; then it is rewritten from a key frame on. The first B slice
 * (H.264), or picture that is shown before one that was decoded earlier, ends all rewriting for
 * good: decoders get the camera's own sets with the next key frame, and the pictures up to there
 * are spoiled, because a decoder would show them in the wrong order.
 */
#ifndef CAMHUB_PUBLISH_WRK_VUI_H
#define CAMHUB_PUBLISH_WRK_VUI_H

#include "shared/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

#define WRK_VUI_PROOF_NS     (2 * INT64_C(1000000000))
#define WRK_VUI_PROOF_FRAMES 10u

enum wrk_vui_state {
	WRK_VUI_KEPT,      /* as the camera sends them: asked for */
	WRK_VUI_WATCHING,  /* as the camera sends them, until it is proven that nothing is reordered
			    */
	WRK_VUI_REWRITING, /* rewritten where they do not say so themselves */
	WRK_VUI_REORDERED, /* pictures are reordered: as the camera sends them, for good */
};

/* A unit as the depacketiser gives it. */
struct wrk_vui_unit {
	const uint8_t *annexb;
	size_t len;
	int64_t pts_ns;
	bool is_damaged;    /* bytes of it are missing */
	bool is_after_loss; /* units before it may be missing */
};

struct wrk_vui_verdict {
	bool is_spoiled; /* add FRAME_CORRUPT to the unit's flags */
	/* NULL, or parameter sets (Annex B, the object's until the next call) to be delivered as a
	 * unit of kind CONFIG before this unit. */
	const uint8_t *config;
	size_t config_len;
};

struct wrk_vui;

/* codec: H264 or H265; NULL for others, which every function here takes for "leave all as it is".
 * is_kept: the configuration says `vui: keep`. */
struct wrk_vui *wrk_vui_new(enum frame_codec codec, bool is_kept);
void wrk_vui_free(struct wrk_vui **vui); /* NULL-safe */

/*
 * For rtp_depay_ops.parameter_set: one set in, from its header byte on; appends it, or another in
 * its place, to out without start code. 0; negative: nothing was appended, take it as it is.
 */
int wrk_vui_set(struct wrk_vui *vui, const uint8_t *nal, size_t len, struct byte_writer *out);

/* Sets of a description, in Annex B form: appends them, as they are to be delivered, in that form.
 * 0 or the writer's error. */
int wrk_vui_config(struct wrk_vui *vui, const uint8_t *annexb, size_t len, struct byte_writer *out);

/* Each picture of the stream, before it is delivered; its sets have been through wrk_vui_set(). */
void wrk_vui_examine(struct wrk_vui *vui, const struct wrk_vui_unit *unit,
		     struct wrk_vui_verdict *verdict);

enum wrk_vui_state wrk_vui_state(const struct wrk_vui *vui);

#endif
