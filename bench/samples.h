/*
 * Delays, collected and summed up.
 */
#ifndef CAMHUB_BENCH_SAMPLES_H
#define CAMHUB_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct samples {
	uint32_t *us; /* microseconds */
	size_t count, capacity;
};

/* What is below 0 counts as 0. */
void samples_add(struct samples *samples, int64_t ns);
/* {"n": ..., "p50": ..., "p95": ..., "p99": ..., "max": ...}, in ms. Sorts. */
void samples_print(struct samples *samples, FILE *out);
void samples_free(struct samples *samples);

#endif
