/*
 * From the camera's nanoseconds to the viewers' ticks.
 */
#include "config.h"

#include "http/timeline.h"

#define TICKS_PER_S      90000
#define JUMP_TICKS       (10 * TICKS_PER_S)
#define DURATION_DEFAULT (TICKS_PER_S / 25)
#define DURATION_MAX     (10 * TICKS_PER_S)

void
timeline_break(struct timeline *timeline)
{
	timeline->anchored = false;
}

/* 9 ticks are 100000 ns; the result fits, so that sums and differences of a few cannot overflow. */
static int64_t
ticks_of(int64_t ns)
{
	return ns / 100000 * 9 + ns % 100000 * 9 / 100000;
}

/* The last step or what the camera tells, whichever is longer: many tell 25 frames a second and
 * send 8 in the dark, and a player takes a duration that is too short for a hole. */
static uint32_t
predict(const struct timeline *timeline, const struct frame *frame, int64_t delta)
{
	uint64_t told = (uint64_t)frame->duration_us * 9 / 100;

	if (told > DURATION_MAX)
		told = 0;
	if (delta > 0)
		return told > (uint64_t)delta ? (uint32_t)told : (uint32_t)delta;
	if (told > 0)
		return (uint32_t)told;
	return timeline->duration > 0 ? timeline->duration : DURATION_DEFAULT;
}

/* The longest step that MSE's coded frame processing does not take for a discontinuity, after which
 * it would drop all up to the next key frame (Media Source Extensions, 3.5.8). */
static int64_t
longest_step(const struct timeline *timeline)
{
	return 2 * (int64_t)timeline->duration;
}

struct timeline_stamp
timeline_stamp(struct timeline *timeline, const struct frame *frame)
{
	int64_t raw = ticks_of(frame->dts_ns);
	int64_t shift = ticks_of(frame->pts_ns) - raw;
	int64_t delta = raw + timeline->offset - (int64_t)timeline->last;
	struct timeline_stamp stamp;

	if (!timeline->anchored || (frame->flags & FRAME_DISCONTINUITY) || delta <= -TICKS_PER_S ||
	    delta > JUMP_TICKS) {
		timeline->offset = (int64_t)timeline->next - raw;
		delta = 0;
	} else if (timeline->started && delta > longest_step(timeline)) {
		delta = longest_step(timeline);
		timeline->offset = (int64_t)timeline->last + delta - raw;
	}
	stamp.decode_time = (uint64_t)(raw + timeline->offset);
	if (timeline->started && (int64_t)(stamp.decode_time - timeline->last) <= 0)
		stamp.decode_time = timeline->last + 1;
	stamp.duration = predict(timeline, frame, delta);
	stamp.composition_offset = shift >= -JUMP_TICKS && shift <= JUMP_TICKS ? (int32_t)shift : 0;
	timeline->anchored = timeline->started = true;
	timeline->last = stamp.decode_time;
	timeline->duration = stamp.duration;
	timeline->next = stamp.decode_time + stamp.duration;
	return stamp;
}

int64_t
timeline_place(const struct timeline *timeline, int64_t ns)
{
	return ticks_of(ns) + timeline->offset;
}
