/*
 * The packetisers of the tests.
 */
#include "config.h"

#include "tests/rtp_writer.h"

#include "shared/xalloc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_BYTES 200 /* what is put together with others */

struct rtp_writer *
rtp_writer_new(uint8_t payload_type)
{
	struct rtp_writer *writer = xcalloc(1, sizeof(*writer));

	writer->payload_type = payload_type;
	writer->seq = 65500; /* wraps soon */
	writer->ssrc = 0x11223344;
	writer->timestamp = 0xffffff00; /* so does this */
	writer->mtu = 1400;
	return writer;
}

void
rtp_writer_free(void *arg)
{
	struct rtp_writer *writer = arg;

	for (size_t i = 0; i < writer->n; i++)
		free(writer->packets[i].data);
	free(writer);
}

static void
put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* head: what the payload format puts before the bytes. */
static void
put(struct rtp_writer *writer, const uint8_t *head, size_t head_len, const uint8_t *data,
    size_t len, bool marker)
{
	struct rtp_written *packet = &writer->packets[writer->n++];

	ck_assert_uint_lt(writer->n, RTP_WRITER_MAX);
	packet->len = 12 + head_len + len;
	packet->data = xcalloc(1, packet->len);
	packet->unit = writer->units;
	packet->data[0] = 0x80;
	packet->data[1] =
	    (uint8_t)(writer->payload_type | (marker && !writer->no_marker ? 0x80 : 0));
	packet->data[2] = (uint8_t)(writer->seq >> 8);
	packet->data[3] = (uint8_t)writer->seq++;
	put_u32(packet->data + 4, writer->timestamp);
	put_u32(packet->data + 8, writer->ssrc);
	if (head_len > 0)
		memcpy(packet->data + 12, head, head_len);
	if (len > 0)
		memcpy(packet->data + 12 + head_len, data, len);
}

/* How many from `first` on go into one packet. */
static size_t
count_small(const struct rtp_writer *writer, const struct rtp_nal *nals, size_t n, size_t first)
{
	size_t count = 0;

	while (writer->aggregates && first + count < n && nals[first + count].len <= SMALL_BYTES &&
	       count < 5)
		count++;
	return count;
}

static void
put_aggregate(struct rtp_writer *writer, const uint8_t *head, size_t head_len,
	      const struct rtp_nal *nals, size_t n, bool marker)
{
	uint8_t body[5 * (SMALL_BYTES + 2)];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		body[len++] = (uint8_t)(nals[i].len >> 8);
		body[len++] = (uint8_t)nals[i].len;
		memcpy(body + len, nals[i].data, nals[i].len);
		len += nals[i].len;
	}
	put(writer, head, head_len, body, len, marker);
}

/* head ends with the byte that has S and E; the NAL unit's own header is left out. */
static void
put_fragments(struct rtp_writer *writer, uint8_t *head, size_t head_len, const uint8_t *data,
	      size_t len, bool marker)
{
	uint8_t type = head[head_len - 1];
	size_t room = writer->mtu - head_len;

	for (size_t at = 0; at < len; at += room) {
		size_t part = len - at < room ? len - at : room;
		bool is_last = at + part == len;

		head[head_len - 1] = (uint8_t)(type | (at == 0 ? 0x80 : 0) | (is_last ? 0x40 : 0));
		put(writer, head, head_len, data + at, part, marker && is_last);
	}
}

void
rtp_write_h264(struct rtp_writer *writer, const struct rtp_nal *nals, size_t n)
{
	for (size_t i = 0, small; i<n; i += small> 1 ? small : 1) {
		uint8_t ref = nals[i].data[0] & 0x60, type = nals[i].data[0] & 0x1f;
		uint8_t stap[1] = { 0x60 | 24 }, fu[2] = { (uint8_t)(ref | 28), type };

		small = count_small(writer, nals, n, i);
		if (small > 1)
			put_aggregate(writer, stap, 1, nals + i, small, i + small == n);
		else if (nals[i].len <= writer->mtu)
			put(writer, NULL, 0, nals[i].data, nals[i].len, i + 1 == n);
		else
			put_fragments(writer, fu, 2, nals[i].data + 1, nals[i].len - 1, i + 1 == n);
	}
	writer->units++;
}

void
rtp_write_h265(struct rtp_writer *writer, const struct rtp_nal *nals, size_t n)
{
	for (size_t i = 0, small; i<n; i += small> 1 ? small : 1) {
		uint8_t type = nals[i].data[0] >> 1 & 0x3f;
		uint8_t ap[2] = { 48 << 1, 1 }, fu[3] = { 49 << 1, nals[i].data[1], type };

		small = count_small(writer, nals, n, i);
		if (small > 1)
			put_aggregate(writer, ap, 2, nals + i, small, i + small == n);
		else if (nals[i].len <= writer->mtu)
			put(writer, NULL, 0, nals[i].data, nals[i].len, i + 1 == n);
		else
			put_fragments(writer, fu, 3, nals[i].data + 2, nals[i].len - 2, i + 1 == n);
	}
	writer->units++;
}

void
rtp_write_jpeg(struct rtp_writer *writer, unsigned width, unsigned height,
	       const uint8_t tables[128], const uint8_t *scan, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint8_t head[8 + 4 + 128] = { 0 };
		size_t head_len = 8, room, part;

		put_u32(head, (uint32_t)at);
		head[4] = 1;   /* type: 4:2:0 */
		head[5] = 255; /* tables are here */
		head[6] = (uint8_t)(width / 8);
		head[7] = (uint8_t)(height / 8);
		if (at == 0) {
			head[11] = 128;
			memcpy(head + 12, tables, 128);
			head_len = sizeof(head);
		}
		room = writer->mtu - head_len;
		part = len - at < room ? len - at : room;
		put(writer, head, head_len, scan + at, part, at + part == len);
		at += part;
	}
	writer->units++;
}

void
rtp_write_aac(struct rtp_writer *writer, const struct rtp_nal *frames, size_t n)
{
	uint8_t head[2 + 2 * 8], body[8192];
	size_t len = 0;

	ck_assert_uint_le(n, 8);
	head[0] = 0;
	head[1] = (uint8_t)(16 * n);
	for (size_t i = 0; i < n; i++) {
		head[2 + 2 * i] = (uint8_t)(frames[i].len >> 5);
		head[3 + 2 * i] = (uint8_t)(frames[i].len << 3);
		memcpy(body + len, frames[i].data, frames[i].len);
		len += frames[i].len;
	}
	put(writer, head, 2 + 2 * n, body, len, true);
	writer->units++;
}

void
rtp_write_plain(struct rtp_writer *writer, const uint8_t *data, size_t len)
{
	put(writer, NULL, 0, data, len, false);
	writer->units++;
}

size_t
rtp_write_sr(uint8_t out[28], uint32_t ssrc, uint64_t ntp, uint32_t timestamp)
{
	memset(out, 0, 28);
	out[0] = 0x80;
	out[1] = 200;
	out[3] = 6; /* 32-bit words - 1 */
	put_u32(out + 4, ssrc);
	put_u32(out + 8, (uint32_t)(ntp >> 32));
	put_u32(out + 12, (uint32_t)ntp);
	put_u32(out + 16, timestamp);
	return 28;
}
