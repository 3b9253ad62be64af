/*
 * A child: its pidfd and its channel in the loop, one deadline. Whatever it does, it is reaped once
 * and nothing that it left in its process group survives it.
 */
#include "config.h"

#include "supervisor/sup_child_ev.h"

#include "shared/chan_ev.h"
#include "shared/log.h"
#include "shared/sandbox.h"
#include "shared/xalloc.h"
#include "supervisor/sup_int.h"
#include "supervisor/sup_limits.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A child that leaves closes its channel a moment before it ends; then it must end. */
#define CLOSED_GRACE_MS 1000
/* A child that ended has said all it had to say; what it said is read before it is buried. */
#define LAST_WORDS_MS 250
#define REAP_AGAIN_MS 50
/* Of stolen time a silent child is given back at most so many times its deadline. */
#define STOLEN_MAX 4
/* A reading as old as this will do to begin with. */
#define STOLEN_EVERY_MS 250
/* Less than this is everyday life. */
#define STOLEN_MIN_MS 50
/* Until the loop has read what waits in a channel. */
#define UNREAD_MS 10

enum phase {
	PHASE_STARTING, /* deadline: READY */
	PHASE_ALIVE,    /* deadline: the next beat */
	PHASE_RAW,      /* deadline: the answer */
	PHASE_CLOSED,   /* its channel is gone; deadline: its end */
	PHASE_DEAF,     /* does not read its channel; deadline: at once */
	PHASE_STOPPING, /* told to stop; deadline: its end */
	PHASE_KILLED,
	PHASE_ENDED, /* a zombie; deadline: its last words */
};

struct sup_child {
	TAILQ_ENTRY(sup_child) entry;
	struct sup *sup;
	const struct sup_child_ops *ops;
	void *arg;
	char *program, *object;
	bool raw, asked, bad, is_violation;
	enum phase phase;
	pid_t pid;
	long long rss_kib; /* as it told last, 0 not yet */
	long long log_lost;
	int pidfd, raw_fd;
	struct event *pid_ev, *raw_ev;
	struct chan_ev *chan;
	struct clock_timer timer;
	/* For a sign of life: how long, what was stolen by then, what was given back since. */
	int64_t wait_ms, stolen_ms, given_ms;
	char why[SUP_CHILD_TEXT_MAX];   /* it was killed */
	char sandbox[SANDBOX_TEXT_MAX]; /* "": it did not say */
};

static void
drop_channel(struct sup_child *child)
{
	chan_ev_free(&child->chan);
	if (child->raw_ev != NULL)
		event_free(child->raw_ev);
	child->raw_ev = NULL;
	if (child->raw_fd >= 0)
		close(child->raw_fd);
	child->raw_fd = -1;
}

void
sup_child_free(struct sup_child **child)
{
	struct sup_child *old = *child;

	*child = NULL;
	if (old == NULL)
		return;
	TAILQ_REMOVE(&old->sup->children, old, entry);
	drop_channel(old);
	clock_timer_cancel(&old->timer);
	if (old->pid_ev != NULL)
		event_free(old->pid_ev);
	if (old->pidfd >= 0)
		close(old->pidfd);
	free(old->program);
	free(old->object);
	free(old);
}

static void
send_sigkill(struct sup_child *child)
{
	int rc;

	if (child->phase == PHASE_ENDED || child->phase == PHASE_KILLED)
		return;
	child->phase = PHASE_KILLED;
	clock_timer_cancel(&child->timer);
	rc = child->sup->deps.signal(child->sup->deps.arg, child->pidfd, SIGKILL);
	if (rc < 0 && rc != -ESRCH)
		log_err("%s %s (process %ld): cannot be killed: %s", child->program, child->object,
			(long)child->pid, strerror(-rc));
}

static void
kill_as_bad(struct sup_child *child, const char *why)
{
	if (child->phase == PHASE_ENDED || child->phase == PHASE_KILLED)
		return;
	snprintf(child->why, sizeof(child->why), "%s", why);
	child->bad = !child->asked;
	send_sigkill(child);
	drop_channel(child);
	if (child->bad && child->ops->on_bad != NULL)
		child->ops->on_bad(child->arg, child->why);
}

static void
describe_end(const struct sup_child *child, const char *text, struct sup_exit *end)
{
	end->asked = child->asked;
	end->bad = child->bad;
	end->is_violation = child->is_violation;
	if (child->why[0] != '\0')
		snprintf(end->text, sizeof(end->text), "%s", child->why);
	else if (end->code == XALLOC_EXIT)
		snprintf(end->text, sizeof(end->text), "out of memory");
	else
		snprintf(end->text, sizeof(end->text), "%s", text);
}

/* Once for each child: the first is what it dies of. */
static void
note_violation(struct sup_child *child, const char *call)
{
	if (child->is_violation)
		return;
	child->is_violation = true;
	child->sup->violations++;
	if (child->why[0] == '\0')
		snprintf(
		    child->why, sizeof(child->why),
		    "killed: its sandbox forbids %s (the program, or what it reads, is broken)",
		    call);
	log_err("%s %s (process %ld): %s", child->program, child->object, (long)child->pid,
		child->why);
}

/* Last: reap, tell, free. */
static void
bury(struct sup_child *child)
{
	struct sup *sup = child->sup;
	struct sup_exit end = { .code = -1 };
	char text[64] = "";
	int rc;

	rc = sup->deps.reap(sup->deps.arg, child->pidfd, &end.code, text, sizeof(text));
	if (rc == -EAGAIN) {
		/* Dead, but whoever traces it (strace, a debugger) has it first: no event follows.
		 */
		clock_timer_set_ms(&child->timer, REAP_AGAIN_MS);
		return;
	}
	if (rc < 0)
		snprintf(text, sizeof(text), "ended, how is unknown");
	if (strcmp(text, "killed by SIGSYS") == 0)
		note_violation(child, "a system call");
	describe_end(child, text, &end);
	log_debug("%s %s (process %ld): %s", child->program, child->object, (long)child->pid,
		  end.text);
	child->ops->on_exit(child->arg, &end);
	sup_child_free(&child);
	sup_on_child_gone(sup);
}

/* We may be the ones who slept (SIGSTOP, a machine that was suspended): what the child has said
 * meanwhile is read before it is called silent. */
static bool
has_unread(const struct sup_child *child)
{
	struct pollfd poll_fd = { .events = POLLIN };

	if (child->chan == NULL || (child->phase != PHASE_STARTING && child->phase != PHASE_ALIVE))
		return false;
	poll_fd.fd = chan_ev_fd(child->chan);
	return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0;
}

static int64_t
read_stolen_ms(struct sup *sup)
{
	sup->stolen_ms = sup->deps.stolen_ms(sup->deps.arg);
	sup->stolen_at_ns = sup_now_ns(sup);
	return sup->stolen_ms;
}

/* For a sign of life. */
static void
begin_wait(struct sup_child *child, int64_t ms)
{
	struct sup *sup = child->sup;
	bool is_due = sup_now_ns(sup) - sup->stolen_at_ns >= STOLEN_EVERY_MS * NS_PER_MS;

	child->wait_ms = ms;
	child->given_ms = 0;
	child->stolen_ms = is_due ? read_stolen_ms(sup) : sup->stolen_ms;
	clock_timer_set_ms(&child->timer, ms);
}

/* It could not have answered in time that was stolen; but what never answers must end some time. */
static bool
gave_stolen_time(struct sup_child *child)
{
	int64_t stolen_ms = read_stolen_ms(child->sup);
	int64_t back_ms = stolen_ms - child->stolen_ms;
	int64_t left_ms = STOLEN_MAX * child->wait_ms - child->given_ms;

	if (child->phase != PHASE_STARTING && child->phase != PHASE_ALIVE &&
	    child->phase != PHASE_RAW)
		return false;
	if (back_ms > left_ms)
		back_ms = left_ms;
	if (back_ms < STOLEN_MIN_MS)
		return false;
	child->stolen_ms = stolen_ms;
	child->given_ms += back_ms;
	clock_timer_set_ms(&child->timer, back_ms);
	return true;
}

static void
on_deadline(struct clock_timer *timer, void *arg)
{
	struct sup_child *child = arg;
	const struct conf *conf = sup_settings(child->sup);
	char why[SUP_CHILD_TEXT_MAX];

	if (has_unread(child)) {
		clock_timer_set_ms(timer, UNREAD_MS);
		return;
	}
	if (gave_stolen_time(child))
		return;
	switch (child->phase) {
	case PHASE_STARTING:
		snprintf(why, sizeof(why), "killed: not ready after %.3g s",
			 (double)conf->start_wait_ms / 1000);
		break;
	case PHASE_ALIVE:
		snprintf(why, sizeof(why), "killed: hung, no sign of life for %.3g s",
			 (double)conf->silence_ms / 1000);
		break;
	case PHASE_RAW:
		snprintf(why, sizeof(why), "killed: no answer in time");
		break;
	case PHASE_CLOSED:
		snprintf(why, sizeof(why), "killed: it closed its channel but did not leave");
		break;
	case PHASE_DEAF:
		snprintf(why, sizeof(why), "killed: it does not read what it is sent");
		break;
	case PHASE_STOPPING:
		snprintf(why, sizeof(why), "killed: told to stop, still there after %.3g s",
			 (double)conf->stop_wait_ms / 1000);
		break;
	case PHASE_KILLED:
		return;
	case PHASE_ENDED:
		bury(child);
		return;
	}
	kill_as_bad(child, why);
}

static void
on_pid_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sup_child *child = arg;

	(void)fd;
	(void)what;
	event_del(child->pid_ev);
	/* Its number is its own until it is reaped, so its group cannot be somebody else's. */
	child->sup->deps.kill_group(child->sup->deps.arg, child->pid);
	child->phase = PHASE_ENDED;
	if (child->chan == NULL && child->raw_fd < 0)
		clock_timer_set_ms(&child->timer, 0);
	else
		clock_timer_set_ms(&child->timer, LAST_WORDS_MS);
}

/* It should be dead already; who only says so is killed. */
static void
on_violation(struct sup_child *child, const json_t *msg)
{
	char name[SANDBOX_NAME_MAX], why[SUP_CHILD_TEXT_MAX];

	note_violation(child, sandbox_call_name((long)msg_int(msg, "call", 0), name));
	memcpy(why, child->why, sizeof(why));
	kill_as_bad(child, why);
}

static void
read_beat(struct sup_child *child, const json_t *msg)
{
	long long log_lost = msg_int(msg, "log_lost", 0);

	child->rss_kib = msg_int(msg, "rss_kib", 0);
	if (log_lost > child->log_lost)
		child->sup->log_lost += (uint64_t)(log_lost - child->log_lost);
	child->log_lost = log_lost;
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct sup_child *child = arg;
	bool first = type == MSG_READY && child->phase == PHASE_STARTING;

	if (type == MSG_VIOLATION) {
		if (fd >= 0)
			close(fd);
		on_violation(child, msg);
		return;
	}
	if (type == MSG_BEAT)
		read_beat(child, msg);
	if (type == MSG_BEAT || type == MSG_READY)
		snprintf(child->sandbox, sizeof(child->sandbox), "%s", msg_str(msg, "sandbox"));
	if (child->phase == PHASE_STARTING && !first) {
		/* Beats before READY prove nothing: the start deadline stands. */
	} else if (first || child->phase == PHASE_ALIVE) {
		child->phase = PHASE_ALIVE;
		begin_wait(child, sup_settings(child->sup)->silence_ms);
	}
	if (first)
		child->ops->on_ready(child->arg);
	else if (type != MSG_READY && type != MSG_BEAT)
		child->ops->on_msg(child->arg, type, msg, fd);
}

static void
on_chan_close(void *arg, const char *reason)
{
	struct sup_child *child = arg;
	char why[SUP_CHILD_TEXT_MAX];

	chan_ev_free(&child->chan);
	if (child->phase == PHASE_ENDED) {
		clock_timer_set_ms(&child->timer, 0);
		return;
	}
	if (child->phase == PHASE_STOPPING || child->phase == PHASE_KILLED)
		return;
	if (strncmp(reason, "peer closed", 11) != 0) {
		snprintf(why, sizeof(why), "killed: it broke the protocol (%s)", reason);
		kill_as_bad(child, why);
		return;
	}
	child->phase = PHASE_CLOSED;
	clock_timer_set_ms(&child->timer, CLOSED_GRACE_MS);
}

static void
on_raw_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sup_child *child = arg;
	char bytes[SUP_CHILD_RAW_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && (size_t)n <= sizeof(bytes)) {
		child->ops->on_raw(child->arg, bytes, (size_t)n);
		return;
	}
	drop_channel(child);
	if (child->phase == PHASE_ENDED)
		clock_timer_set_ms(&child->timer, 0);
	else if (n > 0)
		kill_as_bad(child, "killed: its answer was too long");
}

static void
open_channel(struct sup_child *child, enum msg_to receive, int fd)
{
	static const struct chan_ev_ops ops = { .on_msg = on_msg, .on_close = on_chan_close };

	if (!child->raw) {
		child->chan = chan_ev_new(child->sup->deps.base, fd, receive, &ops, child);
		return;
	}
	child->raw_fd = fd;
	child->raw_ev =
	    event_new(child->sup->deps.base, fd, EV_READ | EV_PERSIST, on_raw_readable, child);
	if (child->raw_ev == NULL)
		xalloc_die();
	event_add(child->raw_ev, NULL);
}

int
sup_child_start(struct sup *sup, const struct sup_child_spec *spec, const struct sup_child_ops *ops,
		void *arg, struct sup_child **child)
{
	char *path = xasprintf("%s/%s", sup->options.libexec_dir, spec->program);
	char *program = xstrdup(spec->program), *object = xstrdup(spec->object);
	char *job = spec->job != NULL ? xstrdup(spec->job) : NULL;
	char *argv[] = { program, object, job, NULL };
	struct spawn_child spawned;
	struct spawn_limits limits;
	struct sup_child *new_child;
	int rc;

	sup_limits_of(sup_settings(sup), spec->program, &limits);
	rc = sup->deps.spawn(sup->deps.arg, path, argv, &limits, &spawned);
	free(path);
	free(job);
	if (rc < 0) {
		free(program);
		free(object);
		return rc;
	}
	new_child = xcalloc(1, sizeof(*new_child));
	*new_child = (struct sup_child){ .sup = sup,
					 .ops = ops,
					 .arg = arg,
					 .program = program,
					 .object = object,
					 .raw = spec->raw,
					 .pid = spawned.pid,
					 .pidfd = spawned.pidfd,
					 .raw_fd = -1,
					 .phase = spec->raw ? PHASE_RAW : PHASE_STARTING };
	TAILQ_INSERT_TAIL(&sup->children, new_child, entry);
	open_channel(new_child, spec->receive, spawned.chan_fd);
	new_child->pid_ev = event_new(sup->deps.base, spawned.pidfd, EV_READ | EV_PERSIST,
				      on_pid_readable, new_child);
	if (new_child->pid_ev == NULL)
		xalloc_die();
	event_add(new_child->pid_ev, NULL);
	clock_timer_init(&new_child->timer, sup->deps.clock, on_deadline, new_child);
	begin_wait(new_child, spec->raw ? spec->deadline_ms : sup_settings(sup)->start_wait_ms);
	*child = new_child;
	return 0;
}

/* Deferred, so that nobody's on_bad is called out of its own call. */
static void
not_reading(struct sup_child *child)
{
	if (child->phase != PHASE_STARTING && child->phase != PHASE_ALIVE)
		return;
	child->phase = PHASE_DEAF;
	clock_timer_set_ms(&child->timer, 0);
}

void
sup_child_send(struct sup_child *child, json_t *msg, int fd)
{
	if (child->chan == NULL) {
		json_decref(msg);
		if (fd >= 0)
			close(fd);
		return;
	}
	if (chan_ev_send(child->chan, msg, fd) == -ENOBUFS)
		not_reading(child);
}

void
sup_child_send_raw(struct sup_child *child, const char *bytes, size_t len)
{
	/* Into an empty socket: a failure shows as the missing answer. */
	if (child->raw_fd >= 0 && send(child->raw_fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("%s: %s", child->program, strerror(errno));
}

void
sup_child_stop(struct sup_child *child)
{
	if (child->asked)
		return;
	child->asked = true;
	if (child->phase == PHASE_ENDED || child->phase == PHASE_KILLED)
		return;
	if (child->raw) {
		send_sigkill(child);
		return;
	}
	sup_child_send(child, msg_new(MSG_STOP), -1);
	child->phase = PHASE_STOPPING;
	clock_timer_set_ms(&child->timer, sup_settings(child->sup)->stop_wait_ms);
}

void
sup_child_kill(struct sup_child *child, const char *why)
{
	if (child->phase == PHASE_ENDED || child->phase == PHASE_KILLED)
		return;
	snprintf(child->why, sizeof(child->why), "%s", why);
	child->bad = !child->asked;
	send_sigkill(child);
	drop_channel(child);
}

void
sup_child_kill_now(struct sup_child *child)
{
	child->asked = true;
	send_sigkill(child);
	drop_channel(child);
}

const char *
sup_child_sandbox(const struct sup_child *child)
{
	return child != NULL && child->sandbox[0] != '\0' ? child->sandbox : NULL;
}

long long
sup_child_rss_kib(const struct sup_child *child)
{
	return child != NULL ? child->rss_kib : 0;
}

pid_t
sup_child_pid(const struct sup_child *child)
{
	return child != NULL ? child->pid : 0;
}

void
sup_child_stop_all(struct sup *sup, bool now)
{
	struct sup_child *child;

	for (child = TAILQ_FIRST(&sup->children); child != NULL; child = TAILQ_NEXT(child, entry)) {
		if (now)
			sup_child_kill_now(child);
		else
			sup_child_stop(child);
	}
}

char *
sup_child_name_of(const struct sup *sup, pid_t pid)
{
	const struct sup_child *child;

	for (child = TAILQ_FIRST(&sup->children); child != NULL; child = TAILQ_NEXT(child, entry))
		if (child->pid == pid)
			return xasprintf("%s %s", child->program, child->object);
	return NULL;
}

void
sup_child_broadcast_level(struct sup *sup, const char *level)
{
	struct sup_child *child;

	for (child = TAILQ_FIRST(&sup->children); child != NULL; child = TAILQ_NEXT(child, entry)) {
		json_t *msg = msg_new(MSG_LOG_LEVEL);

		msg_set_str(msg, "level", level);
		sup_child_send(child, msg, -1);
	}
}
