/*
 * What every child of the supervisor does alike: talk on fd 3, say READY, beat every 500 ms, leave
 * when the supervisor is gone or says stop. Signals: SIGTERM and SIGINT are ignored by children
 * (the supervisor stops them by message), SIGPIPE too.
 */
#ifndef CAMHUB_SHARED_CHILD_EV_H
#define CAMHUB_SHARED_CHILD_EV_H

#include "shared/msg.h"

#define CHILD_FD                3
#define CHILD_BEAT_MS           500
#define CHILD_EXIT_ASKED        0
#define CHILD_EXIT_RETRY        75 /* sysexits EX_TEMPFAIL */
#define CHILD_EXIT_WRONG_CONFIG 78 /* sysexits EX_CONFIG: do not retry */

struct child_ev;
struct clock;
struct event_base;

struct child_ev_ops {
	/* As chan_ev_ops.on_msg; "stop" and "log-level" are handled before and never arrive here.
	 */
	void (*on_msg)(void *arg, enum msg_type type, const json_t *msg, int fd);
	/* Leave now: the supervisor asked (asked true) or is gone. */
	void (*on_stop)(void *arg, bool asked);
};

/* First thing in main(): PR_SET_PDEATHSIG with the race closed, signals, PR_SET_DUMPABLE 0, no
 * core. Returns 0, or -ENOTSOCK when fd 3 is no channel (started by hand). */
int child_enter(void);

struct child_ev *child_ev_new(struct event_base *base, struct clock *clock, int fd,
			      enum msg_to receive, const struct child_ev_ops *ops, void *arg);
/* Say READY and begin to beat. */
void child_ev_ready(struct child_ev *child);
/* As chan_ev_send(). */
int child_ev_send(struct child_ev *child, json_t *msg, int pass_fd);
/* What the process is locked into (sandbox.h), told with READY and each beat. Copied; NULL:
 * nothing. */
void child_ev_set_sandbox(struct child_ev *child, const char *text);
void child_ev_free(struct child_ev **child);

#endif
