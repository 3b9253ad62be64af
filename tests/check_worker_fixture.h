/*
 * Units for tests of the worker: real parameter sets of two sizes, slices of which only the headers
 * are real, and a JPEG that is whole as far as anybody looks who does not decode.
 */
#ifndef CAMHUB_TESTS_CHECK_WORKER_FIXTURE_H
#define CAMHUB_TESTS_CHECK_WORKER_FIXTURE_H

#include "publish/wrk_input.h"

#include <string.h>

#define SETS_720                                                                                   \
	"\0\0\0\1\x67\x42\xc0\x1f\xda\x01\x40\x16\xec\x04\x40\x00\x00\x03\x00\x40\x00\x00\x0c\xa3" \
	"\xc6\x0c\xa8\0\0\0\1\x68\xce\x0f\xc8"
#define SETS_360                                                                                   \
	"\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\xc0\x44\x00\x00\x03\x00\x04\x00\x00\x03\x00" \
	"\xca\x3c\x58\xba\x80\0\0\0\1\x68\xce\x0f\xc8"
#define SLICE_IDR "\0\0\0\1\x65\x88\x80\x11\x22\x33\x80"
#define SLICE_P   "\0\0\0\1\x41\x9a\x44\x55\x66\x80"
#define SLICE_B   "\0\0\0\1\x01\x9e\x44\x55\x66\x80"
#define DELIMITER "\0\0\0\1\x09\x10"
#define JPEG_HEAD                                                                                  \
	"\xff\xd8\xff\xc0\x00\x11\x08\x01\x68\x02\x80\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
#define JPEG_SCAN      "\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00\x12\x34"
#define JPEG_640_360   JPEG_HEAD JPEG_SCAN "\xff\xd9"
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static inline struct wrk_unit
make_unit(enum frame_kind kind, enum frame_codec codec, const uint8_t *data, size_t len,
	  int64_t dts_ms)
{
	return (struct wrk_unit){
		.kind = kind,
		.track = kind == FRAME_KIND_AUDIO ? FRAME_TRACK_AUDIO : FRAME_TRACK_VIDEO,
		.codec = codec,
		.data = data,
		.len = len,
		.pts_ns = dts_ms * 1000000,
		.dts_ns = dts_ms * 1000000,
		.arrived_monotonic_ns = 1 + dts_ms * 1000000,
		.arrived_realtime_ns = 1 + dts_ms * 1000000,
	};
}

#define H264_UNIT(literal, dts_ms)                                                                 \
	make_unit(FRAME_KIND_VIDEO, FRAME_CODEC_H264, BYTES(literal), (dts_ms))
#define H264_CONFIG(literal) make_unit(FRAME_KIND_CONFIG, FRAME_CODEC_H264, BYTES(literal), 0)

#endif
