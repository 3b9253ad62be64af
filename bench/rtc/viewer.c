/*
 * One WebRTC viewer.
 */
#include "config.h"

#include "bench/rtc/viewer.h"

#include "bench/rtc/stun.h"
#include "rtc/rtcp.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS             INT64_C(1000000)
#define CHECK_FIRST_NS (50 * MS)
#define CHECK_NS       (2500 * MS)
#define NACK_NS        (5 * MS)
#define REPORT_NS      (1000 * MS)
#define TWCC_NS        (100 * MS)
#define PLI_NS         (300 * MS)
#define DATAGRAM_MAX   2048u
#define TCP_MAX        65537u
#define RECEIVE_BYTES  (4 << 20)
#define ASK_MAX        200u

static void
transmit(struct viewer *viewer, const uint8_t *data, size_t len)
{
	uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	if (viewer->tcp != NULL) {
		(void)!send(viewer->fd, head, 2, MSG_NOSIGNAL | MSG_MORE);
		(void)!send(viewer->fd, data, len, MSG_NOSIGNAL);
	} else if (!impair_drops(viewer->impair)) {
		(void)!send(viewer->fd, data, len, MSG_NOSIGNAL);
	}
}

static void
send_dtls(const uint8_t *data, size_t len, void *arg)
{
	transmit(arg, data, len);
}

static void
make_text(char *out, size_t len)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567";
	uint8_t bytes[64];

	(void)RAND_bytes(bytes, (int)len);
	for (size_t i = 0; i < len; i++)
		out[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	out[len] = '\0';
}

static int
open_socket(struct viewer *viewer)
{
	int kind = viewer->options->use_tcp ? SOCK_STREAM : SOCK_DGRAM, bytes = RECEIVE_BYTES;

	viewer->fd = socket(viewer->answer.server.ss_family, kind | SOCK_CLOEXEC, 0);
	if (viewer->fd < 0)
		return -errno;
	(void)setsockopt(viewer->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (connect(viewer->fd, (struct sockaddr *)&viewer->answer.server,
		    viewer->answer.server_len) < 0)
		return -errno;
	return 0;
}

void
viewer_begin(struct viewer *viewer, unsigned number, const struct whep_options *options,
	     const struct impair_options *impair, struct receive_shared *shared, int64_t now_ns)
{
	memset(viewer, 0, sizeof(*viewer));
	viewer->options = options;
	viewer->fd = -1;
	viewer->began_ns = now_ns;
	viewer->ssrc = 1 + number;
	viewer->impair = impair_new(impair, number + 1);
	receive_init(&viewer->receive, shared);
	make_text(viewer->ufrag, 8);
	make_text(viewer->password, 24);
	viewer->status = whep_post(options, viewer->ufrag, viewer->password, &viewer->answer);
	if (viewer->status == 0)
		viewer->status = open_socket(viewer);
	if (viewer->status != 0) {
		viewer->state = VIEWER_OVER;
		return;
	}
	if (options->use_tcp)
		viewer->tcp = xmalloc(TCP_MAX);
	(void)snprintf(viewer->username, sizeof(viewer->username), "%s:%s", viewer->answer.ufrag,
		       viewer->ufrag);
	viewer->receive.video_type = viewer->answer.video_type;
	viewer->receive.rtx_type = viewer->answer.rtx_type;
	viewer->receive.twcc_id = viewer->answer.twcc_id;
	viewer->transaction = (uint64_t)(number + 1) << 32;
	viewer->state = VIEWER_CHECKS;
	viewer_tick(viewer, now_ns);
}

static void
send_check(struct viewer *viewer)
{
	uint8_t request[STUN_REQUEST_MAX];
	size_t len = bench_stun_request(viewer->username, viewer->answer.password,
					viewer->transaction, request);

	transmit(viewer, request, len);
}

static void
advance_dtls(struct viewer *viewer, const uint8_t *data, size_t len, int64_t now_ns)
{
	int rc = bench_dtls_advance(viewer->dtls, data, len);

	if (rc < 0) {
		viewer->was_closed = true;
		viewer->state = VIEWER_OVER;
	} else if (rc > 0 && viewer->state == VIEWER_DTLS) {
		viewer->state = bench_dtls_keys(viewer->dtls, &viewer->open, &viewer->out) == 0
				    ? VIEWER_PLAYS
				    : VIEWER_OVER;
		viewer->played_ns = now_ns;
	}
}

static void
on_stun(struct viewer *viewer, const uint8_t *data, size_t len, int64_t now_ns)
{
	uint8_t answer[STUN_ANSWER_BYTES];
	size_t answer_len = bench_stun_answer(data, len, answer);

	if (answer_len > 0)
		transmit(viewer, answer, answer_len);
	if (!bench_stun_is_success(data, len, viewer->answer.password, viewer->transaction))
		return;
	viewer->transaction++;
	if (viewer->state != VIEWER_CHECKS)
		return;
	viewer->state = VIEWER_DTLS;
	viewer->dtls = bench_dtls_new(send_dtls, viewer);
	advance_dtls(viewer, NULL, 0, now_ns);
}

/* RFC 7983 7. */
static void
on_datagram(struct viewer *viewer, uint8_t *data, size_t len, int64_t now_ns)
{
	if (data[0] <= 3) {
		on_stun(viewer, data, len, now_ns);
	} else if (data[0] >= 20 && data[0] <= 63 && viewer->dtls != NULL) {
		advance_dtls(viewer, data, len, now_ns);
	} else if (viewer->state == VIEWER_PLAYS && !rtc_rtcp_is(data, len)) {
		if (bench_open_rtp(&viewer->open, data, &len))
			receive_on_rtp(&viewer->receive, data, len, now_ns);
	}
}

static void
take_due(struct viewer *viewer, int64_t now_ns)
{
	uint8_t data[DATAGRAM_MAX];
	size_t len;

	while (viewer->state != VIEWER_OVER &&
	       (len = impair_take(viewer->impair, now_ns, data, sizeof(data))) > 0)
		on_datagram(viewer, data, len, now_ns);
}

/* RFC 4571: two bytes of length before each. */
static void
read_tcp(struct viewer *viewer, int64_t now_ns)
{
	ssize_t n = recv(viewer->fd, viewer->tcp + viewer->tcp_len, TCP_MAX - viewer->tcp_len,
			 MSG_DONTWAIT);
	size_t at = 0, len;

	if (n <= 0) {
		viewer->was_closed = n == 0 || (errno != EAGAIN && errno != EINTR);
		if (viewer->was_closed)
			viewer->state = VIEWER_OVER;
		return;
	}
	viewer->tcp_len += (size_t)n;
	while (viewer->state != VIEWER_OVER && viewer->tcp_len - at >= 2) {
		len = (size_t)viewer->tcp[at] << 8 | viewer->tcp[at + 1];
		if (viewer->tcp_len - at - 2 < len)
			break;
		if (len > 0)
			on_datagram(viewer, viewer->tcp + at + 2, len, now_ns);
		at += 2 + len;
	}
	memmove(viewer->tcp, viewer->tcp + at, viewer->tcp_len - at);
	viewer->tcp_len -= at;
}

void
viewer_on_readable(struct viewer *viewer, int64_t now_ns)
{
	uint8_t data[DATAGRAM_MAX];
	ssize_t n;

	if (viewer->tcp != NULL) {
		read_tcp(viewer, now_ns);
		return;
	}
	while ((n = recv(viewer->fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		impair_put(viewer->impair, data, (size_t)n, now_ns);
	take_due(viewer, now_ns);
}

static void
send_rtcp(struct viewer *viewer, struct rtc_rtcp_out *out)
{
	size_t len = out->len;

	if (len > 0 && rtc_srtcp_protect(viewer->out, out->data, out->cap, &len) == 0)
		transmit(viewer, out->data, len);
}

static void
send_nacks(struct viewer *viewer, int64_t now_ns)
{
	struct receive *receive = &viewer->receive;
	uint8_t bytes[DATAGRAM_MAX];
	struct rtc_rtcp_out out = { bytes, sizeof(bytes), 0 };
	uint16_t seqs[ASK_MAX];
	size_t n = receive_missing(receive, now_ns, seqs, ASK_MAX);

	if (n > 0)
		(void)rtc_rtcp_write_nack(&out, viewer->ssrc, receive->ssrc, seqs, n);
	if (receive->wants_pli && now_ns - viewer->pli_ns > PLI_NS) {
		(void)rtc_rtcp_write_pli(&out, viewer->ssrc, receive->ssrc);
		receive->wants_pli = false;
		receive->shared->totals.plis++;
		viewer->pli_ns = now_ns;
	}
	send_rtcp(viewer, &out);
}

static void
send_report(struct viewer *viewer)
{
	struct receive *receive = &viewer->receive;
	int64_t expected = receive->highest - receive->report_base + 1;
	int64_t lost = expected - receive->report_received;
	struct rtc_rtcp_report report = { .ssrc = receive->ssrc,
					  .highest_seq = (uint32_t)receive->highest };
	uint8_t bytes[512];
	struct rtc_rtcp_out out = { bytes, sizeof(bytes), 0 };
	struct timespec now;

	if (!receive->has_first)
		return;
	if (expected > 0 && lost > 0)
		report.fraction_lost = (uint8_t)(lost * 255 / expected);
	receive->report_base = receive->highest + 1;
	receive->report_received = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	(void)rtc_rtcp_write_rr(&out, viewer->ssrc, &report);
	(void)rtc_rtcp_write_rrtr(&out, viewer->ssrc,
				  rtc_rtcp_ntp((int64_t)now.tv_sec * 1000 * MS + now.tv_nsec));
	send_rtcp(viewer, &out);
}

static int
by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t
arrival_of(const struct receive *receive, int64_t seq)
{
	for (unsigned i = 0; i < receive->n_twcc; i++) {
		if (receive->twcc_seq[i] == seq)
			return receive->twcc_ns[i];
	}
	return 0;
}

/* All that came since the last one, in the order of its numbers. */
static void
send_twcc(struct viewer *viewer)
{
	struct receive *receive = &viewer->receive;
	int64_t sorted[RECEIVE_TWCC], last_us = -1;
	int32_t deltas[RECEIVE_TWCC];
	struct rtc_rtcp_twcc twcc = { .feedback = viewer->feedback++, .delta_us = deltas };
	uint8_t bytes[DATAGRAM_MAX];
	struct rtc_rtcp_out out = { bytes, sizeof(bytes), 0 };

	if (receive->n_twcc == 0)
		return;
	memcpy(sorted, receive->twcc_seq, receive->n_twcc * sizeof(sorted[0]));
	qsort(sorted, receive->n_twcc, sizeof(sorted[0]), by_number);
	twcc.base_seq = (uint16_t)sorted[0];
	for (int64_t seq = sorted[0];
	     seq <= sorted[receive->n_twcc - 1] && twcc.count < RECEIVE_TWCC; seq++) {
		int64_t at_us = arrival_of(receive, seq) / 1000 / 250 * 250;

		if (at_us == 0) {
			deltas[twcc.count++] = RTC_RTCP_TWCC_LOST;
			continue;
		}
		if (last_us < 0)
			last_us = twcc.reference_us = at_us / 64000 * 64000;
		deltas[twcc.count++] = (int32_t)(at_us - last_us);
		last_us = at_us;
	}
	receive->n_twcc = 0;
	(void)rtc_rtcp_write_twcc(&out, viewer->ssrc, receive->ssrc, &twcc);
	send_rtcp(viewer, &out);
}

static bool
is_due(int64_t *last_ns, int64_t every_ns, int64_t now_ns)
{
	if (*last_ns > 0 && now_ns - *last_ns < every_ns)
		return false;
	*last_ns = now_ns;
	return true;
}

void
viewer_tick(struct viewer *viewer, int64_t now_ns)
{
	if (viewer->state == VIEWER_NEW || viewer->state == VIEWER_OVER)
		return;
	take_due(viewer, now_ns);
	if (is_due(&viewer->check_ns, viewer->state == VIEWER_CHECKS ? CHECK_FIRST_NS : CHECK_NS,
		   now_ns))
		send_check(viewer);
	if (viewer->state == VIEWER_DTLS)
		advance_dtls(viewer, NULL, 0, now_ns);
	if (viewer->state != VIEWER_PLAYS)
		return;
	if (is_due(&viewer->nack_ns, NACK_NS, now_ns))
		send_nacks(viewer, now_ns);
	if (is_due(&viewer->report_ns, REPORT_NS, now_ns))
		send_report(viewer);
	if (is_due(&viewer->twcc_ns, TWCC_NS, now_ns))
		send_twcc(viewer);
}

void
viewer_end(struct viewer *viewer, bool is_killed)
{
	if (viewer->dtls != NULL && viewer->state != VIEWER_OVER && !is_killed)
		bench_dtls_close(viewer->dtls);
	if (viewer->status == 0 && !is_killed)
		whep_delete(viewer->options, &viewer->answer);
	bench_dtls_free(&viewer->dtls);
	bench_open_clear(&viewer->open);
	rtc_srtp_free(&viewer->out);
	impair_free(&viewer->impair);
	free(viewer->tcp);
	if (viewer->fd >= 0)
		close(viewer->fd);
}
