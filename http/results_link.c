/*
 * A plain unix socket that speaks SP. Not nng's: what an analyser sends is read by code that can
 * stop reading.
 */
#include "config.h"

#include "http/results_link.h"

#include "http/sp_reader.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_BYTES   65536u /* of one turn */
#define RETRY_MS     200    /* nobody there, or it hung up; doubles up to the next */
#define RETRY_MAX_MS 5000

struct results_link {
	struct front *front;
	const struct results_link_ops *ops;
	void *arg;
	struct sockaddr_un address;
	uid_t uid;
	int fd; /* -1: none */
	struct event *ev;
	struct clock_timer retry;
	int64_t retry_ms;
	struct sp_reader reader;
};

static void
hang_up(struct results_link *link)
{
	if (link->ev != NULL)
		event_free(link->ev);
	link->ev = NULL;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	sp_reader_clear(&link->reader);
}

static void
try_again(struct results_link *link)
{
	hang_up(link);
	clock_timer_set_ms(&link->retry, link->retry_ms);
	link->retry_ms = link->retry_ms * 2 < RETRY_MAX_MS ? link->retry_ms * 2 : RETRY_MAX_MS;
}

static void
take(struct results_link *link, const uint8_t *bytes, size_t n)
{
	const uint8_t *at = bytes, *msg;
	size_t len;
	int rc = 1;

	while (rc == 1 && link->fd >= 0) {
		rc = sp_reader_take(&link->reader, &at, bytes + n, &msg, &len);
		if (rc != 1)
			break;
		link->retry_ms = RETRY_MS;
		link->ops->on_message(link->arg, msg, len);
	}
	if (rc < 0) {
		try_again(link);
		link->ops->on_fault(link->arg, rc);
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t bytes[READ_BYTES];
	struct results_link *link = arg;
	ssize_t n = read(fd, bytes, sizeof(bytes));

	(void)what;
	if (n > 0)
		take(link, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		try_again(link);
}

/* What was the analyser's own when it was announced may lead to any socket now. */
static bool
is_its_own(const struct results_link *link, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == link->uid;
}

/* 0 and *fd, or negative errno; -EACCES: somebody else listens there, and was told nothing. */
static int
dial(const struct results_link *link, int *fd)
{
	int new_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;

	if (new_fd < 0)
		return -errno;
	/* It answers at once, or says that it is busy (EAGAIN). */
	if (connect(new_fd, (const struct sockaddr *)&link->address, sizeof(link->address)) < 0)
		rc = -ECONNREFUSED;
	else if (!is_its_own(link, new_fd))
		rc = -EACCES;
	else if (send(new_fd, sp_hello, SP_HELLO_BYTES, MSG_NOSIGNAL) != (ssize_t)SP_HELLO_BYTES)
		rc = -EPIPE;
	if (rc < 0)
		close(new_fd);
	else
		*fd = new_fd;
	return rc;
}

static void
on_retry(struct clock_timer *timer, void *arg)
{
	struct results_link *link = arg;
	int rc;

	(void)timer;
	rc = dial(link, &link->fd);
	if (rc < 0) {
		try_again(link);
		if (rc == -EACCES)
			link->ops->on_fault(link->arg, rc);
		return;
	}
	link->ev = event_new(link->front->base, link->fd, EV_READ | EV_PERSIST, on_readable, link);
	if (link->ev == NULL)
		xalloc_die();
	event_add(link->ev, NULL);
}

struct results_link *
results_link_new(struct front *front, const char *path, uid_t uid, size_t max,
		 const struct results_link_ops *ops, void *arg)
{
	struct results_link *link = xcalloc(1, sizeof(*link));

	link->front = front;
	link->ops = ops;
	link->arg = arg;
	link->fd = -1;
	link->uid = uid;
	link->retry_ms = RETRY_MS;
	link->address.sun_family = AF_UNIX;
	snprintf(link->address.sun_path, sizeof(link->address.sun_path), "%s", path);
	sp_reader_init(&link->reader, max);
	clock_timer_init(&link->retry, front->clock, on_retry, link);
	clock_timer_set_ms(&link->retry, 0);
	return link;
}

void
results_link_free(struct results_link **link)
{
	struct results_link *old = *link;

	*link = NULL;
	if (old == NULL)
		return;
	hang_up(old);
	clock_timer_cancel(&old->retry);
	free(old);
}

void
results_link_deafen(struct results_link *link, int64_t ms)
{
	hang_up(link);
	clock_timer_set_ms(&link->retry, ms);
}

bool
results_link_is_connected(const struct results_link *link)
{
	return link->fd >= 0;
}

const char *
results_link_path(const struct results_link *link)
{
	return link->address.sun_path;
}
