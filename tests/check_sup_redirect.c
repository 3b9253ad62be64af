/*
 * Cameras that send us elsewhere: where the next worker goes, with whose password, and how often.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include <stdio.h>
#include <string.h>

#define MINE  FAKE_ANY_WORKER
#define ONE   "cameras:\n  - name: door\n    url: rtsp://192.0.2.10/live\n"
#define LOGIN "    credentials: c1\n"

static void
redirect(struct fake_child *worker, const char *location)
{
	json_t *msg = msg_new(MSG_INPUT);

	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "redirect");
	msg_set_str(msg, "reason", "the source is elsewhere");
	msg_set_str(msg, "location", location);
	fake_say(worker, msg, -1);
	fake_exit(worker, 75);
}

static void
ready_and_redirect(struct fake *fake, const char *location)
{
	fake_ready(fake_worker(fake, "door"));
	redirect(fake_worker(fake, "door"), location);
}

/* The configuration of the worker that runs now. */
static const json_t *
told(struct fake *fake)
{
	return peer_get_msg(fake_worker(fake, "door")->peer, MSG_WORKER_CONFIG, 0);
}

START_ASYNC_TEST(test_the_next_worker_goes_there_at_once)
{
	struct fake *fake = fake_run_with_login(loop, ONE LOGIN);
	const json_t *camera;

	ready_and_redirect(fake, "rtsp://192.0.2.10:8554/other?x=1");
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	ck_assert_str_eq(fake->last_connect, "192.0.2.10:8554");
	ck_assert_str_eq(msg_str(told(fake), "url"), "rtsp://192.0.2.10:8554/other?x=1");
	camera = fake_camera(fake, "door");
	/* In order: nobody is told of trouble. */
	ck_assert_str_eq(msg_str(camera, "state"), "connecting");
	ck_assert_str_eq(msg_str(camera, "last_error"), "");
	ck_assert_str_eq(msg_str(camera, "url"), "rtsp://192.0.2.10/live");
	ck_assert_str_eq(msg_str(camera, "redirected_to"), "rtsp://192.0.2.10:8554/other?x=1");
	ck_assert_uint_eq(log_count("cam=door: down"), 0);
	expect_log("cam=door: redirected to rtsp://192.0.2.10:8554/other?x=1");
	fake_up(fake_worker(fake, "door"));
	fake_assert_state(fake, "door", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_it_is_forgotten_when_the_session_there_ends)
{
	struct fake *fake = fake_run_with_login(loop, ONE);

	ready_and_redirect(fake, "rtsp://192.0.2.11/other");
	fake_up(fake_worker(fake, "door"));
	fake_wait_ms(fake, 5000);
	fake_fail(fake_worker(fake, "door"), "eof", "connection lost");
	ck_assert_str_eq(fake->last_connect, "192.0.2.10:554");
	ck_assert_str_eq(msg_str(told(fake), "url"), "rtsp://192.0.2.10/live");
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "redirected_to"), "");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_running_camera_may_redirect_too)
{
	struct fake *fake = fake_run_with_login(loop, ONE);

	for (int i = 0; i < 10; i++) {
		char url[64];

		snprintf(url, sizeof(url), "rtsp://192.0.2.10/part%d", i);
		fake_up(fake_worker(fake, "door"));
		fake_wait_ms(fake, 2000);
		redirect(fake_worker(fake, "door"), url);
		ck_assert_str_eq(msg_str(told(fake), "url"), url);
	}
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "last_error"), "");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_three_in_a_row_and_no_more)
{
	struct fake *fake = fake_run_with_login(loop, ONE);
	const json_t *camera;

	for (int i = 0; i < 3; i++)
		ready_and_redirect(fake, i % 2 ? "rtsp://192.0.2.10/a" : "rtsp://192.0.2.10/b");
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 4);
	ready_and_redirect(fake, "rtsp://192.0.2.10/a");
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 4);
	camera = fake_camera(fake, "door");
	ck_assert_str_eq(msg_str(camera, "state"), "down");
	ck_assert_str_eq(msg_str(camera, "class"), "protocol");
	ck_assert_ptr_nonnull(strstr(msg_str(camera, "reason"), "more than 3 times"));
	/* The schedule of any failure, from the configured URL. */
	fake_wait_ms(fake, 1000);
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 5);
	ck_assert_str_eq(msg_str(told(fake), "url"), "rtsp://192.0.2.10/live");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_loop_of_redirects_slows_down)
{
	struct fake *fake = fake_run_with_login(loop, ONE);
	size_t before;

	for (int i = 0; i < 70 * 4; i++) {
		ready_and_redirect(fake, "rtsp://192.0.2.10/a");
		if (fake_find(fake, MINE, "door") == NULL)
			fake_wait_ms(fake, 1000);
		if (fake_find(fake, MINE, "door") == NULL)
			break;
	}
	/* The minute of quick tries is over. */
	ck_assert_ptr_null(fake_find(fake, MINE, "door"));
	before = fake_count(fake, MINE, "door");
	ck_assert_uint_le(before, 64 * 4);
	/* Said once, not each time. */
	ck_assert_uint_le(log_count("cam=door: redirected"), 3);
	ck_assert_uint_eq(log_count("cam=door: down"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

static const struct {
	const char *from, *to;
	const char *trouble; /* NULL: it is followed */
} leads[] = {
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.11/", NULL },
	{ "rtsp://192.0.2.10/", "rtsps://192.0.2.10/", NULL },
	{ "rtsps://192.0.2.10/", "rtsps://192.0.2.10/x", NULL },
	{ "rtsps://192.0.2.10/", "rtsp://192.0.2.10/x", "less safe" },
	{ "rtsp://192.0.2.10/", "http://192.0.2.10/x", "something else than RTSP" },
	{ "rtsp://192.0.2.10/", "file:/etc/passwd", "something else than RTSP" },
	{ "rtsp://192.0.2.10/", "test:clock", "something else than RTSP" },
	{ "rtsp://192.0.2.10/", "rtsp://u:geheim@192.0.2.10/", "with a user in the URL" },
	{ "rtsp://192.0.2.10/", "/relative", "no URL that can be read" },
	{ "rtsp://192.0.2.10/", "", "no URL that can be read" },
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.10:0/", "no URL that can be read" },
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.10/\x1b[2J", "no URL that can be read" },
	{ "rtsp://192.0.2.10/", "rtsp://127.0.0.1/", "to this machine itself" },
	{ "rtsp://192.0.2.10/", "rtsp://0.0.0.0/", "to this machine itself" },
	{ "rtsp://192.0.2.10/", "rtsp://[::1]:554/", "to this machine itself" },
	{ "rtsp://192.0.2.10/", "rtsp://[::]/", "to this machine itself" },
	{ "rtsp://127.0.0.1/", "rtsp://127.0.0.1:8554/", NULL },
};

START_ASYNC_TEST(test_where_it_may_lead)
{
	char config[256];
	struct fake *fake;

	snprintf(config, sizeof(config), "cameras:\n  - {name: door, url: \"%s\"}\n",
		 leads[_i].from);
	log_forbid("geheim");
	fake = fake_run_with_login(loop, config);
	ready_and_redirect(fake, leads[_i].to);
	if (leads[_i].trouble == NULL) {
		ck_assert_str_eq(msg_str(told(fake), "url"), leads[_i].to);
	} else {
		const char *reason = msg_str(fake_camera(fake, "door"), "reason");

		ck_assert_msg(strstr(reason, leads[_i].trouble) != NULL, "%s", reason);
		ck_assert_ptr_null(fake_find(fake, MINE, "door"));
		fake_wait_ms(fake, 1200);
		ck_assert_str_eq(msg_str(told(fake), "url"), leads[_i].from);
	}
	async_complete(loop);
}
END_ASYNC_TEST

static const struct {
	const char *url;
	const char *first, *second; /* NULL: one only */
	bool has_password;
} hosts[] = {
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.10:8554/a", NULL, true },
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.11/a", NULL, false },
	{ "rtsp://192.0.2.10/", "rtsp://cam.example/a", NULL, false },
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.10/a", "rtsps://192.0.2.10/b", true },
	/* Who sent us there chose the port and the path. */
	{ "rtsp://192.0.2.10/", "rtsp://192.0.2.11/a", "rtsp://192.0.2.10/b", false },
	{ "rtsp://cam.example/", "rtsp://CAM.example:8554/a", NULL, true },
	/* The address behind the name is the same camera. */
	{ "rtsp://cam.example/", "rtsp://192.0.2.77/a", NULL, true },
	{ "rtsp://cam.example/", "rtsp://192.0.2.78/a", NULL, false },
};

static void
resolve(struct fake *fake)
{
	struct fake_child *resolver = fake_find(fake, "camhub-resolve", "door");

	if (resolver == NULL)
		return;
	fake_say_bytes(resolver, "ok 192.0.2.77", 13);
	loop_settle(fake->loop);
}

START_ASYNC_TEST(test_whose_password)
{
	char text[256];
	const json_t *config;
	struct fake *fake;

	snprintf(text, sizeof(text), "cameras:\n  - {name: door, url: \"%s\", credentials: c1}\n",
		 hosts[_i].url);
	fake = fake_run_with_login(loop, text);
	resolve(fake);
	ck_assert_str_eq(msg_str(told(fake), "password"), "s3cr3t-word");
	ready_and_redirect(fake, hosts[_i].first);
	resolve(fake);
	if (hosts[_i].second != NULL)
		ready_and_redirect(fake, hosts[_i].second);
	config = told(fake);
	ck_assert_str_eq(msg_str(config, "password"), hosts[_i].has_password ? "s3cr3t-word" : "");
	ck_assert_str_eq(msg_str(config, "user"), hosts[_i].has_password ? "admin" : "");
	if (!hosts[_i].has_password) {
		const char *reason;

		fake_ready(fake_worker(fake, "door"));
		fake_fail(fake_worker(fake, "door"), "auth", "it wants a password");
		reason = msg_str(fake_camera(fake, "door"), "reason");
		ck_assert_ptr_nonnull(
		    strstr(reason, "it wants a password; the camera sent us to "));
		ck_assert_ptr_nonnull(strstr(reason, ", another host, which is given no password"));
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_target_that_does_not_answer)
{
	struct fake *fake = fake_run_with_login(loop, ONE);
	size_t tries = 0;

	/* The camera answers each time, the other address never. */
	for (int s = 0; s < 300; s++) {
		struct fake_child *worker = fake_find(fake, MINE, "door");

		if (worker != NULL) {
			tries++;
			fake_ready(worker);
			fake->network = FAKE_REFUSES;
			redirect(worker, "rtsp://192.0.2.11/");
			ck_assert_str_eq(fake->last_connect, "192.0.2.11:554");
			fake->network = FAKE_ANSWERS;
		}
		fake_wait_ms(fake, 1000);
	}
	/* Each second for a minute, then as after any failure. */
	ck_assert_uint_ge(tries, 55);
	ck_assert_uint_le(tries, 80);
	ck_assert_uint_eq(log_count("cam=door: down: no answer from 192.0.2.11:554: Connection "
				    "refused; the camera sent us there"),
			  1);
	async_complete(loop);
}
END_ASYNC_TEST

/* The configured URL alone would send a technician to the wrong device. */
START_ASYNC_TEST(test_trouble_at_the_target_says_where)
{
	struct fake *fake = fake_run_with_login(loop, ONE);

	ready_and_redirect(fake, "rtsp://192.0.2.11/a");
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "not-found", "no such stream");
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "reason"),
			 "no such stream; the camera sent us to 192.0.2.11");
	/* Back at the configured URL it is the camera's own trouble again. */
	fake_wait_ms(fake, 2000);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "not-found", "no such stream");
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "reason"), "no such stream");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_reload_that_leaves_the_camera_alone_leaves_the_redirect_alone)
{
	struct fake *fake = fake_run_with_login(loop, ONE);
	char *text = NULL;

	ready_and_redirect(fake, "rtsp://192.0.2.11/a");
	fake_up(fake_worker(fake, "door"));
	fake_config(fake, ONE "    title: Door\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	loop_settle(loop);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "redirected_to"),
			 "rtsp://192.0.2.11/a");
	ck_assert_uint_eq(fake_count(fake, MINE, "door"), 2);
	/* Another one begins at its URL. */
	fake_config(fake, "cameras:\n  - name: door\n    url: rtsp://192.0.2.12/live\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	fake_exit(fake_worker(fake, "door"), 0);
	ck_assert_str_eq(msg_str(told(fake), "url"), "rtsp://192.0.2.12/live");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_that_does_not_leave_is_killed_and_followed)
{
	struct fake *fake = fake_run_with_login(loop, ONE);
	struct fake_child *worker = fake_worker(fake, "door");
	json_t *msg = msg_new(MSG_INPUT);

	fake_ready(worker);
	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "redirect");
	msg_set_str(msg, "location", "rtsp://192.0.2.10/b");
	fake_say(worker, msg, -1);
	fake_assert_state(fake, "door", "connecting");
	fake_wait_ms(fake, 3000);
	ck_assert(worker->killed);
	ck_assert_str_eq(msg_str(told(fake), "url"), "rtsp://192.0.2.10/b");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_redirect");
	TCase *tcase = tcase_create("redirect");

	tcase_add_test(tcase, test_the_next_worker_goes_there_at_once);
	tcase_add_test(tcase, test_it_is_forgotten_when_the_session_there_ends);
	tcase_add_test(tcase, test_a_running_camera_may_redirect_too);
	tcase_add_test(tcase, test_three_in_a_row_and_no_more);
	tcase_add_test(tcase, test_a_loop_of_redirects_slows_down);
	tcase_add_loop_test(tcase, test_where_it_may_lead, 0,
			    (int)(sizeof(leads) / sizeof(leads[0])));
	tcase_add_loop_test(tcase, test_whose_password, 0, (int)(sizeof(hosts) / sizeof(hosts[0])));
	tcase_add_test(tcase, test_a_target_that_does_not_answer);
	tcase_add_test(tcase, test_trouble_at_the_target_says_where);
	tcase_add_test(tcase, test_a_reload_that_leaves_the_camera_alone_leaves_the_redirect_alone);
	tcase_add_test(tcase, test_one_that_does_not_leave_is_killed_and_followed);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
