/*
 * An access unit as it comes from a camera: walked, converted there and back, classified, made into
 * extradata. First byte: bit 0 H.265, bits 1-2 the size of lengths when read as length-prefixed.
 */
#include "config.h"

#include "media/bytes.h"
#include "media/codec.h"
#include "media/nal.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#define UNITS_MAX 64

/* The copying and the gathering form agree, and the way back gives the same sample again. */
static void
check_sample(enum nal_codec codec, const uint8_t *data, size_t size)
{
	struct byte_writer sample, back, again;
	struct iovec iov[2 * UNITS_MAX];
	uint8_t lengths[UNITS_MAX][4];
	size_t n = 0, total = 0, pos = 0, i;
	int err, iov_err;

	byte_writer_init(&sample, 8 * size + 64);
	byte_writer_init(&back, 8 * size + 64);
	byte_writer_init(&again, 8 * size + 64);
	err = nal_annexb_to_sample(codec, data, size, &sample);
	iov_err = nal_annexb_to_iov(codec, data, size, iov, lengths, UNITS_MAX, &n, &total);
	FUZZ_CHECK(iov_err == err || iov_err == -E2BIG);
	if (iov_err == 0) {
		FUZZ_CHECK(total == sample.len);
		for (i = 0; i < 2 * n; i++) {
			FUZZ_CHECK(memcmp(sample.data + pos, iov[i].iov_base, iov[i].iov_len) == 0);
			pos += iov[i].iov_len;
		}
		FUZZ_CHECK(pos == total);
	}
	if (err == 0) {
		FUZZ_CHECK(nal_prefixed_to_annexb(sample.data, sample.len, 4, &back) == 0);
		FUZZ_CHECK(nal_annexb_to_sample(codec, back.data, back.len, &again) == 0);
		FUZZ_CHECK(again.len == sample.len);
		FUZZ_CHECK(memcmp(again.data, sample.data, sample.len) == 0);
	}
	byte_writer_free(&sample);
	byte_writer_free(&back);
	byte_writer_free(&again);
}

static void
check_extradata(enum nal_codec codec, const uint8_t *data, size_t size)
{
	struct byte_writer sets, extradata, back;
	unsigned length_size = 0;

	byte_writer_init(&sets, CODEC_PARAMETER_SETS_MAX);
	byte_writer_init(&extradata, 2 * CODEC_PARAMETER_SETS_MAX);
	byte_writer_init(&back, 2 * CODEC_PARAMETER_SETS_MAX);
	if (codec_collect_parameter_sets(codec, data, size, &sets) == 0 &&
	    codec_write_extradata(codec, sets.data, sets.len, &extradata) == 0) {
		FUZZ_CHECK(codec_extradata_to_annexb(codec, extradata.data, extradata.len, &back,
						     &length_size) == 0);
		FUZZ_CHECK(length_size == 4 && back.len <= sets.len);
	}
	byte_writer_reset(&back);
	(void)codec_extradata_to_annexb(codec, data, size, &back, &length_size);
	byte_writer_free(&sets);
	byte_writer_free(&extradata);
	byte_writer_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct codec_video_info info;
	struct codec_unit unit;
	struct byte_writer out;
	enum nal_codec codec;
	bool is_described;

	if (size == 0)
		return 0;
	codec = data[0] & 1 ? NAL_H265 : NAL_H264;
	byte_writer_init(&out, 8 * size + 64);
	(void)nal_prefixed_to_annexb(data + 1, size - 1, 1u << (data[0] >> 1 & 3), &out);
	byte_writer_free(&out);
	data++;
	size--;
	is_described = codec_video_describe(codec, data, size, &info) == 0;
	codec_classify(codec, data, size, is_described ? &info : NULL, &unit);
	FUZZ_CHECK(!unit.is_key || unit.is_picture);
	FUZZ_CHECK(!unit.has_parameter_sets || unit.has_any_parameter_set);
	check_sample(codec, data, size);
	check_extradata(codec, data, size);
	return 0;
}
