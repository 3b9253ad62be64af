/*
 * Connections of the bench's camera: accepting, reading requests, writing without blocking.
 */
#ifndef CAMHUB_BENCH_GLASS_CONN_H
#define CAMHUB_BENCH_GLASS_CONN_H

#include "bench/glass/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONN_IN_MAX  8192
#define CONN_OUT_MAX (8u << 20)

struct conn;

/* One protocol on one port. */
struct service {
	/* One request at the beginning of the text (len bytes, then a zero): the bytes it took, 0
	 * when it is not whole, -1: hang up. */
	ssize_t (*take)(struct conn *conn, const char *text, size_t len);
	void (*send)(struct conn *conn, const struct encoded *picture);
};

struct conn {
	struct conn *next;
	const struct service *service;
	int fd;
	bool is_dead;
	struct stream *stream; /* what it plays, or NULL */
	bool has_begun;        /* the first key frame was sent */
	char in[CONN_IN_MAX + 1];
	size_t in_len;
	uint8_t *out;
	size_t out_len;

	/* of RTSP */
	uint8_t channel;
	uint16_t seq;
	uint32_t ssrc, timestamp_offset;
	int64_t reported_us; /* the last sender report */
	uint32_t packets, octets;
	/* of the WebSocket */
	bool is_open, is_fmp4;
	uint32_t sequence;
};

/* Listens on a free port of 127.0.0.1, which it returns. At most two services. */
uint16_t conn_listen(const struct service *service);

/* Waits for events until then (CLOCK_MONOTONIC, ns) and handles them. False when standard input has
 * come to its end. */
bool conn_wait(int64_t until_ns);

/* A picture for all who play the stream, in their sockets before it returns as far as they take it.
 */
void conn_send_all(struct stream *stream, const struct encoded *picture);

/* For services: bytes to be sent (a connection that does not read them is ended), and what to play.
 */
void conn_put(struct conn *conn, const void *data, size_t len);
void conn_play(struct conn *conn, struct stream *stream);

int64_t conn_now_ns(void);

#endif
