/*
 * An AudioSpecificConfig (and the init segment it goes into), and a stream of ADTS.
 */
#include "config.h"

#include "media/aac.h"
#include "media/bytes.h"
#include "media/fmp4.h"
#include "tests/fuzz/fuzz.h"

static void
check_config(const uint8_t *data, size_t size)
{
	struct fmp4_track track = { .id = 1,
				    .codec = FMP4_AAC,
				    .timescale = 48000,
				    .config = data,
				    .config_len = size,
				    .sample_rate = 48000,
				    .channels = 2 };
	struct aac_config config;
	struct byte_writer out;
	char codec[AAC_CODEC_STRING_BYTES];
	int err = aac_parse_config(data, size, &config);

	if (err == 0) {
		FUZZ_CHECK(config.sample_rate >= 1 && config.sample_rate <= 192000);
		FUZZ_CHECK(config.channels <= 8 && config.frame_samples >= 480);
		aac_codec_string(&config, codec);
	}
	byte_writer_init(&out, FMP4_INIT_BYTES_MAX);
	FUZZ_CHECK((fmp4_init_segment(&track, 1, &out) == 0) == (err == 0));
	byte_writer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t pos = 0, raw_len, frame_len;
	const uint8_t *raw;
	struct aac_adts adts;
	struct aac_config config;
	uint8_t asc[2];

	check_config(data, size);
	while (aac_strip_adts(data + pos, size - pos, &raw, &raw_len, &frame_len) == 0) {
		FUZZ_CHECK(frame_len > 0 && frame_len <= size - pos);
		FUZZ_CHECK(raw >= data + pos && raw + raw_len == data + pos + frame_len);
		FUZZ_CHECK(aac_parse_adts(data + pos, size - pos, &adts) == 0);
		aac_config_from_adts(&adts, asc);
		FUZZ_CHECK(aac_parse_config(asc, sizeof(asc), &config) == 0);
		FUZZ_CHECK(config.sample_rate == adts.sample_rate);
		pos += frame_len;
	}
	return 0;
}
