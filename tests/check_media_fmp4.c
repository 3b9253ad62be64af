/*
 * The boxes of init segments and fragments, byte by byte where it matters.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/fmp4.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the children of a box begin, behind its head; 0: it has none. */
static size_t
children_at(const uint8_t *type)
{
	static const struct {
		char type[5];
		size_t at;
	} containers[] = { { "moov", 8 },  { "trak", 8 },  { "mdia", 8 },  { "minf", 8 },
			   { "dinf", 8 },  { "stbl", 8 },  { "mvex", 8 },  { "moof", 8 },
			   { "traf", 8 },  { "dref", 16 }, { "stsd", 16 }, { "avc1", 86 },
			   { "hvc1", 86 }, { "mp4a", 36 }, { "Opus", 36 }, { "fLaC", 36 } };
	size_t i;

	for (i = 0; i < sizeof(containers) / sizeof(containers[0]); i++)
		if (memcmp(type, containers[i].type, 4) == 0)
			return containers[i].at;
	return 0;
}

/* The tree as "ftyp moov(mvhd trak(...))"; fails unless boxes fill their parents to the byte. */
static void
describe(const uint8_t *data, size_t len, char *out, size_t size)
{
	struct byte_reader reader;
	size_t n = 0;

	byte_reader_init(&reader, data, len);
	while (reader.pos < len) {
		size_t begin = reader.pos;
		size_t box_len = byte_reader_u32(&reader);
		const uint8_t *type = byte_reader_bytes(&reader, 4);
		size_t inner;

		ck_assert_ptr_nonnull(type);
		ck_assert_uint_ge(box_len, 8);
		ck_assert_uint_le(box_len, len - begin);
		inner = children_at(type);
		n += (size_t)snprintf(out + n, size - n, "%s%.4s", n > 0 ? " " : "",
				      (const char *)type);
		if (inner > 0) {
			ck_assert_uint_ge(box_len, inner);
			out[n++] = '(';
			describe(data + begin + inner, box_len - inner, out + n, size - n);
			n += strlen(out + n);
			out[n++] = ')';
			out[n] = '\0';
		}
		(void)byte_reader_bytes(&reader, box_len - 8);
		ck_assert_int_eq(reader.err, 0);
	}
}

/* The contents of the first box of a type, anywhere: types are unlikely elsewhere in such small
 * files. */
static const uint8_t *
box_contents(const struct byte_writer *file, const char *type)
{
	size_t i;

	for (i = 4; i + 8 <= file->len; i++)
		if (memcmp(file->data + i, type, 4) == 0)
			return file->data + i + 4;
	ck_abort_msg("no box %s", type);
}

static const uint8_t asc[] = { 0x12, 0x10 };
static const uint8_t avcc[] = { 1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68 };
static const uint8_t hvcc[23] = { 1 };
static const uint8_t streaminfo[34] = { 0x10 };
static const uint8_t opus_head[] = "OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0";
static const uint8_t opus_mapped[] = "OpusHead\1\3\x38\1\x80\xbb\0\0\0\0\1\2\1\0\1\2";

#define VIDEO(codec, config)                                                                       \
	{                                                                                          \
		1, codec, 90000, config, sizeof(config), 1920, 1080, 0, 0, 0, 0                    \
	}
#define AUDIO(codec, config, rate)                                                                 \
	{                                                                                          \
		2, codec, rate, config, sizeof(config), 0, 0, 0, 0, rate, 2                        \
	}

#define STBL "stts stsc stco stsz"
#define HEAD(minf, entry)                                                                          \
	"trak(tkhd mdia(mdhd hdlr minf(" minf " dinf(dref(url )) stbl(stsd(" entry ") " STBL ")))" \
	")"

static const struct {
	struct fmp4_track tracks[2];
	size_t n;
	const char *want;
} inits[] = {
	{ { VIDEO(FMP4_H264, avcc) },
	  1,
	  "ftyp moov(mvhd " HEAD("vmhd", "avc1(avcC)") " mvex(trex))" },
	{ { VIDEO(FMP4_H265, hvcc), AUDIO(FMP4_AAC, asc, 44100) },
	  2,
	  "ftyp moov(mvhd " HEAD("vmhd", "hvc1(hvcC)") " " HEAD("smhd", "mp4a(esds)") " mvex(trex "
										      "trex))" },
	{ { { 1, FMP4_H264, 90000, avcc, sizeof(avcc), 720, 576, 16, 11, 0, 0 } },
	  1,
	  "ftyp moov(mvhd " HEAD("vmhd", "avc1(avcC pasp)") " mvex(trex))" },
	{ { { 3, FMP4_OPUS, 48000, opus_head, sizeof(opus_head) - 1, 0, 0, 0, 0, 48000, 2 } },
	  1,
	  "ftyp moov(mvhd " HEAD("smhd", "Opus(dOps)") " mvex(trex))" },
	{ { { 3, FMP4_OPUS, 48000, opus_mapped, sizeof(opus_mapped) - 1, 0, 0, 0, 0, 48000, 3 } },
	  1,
	  "ftyp moov(mvhd " HEAD("smhd", "Opus(dOps)") " mvex(trex))" },
	{ { { 3, FMP4_OPUS, 48000, NULL, 0, 0, 0, 0, 0, 16000, 1 } },
	  1,
	  "ftyp moov(mvhd " HEAD("smhd", "Opus(dOps)") " mvex(trex))" },
	{ { AUDIO(FMP4_FLAC, streaminfo, 96000) },
	  1,
	  "ftyp moov(mvhd " HEAD("smhd", "fLaC(dfLa)") " mvex(trex))" },
};

START_TEST(init_segments)
{
	struct byte_writer out;
	char found[1024];

	byte_writer_init(&out, FMP4_INIT_BYTES_MAX);
	ck_assert_int_eq(fmp4_init_segment(inits[_i].tracks, inits[_i].n, &out), 0);
	describe(out.data, out.len, found, sizeof(found));
	ck_assert_str_eq(found, inits[_i].want);
	byte_writer_free(&out);
}
END_TEST

START_TEST(no_memory_is_too_small_to_be_safe)
{
	uint8_t *memory = malloc(4096);
	struct byte_writer out;
	size_t cap, whole;

	byte_writer_init_fixed(&out, memory, 4096);
	ck_assert_int_eq(fmp4_init_segment(inits[1].tracks, 2, &out), 0);
	whole = out.len;
	free(memory);
	for (cap = 0; cap < whole; cap++) {
		memory = malloc(cap > 0 ? cap : 1);
		byte_writer_init_fixed(&out, memory, cap);
		ck_assert_int_eq(fmp4_init_segment(inits[1].tracks, 2, &out), -EMSGSIZE);
		free(memory);
	}
}
END_TEST

START_TEST(fields_of_the_init_segment)
{
	struct byte_writer out;
	const uint8_t *box;

	byte_writer_init(&out, FMP4_INIT_BYTES_MAX);
	ck_assert_int_eq(fmp4_init_segment(inits[2].tracks, 1, &out), 0);
	box = box_contents(&out, "tkhd");
	ck_assert_mem_eq(box, "\0\0\0\3", 4);
	ck_assert_mem_eq(box + 12, "\0\0\0\1", 4);
	ck_assert_mem_eq(box + 76, "\x04\x17\0\0\x02\x40\0\0", 8); /* 720 * 16 / 11 = 1047, 576 */
	ck_assert_mem_eq(box_contents(&out, "mdhd") + 12, "\0\1\x5f\x90\0\0\0\0\x55\xc4", 10);
	ck_assert_mem_eq(box_contents(&out, "hdlr") + 8, "vide", 4);
	ck_assert_mem_eq(box_contents(&out, "avc1") + 24, "\x02\xd0\x02\x40", 4);
	ck_assert_mem_eq(box_contents(&out, "avcC"), avcc, sizeof(avcc));
	ck_assert_mem_eq(box_contents(&out, "pasp"), "\0\0\0\x10\0\0\0\x0b", 8);
	ck_assert_mem_eq(box_contents(&out, "trex") + 4, "\0\0\0\1\0\0\0\1", 8);

	byte_writer_reset(&out);
	ck_assert_int_eq(fmp4_init_segment(inits[1].tracks, 2, &out), 0);
	ck_assert_mem_eq(
	    box_contents(&out, "esds"),
	    "\0\0\0\0\3\x19\0\0\0\4\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\5\2\x12\x10\6\1\2", 31);
	ck_assert_mem_eq(box_contents(&out, "mp4a") + 16, "\0\2\0\x10\0\0\0\0\xac\x44\0\0", 12);

	byte_writer_reset(&out);
	ck_assert_int_eq(fmp4_init_segment(inits[4].tracks, 1, &out), 0);
	ck_assert_mem_eq(box_contents(&out, "dOps"), "\0\3\1\x38\0\0\xbb\x80\0\0\1\2\1\0\1\2", 16);
	byte_writer_reset(&out);
	ck_assert_int_eq(fmp4_init_segment(inits[5].tracks, 1, &out), 0);
	ck_assert_mem_eq(box_contents(&out, "dOps"), "\0\1\0\0\0\0\x3e\x80\0\0\0", 11);
	byte_writer_reset(&out);
	ck_assert_int_eq(fmp4_init_segment(inits[6].tracks, 1, &out), 0);
	ck_assert_mem_eq(box_contents(&out, "dfLa"), "\0\0\0\0\x80\0\0\x22\x10", 9);
	byte_writer_free(&out);
}
END_TEST

static const struct {
	struct fmp4_track tracks[2];
	size_t n;
} bad[] = {
	{ { VIDEO(FMP4_H264, avcc) }, 0 },
	{ { VIDEO(FMP4_H264, avcc) }, FMP4_TRACKS_MAX + 1 },
	{ { VIDEO(FMP4_H264, avcc), VIDEO(FMP4_H264, avcc) }, 2 },
	{ { { 0, FMP4_H264, 90000, avcc, sizeof(avcc), 16, 16 } }, 1 },
	{ { { 1, FMP4_H264, 0, avcc, sizeof(avcc), 16, 16 } }, 1 },
	{ { { 1, FMP4_H264, 90000, avcc, sizeof(avcc), 0, 16 } }, 1 },
	{ { { 1, FMP4_H264, 90000, avcc, sizeof(avcc), 16, 0 } }, 1 },
	{ { { 1, FMP4_H264, 90000, NULL, 0, 16, 16 } }, 1 },
	{ { { 1, FMP4_H264, 90000, avcc, 6, 16, 16 } }, 1 },
	{ { { 1, FMP4_H264, 90000, asc, sizeof(asc), 16, 16 } }, 1 },
	{ { { 1, FMP4_H265, 90000, hvcc, 22, 16, 16 } }, 1 },
	{ { { 1, FMP4_AAC, 44100, NULL, 0, 0, 0, 0, 0, 44100, 2 } }, 1 },
	{ { { 1, FMP4_AAC, 44100, asc, 1, 0, 0, 0, 0, 44100, 2 } }, 1 },
	{ { { 1, FMP4_AAC, 44100, asc, 2, 0, 0, 0, 0, 44100, 0 } }, 1 },
	{ { { 1, FMP4_AAC, 44100, asc, 2, 0, 0, 0, 0, 0, 2 } }, 1 },
	{ { { 1, FMP4_OPUS, 48000, NULL, 0, 0, 0, 0, 0, 48000, 3 } }, 1 },
	{ { { 1, FMP4_OPUS, 48000, opus_head, 18, 0, 0, 0, 0, 48000, 2 } }, 1 },
	{ { { 1, FMP4_OPUS, 48000, opus_mapped, sizeof(opus_mapped) - 2, 0, 0, 0, 0, 48000, 3 } },
	  1 },
	{ { { 1, FMP4_FLAC, 48000, streaminfo, 33, 0, 0, 0, 0, 48000, 2 } }, 1 },
	{ { { 1, (enum fmp4_codec)77, 48000, streaminfo, 34, 1, 1, 0, 0, 48000, 2 } }, 1 },
};

START_TEST(tracks_that_cannot_be_written_are_refused)
{
	struct fmp4_track tracks[FMP4_TRACKS_MAX + 1] = { bad[_i].tracks[0], bad[_i].tracks[1] };
	struct byte_writer out;

	byte_writer_init(&out, FMP4_INIT_BYTES_MAX);
	ck_assert_int_eq(fmp4_init_segment(tracks, bad[_i].n, &out), -EINVAL);
	byte_writer_free(&out);
}
END_TEST

START_TEST(fragment_is_known_to_the_byte)
{
	static const struct fmp4_sample sample = { 7,    2,     0x123456789abcull, 3600, -3600,
						   true, 0x1234 };
	static const uint8_t want[] = "\0\0\0\x68moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\7"
				      "\0\0\0\x50traf\0\0\0\x10tfhd\0\2\0\0\0\0\0\2"
				      "\0\0\0\x14tfdt\1\0\0\0\0\0\x12\x34\x56\x78\x9a\xbc"
				      "\0\0\0\x24trun\1\0\x0f\1\0\0\0\1\0\0\0\x70"
				      "\0\0\x0e\x10\0\0\x12\x34\2\0\0\0\xff\xff\xf1\xf0"
				      "\0\0\x12\x3cmdat";
	uint8_t header[FMP4_FRAGMENT_HEADER_BYTES];
	struct fmp4_sample other = sample;

	ck_assert_uint_eq(sizeof(want) - 1, sizeof(header));
	ck_assert_int_eq(fmp4_fragment_header(&sample, header), 0);
	ck_assert_mem_eq(header, want, sizeof(header));
	other.is_key = false;
	ck_assert_int_eq(fmp4_fragment_header(&other, header), 0);
	ck_assert_mem_eq(header + 96, "\1\1\0\0", 4);
}
END_TEST

START_TEST(payloads_are_bounded)
{
	struct fmp4_sample sample = { 1, 1, 0, 1, 0, true, UINT32_MAX - 8 };
	uint8_t header[FMP4_FRAGMENT_HEADER_BYTES] = { 0x77 };

	sample.payload_len++;
	ck_assert_int_eq(fmp4_fragment_header(&sample, header), -EFBIG);
	sample.payload_len = 0;
	ck_assert_int_eq(fmp4_fragment_header(&sample, header), -EINVAL);
	sample.payload_len = 1;
	sample.track_id = 0;
	ck_assert_int_eq(fmp4_fragment_header(&sample, header), -EINVAL);
	ck_assert_uint_eq(header[0], 0x77);
	sample =
	    (struct fmp4_sample){ 1, 1, UINT64_MAX, UINT32_MAX, INT32_MIN, true, UINT32_MAX - 8 };
	ck_assert_int_eq(fmp4_fragment_header(&sample, header), 0);
	ck_assert_mem_eq(header + 104, "\xff\xff\xff\xffmdat", 8);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, init_segments, 0, sizeof(inits) / sizeof(inits[0]));
	tcase_add_test(tcase, no_memory_is_too_small_to_be_safe);
	tcase_add_test(tcase, fields_of_the_init_segment);
	tcase_add_loop_test(tcase, tracks_that_cannot_be_written_are_refused, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, fragment_is_known_to_the_byte);
	tcase_add_test(tcase, payloads_are_bounded);
}

int
main(void)
{
	return data_run("media fmp4", add);
}
