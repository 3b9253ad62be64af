/*
 * H.264 as a source for publish/wrk.h: the units of an H.265 stream of ours, taken from its bus,
 * with its audio.
 */
#ifndef CAMHUB_TRANSCODE_TC_INPUT_H
#define CAMHUB_TRANSCODE_TC_INPUT_H

#include "publish/wrk_input.h"

#define TC_INPUT_PULSE_MS 3000 /* without any message the bus is deaf or dead */

extern const struct wrk_input_ops tc_input_ops;

#endif
