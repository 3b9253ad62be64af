/*
 * Texts made of URLs: with the user put in for libavformat, without it for everybody else.
 */
#include "config.h"

#include "shared/url.h"

#include "shared/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wrong %-sequences are kept as they are. NULL when the result would hold a NUL. */
static char *
percent_decode(const char *text, size_t len)
{
	char *out = xmalloc(len + 1), *p = out;

	for (size_t i = 0; i < len; i++) {
		*p = text[i];
		if (text[i] == '%' && i + 2 < len && isxdigit((unsigned char)text[i + 1]) &&
		    isxdigit((unsigned char)text[i + 2])) {
			*p = (char)strtol((char[]){ text[i + 1], text[i + 2], '\0' }, NULL, 16);
			i += 2;
		}
		if (*p++ == '\0') {
			free(out);
			return NULL;
		}
	}
	*p = '\0';
	return out;
}

static char *
percent_encode(const char *text)
{
	char *out = xmalloc(strlen(text) * 3 + 1), *p = out;

	for (; *text != '\0'; text++) {
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			*p++ = *text;
		else
			p += sprintf(p, "%%%02X", (unsigned char)*text);
	}
	*p = '\0';
	return out;
}

char *
url_param(const struct url *url, const char *name)
{
	size_t name_len = strlen(name);
	const char *p = url->query;

	while (*p != '\0') {
		size_t len = strcspn(p, "&");

		if (len > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=')
			return percent_decode(p + name_len + 1, len - name_len - 1);
		p += len + (p[len] == '&');
	}
	return NULL;
}

char *
url_for_open(const char *text, const struct url *url, const char *user, const char *password)
{
	const char *open_as = url->scheme->open_as;
	const char *rest, *at;
	char *result, *user_text, *password_text;

	if (url->scheme->shape == URL_PATTERN)
		return xstrdup(text);
	if (url->scheme->shape == URL_PATH)
		return open_as == NULL ? xstrdup(url->path)
				       : xasprintf("%s:%s", open_as, url->path);
	rest = strchr(text, ':') + 3;
	at = memrchr(rest, '@', strcspn(rest, "/?#"));
	if (at != NULL)
		rest = at + 1;
	if (user == NULL)
		return xasprintf("%s://%s", open_as, rest);
	user_text = percent_encode(user);
	password_text = percent_encode(password != NULL ? password : "");
	result = xasprintf("%s://%s:%s@%s", open_as, user_text, password_text, rest);
	explicit_bzero(password_text, strlen(password_text));
	free(password_text);
	free(user_text);
	return result;
}

int
url_split_userinfo(const char *text, char **bare, char **user, char **password)
{
	const char *begin = strchr(text, ':'), *at = NULL, *colon;
	char *user_text, *password_text;
	size_t user_len;

	if (begin != NULL && strncmp(begin, "://", 3) == 0) {
		begin += 3;
		at = memrchr(begin, '@', strcspn(begin, "/?#"));
	}
	if (at == NULL) {
		*bare = xstrdup(text);
		*user = *password = NULL;
		return 0;
	}
	colon = memchr(begin, ':', (size_t)(at - begin));
	user_len = (size_t)((colon != NULL ? colon : at) - begin);
	user_text = percent_decode(begin, user_len);
	password_text =
	    colon == NULL ? xstrdup("") : percent_decode(colon + 1, (size_t)(at - colon - 1));
	if (user_text == NULL || password_text == NULL) {
		free(user_text);
		free(password_text);
		return -EINVAL;
	}
	*bare = xasprintf("%.*s%s", (int)(begin - text), text, at + 1);
	*user = user_text;
	*password = password_text;
	return 0;
}
