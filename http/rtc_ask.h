/*
 * Questions to the rtc front, by way of the supervisor: offers, and what becomes of their sessions.
 * Each is answered, late by the clock of this process at the latest; a session that comes for
 * somebody who has left is closed.
 */
#ifndef CAMHUB_HTTP_RTC_ASK_H
#define CAMHUB_HTTP_RTC_ASK_H

#include "http/front.h"
#include "http/gate.h"

#define RTC_ASKS_MAX     128   /* not answered yet; further ones are refused */
#define RTC_ASKS_OF_ONE  32    /* the same of one address, those in vain too */
#define RTC_ASK_BURST    64    /* of one address, at once; a wall has many pictures */
#define RTC_ASK_EACH_MS  50    /* and another one after that */
#define RTC_ASK_LIMIT_MS 7000  /* the supervisor answers sooner */
#define RTC_ASK_LATE_MS  30000 /* a session that comes later still is closed */

struct rtc_ask;
struct stream;

/* Borrowed; NULL: not there. */
struct rtc_answer {
	int code; /* of HTTP */
	const char *sdp, *session, *error;
};

/* Called once, perhaps before rtc_ask_*() returns. */
typedef void rtc_ask_fn(void *arg, const struct rtc_answer *answer);

enum rtc_wish { RTC_WISH_NONE, RTC_WISH_NO, RTC_WISH_YES };

struct rtc_offer {
	const struct stream *stream;
	const char *sdp; /* rtc_sdp_is_fine() */
	const struct gate_identity *who;
	const char *address; /* of the client */
	const char *local;   /* ours that he reached; "" unknown */
	bool smooth;
	enum rtc_wish audio;
};

struct rtc_asks *rtc_asks_new(struct front *front);
void rtc_asks_free(struct rtc_asks **asks); /* NULL-safe; nobody is called any more */
/* A message rtc-answer. */
void rtc_asks_answer(struct rtc_asks *asks, const json_t *msg);

struct rtc_ask_stats {
	uint64_t offers, taken, refused; /* ever; the others nobody waited for in the end */
	unsigned waiting;                /* questions of all kinds */
};
struct rtc_ask_stats rtc_asks_stats(const struct rtc_asks *asks);

/* Not empty, not longer than a message takes, text in UTF-8 without other controls than line ends.
 */
bool rtc_sdp_is_fine(const char *text, size_t len);
/* 22 characters of base64url. */
bool rtc_session_is_fine(const char *text);

/* A handle while the answer is outstanding, else NULL (fn was called). */
struct rtc_ask *rtc_ask_offer(struct front *front, const struct rtc_offer *offer, rtc_ask_fn *fn,
			      void *arg);
/* sdp: a fragment, "" none. address: of the client. */
struct rtc_ask *rtc_ask_patch(struct front *front, const struct stream *stream, const char *session,
			      const char *sdp, const char *address, rtc_ask_fn *fn, void *arg);
struct rtc_ask *rtc_ask_close(struct front *front, const struct stream *stream, const char *session,
			      const char *address, rtc_ask_fn *fn, void *arg);
/* A session that nobody will use. */
void rtc_ask_discard(struct front *front, long long stream_id, const char *session);
/* Nobody waits for it any more; fn is not called. NULL-safe. */
void rtc_ask_cancel(struct rtc_ask **ask);

#endif
