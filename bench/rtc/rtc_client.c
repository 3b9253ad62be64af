/*
 * Viewers by WebRTC without a browser: N of them in one process, each with a socket of its own.
 *
 *	rtc_client --port 8080 --clients 200 --seconds 10 /door/whep
 *
 * They begin one after the other. When all that will play do, or after --settle seconds,
 *"MEASURING" is printed; after --seconds more a JSON object of what came. --drop, --reorder (per
 *cent), --delay, --jitter (ms) put a bad network before each of them; --tcp, --no-twcc, --no-rtx
 *change what is offered; --kill leaves without goodbye; --live says every 100 ms what came so far;
 *--again begins anew, as pages do, what was refused, was closed, or is silent. Exit code 0 when all
 *played, none was closed, and nothing was missed.
 */
#include "config.h"

#include "bench/program.h"
#include "bench/rtc/viewer.h"
#include "shared/xalloc.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MS       INT64_C(1000000)
#define TICK_MS  5
#define APART_NS (10 * MS) /* between two beginnings */
#define EVENTS   64
#define LIVE_NS  (100 * MS)
/* As the pages judge it (web/direct.js). */
#define SILENT_NS (550 * MS)
#define STALL_NS  (400 * MS)
#define RETRY_NS  (100 * MS)
#define SETUP_NS  (3000 * MS)

static struct {
	struct whep_options whep;
	struct impair_options impair;
	unsigned clients;
	double seconds, settle;
	bool is_killed, is_live, begins_again;
} options = { .whep = { .host = "127.0.0.1", .has_twcc = true, .has_rtx = true },
	      .clients = 1,
	      .seconds = 10,
	      .settle = 10 };

static struct receive_shared shared;
static struct viewer *viewers;
static unsigned n_begun;
/* Of each viewer: since when silence counts, and that a picture of a new beginning is awaited. */
static struct comeback {
	int64_t since_ns;
	bool is_awaited;
} * comebacks;
static unsigned n_backs, n_closed_before; /* in beginnings that are over */
static int epoll_fd;

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * MS + now.tv_nsec;
}

static void
begin(unsigned number)
{
	struct viewer *viewer = &viewers[number];
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = viewer };

	viewer_begin(viewer, number, &options.whep, &options.impair, &shared, now_ns());
	if (viewer->fd >= 0)
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, viewer->fd, &event);
}

static bool
is_lost(const struct viewer *viewer, const struct comeback *comeback, int64_t now)
{
	int64_t last = viewer->receive.last_frame_ns, limit = last > 0 ? SILENT_NS : SETUP_NS;

	if (last < comeback->since_ns)
		last = comeback->since_ns;
	return now - last > (viewer->state == VIEWER_OVER ? RETRY_NS : limit);
}

/* stood: we did ourselves, and know nothing of what came meanwhile. */
static void
begin_again(bool stood, int64_t now)
{
	for (unsigned i = 0; i < n_begun; i++) {
		struct comeback *comeback = &comebacks[i];

		if (stood || comeback->since_ns == 0)
			comeback->since_ns = now;
		if (comeback->is_awaited && viewers[i].receive.first_frame_ns > 0) {
			comeback->is_awaited = false;
			n_backs++;
		}
		if (!is_lost(&viewers[i], comeback, now))
			continue;
		n_closed_before += viewers[i].was_closed;
		viewer_end(&viewers[i], true);
		begin(i);
		comeback->is_awaited = true;
		comeback->since_ns = now_ns();
	}
}

static unsigned
count_playing(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_begun; i++)
		n += viewers[i].state == VIEWER_PLAYS && viewers[i].receive.first_frame_ns > 0;
	return n;
}

static unsigned
count_over(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_begun; i++)
		n += viewers[i].state == VIEWER_OVER;
	return options.begins_again ? 0 : n;
}

static unsigned
count_closed(void)
{
	unsigned n = n_closed_before;

	for (unsigned i = 0; i < n_begun; i++)
		n += viewers[i].was_closed;
	return n;
}

/* A line of JSON now and then, and at once when somebody has pictures again. */
static void
print_live(int64_t now)
{
	static int64_t told_ns;
	static unsigned told_backs;
	const struct receive_totals *totals = &shared.totals;

	if (now - told_ns < LIVE_NS && told_backs == n_backs)
		return;
	told_ns = now;
	told_backs = n_backs;
	printf(
	    "{\"playing\": %u, \"closed\": %u, \"backs\": %u, \"frames\": %llu, \"missed\": %llu, "
	    "\"broken\": %llu, \"holes\": %llu}\n",
	    count_playing(), count_closed(), n_backs, (unsigned long long)totals->frames,
	    (unsigned long long)totals->missed, (unsigned long long)totals->broken,
	    (unsigned long long)totals->holes);
	(void)fflush(stdout);
}

/* One turn of a few ms. */
static void
turn(void)
{
	static int64_t begun_ns, ticked_ns;
	bool stood = now_ns() - ticked_ns > STALL_NS;
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll_fd, events, EVENTS, TICK_MS);
	int64_t now = now_ns();

	for (int i = 0; i < n; i++) {
		struct viewer *viewer = events[i].data.ptr;

		if (viewer->state == VIEWER_OVER)
			(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, viewer->fd, NULL);
		else
			viewer_on_readable(viewer, now_ns());
	}
	if (n_begun < options.clients && now - begun_ns >= APART_NS) {
		begun_ns = now;
		begin(n_begun++);
	}
	if (now - ticked_ns < TICK_MS * MS)
		return;
	ticked_ns = now;
	for (unsigned i = 0; i < n_begun; i++)
		viewer_tick(&viewers[i], now);
	if (options.begins_again)
		begin_again(stood, now);
	if (options.is_live && shared.is_measuring)
		print_live(now);
}

static void
run(void)
{
	int64_t until = now_ns() + (int64_t)(options.settle * 1000) * MS;

	while (!program_interrupted && now_ns() < until &&
	       count_playing() + count_over() < options.clients)
		turn();
	/* What came in the burst of the join is not what it is like to watch. */
	until = now_ns() + 1000 * MS;
	while (!program_interrupted && now_ns() < until)
		turn();
	shared.is_measuring = true;
	options.impair.is_good = false;
	puts("MEASURING");
	(void)fflush(stdout);
	until = now_ns() + (int64_t)(options.seconds * 1000) * MS;
	while (!program_interrupted && now_ns() < until)
		turn();
	shared.is_measuring = false;
}

static void
print_samples(const char *name, struct samples *samples)
{
	printf("\"%s\": ", name);
	samples_print(samples, stdout);
	fputs(", ", stdout);
}

static void
print_starts(void)
{
	struct samples up = { NULL }, first = { NULL }, current = { NULL };

	for (unsigned i = 0; i < n_begun; i++) {
		const struct viewer *viewer = &viewers[i];

		if (viewer->played_ns > 0)
			samples_add(&up, viewer->played_ns - viewer->began_ns);
		if (viewer->receive.first_frame_ns > 0)
			samples_add(&first, viewer->receive.first_frame_ns - viewer->began_ns);
		if (viewer->receive.first_current_ns > 0)
			samples_add(&current, viewer->receive.first_current_ns - viewer->began_ns);
	}
	print_samples("up_ms", &up);
	print_samples("first_ms", &first);
	print_samples("current_ms", &current);
	samples_free(&up);
	samples_free(&first);
	samples_free(&current);
}

static void
print_totals(void)
{
	const struct receive_totals *totals = &shared.totals;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "packets", totals->packets }, { "bytes", totals->bytes },
		{ "late", totals->late },       { "recovered", totals->recovered },
		{ "holes", totals->holes },     { "frames", totals->frames },
		{ "broken", totals->broken },   { "missed", totals->missed },
		{ "nacks", totals->nacks },     { "plis", totals->plis },
		{ "freezes", totals->freezes },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%s\"%s\": %llu", i > 0 ? ", " : "", rows[i].name,
		       (unsigned long long)rows[i].value);
}

static unsigned
print_report(void)
{
	unsigned refused = 0, closed = count_closed(), playing = count_playing();
	int status = 0;

	for (unsigned i = 0; i < n_begun; i++) {
		refused += viewers[i].status != 0;
		if (viewers[i].status != 0)
			status = viewers[i].status;
	}
	printf(
	    "{\"clients\": %u, \"playing\": %u, \"refused\": %u, \"status\": %d, \"closed\": %u, ",
	    options.clients, playing, refused, status, closed);
	print_starts();
	print_samples("age_ms", &shared.ages);
	print_samples("gap_ms", &shared.gaps);
	print_samples("wait_ms", &shared.waits);
	print_totals();
	puts("}");
	return options.clients - playing + closed;
}

static void
usage(void)
{
	fputs("usage: rtc_client --port P [--host A] [--clients N] [--seconds S] [--settle S] "
	      "[--drop %] "
	      "[--reorder %] [--delay MS] [--jitter MS] [--shuffle] [--kbps K] [--late] [--tcp] "
	      "[--no-twcc] [--no-rtx] [--kill] [--live] [--again] "
	      "PATH\n",
	      stderr);
	exit(2);
}

static void
set_option(int opt)
{
	switch (opt) {
	case 'h':
		options.whep.host = optarg;
		break;
	case 'p':
		options.whep.port = optarg;
		break;
	case 'c':
		options.clients = (unsigned)atoi(optarg);
		break;
	case 's':
		options.seconds = atof(optarg);
		break;
	case 'e':
		options.settle = atof(optarg);
		break;
	case 'd':
		options.impair.drop_percent = (unsigned)atoi(optarg);
		break;
	case 'r':
		options.impair.reorder_percent = (unsigned)atoi(optarg);
		break;
	case 'l':
		options.impair.delay_ms = (unsigned)atoi(optarg);
		break;
	case 'j':
		options.impair.jitter_ms = (unsigned)atoi(optarg);
		break;
	case 'b':
		options.impair.kbps = (unsigned)atoi(optarg);
		break;
	case 'u':
		options.impair.shuffles = true;
		break;
	case 'a':
		options.impair.is_good = true;
		break;
	case 't':
		options.whep.use_tcp = true;
		break;
	case 'w':
		options.whep.has_twcc = false;
		break;
	case 'x':
		options.whep.has_rtx = false;
		break;
	case 'k':
		options.is_killed = true;
		break;
	case 'L':
		options.is_live = true;
		break;
	case 'A':
		options.begins_again = true;
		break;
	default:
		usage();
	}
}

static void
read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "host", required_argument, NULL, 'h' },
		{ "port", required_argument, NULL, 'p' },
		{ "clients", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "settle", required_argument, NULL, 'e' },
		{ "drop", required_argument, NULL, 'd' },
		{ "reorder", required_argument, NULL, 'r' },
		{ "delay", required_argument, NULL, 'l' },
		{ "jitter", required_argument, NULL, 'j' },
		{ "kbps", required_argument, NULL, 'b' },
		{ "shuffle", no_argument, NULL, 'u' },
		{ "late", no_argument, NULL, 'a' },
		{ "tcp", no_argument, NULL, 't' },
		{ "no-twcc", no_argument, NULL, 'w' },
		{ "no-rtx", no_argument, NULL, 'x' },
		{ "kill", no_argument, NULL, 'k' },
		{ "live", no_argument, NULL, 'L' },
		{ "again", no_argument, NULL, 'A' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1)
		set_option(opt);
	if (optind + 1 != argc || options.whep.port == NULL || options.clients == 0)
		usage();
	options.whep.path = argv[optind];
}

int
main(int argc, char **argv)
{
	unsigned bad;

	read_options(argc, argv);
	viewers = xcalloc(options.clients, sizeof(*viewers));
	comebacks = xcalloc(options.clients, sizeof(*comebacks));
	epoll_fd = program_begin();
	run();
	bad = print_report();
	for (unsigned i = 0; i < n_begun; i++)
		viewer_end(&viewers[i], options.is_killed);
	free(viewers);
	free(comebacks);
	samples_free(&shared.ages);
	samples_free(&shared.gaps);
	samples_free(&shared.waits);
	close(epoll_fd);
	return bad > 0 || shared.totals.missed > 0;
}
