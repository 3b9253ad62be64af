/*
 * Requests and replies as text. Whatever the parts hold, no line can end within one.
 */
#include "config.h"

#include "worker/rtsp_msg.h"

#include "shared/xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const method_names[RTSP_METHOD_COUNT] = {
	[RTSP_OPTIONS] = "OPTIONS",   [RTSP_DESCRIBE] = "DESCRIBE",
	[RTSP_SETUP] = "SETUP",       [RTSP_PLAY] = "PLAY",
	[RTSP_PAUSE] = "PAUSE",       [RTSP_GET_PARAMETER] = "GET_PARAMETER",
	[RTSP_TEARDOWN] = "TEARDOWN",
};

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 451, "Parameter Not Understood" },
	{ 454, "Session Not Found" },
	{ 455, "Method Not Valid in This State" },
	{ 501, "Not Implemented" },
	{ 505, "RTSP Version Not Supported" },
	{ 551, "Option Not Supported" },
};

const char *
rtsp_method_name(enum rtsp_method method)
{
	return method_names[method];
}

static const char *
phrase_of(unsigned status)
{
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "OK" : "Error";
}

/* "name: value", or nothing without a value. */
static void
put_header(FILE *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	fprintf(out, "%s: ", name);
	for (; *value != '\0'; value++)
		if ((unsigned char)*value >= ' ' && *value != 0x7f)
			fputc(*value, out);
	fputs("\r\n", out);
}

static void
put_uri(FILE *out, const char *uri)
{
	for (; *uri != '\0'; uri++)
		if ((unsigned char)*uri > ' ' && *uri != 0x7f)
			fputc(*uri, out);
}

static FILE *
open_text(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	if (out == NULL)
		xalloc_die();
	return out;
}

static char *
close_text(FILE *out, char **text)
{
	fputs("\r\n", out);
	if (fclose(out) != 0)
		xalloc_die();
	return *text;
}

char *
rtsp_request_write(const struct rtsp_request *request, size_t *len)
{
	char *text;
	FILE *out = open_text(&text, len);

	fprintf(out, "%s ", rtsp_method_name(request->method));
	put_uri(out, request->uri);
	fprintf(out, " RTSP/1.0\r\nCSeq: %u\r\n", request->cseq);
	put_header(out, "Authorization", request->authorization);
	put_header(out, "User-Agent", PACKAGE_NAME "/" PACKAGE_VERSION);
	put_header(out, "Session", request->session);
	put_header(out, "Transport", request->transport);
	put_header(out, "Range", request->range);
	if (request->method == RTSP_DESCRIBE)
		put_header(out, "Accept", "application/sdp");
	return close_text(out, &text);
}

char *
rtsp_reply_write(unsigned status, int64_t cseq, const char *session, size_t *len)
{
	char *text;
	FILE *out = open_text(&text, len);

	fprintf(out, "RTSP/1.0 %u %s\r\n", status, phrase_of(status));
	if (cseq >= 0)
		fprintf(out, "CSeq: %" PRId64 "\r\n", cseq);
	put_header(out, "Session", session);
	return close_text(out, &text);
}
