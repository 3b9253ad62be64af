/*
 * WWW-Authenticate and Authentication-Info taken apart (RFC 7235 2.1, and what cameras make of it).
 */
#ifndef CAMHUB_WORKER_RTSP_CHALLENGE_H
#define CAMHUB_WORKER_RTSP_CHALLENGE_H

#include "worker/rtsp_msg.h"

#define RTSP_CHALLENGE_VALUE_MAX 2048 /* longer ones are as if absent */

enum rtsp_challenge_param {
	RTSP_CHALLENGE_REALM,
	RTSP_CHALLENGE_NONCE,
	RTSP_CHALLENGE_OPAQUE,
	RTSP_CHALLENGE_ALGORITHM,
	RTSP_CHALLENGE_QOP,
	RTSP_CHALLENGE_STALE,
	RTSP_CHALLENGE_NEXTNONCE,
	RTSP_CHALLENGE_PARAM_COUNT
};

struct rtsp_challenge {
	struct rtsp_text scheme; /* empty where parameters come first (Authentication-Info) */
	char *values[RTSP_CHALLENGE_PARAM_COUNT]; /* without quotes, escapes and
						   * control bytes; NULL: absent */
};

/* The next challenge of a header's value; *rest moves on. false: none is left. */
bool rtsp_challenge_next(struct rtsp_text *rest, struct rtsp_challenge *challenge);
/* Frees the values, also of a zeroed struct. */
void rtsp_challenge_clear(struct rtsp_challenge *challenge);

#endif
