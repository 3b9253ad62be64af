/*
 * The delay on viewers' screens, told.
 */
#include "config.h"

#include "http/delay_tell.h"

#include "shared/msg.h"
#include "shared/xalloc.h"

#include <inttypes.h>

static long long
whole_ms(double ms)
{
	return (long long)(ms + 0.5);
}

void
delay_put_report(json_t *msg, struct delay_stats *stats, int64_t now_ns)
{
	const struct delay_totals *totals = delay_stats_totals(stats);
	struct delay_figures figures;

	msg_set_int(msg, "shown", (long long)totals->shown);
	msg_set_int(msg, "dropped", (long long)totals->dropped);
	if (!delay_stats_figures(stats, now_ns, &figures))
		return;
	msg_set_int(msg, "delay_viewers", figures.viewers);
	msg_set_int(msg, "delay_p50_ms", whole_ms(figures.p50_ms));
	msg_set_int(msg, "delay_p95_ms", whole_ms(figures.p95_ms));
	msg_set_int(msg, "delay_worst_ms", whole_ms(figures.worst_p95_ms));
	msg_set_int(msg, "delay_worst_viewer", (long long)figures.worst_viewer);
	msg_set_str(msg, "delay_worst_transport", delay_transport_name(figures.worst_transport));
}

json_t *
delay_describe(struct delay_stats *stats, int64_t now_ns)
{
	struct delay_figures figures;
	json_t *json;

	if (!delay_stats_figures(stats, now_ns, &figures))
		return json_null();
	json =
	    json_pack("{s:I, s:I, s:I, s:i, s:I, s:s}", "p50", (json_int_t)whole_ms(figures.p50_ms),
		      "p95", (json_int_t)whole_ms(figures.p95_ms), "worst",
		      (json_int_t)whole_ms(figures.worst_p95_ms), "viewers", (int)figures.viewers,
		      "worst_viewer", (json_int_t)figures.worst_viewer, "worst_transport",
		      delay_transport_name(figures.worst_transport));
	if (json == NULL)
		xalloc_die();
	return json;
}

json_t *
delay_describe_viewer(struct delay_stats *stats, uint64_t viewer, int64_t now_ns)
{
	double p95_ms;

	if (!delay_stats_viewer(stats, viewer, now_ns, &p95_ms))
		return json_null();
	return json_integer(whole_ms(p95_ms));
}

void
delay_write_histogram(const struct delay_stats *stats, const char *name, const char *stream,
		      FILE *out)
{
	const struct delay_totals *totals = delay_stats_totals(stats);
	uint64_t count = 0;

	for (unsigned b = 0; b < DELAY_BUCKETS; b++) {
		char edge[32] = "+Inf";

		if (b + 1 < DELAY_BUCKETS)
			snprintf(edge, sizeof(edge), "%g", delay_bound_ms(b) / 1000);
		count += totals->buckets[b];
		fprintf(out, "%s_bucket{stream=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, stream, edge,
			count);
	}
	fprintf(out, "%s_sum{stream=\"%s\"} %.3f\n", name, stream, totals->sum_ms / 1000);
	fprintf(out, "%s_count{stream=\"%s\"} %" PRIu64 "\n", name, stream, count);
}
