/*
 * Fronts: told everything after each start, listened to, started again when they die.
 */
#include "config.h"

#include "supervisor/sup_front.h"

#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_access.h"
#include "supervisor/sup_auth.h"
#include "supervisor/sup_rtc.h"
#include "supervisor/sup_snapshot.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_tap.h"
#include "supervisor/sup_tls.h"
#include "supervisor/sup_viewers.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
takes(const struct sup_front *front, enum msg_type type)
{
	return (msg_schema(type)->to & (front->is_rtc ? MSG_TO_RTC : MSG_TO_FRONT)) != 0;
}

void
sup_front_tell(struct sup_front *front, enum msg_type type, json_t *msg)
{
	if (front->child != NULL && takes(front, type))
		sup_child_send(front->child, json_deep_copy(msg), -1);
	json_decref(msg);
}

void
sup_front_tell_all(struct sup *sup, enum msg_type type, json_t *msg)
{
	struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		sup_front_tell(front, type, json_incref(msg));
	json_decref(msg);
}

static json_t *
make_list(const struct conf_strings *strings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < strings->n; i++)
		json_array_append_new(list, json_string(strings->list[i]));
	return list;
}

/* What players are told. */
static void
add_webrtc(json_t *msg, const struct conf *conf)
{
	msg_set_bool(msg, "webrtc", conf->rtc_enabled);
	json_object_set_new(msg, "ice_servers", make_list(&conf->ice_servers));
	msg_set_str(msg, "ice_user", conf->ice_user);
	msg_set_str(msg, "ice_password", conf->ice_password);
}

static json_t *
make_config(const struct sup_front *front)
{
	const struct conf *conf = sup_settings(front->sup);
	json_t *msg = msg_new(MSG_FRONT_CONFIG);

	msg_set_int(msg, "subscriber", front->subscriber);
	msg_set_str(msg, "web_dir", front->sup->options.web_dir);
	msg_set_str(msg, "log_level", log_level_name(log_get_level()));
	json_object_set_new(msg, "embed_origins", make_list(&conf->origins));
	json_object_set_new(msg, "origins", make_list(&conf->own_origins));
	json_object_set_new(msg, "hosts", make_list(&conf->hosts));
	msg_set_int(msg, "max_per_address", conf->max_per_address);
	msg_set_bool(msg, "tls", conf->tls_certificate != NULL);
	msg_set_bool(msg, "hsts", conf->tls_hsts);
	if (!front->is_rtc)
		add_webrtc(msg, conf);
	msg_set_int(msg, "max_viewers", conf->max_viewers);
	msg_set_int(msg, "viewer_lag_bytes", conf->viewer_lag_bytes);
	msg_set_int(msg, "ring_bytes", conf->ring_bytes);
	msg_set_int(msg, "request_deadline_ms", conf->request_deadline_ms);
	msg_set_int(msg, "live_target_ms", conf->live_target_ms);
	msg_set_int(msg, "snapshot_timeout_ms", conf->snapshot_timeout_ms);
	return msg;
}

static void
send_listeners(struct sup_front *front)
{
	const struct sup_listeners *listeners = &front->sup->listeners;

	for (size_t i = 0; i < listeners->n; i++) {
		int fd = fcntl(listeners->list[i].fd, F_DUPFD_CLOEXEC, 0);
		json_t *msg;

		if (fd < 0) {
			log_err("front=%s: cannot hand over %s, no descriptors left", front->object,
				listeners->list[i].address);
			continue;
		}
		msg = msg_new(MSG_LISTENER);
		msg_set_str(msg, "address", listeners->list[i].address);
		sup_child_send(front->child, msg, fd);
	}
}

static void
send_everything(struct sup_front *front)
{
	struct sup_stream *stream;

	sup_child_send(front->child, make_config(front), -1);
	/* Before anybody can come. */
	sup_child_send(front->child, sup_access_message(front->sup), -1);
	if (front->is_rtc) {
		sup_rtc_send(front);
	} else {
		sup_tls_send(front);
		sup_rtc_tell(front);
		send_listeners(front);
	}
	for (stream = TAILQ_FIRST(&front->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (stream->conf != NULL)
			sup_child_send(front->child, sup_front_make_stream(stream), -1);
	sup_tap_tell_front(front);
	sup_child_send(front->child, msg_new(MSG_STREAMS_SYNCED), -1);
}

static void
on_ready(void *arg)
{
	struct sup_front *front = arg;

	front->ready = true;
	front->ready_ns = sup_now_ns(front->sup);
	front->since_ms = sup_realtime_ms(front->sup);
	if (front->failures > 1)
		log_notice("front=%s: serving, after %u failures", front->object, front->failures);
	else
		log_notice("front=%s: serving", front->object);
	front->failures = 0;
	sup_status_changed(front->sup);
	if (front->is_rtc)
		sup_rtc_announce(front->sup, true);
	sup_front_take_over(front);
}

static void
on_want(struct sup_front *front, const json_t *msg)
{
	uint32_t id = (uint32_t)msg_int(msg, "id", 0);
	struct sup_front_stream *entry = sup_front_want_stream(front, id);

	if (entry == NULL)
		return;
	entry->want = msg_bool(msg, "on", false);
	sup_front_review_demand(front->sup, id);
}

static void
on_want_replay(struct sup_front *front, const json_t *msg)
{
	struct sup_stream *stream = sup_stream_by_id(front->sup, (uint32_t)msg_int(msg, "id", 0));

	if (stream != NULL)
		sup_stream_replay(stream, front->subscriber);
}

static void
on_front_stream(struct sup_front *front, const json_t *msg)
{
	struct sup_front_stream *entry =
	    sup_front_want_stream(front, (uint32_t)msg_int(msg, "id", 0));

	if (entry == NULL)
		return;
	json_decref(entry->stats);
	entry->stats = json_deep_copy(msg);
}

static void
on_tls_state(struct sup_front *front, const json_t *msg)
{
	snprintf(front->tls, sizeof(front->tls), "%s%.200s",
		 msg_bool(msg, "ok", false) ? "" : "the new certificate is not used: ",
		 msg_str(msg, "text"));
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_front *front = arg;

	if (type == MSG_SNAPSHOT) {
		sup_snapshot_request(front->sup, front->subscriber, msg_int(msg, "request", 0),
				     (uint32_t)msg_int(msg, "id", 0), fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (type == MSG_WANT) {
		on_want(front, msg);
	} else if (type == MSG_WANT_REPLAY) {
		on_want_replay(front, msg);
	} else if (type == MSG_FRONT_STREAM) {
		on_front_stream(front, msg);
	} else if (type == MSG_TLS_STATE) {
		on_tls_state(front, msg);
	} else if (type == MSG_FRONT_TOTALS) {
		json_decref(front->totals);
		front->totals = json_deep_copy(msg);
	} else if (type == MSG_FRONT_ANALYSER) {
		sup_tap_on_report(front, msg);
	} else if (type == MSG_WATCHER) {
		sup_viewers_add(front, msg);
	} else if (type == MSG_WATCHER_GONE) {
		sup_viewers_remove(front, msg);
	} else if (type == MSG_AUTH_CHECK) {
		sup_auth_check(front->sup, front->subscriber, msg);
	} else if (type == MSG_ACCESS_REVOKE) {
		sup_access_on_revoke(front->sup, msg);
	} else if (type == MSG_RTC_ANSWER) {
		sup_rtc_answered(front->sup, msg);
	} else if (type == MSG_RTC_LINK) {
		sup_rtc_on_link(front->sup, msg);
	} else if (type == MSG_RTC_OFFER || type == MSG_RTC_PATCH || type == MSG_RTC_CLOSE) {
		sup_rtc_ask(front, type, msg);
	}
}

/* The same failure again and again is told once, and counted. */
static void
log_failure(struct sup_front *front, int64_t delay_ms)
{
	if (front->failures++ > 0 && strcmp(front->told_failure, front->last_exit) == 0)
		return;
	snprintf(front->told_failure, sizeof(front->told_failure), "%s", front->last_exit);
	log_err("front=%s: %s, again in %.1f s (connections wait meanwhile)", front->object,
		front->last_exit, (double)delay_ms / 1000);
}

static int64_t
retry_delay_ms(struct sup_front *front)
{
	struct sup *sup = front->sup;
	int64_t now = sup_now_ns(sup), since;

	since = front->ready_ns != 0 ? (now - front->ready_ns) / NS_PER_MS : 0;
	return backoff_next_ms(&sup_settings(sup)->restart_front, since,
			       (now - front->started_ns) / NS_PER_MS, &front->early_deaths,
			       sup->deps.random(sup->deps.arg));
}

/* Of a front that nobody starts again; front is gone afterwards. */
static void
end_for_good(struct sup_front *front, const struct sup_exit *end)
{
	log_notice("front=%s: %s: %s", front->object,
		   front->draining ? "the old one has left" : "gone", end->text);
	sup_front_free(&front);
}

/* The configuration is wrong, it says. */
static void
hold(struct sup_front *front)
{
	if (front->predecessor != NULL) {
		log_err("front=%s: the new one says that its configuration is wrong; the old one "
			"goes on",
			front->object);
		sup_front_free(&front);
		return;
	}
	front->held = true;
	log_err("front=%s: says that its configuration is wrong; waiting for another one",
		front->object);
}

static void
forget_incarnation(struct sup_front *front, const char *last_exit)
{
	bool was_ready = front->ready;

	front->child = NULL;
	front->ready = false;
	front->tls[0] = '\0';
	front->since_ms = sup_realtime_ms(front->sup);
	snprintf(front->last_exit, sizeof(front->last_exit), "%s", last_exit);
	json_decref(front->totals);
	front->totals = NULL;
	sup_snapshot_forget(front->sup, front->subscriber);
	sup_rtc_forget(front);
	if (front->is_rtc && was_ready)
		sup_rtc_announce(front->sup, false);
	sup_front_forget_streams(front);
	sup_tap_forget_front(front->sup, front->subscriber);
	sup_viewers_forget(front);
	sup_status_changed(front->sup);
}

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_front *front = arg;
	int64_t delay_ms;

	forget_incarnation(front, end->text);
	if (front->leaving || front->successor != NULL) {
		end_for_good(front, end);
		return;
	}
	if (front->sup->stopping)
		return;
	if (end->code == CHILD_EXIT_WRONG_CONFIG) {
		hold(front);
		return;
	}
	/* The operator wants a new one. */
	if (end->asked) {
		sup_front_start(front);
		return;
	}
	delay_ms = retry_delay_ms(front);
	log_failure(front, delay_ms);
	clock_timer_set_ms(&front->retry, delay_ms);
}

void
sup_front_start(struct sup_front *front)
{
	static const struct sup_child_ops ops = { .on_ready = on_ready,
						  .on_msg = on_msg,
						  .on_exit = on_exit_ };
	const struct sup_child_spec spec = {
		.program = front->is_rtc ? SUP_RTC_PROGRAM : SUP_FRONT_PROGRAM,
		.object = front->object,
		.receive = front->is_rtc ? MSG_FROM_RTC : MSG_FROM_FRONT,
	};
	struct sup *sup = front->sup;
	int rc;

	if (front->child != NULL || sup->stopping)
		return;
	clock_timer_cancel(&front->retry);
	front->held = false;
	front->ready_ns = 0;
	front->started_ns = sup_now_ns(sup);
	front->since_ms = sup_realtime_ms(sup);
	front->subscriber = ++sup->last_subscriber;
	rc = sup_child_start(sup, &spec, &ops, front, &front->child);
	if (rc < 0) {
		int64_t delay_ms = retry_delay_ms(front);

		snprintf(front->last_exit, sizeof(front->last_exit), "cannot start %s: %s",
			 spec.program, strerror(-rc));
		log_failure(front, delay_ms);
		clock_timer_set_ms(&front->retry, delay_ms);
		return;
	}
	front->spawns++;
	send_everything(front);
}

static void
on_retry(struct clock_timer *timer, void *arg)
{
	(void)timer;
	sup_front_start(arg);
}

struct sup_front *
sup_front_new(struct sup *sup, unsigned number)
{
	struct sup_front *front = xcalloc(1, sizeof(*front));

	front->sup = sup;
	front->number = number;
	if (number > 1)
		snprintf(front->object, sizeof(front->object), "http.%u", number);
	else
		snprintf(front->object, sizeof(front->object), "http");
	TAILQ_INIT(&front->streams);
	TAILQ_INIT(&front->viewers);
	clock_timer_init(&front->retry, sup->deps.clock, on_retry, front);
	sup_front_init_drain(front);
	TAILQ_INSERT_TAIL(&sup->fronts, front, entry);
	return front;
}

struct sup_front *
sup_front_new_rtc(struct sup *sup)
{
	struct sup_front *front = sup_front_new(sup, 1);

	front->is_rtc = true;
	snprintf(front->object, sizeof(front->object), SUP_RTC_NAME);
	return front;
}

void
sup_front_free(struct sup_front **front)
{
	struct sup_front *old = *front;

	*front = NULL;
	if (old == NULL)
		return;
	TAILQ_REMOVE(&old->sup->fronts, old, entry);
	if (old->successor != NULL)
		old->successor->predecessor = NULL;
	if (old->predecessor != NULL)
		old->predecessor->successor = NULL;
	clock_timer_cancel(&old->retry);
	clock_timer_cancel(&old->overdue);
	sup_child_free(&old->child);
	sup_front_drop_streams(old);
	sup_viewers_forget(old);
	json_decref(old->totals);
	free(old);
}

struct sup_front *
sup_front_by_subscriber(struct sup *sup, uint32_t subscriber)
{
	struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->subscriber == subscriber && front->child != NULL)
			return front;
	return NULL;
}

const char *
sup_front_state(const struct sup_front *front)
{
	if (front->child == NULL)
		return front->held ? "held" : "down";
	if (front->draining)
		return "draining";
	if (front->ready)
		return "up";
	return front->predecessor != NULL ? "replacing" : "starting";
}
