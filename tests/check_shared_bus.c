/*
 * The bus, over the real nng, in processes of their own: what is sent arrives whole and in order,
 * is bounded, and the flow around connects and closes neither hangs nor leaks.
 */
#include "config.h"

#include "shared/bus.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct bus_sub *sub;
static struct bus_msg *msg;

static const struct frame key_frame = {
	.stream_id = 7,
	.kind = FRAME_KIND_VIDEO,
	.codec = FRAME_CODEC_H264,
	.flags = FRAME_KEY,
	.epoch = 42,
	.width = 1280,
	.height = 720,
};

/*
 * The worker's end in a process of its own: publisher PATH N. Says "ready", waits for a subscriber,
 * publishes N frames of growing size, says "published", then waits to be killed.
 */
HARNESS_CHILD(publisher)
{
	struct frame frame = key_frame;
	struct bus_pub *pub;
	uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX + 1);
	int n = atoi(argv[2]);

	if (bus_pub_open(argv[1], 0600, &pub) < 0)
		return 3;
	printf("ready\n");
	fflush(stdout);
	while (bus_pub_subscribers(pub) == 0)
		poll(NULL, 0, 1);
	for (int i = 1; i <= n; i++) {
		frame.seq = (uint64_t)i;
		memset(payload, i, (size_t)i * 1000);
		if (bus_pub_send(pub, &frame, payload, (size_t)i * 1000) < 0)
			return 4;
		/* Half of what a subscriber's queue takes. */
		if (i % 32 == 0)
			poll(NULL, 0, 20);
	}
	printf("published\n");
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

static struct program *
start_publisher(struct loop *loop, const char *path, const char *n)
{
	struct program *publisher = program_start_self(loop, 0, "publisher", path, n, NULL);

	program_wait_output(publisher, "ready", 0);
	return publisher;
}

static int last_rc;

static bool
received(void *arg)
{
	(void)arg;
	last_rc = bus_sub_recv(sub, &msg);
	return last_rc != -EAGAIN;
}

static int
receive(struct loop *loop)
{
	loop_run_until_true(loop, received, NULL, "a message on the bus", 0);
	return last_rc;
}

static bool
is_connected(void *arg)
{
	return bus_sub_connected(arg);
}

static bool
is_gone(void *arg)
{
	return !bus_sub_connected(arg);
}

static bool
has_subscribers(void *arg)
{
	return bus_pub_subscribers(arg) > 0;
}

/* nng starts threads: it must not see a fork of this test. */
START_ISOLATED_TEST(test_from_process_to_process_in_order, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct program *publisher = start_publisher(loop, path, "100");

	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	for (int i = 1; i <= 100; i++) {
		ck_assert_int_eq(receive(loop), 0);
		ck_assert_uint_eq(msg->frame.seq, i);
		ck_assert_uint_eq(msg->frame.epoch, 42);
		ck_assert_uint_eq(msg->frame.stream_id, 7);
		ck_assert_uint_eq(msg->frame.payload_len, 1000 * i);
		ck_assert_uint_eq(msg->payload[0], i);
		ck_assert_uint_eq(msg->payload[1000 * i - 1], i);
		bus_msg_unref(&msg);
		ck_assert_ptr_null(msg);
	}
	ck_assert_int_eq(bus_sub_recv(sub, &msg), -EAGAIN);
	/* The publisher dies: the pipe ends, then closing is safe. */
	program_signal(publisher, SIGKILL);
	ck_assert_int_eq(program_wait(publisher, 0), -SIGKILL);
	loop_run_until_true(loop, is_gone, sub, "the end of the pipe", 0);
	bus_sub_close(&sub);
	ck_assert_ptr_null(sub);
	ck_assert_uint_eq(bus_sub_lingering(), 0);
	async_complete(loop);
}
END_ISOLATED_TEST

static bool readable;

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	readable = true;
}

START_ISOLATED_TEST(test_descriptor_is_readable_while_messages_wait, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct pollfd pfd = { .events = POLLIN };
	struct event *event;

	start_publisher(loop, path, "2");
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	pfd.fd = bus_sub_fd(sub);
	event = event_new(loop_base(loop), pfd.fd, EV_READ | EV_PERSIST, on_readable, NULL);
	event_add(event, NULL);
	loop_run_until(loop, &readable, 0);
	event_free(event);
	/* Level triggered: still so after half of it. */
	ck_assert_int_eq(receive(loop), 0);
	bus_msg_unref(&msg);
	ck_assert_int_eq(poll(&pfd, 1, 20000), 1);
	ck_assert_int_eq(receive(loop), 0);
	bus_msg_unref(&msg);
	ck_assert_int_eq(poll(&pfd, 1, 0), 0);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_paused_then_closed, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");

	/* It has published all and is silent, its pipe is alive: put aside, not closed. */
	struct program *publisher = start_publisher(loop, path, "1");

	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	ck_assert_int_eq(receive(loop), 0);
	bus_msg_unref(&msg);
	bus_sub_close(&sub);
	ck_assert_uint_eq(bus_sub_lingering(), 1);
	program_signal(publisher, SIGKILL);
	program_wait(publisher, 0);
	while (bus_sub_lingering() > 0)
		loop_run_for_ms(loop, 5);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_many_incarnations, .real_clock = true)
{
	char name[32];

	for (int i = 0; i < 10; i++) {
		const char *path;
		struct program *publisher;

		snprintf(name, sizeof(name), "door-%d.sock", i);
		path = harness_tmpfile(name);
		publisher = start_publisher(loop, path, "3");
		ck_assert_int_eq(bus_sub_open(path, &sub), 0);
		ck_assert_int_eq(receive(loop), 0);
		bus_msg_unref(&msg);
		program_signal(publisher, SIGKILL); /* in the middle of its messages */
		program_wait(publisher, 0);
		bus_sub_close(&sub);
	}
	while (bus_sub_lingering() > 0)
		loop_run_for_ms(loop, 5);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_unit_size_bound, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX + 1);
	struct bus_pub *pub;

	payload[FRAME_PAYLOAD_MAX - 1] = 0x5a;
	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscribers, pub, "a subscriber", 0);
	ck_assert_int_eq(bus_pub_send(pub, &key_frame, payload, FRAME_PAYLOAD_MAX + 1), -EMSGSIZE);
	ck_assert_int_eq(bus_pub_send(pub, &key_frame, payload, FRAME_PAYLOAD_MAX), 0);
	ck_assert_int_eq(bus_pub_send(pub, &key_frame, NULL, 0), 0);
	ck_assert_int_eq(receive(loop), 0);
	ck_assert_uint_eq(msg->frame.payload_len, FRAME_PAYLOAD_MAX);
	ck_assert_uint_eq(msg->payload[FRAME_PAYLOAD_MAX - 1], 0x5a);
	bus_msg_unref(&msg);
	ck_assert_int_eq(receive(loop), 0);
	ck_assert_uint_eq(msg->frame.payload_len, 0);
	bus_msg_unref(&msg);
	free(payload);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_resend_keeps_seq_and_marks_whose, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct frame frame = key_frame;
	struct bus_msg *kept;
	struct bus_pub *pub;

	frame.seq = 1234;
	kept = bus_msg_new(&frame, "gop", 3);
	ck_assert_ptr_nonnull(kept);
	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscribers, pub, "a subscriber", 0);
	ck_assert_int_eq(bus_pub_resend(pub, kept, FRAME_KEY | FRAME_REPLAY, 99), 0);
	bus_msg_unref(&kept);
	ck_assert_int_eq(receive(loop), 0);
	ck_assert_uint_eq(msg->frame.seq, 1234);
	ck_assert_uint_eq(msg->frame.flags, FRAME_KEY | FRAME_REPLAY);
	ck_assert_uint_eq(msg->frame.for_subscriber, 99);
	ck_assert_mem_eq(msg->payload, "gop", 3);
	bus_msg_unref(&msg);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_a_slow_subscriber_loses_messages_and_blocks_nobody, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct frame frame = key_frame;
	uint8_t *payload = calloc(1, 100000);
	struct bus_pub *pub;
	uint64_t last = 0;
	int got = 0;

	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscribers, pub, "a subscriber", 0);
	for (frame.seq = 1; frame.seq <= 1000; frame.seq++)
		ck_assert_int_eq(bus_pub_send(pub, &frame, payload, 100000), 0);
	while (last < 1000) {
		ck_assert_int_eq(receive(loop), 0);
		ck_assert_uint_gt(msg->frame.seq, last); /* holes, but never backwards or twice */
		last = msg->frame.seq;
		got++;
		bus_msg_unref(&msg);
	}
	ck_assert_int_lt(got, 1000);
	free(payload);
	async_complete(loop);
}
END_ISOLATED_TEST

/* A publisher of our own that says anything: SP over a stream socket, protocol pub (0x20). */
static void
raw_send(int fd, const void *bytes, size_t len)
{
	uint8_t header[9] = { 1 };

	for (int i = 0; i < 8; i++)
		header[1 + i] = (uint8_t)((uint64_t)len >> (8 * (7 - i)));
	ck_assert_int_eq(send(fd, header, sizeof(header), MSG_NOSIGNAL), sizeof(header));
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

START_ISOLATED_TEST(test_malformed_messages_are_refused, .real_clock = true)
{
	static const uint8_t hello[] = { 0, 'S', 'P', 0, 0, 0x20, 0, 0 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = harness_tmpfile("raw.sock");
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	uint8_t good[FRAME_HEADER_BYTES], bad[FRAME_HEADER_BYTES], theirs[8];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(recv(fd, theirs, sizeof(theirs), MSG_WAITALL), sizeof(theirs));
	ck_assert_int_eq(send(fd, hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
	loop_run_until_true(loop, is_connected, sub, "a connection", 0);

	frame_encode(&key_frame, good);
	memcpy(bad, good, sizeof(bad));
	bad[3] = '9';
	raw_send(fd, "short", 5);
	raw_send(fd, bad, sizeof(bad));
	raw_send(fd, good, sizeof(good));
	ck_assert_int_eq(receive(loop), -EPROTO);
	ck_assert_int_eq(receive(loop), -EPROTO);
	ck_assert_int_eq(receive(loop), 0);
	ck_assert_uint_eq(msg->frame.stream_id, 7);
	bus_msg_unref(&msg);
	close(fd);
	close(listener);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_larger_than_any_unit_ends_the_connection, .real_clock = true)
{
	static const uint8_t hello[] = { 0, 'S', 'P', 0, 0, 0x20, 0, 0 };
	static const uint8_t huge[9] = { 1, 0, 0, 0, 0, 0x01, 0, 0, 0 }; /* 16 MiB */
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = harness_tmpfile("raw.sock");
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	uint8_t theirs[8];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(recv(fd, theirs, sizeof(theirs), MSG_WAITALL), sizeof(theirs));
	ck_assert_int_eq(send(fd, hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
	ck_assert_int_eq(send(fd, huge, sizeof(huge), MSG_NOSIGNAL), sizeof(huge));
	/* nng hangs up before one byte of it is there. */
	ck_assert_int_eq(recv(fd, theirs, sizeof(theirs), 0), 0);
	close(fd);
	close(listener);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_paths, .real_clock = true)
{
	char path[200];
	struct bus_pub *pub = NULL, *second = NULL;
	struct stat st;

	snprintf(path, sizeof(path), "%s", harness_tmpfile("a.sock"));
	ck_assert_int_eq(bus_pub_open("relative.sock", 0600, &pub), -EINVAL);
	ck_assert_int_eq(bus_sub_open("relative.sock", &sub), -EINVAL);
	ck_assert_int_eq(bus_pub_open(path, 0660, &pub), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	ck_assert_int_eq(bus_pub_open(path, 0600, &second), -EADDRINUSE);
	ck_assert_ptr_null(second);
	/* nng alone would have probed the path by connecting, after which nobody is heard any more.
	 */
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscribers, pub, "a subscriber", 0);
	bus_pub_unlink(pub);
	ck_assert_int_ne(stat(path, &st), 0);
	ck_assert_int_eq(bus_pub_open(harness_tmpfile("absent/a.sock"), 0600, &second), -ENOENT);
	/* sun_path has 108 bytes, one of them the end. */
	for (size_t len = 107; len <= 108; len++) {
		memset(path, 'x', len);
		path[len] = '\0';
		memcpy(path, harness_tmpfile(""), strlen(harness_tmpfile("")));
		ck_assert_int_eq(bus_pub_open(path, 0600, &second), len == 107 ? 0 : -ENAMETOOLONG);
	}
	ck_assert_int_eq(bus_sub_open(path, &sub), -ENAMETOOLONG);
	async_complete(loop);
}
END_ISOLATED_TEST

/* Messages written in place */

START_ISOLATED_TEST(test_written_in_place_and_sent_as_it_is, .real_clock = true)
{
	const char *path = harness_tmpfile("a.sock");
	struct bus_msg *made, *kept;
	struct bus_pub *pub;
	uint8_t *data;
	size_t cap;

	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	ck_assert_int_eq(bus_sub_open(path, &sub), 0);
	loop_run_until_true(loop, has_subscribers, pub, "a subscriber", 0);
	for (size_t len = 0; len < 400000; len = 3 * len + 7) {
		made = bus_msg_begin(100, &data, &cap);
		ck_assert_ptr_nonnull(made);
		ck_assert_uint_ge(cap, 100);
		if (len > cap)
			ck_assert_int_eq(bus_msg_grow(made, len, &data, &cap), 0);
		memset(data, (int)len & 0xff, len);
		bus_msg_finish(made, &key_frame, len);
		/* What is sent is the memory that was written to. */
		ck_assert_ptr_eq(made->payload, data);
		kept = bus_msg_new(&made->frame, made->payload, len);
		ck_assert_int_eq(bus_pub_send_msg(pub, &made), 0);
		ck_assert_ptr_null(made);
		ck_assert_int_eq(receive(loop), 0);
		ck_assert_uint_eq(msg->frame.payload_len, len);
		ck_assert_uint_eq(msg->frame.epoch, 42);
		ck_assert_uint_eq(msg->frame.flags, FRAME_KEY);
		ck_assert_mem_eq(msg->payload, kept->payload, len);
		bus_msg_unref(&msg);
		bus_msg_unref(&kept);
	}
	async_complete(loop);
}
END_ISOLATED_TEST

/* mover PATH: a publisher that moves to PATH-1, -2, ... 50 under traffic, and goes on there. */
HARNESS_CHILD(mover)
{
	struct bus_pub *pub;
	char path[256];
	unsigned before;

	if (bus_pub_open(argv[1], 0600, &pub) < 0)
		return 3;
	printf("ready\n");
	fflush(stdout);
	while (bus_pub_subscribers(pub) == 0)
		poll(NULL, 0, 1);
	before = harness_count_fds(0);
	for (int i = 1; i <= 50; i++) {
		snprintf(path, sizeof(path), "%s-%d", argv[1], i);
		if (bus_pub_send_plain(pub, path, sizeof(path)) < 0 ||
		    bus_pub_move(pub, path, 0600) < 0)
			return 4;
	}
	/* A thread of nng's closes them. */
	while (harness_count_fds(0) > before)
		poll(NULL, 0, 5);
	printf("moved\n");
	fflush(stdout);
	for (;;) {
		(void)bus_pub_send_plain(pub, path, sizeof(path));
		poll(NULL, 0, 5);
	}
}

START_ISOLATED_TEST(test_a_publisher_moves_and_leaves_nothing, .real_clock = true)
{
	const char *path = harness_tmpfile("bus");
	char last[256];
	struct program *mover = program_start_self(loop, 0, "mover", path, NULL);
	struct bus_sub *other;

	program_wait_output(mover, "ready", 0);
	ck_assert_int_eq(bus_sub_open_plain(path, 4096, 64, &other), 0);
	program_wait_output(mover, "moved", 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	snprintf(last, sizeof(last), "%s-50", path);
	ck_assert_int_eq(bus_sub_open_plain(last, 4096, 64, &sub), 0);
	while (bus_sub_recv_plain(sub, &msg) == -EAGAIN)
		loop_run_for_ms(loop, 5);
	ck_assert_str_eq((const char *)msg->payload, last);
	bus_msg_unref(&msg);
	async_complete(loop);
}
END_ISOLATED_TEST

START_TEST(test_growing_keeps_what_was_written)
{
	uint8_t *data;
	size_t cap, room = 1;
	struct bus_msg *made = bus_msg_begin(room, &data, &cap);

	data[0] = 0x41;
	for (size_t need = 2; need < 1u << 20; need = 2 * need + 1) {
		ck_assert_int_eq(bus_msg_grow(made, need, &data, &cap), 0);
		ck_assert_uint_ge(cap, need);
		memset(data + room, 0x42, cap - room);
		ck_assert_uint_eq(data[0], 0x41);
		for (size_t i = 1; i < cap; i += 97)
			ck_assert_uint_eq(data[i], 0x42);
		room = cap;
	}
	/* Less than there is leaves all as it is. */
	ck_assert_int_eq(bus_msg_grow(made, 10, &data, &cap), 0);
	ck_assert_uint_eq(cap, room);
	bus_msg_finish(made, &key_frame, 3);
	ck_assert_uint_eq(made->frame.payload_len, 3);
	ck_assert_mem_eq(made->payload, "ABB", 3);
	ck_assert_uint_ge(bus_msg_spare(made), room - 3);
	bus_msg_unref(&made);
	made = bus_msg_new(&key_frame, "ABB", 3);
	ck_assert_uint_eq(bus_msg_spare(made), 0);
	bus_msg_unref(&made);
}
END_TEST

START_TEST(test_a_message_in_place_is_bounded)
{
	uint8_t *data = NULL;
	size_t cap = 0;
	struct bus_msg *made;

	ck_assert_ptr_null(bus_msg_begin(FRAME_PAYLOAD_MAX + 1, &data, &cap));
	ck_assert_ptr_null(data);
	made = bus_msg_begin(0, &data, &cap);
	ck_assert_ptr_nonnull(made);
	ck_assert_int_eq(bus_msg_grow(made, FRAME_PAYLOAD_MAX, &data, &cap), 0);
	data[FRAME_PAYLOAD_MAX - 1] = 0x5a;
	ck_assert_int_eq(bus_msg_grow(made, FRAME_PAYLOAD_MAX + 1, &data, &cap), -ENOMEM);
	ck_assert_uint_eq(cap, FRAME_PAYLOAD_MAX);
	ck_assert_uint_eq(data[FRAME_PAYLOAD_MAX - 1], 0x5a);
	bus_msg_unref(&made);
}
END_TEST

START_TEST(test_references_are_counted)
{
	struct bus_msg *a = bus_msg_new(&key_frame, "abc", 3), *b;

	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->frame.payload_len, 3);
	b = bus_msg_ref(a);
	bus_msg_unref(&a);
	ck_assert_ptr_null(a);
	ck_assert_mem_eq(b->payload, "abc", 3);
	bus_msg_unref(&b);
	bus_msg_unref(&b);
	ck_assert_ptr_null(bus_msg_new(&key_frame, NULL, FRAME_PAYLOAD_MAX + 1));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-bus");
	TCase *tcase = tcase_create("bus");

	tcase_add_test(tcase, test_from_process_to_process_in_order);
	tcase_add_test(tcase, test_descriptor_is_readable_while_messages_wait);
	tcase_add_test(tcase, test_paused_then_closed);
	tcase_add_test(tcase, test_many_incarnations);
	tcase_add_test(tcase, test_unit_size_bound);
	tcase_add_test(tcase, test_resend_keeps_seq_and_marks_whose);
	tcase_add_test(tcase, test_a_slow_subscriber_loses_messages_and_blocks_nobody);
	tcase_add_test(tcase, test_malformed_messages_are_refused);
	tcase_add_test(tcase, test_larger_than_any_unit_ends_the_connection);
	tcase_add_test(tcase, test_paths);
	tcase_add_test(tcase, test_written_in_place_and_sent_as_it_is);
	tcase_add_test(tcase, test_a_publisher_moves_and_leaves_nothing);
	tcase_add_test(tcase, test_growing_keeps_what_was_written);
	tcase_add_test(tcase, test_a_message_in_place_is_bounded);
	tcase_add_test(tcase, test_references_are_counted);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
