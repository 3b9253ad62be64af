/*
 * One H.265 SPS or VPS rewritten: it parses to the same fields but for what a rewrite changes, and
 * a second rewrite finds nothing to do.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h265.h"
#include "media/vui_rewrite.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define SAME(field) FUZZ_CHECK(old->field == new.field)

static void
check_sps(const struct h265_sps *old, const struct byte_writer *out)
{
	struct h265_sps new;

	FUZZ_CHECK(h265_parse_sps(out->data, out->len, &new) == 0);
	FUZZ_CHECK(new.any_num_reorder_pics == 0 && new.max_num_reorder_pics == 0);
	FUZZ_CHECK(new.max_latency_increase == 0 && new.vui_flag_bit <= old->vui_flag_bit);
	FUZZ_CHECK(memcmp(old->profile.constraints, new.profile.constraints, 6) == 0);
	SAME(profile.space);
	SAME(profile.is_high_tier);
	SAME(profile.idc);
	SAME(profile.compatibility);
	SAME(profile.level_idc);
	SAME(id);
	SAME(vps_id);
	SAME(max_sub_layers);
	SAME(has_temporal_id_nesting);
	SAME(chroma_format_idc);
	SAME(bit_depth_luma);
	SAME(bit_depth_chroma);
	SAME(coded_width);
	SAME(coded_height);
	SAME(width);
	SAME(height);
	SAME(max_dec_pic_buffering);
	SAME(log2_max_poc_lsb);
	SAME(has_separate_planes);
	SAME(is_interlaced);
	SAME(has_vui);
	SAME(is_vui_damaged);
	SAME(sar_num);
	SAME(sar_den);
	SAME(has_full_range);
	SAME(has_timing);
	SAME(num_units_in_tick);
	SAME(time_scale);
	SAME(min_spatial_segmentation);
	SAME(ordering_bit);
}

static void
check_vps(const struct h265_vps *old, const struct byte_writer *out)
{
	struct h265_vps new;

	FUZZ_CHECK(h265_parse_vps(out->data, out->len, &new) == 0);
	FUZZ_CHECK(new.max_num_reorder_pics == 0 && new.end_bit <= old->end_bit);
	SAME(id);
	SAME(max_sub_layers);
	SAME(has_timing);
	SAME(num_units_in_tick);
	SAME(time_scale);
	SAME(ordering_bit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum vui_reorder reorder;
	struct h265_sps sps = { 0 };
	struct h265_vps vps = { 0 };
	struct byte_writer out, again;
	int rc;

	byte_writer_init(&out, 2 * size + 64);
	byte_writer_init(&again, 4 * size + 64);
	rc = h265_sps_rewrite(data, size, &out);
	FUZZ_CHECK(rc <= 1 && (rc == 1 || out.len == 0));
	FUZZ_CHECK(rc < 0 || h265_parse_sps(data, size, &sps) == 0);
	FUZZ_CHECK(rc < 0 || h265_sps_reorder(data, size, &reorder) == 0);
	if (rc == 1) {
		check_sps(&sps, &out);
		FUZZ_CHECK(h265_sps_rewrite(out.data, out.len, &again) == 0);
	}
	byte_writer_reset(&out);
	rc = h265_vps_rewrite(data, size, &out);
	FUZZ_CHECK(rc <= 1 && (rc == 1 || out.len == 0));
	FUZZ_CHECK(rc < 0 || h265_parse_vps(data, size, &vps) == 0);
	if (rc == 1) {
		check_vps(&vps, &out);
		FUZZ_CHECK(h265_vps_rewrite(out.data, out.len, &again) == 0);
	}
	FUZZ_CHECK(again.len == 0);
	byte_writer_free(&out);
	byte_writer_free(&again);
	return 0;
}
