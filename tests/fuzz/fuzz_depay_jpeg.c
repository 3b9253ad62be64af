/*
 * Packets of JPEG, see fuzz_units.h; the first byte: bits 0-1 the described size, bit 2 a small
 * limit.
 */
#include "config.h"

#include "tests/fuzz/fuzz_units.h"

static void
check(const uint8_t *bytes, size_t len, const struct rtp_unit *unit)
{
	(void)unit;
	FUZZ_CHECK(len > 556 && bytes[0] == 0xff && bytes[1] == 0xd8);
	FUZZ_CHECK(bytes[len - 2] == 0xff && bytes[len - 1] == 0xd9);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t sizes[4] = { 0, 160, 2560, 65535 };
	struct rtp_format format = { .codec = RTP_CODEC_JPEG, .clock_rate = 90000 };

	if (size == 0)
		return 0;
	format.width = format.height = sizes[data[0] & 3];
	fuzz_units(&format, data[0] & 4 ? 1000 : 1u << 20, check, data + 1, size - 1);
	return 0;
}
