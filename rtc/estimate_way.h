/*
 * What is known of the way to one viewer: how much arrives, how long it waits on the way, how much
 * is lost. Measuring only; what to do about it is estimate.c's.
 */
#ifndef CAMHUB_RTC_ESTIMATE_WAY_H
#define CAMHUB_RTC_ESTIMATE_WAY_H

#include "rtc/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

#define WAY_SENT_PACKETS   1024u /* a power of two; older ones are forgotten */
#define WAY_LOSS_BUCKETS   8u    /* of WAY_LOSS_BUCKET_NS each */
#define WAY_LOSS_BUCKET_NS INT64_C(250000000)

struct rtc_way_sent {
	uint32_t at_us;
	uint16_t seq, bytes; /* bytes 0: not there, or its fate is known */
};

/* The least of something over the last one to two periods. */
struct rtc_way_least {
	int64_t value[2]; /* this period, the one before; INT64_MAX none */
	int64_t began_ns;
};

struct rtc_way_loss {
	int64_t number; /* of its bucket of time */
	uint32_t came, lost;
};

struct rtc_way {
	struct rtc_way_sent sent[WAY_SENT_PACKETS];
	uint32_t in_flight; /* bytes whose fate is not known */
	uint16_t oldest;    /* what is known of is between them */
	bool has_sent;
	int64_t sent_ns; /* the last one */

	bool has_feedback;
	unsigned feedbacks; /* ever, of those that told of an arrival */
	int64_t feedback_ns;
	int64_t last_arrival_us; /* the viewer's clock */
	struct rtc_way_least least_way;
	int64_t queue_us;        /* of the last feedback's quickest packet, above the least */
	int64_t queued_since_ns; /* above WAY_QUEUE_US without a break; 0 not */
	int64_t heard_ns;        /* of the queue, whatever it was */
	uint64_t recent_bps;     /* between the last two feedbacks */
	uint64_t carried_bps;    /* smoothed */

	struct rtc_way_loss losses[WAY_LOSS_BUCKETS];

	int64_t round_trip_us; /* -1 unknown */
	struct rtc_way_least least_round_trip;
	uint64_t remb_bps; /* 0: none */
	int64_t remb_ns;
	uint64_t sent_bps; /* smoothed over half seconds */
	uint32_t sent_bytes;
	int64_t sent_began_ns;
};

#define WAY_QUEUE_US INT64_C(100000) /* what jitter of Wi-Fi does not reach */

void rtc_way_init(struct rtc_way *way, int64_t now_ns);
void rtc_way_on_sent(struct rtc_way *way, uint16_t seq, unsigned bytes, int64_t now_ns);
void rtc_way_on_twcc(struct rtc_way *way, const struct rtc_rtcp_twcc *twcc, int64_t now_ns);
void rtc_way_on_report(struct rtc_way *way, const struct rtc_rtcp_report *report,
		       int64_t round_trip_us, int64_t now_ns);
void rtc_way_on_remb(struct rtc_way *way, uint64_t bits_per_s, int64_t now_ns);

/* Now: also what is overdue counts, so that a link that went silent is seen. */
int64_t rtc_way_queue_us(const struct rtc_way *way, int64_t now_ns);
/* Between the first and the last time that a queue was heard of, without a break; 0: there is none.
 */
int64_t rtc_way_queued_ns(const struct rtc_way *way);
/* For how long nobody has said anything of what was sent; 0: they do. */
int64_t rtc_way_silent_ns(const struct rtc_way *way, int64_t now_ns);
/* 0..100 of late, and whether there were packets enough to say so. */
bool rtc_way_lost_percent(const struct rtc_way *way, int64_t now_ns, unsigned *percent);

#endif
