/*
 * Events on their way: orders, requests and answers as text, and the real program with a receiver
 * that behaves and others that do not.
 */
#include "config.h"

#include "event/deliver.h"
#include "event/post.h"
#include "shared/spawn.h"
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000

START_TEST(test_orders)
{
	static const struct {
		const char *order, *host, *line; /* line NULL: refused */
		unsigned port;
		bool is_tls;
	} cases[] = {
		{ "http://192.0.2.1/\n{}", "192.0.2.1", "POST / HTTP/1.1\r\nHost: 192.0.2.1\r\n",
		  80, false },
		{ "http://h:8080/a/b?c=d&e\n{}", "h",
		  "POST /a/b?c=d&e HTTP/1.1\r\nHost: h:8080\r\n", 8080, false },
		{ "https://h/x\n{}", "h", "POST /x HTTP/1.1\r\nHost: h\r\n", 443, true },
		{ "https://[2001:db8::1]:444/x\n{}", "2001:db8::1",
		  "POST /x HTTP/1.1\r\nHost: [2001:db8::1]:444\r\n", 444, true },
		{ "http://h/ x\n{}", NULL, NULL, 0, false },
		{ "http://h/\r\nX: y\n{}", NULL, NULL, 0, false },
		{ "http://user:word@h/\n{}", NULL, NULL, 0, false },
		{ "rtsp://h/\n{}", NULL, NULL, 0, false },
		{ "file:/etc/passwd\n{}", NULL, NULL, 0, false },
		{ "h\n{}", NULL, NULL, 0, false },
		{ "http://h/", NULL, NULL, 0, false },
		{ "\n{}", NULL, NULL, 0, false },
	};
	struct post post = { .host = NULL };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *order = cases[i].order;
		int rc = post_read_order(order, strlen(order), &post);

		ck_assert_msg(rc == (cases[i].line != NULL ? 0 : -EINVAL), "%s: %d", order, rc);
		if (rc < 0)
			continue;
		ck_assert_str_eq(post.host, cases[i].host);
		ck_assert_uint_eq(post.port, cases[i].port);
		ck_assert_int_eq(post.is_tls, cases[i].is_tls);
		ck_assert_msg(strncmp(post.head, cases[i].line, strlen(cases[i].line)) == 0, "%s",
			      post.head);
		ck_assert_ptr_nonnull(strstr(post.head, "\r\nContent-Length: 2\r\n"));
		ck_assert_str_eq(post.body, "{}");
		post_clear(&post);
	}
	ck_assert_int_eq(post_read_order("http://h/\n\0", 11, &post), -EINVAL);
	ck_assert_int_eq(post_read_order("", 0, &post), -EINVAL);
}
END_TEST

START_TEST(test_first_lines)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "HTTP/1.1 204 No Content\r\n", 204 },
		{ "HTTP/1.0 200 OK\r\n", 200 },
		{ "HTTP/1.1 503 \r\n", 503 },
		{ "HTTP/1.1 404\r\n", 404 },
		{ "HTTP/1.1 20 OK\r\n\r\n", 0 },
		{ "HTTP/1.1 2000 OK\r\n", 0 },
		{ "HTTP/1.1 099 OK\r\n", 0 },
		{ "HTTP/2 200 OK\r\n\r\n", 0 },
		{ "SSH-2.0-OpenSSH_9.2\r\n", 0 },
		{ "HTTP/1.1 200", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(post_read_status(cases[i].text, strlen(cases[i].text)) ==
				  cases[i].code,
			      "%s", cases[i].text);
}
END_TEST

/* The program */

static struct spawn_child child;

static void
end_child(void *arg)
{
	(void)arg;
	if (child.pid > 0) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
	}
	close(child.pidfd);
	close(child.chan_fd);
}

static void
wait_for(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	ck_assert_int_eq(poll(&pfd, 1, WAIT_MS), 1);
}

static int
listen_loopback(unsigned *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void
give_order(const char *scheme, unsigned port)
{
	static const struct spawn_limits limits = { .files = 64 };
	char *argv[] = { (char *)"camhub-event", (char *)"event", NULL };
	char order[256];

	ck_assert_int_eq(spawn_child(EVENT_PROGRAM, argv, &limits, &child), 0);
	harness_defer(end_child, NULL);
	snprintf(order, sizeof(order), "%s://127.0.0.1:%u/hook?key=word\n{\"event\":\"started\"}",
		 scheme, port);
	ck_assert_int_gt(send(child.chan_fd, order, strlen(order), 0), 0);
}

static void
assert_answer(const char *expected)
{
	char text[512] = "";
	int status;

	wait_for(child.chan_fd);
	ck_assert_int_gt(recv(child.chan_fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
	ck_assert_msg(strstr(text, "word") == NULL, "%s", text);
	/* One delivery is all that it lives for. */
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	child.pid = 0;
	ck_assert_int_eq(status, 0);
}

/* What the receiver is sent, up to `end`. */
static void
read_until(int fd, const char *end, char *text, size_t size)
{
	size_t len = 0;

	memset(text, 0, size);
	while (strstr(text, end) == NULL) {
		ssize_t n;

		wait_for(fd);
		n = recv(fd, text + len, size - 1 - len, 0);
		ck_assert_msg(n > 0, "%s", text);
		len += (size_t)n;
	}
}

START_TEST(test_a_receiver)
{
	static const char ok[] = "HTTP/1.1 204 No Content\r\n\r\n";
	unsigned port;
	int listener = listen_loopback(&port), fd;
	char text[2048];

	give_order("http", port);
	wait_for(listener);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	read_until(fd, "\"started\"}", text, sizeof(text));
	ck_assert_msg(strncmp(text, "POST /hook?key=word HTTP/1.1\r\n", 30) == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 19\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\n{\"event\":\"started\"}"));
	/* In pieces, as it may come. */
	ck_assert_int_eq(send(fd, ok, 10, 0), 10);
	ck_assert_int_eq(send(fd, ok + 10, sizeof(ok) - 11, 0), (ssize_t)sizeof(ok) - 11);
	assert_answer("ok 204");
	close(fd);
	close(listener);
}
END_TEST

START_TEST(test_receivers_that_are_none)
{
	static const struct {
		const char *scheme, *answer, *expected;
	} cases[] = {
		{ "http", "", "error 127.0.0.1: it hung up without an answer" },
		{ "http", "SSH-2.0-OpenSSH_9.2\r\n",
		  "error 127.0.0.1: it hung up without an answer" },
		{ "https", "HTTP/1.1 400 Bad Request\r\n\r\n", "error 127.0.0.1: TLS failed: " },
		{ "https", "", "error 127.0.0.1: TLS failed: " },
	};
	unsigned port;
	int listener = listen_loopback(&port), fd;
	char text[2048];
	size_t len = strlen(cases[_i].answer);

	give_order(cases[_i].scheme, port);
	wait_for(listener);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	wait_for(fd);
	ck_assert_int_gt(recv(fd, text, sizeof(text), 0), 0);
	ck_assert_int_eq(send(fd, cases[_i].answer, len, MSG_NOSIGNAL), (ssize_t)len);
	shutdown(fd, SHUT_WR);
	assert_answer(cases[_i].expected);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(test_nobody_is_there)
{
	unsigned port;
	int listener = listen_loopback(&port);

	close(listener);
	give_order("http", port);
	assert_answer("error 127.0.0.1: cannot connect: Connection refused");
}
END_TEST

START_TEST(test_rubbish_is_no_order)
{
	char *answer = deliver_answer("rubbish", 7);

	ck_assert_str_eq(answer, "error not an order");
	free(answer);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("event");
	TCase *text = tcase_create("text"), *program = tcase_create("program");

	tcase_add_test(text, test_orders);
	tcase_add_test(text, test_first_lines);
	tcase_add_test(text, test_rubbish_is_no_order);
	suite_add_tcase(suite, text);
	tcase_add_test(program, test_a_receiver);
	tcase_add_loop_test(program, test_receivers_that_are_none, 0, 4);
	tcase_add_test(program, test_nobody_is_there);
	suite_add_tcase(suite, program);
	return suite;
}

HARNESS_MAIN(make_suite)
