/*
 * A viewer's life: from the request to its end, and how long it waits for pictures.
 */
#include "config.h"

#include "http/viewer.h"

#include "http/codecs.h"
#include "http/link_ws.h"
#include "http/rtc_ask.h"
#include "http/stream.h"
#include "http/viewer_media.h"
#include "http/ws.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <string.h>

#define WAIT_MS 5000  /* HTTP: for the first picture */
#define MODE_MS 30000 /* WebSocket: for the first request, and after a refusal */

/* Timers */

static void
on_wait_timeout(struct clock_timer *timer, void *arg)
{
	struct viewer *viewer = arg;
	const struct stream *stream = viewer->cursor.stream;
	bool connecting = stream != NULL && strcmp(stream->state, "connecting") == 0;

	if (viewer->kind == VIEWER_WS) {
		if (viewer->cursor.mode == CURSOR_IDLE)
			link_close(&viewer->link);
		return;
	}
	if (viewer->head_sent)
		return;
	if (connecting && viewer->waits++ < 2) {
		clock_timer_set_ms(timer, WAIT_MS);
		return;
	}
	viewer_refuse(viewer, 503, "Service Unavailable", "the camera delivers no pictures now");
	link_pump(&viewer->link);
}

static void
on_pace(struct clock_timer *timer, void *arg)
{
	struct viewer *viewer = arg;

	(void)timer;
	link_pump(&viewer->link);
}

/* The link */

static void
on_fill(void *arg)
{
	viewer_fill(arg);
}

static void
on_text(void *arg, const char *text, size_t len)
{
	viewer_on_text(arg, text, len);
}

/* A page's script does not see pings: tell it too that the line is alive. */
static void
on_idle(void *arg)
{
	struct viewer *viewer = arg;

	viewer->state_due = viewer->cursor.mode != CURSOR_IDLE;
}

static void
on_sent(void *arg, uint64_t bytes)
{
	struct viewer *viewer = arg;

	viewer->cursor.bytes += bytes;
}

static void
on_pass_over(void *arg)
{
	struct viewer *viewer = arg;

	link_close(&viewer->link);
}

static void
on_end(void *arg)
{
	struct viewer *viewer = arg;

	viewer_free(&viewer);
}

/* The cursor */

static void
on_frames(void *arg)
{
	struct viewer *viewer = arg;

	link_pump_in_turn(&viewer->link);
}

static void
on_state(void *arg)
{
	struct viewer *viewer = arg;

	viewer->state_due = true;
	link_pump(&viewer->link);
}

static void
on_result(void *arg, struct overlay_item *item)
{
	struct viewer *viewer = arg;

	if (viewer->cursor.mode != CURSOR_IDLE &&
	    overlay_put(&viewer->overlay, viewer->front, &viewer->link, item))
		link_pump(&viewer->link);
}

static void
on_gone(void *arg)
{
	struct viewer *viewer = arg;

	viewer_on_stream_gone(viewer);
	link_pump(&viewer->link);
}

/* Life */

void
viewer_set_mode(struct viewer *viewer, enum cursor_mode mode)
{
	static const char *const formats[] = { "ws", "mse/fmp4", "ws/mjpeg" };

	viewer->cursor.format = viewer->kind == VIEWER_MP4     ? "mp4"
				: viewer->kind == VIEWER_MJPEG ? "mjpeg"
							       : formats[mode];
	cursor_set_mode(&viewer->cursor, mode);
}

static void
greet(struct viewer *viewer, const struct viewer_request *request)
{
	static const struct link_ws_limits limits = { .message_bytes = 24576, .texts = 64 };

	if (viewer->kind == VIEWER_WS) {
		viewer_set_mode(viewer, CURSOR_IDLE);
		link_ws_begin(&viewer->link, request->ws_accept, &limits);
		clock_timer_set_ms(&viewer->wait, MODE_MS);
		return;
	}
	viewer_set_mode(viewer, viewer->kind == VIEWER_MP4 ? CURSOR_FRAMES : CURSOR_NEWEST);
	clock_timer_set_ms(&viewer->wait, WAIT_MS);
}

struct viewer *
viewer_new(struct front *front, const struct viewer_request *request)
{
	static const struct link_ops link_ops = { .fill = on_fill,
						  .on_text = on_text,
						  .on_idle = on_idle,
						  .on_sent = on_sent,
						  .on_end = on_end };
	static const struct cursor_ops cursor_ops = { .on_frames = on_frames,
						      .on_state = on_state,
						      .on_gone = on_gone,
						      .on_result = on_result };
	static const char *const transport_names[] = { "ws", "mp4", "mjpeg" };
	struct viewer *viewer = xcalloc(1, sizeof(*viewer));

	viewer->front = front;
	viewer->kind = request->kind;
	viewer->chunked = request->chunked;
	viewer->early_heads = request->early_heads;
	viewer->codecs = request->sound ? CODECS_VIDEO | CODECS_SOUND_ANY : CODECS_VIDEO;
	viewer->headers = request->headers != NULL ? xstrdup(request->headers) : NULL;
	clock_timer_init(&viewer->wait, front->clock, on_wait_timeout, viewer);
	clock_timer_init(&viewer->pace, front->clock, on_pace, viewer);
	local_address_of(request->end.fd, viewer->local);
	link_begin(&viewer->link, front, &request->end, &link_ops, viewer);
	LIST_INSERT_HEAD(&front->viewers, viewer, in_front);
	front->n_viewers++;
	cursor_init(&viewer->cursor, ++front->viewers_ever, &cursor_ops, viewer);
	pass_begin(&viewer->pass, front, &request->who, request->address, on_pass_over, viewer);
	if (request->stream != NULL) {
		cursor_enter(&viewer->cursor, request->stream);
		watch_begin(&viewer->watch, &viewer->pass, request->stream->name,
			    transport_names[request->kind]);
	}
	greet(viewer, request);
	if (request->early_len > 0)
		link_on_input(&viewer->link, request->early, request->early_len);
	link_pump(&viewer->link);
	return viewer;
}

void
viewer_free(struct viewer **viewer)
{
	struct viewer *old = *viewer;

	if (old == NULL)
		return;
	*viewer = NULL;
	rtc_ask_cancel(&old->rtc_ask);
	cursor_leave(&old->cursor);
	pass_end(&old->pass);
	overlay_set(&old->overlay, false);
	clock_timer_cancel(&old->wait);
	clock_timer_cancel(&old->pace);
	link_clear(&old->link);
	LIST_REMOVE(old, in_front);
	old->front->n_viewers--;
	hub_config_unref(&old->config);
	free(old->headers);
	free(old);
}
