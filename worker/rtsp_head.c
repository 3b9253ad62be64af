/*
 * Start lines and headers, taken apart once a message's head is complete (RFC 2326 6, 7; 4.2 of
 * RFC 2616 for headers).
 */
#include "config.h"

#include "worker/rtsp_head.h"

#include "worker/rtsp_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define METHOD_MAX 32
#define PREFIX_LEN 5 /* "RTSP/" */

static bool
is_protocol(const char *text, size_t len)
{
	return strncasecmp(text, "RTSP/", len) == 0 || strncasecmp(text, "HTTP/", len) == 0;
}

static bool
is_method_char(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
may_begin_request(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < METHOD_MAX && is_method_char(text[i]); i++)
		;
	return i == len || (i > 0 && text[i] == ' ');
}

bool
rtsp_head_may_begin(const char *text, size_t len)
{
	return is_protocol(text, len < PREFIX_LEN ? len : PREFIX_LEN) ||
	       may_begin_request(text, len);
}

/* "RTSP/1.0": takes it off. "RTSP/1" is borne. HTTP in place of it is 1.0. */
static int
take_version(struct rtsp_text *rest, unsigned *version)
{
	bool is_rtsp = rest->len > 0 && (rest->at[0] == 'R' || rest->at[0] == 'r');
	struct rtsp_text digits = *rest;
	uint64_t major, minor = 0;

	if (rest->len < PREFIX_LEN || !is_protocol(rest->at, PREFIX_LEN))
		return -EPROTO;
	digits.at += PREFIX_LEN;
	digits.len -= PREFIX_LEN;
	if (rtsp_text_number(&digits, 10, 9, &major) < 0)
		return -EPROTO;
	if (digits.len > 0 && digits.at[0] == '.') {
		digits.at++;
		digits.len--;
		if (rtsp_text_number(&digits, 10, 9, &minor) < 0)
			return -EPROTO;
	}
	*rest = digits;
	*version = is_rtsp ? (unsigned)(major * 10 + minor) : 10;
	return 0;
}

/* "RTSP/1.0 200 OK"; the phrase may be missing, the spaces more than one. */
static int
parse_status_line(struct rtsp_text line, struct rtsp_item *item)
{
	unsigned version;
	uint64_t status;

	if (take_version(&line, &version) < 0)
		return -EPROTO;
	line = rtsp_text_trim(line);
	if (rtsp_text_number(&line, 10, 999, &status) < 0 || status < 100)
		return -EPROTO;
	item->kind = RTSP_ITEM_REPLY;
	item->version = version;
	item->status = (unsigned)status;
	item->phrase = rtsp_text_trim(line);
	return 0;
}

/* "OPTIONS rtsp://camera/ RTSP/1.0" */
static int
parse_request_line(struct rtsp_text line, struct rtsp_item *item)
{
	struct rtsp_text method, uri, protocol = { NULL, 0 };
	unsigned version;

	if (!may_begin_request(line.at, line.len) || !rtsp_text_next(&line, ' ', &method) ||
	    method.len == 0)
		return -EPROTO;
	line = rtsp_text_trim(line);
	if (!rtsp_text_next(&line, ' ', &uri))
		return -EPROTO;
	protocol = rtsp_text_trim(line);
	if (take_version(&protocol, &version) < 0 || protocol.len > 0)
		return -EPROTO;
	item->kind = RTSP_ITEM_REQUEST;
	item->version = version;
	item->method = method;
	item->uri = uri;
	return 0;
}

int
rtsp_head_parse_line(struct rtsp_text line, struct rtsp_item *item)
{
	size_t i;

	line = rtsp_text_trim(line);
	for (i = 0; i < line.len; i++)
		if ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t')
			return -EPROTO;
	if (line.len >= PREFIX_LEN && is_protocol(line.at, PREFIX_LEN))
		return parse_status_line(line, item);
	return parse_request_line(line, item);
}

/* A line that begins with a blank goes on with the one before it. */
static void
unfold(char *text, size_t len)
{
	size_t i;

	for (i = 1; i < len; i++) {
		if (text[i - 1] != '\n' || (text[i] != ' ' && text[i] != '\t'))
			continue;
		text[i - 1] = ' ';
		if (i >= 2 && text[i - 2] == '\r')
			text[i - 2] = ' ';
	}
}

static int64_t
parse_cseq(struct rtsp_text value)
{
	uint64_t number;

	if (rtsp_text_number(&value, 10, INT64_MAX, &number) < 0 || value.len > 0)
		return -1;
	return (int64_t)number;
}

static int
note_content_len(struct rtsp_head *head, bool *is_known, struct rtsp_text value)
{
	uint64_t number;

	if (rtsp_text_number(&value, 10, RTSP_BODY_MAX, &number) < 0 || value.len > 0)
		return -EPROTO;
	if (*is_known && number != head->content_len)
		return -EPROTO;
	*is_known = true;
	head->content_len = (size_t)number;
	return 0;
}

/* What the reader itself needs is heard beyond RTSP_HEADERS_MAX, too. */
static int
note_header(struct rtsp_head *head, bool *has_content_len, const struct rtsp_header *header)
{
	if (rtsp_text_is(&header->name, "Content-Length"))
		return note_content_len(head, has_content_len, header->value);
	if (head->item.cseq < 0 && rtsp_text_is(&header->name, "CSeq"))
		head->item.cseq = parse_cseq(header->value);
	return 0;
}

static bool
next_line(struct rtsp_text *rest, struct rtsp_text *line)
{
	const char *end;
	size_t len = rest->len;

	if (len == 0)
		return false;
	end = memchr(rest->at, '\n', len);
	if (end != NULL)
		len = (size_t)(end - rest->at) + 1;
	*line = (struct rtsp_text){ rest->at, len };
	rest->at += len;
	rest->len -= len;
	return true;
}

static bool
parse_header(struct rtsp_text line, struct rtsp_header *header)
{
	const char *colon = line.len > 0 ? memchr(line.at, ':', line.len) : NULL;
	size_t len;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - line.at);
	header->name = rtsp_text_trim((struct rtsp_text){ line.at, len });
	header->value = rtsp_text_trim((struct rtsp_text){ colon + 1, line.len - len - 1 });
	return header->name.len > 0;
}

int
rtsp_head_parse(char *text, size_t len, struct rtsp_head *head)
{
	struct rtsp_text rest = { text, len }, line;
	struct rtsp_header header;
	bool has_content_len = false;
	int err;

	head->item = (struct rtsp_item){ .cseq = -1, .headers = head->headers };
	head->content_len = 0;
	unfold(text, len);
	if (!next_line(&rest, &line) || rtsp_head_parse_line(line, &head->item) < 0)
		return -EPROTO;
	while (next_line(&rest, &line)) {
		if (!parse_header(line, &header))
			continue;
		err = note_header(head, &has_content_len, &header);
		if (err < 0)
			return err;
		if (head->item.n_headers < RTSP_HEADERS_MAX)
			head->headers[head->item.n_headers++] = header;
	}
	return 0;
}

const struct rtsp_text *
rtsp_item_header_at(const struct rtsp_item *item, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < item->n_headers; i++)
		if (rtsp_text_is(&item->headers[i].name, name) && n-- == 0)
			return &item->headers[i].value;
	return NULL;
}

const struct rtsp_text *
rtsp_item_header(const struct rtsp_item *item, const char *name)
{
	return rtsp_item_header_at(item, name, 0);
}
