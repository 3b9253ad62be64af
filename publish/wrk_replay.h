/*
 * Replays: a late subscriber is sent the current GOP again (docs/protocol.md, "Replay"). At most
 * one a second for each subscriber; a request that comes sooner waits for its second, and two that
 * wait are one. The messages leave in small portions: the bus keeps 256 for a subscriber and drops
 * the oldest.
 */
#ifndef CAMHUB_PUBLISH_WRK_REPLAY_H
#define CAMHUB_PUBLISH_WRK_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#define WRK_REPLAY_SUBSCRIBERS_MAX 32
#define WRK_REPLAY_INTERVAL_MS     1000
#define WRK_REPLAY_FIRST_MSGS      32 /* at once */
#define WRK_REPLAY_PORTION_MSGS    8  /* then in each portion */
#define WRK_REPLAY_PORTION_BYTES   (1u << 20)
#define WRK_REPLAY_PORTION_MS      4

struct bus_msg;
struct clock;
struct wrk_replay;

struct wrk_replay_ops {
	/* What there is to replay now: *msgs is malloc'd, with a reference to each; both become the
	 * caller's. Returns how many; *last_seq: of the video track now. */
	size_t (*snapshot)(void *arg, struct bus_msg ***msgs, uint64_t *last_seq);
	void (*send)(void *arg, const struct bus_msg *msg, uint32_t subscriber);
	void (*end)(void *arg, uint32_t subscriber, uint64_t last_seq, size_t sent);
};

struct wrk_replay *wrk_replay_new(struct clock *clock, const struct wrk_replay_ops *ops, void *arg);
void wrk_replay_free(struct wrk_replay **replay); /* NULL-safe */

/* Returns 0, or -EBUSY when too many different subscribers asked within the last second. */
int wrk_replay_request(struct wrk_replay *replay, uint32_t subscriber);
/* Break off what runs and forget what waits. */
void wrk_replay_cancel_all(struct wrk_replay *replay);

#endif
