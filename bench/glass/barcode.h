/*
 * A clock in the picture: when it was drawn, and its number, as black and white cells that survive
 * H.264 and JPEG and can be read from a copy of any size. 32 columns and 2 rows over the whole
 * width at the top of the picture; each row is a thirtieth of the height. 64 bits, the most
 * significant first, left to right, then the second row; white is 1:
 *
 *	40 bits  time since 1970 in units of 100 us, modulo 2^40
 *	16 bits  number of the picture, modulo 2^16
 *	 8 bits  CRC-8 (polynomial 0x07, begin 0) of the seven bytes before it
 */
#ifndef CAMHUB_BENCH_GLASS_BARCODE_H
#define CAMHUB_BENCH_GLASS_BARCODE_H

#include <stddef.h>
#include <stdint.h>

#define BARCODE_COLUMNS     32
#define BARCODE_ROWS        2
#define BARCODE_ROWS_HEIGHT 30 /* so many rows would fill the picture */

/* The cells of a picture drawn at time_us (microseconds since 1970). */
uint64_t barcode_bits(int64_t time_us, uint32_t number);

/* Paints the cells into a luma plane of at least width x height pixels, black 16 and white 235. */
void barcode_paint(uint8_t *luma, size_t stride, unsigned width, unsigned height, uint64_t bits);

#endif
