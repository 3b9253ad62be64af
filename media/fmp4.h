/*
 * Fragmented MP4 (ISO/IEC 14496-12, byte streams for Media Source Extensions): the init segment and
 * the bytes before each sample. One sample is one fragment, so that nothing waits for the next.
 */
#ifndef CAMHUB_MEDIA_FMP4_H
#define CAMHUB_MEDIA_FMP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

#define FMP4_VIDEO_TIMESCALE       90000u
#define FMP4_TRACKS_MAX            4u
#define FMP4_FRAGMENT_HEADER_BYTES 112u /* moof and the head of mdat: always this many */
#define FMP4_INIT_BYTES_MAX        (64u << 10)

enum fmp4_codec {
	FMP4_H264, /* avc1 */
	FMP4_H265, /* hvc1 */
	FMP4_AAC,  /* mp4a */
	FMP4_OPUS, /* Opus */
	FMP4_FLAC, /* fLaC */
};

struct fmp4_track {
	uint32_t id; /* from 1, unique in the file */
	enum fmp4_codec codec;
	uint32_t timescale; /* ticks a second: FMP4_VIDEO_TIMESCALE, or the audio's sample rate
			       (Opus: 48000) */
	/*
	 * H.264: avcC body; H.265: hvcC body; AAC: AudioSpecificConfig; FLAC: the 34 bytes of
	 * STREAMINFO; Opus: the OpusHead packet (RFC 7845 5.1) or nothing (then one stream of
	 * `channels`). Borrowed.
	 */
	const uint8_t *config;
	size_t config_len;
	uint16_t width, height;    /* video: pixels */
	uint16_t sar_num, sar_den; /* video: sample aspect ratio; 0/0 or 1/1 square */
	uint32_t sample_rate;      /* audio: Hz */
	uint8_t channels;          /* audio */
};

/* One sample = one fragment. Times are in ticks of its track. */
struct fmp4_sample {
	uint32_t sequence; /* mfhd: from 1, +1 per fragment of the file, whatever the track */
	uint32_t track_id;
	uint64_t decode_time;       /* tfdt, version 1 */
	uint32_t duration;          /* until the next sample; as good as it is known */
	int32_t composition_offset; /* presentation minus decode time; may be negative */
	bool is_key;                /* sync sample (every audio frame is one) */
	size_t payload_len; /* bytes that follow the header; lengths of NAL units included */
};

/*
 * Appends ftyp and moov (with mvex) for 1..FMP4_TRACKS_MAX tracks. Returns 0, -EINVAL for a track
 * that cannot be written (no or broken config, id 0 or twice, timescale 0, no size, no channels),
 * or the writer's error.
 */
int fmp4_init_segment(const struct fmp4_track *tracks, size_t n_tracks, struct byte_writer *out);

/*
 * Writes moof and the head of mdat for a payload of sample->payload_len bytes, which the caller
 * sends right after it, in as many pieces as it likes. Returns 0, -EINVAL for track_id 0 or an
 * empty payload, or -EFBIG when the payload does not fit a 32-bit mdat; `out` is untouched on
 * failure.
 */
int fmp4_fragment_header(const struct fmp4_sample *sample, uint8_t out[FMP4_FRAGMENT_HEADER_BYTES]);

#endif
