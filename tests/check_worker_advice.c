/*
 * What is advised, by what was seen of a stream: frames and reports written out by hand.
 */
#include "config.h"

#include "publish/wrk_advice.h"

#include "shared/clock.h"
#include "tests/check_worker_rig.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* Words that only one text has. */
static const struct {
	char letter;
	const char *words;
} known[] = {
	{ 'l', "packets were lost" },
	{ 'g', "a key frame comes only every" },
	{ 's', "at intervals between" },
	{ 'b', "B-frames" },
	{ 'm', "does not mark the end" },
	{ 'e', "marks each slice" },
	{ 'u', "unsteady" },
	{ 'c', "clock is not set" },
	{ 'k', "too large to be kept" },
};

static char texts[WRK_ADVICE_MAX][WRK_ADVICE_BYTES];

/* One letter for each text, in their order. */
static const char *
letters(const struct wrk_advice *advice, const struct wrk_advice_facts *facts)
{
	static char out[WRK_ADVICE_MAX + 1];
	size_t n = wrk_advice_texts(advice, facts, texts), i, j;

	ck_assert_uint_le(n, WRK_ADVICE_MAX);
	for (i = 0; i < n; i++) {
		ck_assert_uint_lt(strlen(texts[i]), WRK_ADVICE_BYTES - 1); /* not cut off */
		out[i] = '?';
		for (j = 0; j < sizeof(known) / sizeof(known[0]); j++)
			if (strstr(texts[i], known[j].words) != NULL)
				out[i] = known[j].letter;
	}
	out[n] = '\0';
	return out;
}

/* The same with nothing but the frames to go by. */
static const char *
letters_of_video(const struct wrk_advice *advice)
{
	struct wrk_input_report report = { .transport = "tcp" };
	struct wrk_advice_facts facts = { .is_video = true, .report = &report };

	return letters(advice, &facts);
}

struct stream {
	struct wrk_advice advice;
	int64_t dts_ns;
};

/* A key frame and n - 1 others, step_ms apart. */
static void
gop(struct stream *stream, unsigned n, int step_ms)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		wrk_advice_frame(&stream->advice, stream->dts_ns, i == 0, false);
		stream->dts_ns += step_ms * MS;
	}
}

START_TEST(test_nothing_to_say)
{
	struct stream stream = { .dts_ns = 0 };
	struct wrk_input_report report = { .transport = NULL };
	struct wrk_advice_facts facts = { .report = &report };
	int i;

	ck_assert_str_eq(letters(&stream.advice, &facts), "");
	ck_assert_str_eq(letters_of_video(&stream.advice), "");
	for (i = 0; i < 20; i++)
		gop(&stream, 50, 40);
	ck_assert_str_eq(letters_of_video(&stream.advice), "");
}
END_TEST

static const struct {
	unsigned frames[12]; /* of each GOP, 40 ms a frame */
	const char *letters, *words;
} gops[] = {
	{ { 100, 100, 1 }, "", "" }, /* 4 s */
	{ { 101, 101, 1 }, "g", "every 4.0 s" },
	{ { 125, 125, 1 }, "g", "every 5.0 s" },
	{ { 50, 125 }, "g", "every 5.0 s" }, /* this one has not ended yet */
	{ { 250, 250, 1 }, "g", "every 10 s or less often" },
	{ { 2000 }, "g", "every 80 s or less often" },
	{ { 2000 }, "g", "smart codec" },
	{ { 125, 25, 25 }, "", "" }, /* shorter now: but three are needed to say that they vary */
	{ { 50, 125, 100, 50, 1 }, "s", "between 2.0 and 5.0 s" },
	{ { 50, 124, 100, 50, 1 }, "", "" },
	{ { 20, 70, 50, 30, 1 }, "", "" }, /* scene cuts in short ones */
	{ { 25, 500, 60, 200, 1 }, "s", "between 1.0 and 20.0 s" },
	/* the variation is as old as eight GOPs */
	{ { 25, 500, 50, 50, 50, 50, 50, 50, 50, 1 }, "s", "" },
	{ { 25, 500, 50, 50, 50, 50, 50, 50, 50, 50, 1 }, "", "" },
};

START_TEST(test_groups_of_pictures)
{
	struct stream stream = { .dts_ns = 77 * MS };
	size_t i;

	for (i = 0; gops[_i].frames[i] != 0; i++)
		gop(&stream, gops[_i].frames[i], 40);
	ck_assert_str_eq(letters_of_video(&stream.advice), gops[_i].letters);
	if (gops[_i].letters[0] != '\0')
		ck_assert_msg(strstr(texts[0], gops[_i].words) != NULL, "%s", texts[0]);
}
END_TEST

/* A GOP with a hole in it has no length. */
START_TEST(test_gaps_are_not_measured)
{
	struct stream stream = { .dts_ns = 0 };
	int i;

	for (i = 0; i < 6; i++) {
		gop(&stream, 50, 40);
		stream.dts_ns += 20000 * MS;
		wrk_advice_frame(&stream.advice, stream.dts_ns, false, true);
		stream.dts_ns += 40 * MS;
	}
	ck_assert_str_eq(letters_of_video(&stream.advice), "");
}
END_TEST

START_TEST(test_a_clock_that_goes_back)
{
	struct stream stream = { .dts_ns = 0 };
	int i;

	for (i = 0; i < 4; i++)
		gop(&stream, 100, 40);
	stream.dts_ns = 0;
	gop(&stream, 100, 40);
	gop(&stream, 1, 40);
	ck_assert_str_eq(letters_of_video(&stream.advice), "");
}
END_TEST

/* Every `each`th interval is other_ms long instead of 40. */
static const struct {
	unsigned each;
	int other_ms;
	const char *letters, *words;
} rates[] = {
	{ 5, 80, "u", "(12 to 25 a second)" },
	{ 5, 20, "u", "(25 to 50 a second)" },
	{ 2, 59, "", "" },
	{ 2, 61, "u", "" },
	{ 20, 400, "", "" }, /* now and then */
	{ 2, 26, "u", "" },
	{ 5, 30, "", "" },
};

START_TEST(test_frame_rates)
{
	struct stream stream = { .dts_ns = 0 };
	unsigned i;

	for (i = 0; i < 200; i++) {
		wrk_advice_frame(&stream.advice, stream.dts_ns, i % 25 == 0, false);
		stream.dts_ns += (i % rates[_i].each == 0 ? rates[_i].other_ms : 40) * MS;
		if (i == 60) /* too few to say */
			ck_assert_str_eq(letters_of_video(&stream.advice), "");
	}
	ck_assert_str_eq(letters_of_video(&stream.advice), rates[_i].letters);
	if (rates[_i].letters[0] != '\0')
		ck_assert_msg(strstr(texts[0], rates[_i].words) != NULL, "%s", texts[0]);
}
END_TEST

/* Night, 25 to 12 frames: unsteady for a moment, then another rate. */
START_TEST(test_another_rate_is_not_unsteady)
{
	struct stream stream = { .dts_ns = 0 };
	int i;

	for (i = 0; i < 5; i++)
		gop(&stream, 50, 40);
	gop(&stream, 25, 80);
	ck_assert_str_eq(letters_of_video(&stream.advice), "u");
	for (i = 0; i < 4; i++)
		gop(&stream, 25, 80);
	ck_assert_str_eq(letters_of_video(&stream.advice), "");
}
END_TEST

static const struct {
	struct wrk_input_report report;
	bool is_video, has_b_frames, is_gop_too_large;
	const char *letters;
} facts_rows[] = {
	{ { .marker = WRK_MARKER_OK, .clock = WRK_CLOCK_SYNCED }, true, false, false, "" },
	{ { .clock = WRK_CLOCK_NONE }, true, false, false, "" },
	{ { .marker = WRK_MARKER_NEVER }, true, false, false, "m" },
	{ { .marker = WRK_MARKER_EACH_SLICE }, true, false, false, "e" },
	{ { .clock = WRK_CLOCK_UNSYNCED }, true, false, false, "c" },
	{ { .clock = WRK_CLOCK_UNSYNCED }, false, false, false, "c" },
	{ { .marker = WRK_MARKER_NONE }, true, true, false, "b" },
	{ { .marker = WRK_MARKER_NONE }, true, false, true, "k" },
	{ { .marker = WRK_MARKER_NONE }, false, false, true, "" },
	{ { .marker = WRK_MARKER_NEVER, .clock = WRK_CLOCK_UNSYNCED }, true, true, true, "bmck" },
};

START_TEST(test_what_others_know)
{
	struct wrk_advice advice = { .n_ticks = 0 };
	struct wrk_advice_facts facts = { facts_rows[_i].is_video, facts_rows[_i].has_b_frames,
					  facts_rows[_i].is_gop_too_large, &facts_rows[_i].report };

	ck_assert_str_eq(letters(&advice, &facts), facts_rows[_i].letters);
}
END_TEST

/* MJPEG: each frame is a key frame. B frames: times are what they are. */
START_TEST(test_what_does_not_apply)
{
	struct stream stream = { .dts_ns = 0 };
	struct wrk_input_report report = { .transport = "tcp" };
	struct wrk_advice_facts mjpeg = { .report = &report };
	struct wrk_advice_facts b_frames = { .is_video = true,
					     .has_b_frames = true,
					     .report = &report };
	int i;

	for (i = 0; i < 100; i++)
		gop(&stream, 2, i % 2 == 0 ? 40 : 5000);
	ck_assert_str_eq(letters(&stream.advice, &mjpeg), "u");
	ck_assert_str_eq(letters(&stream.advice, &b_frames), "sb");
}
END_TEST

/* packets and lost: of each second. */
static void
seconds(struct wrk_advice *advice, struct wrk_input_report *report, int64_t *now_ns, int n,
	unsigned packets, unsigned lost)
{
	for (; n > 0; n--) {
		report->packets += packets;
		report->lost += lost;
		*now_ns += NS_PER_S;
		wrk_advice_tick(advice, *now_ns, report);
	}
}

START_TEST(test_loss_over_the_last_minute)
{
	struct wrk_advice advice = { .n_ticks = 0 };
	struct wrk_input_report report = { .transport = "udp" };
	struct wrk_advice_facts facts = { .is_video = true, .report = &report };
	int64_t now = 5;

	wrk_advice_tick(&advice, now, &report);
	seconds(&advice, &report, &now, 10, 299, 1);
	ck_assert_str_eq(letters(&advice, &facts), "l");
	ck_assert_ptr_nonnull(strstr(texts[0], "0.33 %"));
	report.transport = "tcp"; /* cannot be, but then it is not this */
	ck_assert_str_eq(letters(&advice, &facts), "");
	report.transport = NULL;
	ck_assert_str_eq(letters(&advice, &facts), "");
	report.transport = "udp";
	seconds(&advice, &report, &now, 50, 300, 0);
	ck_assert_str_eq(letters(&advice, &facts), ""); /* 10 of 18000 */
	seconds(&advice, &report, &now, 1, 200, 100);
	ck_assert_str_eq(letters(&advice, &facts), "l");
	ck_assert_ptr_nonnull(strstr(texts[0], "0.61 %"));
	seconds(&advice, &report, &now, 59, 300, 0);
	ck_assert_str_eq(letters(&advice, &facts), "l");
	seconds(&advice, &report, &now, 1, 300, 0);
	ck_assert_str_eq(letters(&advice, &facts), "");
}
END_TEST

START_TEST(test_little_loss_is_nothing)
{
	struct wrk_advice advice = { .n_ticks = 0 };
	struct wrk_input_report report = { .transport = "udp" };
	struct wrk_advice_facts facts = { .is_video = true, .report = &report };
	int64_t now = 5;

	seconds(&advice, &report, &now, 1, 0, 0);
	seconds(&advice, &report, &now, 9, 10, 1); /* a tenth, but of nothing */
	ck_assert_str_eq(letters(&advice, &facts), "");
	seconds(&advice, &report, &now, 1, 10, 1);
	ck_assert_str_eq(letters(&advice, &facts), "l");
}
END_TEST

/* Status is said at other moments too: what comes between two seconds is not another second. */
START_TEST(test_ticks_that_come_too_soon)
{
	struct wrk_advice advice = { .n_ticks = 0 };
	struct wrk_input_report report = { .transport = "udp" };
	struct wrk_advice_facts facts = { .is_video = true, .report = &report };
	int64_t now = 5;
	int i;

	seconds(&advice, &report, &now, 2, 1000, 100);
	for (i = 0; i < 1000; i++)
		wrk_advice_tick(&advice, now + i * MS / 2, &report);
	ck_assert_str_eq(letters(&advice, &facts), "l");
	report = (struct wrk_input_report){ .transport = "udp" }; /* counts from 0 again */
	seconds(&advice, &report, &now, 1, 1, 0);
	ck_assert_str_eq(letters(&advice, &facts), "");
}
END_TEST

static bool
advises(const json_t *status, const char *words)
{
	const json_t *text;
	size_t i;

	json_array_foreach (json_object_get(status, "advice"), i, text)
		if (strstr(json_string_value(text), words) != NULL)
			return true;
	return false;
}

/* From the units, the publisher and the input to the supervisor. */
START_ASYNC_TEST(test_the_supervisor_is_told)
{
	const json_t *status;
	int i;

	rig_new_with_status(loop);
	go_up();
	loop_run_for_ms(loop, WRK_STATUS_MS);
	status = peer_get_msg(rig->supervisor, MSG_WORKER_STATUS, 0);
	ck_assert(json_is_array(json_object_get(status, "advice")));
	ck_assert_uint_eq(json_array_size(json_object_get(status, "advice")), 0);
	for (i = 0; i < 110; i++)
		deliver(H264_UNIT(SLICE_B, 5000 + i * FRAME_MS));
	rig->report = (struct wrk_input_report){ .transport = "udp", .marker = WRK_MARKER_NEVER };
	loop_run_for_ms(loop, WRK_STATUS_MS);
	status = peer_get_msg(rig->supervisor, MSG_WORKER_STATUS, 0);
	ck_assert_uint_eq(json_array_size(json_object_get(status, "advice")), 3);
	ck_assert(advises(status, "a key frame comes only every"));
	ck_assert(advises(status, "B-frames"));
	ck_assert(advises(status, "does not mark the end"));
	rig->report.packets = 100000;
	rig->report.lost = 1000;
	loop_run_for_ms(loop, WRK_STATUS_MS);
	status = peer_get_msg(rig->supervisor, MSG_WORKER_STATUS, 0);
	ck_assert(advises(status, "0.99 % of the packets"));
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("worker_advice");
	TCase *tcase = tcase_create("advice");

	tcase_add_test(tcase, test_nothing_to_say);
	tcase_add_loop_test(tcase, test_groups_of_pictures, 0, sizeof(gops) / sizeof(gops[0]));
	tcase_add_test(tcase, test_gaps_are_not_measured);
	tcase_add_test(tcase, test_a_clock_that_goes_back);
	tcase_add_loop_test(tcase, test_frame_rates, 0, sizeof(rates) / sizeof(rates[0]));
	tcase_add_test(tcase, test_another_rate_is_not_unsteady);
	tcase_add_loop_test(tcase, test_what_others_know, 0,
			    sizeof(facts_rows) / sizeof(facts_rows[0]));
	tcase_add_test(tcase, test_what_does_not_apply);
	tcase_add_test(tcase, test_loss_over_the_last_minute);
	tcase_add_test(tcase, test_little_loss_is_nothing);
	tcase_add_test(tcase, test_ticks_that_come_too_soon);
	tcase_add_test(tcase, test_the_supervisor_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
