/*
 * The restart schedule of processes, as a pure function.
 */
#include "config.h"

#include "shared/backoff.h"

const struct backoff_policy backoff_worker = {
	.good_ms = 2000, .floor_ms = 1000, .first_ms = 250, .max_ms = 30000, .jitter_percent = 20
};
/* Everybody waits for a front: one that served, if only for a moment, has its successor at once. */
const struct backoff_policy backoff_front = {
	.good_ms = 20, .floor_ms = 100, .first_ms = 100, .max_ms = 1000, .jitter_percent = 20
};

static int64_t
with_jitter(int64_t ms, int percent, uint32_t random)
{
	int64_t span = ms * percent / 100;

	return span > 0 ? ms - span + (int64_t)(random % (uint64_t)(2 * span + 1)) : ms;
}

static int64_t
doubled(const struct backoff_policy *policy, unsigned times)
{
	int64_t ms = policy->first_ms;

	while (times-- > 0 && ms < policy->max_ms)
		ms *= 2;
	return ms < policy->max_ms ? ms : policy->max_ms;
}

int64_t
backoff_next_ms(const struct backoff_policy *policy, int64_t delivered_ms, int64_t since_start_ms,
		unsigned *early_deaths, uint32_t random)
{
	int64_t floor = policy->floor_ms - since_start_ms;
	int64_t delay;

	if (floor < 0)
		floor = 0;
	if (delivered_ms >= policy->good_ms) {
		*early_deaths = 0;
		return floor;
	}
	delay = with_jitter(doubled(policy, *early_deaths), policy->jitter_percent, random);
	if (*early_deaths < 1000)
		(*early_deaths)++;
	return delay;
}
