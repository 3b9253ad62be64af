/*
 * One RTP packet taken apart: header, CSRCs, extension and padding, each checked against what is
 * there before it is left out.
 */
#include "config.h"

#include "media/rtp.h"

#include "media/bytes.h"

#include <errno.h>
#include <stdlib.h>

#define RTP_VERSION 2
/* RFC 3551 3: kept free of RTP, because with the marker they read like RTCP's 200..204. */
#define RTCP_LIKE_FIRST 72
#define RTCP_LIKE_LAST  76

static const struct {
	const char *name;
	bool is_video;
} codecs[] = {
	[RTP_CODEC_NONE] = { "none", false }, [RTP_CODEC_H264] = { "h264", true },
	[RTP_CODEC_H265] = { "h265", true },  [RTP_CODEC_JPEG] = { "jpeg", true },
	[RTP_CODEC_AAC] = { "aac", false },   [RTP_CODEC_PCMU] = { "pcmu", false },
	[RTP_CODEC_PCMA] = { "pcma", false }, [RTP_CODEC_G726] = { "g726", false },
	[RTP_CODEC_L16] = { "l16", false },   [RTP_CODEC_OPUS] = { "opus", false },
};

static bool
is_known(enum rtp_codec codec)
{
	return (size_t)codec < sizeof(codecs) / sizeof(codecs[0]);
}

const char *
rtp_codec_name(enum rtp_codec codec)
{
	return codecs[is_known(codec) ? codec : RTP_CODEC_NONE].name;
}

bool
rtp_codec_is_video(enum rtp_codec codec)
{
	return is_known(codec) && codecs[codec].is_video;
}

void
rtp_format_clear(struct rtp_format *format)
{
	free(format->config);
	*format = (struct rtp_format){ .codec = RTP_CODEC_NONE };
}

/* The CSRCs and the extension, whose bytes nobody here reads. */
static void
skip_options(struct byte_reader *reader, unsigned first)
{
	(void)byte_reader_bytes(reader, (size_t)(first & 0x0f) * 4);
	if (first & 0x10) {
		(void)byte_reader_u16(reader);
		(void)byte_reader_bytes(reader, (size_t)byte_reader_u16(reader) * 4);
	}
}

/* The padding's last byte counts it, itself included. Devices that set the bit with a count of 0 or
 * with nothing behind the header have none. */
static int
cut_padding(const uint8_t *payload, size_t *len)
{
	size_t padding = *len > 0 ? payload[*len - 1] : 0;

	if (padding > *len)
		return -EPROTO;
	*len -= padding;
	return 0;
}

int
rtp_parse(const uint8_t *data, size_t len, struct rtp_packet *packet)
{
	struct rtp_packet read;
	struct byte_reader reader;
	unsigned first, second;

	byte_reader_init(&reader, data, len);
	first = byte_reader_u8(&reader);
	second = byte_reader_u8(&reader);
	read = (struct rtp_packet){ .marker = second >> 7, .payload_type = second & 0x7f };
	read.seq = byte_reader_u16(&reader);
	read.timestamp = byte_reader_u32(&reader);
	read.ssrc = byte_reader_u32(&reader);
	if (reader.err != 0 || first >> 6 != RTP_VERSION)
		return -EPROTO;
	if (read.payload_type >= RTCP_LIKE_FIRST && read.payload_type <= RTCP_LIKE_LAST)
		return -EPROTO;
	skip_options(&reader, first);
	if (reader.err != 0)
		return -EPROTO;
	read.payload = data + reader.pos;
	read.len = len - reader.pos;
	if ((first & 0x20) && cut_padding(read.payload, &read.len) != 0)
		return -EPROTO;
	*packet = read;
	return 0;
}

int
rtp_seq_diff(uint16_t seq, uint16_t of)
{
	return (int16_t)(uint16_t)(seq - of);
}
