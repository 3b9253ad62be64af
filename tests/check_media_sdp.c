/*
 * Session descriptions. Each row is something that a camera was seen to do (docs/cameras.md names
 * the rows), and what must be read in it, written down as one line per media.
 */
#include "config.h"

#include "media/sdp.h"
#include "tests/check_media_sdp_rows.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "video", "audio", "application", "other" };

static void
print_format(FILE *out, const struct rtp_format *format)
{
	size_t i;

	fprintf(out, " %s/%u", rtp_codec_name(format->codec), format->clock_rate);
	if (format->channels > 0)
		fprintf(out, "/%u", format->channels);
	fprintf(out, " pt=%u", format->payload_type);
	if (format->codec == RTP_CODEC_AAC)
		fprintf(out, " au=%u,%u,%u,%u", format->size_length, format->index_length,
			format->index_delta_length, format->constant_size);
	if (format->bits_per_sample > 0)
		fprintf(out, " bits=%u", format->bits_per_sample);
	if (format->has_donl)
		fprintf(out, " donl");
	if (format->codec == RTP_CODEC_JPEG && format->width > 0)
		fprintf(out, " %ux%u", format->width, format->height);
	if (format->config_len > 0)
		fprintf(out, " config=");
	for (i = 0; i < format->config_len; i++)
		fprintf(out, "%02x", format->config[i]);
}

/* "video trackID=1 H264: h264/90000 pt=96 config=..." */
static void
print_media(FILE *out, const struct sdp_media *media)
{
	fprintf(out, "%s", kinds[media->kind]);
	if (media->control[0] != 0)
		fprintf(out, " <%s>", media->control);
	if (media->encoding[0] != 0)
		fprintf(out, " %s:", media->encoding);
	if (media->format.codec != RTP_CODEC_NONE)
		print_format(out, &media->format);
	if (media->why[0] != 0)
		fprintf(out, " [%s]", media->why);
	if (media->framerate > 0)
		fprintf(out, " fps=%.5g", media->framerate);
	if (media->width > 0)
		fprintf(out, " size=%ux%u", media->width, media->height);
	if (media->port > 0)
		fprintf(out, " port=%u", media->port);
	fprintf(out, "%s\n", media->is_backchannel ? " backchannel" : "");
}

/* malloc'd */
static char *
print_sdp(const struct sdp *sdp)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	if (sdp->control[0] != 0)
		fprintf(out, "session <%s>\n", sdp->control);
	for (i = 0; i < sdp->n_media; i++)
		print_media(out, &sdp->media[i]);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static struct sdp *
parse(const char *text, size_t len)
{
	char err[SDP_ERROR_MAX];
	uint8_t *copy = data_copy((const uint8_t *)text, len);
	struct sdp *sdp = NULL;
	int result = sdp_parse((const char *)copy, len, &sdp, err);

	ck_assert_msg(result == 0, "%s", err);
	free(copy); /* nothing of it is kept */
	return sdp;
}

START_TEST(what_cameras_write)
{
	struct sdp *sdp = parse(rows[_i].text, strlen(rows[_i].text));
	char *found = print_sdp(sdp);

	ck_assert_msg(strcmp(found, rows[_i].want) == 0, "%s: found\n%sinstead of\n%s",
		      rows[_i].name, found, rows[_i].want);
	free(found);
	sdp_free(&sdp);
	ck_assert_ptr_null(sdp);
}
END_TEST

START_TEST(row_names_are_unique)
{
	size_t n = sizeof(rows) / sizeof(rows[0]), i, j;

	for (i = 0; i < n; i++)
		for (j = i + 1; j < n; j++)
			ck_assert_str_ne(rows[i].name, rows[j].name);
}
END_TEST

/* However it is cut, there is an answer, and no byte behind it is read (sanitizers). */
START_TEST(cut_at_every_byte)
{
	size_t len = strlen(rows[_i].text), cut;
	char err[SDP_ERROR_MAX];

	for (cut = 0; cut <= len; cut++) {
		uint8_t *copy = data_copy((const uint8_t *)rows[_i].text, cut);
		struct sdp *sdp = NULL;
		int result = sdp_parse((const char *)copy, cut, &sdp, err);

		ck_assert(result == 0 || (result == -EPROTO && sdp == NULL && err[0] != 0));
		ck_assert(result != 0 || sdp->n_media > 0);
		sdp_free(&sdp);
		free(copy);
	}
}
END_TEST

/* The same whatever ends a line. */
START_TEST(line_ends)
{
	static const char *const ends[] = { "\n",     "\r",   "\r\n", "\n\r",
					    "\r\r\n", "\n\n", "\0",   "\t\r\n" };
	static const size_t lens[] = { 1, 1, 2, 2, 3, 2, 1, 3 };
	static const char *const lines[] = { "v=0", "a=control:*", "m=video 0 RTP/AVP 96",
					     "a=rtpmap:96 H264/90000", "a=control:track1" };
	char text[512], *found;
	size_t len = 0, i;
	struct sdp *sdp;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memcpy(text + len, lines[i], strlen(lines[i]));
		len += strlen(lines[i]);
		memcpy(text + len, ends[_i], lens[_i]);
		len += lens[_i];
	}
	sdp = parse(text, len);
	found = print_sdp(sdp);
	ck_assert_str_eq(found, "session <*>\nvideo <track1> H264: h264/90000 pt=96\n");
	free(found);
	sdp_free(&sdp);
}
END_TEST

static const struct {
	const char *text, *err;
} refused[] = {
	{ "", "no session description" },
	{ "\r\n\r\n", "no session description" },
	{ "<html>\r\n<body>401</body>\r\n", "no session description" },
	{ "{\"error\": 1}", "no session description" },
	{ "v=0\r\ns=x\r\nt=0 0\r\n", "a session description without media (no m= line)" },
	{ "m\r\nmm=video\r\n=video\r\n", "no session description" },
};

START_TEST(what_is_none)
{
	char err[SDP_ERROR_MAX] = "";
	struct sdp *sdp = NULL;

	ck_assert_int_eq(sdp_parse(refused[_i].text, strlen(refused[_i].text), &sdp, err), -EPROTO);
	ck_assert_ptr_null(sdp);
	ck_assert_str_eq(err, refused[_i].err);
}
END_TEST

START_TEST(too_large)
{
	char *text = malloc(SDP_MAX_BYTES + 1), err[SDP_ERROR_MAX] = "";
	struct sdp *sdp = NULL;

	memset(text, 'x', SDP_MAX_BYTES + 1);
	memcpy(text, "m=video 0 RTP/AVP 26\n", 21);
	ck_assert_int_eq(sdp_parse(text, SDP_MAX_BYTES + 1, &sdp, err), -EMSGSIZE);
	ck_assert_ptr_null(sdp);
	ck_assert_str_eq(err, "a session description of 65537 bytes");
	ck_assert_int_eq(sdp_parse(text, SDP_MAX_BYTES, &sdp, err), 0);
	ck_assert_int_eq(sdp_find(sdp, SDP_VIDEO), 0);
	sdp_free(&sdp);
	free(text);
}
END_TEST

/* A text of `n` times `piece` behind `head`; malloc'd. */
static char *
repeat(const char *head, const char *piece, size_t n, size_t *len)
{
	size_t head_len = strlen(head), piece_len = strlen(piece), i;
	char *text = malloc(head_len + n * piece_len + 1);

	memcpy(text, head, head_len);
	for (i = 0; i < n; i++)
		memcpy(text + head_len + i * piece_len, piece, piece_len);
	*len = head_len + n * piece_len;
	text[*len] = 0;
	return text;
}

/* What belongs to an m-line beyond the last must not come to the last. */
START_TEST(too_many_media)
{
	size_t len;
	char *text =
	    repeat("v=0\n", "m=video 0 RTP/AVP 26\na=framerate:9\nm=audio 0 RTP/AVP 0\n", 9, &len);
	struct sdp *sdp = parse(text, len);

	ck_assert_uint_eq(sdp->n_media, SDP_MAX_MEDIA);
	ck_assert_int_eq(sdp->media[SDP_MAX_MEDIA - 1].kind, SDP_AUDIO);
	ck_assert(sdp->media[SDP_MAX_MEDIA - 1].framerate == 0);
	sdp_free(&sdp);
	free(text);
}
END_TEST

START_TEST(too_many_lines_of_one_media)
{
	static const char *const pieces[] = { "a=rtpmap:97 MPEG4-GENERIC/16000\n",
					      "a=fmtp:97 x=1\n", "a=framerate:x\n", "a=control:a\n",
					      " 97" };
	size_t len;
	char *text = repeat("m=audio 0 RTP/AVP 97", pieces[_i], 900, &len);
	struct sdp *sdp;

	text[20] = _i == 4 ? ' ' : '\n';
	sdp = parse(text, len);
	ck_assert_uint_eq(sdp->n_media, 1);
	sdp_free(&sdp);
	free(text);
}
END_TEST

/* The time of a test is enough for as long a description as there may be, of whatever bytes. */
START_TEST(long_lines_are_read_in_time)
{
	static const char *const heads[] = {
		"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 x",
		"m=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000\na=fmtp:97 x",
	};
	static const char *const pieces[] = { " ", "\t", " x", "=", " =", ",", "AAAB," };
	const char *head = heads[_i % 2], *piece = pieces[_i / 2];
	size_t len;
	char *text = repeat(head, piece, (SDP_MAX_BYTES - strlen(head)) / strlen(piece), &len);
	struct sdp *sdp;

	text[len - 1] = 'x';
	for (int i = 0; i < 10; i++) {
		sdp = parse(text, len);
		ck_assert_uint_eq(sdp->n_media, 1);
		sdp_free(&sdp);
	}
	free(text);
}
END_TEST

/* Sets beyond RTP_CONFIG_MAX are left out, those before stay. */
START_TEST(too_many_parameter_sets)
{
	size_t len;
	char *text = repeat("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
			    "a=fmtp:96 sprop-parameter-sets=" SPS "," PPS "," PPS ",",
			    "aMA,", 16000, &len);
	struct sdp *sdp = parse(text, len);

	/* 14, 8 and 8 bytes, then as many of 6 as fit: of the next one only the start code would */
	ck_assert_uint_eq(sdp->media[0].format.config_len, 30 + (RTP_CONFIG_MAX - 30) / 6 * 6);
	sdp_free(&sdp);
	free(text);
}
END_TEST

START_TEST(long_controls)
{
	char text[SDP_CONTROL_MAX + 100];
	size_t head = (size_t)sprintf(text, "m=video 0 RTP/AVP 26\na=control:");
	struct sdp *sdp;

	memset(text + head, 'x', SDP_CONTROL_MAX);
	sdp = parse(text, head + SDP_CONTROL_MAX - 1);
	ck_assert_uint_eq(strlen(sdp->media[0].control), SDP_CONTROL_MAX - 1);
	sdp_free(&sdp);
	sdp = parse(text, head + SDP_CONTROL_MAX);
	ck_assert_str_eq(sdp->media[0].control, "");
	sdp_free(&sdp);
}
END_TEST

START_TEST(long_names_are_cut_for_words_only)
{
	char text[400];
	struct sdp *sdp;
	int len = sprintf(text, "m=audio 0 RTP/AVP 97\na=rtpmap:97 %0120d\x80/8000\n", 7);

	sdp = parse(text, (size_t)len);
	ck_assert_uint_eq(strlen(sdp->media[0].encoding), sizeof(sdp->media[0].encoding) - 1);
	ck_assert_int_eq(sdp->media[0].format.codec, RTP_CODEC_NONE);
	sdp_free(&sdp);
}
END_TEST

START_TEST(the_track_to_play)
{
	static const char text[] =
	    "m=video 0 RTP/AVP 31\n"
	    "m=audio 0 RTP/AVP 8\na=sendonly\n"
	    "m=application 0 RTP/AVP 98\na=rtpmap:98 vnd.onvif.metadata/90000\n"
	    "m=video 0 RTP/AVP 26\n"
	    "m=video 0 RTP/AVP 26\n"
	    "m=audio 0 RTP/AVP 0\n";
	struct sdp *sdp = parse(text, sizeof(text) - 1);

	ck_assert_int_eq(sdp_find(sdp, SDP_VIDEO), 3);
	ck_assert_int_eq(sdp_find(sdp, SDP_AUDIO), 5);
	ck_assert_int_eq(sdp_find(sdp, SDP_APPLICATION), -1);
	ck_assert_int_eq(sdp_find(sdp, SDP_OTHER), -1);
	sdp_free(&sdp);
	sdp_free(&sdp);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, what_cameras_write, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, row_names_are_unique);
	tcase_add_loop_test(tcase, cut_at_every_byte, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tcase, line_ends, 0, 8);
	tcase_add_loop_test(tcase, what_is_none, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tcase, too_large);
	tcase_add_test(tcase, too_many_media);
	tcase_add_loop_test(tcase, too_many_lines_of_one_media, 0, 5);
	tcase_add_loop_test(tcase, long_lines_are_read_in_time, 0, 14);
	tcase_add_test(tcase, too_many_parameter_sets);
	tcase_add_test(tcase, long_controls);
	tcase_add_test(tcase, long_names_are_cut_for_words_only);
	tcase_add_test(tcase, the_track_to_play);
}

int
main(void)
{
	return data_run("media sdp", add);
}
