/*
 * The fakes around a worker's library.
 */
#include "config.h"

#include "tests/check_worker_rig.h"

#include "shared/chan.h"
#include "shared/clock.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct rig *rig;

/* The fake bus */

static int
bus_open(const char *path, unsigned mode, struct bus_pub **pub)
{
	if (rig->open_rc < 0)
		return rig->open_rc;
	snprintf(rig->path, sizeof(rig->path), "%s", path);
	rig->mode = mode;
	rig->is_listening = true;
	*pub = (struct bus_pub *)rig;
	return 0;
}

static int
bus_send(struct bus_pub *pub, const struct frame *frame, const void *payload, size_t len)
{
	struct sent *sent = &rig->sent[rig->n_sent++];

	ck_assert_ptr_eq(pub, rig);
	ck_assert_uint_lt(rig->n_sent, sizeof(rig->sent) / sizeof(rig->sent[0]));
	sent->frame = *frame;
	sent->frame.payload_len = (uint32_t)len;
	sent->payload = xcalloc(1, len + 1);
	if (len > 0)
		memcpy(sent->payload, payload, len);
	sent->at_ms = loop_elapsed_ms(rig->loop);
	return 0;
}

static int
bus_send_msg(struct bus_pub *pub, struct bus_msg **msg)
{
	struct bus_msg *sent = *msg;
	int rc;

	ck_assert_int_eq(sent->refs, 1);
	rc = bus_send(pub, &sent->frame, sent->payload, sent->frame.payload_len);
	rig->sent[rig->n_sent - 1].written_at = sent->payload;
	bus_msg_unref(msg);
	return rc;
}

static int
bus_resend(struct bus_pub *pub, const struct bus_msg *msg, uint16_t flags, uint32_t for_subscriber)
{
	struct frame frame = msg->frame;

	frame.flags = flags;
	frame.for_subscriber = for_subscriber;
	bus_send(pub, &frame, msg->payload, msg->frame.payload_len);
	rig->sent[rig->n_sent - 1].written_at = msg->payload;
	return 0;
}

static int
bus_subscribers(const struct bus_pub *pub)
{
	(void)pub;
	return 1;
}

static void
bus_unlink(struct bus_pub *pub)
{
	(void)pub;
	rig->is_unlinked = true;
}

static const struct wrk_bus_ops fake_bus = {
	.open = bus_open,
	.send = bus_send,
	.send_msg = bus_send_msg,
	.resend = bus_resend,
	.subscribers = bus_subscribers,
	.unlink = bus_unlink,
};

/* The fake input */

static int
input_start(void *arg, struct wrk *wrk, const struct wrk_input_config *config, void **input)
{
	ck_assert_ptr_eq(arg, rig);
	(void)wrk;
	rig->starts++;
	snprintf(rig->user, sizeof(rig->user), "%s", config->user != NULL ? config->user : "-");
	snprintf(rig->password, sizeof(rig->password), "%s",
		 config->password != NULL ? config->password : "-");
	snprintf(rig->tls, sizeof(rig->tls), "%s", config->tls);
	snprintf(rig->challenge, sizeof(rig->challenge), "%s",
		 config->challenge != NULL ? config->challenge : "");
	rig->keep_vui = config->keep_vui;
	rig->reorder_ms = config->reorder_ms;
	rig->fd = config->fd;
	if (rig->start_rc < 0)
		return rig->start_rc;
	*input = rig;
	return 0;
}

static void
input_stop(void *input)
{
	ck_assert_ptr_eq(input, rig);
	rig->stops++;
	if (rig->closes_at_once)
		wrk_input_closed(rig->wrk);
}

static void
input_free(void *input)
{
	(void)input;
	rig->frees++;
}

static void
input_report(void *input, struct wrk_input_report *report)
{
	ck_assert_ptr_eq(input, rig);
	*report = rig->report;
}

static const struct wrk_input_ops fake_input = {
	.start = input_start,
	.stop = input_stop,
	.free = input_free,
	.report = input_report,
};

static void
process_exit(void *arg, int code)
{
	(void)arg;
	ck_assert(!rig->has_exited);
	rig->has_exited = true;
	rig->exit_code = code;
}

static void
rig_free(void *arg)
{
	wrk_free(&rig->wrk);
	if (rig->fd >= 0)
		ck_assert_int_eq(close(rig->fd), 0); /* it is the input's: nobody else has */
	for (size_t i = 0; i < rig->n_sent; i++)
		free(rig->sent[i].payload);
	free(arg);
}

void
rig_new_with_status(struct loop *loop)
{
	struct wrk_deps deps = { .base = loop_base(loop),
				 .clock = loop_clock(loop),
				 .bus = &fake_bus,
				 .exit = process_exit };
	int fds[2];

	rig = xcalloc(1, sizeof(*rig));
	rig->loop = loop;
	rig->input = fake_input;
	deps.input = &rig->input;
	rig->closes_at_once = true;
	rig->fd = -1;
	loop_hold_time(loop, true);
	loop_pair(loop, SOCK_SEQPACKET, fds);
	rig->supervisor = peer_new_chan(loop, fds[0], MSG_FROM_WORKER, "supervisor");
	peer_ignore_msg(rig->supervisor, MSG_BEAT);
	deps.fd = fds[1];
	deps.input_arg = rig;
	rig->wrk = wrk_new(&deps);
	harness_defer(rig_free, rig);
}

void
rig_new(struct loop *loop)
{
	rig_new_with_status(loop);
	peer_ignore_msg(rig->supervisor, MSG_WORKER_STATUS);
}

json_t *
config(void)
{
	json_t *msg = msg_new(MSG_WORKER_CONFIG);

	msg_set_str(msg, "stream", "door");
	msg_set_int(msg, "stream_id", 3);
	msg_set_int(msg, "epoch", 77);
	msg_set_str(msg, "url", "rtsp://192.0.2.1/");
	msg_set_str(msg, "user", "admin");
	msg_set_str(msg, "password", "hunter22");
	msg_set_str(msg, "transport", "tcp");
	msg_set_str(msg, "bus", "/run/x/bus/door-77.sock");
	msg_set_int(msg, "bus_mode", 0660);
	msg_set_int(msg, "gop_cache_bytes", 1 << 20);
	msg_set_int(msg, "open_timeout_ms", 4000);
	msg_set_int(msg, "stall_ms", 3000);
	msg_set_str(msg, "log_level", "debug");
	msg_set_bool(msg, "probe", false);
	return msg;
}

const json_t *
expect_input(const char *state)
{
	const json_t *msg = peer_get_msg(rig->supervisor, MSG_INPUT, 0);

	ck_assert_str_eq(msg_str(msg, "state"), state);
	return msg;
}

void
configure(json_t *msg)
{
	peer_send_msg(rig->supervisor, msg, -1);
	peer_get_msg(rig->supervisor, MSG_READY, 0);
	expect_input("connecting");
}

void
demand(bool on)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", on);
	peer_send_msg(rig->supervisor, msg, -1);
	ck_assert(msg_bool(peer_get_msg(rig->supervisor, MSG_DEMAND_DONE, 0), "on", !on) == on);
}

void
ask_replay(uint32_t subscriber)
{
	json_t *msg = msg_new(MSG_REPLAY);

	msg_set_int(msg, "subscriber", subscriber);
	peer_send_msg(rig->supervisor, msg, -1);
	loop_settle(rig->loop);
}

void
send_stop(void)
{
	peer_send_msg(rig->supervisor, msg_new(MSG_STOP), -1);
	loop_settle(rig->loop);
}

void
deliver(struct wrk_unit unit)
{
	unit.arrived_monotonic_ns = clock_now_ns(loop_clock(rig->loop));
	wrk_deliver(rig->wrk, &unit);
}

struct bus_msg *
deliver_msg(struct wrk_unit unit, size_t room)
{
	struct bus_msg *msg;
	uint8_t *data;
	size_t cap;

	msg = bus_msg_begin(unit.len > room ? unit.len : room, &data, &cap);
	ck_assert_ptr_nonnull(msg);
	memcpy(data, unit.data, unit.len);
	unit.data = data;
	unit.msg = msg;
	rig->written_at = data;
	deliver(unit);
	return msg;
}

void
deliver_frames(int from, int to, int gop)
{
	for (int i = from; i < to; i++) {
		if (i % gop == 0)
			deliver(H264_UNIT(SETS_720 SLICE_IDR, i * FRAME_MS));
		else
			deliver(H264_UNIT(SLICE_P, i * FRAME_MS));
	}
}

void
go_up(void)
{
	rig->is_listening = false;
	configure(config());
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
}

const struct sent *
next_sent(size_t *i)
{
	while (*i < rig->n_sent) {
		const struct sent *sent = &rig->sent[(*i)++];

		if (sent->frame.kind != FRAME_KIND_STATUS ||
		    sent->frame.for_subscriber != FRAME_ALL_SUBSCRIBERS)
			return sent;
	}
	return NULL;
}

size_t
count_sent(void)
{
	size_t i = 0, n = 0;

	while (next_sent(&i) != NULL)
		n++;
	return n;
}

json_t *
last_pulse(void)
{
	for (size_t i = rig->n_sent; i > 0; i--) {
		const struct sent *sent = &rig->sent[i - 1];

		if (sent->frame.kind == FRAME_KIND_STATUS && sent->frame.for_subscriber == 0)
			return json_loads((const char *)sent->payload, 0, NULL);
	}
	ck_abort_msg("no pulse");
}
