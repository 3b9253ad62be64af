/*
 * Counting against time.
 */
#include "config.h"

#include "shared/rate.h"

unsigned
rate_count(struct rate_window *window, int64_t window_ns, int64_t now_ns)
{
	if (now_ns - window->since_ns >= window_ns)
		*window = (struct rate_window){ .since_ns = now_ns };
	return ++window->n;
}

bool
rate_may_log(struct rate_window *window, unsigned max, int64_t window_ns, int64_t now_ns,
	     unsigned *lost)
{
	unsigned before = window->n, n = rate_count(window, window_ns, now_ns);

	*lost = n == 1 && before > max ? before - max : 0;
	return n <= max;
}

bool
rate_spend(struct rate_bucket *bucket, int64_t cost_ns, int64_t burst_ns, int64_t now_ns)
{
	int64_t from_ns = bucket->full_ns > now_ns ? bucket->full_ns : now_ns;

	if (from_ns - now_ns + cost_ns > burst_ns)
		return false;
	bucket->full_ns = from_ns + cost_ns;
	return true;
}
