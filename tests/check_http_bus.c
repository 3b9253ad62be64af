/*
 * A front on a real bus: when it gives up an endpoint that says nothing, and when it does not.
 */
#include "config.h"

#include "tests/check_http_rig.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DEAF_MS   3000
#define SILENT_MS 15000

static struct stream *
announce(struct rig *rig, const char *path)
{
	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:i, s:s}", "type",
				"stream", "id", 1, "name", "door", "camera", "door", "title",
				"Door", "order", 1, "on_demand", 0, "state", "up", "since_ms", 1,
				"epoch", 1, "bus", path),
		      -1);
	rig_synced(rig);
	return stream_find(rig->front, "door");
}

/* It gives up right at the end of so much time, and not before. */
static void
expect_redial(struct rig *rig, const struct stream *stream, int64_t ms)
{
	uint64_t before = stream->redials;

	loop_run_for_ms(rig->loop, ms - 1);
	ck_assert_uint_eq(stream->redials, before);
	loop_run_for_ms(rig->loop, 1);
	ck_assert_uint_eq(stream->redials, before + 1);
}

static bool
has_subscriber(void *arg)
{
	return bus_pub_subscribers(arg) > 0;
}

static bool
has_spoken(void *arg)
{
	const struct stream *stream = arg;

	return stream->has_spoken;
}

START_ISOLATED_TEST(test_a_deaf_endpoint_is_dialled_again, .hold_time = true)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rig *rig = rig_start(loop, NULL);
	const struct stream *stream;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", harness_tmpfile("deaf.sock"));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	stream = announce(rig, addr.sun_path);
	expect_redial(rig, stream, DEAF_MS);
	expect_redial(rig, stream, DEAF_MS);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_one_that_spoke_has_more_time, .hold_time = true)
{
	const char *path = harness_tmpfile("door.sock");
	struct rig *rig = rig_start(loop, NULL);
	struct feed feed = feed_new(1);
	struct stream *stream;
	struct bus_msg *msg;
	struct bus_pub *pub;

	ck_assert_int_eq(bus_pub_open(path, 0600, &pub), 0);
	stream = announce(rig, path);
	loop_run_until_true(loop, has_subscriber, pub, "the front's pipe", 0);
	msg = feed_jpeg(&feed);
	ck_assert_int_eq(bus_pub_send(pub, &msg->frame, msg->payload, msg->frame.payload_len), 0);
	bus_msg_unref(&msg);
	loop_run_until_true(loop, has_spoken, stream, "what was sent", 0);
	expect_redial(rig, stream, SILENT_MS);
	/* The new one has said nothing yet. */
	expect_redial(rig, stream, DEAF_MS);
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_bus");
	TCase *silence = tcase_create("silence");

	tcase_add_test(silence, test_a_deaf_endpoint_is_dialled_again);
	tcase_add_test(silence, test_one_that_spoke_has_more_time);
	suite_add_tcase(suite, silence);
	return suite;
}

HARNESS_MAIN(make_suite)
