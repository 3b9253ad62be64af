/*
 * Order, holes, replays and the bounded queue of one subscription.
 */
#include "config.h"

#include "lib/feed.h"

#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Lists */

static void
list_clear(struct feed_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		bus_msg_unref(&list->msgs[list->first + i]);
	list->first = list->n = list->bytes = 0;
}

static void
list_free(struct feed_list *list)
{
	list_clear(list);
	free(list->msgs);
	*list = (struct feed_list){ .msgs = NULL };
}

static struct bus_msg *
list_at(const struct feed_list *list, size_t i)
{
	return list->msgs[list->first + i];
}

static void
list_add(struct feed_list *list, struct bus_msg *msg)
{
	if (list->first + list->n == list->cap && list->first > 0) {
		memmove(list->msgs, list->msgs + list->first, list->n * sizeof(*list->msgs));
		list->first = 0;
	}
	if (list->n == list->cap) {
		list->cap = list->cap > 0 ? list->cap * 2 : 32;
		list->msgs = xreallocarray(list->msgs, list->cap, sizeof(*list->msgs));
	}
	list->msgs[list->first + list->n++] = bus_msg_ref(msg);
	list->bytes += msg->frame.payload_len;
}

/* The caller's reference. */
static struct bus_msg *
list_shift(struct feed_list *list)
{
	struct bus_msg *msg = list->msgs[list->first];

	list->first++;
	list->n--;
	list->bytes -= msg->frame.payload_len;
	if (list->n == 0)
		list->first = 0;
	return msg;
}

/* Messages */

static bool
is_picture(const struct bus_msg *msg)
{
	return msg->frame.kind == FRAME_KIND_VIDEO || msg->frame.kind == FRAME_KIND_JPEG;
}

static bool
is_key(const struct bus_msg *msg)
{
	return msg->frame.kind == FRAME_KIND_JPEG ||
	       (msg->frame.kind == FRAME_KIND_VIDEO && (msg->frame.flags & FRAME_KEY) != 0);
}

static bool
is_of_video(const struct bus_msg *msg)
{
	return msg->frame.track == FRAME_TRACK_VIDEO &&
	       (is_picture(msg) || msg->frame.kind == FRAME_KIND_CONFIG ||
		msg->frame.kind == FRAME_KIND_END);
}

static bool
is_replayed(const struct bus_msg *msg)
{
	return (msg->frame.flags & FRAME_REPLAY) != 0 || msg->frame.for_subscriber != 0;
}

/* The queue */

/* The first one that waits, whatever becomes of it: the caller's reference. */
static struct bus_msg *
leave_queue(struct feed *feed)
{
	struct bus_msg *msg = list_shift(&feed->ready);

	if (msg->frame.epoch != feed->taken_epoch || msg->frame.seq != feed->taken_seq + 1)
		feed->has_hole = true;
	feed->taken_epoch = msg->frame.epoch;
	feed->taken_seq = msg->frame.seq;
	feed->ready_live -= is_picture(msg) && !is_replayed(msg);
	if (msg->frame.kind == FRAME_KIND_CONFIG) {
		bus_msg_unref(&feed->config);
		feed->config = bus_msg_ref(msg);
	}
	return msg;
}

static void
drop_first(struct feed *feed)
{
	struct bus_msg *msg = leave_queue(feed);

	feed->skipped += is_picture(msg);
	feed->has_hole = feed->has_hole || is_picture(msg);
	bus_msg_unref(&msg);
}

/* Go on with the newest key frame that waits behind the next frame; false: there is none. */
static bool
skip_to_key(struct feed *feed)
{
	size_t next = 0, key = feed->ready.n;

	while (next < feed->ready.n && !is_picture(list_at(&feed->ready, next)))
		next++;
	while (key > next + 1 && !is_key(list_at(&feed->ready, key - 1)))
		key--;
	if (key <= next + 1)
		return false;
	for (size_t i = 1; i < key; i++)
		drop_first(feed);
	return true;
}

/* The program is too slow. */
static void
give_up(struct feed *feed)
{
	while (feed->ready.n > 0)
		drop_first(feed);
	feed->flowing = false;
	feed->key_only = true;
}

static void
enqueue(struct feed *feed, struct bus_msg *msg)
{
	feed->last_seq = msg->frame.seq;
	list_add(&feed->ready, msg);
	if (!is_picture(msg) || is_replayed(msg))
		return;
	if (++feed->ready_live > FEED_READY_MAX && !skip_to_key(feed))
		give_up(feed);
}

/* Messages of list from index i on; the flow begins, or goes on. */
static void
flow(struct feed *feed, const struct feed_list *list, size_t i)
{
	feed->flowing = true;
	feed->key_only = false;
	for (; i < list->n && feed->flowing; i++)
		enqueue(feed, list_at(list, i));
}

static void
forget_pending(struct feed *feed)
{
	list_clear(&feed->replay);
	list_clear(&feed->live);
}

/* What comes */

/* A key frame that comes live is a beginning, with the configuration before it. */
static void
start_at_live_key(struct feed *feed)
{
	size_t i = feed->live.n - 1;

	while (i > 0 && list_at(&feed->live, i - 1)->frame.kind == FRAME_KIND_CONFIG)
		i--;
	flow(feed, &feed->live, i);
	forget_pending(feed);
}

static void
wait_with(struct feed *feed, struct bus_msg *msg)
{
	/* Until a key frame comes nothing of these is of use. */
	if (feed->key_only && is_picture(msg) && !is_key(msg)) {
		forget_pending(feed);
		return;
	}
	list_add(is_replayed(msg) ? &feed->replay : &feed->live, msg);
	if (feed->replay.bytes + feed->live.bytes > FEED_PENDING_BYTES) {
		forget_pending(feed);
		feed->key_only = true;
	} else if (!is_replayed(msg) && is_key(msg)) {
		start_at_live_key(feed);
	}
}

void
feed_push(struct feed *feed, struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;

	if (!is_of_video(msg) || frame->epoch != feed->epoch || feed->epoch == 0)
		return;
	if (is_replayed(msg) &&
	    (feed->flowing || feed->subscriber == 0 || frame->for_subscriber != feed->subscriber))
		return;
	if (feed->flowing && frame->seq == feed->last_seq + 1) {
		enqueue(feed, msg);
		return;
	}
	if (!is_replayed(msg) && frame->seq <= feed->last_seq)
		return;
	if (feed->flowing) {
		feed->gaps++;
		feed->flowing = false;
		forget_pending(feed);
	}
	wait_with(feed, msg);
}

/* Whether it begins with a key frame and has no hole. */
static bool
is_whole(const struct feed_list *list)
{
	size_t i = 0;

	while (i < list->n && !is_picture(list_at(list, i)))
		i++;
	if (i == list->n || !is_key(list_at(list, i)))
		return false;
	for (i = 1; i < list->n; i++)
		if (list_at(list, i)->frame.seq != list_at(list, i - 1)->frame.seq + 1)
			return false;
	return true;
}

static size_t
first_after(const struct feed_list *list, uint64_t seq)
{
	size_t i = 0;

	while (i < list->n && list_at(list, i)->frame.seq <= seq)
		i++;
	return i;
}

/* What came meanwhile, from index i on, as far as it goes. */
static void
follow_live(struct feed *feed, size_t i)
{
	for (; i < feed->live.n && feed->flowing; i++) {
		struct bus_msg *msg = list_at(&feed->live, i);

		if (msg->frame.seq == feed->last_seq + 1) {
			enqueue(feed, msg);
		} else if (msg->frame.seq > feed->last_seq) {
			feed->gaps++;
			feed->flowing = false;
		}
	}
}

void
feed_replay_end(struct feed *feed)
{
	uint64_t end;
	size_t i;

	if (feed->flowing || feed->replay.n == 0 || !is_whole(&feed->replay)) {
		list_clear(&feed->replay);
		return;
	}
	end = list_at(&feed->replay, feed->replay.n - 1)->frame.seq;
	i = first_after(&feed->live, end);
	/* Live ones that came meanwhile have to follow it. */
	if (i < feed->live.n && list_at(&feed->live, i)->frame.seq != end + 1) {
		list_clear(&feed->replay);
		return;
	}
	/* After a gap: what was given already does not come again, if the rest follows it. */
	flow(feed, &feed->replay, first_after(&feed->replay, feed->last_seq));
	follow_live(feed, i);
	forget_pending(feed);
}

bool
feed_wants_replay(const struct feed *feed)
{
	return feed->epoch != 0 && !feed->flowing && !feed->key_only;
}

void
feed_begin(struct feed *feed, uint64_t epoch)
{
	feed->epoch = epoch;
	feed->last_seq = 0;
	feed->flowing = feed->key_only = false;
	forget_pending(feed);
}

/* What leaves */

struct bus_msg *
feed_take(struct feed *feed, bool is_newest, const struct bus_msg **config, bool *is_first)
{
	if (is_newest)
		(void)skip_to_key(feed);
	while (feed->ready.n > 0) {
		struct bus_msg *msg = leave_queue(feed);

		if (is_picture(msg)) {
			*config = feed->config;
			*is_first = feed->has_hole;
			feed->has_hole = false;
			feed->frames++;
			return msg;
		}
		bus_msg_unref(&msg);
	}
	return NULL;
}

size_t
feed_waiting(const struct feed *feed)
{
	size_t n = 0;

	for (size_t i = 0; i < feed->ready.n; i++)
		n += is_picture(list_at(&feed->ready, i));
	return n;
}

void
feed_init(struct feed *feed)
{
	*feed = (struct feed){ .has_hole = true };
}

void
feed_clear(struct feed *feed)
{
	list_free(&feed->ready);
	list_free(&feed->replay);
	list_free(&feed->live);
	bus_msg_unref(&feed->config);
}
