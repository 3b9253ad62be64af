/*
 * From the units of a GOP to its last picture.
 */
#ifndef CAMHUB_TRANSCODE_TC_DECODE_H
#define CAMHUB_TRANSCODE_TC_DECODE_H

#include <stddef.h>

struct AVFrame;
struct tc_job;

/*
 * Decodes all video units of the job (H.264 or H.265) and gives the picture that is shown last.
 * Damaged units are passed over as long as some picture comes out. Returns 0 and *frame
 * (av_frame_free()), or -EIO and the reason in error.
 */
int tc_decode_last(struct tc_job *job, struct AVFrame **frame, char *error, size_t error_len);

#endif
