/*
 * Workers under the microscope: starts N of them as the supervisor would, watches their bus as a
 * front would, and prints one JSON object: delay from the camera's socket to the message on the
 * bus (the stamps of rtsp_replay), frames lost, CPU and memory of the workers, and when each was
 * exec'ed.
 *
 *	ingest --worker PROGRAM --url rtsp://127.0.0.1:PORT/cam [--count N] [--seconds S]
 *	       [--transport tcp|udp] [--dir DIR] [--gop-cache BYTES] [--unwatched]
 *
 * --unwatched: as when nobody looks: nothing is published, only CPU and memory are told.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/stamp.h"
#include "shared/bus.h"
#include "shared/chan.h"
#include "shared/spawn.h"

#define WORKERS_MAX 256
#define WARM_UP_S   2.0
#define START_S     20.0

struct worker {
	struct spawn_child child;
	struct bus_sub *sub;
	char stream[32], path[108];
	int64_t exec_ns;
	unsigned port; /* of our socket to the camera; 0: it opens its own */
	bool is_ready, is_up;
	uint64_t last_number, frames, lost;
	double cpu_s; /* when the measurement began */
};

static struct {
	const char *worker, *url, *transport, *dir;
	int count;
	double seconds;
	long long gop_cache;
	bool unwatched;
} options = { .transport = "tcp", .dir = "/tmp", .count = 1, .seconds = 10 };

static struct worker workers[WORKERS_MAX];
static double *delays_ms;
static size_t n_delays, cap_delays;
static bool is_measuring;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
die(const char *what, int err)
{
	fprintf(stderr, "ingest: %s: %s\n", what, strerror(err));
	exit(1);
}

/* A worker as the supervisor starts it */

/* Connected to the camera, as the supervisor's probe hands it over. */
static int
connect_camera(struct worker *worker)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	const char *port = strrchr(options.url, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	addr.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("camera", errno);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	worker->port = ntohs(addr.sin_port);
	return fd;
}

static json_t *
worker_config(const struct worker *worker, unsigned id)
{
	json_t *msg = msg_new(MSG_WORKER_CONFIG);
	char url[256];

	snprintf(url, sizeof(url), "%s%u", options.url, id);
	msg_set_str(msg, "stream", worker->stream);
	msg_set_int(msg, "stream_id", id + 1);
	msg_set_int(msg, "epoch", 1);
	msg_set_str(msg, "url", url);
	msg_set_str(msg, "transport", options.transport);
	msg_set_str(msg, "bus", worker->path);
	msg_set_int(msg, "bus_mode", 0600);
	msg_set_int(msg, "gop_cache_bytes", options.gop_cache);
	msg_set_int(msg, "open_timeout_ms", 10000);
	msg_set_int(msg, "stall_ms", 10000);
	msg_set_str(msg, "log_level", "warn");
	msg_set_bool(msg, "probe", false);
	return msg;
}

static void
start(struct worker *worker, unsigned id)
{
	bool takes_socket = strstr(options.worker, "-av") == NULL;
	char *argv[] = { (char *)options.worker, worker->stream, NULL };
	json_t *msg;
	int fd = -1, rc;

	snprintf(worker->stream, sizeof(worker->stream), "cam%u", id);
	snprintf(worker->path, sizeof(worker->path), "%s/%s.sock", options.dir, worker->stream);
	if (takes_socket)
		fd = connect_camera(worker);
	worker->exec_ns = now_ns();
	rc = spawn_child(options.worker, argv, NULL, &worker->child);
	if (rc < 0)
		die(options.worker, -rc);
	msg = worker_config(worker, id);
	rc = chan_send(worker->child.chan_fd, msg, fd);
	if (rc < 0)
		die("worker-config", -rc);
	json_decref(msg);
	if (fd >= 0)
		close(fd);
}

static void
want(struct worker *worker)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", true);
	(void)chan_send(worker->child.chan_fd, msg, -1);
	json_decref(msg);
}

static void
hear(struct worker *worker)
{
	char err[MSG_ERROR_MAX];
	enum msg_type type;
	json_t *msg;
	int fd, rc;

	while ((rc = chan_recv(worker->child.chan_fd, MSG_FROM_WORKER, &msg, &type, &fd, err)) ==
	       0) {
		if (type == MSG_READY)
			worker->is_ready = true;
		if (type == MSG_INPUT && strcmp(msg_str(msg, "state"), "up") == 0)
			worker->is_up = true;
		if (type == MSG_INPUT && strcmp(msg_str(msg, "state"), "ended") == 0)
			fprintf(stderr, "ingest: %s: %s\n", worker->stream, msg_str(msg, "reason"));
		json_decref(msg);
		if (fd >= 0)
			close(fd);
	}
	if (rc != -EAGAIN) {
		fprintf(stderr, "ingest: %s ended (%s)\n", worker->stream, strerror(-rc));
		exit(1);
	}
}

/* Its bus */

static void
note_frame(struct worker *worker, const struct bus_msg *msg)
{
	int64_t now = now_ns();
	uint64_t time_ns, number;

	if (msg->frame.kind != FRAME_KIND_VIDEO || (msg->frame.flags & FRAME_REPLAY) ||
	    !stamp_read(msg->payload, msg->frame.payload_len, &time_ns, &number))
		return;
	if (is_measuring) {
		if (worker->frames > 0 && number != worker->last_number + 1)
			worker->lost += number - worker->last_number - 1;
		worker->frames++;
		if (n_delays < cap_delays)
			delays_ms[n_delays++] = (double)(now - (int64_t)time_ns) / 1e6;
	}
	worker->last_number = number;
}

static void
take_frames(struct worker *worker)
{
	struct bus_msg *msg;

	while (bus_sub_recv(worker->sub, &msg) == 0) {
		note_frame(worker, msg);
		bus_msg_unref(&msg);
	}
}

static void
turn(int64_t until_ns)
{
	static struct pollfd fds[2 * WORKERS_MAX];
	int64_t left_ms = (until_ns - now_ns()) / 1000000;

	for (int i = 0; i < options.count; i++) {
		fds[2 * i] = (struct pollfd){ workers[i].child.chan_fd, POLLIN, 0 };
		fds[2 * i + 1] =
		    (struct pollfd){ workers[i].sub != NULL ? bus_sub_fd(workers[i].sub) : -1,
				     POLLIN, 0 };
	}
	if (poll(fds, (nfds_t)(2 * options.count), left_ms > 0 ? (int)left_ms : 0) <= 0)
		return;
	for (int i = 0; i < options.count; i++) {
		if (fds[2 * i + 1].revents != 0)
			take_frames(&workers[i]);
		if (fds[2 * i].revents != 0)
			hear(&workers[i]);
	}
}

static void
run_for(double seconds)
{
	int64_t until_ns = now_ns() + (int64_t)(seconds * 1e9);

	while (now_ns() < until_ns)
		turn(until_ns);
}

static bool
all_are(bool up)
{
	for (int i = 0; i < options.count; i++)
		if (!(up ? workers[i].is_up : workers[i].is_ready))
			return false;
	return true;
}

static void
wait_for(bool up)
{
	int64_t until_ns = now_ns() + (int64_t)(START_S * 1e9);

	while (!all_are(up) && now_ns() < until_ns)
		turn(until_ns);
	if (!all_are(up))
		die("workers", ETIMEDOUT);
}

/* What it costs */

static double
cpu_s(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024];
	FILE *file;
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		die(path, errno);
	fclose(file);
	at = strrchr(line, ')');
	if (at == NULL || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
				 &system) != 2)
		die(path, EPROTO);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The sum of the lines of smaps_rollup that begin so, in KiB. */
static long
memory_kib(pid_t pid, const char *prefix)
{
	char path[64], line[256];
	long sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		die(path, errno);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			sum += strtol(strchr(line, ':') + 1, NULL, 10);
	fclose(file);
	return sum;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
percentile(double p)
{
	return n_delays > 0 ? delays_ms[(size_t)(p * (double)(n_delays - 1))] : 0;
}

static void
print_result(double elapsed_s)
{
	uint64_t frames = 0, lost = 0;
	double cpu = 0, load = 0;
	long rss = 0, private = 0;

	for (int i = 0; i < options.count; i++) {
		const struct worker *worker = &workers[i];

		frames += worker->frames;
		lost += worker->lost;
		cpu += cpu_s(worker->child.pid) - worker->cpu_s;
		rss += memory_kib(worker->child.pid, "Rss");
		private += memory_kib(worker->child.pid, "Private");
	}
	qsort(delays_ms, n_delays, sizeof(*delays_ms), compare);
	(void)getloadavg(&load, 1);
	printf("{\"workers\": %d, \"frames\": %" PRIu64 ", \"lost\": %" PRIu64
	       ", \"delay_ms\": {\"n\": %zu, \"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, "
	       "\"max\": %.3f}, \"cpu_percent_each\": %.3f, \"rss_kib_each\": %ld, "
	       "\"private_kib_each\": %ld, \"load\": %.2f, \"started\": [",
	       options.count, frames, lost, n_delays, percentile(0.5), percentile(0.95),
	       percentile(0.99), percentile(1), cpu / elapsed_s * 100 / options.count,
	       rss / options.count, private / options.count, load);
	for (int i = 0; i < options.count; i++)
		printf("%s{\"port\": %u, \"exec_ns\": %" PRId64 "}", i > 0 ? ", " : "",
		       workers[i].port, workers[i].exec_ns);
	printf("]}\n");
}

static void
parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "worker", required_argument, NULL, 'w' },
		{ "url", required_argument, NULL, 'u' },
		{ "count", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 's' },
		{ "transport", required_argument, NULL, 't' },
		{ "dir", required_argument, NULL, 'd' },
		{ "gop-cache", required_argument, NULL, 'g' },
		{ "unwatched", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			options.worker = optarg;
			break;
		case 'u':
			options.url = optarg;
			break;
		case 'n':
			options.count = atoi(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 't':
			options.transport = optarg;
			break;
		case 'd':
			options.dir = optarg;
			break;
		case 'g':
			options.gop_cache = atoll(optarg);
			break;
		case 'x':
			options.unwatched = true;
			break;
		default:
			exit(2);
		}
	}
	if (options.worker == NULL || options.url == NULL || options.count < 1 ||
	    options.count > WORKERS_MAX)
		exit(2);
}

int
main(int argc, char **argv)
{
	int64_t began_ns;
	int rc;

	parse(argc, argv);
	cap_delays = (size_t)(options.count * (options.seconds + 1) * 100);
	delays_ms = calloc(cap_delays, sizeof(*delays_ms));
	/* nng starts threads: all children first. */
	for (int i = 0; i < options.count; i++)
		start(&workers[i], (unsigned)i);
	wait_for(false);
	for (int i = 0; i < options.count && !options.unwatched; i++) {
		rc = bus_sub_open(workers[i].path, &workers[i].sub);
		if (rc < 0)
			die(workers[i].path, -rc);
		want(&workers[i]);
	}
	wait_for(true);
	run_for(WARM_UP_S);
	for (int i = 0; i < options.count; i++)
		workers[i].cpu_s = cpu_s(workers[i].child.pid);
	is_measuring = true;
	began_ns = now_ns();
	run_for(options.seconds);
	print_result((double)(now_ns() - began_ns) / 1e9);
	fflush(stdout);
	_exit(0); /* the workers see the end of their channels and leave */
}
