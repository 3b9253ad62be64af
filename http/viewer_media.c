/*
 * Media in each viewer's framing: fMP4 fragments as WebSocket messages or HTTP chunks, JPEGs as
 * messages or parts. The bytes are shared; only the headers before them are each viewer's own.
 */
#include "config.h"

#include "http/viewer_media.h"

#include "http/codecs.h"
#include "http/stream.h"
#include "http/ws.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>

#define BATCH_ENTRIES   8 /* queued at once; what is queued cannot be skipped any more */
#define BATCH_BYTES     (256u << 10)
#define BURST_BYTES_MAX (1536u << 10) /* players stage at most 2 MiB while they append */
#define BURST_ENTRIES   4096
#define PACE_MS         100

#define EARLY_PART_HEAD "\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"

/* Puts `len` more bytes (after the prefix) into this viewer's framing. */
static size_t
frame_head(const struct viewer *viewer, uint64_t len, uint8_t *out)
{
	if (viewer->kind == VIEWER_WS)
		return ws_head(WS_BINARY, len, out);
	if (viewer->chunked)
		return (size_t)sprintf((char *)out, "%llx\r\n", (unsigned long long)len);
	return 0;
}

static const char *
frame_tail(const struct viewer *viewer)
{
	return viewer->kind != VIEWER_WS && viewer->chunked ? "\r\n" : NULL;
}

static size_t
fragment_bytes(const struct wire *wire)
{
	return FMP4_FRAGMENT_HEADER_BYTES + wire->len;
}

/* The frame of sound at the cursor. message_len as below. */
static void
queue_sound(struct viewer *viewer, struct hub_audio_entry *entry, size_t message_len)
{
	struct wire *wire = hub_audio_wire(entry);
	uint8_t prefix[OUTQ_PREFIX_MAX];
	size_t len = message_len > 0 ? frame_head(viewer, message_len, prefix) : 0;
	struct fmp4_sample sample = {
		.sequence = ++viewer->sequence,
		.track_id = HUB_AUDIO_TRACK,
		.decode_time = cursor_sound_take(&viewer->cursor),
		.duration = entry->ticks,
		.is_key = true,
		.payload_len = wire->len,
	};

	if (fmp4_fragment_header(&sample, prefix + len) < 0)
		return;
	outq_add(&viewer->link.out, prefix, len + FMP4_FRAGMENT_HEADER_BYTES, wire,
		 message_len > 0 ? frame_tail(viewer) : NULL);
}

/* The entry at the cursor. message_len: begin a message of so many bytes here, 0: inside one. */
static void
queue_fragment(struct viewer *viewer, const struct hub_entry *entry, struct wire *wire,
	       size_t message_len)
{
	uint8_t prefix[OUTQ_PREFIX_MAX];
	size_t len = message_len > 0 ? frame_head(viewer, message_len, prefix) : 0;
	struct fmp4_sample sample = {
		.sequence = ++viewer->sequence,
		.track_id = 1,
		.decode_time = cursor_take(&viewer->cursor),
		.duration = entry->stamp.duration,
		.composition_offset = entry->stamp.composition_offset,
		.is_key = entry->is_key,
		.payload_len = wire->len,
	};

	if (fmp4_fragment_header(&sample, prefix + len) < 0)
		return;
	outq_add(&viewer->link.out, prefix, len + FMP4_FRAGMENT_HEADER_BYTES, wire,
		 frame_tail(viewer));
}

static void
queue_init(struct viewer *viewer, struct wire *init)
{
	uint8_t head[32];
	size_t len = frame_head(viewer, init->len, head);

	outq_add(&viewer->link.out, head, len, init, frame_tail(viewer));
}

static json_t *
mime_of(const struct hub_config *config, const struct hub_audio_config *sound)
{
	return json_sprintf("video/mp4; codecs=\"%s%s%s\"", config->codec, sound != NULL ? "," : "",
			    sound != NULL ? sound->format.codec_string : "");
}

static bool
is_same_mime(const struct viewer *viewer, const struct hub_config *config,
	     const struct hub_audio_config *sound)
{
	const struct hub_audio_config *old = viewer->cursor.sound.config;

	if (strcmp(viewer->config->codec, config->codec) != 0 || (old == NULL) != (sound == NULL))
		return false;
	return sound == NULL || strcmp(old->format.codec_string, sound->format.codec_string) == 0;
}

/* The decoder's set-up before entries of another configuration than the last. */
static void
switch_config(struct viewer *viewer, struct hub_config *config, struct hub_audio_config *sound)
{
	struct hub_config *old = viewer->config;

	if (old == NULL && viewer->kind == VIEWER_WS)
		viewer_say(viewer, "mse", mime_of(config, sound));
	else if (old != NULL && viewer->kind == VIEWER_WS && !is_same_mime(viewer, config, sound))
		viewer_say(viewer, "config", mime_of(config, sound));
	/* A second moov in one HTTP answer is only for those who can use it: when it differs. */
	if (old == NULL || viewer->kind == VIEWER_WS || !hub_config_is_same_decoder(old, config) ||
	    sound != viewer->cursor.sound.config)
		queue_init(viewer, hub_config_init(config, sound));
	cursor_sound_set(&viewer->cursor, sound);
	hub_config_unref(&viewer->config);
	viewer->config = hub_config_ref(config);
}

static bool
client_takes(const struct viewer *viewer, const struct hub_config *config)
{
	return viewer->kind != VIEWER_WS || (viewer->codecs & codecs_of_nal(config->nal)) != 0;
}

/* false: this viewer cannot be served with this. */
static bool
begin(struct viewer *viewer, struct hub_entry *entry)
{
	struct hub_audio_config *sound;

	if (entry->config == NULL) {
		if (viewer->kind == VIEWER_WS)
			viewer_say_error(viewer, "mse",
					 "codec mjpeg is not for MSE, ask for mjpeg");
		else
			viewer_refuse(viewer, 406, "Not Acceptable",
				      "the camera delivers MJPEG: use /api/stream.mjpeg");
		return false;
	}
	sound = cursor_sound_choose(&viewer->cursor, entry, viewer->codecs, viewer->config != NULL);
	if (entry->config == viewer->config && sound == viewer->cursor.sound.config)
		return true;
	if (!client_takes(viewer, entry->config)) {
		char text[96];

		snprintf(text, sizeof(text), "codec %s is not among yours", entry->config->codec);
		viewer_say_error(viewer, "mse", text);
		return false;
	}
	if (viewer->kind == VIEWER_MP4 && !viewer->head_sent)
		viewer_send_head(viewer, "video/mp4");
	switch_config(viewer, entry->config, sound);
	return true;
}

/* How many entries from pos go into one message, and its length. */
static size_t
measure(struct viewer *viewer, uint64_t end, size_t max_entries, size_t max_bytes, size_t *bytes)
{
	struct hub *hub = viewer->cursor.stream->hub;
	const struct hub_entry *front = hub_at(hub, viewer->cursor.pos);
	size_t n = 0;

	*bytes = 0;
	for (uint64_t pos = viewer->cursor.pos; pos < end && n < max_entries; pos++, n++) {
		struct hub_entry *entry = hub_at(hub, pos);
		struct wire *wire = hub_wire(entry);

		if (entry->config != front->config || entry->is_damaged != front->is_damaged)
			break;
		if (wire == NULL)
			continue;
		if (n > 0 && *bytes + fragment_bytes(wire) > max_bytes)
			break;
		*bytes += fragment_bytes(wire);
	}
	return n;
}

/* The next n entries. message_len: all are one message of this length; 0: each is one. */
static void
queue_entries(struct viewer *viewer, size_t n, size_t message_len)
{
	bool whole = message_len > 0;

	for (size_t i = 0; i < n; i++) {
		struct hub_entry *entry = hub_at(viewer->cursor.stream->hub, viewer->cursor.pos);
		struct wire *wire = hub_wire(entry);

		if (wire == NULL) {
			cursor_pass(&viewer->cursor);
			continue;
		}
		queue_fragment(viewer, entry, wire, whole ? message_len : fragment_bytes(wire));
		message_len = 0;
	}
}

/* Of all sound that is there. */
static size_t
measure_sound(struct viewer *viewer)
{
	struct cursor_sound place = viewer->cursor.sound;
	struct hub_audio_entry *entry;
	size_t bytes = 0;

	while ((entry = cursor_sound_peek(&viewer->cursor)) != NULL) {
		bytes += fragment_bytes(hub_audio_wire(entry));
		cursor_sound_take(&viewer->cursor);
	}
	viewer->cursor.sound = place;
	return bytes;
}

/* Up to so many frames of sound. inside: they belong to the message before them. */
static void
fill_sound(struct viewer *viewer, size_t max_entries, bool inside)
{
	struct hub_audio_entry *entry;

	for (size_t n = 0; n < max_entries && (entry = cursor_sound_peek(&viewer->cursor)) != NULL;
	     n++)
		queue_sound(viewer, entry, inside ? 0 : fragment_bytes(hub_audio_wire(entry)));
}

/* A GOP at once is one message, with its sound behind it: its player jumps to the last frame. */
static void
fill_burst(struct viewer *viewer)
{
	const struct cursor *cursor = &viewer->cursor;
	size_t bytes,
	    n = measure(viewer, cursor->burst_end, BURST_ENTRIES, BURST_BYTES_MAX, &bytes);
	bool whole = bytes > 0 && cursor->pos + n >= cursor->burst_end;

	queue_entries(viewer, n, bytes + (whole ? measure_sound(viewer) : 0));
	if (whole)
		fill_sound(viewer, SIZE_MAX, true);
	else if (cursor->pos < cursor->burst_end)
		clock_timer_set_ms(&viewer->pace, PACE_MS);
}

static void
fill_batch(struct viewer *viewer)
{
	size_t bytes,
	    n = measure(viewer, cursor_end(&viewer->cursor), BATCH_ENTRIES, BATCH_BYTES, &bytes);

	queue_entries(viewer, n, 0);
}

static void
say_skipped(struct viewer *viewer)
{
	struct cursor *cursor = &viewer->cursor;

	if (cursor->skipped_frames > 0 && viewer->kind == VIEWER_WS)
		viewer_say(viewer, "skipped",
			   json_pack("{s:I, s:I}", "frames", (json_int_t)cursor->skipped_frames,
				     "ms", (json_int_t)cursor->skipped_ms));
	cursor->skipped_frames = cursor->skipped_ms = 0;
}

/* Before the first damaged picture, and before the first sound one. */
static void
say_damaged(struct viewer *viewer, const struct hub_entry *entry)
{
	if (viewer->told_damaged == entry->is_damaged)
		return;
	viewer->told_damaged = entry->is_damaged;
	if (viewer->kind == VIEWER_WS)
		viewer_say(viewer, "damaged", json_pack("{s:b}", "on", entry->is_damaged));
}

static void
fill_pictures(struct viewer *viewer)
{
	struct cursor *cursor = &viewer->cursor;
	struct hub_entry *entry = cursor_peek(cursor);

	if (entry == NULL)
		return;
	say_skipped(viewer);
	if (!begin(viewer, entry))
		return;
	say_damaged(viewer, entry);
	if (viewer->kind == VIEWER_WS && cursor->pos < cursor->burst_end)
		fill_burst(viewer);
	else
		fill_batch(viewer);
}

/* Sound comes behind the pictures that are there, and when there are none. */
void
viewer_fill_fragments(struct viewer *viewer)
{
	if (clock_timer_is_set(&viewer->pace))
		return;
	fill_pictures(viewer);
	if (viewer->config != NULL && !clock_timer_is_set(&viewer->pace))
		fill_sound(viewer, BATCH_ENTRIES, false);
}

/* One part of multipart/x-mixed-replace. Scripts read its Content-Length. Browsers show a picture
 * only when they have read the next part's head: sent along early it cannot tell a length. */
static void
queue_part(struct viewer *viewer, struct wire *wire)
{
	char head[OUTQ_PREFIX_MAX];
	int len;

	if (!viewer->head_sent)
		viewer_send_head(viewer, "multipart/x-mixed-replace; boundary=frame");
	if (viewer->early_heads) {
		outq_add(&viewer->link.out, NULL, 0, wire, EARLY_PART_HEAD);
		return;
	}
	len = snprintf(head, sizeof(head),
		       "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
		       wire->len);
	outq_add(&viewer->link.out, head, (size_t)len, wire, "\r\n");
}

static void
refuse_pictures(struct viewer *viewer)
{
	if (viewer->kind == VIEWER_WS)
		viewer_say_error(viewer, "mjpeg", "codec is not mjpeg: ask for mse");
	else
		viewer_refuse(viewer, 406, "Not Acceptable",
			      "the camera delivers no MJPEG: use /api/stream.mp4");
}

void
viewer_fill_pictures(struct viewer *viewer)
{
	struct hub_entry *entry = cursor_peek(&viewer->cursor);
	uint8_t head[WS_HEAD_MAX];
	struct wire *wire;

	if (entry == NULL)
		return;
	if (entry->config != NULL) {
		refuse_pictures(viewer);
		return;
	}
	wire = hub_wire(entry);
	if (viewer->kind == VIEWER_WS) {
		if (viewer->answer_due)
			viewer_say(viewer, "mjpeg", NULL);
		viewer->answer_due = false;
		say_damaged(viewer, entry);
		outq_add(&viewer->link.out, head, ws_head(WS_BINARY, wire->len, head), wire, NULL);
	} else {
		queue_part(viewer, wire);
	}
	cursor_take(&viewer->cursor);
}
