/*
 * Load, decode, encode, seal.
 */
#include "config.h"

#include "transcode/tc_snapshot.h"

#include "transcode/tc_decode.h"
#include "transcode/tc_job.h"
#include "transcode/tc_jpeg.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
write_all(int fd, const uint8_t *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static int
to_memfd(const AVPacket *jpeg, int *fd)
{
	int new_fd = memfd_create("snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (new_fd < 0)
		return -errno;
	rc = write_all(new_fd, jpeg->data, (size_t)jpeg->size);
	if (rc == 0 && fcntl(new_fd, F_ADD_SEALS,
			     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		rc = -errno;
	if (rc < 0) {
		close(new_fd);
		return rc;
	}
	*fd = new_fd;
	return 0;
}

static void
encode(const AVFrame *frame, int quality, struct tc_snapshot *result)
{
	AVPacket *jpeg = NULL;
	int rc = tc_jpeg_encode(frame, quality, &jpeg);

	if (rc == 0)
		rc = to_memfd(jpeg, &result->fd);
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
