/*
 * A viewer: a cursor into a stream's ring and a socket. Writes shared bytes directly; what does not
 * fit into the socket stays in the ring, where it can be skipped.
 */
#ifndef CAMHUB_HTTP_VIEWER_H
#define CAMHUB_HTTP_VIEWER_H

#include "http/front.h"
#include "http/hub.h"
#include "http/outq.h"

struct ws;

enum viewer_kind {
	VIEWER_WS,    /* /api/ws: the mode comes by message */
	VIEWER_MP4,   /* /api/stream.mp4 */
	VIEWER_MJPEG, /* /api/stream.mjpeg */
};

enum viewer_mode { VIEWER_IDLE, VIEWER_FRAGMENTS, VIEWER_PICTURES };

/* What the request said. */
struct viewer_request {
	enum viewer_kind kind;
	struct stream *stream; /* NULL: unknown name (WebSocket only) */
	int fd;                /* the connection, owned from here on */
	const void *early;     /* bytes that followed the request; borrowed */
	size_t early_len;
	bool chunked;          /* HTTP/1.1 */
	bool early_heads;      /* VIEWER_MJPEG: as viewer.early_heads */
	const char *ws_accept; /* Sec-WebSocket-Accept */
	const char *headers;   /* more lines for the answer's head, or NULL; copied */
};

struct viewer {
	LIST_ENTRY(viewer) in_stream, in_front;
	struct front *front;
	struct stream *stream;
	enum viewer_kind kind;
	enum viewer_mode mode;
	uint64_t id;
	int fd;
	struct event *read_ev, *write_ev;
	struct outq out;
	struct ws *ws;

	/* the cursor */
	bool joined;        /* pos means something */
	bool awaiting_key;  /* skipping: the key frame has not come yet */
	uint64_t pos;       /* next entry to queue */
	uint64_t burst_end; /* entries before it are the GOP of the join */
	uint64_t skip_from;
	uint64_t skip_stamp;       /* decode time at skip_from */
	struct hub_config *config; /* the last one sent */
	uint64_t base;             /* decode time of the stream - ours */
	uint64_t next_time;        /* decode time, ours, behind the last fragment */
	uint32_t sequence;

	/* what is to be said as soon as the queue is empty */
	bool state_due, answer_due, head_sent, chunked;
	bool told_damaged; /* what comes is known to be damaged */
	bool early_heads; /* MJPEG: the next part's head follows each picture, without its length */
	uint64_t skipped_frames_due, skipped_ms_due;
	char *codecs;  /* those that the client takes */
	char *headers; /* for the answer's head, NULL none */

	struct clock_timer progress; /* the socket takes nothing */
	struct clock_timer idle;     /* WebSocket: ping */
	struct clock_timer wait;     /* no pictures, or no mode: give up */
	struct clock_timer pace;     /* between parts of a large GOP */
	struct clock_timer free_me;
	unsigned waits;
	size_t control_bytes, read_bytes;
	int64_t window_ns;
	unsigned window_messages;
	bool closing, dying; /* closing: when the queue is empty; dying: freed from the loop */

	uint64_t bytes, frames, skipped;
};

/* Takes request->fd. The viewer lives until its peer, its stream or the front ends it. */
struct viewer *viewer_new(struct front *front, const struct viewer_request *request);
/* Close soon (from the loop). Safe in any callback, twice too. */
void viewer_close(struct viewer *viewer);
/* At once; only when no callback of it runs. */
void viewer_free(struct viewer **viewer);

/* Whether it wants pictures. */
bool viewer_wants(const struct viewer *viewer);
/* Entries were appended to its stream's ring. key: one of them is a key frame. */
void viewer_on_frames(struct viewer *viewer, bool key);
/* Its stream's state changed. */
void viewer_on_state(struct viewer *viewer);
/* Its stream goes away for good. */
void viewer_on_stream_gone(struct viewer *viewer);
/* The oldest entry it still needs; UINT64_MAX when none. */
uint64_t viewer_needs(const struct viewer *viewer);
const char *viewer_format(const struct viewer *viewer); /* "mse/fmp4", "mp4", "mjpeg", ... */

/* For viewer_*.c: write what is queued and fill up from the ring. */
void viewer_pump(struct viewer *viewer);

#endif
