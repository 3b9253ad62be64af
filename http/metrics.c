/*
 * /metrics: Prometheus' text format, version 0.0.4.
 */
#include "config.h"

#include "http/handlers.h"

#include "http/delay_tell.h"
#include "http/gate_request.h"
#include "http/listen.h"
#include "http/reply.h"
#include "http/results.h"
#include "http/rtc_ask.h"
#include "http/stream.h"
#include "shared/bus.h"
#include "shared/xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct family {
	const char *name, *type, *help;
	uint64_t (*value)(const struct stream *stream);
};

static uint64_t
is_up(const struct stream *stream)
{
	return stream_is_up(stream);
}

static uint64_t
viewers(const struct stream *stream)
{
	return stream->n_viewers;
}

static uint64_t
frames(const struct stream *stream)
{
	return hub_stats(stream->hub)->frames;
}

static uint64_t
holes(const struct stream *stream)
{
	return hub_stats(stream->hub)->holes;
}

static uint64_t
withheld(const struct stream *stream)
{
	return hub_stats(stream->hub)->withheld;
}

static uint64_t
passed_damaged(const struct stream *stream)
{
	return hub_stats(stream->hub)->passed_damaged;
}

static uint64_t
is_damaged(const struct stream *stream)
{
	return hub_is_damaged(stream->hub);
}

static uint64_t
skipped(const struct stream *stream)
{
	return stream->skipped;
}

static uint64_t
ring_bytes(const struct stream *stream)
{
	return hub_stats(stream->hub)->bytes;
}

static uint64_t
ring_bytes_high(const struct stream *stream)
{
	return hub_stats(stream->hub)->bytes_high;
}

static uint64_t
lag_bytes_high(const struct stream *stream)
{
	return stream->lag_bytes_high;
}

static uint64_t
corrupt(const struct stream *stream)
{
	return stream->corrupt;
}

static uint64_t
packets(const struct stream *stream)
{
	return stream->packets;
}

static uint64_t
lost(const struct stream *stream)
{
	return stream->lost;
}

static uint64_t
redials(const struct stream *stream)
{
	return stream->redials;
}

static uint64_t
reporting(const struct stream *stream)
{
	struct delay_figures figures;

	if (!delay_stats_figures(stream->delay, clock_now_ns(stream->front->clock), &figures))
		return 0;
	return figures.viewers;
}

static uint64_t
shown(const struct stream *stream)
{
	return delay_stats_totals(stream->delay)->shown;
}

static uint64_t
dropped(const struct stream *stream)
{
	return delay_stats_totals(stream->delay)->dropped;
}

static uint64_t
reports_refused(const struct stream *stream)
{
	return delay_stats_totals(stream->delay)->refused;
}

static const struct family families[] = {
	{ "camhub_stream_up", "gauge", "1 while the camera delivers pictures.", is_up },
	{ "camhub_stream_viewers", "gauge", "Viewers connected to the stream.", viewers },
	{ "camhub_stream_frames_total", "counter", "Frames received from the bus.", frames },
	{ "camhub_stream_holes_total", "counter", "Breaks in the sequence on the bus.", holes },
	{ "camhub_stream_withheld_total", "counter",
	  "Damaged frames, and frames that depend on them, kept from viewers.", withheld },
	{ "camhub_stream_passed_damaged_total", "counter",
	  "Damaged frames, and frames that depend on them, that viewers got all the same.",
	  passed_damaged },
	{ "camhub_stream_damaged", "gauge", "1 while viewers see damaged pictures.", is_damaged },
	{ "camhub_stream_skipped_total", "counter", "Frames that slow viewers did not get.",
	  skipped },
	{ "camhub_stream_ring_bytes", "gauge", "Bytes held for viewers.", ring_bytes },
	{ "camhub_stream_ring_bytes_high", "gauge", "The most bytes ever held for viewers.",
	  ring_bytes_high },
	{ "camhub_stream_lag_bytes_high", "gauge", "The furthest that a viewer ever lagged.",
	  lag_bytes_high },
	{ "camhub_stream_corrupt_total", "counter",
	  "Frames that came from the camera incomplete, of the worker that runs.", corrupt },
	{ "camhub_stream_packets_total", "counter",
	  "RTP packets of video from the camera, of the worker that runs.", packets },
	{ "camhub_stream_packets_lost_total", "counter",
	  "RTP packets of video that never came, of the worker that runs.", lost },
	{ "camhub_stream_redials_total", "counter", "Times the bus was dialled again for silence.",
	  redials },
	{ "camhub_viewer_reporting", "gauge", "Viewers that tell the delay on their screens.",
	  reporting },
	{ "camhub_viewer_frames_shown_total", "counter",
	  "Frames on viewers' screens, as they report.", shown },
	{ "camhub_viewer_frames_dropped_total", "counter",
	  "Frames that viewers received and did not show, as they report.", dropped },
	{ "camhub_viewer_reports_refused_total", "counter", "Reports of viewers that cannot be.",
	  reports_refused },
};

static void
family_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
total(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	family_head(out, name, type, help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void
write_totals(FILE *out, const struct front *front)
{
	struct rtc_ask_stats offers = rtc_asks_stats(front->rtc_asks);

	family_head(out, "camhub_info", "gauge", "The version in its label.");
	fprintf(out, "camhub_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	total(out, "camhub_http_requests_total", "counter", "Requests received.", front->requests);
	total(out, "camhub_http_connections", "gauge", "Connections that are no viewers.",
	      listeners_connections(front->listeners));
	total(out, "camhub_viewers", "gauge", "Viewers connected.", front->n_viewers);
	total(out, "camhub_viewers_total", "counter", "Viewers ever connected.",
	      front->viewers_ever);
	total(out, "camhub_viewers_refused_total", "counter", "Viewers refused for want of room.",
	      front->viewers_refused);
	total(out, "camhub_sent_bytes_total", "counter", "Bytes sent to viewers.",
	      front->bytes_sent);
	total(out, "camhub_webrtc_offers_total", "counter", "Offers of WebRTC.", offers.offers);
	total(out, "camhub_webrtc_taken_total", "counter", "Offers that were answered.",
	      offers.taken);
	total(out, "camhub_webrtc_refused_total", "counter",
	      "Offers that were refused, or not answered in time.", offers.refused);
	total(out, "camhub_webrtc_waiting", "gauge", "Questions to camhub-rtc without an answer.",
	      offers.waiting);
	total(out, "camhub_bus_lingering", "gauge",
	      "Bus sockets put aside while their peer still sends.", bus_sub_lingering());
}

/* What the operator may see, as everywhere. */
static void
write_delays(FILE *out, const struct request *request)
{
	static const char name[] = "camhub_viewer_delay_seconds";
	const struct stream *stream;

	family_head(out, name, "histogram",
		    "Age of frames, from the camera's last packet to the viewer's screen, as "
		    "viewers report; the sum is estimated from the buckets.");
	for (stream = LIST_FIRST(&request->front->streams); stream != NULL;
	     stream = LIST_NEXT(stream, entry))
		if (gate_shows(request, stream->name))
			delay_write_histogram(stream->delay, name, stream->name, out);
}

void
api_metrics(struct request *request)
{
	const struct stream *stream;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		xalloc_die();
	write_totals(out, request->front);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		family_head(out, families[i].name, families[i].type, families[i].help);
		/* Names of streams need no escaping. */
		for (stream = LIST_FIRST(&request->front->streams); stream != NULL;
		     stream = LIST_NEXT(stream, entry))
			if (gate_shows(request, stream->name))
				fprintf(out, "%s{stream=\"%s\"} %" PRIu64 "\n", families[i].name,
					stream->name, families[i].value(stream));
	}
	write_delays(out, request);
	results_write_metrics(request->front->results, request, out);
	if (fclose(out) != 0)
		xalloc_die();
	reply_send(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, len);
	free(text);
}
