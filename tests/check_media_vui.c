/*
 * Rewritten parameter sets, bit by bit: what an encoder's sets become when the bits named here (by
 * their place, as FFmpeg's trace_headers tells it) are replaced by others written out by hand.
 */
#include "config.h"

#include "media/vui_rewrite.h"

#include "media/bytes.h"
#include "media/h264.h"
#include "media/h265.h"
#include "media/picture_order.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef int rewrite_fn(const uint8_t *nal, size_t len, struct byte_writer *out);
typedef int reorder_fn(const uint8_t *nal, size_t len, enum vui_reorder *reorder);

/* bitstream_restriction_flag, motion vectors over boundaries, 2, 1, 15, 15, reordered 0 */
#define RESTRICTION_0                                                                              \
	"1"                                                                                        \
	"1"                                                                                        \
	"011"                                                                                      \
	"010"                                                                                      \
	"000010000"                                                                                \
	"000010000"                                                                                \
	"1"
#define NOTHING_ELSE "00000000" /* of a VUI */

enum kind { SPS_264, SPS_265, VPS_265 };

struct edit {
	size_t from, to;
	const char *bits;
};

static const struct {
	const char *name;
	enum kind kind;
	enum vui_reorder reorder;
	struct edit given; /* of the encoder's set; all 0: none */
	struct edit want;  /* of that; bits NULL: left as it is */
} rows[] = {
	/* clang-format off */
	/* Baseline, poc type 2, 3 reference frames, says so already */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 0, 0, "" }, { 0, 0, NULL } },
	/* ... larger buffering */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 175, 180, "00101" }, { 175, 180, "00100" } },
	/* ... smaller than the standard allows: left alone */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 175, 180, "1" }, { 0, 0, NULL } },
	/* ... no restriction: its flag becomes one and 3 frames */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 156, 180, "0" }, { 156, 157, RESTRICTION_0 "00100" } },
	/* ... no VUI */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 74, 180, "0" }, { 74, 75, "1" NOTHING_ELSE RESTRICTION_0 "00100" } },
	/* ... no VUI, no reference frames, and the flags that follow them */
	{ "baseline_360p.h264", SPS_264, VUI_REORDER_NONE, { 37, 180, "1" "0" "011" "011" "1" "1" "0" "0" }, { 48, 49, "1" NOTHING_ELSE RESTRICTION_0 "010" } },
	/* High, poc type 0, 4 reference frames, 2 reordered */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_TOLD, { 0, 0, "" }, { 188, 191, "1" } },
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_UNKNOWN, { 170, 196, "0" }, { 170, 171, RESTRICTION_0 "00101" } },
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_UNKNOWN, { 88, 196, "0" }, { 88, 89, "1" NOTHING_ELSE RESTRICTION_0 "00101" } },
	/* ... constraint_set5_flag: no B slices; constraint_set0_flag: as Baseline */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_NONE, { 21, 22, "1" }, { 188, 191, "1" } },
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_NONE, { 16, 17, "1" }, { 188, 191, "1" } },
	/* ... constraint_set3_flag says something about intra profiles alone */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_TOLD, { 19, 20, "1" }, { 188, 191, "1" } },
	/* High 10 Intra, CAVLC 4:4:4 Intra */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_NONE, { 8, 20, "01101110" "0001" }, { 188, 191, "1" } },
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_TOLD, { 8, 20, "01101110" "0000" }, { 188, 191, "1" } },
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_NONE, { 8, 20, "00101100" "0000" }, { 188, 191, "1" } },
	/* ... bits behind the VUI that nobody knows stay */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_TOLD, { 188, 196, "011" "00101" "1011001" }, { 188, 191, "1" } },
	/* Stereo High: nothing is known about it */
	{ "high_1080p_b.h264", SPS_264, VUI_REORDER_TOLD, { 8, 16, "10000000" }, { 188, 191, "1" } },
	/* HRD parameters before the flag */
	{ "high_hrd.h264", SPS_264, VUI_REORDER_NONE, { 0, 0, "" }, { 0, 0, NULL } },
	{ "high_hrd.h264", SPS_264, VUI_REORDER_NONE, { 226, 250, "0" }, { 226, 227, RESTRICTION_0 "00100" } },
	{ "high_hrd.h264", SPS_264, VUI_REORDER_NONE, { 244, 250, "010" "00101" }, { 244, 252, "1" "00100" } },
	{ "high_scaling_lists.h264", SPS_264, VUI_REORDER_NONE, { 69, 175, "0" }, { 69, 70, "1" NOTHING_ELSE RESTRICTION_0 "00100" } },
	/* Main, interlaced, poc type 0, but it says 0 */
	{ "main_interlaced_576i.h264", SPS_264, VUI_REORDER_NONE, { 0, 0, "" }, { 0, 0, NULL } },
	{ "main_interlaced_576i.h264", SPS_264, VUI_REORDER_UNKNOWN, { 148, 172, "0" }, { 148, 149, RESTRICTION_0 "00100" } },
	{ "high444.h264", SPS_264, VUI_REORDER_NONE, { 84, 190, "0" }, { 84, 85, "1" NOTHING_ELSE RESTRICTION_0 "00100" } },
	{ "high_intra_refresh.h264", SPS_264, VUI_REORDER_NONE, { 145, 167, "0" }, { 145, 146, RESTRICTION_0 "010" } },

	{ "main_360p.h265", SPS_265, VUI_REORDER_NONE, { 0, 0, "" }, { 0, 0, NULL } },
	{ "main_360p.h265", SPS_265, VUI_REORDER_TOLD, { 174, 178, "011" "00110" }, { 174, 182, "1" "1" } },
	{ "main_1080p_b.h265", SPS_265, VUI_REORDER_TOLD, { 0, 0, "" }, { 180, 188, "1" "1" } },
	{ "main_temporal_layers.h265", SPS_265, VUI_REORDER_TOLD, { 0, 0, "" }, { 177, 203, "00101" "1" "1" "00101" "1" "1" } },
	/* ... for the highest sub-layer alone */
	{ "main_temporal_layers.h265", SPS_265, VUI_REORDER_TOLD, { 176, 203, "0" "00101" "011" "00100" }, { 182, 190, "1" "1" } },
	/* ... in the lowest alone (which the standard rules out) */
	{ "main_temporal_layers.h265", SPS_265, VUI_REORDER_TOLD, { 195, 203, "1" "1" }, { 182, 190, "1" "1" } },
	{ "main_scaling_lists.h265", SPS_265, VUI_REORDER_TOLD, { 166, 167, "00100" }, { 166, 174, "1" "1" } },
	/* ... bits behind the VUI stay: extension data */
	{ "main_temporal_layers.h265", SPS_265, VUI_REORDER_TOLD, { 315, 316, "1" "00000001" "1011101" }, { 177, 203, "00101" "1" "1" "00101" "1" "1" } },
	{ "main_360p.h265", VPS_265, VUI_REORDER_NONE, { 0, 0, "" }, { 0, 0, NULL } },
	{ "main_1080p_b.h265", VPS_265, VUI_REORDER_NONE, { 0, 0, "" }, { 150, 158, "1" "1" } },
	{ "main_temporal_layers.h265", VPS_265, VUI_REORDER_NONE, { 0, 0, "" }, { 161, 187, "00101" "1" "1" "00101" "1" "1" } },
	{ "main_1080p_b.h265", VPS_265, VUI_REORDER_NONE, { 166, 167, "1" "110101" }, { 150, 158, "1" "1" } },
	/* clang-format on */
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	enum nal_codec codec;
	unsigned type;
	rewrite_fn *rewrite;
	reorder_fn *reorder;
} kinds[] = {
	[SPS_264] = { NAL_H264, H264_NAL_SPS, h264_sps_rewrite, h264_sps_reorder },
	[SPS_265] = { NAL_H265, H265_NAL_SPS, h265_sps_rewrite, h265_sps_reorder },
	[VPS_265] = { NAL_H265, H265_NAL_VPS, h265_vps_rewrite, NULL },
};

/* The set of a row as the rewriter is given it, in memory of just its size; free() it. */
static struct nal_unit
given_set(int row)
{
	const struct edit *edit = &rows[row].given;
	size_t len;
	uint8_t *stream = data_load(rows[row].name, &len);
	struct nal_unit nal =
	    data_find(kinds[rows[row].kind].codec, kinds[rows[row].kind].type, stream, len);
	uint8_t edited[2048];

	if (edit->to > 0)
		nal = (struct nal_unit){ edited, data_splice(&nal, edit->from, edit->to, edit->bits,
							     edited) };
	nal.data = data_copy(nal.data, nal.len);
	free(stream);
	return nal;
}

/* Rewrites behind what stands in a writer already. */
static int
rewrite(int row, const uint8_t *nal, size_t len, struct byte_writer *out)
{
	byte_writer_init(out, 4096);
	byte_writer_u16(out, 0x7788);
	return kinds[rows[row].kind].rewrite(nal, len, out);
}

START_TEST(only_the_named_bits_change)
{
	const struct edit *want = &rows[_i].want;
	struct nal_unit nal = given_set(_i);
	struct byte_writer out;
	uint8_t expected[2048];
	size_t len;

	ck_assert_int_eq(rewrite(_i, nal.data, nal.len, &out), want->bits != NULL);
	ck_assert_uint_ge(out.len, 2);
	ck_assert_mem_eq(out.data, "\x77\x88", 2);
	if (want->bits != NULL) {
		len = data_splice(&nal, want->from, want->to, want->bits, expected);
		ck_assert_uint_eq(out.len - 2, len);
		ck_assert_mem_eq(out.data + 2, expected, len);
	} else {
		ck_assert_uint_eq(out.len, 2);
	}
	byte_writer_free(&out);
	free((void *)nal.data);
}
END_TEST

START_TEST(a_set_says_whether_pictures_are_reordered)
{
	enum vui_reorder reorder = (enum vui_reorder)77;
	struct nal_unit nal = given_set(_i);

	if (kinds[rows[_i].kind].reorder != NULL) {
		ck_assert_int_eq(kinds[rows[_i].kind].reorder(nal.data, nal.len, &reorder), 0);
		ck_assert_int_eq(reorder, rows[_i].reorder);
	}
	free((void *)nal.data);
}
END_TEST

START_TEST(a_rewritten_set_is_left_alone)
{
	struct nal_unit nal = given_set(_i);
	struct byte_writer out, again;

	if (rewrite(_i, nal.data, nal.len, &out) == 1) {
		ck_assert_int_eq(rewrite(_i, out.data + 2, out.len - 2, &again), 0);
		byte_writer_free(&again);
	}
	byte_writer_free(&out);
	free((void *)nal.data);
}
END_TEST

/* A set that is cut off is refused. Where the cut is behind all that has to be understood, the bits
 * that are left are those that were there. */
START_TEST(cut_at_every_byte)
{
	const struct edit *want = &rows[_i].want;
	struct nal_unit nal = given_set(_i);
	struct byte_writer out;
	uint8_t expected[2048];
	size_t cut, refused = 0;

	for (cut = 0; cut < nal.len; cut++) {
		struct nal_unit part = { data_copy(nal.data, cut), cut };
		int rc = rewrite(_i, part.data, cut, &out);

		if (rc == 1) {
			size_t len = data_splice(&part, want->from, want->to, want->bits, expected);

			ck_assert_uint_eq(out.len - 2, len);
			ck_assert_mem_eq(out.data + 2, expected, len);
		} else {
			ck_assert(rc == -EPROTO || (rc == 0 && want->bits == NULL));
			ck_assert_uint_eq(out.len, 2);
			ck_assert_int_eq(out.err, 0);
			refused += rc == -EPROTO;
		}
		byte_writer_free(&out);
		free((void *)part.data);
	}
	ck_assert_uint_ge(refused, 7);
	free((void *)nal.data);
}
END_TEST

START_TEST(each_bit_flipped)
{
	struct nal_unit nal = given_set(_i);
	struct byte_writer out;
	size_t bit;

	for (bit = 0; bit < 8 * nal.len; bit++) {
		uint8_t *copy = data_copy(nal.data, nal.len);
		int rc;

		copy[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		rc = rewrite(_i, copy, nal.len, &out);
		ck_assert(rc == 1 || rc == 0 || rc == -EPROTO);
		ck_assert(rc == 1 ? out.len > 2 : out.len == 2);
		byte_writer_free(&out);
		free(copy);
	}
	free((void *)nal.data);
}
END_TEST

START_TEST(what_the_writer_cannot_take)
{
	struct nal_unit nal = given_set(_i);
	struct byte_writer out;
	uint8_t memory[8];

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	if (rows[_i].want.bits != NULL)
		ck_assert_int_eq(kinds[rows[_i].kind].rewrite(nal.data, nal.len, &out), -EMSGSIZE);
	free((void *)nal.data);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} rubbish[] = {
	{ "", 0 },
	{ "\x67", 1 },
	{ "\x67\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15 },
	{ "\x42\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
	{ "\x68\xee\x3c\x80", 4 },
	{ "\x40\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20 },
};

START_TEST(rubbish_is_refused)
{
	const uint8_t *bytes = data_copy((const uint8_t *)rubbish[_i].bytes, rubbish[_i].len);
	enum vui_reorder reorder = (enum vui_reorder)77;
	struct byte_writer out;
	size_t i;

	byte_writer_init(&out, 4096);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		ck_assert_int_eq(kinds[i].rewrite(bytes, rubbish[_i].len, &out), -EPROTO);
		if (kinds[i].reorder != NULL)
			ck_assert_int_eq(kinds[i].reorder(bytes, rubbish[_i].len, &reorder),
					 -EPROTO);
	}
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(reorder, 77);
	byte_writer_free(&out);
	free((void *)bytes);
}
END_TEST

/* 17 reference frames: what the field cannot say (E.2.1: at most MaxDpbFrames). */
START_TEST(too_many_reference_frames)
{
	size_t len;
	uint8_t *stream = data_load("baseline_360p.h264", &len), edited[2048];
	struct nal_unit nal = data_find(NAL_H264, H264_NAL_SPS, stream, len);
	struct byte_writer out;

	byte_writer_init(&out, 4096);
	len = data_splice(&nal, 37, 42, "000010010", edited);
	ck_assert_int_eq(h264_sps_rewrite(edited, len, &out), -EPROTO);
	len = data_splice(&nal, 37, 42, "000010001", edited);
	ck_assert_int_eq(h264_sps_rewrite(edited, len, &out), 0);
	ck_assert_uint_eq(out.len, 0);
	byte_writer_free(&out);
	free(stream);
}
END_TEST

/* The place of two edits, one after the other, in an encoder's set. What cannot be understood to
 * its end, or has its last 1 in a field, is refused. */
static const struct {
	const char *name;
	enum kind kind;
	struct edit first, second;
} unsafe[] = {
	/* 1 reordered, and the stop bit is the one in 00100 */
	{ "baseline_360p.h264",
	  SPS_264,
	  { 174, 180,
	    "010"
	    "00" },
	  { 0, 0, "" } },
	/* ... in the VPS's time_scale */
	{ "main_1080p_b.h265",
	  VPS_265,
	  { 165, 167,
	    "1"
	    "000000000000000000000000000000000000000000000000000000000000000" },
	  { 0, 0, "" } },
	/* ... in the SPS's */
	{ "main_scaling_lists.h265",
	  SPS_265,
	  { 193, 358,
	    "1"
	    "000000001"
	    "000000000000000000000000000000000000000000000000000000000000000" },
	  { 166, 167, "011" } },
	/* chroma_sample_loc_type_top_field 6 */
	{ "main_scaling_lists.h265",
	  SPS_265,
	  { 210, 211,
	    "1"
	    "00111"
	    "1" },
	  { 166, 167, "011" } },
	{ "baseline_360p.h264",
	  SPS_264,
	  { 86, 87,
	    "1"
	    "00111"
	    "1" },
	  { 0, 0, "" } },
};

START_TEST(a_set_without_a_safe_end_is_refused)
{
	const struct edit *first = &unsafe[_i].first, *second = &unsafe[_i].second;
	size_t len;
	uint8_t *stream = data_load(unsafe[_i].name, &len), edited[2][2048];
	struct nal_unit nal =
	    data_find(kinds[unsafe[_i].kind].codec, kinds[unsafe[_i].kind].type, stream, len);
	struct byte_writer out;

	nal.len = data_splice(&nal, first->from, first->to, first->bits, edited[0]);
	nal.data = edited[0];
	len = data_splice(&nal, second->from, second->to, second->bits, edited[1]);
	byte_writer_init(&out, 4096);
	ck_assert_int_eq(kinds[unsafe[_i].kind].rewrite(edited[1], len, &out), -EPROTO);
	ck_assert_uint_eq(out.len, 0);
	byte_writer_free(&out);
	free(stream);
}
END_TEST

/* The pictures' low bits: R restarts, r other pictures do not refer to it; '<' those that come
 * before one that was decoded earlier. */
static const struct {
	unsigned bits;
	struct {
		unsigned lsb;
		char kind, outcome;
	} pictures[8];
} orders[] = {
	{ 8,
	  { { 0, 'R', '=' }, { 2, ' ', '=' }, { 4, ' ', '=' }, { 4, ' ', '=' }, { 6, ' ', '=' } } },
	{ 8,
	  { { 0, 'R', '=' },
	    { 8, ' ', '=' },
	    { 4, 'r', '<' },
	    { 6, 'r', '<' },
	    { 16, ' ', '=' } } },
	{ 8,
	  { { 250, 'R', '=' },
	    { 254, ' ', '=' },
	    { 2, ' ', '=' },
	    { 0, 'r', '<' },
	    { 6, ' ', '=' } } },
	{ 4,
	  { { 0, 'R', '=' },
	    { 7, 'r', '=' },
	    { 7, ' ', '=' },
	    { 14, ' ', '=' },
	    { 5, ' ', '=' } } },
	{ 4, { { 0, 'R', '=' }, { 7, 'r', '=' }, { 12, 'r', '<' }, { 6, ' ', '<' } } },
	{ 8,
	  { { 40, ' ', '=' },
	    { 42, ' ', '=' },
	    { 0, 'R', '=' },
	    { 2, ' ', '=' },
	    { 0, ' ', '<' } } },
	{ 16, { { 65535, 'R', '=' }, { 0, ' ', '=' }, { 32767, ' ', '=' }, { 65534, ' ', '=' } } },
	{ 16, { { 0, 'R', '=' }, { 32768, ' ', '<' } } },
};

START_TEST(picture_orders)
{
	struct picture_order order = { .has_any = false };
	size_t i;

	for (i = 0; orders[_i].pictures[i].kind != '\0'; i++) {
		char kind = orders[_i].pictures[i].kind;
		struct picture_order_step step = { orders[_i].pictures[i].lsb, orders[_i].bits,
						   kind == 'R', kind != 'r' };

		ck_assert_msg(picture_order_step(&order, &step) ==
				  (orders[_i].pictures[i].outcome == '<'),
			      "picture %zu", i);
	}
}
END_TEST

/* Zeros behind the stop bit (padding, cabac_zero_words) are not part of the set. */
START_TEST(zeros_behind_the_end_are_left_out)
{
	struct nal_unit nal = given_set(_i);
	struct byte_writer plain, padded;
	uint8_t *longer = calloc(1, nal.len + 4);

	ck_assert_ptr_nonnull(longer);
	memcpy(longer, nal.data, nal.len);
	longer[nal.len + 2] = 3;
	ck_assert_int_eq(rewrite(_i, nal.data, nal.len, &plain),
			 rewrite(_i, longer, nal.len + 4, &padded));
	ck_assert_uint_eq(plain.len, padded.len);
	ck_assert_mem_eq(plain.data, padded.data, plain.len);
	byte_writer_free(&plain);
	byte_writer_free(&padded);
	free(longer);
	free((void *)nal.data);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, only_the_named_bits_change, 0, ROWS);
	tcase_add_loop_test(tcase, a_set_says_whether_pictures_are_reordered, 0, ROWS);
	tcase_add_loop_test(tcase, a_rewritten_set_is_left_alone, 0, ROWS);
	tcase_add_loop_test(tcase, cut_at_every_byte, 0, ROWS);
	tcase_add_loop_test(tcase, each_bit_flipped, 0, ROWS);
	tcase_add_loop_test(tcase, what_the_writer_cannot_take, 0, ROWS);
	tcase_add_loop_test(tcase, rubbish_is_refused, 0, sizeof(rubbish) / sizeof(rubbish[0]));
	tcase_add_test(tcase, too_many_reference_frames);
	tcase_add_loop_test(tcase, a_set_without_a_safe_end_is_refused, 0,
			    sizeof(unsafe) / sizeof(unsafe[0]));
	tcase_add_loop_test(tcase, picture_orders, 0, sizeof(orders) / sizeof(orders[0]));
	tcase_add_loop_test(tcase, zeros_behind_the_end_are_left_out, 0, ROWS);
}

int
main(void)
{
	return data_run("media vui", add);
}
