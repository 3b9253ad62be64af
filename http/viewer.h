/*
 * A viewer of one stream: a link and a cursor. What does not fit into the socket stays in the ring,
 * where it can be skipped.
 */
#ifndef CAMHUB_HTTP_VIEWER_H
#define CAMHUB_HTTP_VIEWER_H

#include "http/cursor.h"
#include "http/front.h"
#include "http/link.h"
#include "http/local.h"
#include "http/overlay.h"
#include "http/pass.h"

enum viewer_kind {
	VIEWER_WS,    /* /api/ws: the mode comes by message */
	VIEWER_MP4,   /* /api/stream.mp4 */
	VIEWER_MJPEG, /* /api/stream.mjpeg */
};

struct rtc_ask;

/* What the request said. */
struct viewer_request {
	enum viewer_kind kind;
	struct stream *stream; /* NULL: unknown name (WebSocket only) */
	struct link_end end;   /* the connection, owned from here on */
	const void *early;     /* bytes that followed the request; borrowed */
	size_t early_len;
	bool chunked;          /* HTTP/1.1 */
	bool early_heads;      /* VIEWER_MJPEG: as viewer.early_heads */
	bool sound;            /* VIEWER_MP4: with sound, where there is one */
	const char *ws_accept; /* Sec-WebSocket-Accept */
	struct gate_identity who;
	const char *address; /* of the client; copied */
	const char *headers; /* more lines for the answer's head, or NULL; copied */
};

struct viewer {
	LIST_ENTRY(viewer) in_front;
	struct front *front;
	enum viewer_kind kind;
	struct link link;
	struct pass pass;
	struct watch watch;
	struct cursor cursor;      /* its mode: fragments, or pictures */
	struct overlay overlay;    /* VIEWER_WS */
	struct hub_config *config; /* the last one sent */
	uint32_t sequence;

	/* what is to be said as soon as the queue is empty */
	bool state_due, answer_due, head_sent, chunked;
	bool told_damaged; /* what comes is known to be damaged */
	bool early_heads; /* MJPEG: the next part's head follows each picture, without its length */
	unsigned codecs;  /* CODECS_*: those that the client takes */
	char *headers;    /* for the answer's head, NULL none */

	struct rtc_ask *rtc_ask;         /* an offer of WebRTC that is not answered yet */
	bool rtc_in_object;              /* as {"type": "webrtc", "value": {...}} */
	char local[LOCAL_ADDRESS_BYTES]; /* ours that he reached */

	struct clock_timer wait; /* no pictures, or no mode: give up */
	struct clock_timer pace; /* between parts of a large GOP */
	unsigned waits;
};

/* Takes request->end. The viewer lives until its peer, its stream or the front ends it. */
struct viewer *viewer_new(struct front *front, const struct viewer_request *request);
/* At once; only when no callback of it runs. */
void viewer_free(struct viewer **viewer);

/* For viewer_*.c: what it wants from now on, CURSOR_IDLE: nothing. */
void viewer_set_mode(struct viewer *viewer, enum cursor_mode mode);

#endif
