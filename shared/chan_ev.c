/*
 * A control channel in the loop. Freed inside its own callbacks it only marks itself dying; the
 * dispatching function, which is the last to touch it, releases it.
 */
#include "config.h"

#include "shared/chan_ev.h"

#include "shared/chan.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUEUE_MAX_MESSAGES 4096 /* a reload of 256 cameras with a second stream each is 1536 */
#define QUEUE_MAX_BYTES    (4u << 20)
#define RECEIVE_PER_TURN   64 /* then others get their turn; the event is level triggered */

struct queued {
	TAILQ_ENTRY(queued) entry;
	json_t *msg;
	int fd;
	size_t bytes;
};
TAILQ_HEAD(queue, queued);

struct chan_ev {
	int fd;
	enum msg_to receive;
	const struct chan_ev_ops *ops;
	void *arg;
	struct event *read_ev, *write_ev, *close_ev;
	struct queue queue;
	size_t queued, queued_bytes;
	size_t max_bytes; /* of a message received; 0: MSG_MAX_BYTES */
	bool closed, dispatching, dying;
	char reason[MSG_ERROR_MAX + 32];
};

static void
queue_drop_first(struct chan_ev *chan)
{
	struct queued *first = TAILQ_FIRST(&chan->queue);

	TAILQ_REMOVE(&chan->queue, first, entry);
	chan->queued--;
	chan->queued_bytes -= first->bytes;
	json_decref(first->msg);
	if (first->fd >= 0)
		close(first->fd);
	free(first);
}

static void
release(struct chan_ev *chan)
{
	while (!TAILQ_EMPTY(&chan->queue))
		queue_drop_first(chan);
	event_free(chan->read_ev);
	event_free(chan->write_ev);
	event_free(chan->close_ev);
	close(chan->fd);
	free(chan);
}

/* The end: nothing is read or written any more; the owner is told from the loop. */
static void
finish(struct chan_ev *chan, const char *what, const char *detail)
{
	if (chan->closed)
		return;
	chan->closed = true;
	snprintf(chan->reason, sizeof(chan->reason), "%s%s%s", what, detail[0] != '\0' ? ": " : "",
		 detail);
	event_del(chan->read_ev);
	event_del(chan->write_ev);
	while (!TAILQ_EMPTY(&chan->queue))
		queue_drop_first(chan);
	event_active(chan->close_ev, EV_TIMEOUT, 1);
}

static void
on_close(evutil_socket_t fd, short what, void *arg)
{
	struct chan_ev *chan = arg;

	(void)fd;
	(void)what;
	chan->dispatching = true;
	chan->ops->on_close(chan->arg, chan->reason);
	chan->dispatching = false;
	if (chan->dying)
		release(chan);
}

/* The next datagram, before it is read. */
static bool
is_too_long(const struct chan_ev *chan)
{
	return chan->max_bytes != 0 &&
	       recv(chan->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT) >
		   (ssize_t)chan->max_bytes;
}

/* false: nothing more to read in this turn. */
static bool
receive_one(struct chan_ev *chan)
{
	char err[MSG_ERROR_MAX] = "";
	enum msg_type type;
	json_t *msg;
	int fd, rc;

	if (is_too_long(chan)) {
		finish(chan, "bad message", "too long");
		return false;
	}
	rc = chan_recv(chan->fd, chan->receive, &msg, &type, &fd, err);
	if (rc == 0) {
		chan->ops->on_msg(chan->arg, type, msg, fd);
		json_decref(msg);
		return !chan->dying && !chan->closed;
	}
	if (rc == -EPIPE)
		finish(chan, "peer closed", "");
	else if (rc == -EPROTO)
		finish(chan, "bad message", err);
	else if (rc != -EAGAIN)
		finish(chan, "receive failed", strerror(-rc));
	return false;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct chan_ev *chan = arg;

	(void)fd;
	(void)what;
	chan->dispatching = true;
	for (int i = 0; i < RECEIVE_PER_TURN && receive_one(chan); i++)
		;
	chan->dispatching = false;
	if (chan->dying)
		release(chan);
}

static void
flush(struct chan_ev *chan)
{
	struct queued *first;

	while (!chan->closed && (first = TAILQ_FIRST(&chan->queue)) != NULL) {
		int rc = chan_send(chan->fd, first->msg, first->fd);

		if (rc == -EAGAIN) {
			event_add(chan->write_ev, NULL);
			return;
		}
		/* A message of ours that is too long is a bug here, not the peer's fault. */
		if (rc == -EMSGSIZE)
			log_err("chan: %s is too long and was not sent",
				msg_str(first->msg, "type"));
		else if (rc < 0) {
			/* What the peer said before it left is still to be read; the end comes
			 * there. */
			while (!TAILQ_EMPTY(&chan->queue))
				queue_drop_first(chan);
			if (rc != -EPIPE && rc != -ECONNRESET)
				finish(chan, "send failed", strerror(-rc));
			return;
		}
		queue_drop_first(chan);
	}
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

struct chan_ev *
chan_ev_new(struct event_base *base, int fd, enum msg_to receive, const struct chan_ev_ops *ops,
	    void *arg)
{
	struct chan_ev *chan = xcalloc(1, sizeof(*chan));

	chan->fd = fd;
	chan->receive = receive;
	chan->ops = ops;
	chan->arg = arg;
	TAILQ_INIT(&chan->queue);
	chan->read_ev = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, chan);
	chan->write_ev = event_new(base, fd, EV_WRITE, on_writable, chan);
	chan->close_ev = event_new(base, -1, 0, on_close, chan);
	if (chan->read_ev == NULL || chan->write_ev == NULL || chan->close_ev == NULL)
		xalloc_die();
	event_add(chan->read_ev, NULL);
	return chan;
}

int
chan_ev_send(struct chan_ev *chan, json_t *msg, int pass_fd)
{
	struct queued *item;
	size_t bytes = json_dumpb(msg, NULL, 0, JSON_COMPACT);
	int rc = 0;

	if (chan->closed)
		rc = -EPIPE;
	else if (chan->queued >= QUEUE_MAX_MESSAGES || chan->queued_bytes + bytes > QUEUE_MAX_BYTES)
		rc = -ENOBUFS;
	if (rc < 0) {
		json_decref(msg);
		if (pass_fd >= 0)
			close(pass_fd);
		return rc;
	}
	item = xcalloc(1, sizeof(*item));
	*item = (struct queued){ .msg = msg, .fd = pass_fd, .bytes = bytes };
	TAILQ_INSERT_TAIL(&chan->queue, item, entry);
	chan->queued++;
	chan->queued_bytes += bytes;
	if (chan->queued == 1)
		flush(chan);
	return 0;
}

void
chan_ev_limit(struct chan_ev *chan, size_t max_bytes)
{
	chan->max_bytes = max_bytes;
}

size_t
chan_ev_queued(const struct chan_ev *chan)
{
	return chan->queued;
}

int
chan_ev_fd(const struct chan_ev *chan)
{
	return chan->fd;
}

void
chan_ev_free(struct chan_ev **chan)
{
	struct chan_ev *old = *chan;

	*chan = NULL;
	if (old == NULL || old->dying)
		return;
	if (!old->dispatching) {
		release(old);
		return;
	}
	old->dying = true;
	event_del(old->read_ev);
	event_del(old->write_ev);
	event_del(old->close_ev);
}
