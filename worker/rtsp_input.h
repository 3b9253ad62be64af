/*
 * The input that speaks RTSP (publish/wrk_input.h). It takes the connected socket that came with
 * the worker's configuration and opens none to the camera by itself.
 */
#ifndef CAMHUB_WORKER_RTSP_INPUT_H
#define CAMHUB_WORKER_RTSP_INPUT_H

#include "publish/wrk_input.h"

/* arg of start(): unused. */
extern const struct wrk_input_ops rtsp_input_ops;

#endif
