/*
 * One address after the other, in the order of the resolver.
 */
#include "config.h"

#include "ctl/probe_connect.h"

#include "shared/clock.h"
#include "shared/conf.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
wait_connected(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int error = 0;
	socklen_t len = sizeof(error);
	int n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int
connect_one(const struct addrinfo *address, int timeout_ms)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		rc = errno == EINPROGRESS ? wait_connected(fd, timeout_ms) : -errno;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

static int
connect_any(const struct addrinfo *list, int timeout_ms, char *why, size_t why_len)
{
	struct clock *clock = clock_new();
	int64_t deadline_ns = clock_now_ns(clock) + timeout_ms * NS_PER_MS;
	char text[64];
	int fd = -ENOENT;

	for (const struct addrinfo *one = list; one != NULL && fd < 0; one = one->ai_next) {
		int64_t left_ms = (deadline_ns - clock_now_ns(clock)) / NS_PER_MS;

		if (left_ms <= 0)
			break;
		fd = connect_one(one, (int)left_ms);
		if (fd < 0)
			snprintf(why, why_len, "no answer from %s: %s",
				 conf_address_format(one->ai_addr, text), strerror(-fd));
	}
	clock_free(&clock);
	return fd;
}

int
probe_connect(const struct url *url, int timeout_ms, char *why, size_t why_len)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list;
	char port[16];
	int rc;

	snprintf(port, sizeof(port), "%u", url->port);
	rc = getaddrinfo(url->host, port, &hints, &list);
	if (rc != 0) {
		snprintf(why, why_len, "cannot find %s: %s", url->host,
			 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return -ENOENT;
	}
	rc = connect_any(list, timeout_ms, why, why_len);
	freeaddrinfo(list);
	return rc;
}
