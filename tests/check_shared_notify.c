/*
 * systemd's protocols: what is sent where, and which inherited descriptors are believed.
 */
#include "config.h"

#include "shared/notify.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

static void
close_manager(void *arg)
{
	(void)arg;
	close(manager);
}

/* systemd's end; name as in $NOTIFY_SOCKET ('@': abstract). */
static void
listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	ck_assert_uint_lt(strlen(name), sizeof(addr.sun_path));
	memcpy(addr.sun_path, name, strlen(name));
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	harness_defer(close_manager, NULL);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	harness_setenv("NOTIFY_SOCKET", name);
}

static void
assert_received(const char *expected)
{
	char text[256] = "";

	ck_assert_int_gt(recv(manager, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, expected);
}

START_TEST(test_path)
{
	listen_at(harness_tmpfile("notify"));
	ck_assert_int_eq(notify_send("READY=1\nSTATUS=3 cameras\n"), 0);
	assert_received("READY=1\nSTATUS=3 cameras\n");
}
END_TEST

START_TEST(test_abstract)
{
	char name[64];

	snprintf(name, sizeof(name), "@camhub-test-%d", (int)getpid());
	listen_at(name);
	ck_assert_int_eq(notify_send("WATCHDOG=1"), 0);
	assert_received("WATCHDOG=1");
}
END_TEST

START_TEST(test_nobody_listens)
{
	char longest[200];

	harness_setenv("NOTIFY_SOCKET", NULL);
	ck_assert_int_eq(notify_send("READY=1"), 0);
	harness_setenv("NOTIFY_SOCKET", "");
	ck_assert_int_eq(notify_send("READY=1"), 0);
	harness_setenv("NOTIFY_SOCKET", harness_tmpfile("absent"));
	ck_assert_int_eq(notify_send("READY=1"), -ENOENT);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	harness_setenv("NOTIFY_SOCKET", longest);
	ck_assert_int_eq(notify_send("READY=1"), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_a_manager_that_does_not_read_blocks_nobody)
{
	int rc, n = 0;

	listen_at(harness_tmpfile("notify"));
	harness_watchdog_s(20);
	while ((rc = notify_send("WATCHDOG=1")) == 0)
		ck_assert_int_lt(n++, 100000);
	ck_assert_int_eq(rc, -EAGAIN);
}
END_TEST

static void
set_own_pid(const char *name)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	harness_setenv(name, pid);
}

START_TEST(test_watchdog)
{
	static const struct {
		const char *usec;
		int64_t ms;
	} cases[] = { { NULL, 0 }, { "10000000", 5000 },
		      { "1", 1 },  { "0", 0 },
		      { "-5", 0 }, { "", 0 },
		      { "5s", 0 }, { "99999999999999999999", 0 } };

	harness_setenv("WATCHDOG_PID", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		harness_setenv("WATCHDOG_USEC", cases[i].usec);
		ck_assert_int_eq(notify_watchdog_ms(), cases[i].ms);
	}
	harness_setenv("WATCHDOG_USEC", "10000000");
	harness_setenv("WATCHDOG_PID", "1");
	ck_assert_int_eq(notify_watchdog_ms(), 0);
	set_own_pid("WATCHDOG_PID");
	ck_assert_int_eq(notify_watchdog_ms(), 5000);
	notify_clear_environment();
	ck_assert_int_eq(notify_watchdog_ms(), 0);
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
}
END_TEST

/* The fds 3 and 4 of a process of our own. */
HARNESS_CHILD(listen_fds)
{
	int fds[8], flags = 0, null_fd = open("/dev/null", O_RDONLY);
	char pid[16];
	size_t n;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	dup2(null_fd, 3);
	dup2(null_fd, 4);
	setenv("LISTEN_PID", strcmp(argv[1], "own") == 0 ? pid : argv[1], 1);
	setenv("LISTEN_FDS", argv[2], 1);
	setenv("LISTEN_FDNAMES", "http:http", 1);
	n = notify_listen_fds(fds, (size_t)atoi(argv[3]));
	printf("n=%zu", n);
	for (size_t i = 0; i < n; i++) {
		flags = fcntl(fds[i], F_GETFD);
		printf(" %d:%s", fds[i], flags & FD_CLOEXEC ? "cloexec" : "inherited");
	}
	printf(" %s\n", getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES")
			    ? "left"
			    : "clean");
	fflush(stdout);
	return 0;
}

static const struct {
	const char *pid, *fds, *max, *output;
} activations[] = {
	{ "own", "2", "8", "n=2 3:cloexec 4:cloexec clean\n" },
	{ "own", "1", "8", "n=1 3:cloexec clean\n" },
	{ "own", "2", "1", "n=1 3:cloexec clean\n" },
	{ "1", "2", "8", "n=0 clean\n" }, /* meant for another process */
	{ "", "2", "8", "n=0 clean\n" },
	{ "own", "0", "8", "n=0 clean\n" },
	{ "own", "-1", "8", "n=0 clean\n" },
	{ "own", "two", "8", "n=0 clean\n" },
};

START_ASYNC_TEST(test_inherited_listeners)
{
	struct program *program =
	    program_start_self(loop, 0, "listen_fds", activations[_i].pid, activations[_i].fds,
			       activations[_i].max, NULL);

	ck_assert_int_eq(program_wait(program, 0), 0);
	ck_assert_str_eq(program_output(program), activations[_i].output);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-notify");
	TCase *tcase = tcase_create("notify");

	tcase_add_test(tcase, test_path);
	tcase_add_test(tcase, test_abstract);
	tcase_add_test(tcase, test_nobody_listens);
	tcase_add_test(tcase, test_a_manager_that_does_not_read_blocks_nobody);
	tcase_add_test(tcase, test_watchdog);
	tcase_add_loop_test(tcase, test_inherited_listeners, 0,
			    sizeof(activations) / sizeof(activations[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
