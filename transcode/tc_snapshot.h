/*
 * A snapshot: the job in one memfd, the JPEG in another.
 */
#ifndef CAMHUB_TRANSCODE_TC_SNAPSHOT_H
#define CAMHUB_TRANSCODE_TC_SNAPSHOT_H

struct tc_snapshot {
	int fd; /* sealed, the JPEG; -1 on failure */
	int width, height;
	char error[200]; /* in words, "" on success */
};

/* Takes long (decodes a GOP); may run in a thread. job_fd stays the caller's. *result is always
 * set. */
void tc_snapshot_make(int job_fd, int quality, struct tc_snapshot *result);

#endif
