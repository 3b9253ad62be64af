/*
 * RTSP over TCP with interleaved packets, as much as a camera's viewers need. Any path that begins
 * with a stream's name is a camera of its own that shows it.
 */
#ifndef CAMHUB_BENCH_GLASS_RTSP_SERVICE_H
#define CAMHUB_BENCH_GLASS_RTSP_SERVICE_H

#include <stdbool.h>

struct service;

/* has_reports: with sender reports, so that the reader knows when the camera took each picture. */
const struct service *rtsp_service(bool has_reports);

#endif
