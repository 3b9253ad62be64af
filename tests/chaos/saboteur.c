/*
 * What takes a defence away: loaded (LD_PRELOAD) into one of camhub's programs, it makes a call of
 * the C library lie. SABOTAGE names what to do, words with commas between them; each is a negative
 * control of a fault in this directory, which must then complain. Nothing of it is installed.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL_FD   3
#define CHILDREN_MAX 256
#define LEAK_EVERY   3
#define CHECKS_MAX   64
#define SHA1_BYTES   20
#define BILLION      INT64_C(1000000000)

enum {
	ONE_FOR_ALL = 1 << 0,  /* a child that is killed takes all others along */
	GENTLE = 1 << 1,       /* ... one that leaves in order, too */
	ORPHAN = 1 << 2,       /* neither PDEATHSIG nor the end of the channel is noticed */
	LEAK = 1 << 3,         /* a descriptor is forgotten with each third socket that is closed */
	LETS_GO = 1 << 4,      /* a port (listener, UDP) is handed over instead of shared */
	SPIN = 1 << 5,         /* SIGUSR2: spin in the main loop */
	FEEDER = 1 << 6,       /* a thread feeds the watchdog */
	FRAGILE = 1 << 7,      /* four bytes from the camera are fatal */
	NO_PAUSE = 1 << 8,     /* a listener stays in epoll */
	NO_DRAIN = 1 << 9,     /* told to drain or to stop, it leaves at once */
	ROSY = 1 << 10,        /* says up of cameras that are down */
	WAITS = 1 << 11,       /* connects are waited for */
	PATIENT_LOG = 1 << 12, /* writes to the log although it would block */
	CLOCKS = 1 << 13,      /* clocks are read with the offsets of a file: "@PATH" */
	WALL_TIME = 1 << 14,   /* CLOCK_MONOTONIC is the wall clock */
	TRUSTING = 1 << 15,    /* any password will do for STUN */
	UNDEAD = 1 << 16,      /* checks (STUN) of before come again and again */
};

static const struct {
	const char *word;
	unsigned bit;
} words[] = {
	{ "one-for-all", ONE_FOR_ALL },
	{ "gentle", GENTLE },
	{ "orphan", ORPHAN },
	{ "leak", LEAK },
	{ "lets-go", LETS_GO },
	{ "spin", SPIN },
	{ "feeder", FEEDER },
	{ "fragile", FRAGILE },
	{ "no-pause", NO_PAUSE },
	{ "no-drain", NO_DRAIN },
	{ "rosy", ROSY },
	{ "waits", WAITS },
	{ "patient-log", PATIENT_LOG },
	{ "clocks", CLOCKS },
	{ "wall-time", WALL_TIME },
	{ "trusting", TRUSTING },
	{ "undead", UNDEAD },
};

static struct {
	unsigned what;
	pid_t children[CHILDREN_MAX];
	size_t n_children;
	const int64_t *offsets; /* realtime, monotonic, ns */
	struct sockaddr_un notify;
	socklen_t notify_len;
} state;

/* The C library's own. A union, because C knows no cast from an object to a function. */
#define REAL(name, type, ...)                                                                      \
	static union {                                                                             \
		void *object;                                                                      \
		type (*call)(__VA_ARGS__);                                                         \
	} real;                                                                                    \
	if (real.object == NULL)                                                                   \
	real.object = dlsym(RTLD_NEXT, name)

static void
spin(int signo)
{
	(void)signo;
	for (;;)
		;
}

static void *
feed(void *arg)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	for (;;) {
		(void)sendto(fd, "WATCHDOG=1\n", 11, MSG_NOSIGNAL | MSG_DONTWAIT,
			     (struct sockaddr *)&state.notify, state.notify_len);
		poll(NULL, 0, 200);
	}
	return NULL;
}

static void
start_feeder(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	sigset_t all, old;
	pthread_t thread;

	if (path == NULL || strlen(path) >= sizeof(state.notify.sun_path))
		return;
	state.notify.sun_family = AF_UNIX;
	memcpy(state.notify.sun_path, path, strlen(path) + 1);
	state.notify_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_create(&thread, NULL, feed, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void
open_clocks(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at =
	    fd >= 0 ? mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (at != MAP_FAILED)
		state.offsets = at;
	if (fd >= 0)
		close(fd);
}

static void
take_word(const char *word)
{
	if (word[0] == '@')
		open_clocks(word + 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			state.what |= words[i].bit;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *sabotage = getenv("SABOTAGE");
	char *copy = sabotage != NULL ? strdup(sabotage) : NULL, *rest = copy;

	for (char *word = strtok_r(rest, ",", &rest); word != NULL;
	     word = strtok_r(NULL, ",", &rest))
		take_word(word);
	free(copy);
	unsetenv("SABOTAGE");
	unsetenv("LD_PRELOAD");
	if (state.what & SPIN)
		signal(SIGUSR2, spin);
	if (state.what & FEEDER)
		start_feeder();
}

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static bool
is_listener(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

static bool
is_datagram(int fd)
{
	int type = 0, domain = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain != AF_UNIX;
}

/* Processes */

pid_t
fork(void)
{
	REAL("fork", pid_t, void);
	pid_t pid = real.call();

	if (pid > 0 && state.n_children < CHILDREN_MAX)
		state.children[state.n_children++] = pid;
	return pid;
}

static void
end_all(void)
{
	while (state.n_children > 0)
		kill(state.children[--state.n_children], SIGKILL);
}

int
waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	REAL("waitid", int, idtype_t, id_t, siginfo_t *, int);
	int rc = real.call(type, id, info, options);
	bool known = false;

	if (rc != 0 || info->si_pid == 0)
		return rc;
	for (size_t i = 0; i < state.n_children; i++) {
		if (state.children[i] != info->si_pid)
			continue;
		state.children[i] = state.children[--state.n_children];
		known = true;
		break;
	}
	if (known && (state.what & ONE_FOR_ALL) &&
	    (info->si_code != CLD_EXITED || (state.what & GENTLE)))
		end_all();
	return rc;
}

int
prctl(int option, ...)
{
	REAL("prctl", int, int, unsigned long, unsigned long, unsigned long, unsigned long);
	unsigned long args[4];
	va_list ap;

	va_start(ap, option);
	for (size_t i = 0; i < 4; i++)
		args[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_PDEATHSIG && (state.what & ORPHAN))
		return 0;
	return real.call(option, args[0], args[1], args[2], args[3]);
}

/* Descriptors */

int
close(int fd)
{
	static unsigned sockets;
	REAL("close", int, int);

	/* A copy, for who is locked in opens nothing. */
	if ((state.what & LEAK) && is_socket(fd) && ++sockets % LEAK_EVERY == 0)
		(void)!fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	return real.call(fd);
}

static int
fcntl_as(int (*call)(int, int, ...), int fd, int cmd, long arg)
{
	int copy = call(fd, cmd, arg), null;

	if (cmd != F_DUPFD_CLOEXEC || copy < 0 || !(state.what & LETS_GO) ||
	    !(is_listener(fd) || is_datagram(fd)))
		return copy;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup3(null, fd, O_CLOEXEC);
	close(null);
	return copy;
}

int
fcntl(int fd, int cmd, ...)
{
	REAL("fcntl", int, int, int, ...);
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	return fcntl_as(real.call, fd, cmd, arg);
}

int
fcntl64(int fd, int cmd, ...)
{
	REAL("fcntl64", int, int, int, ...);
	va_list ap;
	long arg;

	va_start(ap, cmd);
	arg = va_arg(ap, long);
	va_end(ap);
	return fcntl_as(real.call, fd, cmd, arg);
}

int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	REAL("epoll_ctl", int, int, int, int, struct epoll_event *);

	if ((state.what & NO_PAUSE) && op != EPOLL_CTL_ADD && is_listener(fd))
		return 0;
	return real.call(epfd, op, fd, event);
}

/* The log's own way to standard error never blocks. */
int
open(const char *path, int flags, ...)
{
	REAL("open", int, const char *, int, ...);
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if ((state.what & PATIENT_LOG) && strcmp(path, "/proc/self/fd/2") == 0)
		flags &= ~O_NONBLOCK;
	return real.call(path, flags, mode);
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	REAL("poll", int, struct pollfd *, nfds_t, int);

	if ((state.what & PATIENT_LOG) && n == 1 && fds->fd == STDERR_FILENO) {
		fds->revents = fds->events;
		return 1;
	}
	return real.call(fds, n, timeout);
}

int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	REAL("connect", int, int, const struct sockaddr *, socklen_t);
	struct timeval patience = { .tv_sec = 5 };
	int flags = fcntl(fd, F_GETFL, 0), rc, error;

	if (!(state.what & WAITS) || addr->sa_family != AF_INET)
		return real.call(fd, addr, len);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	rc = real.call(fd, addr, len);
	error = errno;
	fcntl(fd, F_SETFL, flags);
	errno = error;
	return rc;
}

/* Messages */

ssize_t
recvmsg(int fd, struct msghdr *hdr, int flags)
{
	REAL("recvmsg", ssize_t, int, struct msghdr *, int);
	ssize_t n = real.call(fd, hdr, flags);

	if (fd != CHANNEL_FD)
		return n;
	if ((state.what & NO_DRAIN) && n > 0 &&
	    (memmem(hdr->msg_iov->iov_base, (size_t)n, "\"drain\"", 7) != NULL ||
	     memmem(hdr->msg_iov->iov_base, (size_t)n, "\"stop\"", 6) != NULL))
		_exit(0);
	if ((state.what & ORPHAN) && n == 0) {
		syscall(SYS_poll, NULL, 0, 100);
		errno = EAGAIN;
		return -1;
	}
	return n;
}

/* "down" becomes "up", and blanks. */
static void
brighten(char *text, size_t len)
{
	static const char down[] = "\"down\"", up[] = "\"up\"  ";
	char *at = memmem(text, len, down, sizeof(down) - 1);

	if (at != NULL)
		memcpy(at, up, sizeof(up) - 1);
}

ssize_t
sendmsg(int fd, const struct msghdr *hdr, int flags)
{
	REAL("sendmsg", ssize_t, int, const struct msghdr *, int);

	if ((state.what & ROSY) && hdr->msg_iovlen == 1)
		brighten(hdr->msg_iov->iov_base, hdr->msg_iov->iov_len);
	return real.call(fd, hdr, flags);
}

static void
fall_over(const void *data, ssize_t n)
{
	if ((state.what & FRAGILE) && n > 0 &&
	    memmem(data, (size_t)n, "\xde\xad\xbe\xef", 4) != NULL)
		abort();
}

ssize_t
recv(int fd, void *data, size_t len, int flags)
{
	REAL("recv", ssize_t, int, void *, size_t, int);
	ssize_t n = real.call(fd, data, len, flags);

	fall_over(data, n);
	return n;
}

ssize_t
read(int fd, void *data, size_t len)
{
	REAL("read", ssize_t, int, void *, size_t);
	ssize_t n = real.call(fd, data, len);

	fall_over(data, n);
	return n;
}

ssize_t
readv(int fd, const struct iovec *vectors, int n_vectors)
{
	REAL("readv", ssize_t, int, const struct iovec *, int);
	ssize_t n = real.call(fd, vectors, n_vectors), left = n;

	for (int i = 0; i < n_vectors && left > 0; i++) {
		ssize_t part =
		    (ssize_t)vectors[i].iov_len < left ? (ssize_t)vectors[i].iov_len : left;

		fall_over(vectors[i].iov_base, part);
		left -= part;
	}
	return n;
}

/* Of libcrypto. Only of what has the length of STUN's: TLS compares other things with it, too. */
int
CRYPTO_memcmp(const void *a, const void *b, size_t len)
{
	REAL("CRYPTO_memcmp", int, const void *, const void *, size_t);
	int rc = real.call(a, b, len);

	return (state.what & TRUSTING) && len == SHA1_BYTES ? 0 : rc;
}

static struct check {
	struct sockaddr_storage from;
	char data[1500], control[128];
	size_t len, control_len;
} checks[CHECKS_MAX];

static void
remember_check(const struct mmsghdr *message)
{
	const struct msghdr *hdr = &message->msg_hdr;
	const char *data = hdr->msg_iov->iov_base;
	struct check *check = checks;

	if (message->msg_len < 20 || message->msg_len > sizeof(check->data) || data[0] != 0 ||
	    data[1] != 1 || hdr->msg_controllen > sizeof(check->control))
		return;
	while (check < checks + CHECKS_MAX && check->len > 0 &&
	       memcmp(&check->from, hdr->msg_name, hdr->msg_namelen) != 0)
		check++;
	if (check == checks + CHECKS_MAX)
		return;
	memcpy(&check->from, hdr->msg_name, hdr->msg_namelen);
	memcpy(check->data, data, message->msg_len);
	memcpy(check->control, hdr->msg_control, hdr->msg_controllen);
	check->len = message->msg_len;
	check->control_len = hdr->msg_controllen;
}

/* One of them, each in its turn. */
static int
repeat_check(struct mmsghdr *message)
{
	static unsigned turn;
	const struct check *check = &checks[turn++ % CHECKS_MAX];
	struct msghdr *hdr = &message->msg_hdr;

	if (check->len == 0) {
		turn = 0;
		return 0;
	}
	memcpy(hdr->msg_name, &check->from, hdr->msg_namelen);
	memcpy(hdr->msg_iov->iov_base, check->data, check->len);
	memcpy(hdr->msg_control, check->control, check->control_len);
	hdr->msg_controllen = check->control_len;
	hdr->msg_flags = 0;
	message->msg_len = (unsigned)check->len;
	return 1;
}

int
recvmmsg(int fd, struct mmsghdr *messages, unsigned max, int flags, struct timespec *timeout)
{
	REAL("recvmmsg", int, int, struct mmsghdr *, unsigned, int, struct timespec *);
	int n = real.call(fd, messages, max, flags, timeout);

	if (!(state.what & UNDEAD) || n <= 0)
		return n;
	for (int i = 0; i < n; i++)
		remember_check(&messages[i]);
	return (unsigned)n < max ? n + repeat_check(&messages[n]) : n;
}

/* Clocks */

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	REAL("clock_gettime", int, clockid_t, struct timespec *);
	bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
	bool is_monotonic = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
	int64_t ns;
	int rc;

	if (state.offsets == NULL || !(is_wall || is_monotonic))
		return real.call(clock, ts);
	if (is_monotonic && (state.what & WALL_TIME)) {
		clock = CLOCK_REALTIME;
		is_wall = true;
	}
	rc = real.call(clock, ts);
	ns = ts->tv_sec * BILLION + ts->tv_nsec + state.offsets[is_wall ? 0 : 1];
	ts->tv_sec = ns / BILLION;
	ts->tv_nsec = ns % BILLION;
	return rc;
}
