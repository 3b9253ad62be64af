/*
 * A subscription: wants its stream of the supervisor, dials whoever publishes it, asks for the
 * group of pictures when that helps, hands out frames.
 */
#include "config.h"

#include "lib/hub.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS     1000000LL
#define READ_PER_TURN 512

/* What the program holds; the public part comes first. */
struct held {
	struct camhub_frame frame;
	struct bus_msg *msg;
	uint8_t *joined; /* a key frame behind its parameter sets, NULL: they are in it */
};

static void
hang_up(struct camhub_sub *sub)
{
	if (sub->bus == NULL)
		return;
	poller_remove(sub->hub->poller, bus_sub_fd(sub->bus));
	bus_sub_close(&sub->bus);
	sub->pulse_ns = sub->replay_ns = INT64_MAX;
}

/* As soon as that helps: the publisher has to have noticed us. */
static void
plan_replay(struct camhub_sub *sub)
{
	if (sub->bus == NULL || sub->wanted_id == 0 || sub->replay_ns != INT64_MAX ||
	    !feed_wants_replay(&sub->feed))
		return;
	sub->poll_ms = HUB_POLL_MS;
	sub->replay_ns = hub_now_ns();
}

static void
dial(struct camhub_sub *sub, const char *endpoint)
{
	char path[HUB_PATH_MAX];
	int64_t now = hub_now_ns();

	sub->has_spoken = false;
	sub->pulse_ns = now + HUB_DEAF_MS * NS_PER_MS;
	sub->replay_ns = INT64_MAX;
	if (snprintf(path, sizeof(path), "%s/%s", sub->hub->dir, endpoint) >= (int)sizeof(path))
		return;
	if (bus_sub_open(path, &sub->bus) < 0)
		return;
	if (poller_add(sub->hub->poller, bus_sub_fd(sub->bus)) < 0)
		bus_sub_close(&sub->bus);
	plan_replay(sub);
}

void
sub_review(struct camhub_sub *sub)
{
	const struct stream *stream = streams_find(sub->hub, sub->name);

	if (stream == NULL || sub->hub->subscriber == 0) {
		/* camhub is away, or new and has not told all: its workers may live on. */
		if (sub->hub->is_synced) {
			hang_up(sub);
			sub->wanted_id = 0;
		}
		return;
	}
	sub->feed.subscriber = sub->hub->subscriber;
	if (sub->wanted_id != stream->shown.id) {
		sub->wanted_id = stream->shown.id;
		tap_want(sub->hub, stream->shown.id, true);
	}
	if (stream->epoch != sub->epoch || stream->endpoint[0] == '\0') {
		hang_up(sub);
		sub->epoch = stream->epoch;
		feed_begin(&sub->feed, stream->epoch);
		if (stream->endpoint[0] != '\0') {
			sub->epochs++;
			dial(sub, stream->endpoint);
		}
	}
	plan_replay(sub);
}

void
sub_forget_connection(struct camhub_sub *sub)
{
	sub->wanted_id = 0;
	sub->feed.subscriber = 0;
	sub->replay_ns = INT64_MAX;
}

static void
on_status(struct camhub_sub *sub, const struct bus_msg *msg)
{
	json_t *status;

	if (msg->frame.for_subscriber == 0 || msg->frame.for_subscriber != sub->feed.subscriber)
		return;
	status = json_loadb((const char *)msg->payload, msg->frame.payload_len, 0, NULL);
	if (json_is_integer(json_object_get(status, "replay_end")))
		feed_replay_end(&sub->feed);
	json_decref(status);
}

/* false: nothing more in this turn. */
static bool
receive_one(struct camhub_sub *sub, int64_t now_ns)
{
	struct bus_msg *msg;
	int rc = bus_sub_recv(sub->bus, &msg);

	if (rc == -EPROTO) {
		/* Not to be believed until the worker is a new one; read on, lest it piles up. */
		sub->malformed++;
		feed_begin(&sub->feed, 0);
		sub->pulse_ns = INT64_MAX;
		return true;
	}
	if (rc < 0)
		return false;
	if (sub->feed.epoch != 0) {
		sub->has_spoken = true;
		sub->pulse_ns = now_ns + HUB_SILENT_MS * NS_PER_MS;
		if (msg->frame.kind == FRAME_KIND_STATUS)
			on_status(sub, msg);
		else
			feed_push(&sub->feed, msg);
	}
	bus_msg_unref(&msg);
	return true;
}

static void
ask_for_replay(struct camhub_sub *sub, int64_t now_ns)
{
	sub->replay_ns = INT64_MAX;
	if (sub->bus == NULL || sub->wanted_id == 0 || !feed_wants_replay(&sub->feed))
		return;
	if (!bus_sub_connected(sub->bus)) {
		sub->poll_ms =
		    sub->poll_ms * 2 < HUB_POLL_MAX_MS ? sub->poll_ms * 2 : HUB_POLL_MAX_MS;
		sub->replay_ns = now_ns + sub->poll_ms * NS_PER_MS;
		return;
	}
	sub->replays++;
	sub->replay_ns = now_ns + HUB_REPLAY_MS * NS_PER_MS;
	tap_replay(sub->hub, sub->wanted_id);
}

static void
dial_again(struct camhub_sub *sub)
{
	const struct stream *stream = streams_find(sub->hub, sub->name);

	hang_up(sub);
	sub->pulse_ns = INT64_MAX;
	if (stream == NULL || stream->endpoint[0] == '\0' || stream->epoch != sub->epoch)
		return;
	feed_begin(&sub->feed, sub->epoch);
	dial(sub, stream->endpoint);
}

void
sub_work(struct camhub_sub *sub, int64_t now_ns)
{
	for (int i = 0; i < READ_PER_TURN && sub->bus != NULL && receive_one(sub, now_ns); i++)
		;
	if (now_ns >= sub->pulse_ns)
		dial_again(sub);
	plan_replay(sub);
	if (now_ns >= sub->replay_ns)
		ask_for_replay(sub, now_ns);
}

int64_t
sub_due_ns(const struct camhub_sub *sub)
{
	return sub->pulse_ns < sub->replay_ns ? sub->pulse_ns : sub->replay_ns;
}

int
camhub_subscribe(struct camhub *hub, const char *stream, struct camhub_sub **sub)
{
	struct camhub_sub *new_sub;

	hub_work(hub);
	for (new_sub = TAILQ_FIRST(&hub->subs); new_sub != NULL;
	     new_sub = TAILQ_NEXT(new_sub, entry))
		if (strcmp(new_sub->name, stream) == 0)
			return -EEXIST;
	/* While camhub is away nobody knows: it may be there when camhub is. */
	if (hub->is_synced && streams_find(hub, stream) == NULL)
		return -ENOENT;
	new_sub = xcalloc(1, sizeof(*new_sub));
	new_sub->hub = hub;
	new_sub->name = xstrdup(stream);
	new_sub->pulse_ns = new_sub->replay_ns = INT64_MAX;
	feed_init(&new_sub->feed);
	TAILQ_INSERT_TAIL(&hub->subs, new_sub, entry);
	sub_review(new_sub);
	hub_plan(hub);
	*sub = new_sub;
	return 0;
}

void
camhub_unsubscribe(struct camhub_sub **sub)
{
	struct camhub_sub *old = *sub;

	*sub = NULL;
	if (old == NULL)
		return;
	if (old->wanted_id != 0)
		tap_want(old->hub, old->wanted_id, false);
	hang_up(old);
	feed_clear(&old->feed);
	TAILQ_REMOVE(&old->hub->subs, old, entry);
	free(old->name);
	free(old);
}

/* A decoder that begins here has to have the parameter sets. */
static void
join(struct held *held, const struct bus_msg *config)
{
	const struct frame *frame = &held->msg->frame;
	size_t config_len;

	held->frame.data = held->msg->payload;
	held->frame.len = frame->payload_len;
	if (frame->kind != FRAME_KIND_VIDEO || config == NULL || !(frame->flags & FRAME_KEY) ||
	    (frame->flags & FRAME_CONFIG_IN_BAND) || config->frame.payload_len == 0)
		return;
	config_len = config->frame.payload_len;
	held->joined = xmalloc(config_len + frame->payload_len);
	memcpy(held->joined, config->payload, config_len);
	memcpy(held->joined + config_len, held->msg->payload, frame->payload_len);
	held->frame.data = held->joined;
	held->frame.len = config_len + frame->payload_len;
}

static uint32_t
flags_of(const struct frame *frame, bool is_first)
{
	uint32_t shown = CAMHUB_KEY | CAMHUB_DISCONTINUITY | CAMHUB_DISPOSABLE | CAMHUB_CORRUPT |
			 CAMHUB_UNSYNCED | CAMHUB_REPLAY;

	return (frame->flags & shown) | (frame->kind == FRAME_KIND_JPEG ? CAMHUB_KEY : 0) |
	       (is_first ? CAMHUB_FIRST : 0);
}

static struct camhub_frame *
hold(const struct camhub_sub *sub, struct bus_msg *msg, const struct bus_msg *config, bool is_first)
{
	struct held *held = xcalloc(1, sizeof(*held));
	const struct frame *frame = &msg->frame;

	held->msg = msg;
	held->frame = (struct camhub_frame){
		.stream = sub->name,
		.epoch = frame->epoch,
		.seq = frame->seq,
		.flags = flags_of(frame, is_first),
		.codec = frame->codec,
		.width = frame->width,
		.height = frame->height,
		.duration_us = frame->duration_us,
		.pts_ns = frame->pts_ns,
		.dts_ns = frame->dts_ns,
		.arrived_ns = frame->arrived_realtime_ns,
		.arrived_monotonic_ns = frame->arrived_monotonic_ns,
		.captured_ns = frame->captured_realtime_ns,
		.behind = feed_waiting(&sub->feed),
	};
	join(held, config);
	return &held->frame;
}

static int
take(struct camhub_sub *sub, int timeout_ms, bool is_newest, struct camhub_frame **frame)
{
	int64_t until = timeout_ms < 0 ? INT64_MAX : hub_now_ns() + timeout_ms * NS_PER_MS;

	for (;;) {
		const struct bus_msg *config = NULL;
		struct bus_msg *msg;
		int64_t left;
		bool is_first;

		hub_work(sub->hub);
		msg = feed_take(&sub->feed, is_newest, &config, &is_first);
		if (msg != NULL) {
			*frame = hold(sub, msg, config, is_first);
			return 0;
		}
		if (sub->hub->is_refused) {
			sub->hub->is_refused = false;
			return -EINVAL;
		}
		left = until == INT64_MAX ? -1 : (until - hub_now_ns() + NS_PER_MS - 1) / NS_PER_MS;
		if (until != INT64_MAX && left <= 0)
			return -EAGAIN;
		hub_wait(sub->hub, left);
	}
}

int
camhub_next(struct camhub_sub *sub, int timeout_ms, struct camhub_frame **frame)
{
	return take(sub, timeout_ms, false, frame);
}

int
camhub_newest(struct camhub_sub *sub, int timeout_ms, struct camhub_frame **frame)
{
	return take(sub, timeout_ms, true, frame);
}

void
camhub_frame_free(struct camhub_frame **frame)
{
	struct held *held = (struct held *)*frame;

	*frame = NULL;
	if (held == NULL)
		return;
	bus_msg_unref(&held->msg);
	free(held->joined);
	free(held);
}

void
camhub_stats(const struct camhub_sub *sub, struct camhub_stats *stats, size_t size)
{
	const struct camhub_stats now = {
		.frames = sub->feed.frames,
		.skipped = sub->feed.skipped,
		.gaps = sub->feed.gaps,
		.replays = sub->replays,
		.epochs = sub->epochs,
		.malformed = sub->malformed,
	};

	memset(stats, 0, size);
	memcpy(stats, &now, size < sizeof(now) ? size : sizeof(now));
}
