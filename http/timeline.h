/*
 * A stream's time as viewers see it: 90 kHz ticks that begin at 0, never go back and have no holes
 * where the camera was away, whatever its clock does.
 */
#ifndef CAMHUB_HTTP_TIMELINE_H
#define CAMHUB_HTTP_TIMELINE_H

#include "shared/frame.h"

#include <stdbool.h>

struct timeline {
	bool anchored;  /* the present camera clock is tied to ticks */
	int64_t offset; /* ticks = raw + offset */
	uint64_t next;  /* where the next frame goes if the clock is tied anew */
	uint64_t last;
	bool started;
	uint32_t duration; /* prediction: of the last frame */
};

struct timeline_stamp {
	uint64_t decode_time;
	uint32_t duration; /* predicted */
	int32_t composition_offset;
};

/* The next frame belongs to another clock (new worker): tie it behind the last frame. */
void timeline_break(struct timeline *timeline);

/*
 * Stamps the next frame in decoding order. Jumps of the camera's clock (backwards, or more than ten
 * seconds ahead) are taken out; a step of more than two predicted durations is shortened to two,
 * because players take a longer one for a hole. pts and dts may be anything.
 */
struct timeline_stamp timeline_stamp(struct timeline *timeline, const struct frame *frame);

/* Where another track's time of the same clock lies on the line now; may be below 0. */
int64_t timeline_place(const struct timeline *timeline, int64_t ns);

#endif
