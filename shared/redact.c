/*
 * Secrets out of text: literally, in the forms in which they travel.
 */
#include "config.h"

#include "shared/redact.h"

#include "shared/xalloc.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MIN_BYTES 3
#define MARK             "[secret]"

char *
redact_url(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *end, *at = NULL;

	if (authority == NULL)
		return xstrdup(url);
	authority += 3;
	end = authority + strcspn(authority, "/?#");
	/* A password may contain '@' or '/': the last '@' before the path, or before the query if
	 * the path has one, ends the userinfo. Too much removed is better than too little. */
	for (const char *p = authority; *p != '\0' && *p != '?' && *p != '#'; p++)
		if (*p == '@')
			at = p;
	if (at == NULL || (at > end && memchr(authority, ':', (size_t)(end - authority)) == NULL))
		return xstrdup(url);
	return xasprintf("%.*s%s", (int)(authority - url), url, at + 1);
}

static char *
percent_encoded(const char *secret)
{
	static const char keep[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char *out = xmalloc(3 * strlen(secret) + 1), *p = out;

	for (; *secret != '\0'; secret++)
		p += strchr(keep, *secret) != NULL ? sprintf(p, "%c", *secret)
						   : sprintf(p, "%%%02X", (unsigned char)*secret);
	*p = '\0';
	return out;
}

static char *
base64(const char *secret)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(secret);
	char *out = xmalloc((len + 2) / 3 * 4 + 1), *p = out;

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)(unsigned char)secret[i] << 16;

		bits |= i + 1 < len ? (unsigned)(unsigned char)secret[i + 1] << 8 : 0;
		bits |= i + 2 < len ? (unsigned)(unsigned char)secret[i + 2] : 0;
		*p++ = digits[bits >> 18];
		*p++ = digits[bits >> 12 & 63];
		*p++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[bits & 63] : '=';
	}
	*p = '\0';
	return out;
}

/* Replaces in place by allocating anew; takes text. */
static char *
replace_all(char *text, const char *needle)
{
	size_t needle_len = strlen(needle), used = 0;
	char *out, *from = text, *hit;

	if (strstr(text, needle) == NULL)
		return text;
	out = xmalloc(strlen(text) / needle_len * sizeof(MARK) + strlen(text) + sizeof(MARK));
	while ((hit = strstr(from, needle)) != NULL) {
		memcpy(out + used, from, (size_t)(hit - from));
		used += (size_t)(hit - from);
		memcpy(out + used, MARK, sizeof(MARK) - 1);
		used += sizeof(MARK) - 1;
		from = hit + needle_len;
	}
	memcpy(out + used, from, strlen(from) + 1);
	free(text);
	return out;
}

char *
redact_text(const char *text, const char *const *secrets, size_t n)
{
	char *out = xstrdup(text);

	for (size_t i = 0; i < n; i++) {
		char *forms[2];

		if (strlen(secrets[i]) < SECRET_MIN_BYTES)
			continue;
		forms[0] = percent_encoded(secrets[i]);
		forms[1] = base64(secrets[i]);
		/* The padding may be missing, and what follows in a longer base64 text is not ours.
		 */
		forms[1][strcspn(forms[1], "=")] = '\0';
		out = replace_all(out, secrets[i]);
		for (size_t f = 0; f < 2; f++) {
			out = replace_all(out, forms[f]);
			free(forms[f]);
		}
	}
	return out;
}
