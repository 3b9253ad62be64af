/*
 * A browser's end of WebRTC for tests: an offer, checks (RFC 8445), DTLS as the client, SRTP. It
 * runs in the test's loop on a UDP socket or a TCP connection, counts what comes, and can lose
 * some of it.
 */
#ifndef CAMHUB_TESTS_RTC_VIEWER_H
#define CAMHUB_TESTS_RTC_VIEWER_H

#include "rtc/rtcp.h"
#include "rtc/srtp.h"
#include "tests/harness/harness.h"

#include <netinet/in.h>

#define VIEWER_PACKETS_MAX 4096

struct rtc_viewer_packet {
	uint8_t payload_type;
	bool marker;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint16_t len;      /* of the payload */
	uint8_t bytes[16]; /* its first ones */
};

struct rtc_viewer {
	struct loop *loop;
	int fd; /* -1: none */
	bool is_tcp;
	int room; /* SO_RCVBUF of the socket that is opened next; 0: much */
	struct event *ev;
	uint16_t port; /* of the answer */
	char ufrag[64], password[64];
	uint32_t video_ssrc, rtx_ssrc, audio_ssrc;
	bool is_sound_only, has_opus; /* what is offered of sound */
	bool is_forged;               /* the certificate is not that of the offer */

	uint8_t check[512]; /* the last one that was sent, as who overhears it has it */
	size_t check_len;
	unsigned checks_answered;
	uint8_t probe[512];     /* the last request of the other side */
	size_t probe_len;       /* 0: none came */
	bool is_up, is_goodbye; /* keys are there; the other side said that it leaves */
	struct rtc_viewer_dtls *dtls;
	struct rtc_srtp *in, *out;

	struct rtc_viewer_packet packets[VIEWER_PACKETS_MAX];
	size_t n;
	size_t datagrams;        /* of any kind */
	unsigned reports, dlrrs; /* of the pictures' source */
	unsigned all_reports;
	uint64_t report_ntp;
	uint32_t report_timestamp;
	bool (*loses)(const struct rtc_viewer_packet *packet); /* NULL: nothing is lost */
};

/* Taken back after the test. */
struct rtc_viewer *rtc_viewer_new(struct loop *loop);

/* An offer of H.264 (payload type 108, RTX 109) and, with_sound, PCMU and PCMA (0, 8); static text.
 */
const char *rtc_viewer_offer(struct rtc_viewer *viewer, bool with_sound);
/* Reads the answer; opens a socket to its port. */
void rtc_viewer_take(struct rtc_viewer *viewer, const char *sdp, bool over_tcp);
/* Its own memory goes now; only the socket stays. */
void rtc_viewer_forget(struct rtc_viewer *viewer);
/* He reads nothing (his machine hangs), or goes on. */
void rtc_viewer_stall(struct rtc_viewer *viewer, bool is_stalled);
/* Another address from now on. */
void rtc_viewer_move(struct rtc_viewer *viewer);

/* A check; wrong: made with another password. */
void rtc_viewer_check(struct rtc_viewer *viewer, bool nominates, bool wrong);
/* Answers the other side's last request, as an agent does; wrong: it was another one. */
void rtc_viewer_answer_probe(struct rtc_viewer *viewer, bool wrong);
/* Check, then the handshake, until the keys are there. */
void rtc_viewer_connect(struct rtc_viewer *viewer);
/* The first flight of a handshake. */
void rtc_viewer_hello(struct rtc_viewer *viewer);
/* Any bytes, as one datagram. */
void rtc_viewer_send(struct rtc_viewer *viewer, const void *data, size_t len);
/* RTCP, encrypted. */
void rtc_viewer_send_rtcp(struct rtc_viewer *viewer, const struct rtc_rtcp_out *rtcp);
void rtc_viewer_nack(struct rtc_viewer *viewer, uint16_t seq);
void rtc_viewer_pli(struct rtc_viewer *viewer);
void rtc_viewer_goodbye(struct rtc_viewer *viewer);

/* Until so many RTP packets, or pictures (markers of the video source), have come. */
void rtc_viewer_await_packets(struct rtc_viewer *viewer, size_t n);
size_t rtc_viewer_pictures(const struct rtc_viewer *viewer);
void rtc_viewer_await_pictures(struct rtc_viewer *viewer, size_t n);

#endif
