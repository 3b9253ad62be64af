/*
 * The header of an RTP packet, and one-byte header extensions behind it.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/rtp_pack.h"

#include <assert.h>

#define ONE_BYTE_PROFILE 0xbede
#define ELEMENTS_MAX     4u

void
rtp_write_header(const struct rtp_header *header, uint8_t out[RTP_HEADER_BYTES])
{
	struct byte_writer writer;

	byte_writer_init_fixed(&writer, out, RTP_HEADER_BYTES);
	byte_writer_u8(&writer, (uint8_t)(2u << 6 | (header->has_extension ? 1u << 4 : 0)));
	byte_writer_u8(&writer,
		       (uint8_t)((header->marker ? 0x80u : 0) | (header->payload_type & 0x7fu)));
	byte_writer_u16(&writer, header->seq);
	byte_writer_u32(&writer, header->timestamp);
	byte_writer_u32(&writer, header->ssrc);
}

size_t
rtp_write_extensions(const struct rtp_extension *elements, size_t n,
		     uint8_t out[RTP_EXTENSION_BYTES_MAX])
{
	struct byte_writer writer;
	size_t words, bytes = 0;

	assert(n <= ELEMENTS_MAX);
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		bytes += 1u + elements[i].len;
	words = (bytes + 3) / 4;
	byte_writer_init_fixed(&writer, out, RTP_EXTENSION_BYTES_MAX);
	byte_writer_u16(&writer, ONE_BYTE_PROFILE);
	byte_writer_u16(&writer, (uint16_t)words);
	for (size_t i = 0; i < n; i++) {
		assert(elements[i].id >= 1 && elements[i].id <= 14);
		assert(elements[i].len >= 1 && elements[i].len <= 16);
		byte_writer_u8(&writer,
			       (uint8_t)((unsigned)elements[i].id << 4 | (elements[i].len - 1u)));
		byte_writer_bytes(&writer, elements[i].data, elements[i].len);
	}
	byte_writer_zeros(&writer, words * 4 - bytes);
	return writer.len;
}
