/*
 * RTP over UDP: pairs of ports, who may send to them, and a session whose packets come that way.
 */
#include "config.h"

#include "tests/check_rtsp_rig.h"

#include "shared/clock.h"
#include "shared/xalloc.h"
#include "worker/rtsp_udp_ev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The pair */

struct taker {
	struct rtsp_udp *udp;
	int connection[2];
	unsigned rtp, rtcp, drained;
	size_t last_len;
	bool frees, has_any;
};

static void
on_packet(void *arg, bool is_rtcp, const uint8_t *data, size_t len, int64_t monotonic_ns,
	  int64_t realtime_ns)
{
	struct taker *taker = arg;

	ck_assert_int_gt(monotonic_ns, 0);
	ck_assert_int_gt(realtime_ns, monotonic_ns);
	ck_assert(len == 0 || data[0] == (is_rtcp ? 'c' : 'd'));
	taker->rtp += !is_rtcp;
	taker->rtcp += is_rtcp;
	taker->last_len = len;
	if (taker->frees)
		rtsp_udp_free(&taker->udp);
	taker->has_any = true;
}

static void
on_drained(void *arg)
{
	struct taker *taker = arg;

	taker->drained++;
}

static const struct rtsp_udp_ops ops = { on_packet, on_drained };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
loopback(union address *address, int family, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		address->v6.sin6_addr = in6addr_loopback;
		address->v6.sin6_port = htons(port);
		return sizeof(address->v6);
	}
	address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address->v4.sin_port = htons(port);
	return sizeof(address->v4);
}

/* A TCP connection to ourselves; -1: this machine has no such family. */
static int
connect_pair(int family, int fds[2])
{
	union address address;
	socklen_t len = loopback(&address, family, 0);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0)
		return -1;
	if (bind(listener, &address.any, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, &address.any, &len) < 0) {
		close(listener);
		return -1;
	}
	fds[0] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(fds[0], &address.any, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	close(listener);
	return 0;
}

static void
taker_free(void *arg)
{
	struct taker *taker = arg;

	rtsp_udp_free(&taker->udp);
	close(taker->connection[0]);
	close(taker->connection[1]);
	free(taker);
}

static struct taker *
taker_new(struct loop *loop, int family)
{
	struct taker *taker = xcalloc(1, sizeof(*taker));

	if (connect_pair(family, taker->connection) < 0) {
		free(taker);
		return NULL;
	}
	ck_assert_int_eq(rtsp_udp_new(loop_base(loop), loop_clock(loop), taker->connection[0], &ops,
				      taker, &taker->udp),
			 0);
	harness_defer(taker_free, taker);
	return taker;
}

static void
send_datagram(int family, const char *from, uint16_t port, const void *data, size_t len)
{
	union address to;
	socklen_t to_len = loopback(&to, family, port);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (from != NULL) {
		struct sockaddr_in source = { .sin_family = AF_INET };

		ck_assert_int_eq(inet_pton(AF_INET, from, &source.sin_addr), 1);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	}
	ck_assert_int_eq(sendto(fd, data, len, 0, &to.any, to_len), (ssize_t)len);
	close(fd);
}

static const int families[] = { AF_INET, AF_INET6 };

START_ASYNC_TEST(test_pair)
{
	struct taker *taker = taker_new(loop, families[_i]);
	uint8_t large[60000] = { 'd' };
	uint16_t port;

	if (taker == NULL)
		HARNESS_SKIP("no IPv6 here");
	port = rtsp_udp_port(taker->udp);
	ck_assert_uint_gt(port, 1023);
	ck_assert_uint_eq(port % 2, 0);
	send_datagram(families[_i], NULL, (uint16_t)(port + 1), "control", 7);
	loop_run_until(loop, &taker->has_any, 0);
	ck_assert_uint_eq(taker->rtcp, 1);
	ck_assert_uint_eq(taker->last_len, 7);
	for (int i = 0; i < 100; i++)
		send_datagram(families[_i], NULL, port, "data", 4);
	loop_settle(loop);
	ck_assert_uint_eq(taker->rtp, 100);
	ck_assert_uint_lt(taker->drained, 20); /* by the batch */
	send_datagram(families[_i], NULL, port, "", 0);
	send_datagram(families[_i], NULL, port, large, sizeof(large));
	loop_settle(loop);
	ck_assert_uint_eq(taker->rtp, 102);
	ck_assert_uint_eq(taker->last_len, sizeof(large));
	ck_assert_uint_eq(rtsp_udp_strangers(taker->udp), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_strangers_are_not_heard)
{
	struct taker *taker = taker_new(loop, AF_INET);
	uint16_t port = rtsp_udp_port(taker->udp);

	send_datagram(AF_INET, "127.0.0.2", port, "data", 4);
	send_datagram(AF_INET, "127.0.0.2", (uint16_t)(port + 1), "control", 7);
	send_datagram(AF_INET, NULL, port, "data", 4);
	loop_settle(loop);
	ck_assert_uint_eq(taker->rtp, 1);
	ck_assert_uint_eq(taker->rtcp, 0);
	ck_assert_uint_eq(rtsp_udp_strangers(taker->udp), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_free_from_within)
{
	struct taker *taker = taker_new(loop, AF_INET);
	uint16_t port = rtsp_udp_port(taker->udp);

	taker->frees = true;
	for (int i = 0; i < 5; i++)
		send_datagram(AF_INET, NULL, port, "data", 4);
	loop_settle(loop);
	ck_assert_uint_eq(taker->rtp, 1);
	ck_assert_uint_eq(taker->drained, 0);
	ck_assert_ptr_null(taker->udp);
	async_complete(loop);
}
END_ASYNC_TEST

static int
listen_one(uint16_t *port)
{
	union address address;
	socklen_t len = loopback(&address, AF_INET, 0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, &address.any, len), 0);
	ck_assert_int_eq(getsockname(fd, &address.any, &len), 0);
	*port = ntohs(address.v4.sin_port);
	return fd;
}

/* RTP's port is the lower one of the two. */
static void
listen_udp(int fds[2], uint16_t ports[2])
{
	fds[0] = listen_one(&ports[0]);
	fds[1] = listen_one(&ports[1]);
	if (ports[0] > ports[1]) {
		int fd = fds[0];
		uint16_t port = ports[0];

		fds[0] = fds[1];
		fds[1] = fd;
		ports[0] = ports[1];
		ports[1] = port;
	}
}

START_ASYNC_TEST(test_punch_and_reports)
{
	static const uint8_t rtp[] = { 0x80, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44 };
	static const uint8_t rtcp[] = { 0x80, 201, 0, 1, 0x11, 0x22, 0x33, 0x44 };
	struct taker *taker = taker_new(loop, AF_INET);
	uint8_t got[64];
	uint16_t ports[2];
	int fds[2];

	listen_udp(fds, ports);
	rtsp_udp_punch(taker->udp, 0x11223344); /* the camera has not said where */
	rtsp_udp_set_camera_ports(taker->udp, ports);
	rtsp_udp_punch(taker->udp, 0x11223344);
	ck_assert_int_eq(recv(fds[0], got, sizeof(got), 0), (ssize_t)sizeof(rtp));
	ck_assert_mem_eq(got, rtp, sizeof(rtp));
	ck_assert_int_eq(recv(fds[1], got, sizeof(got), 0), (ssize_t)sizeof(rtcp));
	ck_assert_mem_eq(got, rtcp, sizeof(rtcp));
	rtsp_udp_send_rtcp(taker->udp, "report", 6);
	ck_assert_int_eq(recv(fds[1], got, sizeof(got), 0), 6);
	close(fds[0]);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_udp_over_other_sockets)
{
	struct rtsp_udp *udp = NULL;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	ck_assert_int_eq(rtsp_udp_new(loop_base(loop), loop_clock(loop), fds[0], &ops, NULL, &udp),
			 -EAFNOSUPPORT);
	ck_assert_int_lt(rtsp_udp_new(loop_base(loop), loop_clock(loop), -1, &ops, NULL, &udp), 0);
	ck_assert_ptr_null(udp);
	close(fds[0]);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

/* A session */

static uint16_t
asked_port(void)
{
	unsigned low, high;
	const char *ports = strstr(rig->request, "client_port=");

	ck_assert_msg(ports != NULL, "%s", rig->request);
	ck_assert_int_eq(sscanf(ports, "client_port=%u-%u", &low, &high), 2);
	ck_assert_uint_eq(high, low + 1);
	return (uint16_t)low;
}

/* Up to PLAYING; returns the port of the picture. */
static uint16_t
open_udp(struct loop *loop, const char *transport)
{
	uint16_t port;

	rig_start_tcp(loop, (struct wrk_input_config){ .transport = transport });
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	if (strcmp(transport, "auto") == 0) {
		ck_assert_ptr_nonnull(strstr(rig->request, "RTP/AVP/TCP"));
		camera_reply("461 Unsupported Transport", "", "");
		camera_expect("SETUP");
	}
	ck_assert_ptr_nonnull(strstr(rig->request, "RTP/AVP;unicast;client_port="));
	port = asked_port();
	camera_reply("200 OK", SESSION_HEADER "Transport: RTP/AVP;unicast" CRLF, "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	loop_settle(loop);
	ck_assert_str_eq(rtsp_state_name(rig_state()), "playing");
	return port;
}

static void
send_slice(uint16_t port, uint16_t seq, const char *from)
{
	uint8_t packet[64];
	size_t n = rtp_write(packet, 96, true, seq, 3600u * seq, "\x65\x88\x80\x11\x22\x33\x80", 7);

	send_datagram(AF_INET, from, port, packet, n);
	loop_settle(rig->loop);
}

START_ASYNC_TEST(test_session)
{
	static const char *const transports[] = { "auto", "udp" };
	struct wrk_input_report report = { .packets = 0 };
	uint16_t port = open_udp(loop, transports[_i]);

	send_slice(port, 1, NULL);
	send_slice(port, 2, "127.0.0.2");
	ck_assert_uint_eq(rig->pictures, 1);
	rtsp_input_ops.report(rig->input, &report);
	ck_assert_str_eq(report.transport, "udp");
	stop_now();
	send_slice(port, 3, NULL); /* nobody is there any more: no matter */
	async_complete(loop);
}
END_ASYNC_TEST

/* A hole holds back what follows for as long as reorder_ms says, and a late one fills it. */
START_ASYNC_TEST(test_hole)
{
	uint16_t port = open_udp(loop, "udp");

	send_slice(port, 1, NULL);
	send_slice(port, 3, NULL);
	ck_assert_uint_eq(rig->pictures, 1);
	loop_run_for_ms(loop, 59);
	ck_assert_uint_eq(rig->pictures, 1);
	loop_run_for_ms(loop, 1);
	ck_assert_uint_eq(rig->pictures, 2);
	send_slice(port, 5, NULL);
	send_slice(port, 4, NULL);
	ck_assert_uint_eq(rig->pictures, 4);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_gets_through)
{
	(void)open_udp(loop, "udp");
	loop_run_for_ms(loop, 3000);
	camera_expect("PAUSE");
	camera_reply("200 OK", "", "");
	camera_expect("PLAY");
	camera_reply("200 OK", "", "");
	loop_settle(loop);
	loop_run_for_ms(loop, 3000);
	expect_end(WRK_CLASS_TIMEOUT, "no packet gets through over UDP");
	ck_assert_ptr_nonnull(strstr(rig->reason, "set transport: tcp"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_camera_without_udp)
{
	rig_start_tcp(loop, (struct wrk_input_config){ .transport = "udp" });
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	camera_reply("461 Unsupported Transport", "", "");
	loop_settle(loop);
	expect_end(WRK_CLASS_UNSUPPORTED, "set transport: tcp");
	async_complete(loop);
}
END_ASYNC_TEST

/* Over a socket that has no address to listen at. */
START_ASYNC_TEST(test_no_ports)
{
	rig_start(loop, (struct wrk_input_config){ .transport = "udp" });
	camera_open_until("SETUP", sdp_video);
	expect_end(WRK_CLASS_INTERNAL, "cannot open ports for UDP: Address family");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_reports)
{
	uint16_t port, ports[2];
	uint8_t got[128];
	int fds[2];
	char *headers;

	listen_udp(fds, ports);
	rig_start_tcp(loop, (struct wrk_input_config){ .transport = "udp" });
	camera_open_until("SETUP", sdp_video);
	camera_expect("SETUP");
	port = asked_port();
	headers = xasprintf(SESSION_HEADER "Transport: RTP/AVP;unicast;client_port=%u-%u;"
					   "server_port=%u-%u" CRLF,
			    port, port + 1u, ports[0], ports[1]);
	camera_reply("200 OK", headers, "");
	free(headers);
	camera_expect("PLAY");
	ck_assert_int_eq(recv(fds[0], got, sizeof(got), 0), 12); /* the way is opened before */
	ck_assert_int_eq(recv(fds[1], got, sizeof(got), 0), 8);
	camera_reply("200 OK", "", "");
	loop_settle(loop);
	send_slice(port, 1, NULL);
	loop_run_for_ms(loop, 2500);
	send_slice(port, 2, NULL);
	loop_run_for_ms(loop, 2500);
	ck_assert_int_ge(recv(fds[1], got, sizeof(got), 0), 32);
	ck_assert_uint_eq(got[1], 201);
	close(fds[0]);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_udp");
	TCase *tcase = tcase_create("pair");

	tcase_add_loop_test(tcase, test_pair, 0, 2);
	tcase_add_test(tcase, test_strangers_are_not_heard);
	tcase_add_test(tcase, test_free_from_within);
	tcase_add_test(tcase, test_punch_and_reports);
	tcase_add_test(tcase, test_no_udp_over_other_sockets);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("session");
	tcase_add_loop_test(tcase, test_session, 0, 2);
	tcase_add_test(tcase, test_hole);
	tcase_add_test(tcase, test_nothing_gets_through);
	tcase_add_test(tcase, test_camera_without_udp);
	tcase_add_test(tcase, test_no_ports);
	tcase_add_test(tcase, test_reports);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
