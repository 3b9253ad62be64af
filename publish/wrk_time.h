/*
 * The stream clock as the bus promises it: decoding times that go up, without jumps. Sources
 * restart their clocks, wrap them, or lack them.
 */
#ifndef CAMHUB_PUBLISH_WRK_TIME_H
#define CAMHUB_PUBLISH_WRK_TIME_H

#include "shared/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define WRK_TIME_NONE    INT64_MIN /* the source does not say */
#define WRK_TIME_JUMP_NS (10 * INT64_C(1000000000))

struct wrk_time_track {
	bool has_last;
	int64_t last_dts_ns;
	int64_t step_ns; /* between the last two */
};

struct wrk_time {
	struct wrk_time_track tracks[FRAME_TRACK_AUDIO + 1];
	int64_t offset_ns; /* of all tracks, so that they stay together */
	bool is_anchored;
	bool is_restarting;
};

/* The source begins anew (a file that loops): the next unit follows the last ones, whatever it
 * says. */
void wrk_time_restart(struct wrk_time *time);

/*
 * Corrects the times of one unit in place, WRK_TIME_NONE allowed in both. The first unit of all is
 * at 0. Afterwards: dts is above the last dts of its track; a step back, or forward by more than
 * WRK_TIME_JUMP_NS beyond all tracks, moves the clock so that the unit follows the one before.
 * Returns true when it did that (FRAME_DISCONTINUITY). step_ns: the usual time between two units,
 * for a start.
 */
bool wrk_time_fix(struct wrk_time *time, uint8_t track, int64_t step_ns, int64_t *pts_ns,
		  int64_t *dts_ns);

#endif
