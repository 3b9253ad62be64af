/*
 * Load, decode, encode, seal.
 */
#include "config.h"

#include "transcode/tc_snapshot.h"

#include "shared/sealed.h"
#include "transcode/tc_decode.h"
#include "transcode/tc_job.h"
#include "transcode/tc_jpeg.h"

#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>

static void
encode(const AVFrame *frame, int quality, struct tc_snapshot *result)
{
	AVPacket *jpeg = NULL;
	int rc = tc_jpeg_encode(frame, quality, &jpeg);

	if (rc == 0)
		rc = sealed_new("snapshot", jpeg->data, (size_t)jpeg->size, &result->fd);
	if (rc < 0)
		snprintf(result->error, sizeof(result->error), "cannot make a JPEG: %s",
			 av_err2str(rc));
	result->width = frame->width;
	result->height = frame->height;
	av_packet_free(&jpeg);
}

void
tc_snapshot_make(int job_fd, int quality, struct tc_snapshot *result)
{
	AVFrame *frame = NULL;
	struct tc_job job;
	int rc;

	*result = (struct tc_snapshot){ .fd = -1 };
	rc = tc_job_load(job_fd, &job);
	if (rc < 0) {
		snprintf(result->error, sizeof(result->error), "cannot read the job: %s",
			 strerror(-rc));
		return;
	}
	if (tc_decode_last(&job, &frame, result->error, sizeof(result->error)) == 0)
		encode(frame, quality, result);
	av_frame_free(&frame);
	tc_job_clear(&job);
}
