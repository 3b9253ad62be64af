/*
 * One H.265 unit: each parser of a unit, and hvcC.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h265.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_sps(const struct h265_sps *sps, const struct h265_vps *vps, size_t size)
{
	char codec[H265_CODEC_STRING_BYTES], level[16];
	uint32_t num, den;

	FUZZ_CHECK(sps->id <= 15 && sps->vps_id <= 15);
	FUZZ_CHECK(sps->max_sub_layers >= 1 && sps->max_sub_layers <= 7);
	FUZZ_CHECK(sps->width >= 1 && sps->width <= sps->coded_width);
	FUZZ_CHECK(sps->height >= 1 && sps->height <= sps->coded_height);
	FUZZ_CHECK(sps->coded_width <= H265_SIZE_MAX && sps->coded_height <= H265_SIZE_MAX);
	FUZZ_CHECK(sps->vui_flag_bit < 8 * size);
	FUZZ_CHECK(sps->bit_depth_luma <= 16 && sps->bit_depth_chroma <= 16);
	FUZZ_CHECK(sps->min_spatial_segmentation <= 4095);
	if (h265_fps(sps, vps, &num, &den))
		FUZZ_CHECK(num > 0 && den > 0 && num / den <= 1000);
	h265_codec_string(sps, codec);
	h265_level_text(sps, level);
	FUZZ_CHECK(strlen(codec) < sizeof(codec) && strlen(h265_profile_name(sps)) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h265_sps sps;
	struct h265_vps vps;
	struct h265_pps pps;
	struct byte_writer out;
	unsigned length_size = 0;

	if (h265_parse_vps(data, size, &vps) == 0)
		FUZZ_CHECK(vps.max_sub_layers >= 1 && vps.max_sub_layers <= 7);
	if (h265_parse_sps(data, size, &sps) == 0)
		check_sps(&sps, NULL, size);
	if (h265_parse_pps(data, size, &pps) == 0)
		FUZZ_CHECK(pps.id <= 63 && pps.sps_id <= 15);
	byte_writer_init(&out, 4 * size + 64);
	if (h265_hvcc_to_annexb(data, size, &out, &length_size) == 0)
		FUZZ_CHECK(length_size == 1 || length_size == 2 || length_size == 4);
	byte_writer_free(&out);
	return 0;
}
