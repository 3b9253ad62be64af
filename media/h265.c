/*
 * H.265 beyond the sequence parameter set: picture parameter set ids, what an access unit is, the
 * codec string, and the names people know profiles and levels by.
 */
#include "config.h"

#include "media/h265.h"

#include "media/bits.h"
#include "media/bytes.h"
#include "media/nal.h"

#include <errno.h>
#include <stdio.h>

int
h265_parse_pps(const uint8_t *nal, size_t len, struct h265_pps *pps)
{
	struct h265_pps found;
	struct bits bits;

	bits_init_nal(&bits, nal, len);
	if (bits_get(&bits, 16) >> 9 != H265_NAL_PPS)
		return -EPROTO;
	found.id = (uint8_t)bits_get_ue_max(&bits, 63);
	found.sps_id = (uint8_t)bits_get_ue_max(&bits, 15);
	bits_skip(&bits, 1); /* dependent_slice_segments_enabled_flag */
	found.has_output_flag = bits_get_flag(&bits);
	found.extra_slice_bits = (uint8_t)bits_get(&bits, 3);
	if (bits.err != 0)
		return bits.err;
	*pps = found;
	return 0;
}

int
h265_slice_poc_lsb(const struct h265_sps *sps, const struct h265_pps *pps, const uint8_t *nal,
		   size_t len, uint32_t *lsb)
{
	struct bits bits;
	uint32_t type, found;
	bool is_first, is_ours;

	bits_init_nal(&bits, nal, len);
	type = bits_get(&bits, 16) >> 9;
	if (type > H265_NAL_VCL_LAST)
		return -EPROTO;
	is_first = bits_get_flag(&bits);
	bits_skip(&bits, type >= H265_NAL_BLA_W_LP && type <= H265_NAL_RSV_IRAP_23 ? 1 : 0);
	is_ours = bits_get_ue_max(&bits, 63) == pps->id && pps->sps_id == sps->id;
	bits_skip(&bits, pps->extra_slice_bits);
	(void)bits_get_ue_max(&bits, 2); /* slice_type */
	bits_skip(&bits, (pps->has_output_flag ? 1u : 0u) + (sps->has_separate_planes ? 2u : 0u));
	found = type == H265_NAL_IDR_W_RADL || type == H265_NAL_IDR_N_LP
		    ? 0
		    : bits_get(&bits, sps->log2_max_poc_lsb);
	if (bits.err != 0 || !is_first || !is_ours)
		return is_first && is_ours ? -EPROTO : -ENODATA;
	*lsb = found;
	return 0;
}

static void
classify_slice(const struct nal_unit *nal, unsigned type, struct h265_unit *unit)
{
	bool is_irap = type >= H265_NAL_BLA_W_LP && type <= H265_NAL_RSV_IRAP_23;

	if (unit->slices++ == 0) {
		unit->temporal_id = (uint8_t)((nal->data[1] & 7) - 1);
		unit->is_non_reference = true;
	}
	if (type > H265_NAL_RSV_VCL_R15 || type % 2 == 1)
		unit->is_non_reference = false;
	unit->is_key = unit->is_key || is_irap;
	unit->is_idr = unit->is_idr || type == H265_NAL_IDR_W_RADL || type == H265_NAL_IDR_N_LP;
	unit->is_cra = unit->is_cra || type == H265_NAL_CRA;
	unit->is_rasl = unit->is_rasl || type == H265_NAL_RASL_N || type == H265_NAL_RASL_R;
}

/* A header of two bytes, in the base layer, with a temporal id. */
static bool
is_base_layer(const struct nal_unit *nal)
{
	return nal->len > 2 && (nal->data[0] & 0x81) == 0 && nal->data[1] >> 3 == 0 &&
	       (nal->data[1] & 7) != 0;
}

void
h265_classify(const uint8_t *annexb, size_t len, struct h265_unit *unit)
{
	struct nal_iter iter;
	struct nal_unit nal;

	*unit = (struct h265_unit){ 0 };
	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(NAL_H265, &nal);

		if (!is_base_layer(&nal))
			continue;
		if (type <= H265_NAL_VCL_LAST)
			classify_slice(&nal, type, unit);
		else if (type == H265_NAL_VPS)
			unit->has_vps = true;
		else if (type == H265_NAL_SPS)
			unit->has_sps = true;
		else if (type == H265_NAL_PPS)
			unit->has_pps = true;
	}
}

static uint32_t
reverse_bits(uint32_t value)
{
	uint32_t reversed = 0;
	unsigned i;

	for (i = 0; i < 32; i++, value >>= 1)
		reversed = reversed << 1 | (value & 1);
	return reversed;
}

void
h265_codec_string(const struct h265_sps *sps, char out[H265_CODEC_STRING_BYTES])
{
	static const char spaces[4][2] = { "", "A", "B", "C" };
	const struct h265_profile *profile = &sps->profile;
	unsigned n = sizeof(profile->constraints), i;
	int len;

	len =
	    snprintf(out, H265_CODEC_STRING_BYTES, "hvc1.%s%u.%X.%c%u", spaces[profile->space & 3],
		     profile->idc, reverse_bits(profile->compatibility),
		     profile->is_high_tier ? 'H' : 'L', profile->level_idc);
	while (n > 0 && profile->constraints[n - 1] == 0)
		n--;
	for (i = 0; i < n && len < H265_CODEC_STRING_BYTES; i++)
		len += snprintf(out + len, (size_t)(H265_CODEC_STRING_BYTES - len), ".%X",
				profile->constraints[i]);
}

const char *
h265_profile_name(const struct h265_sps *sps)
{
	static const char *const names[] = {
		NULL,
		"Main",
		"Main 10",
		"Main Still Picture",
		"Range Extensions",
		"High Throughput",
		"Multiview Main",
		"Scalable Main",
		"3D Main",
		"Screen-Extended",
		"Scalable Range Extensions",
		"High Throughput Screen-Extended",
	};
	const unsigned n = sizeof(names) / sizeof(names[0]);
	unsigned idc = sps->profile.idc;

	/* A.3: a stream without a profile of its own may still say what it is compatible with */
	if (idc == 0 || idc >= n)
		for (idc = 1; idc < n && !(sps->profile.compatibility & 0x80000000u >> idc); idc++)
			;
	return idc < n ? names[idc] : "unknown";
}

void
h265_level_text(const struct h265_sps *sps, char out[16])
{
	unsigned level = sps->profile.level_idc;

	(void)snprintf(out, 16, "%u.%u%s", level / 30, level % 30 / 3,
		       sps->profile.is_high_tier ? " High" : "");
}
