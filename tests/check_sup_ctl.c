/*
 * The control socket: a supervisor among fake children, a fake camctl.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_ctl_ev.h"
#include "supervisor/sup_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOOR "  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define GATE "  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n"

START_ASYNC_TEST(test_status_tells_all_and_the_truth)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE);
	struct peer *ctl;
	json_t *status = msg_new(MSG_WORKER_STATUS);
	const json_t *advice;

	fake_ready(fake_front(fake));
	fake_up(fake_worker(fake, "door"));
	json_object_update_new(
	    status,
	    json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, "
		      "s:b, s:i, s:i, s:i, s:[s]}",
		      "codec", "h265", "codec_string", "hvc1", "profile", "Main", "audio", "aac",
		      "width", 1280, "height", 720, "fps", 20.0, "bitrate_bps", 3000000,
		      "gop_frames", 100, "frames", 1000, "bytes", 5, "corrupt", 2, "published", 1,
		      "subscribers", 1, "gop_cache_bytes", 7, "gop_cached", 1, "b_frames", 1,
		      "last_frame_ms", 12, "config_version", 1, "advice", "turn it off"));
	json_object_update_new(status, json_pack("{s:s, s:i, s:i, s:i, s:s, s:s}", "transport",
						 "udp", "packets", 1200, "lost", 3, "reordered", 4,
						 "marker", "never", "camera_clock", "unsynced"));
	fake_say(fake_worker(fake, "door"), status, -1);
	ctl = fake_ctl(fake);
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	peer_expect_msg(ctl, MSG_CTL_SUPERVISOR,
			json_pack("{s:s, s:i, s:b, s:s}", "version", PACKAGE_VERSION, "pid",
				  (int)getpid(), "degraded", 0, "config_error", ""));
	peer_expect_msg(ctl, MSG_CTL_PROCESS,
			json_pack("{s:s, s:s, s:i}", "name", "http", "state", "up", "pid",
				  (int)fake_front(fake)->pid));
	peer_expect_msg(ctl, MSG_CTL_CAMERA,
			json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "name", "door", "state",
				  "up", "codec", "h265", "width", 1280, "corrupt", 2, "pid",
				  (int)fake_worker(fake, "door")->pid, "reason", ""));
	peer_run(ctl, 0);
	advice = json_object_get(peer_last_msg(ctl), "advice");
	ck_assert_uint_eq(json_array_size(advice), 2);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(advice, 0)), "H.265"));
	ck_assert_str_eq(json_string_value(json_array_get(advice, 1)), "turn it off");
	ck_assert_str_eq(msg_str(peer_last_msg(ctl), "transport"), "udp");
	ck_assert_int_eq(msg_int(peer_last_msg(ctl), "packets", -1), 1200);
	ck_assert_int_eq(msg_int(peer_last_msg(ctl), "lost", -1), 3);
	ck_assert_int_eq(msg_int(peer_last_msg(ctl), "reordered", -1), 4);
	ck_assert_str_eq(msg_str(peer_last_msg(ctl), "marker"), "never");
	ck_assert_str_eq(msg_str(peer_last_msg(ctl), "camera_clock"), "unsynced");
	/* Under its camera: what can be made of it. */
	peer_expect_msg(ctl, MSG_CTL_CAMERA,
			json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", "door.opus", "camera",
				  "door", "url", "camhub:door", "state", "off", "on_demand", 1));
	peer_expect_msg(ctl, MSG_CTL_CAMERA,
			json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", "door.h264", "camera",
				  "door", "url", "camhub:door", "state", "off", "on_demand", 1));
	peer_expect_msg(ctl, MSG_CTL_CAMERA,
			json_pack("{s:s, s:s, s:s, s:i}", "name", "gate", "state", "connecting",
				  "codec", "", "retry_in_ms", 0));
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i, s:s}", "code", 0, "text", ""));
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_numbers_of_the_dead_are_not_shown)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct fake_child *front = fake_front(fake);
	json_t *msg = msg_new(MSG_FRONT_STREAM);

	fake_ready(front);
	json_object_update_new(msg,
			       json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "id",
					 1, "viewers", 3, "frames", 9, "holes", 4, "skipped", 5,
					 "ring_bytes", 6, "ring_bytes_high", 7, "lag_bytes_high", 8,
					 "withheld", 10, "passed_damaged", 11));
	fake_say(front, msg, -1);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "viewers", -1), 3);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "holes", -1), 4);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "withheld", -1), 10);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "passed_damaged", -1), 11);
	fake_crash(front);
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "viewers", -1), 0);
	async_complete(loop);
}
END_ASYNC_TEST

static void
say_delay(struct fake_child *front, int viewers, int p50_ms, int p95_ms, int worst)
{
	json_t *msg = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "type",
				"front-stream", "id", 1, "viewers", 3, "frames", 9, "holes", 0,
				"skipped", 0, "ring_bytes", 6, "ring_bytes_high", 7,
				"lag_bytes_high", 8, "shown", 1000, "dropped", 10);

	if (viewers > 0)
		json_object_update_new(
		    msg, json_pack("{s:i, s:i, s:i, s:i, s:i, s:s}", "delay_viewers", viewers,
				   "delay_p50_ms", p50_ms, "delay_p95_ms", p95_ms, "delay_worst_ms",
				   p95_ms + 5, "delay_worst_viewer", worst, "delay_worst_transport",
				   "mse"));
	fake_say(front, msg, -1);
}

START_ASYNC_TEST(test_the_delay_on_screens_is_told)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct fake_child *front = fake_front(fake);
	const json_t *camera;

	fake_ready(front);
	camera = fake_camera(fake, "door");
	ck_assert_int_eq(msg_int(camera, "shown", -1), 0);
	ck_assert_ptr_null(json_object_get(camera, "delay_viewers"));
	say_delay(front, 0, 0, 0, 0);
	camera = fake_camera(fake, "door");
	ck_assert_int_eq(msg_int(camera, "shown", -1), 1000);
	ck_assert_int_eq(msg_int(camera, "dropped", -1), 10);
	ck_assert_ptr_null(json_object_get(camera, "delay_viewers"));
	ck_assert_ptr_null(json_object_get(camera, "delay_p50_ms"));
	say_delay(front, 2, 24, 41, 7);
	camera = fake_camera(fake, "door");
	ck_assert_int_eq(msg_int(camera, "delay_viewers", -1), 2);
	ck_assert_int_eq(msg_int(camera, "delay_p50_ms", -1), 24);
	ck_assert_int_eq(msg_int(camera, "delay_p95_ms", -1), 41);
	ck_assert_int_eq(msg_int(camera, "delay_worst_ms", -1), 46);
	ck_assert_int_eq(msg_int(camera, "delay_worst_viewer", -1), 7);
	ck_assert_str_eq(msg_str(camera, "delay_worst_transport"), "mse");
	/* Nobody any more. */
	say_delay(front, 0, 0, 0, 0);
	ck_assert_ptr_null(json_object_get(fake_camera(fake, "door"), "delay_p95_ms"));
	say_delay(front, 1, 24, 41, 7);
	fake_crash(front);
	ck_assert_ptr_null(json_object_get(fake_camera(fake, "door"), "delay_p95_ms"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_secret_is_told)
{
	struct fake *fake = fake_new(loop);
	struct peer *ctl;
	char *text;

	fake_config(fake,
		    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\", credentials: c}\n");
	fake_credentials(fake, "c:root:hunter-22\n");
	log_forbid("hunter-22");
	fake_start(fake);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "protocol", "cannot open rtsp://root:hunter-22@cam/");
	ctl = fake_ctl(fake);
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	text = json_dumps(peer_get_msg(ctl, MSG_CTL_CAMERA, 0), 0);
	ck_assert_msg(strstr(text, "hunter-22") == NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "cannot open"));
	free(text);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_requests_about_what_is_not_there)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);

	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_STATUS, "camera", "nope"), "code", 0), 1);
	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_RESTART, "what", "nope"), "code", 0), 1);
	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_LOG_LEVEL, "level", "loud"), "code", 0), 2);
	ck_assert_str_eq(msg_str(fake_ask(fake, MSG_CTL_VERSION, NULL, NULL), "text"),
			 PACKAGE_VERSION);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_restart_of_a_camera_and_of_the_front)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE);
	struct fake_child *door = fake_worker(fake, "door"), *gate = fake_worker(fake, "gate");
	struct fake_child *front = fake_front(fake);

	fake_up(door);
	fake_up(gate);
	fake_ready(front);
	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_RESTART, "what", "door"), "code", 1), 0);
	peer_get_msg(door->peer, MSG_STOP, 0);
	fake_assert_state(fake, "door", "connecting");
	fake_exit(door, 0);
	ck_assert_ptr_ne(fake_worker(fake, "door"), door);
	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_RESTART, "what", "http"), "code", 1), 0);
	ck_assert_ptr_ne(fake_front(fake), front);
	fake_ready(fake_front(fake));
	peer_await_msg(front->peer, MSG_DRAIN, NULL);
	peer_run(front->peer, 0);
	fake_exit(front, 0);
	ck_assert(!gate->ended);
	expect_log("ctl: restart asked by process");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_log_level_reaches_the_children)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);

	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_LOG_LEVEL, "level", "warn"), "code", 1), 0);
	ck_assert_int_eq(log_get_level(), LOG_LEVEL_WARN);
	ck_assert_str_eq(
	    msg_str(peer_get_msg(fake_worker(fake, "door")->peer, MSG_LOG_LEVEL, 0), "level"),
	    "warn");
	async_complete(loop);
}
END_ASYNC_TEST

static void
assert_cut_off(struct fake *fake, const char *bytes, size_t len)
{
	struct peer *ctl = fake_ctl(fake);

	peer_send_datagram(ctl, bytes, len);
	peer_expect_close(ctl);
	peer_run(ctl, 0);
}

START_ASYNC_TEST(test_garbage_closes_the_client_and_nothing_else)
{
	static const char *const garbage[] = { "x",
					       "{",
					       "{}",
					       "[]",
					       "null",
					       "\"status\"",
					       "{\"type\":\"stop\"}",
					       "{\"type\":\"ready\"}",
					       "{\"type\":\"status\",\"extra\":1}",
					       "{\"type\":\"restart\"}",
					       "{\"type\":17}" };
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	char large[SUP_CTL_REQUEST_MAX_BYTES + 1];

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		assert_cut_off(fake, garbage[i], strlen(garbage[i]));
	/* Good, but for its length. */
	memset(large, ' ', sizeof(large));
	memcpy(large, "{\"type\":\"version\"}", 18);
	assert_cut_off(fake, large, sizeof(large));
	expect_log("was cut off: bad message: too long");
	ck_assert_str_eq(msg_str(fake_ask(fake, MSG_CTL_VERSION, NULL, NULL), "text"),
			 PACKAGE_VERSION);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_descriptor_is_not_welcome)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *ctl = fake_ctl(fake);

	peer_send_msg(ctl, msg_new(MSG_CTL_VERSION), open("/dev/null", O_RDONLY | O_CLOEXEC));
	peer_expect_close(ctl);
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_idle_clients_are_closed_after_two_seconds)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *ctl = fake_ctl(fake);

	fake_wait_ms(fake, 1999);
	peer_send_msg(ctl, msg_new(MSG_CTL_VERSION), -1);
	peer_get_msg(ctl, MSG_CTL_DONE, 0);
	fake_wait_ms(fake, 1999);
	peer_assert_no_msg(ctl);
	peer_expect_close(ctl);
	fake_wait_ms(fake, 1);
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_sixteen_clients_and_no_more)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *last;

	for (int i = 0; i < SUP_CTL_CLIENTS_MAX; i++)
		fake_ctl(fake);
	loop_settle(loop);
	last = fake_ctl(fake);
	peer_expect_close(last);
	peer_run(last, 0);
	/* The idle make room. */
	fake_wait_ms(fake, 2000);
	fake_ask(fake, MSG_CTL_VERSION, NULL, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

/* A process of camhub that was taken over has the same user as the service. */
START_ASYNC_TEST(test_no_child_is_a_client)
{
	struct fake *fake = fake_new(loop);
	struct fake_child *front;
	struct peer *ctl;

	fake_config(fake, "cameras:\n" DOOR);
	fake->next_pid = getpid();
	fake_start(fake);
	front = fake_front(fake);
	ck_assert_int_eq(front->pid, getpid());
	ctl = fake_ctl(fake);
	peer_expect_close(ctl);
	peer_run(ctl, 0);
	expect_log("ctl: camhub-http http");
	/* Its number may be anybody's when it is gone. */
	fake_crash(front);
	fake_ask(fake, MSG_CTL_VERSION, NULL, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_client_that_does_not_read_is_closed)
{
	struct fake *fake = fake_new(loop);
	char *config = calloc(1, 1 << 17), line[600], title[257];
	struct peer *ctl;

	memset(title, 't', 256);
	title[256] = '\0';
	strcpy(config, "cameras:\n");
	for (int i = 0; i < 250; i++) {
		snprintf(line, sizeof(line), "  - {name: c%d, title: %s, url: \"test:clock\"}\n", i,
			 title);
		strcat(config, line);
	}
	fake_config(fake, config);
	free(config);
	fake_start(fake);
	ctl = fake_ctl(fake);
	for (int i = 0; i < 10; i++)
		peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	loop_settle(loop);
	fake_wait_ms(fake, 2000);
	peer_drain_until_close(ctl);
	peer_run(ctl, 0);
	fake_ask(fake, MSG_CTL_VERSION, NULL, NULL);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_out_of_descriptors_is_survived)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *ctl = fake_ctl(fake);
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	peer_send_msg(ctl, msg_new(MSG_CTL_VERSION), -1);
	loop_settle(loop);
	setrlimit(RLIMIT_NOFILE, &old);
	expect_log("ctl: Too many open files");
	fake_wait_ms(fake, 999);
	peer_assert_no_msg(ctl);
	fake_wait_ms(fake, 1);
	peer_get_msg(ctl, MSG_CTL_DONE, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_socket_is_for_owner_and_group)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct stat st;

	ck_assert_int_eq(stat(harness_tmpfile("run/ctl.sock"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ck_assert_int_eq(stat(harness_tmpfile("run/bus"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert(!fake->stopped);
	async_complete(loop);
}
END_ASYNC_TEST

static void
say_watcher(struct fake *fake, int id, const char *camera, const char *user)
{
	fake_say(fake_front(fake),
		 json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i}", "type", "watcher", "id", id,
			   "camera", camera, "user", user, "way", "session", "address", "192.0.2.7",
			   "transport", "wall", "since_ms", 1000),
		 -1);
}

START_ASYNC_TEST(test_viewers_are_listed_and_sent_away)
{
	struct fake *fake =
	    fake_run(loop, "cameras: [{name: door, url: \"rtsp://192.0.2.10/\"}]\n");
	struct peer *front = fake_synced_front(fake)->peer, *ctl = fake_ctl(fake);

	say_watcher(fake, 1, "door", "ann");
	say_watcher(fake, 2, "door", "bob");
	fake_say(fake_front(fake), json_pack("{s:s, s:i}", "type", "watcher-gone", "id", 1), -1);
	peer_send_msg(ctl, msg_new(MSG_CTL_VIEWERS), -1);
	peer_expect_msg(ctl, MSG_CTL_VIEWER,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "id", "1.2", "camera", "door",
				  "user", "bob", "address", "192.0.2.7", "transport", "wall",
				  "since_ms", 1000));
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 0));
	peer_send_msg(ctl, json_pack("{s:s, s:s}", "type", "kick", "what", "ann"), -1);
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 1));
	peer_send_msg(ctl, json_pack("{s:s, s:s}", "type", "kick", "what", "bob"), -1);
	peer_expect_msg(ctl, MSG_CTL_DONE,
			json_pack("{s:i, s:s}", "code", 0, "text", "1 sent away"));
	peer_run(ctl, 0);
	ck_assert_int_eq(msg_int(peer_get_msg(front, MSG_KICK, 0), "id", 0), 2);
	/* The front that knew them is gone, and they with it. */
	fake_exit(fake_front(fake), 1);
	loop_settle(loop);
	peer_send_msg(ctl, msg_new(MSG_CTL_VIEWERS), -1);
	peer_expect_msg(ctl, MSG_CTL_DONE, json_pack("{s:i}", "code", 0));
	peer_run(ctl, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_ctl");
	TCase *status = tcase_create("status"), *hostile = tcase_create("hostile");

	tcase_add_test(status, test_status_tells_all_and_the_truth);
	tcase_add_test(status, test_numbers_of_the_dead_are_not_shown);
	tcase_add_test(status, test_the_delay_on_screens_is_told);
	tcase_add_test(status, test_no_secret_is_told);
	tcase_add_test(status, test_requests_about_what_is_not_there);
	tcase_add_test(status, test_restart_of_a_camera_and_of_the_front);
	tcase_add_test(status, test_the_log_level_reaches_the_children);
	suite_add_tcase(suite, status);
	tcase_add_test(hostile, test_garbage_closes_the_client_and_nothing_else);
	tcase_add_test(hostile, test_a_descriptor_is_not_welcome);
	tcase_add_test(hostile, test_idle_clients_are_closed_after_two_seconds);
	tcase_add_test(hostile, test_sixteen_clients_and_no_more);
	tcase_add_test(hostile, test_no_child_is_a_client);
	tcase_add_test(hostile, test_a_client_that_does_not_read_is_closed);
	tcase_add_test(hostile, test_out_of_descriptors_is_survived);
	tcase_add_test(hostile, test_the_socket_is_for_owner_and_group);
	tcase_add_test(hostile, test_viewers_are_listed_and_sent_away);
	suite_add_tcase(suite, hostile);
	return suite;
}

HARNESS_MAIN(make_suite)
