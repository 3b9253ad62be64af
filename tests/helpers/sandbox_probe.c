/*
 * sandbox_probe PROGRAM STAGE: does what must not be done, each thing in a process of its own that
 * is locked in as PROGRAM is in STAGE, and prints a line for each: "openat killed openat" (by its
 * sandbox, which named that call), "open-passwd refused EACCES", "getpid done". sandbox_probe
 * worker: plays a worker on fd 3 that makes a forbidden call once it is ready.
 */
#include "config.h"

#include "shared/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES(list) (sizeof(list) / sizeof((list)[0]))

/* What an act may use, made before the doors are shut. */
static struct {
	int tcp, go[2], born[2];
	pthread_t thread;
	pid_t parent;
} given;

/* Arguments are such that the kernel would refuse them, or do nothing. */
#define CALL(name, ...)                                                                            \
	static long act_##name(void)                                                               \
	{                                                                                          \
		return syscall(SYS_##name, ##__VA_ARGS__);                                         \
	}
#define CALLS(X)                                                                                   \
	X(open, "/etc/passwd", O_RDONLY)                                                           \
	X(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)                                               \
	X(openat2, AT_FDCWD, NULL, NULL, 0)                                                        \
	X(creat, NULL, 0600)                                                                       \
	X(open_by_handle_at, -1, NULL, 0)                                                          \
	X(name_to_handle_at, -1, NULL, NULL, NULL, 0)                                              \
	X(socket, AF_INET, SOCK_STREAM, 0)                                                         \
	X(socketpair, AF_UNIX, SOCK_STREAM, 0, NULL)                                               \
	X(connect, -1, NULL, 0)                                                                    \
	X(bind, -1, NULL, 0)                                                                       \
	X(listen, -1, 1)                                                                           \
	X(sendmmsg, -1, NULL, 0, 0)                                                                \
	X(execve, NULL, NULL, NULL)                                                                \
	X(execveat, -1, NULL, NULL, NULL, 0)                                                       \
	X(clone, 0UL, NULL, NULL, NULL, 0UL)                                                       \
	X(clone3, NULL, 0)                                                                         \
	X(fork)                                                                                    \
	X(ptrace, 0xffff, 0, NULL, NULL)                                                           \
	X(kill, given.parent, 0)                                                                   \
	X(tkill, given.parent, 0)                                                                  \
	X(tgkill, given.parent, given.parent, 0)                                                   \
	X(rt_sigqueueinfo, given.parent, 0, NULL)                                                  \
	X(pidfd_open, given.parent, 0)                                                             \
	X(pidfd_send_signal, -1, 0, NULL, 0)                                                       \
	X(pidfd_getfd, -1, 0, 0)                                                                   \
	X(process_vm_readv, given.parent, NULL, 0, NULL, 0, 0)                                     \
	X(process_vm_writev, given.parent, NULL, 0, NULL, 0, 0)                                    \
	X(kcmp, 0, 0, 0, 0, 0)                                                                     \
	X(wait4, -1, NULL, WNOHANG, NULL)                                                          \
	X(mount, NULL, NULL, NULL, 0UL, NULL)                                                      \
	X(umount2, NULL, 0)                                                                        \
	X(pivot_root, NULL, NULL)                                                                  \
	X(chroot, NULL)                                                                            \
	X(fsopen, NULL, 0)                                                                         \
	X(open_tree, -1, NULL, 0)                                                                  \
	X(move_mount, -1, NULL, -1, NULL, 0)                                                       \
	X(unshare, 0)                                                                              \
	X(setns, -1, 0)                                                                            \
	X(bpf, -1, NULL, 0)                                                                        \
	X(perf_event_open, NULL, 0, 0, 0, 0UL)                                                     \
	X(userfaultfd, 0xffff)                                                                     \
	X(io_uring_setup, 0, NULL)                                                                 \
	X(io_uring_enter, -1, 0, 0, 0, NULL, 0)                                                    \
	X(io_uring_register, -1, 0, NULL, 0)                                                       \
	X(keyctl, 0xffff)                                                                          \
	X(add_key, NULL, NULL, NULL, 0, 0)                                                         \
	X(request_key, NULL, NULL, NULL, 0)                                                        \
	X(init_module, NULL, 0UL, NULL)                                                            \
	X(finit_module, -1, NULL, 0)                                                               \
	X(delete_module, NULL, 0)                                                                  \
	X(kexec_load, 0UL, 0UL, NULL, ~0UL)                                                        \
	X(reboot, 0, 0, 0, NULL)                                                                   \
	X(swapon, NULL, 0)                                                                         \
	X(swapoff, NULL)                                                                           \
	X(acct, (char *)1)                                                                         \
	X(quotactl, -1, NULL, 0, NULL)                                                             \
	X(settimeofday, NULL, NULL)                                                                \
	X(clock_settime, -1, NULL)                                                                 \
	X(adjtimex, NULL)                                                                          \
	X(sethostname, NULL, -1)                                                                   \
	X(setdomainname, NULL, -1)                                                                 \
	X(syslog, 0, NULL, 0)                                                                      \
	X(iopl, 0)                                                                                 \
	X(ioperm, 0UL, 0UL, 0)                                                                     \
	X(modify_ldt, -1, NULL, 0UL)                                                               \
	X(arch_prctl, -1, 0UL)                                                                     \
	X(personality, 0xffffffff)                                                                 \
	X(setuid, -1)                                                                              \
	X(setgid, -1)                                                                              \
	X(setgroups, -1, NULL)                                                                     \
	X(setresuid, -1, -1, -1)                                                                   \
	X(capset, NULL, NULL)                                                                      \
	X(prctl, -1)                                                                               \
	X(prlimit64, 0, -1, NULL, NULL)                                                            \
	X(setrlimit, -1, NULL)                                                                     \
	X(setpriority, -1, 0, 0)                                                                   \
	X(sched_setscheduler, 0, -1, NULL)                                                         \
	X(unlink, NULL)                                                                            \
	X(unlinkat, -1, NULL, 0)                                                                   \
	X(rename, NULL, NULL)                                                                      \
	X(renameat2, -1, NULL, -1, NULL, 0)                                                        \
	X(link, NULL, NULL)                                                                        \
	X(symlink, NULL, NULL)                                                                     \
	X(mkdir, NULL, 0)                                                                          \
	X(rmdir, NULL)                                                                             \
	X(mknod, NULL, 0, 0)                                                                       \
	X(chmod, NULL, 0)                                                                          \
	X(fchmod, -1, 0)                                                                           \
	X(chown, NULL, -1, -1)                                                                     \
	X(truncate, NULL, 0L)                                                                      \
	X(ftruncate, -1, 0L)                                                                       \
	X(utimensat, -1, NULL, NULL, 0)                                                            \
	X(setxattr, NULL, NULL, NULL, 0, 0)                                                        \
	X(getdents64, -1, NULL, 0)                                                                 \
	X(readlink, NULL, NULL, 0)                                                                 \
	X(stat, NULL, NULL)                                                                        \
	X(statx, -1, NULL, 0, 0, NULL)                                                             \
	X(access, NULL, 0)                                                                         \
	X(chdir, NULL)                                                                             \
	X(umask, 077)                                                                              \
	X(inotify_init1, -1)                                                                       \
	X(fanotify_init, -1, 0)                                                                    \
	X(memfd_create, NULL, 0)                                                                   \
	X(shmget, 0, 0, 0)                                                                         \
	X(semget, 0, -1, 0)                                                                        \
	X(msgget, 1, 0)                                                                            \
	X(mq_open, NULL, 0, 0, NULL)                                                               \
	X(timer_create, -1, NULL, NULL)                                                            \
	X(timerfd_create, -1, 0)                                                                   \
	X(signalfd4, -1, NULL, 0, 0)                                                               \
	X(splice, -1, NULL, -1, NULL, 0, 0)                                                        \
	X(vmsplice, -1, NULL, 0, 0)                                                                \
	X(sendfile, -1, -1, NULL, 0)                                                               \
	X(dup, -1)                                                                                 \
	X(ioctl, -1, 0x5412 /* TIOCSTI */, NULL)                                                   \
	X(seccomp, -1, 0, NULL)                                                                    \
	X(landlock_create_ruleset, NULL, 0, 0xffff)                                                \
	X(remap_file_pages, 0UL, 0UL, 0UL, 0UL, 0UL)                                               \
	X(pkey_mprotect, NULL, 0UL, 0, -1)
#define DEFINE(...) CALL(__VA_ARGS__)
CALLS(DEFINE)

static long
act_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) == -1 ? -1 : 0;
}

static long
act_mmap(void)
{
	return syscall(SYS_mmap, NULL, 4096UL, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0L) == -1
		   ? -1
		   : 0;
}

static long
act_mprotect(void)
{
	return syscall(SYS_mprotect, NULL, 0UL, PROT_READ | PROT_EXEC);
}

/* The handler of violations cannot be taken away. */
static long
act_rt_sigaction(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0;
}

/* In pieces that are none of mmap()'s, so much that free() gives some back to the kernel. */
static long
use_memory(void)
{
	void *pieces[128];
	size_t n = 0;

	while (n < ENTRIES(pieces) && (pieces[n] = malloc(64 << 10)) != NULL)
		n++;
	while (n > 0)
		free(pieces[--n]);
	return 0;
}

static void *
wait_and_do(void *arg)
{
	char byte = 0;

	(void)arg;
	if (write(given.born[1], &byte, 1) != 1)
		return NULL;
	while (read(given.go[0], &byte, 1) < 0)
		;
	return (void *)(intptr_t)(byte == 'o' ? act_openat() : use_memory());
}

/* A thread that was there before. */
static long
ask_thread(const char *what)
{
	void *result;

	if (write(given.go[1], what, 1) != 1 || pthread_join(given.thread, &result) != 0)
		return -1;
	return (long)(intptr_t)result;
}

static long
act_in_thread(void)
{
	return ask_thread("o");
}

static long
act_heap_of_thread(void)
{
	return ask_thread("m");
}

#ifdef __x86_64__
static long
act_x32(void)
{
	return syscall(0x40000000 | SYS_getpid);
}

static long
act_i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return result;
}
#endif

/* Acts of Landlock: with filter or without, they lead nowhere. */

static long
act_open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long
act_list_root(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long
act_make_file(void)
{
	char name[64];
	long rc;

	snprintf(name, sizeof(name), "/tmp/camhub-sandbox-probe.%ld", (long)getpid());
	rc = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (rc >= 0)
		unlink(name);
	return rc;
}

static long
act_make_directory(void)
{
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "/tmp/camhub-sandbox-probe.%ld", (long)getpid());
	rc = mkdir(name, 0700);
	if (rc == 0)
		rmdir(name);
	return rc;
}

static long
act_run_program(void)
{
	char name[] = "true";
	char *argv[] = { name, NULL }, *envp[] = { NULL };

	return execve("/bin/true", argv, envp);
}

static long
act_connect_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(given.tcp, (struct sockaddr *)&to, sizeof(to));
}

static long
act_bind_tcp(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(given.tcp, (struct sockaddr *)&at, sizeof(at));
}

static long
act_signal_parent(void)
{
	return kill(given.parent, 0);
}

static const struct act {
	const char *name;
	long (*act)(void);
} acts[] = {
#define NAME(name, ...) { #name, act_##name },
	CALLS(NAME){ "mmap", act_mmap },
	{ "mprotect", act_mprotect },
	{ "rt_sigaction", act_rt_sigaction },
	{ "unix-socket", act_unix_socket },
	{ "thread", act_in_thread },
	{ "heap", act_heap_of_thread },
#ifdef __x86_64__
	{ "x32", act_x32 },
	{ "i386", act_i386 },
#endif
}, landlock_acts[] = {
	{ "open-passwd", act_open_passwd },	{ "list-root", act_list_root },
	{ "make-file", act_make_file },		{ "make-directory", act_make_directory },
	{ "run-program", act_run_program },	{ "connect-tcp", act_connect_tcp },
	{ "bind-tcp", act_bind_tcp },		{ "signal-parent", act_signal_parent },
};

static const char *const program_names[SANDBOX_PROGRAM_COUNT] = {
	[SANDBOX_SUPERVISOR] = "supervisor",
	[SANDBOX_WORKER] = "worker",
	[SANDBOX_WORKER_AV] = "worker-av",
	[SANDBOX_HTTP] = "http",
	[SANDBOX_RTC] = "rtc",
	[SANDBOX_SNAPSHOT] = "snapshot",
	[SANDBOX_TRANSCODE] = "transcode",
	[SANDBOX_RESOLVE] = "resolve",
	[SANDBOX_AUTH] = "auth",
	[SANDBOX_CLIENT] = "client",
};
static const char *const stage_names[SANDBOX_STAGE_COUNT] = { "early", "opening", "running" };

static int
find(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return (int)i;
	fprintf(stderr, "sandbox_probe: what is %s?\n", name);
	exit(2);
}

/* All stages up to that one; a filter's only, when it is not the first. */
static void
shut(enum sandbox_program program, enum sandbox_stage last, int report_fd)
{
	const struct sandbox_facts facts = { .object = "probe", .report_fd = report_fd };
	struct sandbox_report report;

	for (int stage = SANDBOX_EARLY; stage <= (int)last; stage++) {
		bool has_opening = program == SANDBOX_WORKER || program == SANDBOX_WORKER_AV ||
				   program == SANDBOX_TRANSCODE;

		if ((stage == SANDBOX_OPENING && !has_opening) ||
		    (stage == SANDBOX_EARLY && program == SANDBOX_SUPERVISOR))
			continue;
		if (sandbox_enter(program, stage, &facts, &report) < 0)
			_exit(126);
	}
}

static void
prepare(void)
{
	char byte;

	given.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (given.tcp < 0 || pipe2(given.go, O_CLOEXEC) < 0 || pipe2(given.born, O_CLOEXEC) < 0 ||
	    pthread_create(&given.thread, NULL, wait_and_do, NULL) != 0 ||
	    read(given.born[0], &byte, 1) != 1)
		_exit(125);
}

static void
child(const struct act *act, enum sandbox_program program, enum sandbox_stage stage, int report_fd)
{
	pid_t self = getpid();
	long rc;

	prepare();
	shut(program, stage, report_fd);
	errno = 0;
	rc = act->act();
	if (getpid() != self)
		_exit(0); /* a fork that should not be */
	_exit(rc == -1 ? errno : 0);
}

/* "killed openat", "refused EACCES", "done". */
static void
judge(int status, int report_fd)
{
	struct pollfd poll_fd = { .fd = report_fd, .events = POLLIN };
	char message[128] = "", name[SANDBOX_NAME_MAX] = "without a word";
	long call;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("done\n");
	} else if (WIFEXITED(status)) {
		printf("refused %s\n", strerrorname_np(WEXITSTATUS(status)));
	} else if (WTERMSIG(status) != SIGSYS) {
		printf("died of %s\n", sigabbrev_np(WTERMSIG(status)));
	} else {
		if (poll(&poll_fd, 1, 0) == 1 &&
		    recv(report_fd, message, sizeof(message) - 1, MSG_DONTWAIT) > 0 &&
		    sscanf(message, "{\"type\":\"violation\",\"call\":%ld}", &call) == 1)
			sandbox_call_name(call, name);
		printf("killed %s\n", name);
	}
}

static void
try(const struct act *act, enum sandbox_program program, enum sandbox_stage stage)
{
	int pair[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		exit(1);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(act, program, stage, pair[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		exit(1);
	printf("%s ", act->name);
	judge(status, pair[0]);
	close(pair[0]);
	close(pair[1]);
}

/* On fd 3: ready, then what a worker must not do. */
static int
play_worker(void)
{
	static const char ready[] = "{\"type\":\"ready\",\"version\":\"0\",\"sandbox\":\"probe\"}";

	if (send(3, ready, strlen(ready), MSG_NOSIGNAL) < 0)
		return 1;
	shut(SANDBOX_WORKER, SANDBOX_RUNNING, 3);
	return act_openat() < 0;
}

int
main(int argc, char **argv)
{
	enum sandbox_program program;
	enum sandbox_stage stage;

	if (argc == 2)
		return play_worker();
	if (argc != 3)
		return 2;
	program = (enum sandbox_program)find(program_names, SANDBOX_PROGRAM_COUNT, argv[1]);
	stage = (enum sandbox_stage)find(stage_names, SANDBOX_STAGE_COUNT, argv[2]);
	given.parent = getpid();
	for (size_t i = 0; stage != SANDBOX_EARLY && i < ENTRIES(acts); i++)
		try(&acts[i], program, stage);
	for (size_t i = 0; stage == SANDBOX_EARLY && i < ENTRIES(landlock_acts); i++)
		try(&landlock_acts[i], program, stage);
	return 0;
}
