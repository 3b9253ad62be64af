/*
 * The camera's own sets are kept, so that they can be told anew, rewritten or not, when what is
 * known about the stream changes.
 */
#include "config.h"

#include "publish/wrk_vui.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/h264.h"
#include "media/h265.h"
#include "media/picture_order.h"
#include "media/vui_rewrite.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SETS_MAX      16u
#define SET_BYTES_MAX 8192u /* one that is larger is not kept, and goes through as it is */

struct set {
	unsigned type, id;
	uint8_t *nal;
	size_t len;
};

struct wrk_vui {
	enum nal_codec codec;
	bool is_kept;
	struct set sets[SETS_MAX];
	size_t n_sets;
	struct byte_writer config; /* of the last verdict */

	/* The last SPS and PPS that could be read */
	bool has_sps, has_pps;
	enum vui_reorder reorder;
	struct h264_sps h264;
	struct h265_sps h265;
	struct h265_pps h265_pps;

	struct picture_order order;
	bool is_reordered;  /* seen: never again */
	bool is_proven;     /* that it is not, whatever the SPS says */
	bool has_proof_key; /* a proof has begun, at proof_ns */
	int64_t proof_ns;
	unsigned proof_frames;

	bool was_rewritten; /* the SPS that went through last */
	bool is_in_force;   /* the SPS that decoders have is rewritten */
	bool is_stale;      /* it is not what it would be now */
	bool is_spoiled;
};

struct wrk_vui *
wrk_vui_new(enum frame_codec codec, bool is_kept)
{
	struct wrk_vui *vui;

	if (codec != FRAME_CODEC_H264 && codec != FRAME_CODEC_H265)
		return NULL;
	vui = xcalloc(1, sizeof(*vui));
	vui->codec = codec == FRAME_CODEC_H264 ? NAL_H264 : NAL_H265;
	vui->is_kept = is_kept;
	vui->reorder = VUI_REORDER_TOLD;
	byte_writer_init(&vui->config, (size_t)2 * CODEC_PARAMETER_SETS_MAX);
	return vui;
}

void
wrk_vui_free(struct wrk_vui **vui)
{
	if (*vui == NULL)
		return;
	for (size_t i = 0; i < (*vui)->n_sets; i++)
		free((*vui)->sets[i].nal);
	byte_writer_free(&(*vui)->config);
	free(*vui);
	*vui = NULL;
}

enum wrk_vui_state
wrk_vui_state(const struct wrk_vui *vui)
{
	if (vui == NULL || vui->is_kept)
		return WRK_VUI_KEPT;
	if (vui->is_reordered)
		return WRK_VUI_REORDERED;
	return vui->reorder == VUI_REORDER_TOLD && !vui->is_proven ? WRK_VUI_WATCHING
								   : WRK_VUI_REWRITING;
}

/* Sets */

static bool
is_sps(const struct wrk_vui *vui, unsigned type)
{
	return type == (vui->codec == NAL_H264 ? (unsigned)H264_NAL_SPS : (unsigned)H265_NAL_SPS);
}

/* Remembers what the set says about the stream. Returns 0, -EPROTO: it cannot be read. */
static int
learn(struct wrk_vui *vui, unsigned type, const uint8_t *nal, size_t len, unsigned *id)
{
	struct h264_pps h264_pps;
	struct h265_vps vps;
	int rc;

	if (is_sps(vui, type)) {
		rc = vui->codec == NAL_H264 ? h264_parse_sps(nal, len, &vui->h264)
					    : h265_parse_sps(nal, len, &vui->h265);
		if (rc != 0)
			return rc;
		vui->has_sps = true;
		*id = vui->codec == NAL_H264 ? vui->h264.id : vui->h265.id;
		return vui->codec == NAL_H264 ? h264_sps_reorder(nal, len, &vui->reorder)
					      : h265_sps_reorder(nal, len, &vui->reorder);
	}
	if (vui->codec == NAL_H264) {
		rc = type == H264_NAL_PPS ? h264_parse_pps(nal, len, &h264_pps) : -EPROTO;
		*id = rc == 0 ? h264_pps.id : 0;
	} else if (type == H265_NAL_PPS) {
		rc = h265_parse_pps(nal, len, &vui->h265_pps);
		vui->has_pps = vui->has_pps || rc == 0;
		*id = vui->h265_pps.id;
	} else {
		rc = h265_parse_vps(nal, len, &vps);
		*id = rc == 0 ? vps.id : 0;
	}
	return rc;
}

static struct set *
find_set(struct wrk_vui *vui, unsigned type, unsigned id)
{
	for (size_t i = 0; i < vui->n_sets; i++)
		if (vui->sets[i].type == type && vui->sets[i].id == id)
			return &vui->sets[i];
	if (vui->n_sets == SETS_MAX)
		return NULL;
	vui->sets[vui->n_sets] = (struct set){ .type = type, .id = id };
	return &vui->sets[vui->n_sets++];
}

static void
keep(struct wrk_vui *vui, unsigned type, unsigned id, const uint8_t *nal, size_t len)
{
	struct set *set = len <= SET_BYTES_MAX ? find_set(vui, type, id) : NULL;

	if (set == NULL || (set->len == len && memcmp(set->nal, nal, len) == 0))
		return;
	set->nal = xreallocarray(set->nal, len, 1);
	memcpy(set->nal, nal, len);
	set->len = len;
}

/* Appends the set, rewritten if that is to be. Returns 0 or the writer's error. */
static int
write_set(struct wrk_vui *vui, unsigned type, const uint8_t *nal, size_t len,
	  struct byte_writer *out)
{
	bool is_rewriting = wrk_vui_state(vui) == WRK_VUI_REWRITING;
	int rc = 0;

	if (is_rewriting && vui->codec == NAL_H264 && type == H264_NAL_SPS)
		rc = h264_sps_rewrite(nal, len, out);
	else if (is_rewriting && vui->codec == NAL_H265 && type == H265_NAL_SPS)
		rc = h265_sps_rewrite(nal, len, out);
	else if (is_rewriting && type == H265_NAL_VPS && vui->is_proven)
		rc = h265_vps_rewrite(nal, len, out);
	if (is_sps(vui, type))
		vui->was_rewritten = rc == 1;
	if (rc <= 0 && out->err == 0)
		byte_writer_bytes(out, nal, len);
	return out->err;
}

static int
pass(struct wrk_vui *vui, const struct nal_unit *nal, struct byte_writer *out)
{
	unsigned type = nal_type(vui->codec, nal), id;

	if (learn(vui, type, nal->data, nal->len, &id) == 0)
		keep(vui, type, id, nal->data, nal->len);
	return write_set(vui, type, nal->data, nal->len, out);
}

int
wrk_vui_set(struct wrk_vui *vui, const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct nal_unit unit = { nal, len };

	if (vui == NULL || vui->is_kept || len == 0)
		return -ENOTSUP;
	return pass(vui, &unit, out);
}

int
wrk_vui_config(struct wrk_vui *vui, const uint8_t *annexb, size_t len, struct byte_writer *out)
{
	struct nal_iter iter;
	struct nal_unit nal;

	if (vui == NULL || vui->is_kept) {
		byte_writer_bytes(out, annexb, len);
		return out->err;
	}
	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal)) {
		byte_writer_u32(out, 1);
		if (pass(vui, &nal, out) == 0 && is_sps(vui, nal_type(vui->codec, &nal)))
			vui->is_in_force = vui->was_rewritten;
	}
	return out->err;
}

/* All sets anew, as they are to be now, in the order in which decoders want them. */
static void
tell_sets(struct wrk_vui *vui, struct wrk_vui_verdict *verdict)
{
	byte_writer_reset(&vui->config);
	for (unsigned type = 0; type <= H265_NAL_PPS; type++)
		for (size_t i = 0; i < vui->n_sets; i++) {
			const struct set *set = &vui->sets[i];

			if (set->type != type)
				continue;
			byte_writer_u32(&vui->config, 1);
			(void)write_set(vui, type, set->nal, set->len, &vui->config);
		}
	vui->is_in_force = vui->was_rewritten;
	vui->is_stale = false;
	if (vui->config.err == 0 && vui->config.len > 0) {
		verdict->config = vui->config.data;
		verdict->config_len = vui->config.len;
	}
}

/* Units */

struct seen {
	struct codec_unit what;
	bool has_sps;
	struct nal_unit slice; /* the first */
};

static bool
is_slice(const struct wrk_vui *vui, const struct nal_unit *nal, unsigned type)
{
	if (vui->codec == NAL_H264)
		return type == H264_NAL_SLICE || type == H264_NAL_SLICE_DPA || type == H264_NAL_IDR;
	return type <= H265_NAL_VCL_LAST && nal->len > 2 && (nal->data[0] & 1) == 0 &&
	       nal->data[1] >> 3 == 0;
}

static void
look(const struct wrk_vui *vui, const struct wrk_vui_unit *unit, struct seen *seen)
{
	struct nal_iter iter;
	struct nal_unit nal;

	*seen = (struct seen){ .has_sps = false };
	codec_classify(vui->codec, unit->annexb, unit->len, NULL, &seen->what);
	nal_iter_annexb(&iter, unit->annexb, unit->len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(vui->codec, &nal);

		if (is_sps(vui, type))
			seen->has_sps = true;
		else if (seen->slice.data == NULL && is_slice(vui, &nal, type))
			seen->slice = nal;
	}
}

/* H.265 8.3.1: no sub-layer non-reference picture, none of a higher sub-layer. Leading pictures are
 * none either, but where there is one, the order has changed anyway. */
static bool
is_previous_of_next(const struct wrk_vui *vui, const struct nal_unit *slice)
{
	unsigned type = nal_type(vui->codec, slice);

	if (vui->codec == NAL_H264)
		return (slice->data[0] & 0x60) != 0;
	return (slice->data[1] & 7) == 1 && (type > H265_NAL_RSV_VCL_R15 || type % 2 == 1);
}

enum order { ORDER_UNKNOWN, ORDER_KEPT, ORDER_CHANGED };

/* A key frame begins the counting anew: what leads it comes later in decoding order. */
static enum order
follow_order(struct wrk_vui *vui, const struct seen *seen)
{
	struct picture_order_step step = { .is_restart = seen->what.is_key };
	const struct nal_unit *slice = &seen->slice;
	int rc = -ENODATA;

	if (slice->data != NULL && vui->has_sps && vui->codec == NAL_H264) {
		rc = h264_slice_poc_lsb(&vui->h264, slice->data, slice->len, &step.lsb);
		step.bits = vui->h264.log2_max_poc_lsb;
	} else if (slice->data != NULL && vui->has_sps && vui->has_pps) {
		rc = h265_slice_poc_lsb(&vui->h265, &vui->h265_pps, slice->data, slice->len,
					&step.lsb);
		step.bits = vui->h265.log2_max_poc_lsb;
	}
	if (rc != 0) {
		vui->order = (struct picture_order){ .has_any = false };
		return ORDER_UNKNOWN;
	}
	step.is_reference = is_previous_of_next(vui, slice);
	return picture_order_step(&vui->order, &step) ? ORDER_CHANGED : ORDER_KEPT;
}

/* H.264 with poc_type 2 shows pictures as they are decoded, whatever their slices (8.2.1.3). */
static bool
cannot_reorder(const struct wrk_vui *vui)
{
	return vui->codec == NAL_H264 && vui->has_sps && vui->h264.poc_type == 2;
}

static void
note_reordered(struct wrk_vui *vui)
{
	log_debug("pictures are reordered: parameter sets stay as the camera sends them");
	vui->is_reordered = true;
	vui->is_stale = vui->is_spoiled = vui->is_in_force;
}

static void
gather_proof(struct wrk_vui *vui, const struct wrk_vui_unit *unit, bool is_key)
{
	if (is_key && vui->has_proof_key && vui->proof_frames >= WRK_VUI_PROOF_FRAMES &&
	    unit->pts_ns - vui->proof_ns >= WRK_VUI_PROOF_NS) {
		log_debug("nothing is reordered, whatever the SPS says: it is rewritten");
		vui->is_proven = vui->is_stale = true;
		return;
	}
	if (is_key && !vui->has_proof_key) {
		vui->has_proof_key = true;
		vui->proof_ns = unit->pts_ns;
		vui->proof_frames = 0;
	}
	vui->proof_frames++;
}

static void
follow(struct wrk_vui *vui, const struct wrk_vui_unit *unit, const struct seen *seen)
{
	enum order order;

	if (unit->is_damaged || unit->is_after_loss) {
		vui->order = (struct picture_order){ .has_any = false };
		vui->has_proof_key = false;
	}
	if (unit->is_damaged || cannot_reorder(vui))
		return;
	order = follow_order(vui, seen);
	if (seen->what.has_b_slices || order == ORDER_CHANGED)
		note_reordered(vui);
	else if (order == ORDER_UNKNOWN && vui->codec == NAL_H265)
		vui->has_proof_key = false; /* there is nothing else to go by */
	else if (wrk_vui_state(vui) == WRK_VUI_WATCHING)
		gather_proof(vui, unit, seen->what.is_key);
}

void
wrk_vui_examine(struct wrk_vui *vui, const struct wrk_vui_unit *unit,
		struct wrk_vui_verdict *verdict)
{
	struct seen seen;

	*verdict = (struct wrk_vui_verdict){ .is_spoiled = false };
	if (vui == NULL || vui->is_kept ||
	    (vui->is_reordered && !vui->is_stale && !vui->is_spoiled))
		return;
	look(vui, unit, &seen);
	if (seen.has_sps) {
		vui->is_in_force = vui->was_rewritten;
		vui->is_stale = false;
	}
	if (!seen.what.is_picture)
		return;
	if (seen.what.is_key)
		vui->is_spoiled = false;
	if (!vui->is_reordered)
		follow(vui, unit, &seen);
	if (seen.what.is_key && vui->is_stale && !seen.has_sps)
		tell_sets(vui, verdict);
	verdict->is_spoiled = vui->is_spoiled;
}
