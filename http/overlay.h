/*
 * Results that wait for one viewer: the newest of each analyser, so that whoever is slow loses
 * results and nothing else. No sockets here.
 */
#ifndef CAMHUB_HTTP_OVERLAY_H
#define CAMHUB_HTTP_OVERLAY_H

#include "http/wire.h"

#include <stdbool.h>

#define OVERLAY_SLOTS 4u /* analysers of one stream at once; more take turns */

struct front;
struct link;
struct result;
struct stream;

/* A result on its way to viewers: written when the first of them takes it, once for all. */
struct overlay_item {
	const struct stream *stream; /* whose viewers it is for */
	uint32_t analyser;
	const struct result *result;
	const char *name; /* of the analyser */
	uint64_t seq;     /* of the frame, 0: of another stream */
	int64_t arrived_us;
	struct wire *wire; /* NULL: nobody took it yet. Whoever made the item unrefs it */
};

struct overlay {
	bool on;
	unsigned n;
	struct {
		uint32_t analyser;
		struct wire *wire;
	} waiting[OVERLAY_SLOTS]; /* the first n, in the order of their coming */
};

/* Nothing waits any more; on or off. */
void overlay_set(struct overlay *overlay, bool on);
/* true: something waits now that did not before. What is lost is counted against its analyser. */
bool overlay_put(struct overlay *overlay, struct front *front, const struct link *link,
		 struct overlay_item *item);
/* The next that waits, out of it: the caller's. NULL: none. */
struct wire *overlay_take(struct overlay *overlay);

#endif
