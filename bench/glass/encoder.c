/*
 * libavcodec's encoders, set to give each picture at once.
 */
#include "config.h"

#include "bench/glass/encoder.h"

#include "bench/glass/scene.h"
#include "bench/stamp.h"
#include "media/bytes.h"
#include "media/h264.h"
#include "media/nal.h"
#include "shared/xalloc.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UNIT_BYTES_MAX (8u << 20)

struct encoder {
	AVCodecContext *codec;
	AVFrame *frame;
	AVPacket *packet;
	struct scene *scene;
	struct byte_writer stamped; /* H.264: the picture with its stamp */
	uint32_t number;            /* of the next picture */
};

static void
must(int error, const char *what)
{
	if (error >= 0)
		return;
	fprintf(stderr, "glass_camera: %s: %s\n", what, av_err2str(error));
	exit(1);
}

static int64_t
wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static void
set_h264(AVCodecContext *codec, const struct encoder_options *options)
{
	codec->pix_fmt = AV_PIX_FMT_YUV420P;
	codec->gop_size = (int)options->gop;
	codec->bit_rate = codec->rc_max_rate = options->kbps * INT64_C(1000);
	codec->rc_buffer_size = (int)(codec->bit_rate / 2);
	av_opt_set(codec->priv_data, "preset", "ultrafast", 0);
	av_opt_set(codec->priv_data, "tune", "zerolatency", 0);
	av_opt_set(codec->priv_data, "profile", options->has_cabac ? "main" : "baseline", 0);
	av_opt_set(codec->priv_data, "forced-idr", "1", 0);
	av_opt_set(codec->priv_data, "x264-params",
		   options->has_cabac ? "scenecut=0:sliced-threads=0:cabac=1"
				      : "scenecut=0:sliced-threads=0",
		   0);
}

static void
set_jpeg(AVCodecContext *codec, const struct encoder_options *options)
{
	codec->pix_fmt = AV_PIX_FMT_YUVJ420P;
	codec->color_range = AVCOL_RANGE_JPEG;
	codec->flags |= AV_CODEC_FLAG_QSCALE;
	codec->global_quality = (int)options->quality * FF_QP2LAMBDA;
	/* RFC 2435 sends no tables of Huffman codes: both sides know the usual ones. */
	av_opt_set(codec->priv_data, "huffman", "default", 0);
}

static void
open_codec(struct encoder *encoder, const struct encoder_options *options)
{
	const AVCodec *found = options->is_jpeg ? avcodec_find_encoder(AV_CODEC_ID_MJPEG)
						: avcodec_find_encoder_by_name("libx264");
	AVCodecContext *codec;

	if (found == NULL)
		must(AVERROR_ENCODER_NOT_FOUND, options->is_jpeg ? "mjpeg" : "libx264");
	codec = encoder->codec = avcodec_alloc_context3(found);
	codec->width = (int)options->width;
	codec->height = (int)options->height;
	codec->time_base = (AVRational){ 1, (int)options->fps };
	codec->framerate = (AVRational){ (int)options->fps, 1 };
	codec->thread_count = 1;
	codec->max_b_frames = 0;
	if (options->is_jpeg)
		set_jpeg(codec, options);
	else
		set_h264(codec, options);
	must(avcodec_open2(codec, found, NULL), "open");
}

struct encoder *
encoder_new(const struct encoder_options *options)
{
	struct encoder *encoder = xcalloc(1, sizeof(*encoder));

	av_log_set_level(AV_LOG_ERROR);
	open_codec(encoder, options);
	encoder->packet = av_packet_alloc();
	encoder->frame = av_frame_alloc();
	encoder->frame->format = encoder->codec->pix_fmt;
	encoder->frame->width = encoder->codec->width;
	encoder->frame->height = encoder->codec->height;
	must(av_frame_get_buffer(encoder->frame, 0), "frame");
	encoder->scene = scene_new(options->width, options->height);
	byte_writer_init(&encoder->stamped, UNIT_BYTES_MAX);
	return encoder;
}

void
encoder_free(struct encoder **encoder)
{
	if (*encoder == NULL)
		return;
	scene_free(&(*encoder)->scene);
	byte_writer_free(&(*encoder)->stamped);
	av_packet_free(&(*encoder)->packet);
	av_frame_free(&(*encoder)->frame);
	avcodec_free_context(&(*encoder)->codec);
	free(*encoder);
	*encoder = NULL;
}

/* The stamp goes before the first slice, behind the parameter sets (H.264 7.4.1.2.3). */
static void
stamp(struct encoder *encoder, int64_t drawn_us)
{
	struct byte_writer *out = &encoder->stamped;
	uint8_t sei[STAMP_SEI_BYTES];
	struct nal_unit nal, own = { sei, sizeof(sei) };
	struct nal_iter iter;
	bool is_stamped = false;

	stamp_write(sei, (uint64_t)drawn_us * 1000, encoder->number);
	byte_writer_reset(out);
	nal_iter_annexb(&iter, encoder->packet->data, (size_t)encoder->packet->size);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(NAL_H264, &nal);

		if (!is_stamped && (type == H264_NAL_SLICE || type == H264_NAL_IDR)) {
			nal_write_annexb(out, &own);
			is_stamped = true;
		}
		nal_write_annexb(out, &nal);
	}
	must(out->err == 0 ? 0 : AVERROR(ENOMEM), "stamp");
}

void
encoder_next(struct encoder *encoder, bool force_key, struct encoded *out)
{
	AVFrame *frame = encoder->frame;
	int64_t drawn_us = wall_us();

	must(av_frame_make_writable(frame), "frame");
	scene_draw(encoder->scene, frame, drawn_us, encoder->number);
	frame->pts = encoder->number;
	frame->quality = encoder->codec->global_quality;
	frame->pict_type = force_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	must(avcodec_send_frame(encoder->codec, frame), "encode");
	must(avcodec_receive_packet(encoder->codec, encoder->packet), "no picture at once");
	if (encoder->codec->codec_id == AV_CODEC_ID_H264)
		stamp(encoder, drawn_us);
	*out = (struct encoded){
		.data = encoder->stamped.len > 0 ? encoder->stamped.data : encoder->packet->data,
		.len =
		    encoder->stamped.len > 0 ? encoder->stamped.len : (size_t)encoder->packet->size,
		.is_key = (encoder->packet->flags & AV_PKT_FLAG_KEY) != 0,
		.number = encoder->number++,
		.drawn_us = drawn_us,
	};
}
