/*
 * The harness tries itself: scripted peers on byte streams and on control channels.
 */
#include "config.h"

#include "shared/chan.h"
#include "tests/harness/harness.h"

#include <sys/socket.h>
#include <unistd.h>

START_ASYNC_TEST(test_peer_plays_its_script)
{
	char bytes[64] = "";
	int fds[2];
	struct peer *peer;

	loop_pair(loop, SOCK_STREAM, fds);
	peer = peer_new(loop, fds[0], "camera");
	peer_expect_until(peer, "\r\n\r\n", "CSeq: 1");
	peer_send_text(peer, "200 ");
	peer_send_pieces(peer, "OK\r\n", 4, 1, 100);
	peer_expect_bytes(peer, 3);
	peer_stall(peer, 5000);
	peer_shutdown(peer);
	peer_expect_close(peer);
	peer_complete(peer);

	ck_assert_int_eq(write(fds[1], "OPTIONS\r\nCSeq: 1\r\n\r\nabc", 23), 23);
	loop_settle(loop);
	ck_assert_int_eq(read(fds[1], bytes, sizeof(bytes)), 5);
	loop_run_for_ms(loop, 100);
	ck_assert_int_eq(read(fds[1], bytes, sizeof(bytes)), 1);
	loop_run_for_ms(loop, 200);
	ck_assert_int_eq(read(fds[1], bytes, sizeof(bytes)), 2);
	ck_assert_str_eq(peer_last(peer, NULL), "abc");
	loop_run_for_ms(loop, 4999);
	ck_assert_int_eq(read(fds[1], bytes, sizeof(bytes)), -1);
	loop_run_for_ms(loop, 1);
	ck_assert_int_eq(read(fds[1], bytes, sizeof(bytes)), 0);
	close(fds[1]);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_steps_are_added_as_the_test_goes)
{
	struct peer *peer;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	peer = peer_new(loop, fds[0], "camera");
	ck_assert_int_eq(write(fds[1], "onetwo", 6), 6);
	peer_expect_text(peer, "one");
	peer_run(peer, 0);
	peer_expect_bytes(peer, 3);
	peer_run(peer, 0);
	ck_assert_str_eq(peer_last(peer, NULL), "two");
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_peer_that_stalls_does_not_read)
{
	static const char bytes[65536];
	ssize_t n, sent = 0;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	peer_stall(peer_new(loop, fds[0], "stalled"), PEER_FOREVER);
	while ((n = send(fds[1], bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0) {
		sent += n;
		loop_settle(loop);
		ck_assert_int_lt(sent, 64 << 20);
	}
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_peers_over_tcp)
{
	uint16_t port;
	struct peer *server = peer_listen_tcp(loop, "server", &port);
	struct peer *client = peer_connect_tcp(loop, "client", port);

	peer_send_text(client, "ping");
	peer_expect_text(server, "ping");
	peer_reset(server);
	peer_drain_until_close(client);
	peer_complete(client);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_channel_peers_exchange_messages)
{
	json_t *demand = msg_new(MSG_DEMAND), *ready = msg_new(MSG_READY);
	struct peer *supervisor, *worker;
	int fds[2], passed;

	ck_assert_int_eq(chan_pair(fds), 0);
	supervisor = peer_new_chan(loop, fds[0], MSG_FROM_WORKER, "supervisor");
	worker = peer_new_chan(loop, fds[1], MSG_TO_WORKER, "worker");
	peer_ignore_msg(supervisor, MSG_BEAT);
	msg_set_bool(demand, "on", true);
	msg_set_str(ready, "version", "1");

	peer_send_msg(worker, msg_new(MSG_BEAT), -1);
	peer_send_msg(worker, ready, -1);
	peer_expect_msg(supervisor, MSG_READY, json_pack("{s:s}", "version", "1"));
	peer_run(supervisor, 0);
	ck_assert_uint_eq(peer_msg_count(supervisor, MSG_BEAT), 1);
	peer_send_msg(supervisor, demand, -1);
	ck_assert(msg_bool(peer_get_msg(worker, MSG_DEMAND, 0), "on", false));
	peer_assert_no_msg(supervisor);
	peer_assert_no_msg(worker);
	passed = peer_take_fd(worker);
	ck_assert_int_eq(passed, -1);
	peer_close(worker);
	peer_expect_close(supervisor);
	peer_complete(supervisor);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_channel_peer_takes_an_fd)
{
	json_t *msg = msg_new(MSG_LISTENER);
	struct peer *supervisor, *front;
	int fds[2], fd;

	ck_assert_int_eq(chan_pair(fds), 0);
	supervisor = peer_new_chan(loop, fds[0], MSG_FROM_FRONT, "supervisor");
	front = peer_new_chan(loop, fds[1], MSG_TO_FRONT, "front");
	msg_set_str(msg, "address", "127.0.0.1:1");
	peer_send_msg(supervisor, msg, dup(STDERR_FILENO));
	peer_get_msg(front, MSG_LISTENER, 0);
	fd = peer_take_fd(front);
	ck_assert_int_ge(fd, 0);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("harness_peers");
	TCase *tcase = tcase_create("peers");

	tcase_add_test(tcase, test_peer_plays_its_script);
	tcase_add_test(tcase, test_steps_are_added_as_the_test_goes);
	tcase_add_test(tcase, test_peer_that_stalls_does_not_read);
	tcase_add_test(tcase, test_peers_over_tcp);
	tcase_add_test(tcase, test_channel_peers_exchange_messages);
	tcase_add_test(tcase, test_channel_peer_takes_an_fd);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
