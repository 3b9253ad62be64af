/*
 * The http front: a child on fd 3 that gets its configuration, its listeners and the streams from
 * the supervisor, reads the bus and serves browsers. Everything hangs on one context.
 */
#ifndef CAMHUB_HTTP_FRONT_H
#define CAMHUB_HTTP_FRONT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "shared/clock.h"

struct access_asks;
struct assets;
struct cursor;
struct child_ev;
struct drain;
struct event_base;
struct gate;
struct listeners;
struct pass;
struct snapshots;
struct stream;
struct viewer;
struct wall;

LIST_HEAD(stream_list, stream);
LIST_HEAD(viewer_list, viewer);
LIST_HEAD(wall_list, wall);
LIST_HEAD(cursor_list, cursor);
LIST_HEAD(pass_list, pass);

struct front_config {
	uint32_t subscriber;
	char **origins;     /* that may embed us; ends with NULL */
	char **own_origins; /* under which a proxy shows us; the same */
	char **hosts;       /* names that are ours; the same */
	bool tls, hsts;     /* tls: nothing is served without an identity */
	unsigned max_viewers;
	uint64_t viewer_lag_bytes;
	size_t ring_bytes;
	int64_t request_deadline_ms, live_target_ms, snapshot_timeout_ms;
};

struct front {
	struct event_base *base;
	struct clock *clock;
	struct child_ev *child;
	/* Lock the process in, once the pages are read; NULL: not at all. What is to be told of it.
	 */
	const char *(*confine)(void);
	struct clock_timer report; /* 1 Hz, to the supervisor */
	bool configured, synced, stopped;
	struct drain *drain; /* NULL: newcomers are welcome */
	int exit_code;
	struct front_config config;
	char *csp; /* the Content-Security-Policy of every answer */
	struct assets *assets;
	struct gate *gate;
	struct access_asks *asks;
	struct listeners *listeners;
	bool is_reached; /* by other machines: not all listeners are on loopback */
	struct snapshots *snapshots;
	struct stream_list streams;
	struct viewer_list viewers;
	struct wall_list walls;
	struct pass_list passes;
	long long watches_ever;
	struct audit_pace {
		int64_t second;
		unsigned lines;       /* that were wanted in it */
	} audit_watches, audit_other; /* neither takes the other's place */
	struct {
		uint64_t whose;
		int64_t told_ns;
	} pictures[64];     /* that audit_picture() told of lately */
	unsigned n_viewers; /* viewers, and subscriptions of walls */
	unsigned n_walls;
	uint64_t requests, bytes_sent, viewers_ever, viewers_refused;
	int64_t started_ms; /* wall clock */
};

/*
 * fd: the control channel (owned from here on). on_stop in words: the loop is told to end
 * (event_base_loopbreak) and front->exit_code says how.
 */
struct front *front_new(struct event_base *base, struct clock *clock, int fd);
void front_free(struct front **front);

/* Whether the front can serve: configured, and it knows the streams. */
bool front_is_ready(const struct front *front);
/* Milliseconds since 1970. */
int64_t front_now_ms(const struct front *front);
/* Queue a message to the supervisor; takes msg and pass_fd (-1: none). */
void front_send(struct front *front, json_t *msg, int pass_fd);

/* The whole program: a loop on CHILD_FD until stopped. Returns the exit code. */
int front_run(void);

#endif
