/*
 * Another stream of ours as a source for publish/wrk.h, taken from its bus: of one that comes as
 * H.265 the pictures as H.264, with its audio as it is; or, of one with AAC, the audio as Opus,
 * with its pictures as they are.
 */
#ifndef CAMHUB_TRANSCODE_TC_INPUT_H
#define CAMHUB_TRANSCODE_TC_INPUT_H

#include "publish/wrk_input.h"

#define TC_INPUT_PULSE_MS 3000 /* without any message the bus is deaf or dead */

#define TC_INPUT_H264     "h264" /* the jobs: wrk_deps.input_arg is one of them */
#define TC_INPUT_OPUS     "opus"

extern const struct wrk_input_ops tc_input_ops;

#endif
