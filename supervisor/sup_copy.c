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

const char *
sup_copy_job(enum sup_copy_kind kind)
{
	static const char *const jobs[] = { [SUP_COPY_H264] = "h264", [SUP_COPY_OPUS] = "opus" };

	return jobs[kind];
}

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
		n += stream->is_copy && stream->copy_kind == SUP_COPY_H264 && has_place(stream);
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
	/* To make Opus is a hundredth of the work. */
	return is_source_up(copy) &&
	       (copy->copy_kind == SUP_COPY_OPUS ||
		is_place_free(copy->sup, sup_settings(copy->sup)->max_transcoders));
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

static bool
wants_source(const struct sup_stream *copy)
{
	return copy != NULL && copy->conf != NULL && copy->state != SUP_STATE_OFF &&
	       copy->state != SUP_STATE_STOPPING;
}

/* What copies are made of must flow, for as long as somebody may want one of them. */
static void
claim_source(struct sup_stream *source)
{
	bool wants = false;

	for (int i = 0; i < SUP_COPY_KINDS; i++)
		wants |= wants_source(source->copies[i]);
	if (source->feeds == wants)
		return;
	source->feeds = wants;
	sup_stream_apply_demand(source);
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
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		if (stream->copies[i] != NULL)
			follow_source(stream->copies[i]);
	if (!stream->is_copy)
		return;
	if (stream->source != NULL)
		claim_source(stream->source);
	if (!has_place(stream))
		sup_copy_places(stream->sup);
}

static bool
is_there(const struct sup_stream *source, enum sup_copy_kind kind)
{
	return source->copies[kind] != NULL && source->copies[kind]->conf != NULL;
}

static void
announce(struct sup_stream *source, enum sup_copy_kind kind)
{
	struct sup_stream *copy = source->copies[kind];

	if (copy == NULL) {
		log_info("cam=%s: can be had as %s.%s", source->name, source->name,
			 sup_copy_job(kind));
		copy = sup_stream_new_copy(source, kind);
	}
	/* Or it was taken back a moment ago, and is stopping still. */
	copy->conf = source->conf;
	sup_stream_review(copy);
}

static void
take_back(struct sup_stream *source, enum sup_copy_kind kind)
{
	if (is_there(source, kind))
		sup_stream_remove(source->copies[kind]);
}

static bool
may_be(const struct sup_stream *source, enum sup_copy_kind kind)
{
	return source->conf->camera->transcode != CONF_TRANSCODE_NEVER &&
	       (kind != SUP_COPY_OPUS || sup_settings(source->sup)->rtc_enabled);
}

static void
review(struct sup_stream *source, enum sup_copy_kind kind)
{
	static const struct {
		const char *field, *codec;
	} of[] = { [SUP_COPY_H264] = { "codec", "h265" }, [SUP_COPY_OPUS] = { "audio", "aac" } };
	const char *codec =
	    source->status != NULL ? msg_str(source->status, of[kind].field) : "none";

	if (!may_be(source, kind))
		take_back(source, kind);
	else if (strcmp(codec, of[kind].codec) == 0 && !is_there(source, kind))
		announce(source, kind);
	else if (strcmp(codec, of[kind].codec) != 0 && strcmp(codec, "none") != 0 &&
		 codec[0] != '\0')
		take_back(source, kind);
}

void
sup_copy_review(struct sup_stream *source)
{
	if (source->is_copy || source->conf == NULL)
		return;
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		review(source, i);
}

void
sup_copy_remove(struct sup_stream *source)
{
	for (int i = 0; i < SUP_COPY_KINDS; i++)
		take_back(source, i);
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
