/*
 * One libevent timer that follows a clock's earliest deadline.
 */
#include "config.h"

#include "shared/clock_ev.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <event2/event.h>

struct clock_ev {
	struct clock *clock;
	struct event *timer;
};

static void
rearm(void *arg)
{
	struct clock_ev *clock_ev = arg;
	int64_t ns = clock_next_ns(clock_ev->clock);
	struct timeval tv;

	if (ns < 0) {
		event_del(clock_ev->timer);
		return;
	}
	ns += 999; /* libevent counts microseconds: never wake before the deadline */
	tv.tv_sec = ns / NS_PER_S;
	tv.tv_usec = ns % NS_PER_S / 1000;
	event_add(clock_ev->timer, &tv);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct clock_ev *clock_ev = arg;
	int64_t forgiven_ns;

	(void)fd;
	(void)what;
	forgiven_ns = clock_forgive_gap(clock_ev->clock);
	if (forgiven_ns > 0)
		log_info("nothing was done here for %.1f s, which does not count",
			 (double)forgiven_ns / NS_PER_S);
	clock_run_due(clock_ev->clock);
	rearm(clock_ev);
}

struct clock_ev *
clock_ev_new(struct event_base *base, struct clock *clock)
{
	struct clock_ev *clock_ev = xcalloc(1, sizeof(*clock_ev));

	clock_ev->clock = clock;
	clock_ev->timer = evtimer_new(base, on_timer, clock_ev);
	if (clock_ev->timer == NULL)
		xalloc_die();
	clock_set_wakeup(clock, rearm, clock_ev);
	rearm(clock_ev);
	return clock_ev;
}

void
clock_ev_free(struct clock_ev **clock_ev)
{
	if (*clock_ev == NULL)
		return;
	clock_set_wakeup((*clock_ev)->clock, NULL, NULL);
	event_free((*clock_ev)->timer);
	free(*clock_ev);
	*clock_ev = NULL;
}
