/*
 * Files of sound alone, as the front puts them together, decoded by ffmpeg without a word: G.711
 * and L16 to the very samples that ffmpeg itself makes of the raw bytes, silence to nothing but
 * zeros. Skipped (77) without ffmpeg.
 */
#include "config.h"

#include "media/audio.h"

#include "media/aac.h"
#include "media/bytes.h"
#include "tests/media_data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCM_BYTES (1u << 20)

static const struct {
	enum audio_codec codec;
	const char *config;
	size_t config_len;
	const char *raw; /* how ffmpeg reads the frames as they came, without a file around */
	size_t frame_bytes;
} samples[] = {
	{ AUDIO_PCMA, "\0\0\x1f\x40\1\x08\0\0", 8, "-v error -f alaw -ar 8000 -ac 1", 160 },
	{ AUDIO_PCMU, "\0\0\x1f\x40\1\x08\0\0", 8, "-v error -f mulaw -ar 8000 -ac 1", 400 },
	{ AUDIO_PCMU, "\0\0\x3e\x80\2\x08\0\0", 8, "-v error -f mulaw -ar 16000 -ac 2", 16 * 2 },
	{ AUDIO_L16, "\0\0\xac\x44\2\x10\0\0", 8, "-v error -f s16be -ar 44100 -ac 2", 1764 },
	{ AUDIO_L16, "\0\0\x2b\x11\1\x10\0\0", 8, "-v error -f s16be -ar 11025 -ac 1", 2048 },
};

static void
write_init(struct byte_writer *file, const struct audio_format *format, const void *config,
	   size_t len)
{
	uint8_t room[FLAC_STREAMINFO_BYTES];
	struct fmp4_track track;

	audio_track(format, 2, config, len, room, &track);
	ck_assert_int_eq(fmp4_init_segment(&track, 1, file), 0);
}

static void
write_fragment(struct byte_writer *file, uint32_t n, uint64_t time, uint32_t ticks,
	       const struct byte_writer *sample)
{
	uint8_t header[FMP4_FRAGMENT_HEADER_BYTES];
	struct fmp4_sample about = { n + 1, 2, time, ticks, 0, true, sample->len };

	ck_assert_int_eq(sample->err, 0);
	ck_assert_int_eq(fmp4_fragment_header(&about, header), 0);
	byte_writer_bytes(file, header, sizeof(header));
	byte_writer_bytes(file, sample->data, sample->len);
}

/* Decodes bytes with ffmpeg; anything it says fails the test. Returns how much came out. */
static size_t
decode(const char *input, const struct byte_writer *bytes, uint8_t *pcm)
{
	char path[] = "/tmp/camhub-audio-XXXXXX", said[64];
	char line[PATH_MAX];
	int fd = mkstemp(path), status;
	size_t n, n_said;
	FILE *pipe;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes->data, bytes->len), (ssize_t)bytes->len);
	(void)close(fd);
	(void)snprintf(line, sizeof(line), "ffmpeg -nostdin %s -i %s -f s16le - 2>%s.said", input,
		       path, path);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	n = fread(pcm, 1, PCM_BYTES, pipe);
	status = pclose(pipe);
	(void)unlink(path);
	(void)snprintf(line, sizeof(line), "%s.said", path);
	pipe = fopen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	n_said = fread(said, 1, sizeof(said) - 1, pipe);
	said[n_said] = '\0';
	(void)fclose(pipe);
	(void)unlink(line);
	ck_assert_msg(status == 0 && n_said == 0, "ffmpeg said: %s", said);
	return n;
}

START_TEST(samples_arrive_untouched)
{
	struct byte_writer file, sample, raw;
	struct audio_format format;
	uint8_t frame[2048], *ours = malloc(PCM_BYTES), *theirs = malloc(PCM_BYTES);
	uint32_t n, ticks;
	size_t i, len;

	byte_writer_init(&file, PCM_BYTES);
	byte_writer_init(&sample, PCM_BYTES);
	byte_writer_init(&raw, PCM_BYTES);
	ck_assert_int_eq(audio_parse_config(samples[_i].codec, (const uint8_t *)samples[_i].config,
					    samples[_i].config_len, &format),
			 0);
	write_init(&file, &format, samples[_i].config, samples[_i].config_len);
	for (n = 0; n < 50; n++) {
		for (i = 0; i < samples[_i].frame_bytes; i++)
			frame[i] = (uint8_t)(i * 37 + n * 11 + i / 256);
		byte_writer_bytes(&raw, frame, samples[_i].frame_bytes);
		ticks = audio_frame_ticks(&format, frame, samples[_i].frame_bytes);
		byte_writer_reset(&sample);
		ck_assert_int_eq(audio_write_sample(&format, (uint64_t)n * ticks, frame,
						    samples[_i].frame_bytes, &sample),
				 0);
		write_fragment(&file, n, (uint64_t)n * ticks, ticks, &sample);
	}
	len = decode("-v warning", &file, ours);
	ck_assert_uint_eq(len, decode(samples[_i].raw, &raw, theirs));
	ck_assert_uint_gt(len, 0);
	ck_assert_mem_eq(ours, theirs, len);
	byte_writer_free(&file);
	byte_writer_free(&sample);
	byte_writer_free(&raw);
	free(ours);
	free(theirs);
}
END_TEST

static const struct {
	enum audio_codec codec;
	const char *config;
	size_t config_len;
	unsigned channels;
} silences[] = {
	{ AUDIO_PCMA, "\0\0\x1f\x40\1\x08\0\0", 8, 1 },
	{ AUDIO_L16, "\0\0\xac\x44\2\x10\0\0", 8, 2 },
	{ AUDIO_AAC, "\x14\x08", 2, 1 },
	{ AUDIO_AAC, "\x12\x10", 2, 2 },
	{ AUDIO_OPUS, "OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0", 19, 1 },
	{ AUDIO_OPUS, "OpusHead\1\2\0\0\x80\xbb\0\0\0\0\0", 19, 2 },
};

START_TEST(silence_is_silent)
{
	uint8_t *pcm = malloc(PCM_BYTES);
	struct byte_writer file, sample;
	struct audio_format format;
	uint64_t time = 0;
	uint32_t n, ticks;
	size_t len, i;

	byte_writer_init(&file, PCM_BYTES);
	byte_writer_init(&sample, PCM_BYTES);
	ck_assert_int_eq(audio_parse_config(silences[_i].codec,
					    (const uint8_t *)silences[_i].config,
					    silences[_i].config_len, &format),
			 0);
	write_init(&file, &format, silences[_i].config, silences[_i].config_len);
	for (n = 0; n < 10; n++, time += ticks) {
		ticks = audio_silence_ticks(&format, UINT64_MAX);
		byte_writer_reset(&sample);
		ck_assert_int_eq(audio_write_silence(&format, time, ticks, &sample), 0);
		write_fragment(&file, n, time, ticks, &sample);
	}
	len = decode("-v warning", &file, pcm);
	ck_assert_uint_eq(len, time * 2 * silences[_i].channels);
	for (i = 0; i < len; i++)
		ck_assert_uint_eq(pcm[i], 0);
	byte_writer_free(&file);
	byte_writer_free(&sample);
	free(pcm);
}
END_TEST

/* Silence between two frames of a real encoder does not upset the decoder. */
START_TEST(silence_fits_between_frames)
{
	size_t len, pos = 0, raw_len, frame_len;
	uint8_t *stream = data_load("stereo_44k.adts", &len), *pcm = malloc(PCM_BYTES);
	struct byte_writer file, sample;
	struct audio_format format;
	const uint8_t *raw;
	uint32_t n = 0;

	byte_writer_init(&file, PCM_BYTES);
	byte_writer_init(&sample, PCM_BYTES);
	ck_assert_int_eq(audio_parse_config(AUDIO_AAC, (const uint8_t *)"\x12\x10", 2, &format), 0);
	write_init(&file, &format, "\x12\x10", 2);
	while (pos < len) {
		ck_assert_int_eq(
		    aac_strip_adts(stream + pos, len - pos, &raw, &raw_len, &frame_len), 0);
		byte_writer_reset(&sample);
		ck_assert_int_eq(audio_write_sample(&format, 0, raw, raw_len, &sample), 0);
		write_fragment(&file, n, n * 1024u, 1024, &sample);
		n++;
		byte_writer_reset(&sample);
		ck_assert_int_eq(audio_write_silence(&format, 0, 1024, &sample), 0);
		write_fragment(&file, n, n * 1024u, 1024, &sample);
		n++;
		pos += frame_len;
	}
	ck_assert_uint_eq(decode("-v warning", &file, pcm), n * 1024 * 4);
	byte_writer_free(&file);
	byte_writer_free(&sample);
	free(stream);
	free(pcm);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, samples_arrive_untouched, 0,
			    sizeof(samples) / sizeof(samples[0]));
	tcase_add_loop_test(tcase, silence_is_silent, 0, sizeof(silences) / sizeof(silences[0]));
	tcase_add_test(tcase, silence_fits_between_frames);
}

int
main(void)
{
	if (system("command -v ffmpeg >/dev/null 2>&1") != 0) {
		puts("SKIP: ffmpeg is not installed (apt-get install ffmpeg)");
		return 77;
	}
	return data_run("media audio ffmpeg", add);
}
