/*
 * From a stream to its worker and back: worker-config, demand and replay go down; ready, input and
 * worker-status come up and become events.
 */
#include "config.h"

#include "supervisor/sup_worker.h"

#include "shared/child_ev.h"
#include "shared/log.h"
#include "supervisor/sup_advice.h"
#include "supervisor/sup_copy.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_spawn.h"
#include "supervisor/sup_tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUTS_PER_S_MAX 50

static void
on_ready(void *arg)
{
	struct sup_stream *stream = arg;

	stream->ready = true;
	sup_spawn_release(stream);
	if (stream->is_demanded)
		sup_worker_send_demand(stream);
	sup_stream_event(stream, SUP_EVENT_READY);
}

static const struct {
	const char *state;
	enum sup_event event;
} inputs[] = {
	{ "connecting", SUP_EVENT_IN_CONNECTING },
	{ "up", SUP_EVENT_IN_UP },
	{ "stalled", SUP_EVENT_IN_STALLED },
	{ "ended", SUP_EVENT_IN_ENDED },
};

/* Each change is logged and told to the fronts: a worker that does nothing else is broken. */
static bool
is_restless(struct sup_stream *stream)
{
	int64_t now = sup_now_ns(stream->sup);

	if (now - stream->inputs_since_ns >= NS_PER_S) {
		stream->inputs_since_ns = now;
		stream->inputs = 0;
	}
	return ++stream->inputs > INPUTS_PER_S_MAX;
}

/* The source was lost, or ended; what that was. */
static void
note_trouble(struct sup_stream *stream, const json_t *msg)
{
	const char *class = msg_str(msg, "class"), *reason = msg_str(msg, "reason");
	bool is_told_little = strcmp(class, "auth") == 0 && !sup_redirect_keeps_password(stream) &&
			      stream->conf != NULL && stream->conf->camera->user != NULL;
	char where[SUP_REASON_MAX] = "";

	if (sup_redirect_is_active(stream))
		snprintf(where, sizeof(where), "; the camera sent us to %s%s", stream->url.host,
			 is_told_little ? ", another host, which is given no password" : "");

	if (reason[0] == '\0')
		reason = msg_str(msg, "state");
	sup_stream_trouble(stream, class, "%s%s", reason, where);
}

static void
on_ended(struct sup_stream *stream, const json_t *msg)
{
	const char *class = msg_str(msg, "class");

	if (stream->ended)
		return;
	stream->ended = true;
	if (strcmp(class, "redirect") == 0 && !stream->is_copy)
		(void)sup_redirect_follow(stream, msg_str(msg, "location"));
	else if (strcmp(class, "challenge") == 0 && !stream->is_copy)
		(void)sup_challenge_follow(stream, msg_str(msg, "challenge"));
	else
		note_trouble(stream, msg);
}

static void
on_input(struct sup_stream *stream, const json_t *msg)
{
	const char *state = msg_str(msg, "state");

	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		if (strcmp(state, inputs[i].state) != 0)
			continue;
		if (inputs[i].event == SUP_EVENT_IN_STALLED)
			note_trouble(stream, msg);
		if (inputs[i].event == SUP_EVENT_IN_ENDED)
			on_ended(stream, msg);
		sup_stream_event(stream, inputs[i].event);
		return;
	}
	log_debug("cam=%s: its worker told an unknown state", stream->name);
}

static void
on_bad(void *arg, const char *why)
{
	struct sup_stream *stream = arg;

	sup_stream_trouble(stream, "internal", "%s", why);
	sup_stream_event(stream, SUP_EVENT_BAD_CHILD);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_stream *stream = arg;

	if (fd >= 0)
		close(fd);
	if (type == MSG_INPUT && is_restless(stream)) {
		static const char why[] = "killed: it changes its state without end";

		sup_child_kill(stream->child, why);
		on_bad(stream, why);
	} else if (type == MSG_INPUT) {
		on_input(stream, msg);
	} else if (type == MSG_WORKER_STATUS) {
		json_decref(stream->status);
		stream->status = json_deep_copy(msg);
		sup_copy_review(stream);
		sup_advice_update(stream);
		sup_tap_on_stream(stream->sup, stream);
	} else if (type == MSG_WANT_REPLAY && stream->source != NULL) {
		sup_stream_replay(stream->source, stream->subscriber);
	}
}

/* What its end means. After "ended" the exit is only the full stop behind it, however it went. */
static enum sup_event
judge(const struct sup_stream *stream, const struct sup_exit *end)
{
	bool left = end->code == CHILD_EXIT_RETRY || end->bad;

	if (end->code == CHILD_EXIT_WRONG_CONFIG)
		return SUP_EVENT_EXIT_CONFIG;
	if (!stream->ended || !left)
		return end->code == CHILD_EXIT_RETRY ? SUP_EVENT_EXIT_RETRY : SUP_EVENT_EXIT_CRASH;
	if (stream->redirect.is_due)
		return SUP_EVENT_EXIT_REDIRECT;
	if (sup_challenge_is_due(stream))
		return SUP_EVENT_EXIT_CHALLENGE;
	return strcmp(stream->class, "auth") == 0 ? SUP_EVENT_EXIT_AUTH : SUP_EVENT_EXIT_RETRY;
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_stream *stream = arg;
	enum sup_event event = judge(stream, end);

	stream->violations += end->is_violation;
	if (!end->asked && !end->bad && !stream->ended)
		sup_stream_trouble(stream, "internal", "%s: %s", stream->program->name, end->text);
	stream->child = NULL;
	stream->ready = false;
	sup_spawn_release(stream);
	/* A worker that was killed could not. */
	if (stream->bus[0] != '\0')
		unlink(stream->bus);
	stream->bus[0] = '\0';
	json_decref(stream->status);
	stream->status = NULL;
	sup_advice_clear(stream);
	sup_stream_event(stream, event);
}

static const struct sup_child_ops ops = {
	.on_ready = on_ready, .on_msg = on_msg, .on_bad = on_bad, .on_exit = on_exit_
};

static json_t *
make_config(struct sup_stream *stream)
{
	const struct conf *conf = sup_settings(stream->sup);
	const struct conf_camera *camera = stream->conf->camera;
	json_t *msg = msg_new(MSG_WORKER_CONFIG);
	char *challenge;

	msg_set_str(msg, "stream", stream->name);
	msg_set_int(msg, "stream_id", stream->id);
	msg_set_int(msg, "epoch", stream->epoch);
	msg_set_str(msg, "url", sup_redirect_url(stream));
	if (sup_redirect_keeps_password(stream)) {
		msg_set_str(msg, "user", camera->user);
		msg_set_str(msg, "password", camera->password);
	}
	msg_set_str(msg, "transport", conf_transport_name(camera->transport));
	msg_set_str(msg, "bus", stream->bus);
	msg_set_int(msg, "bus_mode", conf->bus_mode);
	msg_set_int(msg, "gop_cache_bytes", conf->gop_cache_bytes);
	msg_set_int(msg, "open_timeout_ms", camera->open_timeout_ms);
	msg_set_int(msg, "stall_ms", camera->stall_timeout_ms);
	msg_set_str(msg, "log_level", log_level_name(log_get_level()));
	msg_set_bool(msg, "probe", false);
	msg_set_str(msg, "tls", camera->tls);
	msg_set_bool(msg, "keep_vui", camera->vui == CONF_VUI_KEEP);
	msg_set_int(msg, "reorder_ms", camera->reorder_ms);
	challenge = sup_challenge_take(stream);
	msg_set_str(msg, "challenge", challenge);
	free(challenge);
	return msg;
}

/* Unique over restarts of the supervisor too: a late subscriber must never take one incarnation
 * for another. */
static int64_t
new_epoch(struct sup *sup)
{
	int64_t now = sup_realtime_ms(sup);

	sup->last_epoch = now > sup->last_epoch ? now : sup->last_epoch + 1;
	return sup->last_epoch;
}

int
sup_worker_spawn(struct sup_stream *stream)
{
	const struct sup_child_spec spec = {
		.program = stream->program->name,
		.object = stream->is_copy ? stream->source->name : stream->name,
		.job = stream->is_copy ? sup_copy_job(stream->copy_kind) : NULL,
		.receive = MSG_FROM_WORKER,
	};
	struct sup *sup = stream->sup;
	int rc;

	stream->epoch = new_epoch(sup);
	stream->ended = stream->ready = false;
	stream->inputs = 0;
	rc = sup_dirs_bus_path(&sup->dirs, stream->name, stream->epoch, stream->bus);
	if (rc == 0)
		rc = sup_child_start(sup, &spec, &ops, stream, &stream->child);
	sup_account_on_start(&stream->account, sup_now_ns(sup));
	if (rc < 0) {
		stream->bus[0] = '\0';
		sup_stream_trouble(stream, "internal", "cannot start %s: %s", spec.program,
				   strerror(-rc));
		return rc;
	}
	if (stream->spawns++ > 0)
		stream->restarts++;
	sup_child_send(stream->child,
		       stream->is_copy ? sup_copy_config(stream) : make_config(stream),
		       stream->socket);
	stream->socket = -1;
	return 0;
}

void
sup_worker_send_demand(struct sup_stream *stream)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", stream->is_demanded);
	sup_child_send(stream->child, msg, -1);
}
