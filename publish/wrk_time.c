/*
 * One offset for all tracks, moved when a track's time does not follow.
 */
#include "config.h"

#include "publish/wrk_time.h"

#define TIME_LIMIT_NS                                                                              \
	(INT64_C(1) << 61) /* what is beyond is nonsense; sums below stay in range                 \
			    */
#define SMALL_BACKWARD_NS INT64_C(500000000) /* jitter of a bad clock, no restart */
#define MIN_STEP_NS       INT64_C(1000)
#define MAX_STEP_NS       INT64_C(2000000000) /* longer ones are gaps */

static bool
is_sane(int64_t ns)
{
	return ns > -TIME_LIMIT_NS && ns < TIME_LIMIT_NS;
}

void
wrk_time_restart(struct wrk_time *time)
{
	time->is_restarting = time->is_anchored;
}

static int64_t
end_of_all(const struct wrk_time *time)
{
	int64_t end_ns = 0;

	for (int i = 0; i <= FRAME_TRACK_AUDIO; i++) {
		const struct wrk_time_track *track = &time->tracks[i];

		if (track->has_last && track->last_dts_ns + track->step_ns > end_ns)
			end_ns = track->last_dts_ns + track->step_ns;
	}
	return end_ns;
}

/* What the source says, or what follows from the unit before. */
static int64_t
fill_in(const struct wrk_time *time, const struct wrk_time_track *last, int64_t pts_ns,
	int64_t dts_ns)
{
	if (is_sane(dts_ns))
		return dts_ns;
	if (is_sane(pts_ns))
		return pts_ns;
	return last->has_last ? last->last_dts_ns + last->step_ns - time->offset_ns
			      : -time->offset_ns;
}

bool
wrk_time_fix(struct wrk_time *time, uint8_t track, int64_t step_ns, int64_t *pts_ns,
	     int64_t *dts_ns)
{
	struct wrk_time_track *last = &time->tracks[track];
	bool has_dts = is_sane(*dts_ns), has_pts = is_sane(*pts_ns), jumps = false;
	int64_t dts_in, reorder_ns, dts, diff;

	if (!last->has_last)
		last->step_ns = step_ns;
	dts_in = fill_in(time, last, *pts_ns, *dts_ns);
	reorder_ns = has_pts && has_dts ? *pts_ns - dts_in : 0;
	if (reorder_ns < -WRK_TIME_JUMP_NS || reorder_ns > WRK_TIME_JUMP_NS)
		reorder_ns = 0;
	if (!time->is_anchored) {
		time->offset_ns = -dts_in;
		time->is_anchored = true;
	}
	dts = dts_in + time->offset_ns;
	if (time->is_restarting) {
		time->is_restarting = false;
		jumps = true;
		dts = end_of_all(time);
		time->offset_ns = dts - dts_in;
	} else if (last->has_last) {
		diff = dts - last->last_dts_ns;
		/* Sound that paused while pictures went on comes back to where they are. */
		jumps = (diff > WRK_TIME_JUMP_NS && dts > end_of_all(time) + WRK_TIME_JUMP_NS) ||
			diff < -SMALL_BACKWARD_NS;
		if (jumps) {
			dts = last->last_dts_ns + last->step_ns;
			time->offset_ns = dts - dts_in;
		} else if (diff < MIN_STEP_NS) {
			/* Without decoding times a B-frame's own time lies before its neighbour's.
			 */
			reorder_ns += has_pts ? diff - MIN_STEP_NS : 0;
			dts = last->last_dts_ns + MIN_STEP_NS;
		} else if (diff < MAX_STEP_NS) {
			last->step_ns = diff;
		}
	}
	last->has_last = true;
	last->last_dts_ns = dts;
	*dts_ns = dts;
	*pts_ns = dts + reorder_ns;
	return jumps;
}
