/*
 * Pieces of headers: trimmed, split, compared, numbers read. Session is small enough to be here.
 */
#include "config.h"

#include "worker/rtsp_text.h"

#include "shared/digit.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define SESSION_TIMEOUT_MAX_S 3600

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct rtsp_text
rtsp_text_trim(struct rtsp_text text)
{
	while (text.len > 0 && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

/* Where the first separator outside of quotes is; the length when there is none. */
static size_t
find_separator(const struct rtsp_text *text, char separator)
{
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < text->len; i++) {
		if (text->at[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && text->at[i] == '\\')
			i++;
		else if (!is_quoted && text->at[i] == separator)
			return i;
	}
	return text->len;
}

bool
rtsp_text_next(struct rtsp_text *rest, char separator, struct rtsp_text *part)
{
	size_t len;

	if (rest->len == 0)
		return false;
	len = find_separator(rest, separator);
	*part = rtsp_text_trim((struct rtsp_text){ rest->at, len });
	if (len < rest->len)
		len++;
	rest->at += len;
	rest->len -= len;
	return true;
}

void
rtsp_text_split(struct rtsp_text text, struct rtsp_text *name, struct rtsp_text *value)
{
	*name = (struct rtsp_text){ text.at, 0 };
	(void)rtsp_text_next(&text, '=', name);
	text = rtsp_text_trim(text);
	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = (struct rtsp_text){ text.at + 1, text.len - 2 };
	*value = text;
}

static int
digit_of(char c, unsigned base)
{
	int digit = hex_digit(c);

	return digit < (int)base ? digit : -1;
}

int
rtsp_text_number(struct rtsp_text *rest, unsigned base, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;
	size_t i;
	int digit;

	for (i = 0; i < rest->len && (digit = digit_of(rest->at[i], base)) >= 0; i++) {
		if (number > (max - (uint64_t)digit) / base || (uint64_t)digit > max)
			return -EPROTO;
		number = number * base + (uint64_t)digit;
	}
	if (i == 0)
		return -EPROTO;
	rest->at += i;
	rest->len -= i;
	*value = number;
	return 0;
}

bool
rtsp_text_is(const struct rtsp_text *text, const char *word)
{
	return text->len == strlen(word) && strncasecmp(text->at, word, text->len) == 0;
}

char *
rtsp_text_dup(const struct rtsp_text *text)
{
	char *copy = xmalloc(text->len + 1);

	if (text->len > 0)
		memcpy(copy, text->at, text->len);
	copy[text->len] = '\0';
	return copy;
}

bool
rtsp_text_lists(const struct rtsp_text *text, const char *word)
{
	struct rtsp_text rest = *text, part;

	while (rtsp_text_next(&rest, ',', &part))
		if (rtsp_text_is(&part, word))
			return true;
	return false;
}

/* It goes out again in a header of ours. */
static bool
is_session_id(const struct rtsp_text *id)
{
	size_t i;

	for (i = 0; i < id->len; i++)
		if (id->at[i] < '!' || id->at[i] > '~')
			return false;
	return id->len > 0;
}

int
rtsp_session_parse(const struct rtsp_text *value, char *id, size_t size, unsigned *timeout_s)
{
	struct rtsp_text rest = *value, part, name, number;
	uint64_t seconds;

	if (!rtsp_text_next(&rest, ';', &part) || !is_session_id(&part) || part.len >= size)
		return -EPROTO;
	memcpy(id, part.at, part.len);
	id[part.len] = '\0';
	while (rtsp_text_next(&rest, ';', &part)) {
		rtsp_text_split(part, &name, &number);
		if (rtsp_text_is(&name, "timeout") &&
		    rtsp_text_number(&number, 10, SESSION_TIMEOUT_MAX_S, &seconds) == 0 &&
		    seconds >= 1)
			*timeout_s = (unsigned)seconds;
	}
	return 0;
}
