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
#include "shared/msg.h"
#include "shared/rate.h"
#include "shared/sandbox.h"

struct access_asks;
struct assets;
struct cursor;
struct child_ev;
struct drain;
struct event_base;
struct front;
struct gate;
struct listeners;
struct pass;
struct results;
struct rtc_asks;
struct snapshots;
struct stream;
struct viewer;
struct wall;

LIST_HEAD(stream_list, stream);
LIST_HEAD(viewer_list, viewer);
LIST_HEAD(wall_list, wall);
LIST_HEAD(cursor_list, cursor);
LIST_HEAD(pass_list, pass);

/*
 * What makes a front one of its kind: all of them have streams, viewers and a gate, some have pages
 * and listeners, others speak to their viewers in another way. Callbacks may be NULL.
 */
struct front_role {
	const char *program, *name; /* "camhub-http"; in the log "http" */
	enum msg_to receives;
	enum sandbox_program sandbox;
	bool has_pages;
	/* Before the loop and before the process locks itself in; behind it. */
	void (*begin)(struct front *front);
	void (*end)(struct front *front);
	/* A message that only this kind understands; fd (-1: none) is its own from here on. false:
	 * it does not either, and fd is untouched. */
	bool (*on_msg)(struct front *front, enum msg_type type, const json_t *msg, int fd);
	/* Nobody new is to be taken; or it is told to leave, and this is the last that it does. */
	void (*on_drain)(struct front *front);
};

struct front_config {
	uint32_t subscriber;
	char **origins;                /* that may embed us; ends with NULL */
	char **own_origins;            /* under which a proxy shows us; the same */
	char **hosts;                  /* names that are ours; the same */
	bool tls, hsts;                /* tls: nothing is served without an identity */
	bool webrtc;                   /* offers are taken */
	char **ice_servers;            /* for players; ends with NULL */
	char *ice_user, *ice_password; /* for turn servers, NULL: none */
	unsigned max_viewers;
	uint64_t viewer_lag_bytes;
	size_t ring_bytes;
	int64_t request_deadline_ms, live_target_ms, snapshot_timeout_ms;
};

struct front {
	const struct front_role *role;
	void *role_arg; /* the role's own */
	struct event_base *base;
	struct clock *clock;
	struct child_ev *child;
	/* Lock the process in, once the pages are read; NULL: not at all. What is to be told of it.
	 */
	const char *(*confine)(const struct front_role *role);
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
	struct rtc_asks *rtc_asks;
	bool is_rtc_away; /* camhub-rtc, as far as is known */
	struct snapshots *snapshots;
	struct results *results;
	struct stream_list streams;
	struct viewer_list viewers;
	struct wall_list walls;
	struct pass_list passes;
	long long watches_ever;
	/* Lines of audit.c; neither takes the other's place. */
	struct rate_window audit_watches, audit_other;
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
/* The same for a front of another kind; role->begin() is called. */
struct front *front_new_as(const struct front_role *role, struct event_base *base,
			   struct clock *clock, int fd);
void front_free(struct front **front);

/* Whether the front can serve: configured, and it knows the streams. */
bool front_is_ready(const struct front *front);
/* Milliseconds since 1970. */
int64_t front_now_ms(const struct front *front);
/* Queue a message to the supervisor; takes msg and pass_fd (-1: none). */
void front_send(struct front *front, json_t *msg, int pass_fd);

/* The program that serves pages. */
extern const struct front_role front_http;

/* The whole program: a loop on CHILD_FD until stopped, then it exits. Returns an exit code when it
 * was only asked for its version, or not started by the supervisor. */
int front_main(const struct front_role *role, int argc, char **argv);

#endif
