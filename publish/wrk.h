/*
 * One worker: the supervisor's wishes on one side, an input on the other, the bus in front. All in
 * one loop, all replaceable.
 */
#ifndef CAMHUB_PUBLISH_WRK_H
#define CAMHUB_PUBLISH_WRK_H

#include "publish/wrk_fsm.h"
#include "publish/wrk_input.h"
#include "publish/wrk_pub.h"
#include "shared/sandbox.h"

#define WRK_STALLED_AFTER_MAX_MS 5000 /* silence is noticed by then, whatever stall_ms says */
#define WRK_STATUS_MS            1000
#define WRK_PROBE_MS             1500 /* a probe watches for so long after the first key frame */
#define WRK_ASKED_GRACE_MS       1000 /* for the input to close */
#define WRK_FAILED_GRACE_MS      2000

struct clock;
struct event_base;
struct wrk_config;

struct wrk_deps {
	struct event_base *base;
	struct clock *clock;
	int fd; /* the control channel; becomes the worker's */
	const struct wrk_bus_ops *bus;
	const struct wrk_input_ops *input;
	void *input_arg;
	/*
	 * Lock the process in (shared/sandbox.h): EARLY when the configuration is known, OPENING
	 * when the bus is open and the source not, RUNNING when the source has answered or sooner.
	 * Returns what is to be told of it, borrowed until the next call. From then on the bus path
	 * is the supervisor's to unlink. NULL: nothing is done.
	 */
	const char *(*confine)(enum sandbox_stage stage, const struct wrk_config *config);
	/* The process should end with this code; called once, from the loop, when all is told and
	 * the bus path is gone. The worker does nothing more. */
	void (*exit)(void *arg, int code);
	void *exit_arg;
};

/* deps is copied. Waits for worker-config. */
struct wrk *wrk_new(const struct wrk_deps *deps);
/* For tests: a process just leaves. Not from within a callback. NULL-safe. */
void wrk_free(struct wrk **wrk);

enum wrk_state wrk_state(const struct wrk *wrk);
/* For inputs: where their events go, and their timers. */
struct event_base *wrk_base(const struct wrk *wrk);
struct clock *wrk_clock(const struct wrk *wrk);

#endif
