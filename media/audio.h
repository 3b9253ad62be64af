/*
 * Sound on its way from a camera to a browser: AAC and Opus as they are, G.711 and L16 as FLAC,
 * which loses nothing of them and adds no delay. One packet is one sample of a file.
 */
#ifndef CAMHUB_MEDIA_AUDIO_H
#define CAMHUB_MEDIA_AUDIO_H

#include "media/flac.h"
#include "media/fmp4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct byte_writer;

#define AUDIO_CODEC_STRING_BYTES 16
#define AUDIO_CONFIG_BYTES_MAX   512u
#define AUDIO_PCM_CONFIG_BYTES   8u
#define AUDIO_SILENCE_MS         100u /* the longest frame of silence */

enum audio_codec {
	AUDIO_AAC,
	AUDIO_OPUS,
	AUDIO_PCMA, /* G.711 A-law */
	AUDIO_PCMU, /* G.711 mu-law */
	AUDIO_G726, /* not for files: no browser has it, and it would have to be decoded */
	AUDIO_L16,  /* big-endian, interleaved */
};

struct audio_format {
	enum audio_codec codec;
	uint32_t rate;        /* ticks a second: samples, of AAC's core, of Opus always 48000 */
	uint32_t output_rate; /* Hz, what is heard; differs from rate with SBR */
	uint8_t channels;     /* 1.. */
	uint32_t frame_ticks; /* of each frame (AAC); 0: they differ */
	bool has_silence;     /* audio_write_silence() knows how */
	char codec_string[AUDIO_CODEC_STRING_BYTES]; /* what a browser is told: "mp4a.40.2", "opus",
							"flac" */
};

/*
 * The configuration that goes along with frames without one of their own: the rate (u32), channels
 * (u8), bits of a sample as it is coded (u8; G.726: 2..5), two zero bytes; big-endian.
 */
void audio_write_pcm_config(uint32_t rate, uint8_t channels, uint8_t bits,
			    uint8_t out[AUDIO_PCM_CONFIG_BYTES]);

/*
 * config: AudioSpecificConfig, OpusHead, or the above. Returns 0, -EPROTO when it is broken or out
 * of bounds, or -ENOTSUP for G.726; *format is untouched on failure.
 */
int audio_parse_config(enum audio_codec codec, const uint8_t *config, size_t len,
		       struct audio_format *format);

/* The track of an init segment; it borrows config (as above) and room. */
void audio_track(const struct audio_format *format, uint32_t id, const uint8_t *config, size_t len,
		 uint8_t room[FLAC_STREAMINFO_BYTES], struct fmp4_track *track);

/* How long a frame lasts, in ticks; 0: it is none. */
uint32_t audio_frame_ticks(const struct audio_format *format, const uint8_t *frame, size_t len);

/* Whether a frame is a sample of the file as it is. */
bool audio_is_sample(const struct audio_format *format);

/*
 * Appends a frame as a sample; position: in ticks, of its first sample in the stream. Returns 0,
 * -EINVAL when it is no frame (audio_frame_ticks() is 0), -ENOMEM, or the writer's error.
 */
int audio_write_sample(const struct audio_format *format, uint64_t position, const uint8_t *frame,
		       size_t len, struct byte_writer *out);

/* How long one sample of silence is that lasts `ticks` at most; 0: there is none so short. */
uint32_t audio_silence_ticks(const struct audio_format *format, uint64_t ticks);

/* Appends a sample of silence of so many ticks as audio_silence_ticks() said. Returns 0, -EINVAL,
 * or the writer's error. */
int audio_write_silence(const struct audio_format *format, uint64_t position, uint32_t ticks,
			struct byte_writer *out);

#endif
