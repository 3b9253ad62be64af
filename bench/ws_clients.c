/*
 * Many viewers in one process: opens N WebSocket connections to /api/ws (or /ws) and checks every
 * frame that arrives: none may be missing, unless the server says so, and how old they are where
 *the camera stamps them (stamp.h). Prints one JSON object with what was seen when the time is over
 * (or on SIGINT).
 *
 *	ws_clients --port P [--host A] [--clients N] [--seconds S] [--fps F] [--wall]
 *		[--settle S] [--kbps R [--drain S]] STREAM...
 *
 * Client i watches stream i modulo their number. The time counts from when all are connected, plus
 * --settle seconds, behind which "MEASURING" is printed. --kbps: viewers that read no more than
 * that, 0: nothing at all from their first picture on. --drain: when the time is over they read
 *what waits for them, some at once, and leave with the first picture that is no older than half a
 *second: by then they were told of all that was left out. S seconds at most.
 *
 * Frames are counted as lost when a stamp's number, or without stamps the decode time, steps over
 * more than one frame; as skipped when the server says that it left them out, because the viewer
 *was too slow.
 */
#include "config.h"

#include "bench/client.h"
#include "bench/program.h"

#include "shared/xalloc.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S       INT64_C(1000000000)
#define CONNECTING_MAX 32 /* not upgraded yet: more would queue up in front of the server */
#define CONNECT_MAX_S  60
#define EVENTS         256
#define SLOW_TURNS     10 /* a slow viewer reads in one of so many ... */
#define SLOW_TURN_MS   10
#define DRAINING_MAX   32
#define FRESH_NS       (NS_PER_S / 2)
#define SLOW_BUFFER    65536 /* what they do not read, the server shall feel */

static struct {
	int clients;
	double seconds, settle, drain;
	long kbps; /* -1: as fast as it comes */
} options = { .clients = 64, .seconds = 20, .kbps = -1 };

static struct crowd crowd = { .host = "127.0.0.1", .fps = 25 };
static struct client *clients;
static int n_started;
static int n_draining; /* the first so many: they read all */
static uint64_t n_left;
static int64_t gap_ms_max;

/* --- slow ones ------------------------------------------------------------------------------ */

static void
watch(struct client *client, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (client->fd >= 0)
		epoll_ctl(crowd.epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* From now on it is not the socket that says when to read. */
static void
slow_down(struct client *client)
{
	if (client->stalled_ns != 0 || client->state == CLIENT_IN_HTTP ||
	    (options.kbps == 0 && client->fragments == 0))
		return;
	client->stalled_ns = client_now_ns();
	watch(client, 0);
}

static void
read_slowly(int64_t now_ns)
{
	static int64_t next_ns;
	static int turn;

	if (now_ns < next_ns)
		return;
	next_ns = (next_ns > 0 ? next_ns : now_ns) + SLOW_TURN_MS * NS_PER_S / 1000;
	turn = (turn + 1) % SLOW_TURNS;
	for (int i = turn; i < n_started; i += SLOW_TURNS) {
		size_t left = (size_t)options.kbps * SLOW_TURNS * SLOW_TURN_MS / 8, n;

		if (clients[i].stalled_ns == 0 || i < n_draining)
			continue;
		while (left > 0 && (n = client_read(&clients[i], left)) > 0)
			left -= n;
	}
}

/* --- the loop ------------------------------------------------------------------------------- */

static void
start_some(char **streams, int n_streams)
{
	const struct client_totals *totals = &crowd.totals;

	while (n_started < options.clients &&
	       (uint64_t)n_started - totals->upgraded - totals->refused < CONNECTING_MAX) {
		client_start(&clients[n_started], &crowd, streams[n_started % n_streams]);
		n_started++;
	}
}

static bool
is_connected(void)
{
	return crowd.totals.upgraded + crowd.totals.refused + crowd.totals.closed >=
	       (uint64_t)options.clients;
}

static void
on_event(const struct epoll_event *event, bool slow)
{
	struct client *client = event->data.ptr;

	if (client - clients < n_draining) {
		client_read(client, SIZE_MAX);
		if (client->has_ended_frame && client->age_ns <= FRESH_NS)
			client_drop(client, &n_left);
	} else if (client->stalled_ns != 0) {
		client_drop(client, &crowd.totals.closed); /* only a hangup is looked for */
	} else {
		client_read(client, SIZE_MAX);
		if (slow)
			slow_down(client);
	}
}

/* One wait and what it brings. */
static void
turn(int64_t end_ns, bool slow)
{
	static int64_t last_ns;
	struct epoll_event events[EVENTS];
	int64_t left_ms = (end_ns - client_now_ns()) / 1000000 + 1, gap_ms;
	int longest_ms = slow ? SLOW_TURN_MS : 1000, n;

	n = epoll_wait(crowd.epoll, events, EVENTS,
		       left_ms > longest_ms ? longest_ms : (int)left_ms);
	gap_ms = last_ns > 0 ? (client_now_ns() - last_ns) / 1000000 : 0;
	if (gap_ms > gap_ms_max)
		gap_ms_max = gap_ms;
	last_ns = client_now_ns();
	for (int i = 0; i < n; i++)
		on_event(&events[i], slow);
	if (slow)
		read_slowly(last_ns);
}

static void
run_until(int64_t end_ns, bool slow)
{
	while (!program_interrupted && client_now_ns() < end_ns)
		turn(end_ns, slow);
}

static int64_t
from_now(double seconds)
{
	return client_now_ns() + (int64_t)(seconds * NS_PER_S);
}

static void
connect_all(char **streams, int n_streams)
{
	int64_t end_ns = from_now(CONNECT_MAX_S);

	while (!program_interrupted && !is_connected() && client_now_ns() < end_ns) {
		start_some(streams, n_streams);
		turn(end_ns, options.kbps >= 0);
	}
}

static void
begin_measuring(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	crowd.real_ns = ts.tv_sec * NS_PER_S + ts.tv_nsec - client_now_ns();
	crowd.is_measuring = true;
	if (options.settle > 0) {
		puts("MEASURING");
		fflush(stdout);
	}
}

static bool
is_anybody_there(void)
{
	for (int i = 0; i < n_started; i++)
		if (clients[i].fd >= 0)
			return true;
	return false;
}

/* All at once would be as many good viewers, for whom there may be no room. */
static void
drain(int64_t end_ns)
{
	while (!program_interrupted && client_now_ns() < end_ns && is_anybody_there()) {
		uint64_t gone = n_left + crowd.totals.closed + crowd.totals.refused;

		while (n_draining < n_started && (uint64_t)n_draining < gone + DRAINING_MAX)
			watch(&clients[n_draining++], EPOLLIN);
		turn(client_now_ns() + NS_PER_S / 10, true);
	}
}

static void
run(char **streams, int n_streams)
{
	connect_all(streams, n_streams);
	run_until(from_now(options.settle), options.kbps >= 0);
	begin_measuring();
	run_until(from_now(options.seconds), options.kbps >= 0);
	crowd.is_measuring = false;
	if (options.drain > 0)
		drain(from_now(options.drain));
}

/* --- the report ----------------------------------------------------------------------------- */

/* How long after it stopped reading a viewer's connection was closed: {"n", "min", "max"}. */
static void
print_closings(void)
{
	int64_t min_ns = INT64_MAX, max_ns = 0;
	int n = 0;

	for (int i = 0; i < n_started; i++) {
		int64_t ns = clients[i].closed_ns - clients[i].stalled_ns;

		if (clients[i].stalled_ns == 0 || clients[i].closed_ns == 0)
			continue;
		n++;
		min_ns = ns < min_ns ? ns : min_ns;
		max_ns = ns > max_ns ? ns : max_ns;
	}
	printf(", \"closed_after_s\": {\"n\": %d, \"min\": %.1f, \"max\": %.1f}", n,
	       n > 0 ? (double)min_ns / NS_PER_S : 0, (double)max_ns / NS_PER_S);
}

static void
print_delays(void)
{
	printf(", \"delay_ms\": ");
	samples_print(&crowd.read_delays, stdout);
	printf(", \"kernel_ms\": ");
	samples_print(&crowd.kernel_delays, stdout);
}

static void
print_report(void)
{
	struct client_totals *totals = &crowd.totals;
	uint64_t least = UINT64_MAX;
	int without = 0;

	for (int i = 0; i < options.clients; i++) {
		const struct client *client = &clients[i];
		int64_t first_ms = (client->first_ns - client->asked_ns) / 1000000;

		if (client->fragments < least)
			least = client->fragments;
		if (client->fragments == 0)
			without++;
		else if (first_ms > totals->first_ms_max)
			totals->first_ms_max = first_ms;
	}
	printf("{\"clients\": %d, \"upgraded\": %" PRIu64 ", \"refused\": %" PRIu64
	       ", \"closed\": %" PRIu64 ", \"without_picture\": %d, \"fragments\": %" PRIu64
	       ", \"least_fragments\": %" PRIu64 ", \"init_segments\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"skipped\": %" PRIu64 ", \"overannounced\": %" PRIu64
	       ", \"jumps\": %" PRIu64 ", \"backwards\": %" PRIu64 ", \"malformed\": %" PRIu64
	       ", \"errors\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"first_picture_ms_max\": %" PRId64 ", \"silence_ms_max\": %" PRId64,
	       options.clients, totals->upgraded, totals->refused, totals->closed, without,
	       totals->fragments, least, totals->inits, totals->lost, totals->skipped,
	       totals->overannounced, totals->jumps, totals->back, totals->malformed,
	       totals->errors, totals->bytes, totals->first_ms_max, gap_ms_max);
	printf(", \"left\": %" PRIu64, n_left);
	print_delays();
	print_closings();
	printf("}\n");
}

/* --- the program ---------------------------------------------------------------------------- */

static void
usage(void)
{
	fprintf(stderr, "usage: ws_clients --port P [--host A] [--clients N] [--seconds S] "
			"[--fps F] [--wall] [--settle S] [--kbps R [--drain S]] STREAM...\n");
	exit(2);
}

static void
set_option(int opt)
{
	switch (opt) {
	case 'h':
		crowd.host = optarg;
		break;
	case 'p':
		crowd.port = atoi(optarg);
		break;
	case 'c':
		options.clients = atoi(optarg);
		break;
	case 's':
		options.seconds = atof(optarg);
		break;
	case 'f':
		crowd.fps = atoi(optarg);
		break;
	case 'w':
		crowd.is_wall = true;
		break;
	case 'e':
		options.settle = atof(optarg);
		break;
	case 'k':
		options.kbps = atol(optarg);
		crowd.receive_bytes = SLOW_BUFFER;
		break;
	case 'd':
		options.drain = atof(optarg);
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
		{ "fps", required_argument, NULL, 'f' },
		{ "wall", no_argument, NULL, 'w' },
		{ "settle", required_argument, NULL, 'e' },
		{ "kbps", required_argument, NULL, 'k' },
		{ "drain", required_argument, NULL, 'd' },
		{ NULL },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1)
		set_option(opt);
	if (optind >= argc || crowd.port <= 0 || options.clients <= 0 || crowd.fps <= 0)
		usage();
}

int
main(int argc, char **argv)
{
	const struct client_totals *totals = &crowd.totals;

	read_options(argc, argv);
	clients = xcalloc((size_t)options.clients, sizeof(*clients));
	crowd.epoll = program_begin();
	run(argv + optind, argc - optind);
	print_report();
	free(clients);
	samples_free(&crowd.read_delays);
	samples_free(&crowd.kernel_delays);
	close(crowd.epoll);
	return totals->lost > 0 || totals->skipped > 0 || totals->malformed > 0 ||
	       totals->closed > 0 || totals->refused > 0;
}
