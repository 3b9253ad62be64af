/*
 * One H.264 SPS rewritten: it parses to the same fields but for what a rewrite changes, and a
 * second rewrite finds nothing to do.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "media/vui_rewrite.h"
#include "tests/fuzz/fuzz.h"

#define SAME(field) FUZZ_CHECK(old->field == new->field)

static void
check_same(const struct h264_sps *old, const struct h264_sps *new)
{
	SAME(profile_idc);
	SAME(constraint_flags);
	SAME(level_idc);
	SAME(id);
	SAME(chroma_format_idc);
	SAME(bit_depth_luma);
	SAME(bit_depth_chroma);
	SAME(has_separate_planes);
	SAME(log2_max_frame_num);
	SAME(poc_type);
	SAME(log2_max_poc_lsb);
	SAME(max_num_ref_frames);
	SAME(coded_width);
	SAME(coded_height);
	SAME(width);
	SAME(height);
	SAME(is_interlaced);
	SAME(sar_num);
	SAME(sar_den);
	SAME(has_full_range);
	SAME(has_timing);
	SAME(is_fixed_rate);
	SAME(num_units_in_tick);
	SAME(time_scale);
	SAME(vui_flag_bit);
	if (old->has_vui)
		SAME(bitstream_restriction_bit);
}

static void
check_rewritten(const struct h264_sps *before, const struct byte_writer *out)
{
	struct h264_sps new;
	struct byte_writer again;

	FUZZ_CHECK(h264_parse_sps(out->data, out->len, &new) == 0);
	FUZZ_CHECK(new.has_vui && !new.is_vui_damaged &&new.has_bitstream_restriction);
	FUZZ_CHECK(new.max_num_reorder_frames == 0);
	FUZZ_CHECK(new.max_dec_frame_buffering >= 1);
	FUZZ_CHECK(new.max_dec_frame_buffering >= new.max_num_ref_frames);
	byte_writer_init(&again, 1 << 20);
	FUZZ_CHECK(h264_sps_rewrite(out->data, out->len, &again) == 0 && again.len == 0);
	byte_writer_free(&again);
	check_same(before, &new);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum vui_reorder reorder;
	struct h264_sps sps = { 0 };
	struct byte_writer out;
	bool is_readable;
	int rc;

	is_readable = h264_parse_sps(data, size, &sps) == 0;
	FUZZ_CHECK((h264_sps_reorder(data, size, &reorder) == 0) == is_readable);
	byte_writer_init(&out, 2 * size + 64);
	rc = h264_sps_rewrite(data, size, &out);
	FUZZ_CHECK(rc <= 0 || rc == 1);
	FUZZ_CHECK(rc == 1 || out.len == 0);
	FUZZ_CHECK(rc < 0 || is_readable);
	if (rc == 1)
		check_rewritten(&sps, &out);
	byte_writer_free(&out);
	return 0;
}
