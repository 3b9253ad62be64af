/*
 * A bounded table of subscribers, each with at most one replay that runs and one that waits.
 */
#include "config.h"

#include "publish/wrk_replay.h"

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/xalloc.h"

#include <errno.h>

struct slot {
	uint32_t subscriber; /* 0: free */
	int64_t started_ns;  /* of its last replay */
	bool is_waiting;
	bool is_running;
	struct bus_msg **msgs;
	size_t n, next;
	uint64_t last_seq;
};

struct wrk_replay {
	const struct wrk_replay_ops *ops;
	void *arg;
	struct clock *clock;
	struct clock_timer timer;
	struct slot slots[WRK_REPLAY_SUBSCRIBERS_MAX];
};

static void
stop_running(struct slot *slot)
{
	for (size_t i = slot->next; i < slot->n; i++)
		bus_msg_unref(&slot->msgs[i]);
	free(slot->msgs);
	slot->msgs = NULL;
	slot->n = slot->next = 0;
	slot->is_running = false;
}

static int64_t
free_again_ns(const struct slot *slot)
{
	return slot->started_ns + WRK_REPLAY_INTERVAL_MS * NS_PER_MS;
}

static void
send_portion(struct wrk_replay *replay, struct slot *slot, size_t max_msgs)
{
	size_t bytes = 0, sent = 0;

	while (slot->next < slot->n && sent < max_msgs && bytes < WRK_REPLAY_PORTION_BYTES) {
		struct bus_msg *msg = slot->msgs[slot->next++];

		replay->ops->send(replay->arg, msg, slot->subscriber);
		bytes += msg->frame.payload_len;
		sent++;
		bus_msg_unref(&msg);
	}
	if (slot->next == slot->n) {
		size_t n = slot->n;

		stop_running(slot);
		replay->ops->end(replay->arg, slot->subscriber, slot->last_seq, n);
	}
}

static void
start(struct wrk_replay *replay, struct slot *slot)
{
	slot->is_waiting = false;
	slot->is_running = true;
	slot->started_ns = clock_now_ns(replay->clock);
	slot->next = 0;
	slot->n = replay->ops->snapshot(replay->arg, &slot->msgs, &slot->last_seq);
	send_portion(replay, slot, WRK_REPLAY_FIRST_MSGS);
}

static void
set_timer(struct wrk_replay *replay)
{
	int64_t now_ns = clock_now_ns(replay->clock), next_ns = INT64_MAX;

	for (size_t i = 0; i < WRK_REPLAY_SUBSCRIBERS_MAX; i++) {
		const struct slot *slot = &replay->slots[i];
		int64_t at_ns = INT64_MAX;

		if (slot->is_running)
			at_ns = now_ns + WRK_REPLAY_PORTION_MS * NS_PER_MS;
		else if (slot->is_waiting)
			at_ns = free_again_ns(slot);
		if (at_ns < next_ns)
			next_ns = at_ns;
	}
	if (next_ns == INT64_MAX)
		clock_timer_cancel(&replay->timer);
	else if (next_ns <= now_ns)
		clock_timer_set_ms(&replay->timer, 0);
	else
		clock_timer_set_ms(&replay->timer, (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	struct wrk_replay *replay = arg;
	int64_t now_ns = clock_now_ns(replay->clock);

	(void)timer;
	for (size_t i = 0; i < WRK_REPLAY_SUBSCRIBERS_MAX; i++) {
		struct slot *slot = &replay->slots[i];

		if (slot->is_running)
			send_portion(replay, slot, WRK_REPLAY_PORTION_MSGS);
		else if (slot->is_waiting && free_again_ns(slot) <= now_ns)
			start(replay, slot);
	}
	set_timer(replay);
}

/* The subscriber's own slot, or one that nobody has needed for a second; NULL when there is none.
 */
static struct slot *
find_slot(struct wrk_replay *replay, uint32_t subscriber)
{
	int64_t now_ns = clock_now_ns(replay->clock);
	struct slot *unused = NULL;

	for (size_t i = 0; i < WRK_REPLAY_SUBSCRIBERS_MAX; i++) {
		struct slot *slot = &replay->slots[i];

		if (slot->subscriber == subscriber)
			return slot;
		if (unused == NULL && !slot->is_running && !slot->is_waiting &&
		    (slot->subscriber == 0 || free_again_ns(slot) <= now_ns))
			unused = slot;
	}
	if (unused != NULL)
		*unused =
		    (struct slot){ .subscriber = subscriber,
				   .started_ns = now_ns - WRK_REPLAY_INTERVAL_MS * NS_PER_MS };
	return unused;
}

struct wrk_replay *
wrk_replay_new(struct clock *clock, const struct wrk_replay_ops *ops, void *arg)
{
	struct wrk_replay *replay = xcalloc(1, sizeof(*replay));

	replay->clock = clock;
	replay->ops = ops;
	replay->arg = arg;
	clock_timer_init(&replay->timer, clock, on_timer, replay);
	return replay;
}

void
wrk_replay_free(struct wrk_replay **replay)
{
	if (*replay == NULL)
		return;
	wrk_replay_cancel_all(*replay);
	free(*replay);
	*replay = NULL;
}

int
wrk_replay_request(struct wrk_replay *replay, uint32_t subscriber)
{
	struct slot *slot = find_slot(replay, subscriber);

	if (slot == NULL)
		return -EBUSY;
	if (slot->is_running || free_again_ns(slot) > clock_now_ns(replay->clock))
		slot->is_waiting = true;
	else
		start(replay, slot);
	set_timer(replay);
	return 0;
}

void
wrk_replay_cancel_all(struct wrk_replay *replay)
{
	for (size_t i = 0; i < WRK_REPLAY_SUBSCRIBERS_MAX; i++) {
		stop_running(&replay->slots[i]);
		replay->slots[i].is_waiting = false;
	}
	clock_timer_cancel(&replay->timer);
}
