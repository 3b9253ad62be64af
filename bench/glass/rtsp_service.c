/*
 * Requests answered in the order in which they come; each names its stream in its URL.
 */
#include "config.h"

#include "bench/glass/rtsp_service.h"

#include "bench/glass/conn.h"
#include "bench/glass/rtp_send.h"
#include "media/bytes.h"
#include "media/h264.h"
#include "media/nal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
header_value(const char *request, const char *name, char *value, size_t size)
{
	const char *at = strcasestr(request, name);
	size_t n = at != NULL ? strcspn(at + strlen(name), "\r\n") : 0;

	snprintf(value, size, "%.*s", (int)n, at != NULL ? at + strlen(name) : "");
}

static void
answer(struct conn *conn, const char *request, const char *status, const char *more)
{
	char text[2048], cseq[32];
	int n;

	header_value(request, "\r\nCSeq:", cseq, sizeof(cseq));
	n = snprintf(text, sizeof(text), "RTSP/1.0 %s\r\nCSeq:%s\r\nSession: 1;timeout=60\r\n%s",
		     status, cseq, more);
	conn_put(conn, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* The path of "METHOD rtsp://host:port/path RTSP/1.0". */
static struct stream *
stream_of(const char *request)
{
	const char *url = strstr(request, "://");
	const char *path = url != NULL ? strchr(url + 3, '/') : NULL;

	return path != NULL ? stream_find(path + 1) : NULL;
}

/* sprop-parameter-sets: both in base64. */
static void
write_sprop(const struct stream *stream, char *out, size_t size)
{
	uint8_t annexb[STREAM_AVCC_BYTES];
	unsigned char text[STREAM_AVCC_BYTES * 2];
	struct byte_writer writer;
	struct nal_iter iter;
	struct nal_unit nal;
	unsigned length_size;
	size_t at = 0;

	byte_writer_init_fixed(&writer, annexb, sizeof(annexb));
	if (h264_avcc_to_annexb(stream->avcc, stream->avcc_len, &writer, &length_size) < 0)
		abort();
	nal_iter_annexb(&iter, annexb, writer.len);
	while (nal_iter_next(&iter, &nal)) {
		EVP_EncodeBlock(text, nal.data, (int)nal.len);
		at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? "," : "", text);
		if (at >= size)
			abort();
	}
}

static void
describe(struct conn *conn, const char *request, const struct stream *stream)
{
	char body[1024], sprop[512], more[1280], media[768];
	int n;

	if (stream->options.is_jpeg) {
		snprintf(media, sizeof(media), "m=video 0 RTP/AVP %d\r\n", RTP_SEND_JPEG_PAYLOAD);
	} else {
		write_sprop(stream, sprop, sizeof(sprop));
		snprintf(media, sizeof(media),
			 "m=video 0 RTP/AVP %d\r\na=rtpmap:%d H264/%d\r\n"
			 "a=fmtp:%d packetization-mode=1;sprop-parameter-sets=%s\r\n",
			 RTP_SEND_H264_PAYLOAD, RTP_SEND_H264_PAYLOAD, STREAM_CLOCK_HZ,
			 RTP_SEND_H264_PAYLOAD, sprop);
	}
	n = snprintf(body, sizeof(body),
		     "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=glass\r\nt=0 0\r\na=control:*\r\n"
		     "%sa=framerate:%u\r\na=control:video\r\n",
		     media, stream->options.fps);
	snprintf(more, sizeof(more),
		 "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", n, body);
	answer(conn, request, "200 OK", more);
}

static void
set_up(struct conn *conn, const char *request)
{
	const char *channels = strcasestr(request, "interleaved=");
	char more[128];

	if (channels == NULL) {
		answer(conn, request, "461 Unsupported Transport", "\r\n");
		return;
	}
	conn->channel = (uint8_t)strtoul(channels + strlen("interleaved="), NULL, 10);
	snprintf(more, sizeof(more),
		 "Transport: RTP/AVP/TCP;unicast;interleaved=%u-%u;ssrc=%08X\r\n\r\n",
		 conn->channel, conn->channel + 1u, conn->ssrc);
	answer(conn, request, "200 OK", more);
}

static bool
is_method(const char *request, const char *name)
{
	size_t len = strlen(name);

	return strncmp(request, name, len) == 0 && request[len] == ' ';
}

/* False: hang up. */
static bool
handle(struct conn *conn, const char *request)
{
	struct stream *stream = stream_of(request);

	if (is_method(request, "TEARDOWN")) {
		return false;
	} else if (is_method(request, "OPTIONS") || is_method(request, "GET_PARAMETER")) {
		answer(conn, request, "200 OK",
		       "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n\r\n");
	} else if (stream == NULL) {
		answer(conn, request, "404 Not Found", "\r\n");
	} else if (is_method(request, "DESCRIBE")) {
		describe(conn, request, stream);
	} else if (is_method(request, "SETUP")) {
		set_up(conn, request);
	} else if (is_method(request, "PLAY")) {
		answer(conn, request, "200 OK", "Range: npt=now-\r\n\r\n");
		conn_play(conn, stream);
	} else {
		answer(conn, request, "501 Not Implemented", "\r\n");
	}
	return true;
}

/* Requests; interleaved packets of the reader (its reports) are passed over. */
static ssize_t
take(struct conn *conn, const char *text, size_t len)
{
	const char *end;
	size_t n;

	if (text[0] == '$') {
		if (len < 4)
			return 0;
		n = 4 + ((size_t)(uint8_t)text[2] << 8 | (uint8_t)text[3]);
		return n <= len ? (ssize_t)n : 0;
	}
	end = strstr(text, "\r\n\r\n");
	if (end == NULL)
		return 0;
	return handle(conn, text) ? end + 4 - text : -1;
}

static void
send_picture(struct conn *conn, const struct encoded *picture)
{
	if (conn->stream->options.is_jpeg)
		rtp_send_jpeg(conn, picture);
	else
		rtp_send_h264(conn, picture);
}

/* The report follows the picture: it has nothing to wait for. */
static void
send_with_report(struct conn *conn, const struct encoded *picture)
{
	send_picture(conn, picture);
	rtp_send_report(conn, picture);
}

const struct service *
rtsp_service(bool has_reports)
{
	static const struct service plain = { take, send_picture };
	static const struct service reporting = { take, send_with_report };

	return has_reports ? &reporting : &plain;
}
