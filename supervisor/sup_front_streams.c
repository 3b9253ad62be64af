/*
 * What fronts are told about streams and what they say about them, summed up over all fronts.
 */
#include "config.h"

#include "supervisor/sup_front.h"

#include "shared/xalloc.h"
#include "supervisor/sup_stream.h"
#include "supervisor/sup_tap.h"

#include <stdlib.h>

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
struct sup_front_stream *
sup_front_want_stream(struct sup_front *front, uint32_t id)
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

void
sup_front_review_demand(struct sup *sup, uint32_t id)
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
	sup_stream_set_demand(stream, demand || sup_tap_wants(sup, id));
}

void
sup_front_forget_streams(struct sup_front *front)
{
	struct sup_front_stream *entry;

	while ((entry = TAILQ_FIRST(&front->streams)) != NULL) {
		uint32_t id = entry->id;

		drop_stream(front, entry);
		sup_front_review_demand(front->sup, id);
	}
}

void
sup_front_drop_streams(struct sup_front *front)
{
	struct sup_front_stream *entry;

	while ((entry = TAILQ_FIRST(&front->streams)) != NULL)
		drop_stream(front, entry);
}

json_t *
sup_front_make_stream(const struct sup_stream *stream)
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

void
sup_front_announce(struct sup *sup, const struct sup_stream *stream)
{
	sup_front_tell_all(sup, MSG_STREAM, sup_front_make_stream(stream));
	sup_tap_on_stream(sup, stream);
}

void
sup_front_announce_gone(struct sup *sup, uint32_t id)
{
	struct sup_front *front;
	json_t *msg = msg_new(MSG_STREAM_GONE);

	for (front = TAILQ_FIRST(&sup->fronts); front != NULL; front = TAILQ_NEXT(front, entry)) {
		struct sup_front_stream *entry = find_stream(front, id);

		if (entry != NULL)
			drop_stream(front, entry);
	}
	msg_set_int(msg, "id", id);
	sup_front_tell_all(sup, MSG_STREAM_GONE, msg);
	sup_tap_on_gone(sup, id);
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
