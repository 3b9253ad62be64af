/*
 * H.265 (ITU-T H.265, ISO/IEC 23008-2): parameter sets, what an access unit is, codec string,
 * hvcC. All NAL units are given from their two header bytes on, escaped as they were received.
 */
#ifndef CAMHUB_MEDIA_H265_H
#define CAMHUB_MEDIA_H265_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

enum h265_nal_type {
	H265_NAL_TRAIL_N = 0,
	H265_NAL_TRAIL_R = 1,
	H265_NAL_RADL_N = 6,
	H265_NAL_RADL_R = 7,
	H265_NAL_RASL_N = 8,
	H265_NAL_RASL_R = 9,
	H265_NAL_RSV_VCL_R15 = 15, /* up to here: not IRAP, even = sub-layer non-reference */
	H265_NAL_BLA_W_LP = 16,    /* first IRAP */
	H265_NAL_IDR_W_RADL = 19,
	H265_NAL_IDR_N_LP = 20,
	H265_NAL_CRA = 21,
	H265_NAL_RSV_IRAP_23 = 23, /* last IRAP */
	H265_NAL_VCL_LAST = 31,
	H265_NAL_VPS = 32,
	H265_NAL_SPS = 33,
	H265_NAL_PPS = 34,
	H265_NAL_AUD = 35,
	H265_NAL_EOS = 36,
	H265_NAL_EOB = 37,
	H265_NAL_FILLER = 38,
	H265_NAL_PREFIX_SEI = 39,
	H265_NAL_SUFFIX_SEI = 40,
};

#define H265_CODEC_STRING_BYTES 48
#define H265_SIZE_MAX           16384 /* pixels a side; larger is taken for damage */

/* The general_ part of profile_tier_level(), 7.3.3. */
struct h265_profile {
	uint8_t space; /* 0..3 */
	bool is_high_tier;
	uint8_t idc;            /* 0..31: 1 Main, 2 Main 10, ... */
	uint32_t compatibility; /* general_profile_compatibility_flag[0] is the top bit */
	uint8_t constraints[6]; /* from general_progressive_source_flag on, as sent */
	uint8_t level_idc;      /* 30 times the level: 93 is 3.1 */
};

struct h265_vps {
	uint8_t id; /* 0..15 */
	uint8_t max_sub_layers;
	uint32_t max_num_reorder_pics; /* the largest of any sub-layer */
	bool has_timing;
	uint32_t num_units_in_tick, time_scale; /* with has_timing: both > 0 */
	size_t ordering_bit, end_bit;           /* as in struct h265_sps */
};

struct h265_sps {
	struct h265_profile profile;
	uint8_t id;             /* 0..15 */
	uint8_t vps_id;         /* 0..15 */
	uint8_t max_sub_layers; /* 1..7 */
	bool has_temporal_id_nesting;
	uint8_t chroma_format_idc;
	uint8_t bit_depth_luma, bit_depth_chroma;
	uint32_t coded_width, coded_height;
	uint32_t width, height; /* pixels, after the conformance window */
	uint32_t max_dec_pic_buffering, max_num_reorder_pics,
	    max_latency_increase;      /* of the highest sub-layer */
	uint32_t any_num_reorder_pics; /* the largest of any sub-layer */
	uint8_t log2_max_poc_lsb;      /* 4..16 */
	bool has_separate_planes;      /* separate_colour_plane_flag */
	bool is_interlaced;            /* field_seq_flag, or the profile says interlaced only */
	bool has_vui, is_vui_damaged;  /* as in struct h264_sps */
	uint16_t sar_num, sar_den;     /* 0/0 unknown */
	bool has_full_range;
	bool has_timing;
	uint32_t num_units_in_tick, time_scale; /* with has_timing: both > 0 */
	uint16_t min_spatial_segmentation;      /* 0 unknown */
	/* Bits from the first bit of the NAL header, in the unescaped unit. */
	size_t ordering_bit; /* sps_sub_layer_ordering_info_present_flag */
	size_t vui_flag_bit; /* vui_parameters_present_flag */
	size_t end_bit;      /* behind what was read */
};

struct h265_pps {
	uint8_t id;               /* 0..63 */
	uint8_t sps_id;           /* 0..15 */
	bool has_output_flag;     /* output_flag_present_flag */
	uint8_t extra_slice_bits; /* num_extra_slice_header_bits */
};

/* What one access unit is. */
struct h265_unit {
	bool is_idr;
	bool is_key;  /* IRAP: decoding can start here */
	bool is_cra;  /* leading pictures (is_rasl) after it are lost to who starts here */
	bool is_rasl; /* refers to pictures before the last IRAP */
	bool has_vps, has_sps, has_pps;
	bool is_non_reference; /* all slices are of sub-layer non-reference types */
	uint8_t temporal_id;   /* of the slices */
	unsigned slices;       /* slice segment NAL units of layer 0; 0: not a picture */
};

/* 7.3.2.1: what is before vps_extension_flag. 0, or -EPROTO with *vps untouched. */
int h265_parse_vps(const uint8_t *nal, size_t len, struct h265_vps *vps);

/* 7.3.2.2.1. 0, or -EPROTO with *sps untouched; a broken VUI does not fail the rest. */
int h265_parse_sps(const uint8_t *nal, size_t len, struct h265_sps *sps);

/* The first fields of 7.3.2.3.1. 0 or -EPROTO. */
int h265_parse_pps(const uint8_t *nal, size_t len, struct h265_pps *pps);

/* slice_pic_order_cnt_lsb (7.3.6.1; 0 for IDR pictures) of the first slice segment of a picture
 * that refers to both. 0, -ENODATA: it is another segment, or another PPS's, or -EPROTO. */
int h265_slice_poc_lsb(const struct h265_sps *sps, const struct h265_pps *pps, const uint8_t *nal,
		       size_t len, uint32_t *lsb);

/* As h264_sps_fps(); one tick a picture. vps may be NULL; the SPS's timing goes before the VPS's.
 */
bool h265_fps(const struct h265_sps *sps, const struct h265_vps *vps, uint32_t *num, uint32_t *den);

/* Classifies an access unit in Annex B form. Never fails: what cannot be read counts as not there.
 */
void h265_classify(const uint8_t *annexb, size_t len, struct h265_unit *unit);

/* "hvc1.1.6.L93.B0": ISO/IEC 14496-15 annex E. */
void h265_codec_string(const struct h265_sps *sps, char out[H265_CODEC_STRING_BYTES]);

/* "Main", "Main 10", ... or "unknown". Static text. */
const char *h265_profile_name(const struct h265_sps *sps);

/* "4.1"; high tier "4.1 High". */
void h265_level_text(const struct h265_sps *sps, char out[16]);

/*
 * Appends the hvcC (HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 8.3.3, 4-byte lengths, all
 * sets complete) of the VPS, SPS and PPS units in an Annex B buffer. At most 16 VPS, 16 SPS and 64
 * PPS, same ones count once. Returns 0, -ENODATA when a kind is missing, -EPROTO for a broken first
 * SPS, -EMSGSIZE, or the writer's error.
 */
int h265_write_hvcc(const uint8_t *annexb, size_t len, struct byte_writer *out);

/* As h264_avcc_to_annexb(), for an hvcC; arrays of other NAL types than VPS, SPS and PPS are passed
 * over. */
int h265_hvcc_to_annexb(const uint8_t *hvcc, size_t len, struct byte_writer *out,
			unsigned *length_size);

#endif
