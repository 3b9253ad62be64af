/*
 * The real camhub-worker-av with sources that are away, refuse, hang, or lie.
 */
#include "config.h"

#include "tests/check_worker_av_rig.h"

#include "shared/child_ev.h"
#include "shared/xalloc.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Listens, and takes no connection. */
static int
listen_for_nobody(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void
check_nothing_was_said(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char byte;

	if (fd >= 0) {
		ck_assert_int_eq(read(fd, &byte, 1), 0);
		close(fd);
	}
	close(listener);
}

/* libavformat would take the password along: it is the supervisor that follows. */
START_ASYNC_TEST(test_redirect, .real_clock = true)
{
	uint16_t port, other_port;
	int other = listen_for_nobody(&other_port);
	struct peer *camera = peer_listen_tcp(loop, "camera", &port);
	char *url = xasprintf("rtsp://127.0.0.1:%u/a", port);
	char *location = xasprintf("rtsp://127.0.0.1:%u/b", other_port);
	char *answer = xasprintf("RTSP/1.0 302 Moved\r\nCSeq: 2\r\nLocation: %s\r\n\r\n", location);
	json_t *msg = config(url);
	const json_t *ended;
	struct rig rig;

	msg_set_str(msg, "user", "admin");
	msg_set_str(msg, "password", PASSWORD);
	peer_expect_until(camera, "\r\n\r\n", "OPTIONS");
	peer_send_text(camera, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
	peer_expect_until(camera, "\r\n\r\n", "DESCRIBE");
	peer_send_text(camera, answer);
	peer_drain_until_close(camera);
	rig = rig_start(loop, msg);
	ended = await_input(&rig, "ended");
	ck_assert_str_eq(msg_str(ended, "class"), "redirect");
	ck_assert_str_eq(msg_str(ended, "location"), location);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_RETRY);
	check_nothing_was_said(other);
	peer_run(camera, 0);
	free(url);
	free(location);
	free(answer);
	async_complete(loop);
}
END_ASYNC_TEST

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

/* Pictures, then silence with the connection open. */
START_ASYNC_TEST(test_source_that_falls_silent, .real_clock = true)
{
	struct peer *camera;
	struct rig rig = start_http(loop, &camera, 700);

	send_parts(camera);
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

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_av_broken");
	TCase *bad = tcase_create("broken sources");

	tcase_add_test(bad, test_connection_refused);
	tcase_add_test(bad, test_source_that_says_nothing);
	tcase_add_test(bad, test_wrong_password);
	tcase_add_test(bad, test_redirect);
	tcase_add_test(bad, test_http_not_found);
	tcase_add_test(bad, test_source_that_falls_silent);
	tcase_add_test(bad, test_no_file);
	tcase_add_test(bad, test_a_playlist_cannot_read_files);
	tcase_add_test(bad, test_what_libavformat_logs_has_no_password);
	suite_add_tcase(s, bad);
	return s;
}

HARNESS_MAIN(suite)
