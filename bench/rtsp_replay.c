/*
 * A camera for benches: an RTSP server that replays one H.264 clip to everybody who asks, in real
 * time, over interleaved TCP or UDP. Each access unit begins with an SEI that says when it was
 * handed to the socket (CLOCK_MONOTONIC) and its number, so that whoever gets it can tell its age
 * and what is missing.
 *
 *	rtsp_replay CLIP.h264 [FPS]
 *
 * Any path is a camera of its own: rtsp://127.0.0.1:PORT/cam7. Prints "PORT n" when it listens, and
 * "FIRST client-port ns" when the first byte of a connection has come. Ends with its standard
 *input.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/stamp.h"

#define CLIENTS_MAX    512
#define REQUEST_MAX    4096
#define PACKET_PAYLOAD 1400
#define OUT_MAX        (4u << 20)
#define RTP_CLOCK_HZ   90000
#define PAYLOAD_TYPE   96

struct unit {
	const uint8_t *data; /* Annex B */
	size_t len;
	bool is_key;
};

struct client {
	int fd, udp; /* udp: connected RTP socket, -1 over TCP */
	char in[REQUEST_MAX];
	size_t in_len;
	bool has_spoken, is_playing;
	int64_t next_ns;
	size_t unit;
	uint32_t number; /* of the unit, in the stamp */
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint8_t *out;
	size_t out_len;
};

static struct {
	struct unit *units;
	size_t n_units;
	char sps[512], pps[512]; /* base64 */
	int64_t interval_ns;
	int epoll, listener;
	struct client *clients[CLIENTS_MAX];
	size_t n_clients;
} camera;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "rtsp_replay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The clip */

/* The NAL unit that begins at or after *at; *at goes behind it. */
static bool
next_nal(const uint8_t *data, size_t len, size_t *at, size_t *begin, size_t *end)
{
	size_t i = *at;

	while (i + 3 <= len && !(data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1))
		i++;
	if (i + 3 > len)
		return false;
	*begin = i + 3;
	for (i = *begin; i + 3 <= len && !(data[i] == 0 && data[i + 1] == 0 && data[i + 2] <= 1);
	     i++)
		;
	*end = i + 3 <= len ? i : len;
	*at = *end;
	return *end > *begin;
}

static void
base64(const uint8_t *data, size_t len, char *out, size_t size)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 5 < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16 |
				(uint32_t)(i + 1 < len ? data[i + 1] : 0) << 8 |
				(i + 2 < len ? data[i + 2] : 0);

		out[n++] = digits[bits >> 18 & 63];
		out[n++] = digits[bits >> 12 & 63];
		out[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	out[n] = '\0';
}

static void
add_unit(const uint8_t *data, size_t begin, size_t end, bool is_key)
{
	if (end <= begin + 3) /* zeros in front of the first start code */
		return;
	camera.units = realloc(camera.units, (camera.n_units + 1) * sizeof(*camera.units));
	if (camera.units == NULL)
		die("memory");
	camera.units[camera.n_units++] = (struct unit){ data + begin, end - begin, is_key };
}

/* A unit begins with its delimiter (nal_unit_type 9), which the benches' clips have. */
static void
cut_into_units(const uint8_t *data, size_t len)
{
	size_t at = 0, begin, end, unit = 0;
	bool is_key = false;

	while (next_nal(data, len, &at, &begin, &end)) {
		unsigned type = data[begin] & 31;

		if (type == 7)
			base64(data + begin, end - begin, camera.sps, sizeof(camera.sps));
		if (type == 8)
			base64(data + begin, end - begin, camera.pps, sizeof(camera.pps));
		if (type == 9) {
			add_unit(data, unit, begin - 3, is_key);
			unit = begin - 3;
			is_key = false;
		}
		is_key = is_key || type == 5;
	}
	add_unit(data, unit, len, is_key);
}

static void
load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	data = malloc((size_t)st.st_size);
	if (data == NULL)
		die("memory");
	for (size_t len = 0; len < (size_t)st.st_size; len += (size_t)n) {
		n = read(fd, data + len, (size_t)st.st_size - len);
		if (n <= 0)
			die(path);
	}
	close(fd);
	cut_into_units(data, (size_t)st.st_size);
	if (camera.n_units == 0 || !camera.units[0].is_key) {
		fprintf(stderr, "rtsp_replay: %s does not begin with a key frame\n", path);
		exit(1);
	}
}

/* Sending */

static void
drop(struct client *client)
{
	for (size_t i = 0; i < camera.n_clients; i++)
		if (camera.clients[i] == client)
			camera.clients[i] = camera.clients[--camera.n_clients];
	close(client->fd);
	if (client->udp >= 0)
		close(client->udp);
	free(client->out);
	free(client);
}

/* What the socket does not take waits; a client that does not read is dropped by its owner. */
static bool
flush(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
	size_t sent = 0;

	while (sent < client->out_len) {
		ssize_t n =
		    send(client->fd, client->out + sent, client->out_len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	memmove(client->out, client->out + sent, client->out_len - sent);
	client->out_len -= sent;
	if (client->out_len > 0)
		event.events |= EPOLLOUT;
	epoll_ctl(camera.epoll, EPOLL_CTL_MOD, client->fd, &event);
	return true;
}

static void
put(struct client *client, const void *data, size_t len)
{
	if (client->out_len + len > OUT_MAX)
		return;
	memcpy(client->out + client->out_len, data, len);
	client->out_len += len;
}

static void
send_packet(struct client *client, const uint8_t *head, size_t head_len, const uint8_t *data,
	    size_t len, bool marker)
{
	uint8_t packet[16 + 2 + PACKET_PAYLOAD], *rtp = packet + 4;
	size_t size = 12 + head_len + len;

	packet[0] = '$';
	packet[1] = 0;
	packet[2] = (uint8_t)(size >> 8);
	packet[3] = (uint8_t)size;
	rtp[0] = 0x80;
	rtp[1] = (uint8_t)(PAYLOAD_TYPE | (marker ? 0x80 : 0));
	rtp[2] = (uint8_t)(client->seq >> 8);
	rtp[3] = (uint8_t)client->seq++;
	for (int i = 0; i < 4; i++) {
		rtp[4 + i] = (uint8_t)(client->timestamp >> 8 * (3 - i));
		rtp[8 + i] = (uint8_t)(client->ssrc >> 8 * (3 - i));
	}
	if (head_len > 0)
		memcpy(rtp + 12, head, head_len);
	memcpy(rtp + 12 + head_len, data, len);
	if (client->udp >= 0)
		(void)send(client->udp, rtp, size, 0);
	else
		put(client, packet, 4 + size);
}

/* RFC 6184: whole when it fits, else FU-A. */
static void
send_nal(struct client *client, const uint8_t *nal, size_t len, bool is_last)
{
	size_t at = 1;

	if (len <= PACKET_PAYLOAD) {
		send_packet(client, NULL, 0, nal, len, is_last);
		return;
	}
	while (at < len) {
		size_t n = len - at < PACKET_PAYLOAD ? len - at : PACKET_PAYLOAD;
		bool is_end = at + n == len;
		uint8_t head[2] = { (uint8_t)((nal[0] & 0xe0) | 28), nal[0] & 31 };

		head[1] |= (uint8_t)(at == 1 ? 0x80 : 0);
		head[1] |= (uint8_t)(is_end ? 0x40 : 0);
		send_packet(client, head, 2, nal + at, n, is_last && is_end);
		at += n;
	}
}

static bool
send_unit(struct client *client)
{
	const struct unit *unit = &camera.units[client->unit];
	uint8_t sei[STAMP_SEI_BYTES];
	size_t at = 0, begin, end;
	bool has_more = next_nal(unit->data, unit->len, &at, &begin, &end);

	stamp_write(sei, (uint64_t)now_ns(), client->number++);
	send_nal(client, sei, sizeof(sei), false);
	while (has_more) {
		const uint8_t *nal = unit->data + begin;
		size_t len = end - begin;

		has_more = next_nal(unit->data, unit->len, &at, &begin, &end);
		send_nal(client, nal, len, !has_more);
	}
	client->unit = (client->unit + 1) % camera.n_units;
	client->timestamp += (uint32_t)(camera.interval_ns * RTP_CLOCK_HZ / 1000000000);
	return client->udp >= 0 || flush(client);
}

/* Requests */

static void
header_value(const char *request, const char *name, char *value, size_t size)
{
	const char *at = strcasestr(request, name);
	size_t n = at != NULL ? strcspn(at + strlen(name), "\r\n;") : 0;

	snprintf(value, size, "%.*s", (int)n, at != NULL ? at + strlen(name) : "");
}

static void
answer(struct client *client, const char *request, const char *headers, const char *body)
{
	char text[4096], cseq[32];
	int n;

	header_value(request, "\r\nCSeq:", cseq, sizeof(cseq));
	n = snprintf(text, sizeof(text),
		     "RTSP/1.0 200 OK\r\nCSeq:%s\r\nSession: 1;timeout=60\r\n%s\r\n%s", cseq,
		     headers, body);
	put(client, text, (size_t)n);
}

static void
describe(struct client *client, const char *request)
{
	char body[2048], headers[128];
	int n = snprintf(body, sizeof(body),
			 "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=replay\r\nt=0 0\r\na=control:*\r\n"
			 "m=video 0 RTP/AVP %d\r\na=rtpmap:%d H264/%d\r\n"
			 "a=fmtp:%d packetization-mode=1;sprop-parameter-sets=%s,%s\r\n"
			 "a=control:video\r\n",
			 PAYLOAD_TYPE, PAYLOAD_TYPE, RTP_CLOCK_HZ, PAYLOAD_TYPE, camera.sps,
			 camera.pps);

	snprintf(headers, sizeof(headers),
		 "Content-Type: application/sdp\r\nContent-Length: %d\r\n", n);
	answer(client, request, headers, body);
}

/* Our RTP socket, connected to the client's port. */
static uint16_t
open_udp(struct client *client, uint16_t client_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->udp < 0 || bind(client->udp, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("udp");
	getsockname(client->udp, (struct sockaddr *)&addr, &len);
	len = addr.sin_port;
	addr.sin_port = htons(client_port);
	if (connect(client->udp, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("udp");
	return ntohs((uint16_t)len);
}

static void
set_up(struct client *client, const char *request)
{
	const char *ports = strcasestr(request, "client_port=");
	char headers[256];
	uint16_t port, ours;

	if (ports == NULL || strcasestr(request, "interleaved=") != NULL) {
		answer(client, request, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "");
		return;
	}
	port = (uint16_t)strtoul(ports + strlen("client_port="), NULL, 10);
	ours = open_udp(client, port);
	snprintf(headers, sizeof(headers),
		 "Transport: RTP/AVP;unicast;client_port=%u-%u;server_port=%u-%u\r\n", port,
		 port + 1u, ours, ours + 1u);
	answer(client, request, headers, "");
}

static bool
handle(struct client *client, const char *request)
{
	if (strncmp(request, "DESCRIBE ", 9) == 0) {
		describe(client, request);
	} else if (strncmp(request, "SETUP ", 6) == 0) {
		set_up(client, request);
	} else if (strncmp(request, "PLAY ", 5) == 0) {
		answer(client, request, "Range: npt=now-\r\n", "");
		if (!client->is_playing) /* cameras do not beat in time with each other */
			client->next_ns = now_ns() + (int64_t)(random() % camera.interval_ns);
		client->is_playing = true;
	} else if (strncmp(request, "TEARDOWN ", 9) == 0) {
		answer(client, request, "", "");
		(void)flush(client);
		return false;
	} else {
		answer(client, request,
		       "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n", "");
	}
	return flush(client);
}

/* Passes interleaved frames over (receiver reports), handles whole requests. */
static bool
take(struct client *client)
{
	while (client->in_len > 0) {
		char *end, request[REQUEST_MAX + 1];
		size_t n;

		if (client->in[0] == '$') {
			n = client->in_len < 4 ? SIZE_MAX
					       : 4 + ((size_t)(uint8_t)client->in[2] << 8 |
						      (uint8_t)client->in[3]);
			if (n > client->in_len)
				return client->in_len < REQUEST_MAX;
		} else {
			end = memmem(client->in, client->in_len, "\r\n\r\n", 4);
			if (end == NULL)
				return client->in_len < REQUEST_MAX;
			n = (size_t)(end - client->in) + 4;
			memcpy(request, client->in, n);
			request[n] = '\0';
			if (!handle(client, request))
				return false;
		}
		memmove(client->in, client->in + n, client->in_len - n);
		client->in_len -= n;
	}
	return true;
}

static bool
receive(struct client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len, REQUEST_MAX - client->in_len, 0);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	if (!client->has_spoken && getpeername(client->fd, (struct sockaddr *)&peer, &len) == 0) {
		client->has_spoken = true;
		printf("FIRST %u %" PRId64 "\n", ntohs(peer.sin_port), now_ns());
		fflush(stdout);
	}
	client->in_len += (size_t)n;
	return take(client);
}

/* The loop */

static void
accept_client(void)
{
	int fd = accept4(camera.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;
	struct client *client = fd >= 0 ? calloc(1, sizeof(*client)) : NULL;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	if (client == NULL || camera.n_clients == CLIENTS_MAX)
		die("accept");
	client->fd = fd;
	client->udp = -1;
	client->out = malloc(OUT_MAX);
	client->ssrc = (uint32_t)random();
	client->timestamp = (uint32_t)random();
	if (client->out == NULL)
		die("memory");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	epoll_ctl(camera.epoll, EPOLL_CTL_ADD, fd, &event);
	camera.clients[camera.n_clients++] = client;
}

/* Sends what is due; returns ms until the next is. */
static int
send_due(void)
{
	int64_t now = now_ns(), next = now + INT64_C(1000000000);

	for (size_t i = 0; i < camera.n_clients; i++) {
		struct client *client = camera.clients[i];

		if (!client->is_playing)
			continue;
		if (client->next_ns <= now) {
			client->next_ns += camera.interval_ns;
			if (!send_unit(client)) {
				drop(client);
				i--;
				continue;
			}
		}
		if (client->next_ns < next)
			next = client->next_ns;
	}
	now = now_ns();
	return next > now ? (int)((next - now) / 1000000) + 1 : 0;
}

static void
listen_somewhere(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	struct epoll_event input = { .events = EPOLLIN, .data.ptr = &camera };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	camera.epoll = epoll_create1(EPOLL_CLOEXEC);
	camera.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (camera.listener < 0 ||
	    bind(camera.listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(camera.listener, 512) < 0)
		die("listen");
	getsockname(camera.listener, (struct sockaddr *)&addr, &len);
	epoll_ctl(camera.epoll, EPOLL_CTL_ADD, camera.listener, &event);
	epoll_ctl(camera.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
	printf("PORT %u\n", ntohs(addr.sin_port));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[64];
	int n;

	if (argc < 2) {
		fprintf(stderr, "usage: rtsp_replay CLIP.h264 [FPS]\n");
		return 2;
	}
	camera.interval_ns = INT64_C(1000000000) / (argc > 2 ? atoi(argv[2]) : 25);
	load(argv[1]);
	listen_somewhere();
	for (;;) {
		n = epoll_wait(camera.epoll, events, 64, send_due());
		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;

			if ((void *)client == &camera)
				return 0;
			if (client == NULL)
				accept_client();
			else if (((events[i].events & EPOLLOUT) && !flush(client)) ||
				 ((events[i].events & ~(uint32_t)EPOLLOUT) && !receive(client)))
				drop(client);
		}
	}
}
