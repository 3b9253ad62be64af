/*
 * A result on its way to the viewers of its stream, and of other streams of its camera.
 */
#include "config.h"

#include "http/results_int.h"

#include "http/overlay.h"

#include <string.h>

static void
tell(const struct analyser *analyser, const struct result *result, struct stream *stream,
     uint64_t seq, int64_t arrived_us)
{
	struct overlay_item item = { .stream = stream,
				     .analyser = analyser->id,
				     .result = result,
				     .name = analyser->name,
				     .seq = seq,
				     .arrived_us = arrived_us };

	stream_tell_result(stream, &item);
	wire_unref(&item.wire);
}

static bool
is_same_camera(const char *a, const char *b)
{
	size_t len = strcspn(a, ".");

	return strcspn(b, ".") == len && strncmp(a, b, len) == 0;
}

void
results_pass(struct analyser *analyser, const struct result *result, struct stream *stream,
	     const struct stamp *stamp)
{
	int64_t arrived_us = stamp->arrived_ns / 1000;
	struct stream *other;

	tell(analyser, result, stream, stamp->seq, arrived_us);
	/* Other pictures of the same: a copy has the times of those that it is made of, the second
	 * stream times that can be compared. */
	for (other = LIST_FIRST(&stream->front->streams); other != NULL;
	     other = LIST_NEXT(other, entry))
		if (other != stream && is_same_camera(other->name, stream->name))
			tell(analyser, result, other, 0, arrived_us);
}
