/*
 * The tap and programs that break its rules again and again.
 */
#include "config.h"

#include "tests/check_sup_tap_rig.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOOR "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/h264\"}\n"

/* What a program does again and again neither fills the log nor keeps the supervisor busy. */
START_ASYNC_TEST(test_the_log_is_not_theirs, .hold_time = true)
{
	struct fake *fake = fake_run(loop, DOOR);

	fake_wait_ms(fake, 1000);
	for (int i = 0; i < 100; i++) {
		struct peer *peer = tap_greeted(fake, "people", NULL, NULL);

		peer_close(peer);
		peer_run(peer, 0);
		loop_settle(loop);
	}
	ck_assert_uint_eq(log_count("tap: analyser people"), 20);
	fake_wait_ms(fake, 1000);
	tap_greeted(fake, "people", NULL, NULL);
	expect_log("180 more lines");
	async_complete(loop);
}
END_ASYNC_TEST

static bool
is_let_in(struct fake *fake)
{
	struct peer *peer = tap_analyser(fake);
	const struct sup_tap_clients *clients = sup_tap_clients(fake->sup);
	bool is_in;

	loop_settle(fake->loop);
	is_in = !TAILQ_EMPTY(clients);
	if (is_in)
		peer_send_datagram(peer, "x", 1);
	peer_drain_until_close(peer);
	peer_run(peer, 0);
	loop_settle(fake->loop);
	ck_assert(TAILQ_EMPTY(clients));
	return is_in;
}

START_ASYNC_TEST(test_who_breaks_the_rules_again_and_again, .hold_time = true)
{
	struct fake *fake = fake_run(loop, DOOR);

	for (int round = 0; round < 3; round++) {
		/* The ninth within 8 s is one too many: 1 s, 2 s, 4 s. */
		for (int i = 0; i < 9; i++)
			ck_assert(is_let_in(fake));
		expect_log("not let in for");
		ck_assert(!is_let_in(fake));
		fake_wait_ms(fake, (1000 << round) - 1);
		ck_assert(!is_let_in(fake));
		fake_wait_ms(fake, 1);
	}
	fake_wait_ms(fake, 61000);
	for (int i = 0; i < 9; i++)
		ck_assert(is_let_in(fake));
	fake_wait_ms(fake, 1000);
	/* Now and then is no offence. */
	for (int i = 0; i < 20; i++) {
		ck_assert(is_let_in(fake));
		fake_wait_ms(fake, 1001);
	}
	async_complete(loop);
}
END_ASYNC_TEST

/* What could not be made at first is made with the next configuration. */
START_ASYNC_TEST(test_the_list_is_tried_again)
{
	struct fake *fake = fake_run(loop, DOOR);
	char *link = fake->sup->dirs.list_link;
	static char nowhere[] = "/nonexistent/streams.json";
	struct stat st;

	unlink(link);
	fake->sup->dirs.list_link = nowhere;
	ck_assert_int_eq(sup_tap_apply(fake->sup->tap), -ENOENT);
	ck_assert_int_eq(sup_tap_apply(fake->sup->tap), -ENOENT);
	expect_log("no analyser can connect");
	fake->sup->dirs.list_link = link;
	ck_assert_int_eq(sup_tap_apply(fake->sup->tap), 0);
	ck_assert_int_eq(lstat(link, &st), 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* A full disk, for example: nobody but us would ever write it. */
START_ASYNC_TEST(test_a_list_that_cannot_be_written_is_tried_again)
{
	struct fake *fake = fake_run(loop, DOOR);
	json_t *list;

	fake_up(fake_worker(fake, "door"));
	list = tap_read_list(fake);
	ck_assert_str_ne(msg_str(tap_listed(list, "door"), "endpoint"), "");
	json_decref(list);
	ck_assert_int_eq(mkdir(tap_path(fake, "bus/.streams.json.new"), 0700), 0);
	fake_crash(fake_worker(fake, "door"));
	fake_wait_ms(fake, 2 * SUP_TAP_LIST_PAUSE_MS);
	ck_assert_uint_eq(log_count("cannot be written"), 1);
	ck_assert_int_eq(rmdir(tap_path(fake, "bus/.streams.json.new")), 0);
	fake_wait_ms(fake, SUP_TAP_LIST_AGAIN_MS);
	list = tap_read_list(fake);
	ck_assert_str_eq(msg_str(tap_listed(list, "door"), "endpoint"), "");
	json_decref(list);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_tap_guard");
	TCase *tcase = tcase_create("guard");

	tcase_add_test(tcase, test_the_log_is_not_theirs);
	tcase_add_test(tcase, test_who_breaks_the_rules_again_and_again);
	tcase_add_test(tcase, test_the_list_is_tried_again);
	tcase_add_test(tcase, test_a_list_that_cannot_be_written_is_tried_again);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
