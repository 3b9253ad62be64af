/*
 * A configuration of sound and a frame that goes with it. The first byte is the codec, the second
 * the length of the configuration.
 */
#include "config.h"

#include "media/audio.h"

#include "media/bytes.h"
#include "tests/fuzz/fuzz.h"

#define SAMPLE_BYTES_MAX (4u << 20)

static void
check_track(const struct audio_format *format, const uint8_t *config, size_t len)
{
	uint8_t room[FLAC_STREAMINFO_BYTES];
	struct fmp4_track track;
	struct byte_writer out;

	byte_writer_init(&out, FMP4_INIT_BYTES_MAX);
	audio_track(format, 2, config, len, room, &track);
	FUZZ_CHECK(fmp4_init_segment(&track, 1, &out) == 0);
	byte_writer_free(&out);
}

static void
check_frame(const struct audio_format *format, const uint8_t *frame, size_t len)
{
	uint32_t ticks = audio_frame_ticks(format, frame, len);
	struct byte_writer out;

	byte_writer_init(&out, SAMPLE_BYTES_MAX);
	FUZZ_CHECK((audio_write_sample(format, len, frame, len, &out) == 0) == (ticks > 0));
	FUZZ_CHECK((out.len > 0) == (ticks > 0));
	byte_writer_reset(&out);
	ticks = audio_silence_ticks(format, len);
	FUZZ_CHECK(ticks <= len);
	FUZZ_CHECK((audio_write_silence(format, len, ticks, &out) == 0) == (ticks > 0));
	byte_writer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audio_format format;
	size_t config_len;

	if (size < 2)
		return 0;
	config_len = data[1] <= size - 2 ? data[1] : size - 2;
	if (audio_parse_config((enum audio_codec)(data[0] % (AUDIO_L16 + 1)), data + 2, config_len,
			       &format) < 0)
		return 0;
	FUZZ_CHECK(format.rate > 0 && format.channels > 0 && format.codec_string[0] != '\0');
	check_track(&format, data + 2, config_len);
	check_frame(&format, data + 2 + config_len, size - 2 - config_len);
	return 0;
}
