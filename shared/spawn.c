/*
 * fork and exec. Between the two only async-signal-safe calls are made.
 */
#include "config.h"

#include "shared/spawn.h"

#include "shared/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_FD        3
#define ENTRY_MAX_BYTES 512 /* of one environment variable that is passed on */

/* What a child may inherit: nothing that carries secrets, sockets of systemd or library paths. A
 * look-up at a first call would leave what registers hold, passwords too, on the stack. */
static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	    lang_variable[] = "LANG=C.UTF-8", bind_variable[] = "LD_BIND_NOW=1";
static char *const clean_environment[] = { path_variable, lang_variable, bind_variable, NULL };

static const char *const passed_on[] = { "JOURNAL_STREAM",
					 "ASAN_OPTIONS",
					 "UBSAN_OPTIONS",
					 "LSAN_OPTIONS",
					 "TZ",
					 "CAMHUB_SANDBOX",
					 NULL };

static void
fail(int errno_fd)
{
	int error = errno;

	if (write(errno_fd, &error, sizeof(error)) < 0) {
		/* The parent then sees an early exit. */
	}
	_exit(127);
}

static void
limit(int resource, uint64_t most, bool soft_only)
{
	struct rlimit rlimit;

	if (most == 0 || getrlimit(resource, &rlimit) < 0)
		return;
	if (rlimit.rlim_max == RLIM_INFINITY || most < rlimit.rlim_max)
		rlimit.rlim_cur = most;
	else
		rlimit.rlim_cur = rlimit.rlim_max;
	if (!soft_only)
		rlimit.rlim_max = rlimit.rlim_cur;
	setrlimit(resource, &rlimit);
}

/* Numbers as text are made before the fork. */
struct limits_text {
	char oom_score_adj[16];
	size_t oom_score_adj_len;
};

static void
apply_limits(const struct spawn_limits *limits, const struct limits_text *text)
{
	int fd;

	/* A thread's stack is as large as the main one's soft limit, and counts as memory whole. */
	limit(RLIMIT_STACK, limits->stack_bytes, true);
	limit(RLIMIT_NOFILE, limits->files, false);
	if (text->oom_score_adj_len > 0) {
		fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, text->oom_score_adj, text->oom_score_adj_len) < 0) {
			/* It would be lowered, which takes a privilege. */
		}
		if (fd >= 0)
			close(fd);
	}
	limit(RLIMIT_DATA, limits->memory_bytes, false);
}

static void
child_side(const char *path, char *const argv[], char *const envp[], int chan_fd, int errno_fd,
	   const struct spawn_limits *limits, const struct limits_text *text)
{
	sigset_t none;
	int null_fd;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	setsid();
	/* Out of the way of fds 0..3 before those are filled. */
	chan_fd = fcntl(chan_fd, F_DUPFD_CLOEXEC, 10);
	errno_fd = fcntl(errno_fd, F_DUPFD_CLOEXEC, 10);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (chan_fd < 0 || errno_fd < 0)
		fail(errno_fd);
	if (null_fd >= 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(null_fd, STDOUT_FILENO);
	}
	if (dup2(chan_fd, CHILD_FD) < 0)
		fail(errno_fd);
	/* All else is CLOEXEC from birth; a library may have forgotten. */
	syscall(SYS_close_range, CHILD_FD + 1, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	if (limits != NULL)
		apply_limits(limits, text);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, argv, envp);
	fail(errno_fd);
}

static size_t
make_environment(char *envp[], char (*store)[ENTRY_MAX_BYTES], size_t max)
{
	size_t n = 0, stored = 0;

	while (clean_environment[n] != NULL) {
		envp[n] = clean_environment[n];
		n++;
	}
	for (size_t i = 0; passed_on[i] != NULL && n + 1 < max; i++) {
		const char *value = getenv(passed_on[i]);

		if (value == NULL || snprintf(store[stored], sizeof(store[0]), "%s=%s",
					      passed_on[i], value) >= (int)sizeof(store[0]))
			continue;
		envp[n++] = store[stored++];
	}
	envp[n] = NULL;
	return n;
}

/* exec's errno, or 0 when the pipe closed: exec worked. */
static int
read_errno(int fd)
{
	int error = 0;
	ssize_t n;

	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

static void
make_limits_text(const struct spawn_limits *limits, struct limits_text *text)
{
	*text = (struct limits_text){ .oom_score_adj_len = 0 };
	if (limits != NULL && limits->oom_score_adj != 0)
		text->oom_score_adj_len = (size_t)snprintf(
		    text->oom_score_adj, sizeof(text->oom_score_adj), "%d", limits->oom_score_adj);
}

int
spawn_child(const char *path, char *const argv[], const struct spawn_limits *limits,
	    struct spawn_child *child)
{
	int chan[2] = { -1, -1 }, errno_pipe[2] = { -1, -1 }, rc, pidfd = -1, error;
	char store[8][ENTRY_MAX_BYTES], *envp[16];
	struct limits_text text;
	sigset_t all, old;
	pid_t pid;

	make_environment(envp, store, 16);
	make_limits_text(limits, &text);
	rc = chan_pair(chan);
	if (rc < 0)
		return rc;
	if (pipe2(errno_pipe, O_CLOEXEC) < 0) {
		rc = -errno;
		goto out;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child_side(path, argv, envp, chan[1], errno_pipe[1], limits, &text);
	rc = pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (rc < 0)
		goto out;
	close(errno_pipe[1]);
	errno_pipe[1] = -1;
	/* Not reaped yet, so the pid is still this child's. pidfds are CLOEXEC. */
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	rc = pidfd < 0 ? -errno : 0;
	error = read_errno(errno_pipe[0]);
	if (error == 0 && rc == 0) {
		*child = (struct spawn_child){ .pid = pid, .pidfd = pidfd, .chan_fd = chan[0] };
		chan[0] = -1;
		goto out;
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	rc = error != 0 ? -error : rc;
out:
	for (int i = 0; i < 2; i++) {
		if (chan[i] >= 0)
			close(chan[i]);
		if (errno_pipe[i] >= 0)
			close(errno_pipe[i]);
	}
	return rc;
}

int
spawn_reap(int pidfd, int *exit_code, char *text, size_t text_len)
{
	siginfo_t info = { 0 };
	const char *name;

	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	if (info.si_pid == 0)
		return -EAGAIN;
	if (info.si_code == CLD_EXITED) {
		*exit_code = info.si_status;
		snprintf(text, text_len, "exit %d", info.si_status);
		return 0;
	}
	*exit_code = -1;
	name = sigabbrev_np(info.si_status);
	if (name != NULL)
		snprintf(text, text_len, "killed by SIG%s", name);
	else
		snprintf(text, text_len, "killed by signal %d", info.si_status);
	return 0;
}

int
spawn_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}
