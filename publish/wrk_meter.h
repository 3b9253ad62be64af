/*
 * What is measured about a video track: frames and bits per second, the length of a GOP.
 */
#ifndef CAMHUB_PUBLISH_WRK_METER_H
#define CAMHUB_PUBLISH_WRK_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRK_METER_TIMES 32
#define WRK_METER_TICKS 4

struct wrk_meter {
	uint64_t frames, bytes;
	int64_t last_arrived_ns; /* CLOCK_MONOTONIC; 0 before the first frame */
	unsigned gop_frames;     /* of the last whole GOP, 0 unknown */
	/* The rest is the meter's own. */
	int64_t times_ns[WRK_METER_TIMES];
	size_t times;
	double last_fps; /* of the last full window */
	unsigned gop_so_far;
	bool has_key;
	struct wrk_meter_tick {
		int64_t at_ns;
		uint64_t bytes;
	} ticks[WRK_METER_TICKS + 1];
	size_t n_ticks;
};

/* A frame in decoding order: stream time, arrival (CLOCK_MONOTONIC), size. is_jump: its time does
 * not follow that of the frame before. */
void wrk_meter_frame(struct wrk_meter *meter, int64_t dts_ns, int64_t arrived_ns, size_t len,
		     bool is_key, bool is_jump);

/* Once a second or so. */
void wrk_meter_tick(struct wrk_meter *meter, int64_t now_ns);

/* By the stream's clock over the last 32 frames (right behind a jump: before it); 0 unknown, or
 * when nothing came for 3 s. */
double wrk_meter_fps(const struct wrk_meter *meter, int64_t now_ns);
/* Over the last four ticks. */
int64_t wrk_meter_bitrate_bps(const struct wrk_meter *meter);
/* Since the last frame; -1 before the first. */
int64_t wrk_meter_silence_ms(const struct wrk_meter *meter, int64_t now_ns);

#endif
