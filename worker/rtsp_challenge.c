/*
 * Challenges: a scheme and its parameters, several of them in one header. Commas may be missing,
 * values may stand without quotes and have spaces in them.
 */
#include "config.h"

#include "worker/rtsp_challenge.h"

#include "shared/xalloc.h"
#include "worker/rtsp_text.h"

#include <stdlib.h>
#include <string.h>

static const char *const param_names[RTSP_CHALLENGE_PARAM_COUNT] = {
	[RTSP_CHALLENGE_REALM] = "realm",
	[RTSP_CHALLENGE_NONCE] = "nonce",
	[RTSP_CHALLENGE_OPAQUE] = "opaque",
	[RTSP_CHALLENGE_ALGORITHM] = "algorithm",
	[RTSP_CHALLENGE_QOP] = "qop",
	[RTSP_CHALLENGE_STALE] = "stale",
	[RTSP_CHALLENGE_NEXTNONCE] = "nextnonce",
};

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void
skip(struct rtsp_text *rest, const char *set)
{
	while (rest->len > 0 && is_one_of(rest->at[0], set)) {
		rest->at++;
		rest->len--;
	}
}

static struct rtsp_text
take_word(struct rtsp_text *rest)
{
	struct rtsp_text word = { rest->at, 0 };

	while (rest->len > 0 && !is_one_of(rest->at[0], " \t\r\n,=\"")) {
		rest->at++;
		rest->len--;
		word.len++;
	}
	return word;
}

/* Whether "name =" comes next. */
static bool
is_param_next(struct rtsp_text rest)
{
	struct rtsp_text name;

	skip(&rest, " \t\r\n,");
	name = take_word(&rest);
	skip(&rest, " \t\r\n");
	return name.len > 0 && rest.len > 0 && rest.at[0] == '=';
}

/* Behind the opening quote; takes the closing one off. Escapes are undone within *value's copy. */
static char *
take_quoted(struct rtsp_text *rest)
{
	char *value = xmalloc(rest->len + 1);
	size_t i, n = 0;

	for (i = 0; i < rest->len && rest->at[i] != '"'; i++) {
		if (rest->at[i] == '\\' && i + 1 < rest->len)
			i++;
		value[n++] = rest->at[i];
	}
	value[n] = '\0';
	if (i < rest->len)
		i++;
	rest->at += i;
	rest->len -= i;
	return value;
}

/* Up to a comma, or to a space that the next parameter follows. A row of spaces is looked at once,
 * from its first: a header may consist of them. */
static char *
take_unquoted(struct rtsp_text *rest)
{
	struct rtsp_text value = { rest->at, 0 };

	while (rest->len > 0 && rest->at[0] != ',' &&
	       !(is_one_of(rest->at[0], " \t") && value.len > 0 &&
		 !is_one_of(rest->at[-1], " \t\r\n") && is_param_next(*rest))) {
		rest->at++;
		rest->len--;
		value.len++;
	}
	value = rtsp_text_trim(value);
	return rtsp_text_dup(&value);
}

static char *
take_value(struct rtsp_text *rest)
{
	skip(rest, " \t\r\n");
	if (rest->len == 0 || rest->at[0] != '"')
		return take_unquoted(rest);
	rest->at++;
	rest->len--;
	return take_quoted(rest);
}

/* It goes out again in a header of ours, and is hashed as it goes out. */
static void
drop_controls(char *value)
{
	char *to = value;

	for (; *value != '\0'; value++)
		if ((unsigned char)*value >= ' ' && *value != 0x7f)
			*to++ = *value;
	*to = '\0';
}

static void
take_param(struct rtsp_text *rest, struct rtsp_challenge *challenge)
{
	struct rtsp_text name;
	char *value;
	size_t i;

	skip(rest, " \t\r\n,");
	name = take_word(rest);
	skip(rest, " \t\r\n");
	rest->at++; /* '=' */
	rest->len--;
	value = take_value(rest);
	drop_controls(value);
	for (i = 0; i < RTSP_CHALLENGE_PARAM_COUNT; i++) {
		if (challenge->values[i] == NULL && rtsp_text_is(&name, param_names[i]) &&
		    strlen(value) <= RTSP_CHALLENGE_VALUE_MAX) {
			challenge->values[i] = value;
			return;
		}
	}
	free(value);
}

bool
rtsp_challenge_next(struct rtsp_text *rest, struct rtsp_challenge *challenge)
{
	struct rtsp_challenge parsed = { .scheme = { rest->at, 0 } };

	skip(rest, " \t\r\n,=\"");
	if (rest->len == 0)
		return false;
	if (!is_param_next(*rest))
		parsed.scheme = take_word(rest);
	while (is_param_next(*rest))
		take_param(rest, &parsed);
	*challenge = parsed;
	return true;
}

void
rtsp_challenge_clear(struct rtsp_challenge *challenge)
{
	size_t i;

	for (i = 0; i < RTSP_CHALLENGE_PARAM_COUNT; i++)
		free(challenge->values[i]);
	*challenge = (struct rtsp_challenge){ 0 };
}
