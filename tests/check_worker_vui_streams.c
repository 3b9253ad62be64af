/*
 * Which parameter sets of real streams are rewritten.
 */
#include "config.h"

#include "publish/wrk_vui.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"
#include "tests/media_data.h"

#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

struct watcher {
	struct wrk_vui *vui;
	enum nal_codec codec;
	struct byte_writer unit;
	int64_t pts_ns;
	bool has_no_pps; /* they are lost */
	unsigned rewritten, left, other_rewritten, spoiled, configs, units;
};

/* The SPS that a row puts in place of the encoder's; to 0: none. */
struct edit {
	size_t from, to;
	const char *bits;
};

static void
watch_set(struct watcher *watcher, const struct nal_unit *nal, const struct edit *edit)
{
	bool is_sps =
	    nal_type(watcher->codec, nal) ==
	    (watcher->codec == NAL_H264 ? (unsigned)H264_NAL_SPS : (unsigned)H265_NAL_SPS);
	struct nal_unit given = *nal;
	uint8_t edited[2048];
	size_t before;
	bool is_same;

	if (is_sps && edit->to > 0) {
		given.len = data_splice(nal, edit->from, edit->to, edit->bits, edited);
		given.data = edited;
	}
	byte_writer_u32(&watcher->unit, 1);
	before = watcher->unit.len;
	ck_assert_int_eq(wrk_vui_set(watcher->vui, given.data, given.len, &watcher->unit), 0);
	is_same = watcher->unit.len - before == given.len &&
		  memcmp(watcher->unit.data + before, given.data, given.len) == 0;
	if (!is_sps)
		watcher->other_rewritten += !is_same;
	else if (is_same)
		watcher->left++;
	else
		watcher->rewritten++;
}

static void
watch_unit(struct watcher *watcher, const uint8_t *data, size_t len, const struct edit *edit)
{
	struct wrk_vui_unit unit = { .pts_ns = watcher->pts_ns };
	struct wrk_vui_verdict verdict;
	struct nal_iter iter;
	struct nal_unit nal;

	byte_writer_reset(&watcher->unit);
	nal_iter_annexb(&iter, data, len);
	while (nal_iter_next(&iter, &nal)) {
		unsigned type = nal_type(watcher->codec, &nal);

		if (type == H265_NAL_PPS && watcher->has_no_pps)
			continue;
		if (nal_is_parameter_set(watcher->codec, type))
			watch_set(watcher, &nal, edit);
		else
			nal_write_annexb(&watcher->unit, &nal);
	}
	unit.annexb = watcher->unit.data;
	unit.len = watcher->unit.len;
	wrk_vui_examine(watcher->vui, &unit, &verdict);
	watcher->pts_ns += 200 * MS;
	watcher->units++;
	watcher->spoiled += verdict.is_spoiled;
	watcher->configs += verdict.config != NULL;
}

static void
watch(struct watcher *watcher, const char *name, const struct edit *edit, unsigned times)
{
	size_t len, pos, unit_len;
	uint8_t *stream = data_load(name, &len);
	const uint8_t *unit;

	while (times-- > 0) {
		pos = 0;
		while (data_next_unit(watcher->codec, stream, len, &pos, &unit, &unit_len))
			watch_unit(watcher, unit, unit_len, edit);
	}
	free(stream);
}

static const struct {
	const char *name;
	enum nal_codec codec;
	struct edit edit;
	unsigned times, rewritten, left, spoiled, units;
	enum wrk_vui_state end;
} streams[] = {
	/* No VUI. Poc type 2, two GOPs. */
	{ "baseline_360p.h264", NAL_H264, { 74, 180, "0" }, 2, 4, 0, 0, 16, WRK_VUI_REWRITING },
	/* Poc type 0, interlaced */
	{ "main_interlaced_576i.h264",
	  NAL_H264,
	  { 66, 172, "0" },
	  4,
	  4,
	  0,
	  0,
	  12,
	  WRK_VUI_REWRITING },
	/* 4:4:4 */
	{ "high444.h264", NAL_H264, { 84, 190, "0" }, 2, 2, 0, 0, 4, WRK_VUI_REWRITING },
	/* B slices from the third picture on; no VUI; told */
	{ "high_1080p_b.h264", NAL_H264, { 88, 196, "0" }, 3, 1, 2, 4, 18, WRK_VUI_REORDERED },
	{ "high_1080p_b.h264", NAL_H264, { 0, 0, "" }, 3, 0, 3, 0, 18, WRK_VUI_REORDERED },
	/* Nothing reordered, and it says so; it says otherwise */
	{ "main_360p.h265", NAL_H265, { 0, 0, "" }, 3, 0, 6, 0, 18, WRK_VUI_REWRITING },
	{ "main_360p.h265",
	  NAL_H265,
	  { 174, 178,
	    "011"
	    "00110" },
	  3,
	  1,
	  5,
	  0,
	  18,
	  WRK_VUI_REWRITING },
	{ "main10_322x182.h265",
	  NAL_H265,
	  { 184, 188,
	    "011"
	    "00110" },
	  5,
	  0,
	  5,
	  0,
	  15,
	  WRK_VUI_REWRITING },
	{ "main_1080p_b.h265", NAL_H265, { 0, 0, "" }, 3, 0, 3, 0, 18, WRK_VUI_REORDERED },
	{ "main_open_gop.h265", NAL_H265, { 0, 0, "" }, 2, 0, 6, 0, 24, WRK_VUI_REORDERED },
	{ "main_temporal_layers.h265", NAL_H265, { 0, 0, "" }, 2, 0, 2, 0, 16, WRK_VUI_REORDERED },
};

START_TEST(streams_of_encoders)
{
	struct watcher watcher = { .codec = streams[_i].codec };

	watcher.vui =
	    wrk_vui_new(watcher.codec == NAL_H264 ? FRAME_CODEC_H264 : FRAME_CODEC_H265, false);
	byte_writer_init(&watcher.unit, 1 << 20);
	watch(&watcher, streams[_i].name, &streams[_i].edit, streams[_i].times);
	ck_assert_uint_eq(watcher.units, streams[_i].units);
	ck_assert_int_eq(wrk_vui_state(watcher.vui), streams[_i].end);
	ck_assert_uint_eq(watcher.rewritten, streams[_i].rewritten);
	ck_assert_uint_eq(watcher.left, streams[_i].left);
	ck_assert_uint_eq(watcher.spoiled, streams[_i].spoiled);
	ck_assert_uint_eq(watcher.configs, 0);
	wrk_vui_free(&watcher.vui);
	byte_writer_free(&watcher.unit);
}
END_TEST

/* H.265: proven, rewritten (the VPS too), and then the camera is set to another profile. */
START_TEST(a_stream_that_changes)
{
	static const struct edit says_so = { 174, 178,
					     "011"
					     "00110" },
				 as_it_is = { 0, 0, "" };
	struct watcher watcher = { .codec = NAL_H265 };

	watcher.vui = wrk_vui_new(FRAME_CODEC_H265, false);
	byte_writer_init(&watcher.unit, 1 << 20);
	watch(&watcher, "main_360p.h265", &says_so, 3);
	ck_assert_int_eq(wrk_vui_state(watcher.vui), WRK_VUI_REWRITING);
	ck_assert_uint_eq(watcher.other_rewritten, 0);
	watch(&watcher, "main_1080p_b.h265", &as_it_is, 1);
	ck_assert_uint_eq(watcher.rewritten, 2);
	ck_assert_uint_eq(watcher.other_rewritten, 1);
	ck_assert_uint_eq(watcher.spoiled, 4); /* K P, and from the first that is reordered on */
	ck_assert_int_eq(wrk_vui_state(watcher.vui), WRK_VUI_REORDERED);
	watch(&watcher, "main_1080p_b.h265", &as_it_is, 1);
	ck_assert_uint_eq(watcher.rewritten, 2);
	ck_assert_uint_eq(watcher.other_rewritten, 1);
	ck_assert_uint_eq(watcher.spoiled, 4);
	wrk_vui_free(&watcher.vui);
	byte_writer_free(&watcher.unit);
}
END_TEST

/* Without a PPS the order cannot be read, and nothing is proven. */
START_TEST(an_order_that_cannot_be_read)
{
	static const struct edit says_so = { 174, 178,
					     "011"
					     "00110" };
	struct watcher watcher = { .codec = NAL_H265, .has_no_pps = true };

	watcher.vui = wrk_vui_new(FRAME_CODEC_H265, false);
	byte_writer_init(&watcher.unit, 1 << 20);
	watch(&watcher, "main_360p.h265", &says_so, 5);
	ck_assert_int_eq(wrk_vui_state(watcher.vui), WRK_VUI_WATCHING);
	ck_assert_uint_eq(watcher.rewritten, 0);
	ck_assert_uint_eq(watcher.left, 10);
	wrk_vui_free(&watcher.vui);
	byte_writer_free(&watcher.unit);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, streams_of_encoders, 0, sizeof(streams) / sizeof(streams[0]));
	tcase_add_test(tcase, a_stream_that_changes);
	tcase_add_test(tcase, an_order_that_cannot_be_read);
}

int
main(void)
{
	return data_run("worker vui streams", add);
}
