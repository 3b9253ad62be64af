/*
 * The worker's context: decodes what comes in into events, steps the table, applies the actions.
 */
#include "config.h"

#include "publish/wrk.h"

#include "publish/wrk_config.h"
#include "publish/wrk_status.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCATION_MAX_BYTES 4096 /* of the "input" message */

struct wrk {
	struct wrk_deps deps;
	struct child_ev *child;
	enum wrk_state state;
	struct clock_timer silence, grace, pulse, probe;

	struct wrk_config config;
	bool is_configured;
	struct bus_pub *bus_pub;
	struct wrk_pub *pub;
	void *input;

	bool is_open, is_shut, has_video, was_up, has_exited;
	bool is_input_closed;
	int exit_code;
	enum wrk_class class;
	char reason[512];
	char *detail; /* of that class: see wrk_status_input() */
};

static void handle(struct wrk *wrk, enum wrk_event event);

static void
say_input(struct wrk *wrk, enum wrk_state state, enum wrk_class class, const char *reason)
{
	(void)child_ev_send(wrk->child, wrk_status_input(state, class, reason, wrk->detail), -1);
}

static int
subscribers(const struct wrk *wrk)
{
	return wrk->bus_pub != NULL ? wrk->deps.bus->subscribers(wrk->bus_pub) : 0;
}

static struct wrk_input_report
input_report(const struct wrk *wrk)
{
	struct wrk_input_report report = { .transport = NULL };

	if (wrk->deps.input->report != NULL && wrk->input != NULL && !wrk->is_input_closed)
		wrk->deps.input->report(wrk->input, &report);
	return report;
}

static void
say_status(struct wrk *wrk)
{
	int64_t now_ns = clock_now_ns(wrk->deps.clock);
	json_t *msg = wrk_status_message(wrk->pub, now_ns, subscribers(wrk));
	struct wrk_input_report report = input_report(wrk);

	wrk_status_add_report(msg, &report);
	wrk_status_add_advice(msg, wrk->pub, &report, now_ns);
	(void)child_ev_send(wrk->child, msg, -1);
}

static void
leave(struct wrk *wrk, int code)
{
	if (wrk->has_exited)
		return;
	wrk->has_exited = true;
	clock_timer_cancel(&wrk->silence);
	clock_timer_cancel(&wrk->grace);
	clock_timer_cancel(&wrk->pulse);
	clock_timer_cancel(&wrk->probe);
	if (wrk->bus_pub != NULL) {
		if (code == CHILD_EXIT_ASKED)
			wrk_pub_end(wrk->pub);
		if (wrk->deps.confine == NULL)
			wrk->deps.bus->unlink(wrk->bus_pub);
	}
	wrk->deps.exit(wrk->deps.exit_arg, code);
}

/* Actions */

static void
close_input(struct wrk *wrk, int exit_code, int64_t grace_ms)
{
	wrk->exit_code = exit_code;
	clock_timer_cancel(&wrk->silence);
	clock_timer_cancel(&wrk->probe);
	clock_timer_set_ms(&wrk->grace, grace_ms);
	wrk->deps.input->stop(wrk->input);
}

static void
do_fail(struct wrk *wrk, enum wrk_class class, const char *reason)
{
	log_notice("source lost: %s (%s), leaving to be started again", reason,
		   wrk_class_name(class));
	if (wrk->pub != NULL)
		say_status(wrk);
	say_input(wrk, WRK_STATE_ENDED, class, reason);
	close_input(wrk, CHILD_EXIT_RETRY, WRK_FAILED_GRACE_MS);
}

static void
do_time_out(struct wrk *wrk)
{
	char reason[96];

	if (!wrk->is_open)
		snprintf(reason, sizeof(reason), "no answer within %.1f s",
			 (double)wrk->config.open_timeout_ms / 1000);
	else
		snprintf(reason, sizeof(reason), "%s for %.1f s",
			 wrk->has_video ? "no picture" : "connected, but no picture",
			 (double)(wrk->config.stalled_after_ms + wrk->config.stall_ms) / 1000);
	do_fail(wrk, WRK_CLASS_TIMEOUT, reason);
}

static void
do_stall(struct wrk *wrk)
{
	char reason[96];

	snprintf(reason, sizeof(reason), "no picture for %.1f s",
		 (double)wrk->config.stalled_after_ms / 1000);
	log_notice("stalled: %s, giving up in %.1f s", reason, (double)wrk->config.stall_ms / 1000);
	say_input(wrk, WRK_STATE_STALLED, WRK_CLASS_TIMEOUT, reason);
	clock_timer_set_ms(&wrk->silence, wrk->config.stall_ms);
}

static void
do_watch(struct wrk *wrk)
{
	bool is_up = wrk->state == WRK_STATE_UP;

	clock_timer_set_ms(&wrk->silence,
			   wrk->config.stalled_after_ms + (is_up ? 0 : wrk->config.stall_ms));
}

static void
do_go_up(struct wrk *wrk)
{
	const struct wrk_track *video = wrk_pub_track(wrk->pub, FRAME_TRACK_VIDEO);

	log_notice("up: %s %s %ux%u", frame_codec_name(video->codec), video->codec_string,
		   video->width, video->height);
	/* What it is first: who cannot decode it is to find what is made of it instead. */
	say_status(wrk);
	say_input(wrk, WRK_STATE_UP, WRK_CLASS_NONE, NULL);
	if (wrk->config.is_probe && !wrk->was_up)
		clock_timer_set_ms(&wrk->probe, WRK_PROBE_MS);
	wrk->was_up = true;
	do_watch(wrk);
}

static void
do_describe(struct wrk *wrk)
{
	wrk_meter_tick(wrk_pub_meter(wrk->pub), clock_now_ns(wrk->deps.clock));
	say_status(wrk);
	close_input(wrk, CHILD_EXIT_ASKED, WRK_ASKED_GRACE_MS);
}

static void
start_input(struct wrk *wrk)
{
	const struct wrk_config *config = &wrk->config;
	struct wrk_input_config input = {
		.stream = config->stream,
		.url = config->url,
		.user = config->user,
		.password = config->password,
		.transport = config->transport,
		.open_timeout_ms = config->open_timeout_ms,
		.silence_ms = config->stalled_after_ms,
		.give_up_ms = config->stalled_after_ms + config->stall_ms,
		.read_timeout_ms = config->stalled_after_ms + config->stall_ms + 1000,
		.probe = config->is_probe,
		.fd = config->fd,
		.tls = config->tls,
		.keep_vui = config->keep_vui,
		.reorder_ms = config->reorder_ms,
		.challenge = config->challenge,
		.source_bus = config->source_bus,
		.source_id = config->source_id,
		.subscriber = config->subscriber,
	};
	int rc;

	wrk->config.fd = -1; /* the input's from here on */
	rc = wrk->deps.input->start(wrk->deps.input_arg, wrk, &input, &wrk->input);
	if (rc == 0)
		return;
	wrk->state = WRK_STATE_ENDED;
	log_err("cannot begin to read the source: %s", strerror(-rc));
	say_input(wrk, WRK_STATE_ENDED, rc == -EINVAL ? WRK_CLASS_UNSUPPORTED : WRK_CLASS_INTERNAL,
		  rc == -EINVAL ? "the URL is none that this program reads" : strerror(-rc));
	wrk->is_input_closed = true;
	leave(wrk, rc == -EINVAL ? CHILD_EXIT_WRONG_CONFIG : CHILD_EXIT_RETRY);
}

static void
do_start(struct wrk *wrk)
{
	child_ev_ready(wrk->child);
	say_input(wrk, WRK_STATE_CONNECTING, WRK_CLASS_NONE, NULL);
	clock_timer_set_ms(&wrk->pulse, WRK_STATUS_MS);
	start_input(wrk);
	/* after the input's own timers: it knows better what it has been waiting for */
	if (!wrk->has_exited)
		clock_timer_set_ms(&wrk->silence, wrk->config.open_timeout_ms);
}

static void
do_exit_late(struct wrk *wrk)
{
	log_warn("the input did not close in time, leaving without it");
	leave(wrk, wrk->exit_code);
}

static void
apply(struct wrk *wrk, enum wrk_action action)
{
	switch (action) {
	case WRK_ACTION_START:
		do_start(wrk);
		break;
	case WRK_ACTION_WATCH:
		do_watch(wrk);
		break;
	case WRK_ACTION_GO_UP:
		do_go_up(wrk);
		break;
	case WRK_ACTION_STALL:
		do_stall(wrk);
		break;
	case WRK_ACTION_TIMED_OUT:
		do_time_out(wrk);
		break;
	case WRK_ACTION_NO_KEY:
		do_fail(wrk, WRK_CLASS_TIMEOUT, "connected, but no key frame came in time");
		break;
	case WRK_ACTION_FAIL:
		do_fail(wrk, wrk->class, wrk->reason);
		break;
	case WRK_ACTION_DESCRIBE:
		do_describe(wrk);
		break;
	case WRK_ACTION_CLOSE:
		close_input(wrk, CHILD_EXIT_ASKED, WRK_ASKED_GRACE_MS);
		break;
	case WRK_ACTION_FORGIVE:
		wrk->exit_code = CHILD_EXIT_ASKED;
		break;
	case WRK_ACTION_EXIT:
		leave(wrk, wrk->exit_code);
		break;
	case WRK_ACTION_EXIT_LATE:
		do_exit_late(wrk);
		break;
	case WRK_ACTION_NONE:
	case WRK_ACTION_COUNT:
		break;
	}
}

static void
handle(struct wrk *wrk, enum wrk_event event)
{
	struct wrk_step step;

	if (wrk->has_exited)
		return;
	step = wrk_fsm_step(wrk->state, event);
	if (step.next != wrk->state)
		log_debug("%s: %s -> %s", wrk_event_name(event), wrk_state_name(wrk->state),
			  wrk_state_name(step.next));
	wrk->state = step.next;
	apply(wrk, step.action);
}

static void
confine(struct wrk *wrk, enum sandbox_stage stage)
{
	if (wrk->deps.confine != NULL)
		child_ev_set_sandbox(wrk->child, wrk->deps.confine(stage, &wrk->config));
}

/* Messages */

static bool
open_bus(struct wrk *wrk)
{
	const char *path = wrk->config.bus;
	int rc;

	if (wrk->config.is_probe)
		return true;
	rc = wrk->deps.bus->open(path, wrk->config.bus_mode, &wrk->bus_pub);
	if (rc == 0)
		return true;
	log_err("cannot listen on %s: %s", path, strerror(-rc));
	leave(wrk,
	      rc == -ENAMETOOLONG || rc == -EINVAL ? CHILD_EXIT_WRONG_CONFIG : CHILD_EXIT_RETRY);
	return false;
}

static void
on_config(struct wrk *wrk, const json_t *msg, int fd)
{
	int64_t max_ms = wrk->deps.input->stalled_after_max_ms;
	struct wrk_pub_config config;
	const char *what;

	if (wrk->is_configured) {
		log_warn("a second configuration is ignored");
		if (fd >= 0)
			close(fd);
		return;
	}
	wrk->is_configured = true;
	what =
	    wrk_config_read(msg, fd, max_ms > 0 ? max_ms : WRK_STALLED_AFTER_MAX_MS, &wrk->config);
	if (what != NULL) {
		log_err("wrong configuration: %s", what);
		leave(wrk, CHILD_EXIT_WRONG_CONFIG);
		return;
	}
	confine(wrk, SANDBOX_EARLY);
	if (!open_bus(wrk))
		return;
	confine(wrk, SANDBOX_OPENING);
	config = (struct wrk_pub_config){
		.stream_id = wrk->config.stream_id,
		.epoch = wrk->config.epoch,
		.gop_cache_bytes = wrk->config.gop_cache_bytes,
	};
	wrk->pub = wrk_pub_new(&config, wrk->deps.bus, wrk->bus_pub, wrk->deps.clock);
	handle(wrk, WRK_EVENT_CONFIG);
}

static void
on_demand(struct wrk *wrk, bool is_on)
{
	json_t *done = msg_new(MSG_DEMAND_DONE);

	if (wrk->pub != NULL)
		wrk_pub_demand(wrk->pub, is_on);
	msg_set_bool(done, "on", is_on);
	(void)child_ev_send(wrk->child, done, -1);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct wrk *wrk = arg;

	if (type == MSG_WORKER_CONFIG && !wrk->has_exited) {
		on_config(wrk, msg, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (wrk->has_exited)
		return;
	if (type == MSG_DEMAND)
		on_demand(wrk, msg_bool(msg, "on", false));
	else if (type == MSG_REPLAY && wrk->pub != NULL &&
		 wrk_pub_replay(wrk->pub, (uint32_t)msg_int(msg, "subscriber", 0)) < 0)
		log_warn("too many subscribers ask for replays, one is refused");
}

static void
on_stop(void *arg, bool asked)
{
	(void)asked;
	handle(arg, WRK_EVENT_STOP);
}

/* What inputs tell */

void
wrk_input_connected(struct wrk *wrk)
{
	if (!wrk->is_shut)
		confine(wrk, SANDBOX_RUNNING);
	wrk->is_shut = true;
}

void
wrk_input_opened(struct wrk *wrk)
{
	wrk_input_connected(wrk);
	wrk->is_open = true;
	if (wrk->config.is_probe)
		clock_timer_set_ms(&wrk->probe, wrk->config.open_timeout_ms);
	handle(wrk, WRK_EVENT_OPENED);
}

void
wrk_deliver(struct wrk *wrk, const struct wrk_unit *unit)
{
	enum wrk_seen seen;

	if (wrk->state == WRK_STATE_ENDED || wrk->has_exited) {
		struct bus_msg *msg = unit->msg;

		bus_msg_unref(&msg);
		return;
	}
	seen = wrk_pub_deliver(wrk->pub, unit);
	if (seen == WRK_SEEN_NOTHING)
		return;
	if (!wrk->has_video && seen == WRK_SEEN_VIDEO)
		say_input(wrk, WRK_STATE_CONNECTING, WRK_CLASS_NONE, "waiting for a key frame");
	wrk->has_video = true;
	handle(wrk, seen == WRK_SEEN_KEY ? WRK_EVENT_KEY : WRK_EVENT_VIDEO);
}

void
wrk_input_failed(struct wrk *wrk, enum wrk_class class, const char *reason)
{
	bool has_seen = wrk->state == WRK_STATE_UP || wrk->state == WRK_STATE_STALLED;

	wrk->class = class;
	snprintf(wrk->reason, sizeof(wrk->reason), "%s", reason);
	handle(wrk, wrk->config.is_probe && has_seen ? WRK_EVENT_PROBED : WRK_EVENT_FAILED);
}

void
wrk_input_want_replay(struct wrk *wrk)
{
	json_t *msg = msg_new(MSG_WANT_REPLAY);

	msg_set_int(msg, "id", wrk->config.source_id);
	(void)child_ev_send(wrk->child, msg, -1);
}

void
wrk_input_redirected(struct wrk *wrk, const char *url)
{
	char reason[sizeof(wrk->reason)];

	if (strlen(url) > LOCATION_MAX_BYTES) {
		wrk_input_failed(wrk, WRK_CLASS_PROTOCOL, "redirected to a URL that is too long");
		return;
	}
	free(wrk->detail);
	wrk->detail = xstrdup(url);
	snprintf(reason, sizeof(reason), "the source is at %.400s", url);
	wrk_input_failed(wrk, WRK_CLASS_REDIRECT, reason);
}

void
wrk_input_challenged(struct wrk *wrk, const char *challenge, const char *reason)
{
	free(wrk->detail);
	wrk->detail = xstrdup(challenge);
	wrk_input_failed(wrk, WRK_CLASS_CHALLENGE, reason);
}

void
wrk_input_closed(struct wrk *wrk)
{
	wrk->is_input_closed = true;
	handle(wrk, WRK_EVENT_CLOSED);
}

/* Timers */

static void
on_silence(struct clock_timer *timer, void *arg)
{
	(void)timer;
	handle(arg, WRK_EVENT_SILENCE);
}

static void
on_grace(struct clock_timer *timer, void *arg)
{
	(void)timer;
	handle(arg, WRK_EVENT_GRACE_OVER);
}

static void
on_probe(struct clock_timer *timer, void *arg)
{
	(void)timer;
	handle(arg, WRK_EVENT_PROBED);
}

static void
on_pulse(struct clock_timer *timer, void *arg)
{
	struct wrk *wrk = arg;
	int64_t now_ns = clock_now_ns(wrk->deps.clock);
	struct wrk_input_report report;
	char *pulse;

	clock_timer_set_ms(timer, WRK_STATUS_MS);
	wrk_meter_tick(wrk_pub_meter(wrk->pub), now_ns);
	say_status(wrk);
	report = input_report(wrk);
	pulse = wrk_status_pulse(wrk->pub, wrk->config.stream, wrk->state, &report, now_ns);
	wrk_pub_pulse(wrk->pub, pulse);
	free(pulse);
}

/* Life */

struct wrk *
wrk_new(const struct wrk_deps *deps)
{
	static const struct child_ev_ops child_ops = { .on_msg = on_msg, .on_stop = on_stop };
	struct wrk *wrk = xcalloc(1, sizeof(*wrk));

	wrk->deps = *deps;
	wrk->config.fd = -1;
	wrk->state = WRK_STATE_WAITING_CONFIG;
	clock_timer_init(&wrk->silence, deps->clock, on_silence, wrk);
	clock_timer_init(&wrk->grace, deps->clock, on_grace, wrk);
	clock_timer_init(&wrk->pulse, deps->clock, on_pulse, wrk);
	clock_timer_init(&wrk->probe, deps->clock, on_probe, wrk);
	wrk->child =
	    child_ev_new(deps->base, deps->clock, deps->fd, MSG_TO_WORKER, &child_ops, wrk);
	return wrk;
}

void
wrk_free(struct wrk **wrk)
{
	struct wrk *old = *wrk;

	*wrk = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->silence);
	clock_timer_cancel(&old->grace);
	clock_timer_cancel(&old->pulse);
	clock_timer_cancel(&old->probe);
	if (old->input != NULL && old->is_input_closed)
		old->deps.input->free(old->input);
	child_ev_free(&old->child);
	wrk_pub_free(&old->pub);
	wrk_config_clear(&old->config);
	free(old->detail);
	free(old);
}

enum wrk_state
wrk_state(const struct wrk *wrk)
{
	return wrk->state;
}

struct event_base *
wrk_base(const struct wrk *wrk)
{
	return wrk->deps.base;
}

struct clock *
wrk_clock(const struct wrk *wrk)
{
	return wrk->deps.clock;
}
