/*
 * RTP time. Timestamps are unwrapped by their distance from the one before. A mapping to the
 * camera's wall clock is one point, the last sender report, and a slope, which is measured over
 * minutes because a single report is only as exact as the camera's care. When packets arrive plays
 * no part in it: it only judges whether reports can be true.
 */
#include "config.h"

#include "media/rtp_clock.h"

#include "media/rtcp.h"

#include <stdlib.h>

#define NS_PER_S  INT64_C(1000000000)
#define TIME_MAX  (INT64_MAX / 4) /* of stream times; further makes no sense */
#define TICKS_MAX (INT64_C(1) << 60)
/* A report's timestamp and the packets' are of one clock when they are this near. */
#define NEAR_NS (30 * NS_PER_S)
/* Packets that step further than this may have left the camera's clock behind. */
#define JUMP_NS (10 * NS_PER_S)
#define BACK_NS (2 * NS_PER_S)
/* Further from the last report than this nothing is said. */
#define REACH_NS (600 * NS_PER_S)
/* What two reports may differ from each other: so much, and a 20th of the time between them
 * (cameras whose timestamps count frames of a rate that they do not keep). */
#define SLACK_NS    (NS_PER_S / 10)
#define SLACK_PARTS 20
/* As above, against our clock, with the network in between. */
#define ARRIVAL_SLACK_NS (2 * NS_PER_S)
/* Below this an error is the report's, not the clock's, and taken in by a quarter, once the slope
 * is known. */
#define SMOOTH_NS   (50 * (NS_PER_S / 1000))
#define SMOOTH_PART 4
/* The slope is measured over at least so long, later over one to two such halves. */
#define SLOPE_FROM_NS (30 * NS_PER_S)
#define SLOPE_HALF_NS (300 * NS_PER_S)
#define SLOPE_LOST_NS (86400 * NS_PER_S)
#define SLOPE_MAX_PPB (NS_PER_S / SLACK_PARTS)
/* So many contradictions, less those reports that agreed, make reports useless. */
#define STRIKES_BAD 3u
#define STRIKES_MAX 6u
/* A camera further in the future than this counts its uptime, not time. */
#define FUTURE_NS (5 * 366 * 86400 * NS_PER_S)

void
rtp_clock_init(struct rtp_clock *clock, uint32_t rate)
{
	*clock = (struct rtp_clock){ .rate = rate > 0 ? rate : 1 };
}

static int64_t
clamp(int64_t value, int64_t limit)
{
	if (value > limit)
		return limit;
	return value < -limit ? -limit : value;
}

static int64_t
ns_of_ticks(const struct rtp_clock *clock, int64_t ticks)
{
	int64_t s = ticks / clock->rate, rest = ticks % clock->rate;

	return clamp(s, TIME_MAX / NS_PER_S) * NS_PER_S + rest * NS_PER_S / clock->rate;
}

/* Ticks since the first packet. */
static int64_t
ticks_at(const struct rtp_clock *clock, uint32_t timestamp)
{
	return clock->unwrapped + (int32_t)(timestamp - clock->last);
}

/* The camera's wall clock between two points of its RTP clock. */
static int64_t
wall_between(const struct rtp_clock *clock, int64_t from_ticks, int64_t to_ticks)
{
	int64_t ns = ns_of_ticks(clock, to_ticks - from_ticks);

	return ns + ns / NS_PER_S * clock->slope_ppb + ns % NS_PER_S * clock->slope_ppb / NS_PER_S;
}

static void
begin_slope(struct rtp_clock *clock, const struct rtp_clock_point *point)
{
	clock->slope_from = *point;
	clock->slope_next = *point;
	clock->has_slope = false;
}

/* The report that came before the first packet finds its place on the packets' clock. */
static void
place_early_report(struct rtp_clock *clock)
{
	int64_t ticks = ticks_at(clock, clock->early_timestamp);

	if (!clock->has_report)
		return;
	clock->has_report = llabs(ns_of_ticks(clock, ticks)) <= NEAR_NS;
	clock->report.ticks = ticks;
	begin_slope(clock, &clock->report);
}

int64_t
rtp_clock_stream_ns(struct rtp_clock *clock, uint32_t timestamp)
{
	int64_t step_ns;

	if (!clock->has_first) {
		clock->has_first = true;
		clock->last = timestamp;
		place_early_report(clock);
		return 0;
	}
	step_ns = ns_of_ticks(clock, (int32_t)(timestamp - clock->last));
	/* Whether the camera's clock went along, the next report says. */
	if (step_ns > JUMP_NS || step_ns < -BACK_NS)
		clock->is_trusted = false;
	clock->unwrapped = clamp(ticks_at(clock, timestamp), TICKS_MAX);
	clock->last = timestamp;
	return ns_of_ticks(clock, clock->unwrapped);
}

/* From one NTP time to another, eras left aside. */
static int64_t
ntp_between(uint64_t from, uint64_t to)
{
	uint64_t size = to - from;
	bool is_back = size >> 63;
	int64_t ns;

	if (is_back)
		size = from - to;
	ns = (int64_t)(size >> 32) * NS_PER_S +
	     (int64_t)(((size & UINT32_MAX) * (uint64_t)NS_PER_S) >> 32);
	return is_back ? -ns : ns;
}

static bool
is_within(int64_t a, int64_t b, int64_t slack)
{
	return llabs(a - b) <= slack + llabs(b) / SLACK_PARTS;
}

static void
note_strike(struct rtp_clock *clock)
{
	if (clock->strikes < STRIKES_MAX)
		clock->strikes++;
	if (clock->strikes >= STRIKES_BAD)
		clock->is_bad = true;
}

static void
note_agreement(struct rtp_clock *clock)
{
	if (clock->strikes > 0)
		clock->strikes--;
	if (clock->strikes == 0)
		clock->is_bad = false;
}

/* Over 30 s at first, then over five to ten minutes. */
static void
measure_slope(struct rtp_clock *clock, const struct rtp_clock_point *point)
{
	const struct rtp_clock_point *from = &clock->slope_from;
	int64_t span_ns = ns_of_ticks(clock, point->ticks - from->ticks);
	int64_t gain_ns = ntp_between(from->ntp, point->ntp) - span_ns;

	if (span_ns > SLOPE_LOST_NS)
		begin_slope(clock, point);
	if (span_ns < SLOPE_FROM_NS || span_ns > SLOPE_LOST_NS)
		return;
	clock->has_slope = true;
	clock->slope_ppb =
	    clamp(clamp(gain_ns, span_ns) * 1000 / (span_ns / 1000000), SLOPE_MAX_PPB);
	if (ns_of_ticks(clock, point->ticks - clock->slope_next.ticks) >= SLOPE_HALF_NS) {
		clock->slope_from = clock->slope_next;
		clock->slope_next = *point;
	}
}

static void
set_point(struct rtp_clock *clock, const struct rtp_clock_point *point, int64_t realtime_ns)
{
	clock->has_report = true;
	clock->report = *point;
	clock->report_realtime_ns = realtime_ns;
	clock->is_synced = llabs(realtime_ns - point->arrived_ns) <= RTP_CLOCK_SYNCED_NS;
}

/* A mapping of its own: the first one, or after a jump. */
static void
begin_mapping(struct rtp_clock *clock, const struct rtp_clock_point *point, bool is_trusted)
{
	set_point(clock, point, rtcp_ntp_to_realtime_ns(point->ntp, point->arrived_ns));
	begin_slope(clock, point);
	clock->is_trusted = is_trusted;
}

/* As foreseen, or nearly so. */
static void
go_on(struct rtp_clock *clock, const struct rtp_clock_point *point)
{
	int64_t said = rtcp_ntp_to_realtime_ns(point->ntp, point->arrived_ns);
	int64_t foreseen =
	    clock->report_realtime_ns + wall_between(clock, clock->report.ticks, point->ticks);
	int64_t error = said - foreseen;

	if (clock->has_slope && llabs(error) < SMOOTH_NS)
		said = foreseen + error / SMOOTH_PART;
	else if (clock->has_slope)
		begin_slope(clock, point);
	set_point(clock, point, said);
	measure_slope(clock, point);
	clock->is_trusted = true;
	note_agreement(clock);
}

static void
judge(struct rtp_clock *clock, const struct rtp_clock_point *point)
{
	const struct rtp_clock_point *last = &clock->report;
	int64_t ticks_ns = wall_between(clock, last->ticks, point->ticks);
	int64_t packets_ns = wall_between(clock, last->packet_ticks, point->packet_ticks);
	int64_t waited_ns = point->arrived_ns - last->arrived_ns;

	if (is_within(ntp_between(last->ntp, point->ntp), ticks_ns, SLACK_NS)) {
		go_on(clock, point);
		return;
	}
	/* The wall clock was set when the ticks went on as time did, the ticks began anew when the
	 * packets went along; anything else must prove itself. */
	note_strike(clock);
	begin_mapping(clock, point,
		      is_within(waited_ns, ticks_ns, ARRIVAL_SLACK_NS) ||
			  is_within(packets_ns, ticks_ns, ARRIVAL_SLACK_NS));
}

/* The packets may stand still (nothing is said, nothing moves) while reports go on. */
static bool
is_near_packets(const struct rtp_clock *clock, const struct rtp_clock_point *point)
{
	if (clock->has_report && point->packet_ticks == clock->report.packet_ticks)
		return true;
	return llabs(ns_of_ticks(clock, point->ticks - point->packet_ticks)) <= NEAR_NS;
}

void
rtp_clock_on_report(struct rtp_clock *clock, uint64_t ntp, uint32_t timestamp,
		    int64_t arrived_realtime_ns)
{
	struct rtp_clock_point point = { .ntp = ntp,
					 .ticks = ticks_at(clock, timestamp),
					 .packet_ticks = clock->unwrapped,
					 .arrived_ns = arrived_realtime_ns };

	if (ntp == 0)
		return;
	if (!clock->has_first) {
		begin_mapping(clock, &point, true);
		clock->early_timestamp = timestamp;
	} else if (!is_near_packets(clock, &point))
		note_strike(clock);
	else if (!clock->has_report)
		begin_mapping(clock, &point, true);
	else
		judge(clock, &point);
}

bool
rtp_clock_captured(const struct rtp_clock *clock, uint32_t timestamp, int64_t *captured_realtime_ns,
		   bool *is_synced)
{
	int64_t ticks = ticks_at(clock, timestamp), passed_ns, captured_ns;

	if (!clock->has_first || !clock->has_report || !clock->is_trusted || clock->is_bad)
		return false;
	passed_ns = wall_between(clock, clock->report.ticks, ticks);
	captured_ns = clock->report_realtime_ns + passed_ns;
	if (llabs(passed_ns) > REACH_NS || captured_ns <= 0 ||
	    clock->report_realtime_ns - clock->report.arrived_ns > FUTURE_NS)
		return false;
	*captured_realtime_ns = captured_ns;
	*is_synced = clock->is_synced;
	return true;
}
