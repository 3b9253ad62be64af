/*
 * Any bytes as what a browser sends over a WebSocket, in pieces whose size the first byte says.
 */
#include "config.h"

#include "http/ws.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define MESSAGE_MAX 4096
#define OUTPUT_MAX  4096 /* a bounded number of small frames per piece */

static size_t output_len;

static void
on_text(void *arg, const char *text, size_t len)
{
	size_t sum = 0;

	(void)arg;
	FUZZ_CHECK(len <= MESSAGE_MAX);
	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)text[i];
	FUZZ_CHECK(sum <= 255 * len);
}

static void
on_output(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	FUZZ_CHECK(bytes != NULL && len > 0);
	output_len += len;
	FUZZ_CHECK(output_len <= OUTPUT_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ws_ops ops = { on_text, on_output };
	struct ws *ws = ws_new(&ops, MESSAGE_MAX, NULL);
	size_t piece = size > 0 ? data[0] % 64 + 1 : 1;
	int rc = 0;

	for (size_t at = 1; at < size && rc == 0; at += piece) {
		output_len = 0;
		rc = ws_feed(ws, data + at, at + piece > size ? size - at : piece);
	}
	FUZZ_CHECK(rc == 0 || rc == -32 /* EPIPE */);
	FUZZ_CHECK(rc == 0 || ws_feed(ws, data, size) == rc);
	ws_free(&ws);
	return 0;
}
