/*
 * One face for H.264 and H.265.
 */
#include "config.h"

#include "media/codec.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"

#include <errno.h>
#include <stdio.h>

#define SETS_MAX 64u /* of each kind */

static void
classify_h264(const uint8_t *annexb, size_t len, struct codec_unit *unit)
{
	struct h264_unit found;

	h264_classify(annexb, len, &found);
	*unit = (struct codec_unit){
		.is_picture = found.slices > 0,
		.is_key = found.is_key,
		.is_idr = found.is_idr,
		.is_intra = found.is_intra,
		.has_parameter_sets = found.has_sps && found.has_pps,
		.has_any_parameter_set = found.has_sps || found.has_pps,
		.has_b_slices = found.has_b_slices,
		.is_disposable = found.is_disposable,
	};
}

static void
classify_h265(const uint8_t *annexb, size_t len, const struct codec_video_info *info,
	      struct codec_unit *unit)
{
	struct h265_unit found;

	h265_classify(annexb, len, &found);
	*unit = (struct codec_unit){
		.is_picture = found.slices > 0,
		.is_key = found.is_key,
		.is_idr = found.is_idr,
		.is_intra = found.is_key,
		.has_parameter_sets = found.has_vps && found.has_sps && found.has_pps,
		.has_any_parameter_set = found.has_vps || found.has_sps || found.has_pps,
		.is_disposable = found.is_non_reference && info != NULL &&
				 found.temporal_id >= info->top_temporal_id,
	};
}

void
codec_classify(enum nal_codec codec, const uint8_t *annexb, size_t len,
	       const struct codec_video_info *info, struct codec_unit *unit)
{
	if (codec == NAL_H264)
		classify_h264(annexb, len, unit);
	else
		classify_h265(annexb, len, info, unit);
}

static int
describe_h264(const struct nal_unit *nal, struct codec_video_info *info)
{
	struct h264_sps sps;
	int err = h264_parse_sps(nal->data, nal->len, &sps);

	if (err != 0)
		return err;
	*info = (struct codec_video_info){
		.width = sps.width,
		.height = sps.height,
		.sar_num = sps.sar_num,
		.sar_den = sps.sar_den,
		.is_interlaced = sps.is_interlaced,
		/* poc type 2 would tell it too, but decoders go by the VUI alone */
		.is_reorder_known = sps.has_bitstream_restriction,
		.reorder_frames = sps.max_num_reorder_frames,
	};
	(void)h264_sps_fps(&sps, &info->fps_num, &info->fps_den);
	h264_codec_string(&sps, info->codec);
	h264_level_text(&sps, info->level);
	(void)snprintf(info->profile, sizeof(info->profile), "%s", h264_profile_name(&sps));
	return 0;
}

static int
describe_h265(const struct nal_unit *nal, const struct h265_vps *vps, struct codec_video_info *info)
{
	struct h265_sps sps;
	int err = h265_parse_sps(nal->data, nal->len, &sps);

	if (err != 0)
		return err;
	*info = (struct codec_video_info){
		.width = sps.width,
		.height = sps.height,
		.sar_num = sps.sar_num,
		.sar_den = sps.sar_den,
		.is_interlaced = sps.is_interlaced,
		.is_reorder_known = true,
		.reorder_frames = sps.max_num_reorder_pics,
		.top_temporal_id = (uint8_t)(sps.max_sub_layers - 1),
	};
	(void)h265_fps(&sps, vps, &info->fps_num, &info->fps_den);
	h265_codec_string(&sps, info->codec);
	h265_level_text(&sps, info->level);
	(void)snprintf(info->profile, sizeof(info->profile), "%s", h265_profile_name(&sps));
	return 0;
}

int
codec_video_describe(enum nal_codec codec, const uint8_t *annexb, size_t len,
		     struct codec_video_info *info)
{
	unsigned sps_type = codec == NAL_H264 ? H264_NAL_SPS : (unsigned)H265_NAL_SPS;
	struct h265_vps vps;
	struct nal_unit sps_nal, vps_nal;
	bool has_vps;

	if (nal_find_unique(codec, sps_type, annexb, len, &sps_nal, 1) == 0)
		return -ENODATA;
	if (codec == NAL_H264)
		return describe_h264(&sps_nal, info);
	has_vps = nal_find_unique(codec, H265_NAL_VPS, annexb, len, &vps_nal, 1) == 1 &&
		  h265_parse_vps(vps_nal.data, vps_nal.len, &vps) == 0;
	return describe_h265(&sps_nal, has_vps ? &vps : NULL, info);
}

int
codec_collect_parameter_sets(enum nal_codec codec, const uint8_t *annexb, size_t len,
			     struct byte_writer *out)
{
	static const unsigned h264_types[] = { H264_NAL_SPS, H264_NAL_PPS };
	static const unsigned h265_types[] = { H265_NAL_VPS, H265_NAL_SPS, H265_NAL_PPS };
	const unsigned *types = codec == NAL_H264 ? h264_types : h265_types;
	size_t n_types = codec == NAL_H264 ? 2 : 3;
	struct nal_unit units[3][SETS_MAX];
	size_t n[3], total = 0, i, j;

	for (i = 0; i < n_types; i++) {
		n[i] = nal_find_unique(codec, types[i], annexb, len, units[i], SETS_MAX);
		if (n[i] == 0)
			return -ENODATA;
		for (j = 0; j < n[i]; j++)
			total += 4 + units[i][j].len;
	}
	if (total > CODEC_PARAMETER_SETS_MAX)
		return -EMSGSIZE;
	for (i = 0; i < n_types; i++)
		for (j = 0; j < n[i]; j++)
			nal_write_annexb(out, &units[i][j]);
	return out->err;
}

int
codec_write_extradata(enum nal_codec codec, const uint8_t *annexb, size_t len,
		      struct byte_writer *out)
{
	return codec == NAL_H264 ? h264_write_avcc(annexb, len, out)
				 : h265_write_hvcc(annexb, len, out);
}

static int
copy_parameter_sets(enum nal_codec codec, const uint8_t *annexb, size_t len,
		    struct byte_writer *out)
{
	struct nal_iter iter;
	struct nal_unit nal;

	nal_iter_annexb(&iter, annexb, len);
	while (nal_iter_next(&iter, &nal))
		if (nal_is_parameter_set(codec, nal_type(codec, &nal)))
			nal_write_annexb(out, &nal);
	return out->err;
}

int
codec_extradata_to_annexb(enum nal_codec codec, const uint8_t *extradata, size_t len,
			  struct byte_writer *out, unsigned *length_size)
{
	int err;

	if (len == 0)
		return -ENODATA;
	if (codec == NAL_H264 && extradata[0] == 1)
		return h264_avcc_to_annexb(extradata, len, out, length_size);
	if (codec == NAL_H265 && extradata[0] == 1)
		return h265_hvcc_to_annexb(extradata, len, out, length_size);
	if (!nal_is_annexb(extradata, len))
		return -EPROTO;
	err = copy_parameter_sets(codec, extradata, len, out);
	if (err == 0)
		*length_size = 0;
	return err;
}
