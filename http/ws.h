/*
 * WebSocket (RFC 6455), the server's side: the handshake's answer, what a client sends (by wslay),
 * and the headers of our own frames. No sockets here.
 */
#ifndef CAMHUB_HTTP_WS_H
#define CAMHUB_HTTP_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_HEAD_MAX      10
#define WS_ACCEPT_BYTES  29 /* 28 characters and the zero */
#define WS_CODE_NORMAL   1000
#define WS_CODE_GOING    1001
#define WS_CODE_PROTOCOL 1002
#define WS_CODE_POLICY   1008
#define WS_CODE_TOO_BIG  1009

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Sec-WebSocket-Accept for the client's key (4.2.2). 0, or -EPROTO when the key is not 24
 * characters of base64. */
int ws_accept(const char *key, char accept[WS_ACCEPT_BYTES]);

/* The header of one whole, unmasked frame of len payload bytes (5.2); returns its length. */
size_t ws_head(enum ws_opcode opcode, uint64_t len, uint8_t head[WS_HEAD_MAX]);

struct ws;

struct ws_ops {
	/* A text message, not terminated by a zero. */
	void (*on_text)(void *arg, const char *text, size_t len);
	/* What must go out (pongs, close), in order and at once; a frame may come in parts, all of
	 * them within one ws_feed(). Bounded by its input. */
	void (*on_output)(void *arg, const uint8_t *bytes, size_t len);
};

/* A message longer than message_max bytes ends it (1009). */
struct ws *ws_new(const struct ws_ops *ops, size_t message_max, void *arg);
void ws_free(struct ws **ws);

/*
 * Bytes from the client. Returns 0; -EPIPE: the connection is over (closed by the peer, or against
 * the protocol: unmasked, fragmented, too long, too many pings at once), the close frame, if there
 * is one, has gone through on_output; send what is queued, then close. Callbacks must not free ws.
 */
int ws_feed(struct ws *ws, const uint8_t *bytes, size_t len);

#endif
