/*
 * The part of a child that is the same in all of them.
 */
#include "config.h"

#include "shared/child_ev.h"

#include "shared/chan_ev.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct child_ev {
	struct chan_ev *chan;
	struct clock_timer beat;
	const struct child_ev_ops *ops;
	void *arg;
	int statm_fd;  /* /proc/self/statm, -1 where there is none */
	char *sandbox; /* NULL: nothing is told */
	bool stopping;
};

static bool
is_channel(int fd)
{
	int type = 0, domain = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return false;
	len = sizeof(domain);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return false;
	return type == SOCK_SEQPACKET && domain == AF_UNIX;
}

int
child_enter(void)
{
	const struct rlimit no_core = { 0, 0 };
	int flags;

	msg_wipe_freed();
	if (!is_channel(CHILD_FD))
		return -ENOTSOCK;
	/* Before it is hidden from itself, too. */
	log_never_wait();
	json_object_seed(0); /* reads /dev/urandom: before the doors are shut */
	/* The parent may have died before this call: EOF on the channel tells that as well. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	fcntl(CHILD_FD, F_SETFD, FD_CLOEXEC);
	flags = fcntl(CHILD_FD, F_GETFL);
	fcntl(CHILD_FD, F_SETFL, flags | O_NONBLOCK);
	return 0;
}

static void
stop(struct child_ev *child, bool asked)
{
	if (child->stopping)
		return;
	child->stopping = true;
	clock_timer_cancel(&child->beat);
	child->ops->on_stop(child->arg, asked);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct child_ev *child = arg;
	enum log_level level;

	if (type == MSG_STOP)
		stop(child, true);
	else if (type != MSG_LOG_LEVEL)
		child->ops->on_msg(child->arg, type, msg, fd);
	else if (log_level_from_name(msg_str(msg, "level"), &level) == 0)
		log_set_level(level);
}

static void
on_close(void *arg, const char *reason)
{
	struct child_ev *child = arg;

	log_info("the supervisor is gone (%s), leaving", reason);
	stop(child, false);
}

/* The supervisor cannot read it in our place: a process that is not dumpable is hidden from it. */
static long long
own_rss_kib(const struct child_ev *child)
{
	char text[128];
	long long pages;
	ssize_t n = child->statm_fd >= 0 ? pread(child->statm_fd, text, sizeof(text) - 1, 0) : -1;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%*d %lld", &pages) == 1 ? pages * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

static void
on_beat(struct clock_timer *timer, void *arg)
{
	struct child_ev *child = arg;
	json_t *msg = msg_new(MSG_BEAT);

	clock_timer_set_ms(timer, CHILD_BEAT_MS);
	msg_set_int(msg, "rss_kib", own_rss_kib(child));
	if (log_dropped() > 0)
		msg_set_int(msg, "log_lost", (long long)log_dropped());
	msg_set_str(msg, "sandbox", child->sandbox);
	/* A supervisor that does not read is its own watchdog's business. */
	(void)child_ev_send(child, msg, -1);
}

struct child_ev *
child_ev_new(struct event_base *base, struct clock *clock, int fd, enum msg_to receive,
	     const struct child_ev_ops *ops, void *arg)
{
	static const struct chan_ev_ops chan_ops = { .on_msg = on_msg, .on_close = on_close };
	struct child_ev *child = xcalloc(1, sizeof(*child));

	child->ops = ops;
	child->arg = arg;
	child->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	clock_timer_init(&child->beat, clock, on_beat, child);
	child->chan = chan_ev_new(base, fd, receive, &chan_ops, child);
	return child;
}

void
child_ev_ready(struct child_ev *child)
{
	json_t *msg = msg_new(MSG_READY);

	msg_set_str(msg, "version", PACKAGE_VERSION);
	msg_set_str(msg, "sandbox", child->sandbox);
	(void)child_ev_send(child, msg, -1);
	clock_timer_set_ms(&child->beat, CHILD_BEAT_MS);
}

void
child_ev_set_sandbox(struct child_ev *child, const char *text)
{
	free(child->sandbox);
	child->sandbox = text != NULL ? xstrdup(text) : NULL;
}

int
child_ev_send(struct child_ev *child, json_t *msg, int pass_fd)
{
	return chan_ev_send(child->chan, msg, pass_fd);
}

void
child_ev_free(struct child_ev **child)
{
	if (*child == NULL)
		return;
	clock_timer_cancel(&(*child)->beat);
	chan_ev_free(&(*child)->chan);
	if ((*child)->statm_fd >= 0)
		close((*child)->statm_fd);
	free((*child)->sandbox);
	free(*child);
	*child = NULL;
}
