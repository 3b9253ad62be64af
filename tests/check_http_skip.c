/*
 * Skipping, seen from a cursor: how much is told to have been left out, and the time behind it.
 */
#include "config.h"

#include "http/cursor.h"
#include "tests/check_http_rig.h"

#define LAG_BYTES 65536 /* four frames of this test are more, three are not */
#define LAG_UNITS 4
#define PADDING   20000

static struct cursor cursor;

static void
ignore(void *arg)
{
	(void)arg;
}

static const struct cursor_ops ops = { .on_frames = ignore, .on_state = ignore, .on_gone = ignore };

static void
leave(void *arg)
{
	(void)arg;
	cursor_leave(&cursor);
}

/* A cursor in "door" that wants its frames. */
static struct rig *
start(struct loop *loop)
{
	struct rig *rig = rig_start(loop, json_pack("{s:i}", "viewer_lag_bytes", LAG_BYTES));

	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	cursor_init(&cursor, 1, &ops, NULL);
	cursor_enter(&cursor, stream_find(rig->front, "door"));
	harness_defer(leave, NULL);
	cursor_set_mode(&cursor, CURSOR_FRAMES);
	peer_expect_msg(rig->sup, MSG_WANT, json_pack("{s:b}", "on", 1));
	peer_run(rig->sup, 0);
	return rig;
}

static void
take_all(void)
{
	while (cursor_peek(&cursor) != NULL)
		cursor_take(&cursor);
}

static void
push_deltas(struct rig *rig, struct feed *feed, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		rig_push(rig, feed_delta(feed));
}

/* So many that the cursor lags too far behind, then the key frame that it goes on at, as if nothing
 * had been between. */
static void
lag_until_the_next_key(struct rig *rig, struct feed *feed)
{
	uint64_t behind = cursor.next_time;

	feed->padding = PADDING;
	push_deltas(rig, feed, LAG_UNITS);
	ck_assert_ptr_null(cursor_peek(&cursor));
	feed->padding = 0;
	rig_push_gop(rig, feed, 1);
	ck_assert(cursor_peek(&cursor)->is_key);
	ck_assert_uint_eq(cursor_take(&cursor), behind);
}

START_ASYNC_TEST(test_what_was_left_out_is_told, .hold_time = true)
{
	struct rig *rig = start(loop);
	struct feed feed = feed_new(EPOCH);

	rig_push_gop(rig, &feed, 5);
	take_all();
	lag_until_the_next_key(rig, &feed);
	ck_assert_uint_eq(cursor.skipped_frames, LAG_UNITS);
	ck_assert_uint_eq(cursor.skipped_ms, LAG_UNITS * FRAME_MS);
	/* Nobody told it yet: the next comes on top. */
	lag_until_the_next_key(rig, &feed);
	ck_assert_uint_eq(cursor.skipped_frames, 2 * LAG_UNITS);
	ck_assert_uint_eq(cursor.skipped_ms, 2 * LAG_UNITS * FRAME_MS);
	ck_assert_uint_eq(cursor.skipped, 2 * LAG_UNITS);
	async_complete(loop);
}
END_ASYNC_TEST

/* The last frame was predicted to last until behind the key frame: nothing was left out in time,
 * and surely not less than nothing. */
START_ASYNC_TEST(test_a_prediction_that_was_too_long, .hold_time = true)
{
	struct rig *rig = start(loop);
	struct feed feed = feed_new(EPOCH);

	rig_push_gop(rig, &feed, 2);
	/* Each longer pause may double the prediction: 80, 160, 320 ms. */
	for (int i = 0; i < 3; i++) {
		feed.time_ms += 900;
		push_deltas(rig, &feed, 1);
	}
	take_all();
	lag_until_the_next_key(rig, &feed);
	ck_assert_uint_eq(cursor.skipped_frames, LAG_UNITS);
	ck_assert_uint_eq(cursor.skipped_ms, 0);
	lag_until_the_next_key(rig, &feed);
	ck_assert_uint_eq(cursor.skipped_ms, LAG_UNITS * FRAME_MS);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_skip");
	TCase *tcase = tcase_create("skip");

	tcase_add_test(tcase, test_what_was_left_out_is_told);
	tcase_add_test(tcase, test_a_prediction_that_was_too_long);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
