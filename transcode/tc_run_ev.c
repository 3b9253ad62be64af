/*
 * The loop beats and watches the deadline while a thread decodes; whichever is done first answers.
 */
#include "config.h"

#include "transcode/tc_run_ev.h"

#include "publish/wrk_run_ev.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/clock_ev.h"
#include "shared/log.h"
#include "shared/sandbox.h"
#include "transcode/tc_av.h"
#include "transcode/tc_input.h"
#include "transcode/tc_snapshot.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct run {
	struct event_base *base;
	struct clock *clock;
	struct child_ev *child;
	struct event *done_ev;
	struct clock_timer deadline;
	int done_fd, job_fd, quality;
	long long deadline_ms;
	pthread_t thread;
	struct tc_snapshot result; /* the thread's until done_fd is written */
};

/* The thread may be deep in a decoder: no destructors, no atexit handlers. */
static void __attribute__((noreturn)) leave(int code)
{
	_exit(code);
}

static void
answer(struct run *run, const struct tc_snapshot *result)
{
	json_t *msg = msg_new(MSG_SNAPSHOT_RESULT);

	if (result->fd < 0) {
		log_warn("no snapshot: %s", result->error);
		msg_set_str(msg, "error", result->error);
	} else {
		msg_set_int(msg, "width", result->width);
		msg_set_int(msg, "height", result->height);
	}
	if (child_ev_send(run->child, msg, result->fd) < 0)
		log_debug("nobody takes the answer");
	leave(CHILD_EXIT_ASKED);
}

static void
on_done(evutil_socket_t fd, short what, void *arg)
{
	struct run *run = arg;

	(void)fd;
	(void)what;
	answer(run, &run->result);
}

static void
on_deadline(struct clock_timer *timer, void *arg)
{
	struct run *run = arg;
	struct tc_snapshot late = { .fd = -1 };

	(void)timer;
	snprintf(late.error, sizeof(late.error), "decoding took longer than %.1f s",
		 (double)run->deadline_ms / 1000);
	answer(run, &late);
}

static void *
work(void *arg)
{
	struct run *run = arg;

	tc_snapshot_make(run->job_fd, run->quality, &run->result);
	eventfd_write(run->done_fd, 1);
	return NULL;
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	struct run *run = arg;

	if (type != MSG_SNAPSHOT_JOB || run->job_fd >= 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	run->job_fd = fd;
	run->quality = (int)msg_int(msg, "quality", 4);
	run->deadline_ms = msg_int(msg, "deadline_ms", 2000);
	clock_timer_set_ms(&run->deadline, run->deadline_ms);
	if (pthread_create(&run->thread, NULL, work, run) != 0) {
		log_err("cannot start a thread");
		leave(CHILD_EXIT_RETRY);
	}
}

static void
on_stop(void *arg, bool asked)
{
	(void)arg;
	(void)asked;
	leave(CHILD_EXIT_ASKED);
}

/* A live stream: all that a worker does, with another stream as its source. */
static int
run_live(char **argv)
{
	tc_av_init();
	return wrk_run("camhub-transcode", 2, argv, &tc_input_ops, argv[2]);
}

/* The picture comes in a descriptor and leaves in one: nothing else is needed. */
static const char *
confine(const char *stream)
{
	const struct sandbox_facts facts = { .object = stream, .report_fd = CHILD_FD };
	static struct sandbox_report report;

	(void)sandbox_enter_at_once(SANDBOX_SNAPSHOT, &facts, &report);
	return report.text;
}

int
tc_run(int argc, char **argv)
{
	static const struct child_ev_ops ops = { .on_msg = on_msg, .on_stop = on_stop };
	struct run run = { .job_fd = -1 };

	if (argc == 3 &&
	    (strcmp(argv[2], TC_INPUT_H264) == 0 || strcmp(argv[2], TC_INPUT_OPUS) == 0))
		return run_live(argv);
	log_open("camhub-transcode", argc > 1 ? argv[1] : "");
	if (argc != 2 || child_enter() < 0) {
		log_err(
		    "started by the supervisor only, as camhub-transcode STREAM [h264|opus] with "
		    "a "
		    "channel on fd %d",
		    CHILD_FD);
		return CHILD_EXIT_WRONG_CONFIG;
	}
	tc_av_init();
	run.done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	run.base = event_base_new();
	if (run.done_fd < 0 || run.base == NULL)
		return CHILD_EXIT_RETRY;
	run.clock = clock_new();
	(void)clock_ev_new(run.base, run.clock);
	clock_timer_init(&run.deadline, run.clock, on_deadline, &run);
	run.done_ev = event_new(run.base, run.done_fd, EV_READ, on_done, &run);
	event_add(run.done_ev, NULL);
	run.child = child_ev_new(run.base, run.clock, CHILD_FD, MSG_TO_TRANSCODE, &ops, &run);
	child_ev_set_sandbox(run.child, confine(argv[1]));
	child_ev_ready(run.child);
	event_base_dispatch(run.base);
	return CHILD_EXIT_RETRY;
}
