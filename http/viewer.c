/*
 * A viewer's socket: reading, writing, deadlines, its end.
 */
#include "config.h"

#include "http/viewer.h"

#include "http/stream.h"
#include "http/viewer_media.h"
#include "http/ws.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BUFFER_BYTES (256 << 10) /* what lags shall lag in our ring, not in the kernel */
#define NOT_SENT_BYTES    (128 << 10)
#define USER_TIMEOUT_MS   20000 /* sent, but not acknowledged */
#define PROGRESS_MS       10000 /* the socket takes nothing */
#define IDLE_MS           30000 /* nothing said: ping, so that proxies keep the connection */
#define WAIT_MS           5000  /* HTTP: for the first picture */
#define MODE_MS           30000 /* WebSocket: for the first request, and after a refusal */
#define READ_BYTES_MAX    65536 /* what an HTTP viewer may say after its request */
#define CONTROL_BYTES_MAX 16384 /* answers to pings that wait */
/* A viewer of a camera that is down is sent nothing: only this notices that it is gone. */
#define KEEPALIVE_IDLE_S     30
#define KEEPALIVE_INTERVAL_S 10
#define FILLS_PER_PUMP       64 /* then others get their turn */

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

static void
tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_BYTES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
	};

	/* Best effort: a unix socket has no TCP. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
				 sizeof(options[i].value));
}

/* WebSocket callbacks */

static void
on_ws_text(void *arg, const char *text, size_t len)
{
	struct viewer *viewer = arg;

	if (!viewer->closing && !viewer->dying)
		viewer_on_text(viewer, text, len);
}

static void
on_ws_output(void *arg, const uint8_t *bytes, size_t len)
{
	struct viewer *viewer = arg;
	struct wire *wire = wire_from_bytes(bytes, len);

	outq_add(&viewer->out, NULL, 0, wire, NULL);
	wire_unref(&wire);
	viewer->control_bytes += len;
}

/* Timers */

static void
on_progress_timeout(struct clock_timer *timer, void *arg)
{
	struct viewer *viewer = arg;

	(void)timer;
	log_debug("viewer %llu takes nothing for %d s: closed", (unsigned long long)viewer->id,
		  PROGRESS_MS / 1000);
	viewer_close(viewer);
}

static void
on_idle(struct clock_timer *timer, void *arg)
{
	static const uint8_t ping[2] = { 0x80 | WS_PING, 0 };
	struct viewer *viewer = arg;

	clock_timer_set_ms(timer, IDLE_MS);
	if (!outq_is_empty(&viewer->out))
		return;
	outq_add(&viewer->out, ping, sizeof(ping), NULL, NULL);
	/* A page's script does not see pings: tell it too that the line is alive. */
	viewer->state_due = viewer_wants(viewer);
	viewer_pump(viewer);
}

static void
on_wait_timeout(struct clock_timer *timer, void *arg)
{
	struct viewer *viewer = arg;
	bool connecting =
	    viewer->stream != NULL && strcmp(viewer->stream->state, "connecting") == 0;

	if (viewer->kind == VIEWER_WS) {
		if (!viewer_wants(viewer))
			viewer_close(viewer);
		return;
	}
	if (viewer->head_sent)
		return;
	if (connecting && viewer->waits++ < 2) {
		clock_timer_set_ms(timer, WAIT_MS);
		return;
	}
	viewer_refuse(viewer, 503, "Service Unavailable", "the camera delivers no pictures now");
	viewer_pump(viewer);
}

static void
on_pace(struct clock_timer *timer, void *arg)
{
	(void)timer;
	viewer_pump(arg);
}

static void
on_free(struct clock_timer *timer, void *arg)
{
	struct viewer *viewer = arg;

	(void)timer;
	viewer_free(&viewer);
}

/* Life */

static void
greet(struct viewer *viewer, const struct viewer_request *request)
{
	static const struct ws_ops ops = { .on_text = on_ws_text, .on_output = on_ws_output };
	struct wire *wire;
	char *head;

	if (viewer->kind != VIEWER_WS) {
		viewer->mode = viewer->kind == VIEWER_MP4 ? VIEWER_FRAGMENTS : VIEWER_PICTURES;
		clock_timer_set_ms(&viewer->wait, WAIT_MS);
		return;
	}
	head = xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			 request->ws_accept);
	wire = wire_from_bytes(head, strlen(head));
	outq_add(&viewer->out, NULL, 0, wire, NULL);
	wire_unref(&wire);
	free(head);
	viewer->ws = ws_new(&ops, viewer);
	clock_timer_set_ms(&viewer->idle, IDLE_MS);
	clock_timer_set_ms(&viewer->wait, MODE_MS);
}

static void
init_timers(struct viewer *viewer)
{
	struct clock *clock = viewer->front->clock;

	clock_timer_init(&viewer->progress, clock, on_progress_timeout, viewer);
	clock_timer_init(&viewer->idle, clock, on_idle, viewer);
	clock_timer_init(&viewer->wait, clock, on_wait_timeout, viewer);
	clock_timer_init(&viewer->pace, clock, on_pace, viewer);
	clock_timer_init(&viewer->free_me, clock, on_free, viewer);
}

static void feed(struct viewer *viewer, const uint8_t *bytes, size_t len);

struct viewer *
viewer_new(struct front *front, const struct viewer_request *request)
{
	struct viewer *viewer = xcalloc(1, sizeof(*viewer));

	viewer->front = front;
	viewer->stream = request->stream;
	viewer->kind = request->kind;
	viewer->chunked = request->chunked;
	viewer->early_heads = request->early_heads;
	viewer->headers = request->headers != NULL ? xstrdup(request->headers) : NULL;
	viewer->fd = request->fd;
	viewer->id = ++front->viewers_ever;
	outq_init(&viewer->out);
	init_timers(viewer);
	tune(viewer->fd);
	viewer->read_ev =
	    event_new(front->base, viewer->fd, EV_READ | EV_PERSIST, on_readable, viewer);
	viewer->write_ev = event_new(front->base, viewer->fd, EV_WRITE, on_writable, viewer);
	if (viewer->read_ev == NULL || viewer->write_ev == NULL)
		xalloc_die();
	event_add(viewer->read_ev, NULL);
	LIST_INSERT_HEAD(&front->viewers, viewer, in_front);
	front->n_viewers++;
	if (viewer->stream != NULL) {
		LIST_INSERT_HEAD(&viewer->stream->viewers, viewer, in_stream);
		viewer->stream->n_viewers++;
	}
	greet(viewer, request);
	if (request->early_len > 0)
		feed(viewer, request->early, request->early_len);
	if (viewer->stream != NULL)
		stream_update_want(viewer->stream);
	viewer_pump(viewer);
	return viewer;
}

static void
leave_stream(struct viewer *viewer)
{
	struct stream *stream = viewer->stream;

	viewer->stream = NULL;
	if (stream == NULL)
		return;
	LIST_REMOVE(viewer, in_stream);
	stream->n_viewers--;
	stream_update_want(stream);
}

void
viewer_close(struct viewer *viewer)
{
	if (viewer->dying)
		return;
	viewer->dying = true;
	event_del(viewer->read_ev);
	event_del(viewer->write_ev);
	clock_timer_cancel(&viewer->progress);
	clock_timer_cancel(&viewer->idle);
	clock_timer_cancel(&viewer->wait);
	clock_timer_cancel(&viewer->pace);
	/* The stream may be walking its list: that, and the memory, are left to the loop. */
	clock_timer_set_ms(&viewer->free_me, 0);
}

void
viewer_free(struct viewer **viewer)
{
	struct viewer *old = *viewer;

	if (old == NULL)
		return;
	*viewer = NULL;
	viewer_close(old);
	clock_timer_cancel(&old->free_me);
	leave_stream(old);
	LIST_REMOVE(old, in_front);
	old->front->n_viewers--;
	event_free(old->read_ev);
	event_free(old->write_ev);
	outq_clear(&old->out);
	ws_free(&old->ws);
	hub_config_unref(&old->config);
	close(old->fd);
	free(old->codecs);
	free(old->headers);
	free(old);
}

bool
viewer_wants(const struct viewer *viewer)
{
	return !viewer->dying && !viewer->closing && viewer->mode != VIEWER_IDLE;
}

/* Reading */

static void
feed(struct viewer *viewer, const uint8_t *bytes, size_t len)
{
	if (viewer->ws == NULL) {
		viewer->read_bytes += len;
		if (viewer->read_bytes > READ_BYTES_MAX)
			viewer_close(viewer);
		return;
	}
	if (ws_feed(viewer->ws, bytes, len) < 0)
		viewer->closing = true;
	if (viewer->control_bytes > CONTROL_BYTES_MAX)
		viewer_close(viewer);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct viewer *viewer = arg;
	uint8_t buf[4096];
	ssize_t n;

	(void)what;
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		viewer_close(viewer);
		return;
	}
	feed(viewer, buf, (size_t)n);
	viewer_pump(viewer);
}

/* Writing */

static int
write_out(struct viewer *viewer)
{
	uint64_t written = 0;
	int rc = outq_write(&viewer->out, viewer->fd, &written);

	viewer->bytes += written;
	viewer->front->bytes_sent += written;
	if (rc == 0) {
		viewer->control_bytes = 0;
		clock_timer_cancel(&viewer->progress);
	} else if (rc == -EAGAIN) {
		if (written > 0 || !clock_timer_is_set(&viewer->progress))
			clock_timer_set_ms(&viewer->progress, PROGRESS_MS);
		event_add(viewer->write_ev, NULL);
	} else {
		viewer_close(viewer);
	}
	if (written > 0 && viewer->kind == VIEWER_WS && !viewer->dying)
		clock_timer_set_ms(&viewer->idle, IDLE_MS);
	return rc;
}

void
viewer_pump(struct viewer *viewer)
{
	/* Blocked: the event will come. */
	if (viewer->dying || event_pending(viewer->write_ev, EV_WRITE, NULL))
		return;
	for (int i = 0; i < FILLS_PER_PUMP; i++) {
		if (outq_is_empty(&viewer->out) && !viewer->closing)
			viewer_fill(viewer);
		if (outq_is_empty(&viewer->out)) {
			if (viewer->closing)
				viewer_close(viewer);
			return;
		}
		if (write_out(viewer) < 0)
			return;
	}
	event_add(viewer->write_ev, NULL);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	viewer_pump(arg);
}
