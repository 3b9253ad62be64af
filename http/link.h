/*
 * A viewer's connection, whatever is watched through it: a short queue of shared bytes, the
 * deadline by which the peer must take some of them, pings, the end. How bytes travel is a way
 * (link_way): the plain socket, or TLS over it (link_tls.h).
 */
#ifndef CAMHUB_HTTP_LINK_H
#define CAMHUB_HTTP_LINK_H

#include "http/front.h"
#include "http/outq.h"

struct link;
struct crowd_place;
struct ssl_st;
struct ws;

/* A connection as it was taken over. */
struct link_end {
	int fd;
	struct ssl_st *ssl;        /* its handshake is done; NULL: no TLS */
	struct crowd_place *place; /* that it has; NULL: none */
};

/* What the owner does. Any of these may call link_close() and link_finish(). */
struct link_ops {
	/* The queue is empty: add the next that is due to link->out, or nothing. */
	void (*fill)(void *arg);
	/* A text message (links that speak WebSocket); not terminated. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/* Nothing was sent for a while: a ping goes out now. May be NULL. */
	void (*on_idle)(void *arg);
	/* So many bytes went to the peer. May be NULL. */
	void (*on_sent)(void *arg, uint64_t bytes);
	/* It is over; nothing of the link runs. The owner calls link_clear() and may free itself.
	 */
	void (*on_end)(void *arg);
};

/* How bytes travel. It calls link_on_input(), link_on_writable() and link_close(). */
struct link_way {
	/*
	 * The peer takes what it can of link->out; *written grows by that. Returns 0: all of it;
	 * -EAGAIN: a part; another negative errno: the peer is gone.
	 */
	int (*write)(struct link *link, uint64_t *written);
	/* Call link_on_writable() once, from the loop, as soon as more can be written. */
	void (*await_writable)(struct link *link);
	/* No more calls of the link; the peer may still be reading. */
	void (*stop)(struct link *link);
	/* Closes and frees link->conn; at once, without what the system still holds for the peer,
	 * when link->is_stuck. */
	void (*close)(struct link *link);
};

struct link {
	struct front *front;
	const struct link_ops *ops;
	void *arg;
	const struct link_way *way;
	void *conn; /* the way's own */
	struct crowd_place *place;
	struct outq out;
	struct ws *ws; /* NULL: no WebSocket */

	struct clock_timer progress; /* the peer takes nothing */
	struct clock_timer idle;     /* WebSocket: ping, when nothing was sent since sent_ns */
	int64_t sent_ns;
	int64_t full_ns; /* when the peer was last full; long ago: never */
	struct clock_timer end;
	bool blocked;         /* link_on_writable() will come */
	bool is_stuck;        /* the peer took nothing for too long */
	bool closing, dying;  /* closing: when the queue is empty; dying: ends from the loop */
	size_t control_bytes; /* answers that the peer provoked, since the queue was last empty */
	size_t read_bytes;
	unsigned texts_max; /* text messages in a window of time */
	struct rate_window texts;
};

/* Over end, all of which is owned from here on. Reads from the loop. */
void link_begin(struct link *link, struct front *front, const struct link_end *end,
		const struct link_ops *ops, void *arg);
/* The same over a plain socket. */
void link_socket(struct link *link, struct front *front, int fd, const struct link_ops *ops,
		 void *arg);
/* For ways: a socket tuned for little delay; a link over conn. */
void link_tune(int fd);
void link_init(struct link *link, struct front *front, const struct link_way *way, void *conn,
	       const struct link_ops *ops, void *arg);
/* Frees what it holds, at once; only when nothing of it runs. */
void link_clear(struct link *link);

/* Write what is queued, fill up, until there is nothing or the peer is full. */
void link_pump(struct link *link);
/* The same for one of many who are to be told of the same: a peer that was full lately waits for
 * the loop, so that those who keep up need not wait for those who do not. */
void link_pump_in_turn(struct link *link);
/* Ends soon (on_end, from the loop), without what is queued. Safe in any callback, twice too. */
void link_close(struct link *link);
/* Ends when what is queued was sent; nothing more is filled in. */
void link_finish(struct link *link);
/* The peer was full a moment ago: it is slow. */
bool link_was_full(const struct link *link);
static inline bool
link_is_ending(const struct link *link)
{
	return link->closing || link->dying;
}

/* Bytes of the peer; those that came behind its request, too. */
void link_on_input(struct link *link, const uint8_t *bytes, size_t len);
void link_on_writable(struct link *link);

#endif
