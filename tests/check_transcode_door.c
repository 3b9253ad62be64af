/*
 * camhub-transcode while somebody watches: the queue in front of its thread, and the real program
 * between two buses.
 */
#include "config.h"

#include "transcode/tc_pipe.h"

#include "shared/bus.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "tests/check_transcode_clip.h"
#include "tests/harness/harness.h"
#include "transcode/tc_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The thread's queue */

struct count {
	struct tc_pipe *pipe;
	uint64_t n, n_jumps, pushed;
	bool is_closed;
};

static void
drain(struct count *count)
{
	struct tc_result *result;

	while ((result = tc_pipe_pop(count->pipe)) != NULL) {
		ck_assert_int_ne(result->kind, TC_RESULT_FAILED);
		count->n += result->kind == TC_RESULT_UNIT;
		count->n_jumps += result->stamp.is_jump;
		count->is_closed = result->kind == TC_RESULT_CLOSED;
		tc_result_free(&result);
	}
}

static bool
is_accounted_for(void *arg)
{
	struct count *count = arg;

	drain(count);
	return count->n + tc_pipe_dropped(count->pipe) == count->pushed;
}

static bool
is_closed(void *arg)
{
	drain(arg);
	return ((struct count *)arg)->is_closed;
}

static int
push_pipe(struct tc_pipe *pipe, const struct clip *clip, int i, int64_t more_ns, bool is_jump)
{
	struct frame frame = frame_of(clip, i, 1);
	struct frame about = { .kind = FRAME_KIND_CONFIG, .codec = FRAME_CODEC_H265 };
	struct bus_msg *msg, *config = bus_msg_new(&about, clip->config, clip->config_len);
	struct tc_unit unit = { .config = is_key(clip, i) ? config : NULL,
				.is_start = i == 0,
				.is_jump = is_jump };
	int rc;

	frame.pts_ns += more_ns;
	msg = bus_msg_new(&frame, clip->units[i]->data, (size_t)clip->units[i]->size);
	unit.msg = msg;
	rc = tc_pipe_push(pipe, &unit);
	bus_msg_unref(&msg);
	bus_msg_unref(&config);
	return rc;
}

/* Much faster than any machine: units come out, or are counted, and what waits stays small. */
START_ISOLATED_TEST(test_what_waits_is_bounded_and_all_is_counted, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 640, 480, 0);
	struct count count = { .n = 0 };
	int n_busy = 0;

	ck_assert_int_eq(tc_pipe_new(&count.pipe), 0);
	/* No key frame but the first: nothing but the bound sends them away. */
	for (int i = 0; i < 100000 && n_busy == 0; i++) {
		int rc = push_pipe(count.pipe, clip, i == 0 ? 0 : 1 + i % (GOP - 1),
				   (int64_t)i * STEP_NS, i == TC_PIPE_MAX_UNITS - 20);

		ck_assert(rc == 0 || rc == -EBUSY);
		n_busy += rc == -EBUSY;
		count.pushed += rc == 0;
	}
	ck_assert_int_eq(n_busy, 1);
	ck_assert_uint_ge(tc_pipe_dropped(count.pipe), TC_PIPE_MAX_UNITS);
	loop_run_until_true(loop, is_accounted_for, &count, "every unit", 0);
	/* A key frame sends the late ones away. */
	for (int i = 0; i < 1 + TC_PIPE_MAX_UNITS / 2; i++)
		count.pushed +=
		    push_pipe(count.pipe, clip, i == 0 ? 0 : 1 + i % (GOP - 1), 0, false) == 0;
	count.pushed += push_pipe(count.pipe, clip, GOP, 0, false) == 0;
	loop_run_until_true(loop, is_accounted_for, &count, "every unit", 0);
	/* One unit jumped: thrown away, or not, it did. */
	ck_assert_uint_eq(count.n_jumps, 1);
	tc_pipe_stop(count.pipe);
	loop_run_until_true(loop, is_closed, &count, "the end of the thread", 0);
	tc_pipe_free(&count.pipe);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

/* The real program */

#define ME        42
#define REPLAYED  15 /* units 0 to 14; the rest come live */
#define LIVE_LAST 39

struct bus_rig {
	struct loop *loop;
	struct program *program;
	struct peer *supervisor;
	struct bus_pub *source;
	struct bus_sub *sub;
	struct bus_msg *msgs[256];
	size_t n, wanted;
	uint64_t seq;
	struct clock_timer pulse;
};

static json_t *
config(void)
{
	json_t *msg = msg_new(MSG_WORKER_CONFIG);

	msg_set_str(msg, "stream", "door.h264");
	msg_set_int(msg, "stream_id", 6);
	msg_set_int(msg, "epoch", 77);
	msg_set_str(msg, "url", "camhub:door");
	msg_set_str(msg, "transport", "auto");
	msg_set_str(msg, "bus", harness_tmpfile("door.h264.sock"));
	msg_set_int(msg, "bus_mode", 0600);
	msg_set_int(msg, "gop_cache_bytes", 1 << 24);
	msg_set_int(msg, "open_timeout_ms", 600000);
	msg_set_int(msg, "stall_ms", 600000);
	msg_set_str(msg, "log_level", "debug");
	msg_set_bool(msg, "probe", false);
	msg_set_str(msg, "source_bus", harness_tmpfile("door.sock"));
	msg_set_int(msg, "source_id", 5);
	msg_set_int(msg, "subscriber", ME);
	return msg;
}

static bool
is_connected(void *arg)
{
	return bus_sub_connected(((struct bus_rig *)arg)->sub);
}

static void
start(struct bus_rig *rig, struct loop *loop)
{
	static const char *const argv[] = { "camhub-transcode", "door", "h264", NULL };
	json_t *demand = msg_new(MSG_DEMAND);

	rig->loop = loop;
	ck_assert_int_eq(bus_pub_open(harness_tmpfile("door.sock"), 0600, &rig->source), 0);
	rig->program =
	    program_start(loop, &(struct program_options){
				    .path = TRANSCODE, .argv = argv, .receive = MSG_FROM_WORKER });
	rig->supervisor = program_peer(rig->program);
	peer_ignore_msg(rig->supervisor, MSG_BEAT);
	peer_ignore_msg(rig->supervisor, MSG_WORKER_STATUS);
	peer_send_msg(rig->supervisor, config(), -1);
	peer_get_msg(rig->supervisor, MSG_READY, 0);
	ck_assert_int_eq(bus_sub_open(harness_tmpfile("door.h264.sock"), &rig->sub), 0);
	loop_run_until_true(loop, is_connected, rig, "a connected subscriber", 0);
	msg_set_bool(demand, "on", true);
	peer_send_msg(rig->supervisor, demand, -1);
}

static void
send_unit(struct bus_rig *rig, const struct clip *clip, int i, bool is_replay)
{
	struct frame frame = frame_of(clip, i, 0), about = frame;

	about.kind = FRAME_KIND_CONFIG;
	if (is_replay) {
		frame.flags |= FRAME_REPLAY;
		frame.for_subscriber = about.for_subscriber = ME;
	}
	about.flags = is_replay ? FRAME_REPLAY : 0;
	if (is_key(clip, i)) {
		about.seq = ++rig->seq;
		ck_assert_int_eq(bus_pub_send(rig->source, &about, clip->config, clip->config_len),
				 0);
	}
	frame.seq = ++rig->seq;
	ck_assert_int_eq(
	    bus_pub_send(rig->source, &frame, clip->units[i]->data, (size_t)clip->units[i]->size),
	    0);
}

static void
end_replay(struct bus_rig *rig)
{
	static const char text[] = "{\"replay_end\":42,\"last_video_seq\":21,\"messages\":21}";
	const struct frame frame = { .stream_id = 5,
				     .kind = FRAME_KIND_STATUS,
				     .flags = FRAME_REPLAY,
				     .for_subscriber = ME };

	ck_assert_int_eq(bus_pub_send(rig->source, &frame, text, sizeof(text) - 1), 0);
}

/* A worker says once a second that it is there. */
static void
on_pulse(struct clock_timer *timer, void *arg)
{
	struct bus_rig *rig = arg;
	const struct frame frame = { .stream_id = 5, .kind = FRAME_KIND_STATUS };

	ck_assert_int_eq(bus_pub_send(rig->source, &frame, "{}", 2), 0);
	clock_timer_set_ms(timer, 300);
}

static bool
has_wanted(void *arg)
{
	struct bus_rig *rig = arg;
	struct bus_msg *msg;

	while (rig->n < sizeof(rig->msgs) / sizeof(rig->msgs[0]) &&
	       bus_sub_recv(rig->sub, &msg) == 0) {
		if (msg->frame.kind == FRAME_KIND_STATUS)
			bus_msg_unref(&msg);
		else
			rig->msgs[rig->n++] = msg;
	}
	return rig->n >= rig->wanted;
}

static void
await(struct bus_rig *rig, size_t wanted)
{
	rig->wanted = wanted;
	loop_run_until_true(rig->loop, has_wanted, rig, "units of H.264", 0);
}

static void
check_unit(const struct bus_rig *rig, size_t at, int i)
{
	const struct frame *frame = &rig->msgs[at]->frame;

	ck_assert_int_eq(frame->kind, FRAME_KIND_VIDEO);
	ck_assert_int_eq(frame->codec, FRAME_CODEC_H264);
	ck_assert_uint_eq(frame->stream_id, 6);
	ck_assert_uint_eq(frame->seq, rig->msgs[at - 1]->frame.seq + 1);
	ck_assert_int_eq(frame->pts_ns, (int64_t)i * STEP_NS);
	ck_assert_int_eq(frame->dts_ns, frame->pts_ns);
	ck_assert_int_eq(frame->arrived_realtime_ns, 1000000 + frame->pts_ns);
	ck_assert_int_eq(frame->arrived_monotonic_ns, 2000000 + frame->pts_ns);
	ck_assert_int_eq(frame->captured_realtime_ns, 3000000 + frame->pts_ns);
	ck_assert_uint_eq(frame->width, 320);
}

START_ISOLATED_TEST(test_the_program_from_bus_to_bus, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 320, 240, 0);
	static struct bus_rig rig;

	start(&rig, loop);
	ck_assert_int_eq(msg_int(peer_get_msg(rig.supervisor, MSG_WANT_REPLAY, 0), "id", 0), 5);
	for (int i = 0; i < REPLAYED; i++)
		send_unit(&rig, clip, i, true);
	end_replay(&rig);
	/* Of all that is behind only the newest picture, as a key frame with its configuration. */
	await(&rig, 2);
	ck_assert_int_eq(rig.msgs[0]->frame.kind, FRAME_KIND_CONFIG);
	ck_assert(rig.msgs[1]->frame.flags & FRAME_KEY);
	check_unit(&rig, 1, REPLAYED - 1);
	/* One by one, as a camera sends them. */
	for (int i = REPLAYED; i < LIVE_LAST; i++) {
		send_unit(&rig, clip, i, false);
		await(&rig, rig.n + (i == GOP ? 2 : 1));
		check_unit(&rig, rig.n - 1, i);
		ck_assert_int_eq((rig.msgs[rig.n - 1]->frame.flags & FRAME_KEY) != 0, i == GOP);
	}
	peer_send_msg(rig.supervisor, msg_new(MSG_STOP), -1);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_ASKED);
	while (rig.n > 0)
		bus_msg_unref(&rig.msgs[--rig.n]);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

/* The bus loses one in mid-group: the rest of the group comes again, and the picture goes on. */
START_ISOLATED_TEST(test_a_hole_is_mended_before_the_next_key_frame, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 320, 240, 0);
	static struct bus_rig rig;
	int lost = 5;

	start(&rig, loop);
	peer_get_msg(rig.supervisor, MSG_WANT_REPLAY, 0);
	for (int i = 0; i < lost; i++)
		send_unit(&rig, clip, i, true);
	end_replay(&rig);
	await(&rig, 2);
	clock_timer_init(&rig.pulse, loop_clock(loop), on_pulse, &rig);
	clock_timer_set_ms(&rig.pulse, 0);
	rig.seq++;
	send_unit(&rig, clip, lost + 1, false);
	peer_get_msg(rig.supervisor, MSG_WANT_REPLAY, 0);
	rig.seq = 0;
	for (int i = 0; i <= lost + 1; i++)
		send_unit(&rig, clip, i, true);
	end_replay(&rig);
	await(&rig, 3);
	check_unit(&rig, 2, lost + 1);
	send_unit(&rig, clip, lost + 2, false);
	await(&rig, 4);
	check_unit(&rig, 3, lost + 2);
	clock_timer_cancel(&rig.pulse);
	peer_send_msg(rig.supervisor, msg_new(MSG_STOP), -1);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_ASKED);
	while (rig.n > 0)
		bus_msg_unref(&rig.msgs[--rig.n]);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

/* Filters in force, as the kernel counts them; -1: it does not. */
static int
count_filters(pid_t pid)
{
	char path[64], line[256];
	FILE *file;
	int n = -1;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		(void)sscanf(line, "Seccomp_filters: %d", &n);
	(void)fclose(file);
	return n;
}

static bool
has_both_filters(void *arg)
{
	const struct bus_rig *rig = arg;

	return count_filters(program_pid(rig->program)) == 2 + count_filters(getpid());
}

/* The word of a worker that it is there is enough: no frame was seen yet. */
START_ISOLATED_TEST(test_it_is_shut_in_before_it_sees_a_frame, .real_clock = true)
{
	static struct bus_rig rig;

#ifdef CAMHUB_NO_SANDBOX
	HARNESS_SKIP("built without a sandbox");
#endif
	if (getenv("CAMHUB_SANDBOX") != NULL || count_filters(getpid()) < 0)
		HARNESS_SKIP("nothing counts the filters");
	start(&rig, loop);
	peer_get_msg(rig.supervisor, MSG_WANT_REPLAY, 0);
	ck_assert(!has_both_filters(&rig));
	clock_timer_init(&rig.pulse, loop_clock(loop), on_pulse, &rig);
	clock_timer_set_ms(&rig.pulse, 0);
	loop_run_until_true(loop, has_both_filters, &rig, "the second filter", 0);
	clock_timer_cancel(&rig.pulse);
	peer_send_msg(rig.supervisor, msg_new(MSG_STOP), -1);
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_ASKED);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_silence_on_the_bus_ends_it, .real_clock = true)
{
	static struct bus_rig rig;
	const json_t *msg;

	start(&rig, loop);
	do
		msg = peer_get_msg(rig.supervisor, MSG_INPUT, 0);
	while (strcmp(msg_str(msg, "state"), "ended") != 0);
	ck_assert_str_eq(msg_str(msg, "reason"), "silence on the bus");
	ck_assert_int_eq(program_wait(rig.program, 0), CHILD_EXIT_RETRY);
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("transcode_door");
	TCase *queue = tcase_create("queue"), *program = tcase_create("program");

	tcase_add_test(queue, test_what_waits_is_bounded_and_all_is_counted);
	suite_add_tcase(s, queue);
	tcase_add_test(program, test_the_program_from_bus_to_bus);
	tcase_add_test(program, test_a_hole_is_mended_before_the_next_key_frame);
	tcase_add_test(program, test_silence_on_the_bus_ends_it);
	tcase_add_test(program, test_it_is_shut_in_before_it_sees_a_frame);
	suite_add_tcase(s, program);
	return s;
}

HARNESS_MAIN(suite)
