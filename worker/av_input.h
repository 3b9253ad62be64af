/*
 * The input that reads through libavformat, or draws test pictures (publish/wrk_input.h).
 */
#ifndef CAMHUB_WORKER_AV_INPUT_H
#define CAMHUB_WORKER_AV_INPUT_H

#include "publish/wrk_input.h"

/* arg of start(): unused. */
extern const struct wrk_input_ops av_input_ops;

/* Once, before anything else of FFmpeg: its log goes to ours, its allocations are bounded. */
void av_input_init(void);

#endif
