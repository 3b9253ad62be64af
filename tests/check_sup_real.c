/*
 * The real camhub-supervisor with real processes as its children, most of which misbehave.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/msg.h"

#include <dirent.h>
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

#define GOOD      "  - {name: good, url: \"test:clock\"}\n"
#define ANSWER_MS 10000

struct real {
	struct loop *loop;
	struct program *program;
	char config[PATH_MAX], dir[PATH_MAX], libexec[PATH_MAX];
	uint16_t port;
};

/* A port that was free a moment ago. */
static uint16_t
free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Short deadlines, so that the tests are; cameras: their YAML. */
static void
write_config(struct real *real, const char *cameras)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "http: {listen: [\"127.0.0.1:%u\"]}\n"
		 "restart: {first: 10ms, max: 20ms, min_interval: 0s, start_timeout: 2s, "
		 "hang_timeout: 1500ms, stop_timeout: 1s}\n"
		 "cameras:%s%s",
		 real->port, cameras[0] != '\0' ? "\n" : " []\n", cameras);
	write_file(real->config, text);
}

static void
set_up(struct real *real, struct loop *loop, const char *cameras)
{
	static const char *const programs[] = { "camhub-worker-av", "camhub-http" };
	char link[PATH_MAX + 32];

	*real = (struct real){ .loop = loop, .port = free_port() };
	snprintf(real->config, sizeof(real->config), "%s", harness_tmpfile("camhub.yaml"));
	snprintf(real->dir, sizeof(real->dir), "%s", harness_tmpfile("run"));
	snprintf(real->libexec, sizeof(real->libexec), "%s", harness_tmpfile("libexec"));
	ck_assert_int_eq(mkdir(real->libexec, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(link, sizeof(link), "%s/%s", real->libexec, programs[i]);
		ck_assert_int_eq(symlink(SUP_CHILD, link), 0);
	}
	write_config(real, cameras);
}

static void
launch(struct real *real)
{
	const char *argv[] = {
		"camhub-supervisor", "--config",    real->config, "--runtime-dir", real->dir,
		"--libexec-dir",     real->libexec, "--web-dir",  "/nowhere",      NULL
	};

	real->program = program_start(
	    real->loop, &(struct program_options){ .path = SUPERVISOR, .argv = argv });
}

static int
ctl_connect(const struct real *real)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.90s/ctl.sock", real->dir);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static json_t *
ctl_read(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[65536];
	ssize_t n = -1;

	if (poll(&wait, 1, ANSWER_MS) == 1)
		n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	return n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
}

/* The message about the camera or process of that name; NULL: no answer, or no such thing. */
static json_t *
ask(const struct real *real, const char *name)
{
	static const char request[] = "{\"type\":\"status\"}";
	json_t *msg, *found = NULL;
	int fd = ctl_connect(real);
	bool more = fd >= 0 && send(fd, request, strlen(request), MSG_NOSIGNAL) > 0;

	while (more && (msg = ctl_read(fd)) != NULL) {
		more = strcmp(msg_str(msg, "type"), "done") != 0;
		if (strcmp(msg_str(msg, "name"), name) == 0)
			found = json_incref(msg);
		json_decref(msg);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

static long long
number(const struct real *real, const char *name, const char *field)
{
	json_t *msg = ask(real, name);
	long long value = msg != NULL ? msg_int(msg, field, -1) : -1;

	json_decref(msg);
	return value;
}

struct expectation {
	const struct real *real;
	const char *name, *field, *state;
	long long at_least, not_this;
};

static bool
is_in_state(void *arg)
{
	const struct expectation *e = arg;
	json_t *msg = ask(e->real, e->name);
	bool is = msg != NULL && strcmp(msg_str(msg, "state"), e->state) == 0 &&
		  msg_int(msg, "pid", 0) != e->not_this;

	json_decref(msg);
	return is;
}

/* Until it is in that state, in another process than not_pid. */
static void
await_state(struct real *real, const char *name, const char *state, long long not_pid)
{
	struct expectation e = { real, name, NULL, state, 0, not_pid };
	char what[128];

	snprintf(what, sizeof(what), "%s is %s", name, state);
	loop_run_until_true(real->loop, is_in_state, &e, what, 0);
}

static bool
has_reached(void *arg)
{
	const struct expectation *e = arg;

	return number(e->real, e->name, e->field) >= e->at_least;
}

static void
await_number(struct real *real, const char *name, const char *field, long long at_least)
{
	struct expectation e = { real, name, field, NULL, at_least, 0 };
	char what[128];

	snprintf(what, sizeof(what), "%s has %s >= %lld", name, field, at_least);
	loop_run_until_true(real->loop, has_reached, &e, what, 0);
}

/* Processes of our helper that live. */
static unsigned
count_children(void)
{
	DIR *dir = opendir("/proc");
	char path[300], target[PATH_MAX], helper[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;

	ck_assert_ptr_nonnull(realpath(SUP_CHILD, helper));
	while ((entry = readdir(dir)) != NULL) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		n += strcmp(target, helper) == 0;
	}
	closedir(dir);
	return n;
}

static bool
no_child_lives(void *arg)
{
	(void)arg;
	return count_children() == 0;
}

static void
stop_and_look(struct real *real)
{
	program_signal(real->program, SIGTERM);
	ck_assert_int_eq(program_wait(real->program, 0), 0);
	ck_assert_uint_eq(count_children(), 0);
}

/* A process id from the front, -1: the connection was refused. */
static long
front_answers(const struct real *real)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons(real->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[32] = "";
	long pid = -1;

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		pid = poll(&wait, 1, ANSWER_MS) == 1 && read(fd, text, sizeof(text) - 1) > 0
			  ? atol(text)
			  : 0;
	close(fd);
	return pid;
}

static char *
read_report(struct real *real, const char *object)
{
	char path[PATH_MAX + 64], *text = calloc(1, 8192);
	FILE *file;

	snprintf(path, sizeof(path), "%s/report-%s", real->dir, object);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_gt(fread(text, 1, 8191, file), 0);
	fclose(file);
	unlink(path);
	return text;
}

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

	set_up(&real, loop, "");
	write_file(real.config, "cameras:\n  - {name: A, url: \"rtsp://x/\"}\n"
				"  - {name: b, url: \"gopher://x/\"}\n"
				"  - {name: b, url: \"rtsp://u:sesame-99@x/\", colour: red}\n");
	log_forbid("sesame-99");
	launch(&real);
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

	set_up(&real, loop, GOOD);
	launch(&real);
	await_state(&real, "good", "up", 0);
	other = real;
	snprintf(other.dir, sizeof(other.dir), "%s", harness_tmpfile("run2"));
	snprintf(libexec, sizeof(libexec), "%s", real.libexec);
	launch(&other);
	ck_assert_int_eq(program_wait(other.program, 0), 1);
	ck_assert_ptr_nonnull(strstr(program_output(other.program), "the port is in use"));
	ck_assert_int_eq(access(other.dir, F_OK), -1);
	other = real;
	launch(&other);
	ck_assert_int_eq(program_wait(other.program, 0), 1);
	ck_assert_ptr_nonnull(strstr(program_output(other.program), "another camhub-supervisor"));
	await_state(&real, "good", "up", 0);
	/* The helper's. */
	free(read_report(&real, "good"));
	stop_and_look(&real);
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
	set_up(&real, loop, GOOD);
	launch(&real);
	await_state(&real, "good", "up", 0);
	report = read_report(&real, "good");
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
	stop_and_look(&real);
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
	set_up(&real, loop, cameras);
	launch(&real);
	await_state(&real, "good", "up", 0);
	good = number(&real, "good", "pid");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		await_number(&real, bad[i], "restarts", 2);
	ck_assert_int_eq(number(&real, "good", "pid"), good);
	ck_assert_int_eq(number(&real, "good", "restarts"), 0);
	await_state(&real, "ignores", "up", 0);
	/* The one that ignores "stop" is killed; grandchildren too. */
	stop_and_look(&real);
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

	set_up(&real, loop, GOOD "  - {name: other, url: \"test:clock\"}\n");
	launch(&real);
	await_state(&real, "good", "up", 0);
	await_state(&real, "other", "up", 0);
	victim = number(&real, "good", "pid");
	other = number(&real, "other", "pid");
	kill((pid_t)victim, SIGKILL);
	await_state(&real, "good", "up", victim);
	ck_assert_int_eq(number(&real, "other", "pid"), other);
	ck_assert_ptr_nonnull(strstr(program_output(real.program), "killed by SIGKILL"));
	stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kill_9_of_the_front_refuses_nobody, .real_clock = true)
{
	struct real real;
	long pid, next;

	set_up(&real, loop, GOOD);
	launch(&real);
	await_state(&real, "http", "up", 0);
	pid = front_answers(&real);
	ck_assert_int_gt(pid, 0);
	for (int i = 0; i < 5; i++) {
		kill((pid_t)pid, SIGKILL);
		/* Whoever accepts it: the connection waits in the listener. */
		do
			next = front_answers(&real);
		while (next == 0 || next == pid);
		ck_assert_int_gt(next, 0);
		pid = next;
	}
	stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_kill_9_of_the_supervisor, .real_clock = true)
{
	struct real real;

	set_up(&real, loop, GOOD "  - {name: ignores, url: \"test:clock\"}\n");
	launch(&real);
	await_state(&real, "good", "up", 0);
	await_state(&real, "ignores", "up", 0);
	program_signal(real.program, SIGKILL);
	ck_assert_int_eq(program_wait(real.program, 0), -SIGKILL);
	loop_run_until_true(loop, no_child_lives, NULL, "no child lives", 0);
	ck_assert_int_eq(access(harness_tmpfile("run/ctl.sock"), F_OK), 0);
	launch(&real);
	await_state(&real, "good", "up", 0);
	stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_sighup_touches_only_what_changed, .real_clock = true)
{
	struct real real;
	long long good, other;

	set_up(&real, loop, GOOD "  - {name: other, url: \"test:clock\"}\n");
	launch(&real);
	await_state(&real, "good", "up", 0);
	await_state(&real, "other", "up", 0);
	good = number(&real, "good", "pid");
	other = number(&real, "other", "pid");
	write_config(&real, "  - {name: BAD}\n");
	program_signal(real.program, SIGHUP);
	program_wait_output(real.program, "nothing was changed", 0);
	write_config(&real, GOOD "  - {name: other, url: \"test:clock?fps=10\"}\n");
	program_signal(real.program, SIGHUP);
	await_state(&real, "other", "up", other);
	ck_assert_int_eq(number(&real, "good", "pid"), good);
	stop_and_look(&real);
	async_complete(loop);
}
END_ASYNC_TEST

static unsigned
count_fds(pid_t pid)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = opendir(path);
	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n;
}

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

	return count_fds(program_pid(count->real->program)) == count->n;
}

START_ASYNC_TEST(test_no_descriptor_leaks, .real_clock = true)
{
	struct real real;
	struct fd_count count = { .real = &real };

	set_up(&real, loop, GOOD);
	launch(&real);
	await_state(&real, "good", "up", 0);
	await_state(&real, "http", "up", 0);
	/* The last camctl has left: what is open now must be open in the end. */
	loop_run_until_true(loop, is_quiet, &real, "no client is connected", 0);
	count.n = count_fds(program_pid(real.program));
	write_config(&real, GOOD "  - {name: exits, url: \"test:clock\"}\n"
				 "  - {name: garbage, url: \"test:clock\"}\n"
				 "  - {name: forks, url: \"test:clock\"}\n"
				 "  - {name: lost, url: \"rtsp://127.0.0.1:1/\"}\n");
	program_signal(real.program, SIGHUP);
	await_number(&real, "exits", "restarts", 30);
	await_number(&real, "garbage", "restarts", 10);
	await_number(&real, "forks", "restarts", 10);
	write_config(&real, GOOD);
	program_signal(real.program, SIGHUP);
	loop_run_until_true(loop, has_fds, &count, "the supervisor has as many fds as before", 0);
	stop_and_look(&real);
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
	set_up(&real, loop, GOOD);
	snprintf(port, sizeof(port), "%u", real.port);
	write_file(real.config, "cameras:\n  - {name: WRONG}\n");
	real.program = program_start_self(loop, 0, "like_systemd", real.config, real.dir,
					  real.libexec, addr.sun_path, port, NULL);
	await_notice(loop, fd, "STATUS=not serving: ");
	ck_assert_int_eq(front_answers(&real), 0); /* "HTTP/1.1 503" is no process id */
	await_notice(loop, fd, "WATCHDOG=1");
	/* The configured address is not bound: what was inherited replaces it. */
	write_config(&real, GOOD);
	program_signal(real.program, SIGHUP);
	await_state(&real, "http", "up", 0);
	pid = front_answers(&real);
	ck_assert_int_eq(pid, number(&real, "http", "pid"));
	await_state(&real, "good", "up", 0);
	await_notice(loop, fd, "STATUS=1 of 1 streams well");
	program_signal(real.program, SIGTERM);
	await_notice(loop, fd, "STOPPING=1");
	ck_assert_int_eq(program_wait(real.program, 0), 0);
	ck_assert_uint_eq(count_children(), 0);
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
