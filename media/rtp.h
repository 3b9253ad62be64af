/*
 * RTP packets (RFC 3550 5.1) and the formats that cameras send in them.
 */
#ifndef CAMHUB_MEDIA_RTP_H
#define CAMHUB_MEDIA_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_PACKET_MAX 65535 /* what an interleaved frame or a datagram can carry */
#define RTP_CONFIG_MAX 65536 /* parameter sets of one description */

enum rtp_codec {
	RTP_CODEC_NONE,
	RTP_CODEC_H264, /* RFC 6184, packetization-mode 0 and 1 */
	RTP_CODEC_H265, /* RFC 7798 */
	RTP_CODEC_JPEG, /* RFC 2435 */
	RTP_CODEC_AAC,  /* RFC 3640 AAC-hbr and AAC-lbr */
	RTP_CODEC_PCMU, /* RFC 3551 4.5.14 */
	RTP_CODEC_PCMA,
	RTP_CODEC_G726, /* RFC 3551 4.5.4 */
	RTP_CODEC_L16,  /* RFC 3551 4.5.11, big-endian */
	RTP_CODEC_OPUS, /* RFC 7587 */
};

const char *rtp_codec_name(enum rtp_codec codec); /* "h264", ..., "none"; static */
bool rtp_codec_is_video(enum rtp_codec codec);

/* How one payload type is to be read; made by sdp_parse(). */
struct rtp_format {
	enum rtp_codec codec;
	uint8_t payload_type;
	uint32_t clock_rate; /* Hz, never 0 */
	uint8_t channels;    /* audio; 0 for video */
	/* What came with the description: H.264/H.265 parameter sets in Annex B form, an
	 * AudioSpecificConfig. NULL: none. Owned. */
	uint8_t *config;
	size_t config_len;
	bool has_donl; /* H.265, sprop-max-don-diff > 0: DONL fields are there */
	uint8_t size_length, index_length, index_delta_length; /* AAC, bits of an AU header */
	uint16_t constant_size;  /* AAC, bytes of each unit when size_length is 0 */
	uint8_t bits_per_sample; /* G.726: 2, 3, 4, 5 */
	uint16_t width, height;  /* JPEG, as described; 0 none. Its own header ends at 2040 */
};

void rtp_format_clear(struct rtp_format *format);

struct rtp_packet {
	bool marker;
	uint8_t payload_type; /* 0..127 */
	uint16_t seq;
	uint32_t timestamp, ssrc;
	const uint8_t *payload; /* into the buffer; CSRCs, extension and padding left out */
	size_t len;             /* may be 0 */
};

/* RFC 3550 5.1 and A.1. Returns 0, or -EPROTO with *packet untouched. */
int rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *packet);

/* How far seq is ahead of `of`, -32768..32767. */
int rtp_seq_diff(uint16_t seq, uint16_t of);

#endif
