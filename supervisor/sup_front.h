/*
 * A front: the process that serves people. It gets its configuration, the listeners and all
 * streams; it says which streams somebody watches. The listeners stay open while it is away.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_FRONT_H
#define CAMHUB_SUPERVISOR_SUP_FRONT_H

#include "supervisor/sup_int.h"

struct sup_front_stream;
TAILQ_HEAD(sup_front_streams, sup_front_stream);

struct sup_front {
	TAILQ_ENTRY(sup_front) entry;
	struct sup *sup;
	const char *program, *object;
	struct sup_child *child; /* NULL: dead */
	bool ready, held;        /* held: it said that its configuration is wrong */
	bool renew;              /* told to stop because its configuration changed */
	uint32_t subscriber;     /* of this incarnation, never reused */
	struct clock_timer retry;
	unsigned early_deaths, spawns;
	int64_t started_ns, ready_ns;
	int64_t since_ms; /* realtime, of its state */
	char last_exit[SUP_CHILD_TEXT_MAX];
	unsigned failures; /* since it last served */
	char told_failure[SUP_CHILD_TEXT_MAX];
	char tls[257];  /* its certificate, or what is wrong with the new one; "": none */
	json_t *totals; /* the latest front-totals, NULL: none */
	struct sup_front_streams streams;
};

/* What a front says about one stream. */
struct sup_front_stream {
	TAILQ_ENTRY(sup_front_stream) entry;
	uint32_t id;
	bool want;
	json_t *stats; /* the latest front-stream, NULL: none */
};

struct sup_front *sup_front_new(struct sup *sup, const char *program, const char *object);
void sup_front_free(struct sup_front **front);
void sup_front_start(struct sup_front *front); /* no-op while it lives */
/* Stop it and start it afresh at once. */
void sup_front_restart(struct sup_front *front);
struct sup_front *sup_front_by_subscriber(struct sup *sup, uint32_t subscriber);
const char *sup_front_state(const struct sup_front *front); /* in a word */

/* To all fronts that live. */
void sup_front_announce(struct sup *sup, const struct sup_stream *stream);
void sup_front_announce_gone(struct sup *sup, uint32_t id);

/* A field of front-stream, summed (or, with is_high, the highest) over all fronts. */
long long sup_front_count(struct sup *sup, uint32_t id, const char *field, bool is_high);
/* The front-stream of the front whose viewers see the oldest pictures (quantiles of several fronts
 * cannot be added up); NULL when no viewer reports. Borrowed. */
const json_t *sup_front_delay(struct sup *sup, uint32_t id);

#endif
