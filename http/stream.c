/*
 * Streams as the supervisor announces them, and who watches them.
 */
#include "config.h"

#include "http/stream.h"

#include "http/cursor.h"
#include "http/delay_tell.h"
#include "http/results.h"
#include "http/snapshot.h"
#include "http/stream_bus.h"
#include "shared/child_ev.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CAMERA_NAME_MAX 32

bool
stream_is_name(const char *name)
{
	size_t n = 0;

	if (!islower((unsigned char)name[0]) && !isdigit((unsigned char)name[0]))
		return false;
	while (islower((unsigned char)name[n]) || isdigit((unsigned char)name[n]) ||
	       name[n] == '_' || name[n] == '-')
		n++;
	if (n > CAMERA_NAME_MAX)
		return false;
	if (strncmp(name + n, ".sub", 4) == 0)
		n += 4;
	return name[n] == '\0' || strcmp(name + n, ".h264") == 0 || strcmp(name + n, ".opus") == 0;
}

struct stream *
stream_find(const struct front *front, const char *name)
{
	struct stream *stream;

	for (stream = LIST_FIRST(&front->streams); stream != NULL;
	     stream = LIST_NEXT(stream, entry))
		if (strcmp(stream->name, name) == 0)
			return stream;
	return NULL;
}

struct stream *
stream_find_id(const struct front *front, long long id)
{
	struct stream *stream;

	for (stream = LIST_FIRST(&front->streams); stream != NULL;
	     stream = LIST_NEXT(stream, entry))
		if (stream->id == id)
			return stream;
	return NULL;
}

bool
stream_is_up(const struct stream *stream)
{
	return strcmp(stream->state, "up") == 0;
}

static struct stream *
stream_new(struct front *front, const json_t *msg)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->front = front;
	stream->id = (uint32_t)msg_int(msg, "id", 0);
	stream->hub = hub_new(front->config.subscriber, front->config.ring_bytes);
	stream->delay = delay_stats_new();
	stream_bus_init(stream);
	LIST_INIT(&stream->cursors);
	LIST_INSERT_HEAD(&front->streams, stream, entry);
	return stream;
}

static void
set_text(char **text, const char *value)
{
	free(*text);
	*text = xstrdup(value);
}

/* A walk through those who watch; they may come and go meanwhile. */
static struct cursor *
next_cursor(struct stream *stream)
{
	struct cursor *cursor = stream->next_cursor;

	stream->next_cursor = cursor != NULL ? LIST_NEXT(cursor, in_stream) : NULL;
	return cursor;
}

static struct cursor *
first_cursor(struct stream *stream)
{
	stream->next_cursor = LIST_FIRST(&stream->cursors);
	return next_cursor(stream);
}

static void
set_state(struct stream *stream, const json_t *msg)
{
	const char *state = msg_str(msg, "state"), *reason = msg_str(msg, "reason");
	int64_t since = msg_int(msg, "since_ms", 0);
	struct cursor *cursor;

	if (strcmp(stream->state, state) == 0 && stream->since_ms == since &&
	    stream->reason != NULL && strcmp(stream->reason, reason) == 0)
		return;
	snprintf(stream->state, sizeof(stream->state), "%s", state);
	stream->since_ms = since;
	set_text(&stream->reason, reason);
	for (cursor = first_cursor(stream); cursor != NULL; cursor = next_cursor(stream))
		cursor_on_state(cursor);
}

void
stream_announce(struct front *front, const json_t *msg)
{
	struct stream *stream = stream_find_id(front, msg_int(msg, "id", 0));

	if (stream == NULL)
		stream = stream_new(front, msg);
	snprintf(stream->name, sizeof(stream->name), "%s", msg_str(msg, "name"));
	snprintf(stream->camera, sizeof(stream->camera), "%s", msg_str(msg, "camera"));
	set_text(&stream->title, msg_str(msg, "title"));
	set_text(&stream->group, msg_str(msg, "group"));
	json_decref(stream->advice);
	stream->advice = json_incref(json_object_get(msg, "advice"));
	stream->order = msg_int(msg, "order", 0);
	stream->on_demand = msg_bool(msg, "on_demand", false);
	hub_set_loss_hold(stream->hub, msg_int(msg, "loss_hold_ms", HUB_LOSS_HOLD_MS));
	stream_bus_announce(stream, (uint64_t)msg_int(msg, "epoch", 0), msg_str(msg, "bus"));
	set_state(stream, msg);
}

void
stream_free(struct stream **stream)
{
	struct stream *old = *stream;

	if (old == NULL)
		return;
	*stream = NULL;
	/* Nobody shall find it and enter it again. */
	LIST_REMOVE(old, entry);
	while (!LIST_EMPTY(&old->cursors))
		cursor_on_gone(LIST_FIRST(&old->cursors));
	snapshot_stream_gone(old);
	stream_bus_close(old);
	hub_free(&old->hub);
	delay_stats_free(&old->delay);
	json_decref(old->advice);
	free(old->title);
	free(old->group);
	free(old->reason);
	free(old->bus_path);
	free(old);
}

/* Viewers */

static void
say_want(struct stream *stream)
{
	json_t *msg = msg_new(MSG_WANT);

	msg_set_int(msg, "id", stream->id);
	msg_set_bool(msg, "on", stream->wanted);
	front_send(stream->front, msg, -1);
}

json_t *
stream_describe_state(const struct stream *stream)
{
	json_t *json = json_pack("{s:s, s:I, s:s, s:I}", "state", stream->state, "since_ms",
				 (json_int_t)stream->since_ms, "reason",
				 stream->reason != NULL ? stream->reason : "", "server_ms",
				 (json_int_t)front_now_ms(stream->front));

	if (json == NULL)
		xalloc_die();
	return json;
}

void
stream_update_want(struct stream *stream)
{
	bool wanted = stream->interest > 0;
	const struct cursor *cursor;

	for (cursor = LIST_FIRST(&stream->cursors); cursor != NULL && !wanted;
	     cursor = LIST_NEXT(cursor, in_stream))
		wanted = cursor->mode != CURSOR_IDLE;
	if (wanted == stream->wanted)
		return;
	stream->wanted = wanted;
	say_want(stream);
	if (wanted)
		hub_start(stream->hub);
	else
		hub_stop(stream->hub);
	stream_bus_want(stream);
}

/* What no cursor needs any more goes when a new GOP begins. */
static void
trim(struct stream *stream)
{
	uint64_t oldest = UINT64_MAX;
	const struct cursor *cursor;

	for (cursor = LIST_FIRST(&stream->cursors); cursor != NULL;
	     cursor = LIST_NEXT(cursor, in_stream)) {
		uint64_t pos = cursor_needs(cursor);

		if (pos < oldest)
			oldest = pos;
	}
	hub_trim(stream->hub, oldest);
}

static void
note_newest(struct stream *stream)
{
	const struct hub_entry *entry = hub_at(stream->hub, hub_tail(stream->hub) - 1);
	const struct frame *frame = &entry->msg->frame;
	const struct hub_config *config = entry->config;

	stream->kind = config != NULL ? STREAM_KIND_VIDEO : STREAM_KIND_JPEG;
	stream->width = config != NULL ? config->width : frame->width;
	stream->height = config != NULL ? config->height : frame->height;
	if (config != NULL)
		snprintf(stream->codec_string, sizeof(stream->codec_string), "%s", config->codec);
	snprintf(stream->codec, sizeof(stream->codec), "%s", frame_codec_name(frame->codec));
}

static void
deliver(struct stream *stream, unsigned appended)
{
	struct cursor *cursor;
	uint64_t key;
	bool has_key;

	if (appended == 0)
		return;
	note_newest(stream);
	has_key = hub_newest_key(stream->hub, hub_tail(stream->hub) - appended, &key);
	for (cursor = first_cursor(stream); cursor != NULL; cursor = next_cursor(stream))
		cursor_on_frames(cursor, has_key);
	snapshot_on_frames(stream);
	if (has_key)
		trim(stream);
}

static uint64_t
counter(const json_t *status, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(status, name));

	return value > 0 ? (uint64_t)value : 0;
}

static void
take_status(struct stream *stream, const struct bus_msg *msg)
{
	json_t *status = json_loadb((const char *)msg->payload, msg->frame.payload_len,
				    JSON_REJECT_DUPLICATES, NULL);
	const char *codec = json_string_value(json_object_get(status, "codec"));
	const char *codec_string = json_string_value(json_object_get(status, "codec_string"));
	json_int_t last_seq = json_integer_value(json_object_get(status, "last_video_seq"));

	if (json_object_get(status, "replay_end") != NULL) {
		if (msg->frame.for_subscriber == stream->front->config.subscriber)
			deliver(stream, hub_replay_end(stream->hub));
		json_decref(status);
		return;
	}
	if (codec != NULL && strcmp(codec, "none") != 0) {
		snprintf(stream->codec, sizeof(stream->codec), "%s", codec);
		stream->kind = strcmp(codec, "mjpeg") == 0 || strcmp(codec, "jpeg-rtp") == 0
				   ? STREAM_KIND_JPEG
				   : STREAM_KIND_VIDEO;
	}
	if (codec_string != NULL)
		snprintf(stream->codec_string, sizeof(stream->codec_string), "%s", codec_string);
	if (json_integer_value(json_object_get(status, "width")) > 0) {
		stream->width = (unsigned)json_integer_value(json_object_get(status, "width"));
		stream->height = (unsigned)json_integer_value(json_object_get(status, "height"));
	}
	stream->fps = json_number_value(json_object_get(status, "fps"));
	stream->corrupt = counter(status, "corrupt");
	stream->packets = counter(status, "packets");
	stream->lost = counter(status, "lost");
	if (last_seq > 0 && !json_is_true(json_object_get(status, "paused")))
		hub_note_last_seq(stream->hub, msg->frame.epoch, (uint64_t)last_seq);
	json_decref(status);
}

/* Between two pictures. */
static void
deliver_sound(struct stream *stream)
{
	struct cursor *cursor;

	for (cursor = first_cursor(stream); cursor != NULL; cursor = next_cursor(stream))
		cursor_on_sound(cursor);
}

/* So that what programs say of it finds it, whether somebody watches or not. */
static void
note_stamp(struct stream *stream, const struct frame *frame)
{
	if (frame->track == FRAME_TRACK_VIDEO && !(frame->flags & FRAME_REPLAY) &&
	    (frame->kind == FRAME_KIND_VIDEO || frame->kind == FRAME_KIND_JPEG))
		stamps_add(&stream->stamps, frame, clock_now_ns(stream->front->clock));
}

void
stream_tell_result(struct stream *stream, struct overlay_item *item)
{
	struct cursor *cursor;

	for (cursor = first_cursor(stream); cursor != NULL; cursor = next_cursor(stream))
		cursor_on_result(cursor, item);
}

static void
push_media(struct stream *stream, struct bus_msg *msg)
{
	uint64_t tail = hub_sound(stream->hub)->tail;
	unsigned appended = hub_push(stream->hub, msg);

	note_stamp(stream, &msg->frame);
	if (appended > 0)
		deliver(stream, appended);
	else if (hub_sound(stream->hub)->tail != tail)
		deliver_sound(stream);
	results_on_frame(stream->front->results, stream);
}

void
stream_push(struct stream *stream, struct bus_msg *msg)
{
	if (msg->frame.stream_id != stream->id)
		return;
	if (msg->frame.kind == FRAME_KIND_STATUS)
		take_status(stream, msg);
	else
		push_media(stream, msg);
}

json_t *
stream_report(const struct stream *stream)
{
	const struct hub_stats *stats = hub_stats(stream->hub);
	json_t *msg = msg_new(MSG_FRONT_STREAM);

	msg_set_int(msg, "id", stream->id);
	msg_set_int(msg, "viewers", stream->n_viewers);
	msg_set_int(msg, "frames", (long long)stats->frames);
	msg_set_int(msg, "holes", (long long)stats->holes);
	msg_set_int(msg, "skipped", (long long)stream->skipped);
	msg_set_int(msg, "ring_bytes", (long long)stats->bytes);
	msg_set_int(msg, "ring_bytes_high", (long long)stats->bytes_high);
	msg_set_int(msg, "lag_bytes_high", (long long)stream->lag_bytes_high);
	msg_set_int(msg, "withheld", (long long)stats->withheld);
	msg_set_int(msg, "passed_damaged", (long long)stats->passed_damaged);
	delay_put_report(msg, stream->delay, clock_now_ns(stream->front->clock));
	return msg;
}
