/*
 * camctl analysers: the programs that look at cameras, and what came of what they said.
 */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/list.h"
#include "ctl/status.h"
#include "ctl/text.h"

#include <stdio.h>
#include <string.h>

static const struct text_column columns[] = {
	{ "NAME", false, 99 },    { "STREAMS", false, 50 },    { "SINCE", false, 40 },
	{ "STATE", false, 95 },   { "RESULTS", true, 90 },     { "LAG", true, 80 },
	{ "DROPPED", false, 85 }, { "LAST ERROR", false, 60 },
};

/* In the order in which they are told; the words that people see. */
static const struct {
	const char *field, *words;
} causes[] = {
	{ "malformed", "malformed" },
	{ "too_large", "too large" },
	{ "too_many", "too many" },
	{ "foreign", "not its own" },
	{ "unknown_frame", "no such frame" },
	{ "late", "late" },
	{ "slow_viewers", "for slow viewers" },
};

static void
put_streams(struct text_cell *cell, const json_t *streams)
{
	size_t n = json_array_size(streams);
	const char *first = json_string_value(json_array_get(streams, 0));
	char shown[64];

	if (n == 0)
		snprintf(cell->text, sizeof(cell->text), "-");
	else if (n == 1)
		text_escape(first, cell->text, sizeof(cell->text));
	else
		snprintf(cell->text, sizeof(cell->text), "%s and %zu more",
			 text_escape(first, shown, sizeof(shown)), n - 1);
}

/* What of its results is read now. */
static void
put_state(struct text_cell *cell, const json_t *analyser)
{
	bool publishes = json_array_size(json_object_get(analyser, "streams")) > 0;
	bool connected = msg_bool(analyser, "connected", false);

	cell->colour = connected ? TEXT_GOOD : publishes ? TEXT_WARN : TEXT_PLAIN;
	snprintf(cell->text, sizeof(cell->text), "%s",
		 connected   ? "heard"
		 : publishes ? "not heard"
			     : "looks on");
}

static void
put_lag(struct text_cell *cell, const json_t *analyser)
{
	long long p50 = msg_int(analyser, "lag_p50_us", -1);
	long long p95 = msg_int(analyser, "lag_p95_us", -1);

	if (p50 < 0)
		snprintf(cell->text, sizeof(cell->text), "-");
	else
		snprintf(cell->text, sizeof(cell->text), "%lld/%lld ms", p50 / 1000, p95 / 1000);
}

static void
put_drops(struct text_cell *cell, const json_t *analyser)
{
	size_t at = 0;

	snprintf(cell->text, sizeof(cell->text), "-");
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		long long n = msg_int(analyser, causes[i].field, 0);

		if (n <= 0 || at >= sizeof(cell->text))
			continue;
		cell->colour = TEXT_WARN;
		at += (size_t)snprintf(cell->text + at, sizeof(cell->text) - at, "%s%lld %s",
				       at > 0 ? ", " : "", n, causes[i].words);
	}
}

static void
put_row(struct text_cell *row, const json_t *analyser)
{
	const char *error = msg_str(analyser, "last_error");

	text_escape(msg_str(analyser, "name"), row[0].text, sizeof(row[0].text));
	put_streams(&row[1], json_object_get(analyser, "streams"));
	text_duration(status_now_ms() - msg_int(analyser, "since_ms", 0), row[2].text,
		      sizeof(row[2].text));
	put_state(&row[3], analyser);
	snprintf(row[4].text, sizeof(row[4].text), "%.1f/s", msg_real(analyser, "rate", 0));
	put_lag(&row[5], analyser);
	put_drops(&row[6], analyser);
	text_escape(error[0] != '\0' ? error : "-", row[7].text, sizeof(row[7].text));
}

static void
print_table(const json_t *analysers)
{
	struct text_style style = text_style_of(stdout);
	struct text_table table = { .columns = columns,
				    .n_columns = sizeof(columns) / sizeof(columns[0]) };
	const json_t *analyser;
	size_t i;

	json_array_foreach (analysers, i, analyser)
		put_row(text_table_add(&table), analyser);
	text_table_print(&table, &style, stdout);
	text_table_clear(&table);
}

int
cmd_analysers(const struct ctl_options *options, int argc, char **argv)
{
	static const struct ctl_list list = { .ask = MSG_CTL_ANALYSERS,
					      .rows = offsetof(struct ctl_reply, analysers),
					      .none = "no program looks at the cameras",
					      .print = print_table };

	return ctl_list(options, argc, argv, &list);
}
