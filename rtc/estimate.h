/*
 * How much a viewer's link carries, and what to do about it: from transport-wide feedback (delay of
 * each packet), receiver reports (loss, round trip) and REMB. Loss alone is not thinness: Wi-Fi
 * loses packets without being full. What counts is a queue that grows in the network, or loss that
 * goes away when less is sent. Pure: times are given in, nanoseconds of any steady clock.
 */
#ifndef CAMHUB_RTC_ESTIMATE_H
#define CAMHUB_RTC_ESTIMATE_H

#include "rtc/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

enum rtc_advice {
	RTC_ADVICE_OK,        /* everything */
	RTC_ADVICE_THIN,      /* the smaller stream; where there is none, key frames only */
	RTC_ADVICE_KEYS_ONLY, /* key frames of the smallest there is */
};

const char *rtc_advice_name(enum rtc_advice advice); /* "ok", "thin", "keys-only"; static */

struct rtc_estimate;

struct rtc_estimate *rtc_estimate_new(int64_t now_ns);
void rtc_estimate_free(struct rtc_estimate **estimate);

/* A packet left with this transport-wide number (negotiated or not: numbers count up by one).
 * bytes: of the datagram. Retransmissions too. */
void rtc_estimate_on_sent(struct rtc_estimate *estimate, uint16_t twcc_seq, unsigned bytes,
			  int64_t now_ns);
void rtc_estimate_on_twcc(struct rtc_estimate *estimate, const struct rtc_rtcp_twcc *twcc,
			  int64_t now_ns);
/* round_trip_us: rtc_rtcp_round_trip_us(), -1 unknown. */
void rtc_estimate_on_report(struct rtc_estimate *estimate, const struct rtc_rtcp_report *report,
			    int64_t round_trip_us, int64_t now_ns);
void rtc_estimate_on_remb(struct rtc_estimate *estimate, uint64_t bits_per_s, int64_t now_ns);

/* What is sent has changed, by this advice or otherwise: what the link does from now on is the
 * answer to it. */
void rtc_estimate_note_change(struct rtc_estimate *estimate, int64_t now_ns);

/* Call it after feedback, and at least every 200 ms: silence counts too. */
enum rtc_advice rtc_estimate_advice(struct rtc_estimate *estimate, int64_t now_ns);

/*
 * Whether so much is on the way that more would only wait in the network: what is sent now would be
 * late, so leave it out and go on with a key frame. Needs transport-wide feedback; without it, and
 * until the first feedback, never.
 */
bool rtc_estimate_is_full(const struct rtc_estimate *estimate, int64_t now_ns);
/* For how long what is sent now will wait in the network, microseconds; 0: not at all, or nothing
 * is known of it. */
int64_t rtc_estimate_wait_us(const struct rtc_estimate *estimate, int64_t now_ns);
/* No transport-wide feedback has come yet. */
bool rtc_estimate_is_blind(const struct rtc_estimate *estimate);

struct rtc_estimate_state {
	uint64_t rate_bps;     /* what the link carried of late, or said it carries; 0 unknown */
	uint64_t sent_bps;     /* what was sent of late */
	unsigned lost_percent; /* of late */
	int64_t round_trip_us; /* -1 unknown */
	int64_t queue_us;      /* delay above the least seen of late */
};
void rtc_estimate_look(const struct rtc_estimate *estimate, int64_t now_ns,
		       struct rtc_estimate_state *state);

#endif
