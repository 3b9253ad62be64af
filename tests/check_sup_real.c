/*
 * The real camhub-supervisor with real processes as its children, most of which misbehave.
 */
#include "config.h"

#include "tests/sup_real.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

START_ASYNC_TEST(test_arguments_and_exit_codes, .real_clock = true)
{
	static const struct {
		const char *argv[6];
		int status;
		const char *output;
	} runs[] = {
		{ { SUPERVISOR, "--version" }, 0, "camhub-supervisor " PACKAGE_VERSION },
		{ { SUPERVISOR, "--help" }, 0, "--runtime-dir" },
		{ { SUPERVISOR, "--nonsense" }, 2, "usage" },
		{ { SUPERVISOR, "surplus" }, 2, "unexpected argument" },
		{ { SUPERVISOR, "--check", "--config", "/nonexistent" }, 78, "/nonexistent:1: " },
		{ { SUPERVISOR, "--config", "/nonexistent" }, 78, "/nonexistent:1: " },
	};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		const char *output;

		ck_assert_int_eq(program_run(loop, runs[i].argv, &output), runs[i].status);
		ck_assert_msg(strstr(output, runs[i].output) != NULL, "%s", output);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_wrong_file_lists_all_its_mistakes, .real_clock = true)
{
	struct real real;
	const char *output;

	real_set_up(&real, loop, "");
	real_write_file(real.config,
			"cameras:\n  - {name: A, url: \"rtsp://x/\"}\n"
			"  - {name: b, url: \"gopher://x/\"}\n"
			"  - {name: b, url: \"rtsp://u:sesame-99@x/\", colour: red}\n");
	log_forbid("sesame-99");
	real_launch(&real);
	ck_assert_int_eq(program_wait(real.program, 0), 78);
	output = program_output(real.program);
	ck_assert_ptr_nonnull(strstr(output, "camhub.yaml:2: "));
	ck_assert_ptr_nonnull(strstr(output, "camhub.yaml:3: "));
	ck_assert_ptr_nonnull(strstr(output, "camhub.yaml:4: "));
	ck_assert_int_eq(access(real.dir, F_OK), -1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_port_in_use_and_a_second_supervisor, .real_clock = true)
{
	struct real real, other;
	char libexec[PATH_MAX];

	real_set_up(&real, loop, GOOD);
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	other = real;
	snprintf(other.dir, sizeof(other.dir), "%s", harness_tmpfile("run2"));
	snprintf(libexec, sizeof(libexec), "%s", real.libexec);
	real_launch(&other);
	ck_assert_int_eq(program_wait(other.program, 0), 1);
	ck_assert_ptr_nonnull(strstr(program_output(other.program), "the port is in use"));
	ck_assert_int_eq(access(other.dir, F_OK), -1);
	other = real;
	real_launch(&other);
	ck_assert_int_eq(program_wait(other.program, 0), 1);
	ck_assert_ptr_nonnull(strstr(program_output(other.program), "another camhub-supervisor"));
	real_await_state(&real, "good", "up", 0);
	/* The helper's. */
	free(real_read_report(&real, "good"));
	real_stop_and_look(&real);
	ck_assert_int_eq(access(real.dir, F_OK), -1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_what_a_child_is_born_with, .real_clock = true)
{
	struct real real;
	char *report;
	unsigned fds = 0;

	harness_setenv("NOTIFY_FOR_NOBODY", "secret-env");
	real_set_up(&real, loop, GOOD);
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_await_state(&real, "http", "up", 0);
	ck_assert_uint_eq(real_count_children(&real), 2);
	report = real_read_report(&real, "good");
	for (char *p = report; (p = strstr(p, "fd ")) != NULL; p++)
		fds += p == report || p[-1] == '\n';
	ck_assert_msg(fds == 4, "%s", report);
	ck_assert_msg(strstr(report, "fd 0 /dev/null\n") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "fd 1 /dev/null\n") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "fd 3 socket:") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "arg 0 camhub-worker-av\narg 1 good\nenv ") != NULL, "%s",
		      report);
	ck_assert_msg(strstr(report, "secret-env") == NULL, "%s", report);
	ck_assert_msg(strstr(report, "core 0\n") != NULL, "%s", report);
	ck_assert_msg(strstr(report, "session own\n") != NULL, "%s", report);
	free(report);
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_all_kinds_of_bad_children_and_one_good, .real_clock = true)
{
	static const char *const bad[] = { "exits",   "never-ready", "hangs",  "stops",
					   "garbage", "forks",       "retries" };
	char cameras[1024] = GOOD "  - {name: ignores, url: \"test:clock\"}\n", line[100];
	struct real real;
	long long good;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "  - {name: %s, url: \"test:clock\"}\n", bad[i]);
		strcat(cameras, line);
	}
	real_set_up(&real, loop, cameras);
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	good = real_number(&real, "good", "pid");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		real_await_number(&real, bad[i], "restarts", 2);
	ck_assert_int_eq(real_number(&real, "good", "pid"), good);
	ck_assert_int_eq(real_number(&real, "good", "restarts"), 0);
	real_await_state(&real, "ignores", "up", 0);
	/* The one that ignores "stop" is killed; grandchildren too. */
	real_stop_and_look(&real);
	/* But for the reports of the helper, nothing is left. */
	ck_assert_int_eq(access(harness_tmpfile("run/bus"), F_OK), -1);
	ck_assert_int_eq(access(harness_tmpfile("run/ctl.sock"), F_OK), -1);
	ck_assert_int_eq(access(harness_tmpfile("run/lock"), F_OK), -1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kill_9_of_a_worker, .real_clock = true)
{
	struct real real;
	long long victim, other;

	real_set_up(&real, loop, GOOD "  - {name: other, url: \"test:clock\"}\n");
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_await_state(&real, "other", "up", 0);
	victim = real_number(&real, "good", "pid");
	other = real_number(&real, "other", "pid");
	kill((pid_t)victim, SIGKILL);
	real_await_state(&real, "good", "up", victim);
	ck_assert_int_eq(real_number(&real, "other", "pid"), other);
	ck_assert_ptr_nonnull(strstr(program_output(real.program), "killed by SIGKILL"));
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kill_9_of_the_front_refuses_nobody, .real_clock = true)
{
	struct real real;
	long pid, next;

	real_set_up(&real, loop, GOOD);
	real_launch(&real);
	real_await_state(&real, "http", "up", 0);
	pid = real_front_answers(&real);
	ck_assert_int_gt(pid, 0);
	for (int i = 0; i < 5; i++) {
		kill((pid_t)pid, SIGKILL);
		/* Whoever accepts it: the connection waits in the listener. */
		do
			next = real_front_answers(&real);
		while (next == 0 || next == pid);
		ck_assert_int_gt(next, 0);
		pid = next;
	}
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kill_9_of_the_supervisor, .real_clock = true)
{
	struct real real;

	real_set_up(&real, loop, GOOD "  - {name: ignores, url: \"test:clock\"}\n");
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_await_state(&real, "ignores", "up", 0);
	program_signal(real.program, SIGKILL);
	ck_assert_int_eq(program_wait(real.program, 0), -SIGKILL);
	loop_run_until_true(loop, real_no_child_lives, &real, "no child lives", 0);
	ck_assert_int_eq(access(harness_tmpfile("run/ctl.sock"), F_OK), 0);
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_sighup_touches_only_what_changed, .real_clock = true)
{
	struct real real;
	long long good, other;

	real_set_up(&real, loop, GOOD "  - {name: other, url: \"test:clock\"}\n");
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_await_state(&real, "other", "up", 0);
	good = real_number(&real, "good", "pid");
	other = real_number(&real, "other", "pid");
	real_write_config(&real, "  - {name: BAD}\n");
	program_signal(real.program, SIGHUP);
	program_wait_output(real.program, "nothing was changed", 0);
	real_write_config(&real, GOOD "  - {name: other, url: \"test:clock?fps=10\"}\n");
	program_signal(real.program, SIGHUP);
	real_await_state(&real, "other", "up", other);
	ck_assert_int_eq(real_number(&real, "good", "pid"), good);
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

/* The control socket in /proc/net/unix once: the listener alone. */
static bool
is_quiet(void *arg)
{
	const struct real *real = arg;
	char line[512], path[PATH_MAX + 16];
	FILE *file = fopen("/proc/net/unix", "re");
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s/ctl.sock", real->dir);
	while (fgets(line, sizeof(line), file) != NULL)
		n += strstr(line, path) != NULL;
	fclose(file);
	return n == 1;
}

struct fd_count {
	struct real *real;
	unsigned n;
};

static bool
has_fds(void *arg)
{
	const struct fd_count *count = arg;

	return harness_count_fds(program_pid(count->real->program)) == count->n;
}

START_ASYNC_TEST(test_no_descriptor_leaks, .real_clock = true)
{
	struct real real;
	struct fd_count count = { .real = &real };

	real_set_up(&real, loop, GOOD);
	real_launch(&real);
	real_await_state(&real, "good", "up", 0);
	real_await_state(&real, "http", "up", 0);
	/* The last camctl has left: what is open now must be open in the end. */
	loop_run_until_true(loop, is_quiet, &real, "no client is connected", 0);
	count.n = harness_count_fds(program_pid(real.program));
	real_write_config(&real, GOOD "  - {name: exits, url: \"test:clock\"}\n"
				      "  - {name: garbage, url: \"test:clock\"}\n"
				      "  - {name: forks, url: \"test:clock\"}\n"
				      "  - {name: lost, url: \"rtsp://127.0.0.1:1/\"}\n");
	program_signal(real.program, SIGHUP);
	real_await_number(&real, "exits", "restarts", 30);
	real_await_number(&real, "garbage", "restarts", 10);
	real_await_number(&real, "forks", "restarts", 10);
	real_write_config(&real, GOOD);
	program_signal(real.program, SIGHUP);
	loop_run_until_true(loop, has_fds, &count, "the supervisor has as many fds as before", 0);
	real_stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

/* As systemd does it: argv[1] config, [2] runtime dir, [3] libexec dir, [4] notify socket, [5]
 * port. */
HARNESS_CHILD(like_systemd)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)atoi(argv[5])) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	char pid[32];

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 128) < 0)
		return 99;
	if (fd != 3 && dup2(fd, 3) < 0)
		return 98;
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("NOTIFY_SOCKET", argv[4], 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	execl(SUPERVISOR, "camhub-supervisor", "--config", argv[1], "--runtime-dir", argv[2],
	      "--libexec-dir", argv[3], "--web-dir", "/nowhere", NULL);
	return 97;
}

static void
await_notice(struct loop *loop, int fd, const char *part)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[4096] = "";

	(void)loop;
	do {
		ssize_t n;

		ck_assert_msg(poll(&wait, 1, ANSWER_MS) == 1, "systemd never heard \"%s\"", part);
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		text[n > 0 ? n : 0] = '\0';
	} while (strstr(text, part) == NULL);
}

START_ASYNC_TEST(test_under_a_service_manager, .real_clock = true)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct real real;
	char port[16];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long pid;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", harness_tmpfile("notify"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	real_set_up(&real, loop, GOOD);
	snprintf(port, sizeof(port), "%u", real.port);
	real_write_file(real.config, "cameras:\n  - {name: WRONG}\n");
	real.program = program_start_self(loop, 0, "like_systemd", real.config, real.dir,
					  real.libexec, addr.sun_path, port, (char *)NULL);
	await_notice(loop, fd, "STATUS=not serving: ");
	ck_assert_int_eq(real_front_answers(&real), 0); /* "HTTP/1.1 503" is no process id */
	await_notice(loop, fd, "WATCHDOG=1");
	/* The configured address is not bound: what was inherited replaces it. */
	real_write_config(&real, GOOD);
	program_signal(real.program, SIGHUP);
	real_await_state(&real, "http", "up", 0);
	real_await_state(&real, "good", "up", 0);
	await_notice(loop, fd, "STATUS=streams: 1 of 1 well");
	/* Nobody connects for twice the time after which a process that is not heard is killed. */
	for (int i = 0; i < 8; i++)
		await_notice(loop, fd, "WATCHDOG=1");
	ck_assert_int_eq(real_number(&real, "http", "restarts"), 0);
	pid = real_front_answers(&real);
	ck_assert_int_eq(pid, real_number(&real, "http", "pid"));
	program_signal(real.program, SIGTERM);
	await_notice(loop, fd, "STOPPING=1");
	ck_assert_int_eq(program_wait(real.program, 0), 0);
	ck_assert_uint_eq(real_count_children(&real), 0);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_real");
	TCase *start = tcase_create("start"), *faults = tcase_create("faults");

	tcase_set_timeout(start, 120);
	tcase_add_test(start, test_arguments_and_exit_codes);
	tcase_add_test(start, test_a_wrong_file_lists_all_its_mistakes);
	tcase_add_test(start, test_port_in_use_and_a_second_supervisor);
	tcase_add_test(start, test_what_a_child_is_born_with);
	tcase_add_test(start, test_sighup_touches_only_what_changed);
	tcase_add_test(start, test_under_a_service_manager);
	suite_add_tcase(suite, start);
	tcase_set_timeout(faults, 120);
	tcase_add_test(faults, test_all_kinds_of_bad_children_and_one_good);
	tcase_add_test(faults, test_kill_9_of_a_worker);
	tcase_add_test(faults, test_kill_9_of_the_front_refuses_nobody);
	tcase_add_test(faults, test_kill_9_of_the_supervisor);
	tcase_add_test(faults, test_no_descriptor_leaks);
	suite_add_tcase(suite, faults);
	return suite;
}

HARNESS_MAIN(make_suite)
