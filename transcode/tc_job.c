/*
 * Reads, never maps: a file that shrinks under a mapping kills.
 */
#include "config.h"

#include "transcode/tc_job.h"

#include "shared/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEALS        (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define LENGTH_BYTES 4u
#define MESSAGE_MAX  (FRAME_PAYLOAD_MAX + 65536u) /* as the bus takes them */

static int
check(int fd, size_t *len)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0)
		return -ENODATA;
	if (st.st_size > (off_t)FRAME_JOB_MAX_BYTES)
		return -EFBIG;
	*len = (size_t)st.st_size;
	return 0;
}

int
tc_job_load(int fd, struct tc_job *job)
{
	uint8_t *bytes;
	size_t len = 0;
	int rc;

	rc = check(fd, &len);
	if (rc < 0)
		return rc;
	bytes = malloc(len);
	if (bytes == NULL)
		return -ENOMEM;
	rc = sealed_read(fd, bytes, len);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	*job = (struct tc_job){ .bytes = bytes, .len = len };
	return 0;
}

void
tc_job_clear(struct tc_job *job)
{
	free(job->bytes);
	*job = (struct tc_job){ .bytes = NULL };
}

int
tc_job_next(struct tc_job *job, struct frame *frame, const uint8_t **payload)
{
	const uint8_t *at = job->bytes + job->at;
	size_t left = job->len - job->at, len;

	if (left == 0)
		return 0;
	if (left < LENGTH_BYTES)
		return -EPROTO;
	len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
	if (len > MESSAGE_MAX || len > left - LENGTH_BYTES)
		return -EPROTO;
	if (frame_decode(at + LENGTH_BYTES, len, frame, payload) < 0)
		return -EPROTO;
	job->at += LENGTH_BYTES + len;
	return 1;
}
