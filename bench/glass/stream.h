/*
 * A stream of the bench's camera: one encoder, whose pictures go to all who play it.
 */
#ifndef CAMHUB_BENCH_GLASS_STREAM_H
#define CAMHUB_BENCH_GLASS_STREAM_H

#include "bench/glass/encoder.h"

#include <stdbool.h>
#include <stdint.h>

#define STREAM_CLOCK_HZ   90000
#define STREAM_AVCC_BYTES 512

struct stream {
	const char *name; /* how paths that mean it begin: h264 is also h264-7 */
	struct encoder_options options;
	struct encoder *encoder;
	uint8_t avcc[STREAM_AVCC_BYTES]; /* H.264: its parameter sets */
	size_t avcc_len;
	unsigned watchers;
	bool wants_key;  /* the next picture is to be one */
	int64_t next_ns; /* when it is due, CLOCK_MONOTONIC; 0: nobody watches */
	uint32_t slot;   /* of the next picture */
};

/* The one whose name the path (without its leading slash) begins with, or NULL. */
struct stream *stream_find(const char *path);

/* Time of a slot on the even line of the floor's fragments, in ticks of STREAM_CLOCK_HZ. */
static inline int64_t
stream_ticks(const struct stream *stream, uint32_t slot)
{
	return (int64_t)slot * STREAM_CLOCK_HZ / stream->options.fps;
}

#endif
