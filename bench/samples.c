/*
 * Delays: an array that is sorted once, at the end.
 */
#include "config.h"

#include "bench/samples.h"

#include "shared/xalloc.h"

#include <stdlib.h>

void
samples_add(struct samples *samples, int64_t ns)
{
	int64_t us = ns > 0 ? ns / 1000 : 0;

	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity > 0 ? 2 * samples->capacity : 4096;
		samples->us = xreallocarray(samples->us, samples->capacity, sizeof(samples->us[0]));
	}
	samples->us[samples->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile_ms(const struct samples *samples, unsigned percent)
{
	size_t at = samples->count * percent / 100;

	if (samples->count == 0)
		return 0;
	return samples->us[at < samples->count ? at : samples->count - 1] / 1e3;
}

void
samples_print(struct samples *samples, FILE *out)
{
	if (samples->count > 0)
		qsort(samples->us, samples->count, sizeof(samples->us[0]), compare);
	fprintf(out, "{\"n\": %zu, \"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f}",
		samples->count, percentile_ms(samples, 50), percentile_ms(samples, 95),
		percentile_ms(samples, 99), percentile_ms(samples, 100));
}

void
samples_free(struct samples *samples)
{
	free(samples->us);
	*samples = (struct samples){ .us = NULL };
}
