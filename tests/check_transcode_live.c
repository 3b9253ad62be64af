/*
 * Real H.265 to H.264: the pictures, their stamps, key frames, what is left out when the machine is
 * too slow; then the real camhub-transcode between two buses.
 */
#include "config.h"

#include "transcode/tc_live.h"

#include "shared/bus.h"
#include "shared/child_ev.h"
#include "shared/clock.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "transcode/tc_feed.h"
#include "transcode/tc_pipe.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <string.h>

#define STEP_NS 40000000 /* between two pictures */
#define UNITS   60
#define GOP     30

#define NEED_X265()                                                                                \
	do {                                                                                       \
		if (avcodec_find_encoder_by_name("libx265") == NULL)                               \
			HARNESS_SKIP("no libx265 in this FFmpeg");                                 \
	} while (0)

/* A clip of flat pictures, each of another brightness */

struct clip {
	AVPacket *units[UNITS];
	uint8_t config[4096];
	size_t config_len;
	int width, height;
};

static int
brightness(int i)
{
	return 40 + 2 * i;
}

static AVFrame *
new_picture(enum AVPixelFormat format, int width, int height)
{
	AVFrame *frame = av_frame_alloc();

	frame->format = format;
	frame->width = width;
	frame->height = height;
	ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
	return frame;
}

static void
paint(AVFrame *frame, int level)
{
	bool is_deep = frame->format == AV_PIX_FMT_YUV420P10;

	ck_assert_int_eq(av_frame_make_writable(frame), 0);
	for (int p = 0; p < 3; p++) {
		size_t n = (size_t)frame->linesize[p] * (size_t)(frame->height >> (p > 0));
		int value = p == 0 ? level : 128;

		if (!is_deep)
			memset(frame->data[p], value, n);
		for (size_t i = 0; is_deep && i < n / 2; i++)
			((uint16_t *)frame->data[p])[i] = (uint16_t)(value << 2);
	}
}

static AVCodecContext *
open_x265(enum AVPixelFormat format, int width, int height, int bframes)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx265");
	AVCodecContext *ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	char params[160];

	ck_assert_ptr_nonnull(ctx);
	av_log_set_level(AV_LOG_ERROR);
	ctx->width = width;
	ctx->height = height;
	ctx->pix_fmt = format;
	ctx->time_base = (AVRational){ 1, 25 };
	ctx->gop_size = GOP;
	ctx->thread_count = 1;
	ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	snprintf(params, sizeof(params),
		 "bframes=%d:b-adapt=0:scenecut=0:open-gop=0:min-keyint=%d:log-level=none:pools=1",
		 bframes, GOP);
	av_opt_set(ctx->priv_data, "preset", "ultrafast", 0);
	av_opt_set(ctx->priv_data, "x265-params", params, 0);
	ck_assert_int_eq(avcodec_open2(ctx, codec, NULL), 0);
	return ctx;
}

static struct clip *
make_clip(enum AVPixelFormat format, int width, int height, int bframes)
{
	AVCodecContext *ctx = open_x265(format, width, height, bframes);
	AVFrame *frame = new_picture(format, width, height);
	struct clip *clip = xcalloc(1, sizeof(*clip));
	int n = 0;

	clip->width = width;
	clip->height = height;
	clip->config_len = (size_t)ctx->extradata_size;
	ck_assert_uint_le(clip->config_len, sizeof(clip->config));
	memcpy(clip->config, ctx->extradata, clip->config_len);
	for (int i = 0; i <= UNITS; i++) {
		paint(frame, brightness(i));
		frame->pts = i;
		ck_assert_int_eq(avcodec_send_frame(ctx, i < UNITS ? frame : NULL), 0);
		while (n < UNITS) {
			clip->units[n] = av_packet_alloc();
			if (avcodec_receive_packet(ctx, clip->units[n]) < 0)
				break;
			n++;
		}
	}
	ck_assert_int_eq(n, UNITS);
	av_frame_free(&frame);
	avcodec_free_context(&ctx);
	return clip;
}

static void
free_clip(struct clip *clip)
{
	for (int i = 0; i < UNITS; i++)
		av_packet_free(&clip->units[i]);
	free(clip);
}

static bool
is_key(const struct clip *clip, int i)
{
	return (clip->units[i]->flags & AV_PKT_FLAG_KEY) != 0;
}

/* What is known of unit i: times that differ from each other. */
static struct tc_stamp
stamp_of(const struct clip *clip, int i)
{
	int64_t pts_ns = clip->units[i]->pts * STEP_NS;

	return (struct tc_stamp){
		.pts_ns = pts_ns,
		.arrived_realtime_ns = 1000000 + pts_ns,
		.arrived_monotonic_ns = 2000000 + pts_ns,
		.captured_realtime_ns = 3000000 + pts_ns,
		.duration_us = 40000,
		.is_key = is_key(clip, i),
	};
}

/* What came out */

struct made {
	AVPacket *packets[4 * UNITS];
	struct tc_stamp stamps[4 * UNITS];
	int n;
	int64_t now_ns;
};

static void
on_unit(void *arg, AVPacket *packet, const struct tc_stamp *stamp)
{
	struct made *made = arg;

	ck_assert_int_lt(made->n, 4 * UNITS);
	made->packets[made->n] = packet;
	made->stamps[made->n++] = *stamp;
}

static int64_t
now_ns(void *arg)
{
	return ((struct made *)arg)->now_ns;
}

static const struct tc_live_ops ops = { .unit = on_unit, .now_ns = now_ns };

static void
clear(struct made *made)
{
	while (made->n > 0)
		av_packet_free(&made->packets[--made->n]);
}

static struct tc_live *
new_live(struct made *made)
{
	struct tc_live *live = NULL;

	ck_assert_int_eq(tc_live_new(&ops, made, &live), 0);
	return live;
}

/* Unit i with the configuration before it, as it comes from the bus. */
static int
push(struct tc_live *live, const struct clip *clip, int i, const struct tc_stamp *stamp,
     size_t n_waiting)
{
	AVPacket *packet = av_packet_alloc();
	size_t before = is_key(clip, i) ? clip->config_len : 0;
	int rc;

	ck_assert_int_eq(av_new_packet(packet, (int)before + clip->units[i]->size), 0);
	memcpy(packet->data, clip->config, before);
	memcpy(packet->data + before, clip->units[i]->data, (size_t)clip->units[i]->size);
	rc = tc_live_push(live, packet, stamp, i == 0, n_waiting);
	av_packet_free(&packet);
	return rc;
}

static void
push_all(struct tc_live *live, const struct clip *clip, struct made *made, size_t n_waiting)
{
	for (int i = 0; i < UNITS; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		made->now_ns += STEP_NS;
		ck_assert_int_eq(push(live, clip, i, &stamp, n_waiting), 0);
	}
}

static int
mean_luma(const AVFrame *frame)
{
	int64_t sum = 0;

	for (int y = 0; y < frame->height; y++)
		for (int x = 0; x < frame->width; x++)
			sum += frame->data[0][y * frame->linesize[0] + x];
	return (int)(sum / (frame->width * frame->height));
}

/* All of it is decoded, without delay and without a mistake; each picture is that of its stamp. */
static void
check_pictures(const struct made *made, int width, int height)
{
	AVCodecContext *ctx = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
	AVFrame *frame = av_frame_alloc();

	ctx->thread_count = 1;
	ctx->err_recognition = AV_EF_EXPLODE;
	ck_assert_int_eq(avcodec_open2(ctx, NULL, NULL), 0);
	for (int i = 0; i < made->n; i++) {
		int expected = brightness((int)(made->stamps[i].pts_ns / STEP_NS));

		ck_assert_int_eq(avcodec_send_packet(ctx, made->packets[i]), 0);
		ck_assert_int_eq(avcodec_receive_frame(ctx, frame), 0);
		ck_assert_int_eq(frame->width, width);
		ck_assert_int_eq(frame->height, height);
		ck_assert_int_le(abs(mean_luma(frame) - expected), 3);
		av_frame_unref(frame);
	}
	av_frame_free(&frame);
	avcodec_free_context(&ctx);
}

static void
check_stamps(const struct made *made)
{
	for (int i = 0; i < made->n; i++) {
		const struct tc_stamp *stamp = &made->stamps[i];

		ck_assert_int_eq(stamp->arrived_realtime_ns, 1000000 + stamp->pts_ns);
		ck_assert_int_eq(stamp->arrived_monotonic_ns, 2000000 + stamp->pts_ns);
		ck_assert_int_eq(stamp->captured_realtime_ns, 3000000 + stamp->pts_ns);
		ck_assert(i == 0 || stamp->pts_ns > made->stamps[i - 1].pts_ns);
	}
}

/* In processes that leave by _exit(): x265 leaks, which is not what is tested here. */

static void
check_clip(enum AVPixelFormat format, int width, int height, int bframes, int new_width,
	   int new_height)
{
	struct clip *clip = make_clip(format, width, height, bframes);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);

	push_all(live, clip, &made, 0);
	/* What B-frames hold back is held back still. */
	ck_assert_int_ge(made.n, UNITS - 2 * bframes);
	if (bframes == 0)
		ck_assert_int_eq(made.n, UNITS);
	for (int i = 0; i < made.n; i++)
		ck_assert_int_eq(made.stamps[i].is_key, i % GOP == 0);
	check_stamps(&made);
	check_pictures(&made, new_width, new_height);
	ck_assert_uint_eq(tc_live_dropped(live), 0);
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
}

START_ISOLATED_TEST(test_one_for_each_at_once, .real_clock = true)
{
	NEED_X265();
	check_clip(AV_PIX_FMT_YUV420P, 320, 240, 0, 320, 240);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_b_frames_come_in_order, .real_clock = true)
{
	NEED_X265();
	check_clip(AV_PIX_FMT_YUV420P, 320, 240, 2, 320, 240);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_odd_and_ten_bits, .real_clock = true)
{
	NEED_X265();
	check_clip(AV_PIX_FMT_YUV420P10, 322, 242, 0, 322, 242);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_too_large_is_made_smaller, .real_clock = true)
{
	NEED_X265();
	check_clip(AV_PIX_FMT_YUV420P, 2048, 64, 0, 1920, 60);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_key_frames_by_time, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 160, 96, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);

	/* A picture each 100 ms: the source's own key frames are 3 s apart. */
	for (int i = 0; i < UNITS; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		stamp.pts_ns = i * INT64_C(100000000);
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	for (int i = 0; i < UNITS; i++)
		ck_assert_int_eq(made.stamps[i].is_key, i == 0 || i == 20 || i == 30 || i == 50);
	clear(&made);
	tc_live_free(&live);
	/* And 10 ms: too many pictures, and key frames too often. */
	live = new_live(&made);
	for (int i = 0; i < UNITS; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		stamp.pts_ns = i * INT64_C(10000000);
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	ck_assert_int_eq(made.n, UNITS / 3);
	for (int i = 0; i < made.n; i++)
		ck_assert_int_eq(made.stamps[i].is_key,
				 i == 0 || made.stamps[i].pts_ns == INT64_C(510000000));
	ck_assert_uint_eq(tc_live_dropped(live), 0);
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_only_the_newest_of_those_behind_is_shown, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 320, 240, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);

	for (int i = 0; i < 20; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		stamp.is_behind = i < 19;
		/* However many wait: the first picture is not left out. */
		ck_assert_int_eq(push(live, clip, i, &stamp, 50), 0);
	}
	ck_assert_int_eq(made.n, 1);
	ck_assert(made.stamps[0].is_key);
	ck_assert_int_eq(made.stamps[0].pts_ns, 19 * STEP_NS);
	ck_assert_uint_eq(tc_live_dropped(live), 0);
	check_pictures(&made, 320, 240);
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_too_slow_leaves_pictures_out_and_counts_them, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 320, 240, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);

	push_all(live, clip, &made, TC_LIVE_WAITING_MAX);
	ck_assert_int_eq(made.n, UNITS);
	clear(&made);
	tc_live_free(&live);
	live = new_live(&made);
	push_all(live, clip, &made, TC_LIVE_WAITING_MAX + 1);
	/* One in 250 ms of 40 ms each. */
	ck_assert_int_eq(made.n, (UNITS + 6) / 7);
	ck_assert_uint_eq(tc_live_dropped(live), (uint64_t)(UNITS - made.n));
	check_stamps(&made);
	check_pictures(&made, 320, 240);
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

START_ISOLATED_TEST(test_another_size_and_rubbish, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 320, 240, 0);
	struct clip *other = make_clip(AV_PIX_FMT_YUV420P, 160, 96, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);
	struct tc_stamp stamp;
	int n;

	memset(clip->units[1]->data + 6, 0xa5, (size_t)clip->units[1]->size - 6);
	for (int i = 0; i < 4; i++) {
		stamp = stamp_of(clip, i);
		stamp.is_broken = i > 0;
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	n = made.n;
	ck_assert_int_ge(n, 1);
	for (int i = 1; i < n; i++)
		ck_assert(made.stamps[i].is_broken);
	stamp = stamp_of(other, 0);
	stamp.pts_ns = 4 * STEP_NS;
	ck_assert_int_eq(push(live, other, 0, &stamp, 0), 0);
	ck_assert_int_eq(made.n, n + 1);
	ck_assert(made.stamps[n].is_key && !made.stamps[n].is_broken);
	/* Time goes back, and far on. */
	for (int i = 1; i < 4; i++) {
		stamp = stamp_of(other, i);
		stamp.pts_ns = i == 2 ? INT64_C(-5000000000) : i * INT64_C(9000000000000);
		stamp.is_jump = true;
		ck_assert_int_eq(push(live, other, i, &stamp, 0), 0);
		ck_assert_int_eq(made.n, n + 1 + i);
		ck_assert(made.stamps[n + i].is_key && made.stamps[n + i].is_jump);
	}
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
	free_clip(other);
	async_complete(loop);
}
END_ISOLATED_TEST

/* Messages of a bus */

static struct frame
frame_of(const struct clip *clip, int i, uint64_t seq)
{
	struct tc_stamp stamp = stamp_of(clip, i);

	return (struct frame){
		.stream_id = 5,
		.kind = FRAME_KIND_VIDEO,
		.codec = FRAME_CODEC_H265,
		.flags = is_key(clip, i) ? FRAME_KEY : 0,
		.epoch = 9,
		.seq = seq,
		.config_version = 1,
		.pts_ns = stamp.pts_ns,
		.dts_ns = stamp.pts_ns,
		.duration_us = stamp.duration_us,
		.arrived_realtime_ns = stamp.arrived_realtime_ns,
		.arrived_monotonic_ns = stamp.arrived_monotonic_ns,
		.captured_realtime_ns = stamp.captured_realtime_ns,
	};
}

/* The thread's queue */

struct count {
	struct tc_pipe *pipe;
	uint64_t n, pushed;
	bool is_closed;
};

static void
drain(struct count *count)
{
	struct tc_result *result;

	while ((result = tc_pipe_pop(count->pipe)) != NULL) {
		ck_assert_int_ne(result->kind, TC_RESULT_FAILED);
		count->n += result->kind == TC_RESULT_UNIT;
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
push_pipe(struct tc_pipe *pipe, const struct clip *clip, int i, int64_t more_ns)
{
	struct frame frame = frame_of(clip, i, 1);
	struct frame about = { .kind = FRAME_KIND_CONFIG, .codec = FRAME_CODEC_H265 };
	struct bus_msg *msg, *config = bus_msg_new(&about, clip->config, clip->config_len);
	struct tc_unit unit = { .config = is_key(clip, i) ? config : NULL, .is_start = i == 0 };
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
		int rc = push_pipe(count.pipe, clip, i == 0 ? 0 : 1 + i % (GOP - 1), i * STEP_NS);

		ck_assert(rc == 0 || rc == -EBUSY);
		n_busy += rc == -EBUSY;
		count.pushed += rc == 0;
	}
	ck_assert_int_eq(n_busy, 1);
	ck_assert_uint_ge(tc_pipe_dropped(count.pipe), TC_PIPE_MAX_UNITS);
	loop_run_until_true(loop, is_accounted_for, &count, "every unit", 0);
	/* A key frame sends the late ones away. */
	for (int i = 0; i < 1 + TC_PIPE_MAX_UNITS / 2; i++)
		count.pushed += push_pipe(count.pipe, clip, i == 0 ? 0 : 1 + i % (GOP - 1), 0) == 0;
	count.pushed += push_pipe(count.pipe, clip, GOP, 0) == 0;
	loop_run_until_true(loop, is_accounted_for, &count, "every unit", 0);
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
	Suite *s = suite_create("transcode_live");
	TCase *live = tcase_create("live"), *program = tcase_create("program");

	tcase_add_test(live, test_one_for_each_at_once);
	tcase_add_test(live, test_b_frames_come_in_order);
	tcase_add_test(live, test_odd_and_ten_bits);
	tcase_add_test(live, test_too_large_is_made_smaller);
	tcase_add_test(live, test_key_frames_by_time);
	tcase_add_test(live, test_only_the_newest_of_those_behind_is_shown);
	tcase_add_test(live, test_too_slow_leaves_pictures_out_and_counts_them);
	tcase_add_test(live, test_another_size_and_rubbish);
	tcase_add_test(live, test_what_waits_is_bounded_and_all_is_counted);
	suite_add_tcase(s, live);
	tcase_add_test(program, test_the_program_from_bus_to_bus);
	tcase_add_test(program, test_silence_on_the_bus_ends_it);
	suite_add_tcase(s, program);
	return s;
}

HARNESS_MAIN(suite)
