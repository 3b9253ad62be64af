/*
 * /ws: one WebSocket for a whole wall, a link and many subscriptions, which take turns in its queue
 * (docs/protocol.md, "/ws").
 */
#ifndef CAMHUB_HTTP_WALL_H
#define CAMHUB_HTTP_WALL_H

#include "http/link.h"
#include "http/local.h"
#include "http/pass.h"

#define WALL_SUBS_MAX   128
#define WALL_CLOCKS_MAX 8 /* questions that wait; older ones stay without an answer */

struct sub;
TAILQ_HEAD(sub_list, sub);

/* A question for the time. */
struct wall_clock {
	json_t *t0;
	int64_t read_us;
};

struct wall {
	LIST_ENTRY(wall) in_front;
	struct front *front;
	struct link link;
	struct pass pass;
	struct sub_list subs, ready, ended; /* ready: in the order of their turns */
	unsigned n_subs;
	struct clock_timer reap; /* frees those that ended */
	struct wall_clock clocks[WALL_CLOCKS_MAX];
	unsigned n_clocks;
	char local[LOCAL_ADDRESS_BYTES]; /* ours that the client reached */
};

/* What the request said; as struct viewer_request. */
struct wall_call {
	struct link_end end;
	const void *early;
	size_t early_len;
	const char *ws_accept;
	struct gate_identity who;
	const char *address; /* of the client; copied */
};

/* Takes call->end. It lives until its peer or the front ends it. */
struct wall *wall_new(struct front *front, const struct wall_call *call);
/* At once; only when no callback of it runs. */
void wall_free(struct wall **wall);

/* For wall_*.c: an answer that the client provoked; takes msg. */
void wall_answer(struct wall *wall, json_t *msg);
/* {"type":"error"}; id 0: of no subscription. */
void wall_answer_error(struct wall *wall, unsigned id, const char *code, const char *text);
/* Where there is WebRTC: that there is, and what RTCPeerConnection needs to know. */
void wall_tell_webrtc(struct wall *wall);
/* The rtc front came or went: from the loop. */
void wall_on_rtc_state(struct wall *wall);
/* What this session is shown is less than its page asked for, or is not any more (rtc-link): who
 * has it here is told. From the loop. */
void wall_on_rtc_link(struct wall *wall, const char *session, const char *state);
/* A text message of the client. */
void wall_on_text(struct wall *wall, const char *text, size_t len);

#endif
