/*
 * The fakes around an RTSP client.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"

#include "publish/wrk.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct wrk *rig;

const char sdp_video[] =
    "v=0" CRLF "o=- 0 0 IN IP4 192.0.2.7" CRLF "s=-" CRLF "t=0 0" CRLF "a=control:*" CRLF
    "m=video 0 RTP/AVP 96" CRLF "a=rtpmap:96 H264/90000" CRLF "a=fmtp:96 packetization-mode=1" CRLF
    "a=control:track1" CRLF;
const char sdp_both[] =
    "v=0" CRLF "o=- 0 0 IN IP4 192.0.2.7" CRLF "s=-" CRLF "t=0 0" CRLF "a=control:*" CRLF
    "m=video 0 RTP/AVP 96" CRLF "a=rtpmap:96 H264/90000" CRLF "a=fmtp:96 packetization-mode=1" CRLF
    "a=control:track1" CRLF "m=audio 0 RTP/AVP 0" CRLF "a=control:track2" CRLF;

/* The fake worker */

struct event_base *
wrk_base(const struct wrk *wrk)
{
	return loop_base(wrk->loop);
}

struct clock *
wrk_clock(const struct wrk *wrk)
{
	return loop_clock(wrk->loop);
}

void
wrk_input_opened(struct wrk *wrk)
{
	wrk->opened++;
}

void
wrk_deliver(struct wrk *wrk, const struct wrk_unit *unit)
{
	struct bus_msg *msg = unit->msg;

	ck_assert_uint_eq(wrk->closed, 0);
	if (unit->kind == FRAME_KIND_AUDIO)
		wrk->sounds++;
	else if (unit->kind == FRAME_KIND_CONFIG)
		wrk->configs++;
	else
		wrk->pictures++;
	bus_msg_unref(&msg);
}

/* As the real one does: who failed is asked to leave at once. */
static void
leave(struct wrk *wrk)
{
	ck_assert(wrk->has_started);
	rtsp_input_ops.stop(wrk->input);
}

void
wrk_input_failed(struct wrk *wrk, enum wrk_class class, const char *reason)
{
	wrk->failures++;
	wrk->class = class;
	snprintf(wrk->reason, sizeof(wrk->reason), "%s", reason);
	leave(wrk);
}

void
wrk_input_redirected(struct wrk *wrk, const char *url)
{
	wrk->redirects++;
	snprintf(wrk->location, sizeof(wrk->location), "%s", url);
	leave(wrk);
}

void
wrk_input_challenged(struct wrk *wrk, const char *challenge, const char *reason)
{
	wrk->challenges++;
	snprintf(wrk->challenge, sizeof(wrk->challenge), "%s", challenge);
	snprintf(wrk->reason, sizeof(wrk->reason), "%s", reason);
	leave(wrk);
}

void
wrk_input_closed(struct wrk *wrk)
{
	wrk->closed++;
}

static void
rig_free(void *arg)
{
	struct wrk *wrk = arg;

	if (wrk->input != NULL)
		rtsp_input_ops.free(wrk->input);
	free(wrk);
}

static void
fill_in(struct wrk_input_config *config)
{
	config->stream = "door";
	if (config->url == NULL)
		config->url = CAMERA_URL;
	if (config->transport == NULL)
		config->transport = "auto";
	if (config->tls == NULL)
		config->tls = "verify";
	config->open_timeout_ms = 5000;
	config->silence_ms = 3000;
	config->give_up_ms = 6000 + RTSP_BEFORE_WORKER_MS;
	config->reorder_ms = 60;
}

static void
start(struct loop *loop, struct wrk_input_config config, int fd, struct peer *camera)
{
	rig = xcalloc(1, sizeof(*rig));
	rig->loop = loop;
	rig->camera = camera;
	harness_defer(rig_free, rig);
	loop_hold_time(loop, true);
	fill_in(&config);
	config.fd = fd;
	ck_assert_int_eq(rtsp_input_ops.start(NULL, rig, &config, &rig->input), 0);
	rig->has_started = true;
}

void
rig_start(struct loop *loop, struct wrk_input_config config)
{
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	start(loop, config, fds[1], peer_new(loop, fds[0], "camera"));
}

void
rig_start_tcp(struct loop *loop, struct wrk_input_config config)
{
	uint16_t port;
	struct peer *camera = peer_listen_tcp(loop, "camera", &port);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		ck_assert_int_eq(errno, EINPROGRESS);
	start(loop, config, fd, camera);
}

enum rtsp_state
rig_state(void)
{
	return rtsp_client_state(rig->input);
}

/* The camera */

const char *
camera_expect(const char *method)
{
	const char *cseq;
	char start_line[64];

	snprintf(start_line, sizeof(start_line), "%s ", method);
	peer_expect_until(rig->camera, CRLF CRLF, start_line);
	peer_run(rig->camera, 0);
	snprintf(rig->request, sizeof(rig->request), "%s", peer_last(rig->camera, NULL));
	ck_assert_msg(strncmp(rig->request, start_line, strlen(start_line)) == 0, "%s",
		      rig->request);
	cseq = strstr(rig->request, "CSeq: ");
	ck_assert_ptr_nonnull(cseq);
	rig->cseq = (unsigned)strtoul(cseq + 6, NULL, 10);
	return rig->request;
}

void
camera_say(const char *text)
{
	peer_send_text(rig->camera, text);
	peer_run(rig->camera, 0);
	loop_settle(rig->loop);
}

void
camera_reply(const char *status, const char *headers, const char *body)
{
	char *text =
	    xasprintf("RTSP/1.0 %s" CRLF "CSeq: %u" CRLF "%sContent-Length: %zu" CRLF CRLF "%s",
		      status, rig->cseq, headers, strlen(body), body);

	camera_say(text);
	free(text);
}

static void
reply_to_setup(void)
{
	static const char tcp[] = "Transport: RTP/AVP/TCP;unicast;interleaved=";
	const char *asked = strstr(rig->request, "interleaved=");
	char *headers;

	ck_assert_msg(asked != NULL, "%s", rig->request);
	headers = xasprintf("%s%.3s" CRLF SESSION_HEADER, tcp, asked + strlen("interleaved="));
	camera_reply("200 OK", headers, "");
	free(headers);
}

void
camera_open_until(const char *method, const char *sdp)
{
	static const char *const order[] = { "OPTIONS", "DESCRIBE", "SETUP", "PLAY" };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (strcmp(order[i], method) == 0)
			return;
		camera_expect(order[i]);
		if (i == 0)
			camera_reply("200 OK", PUBLIC_HEADER, "");
		else if (i == 1)
			camera_reply("200 OK", "Content-Type: application/sdp" CRLF, sdp);
		else if (i == 2)
			reply_to_setup();
		else
			camera_reply("200 OK", SESSION_HEADER, "");
		if (i == 2 && strstr(sdp, "m=audio") != NULL) {
			camera_expect("SETUP");
			reply_to_setup();
		}
	}
}

void
camera_open(const char *sdp)
{
	camera_open_until("", sdp);
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
}

size_t
rtp_write(uint8_t *out, uint8_t type, bool marker, uint16_t seq, uint32_t timestamp,
	  const void *payload, size_t len)
{
	const uint8_t header[12] = { 0x80,
				     (uint8_t)((marker ? 0x80 : 0) | type),
				     (uint8_t)(seq >> 8),
				     (uint8_t)seq,
				     (uint8_t)(timestamp >> 24),
				     (uint8_t)(timestamp >> 16),
				     (uint8_t)(timestamp >> 8),
				     (uint8_t)timestamp,
				     0xca,
				     0xfe,
				     0xba,
				     0xbe };

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), payload, len);
	return sizeof(header) + len;
}

static size_t
interleave(uint8_t *out, uint8_t channel, uint8_t type, bool marker, uint32_t timestamp,
	   const void *payload, size_t len)
{
	size_t n = rtp_write(out + 4, type, marker, rig->seq[type == 0]++, timestamp, payload, len);

	out[0] = '$';
	out[1] = channel;
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
	return 4 + n;
}

static uint32_t
ticks(unsigned rate)
{
	return (uint32_t)(loop_elapsed_ms(rig->loop) * rate / 1000) + rig->seq[0];
}

void
camera_send_picture(uint8_t channel)
{
	static const uint8_t sps[] = { 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x01, 0x40, 0x16,
				       0xec, 0x04, 0x40, 0x00, 0x00, 0x03, 0x00, 0x40,
				       0x00, 0x00, 0x0c, 0xa3, 0xc6, 0x0c, 0xa8 };
	static const uint8_t pps[] = { 0x68, 0xce, 0x0f, 0xc8 };
	static const uint8_t slice[] = { 0x65, 0x88, 0x80, 0x11, 0x22, 0x33, 0x80 };
	uint32_t timestamp = ticks(90000);
	uint8_t out[256];
	size_t n = 0;

	n += interleave(out + n, channel, 96, false, timestamp, sps, sizeof(sps));
	n += interleave(out + n, channel, 96, false, timestamp, pps, sizeof(pps));
	n += interleave(out + n, channel, 96, true, timestamp, slice, sizeof(slice));
	peer_send(rig->camera, out, n);
	peer_run(rig->camera, 0);
	loop_settle(rig->loop);
}

void
camera_send_sound(uint8_t channel)
{
	static const uint8_t samples[160] = { 0xff };
	uint8_t out[256];
	size_t n = interleave(out, channel, 0, true, 160u * rig->seq[1], samples, sizeof(samples));

	peer_send(rig->camera, out, n);
	peer_run(rig->camera, 0);
	loop_settle(rig->loop);
}

/* The end */

void
expect_end(enum wrk_class class, const char *reason_part)
{
	loop_settle(rig->loop);
	ck_assert_uint_eq(rig->failures, 1);
	ck_assert_msg(strstr(rig->reason, reason_part) != NULL, "%s", rig->reason);
	ck_assert_msg(rig->class == class, "%d: %s", rig->class, rig->reason);
	loop_run_for_ms(rig->loop, RTSP_TEARDOWN_MS + 1);
	ck_assert_uint_eq(rig->closed, 1);
	ck_assert_str_eq(rtsp_state_name(rig_state()), "closed");
}

void
stop_now(void)
{
	rtsp_input_ops.stop(rig->input);
	loop_run_for_ms(rig->loop, RTSP_TEARDOWN_MS + 1);
	ck_assert_uint_eq(rig->closed, 1);
	ck_assert_uint_eq(rig->failures, 0);
}
