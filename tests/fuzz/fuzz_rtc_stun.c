/*
 * Datagrams that look like STUN: as they are; and as the attributes of a request that is sealed
 * here with the right password, so that what is behind the integrity is reached too.
 */
#include "config.h"

#include "rtc/stun.h"
#include "tests/fuzz/fuzz.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define PASSWORD  "VOkJxbRl1RmTxUk/WvJxBt"
#define SEALS     32u
#define INPUT_MAX 1400u

static void
check_answer(const struct rtc_stun_binding *binding, size_t request)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_port = 5 };
	uint8_t answer[RTC_STUN_ANSWER_MAX];
	size_t len = rtc_stun_answer(binding, (const struct sockaddr *)&from, PASSWORD, answer);

	FUZZ_CHECK(binding->n_unknown <= 8);
	FUZZ_CHECK(len >= 20 + SEALS && len <= sizeof(answer));
	FUZZ_CHECK(len <= 2 * request);
}

static bool
look(const uint8_t *data, size_t size)
{
	struct rtc_stun_binding binding;
	struct rtc_stun_peek peek;
	int seen = rtc_stun_peek(data, size, &peek);
	int err = rtc_stun_check(data, size, PASSWORD, &binding);

	if (seen == 0) {
		FUZZ_CHECK(rtc_stun_is(data, size));
		FUZZ_CHECK(peek.ufrag_len >= 4 && peek.ufrag_len <= RTC_STUN_UFRAG_MAX);
		FUZZ_CHECK((const uint8_t *)peek.ufrag >= data &&
			   (const uint8_t *)peek.ufrag + peek.ufrag_len < data + size);
	}
	FUZZ_CHECK(err < 0 || seen == 0);
	if (err == 0)
		check_answer(&binding, size);
	return err == 0;
}

static void
put_head(uint8_t *message, size_t body)
{
	static const uint8_t head[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3 };

	memcpy(message, head, sizeof(head));
	message[2] = (uint8_t)(body >> 8);
	message[3] = (uint8_t)body;
}

static void
put_fingerprint(uint8_t *message, size_t at)
{
	uint32_t crc = UINT32_MAX;

	put_head(message, at + 8 - 20);
	for (size_t i = 0; i < at; i++) {
		crc ^= message[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	crc = ~crc ^ 0x5354554eu;
	memcpy(message + at, "\x80\x28\0\4", 4);
	for (int i = 0; i < 4; i++)
		message[at + 4 + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void
look_sealed(const uint8_t *data, size_t size)
{
	static const uint8_t username[] = { 0,   6,   0,   9,   'a', 'b', 'c', 'd',
					    ':', 'e', 'f', 'g', 'h', 0,   0,   0 };
	uint8_t message[20 + sizeof(username) + INPUT_MAX + 4 + SEALS] = { 0 };
	size_t at = 20 + sizeof(username) + ((size + 3) & ~(size_t)3);
	unsigned mac_len;

	memcpy(message + 20, username, sizeof(username));
	memcpy(message + 20 + sizeof(username), data, size);
	put_head(message, at + 24 - 20);
	memcpy(message + at, "\0\10\0\24", 4);
	if (HMAC(EVP_sha1(), PASSWORD, sizeof(PASSWORD) - 1, message, at, message + at + 4,
		 &mac_len) == NULL)
		abort();
	put_fingerprint(message, at + 24);
	(void)look(message, at + SEALS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		size = INPUT_MAX;
	(void)look(data, size);
	look_sealed(data, size);
	return 0;
}
