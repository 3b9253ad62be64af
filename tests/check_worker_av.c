/*
 * The real camhub-worker-av with sources that work.
 */
#include "config.h"

#include "tests/check_worker_av_rig.h"

#include "shared/child_ev.h"
#include "shared/xalloc.h"

#include <fcntl.h>
#include <unistd.h>

START_ISOLATED_TEST(test_clock_h264, .real_clock = true)
{
	struct rig rig = rig_start(loop, config(CLOCK_URL));

	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	await_live(&rig, 35);
	ck_assert_uint_ge(check_order(&rig, 0), 30);
	for (size_t i = 0; i < rig.n; i++) {
		const struct frame *frame = &rig.msgs[i]->frame;

		if (frame->kind != FRAME_KIND_VIDEO)
			continue;
		ck_assert_uint_eq(frame->codec, FRAME_CODEC_H264);
		ck_assert_uint_eq(frame->width, 320);
		ck_assert_uint_eq(frame->height, 240);
		ck_assert_int_gt(frame->arrived_monotonic_ns, 0);
		ck_assert_int_le(frame->captured_realtime_ns, frame->arrived_realtime_ns);
		ck_assert_uint_lt(frame->gop_index, 10);
	}
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_replay_then_pause, .real_clock = true)
{
	struct rig rig = rig_start(loop, config(CLOCK_URL));
	const struct frame *first;
	size_t i = 0;

	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	await_live(&rig, 3);
	ask_replay(&rig, 5);
	await_replay(&rig, 5);
	while (rig.msgs[i]->frame.for_subscriber != 5)
		i++;
	first = &rig.msgs[i]->frame;
	ck_assert_uint_eq(first->kind, FRAME_KIND_CONFIG);
	ck_assert_uint_ge(check_order(&rig, 5), 1);
	check_order(&rig, 0);

	/* Paused: after the acknowledgement nothing comes but the pulse. */
	demand(&rig, false);
	loop_run_for_ms(loop, 200);
	receive(&rig);
	forget(&rig);
	loop_run_for_ms(loop, 1500);
	receive(&rig);
	ck_assert_uint_eq(count_live(&rig), 0);
	ck_assert_uint_ge(rig.n, 1);
	forget(&rig);
	demand(&rig, true);
	await_live(&rig, 3);
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_clock_mjpeg, .real_clock = true)
{
	struct rig rig = rig_start(loop, config("test:clock?size=640x360&fps=10&codec=mjpeg"));

	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	await_live(&rig, 4);
	for (size_t i = 0; i < rig.n; i++) {
		const struct bus_msg *msg = rig.msgs[i];

		if (msg->frame.kind == FRAME_KIND_STATUS)
			continue;
		ck_assert_uint_eq(msg->frame.kind, FRAME_KIND_JPEG);
		ck_assert_uint_eq(msg->frame.flags, FRAME_KEY);
		ck_assert_uint_eq(msg->frame.width, 640);
		ck_assert_uint_eq(msg->frame.height, 360);
		ck_assert_mem_eq(msg->payload, "\xff\xd8\xff\xe0\x00\x10JFIF", 10);
		ck_assert_mem_eq(msg->payload + msg->frame.payload_len - 2, "\xff\xd9", 2);
	}
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ASYNC_TEST(test_leaves_with_its_supervisor, .real_clock = true)
{
	struct rig rig = rig_start(loop, config(CLOCK_URL));

	await_input(&rig, "up");
	peer_close(rig.supervisor);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_ASKED);
	take_socket_away(&rig);
	async_complete(loop);
}
END_ASYNC_TEST

/* A file, made of what the clock published. */

static void
write_file(const struct rig *rig, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < rig->n; i++) {
		const struct bus_msg *msg = rig->msgs[i];

		if (msg->frame.for_subscriber == 5 && msg->frame.kind != FRAME_KIND_STATUS)
			ck_assert_int_eq(write(fd, msg->payload, msg->frame.payload_len),
					 msg->frame.payload_len);
	}
	close(fd);
}

static void
make_file(struct loop *loop, const char *path)
{
	struct rig rig = rig_start(loop, config("test:clock?size=320x240&fps=25&gop=1000"));

	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	await_live(&rig, 8);
	ask_replay(&rig, 5);
	await_replay(&rig, 5);
	ck_assert_uint_ge(check_order(&rig, 5), 8);
	write_file(&rig, path);
	stop(&rig);
	forget(&rig);
}

START_ISOLATED_TEST(test_file_loops_with_times_that_go_on, .real_clock = true)
{
	const char *path = harness_tmpfile("clip.h264");
	char *url = xasprintf("file:%s?loop=1", path);
	const struct frame *last = NULL;
	unsigned discontinuities = 0;
	struct rig rig;
	json_t *msg;

	make_file(loop, path);
	msg = config(url);
	msg_set_str(msg, "bus", harness_tmpfile("file.sock"));
	rig = rig_start(loop, msg);
	await_input(&rig, "up");
	ck_assert_int_eq(bus_sub_open(harness_tmpfile("file.sock"), &rig.sub), 0);
	loop_run_until_true(loop, is_connected, &rig, "a connected subscriber", 0);
	demand(&rig, true);
	await_live(&rig, 50);
	check_order(&rig, 0);
	for (size_t i = 0; i < rig.n; i++) {
		const struct frame *frame = &rig.msgs[i]->frame;

		if (frame->kind != FRAME_KIND_VIDEO)
			continue;
		ck_assert(last == NULL || frame->dts_ns - last->dts_ns >= 20 * 1000000);
		last = frame;
		if (frame->flags & FRAME_DISCONTINUITY)
			discontinuities++;
	}
	ck_assert_uint_ge(discontinuities, 2);
	stop(&rig);
	free(url);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_file_ends, .real_clock = true)
{
	const char *path = harness_tmpfile("clip.h264");
	char *url = xasprintf("file:%s", path);
	struct rig rig;

	make_file(loop, path);
	rig = rig_start(loop, config(url));
	await_input(&rig, "up");
	await_ended(&rig, "eof");
	free(url);
	async_complete(loop);
}
END_ISOLATED_TEST

/* The picture of the fixture has no Huffman tables, as those of webcams. */
START_ISOLATED_TEST(test_jpeg_is_made_whole, .real_clock = true)
{
	static const char tables[] = "\xff\xc4\x01\xa2\x00";
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 5000);
	const struct bus_msg *jpeg;

	send_parts(camera);
	await_input(&rig, "up");
	subscribe(&rig);
	ask_replay(&rig, 5);
	await_replay(&rig, 5);
	jpeg = rig.msgs[0];
	for (size_t i = 0; i < rig.n; i++)
		if (rig.msgs[i]->frame.kind == FRAME_KIND_JPEG)
			jpeg = rig.msgs[i];
	ck_assert_uint_eq(jpeg->frame.kind, FRAME_KIND_JPEG);
	ck_assert_uint_eq(jpeg->frame.width, 640);
	ck_assert_mem_eq(jpeg->payload, "\xff\xd8\xff\xe0", 4);
	ck_assert_ptr_nonnull(
	    memmem(jpeg->payload, jpeg->frame.payload_len, tables, sizeof(tables) - 1));
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

static void
set_true(void *arg)
{
	*(bool *)arg = true;
}

/* A camera that is interrupted while it sends fails the test: wait for is_sent before. */
static void
send_rest(struct peer *camera, bool *is_sent)
{
	peer_call(camera, set_true, is_sent);
	peer_drain_until_close(camera);
}

/* There are no times in MJPEG: libavformat would call it 25 frames a second, whatever comes. */
START_ISOLATED_TEST(test_http_mjpeg_is_timed_by_its_arrival, .real_clock = true)
{
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 20000);
	const struct frame *first = NULL;
	bool is_sent = false;
	size_t pictures = 0;

	send_parts_head(camera);
	for (int i = 0; i < 4; i++)
		send_part(camera);
	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	for (int i = 0; i < 40; i++)
		send_part(camera);
	send_rest(camera, &is_sent);
	await_live(&rig, 35);
	loop_run_until(loop, &is_sent, 0);
	check_order(&rig, 0);
	for (size_t i = 0; i < rig.n; i++) {
		const struct frame *frame = &rig.msgs[i]->frame;

		if (frame->kind != FRAME_KIND_JPEG)
			continue;
		if (first == NULL)
			first = frame;
		ck_assert_uint_eq(frame->duration_us, 0);
		ck_assert_int_eq(frame->dts_ns - first->dts_ns,
				 frame->arrived_monotonic_ns - first->arrived_monotonic_ns);
		ck_assert_int_eq(frame->pts_ns, frame->dts_ns);
		pictures++;
	}
	ck_assert_uint_ge(pictures, 35);
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

/* FLV: tags of one H.264 picture each. */

#define FLV_HEAD    "HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\nFLV\1\1\0\0\0\x09\0\0\0\0"
#define FLV_SETS    "\x17\0\0\0\0\1\x42\xc0\x1f\xff\xe1\0\x17"
#define FLV_KEY     "\x17\1\0\0\0\0\0\0\x07\x65\x88\x80\x11\x22\x33\x80"
#define FLV_PICTURE "\x27\1\0\0\0\0\0\0\x06\x01\x9a\x44\x55\x66\x80"
#define SPS_LEN     23
#define PPS_LEN     4
#define FILLER_LEN  2048 /* demuxers read some kilobytes before they know what they have */

static void
send_tag(struct peer *camera, uint32_t ms, const uint8_t *body, uint32_t len)
{
	uint32_t whole = len + 11;
	uint8_t head[11] = { 9, len >> 16, len >> 8, len, ms >> 16, ms >> 8, ms, ms >> 24 };
	uint8_t tail[4] = { whole >> 24, whole >> 16, whole >> 8, whole };

	peer_send(camera, head, sizeof(head));
	peer_send(camera, body, len);
	peer_send(camera, tail, sizeof(tail));
}

static void
send_flv_start(struct peer *camera)
{
	static uint8_t filled[sizeof(FLV_KEY) - 1 + 4 + FILLER_LEN];
	uint8_t sets[sizeof(FLV_SETS) - 1 + SPS_LEN + 3 + PPS_LEN], *to = sets;
	uint8_t *filler = filled + sizeof(FLV_KEY) - 1;

	to = (uint8_t *)mempcpy(to, FLV_SETS, sizeof(FLV_SETS) - 1);
	to = (uint8_t *)mempcpy(to, SETS_720 + 4, SPS_LEN);
	to = (uint8_t *)mempcpy(to, "\1\0\4", 3);
	memcpy(to, SETS_720 + 4 + SPS_LEN + 4, PPS_LEN);
	memcpy(filled, FLV_KEY, sizeof(FLV_KEY) - 1);
	memset(filler, 0xff, 4 + FILLER_LEN);
	memcpy(filler, "\0\0\x08\0\x0c", 5);
	peer_send(camera, FLV_HEAD, sizeof(FLV_HEAD) - 1);
	send_tag(camera, 0, sets, sizeof(sets));
	send_tag(camera, 0, filled, sizeof(filled));
}

#define FAST_PICTURES 60 /* a second long, by the camera's clock */

/* Its lead is used up soon; to hold it back then would be to fall further behind with each picture.
 */
START_ISOLATED_TEST(test_a_camera_with_a_fast_clock_is_not_held_back, .real_clock = true)
{
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 20000);
	bool is_sent = false;

	send_flv_start(camera);
	await_input(&rig, "up");
	subscribe(&rig);
	demand(&rig, true);
	for (uint32_t i = 1; i <= FAST_PICTURES; i++) {
		peer_stall(camera, 30);
		send_tag(camera, 1000 * i, BYTES(FLV_PICTURE));
	}
	send_rest(camera, &is_sent);
	/* Held back they would take longer than this waits. */
	await_live(&rig, FAST_PICTURES - 5);
	loop_run_until(loop, &is_sent, 0);
	ck_assert_uint_ge(check_order(&rig, 0), FAST_PICTURES - 10);
	stop(&rig);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ASYNC_TEST(test_probe, .real_clock = true)
{
	json_t *msg = config(CLOCK_URL);
	struct rig rig;

	msg_set_bool(msg, "probe", true);
	msg_set_str(msg, "bus", "");
	rig = rig_start(loop, msg);
	await_input(&rig, "up");
	peer_drain_until_close(rig.supervisor);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_ASKED);
	peer_run(rig.supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig.supervisor, MSG_WORKER_STATUS), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_started_by_hand, .real_clock = true)
{
	const char *const argv[] = { WORKER_AV, "door", NULL };
	const char *output;

	ck_assert_int_eq(program_run(loop, argv, &output), CHILD_EXIT_WRONG_CONFIG);
	ck_assert_ptr_nonnull(strstr(output, "started by the supervisor only"));
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_av");
	TCase *good = tcase_create("sources");

	tcase_add_test(good, test_clock_h264);
	tcase_add_test(good, test_replay_then_pause);
	tcase_add_test(good, test_clock_mjpeg);
	tcase_add_test(good, test_leaves_with_its_supervisor);
	tcase_add_test(good, test_file_loops_with_times_that_go_on);
	tcase_add_test(good, test_file_ends);
	tcase_add_test(good, test_jpeg_is_made_whole);
	tcase_add_test(good, test_http_mjpeg_is_timed_by_its_arrival);
	tcase_add_test(good, test_a_camera_with_a_fast_clock_is_not_held_back);
	tcase_add_test(good, test_probe);
	tcase_add_test(good, test_started_by_hand);
	suite_add_tcase(s, good);
	return s;
}

HARNESS_MAIN(suite)
