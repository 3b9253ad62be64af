/*
 * The bit writer: bits and codes written out by hand, and against the tests' own writer.
 */
#include "config.h"

#include "media/bit_writer.h"

#include "media/bytes.h"
#include "tests/media_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
check_bytes(const struct byte_writer *out, const void *want, size_t len)
{
	ck_assert_int_eq(out->err, 0);
	ck_assert_uint_eq(out->len, len);
	ck_assert_mem_eq(out->data, want, len);
}

#define CHECK(out, literal) check_bytes((out), literal, sizeof(literal) - 1)

START_TEST(bits_go_most_significant_first)
{
	uint8_t memory[32];
	struct byte_writer out;
	struct bit_writer writer;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	bit_writer_init(&writer, &out);
	bit_writer_put(&writer, 1, 1);
	bit_writer_put(&writer, 2, 3);
	bit_writer_put(&writer, 0xffffffff, 0);
	bit_writer_put(&writer, 0x50fff123, 32);
	bit_writer_put(&writer, 0xfffffff4, 4); /* what is above n bits is left out */
	ck_assert_uint_eq(writer.bits, 0);
	CHECK(&out, "\xa5\x0f\xff\x12\x34");
	bit_writer_put(&writer, 1, 1);
	CHECK(&out, "\xa5\x0f\xff\x12\x34");
	bit_writer_trail(&writer);
	CHECK(&out, "\xa5\x0f\xff\x12\x34\xc0");
	bit_writer_trail(&writer);
	CHECK(&out, "\xa5\x0f\xff\x12\x34\xc0\x80");
}
END_TEST

static const struct {
	uint32_t value;
	const char *bytes;
	size_t len;
} codes[] = {
	{ 0, "\xc0", 1 },
	{ 1, "\x50", 1 },
	{ 2, "\x70", 1 },
	{ 3, "\x24", 1 },
	{ 6, "\x3c", 1 },
	{ 15, "\x08\x40", 2 },
	{ 254, "\x01\xff", 2 },
	{ 0x7fffffff, "\0\0\0\1\0\0\0\1", 8 },
	{ 0xfffffffe, "\0\0\0\1\xff\xff\xff\xff", 8 },
};

/* Each code, and the stop bit behind it. */
START_TEST(exp_golomb_codes)
{
	uint8_t memory[16];
	struct byte_writer out;
	struct bit_writer writer;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	bit_writer_init(&writer, &out);
	bit_writer_put_ue(&writer, codes[_i].value);
	bit_writer_trail(&writer);
	check_bytes(&out, codes[_i].bytes, codes[_i].len);
}
END_TEST

START_TEST(signed_exp_golomb_codes)
{
	uint8_t memory[16];
	struct byte_writer out;
	struct bit_writer writer;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	bit_writer_init(&writer, &out);
	bit_writer_put_se(&writer, 0);  /* 1 */
	bit_writer_put_se(&writer, 1);  /* 010 */
	bit_writer_put_se(&writer, -1); /* 011 */
	bit_writer_put_se(&writer, 2);  /* 00100 */
	bit_writer_put_se(&writer, -2); /* 00101 */
	bit_writer_trail(&writer);      /* 1 */
	CHECK(&out, "\xa6\x42\xc0");
	byte_writer_reset(&out);
	bit_writer_put_se(&writer, 0x7fffffff);
	bit_writer_trail(&writer);
	CHECK(&out, "\0\0\0\1\xff\xff\xff\xfd");
}
END_TEST

START_TEST(what_has_no_code_is_refused)
{
	uint8_t memory[16];
	struct byte_writer out;
	struct bit_writer writer;
	int i;

	for (i = 0; i < 3; i++) {
		byte_writer_init_fixed(&out, memory, sizeof(memory));
		bit_writer_init(&writer, &out);
		if (i == 0)
			bit_writer_put_ue(&writer, UINT32_MAX);
		else if (i == 1)
			bit_writer_put_se(&writer, INT32_MIN);
		else
			bit_writer_put(&writer, 0, 33);
		ck_assert_int_eq(out.err, -EINVAL);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(a_unit_is_escaped)
{
	static const uint8_t plain[] = { 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0 };
	uint8_t memory[64];
	struct byte_writer out;
	struct bit_writer writer;
	size_t i;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	byte_writer_u16(&out, 0); /* what stands before the unit does not count */
	bit_writer_init_nal(&writer, &out);
	for (i = 0; i < sizeof(plain); i++)
		bit_writer_put(&writer, plain[i], 8);
	bit_writer_trail(&writer);
	CHECK(&out, "\0\0"
		    "\0\0\3\0\0\3\1\0\0\3\2\0\0\3\3\0\0\4\0\0\x80");

	byte_writer_reset(&out);
	bit_writer_init(&writer, &out);
	for (i = 0; i < 5; i++)
		bit_writer_put(&writer, plain[i], 8);
	CHECK(&out, "\0\0\0\0\1");
}
END_TEST

START_TEST(a_full_writer_says_so)
{
	uint8_t memory[2];
	struct byte_writer out;
	struct bit_writer writer;

	byte_writer_init_fixed(&out, memory, sizeof(memory));
	bit_writer_init(&writer, &out);
	bit_writer_put(&writer, 0x1234, 16);
	ck_assert_int_eq(out.err, 0);
	bit_writer_put(&writer, 0x56, 8);
	ck_assert_int_eq(out.err, -EMSGSIZE);
	ck_assert_mem_eq(memory, "\x12\x34", 2);
}
END_TEST

/* The same draws into both writers; the low bits are often zero, so that there is much to escape.
 */
START_TEST(agrees_with_another_writer)
{
	struct bit_out other = { 0 };
	struct byte_writer out;
	struct bit_writer writer;
	uint8_t nal[2048];
	unsigned i;

	srand((unsigned)_i + 1);
	byte_writer_init(&out, 4096);
	bit_writer_init_nal(&writer, &out);
	for (i = 0; i < 300; i++) {
		uint32_t value = rand() % 3 == 0 ? (uint32_t)rand() : 0;
		unsigned n = (unsigned)rand() % 25;

		value &= (1u << n) - 1;
		switch (rand() % 3) {
		case 0:
			bit_writer_put(&writer, value, n);
			put_bits(&other, value, n);
			break;
		case 1:
			bit_writer_put_ue(&writer, value & 0xffff);
			put_ue(&other, value & 0xffff);
			break;
		default:
			bit_writer_put_se(&writer, 50 - (int32_t)(value % 100));
			put_se(&other, 50 - (int32_t)(value % 100));
			break;
		}
		if (other.bits > 8 * (sizeof(other.bytes) - 16))
			break;
	}
	bit_writer_trail(&writer);
	check_bytes(&out, nal, put_finish(&other, nal));
	byte_writer_free(&out);
}
END_TEST

static void
add(TCase *tcase)
{
	tcase_add_test(tcase, bits_go_most_significant_first);
	tcase_add_loop_test(tcase, exp_golomb_codes, 0, sizeof(codes) / sizeof(codes[0]));
	tcase_add_test(tcase, signed_exp_golomb_codes);
	tcase_add_test(tcase, what_has_no_code_is_refused);
	tcase_add_test(tcase, a_unit_is_escaped);
	tcase_add_test(tcase, a_full_writer_says_so);
	tcase_add_loop_test(tcase, agrees_with_another_writer, 0, 20);
}

int
main(void)
{
	return data_run("media bit writer", add);
}
