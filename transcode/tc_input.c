/*
 * The loop's side: the bus on one side, the thread on the other, the publisher in front.
 */
#include "config.h"

#include "transcode/tc_input.h"

#include "publish/wrk.h"
#include "publish/wrk_watch_ev.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "transcode/tc_feed.h"
#include "transcode/tc_pipe.h"
#include "transcode/tc_sound.h"

#include <errno.h>
#include <jansson.h>
#include <libavcodec/packet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_MAX           64 /* messages in one turn */
#define CONNECT_POLL_MS     2  /* nng has no event for it; doubles up to the next */
#define CONNECT_POLL_MAX_MS 50
#define REPLAY_AGAIN_MS     1100 /* a subscriber is served once a second */

struct tc_input {
	struct wrk *wrk;
	uint32_t source_id, subscriber;
	struct bus_sub *sub;
	struct wrk_watch *bus_watch, *pipe_watch;
	struct tc_feed *feed;
	struct tc_pipe *pipe;   /* H.264 is made, or */
	struct tc_sound *sound; /* Opus; one of them is NULL */
	struct clock_timer pulse, replay, end;
	int64_t poll_ms;
	bool has_failed, has_opened;
};

static void
hang_up(struct tc_input *input)
{
	clock_timer_cancel(&input->pulse);
	clock_timer_cancel(&input->replay);
	wrk_watch_free(&input->bus_watch);
}

static void
fail(struct tc_input *input, enum wrk_class class, const char *reason)
{
	if (input->has_failed)
		return;
	input->has_failed = true;
	hang_up(input);
	wrk_input_failed(input->wrk, class, reason);
}

/* From the thread */

static void
open_with_first(struct tc_input *input)
{
	if (!input->has_opened)
		wrk_input_opened(input->wrk);
	input->has_opened = true;
}

static void
deliver(struct tc_input *input, const struct tc_result *result)
{
	const struct tc_stamp *stamp = &result->stamp;
	struct wrk_unit unit = {
		.kind = FRAME_KIND_VIDEO,
		.track = FRAME_TRACK_VIDEO,
		.codec = FRAME_CODEC_H264,
		.data = result->packet->data,
		.len = (size_t)result->packet->size,
		.pts_ns = stamp->pts_ns,
		.dts_ns = stamp->pts_ns,
		.duration_us = stamp->duration_us,
		.arrived_realtime_ns = stamp->arrived_realtime_ns,
		.arrived_monotonic_ns = stamp->arrived_monotonic_ns,
		.captured_realtime_ns = stamp->captured_realtime_ns,
	};

	unit.flags = (uint16_t)((stamp->is_jump ? FRAME_DISCONTINUITY : 0) |
				(stamp->is_broken ? FRAME_CORRUPT : 0) |
				(stamp->is_unsynced ? FRAME_CLOCK_UNSYNCED : 0));
	open_with_first(input);
	wrk_deliver(input->wrk, &unit);
}

/* false: it was the last one, and the input may be gone. */
static bool
tell(struct tc_input *input, const struct tc_result *result)
{
	switch (result->kind) {
	case TC_RESULT_UNIT:
		deliver(input, result);
		return true;
	case TC_RESULT_FAILED:
		fail(input, WRK_CLASS_UNSUPPORTED, result->reason);
		return true;
	case TC_RESULT_CLOSED:
		break;
	}
	wrk_watch_free(&input->pipe_watch);
	wrk_input_closed(input->wrk);
	return false;
}

static void
on_results(void *arg)
{
	struct tc_input *input = arg;
	struct tc_result *result;
	bool goes_on = true;

	for (int i = 0; goes_on && i < DRAIN_MAX; i++) {
		result = tc_pipe_pop(input->pipe);
		if (result == NULL)
			return;
		goes_on = tell(input, result);
		tc_result_free(&result);
	}
}

/* From the bus */

static void
on_unit(void *arg, const struct tc_unit *unit)
{
	struct tc_input *input = arg;

	if (input->sound != NULL) {
		open_with_first(input);
		tc_sound_picture(input->sound, unit);
		return;
	}
	if (unit->msg->frame.codec != FRAME_CODEC_H265) {
		fail(input, WRK_CLASS_UNSUPPORTED, "the source is not H.265 any more");
		return;
	}
	if (tc_pipe_push(input->pipe, unit) < 0)
		tc_feed_cut(input->feed);
}

static bool
is_audio_for_us(const struct tc_input *input, const struct frame *frame)
{
	if ((frame->flags & FRAME_REPLAY) &&
	    (frame->for_subscriber != input->subscriber || frame->kind != FRAME_KIND_CONFIG))
		return false;
	return frame->kind == FRAME_KIND_AUDIO || frame->kind == FRAME_KIND_CONFIG;
}

static void
make_opus(struct tc_input *input, const struct bus_msg *msg)
{
	if (is_audio_for_us(input, &msg->frame) && tc_sound_push(input->sound, msg) < 0)
		fail(input, WRK_CLASS_UNSUPPORTED, "no Opus can be made of its sound");
}

/* Audio is passed on as it is. A replay has its configuration, but no frames. */
static void
pass_audio(struct tc_input *input, const struct bus_msg *msg)
{
	const struct frame *frame = &msg->frame;
	struct wrk_unit unit = {
		.kind = frame->kind,
		.track = FRAME_TRACK_AUDIO,
		.codec = frame->codec,
		.flags =
		    frame->flags & (FRAME_DISCONTINUITY | FRAME_CORRUPT | FRAME_CLOCK_UNSYNCED),
		.data = msg->payload,
		.len = frame->payload_len,
		.pts_ns = frame->pts_ns,
		.dts_ns = frame->dts_ns,
		.duration_us = frame->duration_us,
		.arrived_realtime_ns = frame->arrived_realtime_ns,
		.arrived_monotonic_ns = frame->arrived_monotonic_ns,
		.captured_realtime_ns = frame->captured_realtime_ns,
	};

	if (is_audio_for_us(input, frame))
		wrk_deliver(input->wrk, &unit);
}

static void
take_status(struct tc_input *input, const struct bus_msg *msg)
{
	json_t *status = json_loadb((const char *)msg->payload, msg->frame.payload_len,
				    JSON_REJECT_DUPLICATES, NULL);

	if (json_object_get(status, "replay_end") != NULL &&
	    msg->frame.for_subscriber == input->subscriber)
		tc_feed_replay_end(input->feed);
	json_decref(status);
}

static void
take(struct tc_input *input, struct bus_msg *msg)
{
	clock_timer_set_ms(&input->pulse, TC_INPUT_PULSE_MS);
	if (msg->frame.stream_id != input->source_id)
		return;
	if (msg->frame.kind == FRAME_KIND_STATUS)
		take_status(input, msg);
	else if (msg->frame.track == FRAME_TRACK_AUDIO && input->sound != NULL)
		make_opus(input, msg);
	else if (msg->frame.track == FRAME_TRACK_AUDIO)
		pass_audio(input, msg);
	else
		tc_feed_push(input->feed, msg);
}

/* A broken flow. While the timer runs the last replay was asked for not long ago. */
static void
ask_again(struct tc_input *input)
{
	if (input->has_failed || !tc_feed_wants_replay(input->feed) ||
	    clock_timer_is_set(&input->replay))
		return;
	input->poll_ms = CONNECT_POLL_MS;
	clock_timer_set_ms(&input->replay, 0);
}

static void
on_bus(void *arg)
{
	struct tc_input *input = arg;
	char reason[96];
	int rc = 0;

	/* Something is there, so we are connected; nobody has looked at it yet. */
	wrk_input_connected(input->wrk);
	for (int i = 0; i < DRAIN_MAX && !input->has_failed; i++) {
		struct bus_msg *msg;

		rc = bus_sub_recv(input->sub, &msg);
		if (rc < 0)
			break;
		take(input, msg);
		bus_msg_unref(&msg);
	}
	ask_again(input);
	if (rc == -EPROTO) {
		fail(input, WRK_CLASS_PROTOCOL, "a malformed message on the bus");
	} else if (rc < 0 && rc != -EAGAIN) {
		snprintf(reason, sizeof(reason), "the bus fails: %s", strerror(-rc));
		fail(input, WRK_CLASS_INTERNAL, reason);
	}
}

static void
on_silence(struct clock_timer *timer, void *arg)
{
	(void)timer;
	fail(arg, WRK_CLASS_INTERNAL, "silence on the bus");
}

static void
on_replay_due(struct clock_timer *timer, void *arg)
{
	struct tc_input *input = arg;

	if (!tc_feed_wants_replay(input->feed))
		return;
	if (!bus_sub_connected(input->sub)) {
		input->poll_ms = input->poll_ms * 2 < CONNECT_POLL_MAX_MS ? input->poll_ms * 2
									  : CONNECT_POLL_MAX_MS;
		clock_timer_set_ms(timer, input->poll_ms);
		return;
	}
	wrk_input_want_replay(input->wrk);
	clock_timer_set_ms(timer, REPLAY_AGAIN_MS);
}

/* Life */

static void
tc_input_free(void *arg)
{
	struct tc_input *input = arg;

	hang_up(input);
	clock_timer_cancel(&input->end);
	wrk_watch_free(&input->pipe_watch);
	bus_sub_close(&input->sub);
	tc_sound_free(&input->sound);
	tc_pipe_free(&input->pipe);
	tc_feed_free(&input->feed);
	free(input);
}

/* Nothing is under way. */
static void
on_end(struct clock_timer *timer, void *arg)
{
	struct tc_input *input = arg;

	(void)timer;
	wrk_input_closed(input->wrk);
}

static int
begin_job(struct tc_input *input, const char *job)
{
	int rc;

	if (strcmp(job, TC_INPUT_OPUS) == 0) {
		input->sound = tc_sound_new(input->wrk);
		return 0;
	}
	rc = tc_pipe_new(&input->pipe);
	if (rc == 0)
		input->pipe_watch =
		    wrk_watch_new(wrk_base(input->wrk), tc_pipe_fd(input->pipe), on_results, input);
	return rc;
}

static int
tc_input_start(void *arg, struct wrk *wrk, const struct wrk_input_config *config, void **input)
{
	struct tc_input *new_input;
	struct bus_sub *sub = NULL;
	int rc;

	if (config->fd >= 0)
		close(config->fd);
	if (config->source_bus == NULL || config->subscriber == 0)
		return -EINVAL;
	rc = bus_sub_open(config->source_bus, &sub);
	if (rc < 0)
		return rc;
	new_input = xcalloc(1, sizeof(*new_input));
	new_input->wrk = wrk;
	new_input->sub = sub;
	new_input->source_id = config->source_id;
	new_input->subscriber = config->subscriber;
	new_input->poll_ms = CONNECT_POLL_MS;
	clock_timer_init(&new_input->pulse, wrk_clock(wrk), on_silence, new_input);
	clock_timer_init(&new_input->replay, wrk_clock(wrk), on_replay_due, new_input);
	new_input->feed = tc_feed_new(config->subscriber, on_unit, new_input);
	clock_timer_init(&new_input->end, wrk_clock(wrk), on_end, new_input);
	rc = begin_job(new_input, arg);
	if (rc < 0) {
		tc_input_free(new_input);
		return rc;
	}
	new_input->bus_watch = wrk_watch_new(wrk_base(wrk), bus_sub_fd(sub), on_bus, new_input);
	clock_timer_set_ms(&new_input->pulse, TC_INPUT_PULSE_MS);
	clock_timer_set_ms(&new_input->replay, 0);
	*input = new_input;
	return 0;
}

static void
tc_input_stop(void *arg)
{
	struct tc_input *input = arg;

	hang_up(input);
	if (input->pipe != NULL)
		tc_pipe_stop(input->pipe);
	else
		clock_timer_set_ms(&input->end, 0);
}

static void
tc_input_report(void *arg, struct wrk_input_report *report)
{
	struct tc_input *input = arg;

	report->is_made = true;
	report->n_left = tc_feed_skipped(input->feed);
	if (input->pipe != NULL)
		report->n_left += tc_pipe_dropped(input->pipe);
}

const struct wrk_input_ops tc_input_ops = {
	.start = tc_input_start,
	.stop = tc_input_stop,
	.free = tc_input_free,
	.report = tc_input_report,
};
