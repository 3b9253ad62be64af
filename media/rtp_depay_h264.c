/*
 * H.264 payloads (RFC 6184 5.4 to 5.8): single NAL units, STAP-A and FU-A, which is all that
 * packetization-mode 0 and 1 have. Those of the interleaved mode are left out.
 */
#include "config.h"

#include "media/rtp_depay_nal.h"

#include "media/bytes.h"
#include "media/h264.h"

#include <string.h>

#define H264_STAP_A 24
#define H264_STAP_B 25
#define H264_MTAP16 26
#define H264_MTAP24 27
#define H264_FU_A   28
#define H264_FU_B   29

/* By nal_unit_type (H.264 table 7-1); slices with first_mb_in_slice are made FIRST when it is 0. */
static const uint8_t classes[32] = {
	[H264_NAL_SLICE] = RTP_NAL_SLICE,
	[H264_NAL_SLICE_DPA] = RTP_NAL_SLICE,
	[3] = RTP_NAL_SLICE, /* partitions B and C: no first_mb_in_slice */
	[4] = RTP_NAL_SLICE,
	[H264_NAL_IDR] = RTP_NAL_SLICE,
	[H264_NAL_SEI] = RTP_NAL_BEFORE,
	[H264_NAL_SPS] = RTP_NAL_SET,
	[H264_NAL_PPS] = RTP_NAL_SET,
	[H264_NAL_AUD] = RTP_NAL_BEFORE,
	[H264_NAL_END_OF_SEQUENCE] = RTP_NAL_BEHIND,
	[H264_NAL_END_OF_STREAM] = RTP_NAL_BEHIND,
	[H264_NAL_FILLER] = RTP_NAL_FILLER,
	[H264_NAL_SPS_EXTENSION] = RTP_NAL_BEFORE,
	[14] = RTP_NAL_BESIDE, /* prefix of a slice */
	[15] = RTP_NAL_BEFORE, /* subset SPS */
	[19] = RTP_NAL_BEHIND, /* auxiliary picture, other views and layers */
	[20] = RTP_NAL_BEHIND,
	[21] = RTP_NAL_BEHIND,
};

static enum rtp_nal_class
classify(const uint8_t *nal, size_t len)
{
	unsigned type = nal[0] & 0x1f;
	enum rtp_nal_class class = classes[type];

	if (nal[0] & 0x80)
		return class == RTP_NAL_SLICE ? RTP_NAL_BROKEN : RTP_NAL_NOTHING;
	if (class != RTP_NAL_SLICE)
		return class;
	if (len < 2)
		return RTP_NAL_NOTHING;
	/* ue(v): 0 is a single bit 1 */
	return type != 3 && type != 4 && nal[1] & 0x80 ? RTP_NAL_FIRST : RTP_NAL_SLICE;
}

/* RFC 6184 5.7.1: sizes of 16 bits. */
static void
unpack_stap_a(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	struct byte_reader reader;
	const uint8_t *unit;
	size_t unit_len;

	byte_reader_init(&reader, data + 1, len - 1);
	while (reader.pos < reader.len) {
		unit_len = byte_reader_u16(&reader);
		unit = byte_reader_bytes(&reader, unit_len);
		if (unit == NULL) {
			rtp_nal_ignore(depay, nal, true);
			return;
		}
		rtp_nal_add(depay, nal, unit, unit_len);
	}
}

/* RFC 6184 5.8: the header is put together from the indicator's first bits and the type. */
static void
unpack_fu_a(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	struct rtp_nal_fragment fragment;

	if (len < 2) {
		rtp_nal_ignore(depay, nal, true);
		return;
	}
	fragment = (struct rtp_nal_fragment){
		.header = { (uint8_t)((data[0] & 0xe0) | (data[1] & 0x1f)) },
		.data = data + 2,
		.len = len - 2,
		.is_start = data[1] & 0x80,
		.is_end = data[1] & 0x40,
	};
	rtp_nal_add_fragment(depay, nal, &fragment);
}

static void
unpack(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	switch (data[0] & 0x1f) {
	case H264_STAP_A:
		unpack_stap_a(depay, nal, data, len);
		break;
	case H264_FU_A:
		unpack_fu_a(depay, nal, data, len);
		break;
	case H264_STAP_B:
	case H264_MTAP16:
	case H264_MTAP24:
	case H264_FU_B:
		rtp_nal_ignore(depay, nal, true);
		break;
	default:
		rtp_nal_add(depay, nal, data, len);
		break;
	}
}

static const struct rtp_nal_kind h264_kind = {
	.header_bytes = 1,
	.has_fields = true,
	.classify = classify,
	.unpack = unpack,
};

static int
init(struct rtp_depay *depay, void *state)
{
	struct rtp_nal *nal = state;

	(void)depay;
	nal->kind = &h264_kind;
	return 0;
}

const struct rtp_depay_codec rtp_depay_h264 = {
	.state_bytes = sizeof(struct rtp_nal),
	.init = init,
	.push = rtp_nal_push,
	.flush = rtp_nal_flush,
};
