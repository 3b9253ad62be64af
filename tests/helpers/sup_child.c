/*
 * A child for the real supervisor that behaves as its object's name says: "exits", "never-ready",
 * "hangs", "stops", "garbage", "forks", "ignores", "retries" - and anything else well. As the front
 * ("http") it accepts connections and answers its process id. What it finds itself in (descriptors,
 * arguments, environment) is written to "report-<object>" in the runtime directory.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/msg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL 3
#define BEAT_MS 200

extern char **environ;

struct child {
	const char *object;
	bool ready, beats;
	int listener; /* -1: none */
};

static bool
is(const struct child *child, const char *object)
{
	return strcmp(child->object, object) == 0;
}

static void
say(enum msg_type type, const char *name, const char *value)
{
	json_t *msg = msg_new(type);

	if (name != NULL)
		msg_set_str(msg, name, value);
	if (type == MSG_INPUT)
		msg_set_str(msg, "class", "none");
	if (chan_send(CHANNEL, msg, -1) < 0)
		_exit(0);
	json_decref(msg);
}

static void
report_fds(FILE *file)
{
	DIR *dir = opendir("/proc/self/fd");
	char path[300], target[PATH_MAX];
	struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);
		ssize_t len;

		if (entry->d_name[0] == '.' || fd == dirfd(dir) || fd == fileno(file))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		fprintf(file, "fd %d %s\n", fd, target);
	}
	closedir(dir);
}

/* bus: "<runtime dir>/bus/<stream>-<epoch>.sock". */
static void
report(const struct child *child, const char *bus, int argc, char **argv)
{
	char path[PATH_MAX], whole[PATH_MAX + 8];
	struct rlimit core;
	FILE *file;
	char *slash;

	snprintf(path, sizeof(path), "%s", bus);
	for (int i = 0; i < 2 && (slash = strrchr(path, '/')) != NULL; i++)
		*slash = '\0';
	snprintf(whole, sizeof(whole), "%.*s/report-%s.new", PATH_MAX - 80, path, child->object);
	file = fopen(whole, "we");
	if (file == NULL)
		_exit(1);
	report_fds(file);
	for (int i = 0; i < argc; i++)
		fprintf(file, "arg %d %s\n", i, argv[i]);
	for (char **env = environ; *env != NULL; env++)
		fprintf(file, "env %s\n", *env);
	getrlimit(RLIMIT_CORE, &core);
	fprintf(file, "core %ld\n", (long)core.rlim_max);
	fprintf(file, "session %s\n", getsid(0) == getpid() ? "own" : "shared");
	fclose(file);
	snprintf(path, sizeof(path), "%.*s", (int)strlen(whole) - 4, whole);
	rename(whole, path);
}

/* A grandchild that keeps the channel open and never ends by itself. */
static void
leave_grandchild(void)
{
	if (fork() == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
}

static void
get_ready(struct child *child)
{
	if (is(child, "never-ready"))
		return;
	say(MSG_READY, "version", "helper");
	child->ready = true;
	child->beats = !is(child, "hangs");
	if (is(child, "garbage") && send(CHANNEL, "garbage", 7, MSG_NOSIGNAL) < 0)
		_exit(1);
	if (is(child, "stops"))
		raise(SIGSTOP);
	if (is(child, "retries")) {
		json_t *msg = msg_new(MSG_INPUT);

		msg_set_str(msg, "state", "ended");
		msg_set_str(msg, "class", "not-found");
		msg_set_str(msg, "reason", "404 Not Found");
		chan_send(CHANNEL, msg, -1);
		_exit(75);
	}
	if (child->listener < 0)
		say(MSG_INPUT, "state", "up");
}

static void
on_worker_config(struct child *child, const json_t *msg, int argc, char **argv)
{
	const char *bus = msg_str(msg, "bus");

	report(child, bus, argc, argv);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	close(open(bus, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
	if (is(child, "forks"))
		leave_grandchild();
	get_ready(child);
	if (is(child, "forks"))
		_exit(1);
}

/* false: leave. */
static bool
receive(struct child *child, int argc, char **argv)
{
	enum msg_to side = is(child, "http") ? MSG_TO_FRONT : MSG_TO_WORKER;
	char err[MSG_ERROR_MAX];
	enum msg_type type;
	json_t *msg;
	int rc, fd;

	rc = chan_recv(CHANNEL, side, &msg, &type, &fd, err);
	if (rc == -EAGAIN)
		return true;
	if (rc < 0)
		return false;
	if (type == MSG_WORKER_CONFIG)
		on_worker_config(child, msg, argc, argv);
	if (type == MSG_LISTENER)
		child->listener = fd;
	if (type == MSG_STREAMS_SYNCED)
		get_ready(child);
	json_decref(msg);
	return type != MSG_STOP || is(child, "ignores");
}

static void
serve(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char text[32];

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (write(fd, text, strlen(text)) < 0) {
		/* The client has gone. */
	}
	close(fd);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	struct child child = { .object = argc > 1 ? argv[1] : "", .listener = -1 };
	int64_t next_beat = 0;

	if (is(&child, "exits"))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_IGN);
	fcntl(CHANNEL, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd fds[2] = { { .fd = CHANNEL, .events = POLLIN },
					 { .fd = child.listener, .events = POLLIN } };

		if (poll(fds, 2, BEAT_MS) < 0 && errno != EINTR)
			_exit(1);
		if (fds[0].revents != 0 && !receive(&child, argc, argv))
			_exit(0);
		if (fds[1].revents & POLLIN)
			serve(child.listener);
		if (child.beats && now_ms() >= next_beat) {
			say(MSG_BEAT, NULL, NULL);
			next_beat = now_ms() + BEAT_MS;
		}
	}
}
