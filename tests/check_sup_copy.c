/*
 * Copies of streams, H.264 of H.265 and Opus of AAC: announced, made when somebody watches, bounded
 * in number, and what they do when their source or their process goes.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_stream.h"

#include <stdio.h>
#include <string.h>

#define ONE        "cameras:\n  - {name: door, title: Front door, url: \"rtsp://192.0.2.10/\"}\n"
#define TRANSCODER "camhub-transcode"

/* Messages */

static void
say_codecs(struct fake_child *worker, const char *codec, const char *audio)
{
	static const char *const texts[] = { "codec_string", "profile" };
	static const char *const numbers[] = { "width",           "height",    "bitrate_bps",
					       "gop_frames",      "frames",    "bytes",
					       "corrupt",         "published", "subscribers",
					       "gop_cache_bytes", "b_frames",  "last_frame_ms",
					       "config_version" };
	json_t *msg = msg_new(MSG_WORKER_STATUS);

	msg_set_str(msg, "codec", codec);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		msg_set_str(msg, texts[i], "");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		msg_set_int(msg, numbers[i], 0);
	msg_set_str(msg, "audio", audio);
	msg_set_real(msg, "fps", 25);
	msg_set_bool(msg, "gop_cached", true);
	fake_say(worker, msg, -1);
}

static void
say_codec(struct fake_child *worker, const char *codec)
{
	say_codecs(worker, codec, "");
}

static void
want(struct fake *fake, struct fake_child *front, const char *stream, bool on)
{
	json_t *msg = msg_new(MSG_WANT);

	msg_set_int(msg, "id", fake_id_of(fake, stream));
	msg_set_bool(msg, "on", on);
	fake_say(front, msg, -1);
}

static bool
is_known(struct fake *fake, const char *name)
{
	loop_settle(fake->loop);
	return sup_stream_find(fake->sup, name) != NULL;
}

static void
assert_told(struct fake *fake, const char *name, const char *state, const char *reason)
{
	const json_t *camera = fake_camera(fake, name);

	ck_assert_msg(strcmp(msg_str(camera, "state"), state) == 0 &&
			  strcmp(msg_str(camera, "reason"), reason) == 0,
		      "%s: expected %s (%s), is %s (%s)", name, state, reason,
		      msg_str(camera, "state"), msg_str(camera, "reason"));
}

/* Cameras c0, c1, ... that are up and send H.265. */
static struct fake *
run_cameras(struct loop *loop, int n, const char *more)
{
	char config[2048] = "", name[8];
	struct fake *fake;

	snprintf(config, sizeof(config), "%scameras:\n", more);
	for (int i = 0; i < n; i++)
		snprintf(config + strlen(config), sizeof(config) - strlen(config),
			 "  - {name: c%d, url: \"rtsp://192.0.2.%d/\"}\n", i, i + 1);
	fake = fake_run(loop, config);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		fake_up(fake_worker(fake, name));
		say_codec(fake_worker(fake, name), "h265");
	}
	return fake;
}

/* The door, up, H.265, and watched in H.264: its transcoder. */
static struct fake_child *
watch_door(struct fake *fake, struct fake_child *front)
{
	fake_up(fake_worker(fake, "door"));
	say_codec(fake_worker(fake, "door"), "h265");
	want(fake, front, "door.h264", true);
	return fake_get(fake, TRANSCODER, "door");
}

START_ASYNC_TEST(test_a_copy_is_announced_with_the_codec)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");

	fake_up(worker);
	say_codec(worker, "none");
	ck_assert(!is_known(fake, "door.h264"));
	say_codec(worker, "h265");
	peer_await_msg(front->peer, MSG_STREAM, json_pack("{s:s}", "state", "connecting"));
	peer_await_msg(front->peer, MSG_STREAM, json_pack("{s:s}", "state", "up"));
	peer_await_msg(front->peer, MSG_STREAM,
		       json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:i}", "name", "door.h264",
				 "camera", "door", "title", "Front door", "on_demand", 1, "state",
				 "off", "reason", "made when somebody watches", "bus", "", "epoch",
				 0));
	peer_run(front->peer, 0);
	ck_assert_uint_eq(fake_count(fake, TRANSCODER, NULL), 0);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door.h264"), "url"), "camhub:door");
	ck_assert_str_eq(msg_str(fake_camera(fake, "door.h264"), "program"), TRANSCODER);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_copy_of_h264_nor_where_it_is_forbidden)
{
	struct fake *fake = fake_run(loop, ONE "  - {name: gate, transcode: never, "
					       "url: \"rtsp://192.0.2.11/\"}\n");

	fake_up(fake_worker(fake, "door"));
	say_codec(fake_worker(fake, "door"), "h264");
	fake_up(fake_worker(fake, "gate"));
	say_codec(fake_worker(fake, "gate"), "h265");
	ck_assert(!is_known(fake, "door.h264"));
	ck_assert(!is_known(fake, "gate.h264"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_somebody_watches_and_then_nobody)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");
	struct fake_child *transcoder;
	const json_t *config;
	char bus[200];

	snprintf(bus, sizeof(bus), "%s",
		 msg_str(peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0), "bus"));
	transcoder = watch_door(fake, front);
	ck_assert_uint_eq(transcoder->argc, 3);
	config = peer_get_msg(transcoder->peer, MSG_WORKER_CONFIG, 0);
	ck_assert_str_eq(msg_str(config, "stream"), "door.h264");
	ck_assert_int_eq(msg_int(config, "stream_id", 0), fake_id_of(fake, "door.h264"));
	ck_assert_str_eq(msg_str(config, "source_bus"), bus);
	ck_assert_int_eq(msg_int(config, "source_id", 0), fake_id_of(fake, "door"));
	ck_assert_int_gt(msg_int(config, "subscriber", 0), 1);
	/* What it is made of must flow, though nobody watches that. */
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_assert_state(fake, "door.h264", "connecting");
	fake_up(transcoder);
	ck_assert(msg_bool(peer_get_msg(transcoder->peer, MSG_DEMAND, 0), "on", false));
	assert_told(fake, "door.h264", "up", "");

	want(fake, front, "door.h264", false);
	ck_assert(!msg_bool(peer_get_msg(transcoder->peer, MSG_DEMAND, 0), "on", true));
	fake_wait_ms(fake, 9999);
	ck_assert(!transcoder->ended);
	peer_assert_no_msg(transcoder->peer);
	peer_assert_no_msg(worker->peer);
	fake_wait_ms(fake, 1);
	peer_get_msg(transcoder->peer, MSG_STOP, 0);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	fake_exit(transcoder, 0);
	assert_told(fake, "door.h264", "off", "made when somebody watches");
	fake_assert_state(fake, "door", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_viewers_who_come_back_in_time_keep_it)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake);
	struct fake_child *transcoder = watch_door(fake, front);

	fake_up(transcoder);
	want(fake, front, "door.h264", false);
	fake_wait_ms(fake, 8000);
	want(fake, front, "door.h264", true);
	fake_wait_ms(fake, 60000);
	ck_assert(!transcoder->ended);
	/* With the front go its viewers. */
	fake_crash(front);
	fake_wait_ms(fake, 10000);
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(transcoder->peer, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_it_asks_for_the_group_of_pictures)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder;
	struct peer *worker = fake_worker(fake, "door")->peer;
	long long subscriber;
	json_t *msg;

	transcoder = watch_door(fake, front);
	subscriber = msg_int(peer_get_msg(transcoder->peer, MSG_WORKER_CONFIG, 0), "subscriber", 0);
	fake_ready(transcoder);
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", fake_id_of(fake, "door"));
	fake_say(transcoder, msg, -1);
	ck_assert_int_eq(msg_int(peer_get_msg(worker, MSG_REPLAY, 0), "subscriber", 0), subscriber);
	/* And a front asks it. */
	msg = msg_new(MSG_WANT_REPLAY);
	msg_set_int(msg, "id", fake_id_of(fake, "door.h264"));
	fake_say(front, msg, -1);
	ck_assert_int_eq(msg_int(peer_get_msg(transcoder->peer, MSG_REPLAY, 0), "subscriber", 0),
			 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_camera_on_demand_is_connected_for_it)
{
	struct fake *fake = fake_run(loop, "cameras:\n  - {name: door, on_demand: true, "
					   "url: \"rtsp://192.0.2.10/\"}\n");
	struct fake_child *front = fake_synced_front(fake), *worker, *transcoder;

	/* Its codec is known from the last time. */
	want(fake, front, "door", true);
	fake_up(fake_worker(fake, "door"));
	say_codec(fake_worker(fake, "door"), "h265");
	want(fake, front, "door", false);
	fake_wait_ms(fake, 10000);
	fake_exit(fake_worker(fake, "door"), 0);
	assert_told(fake, "door", "off", "connected when somebody watches");
	ck_assert(is_known(fake, "door.h264"));

	want(fake, front, "door.h264", true);
	worker = fake_worker(fake, "door");
	fake_assert_state(fake, "door.h264", "connecting");
	ck_assert_ptr_null(fake_find(fake, TRANSCODER, "door"));
	fake_up(worker);
	transcoder = fake_get(fake, TRANSCODER, "door");
	fake_up(transcoder);
	want(fake, front, "door.h264", false);
	fake_wait_ms(fake, 10000);
	fake_exit(transcoder, 0);
	/* The camera is kept for as long as after any viewer. */
	ck_assert(!worker->ended);
	fake_wait_ms(fake, 10000);
	peer_get_msg(worker->peer, MSG_STOP, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_as_many_as_may)
{
	static const char full[] = "as many transcoders run as may (limits: transcoders)";
	struct fake *fake = run_cameras(loop, 4, "");
	struct fake_child *front = fake_synced_front(fake), *first;

	want(fake, front, "c0.h264", true);
	want(fake, front, "c1.h264", true);
	first = fake_get(fake, TRANSCODER, "c0");
	fake_up(first);
	fake_up(fake_get(fake, TRANSCODER, "c1"));
	want(fake, front, "c2.h264", true);
	want(fake, front, "c3.h264", true);
	ck_assert_uint_eq(fake_count(fake, TRANSCODER, NULL), 2);
	assert_told(fake, "c2.h264", "refused", full);
	assert_told(fake, "c3.h264", "refused", full);
	ck_assert_int_eq(msg_int(fake_camera(fake, "c2.h264"), "retry_in_ms", 0), -1);
	/* Who gives up waiting is no longer told so. */
	want(fake, front, "c2.h264", false);
	fake_wait_ms(fake, 10000);
	fake_assert_state(fake, "c2.h264", "off");
	/* A place is free when a process is gone, not when it is told to go. */
	want(fake, front, "c0.h264", false);
	fake_wait_ms(fake, 10000);
	ck_assert_uint_eq(fake_count(fake, TRANSCODER, NULL), 2);
	fake_exit(first, 0);
	fake_get(fake, TRANSCODER, "c3");
	fake_assert_state(fake, "c3.h264", "connecting");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_limit_may_change)
{
	struct fake *fake = run_cameras(loop, 1, "limits: {transcoders: 0}\n");
	struct fake_child *front = fake_synced_front(fake);
	char *text;

	want(fake, front, "c0.h264", true);
	fake_assert_state(fake, "c0.h264", "refused");
	fake_config(fake, "cameras:\n  - {name: c0, url: \"rtsp://192.0.2.1/\"}\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	fake_get(fake, TRANSCODER, "c0");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_crash_is_restarted_and_a_hang_is_killed)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	struct fake_child *worker = fake_worker(fake, "door");

	fake_up(transcoder);
	fake_wait_ms(fake, 3000);
	fake_crash(transcoder);
	expect_log("cam=door.h264: ");
	transcoder = fake_get(fake, TRANSCODER, "door");
	/* A second one at once is an early death: it waits. */
	fake_crash(transcoder);
	ck_assert_ptr_null(fake_find(fake, TRANSCODER, "door"));
	fake_assert_state(fake, "door.h264", "down");
	fake_wait_ms(fake, 1000);
	transcoder = fake_get(fake, TRANSCODER, "door");
	fake_up(transcoder);
	fake_wait_ms(fake, 3000);
	transcoder->beats = false;
	fake_wait_ms(fake, 2500);
	ck_assert(transcoder->killed);
	ck_assert_ptr_ne(fake_get(fake, TRANSCODER, "door"), transcoder);
	ck_assert(!worker->ended);
	fake_assert_state(fake, "door", "up");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_its_source_goes_and_comes_back)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	struct fake_child *worker = fake_worker(fake, "door");
	char bus[200];

	fake_up(transcoder);
	fake_wait_ms(fake, 3000);
	fake->network = FAKE_REFUSES;
	fake_fail(worker, "eof", "the camera closed the connection");
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(transcoder->peer, 0);
	fake_exit(transcoder, 0);
	fake_wait_ms(fake, 5000);
	/* It waits for its source, and says what is wrong with that. */
	ck_assert_ptr_null(fake_find(fake, TRANSCODER, "door"));
	assert_told(fake, "door.h264", "down", "no answer from 192.0.2.10:554: Connection refused");
	fake->network = FAKE_ANSWERS;
	fake_wait_ms(fake, 2000);
	worker = fake_worker(fake, "door");
	snprintf(bus, sizeof(bus), "%s",
		 msg_str(peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0), "bus"));
	fake_ready(worker);
	ck_assert_ptr_null(fake_find(fake, TRANSCODER, "door"));
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	fake_input(worker, "up", "none", NULL);
	transcoder = fake_get(fake, TRANSCODER, "door");
	ck_assert_str_eq(
	    msg_str(peer_get_msg(transcoder->peer, MSG_WORKER_CONFIG, 0), "source_bus"), bus);
	async_complete(loop);
}
END_ASYNC_TEST

/* Its process is gone and a new one there before the transcoder has left: that one reads a dead
 * bus. */
START_ASYNC_TEST(test_a_new_incarnation_of_the_source_has_a_new_one)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);

	fake_up(transcoder);
	fake_wait_ms(fake, 3000);
	fake_crash(fake_worker(fake, "door"));
	fake_up(fake_worker(fake, "door"));
	ck_assert_uint_eq(fake_count(fake, TRANSCODER, NULL), 1);
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(transcoder->peer, 0);
	fake_exit(transcoder, 0);
	ck_assert_ptr_ne(fake_get(fake, TRANSCODER, "door"), transcoder);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_codec_changes)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	uint32_t id = fake_id_of(fake, "door.h264");

	fake_up(transcoder);
	say_codec(fake_worker(fake, "door"), "h264");
	peer_await_msg(front->peer, MSG_STREAM_GONE, json_pack("{s:i}", "id", (int)id));
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(front->peer, 0);
	peer_run(transcoder->peer, 0);
	fake_exit(transcoder, 0);
	fake_wait_ms(fake, 1);
	ck_assert(!is_known(fake, "door.h264"));
	fake_assert_state(fake, "door", "up");
	/* And back again. */
	say_codec(fake_worker(fake, "door"), "h265");
	fake_assert_state(fake, "door.h264", "off");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_configuration_changes)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	char *text;

	fake_up(transcoder);
	/* What its process is not told does not touch it. */
	fake_config(fake, "cameras:\n  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n"
			  "  - {name: door, title: Other, url: \"rtsp://192.0.2.10/\"}\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	ck_assert_str_eq(msg_str(fake_camera(fake, "door.h264"), "title"), "Other");
	ck_assert(!transcoder->ended);
	fake_config(fake, "cameras:\n  - {name: door, transcode: never, "
			  "url: \"rtsp://192.0.2.10/\"}\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(transcoder->peer, 0);
	fake_exit(transcoder, 0);
	fake_wait_ms(fake, 1);
	ck_assert(!is_known(fake, "door.h264"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_camera_is_taken_out_and_put_back)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	struct fake_child *worker = fake_worker(fake, "door");
	char *text;

	fake_up(transcoder);
	fake_config(fake, "cameras:\n  - {name: gate, url: \"rtsp://192.0.2.11/\"}\n");
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	/* The source's process goes first. */
	fake_exit(worker, 0);
	fake_wait_ms(fake, 1);
	fake_exit(transcoder, 0);
	fake_wait_ms(fake, 1);
	ck_assert(!is_known(fake, "door") && !is_known(fake, "door.h264"));
	fake_config(fake, ONE);
	ck_assert_int_eq(sup_reload(fake->sup, &text), 0);
	free(text);
	fake_up(fake_worker(fake, "door"));
	say_codec(fake_worker(fake, "door"), "h265");
	fake_assert_state(fake, "door.h264", "off");
	async_complete(loop);
}
END_ASYNC_TEST

/* A transcoder in the hands of its camera must not lead the supervisor anywhere. */
START_ASYNC_TEST(test_it_cannot_redirect)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *transcoder = watch_door(fake, front);
	unsigned connects = fake->connects;
	json_t *msg = msg_new(MSG_INPUT);

	fake_ready(transcoder);
	msg_set_str(msg, "state", "ended");
	msg_set_str(msg, "class", "redirect");
	msg_set_str(msg, "location", "rtsp://198.51.100.1/");
	fake_say(transcoder, msg, -1);
	fake_exit(transcoder, 75);
	fake_wait_ms(fake, 60000);
	ck_assert_uint_eq(fake->connects, connects);
	async_complete(loop);
}
END_ASYNC_TEST

/* Sound */

START_ASYNC_TEST(test_aac_can_be_had_as_opus)
{
	struct fake *fake = fake_run(loop, ONE);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");
	struct fake_child *transcoder;

	fake_up(worker);
	say_codecs(worker, "h264", "none");
	ck_assert(!is_known(fake, "door.opus"));
	say_codecs(worker, "h264", "aac");
	ck_assert(is_known(fake, "door.opus"));
	ck_assert(!is_known(fake, "door.h264"));
	want(fake, front, "door.opus", true);
	transcoder = fake_get(fake, TRANSCODER, "door");
	ck_assert_str_eq(transcoder->job, "opus");
	peer_expect_msg(transcoder->peer, MSG_WORKER_CONFIG,
			json_pack("{s:s, s:i, s:i}", "stream", "door.opus", "source_id",
				  (int)fake_id_of(fake, "door"), "stream_id",
				  (int)fake_id_of(fake, "door.opus")));
	peer_run(transcoder->peer, 0);
	/* The camera's settings were changed. */
	say_codecs(worker, "h264", "pcma");
	peer_await_msg(transcoder->peer, MSG_STOP, NULL);
	peer_run(transcoder->peer, 0);
	fake_exit(transcoder, 0);
	ck_assert(!is_known(fake, "door.opus"));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_both_copies_of_one_stream)
{
	struct fake *fake = fake_run(loop, "limits: {transcoders: 1, linger: 0s}\n" ONE);
	struct fake_child *front = fake_synced_front(fake), *worker = fake_worker(fake, "door");
	struct fake_child *pictures, *sound;

	peer_get_msg(worker->peer, MSG_WORKER_CONFIG, 0);
	fake_up(worker);
	say_codecs(worker, "h265", "aac");
	want(fake, front, "door.h264", true);
	pictures = fake_get(fake, TRANSCODER, "door");
	ck_assert_str_eq(pictures->job, "h264");
	ck_assert(msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", false));
	/* The one place is for H.264. */
	want(fake, front, "door.opus", true);
	sound = fake_get(fake, TRANSCODER, "door");
	ck_assert_str_eq(sound->job, "opus");
	/* The source flows until neither needs it. */
	want(fake, front, "door.h264", false);
	fake_wait_ms(fake, 100);
	fake_exit(pictures, 0);
	peer_assert_no_msg(worker->peer);
	want(fake, front, "door.opus", false);
	fake_wait_ms(fake, 100);
	fake_exit(sound, 0);
	ck_assert(!msg_bool(peer_get_msg(worker->peer, MSG_DEMAND, 0), "on", true));
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_without_webrtc_nobody_needs_opus)
{
	struct fake *fake = fake_run(loop, "rtc: {enabled: false}\n" ONE);

	fake_up(fake_worker(fake, "door"));
	say_codecs(fake_worker(fake, "door"), "h264", "aac");
	ck_assert(!is_known(fake, "door.opus"));
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_copy");
	TCase *tcase = tcase_create("copies");

	tcase_add_test(tcase, test_a_copy_is_announced_with_the_codec);
	tcase_add_test(tcase, test_no_copy_of_h264_nor_where_it_is_forbidden);
	tcase_add_test(tcase, test_somebody_watches_and_then_nobody);
	tcase_add_test(tcase, test_viewers_who_come_back_in_time_keep_it);
	tcase_add_test(tcase, test_it_asks_for_the_group_of_pictures);
	tcase_add_test(tcase, test_a_camera_on_demand_is_connected_for_it);
	tcase_add_test(tcase, test_as_many_as_may);
	tcase_add_test(tcase, test_the_limit_may_change);
	tcase_add_test(tcase, test_a_crash_is_restarted_and_a_hang_is_killed);
	tcase_add_test(tcase, test_its_source_goes_and_comes_back);
	tcase_add_test(tcase, test_a_new_incarnation_of_the_source_has_a_new_one);
	tcase_add_test(tcase, test_the_codec_changes);
	tcase_add_test(tcase, test_the_configuration_changes);
	tcase_add_test(tcase, test_the_camera_is_taken_out_and_put_back);
	tcase_add_test(tcase, test_it_cannot_redirect);
	tcase_add_test(tcase, test_aac_can_be_had_as_opus);
	tcase_add_test(tcase, test_both_copies_of_one_stream);
	tcase_add_test(tcase, test_without_webrtc_nobody_needs_opus);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
