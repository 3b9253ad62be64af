/*
 * Advice on its way through the supervisor: what it takes from workers, adds, and tells the fronts.
 */
#include "config.h"

#include "supervisor/sup_advice.h"

#include "supervisor/sup_stream.h"
#include "tests/sup_fake.h"

#include <stdio.h>
#include <string.h>

/* The texts, each followed by a '|', without the one about H.265, which is an 'H'. */
static char *
advice_for(const char *codec, json_t *texts, bool has_sub)
{
	static char out[8192];
	json_t *status = json_pack("{s:s, s:o}", "codec", codec, "advice", texts);
	json_t *list = sup_advice_for(status, has_sub), *text;
	size_t i, n = 0;

	out[0] = '\0';
	json_array_foreach (list, i, text) {
		const char *value = json_string_value(text);

		ck_assert_ptr_nonnull(value);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s|",
				      strstr(value, "H.265") != NULL ? "H" : value);
	}
	json_decref(list);
	json_decref(status);
	return out;
}

START_TEST(test_advice)
{
	json_t *none = sup_advice_for(NULL, false);

	ck_assert_uint_eq(json_array_size(none), 0);
	json_decref(none);
	ck_assert_str_eq(advice_for("h264", json_array(), false), "");
	ck_assert_str_eq(advice_for("h264", json_pack("[s, s]", "a", "b"), false), "a|b|");
	ck_assert_str_eq(advice_for("h265", json_pack("[s]", "a"), false), "H|a|");
	ck_assert_str_eq(advice_for("h265", json_pack("[s]", "a"), true), "a|");
	ck_assert_str_eq(advice_for("mjpeg", json_null(), true), "");
}
END_TEST

/* A worker's words are passed on to others: few, short, printable. */
START_TEST(test_advice_of_a_worker_that_lies)
{
	json_t *many = json_array(), *list = json_array();
	char longest[SUP_ADVICE_BYTES + 2];

	for (int i = 0; i < 16; i++)
		json_array_append_new(many, json_string("m"));
	ck_assert_str_eq(advice_for("h265", many, false), "H|m|m|m|m|m|m|m|");
	memset(longest, 'x', sizeof(longest));
	longest[SUP_ADVICE_BYTES + 1] = '\0';
	json_array_append_new(list, json_string(longest));
	longest[SUP_ADVICE_BYTES] = '\0';
	json_array_append_new(list, json_string(longest));
	json_array_append_new(list, json_string("a\nb"));
	json_array_append_new(list, json_string("a\033[2Jb"));
	json_array_append_new(list, json_string("a\177b"));
	ck_assert_uint_eq(strlen(advice_for("h264", list, false)), SUP_ADVICE_BYTES + 1);
}
END_TEST

static void
say_advice(struct fake_child *worker, const char *text)
{
	json_t *status = msg_new(MSG_WORKER_STATUS);

	json_object_update_new(
	    status,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, "
		      "s:b, s:i, s:i, s:i, s:[s]}",
		      "codec", "h264", "codec_string", "avc1", "profile", "Main", "audio", "none",
		      "width", 1280, "height", 720, "fps", 20.0, "bitrate_bps", 3000000,
		      "gop_frames", 20, "frames", 1000, "bytes", 5, "corrupt", 0, "published", 1,
		      "subscribers", 1, "gop_cache_bytes", 7, "gop_cached", 1, "b_frames", 0,
		      "last_frame_ms", 12, "config_version", 1, "advice", text));
	fake_say(worker, status, -1);
}

static void
expect_advice(struct fake *fake, const char *text)
{
	peer_expect_msg(
	    fake_front(fake)->peer, MSG_STREAM,
	    json_pack("{s:s, s:s, s:[s]}", "name", "door", "state", "up", "advice", text));
	peer_run(fake_front(fake)->peer, 0);
}

/* Once when it changes, and not more often than every 5 s; without the worker it is gone. */
START_ASYNC_TEST(test_fronts_learn_advice)
{
	struct fake *fake = fake_new(loop);
	struct peer *front;
	const json_t *last;

	fake_config(fake, "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n");
	fake_start(fake);
	front = fake_front(fake)->peer;
	fake_ready(fake_front(fake));
	fake_up(fake_worker(fake, "door"));
	peer_await_msg(front, MSG_STREAM, json_pack("{s:s}", "state", "up"));
	peer_run(front, 0);
	say_advice(fake_worker(fake, "door"), "a");
	expect_advice(fake, "a");
	say_advice(fake_worker(fake, "door"), "b");
	fake_wait_ms(fake, 4000);
	say_advice(fake_worker(fake, "door"), "b");
	peer_assert_no_msg(front);
	fake_wait_ms(fake, 1000);
	say_advice(fake_worker(fake, "door"), "a");
	peer_assert_no_msg(front);
	say_advice(fake_worker(fake, "door"), "b");
	expect_advice(fake, "b");
	say_advice(fake_worker(fake, "door"), "c");
	fake_crash(fake_worker(fake, "door"));
	last = peer_get_msg(front, MSG_STREAM, 0);
	ck_assert_uint_eq(json_array_size(json_object_get(last, "advice")), 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_advice");
	TCase *tcase = tcase_create("advice");

	tcase_add_test(tcase, test_advice);
	tcase_add_test(tcase, test_advice_of_a_worker_that_lies);
	tcase_add_test(tcase, test_fronts_learn_advice);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
