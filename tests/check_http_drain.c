/*
 * A front that was replaced: nobody new, everybody old, and then it leaves.
 */
#include "config.h"

#include "http/listen.h"
#include "tests/check_http_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MSE    "{\"value\":\"avc1.640029,mp4a.40.2\",\"type\":\"mse\"}"
#define MINUTE 60000

static struct rig *
start_door(struct loop *loop)
{
	struct rig *rig = rig_start(loop, NULL);

	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	peer_ignore_msg(rig->sup, MSG_WANT);
	peer_ignore_msg(rig->sup, MSG_WANT_REPLAY);
	return rig;
}

static void
drain(struct rig *rig, int deadline_ms)
{
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i}", "type", "drain", "deadline_ms", deadline_ms), -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

/* 0, or the errno of a new connection. */
static int
try_connect(const struct rig *rig)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(rig->port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? errno : 0;

	close(fd);
	return rc;
}

/* A viewer that sees pictures. */
static struct peer *
watch(struct rig *rig, struct feed *feed)
{
	struct peer *viewer = rig_websocket(rig, "door");

	rig_ws_send(viewer, MSE);
	loop_settle(rig->loop);
	rig_push_gop(rig, feed, 1);
	rig_ws_expect(viewer, "mse");
	ck_assert_uint_eq(rig_ws_next(viewer).opcode, 2); /* the beginning */
	ck_assert_uint_eq(rig_ws_next(viewer).opcode, 2); /* the picture */
	rig_ws_expect(viewer, "state");
	return viewer;
}

START_ASYNC_TEST(test_viewers_stay_and_nobody_comes, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct feed feed = feed_new(7);
	struct peer *viewer = watch(rig, &feed);

	ck_assert_int_eq(try_connect(rig), 0);
	loop_settle(loop);
	drain(rig, 10 * MINUTE);
	ck_assert_int_eq(try_connect(rig), ECONNREFUSED);
	for (int i = 0; i < 3; i++) {
		loop_run_for_ms(loop, 10000);
		rig_push(rig, feed_delta(&feed));
		ck_assert_uint_eq(rig_ws_next(viewer).opcode, 2);
		ck_assert(!rig->front->stopped);
	}
	peer_close(viewer);
	peer_run(viewer, 0);
	loop_run_for_ms(loop, 1000);
	ck_assert(rig->front->stopped);
	ck_assert_int_eq(rig->front->exit_code, 0);
	expect_log("the last connection has ended");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_next_answer_is_the_last, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct peer *browser = rig_connect(rig);
	char *head = strdup(rig_get(browser, "/healthz", ""));

	ck_assert_ptr_null(rig_header(head, "Connection"));
	rig_body(browser, head, NULL);
	free(head);
	drain(rig, 10 * MINUTE);
	loop_run_for_ms(loop, 5000);
	/* It waits for another request, which must not get lost. */
	ck_assert(!rig->front->stopped);
	head = strdup(rig_get(browser, "/healthz", ""));
	ck_assert_mem_eq(head, "HTTP/1.1 200 ", 13);
	ck_assert_str_eq(rig_header(head, "Connection"), "close");
	rig_body(browser, head, NULL);
	free(head);
	peer_expect_close(browser);
	peer_run(browser, 0);
	loop_run_for_ms(loop, 1000);
	ck_assert(rig->front->stopped);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_without_anybody_it_leaves_at_once, .hold_time = true)
{
	struct rig *rig = start_door(loop);

	drain(rig, 10 * MINUTE);
	loop_run_for_ms(loop, 1);
	ck_assert(rig->front->stopped);
	ck_assert_int_eq(rig->front->exit_code, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_the_time_is_up, .hold_time = true)
{
	struct rig *rig = start_door(loop);
	struct peer *wall = rig_websocket_at(rig, "/ws");

	ck_assert_ptr_nonnull(wall);
	loop_settle(loop);
	drain(rig, MINUTE);
	/* Told again: nothing new. */
	drain(rig, 10 * MINUTE);
	loop_run_for_ms(loop, MINUTE - 1);
	ck_assert(!rig->front->stopped);
	loop_run_for_ms(loop, 1000);
	ck_assert(rig->front->stopped);
	ck_assert_int_eq(rig->front->exit_code, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_listener_that_comes_late_is_not_served, .hold_time = true)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct rig *rig = start_door(loop);
	struct peer *wall = rig_websocket_at(rig, "/ws");
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(wall);
	loop_settle(loop);
	drain(rig, MINUTE);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	rig->port = ntohs(addr.sin_port);
	peer_send_msg(rig->sup, json_pack("{s:s, s:s}", "type", "listener", "address", "late"), fd);
	peer_run(rig->sup, 0);
	loop_settle(loop);
	ck_assert_uint_eq(listeners_count(rig->front->listeners), 0);
	ck_assert_int_eq(try_connect(rig), ECONNREFUSED);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_drain");
	TCase *tcase = tcase_create("drain");

	tcase_add_test(tcase, test_viewers_stay_and_nobody_comes);
	tcase_add_test(tcase, test_the_next_answer_is_the_last);
	tcase_add_test(tcase, test_without_anybody_it_leaves_at_once);
	tcase_add_test(tcase, test_the_time_is_up);
	tcase_add_test(tcase, test_a_listener_that_comes_late_is_not_served);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
