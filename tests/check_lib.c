/*
 * libcamhub between a fake supervisor, a fake worker on the real bus, and a fake analyser: a
 * process of its own that says what it gets. And what a hostile one of them can do to it.
 */
#include "config.h"

#include "lib/camhub.h"
#include "shared/bus.h"
#include "tests/check_lib_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Analysers: what the library gives them, a line for each thing. */

/* analyser DIR STREAM: frames, until it is killed; by its event loop. */
HARNESS_CHILD(analyser)
{
	struct camhub *hub;
	struct camhub_sub *sub;
	struct camhub_frame *frame;
	struct camhub_stats stats;
	int rc = camhub_open(argv[1], "fake", &hub);

	if (rc < 0)
		return lib_say("open", rc);
	rc = camhub_subscribe(hub, argv[2], &sub);
	if (rc < 0)
		return lib_say("subscribe", rc);
	for (;;) {
		struct pollfd pfd = { .fd = camhub_fd(hub), .events = POLLIN };

		poll(&pfd, 1, -1);
		while ((rc = camhub_next(sub, 0, &frame)) == 0) {
			printf("frame %s %llu%s%s%s %zu \"%.*s\"\n", frame->stream,
			       (unsigned long long)frame->seq,
			       frame->flags & CAMHUB_KEY ? " key" : "",
			       frame->flags & CAMHUB_FIRST ? " first" : "",
			       frame->flags & CAMHUB_REPLAY ? " replay" : "", frame->len,
			       (int)frame->len, (const char *)frame->data);
			camhub_frame_free(&frame);
		}
		camhub_stats(sub, &stats, sizeof(stats));
		printf("stats gaps %d epochs %d malformed %d\n", (int)stats.gaps, (int)stats.epochs,
		       (int)stats.malformed);
		fflush(stdout);
	}
}

/* sleeper DIR STREAM: subscribes, sleeps until a file is there, then takes the newest. */
HARNESS_CHILD(sleeper)
{
	struct camhub *hub;
	struct camhub_sub *sub;
	struct camhub_frame *frame;
	struct camhub_stats stats;

	if (camhub_open(argv[1], "sleeper", &hub) < 0 || camhub_subscribe(hub, argv[2], &sub) < 0 ||
	    camhub_next(sub, -1, &frame) < 0)
		return 3;
	printf("asleep\n");
	fflush(stdout);
	while (access(argv[3], F_OK) < 0)
		poll(NULL, 0, 5);
	camhub_frame_free(&frame);
	if (camhub_newest(sub, -1, &frame) < 0)
		return 4;
	camhub_stats(sub, &stats, sizeof(stats));
	printf("newest %llu behind %zu skipped %s\n", (unsigned long long)frame->seq, frame->behind,
	       stats.skipped > 0 ? "some" : "none");
	camhub_frame_free(&frame);
	camhub_unsubscribe(&sub);
	camhub_close(&hub);
	return 0;
}

/* lister DIR NAME */
HARNESS_CHILD(lister)
{
	const struct camhub_stream *const *streams;
	struct camhub *hub;
	size_t n;
	int rc = camhub_open(argv[1], argv[2], &hub);

	if (rc < 0)
		return lib_say("open", rc);
	camhub_streams(hub, &streams, &n);
	for (size_t i = 0; i < n; i++)
		printf("stream %s %s %s %ux%u %.1f \"%s\"\n", streams[i]->name, streams[i]->state,
		       streams[i]->codec, streams[i]->width, streams[i]->height, streams[i]->fps,
		       streams[i]->title);
	lib_say("end", 0);
	camhub_close(&hub);
	return 0;
}

/* The fake supervisor and worker. */

static struct bus_pub *pub;

static void
open_pub(const char *name)
{
	ck_assert_int_eq(bus_pub_open(harness_tmpfile(name), 0600, &pub), 0);
}

static void
publish(uint64_t epoch, char kind, uint64_t seq, bool is_replay)
{
	struct frame frame = { .stream_id = 1,
			       .kind = kind == 'C' ? FRAME_KIND_CONFIG : FRAME_KIND_VIDEO,
			       .codec = FRAME_CODEC_H264,
			       .epoch = epoch,
			       .seq = seq };
	char text[32];
	int len = snprintf(text, sizeof(text), "%c%d", kind, (int)seq);

	frame.flags = (uint16_t)((kind == 'K' ? FRAME_KEY : 0) | (is_replay ? FRAME_REPLAY : 0));
	frame.for_subscriber = is_replay ? LIB_SUBSCRIBER : 0;
	ck_assert_int_eq(bus_pub_send(pub, &frame, text, (size_t)len), 0);
}

static void
end_replay(uint64_t epoch, uint32_t subscriber)
{
	struct frame frame = { .kind = FRAME_KIND_STATUS,
			       .epoch = epoch,
			       .flags = FRAME_REPLAY,
			       .for_subscriber = subscriber };
	static const char text[] = "{\"replay_end\":7,\"last_video_seq\":3,\"messages\":3}";

	ck_assert_int_eq(bus_pub_send(pub, &frame, text, sizeof(text) - 1), 0);
}

static bool
is_heard(void *arg)
{
	(void)arg;
	return bus_pub_subscribers(pub) > 0;
}

/* Whoever dialled knows of the pipe before the publisher does, which sends to nobody until then. */
static void
wait_for_ears(struct loop *loop)
{
	loop_run_until_true(loop, is_heard, NULL, "a subscriber", 0);
}

static struct program *
start(struct loop *loop, struct peer *supervisor, const char *name)
{
	struct program *program;

	lib_welcome(supervisor);
	peer_send_msg(supervisor, lib_stream(1, "door", 100, "door-100.sock"), -1);
	lib_synced(supervisor);
	program = program_start_self(loop, 0, name, harness_tmpdir(), "door", harness_tmpfile("go"),
				     NULL);
	peer_expect_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 1));
	peer_expect_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 1));
	peer_run(supervisor, 0);
	wait_for_ears(loop);
	return program;
}

static void
send_group(void)
{
	publish(100, 'C', 1, true);
	publish(100, 'K', 2, true);
	publish(100, 'P', 3, true);
	end_replay(100, LIB_SUBSCRIBER);
}

/* An analyser that was given the first group. */
static struct program *
start_playing(struct loop *loop, struct peer *supervisor)
{
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	send_group();
	program_wait_output(analyser, "frame door 3", 0);
	return analyser;
}

START_ISOLATED_TEST(test_begins_with_the_newest_group, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	end_replay(100, LIB_SUBSCRIBER + 1); /* somebody else's */
	send_group();
	publish(100, 'P', 4, false);
	/* The key frame with its configuration before it. */
	program_wait_output(analyser, "frame door 2 key first replay 4 \"C1K2\"", 0);
	program_wait_output(analyser, "frame door 3 replay 2 \"P3\"", 0);
	program_wait_output(analyser, "frame door 4 2 \"P4\"", 0);
	program_signal(analyser, SIGKILL);
	peer_drain_until_close(supervisor); /* after a second without a replay it asks again */
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_a_hole_and_another_worker, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *analyser;

	analyser = start_playing(loop, supervisor);
	publish(100, 'P', 6, false);
	publish(100, 'P', 7, false);
	publish(100, 'K', 8, false);
	program_wait_output(analyser, "frame door 8 key first 4", 0);
	program_wait_output(analyser, "stats gaps 1 epochs 1", 0);
	/* The worker dies; the next one is elsewhere, and its numbers begin anew. */
	peer_send_msg(supervisor, lib_stream(1, "door", 0, ""), -1);
	open_pub("door-200.sock");
	peer_send_msg(supervisor, lib_stream(1, "door", 200, "door-200.sock"), -1);
	peer_await_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 1));
	peer_run(supervisor, 0);
	wait_for_ears(loop);
	publish(200, 'K', 1, false);
	program_wait_output(analyser, "frame door 1 key first", 0);
	program_wait_output(analyser, "epochs 2", 0);
	ck_assert_uint_eq(peer_msg_count(supervisor, MSG_TAP_WANT), 1);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_a_slow_program_gets_the_newest, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *sleeper;

	open_pub("door-100.sock");
	sleeper = start(loop, supervisor, "sleeper");
	send_group();
	program_wait_output(sleeper, "asleep", 0);
	for (uint64_t seq = 4; seq <= 64; seq++)
		publish(100, seq % 20 == 0 ? 'K' : 'P', seq, false);
	/* The pulse behind them is there when they are. */
	close(open(harness_tmpfile("go"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(program_wait(sleeper, 0), 0);
	ck_assert_ptr_nonnull(strstr(program_output(sleeper), "newest "));
	peer_await_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 0));
	peer_expect_close(supervisor);
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_rubbish_on_the_bus_is_not_believed, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *analyser;

	analyser = start_playing(loop, supervisor);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(
		    bus_pub_send_plain(pub, "rubbish that is no frame", (size_t)i % 24), 0);
	publish(100, 'K', 4, false);
	program_wait_output(analyser, "malformed 50", 0);
	ck_assert_ptr_null(strstr(program_output(analyser), "frame door 4"));
	/* Until it is another one. */
	open_pub("door-200.sock");
	peer_send_msg(supervisor, lib_stream(1, "door", 200, "door-200.sock"), -1);
	peer_await_msg(supervisor, MSG_TAP_REPLAY, NULL);
	peer_run(supervisor, 0);
	wait_for_ears(loop);
	publish(200, 'K', 5, false);
	program_wait_output(analyser, "frame door 5 key first", 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_camhub_may_restart, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);
	struct program *analyser;

	analyser = start_playing(loop, supervisor);
	peer_close(supervisor);
	peer_run(supervisor, 0);
	unlink(harness_tmpfile("tap.sock"));
	supervisor = lib_supervise(loop);
	lib_welcome(supervisor);
	/* Other numbers, another order. */
	peer_send_msg(supervisor, lib_stream(1, "gate", 299, "gate-299.sock"), -1);
	open_pub("door-300.sock");
	peer_send_msg(supervisor, lib_stream(5, "door", 300, "door-300.sock"), -1);
	lib_synced(supervisor);
	peer_expect_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 5, "on", 1));
	peer_expect_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 5));
	peer_run(supervisor, 0);
	wait_for_ears(loop);
	publish(300, 'K', 1, false);
	program_wait_output(analyser, "frame door 1 key first", 0);
	async_complete(loop);
}
END_ISOLATED_TEST

static void
list_with(struct loop *loop, struct peer *supervisor, const char *name, const char *output)
{
	struct program *lister =
	    program_start_self(loop, 0, "lister", harness_tmpdir(), name, NULL);

	program_wait_output(lister, output, 0);
	program_wait(lister, 0);
	(void)supervisor;
}

START_ISOLATED_TEST(test_streams_are_listed, .real_clock = true)
{
	struct peer *supervisor = lib_supervise(loop);

	lib_welcome(supervisor);
	peer_send_msg(supervisor, lib_stream(1, "door", 100, "door-100.sock"), -1);
	peer_send_msg(supervisor, lib_stream(2, "gate", 0, ""), -1);
	peer_send_msg(supervisor, lib_stream(3, "old", 0, ""), -1);
	peer_send_msg(supervisor, json_pack("{s:s, s:i}", "type", "tap-gone", "id", 3), -1);
	/* What a broken supervisor could say. */
	peer_send_msg(supervisor, lib_stream(4, "odd", 1, "../../etc/passwd"), -1);
	peer_send_datagram(supervisor, "\"tap-stream\"", 12);
	peer_send_datagram(supervisor, "{\"type\":\"tap-stream\",\"id\":\"x\"}", 30);
	peer_send_datagram(supervisor, "{\"type\":7}", 10);
	lib_synced(supervisor);
	list_with(loop, supervisor, "lister",
		  "stream door up h264 640x360 25.0 \"A title\"\nstream gate up h264 640x360 25.0 "
		  "\"A title\"\nstream odd up");
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_who_is_not_there_or_says_no, .real_clock = true)
{
	struct peer *supervisor;

	list_with(loop, NULL, "lister", "open: not there");
	supervisor = lib_supervise(loop);
	peer_expect_msg(supervisor, MSG_TAP_HELLO, NULL);
	peer_send_msg(supervisor,
		      json_pack("{s:s, s:s}", "type", "tap-refused", "text", "no such name"), -1);
	peer_close(supervisor);
	list_with(loop, supervisor, "Lister", "open: not as it should be");
	list_with(loop, supervisor, "lister", "open: camhub does not run");
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("lib");
	TCase *tcase = tcase_create("lib");

	tcase_add_test(tcase, test_begins_with_the_newest_group);
	tcase_add_test(tcase, test_a_hole_and_another_worker);
	tcase_add_test(tcase, test_a_slow_program_gets_the_newest);
	tcase_add_test(tcase, test_rubbish_on_the_bus_is_not_believed);
	tcase_add_test(tcase, test_camhub_may_restart);
	tcase_add_test(tcase, test_streams_are_listed);
	tcase_add_test(tcase, test_who_is_not_there_or_says_no);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
