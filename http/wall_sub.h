/*
 * One subscription of a wall: a cursor in the stream that is shown, a second one in the stream that
 * is to be shown as soon as it has a key frame, and what the client knows of both.
 */
#ifndef CAMHUB_HTTP_WALL_SUB_H
#define CAMHUB_HTTP_WALL_SUB_H

#include "http/cursor.h"
#include "http/overlay.h"
#include "http/wall.h"
#include "http/wall_choice.h"

/* What the client was told in the last `config`. */
struct sub_told {
	char stream[STREAM_NAME_MAX + 1]; /* "" nothing yet */
	enum wall_form form;
	struct hub_config *config;      /* NULL: JPEG, of this size */
	struct hub_audio_config *sound; /* that goes along; NULL: none */
	uint16_t width, height;
	uint16_t version;
};

struct sub {
	TAILQ_ENTRY(sub) in_wall, in_ready; /* in_wall: of wall->ended, when it has ended */
	struct wall *wall;
	struct watch watch;
	unsigned id;
	uint64_t viewer_id; /* in /api/streams and for the reports of delays */
	struct wall_want want;
	struct cursor cursors[2];
	struct cursor *now, *next; /* next: in no stream unless a change waits */
	enum wall_form form, next_form;
	bool is_ready, paused, ended;
	bool listens; /* while it is paused: to what programs find */
	bool state_due;
	struct sub_told told;
	struct overlay overlay;
	uint32_t sequence;       /* of fragments */
	struct rtc_ask *rtc_ask; /* an offer that is not answered yet */
	unsigned offer;          /* its number */
	char session[23];        /* what the last answered offer became, "" none */
	unsigned session_offer;  /* the number of that */
};

/* A subscription, or the client is told why there is none. */
void sub_new(struct wall *wall, unsigned id, const struct wall_want *want);
/* Other wishes for the same camera: pictures go on until those of the new choice can begin. */
void sub_change(struct sub *sub, const struct wall_want *want);
/* listens: its pictures come otherwise, and results of them are wanted here. */
void sub_pause(struct sub *sub, bool on, bool listens);
/* What the client says of the delay on its screen: one REPORT, unchecked. */
void sub_report(struct sub *sub, const json_t *report);

/* An offer of WebRTC for the stream that it shows: answered in any case, but for those that another
 * one followed. */
void sub_offer(struct sub *sub, const struct wall_offer *asked);
void sub_forget_offer(struct sub *sub);

/* Its turn: queues what is due, a little of it, and goes to the end of the line if there is more.
 */
void sub_serve(struct sub *sub);

/* It is over: watches nothing any more, and is freed from the loop. */
void sub_end(struct sub *sub);
/* The same, and the client is told why. */
void sub_fail(struct sub *sub, const char *code, const char *text);
void sub_free(struct sub **sub); /* at once; it has ended */

/* For wall_sub.c, wall_media.c: queue the entry at sub->now, and before it what the client must
 * know. Returns how many bytes of payload that was. */
size_t sub_queue_entry(struct sub *sub, struct hub_entry *entry);
/* Queue the frame of sound that is next at sub->now. Returns the same; 0: there is none. */
size_t sub_queue_sound(struct sub *sub);
void sub_queue_state(struct sub *sub);
/* One result that waits; false: none does. */
bool sub_queue_result(struct sub *sub);

#endif
