/*
 * Fronts: told everything after each start, listened to, started again when they die.
 */
#include "config.h"

#include "supervisor/sup_front.h"

#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_snapshot.h"
#include "supervisor/sup_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct sup_front_stream *
find_stream(const struct sup_front *front, uint32_t id)
{
	struct sup_front_stream *entry;

	for (entry = TAILQ_FIRST(&front->streams); entry != NULL; entry = TAILQ_NEXT(entry, entry))
		if (entry->id == id)
			return entry;
	return NULL;
}

/* NULL for a stream that does not exist: what a front says of it is late, or nonsense. */
static struct sup_front_stream *
want_stream(struct sup_front *front, uint32_t id)
{
	struct sup_front_stream *entry = find_stream(front, id);

	if (entry != NULL || sup_stream_by_id(front->sup, id) == NULL)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->id = id;
	TAILQ_INSERT_TAIL(&front->streams, entry, entry);
	return entry;
}

static void
drop_stream(struct sup_front *front, struct sup_front_stream *entry)
{
	TAILQ_REMOVE(&front->streams, entry, entry);
	json_decref(entry->stats);
	free(entry);
}

static void
review_demand(struct sup *sup, uint32_t id)
{
	struct sup_stream *stream = sup_stream_by_id(sup, id);
	struct sup_front *front;
	bool demand = false;

	if (stream == NULL)
		return;
	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		const struct sup_front_stream *entry = find_stream(front, id);

		demand = demand || (entry != NULL && entry->want);
	}
	sup_stream_set_demand(stream, demand);
}

/* It is dead: nobody watches through it. */
static void
forget_streams(struct sup_front *front)
{
	struct sup_front_stream *entry;

	while ((entry = TAILQ_FIRST(&front->streams)) != NULL) {
		uint32_t id = entry->id;

		drop_stream(front, entry);
		review_demand(front->sup, id);
	}
}

static json_t *
make_config(const struct sup_front *front)
{
	const struct conf *conf = sup_settings(front->sup);
	json_t *msg = msg_new(MSG_FRONT_CONFIG), *origins = json_array();

	for (size_t i = 0; i < conf->origins.n; i++)
		json_array_append_new(origins, json_string(conf->origins.list[i]));
	msg_set_int(msg, "subscriber", front->subscriber);
	msg_set_str(msg, "web_dir", front->sup->options.web_dir);
	msg_set_str(msg, "log_level", log_level_name(log_get_level()));
	json_object_set_new(msg, "embed_origins", origins);
	msg_set_int(msg, "max_viewers", conf->max_viewers);
	msg_set_int(msg, "viewer_lag_bytes", conf->viewer_lag_bytes);
	msg_set_int(msg, "ring_bytes", conf->ring_bytes);
	msg_set_int(msg, "request_deadline_ms", conf->request_deadline_ms);
	msg_set_int(msg, "live_target_ms", conf->live_target_ms);
	msg_set_int(msg, "snapshot_timeout_ms", conf->snapshot_timeout_ms);
	return msg;
}

static json_t *
make_stream(const struct sup_stream *stream)
{
	const struct conf_camera *camera = stream->conf->camera;
	json_t *msg = msg_new(MSG_STREAM);

	msg_set_int(msg, "id", stream->id);
	msg_set_str(msg, "name", stream->name);
	msg_set_str(msg, "camera", camera->name);
	msg_set_str(msg, "title", camera->title);
	if (camera->group != NULL)
		msg_set_str(msg, "group", camera->group);
	msg_set_int(msg, "order", stream->conf->order);
	msg_set_bool(msg, "on_demand", sup_stream_is_on_demand(stream));
	msg_set_str(msg, "state", stream->told.state);
	msg_set_int(msg, "since_ms", stream->told.since_ms);
	msg_set_str(msg, "reason", stream->told.reason);
	msg_set_int(msg, "epoch", stream->ready ? stream->epoch : 0);
	msg_set_str(msg, "bus", stream->ready ? stream->bus : "");
	msg_set_int(msg, "loss_hold_ms", camera->loss_hold_ms);
	if (stream->advice != NULL)
		json_object_set(msg, "advice", stream->advice);
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
	send_listeners(front);
	for (stream = TAILQ_FIRST(&front->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (stream->conf != NULL)
			sup_child_send(front->child, make_stream(stream), -1);
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
}

static void
on_want(struct sup_front *front, const json_t *msg)
{
	uint32_t id = (uint32_t)msg_int(msg, "id", 0);
	struct sup_front_stream *entry = want_stream(front, id);

	if (entry == NULL)
		return;
	entry->want = msg_bool(msg, "on", false);
	review_demand(front->sup, id);
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
	struct sup_front_stream *entry = want_stream(front, (uint32_t)msg_int(msg, "id", 0));

	if (entry == NULL)
		return;
	json_decref(entry->stats);
	entry->stats = json_deep_copy(msg);
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
	} else if (type == MSG_FRONT_TOTALS) {
		json_decref(front->totals);
		front->totals = json_deep_copy(msg);
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

static void
on_exit_(void *arg, const struct sup_exit *end)
{
	struct sup_front *front = arg;
	bool renew = front->renew && end->asked;
	int64_t delay_ms;

	front->child = NULL;
	front->ready = front->renew = false;
	front->since_ms = sup_realtime_ms(front->sup);
	snprintf(front->last_exit, sizeof(front->last_exit), "%s", end->text);
	json_decref(front->totals);
	front->totals = NULL;
	sup_snapshot_forget(front->sup, front->subscriber);
	forget_streams(front);
	sup_status_changed(front->sup);
	if (front->sup->stopping)
		return;
	if (end->code == CHILD_EXIT_WRONG_CONFIG) {
		front->held = true;
		log_err("front=%s: says that its configuration is wrong; waiting for another one",
			front->object);
		return;
	}
	delay_ms = renew ? 0 : retry_delay_ms(front);
	if (!renew)
		log_failure(front, delay_ms);
	clock_timer_set_ms(&front->retry, delay_ms);
}

void
sup_front_start(struct sup_front *front)
{
	static const struct sup_child_ops ops = { .on_ready = on_ready,
						  .on_msg = on_msg,
						  .on_exit = on_exit_ };
	const struct sup_child_spec spec = { .program = front->program,
					     .object = front->object,
					     .receive = MSG_FROM_FRONT };
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
			 front->program, strerror(-rc));
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
sup_front_new(struct sup *sup, const char *program, const char *object)
{
	struct sup_front *front = xcalloc(1, sizeof(*front));

	front->sup = sup;
	front->program = program;
	front->object = object;
	TAILQ_INIT(&front->streams);
	clock_timer_init(&front->retry, sup->deps.clock, on_retry, front);
	TAILQ_INSERT_TAIL(&sup->fronts, front, entry);
	return front;
}

void
sup_front_free(struct sup_front **front)
{
	struct sup_front *old = *front;
	struct sup_front_stream *entry;

	*front = NULL;
	if (old == NULL)
		return;
	TAILQ_REMOVE(&old->sup->fronts, old, entry);
	clock_timer_cancel(&old->retry);
	sup_child_free(&old->child);
	while ((entry = TAILQ_FIRST(&old->streams)) != NULL)
		drop_stream(old, entry);
	json_decref(old->totals);
	free(old);
}

void
sup_front_restart(struct sup_front *front)
{
	if (front->child == NULL) {
		sup_front_start(front);
		return;
	}
	front->renew = true;
	sup_child_stop(front->child);
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
	return front->ready ? "up" : "starting";
}

void
sup_front_announce(struct sup *sup, const struct sup_stream *stream)
{
	struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry))
		if (front->child != NULL)
			sup_child_send(front->child, make_stream(stream), -1);
}

void
sup_front_announce_gone(struct sup *sup, uint32_t id)
{
	struct sup_front *front;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		struct sup_front_stream *entry = find_stream(front, id);
		json_t *msg;

		if (entry != NULL)
			drop_stream(front, entry);
		if (front->child == NULL)
			continue;
		msg = msg_new(MSG_STREAM_GONE);
		msg_set_int(msg, "id", id);
		sup_child_send(front->child, msg, -1);
	}
}

long long
sup_front_count(struct sup *sup, uint32_t id, const char *field, bool is_high)
{
	struct sup_front *front;
	long long total = 0;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		const struct sup_front_stream *entry = find_stream(front, id);
		long long value = 0;

		if (entry != NULL && entry->stats != NULL)
			value = msg_int(entry->stats, field, 0);
		if (!is_high)
			total += value;
		else if (value > total)
			total = value;
	}
	return total;
}

const json_t *
sup_front_delay(struct sup *sup, uint32_t id)
{
	struct sup_front *front;
	const json_t *latest = NULL;
	long long highest = -1;

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		const struct sup_front_stream *entry = find_stream(front, id);
		long long p95_ms;

		if (entry == NULL || entry->stats == NULL)
			continue;
		p95_ms = msg_int(entry->stats, "delay_p95_ms", -1);
		if (p95_ms <= highest)
			continue;
		highest = p95_ms;
		latest = entry->stats;
	}
	return latest;
}
