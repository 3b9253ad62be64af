/*
 * One viewer of many in a process: a WebSocket connection to /api/ws (fMP4) or /ws (bare units), of
 * which as little is looked at as will do. The heads of frames are read, what is behind them the
 * kernel throws away; a frame counts when its last byte is there.
 */
#ifndef CAMHUB_BENCH_CLIENT_H
#define CAMHUB_BENCH_CLIENT_H

#include "bench/samples.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_TOKEN      "CAMHUB_BENCH_TOKEN" /* environment: who the viewers are, or absent */
#define CLIENT_HEAD_BYTES 4096                 /* enough for a moof and for a JSON text */

enum client_opcode {
	CLIENT_TEXT = 1,
	CLIENT_BINARY = 2,
	CLIENT_CLOSE = 8,
	CLIENT_PING = 9,
	CLIENT_PONG = 10,
};

enum client_state { CLIENT_IN_HTTP, CLIENT_IN_FRAME_HEADER, CLIENT_IN_PAYLOAD, CLIENT_AT_END };

/* Of the media: a box's head, a moof, where a stamp would be, and what nobody looks at. */
enum client_part { CLIENT_BOX, CLIENT_MOOF, CLIENT_LOOK, CLIENT_REST };

struct client_totals {
	uint64_t upgraded, refused, closed, bytes, fragments, inits, errors;
	uint64_t lost;          /* frames that are missing, and nobody said so */
	uint64_t skipped;       /* frames that the server said it left out */
	uint64_t overannounced; /* said so, but they came */
	uint64_t jumps, back, malformed;
	int64_t first_ms_max;
};

/* What all viewers of the process share. */
struct crowd {
	const char *host;
	int port, fps;
	bool is_wall;      /* /ws instead of /api/ws */
	int receive_bytes; /* of the socket's buffer; 0: as much as there may be */
	int epoll;
	struct client_totals totals;

	bool is_measuring;
	int64_t real_ns;              /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	struct samples read_delays;   /* from the stamp to the read of the last byte */
	struct samples kernel_delays; /* to its arrival in this machine's socket */
};

struct client {
	struct crowd *crowd;
	int fd;
	const char *stream;
	enum client_state state;
	enum client_part part;
	uint8_t
	    head[CLIENT_HEAD_BYTES]; /* the HTTP head, a frame header, a text, a part of media */
	size_t head_len, need;       /* need: bytes of the part to gather in head */
	uint64_t left, rest;         /* of the WebSocket frame; of the box behind the head */
	uint8_t opcode;
	bool is_frame; /* the rest belongs to one */
	bool is_behind, has_number;
	bool has_ended_frame; /* since this was last set to false */
	int64_t stamp_ns;     /* of the frame that is being read, 0 none */
	int64_t age_ns;       /* of the last frame that was read */
	uint64_t number;      /* of the last stamp */
	uint64_t announced;   /* frames left out since, as the server said */
	int64_t last_time;    /* decode time of the last fragment, -1: none since an init segment */
	int64_t read_ns, kernel_ns; /* of the bytes that are being parsed; kernel_ns 0: unknown */
	int64_t first_ns, asked_ns, stalled_ns, closed_ns;
	uint64_t fragments;
};

int64_t client_now_ns(void);

/* client.c: the socket. */
/* Connects, or ends the process. */
void client_start(struct client *client, struct crowd *crowd, const char *stream);
/* Reads at most so many bytes of what is there, and of one frame; returns how many. */
size_t client_read(struct client *client, size_t budget_bytes);
void client_send(struct client *client, uint8_t opcode, const void *payload, size_t len);
void client_drop(struct client *client, uint64_t *counter);

/* client_parse.c: the bytes. */
void client_begin(struct client *client, struct crowd *crowd, const char *stream);
void client_feed(struct client *client, const uint8_t *data, size_t len);
/* How many of the bytes that come next need not be seen ... */
uint64_t client_can_skip(const struct client *client);
/* ... and that so many of them have gone by. */
void client_skip(struct client *client, size_t len);

#endif
