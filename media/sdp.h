/*
 * Session descriptions (RFC 4566, RFC 8866) of RTSP cameras: bounded, strict about what is used,
 * forgiving about what cameras get wrong (docs/cameras.md).
 */
#ifndef CAMHUB_MEDIA_SDP_H
#define CAMHUB_MEDIA_SDP_H

#include "media/rtp.h"

#define SDP_MAX_BYTES   65536
#define SDP_MAX_MEDIA   16 /* further m-lines are passed over */
#define SDP_CONTROL_MAX 1024
#define SDP_ERROR_MAX   160

enum sdp_kind { SDP_VIDEO, SDP_AUDIO, SDP_APPLICATION, SDP_OTHER };

struct sdp_media {
	enum sdp_kind kind;
	char control[SDP_CONTROL_MAX]; /* as written; "" none */
	struct rtp_format format; /* the first payload type that can be read; codec NONE: none */
	char encoding[32]; /* what was offered, for words: "MPEG4-GENERIC", "H264"; "" unknown */
	char why[96];      /* codec NONE: why it cannot be read, in words: "AAC in LATM form ..." */
	bool is_backchannel;    /* a=sendonly: from us to the camera; never set up */
	uint16_t port;          /* multicast or as the camera says; 0 usual */
	double framerate;       /* a=framerate, x-framerate; 0 none */
	uint16_t width, height; /* a=framesize, x-dimensions; 0 none. RFC 2435 above 2040 pixels */
};

struct sdp {
	char control[SDP_CONTROL_MAX]; /* of the session, as written; "" none */
	struct sdp_media media[SDP_MAX_MEDIA];
	size_t n_media;
};

/* text need not end with a zero; lines end with CRLF, LF or CR. Returns 0 and *sdp (sdp_free()), or
 * -EPROTO (nothing like a description, or no m-line at all; err says what), -EMSGSIZE. */
int sdp_parse(const char *text, size_t len, struct sdp **sdp, char err[SDP_ERROR_MAX]);
void sdp_free(struct sdp **sdp); /* NULL-safe */

/* The index of the track to play: the first readable one of that kind; -1: none. */
int sdp_find(const struct sdp *sdp, enum sdp_kind kind);

#endif
