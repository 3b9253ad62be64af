/*
 * What is looked at of a STUN message before anybody is believed: one pass over its bytes, no
 * memory, no key.
 */
#include "config.h"

#include "rtc/stun_int.h"

#include <errno.h>
#include <string.h>

#define BINDING_REQUEST   0x0001u
#define BINDING_SUCCESS   0x0101u
#define BINDING_ERROR     0x0111u
#define FINGERPRINT_XOR   0x5354554eu /* RFC 8489 14.7 */
#define FINGERPRINT_BYTES 8u          /* with its header */
#define UFRAG_MIN         4u

bool
rtc_stun_is(const uint8_t *data, size_t len)
{
	return len >= 1 && data[0] <= 3;
}

static unsigned
read_u16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t
read_u32(const uint8_t *at)
{
	return (uint32_t)read_u16(at) << 16 | read_u16(at + 2);
}

/* CRC-32 of ITU V.42, four bits at a time. */
static uint32_t
crc32(const uint8_t *data, size_t len)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
					    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
					    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
					    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static bool
is_header_right(const uint8_t *data, size_t len)
{
	return len >= STUN_HEADER_BYTES && len <= RTC_STUN_REQUEST_MAX && len % 4 == 0 &&
	       read_u16(data) == BINDING_REQUEST && read_u16(data + 2) == len - STUN_HEADER_BYTES &&
	       read_u32(data + 4) == STUN_COOKIE;
}

/* The attribute at *at, which moves behind it; false when it does not lie inside. */
static bool
next_attribute(const uint8_t *data, size_t len, size_t *at, struct stun_attribute *attribute)
{
	size_t padded;

	if (len - *at < 4)
		return false;
	attribute->type = read_u16(data + *at);
	attribute->len = read_u16(data + *at + 2);
	attribute->at = *at;
	attribute->value = data + *at + 4;
	padded = (attribute->len + 3u) & ~(size_t)3;
	if (padded > len - *at - 4)
		return false;
	*at += 4 + padded;
	return true;
}

static bool
is_ice_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/';
}

/* "ours:theirs". */
static bool
read_username(const struct stun_attribute *attribute, struct rtc_stun_peek *peek)
{
	size_t n = 0;

	while (n < attribute->len && is_ice_char(attribute->value[n]))
		n++;
	if (n < UFRAG_MIN || n > RTC_STUN_UFRAG_MAX || n == attribute->len ||
	    attribute->value[n] != ':')
		return false;
	peek->ufrag = (const char *)attribute->value;
	peek->ufrag_len = n;
	return true;
}

/* FINGERPRINT is the last thing in the message, and right. */
static bool
is_fingerprint(const uint8_t *data, size_t len, const struct stun_attribute *attribute)
{
	return attribute->type == STUN_FINGERPRINT && attribute->len == 4 &&
	       attribute->at + FINGERPRINT_BYTES == len &&
	       read_u32(attribute->value) == (crc32(data, attribute->at) ^ FINGERPRINT_XOR);
}

int
rtc_stun_walk(const uint8_t *data, size_t len, struct rtc_stun_peek *peek, size_t *integrity_at)
{
	struct rtc_stun_peek found = { 0 };
	struct stun_attribute attribute;
	size_t at = STUN_HEADER_BYTES;

	if (!is_header_right(data, len))
		return -EPROTO;
	do {
		if (at == len || !next_attribute(data, len, &at, &attribute))
			return -EPROTO;
		if (attribute.type == STUN_USERNAME &&
		    (found.ufrag != NULL || !read_username(&attribute, &found)))
			return -EPROTO;
	} while (attribute.type != STUN_INTEGRITY);
	if (found.ufrag == NULL || attribute.len != STUN_INTEGRITY_BYTES)
		return -EPROTO;
	*integrity_at = attribute.at;
	if (at == len || !next_attribute(data, len, &at, &attribute) ||
	    !is_fingerprint(data, len, &attribute))
		return -EPROTO;
	*peek = found;
	return 0;
}

bool
rtc_stun_is_answer(const uint8_t *data, size_t len, const uint8_t id[RTC_STUN_ID_BYTES])
{
	return len >= STUN_HEADER_BYTES &&
	       (read_u16(data) == BINDING_SUCCESS || read_u16(data) == BINDING_ERROR) &&
	       read_u16(data + 2) == len - STUN_HEADER_BYTES && read_u32(data + 4) == STUN_COOKIE &&
	       memcmp(data + 8, id, RTC_STUN_ID_BYTES) == 0;
}

int
rtc_stun_peek(const uint8_t *data, size_t len, struct rtc_stun_peek *peek)
{
	size_t integrity_at;

	return rtc_stun_walk(data, len, peek, &integrity_at);
}
