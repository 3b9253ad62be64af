/*
 * When a process that ended is started again: a pure function (docs/architecture.md, "Restarts").
 */
#ifndef CAMHUB_SHARED_BACKOFF_H
#define CAMHUB_SHARED_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff_policy {
	int64_t good_ms;  /* delivered for this long: healthy, restarts at once */
	int64_t floor_ms; /* but at most once in this time */
	int64_t first_ms; /* first delay after an early death; doubles with each */
	int64_t max_ms;
	int jitter_percent; /* +- */
};

extern const struct backoff_policy backoff_worker; /* 2 s, 1 s, 250 ms, 30 s, 20 % */
extern const struct backoff_policy backoff_front;  /* 20 ms, 100 ms, 100 ms, 1 s, 20 % */

/*
 * Delay before the next start, in ms. delivered_ms: how long the dead incarnation delivered (0:
 * never); since_start_ms: its age; *early_deaths: in and out, deaths in a row before good_ms;
 * random: any 32 bits. Never negative, never above max_ms plus jitter.
 */
int64_t backoff_next_ms(const struct backoff_policy *policy, int64_t delivered_ms,
			int64_t since_start_ms, unsigned *early_deaths, uint32_t random);

#endif
