/*
 * Access units into RTP payloads. First byte: codec, whether it is a key frame, and how large a
 * payload may be; second: how much of the rest is the configuration.
 */
#include "config.h"

#include "media/rtp_pack.h"
#include "tests/fuzz/fuzz.h"

static void
check(const struct rtp_packed *packed, size_t max_payload, bool is_video)
{
	size_t at = 0;

	FUZZ_CHECK(packed->count >= 1 && packed->count <= RTP_PACK_PAYLOADS_MAX);
	for (size_t i = 0; i < packed->count; i++) {
		const struct rtp_payload *payload = &packed->payloads[i];

		FUZZ_CHECK(payload->offset == at);
		FUZZ_CHECK(payload->len >= 1 && payload->len <= max_payload);
		FUZZ_CHECK(payload->marker == (is_video && i + 1 == packed->count));
		at += payload->len;
	}
	FUZZ_CHECK(at == packed->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { RTP_PACK_PAYLOAD_MIN, 100, RTP_PACK_PAYLOAD_BYTES, 65000 };
	static const enum rtp_codec codecs[] = { RTP_CODEC_OPUS, RTP_CODEC_PCMU, RTP_CODEC_PCMA };
	struct rtp_packed packed = { 0 };
	size_t max_payload, config_len;

	if (size < 2)
		return 0;
	max_payload = sizes[data[0] >> 2 & 3];
	config_len = data[1] < size - 2 ? data[1] : size - 2;
	for (int i = 0; i < 2; i++) {
		if (rtp_pack_video((data[0] & 1) != 0 ? NAL_H265 : NAL_H264, data + 2 + config_len,
				   size - 2 - config_len, (data[0] & 2) != 0, data + 2, config_len,
				   max_payload, &packed) == 0)
			check(&packed, max_payload, true);
		else
			FUZZ_CHECK(packed.count == 0);
	}
	if (rtp_pack_audio(codecs[data[0] % 3], data, size, max_payload, &packed) == 0)
		check(&packed, max_payload, false);
	rtp_packed_clear(&packed);
	return 0;
}
