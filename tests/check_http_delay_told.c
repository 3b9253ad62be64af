/*
 * The delay on screens, as the front tells it: to the supervisor, in /api/streams, in /metrics.
 */
#include "config.h"

#include "http/cursor.h"
#include "shared/msg.h"
#include "tests/check_http_rig.h"

#include <string.h>

static struct rig *
start_door(struct loop *loop)
{
	struct rig *rig = rig_start(loop, NULL);

	rig_stream(rig, 1, "door", "up", "");
	rig_stream(rig, 2, "yard", "up", "");
	rig_synced(rig);
	return rig;
}

static struct delay_stats *
stats_of(struct rig *rig, const char *name)
{
	return stream_find(rig->front, name)->delay;
}

/* 100 frames 20 to 30 ms old, 5 not shown. */
static void
report(struct rig *rig, uint64_t viewer)
{
	const struct delay_report report = { .id = 1,
					     .transport = DELAY_TRANSPORT_WEBCODECS,
					     .shown = 100,
					     .dropped = 5,
					     .buckets = { [2] = 100 },
					     .max_ms = 30 };

	ck_assert_int_eq(delay_stats_add(stats_of(rig, "door"), viewer, &report,
					 clock_now_ns(rig->front->clock)),
			 0);
}

static const char *
get(struct peer *browser, const char *path)
{
	static char *head;

	free(head);
	head = strdup(rig_get(browser, path, ""));
	return rig_body(browser, head, NULL);
}

static void
assert_in(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s not in:\n%s", part, text);
}

/* What goes to the supervisor once a second, checked as the supervisor does. */
static json_t *
report_of(struct rig *rig, const char *name)
{
	json_t *msg = stream_report(stream_find(rig->front, name));
	char err[MSG_ERROR_MAX];
	enum msg_type type;

	ck_assert_msg(msg_check(msg, MSG_FROM_FRONT, false, &type, err) == 0, "%s", err);
	ck_assert_int_eq(type, MSG_FRONT_STREAM);
	return msg;
}

START_ASYNC_TEST(test_the_supervisor_is_told, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	json_t *msg;

	report(rig, 4);
	msg = report_of(rig, "door");
	ck_assert_int_eq(msg_int(msg, "delay_viewers", -1), 1);
	ck_assert_int_eq(msg_int(msg, "delay_p50_ms", -1), 25);
	ck_assert_int_eq(msg_int(msg, "delay_p95_ms", -1), 30);
	ck_assert_int_eq(msg_int(msg, "delay_worst_ms", -1), 30);
	ck_assert_int_eq(msg_int(msg, "delay_worst_viewer", -1), 4);
	ck_assert_str_eq(msg_str(msg, "delay_worst_transport"), "webcodecs");
	ck_assert_int_eq(msg_int(msg, "shown", -1), 100);
	ck_assert_int_eq(msg_int(msg, "dropped", -1), 5);
	json_decref(msg);
	msg = report_of(rig, "yard");
	ck_assert_ptr_null(json_object_get(msg, "delay_viewers"));
	ck_assert_int_eq(msg_int(msg, "shown", -1), 0);
	json_decref(msg);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_api_tells_while_somebody_reports, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct peer *browser = rig_connect(rig);

	assert_in(get(browser, "/api/streams?src=door"), "\"delay_ms\":null");
	report(rig, 4);
	assert_in(get(browser, "/api/streams?src=door"),
		  "\"delay_ms\":{\"p50\":25,\"p95\":30,\"worst\":30,\"viewers\":1,"
		  "\"worst_viewer\":4,\"worst_transport\":\"webcodecs\"}");
	assert_in(get(browser, "/api/streams?src=yard"), "\"delay_ms\":null");
	loop_run_for_ms(loop, DELAY_SLOTS * DELAY_SLOT_NS / NS_PER_MS);
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_ms\":null");
	async_complete(loop);
}
END_ASYNC_TEST

static bool
has_one_viewer(void *arg)
{
	struct rig *rig = arg;

	return stream_find(rig->front, "door")->n_viewers == 1;
}

/* Whoever comes over go2rtc's protocol has no words for it. */
START_ASYNC_TEST(test_each_viewer_reports_or_does_not, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct peer *browser = rig_connect(rig), *first = rig_websocket(rig, "door");
	uint64_t id = LIST_FIRST(&stream_find(rig->front, "door")->cursors)->id;

	rig_websocket(rig, "door");
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_p95_ms\":null},{");
	report(rig, id);
	/* The newest stands first. */
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_p95_ms\":null},{");
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_p95_ms\":30}]");
	assert_in(get(browser, "/api/streams?src=door"), "\"viewers\":1,");
	/* Gone, and its delay with it. */
	peer_close(first);
	peer_run(first, 0);
	loop_run_until_true(loop, has_one_viewer, rig, "the viewer leaves", 0);
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_p95_ms\":null}]");
	assert_in(get(browser, "/api/streams?src=door"), "\"delay_ms\":null");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_metrics_never_forget, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct peer *browser = rig_connect(rig);
	const char *text;

	report(rig, 4);
	delay_stats_refuse(stats_of(rig, "door"));
	assert_in(get(browser, "/metrics"), "camhub_viewer_reporting{stream=\"door\"} 1\n");
	delay_stats_forget(stats_of(rig, "door"), 4);
	text = get(browser, "/metrics");
	assert_in(text, "camhub_viewer_reporting{stream=\"door\"} 0\n");
	assert_in(text, "camhub_viewer_frames_shown_total{stream=\"door\"} 100\n");
	assert_in(text, "camhub_viewer_frames_dropped_total{stream=\"door\"} 5\n");
	assert_in(text, "camhub_viewer_reports_refused_total{stream=\"door\"} 1\n");
	assert_in(text, "# TYPE camhub_viewer_delay_seconds histogram\n");
	assert_in(text, "camhub_viewer_delay_seconds_bucket{stream=\"door\",le=\"0.02\"} 0\n"
			"camhub_viewer_delay_seconds_bucket{stream=\"door\",le=\"0.03\"} 100\n");
	assert_in(text, "camhub_viewer_delay_seconds_sum{stream=\"door\"} 2.500\n"
			"camhub_viewer_delay_seconds_count{stream=\"door\"} 100\n");
	assert_in(text, "camhub_viewer_delay_seconds_count{stream=\"yard\"} 0\n");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_delay_told");
	TCase *told = tcase_create("told");

	tcase_add_test(told, test_the_supervisor_is_told);
	tcase_add_test(told, test_the_api_tells_while_somebody_reports);
	tcase_add_test(told, test_each_viewer_reports_or_does_not);
	tcase_add_test(told, test_the_metrics_never_forget);
	suite_add_tcase(suite, told);
	return suite;
}

HARNESS_MAIN(make_suite)
