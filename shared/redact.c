/*
 * Secrets out of text: literally, in the forms in which they travel.
 */
#include "config.h"

#include "shared/redact.h"

#include "shared/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MIN_BYTES  3
#define BASE64_MIN_DIGITS 4 /* fewer would hit anything */
#define MARK              "[secret]"

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

/* Length of secret at the start of text when any of its bytes may be %-encoded there, 0: it is not.
 */
static size_t
match_percent(const char *text, const char *secret)
{
	const char *t = text;

	for (; *secret != '\0'; secret++) {
		unsigned byte;
		int end = 0;

		if (t[0] == '%' && isxdigit((unsigned char)t[1]) && isxdigit((unsigned char)t[2]) &&
		    sscanf(t + 1, "%2x%n", &byte, &end) == 1 && end == 2 &&
		    byte == (unsigned char)*secret)
			t += 3;
		else if (*t == *secret || (*t == '+' && *secret == ' '))
			t++;
		else
			return 0;
	}
	return (size_t)(t - text);
}

/*
 * The base64 digits that secret alone decides when it begins `shift` bytes into a group of three,
 * as in the base64 of "user:secret". The digits at its borders, which neighbours decide too, are
 * left out.
 */
static char *
base64_core(const char *secret, size_t shift)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t bits = 8 * (shift + strlen(secret)), at = (8 * shift + 5) / 6, used = 0;
	char *out = xmalloc(bits / 6 + 1);

	for (; 6 * (at + 1) <= bits; at++) {
		size_t byte = 6 * at / 8, offset = 6 * at % 8;
		unsigned pair = (unsigned)(unsigned char)secret[byte - shift] << 8;

		if (offset > 2)
			pair |= (unsigned char)secret[byte + 1 - shift];
		out[used++] = digits[pair >> (10 - offset) & 63];
	}
	out[used] = '\0';
	return out;
}

struct forms {
	const char *secret;
	char *base64[3]; /* at each shift */
};

static size_t
match_forms(const char *text, const struct forms *forms)
{
	size_t longest = 0, len = strlen(forms->secret);

	if (strncmp(text, forms->secret, len) == 0)
		longest = len;
	len = match_percent(text, forms->secret);
	longest = len > longest ? len : longest;
	for (size_t i = 0; i < 3; i++) {
		len = strlen(forms->base64[i]);
		if (len >= BASE64_MIN_DIGITS && len > longest &&
		    strncmp(text, forms->base64[i], len) == 0)
			longest = len;
	}
	return longest;
}

/* One pass, the longest form at each place: what was replaced is not looked at again. */
static char *
replace_all(const char *text, const struct forms *forms, size_t n)
{
	size_t len = strlen(text);
	/* What is replaced has at least SECRET_MIN_BYTES. */
	char *out = xmalloc(len + len / SECRET_MIN_BYTES * (sizeof(MARK) - 1) + 1);
	size_t used = 0;

	while (*text != '\0') {
		size_t longest = 0;

		for (size_t i = 0; i < n; i++) {
			size_t hit = match_forms(text, &forms[i]);

			longest = hit > longest ? hit : longest;
		}
		if (longest == 0) {
			out[used++] = *text++;
			continue;
		}
		memcpy(out + used, MARK, sizeof(MARK) - 1);
		used += sizeof(MARK) - 1;
		text += longest;
	}
	out[used] = '\0';
	return out;
}

char *
redact_text(const char *text, const char *const *secrets, size_t n)
{
	struct forms *forms = xcalloc(n + 1, sizeof(*forms));
	size_t used = 0;
	char *out;

	for (size_t i = 0; i < n; i++) {
		if (strlen(secrets[i]) < SECRET_MIN_BYTES)
			continue;
		forms[used].secret = secrets[i];
		for (size_t shift = 0; shift < 3; shift++)
			forms[used].base64[shift] = base64_core(secrets[i], shift);
		used++;
	}
	out = replace_all(text, forms, used);
	for (size_t i = 0; i < used; i++)
		for (size_t shift = 0; shift < 3; shift++)
			free(forms[i].base64[shift]);
	free(forms);
	return out;
}
