/*
 * The parser of source URLs. It is strict where a mistake would be seen only when the camera is
 * opened, and never repeats what could be a password in its errors.
 */
#include "config.h"

#include "shared/url.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX_BYTES 253

static int refuse(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
refuse(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, URL_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int
check_bytes(const char *text, char *err)
{
	if (text[0] == '\0')
		return refuse(err, "empty URL, expected scheme://host/path");
	if (strlen(text) > URL_MAX_BYTES)
		return refuse(err, "URL too long, expected at most %d bytes", URL_MAX_BYTES);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f)
			return refuse(
			    err, "space or control byte in the URL, expected it as %%%02X", *p);
	return 0;
}

static int
parse_scheme(const char *text, const char **rest, const struct url_scheme **scheme, char *err)
{
	char name[16];
	size_t len =
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	if (len == 0 || text[len] != ':')
		return refuse(err, "URL without a scheme, expected one of %s", url_schemes_text());
	*rest = text + len + 1;
	*scheme = NULL;
	if (len < sizeof(name)) {
		for (size_t i = 0; i < len; i++)
			name[i] = (char)tolower((unsigned char)text[i]);
		name[len] = '\0';
		*scheme = url_scheme_find(name);
	}
	if (*scheme != NULL)
		return 0;
	/* "user:password@host": the word before the colon is no scheme, and not ours to show. */
	if (len >= sizeof(name) || strchr(text, '@') != NULL)
		return refuse(err, "unknown scheme, expected one of %s", url_schemes_text());
	return refuse(err, "unknown scheme \"%s\", expected one of %s", name, url_schemes_text());
}

static bool
host_is_valid(const char *host)
{
	size_t len = strlen(host);

	if (len == 0 || len > HOST_MAX_BYTES || host[0] == '-' || host[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && strchr("-._", host[i]) == NULL)
			return false;
	return strstr(host, "..") == NULL;
}

static int
parse_port(const char *text, struct url *url, char *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len || atoi(text) < 1 ||
	    atoi(text) > 65535)
		return refuse(err, "wrong port in the URL, expected a number from 1 to 65535");
	url->port = (unsigned)atoi(text);
	return 0;
}

static int
parse_ipv6(char *text, struct url *url, char *err)
{
	struct in6_addr addr;
	char *end = strchr(text, ']');

	if (end == NULL)
		return refuse(err, "no ']' behind the IPv6 address, expected [2001:db8::1]");
	*end = '\0';
	if (inet_pton(AF_INET6, text + 1, &addr) != 1)
		return refuse(err, "wrong IPv6 address in the URL, expected [2001:db8::1]");
	url->host = xstrdup(text + 1);
	url->host_is_numeric = true;
	if (end[1] == '\0')
		return 0;
	if (end[1] != ':')
		return refuse(err, "text behind the IPv6 address, expected :PORT or /");
	return parse_port(end + 2, url, err);
}

/* hostport is ours to write into. */
static int
parse_hostport(char *hostport, struct url *url, char *err)
{
	struct in_addr addr;
	char *colon;

	if (hostport[0] == '[')
		return parse_ipv6(hostport, url, err);
	colon = strchr(hostport, ':');
	if (colon != NULL)
		*colon = '\0';
	if (hostport[0] == '\0')
		return refuse(err, "no host in the URL, expected %s://host/path",
			      url->scheme->name);
	if (!host_is_valid(hostport))
		return refuse(err, "wrong host in the URL, expected a name, an IPv4 address or "
				   "[an IPv6 address]");
	url->host_is_numeric = inet_pton(AF_INET, hostport, &addr) == 1;
	if (!url->host_is_numeric && strspn(hostport, "0123456789.") == strlen(hostport))
		return refuse(err, "wrong IPv4 address in the URL, expected 192.0.2.10");
	url->host = xstrdup(hostport);
	return colon == NULL ? 0 : parse_port(colon + 1, url, err);
}

static void
set_path_and_query(struct url *url, const char *text)
{
	const char *mark = strchr(text, '?');
	size_t len = mark == NULL ? strlen(text) : (size_t)(mark - text);

	url->path = len == 0 ? xstrdup("/") : xasprintf("%.*s", (int)len, text);
	url->query = xstrdup(mark == NULL ? "" : mark + 1);
}

static int
parse_network(const char *rest, struct url *url, char *err)
{
	char *authority, *at;
	size_t len;
	int rc;

	if (strncmp(rest, "//", 2) != 0)
		return refuse(err, "no // behind the scheme, expected %s://host/path",
			      url->scheme->name);
	rest += 2;
	len = strcspn(rest, "/?#");
	authority = xasprintf("%.*s", (int)len, rest);
	at = strrchr(authority, '@');
	url->has_userinfo = at != NULL;
	url->port = url->scheme->default_port;
	rc = parse_hostport(at != NULL ? at + 1 : authority, url, err);
	free(authority);
	if (rc == 0)
		set_path_and_query(url, rest + len);
	return rc;
}

static int
decode_path(struct url *url, char *err)
{
	char *out = url->path;

	for (const char *p = url->path; *p != '\0'; p++, out++) {
		*out = *p;
		if (*p != '%')
			continue;
		if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]) ||
		    strncmp(p, "%00", 3) == 0)
			return refuse(
			    err, "wrong %% in the path, expected two hexadecimal digits behind it");
		*out = (char)strtol((char[]){ p[1], p[2], '\0' }, NULL, 16);
		p += 2;
	}
	*out = '\0';
	return 0;
}

static int
parse_path(const char *rest, struct url *url, char *err)
{
	const char *prefix = url->scheme->prefix;
	int rc;

	if (strncmp(rest, "///", 3) == 0)
		rest += 2;
	if (rest[0] != '/' || rest[1] == '/')
		return refuse(err, "no absolute path, expected %s:%sNAME", url->scheme->name,
			      prefix);
	set_path_and_query(url, rest);
	rc = decode_path(url, err);
	if (rc < 0)
		return rc;
	if (strncmp(url->path, prefix, strlen(prefix)) != 0 ||
	    strlen(url->path) == strlen(prefix) || strstr(url->path, "/../") != NULL)
		return refuse(err, "wrong path, expected %s:%sNAME", url->scheme->name, prefix);
	return 0;
}

static int
parse_pattern(const char *rest, struct url *url, char *err)
{
	set_path_and_query(url, rest);
	if (strcmp(url->path, url->scheme->prefix) != 0)
		return refuse(err, "unknown pattern, expected %s:%s", url->scheme->name,
			      url->scheme->prefix);
	return 0;
}

static int
refuse_param(const struct url *url, const char *name, char *err)
{
	const struct url_param *known = url->scheme->params;
	char names[64] = "";
	size_t len = 0;

	for (; known->name != NULL && len < sizeof(names); known++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, " %s", known->name);
	if (strlen(name) > 32 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") != strlen(name))
		name = "?";
	return refuse(err, "unknown parameter \"%s\" of %s:, expected one of%s", name,
		      url->scheme->name, names);
}

static int
check_param(const struct url *url, char *text, char *seen, char *err)
{
	const struct url_param *param = url->scheme->params;
	char *value = strchr(text, '=');

	if (value != NULL)
		*value++ = '\0';
	for (size_t i = 0; param->name != NULL; param++, i++) {
		if (strcmp(param->name, text) != 0)
			continue;
		if (seen[i]++ != 0)
			return refuse(err, "parameter \"%s\" is there twice, expected once", text);
		if (value == NULL || !param->is_valid(value))
			return refuse(err, "wrong value of parameter \"%s\", expected %s", text,
				      param->expect);
		return 0;
	}
	return refuse_param(url, text, err);
}

static int
check_params(const struct url *url, char *err)
{
	char *copy, *next, *text, seen[16] = { 0 };
	int rc = 0;

	if (url->scheme->params == NULL || url->query[0] == '\0')
		return 0;
	copy = next = xstrdup(url->query);
	while (rc == 0 && (text = strsep(&next, "&")) != NULL)
		rc = check_param(url, text, seen, err);
	free(copy);
	return rc;
}

int
url_parse(const char *text, struct url *url, char *err)
{
	struct url out = { 0 };
	const char *rest = text;
	int rc;

	rc = check_bytes(text, err);
	if (rc == 0)
		rc = parse_scheme(text, &rest, &out.scheme, err);
	if (rc < 0)
		return rc;
	switch (out.scheme->shape) {
	case URL_NETWORK:
		rc = parse_network(rest, &out, err);
		break;
	case URL_PATH:
		rc = parse_path(rest, &out, err);
		break;
	case URL_PATTERN:
		rc = parse_pattern(rest, &out, err);
		break;
	}
	if (rc == 0)
		rc = check_params(&out, err);
	if (rc < 0) {
		url_clear(&out);
		return rc;
	}
	if (out.host == NULL)
		out.host = xstrdup("");
	*url = out;
	return 0;
}

void
url_clear(struct url *url)
{
	free(url->host);
	free(url->path);
	free(url->query);
	*url = (struct url){ 0 };
}
