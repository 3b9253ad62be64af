/*
 * The HEVCDecoderConfigurationRecord, both ways: ISO/IEC 14496-15 8.3.3.1.
 */
#include "config.h"

#include "media/h265.h"

#include "media/bytes.h"
#include "media/nal.h"

#include <errno.h>

#define HVCC_PPS_MAX       64u
#define HVCC_SET_BYTES_MAX UINT16_MAX
#define HVCC_HEAD_BYTES    22u /* to lengthSizeMinusOne's byte, which is the last of them */

static const struct {
	enum h265_nal_type type;
	size_t max;
} kinds[] = {
	{ H265_NAL_VPS, 16 },
	{ H265_NAL_SPS, 16 },
	{ H265_NAL_PPS, HVCC_PPS_MAX },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct hvcc_sets {
	struct nal_unit units[KINDS][HVCC_PPS_MAX];
	size_t n[KINDS];
};

static void
write_head(struct byte_writer *out, const struct h265_sps *sps)
{
	const struct h265_profile *profile = &sps->profile;

	byte_writer_u8(out, 1); /* configurationVersion */
	byte_writer_u8(out, (uint8_t)(profile->space << 6 | (profile->is_high_tier ? 0x20 : 0) |
				      profile->idc));
	byte_writer_u32(out, profile->compatibility);
	byte_writer_bytes(out, profile->constraints, sizeof(profile->constraints));
	byte_writer_u8(out, profile->level_idc);
	byte_writer_u16(out, 0xf000 | sps->min_spatial_segmentation);
	byte_writer_u8(out, 0xfc); /* parallelismType unknown */
	byte_writer_u8(out, 0xfc | sps->chroma_format_idc);
	byte_writer_u8(out, (uint8_t)(0xf8 | (sps->bit_depth_luma - 8)));
	byte_writer_u8(out, (uint8_t)(0xf8 | (sps->bit_depth_chroma - 8)));
	byte_writer_u16(out, 0); /* avgFrameRate unknown */
	byte_writer_u8(
	    out, (uint8_t)(sps->max_sub_layers << 3 | (sps->has_temporal_id_nesting ? 4 : 0) | 3));
}

static void
write_array(struct byte_writer *out, unsigned type, const struct nal_unit *units, size_t n)
{
	size_t i;

	byte_writer_u8(out, (uint8_t)(0x80 | type)); /* array_completeness */
	byte_writer_u16(out, (uint16_t)n);
	for (i = 0; i < n; i++) {
		if (units[i].len > HVCC_SET_BYTES_MAX)
			byte_writer_fail(out, -EMSGSIZE);
		byte_writer_u16(out, (uint16_t)units[i].len);
		byte_writer_bytes(out, units[i].data, units[i].len);
	}
}

int
h265_write_hvcc(const uint8_t *annexb, size_t len, struct byte_writer *out)
{
	struct hvcc_sets sets = { 0 };
	struct h265_sps first;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		sets.n[i] = nal_find_unique(NAL_H265, kinds[i].type, annexb, len, sets.units[i],
					    kinds[i].max);
		if (sets.n[i] == 0)
			return -ENODATA;
	}
	if (h265_parse_sps(sets.units[1][0].data, sets.units[1][0].len, &first) != 0)
		return -EPROTO;
	write_head(out, &first);
	byte_writer_u8(out, KINDS);
	for (i = 0; i < KINDS; i++)
		write_array(out, kinds[i].type, sets.units[i], sets.n[i]);
	return out->err;
}

static void
copy_array(struct byte_reader *reader, struct byte_writer *out)
{
	unsigned type = byte_reader_u8(reader) & 0x3fu;
	unsigned n = byte_reader_u16(reader);

	while (n-- > 0 && reader->err == 0) {
		size_t len = byte_reader_u16(reader);
		const uint8_t *data = byte_reader_bytes(reader, len);

		if (data != NULL && len > 0 && nal_is_parameter_set(NAL_H265, type))
			nal_write_annexb(out, &(struct nal_unit){ data, len });
	}
}

int
h265_hvcc_to_annexb(const uint8_t *hvcc, size_t len, struct byte_writer *out, unsigned *length_size)
{
	struct byte_reader reader;
	const uint8_t *head;
	unsigned size, arrays;

	byte_reader_init(&reader, hvcc, len);
	head = byte_reader_bytes(&reader, HVCC_HEAD_BYTES);
	if (head == NULL || head[0] != 1)
		return -EPROTO;
	size = (head[HVCC_HEAD_BYTES - 1] & 3u) + 1;
	if (size == 3)
		return -EPROTO;
	arrays = byte_reader_u8(&reader);
	while (arrays-- > 0 && reader.err == 0)
		copy_array(&reader, out);
	if (reader.err != 0 || out->err != 0)
		return reader.err != 0 ? reader.err : out->err;
	*length_size = size;
	return 0;
}
