/*
 * Cameras that do not answer, refuse, come back, or have a name: when they are asked again.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define ONE  "cameras:\n  - name: door\n    url: rtsp://192.0.2.10/live\n"
#define MINE FAKE_ANY_WORKER

START_ASYNC_TEST(test_a_refused_password_waits_a_minute)
{
	struct fake *fake = fake_run(loop, ONE);
	const json_t *camera;

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "the camera refused user and password (401)");
	camera = fake_camera(fake, "door");
	ck_assert_str_eq(msg_str(camera, "state"), "refused");
	ck_assert_str_eq(msg_str(camera, "class"), "auth");
	ck_assert_str_eq(msg_str(camera, "reason"), "the camera refused user and password (401)");
	ck_assert_int_eq(msg_int(camera, "retry_in_ms", 0), 60000);
	fake_wait_ms(fake, 59999);
	ck_assert_uint_eq(fake->connects, 1);
	fake_wait_ms(fake, 1);
	ck_assert_ptr_nonnull(fake_find(fake, MINE, "door"));
	/* Not "connecting": nothing has changed for the better yet. */
	fake_assert_state(fake, "door", "refused");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_an_unreachable_camera_costs_a_connect_a_second)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, ONE);
	fake->network = FAKE_REFUSES;
	fake_start(fake);
	fake_assert_state(fake, "door", "down");
	fake_wait_ms(fake, 599000);
	ck_assert_uint_eq(fake->connects, 600);
	ck_assert_uint_eq(fake_count(fake, MINE, NULL), 0);
	ck_assert_uint_eq(log_count("cam=door: down: no answer from 192.0.2.10:554: "
				    "Connection refused"),
			  1);
	fake_wait_ms(fake, 1000 + 50000);
	ck_assert_uint_eq(fake->connects, 611);
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 5000);
	fake_up(fake_worker(fake, "door"));
	fake_assert_state(fake, "door", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_silent_address_is_asked_anew_every_second)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, ONE);
	fake->network = FAKE_SILENT;
	fake_start(fake);
	fake_assert_state(fake, "door", "connecting");
	fake_wait_ms(fake, 10500);
	ck_assert_uint_eq(fake->connects, 11);
	expect_log("cam=door: down: no answer from 192.0.2.10:554: Connection timed out");
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 500);
	ck_assert_ptr_nonnull(fake_find(fake, MINE, "door"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_server_that_is_not_up_yet_is_tried_every_second_for_a_minute)
{
	struct fake *fake = fake_run(loop, ONE);

	for (int i = 0; i < 60; i++) {
		struct fake_child *worker = fake_worker(fake, "door");

		ck_assert_int_eq(worker->at_ms, i * 1000);
		fake_ready(worker);
		fake_fail(worker, "not-found", "404");
		fake_wait_ms(fake, 1000);
	}
	fake_fail(fake_worker(fake, "door"), "not-found", "404");
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 61);
	fake_wait_ms(fake, 200);
	fake_fail(fake_worker(fake, "door"), "not-found", "404");
	fake_wait_ms(fake, 399);
	ck_assert_ptr_null(fake_find(fake, MINE, "door"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_lost_camera_is_back_as_soon_as_it_answers)
{
	struct fake *fake = fake_run(loop, ONE);

	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 10000);
	fake_input(fake_worker(fake, "door"), "stalled", "timeout", "no data for 5 s");
	fake_assert_state(fake, "door", "stalled");
	fake->network = FAKE_REFUSES;
	fake_fail(fake_worker(fake, "door"), "unreachable", "connection lost");
	fake_assert_state(fake, "door", "down");
	fake_wait_ms(fake, 30300);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 1);
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 1000);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_local_sources_need_no_network)
{
	struct fake *fake = fake_run(loop, "cameras:\n  - {name: a, url: \"test:clock\"}\n"
					   "  - {name: b, url: \"file:/x.ts?loop=1\"}\n");

	fake_up(fake_worker(fake, "a"));
	fake_up(fake_worker(fake, "b"));
	ck_assert_uint_eq(fake->connects, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_camera_and_its_sub_have_a_worker_each)
{
	struct fake *fake = fake_run(loop, ONE "    sub: rtsp://192.0.2.10/small\n");

	fake_up(fake_worker(fake, "door"));
	fake_up(fake_worker(fake, "door.sub"));
	ck_assert_str_eq(
	    msg_str(peer_get_msg(fake_worker(fake, "door.sub")->peer, MSG_WORKER_CONFIG, 0), "url"),
	    "rtsp://192.0.2.10/small");
	fake_crash(fake_worker(fake, "door.sub"));
	fake_assert_state(fake, "door", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_names_are_looked_up_by_a_process_of_their_own)
{
	struct fake *fake =
	    fake_run(loop, "cameras:\n  - {name: door, url: \"rtsp://cam.example/\"}\n");
	struct fake_child *resolver = fake_get(fake, "camhub-resolve", "door");
	char name[64] = "";
	unsigned connects;

	ck_assert_uint_eq(fake->connects, 0);
	ck_assert_int_eq(recv(resolver->raw_fd, name, sizeof(name) - 1, MSG_DONTWAIT), 11);
	ck_assert_str_eq(name, "cam.example");
	fake->network = FAKE_REFUSES;
	fake_say_bytes(resolver, "ok 192.0.2.77 2001:db8::7", 25);
	ck_assert_str_eq(fake->last_connect, "192.0.2.77:554");
	ck_assert(resolver->reaped);
	/* The next connect asks the next address, without another lookup. */
	fake_wait_ms(fake, 1000);
	ck_assert_str_eq(fake->last_connect, "[2001:db8::7]:554");
	ck_assert_uint_eq(fake_count(fake, "camhub-resolve", NULL), 1);
	/* After a minute it is looked up anew; without an answer the old ones will do. */
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, "camhub-resolve", NULL), 2);
	fake_wait_ms(fake, 10000);
	ck_assert_uint_ge(fake->connects, 60);
	/* The resolver hangs, the camera is asked every second all the same. */
	connects = fake->connects;
	fake_wait_ms(fake, 30000);
	ck_assert_uint_eq(fake->connects, connects + 30);
	ck_assert_uint_eq(fake_count(fake, "camhub-resolve", NULL), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bad_answers_of_the_resolver)
{
	static const char *const answers[] = { "error no such host",
					       "ok",
					       "ok 1.2.3.4 evil",
					       "ok /etc/passwd",
					       "ok 1.2.3.4\n",
					       "rubbish",
					       "ok 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 1.1.1.1 "
					       "1.1.1.1 1.1.1.1 1.1.1.1" };
	struct fake *fake =
	    fake_run(loop, "cameras:\n  - {name: door, url: \"rtsp://cam.example/\"}\n");

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct fake_child *resolver = fake_get(fake, "camhub-resolve", "door");

		fake_say_bytes(resolver, answers[i], strlen(answers[i]));
		ck_assert_uint_eq(fake->connects, 0);
		fake_assert_state(fake, "door", "down");
		fake_wait_ms(fake, 1000);
	}
	expect_log("cam=door: down: cannot find cam.example: no such host");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_resolver_that_hangs_or_dies_is_replaced)
{
	struct fake *fake =
	    fake_run(loop, "cameras:\n  - {name: door, url: \"rtsp://cam.example/\"}\n");
	struct fake_child *resolver = fake_get(fake, "camhub-resolve", "door");

	fake_wait_ms(fake, 10000);
	ck_assert(resolver->killed);
	ck_assert_ptr_ne(fake_get(fake, "camhub-resolve", "door"), resolver);
	fake_crash(fake_get(fake, "camhub-resolve", "door"));
	fake_assert_state(fake, "door", "down");
	fake_wait_ms(fake, 1000);
	fake_get(fake, "camhub-resolve", "door");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_at_most_four_lookups_at_once)
{
	struct fake *fake = fake_new(loop);
	char config[1024] = "cameras:\n", line[100];

	for (int i = 0; i < 6; i++) {
		snprintf(line, sizeof(line), "  - {name: c%d, url: \"rtsp://h%d.example/\"}\n", i,
			 i);
		strcat(config, line);
	}
	fake_config(fake, config);
	fake_start(fake);
	ck_assert_uint_eq(fake_count(fake, "camhub-resolve", NULL), 4);
	fake_say_bytes(fake_get(fake, "camhub-resolve", "c2"), "ok 192.0.2.2", 12);
	ck_assert_uint_eq(fake_count(fake, "camhub-resolve", NULL), 5);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_camera");
	TCase *camera = tcase_create("camera");

	tcase_add_test(camera, test_a_refused_password_waits_a_minute);
	tcase_add_test(camera, test_an_unreachable_camera_costs_a_connect_a_second);
	tcase_add_test(camera, test_a_silent_address_is_asked_anew_every_second);
	tcase_add_test(camera, test_a_server_that_is_not_up_yet_is_tried_every_second_for_a_minute);
	tcase_add_test(camera, test_a_lost_camera_is_back_as_soon_as_it_answers);
	tcase_add_test(camera, test_local_sources_need_no_network);
	tcase_add_test(camera, test_a_camera_and_its_sub_have_a_worker_each);
	tcase_add_test(camera, test_names_are_looked_up_by_a_process_of_their_own);
	tcase_add_test(camera, test_bad_answers_of_the_resolver);
	tcase_add_test(camera, test_a_resolver_that_hangs_or_dies_is_replaced);
	tcase_add_test(camera, test_at_most_four_lookups_at_once);
	suite_add_tcase(suite, camera);
	return suite;
}

HARNESS_MAIN(make_suite)
