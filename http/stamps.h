/*
 * Which frames of a stream came lately, by number and times, so that what is said of a frame later
 * finds it, whether it is still in the ring or not. Pure.
 */
#ifndef CAMHUB_HTTP_STAMPS_H
#define CAMHUB_HTTP_STAMPS_H

#include "shared/frame.h"

#include <stdbool.h>

#define STAMPS_KEPT      256u
#define STAMPS_WITHIN_NS 1000000 /* times are believed to be of a frame so near */

struct stamp {
	uint64_t epoch, seq;
	int64_t arrived_ns, captured_ns; /* realtime, as in its header */
	int64_t came_ns;                 /* to us, monotonic */
};

struct stamps {
	struct stamp ring[STAMPS_KEPT];
	uint64_t n; /* ever */
};

/* A frame of video came, no replay of one. */
void stamps_add(struct stamps *stamps, const struct frame *frame, int64_t now_ns);
/* NULL: it is not among those that are kept. */
const struct stamp *stamps_by_seq(const struct stamps *stamps, uint64_t epoch, uint64_t seq);
const struct stamp *stamps_by_arrived(const struct stamps *stamps, int64_t ns);
const struct stamp *stamps_by_captured(const struct stamps *stamps, int64_t ns);
/* NULL: none came. */
const struct stamp *stamps_newest(const struct stamps *stamps);

#endif
