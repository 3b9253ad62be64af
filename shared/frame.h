/*
 * The header of every message on the bus (docs/protocol.md, "The bus"). 112 bytes, little-endian,
 * then the payload. Encoded and decoded byte by byte, never by casting a struct.
 */
#ifndef CAMHUB_SHARED_FRAME_H
#define CAMHUB_SHARED_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC           0x31424643u /* "CFB1"; the last byte is the version */
#define FRAME_HEADER_BYTES    112u
#define FRAME_PAYLOAD_MAX     (8u << 20) /* one access unit at most; larger ones are refused */
#define FRAME_ALL_SUBSCRIBERS 0u
#define FRAME_JOB_MAX_BYTES   (64u << 20) /* a snapshot's job: messages and their lengths */

enum frame_kind {
	FRAME_KIND_VIDEO = 1,  /* one access unit, H.264/H.265 as Annex B, all NAL units of it */
	FRAME_KIND_AUDIO = 2,  /* one audio frame */
	FRAME_KIND_CONFIG = 3, /* codec configuration: H.264/5: parameter sets in Annex B; sound: as
				  media/audio.h says */
	FRAME_KIND_STATUS = 4, /* 1 Hz pulse and replay-end: a JSON object */
	FRAME_KIND_JPEG = 5,   /* one whole JFIF image */
	FRAME_KIND_END = 6,    /* the stream ends here on purpose */
};

enum frame_codec {
	FRAME_CODEC_NONE = 0,
	FRAME_CODEC_H264 = 1, /* Annex B */
	FRAME_CODEC_H265 = 3, /* Annex B */
	FRAME_CODEC_MJPEG = 4,
	FRAME_CODEC_AAC = 5,
	FRAME_CODEC_OPUS = 6,
	FRAME_CODEC_PCMA = 7,
	FRAME_CODEC_PCMU = 8,
	FRAME_CODEC_JPEG_RTP = 9, /* JPEG that came over RTP (RFC 2435) and was rebuilt */
	FRAME_CODEC_G726 = 10,
	FRAME_CODEC_L16 = 11,
	FRAME_CODEC_FLAC = 12,
};

/* flags */
#define FRAME_KEY            (1u << 0) /* decoding can start here */
#define FRAME_DISCONTINUITY  (1u << 1) /* time or content jumps before this frame */
#define FRAME_CONFIG_IN_BAND (1u << 2) /* parameter sets are inside the unit */
#define FRAME_DISPOSABLE     (1u << 3) /* nothing refers to it (nal_ref_idc 0) */
#define FRAME_CORRUPT        (1u << 4) /* parts were lost on the way from the camera */
#define FRAME_CLOCK_UNSYNCED                                                                       \
	(1u << 5) /* captured_realtime_ns comes from a clock that is not synchronised */
#define FRAME_REPLAY      (1u << 6) /* sent again for one late subscriber: see for_subscriber */

#define FRAME_TRACK_VIDEO 0
#define FRAME_TRACK_AUDIO 1

struct frame {
	uint32_t stream_id;          /* as announced by the supervisor */
	uint8_t kind;                /* enum frame_kind */
	uint8_t track;               /* FRAME_TRACK_* */
	uint16_t flags;              /* FRAME_* bits */
	uint16_t codec;              /* enum frame_codec */
	uint64_t epoch;              /* the worker's incarnation; a change resets everything */
	uint64_t seq;                /* per epoch and track, +1 per message, from 1; never reused */
	uint32_t gop_id;             /* +1 per key frame */
	uint32_t gop_index;          /* 0 = the key frame */
	int64_t pts_ns, dts_ns;      /* stream clock, nanoseconds */
	uint32_t duration_us;        /* predicted, 0 unknown */
	uint32_t config_version;     /* which FRAME_KIND_CONFIG this unit needs; from 1 */
	int64_t arrived_realtime_ns; /* when the frame's last packet arrived: wall clock */
	int64_t arrived_monotonic_ns; /* the same, CLOCK_MONOTONIC of the worker's machine */
	uint16_t width, height;       /* after cropping; 0 unknown */
	uint32_t payload_len;         /* bytes after the header */
	int64_t captured_realtime_ns; /* when the camera took it (RTCP SR), 0 unknown */
	uint32_t for_subscriber;      /* replay: whose; 0 = everybody */
};

/* Writes FRAME_HEADER_BYTES at out. */
void frame_encode(const struct frame *frame, uint8_t out[FRAME_HEADER_BYTES]);

/*
 * Reads and checks a whole message: magic, header_len (>= 112, a longer tail is skipped), kind,
 * codec, lengths that agree, payload <= FRAME_PAYLOAD_MAX. Sets *frame and *payload (into buf).
 * Returns 0, or -EPROTO and leaves both untouched.
 */
int frame_decode(const uint8_t *buf, size_t len, struct frame *frame, const uint8_t **payload);

const char *frame_codec_name(enum frame_codec codec); /* "h264", "mjpeg", ... "none" */

#endif
