/*
 * Requests for pictures: those that become viewers, and the single picture.
 */
#include "config.h"

#include "http/handlers.h"

#include "http/audit.h"
#include "http/listen.h"
#include "http/pass.h"
#include "http/reply.h"
#include "http/snapshot.h"
#include "http/stream.h"
#include "http/viewer.h"
#include "http/wall.h"
#include "http/ws.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <event2/http_struct.h>
#include <string.h>
#include <strings.h>

static const char *
header(const struct request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->req), name);
}

/* A link may be for so many at once. */
static bool
link_has_room(struct request *request)
{
	if (pass_has_room(request->front, &request->who))
		return true;
	reply_error(request, 403, "this link is in use by as many as it is for");
	return false;
}

static bool
has_room(struct request *request, unsigned in)
{
	struct front *front = request->front;

	if (in < front->config.max_viewers)
		return link_has_room(request);
	front->viewers_refused++;
	reply_error(request, 503, "too many viewers");
	return false;
}

static bool
asks_early_heads(struct request *request)
{
	const char *early = evhttp_find_header(&request->query, "early");

	return early != NULL && strcmp(early, "1") == 0;
}

/* As go2rtc reads it: all there is, unless the query names tracks, and this is none of them. */
static bool
asks_sound(struct request *request)
{
	const char *audio = evhttp_find_header(&request->query, "audio");

	if (audio == NULL)
		return evhttp_find_header(&request->query, "video") == NULL;
	return strcmp(audio, "0") != 0 && strcmp(audio, "none") != 0;
}

/* The connection leaves evhttp. false: it does not, and was answered. */
static bool
take_connection(struct request *request, struct taken *taken)
{
	int rc = listeners_take(request->front->listeners, request->req, taken);

	if (rc == 0)
		return true;
	log_warn("http: a connection cannot be taken over: %s", strerror(-rc));
	reply_error(request, 503, "out of descriptors");
	return false;
}

static void
become_viewer(struct request *request, enum viewer_kind kind, const char *ws_accept)
{
	char *cors = reply_cors_lines(request);
	struct viewer_request viewer = { .kind = kind,
					 .stream = request->stream,
					 .chunked = request->req->minor >= 1,
					 .early_heads =
					     kind == VIEWER_MJPEG && asks_early_heads(request),
					 .sound = kind == VIEWER_MP4 && asks_sound(request),
					 .headers = cors,
					 .ws_accept = ws_accept,
					 .who = request->who,
					 .address = request->address };
	struct front *front = request->front;
	struct taken taken;

	if (take_connection(request, &taken)) {
		viewer.end = taken.end;
		viewer.early = taken.early;
		viewer.early_len = taken.early_len;
		viewer_new(front, &viewer);
		free(taken.early);
	}
	free(cors);
}

static void
become_wall(struct request *request, const char *ws_accept)
{
	struct wall_call call = { .ws_accept = ws_accept,
				  .who = request->who,
				  .address = request->address };
	struct front *front = request->front;
	struct taken taken;

	if (!take_connection(request, &taken))
		return;
	call.end = taken.end;
	call.early = taken.early;
	call.early_len = taken.early_len;
	wall_new(front, &call);
	free(taken.early);
}

/* A comma list with this token in it, in any case. */
static bool
has_token(const char *list, const char *token)
{
	size_t len = strlen(token);

	while (list != NULL && *list != '\0') {
		list += strspn(list, ", \t");
		if (strncasecmp(list, token, len) == 0 && strchr(", \t", list[len]) != NULL)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

/* false: it is no handshake that we take, and was answered. */
static bool
shake_hands(struct request *request, char accept[WS_ACCEPT_BYTES])
{
	const char *version = header(request, "Sec-WebSocket-Version");
	const char *key = header(request, "Sec-WebSocket-Key");

	if (!has_token(header(request, "Upgrade"), "websocket") ||
	    !has_token(header(request, "Connection"), "upgrade") || version == NULL ||
	    strcmp(version, "13") != 0) {
		reply_header(request, "Upgrade", "websocket");
		reply_header(request, "Sec-WebSocket-Version", "13");
		reply_header(request, "Connection", "Upgrade");
		reply_error(request, 426, "this is a WebSocket, version 13");
	} else if (key == NULL || ws_accept(key, accept) < 0) {
		reply_error(request, 400, "Sec-WebSocket-Key is missing or malformed");
	} else if (route_origin_of(request->front, request->req) == NAMES_FOREIGN_ORIGIN) {
		reply_error(request, 403, "this origin may not watch");
	} else {
		return true;
	}
	return false;
}

void
view_ws(struct request *request)
{
	char accept[WS_ACCEPT_BYTES];

	if (shake_hands(request, accept) && has_room(request, request->front->n_viewers))
		become_viewer(request, VIEWER_WS, accept);
}

/* Its subscriptions count as viewers, and are told when there is no room. */
void
view_wall(struct request *request)
{
	char accept[WS_ACCEPT_BYTES];

	if (shake_hands(request, accept) && has_room(request, request->front->n_walls))
		become_wall(request, accept);
}

void
view_mp4(struct request *request)
{
	if (request->stream->kind == STREAM_KIND_JPEG)
		reply_error(request, 406, "the camera delivers MJPEG: use /api/stream.mjpeg");
	else if (request->is_head)
		reply_send(request, 200, "video/mp4", NULL, 0);
	else if (has_room(request, request->front->n_viewers))
		become_viewer(request, VIEWER_MP4, NULL);
}

void
view_mjpeg(struct request *request)
{
	if (request->stream->kind == STREAM_KIND_VIDEO)
		reply_error(request, 406, "the camera delivers no MJPEG: use /api/stream.mp4");
	else if (request->is_head)
		reply_send(request, 200, "multipart/x-mixed-replace; boundary=frame", NULL, 0);
	else if (has_room(request, request->front->n_viewers))
		become_viewer(request, VIEWER_MJPEG, NULL);
}

/* A request that waits for its picture. */
struct waiting {
	struct front *front;
	struct evhttp_request *req;
	struct snapshot_ask *ask; /* outstanding */
	bool asking;              /* snapshot_ask() has not returned */
	bool is_head;
	char *cors_origin;
};

static void
waiting_free(struct waiting *waiting)
{
	snapshot_cancel(&waiting->ask);
	free(waiting->cors_origin);
	free(waiting);
}

static void
on_picture(void *arg, int status, const char *error, const void *jpeg, size_t len)
{
	struct waiting *waiting = arg;
	struct request request = { .front = waiting->front,
				   .req = waiting->req,
				   .is_head = waiting->is_head,
				   .cors_origin = waiting->cors_origin };

	waiting->ask = NULL;
	listeners_on_abort(waiting->front->listeners, waiting->req, NULL, NULL);
	if (jpeg != NULL)
		reply_send(&request, status, "image/jpeg", jpeg, len);
	else
		reply_error(&request, status, error);
	if (!waiting->asking)
		waiting_free(waiting);
}

static void
on_abort(void *arg)
{
	waiting_free(arg);
}

void
view_frame(struct request *request)
{
	struct waiting *waiting = xcalloc(1, sizeof(*waiting));

	audit_picture(request->front, &request->who, request->address, request->src);
	waiting->front = request->front;
	waiting->req = request->req;
	waiting->is_head = request->is_head;
	if (request->cors_origin != NULL)
		waiting->cors_origin = xstrdup(request->cors_origin);
	waiting->asking = true;
	waiting->ask = snapshot_ask(request->stream, on_picture, waiting);
	waiting->asking = false;
	if (waiting->ask == NULL)
		waiting_free(waiting);
	else
		listeners_on_abort(request->front->listeners, request->req, on_abort, waiting);
}
