/*
 * What the tap knows of its clients, and what fronts report of their results, in one message each.
 */
#include "config.h"

#include "supervisor/sup_analysers.h"

#include "supervisor/sup_tap.h"

static const char *const counters[] = { "results", "malformed",     "too_large", "too_many",
					"foreign", "unknown_frame", "late",      "slow_viewers" };

static long long
count_watched(const struct sup_tap_client *client)
{
	const struct sup_tap_want *want;
	long long n = 0;

	for (want = TAILQ_FIRST(&client->wants); want != NULL; want = TAILQ_NEXT(want, entry))
		n += want->on;
	return n;
}

static bool
is_connected(const struct sup_tap_client *client)
{
	const struct sup_tap_report *report;

	for (report = TAILQ_FIRST(&client->reports); report != NULL;
	     report = TAILQ_NEXT(report, entry))
		if (msg_bool(report->msg, "connected", false))
			return true;
	return false;
}

/* All fronts read the same results: that of the one that reads the most. */
static double
rate_of(const struct sup_tap_client *client)
{
	const struct sup_tap_report *report;
	double rate = 0, one;

	for (report = TAILQ_FIRST(&client->reports); report != NULL;
	     report = TAILQ_NEXT(report, entry)) {
		one = msg_real(report->msg, "rate", 0);
		rate = one > rate ? one : rate;
	}
	return rate;
}

static const char *
last_error_of(const struct sup_tap_client *client)
{
	const struct sup_tap_report *report;
	const char *text = "";

	for (report = TAILQ_FIRST(&client->reports); report != NULL && text[0] == '\0';
	     report = TAILQ_NEXT(report, entry))
		text = msg_str(report->msg, "last_error");
	return text;
}

static void
put_lag(json_t *msg, const json_t *report)
{
	static const char *const names[] = { "lag_p50_us", "lag_p95_us" };

	for (size_t i = 0; report != NULL && i < 2; i++)
		if (json_object_get(report, names[i]) != NULL)
			msg_set_int(msg, names[i], msg_int(report, names[i], 0));
}

static json_t *
describe(const struct sup_tap_client *client)
{
	json_t *msg = msg_new(MSG_CTL_ANALYSER);
	json_t *streams = client->told != NULL ? json_object_get(client->told, "streams") : NULL;

	msg_set_int(msg, "id", client->id);
	msg_set_str(msg, "name", client->name);
	msg_set_str(msg, "version", client->version);
	msg_set_int(msg, "pid", client->pid);
	msg_set_int(msg, "uid", client->uid);
	msg_set_int(msg, "since_ms", client->since_ms);
	json_object_set_new(msg, "streams",
			    streams != NULL ? json_deep_copy(streams) : json_array());
	msg_set_int(msg, "watches", count_watched(client));
	msg_set_bool(msg, "connected", is_connected(client));
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		msg_set_int(msg, counters[i], sup_tap_count(client, counters[i]));
	msg_set_real(msg, "rate", rate_of(client));
	put_lag(msg, sup_tap_report(client));
	msg_set_str(msg, "last_error", last_error_of(client));
	return msg;
}

void
sup_analysers_each(struct sup *sup, void (*fn)(json_t *msg, void *arg), void *arg)
{
	const struct sup_tap_clients *clients = sup_tap_clients(sup);
	const struct sup_tap_client *client;

	for (client = TAILQ_FIRST(clients); client != NULL; client = TAILQ_NEXT(client, entry))
		if (client->is_known)
			fn(describe(client), arg);
}
