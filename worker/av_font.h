/*
 * A font of 5 x 7 points: digits, capitals and the marks of a clock and a name.
 */
#ifndef CAMHUB_WORKER_AV_FONT_H
#define CAMHUB_WORKER_AV_FONT_H

#include <stdint.h>

#define FONT_WIDTH  5
#define FONT_HEIGHT 7

/* Seven rows, bit 4 is the leftmost point. Lower case as upper; what is unknown is a space. */
const uint8_t *font_glyph(char c);

#endif
