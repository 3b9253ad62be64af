/*
 * accept, write, shut down, wait a moment for the peer to close (a close with its request unread
 * would destroy the answer on its way), close. The oldest goes when there are too many.
 */
#include "config.h"

#include "supervisor/sup_refuse_ev.h"

#include "shared/xalloc.h"
#include "supervisor/sup_int.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_PER_TURN 16
#define PAUSE_MS        1000 /* out of descriptors: others need them more */
#define BODY            "{\"error\":\"camhub has no valid configuration; its log says why\"}\n"

static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
			     "Content-Type: application/json\r\nCache-Control: no-store\r\n"
			     "Content-Length: 64\r\nConnection: close\r\n\r\n" BODY;
_Static_assert(sizeof(BODY) - 1 == 64, "Content-Length of the canned answer");

struct refused {
	TAILQ_ENTRY(refused) entry;
	struct sup_refuse *refuse;
	int fd;
	struct event *ev;
	struct clock_timer timer;
};

TAILQ_HEAD(refused_list, refused);

struct sup_refuse {
	struct sup *sup;
	struct event *listen_ev[CONF_MAX_LISTEN];
	size_t n_listen, n_refused;
	struct refused_list refused;
	struct clock_timer pause;
};

static void
refused_free(struct refused *refused)
{
	TAILQ_REMOVE(&refused->refuse->refused, refused, entry);
	refused->refuse->n_refused--;
	clock_timer_cancel(&refused->timer);
	event_free(refused->ev);
	close(refused->fd);
	free(refused);
}

static void
on_refused_readable(evutil_socket_t fd, short what, void *arg)
{
	char thrown_away[4096];
	ssize_t n = recv(fd, thrown_away, sizeof(thrown_away), MSG_DONTWAIT);

	(void)what;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		refused_free(arg);
}

static void
on_refused_timer(struct clock_timer *timer, void *arg)
{
	(void)timer;
	refused_free(arg);
}

static void
refuse_one(struct sup_refuse *refuse, int fd)
{
	struct refused *refused;

	if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ||
	    shutdown(fd, SHUT_WR) < 0) {
		close(fd);
		return;
	}
	if (refuse->n_refused >= SUP_REFUSE_AT_ONCE)
		refused_free(TAILQ_FIRST(&refuse->refused));
	refused = xcalloc(1, sizeof(*refused));
	refused->refuse = refuse;
	refused->fd = fd;
	refused->ev = event_new(refuse->sup->deps.base, fd, EV_READ | EV_PERSIST,
				on_refused_readable, refused);
	if (refused->ev == NULL)
		xalloc_die();
	event_add(refused->ev, NULL);
	clock_timer_init(&refused->timer, refuse->sup->deps.clock, on_refused_timer, refused);
	clock_timer_set_ms(&refused->timer, SUP_REFUSE_LINGER_MS);
	TAILQ_INSERT_TAIL(&refuse->refused, refused, entry);
	refuse->n_refused++;
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct sup_refuse *refuse = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_PER_TURN; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			refuse_one(refuse, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			for (size_t k = 0; k < refuse->n_listen; k++)
				event_del(refuse->listen_ev[k]);
			clock_timer_set_ms(&refuse->pause, PAUSE_MS);
		}
		return;
	}
}

static void
resume(struct clock_timer *timer, void *arg)
{
	struct sup_refuse *refuse = arg;

	(void)timer;
	for (size_t i = 0; i < refuse->n_listen; i++)
		event_add(refuse->listen_ev[i], NULL);
}

struct sup_refuse *
sup_refuse_new(struct sup *sup)
{
	struct sup_refuse *refuse = xcalloc(1, sizeof(*refuse));

	refuse->sup = sup;
	TAILQ_INIT(&refuse->refused);
	clock_timer_init(&refuse->pause, sup->deps.clock, resume, refuse);
	for (size_t i = 0; i < sup->listeners.n; i++) {
		refuse->listen_ev[i] = event_new(sup->deps.base, sup->listeners.list[i].fd,
						 EV_READ | EV_PERSIST, on_accept, refuse);
		if (refuse->listen_ev[i] == NULL)
			xalloc_die();
		event_add(refuse->listen_ev[i], NULL);
		refuse->n_listen++;
	}
	return refuse;
}

void
sup_refuse_free(struct sup_refuse **refuse)
{
	struct sup_refuse *old = *refuse;

	*refuse = NULL;
	if (old == NULL)
		return;
	while (!TAILQ_EMPTY(&old->refused))
		refused_free(TAILQ_FIRST(&old->refused));
	for (size_t i = 0; i < old->n_listen; i++)
		event_free(old->listen_ev[i]);
	clock_timer_cancel(&old->pause);
	free(old);
}
