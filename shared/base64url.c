/*
 * base64url, both ways.
 */
#include "config.h"

#include "shared/base64url.h"

#include "shared/digit.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t
base64url_encode(const void *bytes, size_t len, char *out)
{
	const unsigned char *in = bytes;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			out[n++] = alphabet[bits >> (n_bits - 6) & 63];
	}
	if (n_bits > 0)
		out[n++] = alphabet[bits << (6 - n_bits) & 63];
	out[n] = '\0';
	return n;
}

static int
value_of(char c)
{
	return c == '+' || c == '/' ? -1 : base64_digit(c);
}

int
base64url_decode(const char *text, size_t len, void *out, size_t size, size_t *out_len)
{
	unsigned char *bytes = out;
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	if (len % 4 == 1)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -EBADMSG;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		if (n == size)
			return -EMSGSIZE;
		bytes[n++] = (unsigned char)(bits >> n_bits);
	}
	if ((bits & ((1u << n_bits) - 1)) != 0)
		return -EBADMSG;
	*out_len = n;
	return 0;
}
