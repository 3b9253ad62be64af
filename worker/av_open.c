/*
 * One row for each scheme. What a scheme may open in turn is in shared/url_scheme.c; here is in
 * what formats. Neither list has anything that runs a program or, for what is remote, reads a local
 * file.
 */
#include "config.h"

#include "worker/av_open.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "worker/av_device.h"
#include "worker/av_log.h"

#include <errno.h>
#include <libavformat/avformat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_BYTES        (512 << 10)
#define PROBE_FILE_BYTES   (5 << 20)
#define ANALYZE_US         1000000
#define REORDER_US         "200000" /* UDP packets that overtake each other: wait so long at most */
#define HTTP_AHEAD_NS      (5 * NS_PER_S)
#define OPEN_URL_MAX_BYTES 8192

#define FORMATS_HTTP       "mpjpeg,mjpeg,mpegts,flv,h264,hevc,mov,mp4,matroska,webm"
#define FORMATS_HLS        "hls,mpegts,mov,mp4"
#define FORMATS_FILE       "mov,mp4,matroska,webm,mpegts,flv,avi,h264,hevc,mjpeg,mpjpeg"

struct scheme_row {
	const char *name;
	const char *formats;
	int64_t pace_ns;
	bool needs_info; /* timing of B-frames and the like is known only after a look at the
			    content */
};

static const struct scheme_row rows[] = {
	{ "rtsp", "rtsp", AV_PACE_NEVER, false },
	{ "rtsps", "rtsp", AV_PACE_NEVER, false },
	{ "http", FORMATS_HTTP, HTTP_AHEAD_NS, false },
	{ "https", FORMATS_HTTP, HTTP_AHEAD_NS, false },
	{ "rtmp", "flv", AV_PACE_NEVER, false },
	{ "hls", FORMATS_HLS, 0, true },
	{ "hls+http", FORMATS_HLS, 0, true },
	{ "hls+https", FORMATS_HLS, 0, true },
	{ "v4l2", "video4linux2,v4l2", AV_PACE_NEVER, false },
	{ "file", FORMATS_FILE, 0, true },
};

static const struct scheme_row *
find_row(const struct av_reader *reader)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, reader->url.scheme->name) == 0)
			return &rows[i];
	return NULL;
}

int64_t
av_open_pace_ns(const struct av_reader *reader)
{
	const struct scheme_row *row = find_row(reader);

	return row != NULL ? row->pace_ns : AV_PACE_NEVER;
}

int
av_open_fail(struct av_reader *reader, int averror, bool is_open)
{
	char buf[AV_ERROR_MAX_STRING_SIZE];
	const char *text;
	enum wrk_class class = av_error_classify(averror, is_open, &text, buf, sizeof(buf));

	/* Interrupted in the middle of an answer libavformat calls it invalid: it was the deadline.
	 */
	if (class == WRK_CLASS_PROTOCOL && av_reader_is_interrupted(reader))
		class = av_error_classify(AVERROR_EXIT, is_open, &text, buf, sizeof(buf));
	if (av_log_take_resolve_failure())
		return av_reader_fail(reader, WRK_CLASS_UNREACHABLE, "host name not found");
	return av_reader_fail(reader, class, "%s", text);
}

/*
 * libavformat follows the redirects of RTSP by itself, anywhere and with user and password: then
 * the context has another URL than it was opened with. Asked before it connects and before each
 * write, this is in time; but it connects without asking where that is refused at once, as a
 * sandbox does, so what it says is asked too. Who is told of it follows, if at all.
 */
static bool
is_redirected(struct av_reader *reader)
{
	const AVFormatContext *ctx = reader->opening;

	if (ctx == NULL || ctx->url == NULL || strcmp(ctx->url, reader->opening_url) == 0)
		return false;
	if (reader->class != WRK_CLASS_REDIRECT)
		av_reader_redirect(reader, ctx->url);
	return true;
}

static int
interrupt(void *arg)
{
	return is_redirected(arg) || av_reader_is_interrupted(arg);
}

static void
on_log_line(void *arg)
{
	(void)is_redirected(arg);
}

static void
set_param(AVDictionary **options, const char *option, const struct url *url, const char *param)
{
	char *value = url_param(url, param);

	if (value != NULL)
		av_dict_set(options, option, value, 0);
	free(value);
}

static void
set_rtsp_options(AVDictionary **options, const struct av_reader *reader)
{
	bool is_tls = strcmp(reader->url.scheme->name, "rtsps") == 0;

	av_dict_set(options, "allowed_media_types", "video+audio", 0);
	av_dict_set(options, "max_delay", REORDER_US, 0);
	if (is_tls)
		return;
	if (strcmp(reader->transport, "auto") == 0)
		av_dict_set(options, "rtsp_flags", "prefer_tcp", 0);
	else
		av_dict_set(options, "rtsp_transport", reader->transport, 0);
}

static void
set_v4l2_options(AVDictionary **options, const struct av_reader *reader)
{
	char *codec = url_param(&reader->url, "codec");

	av_dict_set(options, "input_format", codec != NULL ? codec : "mjpeg", 0);
	set_param(options, "video_size", &reader->url, "size");
	set_param(options, "framerate", &reader->url, "fps");
	free(codec);
}

static void
set_options(AVDictionary **options, const struct av_reader *reader, const struct scheme_row *row)
{
	const struct url_scheme *scheme = reader->url.scheme;

	/* An empty list would allow everything. */
	av_dict_set(options, "protocol_whitelist",
		    scheme->protocols[0] != '\0' ? scheme->protocols : "none", 0);
	av_dict_set(options, "format_whitelist", row->formats, 0);
	if (scheme->format != NULL && strcmp(scheme->format, "rtsp") == 0)
		set_rtsp_options(options, reader);
	if (strcmp(scheme->name, "v4l2") == 0)
		set_v4l2_options(options, reader);
}

static void
note_unused(const AVDictionary *options)
{
	const AVDictionaryEntry *entry = NULL;

	while ((entry = av_dict_get(options, "", entry, AV_DICT_IGNORE_SUFFIX)) != NULL)
		log_debug("libavformat has no use for the option %s", entry->key);
}

static AVFormatContext *
new_context(struct av_reader *reader, const struct scheme_row *row)
{
	AVFormatContext *ctx = avformat_alloc_context();

	if (ctx == NULL)
		return NULL;
	ctx->interrupt_callback = (AVIOInterruptCB){ interrupt, reader };
	ctx->probesize = row->needs_info ? PROBE_FILE_BYTES : PROBE_BYTES;
	ctx->max_analyze_duration = ANALYZE_US;
	ctx->fps_probe_size = 0;
	return ctx;
}

static int
open_input(struct av_reader *reader, const struct scheme_row *row, AVFormatContext **ctx)
{
	const struct url_scheme *scheme = reader->url.scheme;
	const AVInputFormat *format = NULL;
	AVDictionary *options = NULL;
	char *text;
	int rc;

	if (scheme->format != NULL)
		format = av_find_input_format(scheme->format);
	text = url_for_open(reader->url_text, &reader->url, reader->user, reader->password);
	set_options(&options, reader, row);
	*ctx = new_context(reader, row);
	if (format != NULL && strcmp(format->name, "rtsp") == 0) {
		reader->opening = *ctx;
		reader->opening_url = text;
		av_log_watch(on_log_line, reader);
	}
	rc = *ctx != NULL ? avformat_open_input(ctx, text, format, &options) : AVERROR(ENOMEM);
	reader->opening = NULL;
	av_log_watch(NULL, NULL);
	if (rc >= 0)
		note_unused(options);
	av_dict_free(&options);
	free(text);
	return rc;
}

static bool
has_unknown_stream(const AVFormatContext *ctx)
{
	for (unsigned i = 0; i < ctx->nb_streams; i++) {
		const AVCodecParameters *par = ctx->streams[i]->codecpar;

		if (par->codec_type == AVMEDIA_TYPE_VIDEO && par->codec_id == AV_CODEC_ID_NONE)
			return true;
	}
	return false;
}

int
av_open(struct av_reader *reader, AVFormatContext **ctx)
{
	const struct scheme_row *row = find_row(reader);
	int rc;

	if (row == NULL)
		return av_reader_fail(reader, WRK_CLASS_UNSUPPORTED, "no source of this program");
	if (strcmp(row->name, "v4l2") == 0 && av_device_load() < 0)
		return av_reader_fail(reader, WRK_CLASS_UNSUPPORTED,
				      "libavdevice is not installed");
	(void)av_log_take_resolve_failure();
	rc = open_input(reader, row, ctx);
	if (rc < 0)
		return av_open_fail(reader, rc, false);
	if (!row->needs_info && !has_unknown_stream(*ctx))
		return 0;
	rc = avformat_find_stream_info(*ctx, NULL);
	if (rc >= 0)
		return 0;
	avformat_close_input(ctx);
	return av_open_fail(reader, rc, false);
}
