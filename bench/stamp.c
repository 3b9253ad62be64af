/*
 * Writing and finding stamps.
 */
#include "config.h"

#include "bench/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BYTES 4096 /* parameter sets and delimiters may stand before it */

static const uint8_t stamp_uuid[16] = { 0x63, 0x61, 0x6d, 0x68, 0x75, 0x62, 0x2d, 0x62,
					0x65, 0x6e, 0x63, 0x68, 0x2d, 0x30, 0x30, 0x31 };

void
stamp_write(uint8_t out[STAMP_SEI_BYTES], uint64_t time_ns, uint64_t number)
{
	char digits[STAMP_DIGITS + 1];

	snprintf(digits, sizeof(digits), "%020" PRIu64 "%012" PRIu64, time_ns,
		 number % UINT64_C(1000000000000));
	out[0] = 6; /* SEI */
	out[1] = 5; /* user_data_unregistered */
	out[2] = 16 + STAMP_DIGITS;
	memcpy(out + 3, stamp_uuid, 16);
	memcpy(out + 19, digits, STAMP_DIGITS);
	out[19 + STAMP_DIGITS] = 0x80;
}

bool
stamp_read(const uint8_t *unit, size_t len, uint64_t *time_ns, uint64_t *number)
{
	const uint8_t *at =
	    memmem(unit, len < LOOK_BYTES ? len : LOOK_BYTES, stamp_uuid, sizeof(stamp_uuid));
	char digits[STAMP_DIGITS + 1];

	if (at == NULL || (size_t)(unit + len - at) < 16 + STAMP_DIGITS)
		return false;
	memcpy(digits, at + 16, STAMP_DIGITS);
	digits[STAMP_DIGITS] = '\0';
	*number = strtoull(digits + 20, NULL, 10);
	digits[20] = '\0';
	*time_ns = strtoull(digits, NULL, 10);
	return true;
}
