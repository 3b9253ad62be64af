/*
 * SP messages from bytes that come in any portions.
 */
#include "config.h"

#include "http/sp_reader.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KIND_MESSAGE 1

enum { HELLO, HEAD, BODY, FAILED };

/* "\0SP\0", the protocol's number (33: sub, 32: pub), 0. */
const uint8_t sp_hello[SP_HELLO_BYTES] = { 0, 'S', 'P', 0, 0, 33, 0, 0 };
static const uint8_t publisher[SP_HELLO_BYTES] = { 0, 'S', 'P', 0, 0, 32, 0, 0 };

void
sp_reader_init(struct sp_reader *reader, size_t max)
{
	*reader = (struct sp_reader){ .max = max, .state = HELLO };
}

void
sp_reader_clear(struct sp_reader *reader)
{
	free(reader->buf);
	sp_reader_init(reader, reader->max);
}

static int
fail(struct sp_reader *reader, int error)
{
	reader->state = FAILED;
	return error;
}

/* false: not all of it is there. */
static bool
take_head(struct sp_reader *reader, size_t bytes, const uint8_t **at, const uint8_t *end)
{
	size_t n = bytes - reader->head_len;

	if ((size_t)(end - *at) < n)
		n = (size_t)(end - *at);
	memcpy(reader->head + reader->head_len, *at, n);
	*at += n;
	reader->head_len += n;
	if (reader->head_len < bytes)
		return false;
	reader->head_len = 0;
	return true;
}

static int
begin_body(struct sp_reader *reader)
{
	uint64_t want = 0;

	for (size_t i = 1; i < SP_HEAD_BYTES; i++)
		want = want << 8 | reader->head[i];
	if (reader->head[0] != KIND_MESSAGE)
		return fail(reader, -EPROTO);
	if (want > reader->max)
		return fail(reader, -EMSGSIZE);
	if (reader->buf == NULL)
		reader->buf = xmalloc(reader->max + 1);
	reader->len = 0;
	reader->want = (size_t)want;
	reader->state = BODY;
	return 0;
}

/* 1: the message is whole. */
static int
take_body(struct sp_reader *reader, const uint8_t **at, const uint8_t *end)
{
	size_t n = reader->want - reader->len;

	if ((size_t)(end - *at) < n)
		n = (size_t)(end - *at);
	memcpy(reader->buf + reader->len, *at, n);
	*at += n;
	reader->len += n;
	if (reader->len < reader->want)
		return 0;
	reader->state = HEAD;
	return 1;
}

static int
take_hello(struct sp_reader *reader, const uint8_t **at, const uint8_t *end)
{
	if (!take_head(reader, SP_HELLO_BYTES, at, end))
		return 0;
	if (memcmp(reader->head, publisher, SP_HELLO_BYTES) != 0)
		return fail(reader, -EPROTO);
	reader->state = HEAD;
	return 0;
}

int
sp_reader_take(struct sp_reader *reader, const uint8_t **at, const uint8_t *end,
	       const uint8_t **msg, size_t *len)
{
	int rc = 0;

	if (reader->state == FAILED)
		return -EPROTO;
	if (reader->state == HELLO)
		rc = take_hello(reader, at, end);
	while (rc == 0 && reader->state != HELLO) {
		if (reader->state == HEAD && !take_head(reader, SP_HEAD_BYTES, at, end))
			break;
		if (reader->state == HEAD)
			rc = begin_body(reader);
		if (rc == 0 && (rc = take_body(reader, at, end)) == 0)
			break;
	}
	if (rc == 1) {
		*msg = reader->buf;
		*len = reader->len;
	}
	return rc;
}
