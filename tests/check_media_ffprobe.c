/*
 * What the fMP4 writer makes of the encoder's streams, one sample a fragment, read and decoded by
 * ffprobe: the right frames, and not one warning. Skipped (77) without ffprobe.
 */
#include "config.h"

#include "media/aac.h"
#include "media/bytes.h"
#include "media/codec.h"
#include "media/fmp4.h"
#include "tests/media_data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct video {
	const char *name;
	enum nal_codec codec;
	uint32_t ticks;   /* of a frame */
	int8_t delay;     /* frames between decoding and showing, so that none is shown before it is
			     decoded */
	int8_t shown[16]; /* the place of each frame in the order of showing; in decoding order */
	const char *want; /* what ffprobe says of the stream: see probe() */
};

static const struct video videos[] = {
	{ "high_1080p_b.h264",
	  NAL_H264,
	  3600,
	  1,
	  { 0, 3, 1, 2, 5, 4 },
	  "h264,avc1,1920,1080,1:1,6\n" },
	{ "baseline_360p.h264",
	  NAL_H264,
	  6000,
	  0,
	  { 0, 1, 2, 3, 4, 5, 6, 7 },
	  "h264,avc1,640,360,1:1,8\n" },
	{ "main_interlaced_576i.h264",
	  NAL_H264,
	  3600,
	  0,
	  { 0, 1, 2 },
	  "h264,avc1,720,576,16:11,3\n" },
	{ "high_crop_322x182.h264", NAL_H264, 3003, 0, { 0, 1, 2 }, "h264,avc1,322,182,1:1,3\n" },
	{ "high_open_gop.h264",
	  NAL_H264,
	  3600,
	  1,
	  { 0, 3, 1, 2, 6, 4, 5, 7, 10, 8, 9, 11 },
	  "h264,avc1,160,96,1:1,12\n" },
	{ "main_1080p_b.h265",
	  NAL_H265,
	  3600,
	  1,
	  { 0, 3, 1, 2, 5, 4 },
	  "hevc,hvc1,1920,1080,1:1,6\n" },
	{ "main10_322x182.h265", NAL_H265, 3003, 0, { 0, 1, 2 }, "hevc,hvc1,322,182,4:3,3\n" },
	{ "main_360p.h265", NAL_H265, 6000, 0, { 0, 1, 2, 3, 4, 5 }, "hevc,hvc1,640,360,1:1,6\n" },
};

static void
write_header(struct byte_writer *file, const struct fmp4_sample *sample)
{
	uint8_t header[FMP4_FRAGMENT_HEADER_BYTES];

	ck_assert_int_eq(fmp4_fragment_header(sample, header), 0);
	byte_writer_bytes(file, header, sizeof(header));
}

static void
write_video_init(struct byte_writer *file, const struct video *video, const uint8_t *stream,
		 size_t len)
{
	struct codec_video_info info;
	struct byte_writer config;
	struct fmp4_track track;

	byte_writer_init(&config, 4096);
	ck_assert_int_eq(codec_video_describe(video->codec, stream, len, &info), 0);
	ck_assert_int_eq(codec_write_extradata(video->codec, stream, len, &config), 0);
	track = (struct fmp4_track){ .id = 1,
				     .codec = video->codec == NAL_H264 ? FMP4_H264 : FMP4_H265,
				     .timescale = FMP4_VIDEO_TIMESCALE,
				     .config = config.data,
				     .config_len = config.len,
				     .width = (uint16_t)info.width,
				     .height = (uint16_t)info.height,
				     .sar_num = info.sar_num,
				     .sar_den = info.sar_den };
	ck_assert_int_eq(fmp4_init_segment(&track, 1, file), 0);
	byte_writer_free(&config);
}

static void
write_video(struct byte_writer *file, const struct video *video)
{
	size_t len, unit_len, pos = 0;
	uint8_t *stream = data_load(video->name, &len);
	const uint8_t *data;
	struct byte_writer payload;
	struct codec_unit unit;
	int32_t n = 0;

	byte_writer_init(&payload, 1 << 20);
	write_video_init(file, video, stream, len);
	while (data_next_unit(video->codec, stream, len, &pos, &data, &unit_len)) {
		byte_writer_reset(&payload);
		codec_classify(video->codec, data, unit_len, NULL, &unit);
		ck_assert_int_eq(nal_annexb_to_sample(video->codec, data, unit_len, &payload), 0);
		write_header(file,
			     &(struct fmp4_sample){
				 .sequence = (uint32_t)n + 1,
				 .track_id = 1,
				 .decode_time = 0x100000000ull * 100 + (uint32_t)n * video->ticks,
				 .duration = video->ticks,
				 .composition_offset =
				     (video->shown[n] - n + video->delay) * (int32_t)video->ticks,
				 .is_key = unit.is_key,
				 .payload_len = payload.len });
		byte_writer_bytes(file, payload.data, payload.len);
		n++;
	}
	byte_writer_free(&payload);
	free(stream);
}

/* Runs a command with the file's name behind it; both outputs of it land in out. */
static void
run(const char *command, const struct byte_writer *file, char *out, size_t size)
{
	char path[] = "/tmp/camhub-fmp4-XXXXXX";
	char line[PATH_MAX];
	int fd = mkstemp(path);
	size_t n;
	FILE *pipe;
	int status;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file->err, 0);
	ck_assert_int_eq(write(fd, file->data, file->len), (ssize_t)file->len);
	(void)close(fd);
	(void)snprintf(line, sizeof(line), "%s %s 2>&1", command, path);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	n = fread(out, 1, size - 1, pipe);
	out[n] = '\0';
	status = pclose(pipe);
	(void)unlink(path);
	ck_assert_msg(status == 0, "%s: %s", command, out);
}

#define PROBE_VIDEO                                                                                \
	"ffprobe -v warning -count_frames -show_entries "                                          \
	"stream=codec_name,codec_tag_string,width,height,sample_aspect_ratio,nb_read_frames -of "  \
	"csv=p=0"
#define PROBE_TIMES "ffprobe -v warning -show_entries packet=pts,dts,duration,flags -of csv=p=0"
#define PROBE_AUDIO                                                                                \
	"ffprobe -v warning -count_frames -show_entries "                                          \
	"stream=codec_name,sample_rate,channels,nb_read_frames -of csv=p=0"

START_TEST(video_is_decoded_without_a_word)
{
	struct byte_writer file;
	char out[4096];

	byte_writer_init(&file, 1 << 20);
	write_video(&file, &videos[_i]);
	run(PROBE_VIDEO, &file, out, sizeof(out));
	ck_assert_str_eq(out, videos[_i].want);
	byte_writer_free(&file);
}
END_TEST

START_TEST(times_and_flags_arrive)
{
	const struct video *video = &videos[_i];
	unsigned long long base = 0x100000000ull * 100;
	struct byte_writer file;
	char out[4096], want[4096];
	size_t n = 0, i;

	byte_writer_init(&file, 1 << 20);
	write_video(&file, video);
	run(PROBE_TIMES, &file, out, sizeof(out));
	for (i = 0; i == 0 || video->shown[i] > 0; i++) {
		bool is_key = i == 0 || (strcmp(video->name, "baseline_360p.h264") == 0 && i == 4);

		n += (size_t)snprintf(want + n, sizeof(want) - n, "%llu,%llu,%u,%s\n",
				      base +
					  (unsigned)(video->shown[i] + video->delay) * video->ticks,
				      base + i * video->ticks, video->ticks, is_key ? "K_" : "__");
	}
	ck_assert_str_eq(out, want);
	byte_writer_free(&file);
}
END_TEST

START_TEST(aac_is_decoded_without_a_word)
{
	size_t len, pos = 0, raw_len, frame_len;
	uint8_t *stream = data_load("stereo_44k.adts", &len);
	struct byte_writer file;
	struct aac_adts adts;
	uint8_t asc[2];
	const uint8_t *raw;
	uint32_t n = 0;
	char out[4096];

	byte_writer_init(&file, 1 << 20);
	ck_assert_int_eq(aac_parse_adts(stream, len, &adts), 0);
	aac_config_from_adts(&adts, asc);
	ck_assert_int_eq(
	    fmp4_init_segment(
		&(struct fmp4_track){ 2, FMP4_AAC, 44100, asc, 2, 0, 0, 0, 0, 44100, 2 }, 1, &file),
	    0);
	while (pos < len) {
		ck_assert_int_eq(
		    aac_strip_adts(stream + pos, len - pos, &raw, &raw_len, &frame_len), 0);
		write_header(&file,
			     &(struct fmp4_sample){ n + 1, 2, n * 1024u, 1024, 0, true, raw_len });
		byte_writer_bytes(&file, raw, raw_len);
		pos += frame_len;
		n++;
	}
	run(PROBE_AUDIO, &file, out, sizeof(out));
	ck_assert_str_eq(out, "aac,44100,2,6\n");
	byte_writer_free(&file);
	free(stream);
}
END_TEST

START_TEST(opus_and_video_share_a_file)
{
	static const uint8_t silence[] = { 0xf8, 0xff, 0xfe }; /* RFC 6716: CELT, 20 ms, mono */
	size_t len;
	uint8_t *stream = data_load("baseline_360p.h264", &len);
	struct byte_writer file, config, sample;
	char out[4096];
	uint32_t n;

	byte_writer_init(&file, 1 << 20);
	byte_writer_init(&config, 4096);
	byte_writer_init(&sample, 1 << 20);
	ck_assert_int_eq(codec_write_extradata(NAL_H264, stream, len, &config), 0);
	{
		struct fmp4_track tracks[2] = {
			{ 1, FMP4_H264, 90000, config.data, config.len, 640, 360 },
			{ 2, FMP4_OPUS, 48000, NULL, 0, 0, 0, 0, 0, 48000, 1 },
		};

		ck_assert_int_eq(fmp4_init_segment(tracks, 2, &file), 0);
	}
	for (n = 0; n < 5; n++) {
		write_header(&file, &(struct fmp4_sample){ n + 1, 2, n * 960u, 960, 0, true, 3 });
		byte_writer_bytes(&file, silence, sizeof(silence));
	}
	{
		const uint8_t *data;
		size_t unit_len, pos = 0;

		ck_assert(data_next_unit(NAL_H264, stream, len, &pos, &data, &unit_len));
		ck_assert_int_eq(nal_annexb_to_sample(NAL_H264, data, unit_len, &sample), 0);
	}
	write_header(&file, &(struct fmp4_sample){ 6, 1, 0, 3600, 0, true, sample.len });
	byte_writer_bytes(&file, sample.data, sample.len);
	run("ffprobe -v warning -count_frames -show_entries stream=codec_name,nb_read_frames -of "
	    "csv=p=0",
	    &file, out, sizeof(out));
	ck_assert_str_eq(out, "h264,1\nopus,5\n");
	byte_writer_free(&file);
	byte_writer_free(&config);
	byte_writer_free(&sample);
	free(stream);
}
END_TEST

START_TEST(flac_is_decoded_without_a_word)
{
	size_t len, pos = 4, block;
	uint8_t *stream = data_load("silence_48k.flac", &len);
	struct byte_writer file;
	char out[4096];
	bool is_last = false;

	byte_writer_init(&file, 1 << 20);
	while (!is_last) {
		ck_assert_uint_lt(pos + 4, len);
		is_last = (stream[pos] & 0x80) != 0;
		block =
		    (size_t)stream[pos + 1] << 16 | (size_t)stream[pos + 2] << 8 | stream[pos + 3];
		pos += 4 + block;
	}
	ck_assert_uint_lt(pos, len);
	ck_assert_int_eq(fmp4_init_segment(&(struct fmp4_track){ 1, FMP4_FLAC, 48000, stream + 8,
								 34, 0, 0, 0, 0, 48000, 1 },
					   1, &file),
			 0);
	write_header(&file, &(struct fmp4_sample){ 1, 1, 0, 1024, 0, true, len - pos });
	byte_writer_bytes(&file, stream + pos, len - pos);
	run(PROBE_AUDIO, &file, out, sizeof(out));
	ck_assert_str_eq(out, "flac,48000,1,1\n");
	byte_writer_free(&file);
	free(stream);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, video_is_decoded_without_a_word, 0,
			    sizeof(videos) / sizeof(videos[0]));
	tcase_add_loop_test(tcase, times_and_flags_arrive, 0, 2);
	tcase_add_test(tcase, aac_is_decoded_without_a_word);
	tcase_add_test(tcase, opus_and_video_share_a_file);
	tcase_add_test(tcase, flac_is_decoded_without_a_word);
}

int
main(void)
{
	if (system("command -v ffprobe >/dev/null 2>&1") != 0) {
		puts("SKIP: ffprobe is not installed (apt-get install ffmpeg)");
		return 77;
	}
	return data_run("media ffprobe", add);
}
