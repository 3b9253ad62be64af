/*
 * The subscriber's side of SP pub/sub over a stream socket, as nng speaks it on ipc:// (the SP
 * mapping for IPC: a handshake of 8 bytes, then messages, each behind a byte 1 and its length).
 * Read by hand, not by nng, where the publisher is not ours and may be hostile: nothing is
 * allocated for a length before it is believed, and a socket can be closed at any moment. Pure.
 */
#ifndef CAMHUB_HTTP_SP_READER_H
#define CAMHUB_HTTP_SP_READER_H

#include <stddef.h>
#include <stdint.h>

#define SP_HELLO_BYTES 8u
#define SP_HEAD_BYTES  9u

struct sp_reader {
	uint8_t *buf; /* of the message that comes; NULL until there is one */
	size_t max;   /* the longest message */
	uint8_t head[SP_HEAD_BYTES];
	size_t head_len, len, want;
	int state;
};

/* What the subscriber sends first. */
extern const uint8_t sp_hello[SP_HELLO_BYTES];

void sp_reader_init(struct sp_reader *reader, size_t max);
void sp_reader_clear(struct sp_reader *reader);

/*
 * Takes bytes from *at to end, up to the end of a message. Returns 1: a message, which is there
 * until the next call; 0: all bytes are taken; -EPROTO: this is no publisher of SP; -EMSGSIZE: a
 * message is longer than max. After an error nothing more can be read.
 */
int sp_reader_take(struct sp_reader *reader, const uint8_t **at, const uint8_t *end,
		   const uint8_t **msg, size_t *len);

#endif
