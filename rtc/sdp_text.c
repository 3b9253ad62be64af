/*
 * Pieces of text inside an offer: they point into it, nothing is copied before its length is known.
 */
#include "config.h"

#include "rtc/sdp_int.h"

#include "shared/digit.h"

#include <string.h>
#include <strings.h>

bool
rtc_text_is(struct rtc_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.at, word, text.len) == 0;
}

bool
rtc_text_is_nocase(struct rtc_text text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

bool
rtc_text_begins(struct rtc_text text, const char *word)
{
	return text.len >= strlen(word) && memcmp(text.at, word, strlen(word)) == 0;
}

struct rtc_text
rtc_text_take(struct rtc_text *text, char separator)
{
	struct rtc_text taken = *text;
	const char *end = text->len > 0 ? memchr(text->at, separator, text->len) : NULL;

	if (end != NULL)
		taken.len = (size_t)(end - text->at);
	text->at += taken.len;
	text->len -= taken.len;
	if (end != NULL) {
		text->at++;
		text->len--;
	}
	return taken;
}

bool
rtc_text_copy(struct rtc_text text, char *out, size_t cap)
{
	if (text.len >= cap)
		return false;
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
	return true;
}

bool
rtc_text_number(struct rtc_text text, uint32_t most, uint32_t *number)
{
	uint64_t value = 0;

	if (text.len == 0 || text.len > 10)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	if (value > most)
		return false;
	*number = (uint32_t)value;
	return true;
}

bool
rtc_text_hex(struct rtc_text text, uint8_t *out, size_t bytes)
{
	if (text.len != 2 * bytes)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
