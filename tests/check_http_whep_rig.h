/*
 * For tests of WebRTC through the http front: browsers that offer, and the rtc front, which is the
 * supervisor's words.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_WHEP_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_WHEP_RIG_H

#include "tests/check_http_rig.h"

#define SESSION "AAAAAAAAAAAAAAAAAAAAAA"
#define SDP     "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"
#define ANSWER  "v=0\r\na=ice-lite\r\n"
#define LIMIT   (RTC_ASK_LIMIT_MS + 100)

/* `door` and `yard.sub` are up. config: as rig_start(). */
struct rig *whep_start(struct loop *loop, json_t *config);
/* Sends the request; the answer is not waited for. */
void whep_ask(struct peer *browser, const char *method, const char *path, const char *lines,
	      const char *body);
/* SDP to path. */
void whep_offer(struct peer *browser, const char *path, const char *lines);
/* Of the answer, which has this status; until the next expectation. */
const char *whep_head(struct peer *browser, int status);
/* The rtc front answers that request, by the supervisor; NULL: it says nothing of it. */
void whep_answer(struct rig *rig, long long request, int code, const char *sdp, const char *session,
		 const char *error);
/* The supervisor is told this (fields stolen); the request's number. */
long long whep_expect(struct rig *rig, enum msg_type type, json_t *fields);

#endif
