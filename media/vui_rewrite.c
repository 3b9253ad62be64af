/*
 * Parameter sets written anew with one thing changed: bits up to the changed fields are copied, the
 * fields are written, bits behind them up to the stop bit are copied.
 */
#include "config.h"

#include "media/vui_rewrite.h"

#include "media/bit_writer.h"
#include "media/bits.h"
#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"

#include <errno.h>

#define DPB_FRAMES_MAX 16u

struct rewrite {
	struct bits in;
	struct bit_writer out;
	size_t end_bit; /* of the stop bit */
};

/* The last bit that is one is rbsp_stop_one_bit (7.4.1); only zeros may follow it. */
static int
find_stop_bit(const uint8_t *nal, size_t len, size_t *end_bit)
{
	struct bits bits;
	size_t end = 0;
	uint32_t byte;

	bits_init_nal(&bits, nal, len);
	for (;;) {
		byte = bits_get(&bits, 8);
		if (bits.err != 0)
			break;
		if (byte == 0)
			continue;
		end = bits.position - 1;
		for (; (byte & 1) == 0; byte >>= 1)
			end--;
	}
	if (end == 0)
		return -EPROTO;
	*end_bit = end;
	return 0;
}

/* needed: the unit must hold so many bits before its stop bit. */
static int
rewrite_begin(struct rewrite *rewrite, const uint8_t *nal, size_t len, size_t needed,
	      struct byte_writer *out)
{
	int rc = find_stop_bit(nal, len, &rewrite->end_bit);

	if (rc != 0 || rewrite->end_bit < needed)
		return -EPROTO;
	bits_init_nal(&rewrite->in, nal, len);
	bit_writer_init_nal(&rewrite->out, out);
	return 0;
}

static void
copy_to(struct rewrite *rewrite, size_t bit)
{
	while (rewrite->in.position < bit && rewrite->in.err == 0) {
		size_t left = bit - rewrite->in.position;
		unsigned n = left < 32 ? (unsigned)left : 32;

		bit_writer_put(&rewrite->out, bits_get(&rewrite->in, n), n);
	}
}

static int
rewrite_end(struct rewrite *rewrite)
{
	copy_to(rewrite, rewrite->end_bit);
	bit_writer_trail(&rewrite->out);
	return rewrite->out.out->err != 0 ? rewrite->out.out->err : 1;
}

/* H.264 */

/* Annex A: Baseline has no B slices, nor has what also conforms to it (constraint_set0_flag) or
 * says so (constraint_set5_flag). Streams of intra profiles (A.2.8 to A.2.11) have I slices only.
 */
static bool
has_no_b_slices(const struct h264_sps *sps)
{
	bool has_set3 = (sps->constraint_flags & 0x10) != 0;
	bool has_set5 = (sps->constraint_flags & 0x04) != 0;

	switch (sps->profile_idc) {
	case 66:
	case 44:
		return true;
	case 77:
	case 88:
	case 100:
		return (sps->constraint_flags & 0x80) != 0 || has_set5;
	case 110:
	case 122:
	case 244:
		return has_set3;
	default:
		return false;
	}
}

int
h264_sps_reorder(const uint8_t *nal, size_t len, enum vui_reorder *reorder)
{
	struct h264_sps sps;
	int rc = h264_parse_sps(nal, len, &sps);

	if (rc != 0)
		return rc;
	if (sps.poc_type == 2 || has_no_b_slices(&sps))
		*reorder = VUI_REORDER_NONE;
	else if (!sps.has_bitstream_restriction)
		*reorder = VUI_REORDER_UNKNOWN;
	else
		*reorder = sps.max_num_reorder_frames == 0 ? VUI_REORDER_NONE : VUI_REORDER_TOLD;
	return 0;
}

/* What stands before max_num_reorder_frames, with the values that are inferred when it is not there
 * (E.2.1). */
static void
put_restriction_head(struct bit_writer *out)
{
	bit_writer_put(out, 1, 1);  /* bitstream_restriction_flag */
	bit_writer_put(out, 1, 1);  /* motion_vectors_over_pic_boundaries_flag */
	bit_writer_put_ue(out, 2);  /* max_bytes_per_pic_denom */
	bit_writer_put_ue(out, 1);  /* max_bits_per_mb_denom */
	bit_writer_put_ue(out, 15); /* log2_max_mv_length_horizontal */
	bit_writer_put_ue(out, 15); /* log2_max_mv_length_vertical */
}

/* vui_parameters_present_flag, and a VUI that says nothing up to bitstream_restriction_flag. */
static void
put_empty_vui(struct bit_writer *out)
{
	bit_writer_put(out, 1, 1);
	bit_writer_put(out, 0, 8);
}

int
h264_sps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct rewrite rewrite;
	struct h264_sps sps;
	uint32_t buffering;
	size_t resume;
	int rc = h264_parse_sps(nal, len, &sps);

	if (rc != 0 || sps.is_vui_damaged || sps.max_num_ref_frames > DPB_FRAMES_MAX)
		return -EPROTO;
	/* One at least: no decoder works without a buffer, whatever the standard permits. */
	buffering = sps.max_num_ref_frames > 0 ? sps.max_num_ref_frames : 1;
	if (sps.has_bitstream_restriction && sps.max_num_reorder_frames == 0 &&
	    sps.max_dec_frame_buffering <= buffering)
		return 0;
	resume = sps.has_vui ? sps.vui_end_bit : sps.vui_flag_bit + 1;
	rc = rewrite_begin(&rewrite, nal, len, resume, out);
	if (rc != 0)
		return rc;
	if (sps.has_bitstream_restriction) {
		copy_to(&rewrite, sps.reorder_bit);
	} else {
		copy_to(&rewrite, sps.has_vui ? sps.bitstream_restriction_bit : sps.vui_flag_bit);
		if (!sps.has_vui)
			put_empty_vui(&rewrite.out);
		put_restriction_head(&rewrite.out);
	}
	bit_writer_put_ue(&rewrite.out, 0); /* max_num_reorder_frames */
	bit_writer_put_ue(&rewrite.out, buffering);
	bits_skip(&rewrite.in, resume - rewrite.in.position);
	return rewrite_end(&rewrite);
}

/* H.265 */

int
h265_sps_reorder(const uint8_t *nal, size_t len, enum vui_reorder *reorder)
{
	struct h265_sps sps;
	int rc = h265_parse_sps(nal, len, &sps);

	if (rc != 0)
		return rc;
	*reorder = sps.any_num_reorder_pics == 0 ? VUI_REORDER_NONE : VUI_REORDER_TOLD;
	return 0;
}

/* sub_layer_ordering_info of an SPS or a VPS, which parsed before. */
static int
rewrite_ordering(const uint8_t *nal, size_t len, size_t ordering_bit, unsigned max_sub_layers,
		 size_t needed, struct byte_writer *out)
{
	struct rewrite rewrite;
	bool has_all;
	unsigned i;
	int rc = rewrite_begin(&rewrite, nal, len, needed, out);

	if (rc != 0)
		return rc;
	copy_to(&rewrite, ordering_bit);
	has_all = bits_get_flag(&rewrite.in);
	bit_writer_put(&rewrite.out, has_all, 1);
	for (i = has_all ? 0 : max_sub_layers - 1; i < max_sub_layers; i++) {
		bit_writer_put_ue(&rewrite.out,
				  bits_get_ue(&rewrite.in)); /* max_dec_pic_buffering */
		(void)bits_get_ue(&rewrite.in);
		(void)bits_get_ue(&rewrite.in);
		bit_writer_put_ue(&rewrite.out, 0); /* max_num_reorder_pics */
		bit_writer_put_ue(&rewrite.out, 0); /* max_latency_increase_plus1 */
	}
	return rewrite_end(&rewrite);
}

int
h265_sps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct h265_sps sps;
	int rc = h265_parse_sps(nal, len, &sps);

	if (rc != 0 || sps.is_vui_damaged)
		return -EPROTO;
	if (sps.any_num_reorder_pics == 0)
		return 0;
	return rewrite_ordering(nal, len, sps.ordering_bit, sps.max_sub_layers, sps.end_bit, out);
}

int
h265_vps_rewrite(const uint8_t *nal, size_t len, struct byte_writer *out)
{
	struct h265_vps vps;
	int rc = h265_parse_vps(nal, len, &vps);

	if (rc != 0)
		return rc;
	if (vps.max_num_reorder_pics == 0)
		return 0;
	return rewrite_ordering(nal, len, vps.ordering_bit, vps.max_sub_layers, vps.end_bit, out);
}
