/*
 * JPEG: whole, cut, padded and broken ones.
 */
#include "config.h"

#include "media/jpeg.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint16_t width, height;
	uint8_t components;
} pictures[] = {
	{ "colour_160x96.jpg", 160, 96, 3 },
	{ "odd_33x17.jpg", 33, 17, 3 },
};

START_TEST(pictures_are_read)
{
	size_t len;
	uint8_t *jpeg = data_load(pictures[_i].name, &len);
	struct jpeg_info info;

	ck_assert_int_eq(jpeg_parse(jpeg, len, &info), 0);
	ck_assert_uint_eq(info.width, pictures[_i].width);
	ck_assert_uint_eq(info.height, pictures[_i].height);
	ck_assert_uint_eq(info.components, pictures[_i].components);
	ck_assert_uint_eq(info.len_bytes, len);
	ck_assert(info.has_huffman_tables && !info.is_progressive);
	free(jpeg);
}
END_TEST

START_TEST(cut_at_every_byte_asks_for_more)
{
	size_t len, cut;
	uint8_t *jpeg = data_load(pictures[_i].name, &len);
	struct jpeg_info info = { .width = 7 };

	for (cut = 0; cut < len; cut++) {
		uint8_t *copy = data_copy(jpeg, cut);

		ck_assert_msg(jpeg_parse(copy, cut, &info) == -EAGAIN, "cut at %zu", cut);
		ck_assert_uint_eq(info.width, 7);
		free(copy);
	}
	free(jpeg);
}
END_TEST

START_TEST(padding_is_not_part_of_it)
{
	size_t len;
	uint8_t *jpeg = data_load(pictures[0].name, &len);
	uint8_t *padded = malloc(len + 1000);
	struct jpeg_info info;

	memset(padded, 0xff, len + 1000);
	memcpy(padded, jpeg, len);
	ck_assert_int_eq(jpeg_parse(padded, len + 1000, &info), 0);
	ck_assert_uint_eq(info.len_bytes, len);
	free(padded);
	free(jpeg);
}
END_TEST

#define SOI     "\xff\xd8"
#define EOI     "\xff\xd9"
#define SOF(n)  "\xff" n "\0\x0b\x08\0\x10\0\x20\1\1\x11\0"
#define DHT     "\xff\xc4\0\x03\0"
#define SOS     "\xff\xda\0\x08\1\1\0\0\x3f\0"
#define COMMENT "\xff\xfe\0\x04\xff\xd9"
#define DATA    "\x12\xff\0\x34\xff\xd3\x56\xff\xff\xd0"

static const struct {
	const char *bytes;
	size_t len;
	int err;
	bool is_progressive, has_tables;
} made[] = {
#define CASE(bytes, ...)                                                                           \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, __VA_ARGS__                                              \
	}
	CASE(SOI SOF("\xc0") SOS DATA EOI, 0, false, false),
	CASE(SOI COMMENT DHT SOF("\xc1") SOS DATA EOI, 0, false, true),
	CASE(SOI SOF("\xc2") SOS DATA DHT SOS DATA EOI, 0, true, true),
	CASE(SOI SOF("\xca") SOS DATA "\xff\xff\xff\xd9", 0, true, false),
	CASE(SOI SOF("\xc3") SOS EOI, 0, false, false),
	CASE(SOI SOF("\xc0") SOS DATA, -EAGAIN),
	CASE(SOI SOF("\xc0") SOS DATA "\xff", -EAGAIN),
	CASE(SOI EOI, -EPROTO),
	CASE(SOI SOF("\xc0") EOI, -EPROTO),
	CASE(SOI SOS DATA EOI, -EPROTO),
	CASE(SOI SOF("\xc0") SOF("\xc0") SOS DATA EOI, -EPROTO),
	CASE(SOI SOI, -EPROTO),
	CASE(SOI "\xff\xd0", -EPROTO),
	CASE(SOI "\xff\x01", -EPROTO),
	CASE(SOI "\x12\xff", -EPROTO),
	CASE(SOI "\xff\xfe\0\1", -EPROTO),
	CASE(SOI "\xff\xfe\xff\xff", -EAGAIN),
	CASE(SOI "\xff\xc0\0\x07\x08\0\x10\0\x20", -EPROTO),
	CASE(SOI "\xff\xc0\0\x0b\x08\0\0\0\x20\1\1\x11\0" SOS EOI, -EPROTO),
	CASE(SOI "\xff\xc0\0\x0b\x08\0\x10\0\0\1\1\x11\0" SOS EOI, -EPROTO),
	CASE("\xff\xd9", -EPROTO),
	CASE("\x89PNG", -EPROTO),
	CASE("", -EAGAIN),
};

START_TEST(markers_by_hand)
{
	uint8_t *copy = data_copy((const uint8_t *)made[_i].bytes, made[_i].len);
	struct jpeg_info info;

	ck_assert_int_eq(jpeg_parse(copy, made[_i].len, &info), made[_i].err);
	if (made[_i].err == 0) {
		ck_assert_uint_eq(info.width, 32);
		ck_assert_uint_eq(info.height, 16);
		ck_assert_uint_eq(info.components, 1);
		ck_assert_int_eq(info.is_progressive, made[_i].is_progressive);
		ck_assert_int_eq(info.has_huffman_tables, made[_i].has_tables);
		ck_assert_uint_eq(info.len_bytes, made[_i].len);
	}
	free(copy);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_loop_test(tcase, pictures_are_read, 0, 2);
	tcase_add_loop_test(tcase, cut_at_every_byte_asks_for_more, 0, 2);
	tcase_add_test(tcase, padding_is_not_part_of_it);
	tcase_add_loop_test(tcase, markers_by_hand, 0, sizeof(made) / sizeof(made[0]));
}

int
main(void)
{
	return data_run("media jpeg", add);
}
