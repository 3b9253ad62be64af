/*
 * Opening a URL with libavformat: the options and the limits of each scheme.
 */
#ifndef CAMHUB_WORKER_AV_OPEN_H
#define CAMHUB_WORKER_AV_OPEN_H

#include "worker/av_reader.h"

struct AVFormatContext;

#define AV_PACE_NEVER INT64_MAX

/* 0 and *ctx (avformat_close_input()); negative after av_reader_fail(). */
int av_open(struct av_reader *reader, struct AVFormatContext **ctx);

/* How far a stream of this scheme may run ahead of real time, in ns: files 0, live ones never wait.
 */
int64_t av_open_pace_ns(const struct av_reader *reader);

/* Report an AVERROR of this source in words. Returns -EIO. */
int av_open_fail(struct av_reader *reader, int averror, bool is_open);

#endif
