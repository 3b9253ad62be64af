/*
 * H.264 (ITU-T H.264, ISO/IEC 14496-10): parameter sets, what an access unit is, codec string,
 * avcC. All NAL units are given from their header byte on, escaped as they were received.
 */
#ifndef CAMHUB_MEDIA_H264_H
#define CAMHUB_MEDIA_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

enum h264_nal_type {
	H264_NAL_SLICE = 1,
	H264_NAL_SLICE_DPA = 2,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8,
	H264_NAL_AUD = 9,
	H264_NAL_END_OF_SEQUENCE = 10,
	H264_NAL_END_OF_STREAM = 11,
	H264_NAL_FILLER = 12,
	H264_NAL_SPS_EXTENSION = 13,
};

#define H264_CODEC_STRING_BYTES 12    /* "avc1.64001F" and the zero */
#define H264_SIZE_MAX           16384 /* pixels a side; larger is taken for damage */

struct h264_sps {
	uint8_t profile_idc, constraint_flags, level_idc; /* the three bytes of the codec string */
	uint8_t id;                                       /* 0..31 */
	uint8_t chroma_format_idc;                        /* 1 = 4:2:0 */
	uint8_t bit_depth_luma, bit_depth_chroma;
	bool has_separate_planes;   /* separate_colour_plane_flag */
	uint8_t log2_max_frame_num; /* 4..16 */
	uint8_t poc_type;           /* 2: output order is decoding order */
	uint8_t log2_max_poc_lsb;   /* 4..16, with poc_type 0 */
	uint8_t max_num_ref_frames;
	uint32_t coded_width, coded_height;
	uint32_t width, height;       /* pixels, after cropping */
	bool is_interlaced;           /* frame_mbs_only_flag 0: field or MBAFF coding may occur */
	bool has_vui, is_vui_damaged; /* damaged: cut off or out of range; the VUI fields below are
					 then all absent */
	uint16_t sar_num, sar_den;    /* sample aspect ratio, 0/0 unknown */
	bool has_full_range;          /* video_full_range_flag */
	bool has_timing, is_fixed_rate;
	uint32_t num_units_in_tick, time_scale; /* with has_timing: both > 0 */
	bool has_bitstream_restriction;
	uint32_t max_num_reorder_frames, max_dec_frame_buffering; /* with the above */
	/* Bits from the first bit of the NAL header, in the unescaped unit; where a VUI would be
	 * rewritten. */
	size_t vui_flag_bit;              /* vui_parameters_present_flag */
	size_t bitstream_restriction_bit; /* bitstream_restriction_flag, 0 without (whole) VUI */
	size_t reorder_bit; /* max_num_reorder_frames, 0 without bitstream restriction */
	size_t vui_end_bit; /* behind the VUI; 0 without (whole) VUI */
};

struct h264_pps {
	uint8_t id;     /* 0..255 */
	uint8_t sps_id; /* 0..31 */
};

enum h264_slice_type {
	H264_SLICE_P = 0,
	H264_SLICE_B = 1,
	H264_SLICE_I = 2,
	H264_SLICE_SP = 3,
	H264_SLICE_SI = 4,
};

struct h264_slice {
	uint32_t first_mb;
	enum h264_slice_type type; /* slice_type modulo 5 */
	uint8_t pps_id;
};

/* What one access unit is. */
struct h264_unit {
	bool is_idr;
	bool is_key;   /* IDR, or all slices I and a recovery point SEI: decoding can start here */
	bool is_intra; /* all slices I (or SI), whatever the SEI says */
	bool has_recovery_point;
	bool has_sps, has_pps;
	bool has_b_slices;
	bool is_disposable; /* has slices and nal_ref_idc is 0 in all of them */
	unsigned slices;    /* slice NAL units; 0: not a picture */
};

/*
 * 7.3.2.1.1. Returns 0, or -EPROTO with *sps untouched when the unit is no SPS, is cut off or is
 * out of range. A VUI that is broken does not fail the rest (cameras have such), see
 * is_vui_damaged.
 */
int h264_parse_sps(const uint8_t *nal, size_t len, struct h264_sps *sps);

/* The ids of 7.3.2.2. 0 or -EPROTO. */
int h264_parse_pps(const uint8_t *nal, size_t len, struct h264_pps *pps);

/* The first fields of 7.3.3 for nal types 1, 2 and 5. 0 or -EPROTO. */
int h264_parse_slice(const uint8_t *nal, size_t len, struct h264_slice *slice);

/* pic_order_cnt_lsb of a slice that refers to sps. 0, -ENODATA: poc_type is not 0, or -EPROTO. */
int h264_slice_poc_lsb(const struct h264_sps *sps, const uint8_t *nal, size_t len, uint32_t *lsb);

/*
 * Frames per second as *num / *den from the VUI's timing (two ticks a frame). Returns false,
 * outputs untouched, without timing or when the rate is absurd (> 1000 or < 1/60).
 */
bool h264_sps_fps(const struct h264_sps *sps, uint32_t *num, uint32_t *den);

/* Classifies an access unit in Annex B form. Never fails: what cannot be read counts as not there.
 */
void h264_classify(const uint8_t *annexb, size_t len, struct h264_unit *unit);

/* "avc1.PPCCLL", RFC 6381 3.3. */
void h264_codec_string(const struct h264_sps *sps, char out[H264_CODEC_STRING_BYTES]);

/* "Constrained Baseline", "High", ... ; "profile 77" is never needed: unknown ones are "unknown".
 * Static text. */
const char *h264_profile_name(const struct h264_sps *sps);

/* "4.1", "1b"; out holds at least 8 bytes. */
void h264_level_text(const struct h264_sps *sps, char out[8]);

/*
 * Appends the avcC (AVCDecoderConfigurationRecord, ISO/IEC 14496-15 5.3.3, 4-byte lengths) of the
 * SPS and PPS units in an Annex B buffer (others are passed over; same ones count once; at most 16
 * + 64). Returns 0, -ENODATA when an SPS or PPS is missing, -EPROTO for a broken first SPS,
 * -EMSGSIZE for a set above 65535 bytes, or the writer's error.
 */
int h264_write_avcc(const uint8_t *annexb, size_t len, struct byte_writer *out);

/*
 * Appends the parameter sets of an avcC in Annex B form and sets *length_size (1, 2 or 4) of the
 * samples. Returns 0, -EPROTO, or the writer's error; *length_size is untouched on failure.
 */
int h264_avcc_to_annexb(const uint8_t *avcc, size_t len, struct byte_writer *out,
			unsigned *length_size);

#endif
