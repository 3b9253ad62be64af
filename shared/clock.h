/*
 * Time and timers. Every timer of camhub goes through here, because libevent's own clock cannot be
 * replaced in a test: a heap of timers over one source of time, which is either the kernel's clocks
 * or a fake one that a test advances.
 *
 * Units are nanoseconds of CLOCK_MONOTONIC unless a name says otherwise. Single threaded.
 */
#ifndef CAMHUB_SHARED_CLOCK_H
#define CAMHUB_SHARED_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS    1000000LL
#define NS_PER_S     1000000000LL

#define CLOCK_GAP_NS (2 * NS_PER_S) /* a timer that is so late was not looked at */

struct clock;

/* A timer is embedded in its owner; it fires once, then is idle and may be set again. */
struct clock_timer {
	struct clock *clock;
	void (*cb)(struct clock_timer *timer, void *arg);
	void *arg;
	int64_t deadline_ns, set_ns; /* set_ns: when it was set */
	size_t heap_index;           /* SIZE_MAX while idle */
	uint64_t order;              /* equal deadlines fire in the order they were set */
};

struct clock *clock_new(void);                  /* the kernel's clocks */
struct clock *clock_new_fake(int64_t start_ns); /* stands still until clock_advance_ms() */
/* Timers that are still set are detached (their owners may cancel them afterwards). NULL-safe. */
void clock_free(struct clock **clock);

int64_t clock_now_ns(struct clock *clock);
/* Wall clock, nanoseconds since 1970. The fake one starts at 2026-01-01 and advances alike. */
int64_t clock_realtime_ns(struct clock *clock);

void clock_timer_init(struct clock_timer *timer, struct clock *clock,
		      void (*cb)(struct clock_timer *, void *), void *arg);
/* (Re)arm: fires delay_ms from now; 0 means the next turn of the loop, never at once. */
void clock_timer_set_ms(struct clock_timer *timer, int64_t delay_ms);
void clock_timer_cancel(struct clock_timer *timer); /* NULL- and idle-safe */
bool clock_timer_is_set(const struct clock_timer *timer);

/* Nanoseconds until the earliest deadline (0 if overdue), -1 when no timer is set. */
int64_t clock_next_ns(struct clock *clock);
/* Fire all that is due now; returns how many fired. Timers set meanwhile wait for the next call. */
int clock_run_due(struct clock *clock);
/*
 * Time in which nobody looked at the timers does not count: the process was stopped, the machine
 * was frozen and went on, or the clock was set forward. When the earliest timer is late by more
 * than CLOCK_GAP_NS, all that were set before move on by so much, so that what waited for others
 * goes on waiting, and not everything falls due at once. To be called before clock_run_due(), in
 * nanoseconds how much was forgiven.
 */
int64_t clock_forgive_gap(struct clock *clock);
size_t clock_timers_set(const struct clock *clock);
/* The timers that are set, in no order, for diagnostics: i from 0; NULL behind the last. */
const struct clock_timer *clock_timer_at(const struct clock *clock, size_t i);

/* Fake clocks only: move on, firing what falls due on the way, in order, at its own instant. */
void clock_advance_ms(struct clock *clock, int64_t ms);
/* Fake clocks only: move on, and nobody looks. */
void clock_jump_ms(struct clock *clock, int64_t ms);
/* Fake clocks only: the wall clock is set, by so much; the other goes on as it is. */
void clock_set_wall_ms(struct clock *clock, int64_t by_ms);

/* Called whenever the earliest deadline changes; one listener, for clock_ev and the harness. */
void clock_set_wakeup(struct clock *clock, void (*wakeup)(void *arg), void *arg);

#endif
