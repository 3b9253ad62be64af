/*
 * The handshake, and frames of one direction; what the page says is passed over.
 */
#include "config.h"

#include "bench/glass/ws_service.h"

#include "bench/glass/conn.h"
#include "media/bytes.h"
#include "media/fmp4.h"
#include "media/h264.h"
#include "media/nal.h"

#include <endian.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define GUID         "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define TEXT         1
#define BINARY       2
#define CLOSE        8
#define INIT_MAX     4096
#define US_PER_S     1000000
#define HEADER_BYTES 16
#define KEY_TEXT_MAX 64

static void
put_frame_head(struct conn *conn, unsigned opcode, size_t len)
{
	uint8_t bytes[10];
	struct byte_writer head;

	byte_writer_init_fixed(&head, bytes, sizeof(bytes));
	byte_writer_u8(&head, (uint8_t)(0x80 | opcode));
	if (len < 126) {
		byte_writer_u8(&head, (uint8_t)len);
	} else if (len <= UINT16_MAX) {
		byte_writer_u8(&head, 126);
		byte_writer_u16(&head, (uint16_t)len);
	} else {
		byte_writer_u8(&head, 127);
		byte_writer_u64(&head, len);
	}
	conn_put(conn, bytes, head.len);
}

static void
write_init(const struct stream *stream, struct byte_writer *out)
{
	struct fmp4_track track = { .id = 1,
				    .codec = FMP4_H264,
				    .timescale = STREAM_CLOCK_HZ,
				    .config = stream->avcc,
				    .config_len = stream->avcc_len,
				    .width = (uint16_t)stream->options.width,
				    .height = (uint16_t)stream->options.height };

	if (fmp4_init_segment(&track, 1, out) < 0)
		abort();
}

/* What the page needs before the first picture. */
static void
put_config(struct conn *conn)
{
	const struct stream *stream = conn->stream;
	uint8_t init[INIT_MAX];
	unsigned char base64[INIT_MAX * 2] = "";
	char codec[32] = "jpeg", text[INIT_MAX * 2 + 128];
	struct byte_writer out;
	int n;

	byte_writer_init_fixed(&out, init, sizeof(init));
	if (!stream->options.is_jpeg) {
		write_init(stream, &out);
		EVP_EncodeBlock(base64, init, (int)out.len);
		/* Profile, flags and level stand in the second to fourth byte of the avcC. */
		snprintf(codec, sizeof(codec), "avc1.%02X%02X%02X", stream->avcc[1],
			 stream->avcc[2], stream->avcc[3]);
	}
	n = snprintf(text, sizeof(text), "{\"codec\":\"%s\",\"init\":\"%s\"}", codec, base64);
	put_frame_head(conn, TEXT, (size_t)n);
	conn_put(conn, text, (size_t)n);
}

static bool
accept_key(const char *request, unsigned char out[KEY_TEXT_MAX])
{
	const char *at = strcasestr(request, "\r\nSec-WebSocket-Key:");
	unsigned char digest[SHA_DIGEST_LENGTH];
	char text[128];
	int n;

	if (at == NULL)
		return false;
	at = strchr(at, ':') + 1;
	at += strspn(at, " ");
	n = snprintf(text, sizeof(text), "%.*s" GUID, (int)strcspn(at, "\r\n"), at);
	if (n < 0 || (size_t)n >= sizeof(text))
		return false;
	SHA1((const unsigned char *)text, (size_t)n, digest);
	EVP_EncodeBlock(out, digest, sizeof(digest));
	return true;
}

static bool
shake_hands(struct conn *conn, const char *request)
{
	struct stream *stream = strncmp(request, "GET /", 5) == 0 ? stream_find(request + 5) : NULL;
	unsigned char key[KEY_TEXT_MAX];
	char text[256];
	int n;

	if (stream == NULL || !accept_key(request, key))
		return false;
	n = snprintf(text, sizeof(text),
		     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		     key);
	conn_put(conn, text, (size_t)n);
	conn->is_open = true;
	conn->is_fmp4 = strstr(request, "?fmp4 HTTP") != NULL;
	conn_play(conn, stream);
	put_config(conn);
	return true;
}

static ssize_t
take(struct conn *conn, const char *text, size_t len)
{
	const char *end = strstr(text, "\r\n\r\n");

	if (conn->is_open)
		return ((uint8_t)text[0] & 15) == CLOSE ? -1 : (ssize_t)len;
	if (end == NULL)
		return 0;
	return shake_hands(conn, text) ? end + 4 - text : -1;
}

static void
put_header(struct conn *conn, const struct encoded *picture, size_t len)
{
	uint32_t words[2] = { htole32(picture->number), htole32(picture->is_key ? 1 : 0) };
	uint64_t time_us = htole64((uint64_t)picture->slot * US_PER_S / conn->stream->options.fps);

	put_frame_head(conn, BINARY, HEADER_BYTES + len);
	conn_put(conn, words, sizeof(words));
	conn_put(conn, &time_us, sizeof(time_us));
}

static void
send_fragment(struct conn *conn, const struct encoded *picture)
{
	uint8_t head[FMP4_FRAGMENT_HEADER_BYTES];
	struct fmp4_sample sample = { .sequence = ++conn->sequence,
				      .track_id = 1,
				      .is_key = picture->is_key };
	struct byte_writer payload;

	sample.decode_time = (uint64_t)stream_ticks(conn->stream, picture->slot);
	sample.duration = STREAM_CLOCK_HZ / conn->stream->options.fps;
	byte_writer_init(&payload, CONN_OUT_MAX);
	if (nal_annexb_to_sample(NAL_H264, picture->data, picture->len, &payload) < 0)
		abort();
	sample.payload_len = payload.len;
	if (fmp4_fragment_header(&sample, head) < 0)
		abort();
	put_header(conn, picture, sizeof(head) + payload.len);
	conn_put(conn, head, sizeof(head));
	conn_put(conn, payload.data, payload.len);
	byte_writer_free(&payload);
}

static void
send_picture(struct conn *conn, const struct encoded *picture)
{
	if (conn->is_fmp4) {
		send_fragment(conn, picture);
		return;
	}
	put_header(conn, picture, picture->len);
	conn_put(conn, picture->data, picture->len);
}

const struct service *
ws_service(void)
{
	static const struct service service = { take, send_picture };

	return &service;
}
