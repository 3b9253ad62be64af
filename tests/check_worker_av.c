/*
 * The real camhub-worker-av on fd 3 of a fake supervisor, with sources that work and sources that
 * do not, and a real subscriber on its bus.
 */
#include "config.h"

#include "shared/bus.h"

#include "shared/child_ev.h"
#include "shared/xalloc.h"
#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASSWORD  "hunter2 & co"
#define CLOCK_URL "test:clock?size=320x240&fps=25&gop=10"

struct rig {
	struct loop *loop;
	struct program *program;
	struct peer *supervisor;
	struct bus_sub *sub;
	struct bus_msg *msgs[1024];
	size_t n;
	size_t wanted;
	uint32_t wanted_for;
};

static json_t *
config(const char *url)
{
	json_t *msg = msg_new(MSG_WORKER_CONFIG);

	msg_set_str(msg, "stream", "door");
	msg_set_int(msg, "stream_id", 3);
	msg_set_int(msg, "epoch", 77);
	msg_set_str(msg, "url", url);
	msg_set_str(msg, "transport", "tcp");
	msg_set_str(msg, "bus", harness_tmpfile("door.sock"));
	msg_set_int(msg, "bus_mode", 0600);
	msg_set_int(msg, "gop_cache_bytes", 1 << 24);
	msg_set_int(msg, "open_timeout_ms", 10000);
	msg_set_int(msg, "stall_ms", 5000);
	msg_set_str(msg, "log_level", "debug");
	msg_set_bool(msg, "probe", false);
	return msg;
}

/* Takes msg. */
static struct rig
rig_start(struct loop *loop, json_t *msg)
{
	static const char *const argv[] = { "camhub-worker-av", "door", NULL };
	struct rig rig = { .loop = loop };

	rig.program =
	    program_start(loop, &(struct program_options){
				    .path = WORKER_AV, .argv = argv, .receive = MSG_FROM_WORKER });
	rig.supervisor = program_peer(rig.program);
	peer_ignore_msg(rig.supervisor, MSG_BEAT);
	peer_ignore_msg(rig.supervisor, MSG_WORKER_STATUS);
	peer_send_msg(rig.supervisor, msg, -1);
	peer_get_msg(rig.supervisor, MSG_READY, 0);
	return rig;
}

static const json_t *
await_input(struct rig *rig, const char *state)
{
	const json_t *msg;

	do
		msg = peer_get_msg(rig->supervisor, MSG_INPUT, 0);
	while (strcmp(msg_str(msg, "state"), state) != 0 &&
	       strcmp(msg_str(msg, "state"), "ended") != 0);
	ck_assert_msg(strcmp(msg_str(msg, "state"), state) == 0, "%s: %s (%s) instead of %s",
		      msg_str(msg, "state"), msg_str(msg, "reason"), msg_str(msg, "class"), state);
	return msg;
}

static void
await_ended(struct rig *rig, const char *class)
{
	const json_t *msg = await_input(rig, "ended");

	ck_assert_str_eq(msg_str(msg, "class"), class);
	ck_assert_str_ne(msg_str(msg, "reason"), "");
	ck_assert_int_eq(program_wait(rig->program, 0), CHILD_EXIT_RETRY);
	/* The reading thread came back when it was called. */
	ck_assert_ptr_null(strstr(program_output(rig->program), "did not close in time"));
	ck_assert_int_ne(access(harness_tmpfile("door.sock"), F_OK), 0);
}

static void
demand(struct rig *rig, bool on)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", on);
	peer_send_msg(rig->supervisor, msg, -1);
	ck_assert(msg_bool(peer_get_msg(rig->supervisor, MSG_DEMAND_DONE, 0), "on", !on) == on);
}

static void
ask_replay(struct rig *rig, uint32_t subscriber)
{
	json_t *msg = msg_new(MSG_REPLAY);

	msg_set_int(msg, "subscriber", subscriber);
	peer_send_msg(rig->supervisor, msg, -1);
}

static void
stop(struct rig *rig)
{
	peer_send_msg(rig->supervisor, msg_new(MSG_STOP), -1);
	ck_assert_int_eq(program_wait(rig->program, 0), CHILD_EXIT_ASKED);
	ck_assert_int_ne(access(harness_tmpfile("door.sock"), F_OK), 0);
}

/* The subscriber */

static void
receive(struct rig *rig)
{
	int rc = 0;

	while (rig->n < sizeof(rig->msgs) / sizeof(rig->msgs[0]) && rc == 0) {
		rc = bus_sub_recv(rig->sub, &rig->msgs[rig->n]);
		if (rc == 0)
			rig->n++;
	}
	ck_assert_msg(rc == 0 || rc == -EAGAIN, "bus: %d", rc);
}

static bool
is_connected(void *arg)
{
	struct rig *rig = arg;

	return bus_sub_connected(rig->sub);
}

static void
subscribe(struct rig *rig)
{
	ck_assert_int_eq(bus_sub_open(harness_tmpfile("door.sock"), &rig->sub), 0);
	loop_run_until_true(rig->loop, is_connected, rig, "a connected subscriber", 0);
}

static size_t
count_live(const struct rig *rig)
{
	size_t n = 0;

	for (size_t i = 0; i < rig->n; i++)
		if (rig->msgs[i]->frame.kind != FRAME_KIND_STATUS &&
		    rig->msgs[i]->frame.for_subscriber == 0)
			n++;
	return n;
}

static bool
has_live(void *arg)
{
	struct rig *rig = arg;

	receive(rig);
	return count_live(rig) >= rig->wanted;
}

static void
await_live(struct rig *rig, size_t wanted)
{
	rig->wanted = wanted;
	loop_run_until_true(rig->loop, has_live, rig, "live messages", 0);
}

static bool
has_replay_end(void *arg)
{
	struct rig *rig = arg;

	receive(rig);
	for (size_t i = 0; i < rig->n; i++)
		if (rig->msgs[i]->frame.kind == FRAME_KIND_STATUS &&
		    rig->msgs[i]->frame.for_subscriber == rig->wanted_for)
			return true;
	return false;
}

static void
await_replay(struct rig *rig, uint32_t subscriber)
{
	rig->wanted_for = subscriber;
	loop_run_until_true(rig->loop, has_replay_end, rig, "the end of a replay", 0);
}

static void
forget(struct rig *rig)
{
	while (rig->n > 0)
		bus_msg_unref(&rig->msgs[--rig->n]);
}

/* No holes, times that go up, key frames that say so. subscriber 0: the live ones. */
static size_t
check_order(const struct rig *rig, uint32_t subscriber)
{
	const struct frame *last = NULL;
	int64_t last_dts_ns = INT64_MIN;
	size_t pictures = 0;

	for (size_t i = 0; i < rig->n; i++) {
		const struct frame *frame = &rig->msgs[i]->frame;

		if (frame->kind == FRAME_KIND_STATUS || frame->for_subscriber != subscriber)
			continue;
		ck_assert_uint_eq(frame->epoch, 77);
		ck_assert_uint_eq(frame->stream_id, 3);
		ck_assert_uint_eq(!!(frame->flags & FRAME_REPLAY), subscriber != 0);
		ck_assert(last == NULL || frame->seq == last->seq + 1);
		last = frame;
		if (frame->kind == FRAME_KIND_CONFIG)
			continue;
		ck_assert_int_gt(frame->dts_ns, last_dts_ns);
		ck_assert_uint_eq(!!(frame->flags & FRAME_KEY), frame->gop_index == 0);
		last_dts_ns = frame->dts_ns;
		pictures++;
	}
	return pictures;
}

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
	ck_assert_int_ne(access(harness_tmpfile("door.sock"), F_OK), 0);
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

/* Sources that do not work */

START_ASYNC_TEST(test_connection_refused, .real_clock = true)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rig rig;
	char url[64];

	/* Bound but not listening: nobody else gets this port meanwhile. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "rtsp://127.0.0.1:%u/", ntohs(address.sin_port));
	rig = rig_start(loop, config(url));
	await_ended(&rig, "unreachable");
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_source_that_says_nothing, .real_clock = true)
{
	struct peer *camera;
	struct rig rig;
	uint16_t port;
	json_t *msg;
	char url[64];

	camera = peer_listen_tcp(loop, "camera", &port);
	snprintf(url, sizeof(url), "rtsp://127.0.0.1:%u/", port);
	msg = config(url);
	msg_set_int(msg, "open_timeout_ms", 1200);
	peer_drain_until_close(camera);
	rig = rig_start(loop, msg);
	await_ended(&rig, "timeout");
	ck_assert_uint_ge(peer_msg_count(rig.supervisor, MSG_BEAT), 1);
	peer_run(camera, 0);
	async_complete(loop);
}
END_ASYNC_TEST

#define UNAUTHORIZED(cseq)                                                                         \
	"RTSP/1.0 401 Unauthorized\r\nCSeq: " cseq                                                 \
	"\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\r\n"

static void
check_command_line(const struct rig *rig)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)program_pid(rig->program));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	n = read(fd, text, sizeof(text));
	close(fd);
	ck_assert_int_eq(n, sizeof("camhub-worker-av\0door"));
	ck_assert_mem_eq(text, "camhub-worker-av\0door", (size_t)n);
}

START_ASYNC_TEST(test_wrong_password, .real_clock = true)
{
	struct peer *camera;
	struct rig rig;
	uint16_t port;
	json_t *msg;
	char url[64];

	log_forbid(PASSWORD);
	log_forbid("admin:" PASSWORD);
	camera = peer_listen_tcp(loop, "camera", &port);
	snprintf(url, sizeof(url), "rtsp://127.0.0.1:%u/secret/stream", port);
	msg = config(url);
	msg_set_str(msg, "user", "admin");
	msg_set_str(msg, "password", PASSWORD);
	peer_expect_until(camera, "\r\n\r\n", "OPTIONS rtsp://127.0.0.1");
	peer_send_text(camera, UNAUTHORIZED("1"));
	/* "admin:hunter2 & co" in base64: it did get there. */
	peer_expect_until(camera, "\r\n\r\n", "Authorization: Basic YWRtaW46aHVudGVyMiAmIGNv");
	peer_send_text(camera, UNAUTHORIZED("2"));
	peer_drain_until_close(camera);
	rig = rig_start(loop, msg);
	check_command_line(&rig);
	await_ended(&rig, "auth");
	peer_run(camera, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static struct rig
start_http(struct loop *loop, struct peer **camera, int stall_ms)
{
	uint16_t port;
	json_t *msg;
	char url[64];

	*camera = peer_listen_tcp(loop, "camera", &port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/video", port);
	msg = config(url);
	msg_set_int(msg, "stall_ms", stall_ms);
	peer_expect_until(*camera, "\r\n\r\n", "GET /video");
	return rig_start(loop, msg);
}

START_ASYNC_TEST(test_http_not_found, .real_clock = true)
{
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 5000);

	peer_send_text(camera, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	peer_drain_until_close(camera);
	await_ended(&rig, "not-found");
	peer_run(camera, 0);
	async_complete(loop);
}
END_ASYNC_TEST

#define PART "--b\r\nContent-Type: image/jpeg\r\n\r\n"

/* One part, with a comment in the picture that makes it as large as real ones: demuxers read some
 * kilobytes before they know what they have. */
static void
send_part(struct peer *camera)
{
	static const uint8_t comment[2] = { 0x07, 0xd0 };
	static uint8_t text[0x07d0 - 2];

	memset(text, 'x', sizeof(text));
	peer_send(camera, PART "\xff\xd8\xff\xfe", sizeof(PART) - 1 + 4);
	peer_send(camera, comment, sizeof(comment));
	peer_send(camera, text, sizeof(text));
	peer_send(camera, JPEG_640_360 "\r\n" + 2, sizeof(JPEG_640_360) - 1);
}

/* Pictures, then silence with the connection open. */
START_ASYNC_TEST(test_source_that_falls_silent, .real_clock = true)
{
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 700);

	peer_send_text(camera, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; "
			       "boundary=b\r\n\r\n");
	for (int i = 0; i < 4; i++)
		send_part(camera);
	peer_drain_until_close(camera);
	await_input(&rig, "up");
	await_input(&rig, "stalled");
	await_ended(&rig, "timeout");
	peer_run(camera, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_file, .real_clock = true)
{
	char *url = xasprintf("file:%s", harness_tmpfile("nothing.mp4"));
	struct rig rig = rig_start(loop, config(url));

	await_ended(&rig, "not-found");
	free(url);
	async_complete(loop);
}
END_ASYNC_TEST

#define PLAYLIST(segment)                                                                          \
	"HTTP/1.1 200 OK\r\nContent-Type: application/x-mpegURL\r\nConnection: close\r\n\r\n"      \
	"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n" segment "\n#EXT-X-ENDLIST\n"

static struct rig
start_hls(struct loop *loop, const char *playlist)
{
	struct peer *camera;
	uint16_t port;
	json_t *msg;
	char url[64];

	camera = peer_listen_tcp(loop, "camera", &port);
	snprintf(url, sizeof(url), "hls://127.0.0.1:%u/a.m3u8", port);
	msg = config(url);
	msg_set_str(msg, "user", "admin");
	msg_set_str(msg, "password", PASSWORD);
	peer_expect_until(camera, "\r\n\r\n", "GET /a.m3u8");
	peer_send_text(camera, playlist);
	peer_close(camera);
	return rig_start(loop, msg);
}

/* A playlist that points at a file of this machine is not followed. */
START_ASYNC_TEST(test_a_playlist_cannot_read_files, .real_clock = true)
{
	struct rig rig = start_hls(loop, PLAYLIST("file:///etc/passwd"));

	await_input(&rig, "ended");
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_RETRY);
	ck_assert_ptr_nonnull(strstr(program_output(rig.program), "file:///etc/passwd"));
	ck_assert_ptr_null(strstr(program_output(rig.program), "root:"));
	async_complete(loop);
}
END_ASYNC_TEST

/* The password is in the addresses that libavformat tells it opens. */
START_ASYNC_TEST(test_what_libavformat_logs_has_no_password, .real_clock = true)
{
	struct rig rig = start_hls(loop, PLAYLIST("segment.ts"));

	log_forbid(PASSWORD);
	await_input(&rig, "ended");
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_RETRY);
	ck_assert_ptr_nonnull(strstr(program_output(rig.program), "segment.ts"));
	async_complete(loop);
}
END_ASYNC_TEST

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
	TCase *good = tcase_create("sources"), *bad = tcase_create("broken sources");

	tcase_add_test(good, test_clock_h264);
	tcase_add_test(good, test_replay_then_pause);
	tcase_add_test(good, test_clock_mjpeg);
	tcase_add_test(good, test_leaves_with_its_supervisor);
	tcase_add_test(good, test_file_loops_with_times_that_go_on);
	tcase_add_test(good, test_file_ends);
	tcase_add_test(good, test_probe);
	suite_add_tcase(s, good);
	tcase_add_test(bad, test_connection_refused);
	tcase_add_test(bad, test_source_that_says_nothing);
	tcase_add_test(bad, test_wrong_password);
	tcase_add_test(bad, test_http_not_found);
	tcase_add_test(bad, test_source_that_falls_silent);
	tcase_add_test(bad, test_no_file);
	tcase_add_test(bad, test_a_playlist_cannot_read_files);
	tcase_add_test(bad, test_what_libavformat_logs_has_no_password);
	tcase_add_test(bad, test_started_by_hand);
	suite_add_tcase(s, bad);
	return s;
}

HARNESS_MAIN(suite)
