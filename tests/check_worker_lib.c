/*
 * The worker's library between a fake supervisor, a fake input and a fake bus, on a fake clock.
 */
#include "config.h"

#include "worker/wrk.h"

#include "shared/chan.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/xalloc.h"
#include "tests/check_worker_fixture.h"
#include "tests/harness/harness.h"
#include "worker/wrk_replay.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define FRAME_MS 40

struct sent {
	struct frame frame;
	uint8_t *payload;
	int64_t at_ms;
};

struct rig {
	struct loop *loop;
	struct wrk *wrk;
	struct peer *supervisor;
	/* The fake bus */
	struct sent sent[2048];
	size_t n_sent;
	char path[128];
	unsigned mode;
	int open_rc;
	bool is_listening, is_unlinked;
	/* The fake input */
	int start_rc, starts, stops, frees;
	bool closes_at_once;
	char user[32], password[32];
	/* The fake process */
	bool has_exited;
	int exit_code;
};

static struct rig *rig; /* of the running test */

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
bus_resend(struct bus_pub *pub, const struct bus_msg *msg, uint16_t flags, uint32_t for_subscriber)
{
	struct frame frame = msg->frame;

	frame.flags = flags;
	frame.for_subscriber = for_subscriber;
	return bus_send(pub, &frame, msg->payload, msg->frame.payload_len);
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

static const struct wrk_bus_ops fake_bus = { bus_open, bus_send, bus_resend, bus_subscribers,
					     bus_unlink };

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

static const struct wrk_input_ops fake_input = { input_start, input_stop, input_free };

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
	for (size_t i = 0; i < rig->n_sent; i++)
		free(rig->sent[i].payload);
	free(arg);
}

static void
rig_new(struct loop *loop)
{
	struct wrk_deps deps = { .base = loop_base(loop),
				 .clock = loop_clock(loop),
				 .bus = &fake_bus,
				 .input = &fake_input,
				 .exit = process_exit };
	int fds[2];

	rig = xcalloc(1, sizeof(*rig));
	rig->loop = loop;
	rig->closes_at_once = true;
	loop_hold_time(loop, true);
	loop_pair(loop, SOCK_SEQPACKET, fds);
	rig->supervisor = peer_new_chan(loop, fds[0], MSG_FROM_WORKER, "supervisor");
	peer_ignore_msg(rig->supervisor, MSG_BEAT);
	peer_ignore_msg(rig->supervisor, MSG_WORKER_STATUS);
	deps.fd = fds[1];
	deps.input_arg = rig;
	rig->wrk = wrk_new(&deps);
	harness_defer(rig_free, rig);
}

static json_t *
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

/* A script that is empty does not read: tests await something after each step. */
static const json_t *
expect_input(const char *state)
{
	const json_t *msg = peer_get_msg(rig->supervisor, MSG_INPUT, 0);

	ck_assert_str_eq(msg_str(msg, "state"), state);
	return msg;
}

static void
configure(json_t *msg)
{
	peer_send_msg(rig->supervisor, msg, -1);
	peer_get_msg(rig->supervisor, MSG_READY, 0);
	expect_input("connecting");
}

static void
demand(bool on)
{
	json_t *msg = msg_new(MSG_DEMAND);

	msg_set_bool(msg, "on", on);
	peer_send_msg(rig->supervisor, msg, -1);
	ck_assert(msg_bool(peer_get_msg(rig->supervisor, MSG_DEMAND_DONE, 0), "on", !on) == on);
}

static void
ask_replay(uint32_t subscriber)
{
	json_t *msg = msg_new(MSG_REPLAY);

	msg_set_int(msg, "subscriber", subscriber);
	peer_send_msg(rig->supervisor, msg, -1);
	loop_settle(rig->loop);
}

static void
send_stop(void)
{
	peer_send_msg(rig->supervisor, msg_new(MSG_STOP), -1);
	loop_settle(rig->loop);
}

static void
deliver(struct wrk_unit unit)
{
	unit.arrived_monotonic_ns = clock_now_ns(loop_clock(rig->loop));
	wrk_deliver(rig->wrk, &unit);
}

/* Frames `from` to `to` - 1, one key frame in each `gop`; `ms` of time each. */
static void
deliver_frames(int from, int to, int gop)
{
	for (int i = from; i < to; i++) {
		if (i % gop == 0)
			deliver(H264_UNIT(SETS_720 SLICE_IDR, i * FRAME_MS));
		else
			deliver(H264_UNIT(SLICE_P, i * FRAME_MS));
	}
}

static void
go_up(void)
{
	rig->is_listening = false;
	configure(config());
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
}

/* Messages that are no pulse, from index *i on; NULL at the end. */
static const struct sent *
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

static size_t
count_sent(void)
{
	size_t i = 0, n = 0;

	while (next_sent(&i) != NULL)
		n++;
	return n;
}

static json_t *
last_pulse(void)
{
	for (size_t i = rig->n_sent; i > 0; i--) {
		const struct sent *sent = &rig->sent[i - 1];

		if (sent->frame.kind == FRAME_KIND_STATUS && sent->frame.for_subscriber == 0)
			return json_loads((const char *)sent->payload, 0, NULL);
	}
	ck_abort_msg("no pulse");
}

/* Start and end */

START_ASYNC_TEST(test_start)
{
	rig_new(loop);
	configure(config());
	ck_assert_str_eq(rig->path, "/run/x/bus/door-77.sock");
	ck_assert_uint_eq(rig->mode, 0660);
	ck_assert_int_eq(rig->starts, 1);
	ck_assert_str_eq(rig->user, "admin");
	ck_assert_str_eq(rig->password, "hunter22");
	log_forbid("hunter22");
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	ck_assert_uint_gt(peer_msg_count(rig->supervisor, MSG_READY), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_beats_while_the_input_is_silent)
{
	rig_new(loop);
	configure(config());
	loop_run_for_ms(loop, 3000);
	send_stop();
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_BEAT), 5);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_leaves_with_0)
{
	rig_new(loop);
	go_up();
	demand(true);
	send_stop();
	ck_assert_int_eq(rig->stops, 1);
	ck_assert(rig->has_exited && rig->is_unlinked);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.kind, FRAME_KIND_END);
	ck_assert_int_eq(rig->sent[rig->n_sent - 1].frame.seq, 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_supervisor_gone)
{
	rig_new(loop);
	go_up();
	peer_close(rig->supervisor);
	loop_settle(loop);
	ck_assert(rig->has_exited && rig->is_unlinked);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_before_config)
{
	rig_new(loop);
	send_stop();
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_too_long)
{
	rig_new(loop);
	rig->open_rc = -ENAMETOOLONG;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	ck_assert_int_eq(rig->starts, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bus_path_in_use)
{
	rig_new(loop);
	rig->open_rc = -EADDRINUSE;
	peer_send_msg(rig->supervisor, config(), -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_url_of_nobody)
{
	rig_new(loop);
	rig->start_rc = -EINVAL;
	configure(config());
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "unsupported");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_wrong_transport)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_str(msg, "transport", "smoke");
	peer_send_msg(rig->supervisor, msg, -1);
	loop_settle(loop);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

/* Sources that fail */

START_ASYNC_TEST(test_source_fails)
{
	const json_t *msg;

	rig_new(loop);
	configure(config());
	wrk_input_failed(rig->wrk, WRK_CLASS_AUTH, "wrong password");
	msg = expect_input("ended");
	ck_assert_str_eq(msg_str(msg, "class"), "auth");
	ck_assert_str_eq(msg_str(msg, "reason"), "wrong password");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_answer)
{
	rig_new(loop);
	configure(config());
	loop_run_for_ms(loop, 3990);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_CONNECTING);
	loop_run_for_ms(loop, 20);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_ENDED);
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_silence_is_told_then_ends)
{
	rig_new(loop);
	go_up();
	loop_run_for_ms(loop, 2990);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_UP);
	loop_run_for_ms(loop, 20);
	expect_input("stalled");
	ck_assert(!rig->has_exited);
	loop_run_for_ms(loop, 3000);
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_long_patience_still_tells_after_5_s)
{
	json_t *msg = config();

	rig_new(loop);
	msg_set_int(msg, "stall_ms", 60000);
	configure(msg);
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 1, 10);
	expect_input("up");
	loop_run_for_ms(loop, WRK_STALLED_AFTER_MAX_MS + 10);
	expect_input("stalled");
	loop_run_for_ms(loop, 59000);
	ck_assert(!rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stall_and_back)
{
	rig_new(loop);
	go_up();
	loop_run_for_ms(loop, 3010);
	expect_input("stalled");
	deliver_frames(1, 2, 10);
	expect_input("up");
	loop_run_for_ms(loop, 2900);
	ck_assert_int_eq(wrk_state(rig->wrk), WRK_STATE_UP);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_audio_alone_is_silence)
{
	rig_new(loop);
	go_up();
	for (int i = 0; i < 4; i++) {
		loop_run_for_ms(loop, 1000);
		deliver(make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMA, BYTES("aaaa"), i));
	}
	expect_input("stalled");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_no_key_frame_is_not_up)
{
	rig_new(loop);
	configure(config());
	wrk_input_opened(rig->wrk);
	demand(true);
	for (int i = 1; i < 9; i++) {
		deliver_frames(i, i + 1, 10);
		loop_run_for_ms(loop, 1000);
	}
	ck_assert_str_eq(msg_str(expect_input("connecting"), "reason"), "waiting for a key frame");
	ck_assert_uint_eq(count_sent(), 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_input_that_does_not_close)
{
	rig_new(loop);
	go_up();
	rig->closes_at_once = false;
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	expect_input("ended");
	loop_run_for_ms(loop, WRK_FAILED_GRACE_MS - 10);
	ck_assert(!rig->has_exited);
	loop_run_for_ms(loop, 20);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	expect_log("did not close in time");
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_stop_while_ending_leaves_with_0)
{
	rig_new(loop);
	go_up();
	rig->closes_at_once = false;
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	send_stop();
	ck_assert(!rig->has_exited);
	wrk_input_closed(rig->wrk);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	async_complete(loop);
}
END_ASYNC_TEST

/* Publishing */

START_ASYNC_TEST(test_headers)
{
	const struct sent *sent;
	size_t i = 0;

	rig_new(loop);
	go_up();
	demand(true);
	deliver_frames(10, 23, 10);
	for (uint64_t seq = 3; (sent = next_sent(&i)) != NULL; seq++) {
		ck_assert_uint_eq(sent->frame.seq, seq);
		ck_assert_uint_eq(sent->frame.stream_id, 3);
		ck_assert_uint_eq(sent->frame.epoch, 77);
		ck_assert_uint_eq(sent->frame.codec, FRAME_CODEC_H264);
		ck_assert_uint_eq(sent->frame.width, 1280);
		ck_assert_uint_eq(sent->frame.height, 720);
		ck_assert_uint_eq(sent->frame.config_version, 1);
		ck_assert_int_gt(sent->frame.arrived_monotonic_ns, 0);
	}
	/* Two GOPs: configuration, key frame, nine others; and again. */
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_mem_eq(rig->sent[0].payload, SETS_720, sizeof(SETS_720) - 1);
	ck_assert_uint_eq(rig->sent[1].frame.flags, FRAME_KEY | FRAME_CONFIG_IN_BAND);
	ck_assert_uint_eq(rig->sent[1].frame.gop_id, 2);
	ck_assert_uint_eq(rig->sent[1].frame.gop_index, 0);
	ck_assert_uint_eq(rig->sent[10].frame.gop_index, 9);
	ck_assert_uint_eq(rig->sent[10].frame.flags, 0);
	ck_assert_int_eq(rig->sent[10].frame.pts_ns, 19 * FRAME_MS * NS_PER_MS);
	ck_assert_uint_eq(rig->sent[11].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[12].frame.gop_id, 3);
	ck_assert_uint_eq(count_sent(), 15);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_config_changes_in_the_middle)
{
	rig_new(loop);
	go_up();
	demand(true);
	deliver(H264_UNIT(SETS_360 SLICE_P, 40));
	deliver(H264_UNIT(SLICE_P, 80));
	ck_assert_uint_eq(count_sent(), 3);
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[0].frame.config_version, 2);
	ck_assert_mem_eq(rig->sent[0].payload, SETS_360, sizeof(SETS_360) - 1);
	ck_assert_uint_eq(rig->sent[1].frame.config_version, 2);
	ck_assert_uint_eq(rig->sent[1].frame.width, 640);
	ck_assert_uint_eq(rig->sent[2].frame.config_version, 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nothing_without_demand)
{
	json_t *pulse;

	rig_new(loop);
	go_up();
	deliver_frames(1, 30, 10);
	ck_assert_uint_eq(count_sent(), 0);
	loop_run_for_ms(loop, 1000);
	pulse = last_pulse();
	ck_assert(msg_bool(pulse, "paused", false));
	/* Numbers go on: 30 frames and three configurations. */
	ck_assert_int_eq(msg_int(pulse, "last_video_seq", 0), 33);
	json_decref(pulse);
	demand(true);
	deliver_frames(31, 33, 10);
	ck_assert_uint_eq(count_sent(), 2);
	ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.seq, 35);
	demand(false);
	deliver_frames(33, 60, 10);
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(count_sent(), 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pulse_every_second)
{
	size_t n;

	rig_new(loop);
	go_up();
	n = rig->n_sent;
	for (int i = 1; i <= 10; i++) {
		deliver_frames(i, i + 1, 100);
		loop_run_for_ms(loop, 1000);
		ck_assert_uint_eq(rig->n_sent, n + (size_t)i);
		ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.kind, FRAME_KIND_STATUS);
		ck_assert_uint_eq(rig->sent[rig->n_sent - 1].frame.seq, 0);
	}
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_audio_has_numbers_of_its_own)
{
	rig_new(loop);
	go_up();
	demand(true);
	deliver(make_unit(FRAME_KIND_AUDIO, FRAME_CODEC_PCMU, BYTES("aaaa"), 0));
	ck_assert_uint_eq(rig->sent[0].frame.track, FRAME_TRACK_AUDIO);
	ck_assert_uint_eq(rig->sent[0].frame.seq, 1);
	ck_assert_uint_eq(rig->sent[0].frame.codec, FRAME_CODEC_PCMU);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_aac_config_comes_with_every_key_frame)
{
	struct wrk_unit asc = make_unit(FRAME_KIND_CONFIG, FRAME_CODEC_AAC, BYTES("\x12\x10"), 0);

	asc.track = FRAME_TRACK_AUDIO;
	rig_new(loop);
	go_up();
	demand(true);
	deliver(asc);
	deliver(asc);
	ck_assert_uint_eq(count_sent(), 1);
	deliver_frames(10, 11, 10);
	ck_assert_uint_eq(count_sent(), 4);
	ck_assert_uint_eq(rig->sent[2].frame.kind, FRAME_KIND_CONFIG);
	ck_assert_uint_eq(rig->sent[2].frame.track, FRAME_TRACK_AUDIO);
	ck_assert_uint_eq(rig->sent[2].frame.seq, 2);
	ck_assert_mem_eq(rig->sent[2].payload, "\x12\x10", 2);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_a_unit_too_large_leaves_a_hole)
{
	uint8_t *huge = xcalloc(1, FRAME_PAYLOAD_MAX + 1);
	struct wrk_unit unit =
	    make_unit(FRAME_KIND_VIDEO, FRAME_CODEC_H264, huge, FRAME_PAYLOAD_MAX + 1, 40);

	rig_new(loop);
	go_up();
	demand(true);
	deliver(unit);
	free(huge);
	deliver_frames(2, 3, 10);
	ck_assert_uint_eq(count_sent(), 1);
	ck_assert_uint_eq(rig->sent[0].frame.seq, 4);
	expect_log("larger than the bus takes");
	/* The GOP has a hole too: it is not replayed. */
	ask_replay(5);
	ck_assert_uint_eq(rig->n_sent, 2);
	ck_assert_uint_eq(rig->sent[1].frame.kind, FRAME_KIND_STATUS);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_damaged_units_go_out_marked)
{
	struct wrk_unit unit = H264_UNIT(SLICE_P, 40);

	rig_new(loop);
	go_up();
	demand(true);
	unit.flags = FRAME_CORRUPT | FRAME_DISCONTINUITY;
	deliver(unit);
	ck_assert_uint_eq(rig->sent[0].frame.flags, FRAME_CORRUPT | FRAME_DISCONTINUITY);
	async_complete(loop);
}
END_ASYNC_TEST

/* Replays */

static void
assert_replay_end(const struct sent *sent, uint32_t subscriber, uint64_t last_seq)
{
	json_t *end = json_loads((const char *)sent->payload, 0, NULL);

	ck_assert_uint_eq(sent->frame.kind, FRAME_KIND_STATUS);
	ck_assert_uint_eq(sent->frame.for_subscriber, subscriber);
	ck_assert_int_eq(msg_int(end, "replay_end", 0), subscriber);
	ck_assert_int_eq(msg_int(end, "last_video_seq", 0), (long long)last_seq);
	json_decref(end);
}

START_ASYNC_TEST(test_replay)
{
	rig_new(loop);
	go_up();
	deliver_frames(10, 15, 10);
	ask_replay(9);
	/* seq 1, 2 were the first GOP; 3 the configuration, 4 to 8 the frames. */
	ck_assert_uint_eq(count_sent(), 7);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(rig->sent[i].frame.seq, 3 + i);
		ck_assert(rig->sent[i].frame.flags & FRAME_REPLAY);
		ck_assert_uint_eq(rig->sent[i].frame.for_subscriber, 9);
	}
	ck_assert_uint_eq(rig->sent[0].frame.kind, FRAME_KIND_CONFIG);
	ck_assert(rig->sent[1].frame.flags & FRAME_KEY);
	assert_replay_end(&rig->sent[6], 9, 8);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_replay_joins_live_without_a_hole)
{
	uint64_t replayed = 0, live = 0;
	const struct sent *sent;
	size_t i = 0;

	rig_new(loop);
	go_up();
	deliver_frames(10, 110, 100);
	demand(true);
	deliver_frames(110, 200, 100);
	ask_replay(9);
	ck_assert_uint_lt(count_sent(), 90 + 100);
	/* Live frames go on between the portions. */
	for (int f = 201; f < 240; f++) {
		deliver_frames(f, f + 1, 1000);
		loop_run_for_ms(loop, 4);
	}
	while ((sent = next_sent(&i)) != NULL) {
		if (sent->frame.kind == FRAME_KIND_STATUS)
			assert_replay_end(sent, 9, replayed);
		else if (sent->frame.for_subscriber == 9)
			ck_assert(replayed == 0 || sent->frame.seq == replayed + 1);
		else
			ck_assert(live == 0 || sent->frame.seq == live + 1);
		if (sent->frame.kind != FRAME_KIND_STATUS)
			*(sent->frame.for_subscriber == 9 ? &replayed : &live) = sent->frame.seq;
	}
	ck_assert_uint_gt(replayed, 100);
	ck_assert_uint_eq(live, replayed + 39);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_replay_portions_fit_the_bus)
{
	size_t before;

	rig_new(loop);
	go_up();
	deliver_frames(1, 300, 1000);
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), WRK_REPLAY_FIRST_MSGS);
	for (int i = 0; i < 20; i++) {
		before = count_sent();
		loop_run_for_ms(loop, WRK_REPLAY_PORTION_MS);
		ck_assert_uint_le(count_sent() - before, WRK_REPLAY_PORTION_MSGS);
	}
	loop_run_for_ms(loop, 1000);
	ck_assert_uint_eq(count_sent(), 300 + 1 + 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_one_replay_a_second_each)
{
	rig_new(loop);
	go_up();
	for (int i = 0; i < 20; i++)
		ask_replay(9);
	ck_assert_uint_eq(count_sent(), 3);
	/* Another subscriber does not wait. */
	ask_replay(10);
	ck_assert_uint_eq(count_sent(), 6);
	/* All that came too soon is one, and is not lost. */
	loop_run_for_ms(loop, WRK_REPLAY_INTERVAL_MS - 10);
	ck_assert_uint_eq(count_sent(), 6);
	loop_run_for_ms(loop, 20);
	ck_assert_uint_eq(count_sent(), 9);
	loop_run_for_ms(loop, 5000);
	ck_assert_uint_eq(count_sent(), 9);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_too_many_subscribers)
{
	rig_new(loop);
	go_up();
	for (uint32_t i = 1; i <= WRK_REPLAY_SUBSCRIBERS_MAX; i++)
		ask_replay(i);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX);
	ask_replay(WRK_REPLAY_SUBSCRIBERS_MAX + 1);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX);
	expect_log("one is refused");
	loop_run_for_ms(loop, WRK_REPLAY_INTERVAL_MS);
	ask_replay(WRK_REPLAY_SUBSCRIBERS_MAX + 1);
	ck_assert_uint_eq(count_sent(), 3 * WRK_REPLAY_SUBSCRIBERS_MAX + 3);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_pause_breaks_a_replay_off)
{
	size_t n;

	rig_new(loop);
	go_up();
	deliver_frames(1, 300, 1000);
	ask_replay(9);
	demand(false);
	n = count_sent();
	loop_run_for_ms(loop, 900);
	ck_assert_uint_eq(count_sent(), n);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_gop_too_long_is_told)
{
	json_t *msg = config(), *pulse;

	rig_new(loop);
	msg_set_int(msg, "gop_cache_bytes", 2000);
	configure(msg);
	wrk_input_opened(rig->wrk);
	deliver_frames(0, 50, 100);
	expect_input("up");
	ask_replay(9);
	ck_assert_uint_eq(count_sent(), 1);
	assert_replay_end(&rig->sent[0], 9, 51);
	loop_run_for_ms(loop, 1000);
	pulse = last_pulse();
	ck_assert(!msg_bool(pulse, "gop_cached", true));
	ck_assert(msg_bool(pulse, "gop_too_long", false));
	json_decref(pulse);
	async_complete(loop);
}
END_ASYNC_TEST

/* Probing */

static void
configure_probe(void)
{
	json_t *msg = config();

	msg_set_bool(msg, "probe", true);
	msg_set_str(msg, "bus", "");
	configure(msg);
	ck_assert(!rig->is_listening);
	wrk_input_opened(rig->wrk);
}

START_ASYNC_TEST(test_probe)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	expect_input("up");
	loop_run_for_ms(loop, WRK_PROBE_MS + 10);
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert_uint_eq(rig->n_sent, 0);
	peer_drain_until_close(rig->supervisor);
	wrk_free(&rig->wrk);
	peer_run(rig->supervisor, 0);
	ck_assert_uint_ge(peer_msg_count(rig->supervisor, MSG_WORKER_STATUS), 1);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_of_a_short_file)
{
	rig_new(loop);
	configure_probe();
	deliver_frames(0, 3, 10);
	wrk_input_failed(rig->wrk, WRK_CLASS_EOF, "over");
	expect_input("up");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_ASKED);
	ck_assert(rig->has_exited);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_fails)
{
	rig_new(loop);
	configure_probe();
	wrk_input_failed(rig->wrk, WRK_CLASS_NOT_FOUND, "no such path");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "not-found");
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_probe_without_key_frame)
{
	rig_new(loop);
	configure_probe();
	for (int i = 1; i < 100 && !rig->has_exited; i++) {
		deliver_frames(i, i + 1, 1000);
		loop_run_for_ms(loop, 100);
	}
	expect_input("connecting");
	ck_assert_str_eq(msg_str(expect_input("ended"), "class"), "timeout");
	ck_assert(rig->has_exited);
	ck_assert_int_eq(rig->exit_code, CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ASYNC_TEST

static void
add_life(Suite *s)
{
	TCase *tc = tcase_create("life");

	tcase_add_test(tc, test_start);
	tcase_add_test(tc, test_beats_while_the_input_is_silent);
	tcase_add_test(tc, test_stop_leaves_with_0);
	tcase_add_test(tc, test_supervisor_gone);
	tcase_add_test(tc, test_stop_before_config);
	tcase_add_test(tc, test_bus_path_too_long);
	tcase_add_test(tc, test_bus_path_in_use);
	tcase_add_test(tc, test_url_of_nobody);
	tcase_add_test(tc, test_wrong_transport);
	tcase_add_test(tc, test_source_fails);
	tcase_add_test(tc, test_no_answer);
	tcase_add_test(tc, test_silence_is_told_then_ends);
	tcase_add_test(tc, test_long_patience_still_tells_after_5_s);
	tcase_add_test(tc, test_stall_and_back);
	tcase_add_test(tc, test_audio_alone_is_silence);
	tcase_add_test(tc, test_no_key_frame_is_not_up);
	tcase_add_test(tc, test_input_that_does_not_close);
	tcase_add_test(tc, test_stop_while_ending_leaves_with_0);
	suite_add_tcase(s, tc);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("worker_lib");
	TCase *tc = tcase_create("publishing"), *probe = tcase_create("probing");

	add_life(s);
	tcase_add_test(tc, test_headers);
	tcase_add_test(tc, test_config_changes_in_the_middle);
	tcase_add_test(tc, test_nothing_without_demand);
	tcase_add_test(tc, test_pulse_every_second);
	tcase_add_test(tc, test_audio_has_numbers_of_its_own);
	tcase_add_test(tc, test_aac_config_comes_with_every_key_frame);
	tcase_add_test(tc, test_a_unit_too_large_leaves_a_hole);
	tcase_add_test(tc, test_damaged_units_go_out_marked);
	tcase_add_test(tc, test_replay);
	tcase_add_test(tc, test_replay_joins_live_without_a_hole);
	tcase_add_test(tc, test_replay_portions_fit_the_bus);
	tcase_add_test(tc, test_one_replay_a_second_each);
	tcase_add_test(tc, test_too_many_subscribers);
	tcase_add_test(tc, test_pause_breaks_a_replay_off);
	tcase_add_test(tc, test_gop_too_long_is_told);
	suite_add_tcase(s, tc);
	tcase_add_test(probe, test_probe);
	tcase_add_test(probe, test_probe_of_a_short_file);
	tcase_add_test(probe, test_probe_fails);
	tcase_add_test(probe, test_probe_without_key_frame);
	suite_add_tcase(s, probe);
	return s;
}

HARNESS_MAIN(suite)
