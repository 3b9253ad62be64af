/*
 * What one digit stands for. Pure, so that media/ may include it too: nothing else belongs here.
 */
#ifndef CAMHUB_SHARED_DIGIT_H
#define CAMHUB_SHARED_DIGIT_H

/* Of base64 (RFC 4648, section 4) or of its URL form (section 5): 0..63; -1: no digit. */
static inline int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Of a hexadecimal number: 0..15; -1: no digit. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
