/*
 * What a bug report must not carry. Too much hidden is better than too little.
 */
#include "config.h"

#include "ctl/hide.h"

#include "shared/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char hidden[] = "[hidden]";
/* In front of '=' or ':' each of these announces a secret. */
static const char *const words[] = { "password", "passwd", "passwort", "pass", "pwd",   "secret",
				     "token",    "auth",   "key",      "user", "login", "session" };

static size_t
word_at(const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(text, words[i], len) == 0 && text[len] == '=')
			return len + 1;
	}
	return 0;
}

/* Path of a URL: "/user=admin_password=xyz_channel=1" is how some cameras take them. */
static void
hide_path(const char *path, size_t len, FILE *out)
{
	size_t i = 0;

	while (i < len) {
		size_t word = word_at(path + i);

		if (word == 0 || i + word > len) {
			fputc(path[i++], out);
			continue;
		}
		fwrite(path + i, 1, word, out);
		fputs(hidden, out);
		/* '_' may belong to the password or end it: the rest of this part goes. */
		for (i += word; i < len && path[i] != '/' && path[i] != '&' && path[i] != ';';)
			i++;
	}
}

static void
hide_query(const char *query, size_t len, FILE *out)
{
	size_t i = 0;

	while (i < len) {
		size_t end = i;

		while (end < len && query[end] != '&' && query[end] != '=')
			end++;
		/* A parameter without a value may be the secret itself. */
		if (end < len && query[end] == '=')
			fwrite(query + i, 1, end - i + 1, out);
		fputs(hidden, out);
		while (end < len && query[end] != '&')
			end++;
		if (end < len)
			fputc('&', out);
		i = end + 1;
	}
}

/* Up to white space, or to a quotation mark that closes. */
static size_t
url_length(const char *text)
{
	size_t len = 0;

	for (; text[len] != '\0' && strchr(" \t\r\n", text[len]) == NULL; len++)
		if ((text[len] == '"' || text[len] == '\'') &&
		    strchr(" \t\r\n,]}", text[len + 1]) != NULL)
			break;
	return len;
}

/* text stands behind "://"; returns the bytes that belong to the URL. */
static size_t
hide_url(const char *text, FILE *out)
{
	size_t len = url_length(text), authority = strcspn(text, "/?#"), query, at = 0;
	const char *last = memrchr(text, '@', len);

	if (authority > len)
		authority = len;
	/* An '@' behind it may end a password with a '/' or '?' in it. */
	if (last != NULL &&
	    ((size_t)(last - text) < authority || memchr(text, ':', authority) != NULL))
		at = (size_t)(last - text) + 1;
	if (at > 0) {
		fprintf(out, "%s@", hidden);
		authority = at + strcspn(text + at, "/?#");
		if (authority > len)
			authority = len;
	}
	fwrite(text + at, 1, authority - at, out);
	for (query = authority; query < len && text[query] != '?'; query++)
		;
	hide_path(text + authority, query - authority, out);
	if (query < len) {
		fputc('?', out);
		hide_query(text + query + 1, len - query - 1, out);
	}
	return len;
}

/* "  password: xyz" or "- PASS = xyz": bytes up to the value, 0 when the line is none such. */
static size_t
secret_line(const char *line)
{
	static const char *const keys[] = { "password", "passwd", "passwort", "pass",
					    "pwd",      "secret", "token" };
	const char *p = line + strspn(line, " \t-#\"'{");
	size_t end = strcspn(p, "\n");

	/* Whoever mistook it for the place of the password. */
	if (strncasecmp(p, "credentials:", 12) == 0 && memchr(p + 12, ':', end - 12) != NULL)
		return (size_t)(p + 12 - line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *q = p + strlen(keys[i]);

		if (strncasecmp(p, keys[i], strlen(keys[i])) != 0)
			continue;
		while (isalnum((unsigned char)*q) || *q == '_' || *q == '"' || *q == '\'')
			q++;
		q += strspn(q, " \t");
		if (*q == ':' || *q == '=')
			return (size_t)(q + 1 - line);
	}
	return 0;
}

static const char *
hide_line(const char *line, FILE *out)
{
	size_t secret = secret_line(line);

	if (secret > 0) {
		fprintf(out, "%.*s %s", (int)secret, line, hidden);
		return line + strcspn(line, "\n");
	}
	while (*line != '\0' && *line != '\n') {
		if (strncmp(line, "://", 3) == 0) {
			fputs("://", out);
			line += 3;
			line += hide_url(line, out);
		} else {
			fputc(*line++, out);
		}
	}
	return line;
}

char *
hide_secrets(const char *text)
{
	char *result = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&result, &len);

	if (out == NULL)
		xalloc_die();
	while (*text != '\0') {
		text = hide_line(text, out);
		if (*text == '\n')
			fputc(*text++, out);
	}
	if (fclose(out) != 0)
		xalloc_die();
	return result;
}
