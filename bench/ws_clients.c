/*
 * Many viewers in one process: opens N WebSocket connections to /api/ws, asks each for MSE, and
 * checks every fragment that arrives: its decode time must follow the last one's. Prints one JSON
 * object with what was seen when the time is over (or on SIGINT).
 *
 *	ws_clients --port P [--host A] [--clients N] [--seconds S] [--fps F] STREAM...
 *
 * Client i watches stream i modulo their number. Frames are counted as lost when the decode time
 * steps over more than one frame interval of F frames a second; as skipped when the server says
 *that it left them out, because the viewer was too slow.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES        4096 /* enough for a moof and for a JSON text */
#define BOX_HEAD_BYTES    8
#define RECV_BUFFER_BYTES (4 << 20)
#define READ_BYTES        65536
#define TICKS_PER_S       90000

enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

enum parse_state { IN_HTTP, IN_FRAME_HEADER, IN_PAYLOAD, IN_END };

struct client {
	int fd;
	const char *stream;
	enum parse_state state;
	uint8_t head[HEAD_BYTES]; /* the HTTP head, a frame header, a text, a moof */
	size_t head_len;
	uint64_t left; /* of the frame's payload */
	uint64_t box_skip;
	size_t box_need; /* bytes of the box to gather in head */
	uint8_t opcode;
	int64_t last_time; /* decode time of the last fragment, -1: none since an init segment */
	int64_t first_ns, asked_ns;
	uint64_t fragments;
};

struct totals {
	uint64_t upgraded, refused, closed, bytes, fragments, inits, errors;
	uint64_t lost, skipped, jumps, back, malformed;
	int64_t first_ms_max, gap_ms_max;
};

static struct {
	const char *host;
	int port, clients, fps;
	double seconds;
} options = { .host = "127.0.0.1", .clients = 64, .fps = 25, .seconds = 20 };

static struct totals totals;
static volatile sig_atomic_t interrupted;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static uint64_t
big_endian(const uint8_t *at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* Takes bytes until head holds count of them; returns whether it does. */
static bool
gather(struct client *client, size_t count, const uint8_t **data, size_t *len)
{
	size_t n = count > client->head_len ? count - client->head_len : 0;

	if (n > *len)
		n = *len;
	memcpy(client->head + client->head_len, *data, n);
	client->head_len += n;
	*data += n;
	*len -= n;
	return client->head_len >= count;
}

/* --- fragments ----------------------------------------------------------------------------- */

/* The body of the first box of that name in [at, end), or NULL. */
static const uint8_t *
find_box(const uint8_t *at, const uint8_t *end, const char *name, const uint8_t **box_end)
{
	while (end - at >= 8) {
		uint64_t size = big_endian(at, 4);

		if (size < 8 || size > (uint64_t)(end - at))
			return NULL;
		if (memcmp(at + 4, name, 4) == 0) {
			*box_end = at + size;
			return at + 8;
		}
		at += size;
	}
	return NULL;
}

/* The decode time in a message that begins with moof, or -1. */
static int64_t
decode_time(const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len, *at;

	at = find_box(data, end, "moof", &end);
	if (at != NULL)
		at = find_box(at, end, "traf", &end);
	if (at != NULL)
		at = find_box(at, end, "tfdt", &end);
	if (at == NULL || end - at < 8 || (at[0] == 1 && end - at < 12))
		return -1;
	return (int64_t)big_endian(at + 4, at[0] == 1 ? 8 : 4);
}

static void
check_fragment(struct client *client, const uint8_t *moof, size_t len)
{
	const int64_t interval = TICKS_PER_S / options.fps;
	int64_t time = decode_time(moof, len), step;

	if (time < 0) {
		totals.malformed++;
		return;
	}
	totals.fragments++;
	if (client->fragments++ == 0)
		client->first_ns = now_ns();
	step = client->last_time < 0 ? interval : time - client->last_time;
	client->last_time = time;
	if (step <= 0) {
		totals.back++;
	} else if (step > interval * 3 / 2) {
		totals.jumps++;
		totals.lost += (uint64_t)((step + interval / 2) / interval - 1);
	}
}

/* A box begins: its eight bytes are in head. Only moof is looked into. */
static void
on_box(struct client *client)
{
	uint64_t size = big_endian(client->head, 4);

	if (memcmp(client->head + 4, "moof", 4) == 0 && size > 8 && size <= HEAD_BYTES) {
		client->box_need = (size_t)size;
		return;
	}
	if (memcmp(client->head + 4, "ftyp", 4) == 0) {
		totals.inits++;
		client->last_time = -1;
	}
	if (size < 8)
		totals.malformed++;
	client->box_skip = size < 8 ? 0 : size - 8;
	client->head_len = 0;
}

/* Media as it arrives: one message may hold many fragments. */
static void
walk_boxes(struct client *client, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t n = client->box_skip < len ? (size_t)client->box_skip : len;

		client->box_skip -= n;
		data += n;
		len -= n;
		if (!gather(client, client->box_need, &data, &len))
			return;
		if (client->box_need == BOX_HEAD_BYTES) {
			on_box(client);
		} else {
			check_fragment(client, client->head, client->head_len);
			client->box_need = BOX_HEAD_BYTES;
			client->head_len = 0;
		}
	}
}

/* Errors, and the server's word that this viewer was too slow:
 * {"type":"skipped","value":{"frames":N}} */
static void
on_text(struct client *client)
{
	static const char frames[] = "\"frames\":";
	const uint8_t *at;

	if (memmem(client->head, client->head_len, "\"error\"", 7) != NULL) {
		totals.errors++;
		fprintf(stderr, "%s: %.*s\n", client->stream, (int)client->head_len,
			(const char *)client->head);
	}
	at = memmem(client->head, client->head_len, frames, sizeof(frames) - 1);
	if (at != NULL && memmem(client->head, client->head_len, "\"skipped\"", 9) != NULL)
		totals.skipped += strtoull((const char *)at + sizeof(frames) - 1, NULL, 10);
}

static void
on_message_end(struct client *client)
{
	if (client->opcode == OP_TEXT) {
		client->head[client->head_len < HEAD_BYTES ? client->head_len : HEAD_BYTES - 1] =
		    '\0';
		on_text(client);
	} else if (client->opcode == OP_BINARY && (client->head_len > 0 || client->box_skip > 0)) {
		totals.malformed++; /* ends inside a box */
		client->box_skip = 0;
	}
}

/* --- WebSocket ----------------------------------------------------------------------------- */

static void
drop_client(struct client *client, uint64_t *counter)
{
	if (client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	client->state = IN_END;
	(*counter)++;
}

/* All that is sent is short: what the kernel does not take at once means a dead connection. */
static void
send_frame(struct client *client, uint8_t opcode, const void *payload, size_t len)
{
	uint8_t frame[8 + 126] = { (uint8_t)(0x80 | opcode), (uint8_t)(0x80 | len) };

	if (len > 125)
		return;
	memcpy(frame + 6, payload, len); /* masked with zeros */
	if (send(client->fd, frame, 6 + len, MSG_NOSIGNAL) != (ssize_t)(6 + len))
		drop_client(client, &totals.closed);
}

static void
ask_for_pictures(struct client *client)
{
	static const char ask[] =
	    "{\"type\":\"mse\",\"value\":\"avc1.640029,avc1.64002A,avc1.640033,mp4a.40.2,opus\"}";

	totals.upgraded++;
	client->asked_ns = now_ns();
	send_frame(client, OP_TEXT, ask, sizeof(ask) - 1);
}

static void
read_http(struct client *client, const uint8_t **data, size_t *len)
{
	while (*len > 0 && client->head_len < HEAD_BYTES) {
		gather(client, client->head_len + 1, data, len);
		if (client->head_len < 4 ||
		    memcmp(client->head + client->head_len - 4, "\r\n\r\n", 4) != 0)
			continue;
		if (memcmp(client->head, "HTTP/1.1 101", 12) != 0) {
			fprintf(stderr, "%s: %.40s\n", client->stream, (char *)client->head);
			drop_client(client, &totals.refused);
			return;
		}
		client->head_len = 0;
		client->state = IN_FRAME_HEADER;
		ask_for_pictures(client);
		return;
	}
}

static void
read_frame_header(struct client *client, const uint8_t **data, size_t *len)
{
	size_t need = 2;

	if (!gather(client, need, data, len))
		return;
	if ((client->head[1] & 0x7f) == 126)
		need = 4;
	else if ((client->head[1] & 0x7f) == 127)
		need = 10;
	if (!gather(client, need, data, len))
		return;
	client->opcode = client->head[0] & 0x0f;
	client->left = need == 2 ? client->head[1] & 0x7f : big_endian(client->head + 2, need - 2);
	client->head_len = 0;
	client->state = IN_PAYLOAD;
}

static void
read_payload(struct client *client, const uint8_t **data, size_t *len)
{
	size_t n = client->left < *len ? (size_t)client->left : *len;
	size_t keep = HEAD_BYTES - client->head_len;

	if (client->opcode == OP_BINARY) {
		walk_boxes(client, *data, n);
	} else {
		if (keep > n)
			keep = n;
		memcpy(client->head + client->head_len, *data, keep);
		client->head_len += keep;
	}
	client->left -= n;
	*data += n;
	*len -= n;
	if (client->left > 0)
		return;
	client->state = IN_FRAME_HEADER;
	if (client->opcode == OP_PING)
		send_frame(client, OP_PONG, client->head, client->head_len);
	else if (client->opcode == OP_CLOSE)
		drop_client(client, &totals.closed);
	else
		on_message_end(client);
	client->head_len = 0;
	client->box_need = BOX_HEAD_BYTES;
}

static void
parse(struct client *client, const uint8_t *data, size_t len)
{
	totals.bytes += len;
	while (client->state != IN_END &&
	       (len > 0 || (client->state == IN_PAYLOAD && client->left == 0))) {
		if (client->state == IN_HTTP)
			read_http(client, &data, &len);
		else if (client->state == IN_FRAME_HEADER)
			read_frame_header(client, &data, &len);
		else
			read_payload(client, &data, &len);
	}
}

/* --- connections --------------------------------------------------------------------------- */

/* This process may itself be kept waiting on a busy machine: that shall not look like a slow
 * network. */
static void
widen(int fd)
{
	const int bytes = RECV_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static void
start_client(struct client *client, int epoll, const char *stream)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)options.port) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	char request[512];
	int len;

	*client = (struct client){ .stream = stream, .last_time = -1, .box_need = BOX_HEAD_BYTES };
	if (inet_pton(AF_INET, options.host, &addr.sin_addr) != 1) {
		fprintf(stderr, "%s: want an IPv4 address\n", options.host);
		exit(2);
	}
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	widen(client->fd);
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror("connect");
		exit(1);
	}
	len = snprintf(request, sizeof(request),
		       "GET /api/ws?src=%s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		       stream, options.host, options.port);
	if (send(client->fd, request, (size_t)len, MSG_NOSIGNAL) != len ||
	    fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0) {
		perror("start");
		exit(1);
	}
}

static void
read_client(struct client *client)
{
	static uint8_t buffer[READ_BYTES];

	while (client->fd >= 0) {
		ssize_t n = recv(client->fd, buffer, sizeof(buffer), 0);

		if (n > 0) {
			parse(client, buffer, (size_t)n);
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			drop_client(client, &totals.closed);
		} else if (errno == EAGAIN) {
			return;
		}
		if (n < (ssize_t)sizeof(buffer))
			return;
	}
}

static void
run(int epoll)
{
	const int64_t end_ns = now_ns() + (int64_t)(options.seconds * 1e9);
	struct epoll_event events[64];
	int64_t last_ns = now_ns();

	while (!interrupted && now_ns() < end_ns) {
		int64_t left_ms = (end_ns - now_ns()) / 1000000 + 1;
		int n = epoll_wait(epoll, events, 64, left_ms > 1000 ? 1000 : (int)left_ms);
		int64_t gap_ms = (now_ns() - last_ns) / 1000000;

		if (gap_ms > totals.gap_ms_max)
			totals.gap_ms_max = gap_ms;
		last_ns = now_ns();
		for (int i = 0; i < n; i++)
			read_client(events[i].data.ptr);
	}
}

static void
print_report(const struct client *clients)
{
	uint64_t least = UINT64_MAX;
	int without = 0;

	for (int i = 0; i < options.clients; i++) {
		const struct client *client = &clients[i];
		int64_t first_ms = (client->first_ns - client->asked_ns) / 1000000;

		if (client->fragments < least)
			least = client->fragments;
		if (client->fragments == 0)
			without++;
		else if (first_ms > totals.first_ms_max)
			totals.first_ms_max = first_ms;
	}
	printf("{\"clients\": %d, \"upgraded\": %" PRIu64 ", \"refused\": %" PRIu64
	       ", \"closed\": %" PRIu64 ", \"without_picture\": %d, \"fragments\": %" PRIu64
	       ", \"least_fragments\": %" PRIu64 ", \"init_segments\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"skipped\": %" PRIu64 ", \"jumps\": %" PRIu64
	       ", \"backwards\": %" PRIu64 ", \"malformed\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"bytes\": %" PRIu64 ", \"first_picture_ms_max\": %" PRId64
	       ", \"silence_ms_max\": %" PRId64 "}\n",
	       options.clients, totals.upgraded, totals.refused, totals.closed, without,
	       totals.fragments, least, totals.inits, totals.lost, totals.skipped, totals.jumps,
	       totals.back, totals.malformed, totals.errors, totals.bytes, totals.first_ms_max,
	       totals.gap_ms_max);
}

static void
on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
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
		{ NULL },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (opt) {
		case 'h':
			options.host = optarg;
			break;
		case 'p':
			options.port = atoi(optarg);
			break;
		case 'c':
			options.clients = atoi(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'f':
			options.fps = atoi(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (optind >= argc || options.port <= 0 || options.clients <= 0 || options.fps <= 0) {
		fprintf(stderr, "usage: ws_clients --port P [--host A] [--clients N] [--seconds S] "
				"[--fps F] STREAM...\n");
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct client *clients;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	read_options(argc, argv);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	clients = calloc((size_t)options.clients, sizeof(*clients));
	if (clients == NULL || epoll < 0) {
		perror("start");
		return 1;
	}
	for (int i = 0; i < options.clients; i++)
		start_client(&clients[i], epoll, argv[optind + i % (argc - optind)]);
	run(epoll);
	print_report(clients);
	free(clients);
	close(epoll);
	return totals.lost > 0 || totals.skipped > 0 || totals.malformed > 0 || totals.closed > 0 ||
	       totals.refused > 0;
}
