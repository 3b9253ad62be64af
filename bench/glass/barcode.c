/*
 * Painting the clock.
 */
#include "config.h"

#include "bench/glass/barcode.h"

#include <string.h>

#define UNIT_US     100
#define TIME_MASK   ((UINT64_C(1) << 40) - 1)
#define CRC_POLY    0x07
#define LUMA_BLACK  16
#define LUMA_WHITE  235
#define CELLS_TOTAL (BARCODE_COLUMNS * BARCODE_ROWS)

static uint8_t
crc8(uint64_t bits, unsigned n_bytes)
{
	uint8_t crc = 0;

	for (unsigned i = n_bytes; i-- > 0;) {
		crc ^= (uint8_t)(bits >> 8 * i);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ CRC_POLY : crc << 1);
	}
	return crc;
}

uint64_t
barcode_bits(int64_t time_us, uint32_t number)
{
	uint64_t bits = ((uint64_t)time_us / UNIT_US & TIME_MASK) << 16 | (number & 0xffff);

	return bits << 8 | crc8(bits, 7);
}

void
barcode_paint(uint8_t *luma, size_t stride, unsigned width, unsigned height, uint64_t bits)
{
	unsigned row_height = height / BARCODE_ROWS_HEIGHT;

	for (unsigned y = 0; y < BARCODE_ROWS * row_height; y++)
		for (unsigned x = 0; x < BARCODE_COLUMNS; x++) {
			unsigned cell = y / row_height * BARCODE_COLUMNS + x;
			unsigned left = x * width / BARCODE_COLUMNS;
			unsigned right = (x + 1) * width / BARCODE_COLUMNS;
			int value = bits >> (CELLS_TOTAL - 1 - cell) & 1 ? LUMA_WHITE : LUMA_BLACK;

			memset(luma + y * stride + left, value, right - left);
		}
}
