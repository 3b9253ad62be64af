/*
 * What is said of analysers: to the supervisor, on /api/analysers, in /metrics.
 */
#include "config.h"

#include "http/results_int.h"

#include "http/gate_request.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

#define LAG_WINDOW_NS (30 * NS_PER_S)

struct lag {
	int64_t p50_us, p95_us;
};

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* From frame to result, of the last 30 s. false: none came. */
static bool
lag_of(const struct analyser *analyser, struct lag *lag)
{
	int64_t since = clock_now_ns(analyser->front->clock) - LAG_WINDOW_NS, us[RESULTS_LAGS];
	size_t n = 0;

	for (uint64_t i = 0; i < analyser->n_lags && i < RESULTS_LAGS; i++)
		if (analyser->lags[i].at_ns >= since)
			us[n++] = analyser->lags[i].us;
	if (n == 0)
		return false;
	qsort(us, n, sizeof(us[0]), by_size);
	*lag = (struct lag){ us[(n - 1) / 2], us[(n - 1) * 95 / 100] };
	return true;
}

/* Results in a second, over the latest reports. */
static double
rate_of(const struct analyser *analyser)
{
	unsigned n = analyser->n_told < RESULTS_RATES ? analyser->n_told : RESULTS_RATES;
	uint64_t before = analyser->told[(analyser->n_told - n) % RESULTS_RATES];

	return n > 0 ? (double)(analyser->results - before) / n : 0;
}

static bool
is_connected(const struct analyser *analyser)
{
	return analyser->link != NULL && results_link_is_connected(analyser->link);
}

static json_t *
report(const struct analyser *analyser)
{
	json_t *msg = msg_new(MSG_FRONT_ANALYSER);
	struct lag lag;

	msg_set_int(msg, "id", analyser->id);
	msg_set_bool(msg, "connected", is_connected(analyser));
	msg_set_int(msg, "results", (long long)analyser->results);
	msg_set_real(msg, "rate", rate_of(analyser));
	for (size_t i = 0; i < RESULTS_DROPS; i++)
		msg_set_int(msg, results_drop_names[i], (long long)analyser->drops[i]);
	if (lag_of(analyser, &lag)) {
		msg_set_int(msg, "lag_p50_us", lag.p50_us);
		msg_set_int(msg, "lag_p95_us", lag.p95_us);
	}
	msg_set_str(msg, "last_error", analyser->last_error);
	return msg;
}

void
results_report(const struct results *results)
{
	struct analyser *analyser;

	for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
	     analyser = LIST_NEXT(analyser, entry)) {
		front_send(results->front, report(analyser), -1);
		analyser->told[analyser->n_told++ % RESULTS_RATES] = analyser->results;
	}
}

/* The streams of an analyser that may be seen. */
static json_t *
streams_for(const struct analyser *analyser, const struct request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; i < analyser->n_streams; i++)
		if (gate_shows(request, analyser->streams[i].name) &&
		    json_array_append_new(list, json_string(analyser->streams[i].name)) < 0)
			xalloc_die();
	return list;
}

static json_t *
drops_of(const struct analyser *analyser)
{
	json_t *drops = json_object();

	for (size_t i = 0; i < RESULTS_DROPS; i++)
		msg_set_int(drops, results_drop_names[i], (long long)analyser->drops[i]);
	return drops;
}

static json_t *
describe(const struct analyser *analyser, json_t *streams)
{
	struct lag lag;
	json_t *json = json_pack(
	    "{s:s, s:o, s:b, s:I, s:f, s:o, s:n, s:s, s:I}", "name", analyser->name, "streams",
	    streams, "connected", is_connected(analyser), "results", (json_int_t)analyser->results,
	    "rate", rate_of(analyser), "dropped", drops_of(analyser), "lag_ms", "last_error",
	    analyser->last_error != NULL ? analyser->last_error : "", "last_error_ms",
	    (json_int_t)analyser->last_error_ms);

	if (json == NULL)
		xalloc_die();
	if (lag_of(analyser, &lag) &&
	    json_object_set_new(json, "lag_ms",
				json_pack("{s:f, s:f}", "p50", (double)lag.p50_us / 1000, "p95",
					  (double)lag.p95_us / 1000)) < 0)
		xalloc_die();
	return json;
}

json_t *
results_describe(const struct results *results, const struct request *request)
{
	const struct analyser *analyser;
	json_t *all = json_array();

	for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
	     analyser = LIST_NEXT(analyser, entry)) {
		json_t *streams = streams_for(analyser, request);

		if (json_array_size(streams) == 0)
			json_decref(streams);
		else if (json_array_append_new(all, describe(analyser, streams)) < 0)
			xalloc_die();
	}
	return all;
}

/* Metrics */

static bool
is_shown(const struct analyser *analyser, const struct request *request)
{
	for (size_t i = 0; i < analyser->n_streams; i++)
		if (gate_shows(request, analyser->streams[i].name))
			return true;
	return false;
}

/* Names of analysers need no escaping; two of the same name are told apart by their id. */
#define LABELS "{analyser=\"%s\",id=\"%" PRIu32 "\""

static void
write_results(const struct analyser *analyser, FILE *out)
{
	fprintf(out, "camhub_analyser_results_total" LABELS "} %" PRIu64 "\n", analyser->name,
		analyser->id, analyser->results);
}

static void
write_connected(const struct analyser *analyser, FILE *out)
{
	fprintf(out, "camhub_analyser_connected" LABELS "} %d\n", analyser->name, analyser->id,
		is_connected(analyser));
}

static void
write_drops(const struct analyser *analyser, FILE *out)
{
	for (size_t i = 0; i < RESULTS_DROPS; i++)
		fprintf(out, "camhub_analyser_dropped_total" LABELS ",cause=\"%s\"} %" PRIu64 "\n",
			analyser->name, analyser->id, results_drop_names[i], analyser->drops[i]);
}

static void
write_lag(const struct analyser *analyser, FILE *out)
{
	struct lag lag;

	if (!lag_of(analyser, &lag))
		return;
	fprintf(out, "camhub_analyser_lag_seconds" LABELS ",quantile=\"0.5\"} %.6f\n",
		analyser->name, analyser->id, (double)lag.p50_us / 1e6);
	fprintf(out, "camhub_analyser_lag_seconds" LABELS ",quantile=\"0.95\"} %.6f\n",
		analyser->name, analyser->id, (double)lag.p95_us / 1e6);
}

static const struct {
	const char *head;
	void (*write)(const struct analyser *analyser, FILE *out);
} families[] = {
	{ "# HELP camhub_analyser_results_total Results that came from the analyser.\n"
	  "# TYPE camhub_analyser_results_total counter\n",
	  write_results },
	{ "# HELP camhub_analyser_connected 1 while its results are read.\n"
	  "# TYPE camhub_analyser_connected gauge\n",
	  write_connected },
	{ "# HELP camhub_analyser_dropped_total Results that went no further, by cause; "
	  "slow_viewers: to one of the viewers.\n"
	  "# TYPE camhub_analyser_dropped_total counter\n",
	  write_drops },
	{ "# HELP camhub_analyser_lag_seconds From the frame's arrival to its result, of the last "
	  "30 s.\n# TYPE camhub_analyser_lag_seconds gauge\n",
	  write_lag },
};

void
results_write_metrics(const struct results *results, const struct request *request, FILE *out)
{
	const struct analyser *analyser;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		fputs(families[i].head, out);
		for (analyser = LIST_FIRST(&results->analysers); analyser != NULL;
		     analyser = LIST_NEXT(analyser, entry))
			if (is_shown(analyser, request))
				families[i].write(analyser, out);
	}
}
