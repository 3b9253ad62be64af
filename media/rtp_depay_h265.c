/*
 * H.265 payloads (RFC 7798 4.4.1 to 4.4.3): single NAL units, aggregation packets, fragmentation
 * units. Decoding order numbers, where the description says that there are any, are passed over:
 * what cameras send is in order. PACI packets (4.4.4) are left out, nobody sends them.
 */
#include "config.h"

#include "media/rtp_depay_nal.h"

#include "media/bytes.h"
#include "media/h265.h"

#define H265_AP   48
#define H265_FU   49
#define H265_PACI 50

/* By nal_unit_type (H.265 table 7-1); slices are made FIRST by their first bit. */
static const uint8_t classes[64] = {
	[H265_NAL_TRAIL_N] = RTP_NAL_SLICE,
	[H265_NAL_TRAIL_R] = RTP_NAL_SLICE,
	[2] = RTP_NAL_SLICE, /* TSA, STSA */
	[3] = RTP_NAL_SLICE,
	[4] = RTP_NAL_SLICE,
	[5] = RTP_NAL_SLICE,
	[H265_NAL_RADL_N] = RTP_NAL_SLICE,
	[H265_NAL_RADL_R] = RTP_NAL_SLICE,
	[H265_NAL_RASL_N] = RTP_NAL_SLICE,
	[H265_NAL_RASL_R] = RTP_NAL_SLICE,
	[H265_NAL_BLA_W_LP] = RTP_NAL_SLICE,
	[17] = RTP_NAL_SLICE,
	[18] = RTP_NAL_SLICE,
	[H265_NAL_IDR_W_RADL] = RTP_NAL_SLICE,
	[H265_NAL_IDR_N_LP] = RTP_NAL_SLICE,
	[H265_NAL_CRA] = RTP_NAL_SLICE,
	[H265_NAL_VPS] = RTP_NAL_SET,
	[H265_NAL_SPS] = RTP_NAL_SET,
	[H265_NAL_PPS] = RTP_NAL_SET,
	[H265_NAL_AUD] = RTP_NAL_BEFORE,
	[H265_NAL_EOS] = RTP_NAL_BEHIND,
	[H265_NAL_EOB] = RTP_NAL_BEHIND,
	[H265_NAL_FILLER] = RTP_NAL_FILLER,
	[H265_NAL_PREFIX_SEI] = RTP_NAL_BEFORE,
	[H265_NAL_SUFFIX_SEI] = RTP_NAL_BEHIND,
};

/* 7.3.1.2: forbidden_zero_bit, 6 bits of type, 6 of layer, 3 of temporal id plus 1. */
static unsigned
type_of(const uint8_t *nal)
{
	return nal[0] >> 1 & 0x3f;
}

static enum rtp_nal_class
classify(const uint8_t *nal, size_t len)
{
	enum rtp_nal_class class = classes[type_of(nal)];
	bool is_base_layer = (nal[0] & 1) == 0 && nal[1] >> 3 == 0;

	if (class == RTP_NAL_NOTHING || (nal[1] & 7) == 0)
		return RTP_NAL_NOTHING;
	if (nal[0] & 0x80)
		return class == RTP_NAL_SLICE ? RTP_NAL_BROKEN : RTP_NAL_NOTHING;
	if (!is_base_layer)
		return class == RTP_NAL_SLICE ? RTP_NAL_BEHIND : RTP_NAL_BESIDE;
	if (class != RTP_NAL_SLICE)
		return class;
	if (len < 3)
		return RTP_NAL_NOTHING;
	return nal[2] & 0x80 ? RTP_NAL_FIRST : RTP_NAL_SLICE; /* first_slice_segment_in_pic_flag */
}

/* With a decoding order number between header and payload, which is then no unit in one piece. */
static void
unpack_single(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	struct rtp_nal_fragment fragment;

	if (!depay->format.has_donl) {
		rtp_nal_add(depay, nal, data, len);
		return;
	}
	if (len < 4) {
		rtp_nal_ignore(depay, nal, false);
		return;
	}
	fragment = (struct rtp_nal_fragment){
		.header = { data[0], data[1] },
		.data = data + 4,
		.len = len - 4,
		.is_start = true,
		.is_end = true,
	};
	rtp_nal_add_fragment(depay, nal, &fragment);
}

/* 4.4.2: [DONL 16] size 16, unit, then [DOND 8] size 16, unit, ... */
static void
unpack_ap(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	size_t order_bytes = depay->format.has_donl ? 2 : 0;
	struct byte_reader reader;
	const uint8_t *unit;
	size_t unit_len;

	byte_reader_init(&reader, data + 2, len - 2);
	while (reader.pos < reader.len) {
		(void)byte_reader_bytes(&reader, order_bytes);
		unit_len = byte_reader_u16(&reader);
		unit = byte_reader_bytes(&reader, unit_len);
		if (unit == NULL) {
			rtp_nal_ignore(depay, nal, true);
			return;
		}
		rtp_nal_add(depay, nal, unit, unit_len);
		order_bytes = depay->format.has_donl ? 1 : 0;
	}
}

/* 4.4.3: S, E and the type in a third byte; the header keeps layer and temporal id. */
static void
unpack_fu(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	bool is_start = len > 2 && data[2] & 0x80;
	size_t skip = is_start && depay->format.has_donl ? 5 : 3;
	struct rtp_nal_fragment fragment;

	if (len < skip) {
		rtp_nal_ignore(depay, nal, true);
		return;
	}
	fragment = (struct rtp_nal_fragment){
		.header = { (uint8_t)((data[0] & 0x81) | (data[2] & 0x3f) << 1), data[1] },
		.data = data + skip,
		.len = len - skip,
		.is_start = is_start,
		.is_end = data[2] & 0x40,
	};
	rtp_nal_add_fragment(depay, nal, &fragment);
}

static void
unpack(struct rtp_depay *depay, struct rtp_nal *nal, const uint8_t *data, size_t len)
{
	if (len < 2) {
		rtp_nal_ignore(depay, nal, false);
		return;
	}
	switch (type_of(data)) {
	case H265_AP:
		unpack_ap(depay, nal, data, len);
		break;
	case H265_FU:
		unpack_fu(depay, nal, data, len);
		break;
	case H265_PACI:
		rtp_nal_ignore(depay, nal, true);
		break;
	default:
		unpack_single(depay, nal, data, len);
		break;
	}
}

static const struct rtp_nal_kind h265_kind = {
	.header_bytes = 2,
	.has_fields = false,
	.classify = classify,
	.unpack = unpack,
};

static int
init(struct rtp_depay *depay, void *state)
{
	struct rtp_nal *nal = state;

	(void)depay;
	nal->kind = &h265_kind;
	return 0;
}

const struct rtp_depay_codec rtp_depay_h265 = {
	.state_bytes = sizeof(struct rtp_nal),
	.init = init,
	.push = rtp_nal_push,
	.flush = rtp_nal_flush,
};
