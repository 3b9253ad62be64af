/*
 * The AVCDecoderConfigurationRecord, both ways: ISO/IEC 14496-15 5.3.3.1.
 */
#include "config.h"

#include "media/h264.h"

#include "media/bytes.h"
#include "media/nal.h"

#include <errno.h>

#define AVCC_SPS_MAX       16u
#define AVCC_PPS_MAX       64u
#define AVCC_SET_BYTES_MAX UINT16_MAX

static void
write_sets(struct byte_writer *out, const struct nal_unit *sets, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (sets[i].len > AVCC_SET_BYTES_MAX)
			byte_writer_fail(out, -EMSGSIZE);
		byte_writer_u16(out, (uint16_t)sets[i].len);
		byte_writer_bytes(out, sets[i].data, sets[i].len);
	}
}

/* Those profiles whose SPS has them; others end before. */
static void
write_chroma_format(struct byte_writer *out, const struct h264_sps *sps)
{
	if (sps->profile_idc == 66 || sps->profile_idc == 77 || sps->profile_idc == 88)
		return;
	byte_writer_u8(out, 0xfc | sps->chroma_format_idc);
	byte_writer_u8(out, (uint8_t)(0xf8 | (sps->bit_depth_luma - 8)));
	byte_writer_u8(out, (uint8_t)(0xf8 | (sps->bit_depth_chroma - 8)));
	byte_writer_u8(out, 0); /* no SPS extensions */
}

int
h264_write_avcc(const uint8_t *annexb, size_t len, struct byte_writer *out)
{
	struct nal_unit sps[AVCC_SPS_MAX], pps[AVCC_PPS_MAX];
	size_t n_sps, n_pps;
	struct h264_sps first;

	n_sps = nal_find_unique(NAL_H264, H264_NAL_SPS, annexb, len, sps, AVCC_SPS_MAX);
	n_pps = nal_find_unique(NAL_H264, H264_NAL_PPS, annexb, len, pps, AVCC_PPS_MAX);
	if (n_sps == 0 || n_pps == 0)
		return -ENODATA;
	if (h264_parse_sps(sps[0].data, sps[0].len, &first) != 0)
		return -EPROTO;
	byte_writer_u8(out, 1); /* configurationVersion */
	byte_writer_u8(out, first.profile_idc);
	byte_writer_u8(out, first.constraint_flags);
	byte_writer_u8(out, first.level_idc);
	byte_writer_u8(out, 0xfc | 3); /* lengthSizeMinusOne */
	byte_writer_u8(out, (uint8_t)(0xe0 | n_sps));
	write_sets(out, sps, n_sps);
	byte_writer_u8(out, (uint8_t)n_pps);
	write_sets(out, pps, n_pps);
	write_chroma_format(out, &first);
	return out->err;
}

static void
copy_sets(struct byte_reader *reader, unsigned n, struct byte_writer *out)
{
	while (n-- > 0 && reader->err == 0) {
		size_t len = byte_reader_u16(reader);
		const uint8_t *data = byte_reader_bytes(reader, len);

		if (data != NULL && len > 0)
			nal_write_annexb(out, &(struct nal_unit){ data, len });
	}
}

int
h264_avcc_to_annexb(const uint8_t *avcc, size_t len, struct byte_writer *out, unsigned *length_size)
{
	struct byte_reader reader;
	unsigned size;

	byte_reader_init(&reader, avcc, len);
	if (byte_reader_u8(&reader) != 1)
		return -EPROTO;
	(void)byte_reader_bytes(&reader, 3);
	size = (byte_reader_u8(&reader) & 3u) + 1;
	if (size == 3)
		return -EPROTO;
	copy_sets(&reader, byte_reader_u8(&reader) & 0x1fu, out);
	copy_sets(&reader, byte_reader_u8(&reader), out);
	if (reader.err != 0 || out->err != 0)
		return reader.err != 0 ? reader.err : out->err;
	*length_size = size;
	return 0;
}
