/*
 * The stamp that the benches' camera puts in front of each access unit: an SEI with user data
 * (H.264 D.1.6) that says when the unit was handed to the socket, and its number. Digits, so that
 * no escaping is needed.
 */
#ifndef CAMHUB_BENCH_STAMP_H
#define CAMHUB_BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_DIGITS    32 /* 20 of the time in ns, 12 of the number */
#define STAMP_SEI_BYTES (3 + 16 + STAMP_DIGITS + 1)

/* A NAL unit of type 6, from its header on. */
void stamp_write(uint8_t out[STAMP_SEI_BYTES], uint64_t time_ns, uint64_t number);

/* Finds one near the beginning of an access unit. */
bool stamp_read(const uint8_t *unit, size_t len, uint64_t *time_ns, uint64_t *number);

#endif
