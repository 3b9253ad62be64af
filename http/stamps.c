/*
 * A ring of stamps, searched from the newest back.
 */
#include "config.h"

#include "http/stamps.h"

#include <stddef.h>

void
stamps_add(struct stamps *stamps, const struct frame *frame, int64_t now_ns)
{
	stamps->ring[stamps->n++ % STAMPS_KEPT] = (struct stamp){
		.epoch = frame->epoch,
		.seq = frame->seq,
		.arrived_ns = frame->arrived_realtime_ns,
		.captured_ns = frame->captured_realtime_ns,
		.came_ns = now_ns,
	};
}

/* The i-th from the end; NULL: there are not so many. */
static const struct stamp *
from_end(const struct stamps *stamps, uint64_t i)
{
	if (i >= stamps->n || i >= STAMPS_KEPT)
		return NULL;
	return &stamps->ring[(stamps->n - 1 - i) % STAMPS_KEPT];
}

const struct stamp *
stamps_newest(const struct stamps *stamps)
{
	return from_end(stamps, 0);
}

const struct stamp *
stamps_by_seq(const struct stamps *stamps, uint64_t epoch, uint64_t seq)
{
	const struct stamp *stamp;

	for (uint64_t i = 0; (stamp = from_end(stamps, i)) != NULL; i++)
		if (stamp->seq == seq && stamp->epoch == epoch)
			return stamp;
	return NULL;
}

static int64_t
distance(int64_t a, int64_t b)
{
	return a > b ? (int64_t)((uint64_t)a - (uint64_t)b) : (int64_t)((uint64_t)b - (uint64_t)a);
}

/* The nearest of those that are near enough; both times are above 0. */
static const struct stamp *
nearest(const struct stamps *stamps, int64_t ns, size_t offset)
{
	const struct stamp *stamp, *best = NULL;
	int64_t best_distance = STAMPS_WITHIN_NS + 1;

	for (uint64_t i = 0; (stamp = from_end(stamps, i)) != NULL; i++) {
		int64_t time = *(const int64_t *)((const char *)stamp + offset);

		if (time > 0 && distance(time, ns) < best_distance) {
			best = stamp;
			best_distance = distance(time, ns);
		}
	}
	return best;
}

const struct stamp *
stamps_by_arrived(const struct stamps *stamps, int64_t ns)
{
	return nearest(stamps, ns, offsetof(struct stamp, arrived_ns));
}

const struct stamp *
stamps_by_captured(const struct stamps *stamps, int64_t ns)
{
	return nearest(stamps, ns, offsetof(struct stamp, captured_ns));
}
