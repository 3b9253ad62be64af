/*
 * See media_data.h.
 */
#include "config.h"

#include "tests/media_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *
data_copy(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	ck_assert_ptr_nonnull(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

uint8_t *
data_load(const char *name, size_t *len)
{
	char path[1024];
	uint8_t *whole, *copy;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", MEDIA_DATA_DIR, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	whole = malloc(1 << 20);
	ck_assert_ptr_nonnull(whole);
	*len = fread(whole, 1, 1 << 20, file);
	ck_assert_uint_gt(*len, 0);
	(void)fclose(file);
	copy = data_copy(whole, *len);
	free(whole);
	return copy;
}

struct nal_unit
data_find(enum nal_codec codec, unsigned type, const uint8_t *buf, size_t len)
{
	struct nal_unit nal = { NULL, 0 };

	ck_assert_uint_eq(nal_find_unique(codec, type, buf, len, &nal, 1), 1);
	return nal;
}

static bool
is_slice(enum nal_codec codec, unsigned type)
{
	return codec == NAL_H264 ? type >= 1 && type <= 5 : type < 32;
}

/* Whether a unit may be the first of the next picture (H.264 7.4.1.2.3, H.265 7.4.2.4.4). */
static bool
begins_unit(enum nal_codec codec, const struct nal_unit *nal)
{
	unsigned type = nal_type(codec, nal);

	if (codec == NAL_H264)
		return is_slice(codec, type) ? nal->len > 1 && (nal->data[1] & 0x80) != 0
					     : type >= 6 && type <= 9;
	return is_slice(codec, type) ? nal->len > 2 && (nal->data[2] & 0x80) != 0
				     : (type >= 32 && type <= 35) || type == 39;
}

bool
data_next_unit(enum nal_codec codec, const uint8_t *buf, size_t len, size_t *pos,
	       const uint8_t **unit, size_t *unit_len)
{
	struct nal_iter iter;
	struct nal_unit nal;
	bool has_slice = false;
	size_t end = len;

	if (*pos >= len)
		return false;
	nal_iter_annexb(&iter, buf + *pos, len - *pos);
	while (nal_iter_next(&iter, &nal)) {
		if (has_slice && begins_unit(codec, &nal)) {
			end = (size_t)(nal.data - buf) - 3;
			while (end > *pos && buf[end - 1] == 0)
				end--;
			break;
		}
		has_slice = has_slice || is_slice(codec, nal_type(codec, &nal));
	}
	*unit = buf + *pos;
	*unit_len = end - *pos;
	*pos = end;
	return true;
}

void
put_bits(struct bit_out *out, uint32_t value, unsigned n)
{
	while (n-- > 0) {
		ck_assert_uint_lt(out->bits / 8, sizeof(out->bytes));
		if (value >> n & 1)
			out->bytes[out->bits / 8] |= (uint8_t)(0x80 >> out->bits % 8);
		out->bits++;
	}
}

void
put_zeros(struct bit_out *out, unsigned n)
{
	while (n-- > 0)
		put_bits(out, 0, 1);
}

void
put_ue(struct bit_out *out, uint32_t value)
{
	unsigned n = 0;

	while ((uint64_t)value + 1 >= 2ull << n)
		n++;
	put_zeros(out, n);
	put_bits(out, value + 1, n + 1);
}

void
put_se(struct bit_out *out, int32_t value)
{
	put_ue(out, value > 0 ? 2 * (uint32_t)value - 1 : 2 * (uint32_t)-value);
}

size_t
put_finish(struct bit_out *out, uint8_t nal[2048])
{
	size_t len, n = 0, i;
	unsigned zeros = 0;

	put_bits(out, 1, 1);
	while (out->bits % 8 != 0)
		put_bits(out, 0, 1);
	len = out->bits / 8;
	for (i = 0; i < len; i++) {
		if (zeros == 2 && out->bytes[i] <= 3) {
			nal[n++] = 3;
			zeros = 0;
		}
		nal[n++] = out->bytes[i];
		zeros = out->bytes[i] == 0 ? zeros + 1 : 0;
	}
	return n;
}

/* One character a bit, without emulation prevention and without the stop bit and what follows. */
static size_t
bits_of(const struct nal_unit *unit, char *bits)
{
	size_t n = 0, end = 0, i;
	unsigned zeros = 0, bit;

	for (i = 0; i < unit->len; i++) {
		if (zeros >= 2 && unit->data[i] == 3) {
			zeros = 0;
			continue;
		}
		zeros = unit->data[i] == 0 ? zeros + 1 : 0;
		for (bit = 0; bit < 8; bit++) {
			bits[n] = (unit->data[i] << bit & 0x80) != 0 ? '1' : '0';
			end = bits[n] == '1' ? n : end;
			n++;
		}
	}
	return end;
}

static void
put_text(struct bit_out *out, const char *bits, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		put_bits(out, bits[i] == '1', 1);
}

size_t
data_splice(const struct nal_unit *unit, size_t from, size_t to, const char *bits,
	    uint8_t nal[2048])
{
	struct bit_out out = { 0 };
	char *before = malloc(8 * unit->len + 1);
	size_t len;

	ck_assert_ptr_nonnull(before);
	len = bits_of(unit, before);
	ck_assert_uint_le(from, to);
	ck_assert_uint_le(to, len);
	put_text(&out, before, from);
	put_text(&out, bits, strlen(bits));
	put_text(&out, before + to, len - to);
	free(before);
	return put_finish(&out, nal);
}

int
data_run(const char *name, void (*add)(TCase *tcase))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	add(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
