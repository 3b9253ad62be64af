/*
 * The ring's newest GOP as a file for the transcoder.
 */
#ifndef CAMHUB_HTTP_SNAPSHOT_GOP_H
#define CAMHUB_HTTP_SNAPSHOT_GOP_H

struct hub;

/*
 * A sealed memfd with [u32 length, little-endian][bus message] for the configuration and each unit
 * of the newest GOP. Returns 0 and *fd (the caller's), -ENODATA when there is no GOP, -EFBIG when
 * it is above FRAME_JOB_MAX_BYTES, or another negative errno.
 */
int snapshot_gop_memfd(const struct hub *hub, int *fd);

#endif
