/*
 * The connect is watched for writability; the answer always comes from the loop, a refusal at once
 * too, so that callers need not expect it inside their own call.
 */
#include "config.h"

#include "supervisor/sup_probe_ev.h"

#include "shared/xalloc.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_lookup.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

struct sup_probe {
	sup_probe_fn *fn;
	void *arg;
	int fd;
	int error;
	struct event *ev;
	struct clock_timer timer;
};

void
sup_probe_cancel(struct sup_probe **probe)
{
	struct sup_probe *old = *probe;

	*probe = NULL;
	if (old == NULL)
		return;
	clock_timer_cancel(&old->timer);
	if (old->ev != NULL)
		event_free(old->ev);
	if (old->fd >= 0)
		close(old->fd);
	free(old);
}

static void
finish(struct sup_probe *probe, int error)
{
	sup_probe_fn *fn = probe->fn;
	void *arg = probe->arg;
	int fd = -1;

	if (error == 0) {
		fd = probe->fd;
		probe->fd = -1;
	}
	sup_probe_cancel(&probe);
	fn(arg, error, fd);
}

static void
on_timer(struct clock_timer *timer, void *arg)
{
	struct sup_probe *probe = arg;

	(void)timer;
	finish(probe, probe->error);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	finish(arg, -error);
}

struct sup_probe *
sup_probe_start(struct sup *sup, const struct sockaddr_storage *address, int64_t timeout_ms,
		sup_probe_fn *fn, void *arg)
{
	struct sup_probe *probe = xcalloc(1, sizeof(*probe));

	probe->fn = fn;
	probe->arg = arg;
	probe->error = -ETIMEDOUT;
	clock_timer_init(&probe->timer, sup->deps.clock, on_timer, probe);
	probe->fd = sup->deps.connect(sup->deps.arg, (const struct sockaddr *)address,
				      sup_address_len(address));
	if (probe->fd < 0) {
		probe->error = probe->fd;
		probe->fd = -1;
		clock_timer_set_ms(&probe->timer, 0);
		return probe;
	}
	probe->ev = event_new(sup->deps.base, probe->fd, EV_WRITE, on_writable, probe);
	if (probe->ev == NULL)
		xalloc_die();
	event_add(probe->ev, NULL);
	clock_timer_set_ms(&probe->timer, timeout_ms);
	return probe;
}
