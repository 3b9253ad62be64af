/*
 * Joining, lagging, skipping.
 */
#include "config.h"

#include "http/cursor.h"

#include "http/stream.h"

#define LAG_TICKS    (FMP4_VIDEO_TIMESCALE * 1) /* behind a new key frame by more: go there */
#define TICKS_PER_MS (FMP4_VIDEO_TIMESCALE / 1000)

void
cursor_init(struct cursor *cursor, uint64_t id, const struct cursor_ops *ops, void *arg)
{
	*cursor = (struct cursor){ .id = id, .ops = ops, .arg = arg, .format = "" };
}

void
cursor_enter(struct cursor *cursor, struct stream *stream)
{
	cursor->stream = stream;
	cursor->mode = CURSOR_IDLE;
	cursor->joined = cursor->awaiting_key = false;
	LIST_INSERT_HEAD(&stream->cursors, cursor, in_stream);
	stream->n_viewers++;
}

/* The stream may be walking its list. */
static void
unlist(struct cursor *cursor)
{
	struct stream *stream = cursor->stream;

	delay_stats_forget(stream->delay, cursor->id);
	if (stream->next_cursor == cursor)
		stream->next_cursor = LIST_NEXT(cursor, in_stream);
	LIST_REMOVE(cursor, in_stream);
	stream->n_viewers--;
	cursor->stream = NULL;
	cursor_sound_set(cursor, NULL);
	cursor->joined = cursor->awaiting_key = false;
}

void
cursor_leave(struct cursor *cursor)
{
	struct stream *stream = cursor->stream;

	if (stream == NULL)
		return;
	unlist(cursor);
	stream_update_want(stream);
}

void
cursor_set_mode(struct cursor *cursor, enum cursor_mode mode)
{
	cursor->mode = mode;
	cursor->joined = cursor->awaiting_key = false;
	if (cursor->stream != NULL)
		stream_update_want(cursor->stream);
}

/* To an entry that is there; what is seen goes on without a hole in time. */
static void
move_to(struct cursor *cursor, uint64_t pos)
{
	cursor->pos = pos;
	cursor->base = hub_at(cursor->stream->hub, pos)->stamp.decode_time - cursor->next_time;
	cursor_sound_move(cursor, hub_at(cursor->stream->hub, pos)->stamp.decode_time);
}

/* Taking */

struct hub_entry *
cursor_first(const struct cursor *cursor)
{
	uint64_t pos;

	if (cursor->stream == NULL || !hub_join(cursor->stream->hub, &pos))
		return NULL;
	return hub_at(cursor->stream->hub, pos);
}

static bool
join(struct cursor *cursor)
{
	struct hub *hub = cursor->stream->hub;
	uint64_t pos;

	if (cursor->joined)
		return true;
	if (!hub_join(hub, &pos))
		return false;
	cursor->joined = true;
	cursor->awaiting_key = false;
	cursor->burst_end = hub_tail(hub);
	move_to(cursor, pos);
	return true;
}

static void
count_skipped(struct cursor *cursor, uint64_t frames)
{
	cursor->skipped += frames;
	cursor->stream->skipped += frames;
}

/* Arrive at a key frame. */
static void
land(struct cursor *cursor, uint64_t key)
{
	const struct hub_entry *entry = hub_at(cursor->stream->hub, key);
	uint64_t frames = key - cursor->skip_from;
	/* skip_stamp holds a predicted duration, which may have been too long. */
	int64_t ticks = (int64_t)(entry->stamp.decode_time - cursor->skip_stamp);

	count_skipped(cursor, frames);
	cursor->skipped_frames += frames;
	if (ticks > 0)
		cursor->skipped_ms += (uint64_t)ticks / TICKS_PER_MS;
	cursor->awaiting_key = false;
	cursor->burst_end = key;
	move_to(cursor, key);
}

/* It lags too far behind: to the newest key frame, or wait for the next. */
static void
skip(struct cursor *cursor)
{
	struct hub *hub = cursor->stream->hub;
	uint64_t key;

	cursor->skip_from = cursor->pos;
	cursor->skip_stamp = cursor->base + cursor->next_time;
	if (hub_newest_key(hub, cursor->pos + 1, &key)) {
		land(cursor, key);
		return;
	}
	cursor->awaiting_key = true;
	cursor->pos = hub_tail(hub);
}

static struct hub_entry *
peek_newest(struct cursor *cursor)
{
	struct hub *hub = cursor->stream->hub;
	uint64_t tail = hub_tail(hub);

	if (tail == hub_head(hub) || (cursor->joined && cursor->pos >= tail))
		return NULL;
	if (!cursor->joined || cursor->pos != tail - 1)
		move_to(cursor, tail - 1);
	cursor->joined = true;
	cursor->burst_end = cursor->pos;
	return hub_at(hub, cursor->pos);
}

static struct hub_entry *
peek_next(struct cursor *cursor)
{
	struct hub *hub = cursor->stream->hub;

	if (!join(cursor))
		return NULL;
	if (cursor->pos < hub_head(hub) && !cursor->awaiting_key)
		skip(cursor);
	if (cursor->awaiting_key || cursor->pos >= hub_tail(hub))
		return NULL;
	return hub_at(hub, cursor->pos);
}

struct hub_entry *
cursor_peek(struct cursor *cursor)
{
	if (cursor->stream == NULL || cursor->mode == CURSOR_IDLE)
		return NULL;
	return cursor->mode == CURSOR_NEWEST ? peek_newest(cursor) : peek_next(cursor);
}

uint64_t
cursor_take(struct cursor *cursor)
{
	const struct hub_entry *entry = hub_at(cursor->stream->hub, cursor->pos++);
	uint64_t decode_time = entry->stamp.decode_time - cursor->base;

	cursor->next_time = decode_time + entry->stamp.duration;
	cursor->frames++;
	return decode_time;
}

void
cursor_pass(struct cursor *cursor)
{
	cursor->pos++;
}

uint64_t
cursor_end(const struct cursor *cursor)
{
	return hub_tail(cursor->stream->hub);
}

/* What the stream tells */

static void
follow(struct cursor *cursor)
{
	struct hub *hub = cursor->stream->hub;
	uint64_t tail = hub_tail(hub), key;

	if (!cursor->joined)
		return;
	if (cursor->mode == CURSOR_NEWEST) {
		if (cursor->pos + 1 >= tail)
			return;
		count_skipped(cursor, tail - 1 - cursor->pos);
		move_to(cursor, tail - 1);
	} else if (cursor->awaiting_key) {
		if (hub_newest_key(hub, cursor->pos, &key))
			land(cursor, key);
		else
			cursor->pos = tail;
	}
}

static void
check_lag(struct cursor *cursor, bool new_key)
{
	struct stream *stream = cursor->stream;
	struct hub *hub = stream->hub;
	uint64_t lag = hub_bytes_from(hub, cursor->pos), past_burst = lag, key;
	bool late = false;

	if (lag > stream->lag_bytes_high)
		stream->lag_bytes_high = lag;
	/* The GOP of the join may be larger than the lag that is allowed later. */
	if (cursor->burst_end > cursor->pos)
		past_burst = hub_bytes_from(hub, cursor->burst_end);
	if (new_key && cursor->pos >= hub_head(hub) && hub_newest_key(hub, cursor->pos + 1, &key))
		late = hub_at(hub, key)->stamp.decode_time -
			   hub_at(hub, cursor->pos)->stamp.decode_time >
		       LAG_TICKS;
	if (late || past_burst > stream->front->config.viewer_lag_bytes ||
	    cursor->pos < hub_head(hub))
		skip(cursor);
}

void
cursor_on_frames(struct cursor *cursor, bool key)
{
	if (cursor->mode == CURSOR_IDLE)
		return;
	follow(cursor);
	cursor->ops->on_frames(cursor->arg);
	/* It may be in another stream by now, or in none. */
	if (cursor->mode == CURSOR_FRAMES && cursor->joined && !cursor->awaiting_key &&
	    cursor->pos < hub_tail(cursor->stream->hub))
		check_lag(cursor, key);
}

void
cursor_on_sound(struct cursor *cursor)
{
	if (cursor->mode == CURSOR_FRAMES && cursor->sound.config != NULL)
		cursor->ops->on_frames(cursor->arg);
}

void
cursor_on_state(struct cursor *cursor)
{
	cursor->ops->on_state(cursor->arg);
}

void
cursor_on_gone(struct cursor *cursor)
{
	unlist(cursor);
	cursor->ops->on_gone(cursor->arg);
}

uint64_t
cursor_needs(const struct cursor *cursor)
{
	if (cursor->mode != CURSOR_FRAMES || !cursor->joined)
		return UINT64_MAX;
	return cursor->pos;
}

void
cursor_on_result(struct cursor *cursor, struct overlay_item *item)
{
	if (cursor->ops->on_result != NULL)
		cursor->ops->on_result(cursor->arg, item);
}
