/*
 * RTCP between us and a viewer: what a browser sends (RR, NACK, PLI, FIR, REMB, transport-wide
 * feedback, XR RRTR, BYE) read, what we send (SR, SDES, XR DLRR) written. RFC 3550 6, 4585, 5104,
 * 3611, draft-holmer-rmcat-transport-wide-cc-extensions-01, draft-alvestrand-rmcat-remb-03.
 * (media/rtcp.h is the other side: a camera's.)
 */
#ifndef CAMHUB_RTC_RTCP_H
#define CAMHUB_RTC_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTC_RTCP_NACKS_MAX 512u  /* sequence numbers heeded of one compound */
#define RTC_RTCP_TWCC_MAX  1024u /* packets one feedback may speak of; more is not believed */
#define RTC_RTCP_TWCCS_MAX 4u    /* such feedbacks heeded of one compound */
#define RTC_RTCP_BYTES_MAX 256u

/* Whether a datagram is RTCP and not RTP (RFC 5761 4): second byte 192..223, version 2. */
bool rtc_rtcp_is(const uint8_t *data, size_t len);

struct rtc_rtcp_report {       /* a report block */
	uint32_t ssrc;         /* whom it is about */
	uint8_t fraction_lost; /* of 256, since the last one */
	int32_t lost;          /* ever, 24 bits */
	uint32_t highest_seq, jitter;
	uint32_t last_sr, delay_since_sr; /* 16.16 s; 0 none */
};

/* What a viewer got of packets base_seq..base_seq+count-1 of the transport-wide numbers. */
struct rtc_rtcp_twcc {
	uint8_t feedback; /* its own number */
	uint16_t base_seq, count;
	int64_t reference_us;    /* of the first; the viewer's clock, wraps at 2^24 * 64 ms */
	const int32_t *delta_us; /* of each, since the one received before it (the first: since
				    reference); RTC_RTCP_TWCC_LOST: did not come */
};
#define RTC_RTCP_TWCC_LOST INT32_MIN

/* Each may be NULL. ssrc: the media source that is meant. */
struct rtc_rtcp_ops {
	void (*on_report)(const struct rtc_rtcp_report *report, void *arg);
	void (*on_nack)(uint32_t ssrc, uint16_t seq, void *arg); /* for each number */
	void (*on_pli)(uint32_t ssrc, void *arg);
	void (*on_fir)(uint32_t ssrc, uint8_t seq, void *arg);
	void (*on_remb)(uint64_t bits_per_s, void *arg);
	void (*on_twcc)(const struct rtc_rtcp_twcc *twcc, void *arg);
	void (*on_rrtr)(uint32_t sender, uint64_t ntp,
			void *arg); /* XR block 4: answer with DLRR */
	void (*on_sr)(uint32_t sender, uint64_t ntp, uint32_t timestamp, void *arg);
	void (*on_dlrr)(uint32_t ssrc, uint32_t last_rr, uint32_t delay, void *arg);
	void (*on_bye)(uint32_t ssrc, void *arg);
};

/*
 * Reads a compound (after SRTCP), reduced-size ones too (RFC 5506). What it does not know is passed
 * over. Returns 0, or -EPROTO when a length does not fit (what came before has been told).
 */
int rtc_rtcp_read(const uint8_t *data, size_t len, const struct rtc_rtcp_ops *ops, void *arg);

/* Round trip in us of a report block: now_ntp - last_sr - delay, from middle 32 bits; -1 unknown
 * or absurd (negative by more than its resolution, or > 60 s). */
int64_t rtc_rtcp_round_trip_us(const struct rtc_rtcp_report *report, uint64_t now_ntp);

/* 32.32 NTP time (era 0 and on) of nanoseconds since 1970, and its middle 32 bits. */
uint64_t rtc_rtcp_ntp(int64_t realtime_ns);
uint32_t rtc_rtcp_ntp_middle(uint64_t ntp);

/*
 * Writers append a packet to out (cap bytes, *len of them used) and return 0, or -EMSGSIZE with
 * nothing written.
 */
struct rtc_rtcp_out {
	uint8_t *data;
	size_t cap, len;
};
struct rtc_rtcp_sender {
	uint32_t ssrc, timestamp; /* the RTP time of the instant ntp */
	uint64_t ntp;
	uint32_t packets, octets;
};
int rtc_rtcp_write_sr(struct rtc_rtcp_out *out, const struct rtc_rtcp_sender *sender);
int rtc_rtcp_write_sdes(struct rtc_rtcp_out *out, uint32_t ssrc, const char *cname);
/* XR with one DLRR sub-block: to `about`, who sent an RRTR. last_rr: its middle 32 bits;
 * delay: 16.16 s since. */
int rtc_rtcp_write_dlrr(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t about, uint32_t last_rr,
			uint32_t delay);
int rtc_rtcp_write_bye(struct rtc_rtcp_out *out, uint32_t ssrc);

/* What a viewer writes: for the client of tests and benches. */
int rtc_rtcp_write_rr(struct rtc_rtcp_out *out, uint32_t ssrc,
		      const struct rtc_rtcp_report *report); /* NULL: no block */
int rtc_rtcp_write_nack(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media,
			const uint16_t *seqs, size_t n); /* ascending */
int rtc_rtcp_write_pli(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media);
int rtc_rtcp_write_fir(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media, uint8_t seq);
int rtc_rtcp_write_remb(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media,
			uint64_t bits_per_s);
int rtc_rtcp_write_rrtr(struct rtc_rtcp_out *out, uint32_t ssrc, uint64_t ntp);
int rtc_rtcp_write_twcc(struct rtc_rtcp_out *out, uint32_t ssrc, uint32_t media,
			const struct rtc_rtcp_twcc *twcc);

#endif
