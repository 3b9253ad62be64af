/*
 * A bad network: a list of datagrams by the time they are due.
 */
#include "config.h"

#include "bench/rtc/impair.h"

#include "shared/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define MS          INT64_C(1000000)
#define REORDER_MS  12 /* so late is what is out of order */
#define WAITING_MAX 8192u
#define TOGETHER_NS (20 * MS)
#define QUEUE_NS    (2000 * MS) /* of a thin link; behind it packets are lost */
#define HEADERS     28u         /* IP and UDP */

struct waiting {
	struct waiting *next;
	int64_t due_ns;
	size_t len;
	uint8_t data[];
};

struct impair {
	const struct impair_options *options;
	uint32_t random;
	struct waiting *first;
	unsigned n;
	int64_t free_ns; /* when the thin link has sent what waits */
	int64_t jitter_ns, jitter_drawn_ns;
	int64_t last_due_ns; /* a queue that shakes keeps the order */
};

struct impair *
impair_new(const struct impair_options *options, uint32_t seed)
{
	struct impair *impair = xcalloc(1, sizeof(*impair));

	impair->options = options;
	impair->random = seed * 2654435761u + 1;
	return impair;
}

void
impair_free(struct impair **impair)
{
	if (*impair == NULL)
		return;
	while ((*impair)->first != NULL) {
		struct waiting *gone = (*impair)->first;

		(*impair)->first = gone->next;
		free(gone);
	}
	free(*impair);
	*impair = NULL;
}

static unsigned
roll(struct impair *impair, unsigned of)
{
	impair->random = impair->random * 1103515245u + 12345u;
	return (impair->random >> 16) % of;
}

bool
impair_drops(struct impair *impair)
{
	return !impair->options->is_good && roll(impair, 100) < impair->options->drop_percent;
}

/* Shuffling, each packet has its own; else what comes close together is late together. */
static int64_t
jitter_of(struct impair *impair, int64_t now_ns)
{
	const struct impair_options *options = impair->options;

	if (options->jitter_ms > 0 &&
	    (options->shuffles || now_ns - impair->jitter_drawn_ns > TOGETHER_NS)) {
		impair->jitter_ns = (int64_t)roll(impair, 2 * options->jitter_ms * 1000) * 1000;
		impair->jitter_drawn_ns = now_ns;
	}
	return impair->jitter_ns;
}

/* When it arrives; -1: the link's queue is full. */
static int64_t
due_of(struct impair *impair, size_t len, int64_t now_ns)
{
	const struct impair_options *options = impair->options;
	int64_t due_ns = now_ns;

	if (options->is_good)
		return due_ns > impair->last_due_ns ? due_ns : impair->last_due_ns;
	if (options->kbps > 0) {
		if (impair->free_ns > due_ns)
			due_ns = impair->free_ns;
		if (due_ns - now_ns > QUEUE_NS)
			return -1;
		due_ns += (int64_t)(len + HEADERS) * 8 * MS / options->kbps;
		impair->free_ns = due_ns;
	}
	due_ns += options->delay_ms * MS;
	due_ns += jitter_of(impair, now_ns);
	if (!options->shuffles && due_ns < impair->last_due_ns)
		due_ns = impair->last_due_ns;
	impair->last_due_ns = due_ns;
	if (roll(impair, 100) < options->reorder_percent)
		due_ns += REORDER_MS * MS;
	return due_ns;
}

void
impair_put(struct impair *impair, const uint8_t *data, size_t len, int64_t now_ns)
{
	struct waiting *made, **at = &impair->first;
	int64_t due_ns;

	if (impair_drops(impair) || impair->n == WAITING_MAX)
		return;
	due_ns = due_of(impair, len, now_ns);
	if (due_ns < 0)
		return;
	made = xmalloc(sizeof(*made) + len);
	made->due_ns = due_ns;
	made->len = len;
	memcpy(made->data, data, len);
	while (*at != NULL && (*at)->due_ns <= made->due_ns)
		at = &(*at)->next;
	made->next = *at;
	*at = made;
	impair->n++;
}

size_t
impair_take(struct impair *impair, int64_t now_ns, uint8_t *out, size_t cap)
{
	struct waiting *first = impair->first;
	size_t len;

	if (first == NULL || first->due_ns > now_ns)
		return 0;
	len = first->len < cap ? first->len : cap;
	memcpy(out, first->data, len);
	impair->first = first->next;
	impair->n--;
	free(first);
	return len;
}
