/*
 * From what comes on a source's bus to units that a decoder can take one after the other: it begins
 * with a key frame, or with a replay of the current group of pictures joined to the live units
 * behind it, and begins anew in the same way after a hole. Pure: messages are pushed in, units come
 * out in the same call.
 */
#ifndef CAMHUB_TRANSCODE_TC_FEED_H
#define CAMHUB_TRANSCODE_TC_FEED_H

#include "shared/bus.h"

#include <stdbool.h>

#define TC_FEED_PENDING_MAX       8192 /* messages kept while a replay is under way */
#define TC_FEED_PENDING_MAX_BYTES (64u << 20)

struct tc_unit {
	const struct bus_msg *msg;    /* kind video; borrowed for the call */
	const struct bus_msg *config; /* parameter sets to go before it; NULL: none */
	bool is_start;                /* a key frame with which decoding begins, or begins anew */
	bool is_behind; /* newer ones are there already: worth decoding, not showing */
	bool is_broken; /* it, or what it refers to, was damaged */
	bool is_jump;   /* time or content jumps before it, or before one that was passed over */
};

struct tc_feed;
typedef void tc_feed_fn(void *arg, const struct tc_unit *unit);

/* subscriber: who we are in for_subscriber. */
struct tc_feed *tc_feed_new(uint32_t subscriber, tc_feed_fn *fn, void *arg);
void tc_feed_free(struct tc_feed **feed); /* NULL-safe */

/* A message of the video track, kind video or config; others are passed over. Borrowed. */
void tc_feed_push(struct tc_feed *feed, struct bus_msg *msg);
/* The replay for us is over. When it was not enough, what there is of it is kept for the next. */
void tc_feed_replay_end(struct tc_feed *feed);
/* What was given is lost: it begins anew, with a replay once in a group of pictures, else with the
 * next key frame. */
void tc_feed_cut(struct tc_feed *feed);

/* Whether a replay would help. */
bool tc_feed_wants_replay(const struct tc_feed *feed);
uint64_t tc_feed_holes(const struct tc_feed *feed);
/* Live units that were passed over because what they refer to is missing. */
uint64_t tc_feed_skipped(const struct tc_feed *feed);

#endif
