/*
 * Frames that wait for the end of a replay, in order of seq: replayed ones and the live ones that
 * came between them.
 */
#ifndef CAMHUB_HTTP_HUB_PENDING_H
#define CAMHUB_HTTP_HUB_PENDING_H

#include "shared/bus.h"

#include <stdbool.h>

struct hub_pending {
	struct bus_msg **msgs;
	size_t count, cap, bytes;
	size_t max_bytes;
};

void hub_pending_init(struct hub_pending *pending, size_t max_bytes);
void hub_pending_clear(struct hub_pending *pending); /* drops all and frees */
/* Inserts by seq; the same seq again is passed over. false: full, everything was dropped. */
bool hub_pending_add(struct hub_pending *pending, struct bus_msg *msg);

/*
 * The longest run at the end that can be decoded: [*first, count) begins with a sound key frame and
 * has no hole and no damage. If `after` (seq of the newest frame delivered, 0: none) is inside an
 * unbroken run, or right before it, *first is the one after it and *continues is true: then no key
 * frame is needed. Returns false when there is no such run.
 * damaged: a run without a hole will do, whatever is damaged in it; it begins with the latest sound
 * key frame in it, or, where there is none, with the earliest damaged one.
 */
bool hub_pending_run(const struct hub_pending *pending, uint64_t after, bool damaged, size_t *first,
		     bool *continues);

#endif
