/*
 * Packets of sound, see fuzz_units.h; the first byte: which row of the table.
 */
#include "config.h"

#include "tests/fuzz/fuzz_units.h"

static uint8_t asc[] = { 0x14, 0x08 };

static const struct rtp_format formats[] = {
	{ .codec = RTP_CODEC_AAC,
	  .clock_rate = 16000,
	  .channels = 1,
	  .config = asc,
	  .config_len = sizeof(asc),
	  .size_length = 13,
	  .index_length = 3,
	  .index_delta_length = 3 },
	{ .codec = RTP_CODEC_AAC,
	  .clock_rate = 16000,
	  .size_length = 6,
	  .index_length = 2,
	  .index_delta_length = 2 },
	{ .codec = RTP_CODEC_AAC, .clock_rate = 16000, .constant_size = 7 },
	{ .codec = RTP_CODEC_AAC, .clock_rate = 16000, .index_length = 3, .constant_size = 2 },
	{ .codec = RTP_CODEC_AAC, .clock_rate = 16000, .size_length = 1 },
	{ .codec = RTP_CODEC_AAC,
	  .clock_rate = 16000,
	  .size_length = 32,
	  .index_length = 32,
	  .index_delta_length = 32 },
	{ .codec = RTP_CODEC_PCMU, .clock_rate = 8000, .channels = 1 },
	{ .codec = RTP_CODEC_G726, .clock_rate = 8000, .channels = 1, .bits_per_sample = 3 },
	{ .codec = RTP_CODEC_L16, .clock_rate = 44100, .channels = 2 },
	{ .codec = RTP_CODEC_OPUS, .clock_rate = 48000, .channels = 2 },
};

static void
check(const uint8_t *bytes, size_t len, const struct rtp_unit *unit)
{
	(void)bytes;
	FUZZ_CHECK(len <= 1000);
	FUZZ_CHECK(unit->duration <= 5760 && !unit->is_damaged);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	fuzz_units(&formats[data[0] % (sizeof(formats) / sizeof(formats[0]))], 1000, check,
		   data + 1, size - 1);
	return 0;
}
