/*
 * Snapshots: the job's parser against what is wrong with it, colours, and the real camhub-transcode
 * on a GOP whose pictures are told apart by their brightness.
 */
#include "config.h"

#include "transcode/tc_job.h"

#include "shared/bus.h"
#include "shared/child_ev.h"
#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "transcode/tc_jpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Jobs */

static int
make_job_fd(const void *bytes, size_t len, int seals)
{
	int fd = memfd_create("job", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)bytes + done, len - done);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
	if (seals != 0)
		ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

struct job {
	uint8_t bytes[1 << 20];
	size_t len;
};

static void
add_message(struct job *job, enum frame_kind kind, enum frame_codec codec, const void *payload,
	    size_t len)
{
	struct frame frame = { .kind = (uint8_t)kind,
			       .codec = (uint16_t)codec,
			       .payload_len = (uint32_t)len };
	size_t total = FRAME_HEADER_BYTES + len;

	ck_assert_uint_le(job->len + 4 + total, sizeof(job->bytes));
	for (int i = 0; i < 4; i++)
		job->bytes[job->len++] = (uint8_t)(total >> (8 * i));
	frame_encode(&frame, job->bytes + job->len);
	memcpy(job->bytes + job->len + FRAME_HEADER_BYTES, payload, len);
	job->len += total;
}

static int
load(const void *bytes, size_t len, int seals)
{
	int fd = make_job_fd(bytes, len, seals), rc;
	struct tc_job job;

	rc = tc_job_load(fd, &job);
	if (rc == 0)
		tc_job_clear(&job);
	close(fd);
	return rc;
}

START_TEST(test_job_must_be_sealed)
{
	ck_assert_int_eq(load("xxxx", 4, SEALS), 0);
	ck_assert_int_eq(load("xxxx", 4, 0), -EPERM);
	ck_assert_int_eq(load("xxxx", 4, F_SEAL_SHRINK | F_SEAL_GROW), -EPERM);
	ck_assert_int_eq(load("xxxx", 4, F_SEAL_SHRINK | F_SEAL_WRITE), -EPERM);
	ck_assert_int_eq(load("xxxx", 4, F_SEAL_GROW | F_SEAL_WRITE), -EPERM);
	ck_assert_int_eq(load("", 0, SEALS), -ENODATA);
}
END_TEST

START_TEST(test_job_must_be_a_memfd)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct tc_job job;

	ck_assert_int_eq(tc_job_load(fd, &job), -EPERM);
	close(fd);
}
END_TEST

START_TEST(test_job_is_bounded)
{
	int fd = memfd_create("job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct tc_job job;

	ck_assert_int_eq(ftruncate(fd, (off_t)FRAME_JOB_MAX_BYTES + 1), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, SEALS), 0);
	ck_assert_int_eq(tc_job_load(fd, &job), -EFBIG);
	close(fd);
}
END_TEST

/* How many messages come before the end (0) or the fault. */
static int
walk(const uint8_t *bytes, size_t len, int *rc)
{
	/* A copy of just this size: a read beyond it is seen by the sanitizers. */
	uint8_t *copy = xmalloc(len);
	struct tc_job job = { .bytes = copy, .len = len };
	const uint8_t *payload;
	struct frame frame;
	int n = 0;

	memcpy(copy, bytes, len);
	while ((*rc = tc_job_next(&job, &frame, &payload)) > 0) {
		ck_assert_uint_le((size_t)(payload - copy) + frame.payload_len, len);
		n++;
	}
	free(copy);
	return n;
}

START_TEST(test_job_cut_at_every_byte)
{
	static struct job job;
	size_t first;
	int rc;

	add_message(&job, FRAME_KIND_CONFIG, FRAME_CODEC_H264, "abc", 3);
	first = job.len;
	add_message(&job, FRAME_KIND_VIDEO, FRAME_CODEC_H264, "defgh", 5);
	ck_assert_int_eq(walk(job.bytes, job.len, &rc), 2);
	ck_assert_int_eq(rc, 0);
	for (size_t len = 1; len < job.len; len++) {
		ck_assert_int_eq(walk(job.bytes, len, &rc), len >= first ? 1 : 0);
		ck_assert_int_eq(rc, len == first ? 0 : -EPROTO);
	}
	memset(job.bytes, 0xff, 4);
	ck_assert_int_eq(walk(job.bytes, job.len, &rc), 0);
	ck_assert_int_eq(rc, -EPROTO);
}
END_TEST

/* Colours */

static AVFrame *
flat_picture(int height, enum AVColorSpace space)
{
	static const int levels[3] = { 90, 90, 200 };
	AVFrame *frame = av_frame_alloc();

	frame->format = AV_PIX_FMT_YUV420P;
	frame->width = 64;
	frame->height = height;
	frame->colorspace = space;
	ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
	for (int p = 0; p < 3; p++)
		memset(frame->data[p], levels[p],
		       (size_t)frame->linesize[p] * (size_t)(height >> (p > 0)));
	return frame;
}

/* Of the JPEG of it: red is brighter by BT.601. */
static int
luma(int height, enum AVColorSpace space)
{
	AVCodecContext *ctx = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG));
	AVFrame *frame = flat_picture(height, space);
	AVPacket *jpeg = NULL;
	int level;

	ck_assert_int_eq(tc_jpeg_encode(frame, 2, &jpeg), 0);
	ck_assert_int_eq(avcodec_open2(ctx, NULL, NULL), 0);
	ck_assert_int_eq(avcodec_send_packet(ctx, jpeg), 0);
	av_frame_unref(frame);
	ck_assert_int_eq(avcodec_receive_frame(ctx, frame), 0);
	level = frame->data[0][0];
	av_packet_free(&jpeg);
	av_frame_free(&frame);
	avcodec_free_context(&ctx);
	return level;
}

START_TEST(test_a_matrix_that_is_not_stated_goes_by_size)
{
	int bt601 = luma(704, AVCOL_SPC_SMPTE170M), bt709 = luma(720, AVCOL_SPC_BT709);

	ck_assert_int_gt(abs(bt601 - bt709), 2);
	ck_assert_int_eq(luma(704, AVCOL_SPC_UNSPECIFIED), bt601);
	ck_assert_int_eq(luma(720, AVCOL_SPC_UNSPECIFIED), bt709);
	ck_assert_int_eq(luma(720, AVCOL_SPC_SMPTE170M), bt601);
	ck_assert_int_eq(luma(704, AVCOL_SPC_BT709), bt709);
}
END_TEST

/* A GOP of flat pictures, each brighter than the one before */

#define PICTURES 12

static int
brightness(int i)
{
	return 40 + 12 * i;
}

static void
add_packets(AVCodecContext *ctx, AVPacket *packet, enum frame_codec codec, struct job *job)
{
	while (avcodec_receive_packet(ctx, packet) == 0) {
		add_message(job, FRAME_KIND_VIDEO, codec, packet->data, (size_t)packet->size);
		av_packet_unref(packet);
	}
}

static void
encode(AVCodecContext *ctx, enum frame_codec codec, struct job *job)
{
	AVFrame *frame = av_frame_alloc();
	AVPacket *packet = av_packet_alloc();

	frame->format = ctx->pix_fmt;
	frame->width = ctx->width;
	frame->height = ctx->height;
	ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
	for (int i = 0; i < PICTURES; i++) {
		ck_assert_int_eq(av_frame_make_writable(frame), 0);
		for (int p = 0; p < 3; p++)
			memset(frame->data[p], p == 0 ? brightness(i) : 128,
			       (size_t)frame->linesize[p] * (size_t)(ctx->height >> (p > 0)));
		frame->pts = i;
		ck_assert_int_eq(avcodec_send_frame(ctx, frame), 0);
		add_packets(ctx, packet, codec, job);
	}
	ck_assert_int_eq(avcodec_send_frame(ctx, NULL), 0);
	add_packets(ctx, packet, codec, job);
	av_packet_free(&packet);
	av_frame_free(&frame);
}

/* With B-frames: the last unit is not the last picture. False: no such encoder here. */
static bool
make_gop(const char *encoder, enum frame_codec codec, struct job *job)
{
	const AVCodec *avcodec = avcodec_find_encoder_by_name(encoder);
	AVCodecContext *ctx = avcodec != NULL ? avcodec_alloc_context3(avcodec) : NULL;

	if (ctx == NULL)
		return false;
	av_log_set_level(AV_LOG_ERROR);
	ctx->width = 322;
	ctx->height = 242;
	ctx->pix_fmt = AV_PIX_FMT_YUV420P;
	ctx->time_base = (AVRational){ 1, 25 };
	ctx->gop_size = 100;
	ctx->max_b_frames = 2;
	ctx->thread_count = 1;
	ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	av_opt_set(ctx->priv_data, "preset", "ultrafast", 0);
	av_opt_set(ctx->priv_data, "x264-params", "bframes=2:b-adapt=0", 0);
	av_opt_set(ctx->priv_data, "x265-params", "bframes=2:b-adapt=0:log-level=none", 0);
	ck_assert_int_eq(avcodec_open2(ctx, avcodec, NULL), 0);
	add_message(job, FRAME_KIND_CONFIG, codec, ctx->extradata, (size_t)ctx->extradata_size);
	encode(ctx, codec, job);
	avcodec_free_context(&ctx);
	return true;
}

/* The real program */

static struct program *
start_job(struct loop *loop, int fd, int deadline_ms)
{
	static const char *const argv[] = { "camhub-transcode", "door", NULL };
	struct program *program = program_start(
	    loop, &(struct program_options){
		      .path = TRANSCODE, .argv = argv, .receive = MSG_FROM_TRANSCODE });
	json_t *msg = msg_new(MSG_SNAPSHOT_JOB);

	msg_set_str(msg, "stream", "door");
	msg_set_int(msg, "quality", 3);
	msg_set_int(msg, "deadline_ms", deadline_ms);
	peer_ignore_msg(program_peer(program), MSG_BEAT);
	peer_get_msg(program_peer(program), MSG_READY, 0);
	peer_send_msg(program_peer(program), msg, fd);
	return program;
}

static uint8_t *
read_answer(int fd, size_t *len)
{
	off_t end = lseek(fd, 0, SEEK_END);
	uint8_t *bytes;

	ck_assert_int_gt(end, 0);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
	*len = (size_t)end;
	bytes = xcalloc(1, *len + AV_INPUT_BUFFER_PADDING_SIZE);
	ck_assert_int_eq(pread(fd, bytes, *len, 0), end);
	close(fd);
	return bytes;
}

/* Mean luma of a JPEG, in video levels; checks its size. */
static int
brightness_of(uint8_t *jpeg, size_t len, int width, int height)
{
	AVCodecContext *ctx = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG));
	AVFrame *frame = av_frame_alloc();
	AVPacket *packet = av_packet_alloc();
	int64_t sum = 0;

	packet->data = jpeg;
	packet->size = (int)len;
	ctx->thread_count = 1;
	ck_assert_int_eq(avcodec_open2(ctx, NULL, NULL), 0);
	ck_assert_int_eq(avcodec_send_packet(ctx, packet), 0);
	ck_assert_int_eq(avcodec_send_packet(ctx, NULL), 0);
	ck_assert_int_eq(avcodec_receive_frame(ctx, frame), 0);
	ck_assert_int_eq(frame->width, width);
	ck_assert_int_eq(frame->height, height);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			sum += frame->data[0][y * frame->linesize[0] + x];
	av_packet_free(&packet);
	av_frame_free(&frame);
	avcodec_free_context(&ctx);
	return (int)(16 + sum / (width * height) * 219 / 255);
}

static void
check_snapshot(struct loop *loop, const char *encoder, enum frame_codec codec)
{
	static struct job job;
	struct program *program;
	const json_t *answer;
	uint8_t *jpeg;
	size_t len;
	int level;

	if (!make_gop(encoder, codec, &job)) {
		harness_note_skip("no encoder %s", encoder);
		return;
	}
	program = start_job(loop, make_job_fd(job.bytes, job.len, SEALS), 10000);
	answer = peer_get_msg(program_peer(program), MSG_SNAPSHOT_RESULT, 0);
	ck_assert_str_eq(msg_str(answer, "error"), "");
	ck_assert_int_eq(msg_int(answer, "width", 0), 322);
	ck_assert_int_eq(msg_int(answer, "height", 0), 242);
	jpeg = read_answer(peer_take_fd(program_peer(program)), &len);
	ck_assert_mem_eq(jpeg, "\xff\xd8\xff\xe0\x00\x10JFIF", 10);
	level = brightness_of(jpeg, len, 322, 242);
	ck_assert_msg(abs(level - brightness(PICTURES - 1)) <= 5,
		      "brightness %d, the last picture's is %d", level, brightness(PICTURES - 1));
	free(jpeg);
	ck_assert_int_eq(program_wait(program, 0), CHILD_EXIT_ASKED);
}

START_ASYNC_TEST(test_snapshot_h264, .real_clock = true)
{
	check_snapshot(loop, "libx264", FRAME_CODEC_H264);
	async_complete(loop);
}
END_ASYNC_TEST

/* In a process that leaves by _exit(): x265 leaks, which is not what is tested here. */
START_ISOLATED_TEST(test_snapshot_h265, .real_clock = true)
{
	check_snapshot(loop, "libx265", FRAME_CODEC_H265);
	async_complete(loop);
}
END_ISOLATED_TEST

static void
expect_error(struct loop *loop, int fd, int deadline_ms, const char *part)
{
	struct program *program = start_job(loop, fd, deadline_ms);
	const json_t *answer = peer_get_msg(program_peer(program), MSG_SNAPSHOT_RESULT, 0);

	ck_assert_msg(strstr(msg_str(answer, "error"), part) != NULL, "%s",
		      msg_str(answer, "error"));
	ck_assert_int_eq(peer_take_fd(program_peer(program)), -1);
	ck_assert_int_eq(program_wait(program, 0), CHILD_EXIT_ASKED);
}

START_ASYNC_TEST(test_errors_in_words, .real_clock = true)
{
	static struct job job;

	expect_error(loop, make_job_fd("rubbish", 7, SEALS), 10000, "cannot decode");
	expect_error(loop, make_job_fd("rubbish", 7, 0), 10000, "cannot read the job");
	add_message(&job, FRAME_KIND_VIDEO, FRAME_CODEC_H264, "\0\0\0\1\x65\x88\x80\x11\x22", 9);
	expect_error(loop, make_job_fd(job.bytes, job.len, SEALS), 10000, "no picture came out");
	job.len = 0;
	add_message(&job, FRAME_KIND_JPEG, FRAME_CODEC_MJPEG, "\xff\xd8", 2);
	expect_error(loop, make_job_fd(job.bytes, job.len, SEALS), 10000, "no units");
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("transcode");
	TCase *job = tcase_create("job"), *colour = tcase_create("colour");
	TCase *program = tcase_create("program");

	tcase_add_test(job, test_job_must_be_sealed);
	tcase_add_test(job, test_job_must_be_a_memfd);
	tcase_add_test(job, test_job_is_bounded);
	tcase_add_test(job, test_job_cut_at_every_byte);
	suite_add_tcase(s, job);
	tcase_add_test(colour, test_a_matrix_that_is_not_stated_goes_by_size);
	suite_add_tcase(s, colour);
	tcase_add_test(program, test_snapshot_h264);
	tcase_add_test(program, test_snapshot_h265);
	tcase_add_test(program, test_errors_in_words);
	suite_add_tcase(s, program);
	return s;
}

HARNESS_MAIN(suite)
