/*
 * The delay on the screens of one stream's viewers, from their reports: quantiles over the last 30
 * s of those who watch now, and counters since the front began. Pure: time comes as an argument, ns
 * of any clock that never goes back.
 *
 * The server calls delay_stats_add() for each report that delay_report_parse() accepted, and
 * delay_stats_forget() when a viewer goes (or leaves for another stream); one that is not forgotten
 * is dropped when its reports are too old.
 */
#ifndef CAMHUB_HTTP_DELAY_STATS_H
#define CAMHUB_HTTP_DELAY_STATS_H

#include "http/delay_report.h"

#include <stdbool.h>
#include <stddef.h>

#define DELAY_SLOTS   6
#define DELAY_SLOT_NS 5000000000LL
/* Nobody shows more frames a second: who says so over the whole window is not believed. */
#define DELAY_FPS_MAX     240
#define DELAY_VIEWERS_MAX 4096

struct delay_stats;

/* Of the window. */
struct delay_figures {
	unsigned viewers; /* that reported pictures with a measured age: 1 or more */
	double p50_ms, p95_ms;
	uint64_t worst_viewer; /* as given to delay_stats_add() */
	double worst_p95_ms;
	enum delay_transport worst_transport;
};

/* Ever; they only grow. */
struct delay_totals {
	uint64_t shown, dropped, reports, refused;
	uint64_t buckets[DELAY_BUCKETS];
	double sum_ms; /* estimated: each frame counts as the middle of its bucket */
};

struct delay_stats *delay_stats_new(void);
void delay_stats_free(struct delay_stats **stats); /* NULL-safe */

/*
 * viewer: its id among the stream's `consumers`, that no other viewer gets, also not later. 0,
 * -ERANGE when the report has more frames than there can have been since the viewer's last, or
 * -ENOSPC when too many viewers are known: then nothing of it counts but totals.refused.
 */
int delay_stats_add(struct delay_stats *stats, uint64_t viewer, const struct delay_report *report,
		    int64_t now_ns);
/* Harmless for one that never reported. */
void delay_stats_forget(struct delay_stats *stats, uint64_t viewer);
/* One that delay_report_parse() refused, to be counted. */
void delay_stats_refuse(struct delay_stats *stats);

/* false: nobody reports. */
bool delay_stats_figures(struct delay_stats *stats, int64_t now_ns, struct delay_figures *figures);
/* The 95th percentile of one viewer. false: it reports nothing. */
bool delay_stats_viewer(struct delay_stats *stats, uint64_t viewer, int64_t now_ns, double *p95_ms);
const struct delay_totals *delay_stats_totals(const struct delay_stats *stats);

/*
 * The value that the fraction q (0 to 1) of what is in the buckets does not exceed, if what a
 * bucket holds is spread evenly between its edges; max_ms bounds the last bucket that is not empty.
 * 0 when all are empty.
 */
double delay_quantile(const uint64_t buckets[DELAY_BUCKETS], double max_ms, double q);

#endif
