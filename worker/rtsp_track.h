/*
 * One track of a session from packets to the worker: order, loss, units, times, receiver reports.
 * No sockets: packets are pushed in, reports are taken out.
 */
#ifndef CAMHUB_WORKER_RTSP_TRACK_H
#define CAMHUB_WORKER_RTSP_TRACK_H

#include "media/rtcp.h"
#include "media/rtp_clock.h"
#include "media/rtp_depay.h"
#include "media/rtp_reorder.h"
#include "publish/wrk_input.h"
#include "worker/rtsp_times.h"

/* What the tracks of one session share: the stream's clock, so that picture and sound stay
 * together. times begins as zeros. */
struct rtsp_tracks {
	struct wrk *wrk;
	struct rtsp_times times;
	bool keep_vui; /* leave parameter sets as they are */
};

struct rtsp_track_config {
	const struct rtp_format *format; /* borrowed for the call */
	int64_t wait_ns;                 /* reorder window; 0 over TCP */
	uint32_t our_ssrc;
	double framerate; /* as described; 0 unknown */
};

struct rtsp_track_stats {
	uint64_t packets, bytes, lost, reordered, late, units, damaged;
	enum rtp_au_end au_end;
	bool has_clock, is_clock_synced;
	int64_t last_packet_ns; /* CLOCK_MONOTONIC, 0 none */
};

struct rtsp_track;

/* tracks must outlive it. Delivers the configuration of the description at once. NULL: a codec that
 * is not for here. */
struct rtsp_track *rtsp_track_new(struct rtsp_tracks *tracks,
				  const struct rtsp_track_config *config);
void rtsp_track_free(struct rtsp_track **track); /* NULL-safe */

/* now_ns: CLOCK_MONOTONIC, realtime_ns: CLOCK_REALTIME when the packet was read. Ends in
 * wrk_deliver(). Returns 0, -EPROTO: no RTP packet of this track. */
int rtsp_track_rtp(struct rtsp_track *track, const uint8_t *data, size_t len, int64_t now_ns,
		   int64_t realtime_ns);
void rtsp_track_rtcp(struct rtsp_track *track, const uint8_t *data, size_t len, int64_t now_ns,
		     int64_t realtime_ns);
/* When rtsp_track_tick() is due (UDP holes), CLOCK_MONOTONIC; INT64_MAX: nothing waits. */
int64_t rtsp_track_due_ns(const struct rtsp_track *track);
void rtsp_track_tick(struct rtsp_track *track, int64_t now_ns);
/* A receiver report, to be sent every 5 s; 0 bytes: nothing came yet. */
size_t rtsp_track_report(struct rtsp_track *track, int64_t now_ns, uint8_t out[RTCP_RR_BYTES_MAX]);
const struct rtsp_track_stats *rtsp_track_stats(struct rtsp_track *track);

#endif
