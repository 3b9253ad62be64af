/*
 * When parameter sets are rewritten, when no more, and what is spoiled in between: short scripts of
 * pictures, one letter each.
 */
#include "config.h"

#include "publish/wrk_vui.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/h264.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* An SPS of 5 frames of numbers that the slices below know: 4 bits of frame_num, 8 of the order
 * count. */
struct kind {
	unsigned profile, poc_type;
	int reorder; /* -1: there is no VUI */
};

static const struct kind unknown = { 77, 0, -1 }, told = { 77, 0, 2 }, none = { 77, 0, 0 },
			 in_order = { 77, 2, -1 }, baseline = { 66, 0, -1 };

static size_t
make_sps(const struct kind *kind, uint8_t nal[2048])
{
	struct bit_out out = { 0 };

	put_bits(&out, 0x67, 8);
	put_bits(&out, kind->profile, 8);
	put_bits(&out, 0, 8);
	put_bits(&out, 31, 8);
	put_ue(&out, 0);
	put_ue(&out, 0); /* log2_max_frame_num_minus4 */
	put_ue(&out, kind->poc_type);
	if (kind->poc_type == 0)
		put_ue(&out, 4); /* log2_max_pic_order_cnt_lsb_minus4 */
	put_ue(&out, 1);         /* max_num_ref_frames */
	put_bits(&out, 0, 1);
	put_ue(&out, 79);
	put_ue(&out, 44);
	put_bits(&out, 6, 3); /* frame_mbs_only, direct_8x8, no cropping */
	put_bits(&out, kind->reorder >= 0, 1);
	if (kind->reorder >= 0) {
		put_bits(&out, 1, 9); /* of a VUI the restriction alone */
		put_bits(&out, 1, 1);
		put_ue(&out, 0);
		put_ue(&out, 0);
		put_ue(&out, 10);
		put_ue(&out, 10);
		put_ue(&out, (uint32_t)kind->reorder);
		put_ue(&out, kind->reorder > 0 ? (uint32_t)kind->reorder : 1);
	}
	return put_finish(&out, nal);
}

static void
put_slice(struct byte_writer *unit, unsigned header, unsigned type, unsigned poc, bool has_poc)
{
	struct bit_out out = { 0 };
	uint8_t nal[2048];

	put_bits(&out, header, 8);
	put_ue(&out, 0); /* first_mb_in_slice */
	put_ue(&out, type);
	put_ue(&out, 0);
	put_bits(&out, 0, 4);
	if (header == 0x65)
		put_ue(&out, 0);
	if (has_poc)
		put_bits(&out, poc & 0xff, 8);
	put_bits(&out, 0x5a5a, 16);
	byte_writer_u32(unit, 1);
	byte_writer_bytes(unit, nal, put_finish(&out, nal));
}

struct script {
	struct wrk_vui *vui;
	const struct kind *kind;
	struct byte_writer unit;
	int64_t pts_ns, step_ns;
	unsigned poc;
	char last_config; /* what the last SPS was: 1 rewritten, 0 not */
};

static const uint8_t pps[] = { 0x68, 0xce, 0x0f, 0xc8 };

/* '1' when it says that nothing is reordered and one frame is buffered; '0' when it is the
 * camera's. */
static char
judge_sps(const struct script *script, const uint8_t *nal, size_t len)
{
	uint8_t own[2048];
	size_t own_len = make_sps(script->kind, own);
	struct h264_sps sps;

	if (len == own_len && memcmp(nal, own, len) == 0)
		return '0';
	ck_assert_int_eq(h264_parse_sps(nal, len, &sps), 0);
	ck_assert(sps.has_bitstream_restriction);
	ck_assert_uint_eq(sps.max_num_reorder_frames, 0);
	ck_assert_uint_eq(sps.max_dec_frame_buffering, 1);
	return '1';
}

static void
put_set(struct script *script, const uint8_t *nal, size_t len)
{
	size_t before;

	byte_writer_u32(&script->unit, 1);
	before = script->unit.len;
	if (wrk_vui_set(script->vui, nal, len, &script->unit) < 0) {
		ck_assert_uint_eq(script->unit.len, before);
		byte_writer_bytes(&script->unit, nal, len);
	}
	ck_assert_uint_gt(script->unit.len, before);
}

static char
judge_annexb(const struct script *script, const uint8_t *annexb, size_t len)
{
	struct nal_unit nal = data_find(NAL_H264, H264_NAL_SPS, annexb, len);

	ck_assert_mem_eq(data_find(NAL_H264, H264_NAL_PPS, annexb, len).data, pps, sizeof(pps));
	return judge_sps(script, nal.data, nal.len);
}

static void
put_picture(struct script *script, char letter)
{
	bool has_poc = script->kind->poc_type == 0;
	uint8_t sps[2048];

	byte_writer_reset(&script->unit);
	if (letter == 'K' || letter == 'S') {
		put_set(script, sps, make_sps(script->kind, sps));
		put_set(script, pps, sizeof(pps));
	}
	if (letter == 'K' || letter == 'k')
		put_slice(&script->unit, 0x65, 7, script->poc = 0, has_poc);
	else if (letter == 'B' || letter == 'd')
		put_slice(&script->unit, 0x01, 6, script->poc += 2, has_poc);
	else if (letter == 'R' || letter == 'l')
		put_slice(&script->unit, 0x01, 5, script->poc - 1, has_poc);
	else if (letter == 'P')
		put_slice(&script->unit, 0x41, 5, script->poc += 2, has_poc);
}

/* What became of the picture. */
static char
show(struct script *script, char letter)
{
	struct wrk_vui_unit unit = { .pts_ns = script->pts_ns,
				     .is_damaged = letter == 'd',
				     .is_after_loss = letter == 'l' };
	struct wrk_vui_verdict verdict;
	char outcome = '.';

	put_picture(script, letter);
	unit.annexb = script->unit.data;
	unit.len = script->unit.len;
	wrk_vui_examine(script->vui, &unit, &verdict);
	script->pts_ns += letter != 'S' ? script->step_ns : 0;
	if (verdict.config != NULL) {
		ck_assert_int_eq(letter, 'k');
		ck_assert(!verdict.is_spoiled);
		outcome = judge_annexb(script, verdict.config, verdict.config_len);
	}
	if (letter == 'K' || letter == 'S')
		outcome = judge_annexb(script, script->unit.data, script->unit.len);
	if (verdict.is_spoiled) {
		ck_assert_int_eq(outcome, '.');
		outcome = 'x';
	}
	return outcome;
}

/* The sets of the description, '1' or '0'. */
static char
describe(struct script *script)
{
	struct byte_writer sets, out;
	uint8_t sps[2048];
	char outcome;

	byte_writer_init(&sets, 4096);
	byte_writer_init(&out, 4096);
	byte_writer_u32(&sets, 1);
	byte_writer_bytes(&sets, sps, make_sps(script->kind, sps));
	byte_writer_u32(&sets, 1);
	byte_writer_bytes(&sets, pps, sizeof(pps));
	ck_assert_int_eq(wrk_vui_config(script->vui, sets.data, sets.len, &out), 0);
	outcome = judge_annexb(script, out.data, out.len);
	byte_writer_free(&sets);
	byte_writer_free(&out);
	return outcome;
}

/*
 * Letters: K key frame with sets, k without; S sets alone; P; B; R shown before the picture decoded
 * before it; d damaged B; l reordered P, but after a loss.
 * Outcomes: 1 and 0 sets told with this picture (in it, or a configuration before it), rewritten or
 * not; x spoiled; . nothing.
 */
static const struct {
	const char *what;
	const struct kind *kind;
	int step_ms;
	char described; /* 0: no sets in the description; else what becomes of them */
	const char *pictures, *outcomes;
	enum wrk_vui_state end;
} scripts[] = {
	{ "nothing is said and nothing reordered", &unknown, 40, 0, "KPPPKPPP", "1...1...",
	  WRK_VUI_REWRITING },
	{ "... with a description", &unknown, 40, '1', "kPPPkKPP",
	  "....."
	  "1..",
	  WRK_VUI_REWRITING },
	{ "a B slice", &unknown, 40, 0, "KPBPPKPK", "1.xxx0.0", WRK_VUI_REORDERED },
	{ "a B slice, sets in the description alone", &unknown, 40, '1', "kPBPPkPk", "..xxx0..",
	  WRK_VUI_REORDERED },
	{ "... and later in band", &unknown, 40, '1', "kBPKPk", ".xx0..", WRK_VUI_REORDERED },
	{ "sets in a unit of their own", &unknown, 40, 0, "SkPBPSkPk", "1..xx0...",
	  WRK_VUI_REORDERED },
	{ "a picture that is shown earlier", &unknown, 40, 0, "KPPRPKP", "1..xx0.",
	  WRK_VUI_REORDERED },
	{ "a B slice before the first key frame", &unknown, 40, 0, "BPKP", "..0.",
	  WRK_VUI_REORDERED },
	{ "... after a description", &unknown, 40, '1', "BPkP", "xx0.", WRK_VUI_REORDERED },
	{ "what is damaged or after a loss proves nothing", &unknown, 40, 0, "KPdPlPKP", "1.....1.",
	  WRK_VUI_REWRITING },

	{ "told, but not so: a GOP of 2 s", &told, 200, 0, "KPPPPPPPPPKPPPPKP", "0.........0....1.",
	  WRK_VUI_REWRITING },
	{ "... which is shorter", &told, 199, 0, "KPPPPPPPPPKPPPPKPPKP", "0.........0....0..1.",
	  WRK_VUI_REWRITING },
	{ "... of few pictures", &told, 400, 0, "KPPPPPPPPKPKPPKP", "0........0.0..1.",
	  WRK_VUI_REWRITING },
	{ "... of short GOPs", &told, 100, 0, "KPPPPKPPPPKPPPPKPPPPKPPPPKP",
	  "0....0....0....0....0....1.", WRK_VUI_REWRITING },
	{ "... sets in the description alone", &told, 200, '0', "kPPPPPPPPPkPPkP",
	  "..........1....", WRK_VUI_REWRITING },
	{ "a GOP that does not begin", &told, 200, 0, "PPPPPPPPPPPPKPKP", "............0.0.",
	  WRK_VUI_WATCHING },
	{ "a GOP that does not end", &told, 200, 0, "KPPPPPPPPPPPPPPPPPPPPP",
	  "0.....................", WRK_VUI_WATCHING },
	{ "a loss in the GOP", &told, 200, 0, "KPPPPlPPPPKPPPPKPPPPKPKP",
	  "0.........0....0....0.1.", WRK_VUI_REWRITING },
	{ "a loss, and too little after it", &told, 200, 0, "KPPPPlPPPPKPPPPKPPPKP",
	  "0.........0....0...0.", WRK_VUI_WATCHING },
	{ "told, and so", &told, 200, 0, "KPPBPPPPPPKPPPPPPPPPPPPKPKP",
	  "0.........0............0.0.", WRK_VUI_REORDERED },
	{ "told, and so later", &told, 200, 0, "KPPPPPPPPPKPPPPKPPBPKPK", "0.........0....1..xx0.0",
	  WRK_VUI_REORDERED },
	{ "... between proof and rewriting", &told, 200, 0, "KPPPPPPPPPKPBPPKPPKP",
	  "0.........0....0..0.", WRK_VUI_REORDERED },

	{ "the order is that of decoding, whatever the slices", &in_order, 40, '1', "KPBBPKP",
	  "1....1.", WRK_VUI_REWRITING },
	{ "Baseline", &baseline, 40, '1', "KPPK", "1..1", WRK_VUI_REWRITING },
	{ "Baseline that lies", &baseline, 40, '1', "KPBK", "1.x0", WRK_VUI_REORDERED },
	{ "it is said already", &none, 40, '0', "KPPK", "0..0", WRK_VUI_REWRITING },
	{ "... and wrong, but not by us", &none, 40, '0', "KPBPK", "0...0", WRK_VUI_REORDERED },
};

START_TEST(scripts_have_their_outcomes)
{
	struct script script = { .kind = scripts[_i].kind, .step_ns = scripts[_i].step_ms * MS };
	char outcomes[256] = "";
	size_t i;

	script.vui = wrk_vui_new(FRAME_CODEC_H264, false);
	byte_writer_init(&script.unit, 8192);
	ck_assert_int_eq(wrk_vui_state(script.vui), WRK_VUI_WATCHING);
	if (scripts[_i].described != 0)
		ck_assert_int_eq(describe(&script), scripts[_i].described);
	ck_assert_uint_lt(strlen(scripts[_i].pictures), sizeof(outcomes));
	for (i = 0; scripts[_i].pictures[i] != '\0'; i++)
		outcomes[i] = show(&script, scripts[_i].pictures[i]);
	ck_assert_msg(strcmp(outcomes, scripts[_i].outcomes) == 0, "%s:\n%s\n%s\nnot\n%s",
		      scripts[_i].what, scripts[_i].pictures, outcomes, scripts[_i].outcomes);
	ck_assert_int_eq(wrk_vui_state(script.vui), scripts[_i].end);
	wrk_vui_free(&script.vui);
	ck_assert_ptr_null(script.vui);
	byte_writer_free(&script.unit);
}
END_TEST

/* Asked for by the configuration, or a codec that has no such thing. */
START_TEST(sets_are_left_alone)
{
	struct script script = { .kind = &unknown, .step_ns = 40 * MS };
	const char *pictures = "KPPKPBPKk";
	char outcomes[16] = "";
	size_t i;

	script.vui =
	    _i == 0 ? wrk_vui_new(FRAME_CODEC_H264, true) : wrk_vui_new(FRAME_CODEC_MJPEG, false);
	ck_assert(_i == 0 || script.vui == NULL);
	byte_writer_init(&script.unit, 8192);
	ck_assert_int_eq(describe(&script), '0');
	for (i = 0; pictures[i] != '\0'; i++)
		outcomes[i] = show(&script, pictures[i]);
	ck_assert_str_eq(outcomes, "0..0...0.");
	ck_assert_int_eq(wrk_vui_state(script.vui), WRK_VUI_KEPT);
	wrk_vui_free(&script.vui);
	byte_writer_free(&script.unit);
}
END_TEST

/* The low bits of order counts begin anew every 128 pictures. */
START_TEST(order_counts_wrap)
{
	struct script script = { .kind = &unknown, .step_ns = 40 * MS };
	unsigned i;

	script.vui = wrk_vui_new(FRAME_CODEC_H264, false);
	byte_writer_init(&script.unit, 8192);
	ck_assert_int_eq(show(&script, 'K'), '1');
	for (i = 0; i < 1000; i++)
		ck_assert_int_eq(show(&script, 'P'), '.');
	ck_assert_int_eq(show(&script, 'R'), 'x');
	wrk_vui_free(&script.vui);
	byte_writer_free(&script.unit);
}
END_TEST

static void
pass_through(struct wrk_vui *vui, const void *nal, size_t len)
{
	struct byte_writer out;

	byte_writer_init(&out, 1 << 20);
	ck_assert_int_eq(wrk_vui_set(vui, nal, len, &out), 0);
	ck_assert_uint_eq(out.len, len);
	ck_assert_mem_eq(out.data, nal, len);
	byte_writer_free(&out);
}

/* What cannot be read goes through as it is, and nothing is made of it. */
START_TEST(sets_that_cannot_be_read)
{
	struct wrk_vui *vui = wrk_vui_new(_i == 0 ? FRAME_CODEC_H264 : FRAME_CODEC_H265, false);
	uint8_t large[16384];
	struct byte_writer out;

	memset(large, 0xff, sizeof(large));
	pass_through(vui, "\x67", 1);
	pass_through(vui, "\x67\x4d\0\x1f\xff", 5);
	pass_through(vui, "\x68\0\0", 3);
	pass_through(vui, "\x6d\1\2", 3);
	pass_through(vui, "\x40\1\0", 3);
	pass_through(vui, "\x42\1\0", 3);
	pass_through(vui, "\x44\1\0", 3);
	large[0] = _i == 0 ? 0x68 : 0x44;
	large[1] = _i == 0 ? 0xce : 1;
	pass_through(vui, large, sizeof(large));
	byte_writer_init(&out, 100);
	ck_assert_int_lt(wrk_vui_set(vui, large, 0, &out), 0);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(wrk_vui_state(vui), WRK_VUI_WATCHING);
	wrk_vui_free(&vui);
}
END_TEST

/* As many PPS as one likes: those that are not kept still go through. */
START_TEST(more_sets_than_are_kept)
{
	struct script script = { .kind = &unknown, .step_ns = 40 * MS };
	struct bit_out out;
	uint8_t nal[2048], large[16384];
	uint32_t id;

	script.vui = wrk_vui_new(FRAME_CODEC_H264, false);
	byte_writer_init(&script.unit, 8192);
	ck_assert_int_eq(describe(&script), '1');
	for (id = 1; id < 256; id++) {
		memset(&out, 0, sizeof(out));
		put_bits(&out, 0x68, 8);
		put_ue(&out, id);
		put_ue(&out, 0);
		put_bits(&out, 0x5a5a, 16);
		pass_through(script.vui, nal, put_finish(&out, nal));
	}
	/* One that is too large is not kept in place of the one before it. */
	memset(large, 0xff, sizeof(large));
	memcpy(large, pps, 2);
	pass_through(script.vui, large, sizeof(large));
	ck_assert_int_eq(show(&script, 'k'), '.');
	ck_assert_int_eq(show(&script, 'B'), 'x');
	ck_assert_int_eq(show(&script, 'k'), '0');
	wrk_vui_free(&script.vui);
	byte_writer_free(&script.unit);
}
END_TEST

START_TEST(a_writer_that_is_full)
{
	struct wrk_vui *vui = wrk_vui_new(FRAME_CODEC_H264, false);
	uint8_t sps[2048], memory[8];
	struct byte_writer out;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	ck_assert_int_eq(wrk_vui_set(vui, sps, make_sps(&unknown, sps), &out), -EMSGSIZE);
	byte_writer_init_fixed(&out, memory, sizeof(memory));
	ck_assert_int_eq(
	    wrk_vui_config(vui, (const uint8_t *)"\0\0\0\1\x68\xce\x0f\xc8\xff", 9, &out),
	    -EMSGSIZE);
	wrk_vui_free(&vui);
	wrk_vui_free(&vui);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, scripts_have_their_outcomes, 0,
			    sizeof(scripts) / sizeof(scripts[0]));
	tcase_add_loop_test(tcase, sets_are_left_alone, 0, 2);
	tcase_add_test(tcase, order_counts_wrap);
	tcase_add_loop_test(tcase, sets_that_cannot_be_read, 0, 2);
	tcase_add_test(tcase, more_sets_than_are_kept);
	tcase_add_test(tcase, a_writer_that_is_full);
}

int
main(void)
{
	return data_run("worker vui", add);
}
