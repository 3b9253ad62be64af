/*
 * Routes av_log(), and sorts AVERROR codes into classes.
 */
#include "config.h"

#include "worker/av_log.h"

#include "shared/log.h"

#include <libavutil/error.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

static __thread char line[LINE_MAX_BYTES];
static __thread int print_prefix = 1;
static __thread bool has_resolve_failure;
static __thread void (*watcher)(void *arg);
static __thread void *watcher_arg;

/* FFmpeg writes lines in parts; a part without its newline waits for the rest. Above INFO it tells
 * what it sends, passwords included. */
static void
on_log(void *avcl, int level, const char *fmt, va_list ap)
{
	char part[LINE_MAX_BYTES];
	size_t used = strlen(line);

	if (level > AV_LOG_INFO)
		return;
	av_log_format_line(avcl, level, fmt, ap, part, sizeof(part), &print_prefix);
	snprintf(line + used, sizeof(line) - used, "%s", part);
	if (strchr(part, '\n') == NULL && strlen(line) < sizeof(line) - 1)
		return;
	line[strcspn(line, "\n")] = '\0';
	if (strstr(line, "Failed to resolve hostname") != NULL)
		has_resolve_failure = true;
	log_debug("ffmpeg: %s", line);
	line[0] = '\0';
	if (watcher != NULL)
		watcher(watcher_arg);
}

void
av_log_route(void)
{
	av_log_set_level(AV_LOG_INFO);
	av_log_set_callback(on_log);
}

void
av_log_watch(void (*on_line)(void *arg), void *arg)
{
	watcher = on_line;
	watcher_arg = arg;
}

bool
av_log_take_resolve_failure(void)
{
	bool had = has_resolve_failure;

	has_resolve_failure = false;
	return had;
}

static const struct {
	int averror;
	enum wrk_class class;
	const char *text; /* NULL: the system's */
} known[] = {
	{ AVERROR_HTTP_UNAUTHORIZED, WRK_CLASS_AUTH, "wrong user name or password (401)" },
	{ AVERROR_HTTP_FORBIDDEN, WRK_CLASS_AUTH, "access refused by the source (403)" },
	{ AVERROR_HTTP_NOT_FOUND, WRK_CLASS_NOT_FOUND, "the source does not know this path (404)" },
	{ AVERROR_STREAM_NOT_FOUND, WRK_CLASS_NOT_FOUND, "the source has no such stream" },
	{ AVERROR_HTTP_BAD_REQUEST, WRK_CLASS_PROTOCOL, "the source refuses the request (400)" },
	{ AVERROR_HTTP_OTHER_4XX, WRK_CLASS_PROTOCOL, "the source refuses the request (4xx)" },
	{ AVERROR_HTTP_SERVER_ERROR, WRK_CLASS_PROTOCOL, "the source has an internal error (5xx)" },
	{ AVERROR(ENOENT), WRK_CLASS_NOT_FOUND, NULL },
	{ AVERROR(ENODEV), WRK_CLASS_NOT_FOUND, NULL },
	{ AVERROR(EACCES), WRK_CLASS_NOT_FOUND, NULL },
	{ AVERROR(EPERM), WRK_CLASS_NOT_FOUND, NULL },
	{ AVERROR(ECONNREFUSED), WRK_CLASS_UNREACHABLE, NULL },
	{ AVERROR(EHOSTUNREACH), WRK_CLASS_UNREACHABLE, NULL },
	{ AVERROR(ENETUNREACH), WRK_CLASS_UNREACHABLE, NULL },
	{ AVERROR(EHOSTDOWN), WRK_CLASS_UNREACHABLE, NULL },
	{ AVERROR(ETIMEDOUT), WRK_CLASS_UNREACHABLE, NULL },
	{ AVERROR_PROTOCOL_NOT_FOUND, WRK_CLASS_UNSUPPORTED,
	  "a protocol that is not allowed here" },
	{ AVERROR_DEMUXER_NOT_FOUND, WRK_CLASS_UNSUPPORTED, "a format that is not allowed here" },
	{ AVERROR_EXIT, WRK_CLASS_TIMEOUT, "no answer in time" },
	{ AVERROR(ENOMEM), WRK_CLASS_INTERNAL, NULL },
	{ AVERROR(EMFILE), WRK_CLASS_INTERNAL, NULL },
};

enum wrk_class
av_error_classify(int averror, bool is_open, const char **text, char *buf, size_t len)
{
	av_strerror(averror, buf, len);
	*text = buf;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].averror != averror)
			continue;
		if (known[i].text != NULL)
			*text = known[i].text;
		return known[i].class;
	}
	if (averror == AVERROR_EOF || averror == AVERROR(EPIPE) || averror == AVERROR(ECONNRESET)) {
		*text =
		    is_open ? "the source ended the stream" : "the source closed the connection";
		return is_open ? WRK_CLASS_EOF : WRK_CLASS_UNREACHABLE;
	}
	return WRK_CLASS_PROTOCOL;
}
