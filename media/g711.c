/*
 * A-law and mu-law by their definition: sign, three bits of exponent, four of mantissa.
 */
#include "config.h"

#include "media/g711.h"

#define ALAW_INVERTED 0x55u /* every other bit is sent inverted */
#define MULAW_BIAS    0x84

int16_t
g711_alaw(uint8_t code)
{
	unsigned bits = code ^ ALAW_INVERTED, exponent = bits >> 4 & 7;
	int magnitude = (int)(bits & 15) << 4 | 8; /* the middle of the interval */

	if (exponent > 0)
		magnitude = (magnitude + 0x100) << (exponent - 1);
	return (int16_t)(bits & 0x80 ? magnitude : -magnitude);
}

int16_t
g711_mulaw(uint8_t code)
{
	unsigned bits = ~(unsigned)code, exponent = bits >> 4 & 7;
	int magnitude = (((int)(bits & 15) << 3 | MULAW_BIAS) << exponent) - MULAW_BIAS;

	return (int16_t)(bits & 0x80 ? -magnitude : magnitude);
}
