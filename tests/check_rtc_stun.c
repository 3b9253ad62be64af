/*
 * STUN: the sample of RFC 5769, and what must not be taken for a request of ours.
 */
#include "config.h"

#include "rtc/stun.h"
#include "tests/media_data.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5769 2.1. */
static const uint8_t sample[] = { 0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7,
				  0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22,
				  0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74,
				  0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04,
				  0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9,
				  0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76,
				  0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00,
				  0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56,
				  0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71,
				  0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf };
#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* Bytes of a message that is put together here, not by the code under test. */
struct message {
	uint8_t bytes[2048];
	size_t len;
};

static void
put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned
get_u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static void
begin(struct message *message, unsigned type)
{
	memset(message, 0, sizeof(*message));
	put_u16(message->bytes, type);
	memcpy(message->bytes + 4, sample + 4, 16);
	message->len = 20;
}

static void
add(struct message *message, unsigned type, const void *value, size_t len)
{
	put_u16(message->bytes + message->len, type);
	put_u16(message->bytes + message->len + 2, (unsigned)len);
	memcpy(message->bytes + message->len + 4, value, len);
	message->len += 4 + ((len + 3) & ~(size_t)3);
	put_u16(message->bytes + 2, (unsigned)message->len - 20);
}

static uint32_t
crc_of(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc ^ 0x5354554eu;
}

/* MESSAGE-INTEGRITY of what is before, as if the message ended behind it. */
static void
integrity_of(const struct message *message, const char *password, uint8_t mac[20])
{
	struct message as_if = *message;
	unsigned len;

	put_u16(as_if.bytes + 2, (unsigned)message->len + 24 - 20);
	ck_assert_ptr_nonnull(HMAC(EVP_sha1(), password, (int)strlen(password), as_if.bytes,
				   message->len, mac, &len));
}

static void
seal_fingerprint(struct message *message)
{
	uint8_t value[4];
	uint32_t crc;

	put_u16(message->bytes + 2, (unsigned)message->len + 8 - 20);
	crc = crc_of(message->bytes, message->len);
	put_u16(value, crc >> 16);
	put_u16(value + 2, crc & 0xffff);
	add(message, 0x8028, value, 4);
}

static void
seal(struct message *message, const char *password)
{
	uint8_t mac[20];

	integrity_of(message, password, mac);
	add(message, 0x0008, mac, 20);
	seal_fingerprint(message);
}

/* A request as a browser sends it. */
static void
make_request(struct message *message, const char *username, bool nominates)
{
	begin(message, 0x0001);
	add(message, 0x0006, username, strlen(username));
	add(message, 0x802a, "\1\2\3\4\5\6\7\10", 8); /* ICE-CONTROLLING */
	add(message, 0xc057, "\0\1\0\12", 4);         /* NETWORK-COST: may be passed over */
	if (nominates)
		add(message, 0x0025, "", 0);
	add(message, 0x0024, "\x6e\x7f\1\xff", 4);
	seal(message, PASSWORD);
}

static int
peek_copy(const uint8_t *bytes, size_t len, struct rtc_stun_peek *peek)
{
	uint8_t *copy = data_copy(bytes, len);
	int err = rtc_stun_peek(copy, len, peek);

	free(copy);
	return err;
}

START_TEST(sample_of_the_rfc)
{
	struct rtc_stun_binding binding;
	struct rtc_stun_peek peek;

	ck_assert(rtc_stun_is(sample, sizeof(sample)));
	ck_assert_int_eq(rtc_stun_peek(sample, sizeof(sample), &peek), 0);
	ck_assert_uint_eq(peek.ufrag_len, 4);
	ck_assert_int_eq(memcmp(peek.ufrag, "evtj", 4), 0);
	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), PASSWORD, &binding), 0);
	ck_assert_int_eq(memcmp(binding.id, sample + 8, 12), 0);
	ck_assert(!binding.use_candidate);
	ck_assert(!binding.is_controlling);
	ck_assert(!binding.has_unknown);
	ck_assert_uint_eq(binding.priority, 0x6e0001ff);
}
END_TEST

START_TEST(browsers_request)
{
	struct rtc_stun_binding binding;
	struct message message;

	make_request(&message, "Abc+/123:theirs", true);
	ck_assert_int_eq(rtc_stun_check(message.bytes, message.len, PASSWORD, &binding), 0);
	ck_assert(binding.use_candidate);
	ck_assert(binding.is_controlling);
	ck_assert(!binding.has_unknown);
	make_request(&message, "Abc+/123:theirs", false);
	ck_assert_int_eq(rtc_stun_check(message.bytes, message.len, PASSWORD, &binding), 0);
	ck_assert(!binding.use_candidate);
}
END_TEST

/* No byte can be another, or missing. */
START_TEST(every_byte_counts)
{
	uint8_t bytes[sizeof(sample)];
	struct rtc_stun_binding binding, before;
	struct rtc_stun_peek peek;

	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < sizeof(sample); i++) {
		ck_assert_int_eq(peek_copy(sample, i, &peek), -EPROTO);
		memcpy(bytes, sample, sizeof(sample));
		bytes[i] ^= 0x20;
		binding = before;
		ck_assert_int_lt(rtc_stun_check(bytes, sizeof(bytes), PASSWORD, &binding), 0);
		ck_assert_int_eq(memcmp(&binding, &before, sizeof(binding)), 0);
		ck_assert_int_eq(peek_copy(bytes, sizeof(bytes), &peek), -EPROTO);
	}
}
END_TEST

START_TEST(only_who_has_the_password)
{
	struct rtc_stun_binding binding;
	struct rtc_stun_peek peek;
	struct message message;

	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), "VOkJxbRl1RmTxUk/WvJxBT", &binding),
			 -EACCES);
	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), "", &binding), -EACCES);
	/* The fingerprint is right, so that a peek says nothing of it. */
	begin(&message, 0x0001);
	add(&message, 0x0006, "abcd:efgh", 9);
	add(&message, 0x0008, "00000000000000000000", 20);
	seal_fingerprint(&message);
	ck_assert_int_eq(rtc_stun_peek(message.bytes, message.len, &peek), 0);
	ck_assert_int_eq(rtc_stun_check(message.bytes, message.len, PASSWORD, &binding), -EACCES);
}
END_TEST

/* What nobody may get an answer to, each sealed with the right password. */
static const struct shape {
	const char *why, *username;
	unsigned type;
	bool has_two, is_unsealed, is_behind;
} shapes[] = {
	{ "no colon", "abcdefgh", 1, false, false, false },
	{ "short", "abc:defg", 1, false, false, false },
	{ "other characters", "ab cd:efgh", 1, false, false, false },
	{ "empty", "", 1, false, false, false },
	{ "twice", "abcd:efgh", 1, true, false, false },
	{ "an indication", "abcd:efgh", 0x0011, false, false, false },
	{ "a success", "abcd:efgh", 0x0101, false, false, false },
	{ "another method", "abcd:efgh", 0x0003, false, false, false },
	{ "no integrity", "abcd:efgh", 1, false, true, false },
	{ "something behind the fingerprint", "abcd:efgh", 1, false, false, true },
};

START_TEST(shapes_that_are_none)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *shape = &shapes[i];
		struct rtc_stun_peek peek;
		struct message message;

		begin(&message, shape->type);
		add(&message, 0x0006, shape->username, strlen(shape->username));
		if (shape->has_two)
			add(&message, 0x0006, shape->username, strlen(shape->username));
		if (shape->is_unsealed)
			seal_fingerprint(&message);
		else
			seal(&message, PASSWORD);
		if (shape->is_behind)
			add(&message, 0x8022, "more", 4);
		ck_assert_msg(rtc_stun_peek(message.bytes, message.len, &peek) == -EPROTO, "%s",
			      shape->why);
	}
}
END_TEST

/* Its CRC is right, but it does not end the message. */
START_TEST(fingerprint_ends_it)
{
	struct rtc_stun_peek peek;
	struct message message;
	size_t at;
	uint32_t crc;

	begin(&message, 1);
	add(&message, 0x0006, "abcd:efgh", 9);
	add(&message, 0x0008, "00000000000000000000", 20);
	at = message.len;
	add(&message, 0x8028, "0000", 4);
	add(&message, 0x8022, "more", 4);
	crc = crc_of(message.bytes, at);
	put_u16(message.bytes + at + 4, crc >> 16);
	put_u16(message.bytes + at + 6, crc & 0xffff);
	ck_assert_int_eq(rtc_stun_peek(message.bytes, message.len, &peek), -EPROTO);
}
END_TEST

START_TEST(too_long_is_none)
{
	uint8_t filling[1000] = { 0 };
	struct rtc_stun_peek peek;
	struct message message;

	begin(&message, 1);
	add(&message, 0x0006, "abcd:efgh", 9);
	add(&message, 0x8022, filling, sizeof(filling));
	seal(&message, PASSWORD);
	ck_assert_int_eq(rtc_stun_peek(message.bytes, message.len, &peek), 0);
	begin(&message, 1);
	add(&message, 0x0006, "abcd:efgh", 9);
	add(&message, 0x8022, filling, sizeof(filling));
	add(&message, 0x8022, filling, 200);
	seal(&message, PASSWORD);
	ck_assert_int_eq(rtc_stun_peek(message.bytes, message.len, &peek), -EPROTO);
}
END_TEST

/* Each answer is sealed so that a browser takes it. */
static void
check_seals(const uint8_t *answer, size_t len)
{
	struct message message = { .len = len - 32 };
	uint8_t mac[20];
	uint32_t crc;

	ck_assert_uint_ge(len, 20 + 32);
	ck_assert_uint_eq(get_u16(answer + 2), len - 20);
	memcpy(message.bytes, answer, len - 32);
	integrity_of(&message, PASSWORD, mac);
	ck_assert_uint_eq(get_u16(answer + len - 32), 0x0008);
	ck_assert_int_eq(memcmp(answer + len - 28, mac, 20), 0);
	crc = crc_of(answer, len - 8);
	ck_assert_uint_eq(get_u16(answer + len - 8), 0x8028);
	ck_assert_uint_eq(get_u16(answer + len - 4) << 16 | get_u16(answer + len - 2), crc);
	ck_assert_int_eq(memcmp(answer + 8, sample + 8, 12), 0);
}

START_TEST(answer_tells_the_address)
{
	/* RFC 5769 2.2: 192.0.2.1 port 32853 */
	static const uint8_t mapped[] = { 0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43 };
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(32853) };
	struct rtc_stun_binding binding;
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	size_t len;

	ck_assert_int_eq(inet_pton(AF_INET, "192.0.2.1", &from.sin_addr), 1);
	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), PASSWORD, &binding), 0);
	len = rtc_stun_answer(&binding, (const struct sockaddr *)&from, PASSWORD, answer);
	check_seals(answer, len);
	ck_assert_uint_eq(get_u16(answer), 0x0101);
	ck_assert_int_eq(memcmp(answer + 20, mapped, sizeof(mapped)), 0);
	ck_assert_uint_le(len, sizeof(sample)); /* no amplification */
}
END_TEST

static size_t
answer_to_v6(const char *address, unsigned port, uint8_t answer[RTC_STUN_ANSWER_MAX])
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct rtc_stun_binding binding;

	ck_assert_int_eq(inet_pton(AF_INET6, address, &from.sin6_addr), 1);
	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), PASSWORD, &binding), 0);
	return rtc_stun_answer(&binding, (const struct sockaddr *)&from, PASSWORD, answer);
}

START_TEST(answer_tells_v6)
{
	/* RFC 5769 2.3 */
	static const uint8_t mapped[] = { 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47,
					  0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
					  0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9 };
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	size_t len = answer_to_v6("2001:db8:1234:5678:11:2233:4455:6677", 32853, answer);

	check_seals(answer, len);
	ck_assert_int_eq(memcmp(answer + 20, mapped, sizeof(mapped)), 0);
	/* What a socket of both families shows of IPv4 is IPv4. */
	len = answer_to_v6("::ffff:192.0.2.1", 32853, answer);
	check_seals(answer, len);
	ck_assert_int_eq(memcmp(answer + 20, "\0\x20\0\10\0\1\xa1\x47\xe1\x12\xa6\x43", 12), 0);
}
END_TEST

START_TEST(unknown_is_refused)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct rtc_stun_binding binding;
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	struct message message;
	size_t len;

	begin(&message, 1);
	add(&message, 0x0006, "abcd:efgh", 9);
	for (unsigned i = 0; i < 12; i++)
		add(&message, 0x7e00 + i, "", 0);
	seal(&message, PASSWORD);
	ck_assert_int_eq(rtc_stun_check(message.bytes, message.len, PASSWORD, &binding), 0);
	ck_assert(binding.has_unknown);
	ck_assert_uint_eq(binding.n_unknown, 8);
	ck_assert_uint_eq(binding.unknown[7], 0x7e07);
	len = rtc_stun_answer(&binding, (const struct sockaddr *)&from, PASSWORD, answer);
	check_seals(answer, len);
	ck_assert_uint_eq(get_u16(answer), 0x0111);
	ck_assert_uint_eq(get_u16(answer + 20), 0x0009);
	ck_assert_uint_eq(answer[26], 4);
	ck_assert_uint_eq(answer[27], 20);
}
END_TEST

START_TEST(other_families_are_not_answered)
{
	struct sockaddr from = { .sa_family = AF_UNIX };
	struct rtc_stun_binding binding;
	uint8_t answer[RTC_STUN_ANSWER_MAX];

	ck_assert_int_eq(rtc_stun_check(sample, sizeof(sample), PASSWORD, &binding), 0);
	ck_assert_uint_eq(rtc_stun_answer(&binding, &from, PASSWORD, answer), 0);
}
END_TEST

/* A request of ours is one as browsers want them (RFC 8445 7.3), and knows its answer. */
START_TEST(probe_and_its_answer)
{
	static const uint8_t id[RTC_STUN_ID_BYTES] = "twelve bytes";
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = 1 };
	uint8_t probe[RTC_STUN_PROBE_MAX], answer[RTC_STUN_ANSWER_MAX], other[RTC_STUN_ID_BYTES];
	struct rtc_stun_binding binding;
	struct rtc_stun_peek peek;
	char name[RTC_STUN_UFRAG_MAX + 1];
	size_t len = rtc_stun_probe("theirs", PASSWORD, "ours", id, probe);

	ck_assert_int_eq(rtc_stun_peek(probe, len, &peek), 0);
	ck_assert_int_eq(memcmp(peek.ufrag, "theirs:ours", 11), 0);
	ck_assert_int_eq(rtc_stun_check(probe, len, PASSWORD, &binding), 0);
	ck_assert(!binding.is_controlling && !binding.use_candidate && !binding.has_unknown);
	ck_assert_uint_ne(binding.priority, 0);
	ck_assert(!rtc_stun_is_answer(probe, len, id));
	for (int refuses = 0; refuses < 2; refuses++) {
		binding.has_unknown = refuses;
		len = rtc_stun_answer(&binding, (const struct sockaddr *)&from, PASSWORD, answer);
		ck_assert(rtc_stun_is_answer(answer, len, id));
		for (size_t n = 0; n < len; n++)
			ck_assert(!rtc_stun_is_answer(answer, n, id));
		for (size_t i = 0; i < RTC_STUN_ID_BYTES; i++) {
			memcpy(other, id, sizeof(other));
			other[i] ^= 1;
			ck_assert(!rtc_stun_is_answer(answer, len, other));
		}
		answer[4] ^= 1; /* the cookie */
		ck_assert(!rtc_stun_is_answer(answer, len, id));
	}
	/* The longest names that an offer may have. */
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	len = rtc_stun_probe(name, name, "ours", id, probe);
	ck_assert_int_eq(rtc_stun_check(probe, len, name, &binding), 0);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_test(tcase, sample_of_the_rfc);
	tcase_add_test(tcase, browsers_request);
	tcase_add_test(tcase, every_byte_counts);
	tcase_add_test(tcase, only_who_has_the_password);
	tcase_add_test(tcase, shapes_that_are_none);
	tcase_add_test(tcase, fingerprint_ends_it);
	tcase_add_test(tcase, too_long_is_none);
	tcase_add_test(tcase, answer_tells_the_address);
	tcase_add_test(tcase, answer_tells_v6);
	tcase_add_test(tcase, unknown_is_refused);
	tcase_add_test(tcase, other_families_are_not_answered);
	tcase_add_test(tcase, probe_and_its_answer);
}

int
main(void)
{
	return data_run("rtc_stun", add_tests);
}
