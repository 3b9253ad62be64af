/*
 * H.264 and H.265 behind one face, for those who do not care which: from an access unit to flags,
 * from parameter sets to what a person or a browser wants to know.
 */
#ifndef CAMHUB_MEDIA_CODEC_H
#define CAMHUB_MEDIA_CODEC_H

#include "media/nal.h"

#define CODEC_STRING_BYTES       48
#define CODEC_PARAMETER_SETS_MAX (64u << 10) /* bytes, in Annex B form */

struct codec_video_info {
	uint32_t width, height;         /* pixels, after cropping */
	uint32_t fps_num, fps_den;      /* 0/0: the stream does not say */
	uint16_t sar_num, sar_den;      /* 0/0 unknown */
	char codec[CODEC_STRING_BYTES]; /* "avc1.64001F", "hvc1.1.6.L93.B0" */
	char profile[32];               /* "High" */
	char level[16];                 /* "4.1" */
	bool is_interlaced;
	bool is_reorder_known;   /* the stream says how many frames are reordered; else decoders may
				    hold frames back */
	uint32_t reorder_frames; /* with the above */
	uint8_t top_temporal_id; /* H.265: of the highest sub-layer; H.264: 0 */
};

struct codec_unit {
	bool is_picture; /* has slices */
	bool is_key;     /* decoding can start here */
	bool is_idr;
	bool is_intra;           /* H.264: all slices I; H.265: as is_key */
	bool has_parameter_sets; /* all that decoding needs are inside: SPS and PPS (H.265: and VPS)
				  */
	bool has_any_parameter_set;
	bool has_b_slices;  /* H.264 only; H.265 says it in the SPS (reorder_frames) */
	bool is_disposable; /* nothing refers to it */
};

/*
 * Classifies an access unit (Annex B). info may be NULL: then an H.265 unit is never called
 * disposable, because a higher sub-layer might refer to it. Never fails.
 */
void codec_classify(enum nal_codec codec, const uint8_t *annexb, size_t len,
		    const struct codec_video_info *info, struct codec_unit *unit);

/*
 * Describes the first SPS in an Annex B buffer (parameter sets alone, or a whole access unit).
 * Returns 0, -ENODATA without SPS, -EPROTO when it is broken; *info is untouched on failure.
 */
int codec_video_describe(enum nal_codec codec, const uint8_t *annexb, size_t len,
			 struct codec_video_info *info);

/*
 * Appends the parameter sets of an access unit (Annex B, 4-byte start codes, in the order VPS, SPS,
 * PPS, same ones once), so that two units with the same sets give the same bytes. Returns 0,
 * -ENODATA when it lacks SPS or PPS (or VPS), -EMSGSIZE above CODEC_PARAMETER_SETS_MAX, or the
 * writer's error.
 */
int codec_collect_parameter_sets(enum nal_codec codec, const uint8_t *annexb, size_t len,
				 struct byte_writer *out);

/* avcC or hvcC of parameter sets in Annex B form: h264_write_avcc(), h265_write_hvcc(). */
int codec_write_extradata(enum nal_codec codec, const uint8_t *annexb, size_t len,
			  struct byte_writer *out);

/*
 * Extradata as demuxers give it (avcC, hvcC, or Annex B) to Annex B parameter sets. *length_size is
 * 1, 2 or 4 when samples are length-prefixed, 0 when they are Annex B. Returns 0, -ENODATA when it
 * is empty, -EPROTO, or the writer's error.
 */
int codec_extradata_to_annexb(enum nal_codec codec, const uint8_t *extradata, size_t len,
			      struct byte_writer *out, unsigned *length_size);

#endif
