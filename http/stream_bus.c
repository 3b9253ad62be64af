/*
 * The bus side of a stream.
 */
#include "config.h"

#include "http/stream_bus.h"

#include "shared/log.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define DRAIN_MAX 64   /* messages in one turn: browsers get theirs too */
#define DEAF_MS   3000 /* without a first message: the endpoint is deaf or dead */
/* Without another one: its worker, or this machine, is slow. What it sends meanwhile waits in the
 * pipe, and would be lost with it. */
#define SILENT_MS           15000
#define CONNECT_POLL_MS     2 /* nng has no event for it; doubles up to the next */
#define CONNECT_POLL_MAX_MS 50
#define REPLAY_AGAIN_MS     1100 /* a subscriber is served once a second */

static void dial(struct stream *stream);

static void
hang_up(struct stream *stream)
{
	clock_timer_cancel(&stream->pulse);
	if (stream->bus_ev != NULL) {
		event_free(stream->bus_ev);
		event_free(stream->bus_turn_ev);
	}
	stream->bus_ev = stream->bus_turn_ev = NULL;
	if (stream->sub != NULL)
		bus_sub_close(&stream->sub);
	stream->is_distrusted = false;
}

/* What it says from now on is read, so that it does not pile up in nng, and thrown away. */
static void
distrust(struct stream *stream)
{
	log_warn(
	    "stream=%s: a malformed message on the bus, not believed until the worker is a new one",
	    stream->name);
	stream->is_distrusted = true;
	clock_timer_cancel(&stream->pulse);
	clock_timer_cancel(&stream->replay);
	hub_cut(stream->hub);
}

/* false: nothing more in this turn. */
static bool
receive_one(struct stream *stream)
{
	struct bus_msg *msg;
	int rc = bus_sub_recv(stream->sub, &msg);

	if (rc == -EAGAIN)
		return false;
	if (rc == -EPROTO) {
		if (!stream->is_distrusted)
			distrust(stream);
		return true;
	}
	if (rc < 0) {
		log_warn("stream=%s: the bus fails: %s, not read until the worker is a new one",
			 stream->name, strerror(-rc));
		hang_up(stream);
		hub_cut(stream->hub);
		return false;
	}
	if (!stream->is_distrusted) {
		stream->has_spoken = true;
		clock_timer_set_ms(&stream->pulse, SILENT_MS);
		stream_push(stream, msg);
	}
	bus_msg_unref(&msg);
	return stream->sub != NULL;
}

static void
on_bus(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < DRAIN_MAX && receive_one(stream); i++)
		;
	if (stream->bus_turn_ev != NULL)
		event_active(stream->bus_turn_ev, EV_TIMEOUT, 0);
	/* A broken flow: the timer asks for a replay. */
	if (hub_wants_replay(stream->hub) && !clock_timer_is_set(&stream->replay))
		stream_bus_want(stream);
}

/* Frames go before all else, so that slow viewers do not hold up the others; but only once, lest a
 * front that has too much to do does nothing else any more. */
static void
on_bus_turn(evutil_socket_t fd, short what, void *arg)
{
	struct stream *stream = arg;

	(void)fd;
	(void)what;
	event_add(stream->bus_ev, NULL);
}

static void
on_silence(struct clock_timer *timer, void *arg)
{
	struct stream *stream = arg;

	(void)timer;
	log_notice("stream=%s: silence on the bus for %d s, dialling again", stream->name,
		   (stream->has_spoken ? SILENT_MS : DEAF_MS) / 1000);
	stream->redials++;
	hang_up(stream);
	dial(stream);
}

static void
dial(struct stream *stream)
{
	int rc;

	stream->has_spoken = false;
	clock_timer_set_ms(&stream->pulse, DEAF_MS);
	rc = bus_sub_open(stream->bus_path, &stream->sub);
	if (rc < 0) {
		log_warn("stream=%s: cannot dial the bus: %s, again in %d s", stream->name,
			 strerror(-rc), DEAF_MS / 1000);
		return;
	}
	stream->bus_ev =
	    event_new(stream->front->base, bus_sub_fd(stream->sub), EV_READ, on_bus, stream);
	stream->bus_turn_ev = event_new(stream->front->base, -1, 0, on_bus_turn, stream);
	if (stream->bus_ev == NULL || stream->bus_turn_ev == NULL)
		xalloc_die();
	event_priority_set(stream->bus_ev, 0);
	event_add(stream->bus_ev, NULL);
	stream_bus_want(stream);
}

static void
on_replay_due(struct clock_timer *timer, void *arg)
{
	struct stream *stream = arg;
	json_t *msg;

	if (stream->sub == NULL || !hub_wants_replay(stream->hub))
		return;
	if (!bus_sub_connected(stream->sub)) {
		stream->poll_ms = stream->poll_ms * 2 < CONNECT_POLL_MAX_MS ? stream->poll_ms * 2
									    : CONNECT_POLL_MAX_MS;
		clock_timer_set_ms(timer, stream->poll_ms);
		return;
	}
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", stream->id);
	front_send(stream->front, msg, -1);
	clock_timer_set_ms(timer, REPLAY_AGAIN_MS);
}

void
stream_bus_want(struct stream *stream)
{
	if (stream->sub == NULL || stream->is_distrusted || !hub_wants_replay(stream->hub)) {
		clock_timer_cancel(&stream->replay);
		return;
	}
	stream->poll_ms = CONNECT_POLL_MS;
	clock_timer_set_ms(&stream->replay, 0);
}

void
stream_bus_init(struct stream *stream)
{
	stream->bus_path = xstrdup("");
	clock_timer_init(&stream->pulse, stream->front->clock, on_silence, stream);
	clock_timer_init(&stream->replay, stream->front->clock, on_replay_due, stream);
}

void
stream_bus_close(struct stream *stream)
{
	hang_up(stream);
	clock_timer_cancel(&stream->replay);
}

void
stream_bus_announce(struct stream *stream, uint64_t epoch, const char *path)
{
	if (stream->epoch == epoch && strcmp(stream->bus_path, path) == 0)
		return;
	hang_up(stream);
	hub_cut(stream->hub);
	stream->epoch = epoch;
	free(stream->bus_path);
	stream->bus_path = xstrdup(path);
	if (path[0] != '\0')
		dial(stream);
}
