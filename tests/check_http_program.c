/*
 * The real camhub-http with the test on its fd 3, a real publisher on a real bus, and clients that
 * see pictures over the publisher's death and return in the same socket.
 */
#include "config.h"

#include "shared/bus.h"
#include "tests/check_http_rig.h"
#include "tests/media_data.h"

#include "media/bytes.h"
#include "media/codec.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* check's asserts are for tests alone: nothing below uses them until the front begins.
 *
 * publisher PATH EPOCH: the clip for ever, 25 units a second, on the stream with id 1. */

/* The clip has its parameter sets in the first unit. */
static void
send_config(struct bus_pub *pub, struct frame *frame, const uint8_t *unit, size_t len)
{
	static uint8_t bytes[4096];
	static struct byte_writer sets;

	if (sets.len == 0) {
		byte_writer_init_fixed(&sets, bytes, sizeof(bytes));
		if (codec_collect_parameter_sets(NAL_H264, unit, len, &sets) < 0)
			exit(3);
	}
	frame->kind = FRAME_KIND_CONFIG;
	frame->flags = 0;
	frame->seq++;
	bus_pub_send(pub, frame, sets.data, sets.len);
}

static void
send_unit(struct bus_pub *pub, struct frame *frame, const uint8_t *unit, size_t len)
{
	struct codec_unit what;

	codec_classify(NAL_H264, unit, len, NULL, &what);
	frame->gop_index++;
	if (what.is_key) {
		frame->gop_id++;
		frame->gop_index = 0;
		send_config(pub, frame, unit, len);
	}
	frame->kind = FRAME_KIND_VIDEO;
	frame->flags = what.is_key ? FRAME_KEY : 0;
	frame->seq++;
	bus_pub_send(pub, frame, unit, len);
	frame->dts_ns += FRAME_MS * 1000000;
	frame->pts_ns = frame->dts_ns;
}

static void
send_pulse(struct bus_pub *pub, const struct frame *like)
{
	static const char json[] = "{\"codec\":\"h264\"}";
	struct frame frame = { .stream_id = 1, .kind = FRAME_KIND_STATUS, .epoch = like->epoch };

	bus_pub_send(pub, &frame, json, sizeof(json) - 1);
}

HARNESS_CHILD(publisher)
{
	struct frame frame = { .stream_id = 1,
			       .codec = FRAME_CODEC_H264,
			       .epoch = strtoull(argv[2], NULL, 10),
			       .config_version = 1 };
	static uint8_t clip[65536];
	size_t len = 0, unit_len, pos;
	const uint8_t *unit;
	struct bus_pub *pub;
	FILE *file = fopen(CHECK_CLIP, "rb");

	if (file != NULL)
		len = fread(clip, 1, sizeof(clip), file);
	if (len == 0 || argc != 3 || bus_pub_open(argv[1], 0600, &pub) < 0)
		return 1;
	printf("listening\n");
	fflush(stdout);
	frame.dts_ns = (int64_t)frame.epoch * 1000000000; /* each incarnation its own clock */
	for (;;) {
		send_pulse(pub, &frame);
		for (pos = 0; data_next_unit(NAL_H264, clip, len, &pos, &unit, &unit_len);) {
			send_unit(pub, &frame, unit, unit_len);
			usleep(FRAME_MS * 1000);
		}
	}
}

/* The front */

struct real {
	struct program *front;
	struct peer *sup;
	uint16_t port;
};

static struct real
start_front(struct loop *loop)
{
	static const char *const argv[] = { "camhub-http", "http", NULL };
	const struct program_options options = { .path = CHECK_HTTP_PROGRAM,
						 .argv = argv,
						 .receive = MSG_FROM_FRONT };
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t addr_len = sizeof(addr);
	struct real real = { .front = program_start(loop, &options) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &addr_len), 0);
	real.port = ntohs(addr.sin_port);
	real.sup = program_peer(real.front);
	peer_ignore_msg(real.sup, MSG_BEAT);
	peer_ignore_msg(real.sup, MSG_FRONT_STREAM);
	peer_ignore_msg(real.sup, MSG_FRONT_TOTALS);
	peer_ignore_msg(real.sup, MSG_WATCHER);
	peer_ignore_msg(real.sup, MSG_WATCHER_GONE);
	peer_send_msg(real.sup,
		      json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "type",
				"front-config", "subscriber", (int)SUBSCRIBER, "web_dir",
				CHECK_WEB_DIR, "log_level", "debug", "max_viewers", 100,
				"viewer_lag_bytes", 1 << 20, "ring_bytes", 16 << 20,
				"request_deadline_ms", 5000, "live_target_ms", 60,
				"snapshot_timeout_ms", 2000),
		      -1);
	peer_send_msg(real.sup, rig_no_users(), -1);
	peer_send_msg(real.sup,
		      json_pack("{s:s, s:s}", "type", "listener", "address", "127.0.0.1:0"), fd);
	peer_expect_msg(real.sup, MSG_READY, NULL);
	peer_run(real.sup, 0);
	return real;
}

/* path NULL: no worker. */
static void
announce(struct real *real, const char *path, int epoch)
{
	peer_send_msg(real->sup,
		      json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "type",
				"stream", "id", 1, "name", "door", "camera", "door", "title",
				"Door", "order", 1, "on_demand", 0, "state",
				path != NULL ? "up" : "down", "since_ms", 1, "epoch", epoch, "bus",
				path != NULL ? path : ""),
		      -1);
	peer_send_msg(real->sup, json_pack("{s:s}", "type", "streams-synced"), -1);
	peer_run(real->sup, 0);
}

static struct program *
start_publisher(struct loop *loop, const char *path, const char *epoch)
{
	struct program *publisher = program_start_self(loop, 0, "publisher", path, epoch, NULL);

	program_wait_output(publisher, "listening", 0);
	return publisher;
}

static size_t
next_chunk(struct peer *client, const uint8_t **bytes)
{
	size_t len;

	peer_expect_until(client, "\r\n", "");
	peer_run(client, 0);
	len = strtoul(peer_last(client, NULL), NULL, 16);
	peer_expect_bytes(client, len + 2);
	peer_run(client, 0);
	*bytes = (const uint8_t *)peer_last(client, NULL);
	return len;
}

static void
expect_fragments(struct peer *client, uint64_t *time, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct fragment fragment;
		const uint8_t *bytes;
		size_t len = next_chunk(client, &bytes);

		ck_assert_uint_eq(rig_fragments(bytes, len, &fragment, 1), 1);
		ck_assert_uint_eq(fragment.decode_time, *time);
		ck_assert(*time > 0 || fragment.is_key);
		*time += fragment.duration;
	}
}

static void
stop(struct real *real)
{
	peer_send_msg(real->sup, json_pack("{s:s}", "type", "stop"), -1);
	peer_run(real->sup, 0);
	ck_assert_int_eq(program_wait(real->front, 0), 0);
}

START_ASYNC_TEST(test_pictures_come_back_in_the_same_socket, .real_clock = true)
{
	struct real real = start_front(loop);
	const char *path = harness_tmpfile("door-1.sock");
	struct program *publisher = start_publisher(loop, path, "1");
	struct peer *client = peer_connect_tcp(loop, "client", real.port);
	const uint8_t *bytes;
	uint64_t time = 0;
	size_t len;

	announce(&real, path, 1);
	peer_send_text(client, "GET /api/stream.mp4?src=door HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_expect_until(client, "\r\n\r\n", "HTTP/1.1 200 OK");
	peer_run(client, 0);
	len = next_chunk(client, &bytes);
	ck_assert(rig_is_init(bytes, len));
	expect_fragments(client, &time, 20);
	program_signal(publisher, SIGKILL);
	program_wait(publisher, 0);
	announce(&real, NULL, 0);
	path = harness_tmpfile("door-2.sock");
	start_publisher(loop, path, "2");
	announce(&real, path, 2);
	/* Those of the first incarnation that were under way, then the second's: no hole. */
	expect_fragments(client, &time, 40);
	peer_close(client);
	peer_run(client, 0);
	stop(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_ffprobe_reads_it, .real_clock = true)
{
	struct real real = start_front(loop);
	const char *path = harness_tmpfile("door-1.sock"), *output;
	char url[128];
	const char *argv[] = { "ffprobe",
			       "-v",
			       "error",
			       "-read_intervals",
			       "%+#30",
			       "-show_entries",
			       "packet=dts_time,flags",
			       "-of",
			       "csv",
			       url,
			       NULL };
	unsigned lines = 0;

	if (access("/usr/bin/ffprobe", X_OK) != 0) {
		program_signal(real.front, SIGKILL);
		program_wait(real.front, 0);
		async_complete(loop);
		HARNESS_SKIP("no ffprobe here");
	}
	start_publisher(loop, path, "1");
	announce(&real, path, 1);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/api/stream.mp4?src=door", real.port);
	ck_assert_int_eq(program_run(loop, argv, &output), 0);
	for (const char *line = output; *line != '\0'; line = strchr(line, '\n') + 1, lines++)
		ck_assert_msg(strncmp(line, "packet,", 7) == 0, "ffprobe says: %s", output);
	ck_assert_uint_eq(lines, 30);
	ck_assert_ptr_nonnull(strstr(output, "packet,0.000000,K_"));
	stop(&real);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_malformed_messages_end_the_trust, .real_clock = true)
{
	static const char *const bad[] = { "camhub-http", NULL };
	const struct program_options options = { .path = CHECK_HTTP_PROGRAM, .argv = bad };
	struct real real = start_front(loop);
	struct program *alone = program_start(loop, &options);

	/* By hand it says what it is. */
	ck_assert_int_eq(program_wait(alone, 0), 78);
	/* A supervisor that talks nonsense is none: try again later. */
	peer_send_datagram(real.sup, "{\"type\":\"nonsense\"}", 19);
	peer_run(real.sup, 0);
	ck_assert_int_eq(program_wait(real.front, 0), 75);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_program");
	TCase *program = tcase_create("program");

	tcase_set_timeout(program, 120);
	tcase_add_test(program, test_pictures_come_back_in_the_same_socket);
	tcase_add_test(program, test_ffprobe_reads_it);
	tcase_add_test(program, test_malformed_messages_end_the_trust);
	suite_add_tcase(suite, program);
	return suite;
}

HARNESS_MAIN(make_suite)
