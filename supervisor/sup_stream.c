/*
 * Applies the table to one stream: events come in, the cell says what to do, and what people are
 * told follows from the state alone.
 */
#include "config.h"

#include "supervisor/sup_stream.h"

#include "shared/log.h"
#include "shared/redact.h"
#include "shared/xalloc.h"
#include "supervisor/sup_copy.h"
#include "supervisor/sup_front.h"
#include "supervisor/sup_probe_ev.h"
#include "supervisor/sup_spawn.h"
#include "supervisor/sup_worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Backstops behind the worker's own deadlines. */
#define OPEN_EXTRA_MS      5000
#define STALLED_EXTRA_MS   20000
#define ENDING_MS          3000
#define ADDRESSES_FRESH_NS (60 * NS_PER_S)

/* Of a change of a camera's state, for journalctl and what reads it (camhub-supervisor(8)). */
#define MESSAGE_ID "8d3f1c0b5e7a4b6e9c2d7f40a1b3e5c6"

#define NO_EVENT   (-1)

void
sup_stream_trouble(struct sup_stream *stream, const char *class, const char *fmt, ...)
{
	const char *secrets[1] = { NULL };
	size_t n = 0;
	va_list ap;
	char *safe;

	if (stream->conf != NULL && stream->conf->camera->password != NULL)
		secrets[n++] = stream->conf->camera->password;
	va_start(ap, fmt);
	vsnprintf(stream->reason, sizeof(stream->reason), fmt, ap);
	va_end(ap);
	/* Words of a worker may quote what its camera said. */
	safe = redact_text(stream->reason, secrets, n);
	snprintf(stream->reason, sizeof(stream->reason), "%s", safe);
	free(safe);
	snprintf(stream->class, sizeof(stream->class), "%s", class);
	memcpy(stream->last_error, stream->reason, sizeof(stream->last_error));
	stream->last_error_ms = sup_realtime_ms(stream->sup);
}

static void
forget_trouble(struct sup_stream *stream)
{
	stream->failing = false;
	stream->reason[0] = '\0';
	snprintf(stream->class, sizeof(stream->class), "none");
}

static const char *
told_state(const struct sup_stream *stream)
{
	switch (stream->state) {
	case SUP_STATE_OFF:
	case SUP_STATE_STOPPING:
		return "off";
	case SUP_STATE_UP:
		return "up";
	case SUP_STATE_STALLED:
		return "stalled";
	case SUP_STATE_REFUSED:
		return "refused";
	case SUP_STATE_HELD:
	case SUP_STATE_WAIT:
	case SUP_STATE_PROBE_WAIT:
		return "down";
	case SUP_STATE_KILLING:
	case SUP_STATE_ENDING:
		/* On its way elsewhere, or to another connection, as it was asked to be. */
		return (stream->redirect.is_due || sup_challenge_is_due(stream)) && !stream->failing
			   ? "connecting"
			   : "down";
	case SUP_STATE_RESTARTING:
		return "connecting";
	case SUP_STATE_PROBE:
		if (stream->is_copy)
			return sup_copy_told_state(stream);
		/* fall through */
	default:
		/* A try after a failure: down until it succeeds, so that nobody sees it flicker. */
		if (stream->failing)
			return strcmp(stream->class, "auth") == 0 ? "refused" : "down";
		return "connecting";
	}
}

static const char *
told_reason(const struct sup_stream *stream, const char *state)
{
	if (strcmp(state, "off") == 0 && stream->is_copy)
		return "made when somebody watches";
	if (strcmp(state, "off") == 0)
		return sup_stream_is_on_demand(stream) ? "connected when somebody watches" : "";
	if (strcmp(state, "up") == 0 || strcmp(state, "connecting") == 0)
		return "";
	if (stream->is_copy && stream->state == SUP_STATE_PROBE)
		return sup_copy_told_reason(stream);
	return stream->reason;
}

static void
log_told(const struct sup_stream *stream)
{
	const struct log_field fields[] = {
		{ "MESSAGE_ID", MESSAGE_ID },
		{ "CAMHUB_STREAM", stream->name },
		{ "CAMHUB_CAMERA", stream->conf != NULL ? stream->conf->camera->name : "" },
		{ "CAMHUB_STATE", stream->told.state },
		{ "CAMHUB_REASON", stream->told.reason },
	};
	int64_t retry_ms = sup_stream_retry_in_ms(stream);
	const char *colon = stream->told.reason[0] != '\0' ? ": " : "";
	char next[48] = "";

	if (retry_ms > 0)
		snprintf(next, sizeof(next), ", next try in %.1f s", (double)retry_ms / 1000);
	log_msg_fields(LOG_LEVEL_NOTICE, fields, sizeof(fields) / sizeof(fields[0]),
		       "cam=%s: %s%s%s%s", stream->name, stream->told.state, colon,
		       stream->told.reason, next);
}

void
sup_stream_tell(struct sup_stream *stream)
{
	const char *state = told_state(stream), *reason = told_reason(stream, state);
	bool is_new = stream->told.state == NULL || strcmp(stream->told.state, state) != 0;

	if (!is_new && strcmp(stream->told.reason, reason) == 0 &&
	    stream->told.ready == stream->ready)
		return;
	if (is_new) {
		stream->told.since_ms = sup_realtime_ms(stream->sup);
		sup_status_changed(stream->sup);
	}
	stream->told.state = state;
	stream->told.ready = stream->ready;
	snprintf(stream->told.reason, sizeof(stream->told.reason), "%s", reason);
	if (is_new) {
		log_told(stream);
		sup_hook_stream_changed(stream);
	}
	if (stream->conf != NULL)
		sup_front_announce(stream->sup, stream);
}

int64_t
sup_stream_retry_in_ms(const struct sup_stream *stream)
{
	int64_t left;

	switch (stream->state) {
	case SUP_STATE_WAIT:
	case SUP_STATE_REFUSED:
	case SUP_STATE_PROBE_WAIT:
		left = stream->timer.deadline_ns - sup_now_ns(stream->sup);
		return left > 0 ? left / NS_PER_MS : 0;
	case SUP_STATE_PROBE:
		return stream->is_copy ? -1 : 0; /* it waits for others */
	case SUP_STATE_RESOLVE:
	case SUP_STATE_QUEUE:
	case SUP_STATE_STARTING:
	case SUP_STATE_CONNECTING:
		return 0;
	default:
		return -1;
	}
}

static void
on_lookup(void *arg, const struct sup_addresses *addresses, const char *why)
{
	struct sup_stream *stream = arg;

	stream->lookup = NULL;
	if (addresses != NULL) {
		stream->addresses = *addresses;
		stream->next_address = 0;
	}
	/* After a failure too: a resolver that hangs must not hold up each try. */
	stream->looked_up_ns = sup_now_ns(stream->sup);
	/* Where it was found before is better than nowhere. */
	if (stream->addresses.n > 0) {
		sup_stream_event(stream, SUP_EVENT_RESOLVED);
		return;
	}
	sup_stream_trouble(stream, "unreachable", "cannot find %s: %s%s", stream->url.host, why,
			   sup_redirect_words(stream));
	sup_stream_event(stream, SUP_EVENT_RESOLVE_FAILED);
}

static int
look_up(struct sup_stream *stream)
{
	int64_t now = sup_now_ns(stream->sup);
	const struct url *url = &stream->url;

	stream->account.asked_ns = now;
	if (stream->is_copy || url->host[0] == '\0')
		return SUP_EVENT_RESOLVED;
	if (url->host_is_numeric) {
		stream->addresses.n =
		    sup_address_parse(url->host, url->port, &stream->addresses.list[0]) == 0;
		return SUP_EVENT_RESOLVED;
	}
	if (stream->addresses.n > 0 && now - stream->looked_up_ns < ADDRESSES_FRESH_NS)
		return SUP_EVENT_RESOLVED;
	stream->lookup =
	    sup_lookup_start(stream->sup, url->host, url->port, stream->name, on_lookup, stream);
	return NO_EVENT;
}

static void
on_probe(void *arg, int error, int fd)
{
	struct sup_stream *stream = arg;
	int64_t now = sup_now_ns(stream->sup);
	char address[64];

	stream->probe = NULL;
	if (error == 0) {
		sup_account_on_answer(&stream->account, now);
		if (stream->program->takes_socket)
			stream->socket = fd;
		else
			close(fd);
		sup_stream_event(stream, SUP_EVENT_ANSWERED);
		return;
	}
	conf_address_format(
	    (struct sockaddr *)&stream->addresses.list[stream->next_address % stream->addresses.n],
	    address);
	stream->next_address++;
	/* Where it sent us: the camera itself has answered. */
	if (!sup_redirect_is_active(stream))
		sup_account_on_silence(&stream->account, now);
	sup_stream_trouble(stream, "unreachable", "no answer from %s: %s%s", address,
			   strerror(-error), sup_redirect_words(stream));
	sup_stream_event(stream, SUP_EVENT_UNREACHABLE);
}

static int
ask_tcp(struct sup_stream *stream)
{
	const struct sockaddr_storage *address;

	if (stream->is_copy)
		return sup_copy_may_start(stream) ? SUP_EVENT_ANSWERED : NO_EVENT;
	if (stream->addresses.n == 0)
		return SUP_EVENT_ANSWERED;
	address = &stream->addresses.list[stream->next_address % stream->addresses.n];
	if (!sup_redirect_may_reach(stream, (const struct sockaddr *)address)) {
		sup_stream_trouble(stream, "protocol",
				   "the camera redirects, but to this machine itself");
		return SUP_EVENT_UNREACHABLE;
	}
	stream->probe =
	    sup_probe_start(stream->sup, address,
			    sup_retry_probe_timeout_ms(&stream->account, sup_now_ns(stream->sup)),
			    on_probe, stream);
	return NO_EVENT;
}

void
sup_stream_cancel(struct sup_stream *stream)
{
	clock_timer_cancel(&stream->timer);
	sup_lookup_cancel(&stream->lookup);
	sup_probe_cancel(&stream->probe);
	sup_spawn_dequeue(stream);
}

static int
spawn(struct sup_stream *stream)
{
	if (sup_worker_spawn(stream) == 0)
		return NO_EVENT;
	sup_spawn_release(stream);
	return SUP_EVENT_SPAWN_FAILED;
}

static void
kill_worker(struct sup_stream *stream, enum sup_event event)
{
	static const char why[] = "killed: it neither got a picture nor gave up";

	/* Any other event has told already. */
	if (event == SUP_EVENT_TIMER && !stream->ended)
		sup_stream_trouble(stream, "timeout", "%s", why);
	sup_child_kill(stream->child, why);
}

static int64_t
delay_ms(struct sup_stream *stream, unsigned action, enum sup_event event)
{
	const struct conf *conf = sup_settings(stream->sup);
	const struct conf_camera *camera = stream->conf->camera;
	int64_t now = sup_now_ns(stream->sup);

	switch (action) {
	case SUP_DO_ARM_RETRY:
		return sup_retry_ms(&conf->restart_worker, &stream->account,
				    event == SUP_EVENT_EXIT_RETRY, now,
				    stream->sup->deps.random(stream->sup->deps.arg));
	case SUP_DO_ARM_REFUSED:
		return conf->auth_wait_ms;
	case SUP_DO_ARM_PROBE:
		if (stream->redirect.has_failed)
			return sup_retry_ms(&conf->restart_worker, &stream->account, true, now,
					    stream->sup->deps.random(stream->sup->deps.arg));
		return sup_retry_probe_ms(&stream->account, now);
	case SUP_DO_ARM_OPEN:
		return (stream->is_copy ? SUP_COPY_OPEN_MS : camera->open_timeout_ms) +
		       OPEN_EXTRA_MS;
	case SUP_DO_ARM_STALLED:
		return camera->stall_timeout_ms + STALLED_EXTRA_MS;
	default:
		return ENDING_MS;
	}
}

/* One action; what it answers at once, or NO_EVENT. */
static int
act(struct sup_stream *stream, unsigned action, enum sup_event event)
{
	switch (action) {
	case SUP_DO_CANCEL:
		sup_stream_cancel(stream);
		return NO_EVENT;
	case SUP_DO_FORGIVE:
		memset(&stream->account, 0, sizeof(stream->account));
		sup_redirect_forget(stream);
		sup_challenge_clear(&stream->challenge);
		forget_trouble(stream);
		return NO_EVENT;
	case SUP_DO_LOOKUP:
		return look_up(stream);
	case SUP_DO_CONNECT:
		return ask_tcp(stream);
	case SUP_DO_ENQUEUE:
		sup_spawn_enqueue(stream);
		return NO_EVENT;
	case SUP_DO_SPAWN:
		return spawn(stream);
	case SUP_DO_STOP_CHILD:
		sup_child_stop(stream->child);
		return NO_EVENT;
	case SUP_DO_KILL_CHILD:
		kill_worker(stream, event);
		return NO_EVENT;
	default:
		clock_timer_set_ms(&stream->timer, delay_ms(stream, action, event));
		return NO_EVENT;
	}
}

/* It ended there, or could not be reached there: the configured URL it is again, and a question of
 * a moment ago is old. */
static void
end_detour(struct sup_stream *stream)
{
	stream->redirect.has_failed = sup_redirect_forget(stream);
	sup_challenge_clear(&stream->challenge);
}

/* What the event says about the account. */
static void
note(struct sup_stream *stream, enum sup_event event)
{
	int64_t now = sup_now_ns(stream->sup);

	switch (event) {
	case SUP_EVENT_IN_UP:
		sup_account_on_up(&stream->account, now);
		forget_trouble(stream);
		break;
	case SUP_EVENT_IN_STALLED:
	case SUP_EVENT_IN_ENDED:
	case SUP_EVENT_BAD_CHILD:
		sup_account_on_down(&stream->account, now);
		break;
	case SUP_EVENT_RESOLVE_FAILED:
		if (!sup_redirect_is_active(stream))
			sup_account_on_silence(&stream->account, now);
		stream->failing = true;
		end_detour(stream);
		break;
	case SUP_EVENT_UNREACHABLE:
	case SUP_EVENT_SPAWN_FAILED:
		stream->failing = true;
		end_detour(stream);
		break;
	case SUP_EVENT_EXIT_REDIRECT:
		stream->redirect.is_due = false;
		break;
	case SUP_EVENT_EXIT_RETRY:
	case SUP_EVENT_EXIT_AUTH:
	case SUP_EVENT_EXIT_CONFIG:
	case SUP_EVENT_EXIT_CRASH:
		sup_account_on_down(&stream->account, now);
		stream->failing = stream->account.delivered_ms <
				  sup_settings(stream->sup)->restart_worker.good_ms;
		end_detour(stream);
		break;
	default:
		break;
	}
}

static int
step(struct sup_stream *stream, enum sup_event event)
{
	struct sup_cell cell = sup_fsm_step(stream->state, event);
	int answer = NO_EVENT;

	if (cell.kind != SUP_CELL_GO) {
		if (cell.kind == SUP_CELL_ODD)
			log_debug("cam=%s: event %s ignored in state %s", stream->name,
				  sup_event_name(event), sup_state_name(stream->state));
		return NO_EVENT;
	}
	log_debug("cam=%s: %s -> %s on %s", stream->name, sup_state_name(stream->state),
		  sup_state_name(cell.next), sup_event_name(event));
	stream->state = cell.next;
	note(stream, event);
	for (unsigned bit = 1; bit < SUP_DO_COUNT; bit <<= 1) {
		if (cell.actions & bit) {
			int said = act(stream, bit, event);

			if (said != NO_EVENT)
				answer = said;
		}
	}
	if (stream->socket >= 0 && stream->state != SUP_STATE_QUEUE) {
		close(stream->socket);
		stream->socket = -1;
	}
	return answer;
}

void
sup_stream_event(struct sup_stream *stream, enum sup_event event)
{
	int next = (int)event;

	while (next != NO_EVENT)
		next = step(stream, (enum sup_event)next);
	sup_stream_tell(stream);
	sup_copy_follow(stream);
	/* Its last reader may be up the stack: it goes from the loop. */
	if (stream->conf == NULL && stream->state == SUP_STATE_OFF)
		clock_timer_set_ms(&stream->linger, 0);
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	sup_stream_event(arg, SUP_EVENT_TIMER);
}

static void
on_linger(struct clock_timer *timer, void *arg)
{
	struct sup_stream *stream = arg;

	(void)timer;
	if (stream->conf == NULL && stream->state == SUP_STATE_OFF)
		sup_stream_free(&stream);
	else
		sup_stream_review(stream);
}

void
sup_stream_init_timers(struct sup_stream *stream)
{
	clock_timer_init(&stream->timer, stream->sup->deps.clock, on_timer, stream);
	clock_timer_init(&stream->linger, stream->sup->deps.clock, on_linger, stream);
}

bool
sup_stream_is_on_demand(const struct sup_stream *stream)
{
	return stream->is_copy || (stream->conf != NULL && stream->conf->camera->on_demand);
}

void
sup_stream_review(struct sup_stream *stream)
{
	bool wanted = stream->conf != NULL && !stream->sup->stopping &&
		      (!sup_stream_is_on_demand(stream) || stream->is_demanded ||
		       clock_timer_is_set(&stream->linger));

	sup_stream_event(stream, wanted ? SUP_EVENT_START : SUP_EVENT_STOP);
}

void
sup_stream_set_demand(struct sup_stream *stream, bool demand)
{
	if (stream->demand == demand || stream->conf == NULL)
		return;
	stream->demand = demand;
	sup_stream_apply_demand(stream);
}

void
sup_stream_apply_demand(struct sup_stream *stream)
{
	bool demand = stream->demand || stream->feeds;

	if (stream->is_demanded == demand || stream->conf == NULL)
		return;
	stream->is_demanded = demand;
	if (stream->ready)
		sup_worker_send_demand(stream);
	if (demand)
		clock_timer_cancel(&stream->linger);
	else
		clock_timer_set_ms(&stream->linger, sup_settings(stream->sup)->linger_ms);
	sup_stream_review(stream);
}

void
sup_stream_replay(struct sup_stream *stream, uint32_t subscriber)
{
	json_t *msg;

	if (!stream->ready)
		return;
	msg = msg_new(MSG_REPLAY);
	msg_set_int(msg, "subscriber", subscriber);
	sup_child_send(stream->child, msg, -1);
}
