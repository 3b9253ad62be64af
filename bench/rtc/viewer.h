/*
 * One WebRTC viewer: asks by WHEP, does ICE and DTLS, receives, and reports as browsers do.
 */
#ifndef CAMHUB_BENCH_RTC_VIEWER_H
#define CAMHUB_BENCH_RTC_VIEWER_H

#include "bench/rtc/dtls.h"
#include "bench/rtc/impair.h"
#include "bench/rtc/receive.h"
#include "bench/rtc/whep.h"

enum viewer_state { VIEWER_NEW, VIEWER_CHECKS, VIEWER_DTLS, VIEWER_PLAYS, VIEWER_OVER };

struct viewer {
	const struct whep_options *options;
	enum viewer_state state;
	bool was_closed; /* by the server */
	int status;      /* of the offer: 0, what HTTP said, negative errno */
	int fd;
	char ufrag[16], password[32], username[96];
	struct whep_answer answer;
	struct impair *impair;
	struct bench_dtls *dtls;
	struct bench_open open;
	struct rtc_srtp *out;
	struct receive receive;
	uint32_t ssrc;
	uint64_t transaction;
	int64_t began_ns, played_ns; /* the offer was sent; DTLS was up */
	int64_t check_ns, nack_ns, report_ns, twcc_ns, pli_ns;
	uint8_t feedback;
	uint8_t *tcp; /* bytes of frames that are not whole; NULL: UDP */
	size_t tcp_len;
};

/* Sends the offer; options and shared must stay. */
void viewer_begin(struct viewer *viewer, unsigned number, const struct whep_options *options,
		  const struct impair_options *impair, struct receive_shared *shared,
		  int64_t now_ns);
/* Its socket is readable. */
void viewer_on_readable(struct viewer *viewer, int64_t now_ns);
/* A few ms went by. */
void viewer_tick(struct viewer *viewer, int64_t now_ns);
/* Says goodbye, in both ways, unless is_killed. */
void viewer_end(struct viewer *viewer, bool is_killed);

#endif
