/*
 * Around the real worker.
 */
#include "config.h"

#include "tests/check_worker_av_rig.h"

#include "shared/child_ev.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

json_t *
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

struct rig
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
	snprintf(rig.bus, sizeof(rig.bus), "%s", msg_str(msg, "bus"));
	peer_send_msg(rig.supervisor, msg, -1);
	peer_get_msg(rig.supervisor, MSG_READY, 0);
	return rig;
}

const json_t *
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

void
take_socket_away(const struct rig *rig)
{
	ck_assert_int_eq(unlink(rig->bus), 0);
}

void
await_ended(struct rig *rig, const char *class)
{
	const json_t *msg = await_input(rig, "ended");

	ck_assert_str_eq(msg_str(msg, "class"), class);
	ck_assert_str_ne(msg_str(msg, "reason"), "");
	ck_assert_int_eq(program_wait(rig->program, 0), CHILD_EXIT_RETRY);
	/* The reading thread came back when it was called. */
	ck_assert_ptr_null(strstr(program_output(rig->program), "did not close in time"));
	take_socket_away(rig);
}

void
demand(struct rig *rig, bool on)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", on);
	peer_send_msg(rig->supervisor, msg, -1);
	ck_assert(msg_bool(peer_get_msg(rig->supervisor, MSG_DEMAND_DONE, 0), "on", !on) == on);
}

void
ask_replay(struct rig *rig, uint32_t subscriber)
{
	json_t *msg = msg_new(MSG_REPLAY);

	msg_set_int(msg, "subscriber", subscriber);
	peer_send_msg(rig->supervisor, msg, -1);
}

void
stop(struct rig *rig)
{
	peer_send_msg(rig->supervisor, msg_new(MSG_STOP), -1);
	ck_assert_int_eq(program_wait(rig->program, 0), CHILD_EXIT_ASKED);
	take_socket_away(rig);
}

/* The subscriber */

void
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

bool
is_connected(void *arg)
{
	struct rig *rig = arg;

	return bus_sub_connected(rig->sub);
}

void
subscribe(struct rig *rig)
{
	ck_assert_int_eq(bus_sub_open(harness_tmpfile("door.sock"), &rig->sub), 0);
	loop_run_until_true(rig->loop, is_connected, rig, "a connected subscriber", 0);
}

size_t
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

void
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

void
await_replay(struct rig *rig, uint32_t subscriber)
{
	rig->wanted_for = subscriber;
	loop_run_until_true(rig->loop, has_replay_end, rig, "the end of a replay", 0);
}

void
forget(struct rig *rig)
{
	while (rig->n > 0)
		bus_msg_unref(&rig->msgs[--rig->n]);
}

size_t
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

struct rig
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

#define PART "--b\r\nContent-Type: image/jpeg\r\n\r\n"

/* One part, with a comment in the picture that makes it as large as real ones: demuxers read some
 * kilobytes before they know what they have. */
void
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

void
send_parts_head(struct peer *camera)
{
	peer_send_text(camera, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; "
			       "boundary=b\r\n\r\n");
}

void
send_parts(struct peer *camera)
{
	send_parts_head(camera);
	for (int i = 0; i < 4; i++)
		send_part(camera);
	peer_drain_until_close(camera);
}
