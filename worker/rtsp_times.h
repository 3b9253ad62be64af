/*
 * Where the units of a session lie on the stream's clock. Each track's RTP time begins anywhere;
 * here picture and sound get one clock: by their arrival at first, by the camera's wall clock once
 * sender reports tell it for both. Pictures are never moved for that, sound is. Pure.
 */
#ifndef CAMHUB_WORKER_RTSP_TIMES_H
#define CAMHUB_WORKER_RTSP_TIMES_H

#include "publish/wrk_time.h"

#define RTSP_TIMES_STEPS       5
#define RTSP_TIMES_REORDER     16                      /* pictures, H.264 and H.265 allow no more */
#define RTSP_TIMES_APART_NS    (INT64_C(40) * 1000000) /* sound further off is moved, */
#define RTSP_TIMES_PATIENCE_NS (INT64_C(12) * 1000000000) /* ... when it stays there so long */
/* RTP time that runs ahead of the arrival, or back, by more is a new beginning. */
#define RTSP_TIMES_JUMP_NS (INT64_C(10) * 1000000000)
#define RTSP_TIMES_BACK_NS (INT64_C(2) * 1000000000)

struct rtsp_times_track {
	bool is_placed, is_restarting;
	int64_t base_ns;   /* from the track's RTP time to the session's */
	int64_t source_ns; /* of the last unit, the session's time */
	int64_t arrived_ns;
	int64_t wall_ns; /* the camera's clock there; 0 unknown */
	/* Sound: whether it has been where the pictures are, and since when (arrival) it is not */
	bool is_together, is_apart;
	int64_t apart_since_ns;
	/* Decoding times: the largest presentation times, ascending. */
	int64_t pts_ns[RTSP_TIMES_REORDER + 1];
	unsigned n_pts, reorder;
	int64_t dts_ns;
	/* Durations */
	int64_t steps_ns[RTSP_TIMES_STEPS];
	unsigned n_steps;
};

/* Zero-initialise. */
struct rtsp_times {
	struct wrk_time time;
	struct rtsp_times_track tracks[FRAME_TRACK_AUDIO + 1];
};

struct rtsp_times_unit {
	/* In */
	int64_t stream_ns;    /* the track's RTP time, rtp_clock_stream_ns() */
	int64_t arrived_ns;   /* CLOCK_MONOTONIC */
	int64_t wall_ns;      /* the camera's clock, rtp_clock_captured(); 0 unknown */
	uint32_t duration_us; /* as known; 0: predicted here from the units before */
	/* Out */
	int64_t pts_ns, dts_ns; /* dts rises; with B frames it is at most pts once their depth is
				   known */
	bool is_jump;           /* time does not go on from the unit before */
};

/* Units of a track in the order they came in, which is the order of decoding. false: pass it over
 * (sound that repeats what was there when its clock was corrected); nothing is set then. */
bool rtsp_times_place(struct rtsp_times *times, uint8_t track, struct rtsp_times_unit *unit);

/* What the description says of the time between two units, until they show it. */
void rtsp_times_expect(struct rtsp_times *times, uint8_t track, int64_t step_ns);

/* The sender began anew: the next unit's stream_ns has another origin. */
void rtsp_times_restart(struct rtsp_times *times, uint8_t track);

#endif
