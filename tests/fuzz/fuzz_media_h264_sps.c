/*
 * One H.264 unit: each parser of a unit, and avcC.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_sps(const struct h264_sps *sps, size_t size)
{
	char codec[H264_CODEC_STRING_BYTES], level[8];
	uint32_t num, den;

	FUZZ_CHECK(sps->id <= 31 && sps->poc_type <= 2);
	FUZZ_CHECK(sps->width >= 1 && sps->width <= sps->coded_width);
	FUZZ_CHECK(sps->height >= 1 && sps->height <= sps->coded_height);
	FUZZ_CHECK(sps->coded_width <= H264_SIZE_MAX && sps->coded_height <= H264_SIZE_MAX);
	FUZZ_CHECK(sps->vui_flag_bit < 8 * size && sps->bitstream_restriction_bit < 8 * size);
	FUZZ_CHECK(!sps->is_vui_damaged || !sps->has_bitstream_restriction);
	FUZZ_CHECK(sps->max_num_reorder_frames <= 16);
	if (h264_sps_fps(sps, &num, &den))
		FUZZ_CHECK(num > 0 && den > 0 && num / den <= 1000);
	h264_codec_string(sps, codec);
	h264_level_text(sps, level);
	FUZZ_CHECK(strlen(codec) == 11 && strlen(h264_profile_name(sps)) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h264_sps sps;
	struct h264_pps pps;
	struct h264_slice slice;
	struct byte_writer out;
	unsigned length_size = 0;

	if (h264_parse_sps(data, size, &sps) == 0)
		check_sps(&sps, size);
	if (h264_parse_pps(data, size, &pps) == 0)
		FUZZ_CHECK(pps.sps_id <= 31);
	if (h264_parse_slice(data, size, &slice) == 0)
		FUZZ_CHECK(slice.type <= H264_SLICE_SI);
	byte_writer_init(&out, 4 * size + 64);
	if (h264_avcc_to_annexb(data, size, &out, &length_size) == 0)
		FUZZ_CHECK(length_size == 1 || length_size == 2 || length_size == 4);
	byte_writer_free(&out);
	return 0;
}
