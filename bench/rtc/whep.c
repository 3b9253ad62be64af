/*
 * WHEP as the player.
 */
#define _GNU_SOURCE
#include "config.h"

#include "bench/rtc/whep.h"

#include "bench/rtc/dtls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TRIES        50
#define PAUSE_MS     60
#define RESPONSE_MAX 16384
#define TIMEOUT_S    10

static const char offer_head[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
				 "a=group:BUNDLE 0\r\n"
				 "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n"
				 "a=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
				 "a=rtcp-rsize\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 "
				 "level-asymmetry-allowed=1;packetization-mode=1;"
				 "profile-level-id=42e01f\r\n"
				 "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
				 "a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 goog-remb\r\n";
static const char offer_rtx[] = "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";
static const char offer_twcc[] =
    "a=rtcp-fb:96 transport-cc\r\na=extmap:4 "
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n";

static int
dial(const struct whep_options *options)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = -1;

	if (getaddrinfo(options->host, options->port, &hints, &found) != 0)
		return -EHOSTUNREACH;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
		if (connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd >= 0 ? fd : -ECONNREFUSED;
}

/* The whole response, as much of it as there is room for, zero-terminated. */
static int
exchange(const struct whep_options *options, const char *request, char response[RESPONSE_MAX])
{
	size_t len = 0, left = strlen(request);
	int fd = dial(options);
	ssize_t n;

	if (fd < 0)
		return fd;
	while (left > 0 && (n = send(fd, request, left, MSG_NOSIGNAL)) > 0) {
		request += n;
		left -= (size_t)n;
	}
	while (len < RESPONSE_MAX - 1 &&
	       (n = recv(fd, response + len, RESPONSE_MAX - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	response[len] = '\0';
	if (strncmp(response, "HTTP/1.1 ", 9) != 0)
		return -EPROTO;
	return atoi(response + 9);
}

/* What is behind `name` to the end of its line; false without. */
static bool
find_value(const char *text, const char *name, char *out, size_t cap)
{
	const char *at = strcasestr(text, name);
	size_t len;

	if (at == NULL)
		return false;
	at += strlen(name);
	len = strcspn(at, "\r\n");
	if (len >= cap)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

static bool
set_server(const char *address, unsigned port, struct whep_answer *answer)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&answer->server;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&answer->server;

	memset(&answer->server, 0, sizeof(answer->server));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		answer->server_len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	answer->server_len = sizeof(*v6);
	return true;
}

static bool
find_candidate(const char *sdp, bool is_tcp, struct whep_answer *answer)
{
	const char *at = sdp;

	while ((at = strstr(at, "a=candidate:")) != NULL) {
		char kind[8], address[64];
		unsigned port;

		if (sscanf(at, "a=candidate:%*s %*u %7s %*u %63s %u", kind, address, &port) == 3 &&
		    (strcasecmp(kind, "tcp") == 0) == is_tcp && set_server(address, port, answer))
			return true;
		at++;
	}
	return false;
}

static int
read_answer(const struct whep_options *options, const char *response, struct whep_answer *answer)
{
	unsigned video = 0, rtx = 0, twcc = 0;
	const char *at = strstr(response, "m=video ");
	char line[256];

	if (at == NULL || sscanf(at, "m=video %*u %*s %u %u", &video, &rtx) < 1 ||
	    !find_value(response, "\nLocation: ", answer->location, sizeof(answer->location)) ||
	    !find_value(response, "a=ice-ufrag:", answer->ufrag, sizeof(answer->ufrag)) ||
	    !find_value(response, "a=ice-pwd:", answer->password, sizeof(answer->password)) ||
	    !find_candidate(response, options->use_tcp, answer))
		return -EPROTO;
	if (strstr(response, "transport-wide-cc") != NULL &&
	    find_value(response, "a=extmap:4 ", line, sizeof(line)))
		twcc = 4;
	answer->video_type = (uint8_t)video;
	answer->rtx_type = (uint8_t)rtx;
	answer->twcc_id = (uint8_t)twcc;
	return 0;
}

int
whep_post(const struct whep_options *options, const char *ufrag, const char *password,
	  struct whep_answer *answer)
{
	char response[RESPONSE_MAX], *body = NULL, *request = NULL;
	int status = -ENOMEM;

	if (asprintf(&body, "%sa=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:%s\r\n%s%s",
		     offer_head, ufrag, password, bench_dtls_fingerprint(),
		     options->has_rtx ? offer_rtx : "", options->has_twcc ? offer_twcc : "") < 0)
		return status;
	if (asprintf(&request,
		     "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/sdp\r\n"
		     "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		     options->path, options->host, options->port, strlen(body), body) >= 0)
		status = exchange(options, request, response);
	/* Many viewers at one address: another is let in after a moment. */
	for (int i = 0; status == 429 && i < TRIES; i++) {
		(void)poll(NULL, 0, PAUSE_MS);
		status = exchange(options, request, response);
	}
	free(body);
	free(request);
	if (status != 201)
		return status;
	return read_answer(options, response, answer);
}

void
whep_delete(const struct whep_options *options, const struct whep_answer *answer)
{
	char response[RESPONSE_MAX], request[1024];

	(void)snprintf(request, sizeof(request),
		       "DELETE %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
		       answer->location, options->host, options->port);
	(void)exchange(options, request, response);
}
