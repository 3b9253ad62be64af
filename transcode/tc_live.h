/*
 * A live stream from H.265 to H.264, unit by unit, and what is left out of it when the machine is
 * too slow: pictures are decoded but not encoded while others wait behind them. It never queues.
 * Blocks for as long as decoding and encoding take.
 */
#ifndef CAMHUB_TRANSCODE_TC_LIVE_H
#define CAMHUB_TRANSCODE_TC_LIVE_H

#include "transcode/tc_stamp.h"

#include <stddef.h>

#define TC_LIVE_KEY_MAX_NS  INT64_C(2000000000) /* a key frame at least so often, */
#define TC_LIVE_KEY_MIN_NS  INT64_C(500000000)  /* and at most, however often the source has one */
#define TC_LIVE_WAITING_MAX 2                   /* units behind it: a picture is left out, */
#define TC_LIVE_SHOW_NS     INT64_C(250000000)  /* but one in so long is made all the same */

struct AVPacket;
struct tc_live;

struct tc_live_ops {
	/* One unit of H.264; packet is the callee's. stamp: is_key is its own. */
	void (*unit)(void *arg, struct AVPacket *packet, const struct tc_stamp *stamp);
	int64_t (*now_ns)(void *arg);
};

/* 0 or a negative AVERROR. */
int tc_live_new(const struct tc_live_ops *ops, void *arg, struct tc_live **live);
void tc_live_free(struct tc_live **live); /* NULL-safe */

/*
 * One access unit (Annex B; packet stays the caller's). is_start: it does not refer to what came
 * before. n_waiting: units that wait behind it. 0; a negative AVERROR: no H.264 can be made of this
 * stream.
 */
int tc_live_push(struct tc_live *live, struct AVPacket *packet, const struct tc_stamp *stamp,
		 bool is_start, size_t n_waiting);

/* Pictures that were left out because others waited. */
uint64_t tc_live_dropped(const struct tc_live *live);
/* Pictures that were left out because the source has more of them a second than are made, however
 * fast the machine is. */
uint64_t tc_live_thinned(const struct tc_live *live);

#endif
