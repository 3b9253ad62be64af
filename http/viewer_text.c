/*
 * The words of a viewer: JSON over its WebSocket, heads and refusals over HTTP.
 */
#include "config.h"

#include "http/viewer_media.h"

#include "http/codecs.h"
#include "http/headers.h"
#include "http/link_ws.h"
#include "http/stream.h"
#include "http/ws.h"
#include "shared/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TYPE_MAX        48 /* of a request; longer ones are cut in the answer */
#define REFUSED_MODE_MS 30000

void
viewer_say(struct viewer *viewer, const char *type, json_t *value)
{
	json_t *msg = json_pack("{s:s}", "type", type);

	if (msg == NULL || (value != NULL && json_object_set_new(msg, "value", value) < 0))
		xalloc_die();
	link_ws_say(&viewer->link, msg);
}

void
viewer_say_error(struct viewer *viewer, const char *about, const char *what)
{
	viewer_set_mode(viewer, CURSOR_IDLE);
	clock_timer_set_ms(&viewer->wait, REFUSED_MODE_MS);
	viewer_say(viewer, "error", json_sprintf("%s: %s", about, what));
}

void
viewer_send_head(struct viewer *viewer, const char *content_type)
{
	bool chunked = viewer->chunked && viewer->kind == VIEWER_MP4;
	char *head =
	    xasprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s%s"
		      "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
		      "Connection: close\r\n%s\r\n%s",
		      content_type, chunked ? "Transfer-Encoding: chunked\r\n" : "", HEADERS_FIXED,
		      viewer->headers != NULL ? viewer->headers : "",
		      viewer->early_heads ? "--frame\r\nContent-Type: image/jpeg\r\n\r\n" : "");
	struct wire *wire = wire_from_bytes(head, strlen(head));

	outq_add(&viewer->link.out, NULL, 0, wire, NULL);
	wire_unref(&wire);
	free(head);
	viewer->head_sent = true;
	clock_timer_cancel(&viewer->wait);
}

void
viewer_refuse(struct viewer *viewer, int code, const char *reason, const char *error)
{
	char *body = xasprintf("{\"error\": \"%s\"}\n", error);
	char *answer =
	    xasprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
		      "Content-Length: %zu\r\n%sCache-Control: no-store\r\n%s"
		      "Connection: close\r\n%s\r\n%s",
		      code, reason, strlen(body), code == 503 ? "Retry-After: 2\r\n" : "",
		      HEADERS_FIXED, viewer->headers != NULL ? viewer->headers : "", body);
	struct wire *wire = wire_from_bytes(answer, strlen(answer));

	outq_add(&viewer->link.out, NULL, 0, wire, NULL);
	wire_unref(&wire);
	free(answer);
	free(body);
	viewer->head_sent = true;
	link_finish(&viewer->link);
	viewer_set_mode(viewer, CURSOR_IDLE);
	clock_timer_cancel(&viewer->wait);
}

/* What the client asks */

static void
ask_mode(struct viewer *viewer, enum cursor_mode mode)
{
	viewer->state_due = true;
	hub_config_unref(&viewer->config);
	viewer->cursor.next_time = 0;
	cursor_sound_restart(&viewer->cursor);
	viewer->sequence = 0;
	clock_timer_cancel(&viewer->wait);
	clock_timer_cancel(&viewer->pace);
	viewer_set_mode(viewer, mode);
}

static void
ask_mse(struct viewer *viewer, const json_t *value)
{
	const char *codecs = json_string_value(value);

	if (viewer->cursor.stream->kind == STREAM_KIND_JPEG) {
		viewer_say_error(viewer, "mse", "codec mjpeg is not for MSE, ask for mjpeg");
		return;
	}
	if (codecs == NULL || (codecs_of_list(codecs) & CODECS_VIDEO) == 0) {
		viewer_say_error(viewer, "mse", "codec avc1 is not among yours");
		return;
	}
	viewer->codecs = codecs_of_list(codecs);
	ask_mode(viewer, CURSOR_FRAMES);
}

static void
ask_mjpeg(struct viewer *viewer)
{
	if (viewer->cursor.stream->kind == STREAM_KIND_VIDEO) {
		viewer_say_error(viewer, "mjpeg", "codec is not mjpeg: ask for mse");
		return;
	}
	viewer->answer_due = true;
	ask_mode(viewer, CURSOR_NEWEST);
}

/* Whether what programs find in the pictures is wanted, too. */
static void
ask_overlay(struct viewer *viewer, const json_t *value)
{
	overlay_set(&viewer->overlay, json_is_true(value));
	viewer_say(viewer, "overlay", json_boolean(json_is_true(value)));
}

static void
answer_request(struct viewer *viewer, const char *type, const json_t *value)
{
	char about[TYPE_MAX + 1];
	size_t n = 0;

	for (const char *p = type; *p != '\0' && n < TYPE_MAX; p++)
		about[n++] = isalnum((unsigned char)*p) || *p == '/' || *p == '-' ? *p : '?';
	about[n] = '\0';
	if (viewer->cursor.stream == NULL)
		viewer_say_error(viewer, about, "stream not found");
	else if (strncmp(type, "webrtc", 6) == 0)
		viewer_on_webrtc(viewer, about, value);
	else if (strcmp(type, "mse") == 0)
		ask_mse(viewer, value);
	else if (strcmp(type, "mjpeg") == 0)
		ask_mjpeg(viewer);
	else if (strcmp(type, "overlay") == 0)
		ask_overlay(viewer, value);
	else
		viewer_say(viewer, "error", json_sprintf("%s: not supported", about));
}

void
viewer_on_text(struct viewer *viewer, const char *text, size_t len)
{
	json_t *msg = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(msg, "type"));

	if (type == NULL)
		viewer_say(viewer, "error", json_string("not a message of this protocol"));
	else
		answer_request(viewer, type, json_object_get(msg, "value"));
	json_decref(msg);
}

/* What it is told */

static void
say_state(struct viewer *viewer)
{
	viewer->state_due = false;
	viewer_say(viewer, "state", stream_describe_state(viewer->cursor.stream));
}

/* Behind all pictures that are there. */
static void
say_results(struct viewer *viewer)
{
	static const char before[] = "{\"type\":\"result\",\"value\":{", after[] = "}";
	uint8_t prefix[OUTQ_PREFIX_MAX];
	struct wire *wire;
	size_t len;

	while (outq_is_empty(&viewer->link.out) &&
	       (wire = overlay_take(&viewer->overlay)) != NULL) {
		len = ws_head(WS_TEXT, strlen(before) + wire->len + strlen(after), prefix);
		memcpy(prefix + len, before, strlen(before));
		outq_add(&viewer->link.out, prefix, len + strlen(before), wire, after);
		wire_unref(&wire);
	}
}

void
viewer_fill(struct viewer *viewer)
{
	const struct cursor *cursor = &viewer->cursor;

	if (cursor->stream == NULL || cursor->mode == CURSOR_IDLE)
		return;
	if (cursor->mode == CURSOR_FRAMES)
		viewer_fill_fragments(viewer);
	else
		viewer_fill_pictures(viewer);
	/* After the answer that the request waits for, unless that can only come later. */
	if (viewer->state_due && viewer->kind == VIEWER_WS && cursor->mode != CURSOR_IDLE &&
	    (cursor->joined || !stream_is_up(cursor->stream)))
		say_state(viewer);
	say_results(viewer);
}

void
viewer_on_stream_gone(struct viewer *viewer)
{
	enum cursor_mode mode = viewer->cursor.mode;

	if (link_is_ending(&viewer->link))
		return;
	if (viewer->kind == VIEWER_WS) {
		if (mode != CURSOR_IDLE)
			viewer_say_error(viewer, mode == CURSOR_FRAMES ? "mse" : "mjpeg",
					 "stream not found");
		link_ws_bye(&viewer->link, WS_CODE_GOING);
	} else if (!viewer->head_sent) {
		viewer_refuse(viewer, 404, "Not Found", "stream not found");
	} else if (viewer->kind == VIEWER_MP4 && viewer->chunked) {
		outq_add(&viewer->link.out, NULL, 0, NULL, "0\r\n\r\n");
	}
	link_finish(&viewer->link);
}
