/*
 * Any bytes as what a client sends, to the strict reader of heads. In whatever pieces they come
 * (their size is the first byte), the answer is the same, and what it lets through can be read in
 * one way only.
 */
#include "config.h"

#include "http/head_guard.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <strings.h>

static int
feed(struct head_guard *guard, const uint8_t *bytes, size_t len, size_t piece)
{
	int fault = 0;

	for (size_t at = 0; at < len && fault == 0; at += piece)
		fault = head_guard_feed(guard, bytes + at, at + piece > len ? len - at : piece);
	return fault;
}

/* One whole head and nothing else: lines end with CR LF, and only there; no controls. */
static void
check_head(const uint8_t *head, size_t len)
{
	FUZZ_CHECK(len <= HEAD_BYTES_MAX && len >= 16);
	FUZZ_CHECK(memcmp(head + len - 4, "\r\n\r\n", 4) == 0);
	for (size_t i = 0; i < len; i++) {
		FUZZ_CHECK((head[i] == '\r') == (i + 1 < len && head[i + 1] == '\n'));
		FUZZ_CHECK(head[i] >= ' ' || head[i] == '\r' || head[i] == '\n' || head[i] == '\t');
		FUZZ_CHECK(head[i] != 0x7f);
	}
	FUZZ_CHECK(head[0] != ' ' && head[0] != '\t');
	for (size_t i = 2; i < len; i++)
		if (head[i - 1] == '\n')
			FUZZ_CHECK(head[i] != ' ' && head[i] != '\t' && head[i] != ':');
}

/* The first head, byte by byte. */
static void
check_first(const uint8_t *bytes, size_t len)
{
	struct head_guard guard = { .state = 0 };

	for (size_t i = 0; i < len; i++) {
		if (head_guard_feed(&guard, bytes + i, 1) != 0)
			return;
		if (head_guard_open_bytes(&guard) > 0)
			continue;
		check_head(bytes, i + 1);
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head_guard whole = { .state = 0 }, pieces = { .state = 0 };
	int fault, other;

	if (size < 2)
		return 0;
	fault = head_guard_feed(&whole, data + 1, size - 1);
	other = feed(&pieces, data + 1, size - 1, data[0] % 64 + 1u);
	FUZZ_CHECK(fault == other && (fault == 0 || (fault >= 400 && fault <= 431)));
	FUZZ_CHECK(head_guard_open_bytes(&whole) <= HEAD_BYTES_MAX + 1);
	if (fault != 0) {
		FUZZ_CHECK(head_guard_feed(&whole, "GET / HTTP/1.0\r\n\r\n", 18) == fault);
	} else {
		FUZZ_CHECK(head_guard_is_over(&whole) == head_guard_is_over(&pieces));
		FUZZ_CHECK(head_guard_open_bytes(&whole) == head_guard_open_bytes(&pieces));
	}
	check_first(data + 1, size - 1);
	return 0;
}
