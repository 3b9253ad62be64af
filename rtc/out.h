/*
 * What one viewer is sent, as RTP: his header before the payloads that all share, encrypted, in
 * batches of equal packets for one system call. What was sent of pictures is remembered, to be sent
 * again (RTX, RFC 4588) when he misses it.
 */
#ifndef CAMHUB_RTC_OUT_H
#define CAMHUB_RTC_OUT_H

#include "rtc/unit.h"

#include <stdbool.h>
#include <stdint.h>

#define RTC_OUT_KEPT      64u /* units; 2.5 s of 25 a second, two seconds' burst and more */
#define RTC_OUT_RTX_SHARE 2   /* of what is sent at most one part in so many again */
#define RTC_OUT_RTX_BYTES (128u << 10) /* ... and so much at once */
#define RTC_OUT_AGAIN_MS  10           /* sooner than that the same packet is not sent again */

struct rtc_session;

/* One source of RTP: pictures or sound. */
struct rtc_out {
	uint32_t ssrc, rtx_ssrc;
	uint8_t payload_type, rtx_payload_type; /* rtx: 0 none */
	uint8_t playout_delay_id, twcc_id;      /* 0: not in use */
	bool is_smooth;                         /* the browser may keep pictures back */
	uint16_t seq, rtx_seq;                  /* the next */
	uint32_t packets, octets;               /* ever, without headers: for SR */
	struct rtc_sent {
		struct rtc_unit *unit; /* NULL: nothing here */
		uint32_t timestamp;
		uint16_t first_seq;
		uint16_t again_seq; /* the last that was sent again, and when */
		int64_t again_ns;
	} kept[RTC_OUT_KEPT];
	unsigned next; /* in kept */
	int64_t rtx_budget;
	uint64_t missed, repeated; /* asked for again: not there any more; sent */
};

/* Numbers at random; what the offer says is the caller's to set. */
void rtc_out_init(struct rtc_out *out);
void rtc_out_clear(struct rtc_out *out);

/* A unit gets its numbers, and is remembered (pictures: keep). */
uint16_t rtc_out_begin(struct rtc_out *out, struct rtc_unit *unit, uint32_t timestamp, bool keep);
/* Packets first..first+n-1 of a unit that begins at first_seq are sent. */
void rtc_out_send(struct rtc_session *session, struct rtc_out *out, const struct rtc_unit *unit,
		  uint16_t first_seq, uint32_t timestamp, size_t first, size_t n);
/* He misses this one. Returns whether it was sent again; twice: two times, if there is plenty left
 * of what may be sent again. */
bool rtc_out_again(struct rtc_session *session, struct rtc_out *out, uint16_t seq, bool twice);
/* The same for one of which nobody said that he misses it: only if there is plenty left. */
void rtc_out_guard(struct rtc_session *session, struct rtc_out *out, uint16_t seq);

#endif
