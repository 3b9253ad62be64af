/*
 * libavcodec has a filter for it.
 */
#include "config.h"

#include "worker/av_jpeg.h"

#include "media/jpeg.h"

#include <libavcodec/bsf.h>

static int
open_filter(AVBSFContext **filter)
{
	const AVBitStreamFilter *mjpeg2jpeg = av_bsf_get_by_name("mjpeg2jpeg");
	int rc;

	if (*filter != NULL)
		return 0;
	if (mjpeg2jpeg == NULL)
		return AVERROR_BSF_NOT_FOUND;
	rc = av_bsf_alloc(mjpeg2jpeg, filter);
	if (rc < 0)
		return rc;
	(*filter)->par_in->codec_id = AV_CODEC_ID_MJPEG;
	rc = av_bsf_init(*filter);
	if (rc < 0)
		av_bsf_free(filter);
	return rc;
}

int
av_jpeg_complete(AVBSFContext **filter, AVPacket *packet)
{
	struct jpeg_info info;
	AVPacket *copy;
	int rc;

	if (jpeg_parse(packet->data, (size_t)packet->size, &info) < 0 || info.has_huffman_tables)
		return 0;
	rc = open_filter(filter);
	if (rc < 0)
		return rc;
	copy = av_packet_clone(packet);
	if (copy == NULL)
		return AVERROR(ENOMEM);
	rc = av_bsf_send_packet(*filter, copy);
	if (rc >= 0)
		rc = av_bsf_receive_packet(*filter, copy);
	if (rc >= 0) {
		av_packet_unref(packet);
		av_packet_move_ref(packet, copy);
	}
	av_packet_free(&copy);
	return rc < 0 ? rc : 0;
}
