/*
 * AAC: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), codec string, ADTS headers (14496-3 1.A.2.2).
 */
#ifndef CAMHUB_MEDIA_AAC_H
#define CAMHUB_MEDIA_AAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AAC_CODEC_STRING_BYTES 16
#define AAC_CONFIG_BYTES_MAX   64 /* longer ones are refused */

struct aac_config {
	uint8_t object_type;    /* what the codec string names: 2 AAC-LC, 5 HE-AAC, 29 HE-AAC v2 */
	uint8_t core_type;      /* what is inside SBR; else as object_type */
	uint32_t sample_rate;   /* Hz, of the core */
	uint32_t output_rate;   /* Hz, after SBR; else as sample_rate */
	uint8_t channels;       /* 1..8; 0: in a program_config_element */
	uint16_t frame_samples; /* 1024 or 960, 512 or 480 for AAC-LD; at sample_rate */
};

struct aac_adts {
	uint8_t object_type;
	uint8_t rate_index;     /* 0..12 */
	uint32_t sample_rate;   /* Hz */
	uint8_t channel_config; /* 0..7 */
	size_t header_len;      /* 7, or 9 with CRC */
	size_t frame_len;       /* header and payload; >= header_len */
	unsigned
	    blocks; /* raw data blocks, 1..4; more than one cannot be stripped into one frame */
};

/* 0, or -EPROTO with *config untouched: cut off, reserved values, or more than
 * AAC_CONFIG_BYTES_MAX. */
int aac_parse_config(const uint8_t *asc, size_t len, struct aac_config *config);

/* "mp4a.40.2", RFC 6381 3.3. */
void aac_codec_string(const struct aac_config *config, char out[AAC_CODEC_STRING_BYTES]);

/*
 * The header at the start of buf. Returns 0; -EAGAIN when buf ends before the header or the whole
 * frame does; -EPROTO when it is no ADTS. *adts is untouched on failure.
 */
int aac_parse_adts(const uint8_t *buf, size_t len, struct aac_adts *adts);

/*
 * The raw frame inside one whole ADTS frame: *raw points into buf. Also sets *frame_len, the bytes
 * to the next frame. Errors as aac_parse_adts(); frames with more than one block are -EPROTO.
 */
int aac_strip_adts(const uint8_t *buf, size_t len, const uint8_t **raw, size_t *raw_len,
		   size_t *frame_len);

/* The two bytes of AudioSpecificConfig that an ADTS header stands for. */
void aac_config_from_adts(const struct aac_adts *adts, uint8_t out[2]);

#endif
