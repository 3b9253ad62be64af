/*
 * Channels in the loop, and what every child does with its own: bounds, freeing inside callbacks,
 * the end told once.
 */
#include "config.h"

#include "shared/chan.h"
#include "shared/chan_ev.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct owner {
	struct loop *loop;
	struct chan_ev *chan;
	struct child_ev *child;
	struct peer *peer;
	int msgs, closes, stops;
	bool asked, closed;
	bool free_in_msg, free_in_close;
	enum msg_type last;
	int last_fd;
	char reason[200];
};

static struct owner owner;

static void
free_owner(void *arg)
{
	(void)arg;
	chan_ev_free(&owner.chan);
	child_ev_free(&owner.child);
	if (owner.last_fd >= 0)
		close(owner.last_fd);
}

static void
on_msg(void *arg, enum msg_type type, const json_t *msg, int fd)
{
	(void)arg;
	ck_assert_ptr_nonnull(msg);
	owner.msgs++;
	owner.last = type;
	owner.last_fd = fd;
	if (owner.free_in_msg)
		chan_ev_free(&owner.chan);
}

static void
on_close(void *arg, const char *reason)
{
	(void)arg;
	owner.closes++;
	owner.closed = true;
	snprintf(owner.reason, sizeof(owner.reason), "%s", reason);
	if (owner.free_in_close)
		chan_ev_free(&owner.chan);
}

/* A front's channel and the supervisor at its other end. */
static void
make_chan(struct loop *loop)
{
	static const struct chan_ev_ops ops = { .on_msg = on_msg, .on_close = on_close };
	int fds[2];

	loop_pair(loop, SOCK_SEQPACKET, fds);
	owner = (struct owner){ .loop = loop, .last_fd = -1 };
	harness_defer(free_owner, NULL);
	owner.chan = chan_ev_new(loop_base(loop), fds[0], MSG_TO_FRONT, &ops, &owner);
	ck_assert_int_eq(chan_ev_fd(owner.chan), fds[0]);
	owner.peer = peer_new_chan(loop, fds[1], MSG_FROM_FRONT, "supervisor");
}

static json_t *
listener(void)
{
	json_t *msg = msg_new(MSG_LISTENER);

	msg_set_str(msg, "address", "127.0.0.1:8080");
	return msg;
}

START_ASYNC_TEST(test_receives_all_that_is_there)
{
	make_chan(loop);
	for (int i = 0; i < 150; i++)
		peer_send_msg(owner.peer, msg_new(MSG_STREAMS_SYNCED), -1);
	peer_run(owner.peer, 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.msgs, 150);
	ck_assert_int_eq(owner.closes, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_receives_a_descriptor)
{
	make_chan(loop);
	peer_send_msg(owner.peer, listener(), dup(STDERR_FILENO));
	loop_settle(loop);
	ck_assert_int_eq(owner.last, MSG_LISTENER);
	ck_assert_int_ge(owner.last_fd, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_sends_with_a_descriptor_in_order)
{
	make_chan(loop);
	for (int i = 1; i <= 3; i++) {
		json_t *msg = msg_new(MSG_SNAPSHOT);

		msg_set_int(msg, "request", i);
		msg_set_int(msg, "id", 1);
		ck_assert_int_eq(chan_ev_send(owner.chan, msg, dup(STDERR_FILENO)), 0);
		peer_expect_msg(owner.peer, MSG_SNAPSHOT, json_pack("{s:i}", "request", i));
	}
	peer_run(owner.peer, 0);
	close(peer_take_fd(owner.peer));
	ck_assert_uint_eq(chan_ev_queued(owner.chan), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_end_is_told_once_after_what_was_said_before)
{
	make_chan(loop);
	peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	peer_close(owner.peer);
	loop_run_until(loop, &owner.closed, 0);
	ck_assert_int_eq(owner.msgs, 1);
	ck_assert_str_eq(owner.reason, "peer closed");
	ck_assert_int_eq(chan_ev_send(owner.chan, msg_new(MSG_BEAT), dup(STDERR_FILENO)), -EPIPE);
	loop_settle(loop);
	ck_assert_int_eq(owner.closes, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_send_to_a_closed_peer_is_told_in_the_loop)
{
	make_chan(loop);
	peer_close(owner.peer);
	peer_run(owner.peer, 0);
	for (int i = 0; i < 3; i++)
		chan_ev_send(owner.chan, msg_new(MSG_BEAT), dup(STDERR_FILENO));
	ck_assert_uint_eq(chan_ev_queued(owner.chan), 0);
	loop_run_until(loop, &owner.closed, 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.closes, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bad_message_ends_the_channel)
{
	static const char *const bad[] = { "rubbish", "{\"type\":\"beat\"}",
					   "{\"type\":\"listener\"}" };

	make_chan(loop);
	peer_send_datagram(owner.peer, bad[_i], strlen(bad[_i]));
	peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	loop_run_until(loop, &owner.closed, 0);
	ck_assert_int_eq(strncmp(owner.reason, "bad message: ", 13), 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.msgs, 0); /* what follows a bad message is not trusted */
	ck_assert_int_eq(owner.closes, 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_peer_that_never_reads)
{
	int rc, n = 0;

	make_chan(loop);
	peer_stall(owner.peer, PEER_FOREVER);
	while ((rc = chan_ev_send(owner.chan, msg_new(MSG_BEAT), -1)) == 0)
		ck_assert_int_lt(n++, 10000);
	ck_assert_int_eq(rc, -ENOBUFS);
	ck_assert_uint_eq(chan_ev_queued(owner.chan), 4096);
	/* A descriptor that does not fit any more is not leaked. */
	ck_assert_int_eq(chan_ev_send(owner.chan, listener(), dup(STDERR_FILENO)), -ENOBUFS);
	loop_settle(loop);
	ck_assert_int_eq(owner.closes, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_queue_is_bounded_in_bytes)
{
	char text[16001];
	size_t bytes = 0;
	int rc;

	make_chan(loop);
	memset(text, 'x', sizeof(text) - 1);
	text[16000] = '\0';
	do {
		json_t *msg = msg_new(MSG_CTL_DONE);

		msg_set_int(msg, "code", 0);
		msg_set_str(msg, "text", text);
		bytes += 16000;
		rc = chan_ev_send(owner.chan, msg, -1);
		ck_assert_uint_lt(bytes, 8u << 20);
	} while (rc == 0);
	ck_assert_int_eq(rc, -ENOBUFS);
	ck_assert_uint_lt(chan_ev_queued(owner.chan), 300);
	ck_assert_uint_gt(chan_ev_queued(owner.chan), 200);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_queue_is_flushed_when_the_peer_reads_again)
{
	int sent = 0;

	make_chan(loop);
	while (chan_ev_queued(owner.chan) < 100) {
		chan_ev_send(owner.chan, msg_new(MSG_BEAT), -1);
		sent++;
	}
	for (int i = 0; i < sent; i++)
		peer_expect_msg(owner.peer, MSG_BEAT, NULL);
	peer_run(owner.peer, 0);
	ck_assert_uint_eq(chan_ev_queued(owner.chan), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_free_inside_on_msg)
{
	make_chan(loop);
	owner.free_in_msg = true;
	for (int i = 0; i < 5; i++)
		peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	peer_expect_close(owner.peer);
	peer_run(owner.peer, 0);
	ck_assert_int_eq(owner.msgs, 1);
	ck_assert_int_eq(owner.closes, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_free_inside_on_close)
{
	make_chan(loop);
	owner.free_in_close = true;
	peer_close(owner.peer);
	loop_run_until(loop, &owner.closed, 0);
	ck_assert_ptr_null(owner.chan);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_free_between_the_end_and_its_telling)
{
	make_chan(loop);
	peer_send_datagram(owner.peer, "x", 1);
	peer_run(owner.peer, 0);
	/* Whatever of it has been noticed: after free nothing is called any more. */
	chan_ev_free(&owner.chan);
	chan_ev_free(&owner.chan);
	loop_settle(loop);
	ck_assert_int_eq(owner.closes, 0);
	async_complete(loop);
}
END_ASYNC_TEST

/* child_ev */

static void
on_stop(void *arg, bool asked)
{
	(void)arg;
	owner.stops++;
	owner.asked = asked;
	if (owner.free_in_close)
		child_ev_free(&owner.child);
}

static void
make_child(struct loop *loop)
{
	static const struct child_ev_ops ops = { .on_msg = on_msg, .on_stop = on_stop };
	int fds[2];

	loop_pair(loop, SOCK_SEQPACKET, fds);
	owner = (struct owner){ .loop = loop, .last_fd = -1 };
	harness_defer(free_owner, NULL);
	owner.child =
	    child_ev_new(loop_base(loop), loop_clock(loop), fds[0], MSG_TO_FRONT, &ops, &owner);
	owner.peer = peer_new_chan(loop, fds[1], MSG_FROM_FRONT, "supervisor");
}

START_ASYNC_TEST(test_child_beats_after_ready)
{
	make_child(loop);
	loop_run_for_ms(loop, 5000);
	peer_assert_no_msg(owner.peer); /* silent before it is ready */
	child_ev_ready(owner.child);
	ck_assert_str_eq(msg_str(peer_get_msg(owner.peer, MSG_READY, 0), "version"),
			 PACKAGE_VERSION);
	for (int i = 1; i <= 4; i++) {
		loop_run_for_ms(loop, CHILD_BEAT_MS - 1);
		peer_assert_no_msg(owner.peer);
		loop_run_for_ms(loop, 1);
		/* A test program is larger than a MiB and smaller than a GiB. */
		long long rss = msg_int(peer_get_msg(owner.peer, MSG_BEAT, 0), "rss_kib", 0);
		ck_assert_int_gt(rss, 1024);
		ck_assert_int_lt(rss, 1 << 20);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_child_stops_when_asked)
{
	make_child(loop);
	owner.free_in_close = _i;
	child_ev_ready(owner.child);
	peer_ignore_msg(owner.peer, MSG_BEAT);
	peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	peer_run(owner.peer, 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.stops, 1);
	ck_assert(owner.asked);
	ck_assert_int_eq(owner.msgs, 0);
	loop_run_for_ms(loop, 5000);
	ck_assert_uint_eq(peer_msg_count(owner.peer, MSG_BEAT), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_child_stops_when_the_supervisor_is_gone)
{
	make_child(loop);
	owner.free_in_close = _i;
	child_ev_ready(owner.child);
	peer_get_msg(owner.peer, MSG_READY, 0);
	peer_close(owner.peer);
	peer_run(owner.peer, 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.stops, 1);
	ck_assert(!owner.asked);
	expect_log("the supervisor is gone");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_child_is_told_once)
{
	make_child(loop);
	peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	peer_send_msg(owner.peer, msg_new(MSG_STOP), -1);
	peer_close(owner.peer);
	peer_run(owner.peer, 0);
	loop_settle(loop);
	ck_assert_int_eq(owner.stops, 1);
	ck_assert(owner.asked);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_child_handles_the_log_level_itself)
{
	json_t *good = msg_new(MSG_LOG_LEVEL), *bad = msg_new(MSG_LOG_LEVEL);

	make_child(loop);
	msg_set_str(good, "level", "warn");
	msg_set_str(bad, "level", "loud");
	peer_send_msg(owner.peer, good, -1);
	peer_send_msg(owner.peer, bad, -1);
	peer_send_msg(owner.peer, msg_new(MSG_STREAMS_SYNCED), -1);
	peer_run(owner.peer, 0);
	loop_settle(loop);
	ck_assert_int_eq(log_get_level(), LOG_LEVEL_WARN);
	ck_assert_int_eq(owner.msgs, 1);
	ck_assert_int_eq(owner.last, MSG_STREAMS_SYNCED);
	async_complete(loop);
}
END_ASYNC_TEST

HARNESS_CHILD(enter)
{
	return child_enter() == 0 ? 0 : 10;
}

START_ASYNC_TEST(test_child_started_by_hand_is_told)
{
	struct program *alone = program_start_self(loop, 0, "enter", NULL);
	struct program *child = program_start_self(loop, MSG_FROM_FRONT, "enter", NULL);

	ck_assert_int_eq(program_wait(alone, 0), 10);
	ck_assert_int_eq(program_wait(child, 0), 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-chan_ev");
	TCase *tcase = tcase_create("chan_ev");

	tcase_add_test(tcase, test_receives_all_that_is_there);
	tcase_add_test(tcase, test_receives_a_descriptor);
	tcase_add_test(tcase, test_sends_with_a_descriptor_in_order);
	tcase_add_test(tcase, test_end_is_told_once_after_what_was_said_before);
	tcase_add_test(tcase, test_send_to_a_closed_peer_is_told_in_the_loop);
	tcase_add_loop_test(tcase, test_bad_message_ends_the_channel, 0, 3);
	tcase_add_test(tcase, test_peer_that_never_reads);
	tcase_add_test(tcase, test_queue_is_bounded_in_bytes);
	tcase_add_test(tcase, test_queue_is_flushed_when_the_peer_reads_again);
	tcase_add_test(tcase, test_free_inside_on_msg);
	tcase_add_test(tcase, test_free_inside_on_close);
	tcase_add_test(tcase, test_free_between_the_end_and_its_telling);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("child_ev");
	tcase_add_test(tcase, test_child_beats_after_ready);
	tcase_add_loop_test(tcase, test_child_stops_when_asked, 0, 2);
	tcase_add_loop_test(tcase, test_child_stops_when_the_supervisor_is_gone, 0, 2);
	tcase_add_test(tcase, test_child_is_told_once);
	tcase_add_test(tcase, test_child_handles_the_log_level_itself);
	tcase_add_test(tcase, test_child_started_by_hand_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
