/*
 * Addresses that a camera names, made into ones that we ask for. Only text: nothing is looked up.
 */
#include "config.h"

#include "worker/rtsp_url.h"

#include "shared/url.h"
#include "shared/xalloc.h"
#include "worker/rtsp_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "rtsp://user:password@host:554/path?query" */
struct url_parts {
	struct rtsp_text scheme;    /* empty: none */
	struct rtsp_text authority; /* host and port */
	struct rtsp_text tail;      /* path and query */
};

static struct rtsp_text
text_of(const char *text)
{
	if (text == NULL)
		text = "";
	return (struct rtsp_text){ text, strlen(text) };
}

static bool
begins_with(const struct rtsp_text *text, const char *prefix)
{
	return text->len >= strlen(prefix) && memcmp(text->at, prefix, strlen(prefix)) == 0;
}

static struct rtsp_text
behind(struct rtsp_text text, size_t len)
{
	return (struct rtsp_text){ text.at + len, text.len - len };
}

/* How many bytes come before the first one of set. */
static size_t
span_before(const struct rtsp_text *text, const char *set)
{
	size_t i;

	for (i = 0; i < text->len && strchr(set, text->at[i]) == NULL; i++)
		;
	return i;
}

static void
split_authority(struct rtsp_text text, struct url_parts *parts)
{
	size_t len = span_before(&text, "/?#");
	const char *at = len > 0 ? memrchr(text.at, '@', len) : NULL;
	size_t skip = at != NULL ? (size_t)(at - text.at) + 1 : 0;

	parts->authority = (struct rtsp_text){ text.at + skip, len - skip };
	parts->tail = behind(text, len);
}

/* What has no scheme is all tail, but "//host/path". */
static void
split_url(struct rtsp_text text, struct url_parts *parts)
{
	size_t len = span_before(&text, ":/?#");
	struct rtsp_text rest = behind(text, len);

	*parts = (struct url_parts){ .tail = text };
	if (len > 0 && begins_with(&rest, "://")) {
		parts->scheme = (struct rtsp_text){ text.at, len };
		split_authority(behind(rest, 3), parts);
	} else if (begins_with(&text, "//")) {
		split_authority(behind(text, 2), parts);
	}
}

static bool
is_rtsp(const struct rtsp_text *scheme)
{
	return rtsp_text_is(scheme, "rtsp") || rtsp_text_is(scheme, "rtsps");
}

/* "192.168.1.10:554/stream0": cameras forget the scheme. */
static bool
is_bare_host(const struct rtsp_text *text)
{
	size_t len = span_before(text, "/?#");

	return len > 0 && memchr(text->at, ':', len) != NULL;
}

/* "rtsp://rtsp://camera:554/stream1/" */
static bool
is_scheme_twice(const struct url_parts *parts)
{
	return parts->scheme.len > 0 && parts->authority.len > 1 &&
	       begins_with(&parts->tail, "//") &&
	       parts->authority.at[parts->authority.len - 1] == ':';
}

/* Path and query of the base; the request's where the camera's cannot be used. */
static struct rtsp_text
tail_of_base(const struct url_parts *request, const char *base)
{
	struct rtsp_text text = rtsp_text_trim(text_of(base));
	struct url_parts parts;

	split_url(text, &parts);
	if (is_scheme_twice(&parts))
		split_url(behind(text, parts.scheme.len + 3), &parts);
	if (parts.scheme.len > 0)
		return is_rtsp(&parts.scheme) ? parts.tail : request->tail;
	if (parts.authority.len > 0 || begins_with(&text, "/"))
		return parts.tail;
	if (is_bare_host(&text))
		return behind(text, span_before(&text, "/?#"));
	return request->tail;
}

/* An absolute path that already has the base's path in it is not put behind that. */
static bool
has_path_of(const struct rtsp_text *control, const struct rtsp_text *base)
{
	size_t len = span_before(base, "?#");

	while (len > 0 && base->at[len - 1] == '/')
		len--;
	return len > 0 && control->len > len && control->at[len] == '/' &&
	       memcmp(control->at, base->at, len) == 0;
}

static char *
join(const struct rtsp_text *origin, struct rtsp_text base, struct rtsp_text control)
{
	const char *separator = "/";

	if (control.len == 0)
		separator = "";
	else if (has_path_of(&control, &base))
		base.len = 0;
	while (base.len > 0 && control.len > 0 && base.at[base.len - 1] == '/' &&
	       control.at[0] == '/')
		control = behind(control, 1);
	if (control.len > 0 && (control.at[0] == '/' || control.at[0] == '?'))
		separator = "";
	else if (base.len > 0 && base.at[base.len - 1] == '/')
		separator = "";
	return xasprintf("%.*s%.*s%s%.*s", (int)origin->len, origin->at, (int)base.len,
			 base.len > 0 ? base.at : "", separator, (int)control.len,
			 control.len > 0 ? control.at : "");
}

/* Spaces are written as %20; NULL (and url freed) for what must not be in a request. */
static char *
clean(char *url)
{
	char *out, *to;
	const char *from;

	to = out = xmalloc(3 * strlen(url) + 1);
	for (from = url; *from != '\0'; from++) {
		if ((unsigned char)*from < ' ' || *from == 0x7f)
			break;
		if (*from == ' ')
			to = stpcpy(to, "%20");
		else
			*to++ = *from;
	}
	*to = '\0';
	if (*from != '\0' || to - out > URL_MAX_BYTES) {
		free(out);
		out = NULL;
	}
	free(url);
	return out;
}

static bool
is_too_long(const char *text)
{
	return text != NULL && strlen(text) > URL_MAX_BYTES;
}

/* "rtsp://host:554", malloc'd. */
static char *
origin_of(const struct url_parts *parts)
{
	return xasprintf("%s://%.*s", rtsp_text_is(&parts->scheme, "rtsps") ? "rtsps" : "rtsp",
			 (int)parts->authority.len, parts->authority.at);
}

char *
rtsp_url_control(const char *request, const char *base, const char *control)
{
	struct rtsp_text text = rtsp_text_trim(text_of(control)), origin, base_tail;
	struct url_parts asked, parts;
	char *origin_text, *url;

	split_url(text_of(request), &asked);
	split_url(text, &parts);
	if (!is_rtsp(&asked.scheme) || asked.authority.len == 0 || is_too_long(request) ||
	    is_too_long(base) || is_too_long(control) ||
	    (parts.scheme.len > 0 && !is_rtsp(&parts.scheme)))
		return NULL;
	base_tail = tail_of_base(&asked, base);
	if (rtsp_text_is(&text, "*"))
		text.len = 0;
	if (parts.authority.len > 0 || parts.scheme.len > 0) {
		base_tail = parts.tail;
		text.len = 0;
	}
	origin_text = origin_of(&asked);
	origin = text_of(origin_text);
	url = clean(join(&origin, base_tail, text));
	free(origin_text);
	return url;
}

/* Up to and with the last slash of the path (RFC 3986 5.2.3). */
static size_t
folder_len(const struct rtsp_text *tail)
{
	size_t len = span_before(tail, "?#");

	while (len > 0 && tail->at[len - 1] != '/')
		len--;
	return len;
}

/* Location against where we are; NULL: another scheme. */
static char *
resolve(const struct url_parts *from, struct rtsp_text location)
{
	struct url_parts parts;
	char *origin = origin_of(from), *url = NULL;
	size_t keep = 0;

	split_url(location, &parts);
	if (parts.scheme.len == 0)
		parts.scheme = from->scheme;
	if (parts.authority.len > 0) {
		free(origin);
		origin = origin_of(&parts);
	} else if (location.at[0] == '?') {
		keep = span_before(&from->tail, "?#");
	} else if (location.at[0] != '/') {
		keep = folder_len(&from->tail);
	}
	if (is_rtsp(&parts.scheme) && (parts.authority.len > 0 || !is_bare_host(&location)))
		url = xasprintf("%s%.*s%s%.*s", origin, (int)keep, keep > 0 ? from->tail.at : "",
				parts.authority.len > 0 || keep > 0 || location.at[0] == '/' ||
					location.at[0] == '?'
				    ? ""
				    : "/",
				(int)parts.tail.len, parts.tail.len > 0 ? parts.tail.at : "");
	free(origin);
	return url;
}

static bool
is_safe(const char *url, const struct url_parts *from)
{
	char err[URL_ERROR_MAX];
	struct url parsed;
	bool is_ok;

	if (url_parse(url, &parsed, err) < 0)
		return false;
	is_ok = !parsed.has_userinfo && (strcmp(parsed.scheme->name, "rtsps") == 0 ||
					 !rtsp_text_is(&from->scheme, "rtsps"));
	url_clear(&parsed);
	return is_ok;
}

char *
rtsp_url_redirect(const char *from, const struct rtsp_text *location)
{
	struct rtsp_text text = rtsp_text_trim(*location);
	struct url_parts parts;
	char *url;

	text.len = span_before(&text, "#");
	split_url(text_of(from), &parts);
	if (text.len == 0 || parts.authority.len == 0)
		return NULL;
	url = resolve(&parts, text);
	url = url != NULL ? clean(url) : NULL;
	if (url != NULL && !is_safe(url, &parts)) {
		free(url);
		url = NULL;
	}
	return url;
}
