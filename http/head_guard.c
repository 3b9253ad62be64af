/*
 * One state for each part of a head, one function for each state, one byte at a time.
 */
#include "config.h"

#include "http/head_guard.h"

#include <string.h>

enum state {
	IN_METHOD,
	IN_TARGET,
	IN_VERSION,
	IN_LINE_LF, /* after the CR of a line */
	IN_NAME,    /* at a field's name, or at the CR that ends the head */
	IN_VALUE,
	IN_LAST_LF,
	IN_BODY,
	BEYOND, /* another protocol */
};

enum field {
	OTHER,
	CONTENT_LENGTH,
	TRANSFER_ENCODING,
	EXPECT,
	UPGRADE,
	HOST,
	ORIGIN,
	AUTHORIZATION
};

static const struct {
	const char *name;
	bool single;
	int fault; /* a request that has it is refused with */
} fields[] = {
	[OTHER] = { "", false, 0 },
	[CONTENT_LENGTH] = { "content-length", true, 0 },
	[TRANSFER_ENCODING] = { "transfer-encoding", true, 400 },
	[EXPECT] = { "expect", true, 417 },
	[UPGRADE] = { "upgrade", false, 0 },
	[HOST] = { "host", true, 0 },
	[ORIGIN] = { "origin", true, 0 },
	[AUTHORIZATION] = { "authorization", true, 0 },
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))
#define ENDED    255

static bool
is_seen(const struct head_guard *guard, enum field field)
{
	return (guard->seen & 1u << field) != 0;
}

static int
add_to_word(struct head_guard *guard, uint8_t c)
{
	/* One that is too long stays so, and is like none of those that are known. */
	if (guard->word_len < sizeof(guard->word))
		guard->word[guard->word_len++] = (char)c;
	return 0;
}

static bool
is_word(const struct head_guard *guard, const char *word)
{
	size_t len = strlen(word);

	return guard->word_len == len && memcmp(guard->word, word, len) == 0;
}

static void
enter(struct head_guard *guard, enum state state)
{
	guard->state = state;
	guard->word_len = 0;
	guard->line_bytes = state == IN_TARGET || state == IN_VERSION ? guard->line_bytes : 0;
}

/* The request line */

static int
end_method(struct head_guard *guard)
{
	static const char *const methods[] = { "GET",    "HEAD",    "POST", "PUT",
					       "DELETE", "OPTIONS", "PATCH" };

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!is_word(guard, methods[i]))
			continue;
		guard->may_have_body = is_word(guard, "POST") || is_word(guard, "PATCH");
		enter(guard, IN_TARGET);
		return 0;
	}
	return guard->word_len == 0 ? 400 : 405;
}

static int
on_method(struct head_guard *guard, uint8_t c)
{
	if (c == ' ')
		return end_method(guard);
	return c >= 'A' && c <= 'Z' ? add_to_word(guard, c) : 400;
}

/* A zero hidden as %00 would end the text early for whoever decodes it into a string. */
static bool
hides_zero(struct head_guard *guard, uint8_t c)
{
	static const char zero[] = "%00";
	uint8_t *n = (uint8_t *)&guard->word[0];

	*n = c == (uint8_t)zero[*n] ? *n + 1 : c == '%';
	return *n == 3;
}

static int
on_target(struct head_guard *guard, uint8_t c)
{
	if (guard->word_len == 0) {
		guard->word_len = 1;
		guard->word[0] = 0;
		return c == '/' ? 0 : 400;
	}
	if (hides_zero(guard, c))
		return 400;
	if (c == ' ') {
		enter(guard, IN_VERSION);
		return 0;
	}
	return c > ' ' && c < 0x7f && c != '#' ? 0 : 400;
}

static int
on_version(struct head_guard *guard, uint8_t c)
{
	if (c != '\r')
		return c > ' ' && c < 0x7f ? add_to_word(guard, c) : 400;
	guard->is_http11 = is_word(guard, "HTTP/1.1");
	if (!guard->is_http11 && !is_word(guard, "HTTP/1.0"))
		return 400;
	enter(guard, IN_LINE_LF);
	return 0;
}

static int
on_line_lf(struct head_guard *guard, uint8_t c)
{
	enter(guard, IN_NAME);
	return c == '\n' ? 0 : 400;
}

/* Fields */

static bool
is_token_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static int
end_name(struct head_guard *guard)
{
	enum field field = OTHER;

	if (guard->word_len == 0)
		return 400;
	if (++guard->n_fields > HEAD_FIELDS_MAX)
		return 431;
	for (unsigned i = 1; i < N_FIELDS; i++)
		if (is_word(guard, fields[i].name))
			field = i;
	if (fields[field].fault != 0)
		return fields[field].fault;
	if (fields[field].single && is_seen(guard, field))
		return 400;
	guard->seen |= (uint16_t)(1u << field);
	enter(guard, IN_VALUE);
	guard->field = field;
	return 0;
}

static int
on_name(struct head_guard *guard, uint8_t c)
{
	if (c == '\r' && guard->word_len == 0) {
		enter(guard, IN_LAST_LF);
		return 0;
	}
	if (c == ':')
		return end_name(guard);
	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c - 'A' + 'a');
	return is_token_char(c) ? add_to_word(guard, c) : 400;
}

static int
on_length(struct head_guard *guard, uint8_t c)
{
	if (c == ' ' || c == '\t') {
		if (guard->digits > 0)
			guard->digits = ENDED;
		return 0;
	}
	if (c < '0' || c > '9' || guard->digits == ENDED)
		return 400;
	guard->digits++;
	guard->length = guard->length * 10 + (uint32_t)(c - '0');
	return guard->length > HEAD_BODY_MAX ? 413 : guard->digits > 10 ? 400 : 0;
}

static int
on_value(struct head_guard *guard, uint8_t c)
{
	if (c == '\r') {
		if (guard->field == CONTENT_LENGTH && guard->digits == 0)
			return 400;
		enter(guard, IN_LINE_LF);
		return 0;
	}
	if ((c < ' ' && c != '\t') || c == 0x7f)
		return 400;
	return guard->field == CONTENT_LENGTH ? on_length(guard, c) : 0;
}

/* Requests */

static void
begin_anew(struct head_guard *guard)
{
	*guard = (struct head_guard){ .state = IN_METHOD };
}

static int
on_last_lf(struct head_guard *guard, uint8_t c)
{
	uint32_t length = guard->length;

	if (c != '\n' || (guard->is_http11 && !is_seen(guard, HOST)) ||
	    (length > 0 && !guard->may_have_body))
		return 400;
	if (is_seen(guard, UPGRADE)) {
		guard->state = BEYOND;
		guard->head_bytes = 0;
		return length > 0 ? 400 : 0;
	}
	begin_anew(guard);
	guard->length = length;
	guard->state = length > 0 ? IN_BODY : IN_METHOD;
	return 0;
}

static int
check_sizes(struct head_guard *guard)
{
	guard->line_bytes++;
	guard->head_bytes++;
	if (guard->state <= IN_VERSION && guard->line_bytes > HEAD_LINE_MAX)
		return 414;
	return guard->head_bytes > HEAD_BYTES_MAX ? 431 : 0;
}

static size_t
skip_body(struct head_guard *guard, size_t len)
{
	size_t n = len < guard->length ? len : guard->length;

	guard->length -= (uint32_t)n;
	if (guard->length == 0)
		begin_anew(guard);
	return n;
}

int
head_guard_feed(struct head_guard *guard, const void *bytes, size_t len)
{
	static int (*const steps[])(struct head_guard *, uint8_t) = {
		[IN_METHOD] = on_method,   [IN_TARGET] = on_target, [IN_VERSION] = on_version,
		[IN_LINE_LF] = on_line_lf, [IN_NAME] = on_name,     [IN_VALUE] = on_value,
		[IN_LAST_LF] = on_last_lf,
	};
	const uint8_t *p = bytes, *end = p + len;

	while (p < end && guard->fault == 0 && guard->state != BEYOND) {
		if (guard->state == IN_BODY) {
			p += skip_body(guard, (size_t)(end - p));
			continue;
		}
		guard->fault = check_sizes(guard);
		if (guard->fault == 0)
			guard->fault = steps[guard->state](guard, *p++);
	}
	return guard->fault;
}

size_t
head_guard_open_bytes(const struct head_guard *guard)
{
	return guard->state == IN_BODY ? 0 : guard->head_bytes;
}

bool
head_guard_is_over(const struct head_guard *guard)
{
	return guard->state == BEYOND;
}
