/*
 * Rewritten streams as FFmpeg sees them: the same pictures, sets that its own parser reads to the
 * end, and no other field changed. Skipped (77) without ffmpeg.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"
#include "media/vui_rewrite.h"
#include "tests/media_data.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_BYTES (1u << 20)

/* A stream without reordered pictures, and what is taken out of its sets or put in first, so that
 * there is something to rewrite (places as in check_media_vui.c). */
static const struct {
	const char *name;
	enum nal_codec codec;
	size_t from, to;
	const char *bits;
	const char *fields; /* of the rewritten set, as trace_headers prints them */
} rows[] = {
	{ "baseline_360p.h264", NAL_H264, 74, 180, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "baseline_360p.h264", NAL_H264, 156, 180, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "main_interlaced_576i.h264", NAL_H264, 66, 172, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "high_hrd.h264", NAL_H264, 226, 250, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "high_scaling_lists.h264", NAL_H264, 69, 175, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "high444.h264", NAL_H264, 84, 190, "0",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=3" },
	{ "high_intra_refresh.h264", NAL_H264, 163, 167,
	  "010"
	  "00100",
	  "max_num_reorder_frames=0 max_dec_frame_buffering=1" },
	{ "main_360p.h265", NAL_H265, 174, 178,
	  "011"
	  "00110",
	  "sps_max_num_reorder_pics[0]=0 sps_max_latency_increase_plus1[0]=0" },
	{ "main_scaling_lists.h265", NAL_H265, 166, 167, "011",
	  "sps_max_num_reorder_pics[0]=0 sps_max_latency_increase_plus1[0]=0" },
};

static bool
is_sps(enum nal_codec codec, const struct nal_unit *nal)
{
	return nal_type(codec, nal) ==
	       (codec == NAL_H264 ? (unsigned)H264_NAL_SPS : (unsigned)H265_NAL_SPS);
}

/* The stream with its SPS prepared, and the same with it rewritten. */
static void
make_streams(int row, struct byte_writer *given, struct byte_writer *rewritten)
{
	enum nal_codec codec = rows[row].codec;
	size_t len;
	uint8_t *stream = data_load(rows[row].name, &len), edited[2048];
	struct nal_iter iter;
	struct nal_unit nal;

	byte_writer_init(given, 1 << 20);
	byte_writer_init(rewritten, 1 << 20);
	nal_iter_annexb(&iter, stream, len);
	while (nal_iter_next(&iter, &nal)) {
		if (!is_sps(codec, &nal)) {
			nal_write_annexb(given, &nal);
			nal_write_annexb(rewritten, &nal);
			continue;
		}
		nal.len = data_splice(&nal, rows[row].from, rows[row].to, rows[row].bits, edited);
		nal.data = edited;
		nal_write_annexb(given, &nal);
		byte_writer_u32(rewritten, 1);
		ck_assert_int_eq(codec == NAL_H264 ? h264_sps_rewrite(nal.data, nal.len, rewritten)
						   : h265_sps_rewrite(nal.data, nal.len, rewritten),
				 1);
	}
	free(stream);
}

/* What a command prints of a stream; free() it. */
static char *
run(int row, const char *before, const struct byte_writer *stream, const char *after)
{
	char path[] = "/tmp/camhub-vui-XXXXXX";
	char line[PATH_MAX], *out = calloc(1, OUTPUT_BYTES);
	int fd = mkstemp(path), status;
	FILE *pipe;

	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, stream->data, stream->len), (ssize_t)stream->len);
	(void)close(fd);
	(void)snprintf(line, sizeof(line), "ffmpeg -nostdin -hide_banner %s -f %s -i %s %s 2>&1",
		       before, rows[row].codec == NAL_H264 ? "h264" : "hevc", path, after);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_uint_lt(fread(out, 1, OUTPUT_BYTES, pipe), OUTPUT_BYTES);
	status = pclose(pipe);
	(void)unlink(path);
	ck_assert_msg(status == 0, "%s: %s", line, out);
	return out;
}

/* The checksums alone, one a line: a stream that says that pictures are reordered has later times.
 */
static void
keep_checksums(char *framemd5)
{
	char *out = framemd5, *save = NULL, *line;

	for (line = strtok_r(framemd5, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *sum = strrchr(line, ' ');

		if (line[0] == '#')
			continue;
		ck_assert_msg(strncmp(line, "0, ", 3) == 0 && strlen(sum + 1) == 32, "%s", line);
		memmove(out, sum + 1, 32);
		out[32] = '\n';
		out += 33;
	}
	*out = '\0';
}

/* And not one warning. */
START_TEST(the_pictures_are_the_same)
{
	struct byte_writer given, rewritten;
	char *before, *after;

	make_streams(_i, &given, &rewritten);
	before = run(_i, "-v warning", &given, "-f framemd5 -");
	after = run(_i, "-v warning", &rewritten, "-f framemd5 -");
	keep_checksums(before);
	keep_checksums(after);
	ck_assert_uint_ge(strlen(before), 2 * 33);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	byte_writer_free(&given);
	byte_writer_free(&rewritten);
}
END_TEST

static bool
is_of_restriction(const char *name)
{
	static const char *const names[] = {
		"vui_parameters_present_flag",
		"aspect_ratio_info_present_flag",
		"overscan_info_present_flag",
		"video_signal_type_present_flag",
		"chroma_loc_info_present_flag",
		"timing_info_present_flag",
		"nal_hrd_parameters_present_flag",
		"vcl_hrd_parameters_present_flag",
		"pic_struct_present_flag",
		"bitstream_restriction_flag",
		"motion_vectors_over_pic_boundaries_flag",
		"max_bytes_per_pic_denom",
		"max_bits_per_mb_denom",
		"log2_max_mv_length_horizontal",
		"log2_max_mv_length_vertical",
		"max_num_reorder_frames",
		"max_dec_frame_buffering",
		"sps_max_num_reorder_pics[0]",
		"sps_max_latency_increase_plus1[0]",
		"rbsp_alignment_zero_bit",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* "name=value " of each field of the first SPS in trace_headers' lines ("[...] 34 name 011 = 2"):
 * those that a rewrite may touch, or the others. */
static void
fields_of(char *trace, bool of_restriction, char *out, size_t size)
{
	char *at = strstr(trace, "Sequence Parameter Set"), *line, *save = NULL;
	size_t n = 0;

	ck_assert_ptr_nonnull(at);
	out[0] = '\0';
	(void)strtok_r(at, "\n", &save);
	while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
		char name[128], bits[128];
		unsigned position;
		long value;

		line = strstr(line, "] ");
		if (line == NULL || strstr(line, "Parameter Set") != NULL)
			break;
		if (sscanf(line, "] %u %127s %127s = %ld", &position, name, bits, &value) != 4 ||
		    is_of_restriction(name) != of_restriction)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s=%ld ", name, value);
		ck_assert_uint_lt(n, size);
	}
}

START_TEST(no_other_field_is_changed)
{
	static char before[16384], after[16384], changed[16384];
	struct byte_writer given, rewritten;
	char *trace, *copy;

	make_streams(_i, &given, &rewritten);
	trace = run(_i, "-v verbose", &given, "-c copy -bsf:v trace_headers -f null -");
	fields_of(trace, false, before, sizeof(before));
	free(trace);
	trace = run(_i, "-v verbose", &rewritten, "-c copy -bsf:v trace_headers -f null -");
	copy = strdup(trace);
	ck_assert_ptr_nonnull(copy);
	fields_of(trace, false, after, sizeof(after));
	fields_of(copy, true, changed, sizeof(changed));
	ck_assert_ptr_nonnull(strstr(before, "rbsp_stop_one_bit=1"));
	ck_assert_str_eq(before, after);
	ck_assert_msg(strstr(changed, rows[_i].fields) != NULL, "%s", changed);
	free(trace);
	free(copy);
	byte_writer_free(&given);
	byte_writer_free(&rewritten);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, the_pictures_are_the_same, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tcase, no_other_field_is_changed, 0, sizeof(rows) / sizeof(rows[0]));
}

int
main(void)
{
	if (system("command -v ffmpeg >/dev/null 2>&1") != 0) {
		puts("SKIP: ffmpeg is not installed (apt-get install ffmpeg)");
		return 77;
	}
	return data_run("media vui ffmpeg", add);
}
