/*
 * What the files of libcamhub share: a hub is a connection to the tap and the subscriptions on it.
 */
#ifndef CAMHUB_LIB_HUB_H
#define CAMHUB_LIB_HUB_H

#include "lib/camhub.h"
#include "lib/feed.h"
#include "lib/poller.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#define HUB_MESSAGE_MAX    65536
#define HUB_NAME_MAX       32
#define HUB_PATH_MAX       108
#define HUB_CONNECT_MS     250  /* between tries; doubles up to the next */
#define HUB_CONNECT_MAX_MS 5000 /* while camhub ends connections that did not last so long: */
#define HUB_STEADY_MS      5000
#define HUB_REFUSALS       3     /* in a row: the program is told */
#define HUB_ANSWER_MS      2000  /* for its first words */
#define HUB_DEAF_MS        3000  /* an endpoint without a first message, */
#define HUB_SILENT_MS      15000 /* and without another one */
#define HUB_REPLAY_MS      1100  /* a subscriber is served once a second */
#define HUB_POLL_MS        2     /* whether a pipe is there; doubles up to the next */
#define HUB_POLL_MAX_MS    50
#define HUB_RESULTS_PER_S  60

struct stream {
	TAILQ_ENTRY(stream) entry;
	struct camhub_stream shown;
	json_t *told; /* the latest tap-stream: the texts above live in it */
	uint64_t epoch;
	const char *endpoint; /* file name, in told */
};
TAILQ_HEAD(streams, stream);

/* Results are counted since then. */
struct rate {
	int64_t since_ns;
	unsigned n;
};

/* As the program was shown it. */
struct shown {
	struct camhub_stream stream;
	json_t *told;
};

struct camhub_sub {
	TAILQ_ENTRY(camhub_sub) entry;
	struct camhub *hub;
	char *name;
	struct feed feed;
	struct bus_sub *bus; /* NULL: nobody publishes, or it is not believed any more */
	uint32_t wanted_id;  /* that was asked for on this connection; 0: not yet */
	uint64_t epoch;      /* of the publisher that is or was read */
	bool has_spoken;     /* since it was dialled */
	int64_t pulse_ns;    /* dial again then */
	int64_t replay_ns;   /* ask for a replay then */
	int64_t poll_ms;
	uint64_t replays, epochs, malformed;
	struct rate results;
};
TAILQ_HEAD(subs, camhub_sub);

struct camhub {
	char *dir;
	char name[HUB_NAME_MAX + 1];
	struct poller *poller;
	int tap;              /* -1: camhub is away */
	int64_t connect_ns;   /* try again then */
	int64_t connected_ns; /* the latest time */
	int64_t wait_ms;      /* when this connection ends */
	unsigned refusals;    /* in a row */
	bool is_refused;      /* once too often; the program was not told yet */
	uint32_t subscriber;  /* 0: not yet welcome */
	bool is_synced;
	char refused[161]; /* why, "": it was not */
	struct streams streams;
	struct shown *shown; /* of camhub_streams(), n_shown */
	const struct camhub_stream **list;
	size_t n_shown;
	struct subs subs;
	struct bus_pub *results;
	char *results_path;
	bool has_told_results; /* on this connection */
	struct rate others;    /* of results on streams that are not subscribed to */
};

/* The connection (tap.c) */

int tap_connect(struct camhub *hub); /* and say hello. 0 or negative errno */
void tap_read(struct camhub *hub);   /* all that is there */
void tap_close(struct camhub *hub, bool again);
/* With the name of the results' file, once there is one and camhub has answered. */
void tap_hello(struct camhub *hub);
void tap_want(struct camhub *hub, uint32_t id, bool on);
void tap_replay(struct camhub *hub, uint32_t id);

/* Streams (streams.c) */

void streams_set(struct camhub *hub, json_t *told); /* takes it */
void streams_drop(struct camhub *hub, uint32_t id);
void streams_clear(struct camhub *hub);
void streams_hide(struct camhub *hub);
const struct stream *streams_find(const struct camhub *hub, const char *name);

/* Subscriptions (sub.c) */

/* What is known of streams has changed. */
void sub_review(struct camhub_sub *sub);
void sub_forget_connection(struct camhub_sub *sub);
/* Read the bus, and do what is due. */
void sub_work(struct camhub_sub *sub, int64_t now_ns);
int64_t sub_due_ns(const struct camhub_sub *sub);

/* Everything that is due, without waiting (hub.c). */
void hub_work(struct camhub *hub);
void hub_plan(struct camhub *hub); /* wake up when the next thing is due */
int64_t hub_now_ns(void);
/* Until the loop's descriptor is readable, or ms have passed (-1: any time). */
void hub_wait(struct camhub *hub, int64_t ms);

/* Results (publish.c) */

/* camhub has answered: tell where results are, elsewhere if the last connection's end removed it.
 * 0 or negative errno: there is no such place. */
int results_tell(struct camhub *hub);
void results_close(struct camhub *hub);

#endif
