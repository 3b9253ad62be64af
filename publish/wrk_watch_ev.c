/*
 * One persistent read event.
 */
#include "config.h"

#include "publish/wrk_watch_ev.h"

#include "shared/xalloc.h"

#include <event2/event.h>

struct wrk_watch {
	struct event *event;
	void (*cb)(void *arg);
	void *arg;
};

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct wrk_watch *watch = arg;

	(void)fd;
	(void)what;
	watch->cb(watch->arg);
}

struct wrk_watch *
wrk_watch_new(struct event_base *base, int fd, void (*cb)(void *arg), void *arg)
{
	struct wrk_watch *watch = xcalloc(1, sizeof(*watch));

	watch->cb = cb;
	watch->arg = arg;
	watch->event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) < 0)
		xalloc_die();
	return watch;
}

void
wrk_watch_free(struct wrk_watch **watch)
{
	if (*watch == NULL)
		return;
	event_free((*watch)->event);
	free(*watch);
	*watch = NULL;
}
