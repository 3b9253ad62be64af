/*
 * From messages of the bus to frames in order: begins with a key frame (live, or of a replay), goes
 * on while numbers have no hole, and bounds what waits. Pure.
 */
#ifndef CAMHUB_LIB_FEED_H
#define CAMHUB_LIB_FEED_H

#include "shared/bus.h"

#include <stdbool.h>

#define FEED_READY_MAX     256         /* frames that wait for the program, replayed ones aside */
#define FEED_PENDING_BYTES (64u << 20) /* of a replay and what comes meanwhile */

struct feed_list {
	struct bus_msg **msgs; /* [first, first + n) */
	size_t first, n, cap, bytes;
};

struct feed {
	uint32_t subscriber; /* who we are in for_subscriber, 0: nobody */
	uint64_t epoch;      /* of the publisher, 0: none */
	uint64_t last_seq;   /* the newest that went to ready, 0: none of this epoch */
	bool flowing;        /* what follows last_seq is wanted */
	bool key_only;       /* too slow: a live key frame has to come, a replay is no help */
	uint64_t taken_epoch, taken_seq; /* the newest that left the queue */
	bool has_hole;                   /* and the next frame does not follow what was given */
	struct feed_list ready, replay, live;
	size_t ready_live;      /* of ready, not replayed */
	struct bus_msg *config; /* in force for what was taken last; NULL: none */
	uint64_t frames, skipped, gaps;
};

void feed_init(struct feed *feed);
void feed_clear(struct feed *feed); /* frees all that it holds */
/* Another publisher: what waits of the old one still comes. epoch 0: none now. */
void feed_begin(struct feed *feed, uint64_t epoch);
/* A message of the bus; keeps a reference of its own where it wants it. */
void feed_push(struct feed *feed, struct bus_msg *msg);
/* The status that closes a replay of ours. */
void feed_replay_end(struct feed *feed);
bool feed_wants_replay(const struct feed *feed);
/*
 * The next frame (the caller's reference), NULL: none waits. *config (borrowed, may be NULL): the
 * configuration in force; *is_first: nothing before it is referred to. is_newest: what can be
 * skipped is skipped before.
 */
struct bus_msg *feed_take(struct feed *feed, bool is_newest, const struct bus_msg **config,
			  bool *is_first);
/* Frames that wait. */
size_t feed_waiting(const struct feed *feed);

#endif
