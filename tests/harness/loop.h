/*
 * An event loop for one test: a base, a clock, and ways to run until something has happened.
 *
 * With the fake clock (the default) time stands still while anything is ready; when nothing is,
 * it jumps to the next deadline of shared/clock. So timers cost no real time and fire in order.
 * While a real program of the test runs (program.h) or loop_hold_time() says so, time does not
 * jump: real things take real time. libevent's own timers (evhttp's, bufferevents') are always
 * real.
 *
 * All deadlines are real time, for a machine under load; environ HARNESS_SLOW=N multiplies them.
 */
#ifndef CAMHUB_TESTS_HARNESS_LOOP_H
#define CAMHUB_TESTS_HARNESS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct event_base;
struct loop;

#define LOOP_DEADLINE_MS 20000 /* where 0 is given */

struct loop_options {
	bool real_clock; /* the kernel's clocks, run by clock_ev */
	bool hold_time; /* fake clock: time moves only by loop_advance_ms() and loop_run_for_ms() */
	int deadline_ms; /* until async_complete(), after the body has returned; 0: the default */
	const char *method; /* libevent's backend: "epoll", "poll", "select"; NULL: its choice */
	/* A loop of one's own: the harness takes the result, checks and frees it like its own. */
	struct event_base *(*make_base)(void);
	struct clock *(*make_clock)(void); /* with real_clock: run by clock_ev, else advanced */
};

struct event_base *loop_base(struct loop *loop);
struct clock *loop_clock(struct loop *loop);

/* The test is complete (see START_ASYNC_TEST). Once only: a second call fails the test. */
void async_complete(struct loop *loop);
/* Complete after n calls instead of one. Before the first of them. */
void async_expect(struct loop *loop, unsigned n);

/* Run until *done; fails after deadline_ms (0: default), or at once when nothing is pending any
 * more that could make it come true. */
void loop_run_until(struct loop *loop, const bool *done, int deadline_ms);
/* The same for a condition: is_true is asked after each turn, and every 10 ms for what is no event
 * (a file, a process). what: for the message. */
void loop_run_until_true(struct loop *loop, bool (*is_true)(void *arg), void *arg, const char *what,
			 int deadline_ms);
/* Until a log line contains part. */
void loop_run_until_log(struct loop *loop, const char *part, int deadline_ms);

/* Run all that is ready or due now; time does not move. */
void loop_settle(struct loop *loop);
/* Fake clock: let ms pass, running everything on the way at its own instant. Real: wait so long. */
void loop_run_for_ms(struct loop *loop, int64_t ms);
/* From now on time moves only by loop_run_for_ms() (true), or by itself again (false). */
void loop_hold_time(struct loop *loop, bool hold);
/* What loop_clock() says has passed since the test began. */
int64_t loop_elapsed_ms(struct loop *loop);

/* A connected unix pair, non-blocking, CLOEXEC; type SOCK_STREAM or SOCK_SEQPACKET. Whoever gets
 * an end closes it: what is left open at the end fails the test, and is closed. */
void loop_pair(struct loop *loop, int type, int fds[2]);

#endif
