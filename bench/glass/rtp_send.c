/*
 * Packets.
 */
#include "config.h"

#include "bench/glass/rtp_send.h"

#include "bench/glass/conn.h"
#include "media/bytes.h"
#include "media/nal.h"

#include <string.h>

#define PIECE_MAX        1400
#define HEADER_MAX       (4 + 12 + 8 + 4 + 128)
#define NTP_UNIX_S       UINT64_C(2208988800)
#define REPORT_EVERY_US  1000000
#define REPORT_BYTES     28
#define US_PER_S         1000000
#define JPEG_TYPE_420    1
#define JPEG_Q_IN_BAND   255
#define JPEG_TABLE_BYTES 64

/* As cameras do: from the time at which the picture was taken. */
static uint32_t
timestamp_of(const struct conn *conn, const struct encoded *picture)
{
	uint64_t ms = (uint64_t)picture->drawn_us / 1000,
		 rest_us = (uint64_t)picture->drawn_us % 1000;
	uint64_t ticks = ms * (STREAM_CLOCK_HZ / 1000) + rest_us * (STREAM_CLOCK_HZ / 1000) / 1000;

	return (uint32_t)ticks + conn->timestamp_offset;
}

static void
put_packet(struct conn *conn, const struct encoded *picture, bool marker,
	   const struct byte_writer *head, const uint8_t *data, size_t len)
{
	uint8_t bytes[16],
	    payload = conn->stream->options.is_jpeg ? RTP_SEND_JPEG_PAYLOAD : RTP_SEND_H264_PAYLOAD;
	struct byte_writer out;

	byte_writer_init_fixed(&out, bytes, sizeof(bytes));
	byte_writer_u8(&out, '$');
	byte_writer_u8(&out, conn->channel);
	byte_writer_u16(&out, (uint16_t)(12 + head->len + len));
	byte_writer_u8(&out, 0x80);
	byte_writer_u8(&out, (uint8_t)(payload | (marker ? 0x80 : 0)));
	byte_writer_u16(&out, conn->seq++);
	byte_writer_u32(&out, timestamp_of(conn, picture));
	byte_writer_u32(&out, conn->ssrc);
	conn_put(conn, bytes, out.len);
	conn_put(conn, head->data, head->len);
	conn_put(conn, data, len);
	conn->packets++;
	conn->octets += (uint32_t)(head->len + len);
}

static void
put_nal(struct conn *conn, const struct encoded *picture, const struct nal_unit *nal, bool is_last)
{
	uint8_t bytes[2];
	struct byte_writer head;
	size_t len;

	byte_writer_init_fixed(&head, bytes, sizeof(bytes));
	if (nal->len <= PIECE_MAX) {
		put_packet(conn, picture, is_last, &head, nal->data, nal->len);
		return;
	}
	for (size_t at = 1; at < nal->len; at += len) {
		bool is_end;

		len = nal->len - at < PIECE_MAX ? nal->len - at : PIECE_MAX;
		is_end = at + len == nal->len;
		byte_writer_reset(&head);
		byte_writer_u8(&head, (uint8_t)((nal->data[0] & 0xe0) | 28)); /* FU-A */
		byte_writer_u8(&head, (uint8_t)((nal->data[0] & 0x1f) | (at == 1 ? 0x80 : 0) |
						(is_end ? 0x40 : 0)));
		put_packet(conn, picture, is_last && is_end, &head, nal->data + at, len);
	}
}

void
rtp_send_h264(struct conn *conn, const struct encoded *picture)
{
	struct nal_iter iter;
	struct nal_unit nal, next;
	bool has_nal, has_next;

	nal_iter_annexb(&iter, picture->data, picture->len);
	for (has_nal = nal_iter_next(&iter, &nal); has_nal; has_nal = has_next, nal = next) {
		has_next = nal_iter_next(&iter, &next);
		put_nal(conn, picture, &nal, !has_next);
		if (!has_next)
			break;
	}
}

/* What RFC 2435 wants of a JPEG file. */
struct jpeg_parts {
	uint8_t tables[2 * JPEG_TABLE_BYTES];
	const uint8_t *scan;
	size_t scan_len; /* without the EOI marker */
};

static void
take_tables(struct jpeg_parts *parts, const uint8_t *segment, size_t len)
{
	for (size_t at = 0; at + 1 + JPEG_TABLE_BYTES <= len; at += 1 + JPEG_TABLE_BYTES) {
		/* One table serves both when there is no second. */
		for (unsigned i = segment[at] & 1; i < 2; i++)
			memcpy(parts->tables + i * JPEG_TABLE_BYTES, segment + at + 1,
			       JPEG_TABLE_BYTES);
	}
}

static bool
take_apart(const struct encoded *picture, struct jpeg_parts *parts)
{
	size_t at = 2, len;

	while (at + 4 <= picture->len) {
		const uint8_t *segment = picture->data + at;

		len = (size_t)segment[2] << 8 | segment[3];
		if (at + 2 + len > picture->len)
			return false;
		if (segment[1] == 0xdb)
			take_tables(parts, segment + 4, len - 2);
		at += 2 + len;
		if (segment[1] == 0xda) {
			parts->scan = picture->data + at;
			parts->scan_len = picture->len - at - 2;
			return true;
		}
	}
	return false;
}

void
rtp_send_jpeg(struct conn *conn, const struct encoded *picture)
{
	const struct encoder_options *options = &conn->stream->options;
	struct jpeg_parts parts = { 0 };
	uint8_t bytes[HEADER_MAX];
	struct byte_writer head;
	size_t len;

	if (!take_apart(picture, &parts))
		return;
	byte_writer_init_fixed(&head, bytes, sizeof(bytes));
	for (size_t at = 0; at < parts.scan_len; at += len) {
		len = parts.scan_len - at < PIECE_MAX ? parts.scan_len - at : PIECE_MAX;
		byte_writer_reset(&head);
		byte_writer_u8(&head, 0);
		byte_writer_u24(&head, (uint32_t)at);
		byte_writer_u8(&head, JPEG_TYPE_420);
		byte_writer_u8(&head, JPEG_Q_IN_BAND);
		byte_writer_u8(&head, (uint8_t)(options->width / 8));
		byte_writer_u8(&head, (uint8_t)(options->height / 8));
		if (at == 0) {
			byte_writer_u16(&head, 0);
			byte_writer_u16(&head, sizeof(parts.tables));
			byte_writer_bytes(&head, parts.tables, sizeof(parts.tables));
		}
		put_packet(conn, picture, at + len == parts.scan_len, &head, parts.scan + at, len);
	}
}

void
rtp_send_report(struct conn *conn, const struct encoded *picture)
{
	uint8_t bytes[4 + REPORT_BYTES];
	struct byte_writer out;
	uint64_t us = (uint64_t)picture->drawn_us;

	if (picture->drawn_us - conn->reported_us < REPORT_EVERY_US)
		return;
	conn->reported_us = picture->drawn_us;
	byte_writer_init_fixed(&out, bytes, sizeof(bytes));
	byte_writer_u8(&out, '$');
	byte_writer_u8(&out, (uint8_t)(conn->channel + 1));
	byte_writer_u16(&out, REPORT_BYTES);
	byte_writer_u8(&out, 0x80);
	byte_writer_u8(&out, 200);
	byte_writer_u16(&out, REPORT_BYTES / 4 - 1);
	byte_writer_u32(&out, conn->ssrc);
	byte_writer_u32(&out, (uint32_t)(us / US_PER_S + NTP_UNIX_S));
	byte_writer_u32(&out, (uint32_t)((us % US_PER_S << 32) / US_PER_S));
	byte_writer_u32(&out, timestamp_of(conn, picture));
	byte_writer_u32(&out, conn->packets);
	byte_writer_u32(&out, conn->octets);
	conn_put(conn, bytes, out.len);
}
