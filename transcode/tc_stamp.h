/*
 * What is known of a picture on its way from H.265 to H.264: the frame that is made keeps the times
 * of the one it is made from, so that the delay that viewers measure has this way in it.
 */
#ifndef CAMHUB_TRANSCODE_TC_STAMP_H
#define CAMHUB_TRANSCODE_TC_STAMP_H

#include <stdbool.h>
#include <stdint.h>

struct tc_stamp {
	int64_t pts_ns; /* the source's own clock */
	int64_t arrived_realtime_ns, arrived_monotonic_ns;
	int64_t captured_realtime_ns; /* 0 unknown */
	uint32_t duration_us;         /* 0 unknown */
	bool is_key;
	bool is_behind;   /* newer ones are there already: not shown */
	bool is_broken;   /* damaged, or refers to what is */
	bool is_jump;     /* time or content jumps before it */
	bool is_unsynced; /* captured_realtime_ns is of a clock that nobody has set */
};

#endif
