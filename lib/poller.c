/*
 * epoll and timerfd.
 */
#include "config.h"

#include "lib/poller.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL

struct poller {
	int epoll, timer;
	int64_t at_ns;
};

int
poller_new(struct poller **poller)
{
	struct poller *new_poller = xcalloc(1, sizeof(*new_poller));
	int rc = 0;

	new_poller->at_ns = INT64_MAX;
	new_poller->epoll = epoll_create1(EPOLL_CLOEXEC);
	new_poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (new_poller->epoll < 0 || new_poller->timer < 0)
		rc = -errno;
	else
		rc = poller_add(new_poller, new_poller->timer);
	if (rc < 0)
		poller_free(&new_poller);
	else
		*poller = new_poller;
	return rc;
}

void
poller_free(struct poller **poller)
{
	struct poller *old = *poller;

	*poller = NULL;
	if (old == NULL)
		return;
	if (old->timer >= 0)
		close(old->timer);
	if (old->epoll >= 0)
		close(old->epoll);
	free(old);
}

int
poller_fd(const struct poller *poller)
{
	return poller->epoll;
}

int
poller_add(struct poller *poller, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void
poller_remove(struct poller *poller, int fd)
{
	(void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void
poller_set_time(struct poller *poller, int64_t at_ns)
{
	struct itimerspec spec = { .it_value = { 0, 0 } };

	if (at_ns == poller->at_ns && at_ns == INT64_MAX)
		return;
	poller->at_ns = at_ns;
	/* Zero would stop it; what is due already is due now. */
	if (at_ns < 1)
		at_ns = 1;
	if (at_ns != INT64_MAX) {
		spec.it_value.tv_sec = at_ns / NS_PER_S;
		spec.it_value.tv_nsec = at_ns % NS_PER_S;
	}
	(void)timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

void
poller_wait(struct poller *poller, int timeout_ms)
{
	struct epoll_event event;

	(void)epoll_wait(poller->epoll, &event, 1, timeout_ms);
}
