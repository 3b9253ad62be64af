/*
 * Slices of a description: cutting, comparing, numbers. Nothing depends on a locale.
 */
#include "config.h"

#include "media/sdp_int.h"

#include <string.h>

bool
sdp_is_space(char c)
{
	return c == ' ' || c == '\t';
}

static char
to_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

struct sdp_text
sdp_trim(struct sdp_text text)
{
	while (text.len > 0 && sdp_is_space(text.s[0])) {
		text.s++;
		text.len--;
	}
	while (text.len > 0 && sdp_is_space(text.s[text.len - 1]))
		text.len--;
	return text;
}

struct sdp_text
sdp_cut(struct sdp_text text, const char *separators, struct sdp_text *rest)
{
	size_t n = strlen(separators), i;

	for (i = 0; i < text.len && memchr(separators, text.s[i], n) == NULL; i++)
		;
	*rest = (struct sdp_text){ text.s + i, text.len - i };
	if (rest->len > 0) {
		rest->s++;
		rest->len--;
	}
	return sdp_trim((struct sdp_text){ text.s, i });
}

bool
sdp_starts_with(struct sdp_text text, const char *prefix)
{
	size_t n = strlen(prefix), i;

	if (text.len < n)
		return false;
	for (i = 0; i < n; i++)
		if (to_lower(text.s[i]) != to_lower(prefix[i]))
			return false;
	return true;
}

bool
sdp_is(struct sdp_text text, const char *word)
{
	return text.len == strlen(word) && sdp_starts_with(text, word);
}

int64_t
sdp_number(struct sdp_text text, int64_t max, struct sdp_text *rest)
{
	int64_t value = 0;
	size_t i;

	for (i = 0; i < text.len && text.s[i] >= '0' && text.s[i] <= '9'; i++) {
		value = value * 10 + (text.s[i] - '0');
		if (value > max)
			return -1;
	}
	if (rest != NULL)
		*rest = (struct sdp_text){ text.s + i, text.len - i };
	return i > 0 ? value : -1;
}

void
sdp_copy_words(struct sdp_text text, char *out, size_t size)
{
	size_t n = text.len < size ? text.len : size - 1, i;

	for (i = 0; i < n; i++)
		out[i] = (char)(text.s[i] >= ' ' && text.s[i] <= '~' ? text.s[i] : '?');
	out[n] = 0;
}
