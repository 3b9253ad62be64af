/*
 * What every viewer's connection does alike: filling and writing, deadlines, its end.
 */
#include "config.h"

#include "http/link.h"

#include "http/crowd.h"
#include "http/link_tls.h"
#include "http/link_ws.h"
#include "http/ws.h"
#include "shared/log.h"

#include <errno.h>

#define PROGRESS_MS       10000    /* the peer takes nothing */
#define READ_BYTES_MAX    65536    /* what an HTTP viewer may say after its request */
#define CONTROL_BYTES_MAX 16384    /* answers that wait */
#define FILLS_PER_PUMP    64       /* then others get their turn */
#define FULL_NS           NS_PER_S /* a peer that was full counts as slow for so long */

static void
on_progress_timeout(struct clock_timer *timer, void *arg)
{
	struct link *link = arg;

	(void)timer;
	link->is_stuck = true;
	log_debug("a viewer takes nothing for %d s: closed", PROGRESS_MS / 1000);
	link_close(link);
}

static void
on_end(struct clock_timer *timer, void *arg)
{
	struct link *link = arg;

	(void)timer;
	link->ops->on_end(link->arg);
}

void
link_init(struct link *link, struct front *front, const struct link_way *way, void *conn,
	  const struct link_ops *ops, void *arg)
{
	*link = (struct link){ .front = front,
			       .ops = ops,
			       .arg = arg,
			       .way = way,
			       .conn = conn,
			       .full_ns = INT64_MIN / 2 };
	outq_init(&link->out);
	clock_timer_init(&link->progress, front->clock, on_progress_timeout, link);
	clock_timer_init(&link->idle, front->clock, link_ws_on_idle, link);
	clock_timer_init(&link->end, front->clock, on_end, link);
}

void
link_begin(struct link *link, struct front *front, const struct link_end *end,
	   const struct link_ops *ops, void *arg)
{
	if (end->ssl != NULL)
		link_tls(link, front, end->fd, end->ssl, ops, arg);
	else
		link_socket(link, front, end->fd, ops, arg);
	link->place = end->place;
}

void
link_close(struct link *link)
{
	if (link->dying)
		return;
	link->dying = true;
	link->way->stop(link);
	clock_timer_cancel(&link->progress);
	clock_timer_cancel(&link->idle);
	/* Who called may still be at work with it: the rest is left to the loop. */
	clock_timer_set_ms(&link->end, 0);
}

void
link_finish(struct link *link)
{
	link->closing = true;
}

void
link_clear(struct link *link)
{
	link_close(link);
	clock_timer_cancel(&link->end);
	link->way->close(link);
	crowd_leave(&link->place);
	outq_clear(&link->out);
	ws_free(&link->ws);
}

/* Reading */

void
link_on_input(struct link *link, const uint8_t *bytes, size_t len)
{
	link->read_bytes += len;
	if (link->ws == NULL) {
		if (link->read_bytes > READ_BYTES_MAX)
			link_close(link);
		return;
	}
	if (ws_feed(link->ws, bytes, len) < 0)
		link_finish(link);
	if (link->control_bytes > CONTROL_BYTES_MAX)
		link_close(link);
}

/* Writing */

static void
wait_until_writable(struct link *link)
{
	link->blocked = true;
	if (!clock_timer_is_set(&link->progress))
		clock_timer_set_ms(&link->progress, PROGRESS_MS);
	link->way->await_writable(link);
}

static int
write_out(struct link *link)
{
	uint64_t written = 0;
	int rc = link->way->write(link, &written);

	link->front->bytes_sent += written;
	if (written > 0 && link->ops->on_sent != NULL)
		link->ops->on_sent(link->arg, written);
	if (rc == 0) {
		link->control_bytes = 0;
		clock_timer_cancel(&link->progress);
	} else if (rc == -EAGAIN) {
		if (written > 0 || !clock_timer_is_set(&link->progress))
			clock_timer_set_ms(&link->progress, PROGRESS_MS);
		link->full_ns = clock_now_ns(link->front->clock);
		wait_until_writable(link);
	} else {
		link_close(link);
	}
	if (written > 0 && !link->dying)
		link_ws_note_sent(link);
	return rc;
}

void
link_pump(struct link *link)
{
	if (link->dying || link->blocked)
		return;
	for (int i = 0; i < FILLS_PER_PUMP; i++) {
		if (outq_is_empty(&link->out) && !link->closing)
			link->ops->fill(link->arg);
		if (link->dying)
			return;
		if (outq_is_empty(&link->out)) {
			clock_timer_cancel(&link->progress);
			if (link->closing)
				link_close(link);
			return;
		}
		if (write_out(link) < 0)
			return;
	}
	wait_until_writable(link);
}

bool
link_was_full(const struct link *link)
{
	return link->blocked || clock_now_ns(link->front->clock) - link->full_ns <= FULL_NS;
}

void
link_pump_in_turn(struct link *link)
{
	if (link->dying || link->blocked)
		return;
	if (!link_was_full(link))
		link_pump(link);
	else
		wait_until_writable(link);
}

void
link_on_writable(struct link *link)
{
	link->blocked = false;
	link_pump(link);
}
