/*
 * A bad network between a viewer and the server, made of the datagrams that come and go: lost,
 * late, and out of order. Deterministic for a seed.
 */
#ifndef CAMHUB_BENCH_RTC_IMPAIR_H
#define CAMHUB_BENCH_RTC_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct impair_options {
	unsigned drop_percent, reorder_percent, delay_ms;
	unsigned jitter_ms; /* 0 to twice as much besides */
	bool shuffles;      /* each packet has a jitter of its own, which does not keep the order */
	unsigned kbps;      /* what comes in passes a link that carries so much; 0: any */
	bool is_good;       /* none of it, for now */
};

struct impair;

/* options: looked at each time, must stay. */
struct impair *impair_new(const struct impair_options *options, uint32_t seed);
void impair_free(struct impair **impair);
/* Whether what goes out is lost. */
bool impair_drops(struct impair *impair);
/* Takes a copy of what came, unless it is lost. */
void impair_put(struct impair *impair, const uint8_t *data, size_t len, int64_t now_ns);
/* The next that is due, its bytes into out (cap), or 0. */
size_t impair_take(struct impair *impair, int64_t now_ns, uint8_t *out, size_t cap);

#endif
