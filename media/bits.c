/*
 * The bit reader. It works a byte at a time: parameter sets and slice headers are a few dozen
 * bytes, so plain beats fast.
 */
#include "config.h"

#include "media/bits.h"

#include <errno.h>

void
bits_init(struct bits *bits, const uint8_t *data, size_t len)
{
	*bits = (struct bits){ .data = data, .len = len };
}

void
bits_init_nal(struct bits *bits, const uint8_t *data, size_t len)
{
	bits_init(bits, data, len);
	bits->is_nal = true;
}

void
bits_fail(struct bits *bits)
{
	bits->err = -EPROTO;
}

static bool
bits_fetch(struct bits *bits)
{
	if (bits->is_nal && bits->zeros >= 2 && bits->next < bits->len &&
	    bits->data[bits->next] == 3) {
		bits->next++;
		bits->zeros = 0;
	}
	if (bits->next >= bits->len) {
		bits_fail(bits);
		return false;
	}
	bits->current = bits->data[bits->next++];
	bits->zeros = bits->current == 0 ? bits->zeros + 1 : 0;
	bits->left = 8;
	return true;
}

uint32_t
bits_get(struct bits *bits, unsigned n)
{
	uint32_t value = 0;
	unsigned missing = n;

	if (n > 32)
		bits_fail(bits);
	while (missing > 0 && bits->err == 0) {
		unsigned take;

		if (bits->left == 0 && !bits_fetch(bits))
			break;
		take = missing < bits->left ? missing : bits->left;
		value = value << take | (bits->current >> (bits->left - take) & ((1u << take) - 1));
		bits->left -= take;
		bits->position += take;
		missing -= take;
	}
	return bits->err == 0 ? value : 0;
}

bool
bits_get_flag(struct bits *bits)
{
	return bits_get(bits, 1) != 0;
}

void
bits_skip(struct bits *bits, size_t n)
{
	while (n > 0 && bits->err == 0) {
		unsigned take = n < 32 ? (unsigned)n : 32;

		(void)bits_get(bits, take);
		n -= take;
	}
}

uint32_t
bits_get_ue(struct bits *bits)
{
	unsigned zeros = 0;
	uint32_t rest;

	while (!bits_get_flag(bits)) {
		if (bits->err != 0 || ++zeros > 31) {
			bits_fail(bits);
			return 0;
		}
	}
	rest = bits_get(bits, zeros);
	return bits->err == 0 ? (1u << zeros) - 1 + rest : 0;
}

int32_t
bits_get_se(struct bits *bits)
{
	uint32_t code = bits_get_ue(bits);
	int32_t half = (int32_t)(code / 2);

	return code % 2 == 1 ? half + 1 : -half;
}

uint32_t
bits_get_ue_max(struct bits *bits, uint32_t max)
{
	uint32_t value = bits_get_ue(bits);

	if (value > max) {
		bits_fail(bits);
		return 0;
	}
	return value;
}
