/*
 * /api/frame.jpeg: who is asked for pictures, what the transcoder is given, who gets the answer.
 */
#include "config.h"

#include "tests/check_http_rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* A moment longer than anybody waits for a snapshot. */
#define ASK_MS (SNAPSHOT_MS + 300)

static struct rig *
start_door(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);

	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	return rig;
}

static int
make_file(const void *bytes, size_t len)
{
	int fd = memfd_create("jpeg", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

/* What the supervisor got: the configuration and n units, sealed. */
static void
check_gop(int fd, unsigned n)
{
	static uint8_t bytes[4096];
	size_t len, at = 0;
	unsigned count = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	len = (size_t)pread(fd, bytes, sizeof(bytes), 0);
	for (; at < len; count++) {
		uint32_t size = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
		const uint8_t *payload;
		struct frame frame;

		ck_assert_int_eq(frame_decode(bytes + at + 4, size, &frame, &payload), 0);
		ck_assert_int_eq(frame.kind, count == 0 ? FRAME_KIND_CONFIG : FRAME_KIND_VIDEO);
		if (count > 0)
			ck_assert_uint_eq(frame.gop_index, count - 1);
		at += 4 + size;
	}
	ck_assert_uint_eq(count, n + 1);
	close(fd);
}

static long long
expect_snapshot(struct rig *rig, unsigned units)
{
	const json_t *msg = peer_get_msg(rig->sup, MSG_SNAPSHOT, 0);
	long long request = msg_int(msg, "request", 0);

	ck_assert_int_eq(msg_int(msg, "id", 0), 1);
	check_gop(peer_take_fd(rig->sup), units);
	return request;
}

static void
send_picture(struct rig *rig, long long request, const char *error)
{
	json_t *msg =
	    json_pack("{s:s, s:I}", "type", "snapshot-done", "request", (json_int_t)request);

	if (error != NULL)
		json_object_set_new(msg, "error", json_string(error));
	peer_send_msg(rig->sup, msg,
		      error != NULL ? -1 : make_file(JPEG_BYTES, sizeof(JPEG_BYTES) - 1));
	peer_run(rig->sup, 0);
}

static void
ask_picture(struct peer *browser)
{
	peer_send_text(browser, "GET /api/frame.jpeg?src=door HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_run(browser, 0);
}

static void
expect_picture(struct peer *browser)
{
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 200 OK\r\n");
	peer_run(browser, 0);
	ck_assert_str_eq(rig_header(peer_last(browser, NULL), "Content-Type"), "image/jpeg");
	ck_assert_str_eq(rig_header(peer_last(browser, NULL), "Cache-Control"), "no-store");
	peer_expect(browser, JPEG_BYTES, sizeof(JPEG_BYTES) - 1);
	peer_run(browser, 0);
}

START_ASYNC_TEST(test_one_snapshot_for_all_who_ask, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *a = rig_connect(rig), *b = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);
	long long request;

	ask_picture(a);
	peer_await_msg(rig->sup, MSG_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 1));
	peer_run(rig->sup, 0);
	rig_push_gop(rig, &feed, 3);
	request = expect_snapshot(rig, 1);
	ask_picture(b);
	loop_settle(loop);
	send_picture(rig, request, NULL);
	expect_picture(a);
	expect_picture(b);
	/* The frame has moved on: another one. Then it has not: the same. */
	ask_picture(a);
	request = expect_snapshot(rig, 3);
	send_picture(rig, request, NULL);
	expect_picture(a);
	ask_picture(b);
	expect_picture(b);
	peer_assert_no_msg(rig->sup);
	/* Who polls keeps the stream for a while, nobody does for ever. */
	loop_run_for_ms(loop, 3100);
	peer_await_msg(rig->sup, MSG_WANT, json_pack("{s:i, s:b}", "id", 1, "on", 0));
	peer_run(rig->sup, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_snapshot_deadlines, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);
	long long request;
	char byte;

	/* No picture from the camera. */
	ask_picture(browser);
	loop_settle(loop);
	loop_run_for_ms(loop, ASK_MS);
	peer_expect_until(browser, "}", "HTTP/1.1 503 ");
	peer_run(browser, 0);
	/* None from the transcoder. */
	rig_push_gop(rig, &feed, 1);
	ask_picture(browser);
	peer_await_msg(rig->sup, MSG_SNAPSHOT, NULL);
	peer_run(rig->sup, 0);
	request = msg_int(peer_last_msg(rig->sup), "request", 0);
	check_gop(peer_take_fd(rig->sup), 1);
	/* Whoever has the job may use its time to the end, and say why. */
	loop_run_for_ms(loop, SNAPSHOT_MS + 1);
	loop_settle(loop);
	ck_assert_int_eq(recv(peer_fd(browser), &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	loop_run_for_ms(loop, ASK_MS - SNAPSHOT_MS);
	peer_expect_until(browser, "}", "HTTP/1.1 504 ");
	peer_run(browser, 0);
	/* It comes late: good for the next. */
	send_picture(rig, request, NULL);
	ask_picture(browser);
	expect_picture(browser);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_snapshot_that_fails, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);
	json_t *msg;

	ask_picture(browser);
	peer_await_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	rig_push_gop(rig, &feed, 1);
	send_picture(rig, expect_snapshot(rig, 1), "no decoder");
	peer_expect_until(browser, "}", "no decoder");
	peer_run(browser, 0);
	/* What is no JPEG goes to nobody. */
	ask_picture(browser);
	msg = json_pack("{s:s, s:I}", "type", "snapshot-done", "request",
			(json_int_t)expect_snapshot(rig, 1));
	peer_send_msg(rig->sup, msg, make_file("<script>", 8));
	peer_run(rig->sup, 0);
	peer_expect_until(browser, "}", "HTTP/1.1 503 ");
	peer_run(browser, 0);
	/* Who asks and goes away leaves nothing that waits. */
	ask_picture(browser);
	expect_snapshot(rig, 1);
	peer_close(browser);
	peer_run(browser, 0);
	loop_run_for_ms(loop, ASK_MS);
	async_complete(loop);
}
END_ASYNC_TEST

static struct bus_msg *
large_delta(struct feed *feed)
{
	static const uint8_t payload[FRAME_PAYLOAD_MAX];
	struct bus_msg *like = feed_delta(feed), *msg;

	msg = bus_msg_new(&like->frame, payload, sizeof(payload));
	bus_msg_unref(&like);
	return msg;
}

START_ASYNC_TEST(test_a_group_larger_than_a_job_is_not_copied, .hold_time = true)
{
	struct rig *rig =
	    start_door(loop, json_pack("{s:i}", "ring_bytes", 4 * (int)FRAME_JOB_MAX_BYTES));
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);
	int n = FRAME_JOB_MAX_BYTES / FRAME_PAYLOAD_MAX;

	ask_picture(browser);
	peer_await_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	rig_push_gop(rig, &feed, 1);
	send_picture(rig, expect_snapshot(rig, 1), NULL);
	expect_picture(browser);
	for (int i = 0; i < n; i++)
		rig_push(rig, large_delta(&feed));
	ask_picture(browser);
	peer_expect_until(browser, "}", "64 MiB");
	peer_run(browser, 0);
	peer_assert_no_msg(rig->sup);
	/* The next group is small again. */
	rig_push_gop(rig, &feed, 2);
	ask_picture(browser);
	send_picture(rig, expect_snapshot(rig, 2), NULL);
	expect_picture(browser);
	async_complete(loop);
}
END_ASYNC_TEST

/* The front ends while somebody waits: the rig takes it down. */
START_ASYNC_TEST(test_front_ends_while_a_snapshot_is_awaited, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);

	ask_picture(rig_connect(rig));
	peer_await_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_snapshot_of_an_mjpeg_camera_needs_nobody, .hold_time = true)
{
	struct rig *rig = start_door(loop, NULL);
	struct peer *browser = rig_connect(rig);
	struct feed feed = feed_new(EPOCH);

	ask_picture(browser);
	peer_await_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	rig_push(rig, feed_jpeg(&feed));
	expect_picture(browser);
	peer_assert_no_msg(rig->sup);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_snapshot");
	TCase *snapshots = tcase_create("snapshots");

	tcase_add_test(snapshots, test_one_snapshot_for_all_who_ask);
	tcase_add_test(snapshots, test_snapshot_deadlines);
	tcase_add_test(snapshots, test_snapshot_that_fails);
	tcase_add_test(snapshots, test_a_group_larger_than_a_job_is_not_copied);
	tcase_add_test(snapshots, test_front_ends_while_a_snapshot_is_awaited);
	tcase_add_test(snapshots, test_snapshot_of_an_mjpeg_camera_needs_nobody);
	suite_add_tcase(suite, snapshots);
	return suite;
}

HARNESS_MAIN(make_suite)
