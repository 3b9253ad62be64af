/*
 * libcamhub between a fake supervisor, a fake worker on the real bus, and a fake analyser: a
 * process of its own that says what it gets. And what a hostile one of them can do to it.
 */
#include "config.h"

#include "lib/camhub.h"
#include "shared/bus.h"
#include "tests/harness/harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBSCRIBER 7

/* Analysers: what the library gives them, a line for each thing. */

static int
say(const char *what, int error)
{
	printf("%s: %s\n", what, camhub_strerror(error));
	fflush(stdout);
	return error < 0;
}

/* analyser DIR STREAM: frames, until it is killed; by its event loop. */
HARNESS_CHILD(analyser)
{
	struct camhub *hub;
	struct camhub_sub *sub;
	struct camhub_frame *frame;
	struct camhub_stats stats;
	int rc = camhub_open(argv[1], "fake", &hub);

	if (rc < 0)
		return say("open", rc);
	rc = camhub_subscribe(hub, argv[2], &sub);
	if (rc < 0)
		return say("subscribe", rc);
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

/* talker DIR: what can be said, and what cannot. */
HARNESS_CHILD(talker)
{
	static const char good[] = "{\"stream\":\"door\",\"seq\":1}";
	char *large = calloc(1, 70000);
	struct camhub *hub;
	int rc = 0, n = 0;

	if (camhub_open(argv[1], "talker", &hub) < 0)
		return 3;
	memset(large, ' ', 70000);
	say("large", camhub_publish(hub, large, 70000));
	say("rubbish", camhub_publish(hub, "[1]", 3));
	say("cut", camhub_publish(hub, good, sizeof(good) - 3));
	/* Until somebody listens. */
	while (access(argv[2], F_OK) < 0) {
		(void)camhub_publish(hub, good, sizeof(good) - 1);
		poll(NULL, 0, 20);
	}
	while (rc == 0 && n++ < 1000)
		rc = camhub_publish(hub, good, sizeof(good) - 1);
	say("flood", rc);
	free(large);
	camhub_close(&hub);
	return 0;
}

/* narrator DIR: says something again and again, whoever listens, until it is killed. */
HARNESS_CHILD(narrator)
{
	static const char text[] = "{\"stream\":\"door\",\"note\":\"still here\"}";
	struct camhub *hub;

	if (camhub_open(argv[1], "narrator", &hub) < 0)
		return 3;
	for (;;) {
		(void)camhub_publish(hub, text, sizeof(text) - 1);
		poll(NULL, 0, 20);
	}
}

/* unwanted DIR STREAM: says something, and looks until it is told that nobody wants it. */
HARNESS_CHILD(unwanted)
{
	static const char text[] = "{\"stream\":\"door\"}";
	struct camhub *hub;
	struct camhub_sub *sub;
	struct camhub_frame *frame;

	if (camhub_open(argv[1], "unwanted", &hub) < 0 ||
	    camhub_publish(hub, text, sizeof(text) - 1) < 0 ||
	    camhub_subscribe(hub, argv[2], &sub) < 0)
		return 3;
	return say("next", camhub_next(sub, -1, &frame));
}

/* lister DIR NAME */
HARNESS_CHILD(lister)
{
	const struct camhub_stream *const *streams;
	struct camhub *hub;
	size_t n;
	int rc = camhub_open(argv[1], argv[2], &hub);

	if (rc < 0)
		return say("open", rc);
	camhub_streams(hub, &streams, &n);
	for (size_t i = 0; i < n; i++)
		printf("stream %s %s %s %ux%u %.1f \"%s\"\n", streams[i]->name, streams[i]->state,
		       streams[i]->codec, streams[i]->width, streams[i]->height, streams[i]->fps,
		       streams[i]->title);
	say("end", 0);
	camhub_close(&hub);
	return 0;
}

/* The fake supervisor and worker. */

static struct bus_pub *pub;

static json_t *
stream(int id, const char *name, uint64_t epoch, const char *endpoint)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:s, s:i, s:i, "
			 "s:f, s:s}",
			 "type", "tap-stream", "id", id, "name", name, "camera", name, "title",
			 "A title", "group", "", "state", "up", "since_ms", 1, "epoch",
			 (json_int_t)epoch, "endpoint", endpoint, "codec", "h264", "codec_string",
			 "avc1.64001F", "width", 640, "height", 360, "fps", 25.0, "audio", "");
}

static void
welcome(struct peer *supervisor)
{
	peer_expect_msg(supervisor, MSG_TAP_HELLO, NULL);
	peer_send_msg(supervisor,
		      json_pack("{s:s, s:i, s:s, s:s}", "type", "tap-welcome", "subscriber",
				SUBSCRIBER, "version", "9.9", "news", "of a later version"),
		      -1);
}

static void
synced(struct peer *supervisor)
{
	peer_send_msg(supervisor, json_pack("{s:s}", "type", "tap-of-a-later-version"), -1);
	peer_send_msg(supervisor, json_pack("{s:s}", "type", "tap-synced"), -1);
}

static struct peer *
supervise(struct loop *loop)
{
	return peer_listen_chan(loop, harness_tmpfile("tap.sock"), MSG_FROM_TAP, "supervisor");
}

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
	frame.for_subscriber = is_replay ? SUBSCRIBER : 0;
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

static struct program *
start(struct loop *loop, struct peer *supervisor, const char *name)
{
	struct program *program;

	welcome(supervisor);
	peer_send_msg(supervisor, stream(1, "door", 100, "door-100.sock"), -1);
	synced(supervisor);
	program = program_start_self(loop, 0, name, harness_tmpdir(), "door", harness_tmpfile("go"),
				     NULL);
	peer_expect_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 1));
	peer_expect_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 1));
	peer_run(supervisor, 0);
	return program;
}

static void
send_group(void)
{
	publish(100, 'C', 1, true);
	publish(100, 'K', 2, true);
	publish(100, 'P', 3, true);
	end_replay(100, SUBSCRIBER);
}

START_ISOLATED_TEST(test_begins_with_the_newest_group, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	end_replay(100, SUBSCRIBER + 1); /* somebody else's */
	send_group();
	publish(100, 'P', 4, false);
	/* The key frame with its configuration before it. */
	program_wait_output(analyser, "frame door 2 key first replay 4 \"C1K2\"", 0);
	program_wait_output(analyser, "frame door 3 replay 2 \"P3\"", 0);
	program_wait_output(analyser, "frame door 4 2 \"P4\"", 0);
	program_signal(analyser, SIGKILL);
	peer_expect_close(supervisor);
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_a_hole_and_another_worker, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	send_group();
	program_wait_output(analyser, "frame door 3", 0);
	publish(100, 'P', 6, false);
	publish(100, 'P', 7, false);
	publish(100, 'K', 8, false);
	program_wait_output(analyser, "frame door 8 key first 4", 0);
	program_wait_output(analyser, "stats gaps 1 epochs 1", 0);
	/* The worker dies; the next one is elsewhere, and its numbers begin anew. */
	peer_send_msg(supervisor, stream(1, "door", 0, ""), -1);
	open_pub("door-200.sock");
	peer_send_msg(supervisor, stream(1, "door", 200, "door-200.sock"), -1);
	peer_await_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 1));
	peer_run(supervisor, 0);
	publish(200, 'K', 1, false);
	program_wait_output(analyser, "frame door 1 key first", 0);
	program_wait_output(analyser, "epochs 2", 0);
	ck_assert_uint_eq(peer_msg_count(supervisor, MSG_TAP_WANT), 1);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_a_slow_program_gets_the_newest, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
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
	peer_expect_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 0));
	peer_expect_close(supervisor);
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_rubbish_on_the_bus_is_not_believed, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	send_group();
	program_wait_output(analyser, "frame door 3", 0);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(
		    bus_pub_send_plain(pub, "rubbish that is no frame", (size_t)i % 24), 0);
	publish(100, 'K', 4, false);
	program_wait_output(analyser, "malformed 50", 0);
	ck_assert_ptr_null(strstr(program_output(analyser), "frame door 4"));
	/* Until it is another one. */
	open_pub("door-200.sock");
	peer_send_msg(supervisor, stream(1, "door", 200, "door-200.sock"), -1);
	peer_await_msg(supervisor, MSG_TAP_REPLAY, NULL);
	peer_run(supervisor, 0);
	publish(200, 'K', 5, false);
	program_wait_output(analyser, "frame door 5 key first", 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_camhub_may_restart, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	struct program *analyser;

	open_pub("door-100.sock");
	analyser = start(loop, supervisor, "analyser");
	send_group();
	program_wait_output(analyser, "frame door 3", 0);
	peer_close(supervisor);
	peer_run(supervisor, 0);
	unlink(harness_tmpfile("tap.sock"));
	supervisor = supervise(loop);
	welcome(supervisor);
	/* Other numbers, another order. */
	peer_send_msg(supervisor, stream(1, "gate", 299, "gate-299.sock"), -1);
	open_pub("door-300.sock");
	peer_send_msg(supervisor, stream(5, "door", 300, "door-300.sock"), -1);
	synced(supervisor);
	peer_expect_msg(supervisor, MSG_TAP_WANT, json_pack("{s:i, s:b}", "id", 5, "on", 1));
	peer_expect_msg(supervisor, MSG_TAP_REPLAY, json_pack("{s:i}", "id", 5));
	peer_run(supervisor, 0);
	publish(300, 'K', 1, false);
	program_wait_output(analyser, "frame door 1 key first", 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_results_go_out, .real_clock = true)
{
	static struct bus_sub *sub;
	struct peer *supervisor = supervise(loop);
	struct program *talker;
	struct bus_msg *msg;
	char path[256];
	const char *name;
	struct stat st;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	welcome(supervisor);
	synced(supervisor);
	talker =
	    program_start_self(loop, 0, "talker", harness_tmpdir(), harness_tmpfile("go"), NULL);
	/* Named when there is something to say. */
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "talker"));
	peer_run(supervisor, 0);
	name = msg_str(peer_last_msg(supervisor), "results");
	ck_assert_int_eq(strncmp(name, "analyser-talker-", 16), 0);
	snprintf(path, sizeof(path), "%s/%s", harness_tmpfile("results"), name);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0666);
	ck_assert_int_eq(bus_sub_open_plain(path, 65536, 64, &sub), 0);
	while (bus_sub_recv_plain(sub, &msg) == -EAGAIN)
		loop_run_for_ms(loop, 5);
	ck_assert_uint_eq(msg->frame.payload_len, 25);
	ck_assert_int_eq(memcmp(msg->payload, "{\"stream\":\"door\",\"seq\":1}", 25), 0);
	bus_msg_unref(&msg);
	close(open(harness_tmpfile("go"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(program_wait(talker, 0), 0);
	program_wait_output(talker, "large: more than 65536 bytes", 0);
	program_wait_output(talker, "rubbish: not as it should be", 0);
	program_wait_output(talker, "cut: not as it should be", 0);
	program_wait_output(talker, "flood: more than 60 results of a stream", 0);
	ck_assert_int_eq(stat(path, &st), -1);
	peer_expect_close(supervisor);
	peer_run(supervisor, 0);
	async_complete(loop);
}
END_ISOLATED_TEST

/* Reads the endpoint that the hello names; its name. */
static const char *
hear_at(struct loop *loop, struct peer *supervisor)
{
	static char path[256];
	const char *name = msg_str(peer_last_msg(supervisor), "results");
	struct bus_sub *sub;
	struct bus_msg *msg;

	ck_assert_int_eq(strncmp(name, "analyser-narrator-", 18), 0);
	snprintf(path, sizeof(path), "%s/%s", harness_tmpfile("results"), name);
	ck_assert_int_eq(bus_sub_open_plain(path, 65536, 64, &sub), 0);
	while (bus_sub_recv_plain(sub, &msg) == -EAGAIN)
		loop_run_for_ms(loop, 5);
	bus_msg_unref(&msg);
	return path;
}

START_ISOLATED_TEST(test_results_go_on_after_a_restart, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	char first[256];
	const char *second;
	struct stat st;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	welcome(supervisor);
	synced(supervisor);
	program_start_self(loop, 0, "narrator", harness_tmpdir(), NULL);
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "narrator"));
	peer_run(supervisor, 0);
	snprintf(first, sizeof(first), "%s", hear_at(loop, supervisor));
	peer_close(supervisor);
	peer_run(supervisor, 0);
	/* As the supervisor does when a connection ends. */
	unlink(first);
	unlink(harness_tmpfile("tap.sock"));
	supervisor = supervise(loop);
	welcome(supervisor);
	peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "narrator"));
	peer_run(supervisor, 0);
	second = hear_at(loop, supervisor);
	ck_assert_str_ne(first, second);
	ck_assert_int_eq(stat(second, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0666);
	async_complete(loop);
}
END_ISOLATED_TEST

static unsigned
count_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* Sent away three times, it made no other endpoint, and its program is told. */
START_ISOLATED_TEST(test_refused_again_and_again, .real_clock = true)
{
	struct peer *supervisor = supervise(loop);
	struct program *unwanted;

	ck_assert_int_eq(mkdir(harness_tmpfile("results"), 0700), 0);
	welcome(supervisor);
	peer_send_msg(supervisor, stream(1, "door", 0, ""), -1);
	synced(supervisor);
	unwanted = program_start_self(loop, 0, "unwanted", harness_tmpdir(), "door", NULL);
	peer_await_msg(supervisor, MSG_TAP_WANT, NULL);
	peer_run(supervisor, 0);
	for (int i = 0; i < 3; i++) {
		peer_close(supervisor);
		peer_run(supervisor, 0);
		unlink(harness_tmpfile("tap.sock"));
		supervisor = supervise(loop);
		peer_expect_msg(supervisor, MSG_TAP_HELLO, json_pack("{s:s}", "name", "unwanted"));
		peer_send_msg(supervisor,
			      json_pack("{s:s, s:s}", "type", "tap-refused", "text", "no"), -1);
		peer_run(supervisor, 0);
		ck_assert_str_eq(msg_str(peer_last_msg(supervisor), "results"), "");
	}
	program_wait_output(unwanted, "next: not as it should be, or camhub refused it", 0);
	ck_assert_uint_eq(count_files(harness_tmpfile("results")), 1);
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
	struct peer *supervisor = supervise(loop);

	welcome(supervisor);
	peer_send_msg(supervisor, stream(1, "door", 100, "door-100.sock"), -1);
	peer_send_msg(supervisor, stream(2, "gate", 0, ""), -1);
	peer_send_msg(supervisor, stream(3, "old", 0, ""), -1);
	peer_send_msg(supervisor, json_pack("{s:s, s:i}", "type", "tap-gone", "id", 3), -1);
	/* What a broken supervisor could say. */
	peer_send_msg(supervisor, stream(4, "odd", 1, "../../etc/passwd"), -1);
	peer_send_datagram(supervisor, "\"tap-stream\"", 12);
	peer_send_datagram(supervisor, "{\"type\":\"tap-stream\",\"id\":\"x\"}", 30);
	peer_send_datagram(supervisor, "{\"type\":7}", 10);
	synced(supervisor);
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
	supervisor = supervise(loop);
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
	tcase_add_test(tcase, test_results_go_out);
	tcase_add_test(tcase, test_results_go_on_after_a_restart);
	tcase_add_test(tcase, test_refused_again_and_again);
	tcase_add_test(tcase, test_streams_are_listed);
	tcase_add_test(tcase, test_who_is_not_there_or_says_no);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
