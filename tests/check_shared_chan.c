/*
 * One message, one datagram: limits, descriptors, refusals without leaks, the end.
 */
#include "config.h"

#include "shared/chan.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int fds[2];
static char err[MSG_ERROR_MAX];

static void
close_pair(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void
make_pair(void)
{
	ck_assert_int_eq(chan_pair(fds), 0);
	harness_defer(close_pair, NULL);
}

static void
send_msg(json_t *msg, int fd)
{
	ck_assert_int_eq(chan_send(fds[0], msg, fd), 0);
	json_decref(msg);
}

static json_t *
listener(void)
{
	json_t *msg = msg_new(MSG_LISTENER);

	msg_set_str(msg, "address", "127.0.0.1:8080");
	return msg;
}

/* Receiving fails like this and touches nothing; leaked descriptors fail every test at its end. */
static void
assert_recv_fails(enum msg_to to, int rc)
{
	json_t *msg = (json_t *)&fds;
	enum msg_type type = MSG_TYPE_COUNT;
	int fd = -77;

	err[0] = '\0';
	ck_assert_int_eq(chan_recv(fds[1], to, &msg, &type, &fd, err), rc);
	ck_assert_ptr_eq(msg, (json_t *)&fds);
	ck_assert_int_eq(type, MSG_TYPE_COUNT);
	ck_assert_int_eq(fd, -77);
	ck_assert(rc != -EPROTO || err[0] != '\0');
}

static int
recv_ok(enum msg_to to, enum msg_type expected)
{
	enum msg_type type;
	json_t *msg;
	int fd;

	ck_assert_int_eq(chan_recv(fds[1], to, &msg, &type, &fd, err), 0);
	ck_assert_int_eq(type, expected);
	json_decref(msg);
	return fd;
}

/* Raw bytes with n copies of a descriptor. */
static void
send_raw(const void *bytes, size_t len, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n > 0) {
		struct cmsghdr *cmsg;

		hdr.msg_control = control.bytes;
		hdr.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &(int){ STDERR_FILENO },
			       sizeof(int));
	}
	ck_assert_int_eq(sendmsg(fds[0], &hdr, MSG_NOSIGNAL), (ssize_t)len);
}

START_TEST(test_pair_is_not_inherited_and_does_not_block)
{
	make_pair();
	for (int i = 0; i < 2; i++) {
		ck_assert(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		ck_assert(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
	}
	assert_recv_fails(MSG_TO_WORKER, -EAGAIN);
}
END_TEST

START_TEST(test_messages_keep_their_borders)
{
	make_pair();
	for (int i = 0; i < 5; i++)
		send_msg(msg_new(MSG_STOP), -1);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(recv_ok(MSG_TO_WORKER, MSG_STOP), -1);
	assert_recv_fails(MSG_TO_WORKER, -EAGAIN);
}
END_TEST

START_TEST(test_descriptor_travels)
{
	struct stat a, b;
	int fd;

	make_pair();
	send_msg(listener(), STDERR_FILENO);
	fd = recv_ok(MSG_TO_FRONT, MSG_LISTENER);
	ck_assert_int_ge(fd, 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &a) | fstat(STDERR_FILENO, &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	close(fd);
}
END_TEST

START_TEST(test_refusals_leak_nothing)
{
	static const struct {
		const char *bytes;
		size_t n_fds;
	} cases[] = {
		{ "{\"type\":\"stop\"}", 1 }, /* none wanted */
		{ "{\"type\":\"listener\",\"address\":\"a\"}", 0 },
		{ "{\"type\":\"listener\",\"address\":\"a\"}", 2 },
		{ "{\"type\":\"listener\",\"address\":\"a\"}", 8 },
		{ "{\"type\":\"listener\",\"address\":\"a\"}", 16 }, /* cut by the kernel */
		{ "{\"type\":\"listener\"}", 1 },
		{ "{\"type\":\"beat\"}", 0 }, /* the other direction */
		{ "no JSON", 0 },
		{ "no JSON", 1 },
		{ "[1]", 1 },
		{ "{\"type\":\"stop\"", 0 },
		{ "{\"type\":\"stop\"}x", 0 },
		{ "{\"type\":\"stop\",\"type\":\"stop\"}", 0 },
		{ "{\"type\":\"st\\u0000op\"}", 0 },
		{ "{\"type\":\"\xff\"}", 0 },
	};

	make_pair();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_raw(cases[i].bytes, strlen(cases[i].bytes), cases[i].n_fds);
		assert_recv_fails(MSG_TO_FRONT, -EPROTO);
	}
	/* The channel itself still works: who decides is the caller. */
	send_msg(msg_new(MSG_STOP), -1);
	recv_ok(MSG_TO_FRONT, MSG_STOP);
}
END_TEST

/* A valid message of exactly so many bytes; JSON may have blanks. */
static char *
padded(size_t len)
{
	static const char text[] = "{\"type\":\"stop\"}";
	char *bytes = malloc(len + 1);

	memset(bytes, ' ', len);
	memcpy(bytes, text, sizeof(text) - 1);
	bytes[len] = '\0';
	return bytes;
}

START_TEST(test_datagram_limit_when_receiving)
{
	make_pair();
	for (size_t len = MSG_MAX_BYTES - 1; len <= MSG_MAX_BYTES + 2; len++) {
		char *bytes = padded(len);

		send_raw(bytes, len, 0);
		free(bytes);
		if (len <= MSG_MAX_BYTES)
			recv_ok(MSG_TO_FRONT, MSG_STOP);
		else
			assert_recv_fails(MSG_TO_FRONT, -EPROTO);
	}
}
END_TEST

START_TEST(test_datagram_limit_when_sending)
{
	json_t *msg = msg_new(MSG_CTL_DONE);
	char *text = calloc(1, MSG_MAX_BYTES + 1);
	size_t empty;

	make_pair();
	msg_set_str(msg, "text", "");
	empty = json_dumpb(msg, NULL, 0, JSON_COMPACT);
	memset(text, 'x', MSG_MAX_BYTES - empty);
	msg_set_str(msg, "text", text);
	ck_assert_int_eq(chan_send(fds[0], msg, -1), 0);
	text[MSG_MAX_BYTES - empty] = 'x';
	msg_set_str(msg, "text", text);
	ck_assert_int_eq(chan_send(fds[0], msg, -1), -EMSGSIZE);
	json_decref(msg);
	free(text);
}
END_TEST

START_TEST(test_peer_that_never_reads)
{
	int n = 0, rc;

	make_pair();
	do {
		json_t *msg = msg_new(MSG_STOP);

		rc = chan_send(fds[0], msg, -1);
		json_decref(msg);
		ck_assert_int_lt(n++, 100000);
	} while (rc == 0);
	ck_assert_int_eq(rc, -EAGAIN);
	recv_ok(MSG_TO_WORKER, MSG_STOP);
}
END_TEST

START_TEST(test_end)
{
	json_t *msg = msg_new(MSG_STOP);

	make_pair();
	send_msg(msg_new(MSG_STOP), -1);
	close(fds[0]);
	/* What was said before is still read. */
	recv_ok(MSG_TO_WORKER, MSG_STOP);
	assert_recv_fails(MSG_TO_WORKER, -EPIPE);
	assert_recv_fails(MSG_TO_WORKER, -EPIPE);
	fds[0] = fds[1];
	fds[1] = -1;
	ck_assert_int_eq(chan_send(fds[0], msg, -1), -EPIPE);
	json_decref(msg);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-chan");
	TCase *tcase = tcase_create("chan");

	tcase_add_test(tcase, test_pair_is_not_inherited_and_does_not_block);
	tcase_add_test(tcase, test_messages_keep_their_borders);
	tcase_add_test(tcase, test_descriptor_travels);
	tcase_add_test(tcase, test_refusals_leak_nothing);
	tcase_add_test(tcase, test_datagram_limit_when_receiving);
	tcase_add_test(tcase, test_datagram_limit_when_sending);
	tcase_add_test(tcase, test_peer_that_never_reads);
	tcase_add_test(tcase, test_end);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
