/*
 * A strict reading of what a client sends, before anybody else parses it: where a request's head
 * and body end (RFC 9112 sections 2 to 6) without any of the leniencies on which two parsers could
 * differ, and how large they may be. Pure; bytes may come in any pieces.
 */
#ifndef CAMHUB_HTTP_HEAD_GUARD_H
#define CAMHUB_HTTP_HEAD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAD_LINE_MAX   4096 /* of the request line */
#define HEAD_BYTES_MAX  8192 /* of all of the head */
#define HEAD_FIELDS_MAX 64
#define HEAD_BODY_MAX   24576 /* of a POST or PATCH; nothing else may have one */

/* Zero-initialise. */
struct head_guard {
	uint8_t state;
	uint8_t word_len; /* of a method, version or field name; what is longer is nothing known */
	uint8_t field;    /* whose value is being read */
	uint8_t n_fields;
	uint16_t seen; /* fields that were there */
	uint16_t line_bytes;
	uint16_t head_bytes; /* of the head so far: 0 between requests */
	uint32_t length;     /* Content-Length; what is left of a body */
	uint8_t digits;      /* of it, 255 when they are over */
	bool is_http11, may_have_body;
	int fault;
	char word[20];
};

/*
 * Read on. 0: fine so far; else the status (400, 405, 413, 414, 417, 431) to refuse it with, now
 * and from then on. After a head that asks for another protocol (Upgrade) nothing is looked at any
 * more.
 */
int head_guard_feed(struct head_guard *guard, const void *bytes, size_t len);
/* Bytes of a head that has not ended yet. */
size_t head_guard_open_bytes(const struct head_guard *guard);
/* A head that asked for another protocol has gone by. */
bool head_guard_is_over(const struct head_guard *guard);

#endif
