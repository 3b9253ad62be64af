/*
 * Reload: a changed configuration, and what of it takes effect when.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOOR "  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define GATE "  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n"
#define MINE FAKE_ANY_WORKER

static void
assert_reload(struct fake *fake, long long code, const char *part)
{
	const json_t *done = fake_ask(fake, MSG_CTL_RELOAD, NULL, NULL);

	ck_assert_msg(msg_int(done, "code", -1) == code && strstr(msg_str(done, "text"), part),
		      "expected %lld and \"%s\", got %lld and \"%s\"", code, part,
		      msg_int(done, "code", -1), msg_str(done, "text"));
}

START_ASYNC_TEST(test_reload_touches_only_what_changed)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE
					   "  - {name: yard, url: \"rtsp://192.0.2.12/\"}\n");
	struct fake_child *door = fake_worker(fake, "door"), *gate = fake_worker(fake, "gate");
	struct fake_child *yard = fake_worker(fake, "yard"), *front = fake_front(fake);

	fake_up(door);
	fake_up(gate);
	fake_up(yard);
	peer_get_msg(front->peer, MSG_STREAMS_SYNCED, 0);
	fake_ready(front);
	fake_config(fake, "cameras:\n"
			  "  - {name: new, url: \"test:clock\"}\n"
			  "  - {name: door, title: Door, url: \"rtsp://192.0.2.10/\"}\n"
			  "  - {name: gate, url: \"rtsp://192.0.2.99/\"}\n");
	assert_reload(fake, 0, "streams: 1 restarted, 1 added, 1 removed, 1 untouched");
	/* Changed. */
	peer_get_msg(gate->peer, MSG_STOP, 0);
	fake_exit(gate, 0);
	ck_assert_str_eq(
	    msg_str(peer_get_msg(fake_worker(fake, "gate")->peer, MSG_WORKER_CONFIG, 0), "url"),
	    "rtsp://192.0.2.99/");
	/* Gone. */
	peer_await_msg(front->peer, MSG_STREAM_GONE, json_pack("{s:i}", "id", 3));
	peer_run(front->peer, 0);
	peer_get_msg(yard->peer, MSG_STOP, 0);
	fake_exit(yard, 0);
	fake_wait_ms(fake, 0);
	ck_assert_int_eq(msg_int(fake_ask(fake, MSG_CTL_STATUS, "camera", "yard"), "code", 0), 1);
	/* New. */
	fake_up(fake_worker(fake, "new"));
	fake_assert_state(fake, "new", "up");
	/* Shown under another name, never touched. */
	ck_assert_str_eq(msg_str(fake_camera(fake, "door"), "title"), "Door");
	ck_assert_int_eq(msg_int(fake_camera(fake, "door"), "pid", 0), door->pid);
	peer_get_msg(door->peer, MSG_WORKER_CONFIG, 0);
	peer_assert_no_msg(door->peer);
	fake_wait_ms(fake, 30000);
	ck_assert(!door->ended && !front->ended);
	ck_assert_uint_eq(fake_count(fake, MINE, "yard"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_reload_tells_the_front_titles_and_order)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct peer *peer = fake_front(fake)->peer;

	peer_get_msg(peer, MSG_STREAMS_SYNCED, 0);
	fake_config(fake, "cameras:\n" GATE
			  "  - {name: door, title: Back, url: \"rtsp://192.0.2.10/\"}\n");
	assert_reload(fake, 0, "streams: 0 restarted, 1 added, 0 removed, 1 untouched");
	peer_await_msg(peer, MSG_STREAM, json_pack("{s:s, s:i}", "name", "gate", "order", 0));
	peer_await_msg(peer, MSG_STREAM,
		       json_pack("{s:s, s:s, s:i, s:i}", "name", "door", "title", "Back", "order",
				 1, "id", 1));
	peer_run(peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_an_invalid_file_changes_nothing_and_says_why)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct fake_child *door = fake_worker(fake, "door");
	struct peer *ctl;

	fake_up(door);
	fake_config(fake, "cameras:\n  - {name: Door, url: \"rtsp://192.0.2.10/\"}\n"
			  "  - {name: gate, url: \"ftp://x/\"}\n");
	assert_reload(fake, 1, "nothing was changed:\n");
	assert_reload(fake, 1, "camhub.yaml:2: ");
	assert_reload(fake, 1, "camhub.yaml:3: ");
	ctl = fake_ctl(fake);
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	ck_assert_ptr_nonnull(strstr(
	    msg_str(peer_get_msg(ctl, MSG_CTL_SUPERVISOR, 0), "config_error"), "camhub.yaml:2: "));
	fake_assert_state(fake, "door", "up");
	peer_get_msg(door->peer, MSG_WORKER_CONFIG, 0);
	peer_assert_no_msg(door->peer);
	/* Put right: nothing differs from what runs. */
	fake_config(fake, "cameras:\n" DOOR);
	assert_reload(fake, 0, "streams: 0 restarted, 0 added, 0 removed, 1 untouched");
	ctl = fake_ctl(fake);
	peer_send_msg(ctl, msg_new(MSG_CTL_STATUS), -1);
	ck_assert_str_eq(msg_str(peer_get_msg(ctl, MSG_CTL_SUPERVISOR, 0), "config_error"), "");
	ck_assert(!door->ended);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_new_password_is_tried_at_once)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake,
		    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\", credentials: c}\n");
	fake_credentials(fake, "c:root:wrong-one\n");
	log_forbid("wrong-one");
	log_forbid("right-one");
	fake_start(fake);
	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401");
	fake_wait_ms(fake, 5000);
	fake_credentials(fake, "c:root:right-one\n");
	assert_reload(fake, 0, "streams: 1 restarted");
	ck_assert_str_eq(
	    msg_str(peer_get_msg(fake_worker(fake, "door")->peer, MSG_WORKER_CONFIG, 0),
		    "password"),
	    "right-one");
	fake_assert_state(fake, "door", "connecting");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_removed_and_put_back_while_stopping)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR GATE);
	struct fake_child *gate = fake_worker(fake, "gate");

	fake_up(gate);
	fake_config(fake, "cameras:\n" DOOR);
	assert_reload(fake, 0, "1 removed");
	peer_get_msg(gate->peer, MSG_STOP, 0);
	fake_config(fake, "cameras:\n" DOOR GATE);
	assert_reload(fake, 0, "1 added");
	/* One connection to a camera, ever: the new worker waits for the old one's end. */
	ck_assert_uint_eq(fake_count(fake, MINE, "gate"), 1);
	fake_exit(gate, 0);
	ck_assert_ptr_ne(fake_worker(fake, "gate"), gate);
	fake_up(fake_worker(fake, "gate"));
	fake_assert_state(fake, "gate", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_on_demand_switched_by_reload)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);
	struct fake_child *door = fake_worker(fake, "door");

	fake_up(door);
	fake_config(fake,
		    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\", on_demand: true}\n");
	assert_reload(fake, 0, "1 untouched");
	peer_get_msg(door->peer, MSG_STOP, 0);
	fake_exit(door, 0);
	fake_assert_state(fake, "door", "off");
	fake_config(fake, "cameras:\n" DOOR);
	assert_reload(fake, 0, "1 untouched");
	ck_assert_ptr_ne(fake_worker(fake, "door"), door);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_reload_says_what_takes_effect_when)
{
	struct fake *fake = fake_run(loop, "cameras:\n" DOOR);

	fake_config(fake, "http: {listen: [\"127.0.0.1:1\"]}\nlimits: {viewers: 7, linger: 1s}\n"
			  "log: {level: warn}\ncameras:\n" DOOR);
	assert_reload(fake, 0, "http.listen changed: takes effect when camhub is restarted");
	fake_config(fake, "limits: {viewers: 8}\ncameras:\n" DOOR);
	assert_reload(fake, 0, "limits.viewers changed: takes effect in processes that start");
	fake_config(fake, "limits: {viewers: 8}\nlog: {level: err}\ncameras:\n" DOOR);
	assert_reload(fake, 0, "log.level changed");
	ck_assert_int_eq(log_get_level(), LOG_LEVEL_ERR);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_frozen_credentials_ask_for_a_restart)
{
	static const struct timespec past[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct fake *fake = fake_new(loop);

	fake_config(fake,
		    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\", credentials: c}\n");
	fake->options.credentials = harness_tmpfile("cameras");
	fake_credentials(fake, "c:root:some-word\n");
	harness_setenv("CREDENTIALS_DIRECTORY", harness_tmpdir());
	fake_start(fake);
	/* The source is not younger than its copy, then it is. */
	fake->sup->options.credentials_source = fake->options.credentials;
	assert_reload(fake, 0, "1 untouched");
	ck_assert_ptr_null(strstr(msg_str(fake_ask(fake, MSG_CTL_RELOAD, NULL, NULL), "text"),
				  "systemctl restart camhub"));
	fake->sup->options.credentials_source = harness_tmpfile("source");
	ck_assert_int_eq(close(creat(harness_tmpfile("source"), 0600)), 0);
	ck_assert_int_eq(utimensat(AT_FDCWD, fake->options.credentials, past, 0), 0);
	assert_reload(fake, 0, "systemctl restart camhub");
	/* A name that is in the source alone. */
	fake_config(fake,
		    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\", credentials: d}\n");
	assert_reload(fake, 1, "systemctl restart camhub");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_reload");
	TCase *reload = tcase_create("reload");

	tcase_add_test(reload, test_reload_touches_only_what_changed);
	tcase_add_test(reload, test_reload_tells_the_front_titles_and_order);
	tcase_add_test(reload, test_an_invalid_file_changes_nothing_and_says_why);
	tcase_add_test(reload, test_a_new_password_is_tried_at_once);
	tcase_add_test(reload, test_removed_and_put_back_while_stopping);
	tcase_add_test(reload, test_on_demand_switched_by_reload);
	tcase_add_test(reload, test_reload_says_what_takes_effect_when);
	tcase_add_test(reload, test_frozen_credentials_ask_for_a_restart);
	suite_add_tcase(suite, reload);
	return suite;
}

HARNESS_MAIN(make_suite)
