/*
 * The supervisor and its front: what it is handed, what it asks for, demand, its death.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TWO                                                                                        \
	"cameras:\n"                                                                               \
	"  - {name: door, title: Front door, group: Outside, url: \"rtsp://192.0.2.10/\"}\n"       \
	"  - {name: gate, url: \"rtsp://192.0.2.11/\", on_demand: true}\n"

static void
want(struct fake_child *front, uint32_t id, bool on)
{
	json_t *msg = msg_new(MSG_WANT);

	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "on", on);
	fake_say(front, msg, -1);
}

START_ASYNC_TEST(test_a_front_gets_config_listeners_and_streams_in_this_order)
{
	struct fake *fake = fake_run(loop, TWO);
	struct peer *peer = fake_front(fake)->peer;
	struct sockaddr_in addr = { 0 };
	socklen_t len = sizeof(addr);
	int fd;

	peer_ignore_msg(peer, MSG_RTC_STATE); /* check_sup_rtc */
	ck_assert_str_eq(fake_front(fake)->program, "camhub-http");
	ck_assert_uint_eq(fake_front(fake)->argc, 2);
	peer_expect_msg(peer, MSG_FRONT_CONFIG,
			json_pack("{s:s, s:i}", "web_dir", "/web", "subscriber", 1));
	/* Who may come in is known before anybody can come. */
	peer_expect_msg(peer, MSG_ACCESS_KEYS, json_pack("{s:b, s:[]}", "required", 0, "users"));
	peer_expect_msg(peer, MSG_LISTENER, NULL);
	peer_run(peer, 0);
	fd = peer_take_fd(peer);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	ck_assert_uint_eq(ntohs(addr.sin_port), fake->port);
	close(fd);
	peer_expect_msg(peer, MSG_STREAM,
			json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:s, s:i}", "id",
				  1, "name", "door", "camera", "door", "title", "Front door",
				  "group", "Outside", "order", 0, "on_demand", 0, "state",
				  "connecting", "epoch", 0, "bus", "", "loss_hold_ms", 1000));
	peer_expect_msg(peer, MSG_STREAM,
			json_pack("{s:i, s:s, s:s, s:b, s:s}", "id", 2, "name", "gate", "title",
				  "gate", "on_demand", 1, "state", "off"));
	peer_expect_msg(peer, MSG_STREAMS_SYNCED, NULL);
	peer_run(peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_front_follows_a_stream_through_its_life)
{
	struct fake *fake = fake_run(loop, TWO);
	struct peer *peer = fake_synced_front(fake)->peer;
	struct fake_child *worker = fake_worker(fake, "door");
	const json_t *config = peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	json_t *where =
	    json_pack("{s:s, s:O, s:O}", "state", "connecting", "epoch",
		      json_object_get(config, "epoch"), "bus", json_object_get(config, "bus"));

	fake_ready(worker);
	peer_expect_msg(peer, MSG_STREAM, where);
	peer_run(peer, 0);
	fake_input(worker, "up", "none", NULL);
	peer_expect_msg(peer, MSG_STREAM, json_pack("{s:s, s:s}", "state", "up", "reason", ""));
	fake_wait_ms(fake, 5000);
	fake_input(worker, "stalled", "timeout", "no data for 5 s");
	peer_expect_msg(peer, MSG_STREAM,
			json_pack("{s:s, s:s}", "state", "stalled", "reason", "no data for 5 s"));
	fake_input(worker, "ended", "timeout", "the camera went silent");
	peer_expect_msg(peer, MSG_STREAM, json_pack("{s:s}", "state", "down"));
	peer_run(peer, 0);
	/* Dead: no bus to dial any more. */
	fake_exit(worker, 75);
	peer_expect_msg(peer, MSG_STREAM, json_pack("{s:i, s:s}", "epoch", 0, "bus", ""));
	peer_run(peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_refused_says_so_and_why)
{
	struct fake *fake = fake_run(loop, TWO);
	struct peer *peer = fake_synced_front(fake)->peer;

	fake_ready(fake_worker(fake, "door"));
	fake_fail(fake_worker(fake, "door"), "auth", "401 Unauthorized");
	peer_await_msg(peer, MSG_STREAM,
		       json_pack("{s:s, s:s, s:s}", "state", "refused", "reason",
				 "401 Unauthorized", "bus", ""));
	peer_run(peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_demand_goes_to_the_worker)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");

	fake_up(worker);
	peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	peer_assert_no_msg(worker->peer);
	want(front, fake_id_of(fake, "door"), true);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	want(front, fake_id_of(fake, "door"), true);
	peer_assert_no_msg(worker->peer);
	want(front, fake_id_of(fake, "door"), false);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	/* Always connected: it stays, viewers or not. */
	fake_wait_ms(fake, 60000);
	ck_assert(!worker->ended);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_demand_waits_for_ready_and_outlives_the_worker)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");

	want(front, fake_id_of(fake, "door"), true);
	peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	peer_assert_no_msg(worker->peer);
	fake_up(worker);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_wait_ms(fake, 5000);
	fake_crash(worker);
	worker = fake_worker(fake, "door");
	fake_ready(worker);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_on_demand_runs_while_somebody_watches_and_ten_seconds)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker;
	uint32_t gate = fake_id_of(fake, "gate");

	fake_wait_ms(fake, 5000);
	ck_assert_ptr_null(fake_find(fake, FAKE_ANY_WORKER, "gate"));
	fake_assert_state(fake, "gate", "off");
	want(front, gate, true);
	worker = fake_worker(fake, "gate");
	fake_up(worker);
	fake_assert_state(fake, "gate", "up");
	want(front, gate, false);
	fake_wait_ms(fake, 9999);
	ck_assert_uint_eq(peer_msg_count(worker->peer, MSG_STOP), 0);
	/* Back in time: the ten seconds begin anew. */
	want(front, gate, true);
	fake_wait_ms(fake, 20000);
	want(front, gate, false);
	fake_wait_ms(fake, 9999);
	fake_assert_state(fake, "gate", "up");
	fake_wait_ms(fake, 1);
	peer_get_msg(worker->peer, MSG_STOP, 0);
	fake_exit(worker, 0);
	fake_assert_state(fake, "gate", "off");
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, FAKE_ANY_WORKER, "gate"), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wanted_again_while_stopping_starts_afresh)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker;
	uint32_t gate = fake_id_of(fake, "gate");

	want(front, gate, true);
	worker = fake_worker(fake, "gate");
	fake_up(worker);
	want(front, gate, false);
	fake_wait_ms(fake, 10000);
	peer_get_msg(worker->peer, MSG_STOP, 0);
	want(front, gate, true);
	fake_exit(worker, 0);
	ck_assert_ptr_ne(fake_worker(fake, "gate"), worker);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_replay_is_asked_for_in_the_fronts_name)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");
	json_t *msg;

	fake_up(worker);
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", fake_id_of(fake, "door"));
	fake_say(front, msg, -1);
	ck_assert_int_eq(msg_int(peer_get_msg(worker->peer, MSG_REPLAY, 0), "subscriber", 0), 1);
	/* Not ready, or no such stream: nothing happens. */
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", fake_id_of(fake, "gate"));
	fake_say(front, msg, -1);
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", 999);
	fake_say(front, msg, -1);
	want(front, 999, true);
	ck_assert(!front->killed);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
can_connect(const struct fake *fake)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons(fake->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (struct sockaddr *)&addr, sizeof(addr));

	close(fd);
	return rc == 0;
}

START_ASYNC_TEST(test_a_dead_front_refuses_no_connection_and_is_told_everything_again)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");

	/* Only the supervisor keeps the listener now. */
	fake_inherit_none(fake);
	fake_up(worker);
	want(front, fake_id_of(fake, "door"), true);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_wait_ms(fake, 500);
	fake_crash(front);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	ck_assert(can_connect(fake));
	/* It served, if only for half a second: there is a next one at once. */
	front = fake_front(fake);
	ck_assert_int_eq(msg_int(peer_get_msg(front->peer, MSG_FRONT_CONFIG, 0), "subscriber", 0),
			 2);
	peer_await_msg(front->peer, MSG_STREAM,
		       json_pack("{s:s, s:s}", "name", "door", "state", "up"));
	peer_run(front->peer, 0);
	peer_get_msg(front->peer, MSG_STREAMS_SYNCED, 0);
	ck_assert(can_connect(fake));
	ck_assert(!worker->ended);
	async_complete(loop);
}
END_ASYNC_TEST

/* Each as soon as it serves: ten times a second, and never more seldom. */
START_ASYNC_TEST(test_a_front_that_is_killed_again_and_again)
{
	struct fake *fake = fake_run(loop, TWO);

	fake_inherit_none(fake);
	for (int i = 0; i < 20; i++) {
		struct fake_child *front = fake_synced_front(fake);

		fake_wait_ms(fake, 40);
		fake_crash(front);
		ck_assert_ptr_null(fake_find(fake, "camhub-http", "http"));
		fake_wait_ms(fake, 59);
		ck_assert_ptr_null(fake_find(fake, "camhub-http", "http"));
		ck_assert(can_connect(fake));
		fake_wait_ms(fake, 1);
	}
	fake_front(fake);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_front_that_crashes_always_is_tried_every_second)
{
	static const int64_t waits[] = { 80, 160, 320, 640, 800, 800 };
	struct fake *fake = fake_run(loop, TWO);

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		fake_crash(fake_front(fake));
		fake_wait_ms(fake, waits[i] - 1);
		ck_assert_ptr_null(fake_find(fake, "camhub-http", "http"));
		fake_wait_ms(fake, 1);
		fake_front(fake);
	}
	ck_assert_uint_eq(log_count("front=http: killed by SIGSEGV"), 1);
	/* One that has served is replaced at once. */
	fake_ready(fake_front(fake));
	expect_log("front=http: serving, after 6 failures");
	fake_wait_ms(fake, 2000);
	fake_crash(fake_front(fake));
	fake_front(fake);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_hung_front_is_killed)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake);

	fake_wait_ms(fake, 10000);
	front->beats = false;
	fake_wait_ms(fake, 2500);
	ck_assert(front->killed);
	ck_assert_ptr_ne(fake_front(fake), front);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_front_that_does_not_like_its_configuration_waits_for_another)
{
	struct fake *fake = fake_run(loop, TWO);
	char *text;

	fake_exit(fake_front(fake), 78);
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 1);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	ck_assert_uint_eq(fake_count(fake, "camhub-http", "http"), 2);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_front");
	TCase *front = tcase_create("front"), *demand = tcase_create("demand");

	tcase_add_test(front, test_a_front_gets_config_listeners_and_streams_in_this_order);
	tcase_add_test(front, test_the_front_follows_a_stream_through_its_life);
	tcase_add_test(front, test_refused_says_so_and_why);
	tcase_add_test(front, test_a_dead_front_refuses_no_connection_and_is_told_everything_again);
	tcase_add_test(front, test_a_front_that_is_killed_again_and_again);
	tcase_add_test(front, test_a_front_that_crashes_always_is_tried_every_second);
	tcase_add_test(front, test_a_hung_front_is_killed);
	tcase_add_test(front, test_a_front_that_does_not_like_its_configuration_waits_for_another);
	suite_add_tcase(suite, front);
	tcase_add_test(demand, test_demand_goes_to_the_worker);
	tcase_add_test(demand, test_demand_waits_for_ready_and_outlives_the_worker);
	tcase_add_test(demand, test_on_demand_runs_while_somebody_watches_and_ten_seconds);
	tcase_add_test(demand, test_wanted_again_while_stopping_starts_afresh);
	tcase_add_test(demand, test_replay_is_asked_for_in_the_fronts_name);
	suite_add_tcase(suite, demand);
	return suite;
}

HARNESS_MAIN(make_suite)
