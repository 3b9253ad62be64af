/*
 * What keeps clients from wearing the front out: how many may be there, and how it notices that one
 * is gone that said nothing.
 */
#include "config.h"

#include "http/listen.h"
#include "tests/check_http_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 512 /* of which none is refused */
#define AT_ONCE     32  /* fit into the queue of the listener */

static int fds[CONNECTIONS];

static void
close_all(void *arg)
{
	(void)arg;
	for (int i = 0; i < CONNECTIONS; i++)
		if (fds[i] > 0)
			close(fds[i]);
}

static int
connect_to(const struct rig *rig)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(rig->port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void
connect_many(struct rig *rig)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < 3 * CONNECTIONS)
		limit.rlim_cur = 3 * CONNECTIONS;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		HARNESS_SKIP("too few descriptors are allowed");
	harness_defer(close_all, NULL);
	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = connect_to(rig);
		if (i % AT_ONCE == AT_ONCE - 1)
			loop_settle(rig->loop);
	}
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), CONNECTIONS);
}

/* Whoever is one too many is told so and let go; kept, it would be told the same for ever. */
START_ASYNC_TEST(test_one_connection_too_many, .hold_time = true)
{
	struct rig *rig = rig_start(loop, NULL);
	struct peer *browser;
	char *head;

	rig_synced(rig);
	connect_many(rig);
	browser = rig_connect(rig);
	head = strdup(rig_get(browser, "/healthz", ""));
	ck_assert_mem_eq(head, "HTTP/1.1 503 ", 13);
	ck_assert_ptr_nonnull(rig_header(head, "Retry-After"));
	ck_assert_str_eq(rig_header(head, "Connection"), "close");
	ck_assert_ptr_nonnull(strstr(rig_body(browser, head, NULL), "too many connections"));
	free(head);
	peer_expect_close(browser);
	peer_run(browser, 0);
	/* It tries again when those that said nothing have been sent away. */
	loop_run_for_ms(loop, DEADLINE_MS + 100);
	ck_assert_mem_eq(rig_get(rig_connect(rig), "/healthz", ""), "HTTP/1.1 200 ", 13);
	async_complete(loop);
}
END_ASYNC_TEST

/* Descriptors run out: who comes then is closed and not left in the queue, where he would wake the
 * front for ever; those who are there go on, and all is well when there are some again. */
START_ASYNC_TEST(test_descriptors_run_out, .hold_time = true)
{
	struct rlimit limit, low;
	struct rig *rig = rig_start(loop, NULL);
	struct peer *before;
	char *head;
	int late, n = 0;
	char byte;

	rig_synced(rig);
	before = rig_connect(rig);
	head = strdup(rig_get(before, "/healthz", ""));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	rig_body(before, head, NULL);
	free(head);
	late = connect_to(rig);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = (rlim_t)late + CONNECTIONS;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	harness_defer(close_all, NULL);
	while (n < CONNECTIONS && (fds[n] = dup(late)) >= 0)
		n++;
	ck_assert_int_lt(n, CONNECTIONS);
	loop_settle(loop);
	expect_log("accept: Too many open files");
	ck_assert_int_eq((int)log_count("accept: Too many open files"), 1);
	ck_assert_int_eq((int)recv(late, &byte, 1, 0), 0);
	ck_assert_mem_eq(rig_get(before, "/healthz", ""), "HTTP/1.1 200 ", 13);
	while (n > 0) {
		close(fds[--n]);
		fds[n] = 0;
	}
	close(late);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	loop_run_for_ms(loop, 1000);
	ck_assert_mem_eq(rig_get(rig_connect(rig), "/healthz", ""), "HTTP/1.1 200 ", 13);
	async_complete(loop);
}
END_ASYNC_TEST

/* The front's end of a connection. */
static int
other_end(struct peer *browser)
{
	struct sockaddr_in ours = { 0 }, theirs;
	socklen_t len = sizeof(ours);

	ck_assert_int_eq(getsockname(peer_fd(browser), (struct sockaddr *)&ours, &len), 0);
	for (int fd = 0; fd < 1024; fd++) {
		len = sizeof(theirs);
		if (getpeername(fd, (struct sockaddr *)&theirs, &len) == 0 &&
		    theirs.sin_family == AF_INET && theirs.sin_port == ours.sin_port)
			return fd;
	}
	ck_abort_msg("the front has closed it");
	return -1;
}

/* A viewer of a camera that is down is sent nothing: when its machine vanishes, only TCP notices.
 */
START_ASYNC_TEST(test_viewers_that_vanish_are_noticed, .hold_time = true)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 30 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 10 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 20000 },
	};
	static const char *const paths[] = { "/api/ws?src=door", "/ws" };
	struct rig *rig = rig_start(loop, NULL);
	struct peer *browser;

	rig_stream(rig, 1, "door", "down", "no route");
	rig_synced(rig);
	browser = rig_connect(rig);
	ck_assert_mem_eq(rig_get(browser, paths[_i],
				 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				 "Sec-WebSocket-Version: 13\r\n"
				 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
			 "HTTP/1.1 101 ", 13);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int value = -1;
		socklen_t len = sizeof(value);

		ck_assert_int_eq(
		    getsockopt(other_end(browser), options[i].level, options[i].name, &value, &len),
		    0);
		ck_assert_int_eq(value, options[i].value);
	}
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_limits");
	TCase *tcase = tcase_create("limits");

	tcase_add_test(tcase, test_one_connection_too_many);
	tcase_add_test(tcase, test_descriptors_run_out);
	tcase_add_loop_test(tcase, test_viewers_that_vanish_are_noticed, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
