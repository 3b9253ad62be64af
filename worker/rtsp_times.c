/*
 * From the RTP time of each track to one clock for all, to decoding times and durations.
 */
#include "config.h"

#include "worker/rtsp_times.h"

#include <string.h>

#define USUAL_STEP_NS (INT64_C(40) * 1000000)
#define MIN_STEP_NS   INT64_C(1000)
#define MIN_BACK_NS   (INT64_C(200) * 1000000)
#define MAX_STEP_NS   RTSP_TIMES_BACK_NS /* longer ones are gaps */

/* Durations */

/* The median: one late or lost unit does not change it. 0: nothing is known yet. */
static int64_t
usual_step(const struct rtsp_times_track *track)
{
	unsigned n = track->n_steps < RTSP_TIMES_STEPS ? track->n_steps : RTSP_TIMES_STEPS;
	int64_t sorted[RTSP_TIMES_STEPS];

	for (unsigned i = 0; i < n; i++) {
		unsigned at = i;

		for (; at > 0 && sorted[at - 1] > track->steps_ns[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = track->steps_ns[i];
	}
	return n > 0 ? sorted[n / 2] : 0;
}

static void
learn_step(struct rtsp_times_track *track, int64_t step_ns)
{
	if (step_ns > MIN_STEP_NS && step_ns < MAX_STEP_NS)
		track->steps_ns[track->n_steps++ % RTSP_TIMES_STEPS] = step_ns;
}

static int64_t
step_or_default(const struct rtsp_times_track *track)
{
	int64_t step_ns = usual_step(track);

	return step_ns > 0 ? step_ns : USUAL_STEP_NS;
}

/* Places */

/* Further back than pictures can be reordered. */
static int64_t
back_limit(const struct rtsp_times_track *track)
{
	int64_t limit_ns = RTSP_TIMES_REORDER * step_or_default(track);

	if (limit_ns < MIN_BACK_NS)
		return MIN_BACK_NS;
	return limit_ns < RTSP_TIMES_BACK_NS ? limit_ns : RTSP_TIMES_BACK_NS;
}

static bool
is_broken(const struct rtsp_times_track *track, const struct rtsp_times_unit *unit)
{
	int64_t gone_ns = unit->stream_ns + track->base_ns - track->source_ns;

	return gone_ns < -back_limit(track) ||
	       gone_ns - (unit->arrived_ns - track->arrived_ns) > RTSP_TIMES_JUMP_NS;
}

/* The first unit of the second track: beside what was taken or came when it was. */
static int64_t
place_beside(const struct rtsp_times_track *other, const struct rtsp_times_unit *unit)
{
	int64_t place_ns = other->source_ns + (unit->wall_ns - other->wall_ns);

	if (unit->wall_ns != 0 && other->wall_ns != 0 && place_ns >= 0 &&
	    place_ns - other->source_ns < RTSP_TIMES_JUMP_NS)
		return place_ns;
	return other->source_ns + (unit->arrived_ns - other->arrived_ns);
}

static int64_t
find_place(const struct rtsp_times_track *own, const struct rtsp_times_track *other,
	   const struct rtsp_times_unit *unit)
{
	int64_t gone_ns;

	if (own->is_placed) {
		gone_ns = unit->arrived_ns - own->arrived_ns;
		return own->source_ns + (gone_ns > MIN_STEP_NS ? gone_ns : step_or_default(own));
	}
	return other->is_placed ? place_beside(other, unit) : 0;
}

static bool
rebase(struct rtsp_times_track *own, const struct rtsp_times_track *other,
       const struct rtsp_times_unit *unit)
{
	bool is_jump = own->is_placed;

	own->base_ns = find_place(own, other, unit) - unit->stream_ns;
	own->n_pts = 0;
	own->reorder = 0;
	own->is_placed = true;
	own->is_restarting = false;
	own->is_together = own->is_apart = false;
	return is_jump;
}

/* When the camera's clock is set, one track's report tells it seconds before the other's. */
static bool
is_lasting(struct rtsp_times_track *sound, int64_t arrived_ns)
{
	if (!sound->is_together)
		return true;
	if (!sound->is_apart)
		sound->apart_since_ns = arrived_ns;
	sound->is_apart = true;
	return arrived_ns - sound->apart_since_ns >= RTSP_TIMES_PATIENCE_NS;
}

/* Both have the camera's clock: what was taken at the same time shall be there at the same time. */
static void
follow(struct rtsp_times_track *sound, const struct rtsp_times_track *picture,
       const struct rtsp_times_unit *unit)
{
	int64_t apart_ns;

	if (unit->wall_ns == 0 || !picture->is_placed || picture->wall_ns == 0)
		return;
	apart_ns = picture->source_ns + (unit->wall_ns - picture->wall_ns) -
		   (unit->stream_ns + sound->base_ns);
	if (apart_ns > RTSP_TIMES_JUMP_NS || apart_ns < -RTSP_TIMES_JUMP_NS)
		return; /* two clocks, not one */
	if (apart_ns <= RTSP_TIMES_APART_NS && apart_ns >= -RTSP_TIMES_APART_NS) {
		sound->is_together = true;
		sound->is_apart = false;
		return;
	}
	if (!is_lasting(sound, unit->arrived_ns))
		return;
	sound->base_ns += apart_ns;
	sound->is_together = true;
	sound->is_apart = false;
}

/* Decoding times */

static void
insert_sorted(struct rtsp_times_track *track, int64_t pts_ns)
{
	unsigned at = track->n_pts++;

	for (; at > 0 && track->pts_ns[at - 1] > pts_ns; at--)
		track->pts_ns[at] = track->pts_ns[at - 1];
	track->pts_ns[at] = pts_ns;
}

/* With B frames the times to show at do not rise. Sorted, and late by as many pictures as are held
 * back for the order, they are the times to decode at. How many it are, the stream shows. */
static int64_t
decoding_time(struct rtsp_times_track *track, int64_t pts_ns)
{
	bool is_below = track->n_pts > track->reorder && pts_ns < track->pts_ns[0];

	if (is_below && track->reorder < RTSP_TIMES_REORDER) {
		track->reorder++;
		is_below = false;
	}
	if (is_below)
		return track->pts_ns[0];
	if (track->n_pts > track->reorder)
		memmove(track->pts_ns, track->pts_ns + 1,
			--track->n_pts * sizeof(track->pts_ns[0]));
	insert_sorted(track, pts_ns);
	return track->pts_ns[0];
}

static void
remember(struct rtsp_times_track *track, const struct rtsp_times_unit *unit, bool has_step)
{
	if (has_step)
		learn_step(track, unit->dts_ns - track->dts_ns);
	track->dts_ns = unit->dts_ns;
	track->source_ns = unit->pts_ns;
	track->arrived_ns = unit->arrived_ns;
	track->wall_ns = unit->wall_ns;
}

bool
rtsp_times_place(struct rtsp_times *times, uint8_t track, struct rtsp_times_unit *unit)
{
	bool is_sound = track == FRAME_TRACK_AUDIO;
	struct rtsp_times_track *own = &times->tracks[track];
	const struct rtsp_times_track *other =
	    &times->tracks[is_sound ? FRAME_TRACK_VIDEO : FRAME_TRACK_AUDIO];
	bool is_first = !own->is_placed, is_jump = false;

	if (is_first || own->is_restarting || is_broken(own, unit))
		is_jump = rebase(own, other, unit);
	if (is_sound)
		follow(own, other, unit);
	unit->pts_ns = unit->stream_ns + own->base_ns;
	if (is_sound && unit->pts_ns < (is_first ? 0 : own->source_ns + MIN_STEP_NS)) {
		own->is_placed = !is_first;
		return false;
	}
	unit->dts_ns = is_sound ? unit->pts_ns : decoding_time(own, unit->pts_ns);
	if (!is_first && unit->dts_ns <= own->dts_ns)
		unit->dts_ns = own->dts_ns + MIN_STEP_NS;
	remember(own, unit, !is_first && !is_jump);
	if (unit->duration_us == 0)
		unit->duration_us = (uint32_t)(usual_step(own) / 1000);
	unit->is_jump =
	    wrk_time_fix(&times->time, track, step_or_default(own), &unit->pts_ns, &unit->dts_ns) ||
	    is_jump;
	return true;
}

void
rtsp_times_expect(struct rtsp_times *times, uint8_t track, int64_t step_ns)
{
	learn_step(&times->tracks[track], step_ns);
}

void
rtsp_times_restart(struct rtsp_times *times, uint8_t track)
{
	times->tracks[track].is_restarting = times->tracks[track].is_placed;
}
