/*
 * The supervisor and its front: what it is handed, what it asks for, demand, snapshots, its death.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_snapshot.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TWO                                                                                        \
	"cameras:\n"                                                                               \
	"  - {name: door, title: Front door, url: \"rtsp://192.0.2.10/\"}\n"                       \
	"  - {name: gate, url: \"rtsp://192.0.2.11/\", on_demand: true}\n"

static struct fake *
start(struct loop *loop, const char *config)
{
	struct fake *fake = fake_new(loop);

	fake_config(fake, config);
	fake_start(fake);
	return fake;
}

/* A front that has read everything it was handed. */
static struct fake_child *
synced_front(struct fake *fake)
{
	struct fake_child *front = fake_front(fake);

	peer_get_msg(front->peer, MSG_STREAMS_SYNCED, 0);
	fake_ready(front);
	return front;
}

static uint32_t
id_of(struct fake *fake, const char *name)
{
	struct sup_stream *stream;

	for (stream = TAILQ_FIRST(&fake->sup->streams); stream != NULL;
	     stream = TAILQ_NEXT(stream, entry))
		if (strcmp(stream->name, name) == 0)
			return stream->id;
	ck_abort_msg("no stream %s", name);
	return 0;
}

static void
want(struct fake_child *front, uint32_t id, bool on)
{
	json_t *msg = msg_new(MSG_WANT);

	msg_set_int(msg, "id", id);
	msg_set_bool(msg, "on", on);
	fake_say(front, msg, -1);
}

static int
memfd_with(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void
assert_memfd_has(int fd, const char *text)
{
	char got[64] = "";

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, got, sizeof(got) - 1, 0), (ssize_t)strlen(text));
	ck_assert_str_eq(got, text);
	close(fd);
}

static void
ask_snapshot(struct fake_child *front, int64_t request, uint32_t id, const char *gop)
{
	json_t *msg = msg_new(MSG_SNAPSHOT);

	msg_set_int(msg, "request", request);
	msg_set_int(msg, "id", id);
	fake_say(front, msg, memfd_with(gop));
}

static void
give_jpeg(struct fake_child *transcoder, const char *jpeg)
{
	json_t *msg = msg_new(MSG_SNAPSHOT_RESULT);

	msg_set_int(msg, "width", 640);
	msg_set_int(msg, "height", 360);
	fake_say(transcoder, msg, memfd_with(jpeg));
}

START_ASYNC_TEST(test_a_front_gets_config_listeners_and_streams_in_this_order)
{
	struct fake *fake = start(loop, TWO);
	struct peer *peer = fake_front(fake)->peer;
	struct sockaddr_in addr = { 0 };
	socklen_t len = sizeof(addr);
	int fd;

	ck_assert_str_eq(fake_front(fake)->program, "camhub-http");
	ck_assert_uint_eq(fake_front(fake)->argc, 2);
	peer_expect_msg(peer, MSG_FRONT_CONFIG,
			json_pack("{s:s, s:i}", "web_dir", "/web", "subscriber", 1));
	peer_expect_msg(peer, MSG_LISTENER, NULL);
	peer_run(peer, 0);
	fd = peer_take_fd(peer);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	ck_assert_uint_eq(ntohs(addr.sin_port), fake->port);
	close(fd);
	peer_expect_msg(peer, MSG_STREAM,
			json_pack("{s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:s, s:i}", "id", 1,
				  "name", "door", "camera", "door", "title", "Front door", "order",
				  0, "on_demand", 0, "state", "connecting", "epoch", 0, "bus", "",
				  "loss_hold_ms", 1000));
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
	struct fake *fake = start(loop, TWO);
	struct peer *peer = synced_front(fake)->peer;
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
	struct fake *fake = start(loop, TWO);
	struct peer *peer = synced_front(fake)->peer;

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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker = fake_worker(fake, "door");

	fake_up(worker);
	peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	peer_assert_no_msg(worker->peer);
	want(front, id_of(fake, "door"), true);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	want(front, id_of(fake, "door"), true);
	peer_assert_no_msg(worker->peer);
	want(front, id_of(fake, "door"), false);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	/* Always connected: it stays, viewers or not. */
	fake_wait_ms(fake, 60000);
	ck_assert(!worker->ended);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_demand_waits_for_ready_and_outlives_the_worker)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker = fake_worker(fake, "door");

	want(front, id_of(fake, "door"), true);
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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker;
	uint32_t gate = id_of(fake, "gate");

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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker;
	uint32_t gate = id_of(fake, "gate");

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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker = fake_worker(fake, "door");
	json_t *msg;

	fake_up(worker);
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", id_of(fake, "door"));
	fake_say(front, msg, -1);
	ck_assert_int_eq(msg_int(peer_get_msg(worker->peer, MSG_REPLAY, 0), "subscriber", 0), 1);
	/* Not ready, or no such stream: nothing happens. */
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", id_of(fake, "gate"));
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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *worker = fake_worker(fake, "door");

	/* Only the supervisor keeps the listener now. */
	fake_inherit_none(fake);
	fake_up(worker);
	want(front, id_of(fake, "door"), true);
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_wait_ms(fake, 500);
	fake_crash(front);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	ck_assert(can_connect(fake));
	ck_assert_ptr_null(fake_find(fake, "camhub-http", "http"));
	fake_wait_ms(fake, 79);
	ck_assert_ptr_null(fake_find(fake, "camhub-http", "http"));
	fake_wait_ms(fake, 1);
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

START_ASYNC_TEST(test_a_front_that_crashes_always_is_tried_every_second)
{
	static const int64_t waits[] = { 80, 160, 320, 640, 800, 800 };
	struct fake *fake = start(loop, TWO);

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
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake);

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
	struct fake *fake = start(loop, TWO);
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

START_ASYNC_TEST(test_a_snapshot_passes_through)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *transcoder;
	const json_t *msg;

	ask_snapshot(front, 71, id_of(fake, "door"), "the GOP");
	transcoder = fake_get(fake, "camhub-transcode", "door");
	ck_assert_uint_eq(transcoder->argc, 2);
	msg = peer_get_msg(transcoder->peer, MSG_SNAPSHOT_JOB, 0);
	ck_assert_str_eq(msg_str(msg, "stream"), "door");
	ck_assert_int_eq(msg_int(msg, "deadline_ms", 0), 2000);
	assert_memfd_has(peer_take_fd(transcoder->peer), "the GOP");
	fake_ready(transcoder);
	give_jpeg(transcoder, "the JPEG");
	msg = peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0);
	ck_assert_int_eq(msg_int(msg, "request", 0), 71);
	ck_assert_int_eq(msg_int(msg, "width", 0), 640);
	assert_memfd_has(peer_take_fd(front->peer), "the JPEG");
	peer_get_msg(transcoder->peer, MSG_STOP, 0);
	fake_exit(transcoder, 0);
	peer_assert_no_msg(front->peer);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_result_for_all_who_ask_for_the_same)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake);

	for (int i = 1; i <= 5; i++)
		ask_snapshot(front, i, id_of(fake, "door"), "G");
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 1);
	give_jpeg(fake_get(fake, "camhub-transcode", "door"), "J");
	for (int i = 1; i <= 5; i++) {
		ck_assert_int_eq(
		    msg_int(peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0), "request", 0), i);
		assert_memfd_has(peer_take_fd(front->peer), "J");
	}
	/* Who asks now wants a newer one. */
	ask_snapshot(front, 6, id_of(fake, "door"), "G2");
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_two_snapshots_at_once_and_a_bounded_queue)
{
	struct fake *fake = fake_new(loop);
	char config[4096] = "cameras:\n", line[100];
	struct fake_child *front;

	for (int i = 0; i < 20; i++) {
		snprintf(line, sizeof(line), "  - {name: c%d, url: \"rtsp://192.0.2.1/%d\"}\n", i,
			 i);
		strcat(config, line);
	}
	fake_config(fake, config);
	fake_start(fake);
	front = synced_front(fake);
	for (int i = 0; i < 2 + SUP_SNAPSHOT_WAITING_MAX; i++)
		ask_snapshot(front, 100 + i, (uint32_t)(1 + i), "G");
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 2);
	peer_assert_no_msg(front->peer);
	ask_snapshot(front, 200, 20, "G");
	peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0);
	ck_assert_int_eq(msg_int(peer_last_msg(front->peer), "request", 0), 200);
	ck_assert_str_ne(msg_str(peer_last_msg(front->peer), "error"), "");
	give_jpeg(fake_get(fake, "camhub-transcode", "c1"), "J");
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 2);
	fake_exit(fake_get(fake, "camhub-transcode", "c1"), 0);
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 3);
	fake_get(fake, "camhub-transcode", "c2");
	async_complete(loop);
}
END_ASYNC_TEST

static void
assert_snapshot_fails(struct fake_child *front, int64_t request, const char *why)
{
	const json_t *msg = peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0);

	ck_assert_int_eq(msg_int(msg, "request", 0), request);
	ck_assert_msg(strstr(msg_str(msg, "error"), why) != NULL, "expected \"%s\", got \"%s\"",
		      why, msg_str(msg, "error"));
	ck_assert_int_eq(peer_take_fd(front->peer), -1);
}

#define FIVE                                                                                       \
	"cameras:\n  - {name: a, url: \"test:clock\"}\n  - {name: b, url: \"test:clock\"}\n"       \
	"  - {name: c, url: \"test:clock\"}\n  - {name: d, url: \"test:clock\"}\n"                 \
	"  - {name: e, url: \"test:clock\"}\n"

START_ASYNC_TEST(test_waiting_snapshots_that_cannot_start_all_say_so)
{
	struct fake *fake = start(loop, FIVE);
	struct fake_child *front = synced_front(fake);

	for (uint32_t id = 1; id <= 5; id++)
		ask_snapshot(front, id, id, "G");
	fake->spawn_error = -EAGAIN;
	fake_exit(fake_get(fake, "camhub-transcode", "a"), 0);
	/* a, and the three that waited; b goes on. */
	for (int i = 0; i < 4; i++)
		peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0);
	peer_assert_no_msg(front->peer);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_waiting_snapshot_takes_the_newer_pictures)
{
	struct fake *fake = start(loop, FIVE);
	struct fake_child *front = synced_front(fake), *transcoder;

	ask_snapshot(front, 1, 1, "A");
	ask_snapshot(front, 2, 2, "B");
	ask_snapshot(front, 3, 3, "old");
	ask_snapshot(front, 4, 3, "new");
	fake_exit(fake_get(fake, "camhub-transcode", "a"), 0);
	transcoder = fake_get(fake, "camhub-transcode", "c");
	peer_get_msg(transcoder->peer, MSG_SNAPSHOT_JOB, 0);
	assert_memfd_has(peer_take_fd(transcoder->peer), "new");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_snapshots_that_fail_say_so)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *transcoder;
	uint32_t door = id_of(fake, "door");
	json_t *msg;

	/* Too slow: killed after two seconds. */
	ask_snapshot(front, 1, door, "G");
	transcoder = fake_get(fake, "camhub-transcode", "door");
	fake_ready(transcoder);
	fake_wait_ms(fake, 1999);
	ck_assert(!transcoder->killed);
	fake_wait_ms(fake, 1);
	ck_assert(transcoder->killed);
	assert_snapshot_fails(front, 1, "no picture after 2 s");
	/* Crashed. */
	ask_snapshot(front, 2, door, "G");
	fake_crash(fake_get(fake, "camhub-transcode", "door"));
	assert_snapshot_fails(front, 2, "SIGSEGV");
	/* Says why. */
	ask_snapshot(front, 3, door, "G");
	msg = msg_new(MSG_SNAPSHOT_RESULT);
	msg_set_str(msg, "error", "no key frame");
	fake_say(fake_get(fake, "camhub-transcode", "door"), msg, -1);
	assert_snapshot_fails(front, 3, "no key frame");
	fake_exit(fake_get(fake, "camhub-transcode", "door"), 0);
	/* Success without a picture is none. */
	ask_snapshot(front, 4, door, "G");
	fake_say(fake_get(fake, "camhub-transcode", "door"), msg_new(MSG_SNAPSHOT_RESULT), -1);
	assert_snapshot_fails(front, 4, "no picture");
	fake_exit(fake_get(fake, "camhub-transcode", "door"), 0);
	/* No such stream, no such program. */
	ask_snapshot(front, 5, 999, "G");
	assert_snapshot_fails(front, 5, "no such stream");
	fake->spawn_error = -ENOENT;
	ask_snapshot(front, 6, door, "G");
	assert_snapshot_fails(front, 6, "cannot start");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_transcoder_that_stays_after_its_result_is_killed)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *transcoder;

	ask_snapshot(front, 1, id_of(fake, "door"), "G");
	transcoder = fake_get(fake, "camhub-transcode", "door");
	fake_ready(transcoder);
	give_jpeg(transcoder, "J");
	fake_wait_ms(fake, 1000);
	ck_assert(transcoder->killed);
	peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0);
	peer_assert_no_msg(front->peer);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_snapshots_of_a_dead_front_are_given_up)
{
	struct fake *fake = start(loop, TWO);
	struct fake_child *front = synced_front(fake), *transcoder;

	ask_snapshot(front, 1, id_of(fake, "door"), "G");
	transcoder = fake_get(fake, "camhub-transcode", "door");
	fake_crash(front);
	ck_assert(transcoder->killed);
	fake_wait_ms(fake, 100);
	front = synced_front(fake);
	peer_assert_no_msg(front->peer);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_front");
	TCase *front = tcase_create("front"), *demand = tcase_create("demand");
	TCase *snapshot = tcase_create("snapshot");

	tcase_add_test(front, test_a_front_gets_config_listeners_and_streams_in_this_order);
	tcase_add_test(front, test_the_front_follows_a_stream_through_its_life);
	tcase_add_test(front, test_refused_says_so_and_why);
	tcase_add_test(front, test_a_dead_front_refuses_no_connection_and_is_told_everything_again);
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
	tcase_add_test(snapshot, test_a_snapshot_passes_through);
	tcase_add_test(snapshot, test_one_result_for_all_who_ask_for_the_same);
	tcase_add_test(snapshot, test_two_snapshots_at_once_and_a_bounded_queue);
	tcase_add_test(snapshot, test_snapshots_that_fail_say_so);
	tcase_add_test(snapshot, test_waiting_snapshots_that_cannot_start_all_say_so);
	tcase_add_test(snapshot, test_a_waiting_snapshot_takes_the_newer_pictures);
	tcase_add_test(snapshot, test_a_transcoder_that_stays_after_its_result_is_killed);
	tcase_add_test(snapshot, test_snapshots_of_a_dead_front_are_given_up);
	suite_add_tcase(suite, snapshot);
	return suite;
}

HARNESS_MAIN(make_suite)
