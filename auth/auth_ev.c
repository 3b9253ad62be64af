/*
 * The loop of camhub-auth: jobs from the supervisor to the pool, answers back.
 */
#include "config.h"

#include "auth/auth_ev.h"

#include "auth/auth_pool.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/clock_ev.h"
#include "shared/log.h"
#include "shared/sandbox.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Pictures come first: hashing takes what the others leave. */
#define NICE "10"

struct auth {
	struct event_base *base;
	struct child_ev *child;
	struct auth_pool *pool;
	struct event *done_ev;
	int exit_code;
};

/* Each child is a session of its own, and where the kernel groups processes by session, the
 * niceness of a group counts, not that of what is in it. */
void
auth_be_nice(void)
{
	int fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

	/* The unit's filter has no setpriority: there it is the group's niceness alone. */
	if (setpriority(PRIO_PROCESS, 0, atoi(NICE)) < 0)
		log_debug("the priority stays as it is: %s", strerror(errno));
	if (fd < 0)
		return;
	if (write(fd, NICE, strlen(NICE)) < 0)
		log_debug("/proc/self/autogroup: %s", strerror(errno));
	close(fd);
}

static void
answer(struct auth *auth, const struct auth_job *job, bool busy)
{
	json_t *msg = msg_new(MSG_AUTH_DONE);

	msg_set_int(msg, "id", job->id);
	msg_set_bool(msg, "ok", job->ok);
	if (job->make && job->ok)
		msg_set_str(msg, "hash", job->hash);
	if (busy)
		msg_set_bool(msg, "busy", true);
	(void)child_ev_send(auth->child, msg, -1);
}

static void
on_job(struct auth *auth, const json_t *msg)
{
	struct auth_job *job = xcalloc(1, sizeof(*job));

	job->id = msg_int(msg, "id", 0);
	job->make = msg_bool(msg, "make", false);
	job->has_hash = json_object_get(msg, "hash") != NULL;
	/* The schema bounds both. */
	snprintf(job->password, sizeof(job->password), "%s", msg_str(msg, "password"));
	snprintf(job->hash, sizeof(job->hash), "%s", msg_str(msg, "hash"));
	if (auth_pool_add(auth->pool, job) == 0)
		return;
	answer(auth, job, true);
	auth_job_free(&job);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	if (fd >= 0)
		close(fd);
	if (type == MSG_AUTH_JOB)
		on_job(arg, msg);
}

static void
on_stop(void *arg, bool asked)
{
	struct auth *auth = arg;

	auth->exit_code = asked ? CHILD_EXIT_ASKED : CHILD_EXIT_RETRY;
	event_base_loopbreak(auth->base);
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct auth *auth = arg;
	struct auth_job *job;

	(void)fd;
	(void)what;
	while ((job = auth_pool_take(auth->pool)) != NULL) {
		answer(auth, job, false);
		auth_job_free(&job);
	}
}

static void
watch_pool(struct auth *auth)
{
	auth->done_ev =
	    event_new(auth->base, auth_pool_fd(auth->pool), EV_READ | EV_PERSIST, on_done, auth);
	if (auth->done_ev == NULL || event_add(auth->done_ev, NULL) < 0)
		xalloc_die();
}

/* It computes, and answers on its channel: that is all. Landlock before the threads are made. */
static const char *
confine(enum sandbox_stage stage)
{
	static const struct sandbox_facts facts = { .object = "auth", .report_fd = CHILD_FD };
	static struct sandbox_report report;

	(void)sandbox_enter(SANDBOX_AUTH, stage, &facts, &report);
	return report.text;
}

int
auth_run(void)
{
	static const struct child_ev_ops ops = { .on_msg = on_msg, .on_stop = on_stop };
	struct auth auth = { .base = event_base_new(), .exit_code = CHILD_EXIT_RETRY };
	struct clock *clock = clock_new();
	struct clock_ev *clock_ev;
	int rc;

	if (auth.base == NULL)
		xalloc_die();
	(void)confine(SANDBOX_EARLY);
	rc = auth_pool_new(NULL, &auth.pool);
	if (rc < 0) {
		log_err("no threads: %s", strerror(-rc));
		return CHILD_EXIT_RETRY;
	}
	clock_ev = clock_ev_new(auth.base, clock);
	auth.child = child_ev_new(auth.base, clock, CHILD_FD, MSG_TO_AUTH, &ops, &auth);
	watch_pool(&auth);
	child_ev_set_sandbox(auth.child, confine(SANDBOX_RUNNING));
	child_ev_ready(auth.child);
	event_base_dispatch(auth.base);
	(void)clock_ev;
	return auth.exit_code;
}
