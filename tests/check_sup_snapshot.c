/*
 * Snapshots between a front and transcoders: how many at once, for whom, and what goes wrong.
 */
#include "config.h"

#include "tests/sup_fake.h"

#include "supervisor/sup_int.h"
#include "supervisor/sup_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TWO                                                                                        \
	"cameras:\n"                                                                               \
	"  - {name: door, title: Front door, url: \"rtsp://192.0.2.10/\"}\n"                       \
	"  - {name: gate, url: \"rtsp://192.0.2.11/\", on_demand: true}\n"

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

START_ASYNC_TEST(test_a_snapshot_passes_through)
{
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *transcoder;
	const json_t *msg;

	ask_snapshot(front, 71, fake_id_of(fake, "door"), "the GOP");
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
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake);

	for (int i = 1; i <= 5; i++)
		ask_snapshot(front, i, fake_id_of(fake, "door"), "G");
	ck_assert_uint_eq(fake_count(fake, "camhub-transcode", NULL), 1);
	give_jpeg(fake_get(fake, "camhub-transcode", "door"), "J");
	for (int i = 1; i <= 5; i++) {
		ck_assert_int_eq(
		    msg_int(peer_get_msg(front->peer, MSG_SNAPSHOT_DONE, 0), "request", 0), i);
		assert_memfd_has(peer_take_fd(front->peer), "J");
	}
	/* Who asks now wants a newer one. */
	ask_snapshot(front, 6, fake_id_of(fake, "door"), "G2");
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
	front = fake_synced_front(fake);
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
	struct fake *fake = fake_run(loop, FIVE);
	struct fake_child *front = fake_synced_front(fake);

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
	struct fake *fake = fake_run(loop, FIVE);
	struct fake_child *front = fake_synced_front(fake), *transcoder;

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
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *transcoder;
	uint32_t door = fake_id_of(fake, "door");
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
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *transcoder;

	ask_snapshot(front, 1, fake_id_of(fake, "door"), "G");
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
	struct fake *fake = fake_run(loop, TWO);
	struct fake_child *front = fake_synced_front(fake), *transcoder;

	ask_snapshot(front, 1, fake_id_of(fake, "door"), "G");
	transcoder = fake_get(fake, "camhub-transcode", "door");
	fake_crash(front);
	ck_assert(transcoder->killed);
	fake_wait_ms(fake, 100);
	front = fake_synced_front(fake);
	peer_assert_no_msg(front->peer);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_snapshot");
	TCase *snapshot = tcase_create("snapshot");

	tcase_add_test(snapshot, test_a_snapshot_passes_through);
	tcase_add_test(snapshot, test_one_result_for_all_who_ask_for_the_same);
	tcase_add_test(snapshot, test_two_snapshots_at_once_and_a_bounded_queue);
	tcase_add_test(snapshot, test_waiting_snapshots_that_cannot_start_all_say_so);
	tcase_add_test(snapshot, test_a_waiting_snapshot_takes_the_newer_pictures);
	tcase_add_test(snapshot, test_snapshots_that_fail_say_so);
	tcase_add_test(snapshot, test_a_transcoder_that_stays_after_its_result_is_killed);
	tcase_add_test(snapshot, test_snapshots_of_a_dead_front_are_given_up);
	suite_add_tcase(suite, snapshot);
	return suite;
}

HARNESS_MAIN(make_suite)
