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

/* A sender report as seen from here. */
struct rtp_clock_point {
	uint64_t ntp;
	int64_t ticks;        /* of its timestamp, unwrapped */
	int64_t packet_ticks; /* of the last packet before it */
	int64_t arrived_ns;   /* our wall clock */
};

struct rtp_clock {
	uint32_t rate; /* Hz */
	bool has_first;
	uint32_t last;     /* timestamp */
	int64_t unwrapped; /* ticks of `last` since the first, wraps counted */
	bool has_report;
	bool is_trusted; /* the last report fits what came before it */
	struct rtp_clock_point report;
	uint32_t early_timestamp;   /* of a report before the first packet */
	int64_t report_realtime_ns; /* the camera's wall clock there, smoothed */
	int64_t slope_ppb;          /* measured gain of the camera's wall clock on RTP ticks */
	bool has_slope;
	struct rtp_clock_point slope_from, slope_next;
	unsigned strikes;
	bool is_synced;
	bool is_bad; /* reports contradict each other: captured times are not given */
};

void rtp_clock_init(struct rtp_clock *clock, uint32_t rate);

/* Stream time of a timestamp in ns, 0 for the first; steps back up to half the range go back. */
int64_t rtp_clock_stream_ns(struct rtp_clock *clock, uint32_t timestamp);

/*
 * A sender report arrived. Jumps of the camera's clock (NTP set) begin a new mapping. Reports
 * before the first packet are kept; those without a clock (ntp 0) are passed over. A report whose
 * timestamp is not of the packets' clock, or that fits neither the reports before it nor the time
 * that passed, is not believed; three such make the clock bad until as many agree again.
 */
void rtp_clock_on_report(struct rtp_clock *clock, uint64_t ntp, uint32_t timestamp,
			 int64_t arrived_realtime_ns);

/* When the camera took it, by its own clock: ns since 1970. false: not known (no report, a clock
 * that makes no sense: before 1970 or years ahead of ours; a timestamp more than ten minutes from
 * the last report). A clock that nobody has set since 1970 is one. *is_synced: within
 * RTP_CLOCK_SYNCED_NS of ours. */
bool rtp_clock_captured(const struct rtp_clock *clock, uint32_t timestamp,
			int64_t *captured_realtime_ns, bool *is_synced);

#endif
