/*
 * The supervisor and processes that say anything: each line of the input is a
 * datagram of a front (f), a worker (w) or a client of the control socket (c),
 * the rest of the line its bytes; F, W and C: with a descriptor; "t": a second
 * passes. Whatever comes, it goes on, answers, and ends in order with no
 * descriptor left.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "supervisor/sup.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CHILDREN_MAX 64
#define LINES_MAX    64
#define FIRST_PID    4000000

static const char config[] =
    "access:\n  users:\n    - {name: ann, cameras: [door]}\n    - {name: bob, "
    "role: operator}\n"
    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n";

struct child {
	char kind; /* of line; 0: of none */
	int chan_fd, life_fd, pidfd;
	bool ended;
};

static struct child children[CHILDREN_MAX];
static size_t n_children;
static char folder[64];
static struct event_base *base;
static struct clock *fake_clock;
static bool is_stopped;

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	/* One line each, whatever was said. */
	FUZZ_CHECK(strchr(line, '\n') == NULL);
}

/* The world */

static int
fake_spawn(void *arg, const char *path, char *const argv[], const struct spawn_limits *limits,
	   struct spawn_child *spawned)
{
	struct child *child = &children[n_children];
	int chan[2], life[2];

	(void)arg;
	(void)argv;
	(void)limits;
	if (n_children == CHILDREN_MAX)
		return -EAGAIN;
	FUZZ_CHECK(chan_pair(chan) == 0 && pipe2(life, O_CLOEXEC) == 0);
	*child = (struct child){ .kind = strstr(path, "camhub-http") != NULL     ? 'f'
					 : strstr(path, "camhub-worker") != NULL ? 'w'
										 : 0,
				 .chan_fd = chan[1],
				 .life_fd = life[1],
				 .pidfd = life[0] };
	*spawned = (struct spawn_child){ .pid = FIRST_PID + (pid_t)n_children++,
					 .pidfd = life[0],
					 .chan_fd = chan[0] };
	return 0;
}

static void
end(struct child *child)
{
	if (child->ended)
		return;
	child->ended = true;
	close(child->chan_fd);
	close(child->life_fd);
}

static int
fake_reap(void *arg, int pidfd, int *exit_code, char *text, size_t text_len)
{
	(void)arg;
	for (size_t i = n_children; i-- > 0;) {
		if (children[i].pidfd != pidfd)
			continue;
		if (!children[i].ended)
			return -EAGAIN;
		children[i].pidfd = -1;
		*exit_code = -1;
		(void)snprintf(text, text_len, "killed by SIGKILL");
		return 0;
	}
	return -ECHILD;
}

static int
fake_signal(void *arg, int pidfd, int signo)
{
	(void)arg;
	(void)signo;
	for (size_t i = n_children; i-- > 0;)
		if (children[i].pidfd == pidfd)
			end(&children[i]);
	return 0;
}

static void
fake_kill_group(void *arg, pid_t pid)
{
	(void)arg;
	(void)pid;
}

static int
fake_connect(void *arg, const struct sockaddr *addr, socklen_t len)
{
	int fds[2];

	(void)arg;
	(void)addr;
	(void)len;
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	close(fds[1]);
	return fds[0];
}

static uint32_t
fake_random(void *arg)
{
	(void)arg;
	return 0;
}

static int64_t
fake_stolen_ms(void *arg)
{
	(void)arg;
	return 0;
}

static int
fake_notify(void *arg, const char *state)
{
	(void)arg;
	(void)state;
	return 0;
}

static void
fake_stopped(void *arg)
{
	(void)arg;
	is_stopped = true;
}

static const char *
in_folder(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void
remove_folder(void)
{
	static const char *const files[] = { "state/keys", "state/passwd", "state/revoked",
					     "camhub.yaml" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(in_folder(files[i]));
	(void)rmdir(in_folder("state"));
	(void)rmdir(in_folder("run/bus"));
	(void)unlink(in_folder("run/lock"));
	(void)rmdir(in_folder("run"));
	(void)rmdir(folder);
}

static void
prepare(void)
{
	int fd;

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	log_set_sink(quiet, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	/* In memory, if there is such a place: what is written is synced. */
	(void)snprintf(folder, sizeof(folder), "%s/fuzz_sup.XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	FUZZ_CHECK(mkdtemp(folder) != NULL);
	FUZZ_CHECK(atexit(remove_folder) == 0);
	fd = open(in_folder("camhub.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, config, sizeof(config) - 1) == sizeof(config) - 1);
	close(fd);
	base = event_base_new();
	fake_clock = clock_new_fake(0);
}

static void
turn(void)
{
	for (int i = 0; i < 3; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		clock_run_due(fake_clock);
	}
}

static struct sup *
start(void)
{
	static struct sup_options options;
	static struct sup_deps deps;
	static int listener;
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sup *sup = NULL;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		   listen(listener, 4) == 0);
	options = (struct sup_options){ .config = in_folder("camhub.yaml"),
					.runtime_dir = in_folder("run"),
					.libexec_dir = "/libexec",
					.state_dir = in_folder("state"),
					.web_dir = "/web" };
	deps = (struct sup_deps){ .base = base,
				  .clock = fake_clock,
				  .inherited = &listener,
				  .n_inherited = 1,
				  .spawn = fake_spawn,
				  .reap = fake_reap,
				  .signal = fake_signal,
				  .kill_group = fake_kill_group,
				  .connect = fake_connect,
				  .random = fake_random,
				  .stolen_ms = fake_stolen_ms,
				  .notify = fake_notify,
				  .stopped = fake_stopped };
	n_children = 0;
	is_stopped = false;
	FUZZ_CHECK(sup_start(&options, &deps, &sup) == 0);
	turn();
	return sup;
}

/* What is said */

static int
connect_ctl(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", in_folder("run/ctl.sock"));
	FUZZ_CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	turn();
	return fd;
}

static int
newest(char kind)
{
	for (size_t i = n_children; i-- > 0;)
		if (!children[i].ended && children[i].kind == kind)
			return children[i].chan_fd;
	return -1;
}

static void
say(int fd, const uint8_t *bytes, size_t len, bool with_fd)
{
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int null = -1;

	if (with_fd) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &null, sizeof(null));
	}
	(void)sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (null >= 0)
		close(null);
}

static void
say_line(const uint8_t *line, size_t len)
{
	char kind = len > 0 ? (char)(line[0] | 0x20) : 0;
	bool with_fd = len > 0 && (line[0] & 0x20) == 0;
	int fd;

	if (kind == 't') {
		clock_advance_ms(fake_clock, 1000);
	} else if (kind == 'c') {
		fd = connect_ctl();
		say(fd, line + 1, len - 1, with_fd);
		turn();
		close(fd);
	} else if ((kind == 'f' || kind == 'w') && (fd = newest(kind)) >= 0) {
		say(fd, line + 1, len - 1, with_fd);
	}
	turn();
}

static size_t
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	FUZZ_CHECK(dir != NULL);
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	return n;
}

static void
finish(struct sup *sup)
{
	sup_stop(sup);
	for (size_t i = 0; i < n_children; i++)
		end(&children[i]);
	for (int i = 0; i < 8 && !is_stopped; i++) {
		turn();
		clock_advance_ms(fake_clock, 1000);
	}
	FUZZ_CHECK(is_stopped);
	sup_free(&sup);
	turn();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sup *sup;
	size_t n_fds, n_lines = 0;

	if (base == NULL)
		prepare();
	n_fds = count_fds();
	sup = start();
	while (size > 0 && n_lines++ < LINES_MAX) {
		const uint8_t *lf = memchr(data, '\n', size);
		size_t len = lf != NULL ? (size_t)(lf - data) : size;

		say_line(data, len);
		len += lf != NULL;
		data += len;
		size -= len;
	}
	finish(sup);
	FUZZ_CHECK(count_fds() == n_fds);
	return 0;
}
