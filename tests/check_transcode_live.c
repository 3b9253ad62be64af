/*
 * Real H.265 to H.264: the pictures, their stamps, key frames, what is left out when the machine is
 * too slow.
 */
#include "config.h"

#include "transcode/tc_live.h"

#include "shared/xalloc.h"
#include "tests/check_transcode_clip.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <string.h>

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
	ck_assert_uint_eq(tc_live_thinned(live), (uint64_t)(UNITS - made.n));
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

START_ISOLATED_TEST(test_uneven_times_leave_nothing_out, .real_clock = true)
{
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 160, 96, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);
	int64_t pts_ns = 0;

	/* 30 a second, by turns 46 and 20 ms apart. */
	for (int i = 0; i < UNITS; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		pts_ns += i % 2 == 1 ? 46000000 : 20000000;
		stamp.pts_ns = pts_ns;
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	ck_assert_int_eq(made.n, UNITS);
	ck_assert_uint_eq(tc_live_thinned(live), 0);
	clear(&made);
	tc_live_free(&live);
	/* But of 50 a second each other one, uneven or not. */
	live = new_live(&made);
	for (int i = 0; i < UNITS; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		stamp.pts_ns = i * INT64_C(20000000) + i % 2 * 4000000;
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	ck_assert_int_le(made.n, UNITS / 2 + 2);
	ck_assert_uint_eq(tc_live_thinned(live), (uint64_t)(UNITS - made.n));
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
		stamp.is_jump = i == 1;
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	n = made.n;
	ck_assert_int_ge(n, 2);
	for (int i = 1; i < n; i++)
		ck_assert(made.stamps[i].is_broken);
	/* Whatever becomes of the unit, its jump is that of the next picture. */
	ck_assert(made.stamps[1].is_jump);
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

/* A sanitizer sees the difference that cannot be; without one, that each is a jump. */
START_ISOLATED_TEST(test_times_from_one_end_to_the_other, .real_clock = true)
{
	static const int64_t times_ns[] = { 0,         INT64_MIN,     INT64_MAX,
					    INT64_MIN, INT64_MIN + 1, INT64_MAX - 1 };
	NEED_X265();
	struct clip *clip = make_clip(AV_PIX_FMT_YUV420P, 160, 96, 0);
	struct made made = { .n = 0 };
	struct tc_live *live = new_live(&made);

	for (int i = 0; i < 6; i++) {
		struct tc_stamp stamp = stamp_of(clip, i);

		stamp.pts_ns = times_ns[i];
		ck_assert_int_eq(push(live, clip, i, &stamp, 0), 0);
	}
	/* The fifth comes 1 ns after the one before: too soon. */
	ck_assert_int_eq(made.n, 5);
	for (int i = 0; i < made.n; i++)
		ck_assert(made.stamps[i].is_key);
	tc_live_free(&live);
	clear(&made);
	free_clip(clip);
	async_complete(loop);
}
END_ISOLATED_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("transcode_live");
	TCase *live = tcase_create("live");

	tcase_add_test(live, test_one_for_each_at_once);
	tcase_add_test(live, test_b_frames_come_in_order);
	tcase_add_test(live, test_odd_and_ten_bits);
	tcase_add_test(live, test_too_large_is_made_smaller);
	tcase_add_test(live, test_key_frames_by_time);
	tcase_add_test(live, test_uneven_times_leave_nothing_out);
	tcase_add_test(live, test_only_the_newest_of_those_behind_is_shown);
	tcase_add_test(live, test_too_slow_leaves_pictures_out_and_counts_them);
	tcase_add_test(live, test_another_size_and_rubbish);
	tcase_add_test(live, test_times_from_one_end_to_the_other);
	suite_add_tcase(s, live);
	return s;
}

HARNESS_MAIN(suite)
