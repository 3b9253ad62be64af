/*
 * What a subscription puts into the queue: its state, its configurations, its frames. Of a frame
 * only the headers are made here; the bytes behind them are those of all viewers.
 */
#include "config.h"

#include "http/wall_sub.h"

#include "http/link_ws.h"
#include "http/stream.h"
#include "http/ws.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

#define HEADER_VERSION 1
#define HEADER_BYTES   40u
#define FLAG_KEY       (1u << 0)
#define FLAG_DAMAGED   (1u << 1)
#define FLAG_BEHIND    (1u << 2)

void
sub_queue_state(struct sub *sub)
{
	json_t *msg = stream_describe_state(sub->now->stream);

	sub->state_due = false;
	if (json_object_set_new(msg, "type", json_string("state")) < 0 ||
	    json_object_set_new(msg, "id", json_integer(sub->id)) < 0)
		xalloc_die();
	link_ws_say(&sub->wall->link, msg);
}

bool
sub_queue_result(struct sub *sub)
{
	struct wire *wire = overlay_take(&sub->overlay);
	char before[48];
	uint8_t prefix[OUTQ_PREFIX_MAX];
	size_t len, head_len;

	if (wire == NULL)
		return false;
	len = (size_t)snprintf(before, sizeof(before), "{\"type\":\"result\",\"id\":%u,", sub->id);
	head_len = ws_head(WS_TEXT, len + wire->len, prefix);
	memcpy(prefix + head_len, before, len);
	outq_add(&sub->wall->link.out, prefix, head_len + len, wire, NULL);
	wire_unref(&wire);
	return true;
}

/* Configurations */

static bool
is_told(const struct sub *sub, const struct hub_entry *entry)
{
	const struct sub_told *told = &sub->told;
	const struct frame *frame = &entry->msg->frame;

	return told->form == sub->form && strcmp(told->stream, sub->now->stream->name) == 0 &&
	       hub_config_is_same_decoder(told->config, entry->config) &&
	       told->sound == sub->now->sound.config &&
	       (entry->config != NULL ||
		(told->width == frame->width && told->height == frame->height));
}

static json_t *
describe(const struct sub *sub)
{
	const struct sub_told *told = &sub->told;
	struct hub_config *config = told->config;
	json_t *msg = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:I, s:I}", "type", "config", "id",
				(json_int_t)sub->id, "version", (json_int_t)told->version, "stream",
				told->stream, "form", wall_form_name(told->form), "codec",
				config != NULL ? config->codec : "mjpeg", "width",
				(json_int_t)told->width, "height", (json_int_t)told->height);
	int rc = 0;

	if (msg == NULL)
		xalloc_die();
	if (told->form == WALL_UNIT)
		rc = json_object_set_new(msg, "description", json_string(config->record_base64));
	else if (told->form == WALL_FMP4)
		rc = json_object_set_new(msg, "init",
					 json_string(hub_config_init_base64(config, told->sound)));
	if (rc == 0 && told->sound != NULL)
		rc = json_object_set_new(msg, "audio",
					 json_string(told->sound->format.codec_string));
	if (rc < 0)
		xalloc_die();
	return msg;
}

static void
tell_config(struct sub *sub, const struct hub_entry *entry)
{
	struct sub_told *told = &sub->told;
	const struct hub_config *config = entry->config;
	bool again = is_told(sub, entry);

	hub_config_unref(&told->config);
	told->config = config != NULL ? hub_config_ref(entry->config) : NULL;
	if (again)
		return;
	snprintf(told->stream, sizeof(told->stream), "%s", sub->now->stream->name);
	told->form = sub->form;
	hub_audio_config_unref(&told->sound);
	if (sub->now->sound.config != NULL)
		told->sound = hub_audio_config_ref(sub->now->sound.config);
	told->width = config != NULL ? config->width : entry->msg->frame.width;
	told->height = config != NULL ? config->height : entry->msg->frame.height;
	told->version++;
	link_ws_say(&sub->wall->link, describe(sub));
}

static void
tell_skipped(struct sub *sub)
{
	struct cursor *cursor = sub->now;

	if (cursor->skipped_frames > 0)
		link_ws_say(&sub->wall->link, json_pack("{s:s, s:I, s:I, s:I}", "type", "skipped",
							"id", (json_int_t)sub->id, "frames",
							(json_int_t)cursor->skipped_frames, "ms",
							(json_int_t)cursor->skipped_ms));
	cursor->skipped_frames = cursor->skipped_ms = 0;
}

/* Frames */

/* Little-endian. */
static uint8_t *
put(uint8_t *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*out++ = (uint8_t)(value >> (8 * i));
	return out;
}

/* 90 kHz to microseconds. */
static int64_t
us_of(int64_t ticks)
{
	return ticks / 9 * 100 + ticks % 9 * 100 / 9;
}

struct header {
	unsigned track, flags;
	int64_t duration_us, pts_us;
	const struct frame *frame; /* NULL: none came */
};

static void
write_header(const struct sub *sub, const struct header *header, uint8_t *out)
{
	static const struct frame none;
	const struct frame *frame = header->frame != NULL ? header->frame : &none;

	out = put(out, HEADER_VERSION, 1);
	out = put(out, header->track, 1);
	out = put(out, sub->id, 2);
	out = put(out, header->flags, 2);
	out = put(out, sub->told.version, 2);
	out = put(out, frame->seq, 4);
	out = put(out, (uint64_t)header->duration_us, 4);
	out = put(out, (uint64_t)header->pts_us, 8);
	out = put(out, (uint64_t)(frame->arrived_realtime_ns / 1000), 8);
	/* The clock of a camera that nobody set says nothing. */
	put(out,
	    frame->flags & FRAME_CLOCK_UNSYNCED ? 0
						: (uint64_t)(frame->captured_realtime_ns / 1000),
	    8);
}

static void
write_picture_header(const struct sub *sub, const struct hub_entry *entry, uint64_t decode_time,
		     bool behind, uint8_t *out)
{
	struct header header = {
		.track = FRAME_TRACK_VIDEO,
		.flags = (entry->is_key ? FLAG_KEY : 0) | (entry->is_damaged ? FLAG_DAMAGED : 0) |
			 (behind ? FLAG_BEHIND : 0),
		.duration_us = us_of(entry->stamp.duration),
		.pts_us = us_of((int64_t)decode_time + entry->stamp.composition_offset),
		.frame = &entry->msg->frame,
	};

	write_header(sub, &header, out);
}

/* Returns its length, 0: it cannot be one. */
static size_t
write_fragment_head(struct sub *sub, const struct hub_entry *entry, uint64_t decode_time,
		    size_t payload_len, uint8_t *out)
{
	struct fmp4_sample sample = {
		.sequence = ++sub->sequence,
		.track_id = 1,
		.decode_time = decode_time,
		.duration = entry->stamp.duration,
		.composition_offset = entry->stamp.composition_offset,
		.is_key = entry->is_key,
		.payload_len = payload_len,
	};

	return fmp4_fragment_header(&sample, out) == 0 ? FMP4_FRAGMENT_HEADER_BYTES : 0;
}

static void
queue_frame(struct sub *sub, const struct hub_entry *entry, struct wire *wire)
{
	bool behind = sub->now->pos + 1 < sub->now->burst_end;
	uint64_t decode_time = cursor_take(sub->now);
	size_t inner = sub->form == WALL_FMP4 ? FMP4_FRAGMENT_HEADER_BYTES : 0;
	size_t len = HEADER_BYTES + inner + wire->len, head_len;
	uint8_t prefix[OUTQ_PREFIX_MAX];

	head_len = ws_head(WS_BINARY, len, prefix);
	write_picture_header(sub, entry, decode_time, behind, prefix + head_len);
	head_len += HEADER_BYTES;
	if (inner > 0 &&
	    write_fragment_head(sub, entry, decode_time, wire->len, prefix + head_len) == 0)
		return;
	outq_add(&sub->wall->link.out, prefix, head_len + inner, wire, NULL);
	sub->now->bytes += head_len + inner + wire->len;
}

/* Only where decoding begins: a client makes its decoders anew for another set of tracks. Sound is
 * in files only; units have no track for it. */
static void
choose_sound(struct sub *sub, const struct hub_entry *entry)
{
	struct hub_audio_config *sound = NULL;

	if (!entry->is_key)
		return;
	if (sub->want.audio && sub->form == WALL_FMP4)
		sound = cursor_sound_choose(sub->now, entry, sub->want.codecs, false);
	cursor_sound_set(sub->now, sound);
}

static int64_t
sound_us(const struct hub_audio_entry *entry, uint64_t ticks)
{
	uint32_t rate = entry->config->format.rate;

	return (int64_t)(ticks / rate * 1000000 + ticks % rate * 1000000 / rate);
}

size_t
sub_queue_sound(struct sub *sub)
{
	struct hub_audio_entry *entry = cursor_sound_peek(sub->now);
	struct fmp4_sample sample = { .track_id = HUB_AUDIO_TRACK, .is_key = true };
	struct header header = { .track = FRAME_TRACK_AUDIO, .flags = FLAG_KEY };
	uint8_t prefix[OUTQ_PREFIX_MAX];
	struct wire *wire;
	size_t len;

	if (entry == NULL)
		return 0;
	wire = hub_audio_wire(entry);
	sample.sequence = ++sub->sequence;
	sample.decode_time = cursor_sound_take(sub->now);
	sample.duration = entry->ticks;
	sample.payload_len = wire->len;
	header.duration_us = sound_us(entry, entry->ticks);
	header.pts_us = sound_us(entry, sample.decode_time);
	header.frame = entry->msg != NULL ? &entry->msg->frame : NULL;
	len = ws_head(WS_BINARY, HEADER_BYTES + FMP4_FRAGMENT_HEADER_BYTES + wire->len, prefix);
	write_header(sub, &header, prefix + len);
	len += HEADER_BYTES;
	if (fmp4_fragment_header(&sample, prefix + len) == 0)
		outq_add(&sub->wall->link.out, prefix, len + FMP4_FRAGMENT_HEADER_BYTES, wire,
			 NULL);
	sub->now->bytes += len + FMP4_FRAGMENT_HEADER_BYTES + wire->len;
	return wire->len;
}

size_t
sub_queue_entry(struct sub *sub, struct hub_entry *entry)
{
	struct wire *wire = hub_wire(entry);

	if (wire == NULL) {
		cursor_pass(sub->now);
		return 0;
	}
	choose_sound(sub, entry);
	if (entry->config != sub->told.config || !is_told(sub, entry))
		tell_config(sub, entry);
	tell_skipped(sub);
	queue_frame(sub, entry, wire);
	return wire->len;
}
