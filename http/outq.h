/*
 * What one viewer's socket still has to take: a short queue of shared wires, each between a few
 * bytes of its own (frame headers of WebSocket, HTTP chunk, fMP4 fragment, MJPEG part).
 */
#ifndef CAMHUB_HTTP_OUTQ_H
#define CAMHUB_HTTP_OUTQ_H

#include "http/wire.h"

#include <stdbool.h>

#define OUTQ_PREFIX_MAX 168u

struct outq_item {
	struct wire *wire;  /* or NULL: prefix and suffix alone */
	const char *suffix; /* static text or NULL */
	uint8_t prefix_len;
	uint8_t prefix[OUTQ_PREFIX_MAX];
};

struct outq {
	struct outq_item *items; /* a ring */
	size_t cap, first, count;
	size_t offset; /* bytes of the first item that are gone */
	size_t bytes;  /* waiting, all items */
};

void outq_init(struct outq *q);
void outq_clear(struct outq *q); /* drops everything; also the end of it */

/* Appends an item: prefix (copied, at most OUTQ_PREFIX_MAX), wire (a reference is taken), suffix.
 */
void outq_add(struct outq *q, const void *prefix, size_t prefix_len, struct wire *wire,
	      const char *suffix);

/*
 * Writes until the queue is empty or the socket is full. *written (in and out) grows by what
 * went. Returns 0 when empty, -EAGAIN, or another negative errno: the peer is gone.
 */
int outq_write(struct outq *q, int fd, uint64_t *written);

/* For ways that write elsewhere: copies at most size bytes from the head of the queue, and says how
 * many; those that went are then taken off. */
size_t outq_peek(const struct outq *q, void *to, size_t size);
void outq_consume(struct outq *q, size_t n);

static inline bool
outq_is_empty(const struct outq *q)
{
	return q->count == 0;
}

#endif
