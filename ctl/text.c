/*
 * Numbers and foreign text in a form for people.
 */
#include "config.h"

#include "ctl/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* Bytes of the UTF-8 character at p and its code point; 0 when it is none. */
static size_t
decode(const unsigned char *p, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80             ? 1
		     : (p[0] & 0xe0) == 0xc0 ? 2
		     : (p[0] & 0xf0) == 0xe0 ? 3
		     : (p[0] & 0xf8) == 0xf0 ? 4
					     : 0;

	if (len <= 1) {
		*code = p[0];
		return len;
	}
	*code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return len;
}

static bool
is_harmless(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return false;
	/* Marks that turn the direction of writing, and separators that some terminals obey. */
	return !(code >= 0x200e && code <= 0x200f) && !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069) && code != 0x61c && code != 0xfeff;
}

const char *
text_escape(const char *text, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	while (*p != '\0') {
		uint32_t code;
		size_t len = decode(p, &code);
		bool harmless = len > 0 && is_harmless(code);
		size_t take = len > 0 ? len : 1, need = harmless ? take : 4 * take;

		if (used + need >= size)
			break;
		for (size_t i = 0; i < take; i++) {
			if (harmless)
				buf[used++] = (char)p[i];
			else
				used += (size_t)sprintf(buf + used, "\\x%02x", p[i]);
		}
		p += take;
	}
	buf[used] = '\0';
	return buf;
}

const char *
text_duration(int64_t ms, char *buf, size_t size)
{
	long long s = ms > 0 ? ms / 1000 : 0;

	if (s < 60)
		snprintf(buf, size, "%lld s", s);
	else if (s < 3600)
		snprintf(buf, size, "%lld min", s / 60);
	else if (s < 86400)
		snprintf(buf, size, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return buf;
}

const char *
text_bitrate(int64_t bps, char *buf, size_t size)
{
	if (bps >= 1000000)
		snprintf(buf, size, "%.1f Mb/s", (double)bps / 1e6);
	else if (bps > 0)
		snprintf(buf, size, "%lld kb/s", ((long long)bps + 500) / 1000);
	else
		snprintf(buf, size, "0");
	return buf;
}

const char *
text_bytes(int64_t bytes, char *buf, size_t size)
{
	if (bytes >= 1 << 20)
		snprintf(buf, size, "%.1f MiB", (double)bytes / (1 << 20));
	else
		snprintf(buf, size, "%lld KiB", ((long long)bytes + 1023) / 1024);
	return buf;
}

const char *
text_memory(int64_t kib, char *buf, size_t size)
{
	if (kib > 0)
		return text_bytes(kib * 1024, buf, size);
	snprintf(buf, size, "memory unknown");
	return buf;
}

static int
char_width(uint32_t code)
{
	int width = wcwidth((wchar_t)code);

	return width >= 0 ? width : 1;
}

size_t
text_width(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t width = 0;

	while (*p != '\0') {
		uint32_t code;
		size_t len = decode(p, &code);

		width += len > 0 ? (size_t)char_width(code) : 1;
		p += len > 0 ? len : 1;
	}
	return width;
}

struct text_style
text_style_of(FILE *file)
{
	struct text_style style = { 0 };
	struct winsize size;
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	int fd = fileno(file);

	if (fd < 0 || !isatty(fd))
		return style;
	style.colour = (no_color == NULL || no_color[0] == '\0') &&
		       (term == NULL || strcmp(term, "dumb") != 0);
	style.width = 80;
	style.rows = 24;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		style.width = size.ws_col;
		style.rows = size.ws_row;
	}
	return style;
}

const char *
text_colour_on(const struct text_style *style, enum text_colour colour)
{
	static const char *const codes[] = {
		[TEXT_PLAIN] = "",         [TEXT_GOOD] = "\033[32m", [TEXT_WARN] = "\033[33m",
		[TEXT_BAD] = "\033[1;31m", [TEXT_DIM] = "\033[2m",   [TEXT_BOLD] = "\033[1m",
	};

	return style->colour ? codes[colour] : "";
}

const char *
text_colour_off(const struct text_style *style, enum text_colour colour)
{
	return style->colour && colour != TEXT_PLAIN ? "\033[0m" : "";
}
