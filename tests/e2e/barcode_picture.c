/*
 * A grey picture with the clock of bench/glass/barcode.h in it, for the test of its reader:
 *
 *	barcode_picture TIME_US NUMBER WIDTH HEIGHT
 *
 * writes WIDTH x HEIGHT bytes of luma to standard output.
 */
#include "config.h"

#include "bench/glass/barcode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GREY            128
#define SIZE_MAX_PIXELS 8192

int
main(int argc, char **argv)
{
	unsigned width = argc == 5 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	unsigned height = argc == 5 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	size_t len = (size_t)width * height;
	uint8_t *luma;

	if (len == 0 || width > SIZE_MAX_PIXELS || height > SIZE_MAX_PIXELS) {
		fprintf(stderr, "usage: barcode_picture TIME_US NUMBER WIDTH HEIGHT\n");
		return 2;
	}
	luma = malloc(len);
	if (luma == NULL)
		return 1;
	memset(luma, GREY, len);
	barcode_paint(
	    luma, width, width, height,
	    barcode_bits(strtoll(argv[1], NULL, 10), (uint32_t)strtoul(argv[2], NULL, 10)));
	len -= fwrite(luma, 1, len, stdout);
	free(luma);
	return len == 0 ? 0 : 1;
}
