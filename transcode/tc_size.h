/*
 * How large and how many the pictures of a copy are. Pure.
 */
#ifndef CAMHUB_TRANSCODE_TC_SIZE_H
#define CAMHUB_TRANSCODE_TC_SIZE_H

#include <stdint.h>

#define TC_SIZE_LONG_MAX  1920 /* pixels of the longer side */
#define TC_SIZE_SHORT_MAX 1080
#define TC_SIZE_MIN       16
#define TC_INTERVAL_MIN_NS                                                                         \
	INT64_C(25000000) /* between two pictures: of 50 a second, each other one */

/* What pictures of this size become: the same shape within the bounds, even. -EINVAL: too small to
 * show. */
int tc_size_fit(int width, int height, int *new_width, int *new_height);

/* Bits a second at most, for a size. */
int64_t tc_size_bitrate(int width, int height);

#endif
