/*
 * Runs a clock's timers in a libevent loop by one libevent timer. The clock must outlive it.
 */
#ifndef CAMHUB_SHARED_CLOCK_EV_H
#define CAMHUB_SHARED_CLOCK_EV_H

struct clock;
struct clock_ev;
struct event_base;

struct clock_ev *clock_ev_new(struct event_base *base, struct clock *clock);
void clock_ev_free(struct clock_ev **clock_ev); /* NULL-safe */

#endif
