/*
 * Reports of players, checked.
 */
#include "config.h"

#include "http/delay_report.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const double bounds_ms[DELAY_BUCKETS] = {
	10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, DELAY_REPORT_MS_MAX,
};

static const char *const transports[DELAY_TRANSPORT_COUNT] = {
	[DELAY_TRANSPORT_OTHER] = "other",   [DELAY_TRANSPORT_WEBCODECS] = "webcodecs",
	[DELAY_TRANSPORT_MSE] = "mse",       [DELAY_TRANSPORT_MJPEG] = "mjpeg",
	[DELAY_TRANSPORT_WEBRTC] = "webrtc",
};

double
delay_bound_ms(unsigned bucket)
{
	return bounds_ms[bucket];
}

const char *
delay_transport_name(enum delay_transport transport)
{
	return transports[transport];
}

static int
parse_count(const json_t *json, json_int_t min, json_int_t max, uint32_t *value)
{
	json_int_t count = json_integer_value(json);

	if (!json_is_integer(json) || count < min || count > max)
		return -EPROTO;
	*value = (uint32_t)count;
	return 0;
}

static int
parse_transport(const json_t *json, enum delay_transport *transport)
{
	const char *name = json_string_value(json);

	*transport = DELAY_TRANSPORT_OTHER;
	if (json == NULL)
		return 0;
	if (name == NULL)
		return -EPROTO;
	for (int i = 0; i < DELAY_TRANSPORT_COUNT; i++)
		if (strcmp(transports[i], name) == 0)
			*transport = i;
	return 0;
}

/* *last: the last bucket that is not empty, -1 for none. */
static int
parse_buckets(const json_t *json, struct delay_report *report, int *last)
{
	uint64_t sum = 0;

	*last = -1;
	if (json_array_size(json) != DELAY_BUCKETS)
		return -EPROTO;
	for (int i = 0; i < DELAY_BUCKETS; i++) {
		if (parse_count(json_array_get(json, (size_t)i), 0, DELAY_REPORT_FRAMES_MAX,
				&report->buckets[i]) < 0)
			return -EPROTO;
		sum += report->buckets[i];
		if (report->buckets[i] > 0)
			*last = i;
	}
	return sum <= report->shown ? 0 : -EPROTO;
}

/* [p50, p95, max]; null or nothing when no age was measured. */
static int
parse_delay(const json_t *json, bool is_measured, double *max_ms)
{
	double before = 0;

	*max_ms = 0;
	if (json == NULL || json_is_null(json))
		return is_measured ? -EPROTO : 0;
	if (json_array_size(json) != 3)
		return -EPROTO;
	for (size_t i = 0; i < 3; i++) {
		const json_t *item = json_array_get(json, i);
		double value = json_number_value(item);

		if (!json_is_number(item) || !(value >= before && value <= DELAY_REPORT_MS_MAX))
			return -EPROTO;
		before = value;
	}
	*max_ms = before;
	return 0;
}

/* The counts are what is believed; max only tells where in its bucket it lies. */
static double
inside_bucket(double max_ms, int bucket)
{
	double low = bucket > 0 ? bounds_ms[bucket - 1] : 0;

	if (bucket < 0)
		return 0;
	if (max_ms < low)
		return low;
	return max_ms < bounds_ms[bucket] ? max_ms : bounds_ms[bucket];
}

int
delay_report_parse(const json_t *json, struct delay_report *report)
{
	struct delay_report parsed = { 0 };
	double max_ms;
	uint32_t id;
	int last;

	if (parse_count(json_object_get(json, "id"), 1, UINT16_MAX, &id) < 0 ||
	    parse_transport(json_object_get(json, "transport"), &parsed.transport) < 0 ||
	    parse_count(json_object_get(json, "shown"), 0, DELAY_REPORT_FRAMES_MAX, &parsed.shown) <
		0 ||
	    parse_count(json_object_get(json, "dropped"), 0, DELAY_REPORT_FRAMES_MAX,
			&parsed.dropped) < 0 ||
	    parse_buckets(json_object_get(json, "buckets"), &parsed, &last) < 0 ||
	    parse_delay(json_object_get(json, "delay_ms"), last >= 0, &max_ms) < 0)
		return -EPROTO;
	parsed.id = (uint16_t)id;
	parsed.max_ms = inside_bucket(max_ms, last);
	*report = parsed;
	return 0;
}
