/*
 * What becomes of an analyser that does not behave, and of its results. It, the supervisor, the
 * camera and the browsers are fakes; the front between them is the real one.
 */
#include "config.h"

#include "tests/check_http_results_rig.h"

#include "shared/xalloc.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const malformed[] = {
	"",
	"garbage",
	"{",
	"[]",
	"{}",
	"{\"stream\":\"door\"}",
	"{\"stream\":\"door\",\"seq\":2}",
	"{\"stream\":\"../door\",\"epoch\":100,\"seq\":2}",
	"{\"stream\":\"door\",\"epoch\":100,\"seq\":2,\"arrived\":1}",
	"{\"stream\":\"door\",\"epoch\":100,\"seq\":2,\"objects\":[{\"box\":[0,0,1e999,1]}]}",
	"{\"stream\":\"door\",\"epoch\":100,\"seq\":2,\"objects\":[{\"box\":[[[[[[[0]]]]]]]}]}",
	"{\"stream\":\"door\",\"epoch\":100,\"seq\":2,\"stream\":\"yard\"}",
	"{\"stream\":\"door\",\"epoch\":100,\"seq\":2,\"note\":\"\xff\"}",
};

START_ASYNC_TEST(test_nonsense_is_counted_and_not_listened_to, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	analyst_accept(&analyst);
	analyst_say(&analyst, malformed[_i]);
	expect_nothing(page);
	ck_assert_uint_eq(analyst_counted(&analyst)->drops[RESULTS_MALFORMED], 1);
	ck_assert_ptr_nonnull(analyst_counted(&analyst)->last_error);
	ck_assert(!analyst_is_heard(&analyst));
	expect_log("analyser=people: a malformed result, not listened to for 1 s");
	loop_run_for_ms(loop, 999);
	ck_assert(!analyst_is_dialled(&analyst));
	loop_run_for_ms(loop, 1);
	analyst_accept(&analyst);
	analyst_label(&analyst, 2, "well");
	expect_label(page, "well");
	async_complete(loop);
}
END_ASYNC_TEST

static void
expect_pause(struct analyst *analyst, int64_t ms)
{
	analyst_say(analyst, "x");
	ck_assert(!analyst_is_heard(analyst));
	loop_run_for_ms(analyst->rig->loop, ms - 1);
	ck_assert(!analyst_is_dialled(analyst));
	loop_run_for_ms(analyst->rig->loop, 1);
	analyst_accept(analyst);
}

START_ASYNC_TEST(test_pauses_grow_and_are_forgotten, .hold_time = true)
{
	static const int64_t seconds[] = { 1, 2, 4, 8, 16, 30, 30 };
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	analyst_accept(&analyst);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
		expect_pause(&analyst, seconds[i] * 1000);
	loop_run_for_ms(loop, 30001);
	expect_pause(&analyst, 1000);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_publisher_and_too_long, .hold_time = true)
{
	static const uint8_t subscriber[] = "\0SP\0\0\x21\0\0";
	static const uint8_t endless[] = "\1\x7f\xff\xff\xff\xff\xff\xff\xff";
	static const uint8_t kind[] = "\2\0\0\0\0\0\0\0\1x";
	static char large[RESULT_BYTES_MAX + 1];
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	const struct analyser *counted = analyst_counted(&analyst);

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	if (_i < 3)
		analyst_accept(&analyst);
	memset(large, ' ', sizeof(large));
	if (_i == 0)
		analyst_say_bytes(&analyst, large, sizeof(large));
	else if (_i == 1)
		analyst_send(&analyst, endless, 9);
	else if (_i == 2)
		analyst_send(&analyst, kind, 10);
	else
		analyst_accept_with(&analyst, subscriber, 8);
	ck_assert_uint_eq(counted->drops[RESULTS_TOO_LARGE], _i < 2);
	ck_assert_uint_eq(counted->drops[RESULTS_MALFORMED], _i >= 2);
	ck_assert(!analyst_is_heard(&analyst));
	/* The longest there may be is no fault of this kind. */
	loop_run_for_ms(loop, 1000);
	analyst_accept(&analyst);
	memcpy(large, "{\"stream\":\"door\",\"epoch\":100,\"seq\":2}", 37);
	analyst_say_bytes(&analyst, large, RESULT_BYTES_MAX);
	ck_assert_uint_eq(counted->drops[RESULTS_UNKNOWN_FRAME], 1);
	ck_assert(analyst_is_heard(&analyst));
	async_complete(loop);
}
END_ASYNC_TEST

/* Its path leads to a socket of another user by now, who hears nothing but that somebody came. */
START_ASYNC_TEST(test_somebody_elses_endpoint, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new_of(rig, 5, "people", door(), geteuid() + 1);
	const struct analyser *counted = analyst_counted(&analyst);
	uint8_t byte;

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	ck_assert(analyst_is_dialled(&analyst));
	analyst.fd = accept4(analyst.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ck_assert_int_eq(recv(analyst.fd, &byte, 1, 0), 0);
	close(analyst.fd);
	ck_assert_uint_eq(counted->drops[RESULTS_FOREIGN], 1);
	ck_assert_str_eq(counted->last_error, "somebody else listens at its endpoint");
	loop_run_for_ms(loop, 999);
	ck_assert(!analyst_is_dialled(&analyst));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_flood_is_cut_off, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door());
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	const struct analyser *counted = analyst_counted(&analyst);
	struct ws_message message;
	unsigned n = 0;

	peer_ignore_msg(rig->sup, MSG_FRONT_ANALYSER);
	analyst_accept(&analyst);
	for (unsigned i = 0; i < 1000; i++)
		analyst_label(&analyst, 2, "x");
	/* Closed before all of it was read; of what was, no more than may be went on. */
	ck_assert(!analyst_is_heard(&analyst));
	ck_assert_uint_eq(counted->results, 60 + 201);
	ck_assert_uint_eq(counted->drops[RESULTS_TOO_MANY], 201);
	ck_assert(!results_link_is_connected(counted->link));
	rig_ws_send(page, "{\"type\":\"clock\",\"t0\":7}");
	for (message = rig_ws_next(page); strstr((const char *)message.bytes, "clock") == NULL;
	     message = rig_ws_next(page))
		n++;
	ck_assert_uint_le(n, 60);
	/* Pictures go on; so does it, when it behaves. */
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	loop_run_for_ms(loop, 1000);
	analyst_accept(&analyst);
	for (unsigned i = 0; i < 100; i++) {
		loop_run_for_ms(loop, 17);
		analyst_label(&analyst, 3, "y");
		expect_label(page, "y");
	}
	ck_assert_uint_eq(counted->drops[RESULTS_TOO_MANY], 201);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_speaks_of_what_is_not_its_own, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", json_pack("[s]", "yard"));
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);
	const struct analyser *counted = analyst_counted(&analyst);

	analyst_accept(&analyst);
	analyst_label(&analyst, 2, "not yours");
	expect_nothing(page);
	ck_assert_uint_eq(counted->drops[RESULTS_FOREIGN], 1);
	ck_assert_str_eq(counted->last_error, "a result of a stream that is not its own");
	ck_assert(analyst_is_heard(&analyst));
	/* Its own, which is not there. */
	analyst_say(&analyst, "{\"stream\":\"yard\",\"epoch\":100,\"seq\":2}");
	ck_assert_uint_eq(counted->drops[RESULTS_UNKNOWN_FRAME], 1);
	for (unsigned i = 0; i < 400; i++)
		analyst_label(&analyst, 2, "not yours");
	ck_assert(!analyst_is_heard(&analyst));
	expect_nothing(page);
	async_complete(loop);
}
END_ASYNC_TEST

/* However many streams it speaks of, and however large its messages are. */
START_ASYNC_TEST(test_all_streams_together, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	json_t *streams = json_array();
	struct analyst analyst;
	char *text;

	for (unsigned i = 0; i < 30; i++)
		json_array_append_new(streams, json_sprintf("c%u", i));
	analyst = analyst_new(rig, 5, "people", streams);
	analyst_accept(&analyst);
	for (unsigned i = 0; i < 1100; i++) {
		text = xasprintf("{\"stream\":\"c%u\",\"epoch\":1,\"seq\":1%*s}", i % 30,
				 _i == 0 ? 0 : 8192, "");
		analyst_say(&analyst, text);
		free(text);
	}
	/* 1000 messages, or 1 MiB; the rest is not looked at. */
	ck_assert_uint_eq(analyst_counted(&analyst)->drops[RESULTS_UNKNOWN_FRAME],
			  _i == 0 ? 1000 : (1 << 20) / (8192 + 33));
	ck_assert_uint_ge(analyst_counted(&analyst)->drops[RESULTS_TOO_MANY], 100);
	async_complete(loop);
}
END_ASYNC_TEST

/* Three that keep to what each may send are together too many; none is to blame. */
START_ASYNC_TEST(test_all_analysers_together, .hold_time = true)
{
	static const char one[] = "{\"stream\":\"door\",\"epoch\":1,\"seq\":1}";
	static char text[32768];
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analysts[3];
	uint64_t taken = 0, left = 0;

	memset(text, ' ', sizeof(text));
	memcpy(text, one, sizeof(one) - 1);
	for (int i = 0; i < 3; i++) {
		analysts[i] = analyst_new(rig, i + 1, i == 0 ? "a" : i == 1 ? "b" : "c", door());
		analyst_accept(&analysts[i]);
	}
	for (unsigned n = 0; n < 30; n++)
		for (int i = 0; i < 3; i++)
			analyst_say_bytes(&analysts[i], text, sizeof(text));
	for (int i = 0; i < 3; i++) {
		taken += analyst_counted(&analysts[i])->drops[RESULTS_UNKNOWN_FRAME];
		left += analyst_counted(&analysts[i])->drops[RESULTS_TOO_MANY];
		ck_assert(analyst_is_heard(&analysts[i]));
		ck_assert_uint_eq(analyst_counted(&analysts[i])->strikes.n, 0);
	}
	ck_assert_uint_eq(taken, (2 << 20) / sizeof(text));
	ck_assert_uint_eq(left, 90 - taken);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_comes_and_goes, .hold_time = true)
{
	struct rig *rig = wall_start(loop, NULL);
	struct analyst analyst = analyst_new(rig, 5, "people", door()), other;
	struct feed feed = feed_of(1);
	struct peer *page = page_with_overlay(rig, &feed);

	analyst_accept(&analyst);
	/* It crashes in the middle of a message, and comes back, and again. */
	for (unsigned i = 0; i < 3; i++) {
		analyst_send(&analyst, "\1\0\0\0\0\0\0\0\x40{\"stre", 15);
		shutdown(analyst.fd, SHUT_RDWR);
		loop_settle(loop);
		loop_run_for_ms(loop, 200);
		analyst_accept(&analyst);
		analyst_label(&analyst, 2, "back");
		expect_label(page, "back");
	}
	ck_assert_uint_eq(analyst_counted(&analyst)->drops[RESULTS_MALFORMED], 0);
	/* It hangs: nothing comes, and nobody minds. */
	rig_push(rig, feed_delta(&feed));
	expect_picture(page, 1, 0);
	/* Another one beside it; the first is gone. */
	other = analyst_new(rig, 6, "motion", door());
	analyst_accept(&other);
	peer_send_msg(rig->sup, json_pack("{s:s, s:i}", "type", "analyser-gone", "id", 5), -1);
	peer_run(rig->sup, 0);
	ck_assert(!analyst_is_heard(&analyst));
	analyst_label(&other, 3, "motion");
	ck_assert_str_eq(msg_str(expect_label(page, "motion"), "analyser"), "motion");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_results_faults");
	TCase *faults = tcase_create("faults");

	tcase_add_loop_test(faults, test_nonsense_is_counted_and_not_listened_to, 0,
			    (int)(sizeof(malformed) / sizeof(malformed[0])));
	tcase_add_test(faults, test_pauses_grow_and_are_forgotten);
	tcase_add_loop_test(faults, test_no_publisher_and_too_long, 0, 4);
	tcase_add_test(faults, test_somebody_elses_endpoint);
	tcase_add_test(faults, test_a_flood_is_cut_off);
	tcase_add_test(faults, test_speaks_of_what_is_not_its_own);
	tcase_add_loop_test(faults, test_all_streams_together, 0, 2);
	tcase_add_test(faults, test_all_analysers_together);
	tcase_add_test(faults, test_comes_and_goes);
	suite_add_tcase(suite, faults);
	return suite;
}

HARNESS_MAIN(make_suite)
