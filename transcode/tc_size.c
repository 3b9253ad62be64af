/*
 * Sizes and rates.
 */
#include "config.h"

#include "transcode/tc_size.h"

#include <errno.h>

#define BITRATE_BASE      600000
#define BITS_PER_PIXEL_10 24 /* a second, in tenths: 1920x1080 gets 5.6 Mb/s, 640x360 1.2 */

/* A side made num/den of it: even, and not too small for an encoder. */
static int64_t
shrunk(int side, int64_t num, int64_t den)
{
	int64_t even = (side * num / den) & ~INT64_C(1);

	return even >= TC_SIZE_MIN ? even : TC_SIZE_MIN;
}

int
tc_size_fit(int width, int height, int *new_width, int *new_height)
{
	int long_side = width > height ? width : height;
	int short_side = width > height ? height : width;
	int64_t num = 1, den = 1;

	if (short_side < TC_SIZE_MIN)
		return -EINVAL;
	if (long_side > TC_SIZE_LONG_MAX) {
		num = TC_SIZE_LONG_MAX;
		den = long_side;
	}
	if (short_side * num > TC_SIZE_SHORT_MAX * den) {
		num = TC_SIZE_SHORT_MAX;
		den = short_side;
	}
	*new_width = (int)shrunk(width, num, den);
	*new_height = (int)shrunk(height, num, den);
	return 0;
}

int64_t
tc_size_bitrate(int width, int height)
{
	return BITRATE_BASE + (int64_t)width * height * BITS_PER_PIXEL_10 / 10;
}
