/*
 * Access units cut into RTP payloads: H.264 (RFC 6184, packetization-mode 1), H.265 (RFC 7798),
 * Opus (RFC 7587), PCMU and PCMA (RFC 3551 4.5.14). What comes out is the same for everybody who is
 * sent the unit: the 12 bytes of header before each payload are the sender's.
 */
#ifndef CAMHUB_MEDIA_RTP_PACK_H
#define CAMHUB_MEDIA_RTP_PACK_H

#include "media/nal.h"
#include "media/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A payload such that header and payload are 1200 bytes; what is sent in fragments is exactly so
 * large, but for the last one of each NAL unit. */
#define RTP_PACK_PAYLOAD_BYTES 1188u
#define RTP_PACK_PAYLOAD_MIN   64u
#define RTP_PACK_PAYLOADS_MAX                                                                      \
	32768u /* of one unit, so that half the sequence numbers are not gone */

struct rtp_payload {
	uint32_t offset; /* into rtp_packed.data */
	uint16_t len;    /* 1..max_payload */
	bool marker;     /* the last one of its unit */
};

/* Zero-initialise; rtp_pack_*() fill it anew and reuse its memory. Owned. */
struct rtp_packed {
	uint8_t *data;
	size_t len, cap;
	struct rtp_payload *payloads;
	size_t count, room;
};

void rtp_packed_clear(struct rtp_packed *packed); /* frees what it holds; NULL-safe */

/*
 * One access unit in Annex B form. Parameter sets are put before the slices of a unit that
 * decoding can start at (is_key): those that are in it, or else those of config (Annex B, NULL
 * none); in an aggregation packet (STAP-A, AP) where they fit, with what is small behind them.
 * Delimiters, filler and ends of sequence are left out. max_payload: RTP_PACK_PAYLOAD_MIN..65000
 * bytes. Returns 0, -ENODATA when nothing is left to send, -EMSGSIZE when it has more than
 * RTP_PACK_PAYLOADS_MAX payloads, or -ENOMEM; *packed is empty on failure.
 */
int rtp_pack_video(enum nal_codec codec, const uint8_t *annexb, size_t len, bool is_key,
		   const uint8_t *config, size_t config_len, size_t max_payload,
		   struct rtp_packed *packed);

/*
 * One frame of sound. Opus: always one payload, -EMSGSIZE when it is larger than max_payload.
 * PCMU, PCMA: as many payloads of at most 20 ms (160 bytes) as it takes; the timestamp of payload i
 * is that of the frame + rtp_packed.payloads[i].offset. Others: -ENOTSUP. The marker is never set
 * (RFC 3551 4.1: it says that a silence ended). Returns as above.
 */
int rtp_pack_audio(enum rtp_codec codec, const uint8_t *frame, size_t len, size_t max_payload,
		   struct rtp_packed *packed);

/*
 * The 12 bytes of RFC 3550 5.1: version 2, no padding, no CSRCs. has_extension: the X bit, for
 * an extension that the caller writes behind them.
 */
#define RTP_HEADER_BYTES 12u
struct rtp_header {
	uint8_t payload_type; /* 0..127 */
	bool marker, has_extension;
	uint16_t seq;
	uint32_t timestamp, ssrc;
};
void rtp_write_header(const struct rtp_header *header, uint8_t out[RTP_HEADER_BYTES]);

/*
 * One-byte header extensions (RFC 8285 4.2): a block of 4 + n bytes, n a multiple of 4.
 * Ids 1..14, len 1..16, at most 4 elements. Returns the bytes written, at most
 * RTP_EXTENSION_BYTES_MAX; 0 when there is no element.
 */
#define RTP_EXTENSION_BYTES_MAX 72u
struct rtp_extension {
	uint8_t id, len;
	uint8_t data[16];
};
size_t rtp_write_extensions(const struct rtp_extension *elements, size_t n,
			    uint8_t out[RTP_EXTENSION_BYTES_MAX]);

#endif
