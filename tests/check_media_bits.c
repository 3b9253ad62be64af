/*
 * The bit reader, the byte cursor and the byte writer.
 */
#include "config.h"

#include "media/bits.h"
#include "media/bytes.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(bits_come_most_significant_first)
{
	static const uint8_t bytes[] = { 0xa5, 0x0f, 0xff, 0x12, 0x34, 0x56 };
	struct bits bits;

	bits_init(&bits, bytes, sizeof(bytes));
	ck_assert_uint_eq(bits_get(&bits, 1), 1);
	ck_assert_uint_eq(bits_get(&bits, 3), 2);
	ck_assert_uint_eq(bits_get(&bits, 0), 0);
	ck_assert_uint_eq(bits_get(&bits, 32), 0x50fff123);
	ck_assert_uint_eq(bits.position, 36);
	bits_skip(&bits, 11);
	ck_assert_int_eq(bits_get_flag(&bits), 0);
	ck_assert_int_eq(bits.err, 0);
	ck_assert_uint_eq(bits_get(&bits, 1), 0);
	ck_assert_int_eq(bits.err, -EPROTO);
}
END_TEST

START_TEST(bits_error_stays)
{
	static const uint8_t bytes[] = { 0xff };
	struct bits bits;

	bits_init(&bits, bytes, sizeof(bytes));
	ck_assert_uint_eq(bits_get(&bits, 9), 0);
	ck_assert_int_eq(bits.err, -EPROTO);
	ck_assert_uint_eq(bits_get(&bits, 1), 0);
	ck_assert_uint_eq(bits_get_ue(&bits), 0);
	ck_assert_int_eq(bits_get_se(&bits), 0);
	bits_skip(&bits, SIZE_MAX);
	ck_assert_int_eq(bits.err, -EPROTO);
	bits_init(&bits, NULL, 0);
	ck_assert_int_eq(bits.err, 0);
	ck_assert_uint_eq(bits_get(&bits, 33), 0);
	ck_assert_int_eq(bits.err, -EPROTO);
}
END_TEST

static unsigned grown;

static int
grow(void *arg, size_t need, uint8_t **data, size_t *cap)
{
	uint8_t *more = grown++ < 2 ? realloc(*data, need) : NULL;

	ck_assert_ptr_eq(arg, &grown);
	if (more == NULL)
		return -ENOMEM;
	*data = more;
	*cap = need;
	return 0;
}

/* The memory is not the writer's: it asks for more, and frees nothing. */
START_TEST(a_writer_grows_in_memory_of_others)
{
	uint8_t *data = malloc(4);
	struct byte_writer writer;

	grown = 0;
	byte_writer_init_growing(&writer, data, 4, 1000, grow, &grown);
	byte_writer_u32(&writer, 0x01020304);
	ck_assert_uint_eq(grown, 0);
	byte_writer_zeros(&writer, 100);
	ck_assert_uint_eq(grown, 1);
	byte_writer_truncate(&writer, 3);
	byte_writer_u8(&writer, 9);
	ck_assert_mem_eq(writer.data, "\x01\x02\x03\x09", 4);
	byte_writer_zeros(&writer, 700);
	ck_assert_int_eq(writer.err, 0);
	byte_writer_zeros(&writer, 297);
	ck_assert_int_eq(writer.err, -EMSGSIZE);
	byte_writer_truncate(&writer, 704);
	byte_writer_zeros(&writer, 296);
	ck_assert_int_eq(writer.err, 0);
	ck_assert_uint_eq(writer.len, 1000);
	data = writer.data;
	byte_writer_free(&writer);
	free(data);

	grown = 2;
	byte_writer_init_growing(&writer, NULL, 0, 1000, grow, &grown);
	byte_writer_u8(&writer, 1);
	ck_assert_int_eq(writer.err, -ENOMEM);
	ck_assert_uint_eq(writer.len, 0);
}
END_TEST

static const struct {
	uint8_t bytes[12];
	size_t len;
	uint32_t want, bits; /* bits 0: an error */
} codes[] = {
	{ { 0x80 }, 1, 0, 1 },
	{ { 0x40 }, 1, 1, 3 },
	{ { 0x60 }, 1, 2, 3 },
	{ { 0x20 }, 1, 3, 5 },
	{ { 0x01, 0xff }, 2, 254, 15 },
	{ { 0, 0, 0, 1, 0, 0, 0, 0 }, 8, 0x7fffffff, 63 },
	{ { 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe }, 8, 0xfffffffe, 63 },
	{ { 0, 0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0 }, 12, 0, 0 },
	{ { 0, 0, 0, 0, 0, 0, 0, 0 }, 8, 0, 0 },
	{ { 0x00 }, 1, 0, 0 },
	{ { 0x10 }, 1, 7, 7 },
	{ { 0x08 }, 1, 0, 0 },
};

START_TEST(exp_golomb_codes)
{
	struct bits bits;

	bits_init(&bits, codes[_i].bytes, codes[_i].len);
	ck_assert_uint_eq(bits_get_ue(&bits), codes[_i].want);
	ck_assert_int_eq(bits.err, codes[_i].bits == 0 ? -EPROTO : 0);
	if (codes[_i].bits != 0)
		ck_assert_uint_eq(bits.position, codes[_i].bits);
}
END_TEST

START_TEST(exp_golomb_survives_a_round_trip)
{
	static const int32_t values[] = {
		0, 1, -1, 2, -2, 127, -128, 65535, 0x7fffffff, -0x7fffffff
	};
	struct bit_out out = { 0 };
	struct bits bits;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		put_se(&out, values[i]);
	put_ue(&out, 5);
	bits_init(&bits, out.bytes, sizeof(out.bytes));
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		ck_assert_int_eq(bits_get_se(&bits), values[i]);
	ck_assert_uint_eq(bits_get_ue_max(&bits, 4), 0);
	ck_assert_int_eq(bits.err, -EPROTO);
}
END_TEST

START_TEST(emulation_prevention_is_left_out)
{
	static const uint8_t bytes[] = { 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 0, 3, 0, 0, 3 };
	static const uint8_t want[] = { 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0 };
	struct bits bits;
	size_t i;

	bits_init_nal(&bits, bytes, sizeof(bytes));
	for (i = 0; i < sizeof(want); i++)
		ck_assert_msg(bits_get(&bits, 8) == want[i], "byte %zu", i);
	ck_assert_int_eq(bits.err, 0);
	ck_assert_uint_eq(bits.position, 8 * sizeof(want));
	ck_assert_uint_eq(bits_get(&bits, 1), 0);
	ck_assert_int_eq(bits.err, -EPROTO);

	bits_init(&bits, bytes, sizeof(bytes));
	ck_assert_uint_eq(bits_get(&bits, 32), 0x00000301);
}
END_TEST

START_TEST(cursor_stops_at_the_end)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct byte_reader reader;

	byte_reader_init(&reader, bytes, sizeof(bytes));
	ck_assert_uint_eq(byte_reader_u8(&reader), 1);
	ck_assert_uint_eq(byte_reader_u16(&reader), 0x0203);
	ck_assert_uint_eq(byte_reader_u32(&reader), 0x04050607);
	ck_assert_ptr_eq(byte_reader_bytes(&reader, 0), bytes + 7);
	ck_assert_uint_eq(byte_reader_u16(&reader), 0);
	ck_assert_int_eq(reader.err, -EPROTO);
	ck_assert_uint_eq(byte_reader_u8(&reader), 0);
	ck_assert_ptr_null(byte_reader_bytes(&reader, 0));
	byte_reader_init(&reader, bytes, sizeof(bytes));
	(void)byte_reader_u8(&reader);
	ck_assert_ptr_null(byte_reader_bytes(&reader, SIZE_MAX));
}
END_TEST

START_TEST(writer_grows_to_its_limit)
{
	struct byte_writer writer;
	uint8_t block[100];
	size_t len = 0;
	uint8_t *data;
	unsigned i;

	memset(block, 0x5a, sizeof(block));
	byte_writer_init(&writer, 1000);
	for (i = 0; i < 10; i++)
		byte_writer_bytes(&writer, block, sizeof(block));
	ck_assert_int_eq(writer.err, 0);
	ck_assert_uint_le(writer.cap, 1000);
	byte_writer_u8(&writer, 1);
	ck_assert_int_eq(writer.err, -EMSGSIZE);
	ck_assert_uint_eq(writer.len, 1000);
	byte_writer_reset(&writer);
	byte_writer_u16(&writer, 0x1234);
	byte_writer_u24(&writer, 0x56789a);
	byte_writer_u64(&writer, 0x0102030405060708);
	byte_writer_zeros(&writer, 2);
	byte_writer_patch_u32(&writer, 1, 0xdeadbeef);
	ck_assert_int_eq(writer.err, 0);
	data = byte_writer_take(&writer, &len);
	ck_assert_uint_eq(len, 15);
	ck_assert_mem_eq(data, "\x12\xde\xad\xbe\xef", 5);
	ck_assert_mem_eq(data + 5, "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00", 10);
	free(data);
	ck_assert_ptr_null(byte_writer_take(&writer, &len));
	byte_writer_free(&writer);
}
END_TEST

START_TEST(fixed_writer_never_leaves_its_memory)
{
	uint8_t *memory = malloc(5);
	struct byte_writer writer;

	byte_writer_init_fixed(&writer, memory, 5);
	byte_writer_u32(&writer, 0x01020304);
	ck_assert_int_eq(byte_writer_reserve(&writer, 1), 0);
	byte_writer_u16(&writer, 0x0506);
	ck_assert_int_eq(writer.err, -EMSGSIZE);
	byte_writer_u8(&writer, 5);
	ck_assert_uint_eq(writer.len, 4);
	ck_assert_int_eq(byte_writer_reserve(&writer, 1), -EMSGSIZE);
	byte_writer_reset(&writer);
	ck_assert_int_eq(byte_writer_reserve(&writer, SIZE_MAX), -EMSGSIZE);
	byte_writer_reset(&writer);
	byte_writer_u16(&writer, 1);
	byte_writer_patch_u32(&writer, 0, 1);
	ck_assert_int_eq(writer.err, -EINVAL);
	byte_writer_fail(&writer, -ENOMEM);
	ck_assert_int_eq(writer.err, -EINVAL);
	byte_writer_free(&writer);
	free(memory);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, bits_come_most_significant_first);
	tcase_add_test(tcase, bits_error_stays);
	tcase_add_test(tcase, a_writer_grows_in_memory_of_others);
	tcase_add_loop_test(tcase, exp_golomb_codes, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_test(tcase, exp_golomb_survives_a_round_trip);
	tcase_add_test(tcase, emulation_prevention_is_left_out);
	tcase_add_test(tcase, cursor_stops_at_the_end);
	tcase_add_test(tcase, writer_grows_to_its_limit);
	tcase_add_test(tcase, fixed_writer_never_leaves_its_memory);
}

int
main(void)
{
	return data_run("media bits", add);
}
