/*
 * Sources that libavformat reads: rtsp, http, rtmp, hls, v4l2, file.
 */
#ifndef CAMHUB_WORKER_AV_DEMUX_H
#define CAMHUB_WORKER_AV_DEMUX_H

#include "worker/av_reader.h"

extern const struct av_source_ops av_demux_ops;

#endif
