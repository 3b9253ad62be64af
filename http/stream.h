/*
 * One announced stream in the front: what the supervisor says of it, its bus subscription, its hub
 * and its viewers.
 */
#ifndef CAMHUB_HTTP_STREAM_H
#define CAMHUB_HTTP_STREAM_H

#include "http/delay_stats.h"
#include "http/front.h"
#include "http/hub.h"
#include "http/stamps.h"

#include "shared/bus.h"

#define STREAM_NAME_MAX 41

enum stream_kind { STREAM_KIND_UNKNOWN, STREAM_KIND_VIDEO, STREAM_KIND_JPEG };

struct stream {
	LIST_ENTRY(stream) entry;
	struct front *front;
	uint32_t id;
	char name[STREAM_NAME_MAX + 1], camera[STREAM_NAME_MAX + 1];
	char *title, *reason;
	char *group;    /* "": none */
	json_t *advice; /* texts; NULL: none */
	long long order;
	bool on_demand;
	char state[17];
	int64_t since_ms; /* wall clock */

	uint64_t epoch; /* 0: no worker */
	char *bus_path;
	struct bus_sub *sub;
	struct event *bus_ev;
	struct event *bus_turn_ev; /* others had their turn: the bus may be read again */
	bool has_spoken;           /* since it was dialled */
	bool is_distrusted;        /* it sent a malformed message: what it sends is thrown away */
	struct clock_timer pulse;  /* silence on the bus: dial again */
	struct clock_timer replay; /* connected? then ask for a replay, until it flows */
	int64_t poll_ms;

	struct hub *hub;
	enum stream_kind kind;
	char codec[16], codec_string[CODEC_STRING_BYTES]; /* "" unknown */
	unsigned width, height;
	double fps;
	uint64_t corrupt, packets, lost; /* as this worker counts them */

	bool wanted;
	unsigned interest; /* snapshots that wait for pictures */
	struct cursor_list cursors;
	struct cursor *next_cursor; /* while they are told something: whose turn is next */
	unsigned n_viewers;
	uint64_t skipped, lag_bytes_high;
	uint64_t redials;
	struct delay_stats *delay; /* on their screens, as they report it */
	struct stamps stamps;      /* of the latest frames */
};

/* A `stream` message: new, or changed. */
void stream_announce(struct front *front, const json_t *msg);
/* NULL-safe. Its viewers are told and closed. */
void stream_free(struct stream **stream);

/* NULL when there is none. */
struct stream *stream_find(const struct front *front, const char *name);
struct stream *stream_find_id(const struct front *front, long long id);
/* Whether name could be a stream's: ^[a-z0-9][a-z0-9_-]{0,31}(\.sub)?(\.h264)?$ */
bool stream_is_name(const char *name);
bool stream_is_up(const struct stream *stream);

/* What viewers are told of it: state, since_ms, reason, server_ms. The caller's. */
json_t *stream_describe_state(const struct stream *stream);

/* One message from its bus (borrowed). */
void stream_push(struct stream *stream, struct bus_msg *msg);

/* Viewers came or went, or their mode changed: tell the supervisor when the want changes. */
void stream_update_want(struct stream *stream);

/* A result that is of this stream: to all who watch it. */
struct overlay_item;
void stream_tell_result(struct stream *stream, struct overlay_item *item);

/* The 1 Hz report of this stream. */
json_t *stream_report(const struct stream *stream);

#endif
