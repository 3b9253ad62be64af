/*
 * How fast the group of pictures goes to who just came. While nobody knows what his link carries,
 * too much of it at once would only wait in a queue on a thin one, and too little keeps those on a
 * good one waiting. So a STUN request goes behind the first part of it: its answer, which agents
 * give at once, says that this part has come. Feedback (RTCP) comes later, and then goes before.
 */
#ifndef CAMHUB_RTC_JOIN_H
#define CAMHUB_RTC_JOIN_H

#include "rtc/path.h"
#include "rtc/stun.h"

struct rtc_session;

struct rtc_join {
	int64_t since_ns;
	size_t key_bytes, bytes; /* sent since: key frames, and others */
	bool is_probed;
	uint8_t probe[RTC_STUN_ID_BYTES];
	size_t probed_bytes; /* of all that was sent before it */
	size_t bytes_per_ms; /* at least so much arrives; 0: not known */
	int64_t known_ns;    /* since then, */
	size_t known_bytes;  /* and what was `bytes` then */
};

void rtc_join_begin(struct rtc_session *session);
/* A picture is about to be sent. */
void rtc_join_count(struct rtc_session *session, size_t bytes, bool is_key);
/* More of the group has to wait; look again in some milliseconds. */
bool rtc_join_is_held(struct rtc_session *session);
/* A datagram of STUN that is no request. false: it is not the answer. */
bool rtc_join_on_answer(struct rtc_session *session, const struct rtc_path *path,
			const uint8_t *data, size_t len);

#endif
