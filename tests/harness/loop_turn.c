/*
 * One turn of a test's loop: what is ready is run; when nothing is, fake time jumps to the next
 * deadline; when there is none, real things are waited for.
 *
 * libevent does not tell whether a turn would find anything, so the descriptors of all its events
 * are polled here first. That holds for every backend.
 */
#include "config.h"

#include "tests/harness/internal.h"

#include "shared/xalloc.h"

#include <dirent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

/* Bytes on loopback TCP may need a moment of the kernel's: time does not jump before that. */
#define TCP_SETTLE_MS 10
#define STANDSTILL_S  1

struct scan {
	struct pollfd *fds;
	size_t n, size;
	bool timer_due, timer_waiting, signal_waiting, has_inet;
	struct timeval now;
};

static void
scan_fd(struct scan *scan, const struct event *ev)
{
	int domain = 0;
	socklen_t len = sizeof(domain);
	short events = 0;

	if (ev->ev_events & EV_READ)
		events |= POLLIN;
	if (ev->ev_events & EV_WRITE)
		events |= POLLOUT;
	if (ev->ev_events & EV_CLOSED)
		events |= POLLRDHUP;
	if (scan->n == scan->size) {
		scan->size = scan->size > 0 ? 2 * scan->size : 32;
		scan->fds = xreallocarray(scan->fds, scan->size, sizeof(*scan->fds));
	}
	scan->fds[scan->n++] = (struct pollfd){ .fd = ev->ev_fd, .events = events };
	if (getsockopt(ev->ev_fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain != AF_UNIX)
		scan->has_inet = true;
}

static int
scan_event(const struct event_base *base, const struct event *ev, void *arg)
{
	struct scan *scan = arg;
	struct timeval due;

	(void)base;
	if ((ev->ev_evcallback.evcb_flags & EVLIST_INSERTED) &&
	    (ev->ev_events & (EV_READ | EV_WRITE | EV_CLOSED)))
		scan_fd(scan, ev);
	if ((ev->ev_events & EV_SIGNAL) && (ev->ev_evcallback.evcb_flags & EVLIST_INSERTED))
		scan->signal_waiting = true;
	if (event_pending(ev, EV_TIMEOUT, &due)) {
		scan->timer_waiting = true;
		if (!timercmp(&due, &scan->now, >))
			scan->timer_due = true;
	}
	return 0;
}

static void
scan_base(struct loop *loop, struct scan *scan)
{
	*scan = (struct scan){ 0 };
	gettimeofday(&scan->now, NULL);
	event_base_foreach_event(loop->base, scan_event, scan);
}

static bool
scan_is_ready(struct loop *loop, struct scan *scan, int wait_ms)
{
	if (event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE) > 0 || scan->timer_due)
		return true;
	return poll(scan->fds, scan->n, wait_ms) > 0;
}

bool
loop_is_ready(struct loop *loop)
{
	struct scan scan;
	bool ready;

	scan_base(loop, &scan);
	ready = scan_is_ready(loop, &scan, 0) || clock_next_ns(loop->clock) == 0;
	free(scan.fds);
	return ready;
}

static bool
has_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	if (dir != NULL)
		closedir(dir);
	return n > 1;
}

/* Nobody but this thread could make anything happen, and it has nothing to do. Signals may be sent
 * by this process itself only. */
static bool
is_standstill(struct loop *loop, const struct scan *scan)
{
	return !loop->options.real_clock && !scan->timer_waiting && !scan->signal_waiting &&
	       (clock_next_ns(loop->clock) < 0 || loop->hold) && loop->programs_running == 0 &&
	       !leaks_has_children() && !has_threads();
}

static void
wait_for_real(struct loop *loop, int wait_ms)
{
	struct timeval tv = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };

	event_add(loop->guard, &tv);
	event_base_loop(loop->base, EVLOOP_ONCE);
	event_del(loop->guard);
}

/* Nothing is ready: move time, or wait. */
static bool
idle(struct loop *loop, struct scan *scan, int wait_ms, bool may_advance)
{
	int64_t next = clock_next_ns(loop->clock);

	if (scan->has_inet && scan_is_ready(loop, scan, TCP_SETTLE_MS))
		return true;
	if (may_advance && next > 0) {
		clock_advance_ms(loop->clock, (next + NS_PER_MS - 1) / NS_PER_MS);
		return true;
	}
	if (is_standstill(loop, scan)) {
		/* Once more, for a kernel that is late. */
		if (scan_is_ready(loop, scan, fixture_scaled_ms(STANDSTILL_S * 1000)))
			return true;
		return false;
	}
	wait_for_real(loop, wait_ms);
	return true;
}

bool
loop_turn(struct loop *loop, int wait_ms, bool may_advance)
{
	struct scan scan;
	bool alive = true, ran = false;

	if (loop->options.real_clock) {
		wait_for_real(loop, wait_ms);
		return true;
	}
	scan_base(loop, &scan);
	if (scan_is_ready(loop, &scan, 0)) {
		event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		ran = true;
	}
	if (clock_next_ns(loop->clock) == 0) {
		clock_run_due(loop->clock);
		ran = true;
	}
	if (!ran)
		alive = idle(loop, &scan, wait_ms, may_advance);
	free(scan.fds);
	return alive;
}
