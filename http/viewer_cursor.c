/*
 * A viewer's place in the ring: joining, lagging, skipping.
 */
#include "config.h"

#include "http/viewer_media.h"

#include "http/stream.h"

#define LAG_TICKS (FMP4_VIDEO_TIMESCALE * 1) /* behind a new key frame by more: go there */

bool
viewer_join(struct viewer *viewer)
{
	uint64_t pos;

	if (viewer->joined)
		return true;
	if (!hub_join(viewer->stream->hub, &pos))
		return false;
	viewer->joined = true;
	viewer->awaiting_key = false;
	viewer->pos = pos;
	viewer->burst_end = hub_tail(viewer->stream->hub);
	viewer->base = hub_at(viewer->stream->hub, pos)->stamp.decode_time - viewer->next_time;
	return true;
}

/* Arrive at a key frame; what the player sees goes on without a hole in time. */
static void
land(struct viewer *viewer, uint64_t key)
{
	const struct hub_entry *entry = hub_at(viewer->stream->hub, key);
	uint64_t frames = key - viewer->skip_from;
	/* skip_stamp holds a predicted duration, which may have been too long. */
	int64_t ticks = (int64_t)(entry->stamp.decode_time - viewer->skip_stamp);

	viewer->skipped += frames;
	viewer->stream->skipped += frames;
	viewer->skipped_frames_due += frames;
	if (ticks > 0)
		viewer->skipped_ms_due += (uint64_t)ticks / (FMP4_VIDEO_TIMESCALE / 1000);
	viewer->awaiting_key = false;
	viewer->pos = key;
	viewer->burst_end = key;
	viewer->base = entry->stamp.decode_time - viewer->next_time;
}

void
viewer_skip(struct viewer *viewer)
{
	struct hub *hub = viewer->stream->hub;
	uint64_t key;

	viewer->skip_from = viewer->pos;
	viewer->skip_stamp = viewer->base + viewer->next_time;
	if (hub_newest_key(hub, viewer->pos + 1, &key)) {
		land(viewer, key);
		return;
	}
	viewer->awaiting_key = true;
	viewer->pos = hub_tail(hub);
}

/* Pictures stand alone: the newest is all that counts. */
static void
follow_pictures(struct viewer *viewer)
{
	uint64_t tail = hub_tail(viewer->stream->hub);

	if (viewer->joined && viewer->pos + 1 < tail) {
		uint64_t frames = tail - 1 - viewer->pos;

		viewer->skipped += frames;
		viewer->stream->skipped += frames;
		viewer->pos = tail - 1;
	}
}

static void
check_lag(struct viewer *viewer, bool new_key)
{
	struct stream *stream = viewer->stream;
	struct hub *hub = stream->hub;
	uint64_t lag = hub_bytes_from(hub, viewer->pos), past_burst = lag, key;
	bool late = false;

	if (lag > stream->lag_bytes_high)
		stream->lag_bytes_high = lag;
	/* The GOP of the join may be larger than the lag that is allowed later. */
	if (viewer->burst_end > viewer->pos)
		past_burst = hub_bytes_from(hub, viewer->burst_end);
	if (new_key && viewer->pos >= hub_head(hub) && hub_newest_key(hub, viewer->pos + 1, &key))
		late = hub_at(hub, key)->stamp.decode_time -
			   hub_at(hub, viewer->pos)->stamp.decode_time >
		       LAG_TICKS;
	if (late || past_burst > viewer->front->config.viewer_lag_bytes ||
	    viewer->pos < hub_head(hub))
		viewer_skip(viewer);
}

void
viewer_on_frames(struct viewer *viewer, bool key)
{
	struct hub *hub = viewer->stream->hub;
	uint64_t newest;

	if (!viewer_wants(viewer))
		return;
	if (viewer->mode == VIEWER_PICTURES) {
		follow_pictures(viewer);
	} else if (viewer->joined) {
		if (viewer->awaiting_key && hub_newest_key(hub, viewer->pos, &newest))
			land(viewer, newest);
		else if (viewer->awaiting_key)
			viewer->pos = hub_tail(hub);
	}
	viewer_pump(viewer);
	if (viewer->mode == VIEWER_FRAGMENTS && viewer->joined && !viewer->awaiting_key &&
	    !viewer->dying && viewer->pos < hub_tail(hub))
		check_lag(viewer, key);
}

uint64_t
viewer_needs(const struct viewer *viewer)
{
	if (!viewer_wants(viewer) || !viewer->joined || viewer->mode == VIEWER_PICTURES)
		return UINT64_MAX;
	return viewer->pos;
}
