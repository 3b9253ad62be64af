/*
 * Any bytes as the reports of three viewers, one after the other, a second apart: what is believed
 * of them is never out of its range, nor more than time allows.
 */
#include "config.h"

#include "http/delay_stats.h"

#include "tests/fuzz/fuzz.h"

#define SECOND_NS 1000000000LL
#define WINDOW_S  (DELAY_SLOTS * DELAY_SLOT_NS / SECOND_NS)
#define VIEWERS   3

static void
check_figures(struct delay_stats *stats, int64_t now_ns)
{
	struct delay_figures figures;

	if (!delay_stats_figures(stats, now_ns, &figures))
		return;
	FUZZ_CHECK(figures.viewers >= 1 && figures.viewers <= VIEWERS);
	FUZZ_CHECK(figures.worst_viewer < VIEWERS);
	FUZZ_CHECK(figures.p50_ms >= 0 && figures.p50_ms <= figures.p95_ms);
	FUZZ_CHECK(figures.p95_ms <= DELAY_REPORT_MS_MAX);
	FUZZ_CHECK(figures.worst_p95_ms >= 0 && figures.worst_p95_ms <= DELAY_REPORT_MS_MAX);
	FUZZ_CHECK(delay_transport_name(figures.worst_transport) != NULL);
}

static void
check_totals(const struct delay_totals *totals, int64_t seconds)
{
	uint64_t measured = 0;

	for (unsigned b = 0; b < DELAY_BUCKETS; b++)
		measured += totals->buckets[b];
	FUZZ_CHECK(measured <= totals->shown);
	/* A frame too many for what 1/240 s is cut to. */
	FUZZ_CHECK(totals->shown + totals->dropped <=
		   (uint64_t)(VIEWERS * ((seconds + WINDOW_S) * DELAY_FPS_MAX + 1)));
	FUZZ_CHECK(totals->sum_ms >= 0 && totals->sum_ms <= (double)measured * DELAY_REPORT_MS_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *list = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	const json_t *item;
	struct delay_stats *stats = delay_stats_new();
	size_t i;

	json_array_foreach (list, i, item) {
		struct delay_report report;
		int64_t now_ns = (int64_t)i * SECOND_NS;

		if (delay_report_parse(item, &report) == 0)
			(void)delay_stats_add(stats, i % VIEWERS, &report, now_ns);
		else
			delay_stats_refuse(stats);
		check_figures(stats, now_ns);
		check_totals(delay_stats_totals(stats), (int64_t)i);
	}
	delay_stats_free(&stats);
	json_decref(list);
	return 0;
}
