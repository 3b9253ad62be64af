/*
 * RTCP (RFC 3550 6): reading sender reports and goodbyes, writing receiver reports.
 */
#ifndef CAMHUB_MEDIA_RTCP_H
#define CAMHUB_MEDIA_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_RR_BYTES_MAX 128

struct rtcp_sender_report {
	uint32_t ssrc;
	uint64_t ntp; /* 32.32 seconds since 1900; 0: the sender has no clock */
	uint32_t rtp_timestamp;
	uint32_t packets, octets;
};

/* What one compound packet says. */
struct rtcp_seen {
	bool has_sr, has_bye;
	struct rtcp_sender_report sr; /* the last one of the compound */
	uint32_t bye_ssrc;
};

/* Reads a compound packet, forgiving (RFC 3550 A.2 asks that it begins with SR or RR; cameras send
 * lone SDES). Returns 0, or -EPROTO when a length does not fit (*seen holds what came before). */
int rtcp_parse(const uint8_t *data, size_t len, struct rtcp_seen *seen);

/* Nanoseconds since 1970 of a 32.32 NTP time; eras: the one nearest to near_realtime_ns (RFC 5905
 * 6). */
int64_t rtcp_ntp_to_realtime_ns(uint64_t ntp, int64_t near_realtime_ns);

/* One source's account for receiver reports (RFC 3550 A.3 loss, A.8 jitter). Zero-initialise. It
 * begins anew by itself when the numbers jump as far as RFC 3550 A.1 says, or when has_packet is
 * cleared; give it the packets that the reorder window delivers. */
struct rtcp_account {
	uint32_t ssrc;
	bool has_packet;
	uint16_t base_seq, highest_seq;
	uint64_t received, expected_prior, received_prior;
	int64_t jitter_q4; /* 28.4 ticks */
	int32_t transit;
	uint32_t last_sr;   /* middle 32 bits of the NTP time, 0 none */
	int64_t last_sr_ns; /* when it arrived, the caller's clock */
};

void rtcp_account_on_packet(struct rtcp_account *account, uint32_t ssrc, uint16_t seq,
			    uint32_t rtp_timestamp, uint32_t clock_rate, int64_t arrived_ns);
void rtcp_account_on_sr(struct rtcp_account *account, const struct rtcp_sender_report *sr,
			int64_t arrived_ns);

/* A compound of RR (one block, or none before the first packet) and SDES CNAME. highest_extended:
 * cycles << 16 | highest seq. Returns the bytes written into out. */
size_t rtcp_write_rr(struct rtcp_account *account, uint32_t our_ssrc, uint32_t highest_extended,
		     const char *cname, int64_t now_ns, uint8_t out[RTCP_RR_BYTES_MAX]);

#endif
