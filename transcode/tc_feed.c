/*
 * Live units are numbered without a hole, configurations included; a replay has the same numbers.
 */
#include "config.h"

#include "transcode/tc_feed.h"

#include "shared/xalloc.h"

#include <string.h>

enum state {
	STATE_JOINING, /* waits for a replay or a key frame, whichever comes first */
	STATE_WAITING, /* for a key frame: a replay would not help */
	STATE_FLOWING,
};

struct tc_feed {
	tc_feed_fn *fn;
	void *arg;
	uint32_t subscriber;
	enum state state;
	uint64_t epoch;
	uint64_t last_seq; /* FLOWING: of the latest message */
	uint64_t top_seq;  /* the highest that was given */
	bool has_begun;    /* something was given */
	bool is_jump_due;  /* of what was passed over */
	bool has_retried;  /* after a cut, in this group of pictures */
	struct bus_msg *config;
	bool is_config_new; /* goes before the next unit */
	bool is_broken;     /* what comes refers to what was damaged */
	uint64_t holes, skipped;
	struct bus_msg **pending; /* JOINING: by seq */
	size_t n, capacity, bytes;
};

struct tc_feed *
tc_feed_new(uint32_t subscriber, tc_feed_fn *fn, void *arg)
{
	struct tc_feed *feed = xcalloc(1, sizeof(*feed));

	feed->subscriber = subscriber;
	feed->fn = fn;
	feed->arg = arg;
	return feed;
}

/* Once for each unit, however often it comes. */
static bool
is_new_jump(const struct tc_feed *feed, const struct frame *frame)
{
	return (frame->flags & FRAME_DISCONTINUITY) != 0 && frame->seq > feed->top_seq;
}

/* A message that nobody gets. Before the first picture nothing is missed, and a replay has what was
 * there before. */
static void
pass_over(struct tc_feed *feed, const struct frame *frame)
{
	feed->is_jump_due |= is_new_jump(feed, frame);
	if (feed->has_begun && frame->kind == FRAME_KIND_VIDEO && !(frame->flags & FRAME_REPLAY))
		feed->skipped++;
}

static void
drop_pending(struct tc_feed *feed)
{
	for (size_t i = 0; i < feed->n; i++) {
		pass_over(feed, &feed->pending[i]->frame);
		bus_msg_unref(&feed->pending[i]);
	}
	free(feed->pending);
	feed->pending = NULL;
	feed->n = feed->capacity = feed->bytes = 0;
}

void
tc_feed_free(struct tc_feed **feed)
{
	if (*feed == NULL)
		return;
	drop_pending(*feed);
	bus_msg_unref(&(*feed)->config);
	free(*feed);
	*feed = NULL;
}

static void
wait_for_key(struct tc_feed *feed)
{
	feed->state = STATE_WAITING;
	drop_pending(feed);
}

static bool
is_key(const struct bus_msg *msg)
{
	return msg->frame.kind == FRAME_KIND_VIDEO && (msg->frame.flags & FRAME_KEY) != 0;
}

static void
take_config(struct tc_feed *feed, struct bus_msg *msg)
{
	struct bus_msg *old = feed->config;

	feed->config = bus_msg_ref(msg);
	feed->is_config_new = true;
	bus_msg_unref(&old);
}

/* Once it refers to something damaged all is, up to a sound key frame; alone when nothing refers to
 * it. */
static bool
note_damage(struct tc_feed *feed, const struct frame *frame)
{
	bool is_corrupt = (frame->flags & FRAME_CORRUPT) != 0;

	if (frame->flags & FRAME_KEY)
		feed->is_broken = is_corrupt;
	else if (is_corrupt && !(frame->flags & FRAME_DISPOSABLE))
		feed->is_broken = true;
	return feed->is_broken || is_corrupt;
}

static void
give(struct tc_feed *feed, struct bus_msg *msg, bool is_start, bool is_behind)
{
	struct tc_unit unit = { .msg = msg, .is_start = is_start, .is_behind = is_behind };

	unit.is_jump = feed->is_jump_due || is_new_jump(feed, &msg->frame);
	feed->last_seq = msg->frame.seq;
	if (feed->top_seq < msg->frame.seq)
		feed->top_seq = msg->frame.seq;
	feed->is_jump_due = unit.is_jump;
	feed->has_begun = true;
	if (msg->frame.kind == FRAME_KIND_CONFIG) {
		take_config(feed, msg);
		return;
	}
	if (is_key(msg) || feed->is_config_new)
		unit.config = feed->config;
	feed->is_config_new = false;
	feed->is_jump_due = false;
	unit.is_broken = note_damage(feed, &msg->frame);
	feed->fn(feed->arg, &unit);
}

static void
keep(struct tc_feed *feed, struct bus_msg *msg)
{
	size_t at = feed->n;

	/* Replayed and live ones come in order each: the search from the end is short. */
	while (at > 0 && feed->pending[at - 1]->frame.seq > msg->frame.seq)
		at--;
	if (at > 0 && feed->pending[at - 1]->frame.seq == msg->frame.seq)
		return;
	if (feed->n == TC_FEED_PENDING_MAX ||
	    feed->bytes + msg->frame.payload_len > TC_FEED_PENDING_MAX_BYTES) {
		wait_for_key(feed);
		pass_over(feed, &msg->frame);
		return;
	}
	if (feed->n == feed->capacity) {
		feed->capacity = feed->capacity > 0 ? 2 * feed->capacity : 64;
		feed->pending =
		    xreallocarray(feed->pending, feed->capacity, sizeof(struct bus_msg *));
	}
	memmove(&feed->pending[at + 1], &feed->pending[at],
		(feed->n - at) * sizeof(struct bus_msg *));
	feed->pending[at] = bus_msg_ref(msg);
	feed->n++;
	feed->bytes += msg->frame.payload_len;
}

static void
push_live(struct tc_feed *feed, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (is_key(msg))
		feed->has_retried = false;
	if (feed->state == STATE_FLOWING && frame->seq != feed->last_seq + 1) {
		feed->state = STATE_JOINING;
		feed->holes++;
	}
	if (feed->state == STATE_FLOWING) {
		give(feed, msg, false, false);
		return;
	}
	if (is_key(msg) && feed->config != NULL &&
	    feed->config->frame.config_version == frame->config_version) {
		feed->state = STATE_FLOWING;
		drop_pending(feed);
		give(feed, msg, true, false);
		return;
	}
	if (feed->state == STATE_JOINING)
		keep(feed, msg);
	else
		pass_over(feed, frame);
	/* The one of the next key frame; what is pending has its own. */
	if (frame->kind == FRAME_KIND_CONFIG)
		take_config(feed, msg);
}

/* Another worker: it numbers its messages, and its configurations, anew. */
static void
begin_epoch(struct tc_feed *feed, uint64_t epoch)
{
	if (feed->state == STATE_FLOWING)
		feed->holes++;
	feed->epoch = epoch;
	feed->top_seq = 0;
	feed->is_jump_due = feed->has_begun;
	feed->state = STATE_JOINING;
	feed->has_retried = false;
	drop_pending(feed);
	bus_msg_unref(&feed->config);
}

void
tc_feed_push(struct tc_feed *feed, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (frame->track != FRAME_TRACK_VIDEO ||
	    (frame->kind != FRAME_KIND_VIDEO && frame->kind != FRAME_KIND_CONFIG))
		return;
	if (frame->epoch != feed->epoch)
		begin_epoch(feed, frame->epoch);
	if (!(frame->flags & FRAME_REPLAY))
		push_live(feed, msg);
	else if (frame->for_subscriber == feed->subscriber && feed->state == STATE_JOINING)
		keep(feed, msg);
}

/* The last key frame from which on nothing is missing, with its configuration before it; feed->n:
 * none. */
static size_t
find_start(const struct tc_feed *feed)
{
	size_t found = feed->n;

	for (size_t i = feed->n; i-- > 0;) {
		if (i + 1 < feed->n &&
		    feed->pending[i]->frame.seq + 1 != feed->pending[i + 1]->frame.seq)
			break;
		if (is_key(feed->pending[i]) && i > 0 &&
		    feed->pending[i - 1]->frame.kind == FRAME_KIND_CONFIG)
			return i - 1;
	}
	return found;
}

void
tc_feed_replay_end(struct tc_feed *feed)
{
	struct bus_msg **pending = feed->pending;
	size_t n = feed->n, start = find_start(feed);

	/* What is not enough waits for the next replay: the bus may lose other units of that one.
	 */
	if (feed->state != STATE_JOINING || start == n)
		return;
	/* They are ours now: who takes a unit may cut the feed. */
	feed->pending = NULL;
	feed->n = feed->capacity = feed->bytes = 0;
	feed->state = STATE_FLOWING;
	for (size_t i = 0; i < n; i++) {
		if (i >= start && feed->state == STATE_FLOWING)
			give(feed, pending[i], i == start + 1, i + 1 < n);
		else
			pass_over(feed, &pending[i]->frame);
		bus_msg_unref(&pending[i]);
	}
	free(pending);
}

void
tc_feed_cut(struct tc_feed *feed)
{
	wait_for_key(feed);
	/* Who is too slow for a group of pictures is too slow for it the third time. */
	if (!feed->has_retried)
		feed->state = STATE_JOINING;
	feed->has_retried = true;
}

bool
tc_feed_wants_replay(const struct tc_feed *feed)
{
	return feed->state == STATE_JOINING;
}

uint64_t
tc_feed_holes(const struct tc_feed *feed)
{
	return feed->holes;
}

uint64_t
tc_feed_skipped(const struct tc_feed *feed)
{
	return feed->skipped;
}
