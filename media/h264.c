/*
 * H.264 beyond the sequence parameter set: picture parameter set ids, slice headers, what an
 * access unit is, and the names people know profiles and levels by.
 */
#include "config.h"

#include "media/h264.h"

#include "media/bits.h"
#include "media/nal.h"

#include <errno.h>
#include <stdio.h>

#define SEI_RECOVERY_POINT 6u
#define SEI_MESSAGES_MAX   32u

int
h264_parse_pps(const uint8_t *nal, size_t len, struct h264_pps *pps)
{
	struct h264_pps found;
	struct bits bits;

	bits_init_nal(&bits, nal, len);
	if ((bits_get(&bits, 8) & 0x9f) != H264_NAL_PPS)
		return -EPROTO;
	found.id = (uint8_t)bits_get_ue_max(&bits, 255);
	found.sps_id = (uint8_t)bits_get_ue_max(&bits, 31);
	if (bits.err != 0)
		return bits.err;
	*pps = found;
	return 0;
}

static bool
has_slice_header(unsigned type)
{
	return type == H264_NAL_SLICE || type == H264_NAL_SLICE_DPA || type == H264_NAL_IDR;
}

int
h264_parse_slice(const uint8_t *nal, size_t len, struct h264_slice *slice)
{
	struct h264_slice found;
	struct bits bits;
	uint32_t header;

	bits_init_nal(&bits, nal, len);
	header = bits_get(&bits, 8);
	if ((header & 0x80) != 0 || !has_slice_header(header & 0x1f))
		return -EPROTO;
	found.first_mb = bits_get_ue(&bits);
	found.type = (enum h264_slice_type)(bits_get_ue_max(&bits, 9) % 5);
	found.pps_id = (uint8_t)bits_get_ue_max(&bits, 255);
	if (bits.err != 0)
		return bits.err;
	*slice = found;
	return 0;
}

int
h264_slice_poc_lsb(const struct h264_sps *sps, const uint8_t *nal, size_t len, uint32_t *lsb)
{
	struct bits bits;
	uint32_t header, found;

	bits_init_nal(&bits, nal, len);
	header = bits_get(&bits, 8);
	if ((header & 0x80) != 0 || !has_slice_header(header & 0x1f))
		return -EPROTO;
	if (sps->poc_type != 0)
		return -ENODATA;
	(void)bits_get_ue(&bits);          /* first_mb_in_slice */
	(void)bits_get_ue_max(&bits, 9);   /* slice_type */
	(void)bits_get_ue_max(&bits, 255); /* pic_parameter_set_id */
	bits_skip(&bits, sps->has_separate_planes ? 2 : 0);
	bits_skip(&bits, sps->log2_max_frame_num);
	if (sps->is_interlaced && bits_get_flag(&bits)) /* field_pic_flag */
		bits_skip(&bits, 1);
	if ((header & 0x1f) == H264_NAL_IDR)
		(void)bits_get_ue_max(&bits, 65535); /* idr_pic_id */
	found = bits_get(&bits, sps->log2_max_poc_lsb);
	if (bits.err != 0)
		return bits.err;
	*lsb = found;
	return 0;
}

/* Type and size of an SEI message are bytes of 255 that add up, and a last one: 7.3.2.3.1. */
static size_t
get_sei_number(struct bits *bits)
{
	size_t sum = 0;
	uint32_t byte;

	do {
		byte = bits_get(bits, 8);
		sum += byte;
	} while (byte == 255 && bits->err == 0);
	return sum;
}

static bool
sei_has_recovery_point(const struct nal_unit *nal)
{
	struct bits bits;
	unsigned i;

	bits_init_nal(&bits, nal->data, nal->len);
	bits_skip(&bits, 8);
	for (i = 0; i < SEI_MESSAGES_MAX && bits.err == 0; i++) {
		size_t type = get_sei_number(&bits);
		size_t size = get_sei_number(&bits);

		if (bits.err == 0 && type == SEI_RECOVERY_POINT && size > 0)
			return true;
		bits_skip(&bits, size * 8);
	}
	return false;
}

static void
classify_slice(const struct nal_unit *nal, struct h264_unit *unit)
{
	struct h264_slice slice;
	bool is_readable = h264_parse_slice(nal->data, nal->len, &slice) == 0;

	if (unit->slices == 0)
		unit->is_intra = unit->is_disposable = true;
	unit->slices++;
	if ((nal->data[0] & 0x1f) == H264_NAL_IDR)
		unit->is_idr = true;
	if ((nal->data[0] & 0x60) != 0)
		unit->is_disposable = false;
	if (!is_readable || (slice.type != H264_SLICE_I && slice.type != H264_SLICE_SI))
		unit->is_intra = false;
	if (is_readable && slice.type == H264_SLICE_B)
		unit->has_b_slices = true;
}

void
h264_classify(const uint8_t *annexb, size_t len, struct h264_unit *unit)
{
	struct nal_iter iter;
	struct nal_unit nal;

	*unit = (struct h264_unit){ 0 };
	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(NAL_H264, &nal);

		if (has_slice_header(type))
			classify_slice(&nal, unit);
		else if (type == H264_NAL_SPS)
			unit->has_sps = true;
		else if (type == H264_NAL_PPS)
			unit->has_pps = true;
		else if (type == H264_NAL_SEI && sei_has_recovery_point(&nal))
			unit->has_recovery_point = true;
	}
	unit->is_key = unit->is_idr || (unit->is_intra && unit->has_recovery_point);
}

void
h264_codec_string(const struct h264_sps *sps, char out[H264_CODEC_STRING_BYTES])
{
	(void)snprintf(out, H264_CODEC_STRING_BYTES, "avc1.%02X%02X%02X", sps->profile_idc,
		       sps->constraint_flags, sps->level_idc);
}

/* First match wins: constraint_set flags (set0 is the top bit) tell profiles of one number apart.
 */
static const struct {
	uint8_t profile_idc, flags;
	const char *name;
} profiles[] = {
	{ 66, 0x40, "Constrained Baseline" },
	{ 66, 0, "Baseline" },
	{ 77, 0, "Main" },
	{ 88, 0, "Extended" },
	{ 100, 0x0c, "Constrained High" },
	{ 100, 0x08, "Progressive High" },
	{ 100, 0, "High" },
	{ 110, 0x10, "High 10 Intra" },
	{ 110, 0, "High 10" },
	{ 122, 0x10, "High 4:2:2 Intra" },
	{ 122, 0, "High 4:2:2" },
	{ 244, 0x10, "High 4:4:4 Intra" },
	{ 244, 0, "High 4:4:4 Predictive" },
	{ 44, 0, "CAVLC 4:4:4 Intra" },
	{ 83, 0, "Scalable Baseline" },
	{ 86, 0, "Scalable High" },
	{ 118, 0, "Multiview High" },
	{ 128, 0, "Stereo High" },
	{ 138, 0, "Multiview Depth High" },
};

const char *
h264_profile_name(const struct h264_sps *sps)
{
	size_t i;

	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (profiles[i].profile_idc == sps->profile_idc &&
		    (sps->constraint_flags & profiles[i].flags) == profiles[i].flags)
			return profiles[i].name;
	return "unknown";
}

void
h264_level_text(const struct h264_sps *sps, char out[8])
{
	bool has_set3 = (sps->constraint_flags & 0x10) != 0;
	bool is_low_profile =
	    sps->profile_idc == 66 || sps->profile_idc == 77 || sps->profile_idc == 88;

	/* A.3.1: level 1b is 11 with constraint_set3_flag, or 9 in the higher profiles */
	if (sps->level_idc == 9 || (sps->level_idc == 11 && is_low_profile && has_set3))
		(void)snprintf(out, 8, "1b");
	else
		(void)snprintf(out, 8, "%u.%u", sps->level_idc / 10u, sps->level_idc % 10u);
}
