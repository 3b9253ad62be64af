/*
 * The real supervisor, started, asked and stopped.
 */
#include "config.h"

#include "tests/sup_real.h"

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

void
real_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Short deadlines, so that the tests are; cameras: their YAML. */
void
real_write_config(struct real *real, const char *cameras)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "http: {listen: [\"127.0.0.1:%u\"]}\n"
		 "restart: {first: 10ms, max: 20ms, min_interval: 0s, start_timeout: 2s, "
		 "hang_timeout: 1500ms, stop_timeout: 1s}\n"
		 "cameras:%s%s",
		 real->port, cameras[0] != '\0' ? "\n" : " []\n", cameras);
	real_write_file(real->config, text);
}

/* Its own copy for each test, so that its processes are told from those of others. */
static void
copy_program(const char *from, const char *to)
{
	char bytes[65536];
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	size_t n;

	ck_assert(in != NULL && out != NULL);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		ck_assert_uint_eq(fwrite(bytes, 1, n, out), n);
	fclose(in);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(to, 0700), 0);
}

void
real_set_up(struct real *real, struct loop *loop, const char *cameras)
{
	char worker[PATH_MAX + 32], front[PATH_MAX + 32];

	*real = (struct real){ .loop = loop, .port = free_port() };
	snprintf(real->config, sizeof(real->config), "%s", harness_tmpfile("camhub.yaml"));
	snprintf(real->dir, sizeof(real->dir), "%s", harness_tmpfile("run"));
	ck_assert_int_eq(mkdir(harness_tmpfile("libexec"), 0700), 0);
	/* As /proc will name it. */
	ck_assert_ptr_nonnull(realpath(harness_tmpfile("libexec"), real->libexec));
	snprintf(worker, sizeof(worker), "%s/camhub-worker-av", real->libexec);
	snprintf(front, sizeof(front), "%s/camhub-http", real->libexec);
	copy_program(SUP_CHILD, worker);
	ck_assert_int_eq(link(worker, front), 0);
	real_write_config(real, cameras);
}

void
real_launch(struct real *real)
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

long long
real_number(const struct real *real, const char *name, const char *field)
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
void
real_await_state(struct real *real, const char *name, const char *state, long long not_pid)
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

	return real_number(e->real, e->name, e->field) >= e->at_least;
}

void
real_await_number(struct real *real, const char *name, const char *field, long long at_least)
{
	struct expectation e = { real, name, field, NULL, at_least, 0 };
	char what[128];

	snprintf(what, sizeof(what), "%s has %s >= %lld", name, field, at_least);
	loop_run_until_true(real->loop, has_reached, &e, what, 0);
}

/* Processes of our helper that live. */
unsigned
real_count_children(const struct real *real)
{
	DIR *dir = opendir("/proc");
	char path[300], target[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)) != NULL) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		n += strncmp(target, real->libexec, strlen(real->libexec)) == 0;
	}
	closedir(dir);
	return n;
}

bool
real_no_child_lives(void *arg)
{
	return real_count_children(arg) == 0;
}

void
real_stop_and_look(struct real *real)
{
	program_signal(real->program, SIGTERM);
	ck_assert_int_eq(program_wait(real->program, 0), 0);
	ck_assert_uint_eq(real_count_children(real), 0);
}

/* A process id from the front, -1: the connection was refused. */
long
real_front_answers(const struct real *real)
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

char *
real_read_report(struct real *real, const char *object)
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
