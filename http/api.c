/*
 * /api, /api/streams, /healthz: what there is, as JSON.
 */
#include "config.h"

#include "http/handlers.h"

#include "http/cursor.h"
#include "http/delay_tell.h"
#include "http/gate_request.h"
#include "http/reply.h"
#include "http/results.h"
#include "http/stream.h"
#include "http/whep.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <string.h>

#define GO2RTC_VERSION "1.9.13" /* whose clients we serve; they accept 1.9.13 <= v < 2.0.0 */

void
api_info(struct request *request)
{
	reply_json(request, 200,
		   json_pack("{s:s, s:s, s:I, s:b, s:o}", "version", GO2RTC_VERSION, "camhub",
			     PACKAGE_VERSION, "live_target_ms",
			     (json_int_t)request->front->config.live_target_ms, "webrtc",
			     request->front->config.webrtc, "ice_servers",
			     whep_ice_servers(request->front)));
}

static json_t *
consumers_of(const struct stream *stream)
{
	json_t *list = json_array();
	const struct cursor *cursor;

	for (cursor = LIST_FIRST(&stream->cursors); cursor != NULL;
	     cursor = LIST_NEXT(cursor, in_stream)) {
		json_t *one =
		    json_pack("{s:I, s:s, s:I, s:I, s:I, s:o}", "id", (json_int_t)cursor->id,
			      "format_name", cursor->format, "bytes_send",
			      (json_int_t)cursor->bytes, "frames", (json_int_t)cursor->frames,
			      "skipped", (json_int_t)cursor->skipped, "delay_p95_ms",
			      delay_describe_viewer(stream->delay, cursor->id,
						    clock_now_ns(stream->front->clock)));

		if (one == NULL || json_array_append_new(list, one) < 0)
			xalloc_die();
	}
	return list;
}

/* with_consumers: each viewer as well; pages that ask every few seconds do without. go2rtc's shape
 * first. The front knows no camera's URL, so nobody learns it here. */
static json_t *
describe(const struct stream *stream, bool with_consumers)
{
	static const char *const kinds[] = { "", "video", "mjpeg" };
	const char *kind = stream->kind == STREAM_KIND_VIDEO && stream->codec[0] != '\0'
			       ? stream->codec
			       : kinds[stream->kind];
	char *url = xasprintf("camhub:%s", stream->name);
	json_t *json = json_pack("{s:[{s:s}], s:o}", "producers", "url", url, "consumers",
				 with_consumers ? consumers_of(stream) : json_array());
	size_t len = strlen(stream->name);

	free(url);
	if (json == NULL)
		xalloc_die();
	msg_set_str(json, "name", stream->name);
	msg_set_str(json, "title", stream->title);
	msg_set_str(json, "group", stream->group);
	msg_set_str(json, "camera", stream->camera);
	msg_set_bool(json, "sub", len > 4 && strcmp(stream->name + len - 4, ".sub") == 0);
	msg_set_bool(json, "transcoded",
		     len > 5 && (strcmp(stream->name + len - 5, ".h264") == 0 ||
				 strcmp(stream->name + len - 5, ".opus") == 0));
	msg_set_int(json, "order", stream->order);
	msg_set_bool(json, "on_demand", stream->on_demand);
	msg_set_str(json, "state", stream->state);
	msg_set_int(json, "since_ms", stream->since_ms);
	msg_set_str(json, "reason", stream->reason);
	msg_set_str(json, "kind", kind);
	msg_set_str(json, "codec", stream->codec);
	msg_set_str(json, "codec_string", stream->codec_string);
	msg_set_int(json, "width", stream->width);
	msg_set_int(json, "height", stream->height);
	msg_set_real(json, "fps", stream->fps);
	msg_set_int(json, "viewers", stream->n_viewers);
	msg_set_int(json, "analysers", results_analysers_of(stream->front->results, stream->name));
	if (json_object_set_new(json, "delay_ms",
				delay_describe(stream->delay, clock_now_ns(stream->front->clock))) <
	    0)
		xalloc_die();
	if (json_object_set_new(json, "advice",
				stream->advice != NULL ? json_incref(stream->advice)
						       : json_array()) < 0)
		xalloc_die();
	msg_set_bool(json, "damaged", hub_is_damaged(stream->hub));
	msg_set_int(json, "withheld", (long long)hub_stats(stream->hub)->withheld);
	msg_set_int(json, "passed_damaged", (long long)hub_stats(stream->hub)->passed_damaged);
	return json;
}

void
api_streams(struct request *request)
{
	bool one = evhttp_find_header(&request->query, "src") != NULL;
	const char *consumers = evhttp_find_header(&request->query, "consumers");
	bool with_consumers = consumers == NULL || strcmp(consumers, "0") != 0;
	const struct stream *stream;
	json_t *all;

	if (!front_is_ready(request->front)) {
		reply_error(request, 503, "starting");
		return;
	}
	/* By its name alone, there or not: who may not see it learns nothing. */
	if (one && request->src[0] != '\0' && !gate_shows(request, request->src)) {
		reply_error(request, 403, "not this camera");
		return;
	}
	if (one && request->stream == NULL) {
		reply_error(request, 404, "stream not found");
		return;
	}
	if (one) {
		reply_json(request, 200, describe(request->stream, with_consumers));
		return;
	}
	all = json_object();
	for (stream = LIST_FIRST(&request->front->streams); stream != NULL;
	     stream = LIST_NEXT(stream, entry))
		if (gate_shows(request, stream->name) &&
		    json_object_set_new(all, stream->name, describe(stream, with_consumers)) < 0)
			xalloc_die();
	reply_json(request, 200, all);
}

void
api_analysers(struct request *request)
{
	reply_json(request, 200, results_describe(request->front->results, request));
}

void
api_health(struct request *request)
{
	if (front_is_ready(request->front))
		reply_json(request, 200, json_pack("{s:s}", "status", "ok"));
	else
		reply_error(request, 503, "starting");
}
