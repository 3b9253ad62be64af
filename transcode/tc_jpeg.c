/*
 * JPEG wants full range and BT.601, video mostly has neither.
 */
#include "config.h"

#include "transcode/tc_jpeg.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
#include <stdbool.h>

#define HD_HEIGHT 720

/* Where the stream does not say, as browsers take it: a snapshot looks like the live picture. */
static bool
is_bt709(const AVFrame *frame)
{
	if (frame->colorspace == AVCOL_SPC_UNSPECIFIED)
		return frame->height >= HD_HEIGHT;
	return frame->colorspace == AVCOL_SPC_BT709;
}

static int
convert(const AVFrame *from, AVFrame *to)
{
	struct SwsContext *sws =
	    sws_getContext(from->width, from->height, from->format, to->width, to->height,
			   to->format, SWS_BILINEAR | SWS_ACCURATE_RND, NULL, NULL, NULL);
	int rc;

	if (sws == NULL)
		return AVERROR(EINVAL);
	/* Best effort: where swscale cannot, colours are a shade off. */
	(void)sws_setColorspaceDetails(
	    sws, sws_getCoefficients(is_bt709(from) ? SWS_CS_ITU709 : SWS_CS_ITU601),
	    from->color_range == AVCOL_RANGE_JPEG, sws_getCoefficients(SWS_CS_ITU601), 1, 0,
	    1 << 16, 1 << 16);
	rc = sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
		       to->data, to->linesize);
	sws_freeContext(sws);
	return rc < 0 ? rc : 0;
}

static AVFrame *
new_picture(const AVFrame *like)
{
	AVFrame *frame = av_frame_alloc();

	if (frame == NULL)
		return NULL;
	frame->format = AV_PIX_FMT_YUVJ420P;
	frame->color_range = AVCOL_RANGE_JPEG;
	frame->width = like->width;
	frame->height = like->height;
	if (av_frame_get_buffer(frame, 0) < 0)
		av_frame_free(&frame);
	return frame;
}

static int
open_encoder(const AVFrame *picture, int quality, AVCodecContext **ctx)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);

	*ctx = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
	if (*ctx == NULL)
		return AVERROR_ENCODER_NOT_FOUND;
	(*ctx)->width = picture->width;
	(*ctx)->height = picture->height;
	(*ctx)->pix_fmt = picture->format;
	(*ctx)->color_range = picture->color_range;
	(*ctx)->time_base = (AVRational){ 1, 25 };
	(*ctx)->sample_aspect_ratio = (AVRational){ 1, 1 };
	(*ctx)->thread_count = 1;
	(*ctx)->flags |= AV_CODEC_FLAG_QSCALE;
	(*ctx)->global_quality = quality * FF_QP2LAMBDA;
	(*ctx)->qmin = (*ctx)->qmax = quality;
	return avcodec_open2(*ctx, codec, NULL);
}

static int
encode(AVFrame *picture, int quality, AVPacket *jpeg)
{
	AVCodecContext *ctx = NULL;
	int rc = open_encoder(picture, quality, &ctx);

	picture->quality = quality * FF_QP2LAMBDA;
	picture->pts = 0;
	if (rc >= 0)
		rc = avcodec_send_frame(ctx, picture);
	if (rc >= 0)
		rc = avcodec_send_frame(ctx, NULL);
	if (rc >= 0)
		rc = avcodec_receive_packet(ctx, jpeg);
	avcodec_free_context(&ctx);
	return rc < 0 ? rc : 0;
}

int
tc_jpeg_encode(const AVFrame *frame, int quality, AVPacket **jpeg)
{
	AVFrame *picture = new_picture(frame);
	AVPacket *packet = av_packet_alloc();
	int rc = AVERROR(ENOMEM);

	if (picture == NULL || packet == NULL)
		goto out;
	rc = convert(frame, picture);
	if (rc == 0)
		rc = encode(picture, quality, packet);
	if (rc < 0)
		goto out;
	*jpeg = packet;
	packet = NULL;
out:
	av_packet_free(&packet);
	av_frame_free(&picture);
	return rc;
}
