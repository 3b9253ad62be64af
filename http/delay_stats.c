/*
 * The delay on the screens of one stream's viewers: a short history of bucket counts for each,
 * added up when somebody asks.
 */
#include "config.h"

#include "http/delay_stats.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#define NS_PER_S  1000000000LL
#define WINDOW_NS (DELAY_SLOTS * DELAY_SLOT_NS)

struct slot {
	int64_t index; /* which stretch of time it holds */
	uint32_t buckets[DELAY_BUCKETS];
	double max_ms;
};

/* Viewers are numbered one after another, so these are of equal length. */
#define CHAINS 256

struct reporter {
	LIST_ENTRY(reporter) entry;
	LIST_ENTRY(reporter) in_chain;
	uint64_t viewer;
	enum delay_transport transport;
	int64_t last_index;
	int64_t paid_until_ns; /* its frames so far, each 1/DELAY_FPS_MAX s long */
	struct slot slots[DELAY_SLOTS];
};

struct delay_stats {
	LIST_HEAD(reporter_list, reporter) reporters;
	struct reporter_list chains[CHAINS]; /* by the viewer's number */
	size_t n_reporters;
	struct delay_totals totals;
};

/* Several slots, or several viewers, in one. */
struct sum {
	uint64_t frames, buckets[DELAY_BUCKETS];
	double max_ms;
};

struct delay_stats *
delay_stats_new(void)
{
	struct delay_stats *stats = xcalloc(1, sizeof(*stats));

	LIST_INIT(&stats->reporters);
	for (size_t i = 0; i < CHAINS; i++)
		LIST_INIT(&stats->chains[i]);
	return stats;
}

static void
drop(struct delay_stats *stats, struct reporter *reporter)
{
	LIST_REMOVE(reporter, entry);
	LIST_REMOVE(reporter, in_chain);
	stats->n_reporters--;
	free(reporter);
}

void
delay_stats_free(struct delay_stats **stats)
{
	struct delay_stats *old = *stats;
	struct reporter *reporter;

	*stats = NULL;
	if (old == NULL)
		return;
	while ((reporter = LIST_FIRST(&old->reporters)) != NULL)
		drop(old, reporter);
	free(old);
}

static struct reporter *
find(const struct delay_stats *stats, uint64_t viewer)
{
	struct reporter *reporter;

	for (reporter = LIST_FIRST(&stats->chains[viewer % CHAINS]); reporter != NULL;
	     reporter = LIST_NEXT(reporter, in_chain))
		if (reporter->viewer == viewer)
			return reporter;
	return NULL;
}

static bool
is_recent(int64_t index, int64_t now_ns)
{
	return index > now_ns / DELAY_SLOT_NS - DELAY_SLOTS;
}

static void
drop_silent(struct delay_stats *stats, int64_t now_ns)
{
	struct reporter *reporter, *next;

	for (reporter = LIST_FIRST(&stats->reporters); reporter != NULL; reporter = next) {
		next = LIST_NEXT(reporter, entry);
		if (!is_recent(reporter->last_index, now_ns))
			drop(stats, reporter);
	}
}

static struct reporter *
reporter_new(struct delay_stats *stats, uint64_t viewer, int64_t now_ns)
{
	struct reporter *reporter;

	drop_silent(stats, now_ns);
	if (stats->n_reporters >= DELAY_VIEWERS_MAX)
		return NULL;
	reporter = xcalloc(1, sizeof(*reporter));
	reporter->viewer = viewer;
	reporter->paid_until_ns = now_ns - WINDOW_NS;
	LIST_INSERT_HEAD(&stats->reporters, reporter, entry);
	LIST_INSERT_HEAD(&stats->chains[viewer % CHAINS], reporter, in_chain);
	stats->n_reporters++;
	return reporter;
}

/* Time passes for all viewers alike: who claims more frames than fit into it lies. */
static int
pay(struct reporter *reporter, uint64_t frames, int64_t now_ns)
{
	int64_t from_ns = reporter->paid_until_ns;

	if (from_ns < now_ns - WINDOW_NS)
		from_ns = now_ns - WINDOW_NS;
	from_ns += (int64_t)frames * (NS_PER_S / DELAY_FPS_MAX);
	if (from_ns > now_ns)
		return -ERANGE;
	reporter->paid_until_ns = from_ns;
	return 0;
}

static struct slot *
slot_at(struct reporter *reporter, int64_t now_ns)
{
	int64_t index = now_ns / DELAY_SLOT_NS;
	struct slot *slot = &reporter->slots[index % DELAY_SLOTS];

	if (slot->index != index)
		*slot = (struct slot){ .index = index };
	reporter->last_index = index;
	return slot;
}

static void
count(struct delay_totals *totals, const struct delay_report *report)
{
	double low = 0;

	totals->reports++;
	totals->shown += report->shown;
	totals->dropped += report->dropped;
	for (unsigned b = 0; b < DELAY_BUCKETS; b++) {
		double high = delay_bound_ms(b);

		if (high > report->max_ms)
			high = report->max_ms;
		totals->buckets[b] += report->buckets[b];
		totals->sum_ms += report->buckets[b] * (low + high) / 2;
		low = delay_bound_ms(b);
	}
}

int
delay_stats_add(struct delay_stats *stats, uint64_t viewer, const struct delay_report *report,
		int64_t now_ns)
{
	struct reporter *reporter = find(stats, viewer);
	int rc = -ENOSPC;
	struct slot *slot;

	if (reporter == NULL)
		reporter = reporter_new(stats, viewer, now_ns);
	if (reporter != NULL)
		rc = pay(reporter, (uint64_t)report->shown + report->dropped, now_ns);
	if (rc < 0) {
		stats->totals.refused++;
		return rc;
	}
	slot = slot_at(reporter, now_ns);
	for (unsigned b = 0; b < DELAY_BUCKETS; b++)
		slot->buckets[b] += report->buckets[b];
	if (slot->max_ms < report->max_ms)
		slot->max_ms = report->max_ms;
	reporter->transport = report->transport;
	count(&stats->totals, report);
	return 0;
}

void
delay_stats_forget(struct delay_stats *stats, uint64_t viewer)
{
	struct reporter *reporter = find(stats, viewer);

	if (reporter != NULL)
		drop(stats, reporter);
}

void
delay_stats_refuse(struct delay_stats *stats)
{
	stats->totals.refused++;
}

double
delay_quantile(const uint64_t buckets[DELAY_BUCKETS], double max_ms, double q)
{
	uint64_t frames = 0;
	double rank, below = 0, low = 0;

	for (unsigned b = 0; b < DELAY_BUCKETS; b++)
		frames += buckets[b];
	if (frames == 0)
		return 0;
	rank = q * (double)frames;
	for (unsigned b = 0; b < DELAY_BUCKETS; b++) {
		double n = (double)buckets[b], high = delay_bound_ms(b);

		if (high > max_ms)
			high = max_ms;
		if (n > 0 && below + n >= rank)
			return low + (high - low) * (rank - below) / n;
		below += n;
		low = delay_bound_ms(b);
	}
	return max_ms;
}

static struct sum
sum_of(const struct reporter *reporter, int64_t now_ns)
{
	struct sum sum = { 0 };

	for (size_t s = 0; s < DELAY_SLOTS; s++) {
		const struct slot *slot = &reporter->slots[s];

		if (!is_recent(slot->index, now_ns))
			continue;
		for (unsigned b = 0; b < DELAY_BUCKETS; b++) {
			sum.buckets[b] += slot->buckets[b];
			sum.frames += slot->buckets[b];
		}
		if (slot->max_ms > sum.max_ms)
			sum.max_ms = slot->max_ms;
	}
	return sum;
}

static void
add_sum(struct sum *all, const struct sum *one)
{
	all->frames += one->frames;
	for (unsigned b = 0; b < DELAY_BUCKETS; b++)
		all->buckets[b] += one->buckets[b];
	if (one->max_ms > all->max_ms)
		all->max_ms = one->max_ms;
}

bool
delay_stats_figures(struct delay_stats *stats, int64_t now_ns, struct delay_figures *figures)
{
	struct delay_figures found = { 0 };
	const struct reporter *reporter;
	struct sum all = { 0 };

	drop_silent(stats, now_ns);
	for (reporter = LIST_FIRST(&stats->reporters); reporter != NULL;
	     reporter = LIST_NEXT(reporter, entry)) {
		struct sum sum = sum_of(reporter, now_ns);
		double p95_ms = delay_quantile(sum.buckets, sum.max_ms, 0.95);

		if (sum.frames == 0)
			continue;
		if (found.viewers++ == 0 || p95_ms > found.worst_p95_ms) {
			found.worst_viewer = reporter->viewer;
			found.worst_transport = reporter->transport;
			found.worst_p95_ms = p95_ms;
		}
		add_sum(&all, &sum);
	}
	if (found.viewers == 0)
		return false;
	found.p50_ms = delay_quantile(all.buckets, all.max_ms, 0.5);
	found.p95_ms = delay_quantile(all.buckets, all.max_ms, 0.95);
	*figures = found;
	return true;
}

bool
delay_stats_viewer(struct delay_stats *stats, uint64_t viewer, int64_t now_ns, double *p95_ms)
{
	const struct reporter *reporter = find(stats, viewer);
	struct sum sum;

	if (reporter == NULL)
		return false;
	sum = sum_of(reporter, now_ns);
	if (sum.frames == 0)
		return false;
	*p95_ms = delay_quantile(sum.buckets, sum.max_ms, 0.95);
	return true;
}

const struct delay_totals *
delay_stats_totals(const struct delay_stats *stats)
{
	return &stats->totals;
}
