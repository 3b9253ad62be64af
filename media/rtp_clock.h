/*
 * RTP timestamps of one track to the stream's clock and, with sender reports, to the camera's wall
 * clock. Pure; wraps, drift and jumps are handled here.
 */
#ifndef CAMHUB_MEDIA_RTP_CLOCK_H
#define CAMHUB_MEDIA_RTP_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A camera's clock further than this from ours is told as not synchronised. */
#define RTP_CLOCK_SYNCED_NS (INT64_C(2) * 1000000000)

struct rtp_clock {
	uint32_t rate; /* Hz */
	bool has_first;
	uint32_t last;     /* timestamp */
	int64_t unwrapped; /* ticks of `last` since the first, wraps counted */
	bool has_report;
	uint64_t report_ntp;
	int64_t report_ticks;       /* unwrapped, of the last report */
	int64_t report_realtime_ns; /* the camera's wall clock there */
	int64_t reported_at_ns;     /* our wall clock when it arrived */
	int64_t slope_ppb;          /* measured drift of RTP ticks against the camera's clock */
	bool is_synced;
	bool is_bad; /* reports contradict each other: captured times are not given */
};

void rtp_clock_init(struct rtp_clock *clock, uint32_t rate);

/* Stream time of a timestamp in ns, 0 for the first; steps back up to half the range go back. */
int64_t rtp_clock_stream_ns(struct rtp_clock *clock, uint32_t timestamp);

/* A sender report arrived. Jumps of the camera's clock (NTP set) begin a new mapping. Reports
 * before the first packet are kept. */
void rtp_clock_on_report(struct rtp_clock *clock, uint64_t ntp, uint32_t timestamp,
			 int64_t arrived_realtime_ns);

/* When the camera took it, by its own clock: ns since 1970. false: not known (no report, a clock
 * that makes no sense, a timestamp too far from the last report). *is_synced: within
 * RTP_CLOCK_SYNCED_NS of ours. */
bool rtp_clock_captured(const struct rtp_clock *clock, uint32_t timestamp,
			int64_t *captured_realtime_ns, bool *is_synced);

#endif
