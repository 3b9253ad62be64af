/*
 * Orders and answers as text.
 */
#include "config.h"

#include "event/post.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= 0x20 || *text >= 0x7f)
			return false;
	return true;
}

static char *
make_head(const struct url *url, bool is_tls, size_t body_len)
{
	bool is_v6 = strchr(url->host, ':') != NULL;
	char *authority =
	    url->port == (is_tls ? 443u : 80u)
		? xasprintf("%s%s%s", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "")
		: xasprintf("%s%s%s:%u", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", url->port);
	char *head = xasprintf("POST %s%s%s HTTP/1.1\r\n"
			       "Host: %s\r\n"
			       "User-Agent: camhub/" PACKAGE_VERSION "\r\n"
			       "Content-Type: application/json\r\n"
			       "Content-Length: %zu\r\n"
			       "Connection: close\r\n\r\n",
			       url->path[0] != '\0' ? url->path : "/",
			       url->query[0] != '\0' ? "?" : "", url->query, authority, body_len);

	free(authority);
	return head;
}

static int
read_parts(const char *text, const char *body, struct post *post)
{
	char err[URL_ERROR_MAX];
	struct url url;
	bool is_tls;

	/* It becomes part of a request's first line. */
	if (!is_printable(text) || url_parse(text, &url, err) < 0)
		return -EINVAL;
	is_tls = strcmp(url.scheme->name, "https") == 0;
	if (url.has_userinfo || (!is_tls && strcmp(url.scheme->name, "http") != 0)) {
		url_clear(&url);
		return -EINVAL;
	}
	*post = (struct post){ .is_tls = is_tls,
			       .host = xstrdup(url.host),
			       .port = url.port,
			       .head = make_head(&url, is_tls, strlen(body)),
			       .body = xstrdup(body) };
	url_clear(&url);
	return 0;
}

int
post_read_order(const char *order, size_t len, struct post *post)
{
	char *text, *body;
	int rc = -EINVAL;

	if (len == 0 || len > POST_ORDER_MAX || memchr(order, '\0', len) != NULL)
		return -EINVAL;
	text = xcalloc(1, len + 1);
	memcpy(text, order, len);
	body = strchr(text, '\n');
	if (body != NULL) {
		*body++ = '\0';
		rc = read_parts(text, body, post);
	}
	free(text);
	return rc;
}

void
post_clear(struct post *post)
{
	free(post->host);
	free(post->head);
	free(post->body);
	*post = (struct post){ .host = NULL };
}

int
post_read_status(const char *bytes, size_t len)
{
	int code = 0;

	/* "HTTP/1.1 204" and a space or the line's end. */
	if (len < 13 || memcmp(bytes, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)bytes[7]) ||
	    bytes[8] != ' ' || (bytes[12] != ' ' && bytes[12] != '\r' && bytes[12] != '\n'))
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (!isdigit((unsigned char)bytes[i]))
			return 0;
		code = 10 * code + bytes[i] - '0';
	}
	return code >= 100 ? code : 0;
}
