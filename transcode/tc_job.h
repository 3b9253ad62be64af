/*
 * The units of a job: a sealed memfd of bus messages, each behind its length (docs/protocol.md,
 * "Snapshots"). Nothing in it is trusted.
 */
#ifndef CAMHUB_TRANSCODE_TC_JOB_H
#define CAMHUB_TRANSCODE_TC_JOB_H

#include "shared/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tc_job {
	uint8_t *bytes;
	size_t len, at;
};

/*
 * Reads the whole of fd (stays the caller's). Returns 0; -EPERM: it can still change (a seal is
 * missing) or is no memfd; -EFBIG: above FRAME_JOB_MAX_BYTES; -ENODATA: empty; -ENOMEM; other
 * errors of pread(2).
 */
int tc_job_load(int fd, struct tc_job *job);
void tc_job_clear(struct tc_job *job);

/*
 * The next message. Returns 1 with *frame and *payload (inside the job); 0 at the end; -EPROTO when
 * a length or a header is wrong: nothing behind it can be found.
 */
int tc_job_next(struct tc_job *job, struct frame *frame, const uint8_t **payload);

#endif
