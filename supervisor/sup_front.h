/*
 * A front: the process that serves people. It gets its configuration, the listeners and all
 * streams; it says which streams somebody watches. The listeners stay open while it is away.
 *
 * There are as many as `http: fronts:` says, all on the same listeners. One that is replaced serves
 * until the new one is ready; then it drains: it accepts nobody any more, keeps the viewers it has,
 * and leaves when they have.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_FRONT_H
#define CAMHUB_SUPERVISOR_SUP_FRONT_H

#include "supervisor/sup_int.h"

#define SUP_FRONT_PROGRAM    "camhub-http"
#define SUP_FRONT_NAME       "http" /* of the first; the others are http.2, http.3, ... */
#define SUP_FRONT_OBJECT_MAX 16
/* So many drain at once at least, or as many as there are fronts. */
#define SUP_FRONT_DRAINS_MIN 2
/* One whose drain is over has so long to leave by itself. */
#define SUP_FRONT_OVERDUE_MS 10000

struct sup_front_stream;
TAILQ_HEAD(sup_front_streams, sup_front_stream);
struct sup_viewer;
TAILQ_HEAD(sup_viewers, sup_viewer);

struct sup_front {
	TAILQ_ENTRY(sup_front) entry;
	struct sup *sup;
	unsigned number; /* from 1 */
	char object[SUP_FRONT_OBJECT_MAX];
	bool is_rtc;                   /* camhub-rtc (sup_rtc.h): no pages, no listeners of http */
	struct sup_child *child;       /* NULL: dead */
	bool ready, held;              /* held: it said that its configuration is wrong */
	bool leaving;                  /* its end is its end: it is not started again */
	bool draining;                 /* and it serves nobody but the viewers it has */
	struct sup_front *successor;   /* takes over when it is ready; NULL: none */
	struct sup_front *predecessor; /* serves until this one is ready; NULL: none */
	uint32_t subscriber;           /* of this incarnation, never reused */
	struct clock_timer retry, overdue;
	unsigned early_deaths, spawns;
	int64_t started_ns, ready_ns;
	int64_t since_ms; /* realtime, of its state */
	char last_exit[SUP_CHILD_TEXT_MAX];
	unsigned failures; /* since it last served */
	char told_failure[SUP_CHILD_TEXT_MAX];
	char tls[257];  /* its certificate, or what is wrong with the new one; "": none */
	json_t *totals; /* the latest front-totals, NULL: none */
	struct sup_front_streams streams;
	struct sup_viewers viewers; /* sup_viewers.h */
	unsigned n_viewers;
};

/* What a front says about one stream. */
struct sup_front_stream {
	TAILQ_ENTRY(sup_front_stream) entry;
	uint32_t id;
	bool want;
	json_t *stats; /* the latest front-stream, NULL: none */
};

/* One front */

struct sup_front *sup_front_new(struct sup *sup, unsigned number);
struct sup_front *sup_front_new_rtc(struct sup *sup);
void sup_front_free(struct sup_front **front);
void sup_front_start(struct sup_front *front); /* no-op while it lives */
struct sup_front *sup_front_by_subscriber(struct sup *sup, uint32_t subscriber);
const char *sup_front_state(const struct sup_front *front); /* in a word */

/* If it lives and takes such messages: not every kind of front does. msg: stolen. */
void sup_front_tell(struct sup_front *front, enum msg_type type, json_t *msg);
/* The same for all. */
void sup_front_tell_all(struct sup *sup, enum msg_type type, json_t *msg);

/* Replacing (sup_front_turn.c) */

/* As many fronts as are configured: more are started, those that are too many drain. */
void sup_front_review_number(struct sup *sup);
/* Start the front of that name ("http": all) anew; those that serve go on until the new ones do.
 * How many there are. */
unsigned sup_front_restart(struct sup *sup, const char *name);
/* It is ready: the one whose place it takes drains. */
void sup_front_take_over(struct sup_front *front);
void sup_front_init_drain(struct sup_front *front);

/* Streams (sup_front_streams.c) */

/* NULL for a stream that does not exist: what a front says of it is late, or nonsense. */
struct sup_front_stream *sup_front_want_stream(struct sup_front *front, uint32_t id);
/* It is dead: nobody watches through it. */
void sup_front_forget_streams(struct sup_front *front);
void sup_front_drop_streams(struct sup_front *front); /* the same without a word to the streams */
void sup_front_review_demand(struct sup *sup, uint32_t id);
json_t *sup_front_make_stream(const struct sup_stream *stream);

/* To all fronts that live. */
void sup_front_announce(struct sup *sup, const struct sup_stream *stream);
void sup_front_announce_gone(struct sup *sup, uint32_t id);

/* A field of front-stream, summed (or, with is_high, the highest) over all fronts. */
long long sup_front_count(struct sup *sup, uint32_t id, const char *field, bool is_high);
/* The front-stream of the front whose viewers see the oldest pictures (quantiles of several fronts
 * cannot be added up); NULL when no viewer reports. Borrowed. */
const json_t *sup_front_delay(struct sup *sup, uint32_t id);

#endif
