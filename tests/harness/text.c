/*
 * Text for messages: a growing buffer, hex dumps and diffs.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "tests/harness/internal.h"

#include "shared/xalloc.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DIFF_BYTES_PER_LINE 16
#define DIFF_MAX_LINES      24
#define DIFF_LINES_BEFORE   2

static void
reserve(struct textbuf *buf, size_t more)
{
	if (buf->len + more + 1 <= buf->size)
		return;
	buf->size = 2 * (buf->len + more + 1);
	buf->text = xreallocarray(buf->text, buf->size, 1);
}

void
textbuf_add_bytes(struct textbuf *buf, const void *bytes, size_t len)
{
	reserve(buf, len);
	if (len > 0)
		memcpy(buf->text + buf->len, bytes, len);
	buf->len += len;
	buf->text[buf->len] = '\0';
}

void
textbuf_add(struct textbuf *buf, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		xalloc_die();
	textbuf_add_bytes(buf, text, (size_t)n);
	free(text);
}

void
textbuf_free(struct textbuf *buf)
{
	free(buf->text);
	*buf = (struct textbuf){ 0 };
}

static void
hex_line(struct textbuf *out, char mark, size_t at, const unsigned char *bytes, size_t len,
	 const unsigned char *other, size_t other_len)
{
	textbuf_add(out, "%c %04zx ", mark, at);
	for (size_t i = 0; i < DIFF_BYTES_PER_LINE; i++) {
		bool differs =
		    other != NULL && (i >= other_len || i >= len || bytes[i] != other[i]);

		if (i < len)
			textbuf_add(out, "%c%02x", differs ? '*' : ' ', bytes[i]);
		else
			textbuf_add(out, "   ");
	}
	textbuf_add(out, "  ");
	for (size_t i = 0; i < len; i++)
		textbuf_add(out, "%c", isprint(bytes[i]) ? bytes[i] : '.');
	textbuf_add(out, "\n");
}

void
hex_dump(struct textbuf *out, const void *bytes, size_t len, size_t max_bytes)
{
	size_t shown = len < max_bytes ? len : max_bytes;

	for (size_t at = 0; at < shown; at += DIFF_BYTES_PER_LINE) {
		size_t n = shown - at < DIFF_BYTES_PER_LINE ? shown - at : DIFF_BYTES_PER_LINE;

		hex_line(out, ' ', at, (const unsigned char *)bytes + at, n, NULL, 0);
	}
	if (shown < len)
		textbuf_add(out, "  ... %zu bytes in all\n", len);
}

static size_t
line_len(size_t len, size_t at)
{
	if (at >= len)
		return 0;
	return len - at < DIFF_BYTES_PER_LINE ? len - at : DIFF_BYTES_PER_LINE;
}

void
hex_diff(struct textbuf *out, const void *expected, size_t expected_len, const void *got,
	 size_t got_len)
{
	const unsigned char *e = expected, *g = got;
	size_t longest = expected_len > got_len ? expected_len : got_len, first = 0, lines = 0;

	while (first < expected_len && first < got_len && e[first] == g[first])
		first++;
	textbuf_add(out, "expected %zu bytes (-), got %zu (+), first difference at %#zx\n",
		    expected_len, got_len, first);
	first -= first % DIFF_BYTES_PER_LINE;
	first -= first < DIFF_LINES_BEFORE * DIFF_BYTES_PER_LINE
		     ? first
		     : (size_t)DIFF_LINES_BEFORE * DIFF_BYTES_PER_LINE;
	for (size_t at = first; at < longest; at += DIFF_BYTES_PER_LINE) {
		size_t en = line_len(expected_len, at), gn = line_len(got_len, at);

		if (++lines > DIFF_MAX_LINES) {
			textbuf_add(out, "  ...\n");
			break;
		}
		if (en == gn && memcmp(e + at, g + at, en) == 0) {
			hex_line(out, ' ', at, e + at, en, NULL, 0);
			continue;
		}
		if (en > 0)
			hex_line(out, '-', at, e + at, en, g + at, gn);
		if (gn > 0)
			hex_line(out, '+', at, g + at, gn, e + at, en);
	}
}

char *
harness_hex_diff(const void *expected, size_t expected_len, const void *got, size_t got_len)
{
	struct textbuf out = { 0 };

	hex_diff(&out, expected, expected_len, got, got_len);
	return out.text;
}
