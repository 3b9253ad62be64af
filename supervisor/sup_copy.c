/*
 * Copies wait in the state "probe": what a camera's worker asks by a TCP connect, they ask of their
 * source.
 */
#include "config.h"

#include "supervisor/sup_copy.h"

#include "shared/log.h"
#include "shared/xalloc.h"
#include "supervisor/sup_stream.h"

#include <string.h>

static const char full[] = "as many transcoders run as may (limits: transcoders)";

/* It has a process, or is about to. */
static bool
has_place(const struct sup_stream *copy)
{
	return copy->state == SUP_STATE_QUEUE || sup_state_has_child(copy->state);
}

static bool
is_place_free(const struct sup *sup, int64_t max)
{
	const struct sup_stream *stream;
	int64_t n = 0;

	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		n += stream->is_copy && has_place(stream);
	return n < max;
}

static bool
is_source_up(const struct sup_stream *copy)
{
	return copy->source != NULL && copy->source->state == SUP_STATE_UP && copy->source->ready;
}

bool
sup_copy_may_start(const struct sup_stream *copy)
{
	return is_source_up(copy) &&
	       is_place_free(copy->sup, sup_settings(copy->sup)->max_transcoders);
}

const char *
sup_copy_told_state(const struct sup_stream *copy)
{
	const char *state;

	if (is_source_up(copy))
		return "refused";
	state = copy->source != NULL ? copy->source->told.state : "down";
	/* It is on its way: the copy wants it. */
	return strcmp(state, "off") == 0 || strcmp(state, "up") == 0 ? "connecting" : state;
}

const char *
sup_copy_told_reason(const struct sup_stream *copy)
{
	if (is_source_up(copy))
		return full;
	return copy->source != NULL ? copy->source->told.reason : "";
}

/* A process that reads a bus which is not there any more, or soon will. */
static bool
is_orphan(const struct sup_stream *copy)
{
	switch (copy->state) {
	case SUP_STATE_QUEUE:
		return !is_source_up(copy);
	case SUP_STATE_STARTING:
	case SUP_STATE_CONNECTING:
	case SUP_STATE_UP:
	case SUP_STATE_STALLED:
		return !copy->source->ready || copy->source->epoch != copy->source_epoch;
	default:
		return false;
	}
}

static void
follow_source(struct sup_stream *copy)
{
	if (copy->conf == NULL)
		return;
	if (is_orphan(copy))
		sup_stream_event(copy, SUP_EVENT_RESTART);
	else if (copy->state == SUP_STATE_PROBE && sup_copy_may_start(copy))
		sup_stream_event(copy, SUP_EVENT_ANSWERED);
	else
		sup_stream_tell(copy);
}

/* What the copy is made of must flow, for as long as somebody may want the copy. */
static void
claim_source(struct sup_stream *copy)
{
	bool wants =
	    copy->conf != NULL && copy->state != SUP_STATE_OFF && copy->state != SUP_STATE_STOPPING;

	if (copy->source == NULL || copy->source->feeds == wants)
		return;
	copy->source->feeds = wants;
	sup_stream_apply_demand(copy->source);
}

void
sup_copy_places(struct sup *sup)
{
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (stream->is_copy && stream->conf != NULL && stream->state == SUP_STATE_PROBE &&
		    sup_copy_may_start(stream))
			sup_stream_event(stream, SUP_EVENT_ANSWERED);
}

void
sup_copy_follow(struct sup_stream *stream)
{
	if (stream->copy != NULL)
		follow_source(stream->copy);
	if (!stream->is_copy)
		return;
	claim_source(stream);
	if (!has_place(stream))
		sup_copy_places(stream->sup);
}

static void
announce(struct sup_stream *source)
{
	struct sup_stream *copy = source->copy;

	if (copy == NULL) {
		log_info("cam=%s: can be had as %s%s", source->name, source->name, SUP_COPY_SUFFIX);
		copy = sup_stream_new_copy(source);
	}
	/* Or it was taken back a moment ago, and is stopping still. */
	copy->conf = source->conf;
	sup_stream_review(copy);
}

static void
take_back(struct sup_stream *source)
{
	if (source->copy != NULL && source->copy->conf != NULL)
		sup_stream_remove(source->copy);
}

void
sup_copy_review(struct sup_stream *source)
{
	const char *codec = source->status != NULL ? msg_str(source->status, "codec") : "none";

	if (source->is_copy || source->conf == NULL)
		return;
	if (source->conf->camera->transcode == CONF_TRANSCODE_NEVER)
		take_back(source);
	else if (strcmp(codec, "h265") == 0 && (source->copy == NULL || source->copy->conf == NULL))
		announce(source);
	else if (strcmp(codec, "h265") != 0 && strcmp(codec, "none") != 0)
		take_back(source);
}

void
sup_copy_remove(struct sup_stream *source)
{
	take_back(source);
}

json_t *
sup_copy_config(struct sup_stream *copy)
{
	const struct conf *conf = sup_settings(copy->sup);
	json_t *msg = msg_new(MSG_WORKER_CONFIG);
	char *url = xasprintf("camhub:%s", copy->source->name);

	copy->source_epoch = copy->source->epoch;
	copy->subscriber = ++copy->sup->last_subscriber;
	msg_set_str(msg, "stream", copy->name);
	msg_set_int(msg, "stream_id", copy->id);
	msg_set_int(msg, "epoch", copy->epoch);
	msg_set_str(msg, "url", url);
	msg_set_str(msg, "transport", "auto");
	msg_set_str(msg, "bus", copy->bus);
	msg_set_int(msg, "bus_mode", conf->bus_mode);
	msg_set_int(msg, "gop_cache_bytes", conf->gop_cache_bytes);
	msg_set_int(msg, "open_timeout_ms", SUP_COPY_OPEN_MS);
	msg_set_int(msg, "stall_ms", copy->conf->camera->stall_timeout_ms);
	msg_set_str(msg, "log_level", log_level_name(log_get_level()));
	msg_set_bool(msg, "probe", false);
	msg_set_str(msg, "source_bus", copy->source->bus);
	msg_set_int(msg, "source_id", copy->source->id);
	msg_set_int(msg, "subscriber", copy->subscriber);
	free(url);
	return msg;
}
