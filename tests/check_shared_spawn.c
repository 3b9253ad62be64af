/*
 * fork and exec: what a child finds when it starts, and what is said of its end.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/spawn.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const struct spawn_child nobody = { .pid = -1, .pidfd = -1, .chan_fd = -1 };
static struct spawn_child child;
static const struct spawn_limits *limits; /* of what is spawned next */

static void
end_child(void *arg)
{
	(void)arg;
	if (child.pid > 0 && kill(child.pid, SIGKILL) == 0)
		waitpid(child.pid, NULL, 0);
	if (child.pidfd >= 0)
		close(child.pidfd);
	if (child.chan_fd >= 0)
		close(child.chan_fd);
	child = nobody;
}

/* This binary again, running a HARNESS_CHILD. */
static void
spawn(const char *name)
{
	char *argv[] = { (char *)"camhub-test", (char *)"--child", (char *)(uintptr_t)name,
			 (char *)"door", NULL };

	ck_assert_int_eq(spawn_child("/proc/self/exe", argv, limits, &child), 0);
	harness_defer(end_child, NULL);
	ck_assert_int_gt(child.pid, 0);
}

static void
wait_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	ck_assert_int_eq(poll(&pfd, 1, 20000), 1);
}

static int
reap(char *text, size_t len)
{
	int code = -99;

	wait_for(child.pidfd, POLLIN);
	ck_assert_int_eq(spawn_reap(child.pidfd, &code, text, len), 0);
	child.pid = -1;
	return code;
}

/* The child answers on fd 3 in plain text. */
static void
assert_says(const char *name, const char *expected)
{
	char text[4096] = "";

	spawn(name);
	wait_for(child.chan_fd, POLLIN);
	ck_assert_int_gt(recv(child.chan_fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(reap(text, sizeof(text)), 0);
	ck_assert_str_eq(text, "exit 0");
}

static int
say(const char *text)
{
	return send(3, text, strlen(text), 0) < 0;
}

HARNESS_CHILD(list_fds)
{
	char text[512] = "";
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	bool open_fds[64] = { false };

	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != dirfd(dir) && fd < 64)
			open_fds[fd] = true;
	}
	for (int fd = 0; fd < 64; fd++)
		if (open_fds[fd])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ", fd);
	return say(text);
}

START_TEST(test_child_has_fd_3_and_nothing_else)
{
	/* Descriptors that a library forgot to mark: they must not reach the child. */
	int forgotten = open("/dev/null", O_RDONLY), high = fcntl(forgotten, F_DUPFD, 40);

	assert_says("list_fds", "0 1 2 3 ");
	close(forgotten);
	close(high);
}
END_TEST

HARNESS_CHILD(describe_fds)
{
	struct stat null_st, in, out;
	int type = 0;
	socklen_t len = sizeof(type);

	stat("/dev/null", &null_st);
	fstat(0, &in);
	fstat(1, &out);
	getsockopt(3, SOL_SOCKET, SO_TYPE, &type, &len);
	return say(in.st_rdev == null_st.st_rdev && out.st_rdev == null_st.st_rdev &&
			   type == SOCK_SEQPACKET
		       ? "null null seqpacket"
		       : "wrong");
}

START_TEST(test_stdin_and_stdout_are_null)
{
	assert_says("describe_fds", "null null seqpacket");
}
END_TEST

HARNESS_CHILD(list_environment)
{
	char text[4096] = "";

	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, "ASAN_OPTIONS=", 13) != 0 &&
		    strncmp(*variable, "UBSAN_OPTIONS=", 14) != 0 &&
		    strncmp(*variable, "LSAN_OPTIONS=", 13) != 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n",
				 *variable);
	return say(text);
}

START_TEST(test_environment_is_clean)
{
	harness_setenv("CAMHUB_PASSWORD", "hunter2");
	harness_setenv("LD_LIBRARY_PATH", "/nowhere");
	harness_setenv("NOTIFY_SOCKET", "/run/notify");
	harness_setenv("LISTEN_FDS", "1");
	harness_setenv("CREDENTIALS_DIRECTORY", "/run/cred");
	harness_setenv("PATH", "/nowhere");
	harness_setenv("TZ", "UTC");
	harness_setenv("JOURNAL_STREAM", "8:1234");
	assert_says("list_environment",
		    "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLANG=C.UTF-8\nLD_BIND_NOW=1\n"
		    "JOURNAL_STREAM=8:1234\nTZ=UTC\n");
}
END_TEST

HARNESS_CHILD(describe_signals)
{
	char text[256] = "";
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction action;

		if (sigismember(&mask, signo) == 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "blocked %d ",
				 signo);
		if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "ignored %d ",
				 signo);
	}
	return say(text[0] != '\0' ? text : "all as they were born");
}

START_TEST(test_signals_are_reset)
{
	sigset_t some, old;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGCHLD);
	sigprocmask(SIG_BLOCK, &some, &old);
	assert_says("describe_signals", "all as they were born");
	/* The parent's own mask is as before. */
	sigprocmask(SIG_SETMASK, &old, &some);
	ck_assert_int_eq(sigismember(&some, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&some, SIGUSR1), 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}
END_TEST

HARNESS_CHILD(describe_session)
{
	return say(getsid(0) == getpid() && getpgrp() == getpid() ? "own session"
								  : "shared session");
}

START_TEST(test_own_session)
{
	assert_says("describe_session", "own session");
}
END_TEST

HARNESS_CHILD(describe_argv)
{
	char text[256] = "", name[64] = "";
	FILE *file = fopen("/proc/self/cmdline", "re");

	if (file != NULL && fread(name, 1, sizeof(name) - 1, file) > 0)
		snprintf(text, sizeof(text), "%s %s", name, argv[1]);
	if (file != NULL)
		fclose(file);
	return say(text);
}

START_TEST(test_command_line)
{
	assert_says("describe_argv", "camhub-test door");
}
END_TEST

HARNESS_CHILD(describe_limits)
{
	char text[256], score[16] = "";
	struct rlimit stack, files, data;
	int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, score, sizeof(score) - 1);

	close(fd);
	score[n > 0 ? strcspn(score, "\n") : 0] = '\0';
	getrlimit(RLIMIT_STACK, &stack);
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_DATA, &data);
	snprintf(text, sizeof(text), "stack %lld files %lld %lld data %lld %lld score %s",
		 (long long)stack.rlim_cur, (long long)files.rlim_cur, (long long)files.rlim_max,
		 (long long)data.rlim_cur, (long long)data.rlim_max, score);
	return say(text);
}

START_TEST(test_limits)
{
	static const struct spawn_limits some = { .memory_bytes = 64LL << 40,
						  .stack_bytes = 2 << 20,
						  .files = 61,
						  .oom_score_adj = 777 };

	limits = &some;
	assert_says("describe_limits",
		    "stack 2097152 files 61 61 data 70368744177664 70368744177664 score 777");
	limits = NULL;
}
END_TEST

/* Nobody gets more than the one who starts it. */
START_TEST(test_limits_give_nothing)
{
	static const struct spawn_limits many = { .files = 1LL << 40 };
	struct rlimit files;
	char text[512] = "", expected[64];

	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(expected, sizeof(expected), "files %lld %lld ", (long long)files.rlim_max,
		 (long long)files.rlim_max);
	limits = &many;
	spawn("describe_limits");
	limits = NULL;
	wait_for(child.chan_fd, POLLIN);
	ck_assert_int_gt(recv(child.chan_fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_msg(strstr(text, expected) != NULL, "%s in %s", expected, text);
}
END_TEST

HARNESS_CHILD(leak)
{
	for (size_t mib = 0; mib < 4096; mib++)
		memset(xmalloc(1 << 20), 1, 1 << 20);
	return 0;
}

START_TEST(test_who_leaks_ends)
{
	static const struct spawn_limits some = { .memory_bytes = 128 << 20,
						  .stack_bytes = 1 << 20 };
	char text[32];

#ifdef __SANITIZE_ADDRESS__
	HARNESS_SKIP("AddressSanitizer itself reserves terabytes");
#endif
	limits = &some;
	spawn("leak");
	limits = NULL;
	ck_assert_int_eq(reap(text, sizeof(text)), XALLOC_EXIT);
}
END_TEST

START_TEST(test_exec_says_why_it_failed)
{
	char *argv[] = { (char *)"x", NULL };
	FILE *file = fopen(harness_tmpfile("plain"), "we");

	child = nobody;
	ck_assert_ptr_nonnull(file);
	fclose(file);
	ck_assert_int_eq(spawn_child(harness_tmpfile("absent"), argv, NULL, &child), -ENOENT);
	ck_assert_int_eq(spawn_child(harness_tmpfile("plain"), argv, NULL, &child), -EACCES);
	ck_assert_int_eq(chmod(harness_tmpfile("plain"), 0700), 0);
	ck_assert_int_eq(spawn_child(harness_tmpfile("plain"), argv, NULL, &child), -ENOEXEC);
	/* Untouched on failure; no child, no descriptor is left: the fixture looks. */
	ck_assert_int_eq(child.pid, -1);
	ck_assert_int_eq(child.pidfd, -1);
}
END_TEST

static rlim_t fd_limit;

static void
restore_limit(void *arg)
{
	(void)arg;
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ fd_limit, fd_limit });
}

START_TEST(test_no_descriptors_left)
{
	char *argv[] = { (char *)"x", NULL };
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	fd_limit = limit.rlim_max;
	harness_defer(restore_limit, NULL);
	/* From "none at all" up to "one too few": each step of it fails cleanly. */
	for (rlim_t n = 3; n < 8; n++) {
		int rc;

		limit.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &limit);
		rc = spawn_child("/nonexistent", argv, NULL, &child);
		ck_assert_int_lt(rc, 0);
	}
}
END_TEST

HARNESS_CHILD(exit_75)
{
	return 75;
}

START_TEST(test_exit_status)
{
	char text[32];

	spawn("exit_75");
	ck_assert_int_eq(reap(text, sizeof(text)), 75);
	ck_assert_str_eq(text, "exit 75");
	/* Once only. */
	ck_assert_int_eq(spawn_reap(child.pidfd, &(int){ 0 }, text, sizeof(text)), -ECHILD);
}
END_TEST

HARNESS_CHILD(wait_for_ever)
{
	for (;;)
		pause();
	return 0;
}

START_TEST(test_killed_by_a_signal)
{
	char text[32] = "untouched";
	int code = -99;

	spawn("wait_for_ever");
	ck_assert_int_eq(spawn_reap(child.pidfd, &code, text, sizeof(text)), -EAGAIN);
	ck_assert_int_eq(code, -99);
	ck_assert_str_eq(text, "untouched");
	/* A stopped child is ended by SIGKILL as well. */
	ck_assert_int_eq(spawn_signal(child.pidfd, SIGSTOP), 0);
	ck_assert_int_eq(spawn_signal(child.pidfd, SIGKILL), 0);
	ck_assert_int_eq(reap(text, sizeof(text)), -1);
	ck_assert_str_eq(text, "killed by SIGKILL");
	ck_assert_int_eq(spawn_signal(child.pidfd, SIGKILL), -ESRCH);
}
END_TEST

START_TEST(test_end_of_the_channel_is_seen)
{
	json_t *msg;
	enum msg_type type;
	char err[MSG_ERROR_MAX], text[32];
	int fd;

	spawn("exit_75");
	wait_for(child.chan_fd, POLLIN);
	ck_assert_int_eq(chan_recv(child.chan_fd, MSG_FROM_WORKER, &msg, &type, &fd, err), -EPIPE);
	reap(text, sizeof(text));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-spawn");
	TCase *tcase = tcase_create("spawn");

	tcase_add_test(tcase, test_child_has_fd_3_and_nothing_else);
	tcase_add_test(tcase, test_stdin_and_stdout_are_null);
	tcase_add_test(tcase, test_environment_is_clean);
	tcase_add_test(tcase, test_signals_are_reset);
	tcase_add_test(tcase, test_own_session);
	tcase_add_test(tcase, test_command_line);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_limits_give_nothing);
	tcase_add_test(tcase, test_who_leaks_ends);
	tcase_add_test(tcase, test_exec_says_why_it_failed);
	tcase_add_test(tcase, test_no_descriptors_left);
	tcase_add_test(tcase, test_exit_status);
	tcase_add_test(tcase, test_killed_by_a_signal);
	tcase_add_test(tcase, test_end_of_the_channel_is_seen);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
