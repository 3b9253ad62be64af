/*
 * See the header.
 */
#include "config.h"

#include "tests/rtc_viewer.h"

#include "media/rtp.h"
#include "rtc/demux.h"
#include "rtc/stun.h"
#include "shared/xalloc.h"
#include "tests/rtc_viewer_dtls.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX 2048
#define STUN_COOKIE  0x2112a442u
#define PASSWORD     "viewviewviewviewviewview" /* of its offer */

static void
send_datagram(void *arg, const uint8_t *data, size_t len)
{
	rtc_viewer_send(arg, data, len);
}

static void
close_socket(struct rtc_viewer *viewer)
{
	if (viewer->ev != NULL)
		event_free(viewer->ev);
	viewer->ev = NULL;
	if (viewer->fd >= 0)
		close(viewer->fd);
	viewer->fd = -1;
}

static void
viewer_free(void *arg)
{
	struct rtc_viewer *viewer = arg;

	close_socket(viewer);
	rtc_viewer_dtls_free(&viewer->dtls);
	rtc_srtp_free(&viewer->in);
	rtc_srtp_free(&viewer->out);
	free(viewer);
}

void
rtc_viewer_forget(struct rtc_viewer *viewer)
{
	event_del(viewer->ev);
	rtc_viewer_dtls_free(&viewer->dtls);
	rtc_srtp_free(&viewer->in);
	rtc_srtp_free(&viewer->out);
}

struct rtc_viewer *
rtc_viewer_new(struct loop *loop)
{
	struct rtc_viewer *viewer = xcalloc(1, sizeof(*viewer));

	viewer->loop = loop;
	viewer->fd = -1;
	viewer->dtls = rtc_viewer_dtls_new(send_datagram, viewer);
	harness_defer(viewer_free, viewer);
	return viewer;
}

/* SDP */

#define MEDIA "c=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=recvonly\r\n"

#define PICTURES                                                                                   \
	"m=video 9 UDP/TLS/RTP/SAVPF 108 109\r\n" MEDIA "a=mid:0\r\n"                              \
	"a=rtpmap:108 H264/90000\r\na=rtcp-fb:108 nack\r\na=rtcp-fb:108 nack pli\r\n"              \
	"a=rtcp-fb:108 goog-remb\r\n"                                                              \
	"a=fmtp:108 packetization-mode=1;profile-level-id=42e01f\r\n"                              \
	"a=rtpmap:109 rtx/90000\r\na=fmtp:109 apt=108\r\n"
#define SOUND "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111\r\n" MEDIA "a=mid:1\r\n"
#define OPUS  "a=rtpmap:111 opus/48000/2\r\n"

const char *
rtc_viewer_offer(struct rtc_viewer *viewer, bool with_sound)
{
	static char text[2048];
	const char *forged = "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
			     "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE%s%s\r\n"
		 "a=ice-ufrag:view\r\na=ice-pwd:" PASSWORD "\r\n"
		 "a=fingerprint:%s\r\na=setup:actpass\r\n%s%s",
		 viewer->is_sound_only ? "" : " 0", with_sound ? " 1" : "",
		 viewer->is_forged ? forged : rtc_viewer_dtls_fingerprint(viewer->dtls),
		 viewer->is_sound_only ? "" : PICTURES, with_sound ? SOUND : "");
	if (with_sound && viewer->has_opus)
		strcat(text, OPUS);
	return text;
}

static const char *
find_line(const char *sdp, const char *start)
{
	const char *at = strstr(sdp, start);

	ck_assert_msg(at != NULL, "no %s in %s", start, sdp);
	return at + strlen(start);
}

static void open_socket(struct rtc_viewer *viewer);

void
rtc_viewer_take(struct rtc_viewer *viewer, const char *sdp, bool over_tcp)
{
	unsigned port;

	ck_assert_int_eq(
	    sscanf(find_line(sdp, viewer->is_sound_only ? "m=audio " : "m=video "), "%u", &port),
	    1);
	ck_assert_int_eq(sscanf(find_line(sdp, "a=ice-ufrag:"), "%63s", viewer->ufrag), 1);
	ck_assert_int_eq(sscanf(find_line(sdp, "a=ice-pwd:"), "%63s", viewer->password), 1);
	if (viewer->is_sound_only)
		ck_assert_int_eq(sscanf(find_line(sdp, "a=ssrc:"), "%u", &viewer->audio_ssrc), 1);
	else
		ck_assert_int_eq(sscanf(find_line(sdp, "a=ssrc-group:FID "), "%u %u",
					&viewer->video_ssrc, &viewer->rtx_ssrc),
				 2);
	viewer->port = (uint16_t)port;
	viewer->is_tcp = over_tcp;
	open_socket(viewer);
}

/* What comes */

static void
on_report_of_sender(uint32_t sender, uint64_t ntp, uint32_t timestamp, void *arg)
{
	struct rtc_viewer *viewer = arg;

	viewer->all_reports++;
	if (sender != viewer->video_ssrc)
		return;
	viewer->reports++;
	viewer->report_ntp = ntp;
	viewer->report_timestamp = timestamp;
}

static void
on_dlrr(uint32_t ssrc, uint32_t last_rr, uint32_t delay, void *arg)
{
	struct rtc_viewer *viewer = arg;

	(void)ssrc;
	(void)last_rr;
	(void)delay;
	viewer->dlrrs++;
}

static void
take_rtcp(struct rtc_viewer *viewer, uint8_t *data, size_t len)
{
	static const struct rtc_rtcp_ops ops = { .on_sr = on_report_of_sender, .on_dlrr = on_dlrr };

	ck_assert_int_eq(rtc_srtcp_unprotect(viewer->in, data, &len), 0);
	ck_assert_int_eq(rtc_rtcp_read(data, len, &ops, viewer), 0);
}

static void
take_rtp(struct rtc_viewer *viewer, uint8_t *data, size_t len)
{
	struct rtc_viewer_packet *packet = &viewer->packets[viewer->n];
	struct rtp_packet rtp;

	ck_assert_uint_lt(viewer->n, VIEWER_PACKETS_MAX);
	ck_assert_int_eq(rtc_srtp_unprotect(viewer->in, data, &len), 0);
	ck_assert_int_eq(rtp_parse(data, len, &rtp), 0);
	*packet = (struct rtc_viewer_packet){ .payload_type = rtp.payload_type,
					      .marker = rtp.marker,
					      .seq = rtp.seq,
					      .timestamp = rtp.timestamp,
					      .ssrc = rtp.ssrc,
					      .len = (uint16_t)rtp.len };
	memcpy(packet->bytes, rtp.payload,
	       rtp.len < sizeof(packet->bytes) ? rtp.len : sizeof(packet->bytes));
	if (viewer->loses == NULL || !viewer->loses(packet))
		viewer->n++;
}

static void
take_dtls(struct rtc_viewer *viewer, const uint8_t *data, size_t len)
{
	enum rtc_viewer_dtls_state state = rtc_viewer_dtls_input(viewer->dtls, data, len);

	viewer->is_goodbye = viewer->is_goodbye || state == RTC_VIEWER_DTLS_GOODBYE;
	if (state != RTC_VIEWER_DTLS_UP || viewer->is_up)
		return;
	rtc_viewer_dtls_keys(viewer->dtls, &viewer->in, &viewer->out);
	viewer->is_up = true;
}

static void
take_stun(struct rtc_viewer *viewer, const uint8_t *data, size_t len)
{
	viewer->checks_answered += data[0] == 1 && data[1] == 1;
	if (data[0] != 0 || data[1] != 1)
		return;
	ck_assert_uint_le(len, sizeof(viewer->probe));
	memcpy(viewer->probe, data, len);
	viewer->probe_len = len;
}

static void
take(struct rtc_viewer *viewer, uint8_t *data, size_t len)
{
	enum rtc_kind kind = rtc_demux(data, len);

	viewer->datagrams++;
	ck_assert_int_ne(kind, RTC_KIND_NONE);
	if (kind == RTC_KIND_STUN)
		take_stun(viewer, data, len);
	else if (kind == RTC_KIND_DTLS)
		take_dtls(viewer, data, len);
	else if (!viewer->is_up)
		return; /* overtook the end of the handshake */
	else if (kind == RTC_KIND_RTCP)
		take_rtcp(viewer, data, len);
	else
		take_rtp(viewer, data, len);
}

static bool
read_exactly(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t got = recv(fd, out, len, 0);

		if (got <= 0)
			return false;
		out += got;
		len -= (size_t)got;
	}
	return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct rtc_viewer *viewer = arg;
	uint8_t data[DATAGRAM_MAX], head[2];
	ssize_t len;

	(void)what;
	if (!viewer->is_tcp) {
		while ((len = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
			take(viewer, data, (size_t)len);
		return;
	}
	/* A whole one is on its way: it may be waited for. */
	if (!read_exactly(fd, head, sizeof(head)) ||
	    !read_exactly(fd, data, (size_t)head[0] << 8 | head[1])) {
		event_del(viewer->ev);
		return;
	}
	take(viewer, data, (size_t)head[0] << 8 | head[1]);
}

static void
open_socket(struct rtc_viewer *viewer)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(viewer->port) };
	int room = viewer->room > 0 ? viewer->room : 4 << 20;

	viewer->fd = socket(AF_INET, (viewer->is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(viewer->fd, 0);
	(void)setsockopt(viewer->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	ck_assert_int_eq(connect(viewer->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	viewer->ev = event_new(loop_base(viewer->loop), viewer->fd, EV_READ | EV_PERSIST,
			       on_readable, viewer);
	event_add(viewer->ev, NULL);
}

void
rtc_viewer_stall(struct rtc_viewer *viewer, bool is_stalled)
{
	if (is_stalled)
		event_del(viewer->ev);
	else
		event_add(viewer->ev, NULL);
}

void
rtc_viewer_move(struct rtc_viewer *viewer)
{
	close_socket(viewer);
	open_socket(viewer);
}

/* What is sent */

void
rtc_viewer_send(struct rtc_viewer *viewer, const void *data, size_t len)
{
	const uint8_t head[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	if (viewer->is_tcp)
		ck_assert_int_eq(send(viewer->fd, head, 2, MSG_MORE | MSG_NOSIGNAL), 2);
	ck_assert_int_eq(send(viewer->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static uint32_t
crc32_of(const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void
put(uint8_t *out, uint32_t value, unsigned bytes)
{
	while (bytes-- > 0)
		*out++ = (uint8_t)(value >> 8 * bytes);
}

static size_t
put_attribute(uint8_t *at, unsigned type, const void *value, size_t len)
{
	put(at, type, 2);
	put(at + 2, (uint32_t)len, 2);
	memset(at + 4, 0, (len + 3) & ~(size_t)3);
	if (len > 0)
		memcpy(at + 4, value, len);
	return 4 + ((len + 3) & ~(size_t)3);
}

void
rtc_viewer_check(struct rtc_viewer *viewer, bool nominates, bool wrong)
{
	uint8_t *data = viewer->check, value[20];
	char user[160];
	const char *password = wrong ? "wrongwrongwrongwrongwron" : viewer->password;
	size_t len = 20;

	snprintf(user, sizeof(user), "%s:view", viewer->ufrag);
	memset(data, 0, len);
	put(data, 1, 2);
	put(data + 4, STUN_COOKIE, 4);
	memcpy(data + 8, "transaction!", 12);
	len += put_attribute(data + len, 0x0006, user, strlen(user));
	put(value, 0x6e7f1eff, 4);
	len += put_attribute(data + len, 0x0024, value, 4);
	len += put_attribute(data + len, 0x802a, "\1\2\3\4\5\6\7\x8", 8);
	if (nominates)
		len += put_attribute(data + len, 0x0025, "", 0);
	put(data + 2, (uint32_t)(len - 20 + 24), 2);
	HMAC(EVP_sha1(), password, (int)strlen(password), data, len, value, NULL);
	len += put_attribute(data + len, 0x0008, value, 20);
	put(data + 2, (uint32_t)(len - 20 + 8), 2);
	put(value, crc32_of(data, len) ^ 0x5354554eu, 4);
	len += put_attribute(data + len, 0x8028, value, 4);
	viewer->check_len = len;
	rtc_viewer_send(viewer, data, len);
}

void
rtc_viewer_hello(struct rtc_viewer *viewer)
{
	rtc_viewer_dtls_begin(viewer->dtls);
}

void
rtc_viewer_answer_probe(struct rtc_viewer *viewer, bool wrong)
{
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = 1 };
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	struct rtc_stun_binding binding;
	size_t len;

	ck_assert_int_eq(rtc_stun_check(viewer->probe, viewer->probe_len, PASSWORD, &binding), 0);
	binding.id[0] ^= wrong;
	len = rtc_stun_answer(&binding, (const struct sockaddr *)&from, PASSWORD, answer);
	rtc_viewer_send(viewer, answer, len);
}

static bool
was_answered(void *arg)
{
	const struct rtc_viewer *viewer = arg;

	return viewer->checks_answered > 0;
}

void
rtc_viewer_connect(struct rtc_viewer *viewer)
{
	rtc_viewer_check(viewer, true, false);
	loop_run_until_true(viewer->loop, was_answered, viewer, "an answer to the check", 0);
	rtc_viewer_hello(viewer);
	loop_run_until(viewer->loop, &viewer->is_up, 0);
}

void
rtc_viewer_send_rtcp(struct rtc_viewer *viewer, const struct rtc_rtcp_out *rtcp)
{
	uint8_t data[1024];
	size_t len = rtcp->len;

	memcpy(data, rtcp->data, len);
	ck_assert_int_eq(rtc_srtcp_protect(viewer->out, data, sizeof(data), &len), 0);
	rtc_viewer_send(viewer, data, len);
}

void
rtc_viewer_nack(struct rtc_viewer *viewer, uint16_t seq)
{
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };

	ck_assert_int_eq(rtc_rtcp_write_nack(&out, 1, viewer->video_ssrc, &seq, 1), 0);
	rtc_viewer_send_rtcp(viewer, &out);
}

void
rtc_viewer_pli(struct rtc_viewer *viewer)
{
	uint8_t data[64];
	struct rtc_rtcp_out out = { .data = data, .cap = sizeof(data) };

	ck_assert_int_eq(rtc_rtcp_write_pli(&out, 1, viewer->video_ssrc), 0);
	rtc_viewer_send_rtcp(viewer, &out);
}

void
rtc_viewer_goodbye(struct rtc_viewer *viewer)
{
	rtc_viewer_dtls_goodbye(viewer->dtls);
}

/* Waiting */

static const struct rtc_viewer *waiting;
static size_t wanted;

static bool
has_packets(void *arg)
{
	(void)arg;
	return waiting->n >= wanted;
}

static bool
has_pictures(void *arg)
{
	(void)arg;
	return rtc_viewer_pictures(waiting) >= wanted;
}

void
rtc_viewer_await_packets(struct rtc_viewer *viewer, size_t n)
{
	waiting = viewer;
	wanted = n;
	loop_run_until_true(viewer->loop, has_packets, NULL, "packets", 0);
}

size_t
rtc_viewer_pictures(const struct rtc_viewer *viewer)
{
	size_t n = 0;

	for (size_t i = 0; i < viewer->n; i++)
		n += viewer->packets[i].marker && viewer->packets[i].ssrc == viewer->video_ssrc;
	return n;
}

void
rtc_viewer_await_pictures(struct rtc_viewer *viewer, size_t n)
{
	waiting = viewer;
	wanted = n;
	loop_run_until_true(viewer->loop, has_pictures, NULL, "pictures", 0);
}
