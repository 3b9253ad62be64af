/*
 * Tests that must be red, each for one reason. check_harness_red.c runs them one by one, in both
 * fork modes, and looks at the exit status and the message.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int patched = 1;
static struct clock_timer forgotten_timer;

static void
do_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
on_forgotten_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
}

static void
rearm_for_ever(struct clock_timer *timer, void *arg)
{
	(void)arg;
	clock_timer_set_ms(timer, 500);
}

/* The naive test: starts something, returns, and the callback with the assertion never runs. */
START_ASYNC_TEST(forgotten_completion)
{
}
END_ASYNC_TEST

START_ASYNC_TEST(forgotten_completion_with_a_beat)
{
	clock_timer_init(&forgotten_timer, loop_clock(loop), rearm_for_ever, NULL);
	clock_timer_set_ms(&forgotten_timer, 500);
}
END_ASYNC_TEST

START_ASYNC_TEST(forgotten_completion_in_real_time, .real_clock = true, .deadline_ms = 200)
{
}
END_ASYNC_TEST

START_ASYNC_TEST(completed_twice)
{
	async_complete(loop);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(failure_in_a_callback)
{
	int fds[2];
	struct peer *peer;

	loop_pair(loop, SOCK_STREAM, fds);
	peer = peer_new(loop, fds[0], "camera");
	peer_expect_text(peer, "DESCRIBE rtsp://camera/ RTSP/1.0\r\n");
	log_notice("cam=door: a line before the failure");
	ck_assert_int_eq(send(fds[1], "DESCRIBE rtsp://camera/ RTSP/2.0\r\n", 34, 0), 34);
}
END_ASYNC_TEST

START_ASYNC_TEST(leaked_event)
{
	static int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	event_add(event_new(loop_base(loop), fds[0], EV_READ | EV_PERSIST, do_nothing, NULL), NULL);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(leaked_clock_timer)
{
	clock_timer_init(&forgotten_timer, loop_clock(loop), on_forgotten_timer, NULL);
	clock_timer_set_ms(&forgotten_timer, 700);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(leaked_fd)
{
	int fds[2];

	loop_pair(loop, SOCK_SEQPACKET, fds);
	close(fds[0]);
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(leaked_fd_of_a_plain_test)
{
	ck_assert_int_ge(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
}
END_TEST

START_TEST(closed_foreign_fd)
{
	close(STDIN_FILENO);
}
END_TEST

START_TEST(leaked_child)
{
	if (fork() == 0)
		for (;;)
			pause();
}
END_TEST

START_TEST(leaked_zombie)
{
	siginfo_t info;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		_exit(0);
	/* Dead for sure, and still there. */
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}
END_TEST

START_ASYNC_TEST(unmet_expectation)
{
	int fds[2];
	struct peer *peer;

	loop_pair(loop, SOCK_STREAM, fds);
	peer = peer_new(loop, fds[0], "camera");
	peer_send_text(peer, "hello");
	peer_expect_text(peer, "never sent");
	ck_assert_int_eq(send(fds[1], "never", 5, 0), 5);
	loop_settle(loop);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(wrong_message)
{
	int fds[2];
	struct peer *peer;
	json_t *msg = msg_new(MSG_DEMAND);

	ck_assert_int_eq(chan_pair(fds), 0);
	peer = peer_new_chan(loop, fds[0], MSG_TO_WORKER, "worker");
	peer_expect_msg(peer, MSG_DEMAND, json_pack("{s:b}", "on", 0));
	msg_set_bool(msg, "on", true);
	ck_assert_int_eq(chan_send(fds[1], msg, -1), 0);
	json_decref(msg);
	peer_run(peer, 0);
}
END_ASYNC_TEST

START_ASYNC_TEST(message_against_the_schema)
{
	int fds[2];
	struct peer *peer;

	ck_assert_int_eq(chan_pair(fds), 0);
	peer = peer_new_chan(loop, fds[0], MSG_TO_WORKER, "worker");
	peer_expect_msg(peer, MSG_DEMAND, NULL);
	ck_assert_int_gt(send(fds[1], "{\"type\":\"demand\"}", 17, 0), 0);
	peer_run(peer, 0);
}
END_ASYNC_TEST

START_ASYNC_TEST(unmet_mock)
{
	mock_complete_next(mock_new(loop, "resolve"), 0, 0, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(wrong_call_count)
{
	struct mock *mock = mock_new(loop, "resolve");

	mock_call(mock, NULL, NULL, NULL, "door.example");
	mock_assert_calls(mock, 2);
}
END_ASYNC_TEST

START_TEST(secret_in_the_log)
{
	log_forbid("hunter2!");
	log_info("cam=door: connecting to rtsp://admin:hunter2%%21@192.0.2.10/");
}
END_TEST

START_TEST(missing_log_line)
{
	log_info("cam=door: up");
	expect_log("cam=door: down");
}
END_TEST

START_TEST(exits_with_success)
{
	exit(0);
}
END_TEST

START_TEST(hangs)
{
	harness_watchdog_s(1);
	for (;;)
		pause();
}
END_TEST

START_TEST(patch_then_fail)
{
	PATCH(patched, 2);
	harness_setenv("HARNESS_PATCHED", "yes");
	ck_assert_int_eq(patched, 3);
}
END_TEST

/* Comes after patch_then_fail in the same process when CK_FORK=no. */
START_TEST(patch_is_gone)
{
	ck_assert_int_eq(patched, 1);
	ck_assert_ptr_null(getenv("HARNESS_PATCHED"));
	ck_abort_msg("the patch is gone");
}
END_TEST

START_TEST(file_then_fail)
{
	FILE *file = fopen(harness_tmpfile("left"), "we");

	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_abort_msg("directory %s", harness_tmpdir());
}
END_TEST

START_ASYNC_TEST(program_then_fail)
{
	const char *const argv[] = { "sleep", "1000", NULL };
	const struct program_options options = { .path = "sleep", .argv = argv };

	ck_abort_msg("pid %d.", (int)program_pid(program_start(loop, &options)));
}
END_ASYNC_TEST

START_TEST(crashes)
{
	raise(SIGSEGV);
}
END_TEST

START_ISOLATED_TEST(isolated_failure)
{
	ck_assert_int_eq(1, 2);
}
END_ISOLATED_TEST

START_ASYNC_TEST(skipped)
{
	HARNESS_SKIP("no camera here");
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("bad");
	TCase *tcase = tcase_create("bad");

	tcase_add_test(tcase, forgotten_completion);
	tcase_add_test(tcase, forgotten_completion_with_a_beat);
	tcase_add_test(tcase, forgotten_completion_in_real_time);
	tcase_add_test(tcase, completed_twice);
	tcase_add_test(tcase, failure_in_a_callback);
	tcase_add_test(tcase, leaked_event);
	tcase_add_test(tcase, leaked_clock_timer);
	tcase_add_test(tcase, leaked_fd);
	tcase_add_test(tcase, leaked_fd_of_a_plain_test);
	tcase_add_test(tcase, closed_foreign_fd);
	tcase_add_test(tcase, leaked_child);
	tcase_add_test(tcase, leaked_zombie);
	tcase_add_test(tcase, unmet_expectation);
	tcase_add_test(tcase, wrong_message);
	tcase_add_test(tcase, message_against_the_schema);
	tcase_add_test(tcase, unmet_mock);
	tcase_add_test(tcase, wrong_call_count);
	tcase_add_test(tcase, secret_in_the_log);
	tcase_add_test(tcase, missing_log_line);
	tcase_add_test(tcase, exits_with_success);
	tcase_add_test(tcase, hangs);
	tcase_add_test(tcase, patch_then_fail);
	tcase_add_test(tcase, patch_is_gone);
	tcase_add_test(tcase, file_then_fail);
	tcase_add_test(tcase, program_then_fail);
	tcase_add_test(tcase, crashes);
	tcase_add_test(tcase, isolated_failure);
	tcase_add_test(tcase, skipped);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
