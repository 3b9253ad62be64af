/*
 * How often something may be: so many in a window of time, or a rate with a burst. Times are the
 * caller's, in ns of a clock that does not go back; zeroed is a good beginning. Pure.
 */
#ifndef CAMHUB_SHARED_RATE_H
#define CAMHUB_SHARED_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* A window begins with the first one after the window before was over. */
struct rate_window {
	int64_t since_ns;
	unsigned n; /* in it */
};

/* One more. Returns how many there are in its window, this one too. */
unsigned rate_count(struct rate_window *window, int64_t window_ns, int64_t now_ns);
/* One more line that somebody else can provoke: whether it is one of the `max` in its window.
 * *lost: how many were not, in the window that is over now; 0: none, or it is not over. */
bool rate_may_log(struct rate_window *window, unsigned max, int64_t window_ns, int64_t now_ns,
		  unsigned *lost);

/* What was spent, as the time at which all of it is there again. */
struct rate_bucket {
	int64_t full_ns;
};

/* Spends what comes back in cost_ns, of a bucket that fills in burst_ns. false: there is not so
 * much, and nothing was spent. */
bool rate_spend(struct rate_bucket *bucket, int64_t cost_ns, int64_t burst_ns, int64_t now_ns);

#endif
