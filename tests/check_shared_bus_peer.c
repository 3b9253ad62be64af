/*
 * A publisher and peers that leave in the moment in which they came, over the real nng: whoever
 * comes after them is published to, and nothing of them is left.
 */
#include "config.h"

#include "shared/bus.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS 40

static const char hello[] = { 0, 'S', 'P', 0, 0, 33, 0, 0 };
static struct bus_pub *pub;
static struct bus_sub *sub;
static struct bus_msg *msg;

enum leaves {
	AT_ONCE,
	BEFORE_HELLO, /* and after the publisher's */
	AFTER_HELLO,  /* at once */
	N_LEAVES
};

static void
come_and_go(const char *path, enum leaves when)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char theirs[sizeof(hello)];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (when == BEFORE_HELLO)
		ck_assert_int_eq(recv(fd, theirs, sizeof(theirs), MSG_WAITALL), sizeof(theirs));
	if (when == AFTER_HELLO)
		ck_assert_int_eq(send(fd, hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
	close(fd);
}

static bool
are_gone(void *arg)
{
	return harness_count_fds(0) <= *(unsigned *)arg && bus_pub_subscribers(pub) == 0;
}

static bool
has_subscriber(void *arg)
{
	(void)arg;
	return bus_pub_subscribers(pub) > 0;
}

static bool
received(void *arg)
{
	(void)arg;
	return bus_sub_recv(sub, &msg) == 0;
}

START_ISOLATED_TEST(test_peers_that_leave_at_once, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct frame frame = { .stream_id = 7, .kind = FRAME_KIND_VIDEO, .epoch = 42, .seq = 1 };
	unsigned fds;

	bus_outlive_peers();
	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	fds = harness_count_fds(0);
	for (unsigned i = 0; i < PEERS; i++)
		come_and_go(path, (enum leaves)_i);
	loop_run_until_true(loop, are_gone, &fds, "all of them gone", 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscriber, NULL, "a subscriber", 0);
	ck_assert_int_eq(bus_pub_send(pub, &frame, "abc", 3), 0);
	loop_run_until_true(loop, received, NULL, "its message", 0);
	ck_assert_uint_eq(msg->frame.seq, 1);
	bus_msg_unref(&msg);
	bus_pub_unlink(pub);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared_bus_peer");
	TCase *tcase = tcase_create("peers");

	tcase_add_loop_test(tcase, test_peers_that_leave_at_once, 0, N_LEAVES);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
