/*
 * WebSocket without the socket.
 */
#include "config.h"

#include "http/ws.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#define KEY_CHARS     24
#define QUEUED_MAX    8 /* pongs in one batch; a client that pings more is up to no good */
#define ACCEPT_SECRET "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */

struct ws {
	wslay_event_context_ptr ctx;
	const struct ws_ops *ops;
	void *arg;
	size_t message_max;
	const uint8_t *in;
	size_t in_len;
	uint16_t refused; /* close code of a frame that we do not take */
	bool over;
};

int
ws_accept(const char *key, char accept[WS_ACCEPT_BYTES])
{
	char text[KEY_CHARS + sizeof(ACCEPT_SECRET)];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (strlen(key) != KEY_CHARS ||
	    strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") !=
		KEY_CHARS - 2 ||
	    strcmp(key + KEY_CHARS - 2, "==") != 0)
		return -EPROTO;
	snprintf(text, sizeof(text), "%s%s", key, ACCEPT_SECRET);
	if (EVP_Digest(text, strlen(text), digest, &digest_len, EVP_sha1(), NULL) != 1)
		return -EPROTO;
	EVP_EncodeBlock((unsigned char *)accept, digest, (int)digest_len);
	return 0;
}

size_t
ws_head(enum ws_opcode opcode, uint64_t len, uint8_t head[WS_HEAD_MAX])
{
	size_t extra = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	head[0] = 0x80 | (uint8_t)opcode;
	head[1] = (uint8_t)(extra == 0 ? len : extra == 2 ? 126 : 127);
	for (size_t i = 0; i < extra; i++)
		head[2 + i] = (uint8_t)(len >> (8 * (extra - 1 - i)));
	return 2 + extra;
}

static ssize_t
on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;

	(void)flags;
	if (ws->in_len == 0) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	if (len > ws->in_len)
		len = ws->in_len;
	memcpy(buf, ws->in, len);
	ws->in += len;
	ws->in_len -= len;
	return (ssize_t)len;
}

static ssize_t
on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;

	(void)ctx;
	(void)flags;
	ws->ops->on_output(ws->arg, data, len);
	return (ssize_t)len;
}

static void
on_frame_start(wslay_event_context_ptr ctx, const struct wslay_event_on_frame_recv_start_arg *frame,
	       void *arg)
{
	struct ws *ws = arg;

	(void)ctx;
	if (ws->refused == 0 && (!frame->fin || frame->opcode == WSLAY_CONTINUATION_FRAME))
		ws->refused = WS_CODE_PROTOCOL;
	else if (ws->refused == 0 && frame->payload_length > ws->message_max)
		ws->refused = WS_CODE_TOO_BIG;
}

static void
on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
	struct ws *ws = arg;

	(void)ctx;
	if (ws->refused != 0)
		return;
	if (msg->opcode == WSLAY_TEXT_FRAME)
		ws->ops->on_text(ws->arg, (const char *)msg->msg, msg->msg_length);
	if (wslay_event_get_queued_msg_count(ws->ctx) > QUEUED_MAX)
		ws->refused = WS_CODE_PROTOCOL;
}

struct ws *
ws_new(const struct ws_ops *ops, size_t message_max, void *arg)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_frame_recv_start_callback = on_frame_start,
		.on_msg_recv_callback = on_message,
	};
	struct ws *ws = xcalloc(1, sizeof(*ws));

	ws->ops = ops;
	ws->arg = arg;
	ws->message_max = message_max;
	if (wslay_event_context_server_init(&ws->ctx, &callbacks, ws) != 0)
		xalloc_die();
	wslay_event_config_set_max_recv_msg_length(ws->ctx, message_max);
	return ws;
}

void
ws_free(struct ws **ws)
{
	if (*ws == NULL)
		return;
	wslay_event_context_free((*ws)->ctx);
	free(*ws);
	*ws = NULL;
}

static int
refuse(struct ws *ws)
{
	uint8_t frame[4] = { 0x80 | WS_CLOSE, 2, (uint8_t)(ws->refused >> 8),
			     (uint8_t)ws->refused };

	ws->over = true;
	ws->ops->on_output(ws->arg, frame, sizeof(frame));
	return -EPIPE;
}

int
ws_feed(struct ws *ws, const uint8_t *bytes, size_t len)
{
	if (ws->over)
		return -EPIPE;
	ws->in = bytes;
	ws->in_len = len;
	/* wslay reads until its callback has no more. */
	if (wslay_event_recv(ws->ctx) != 0 && ws->refused == 0)
		ws->refused = WS_CODE_PROTOCOL;
	if (ws->refused != 0)
		return refuse(ws);
	if (!ws->over && wslay_event_want_write(ws->ctx) && wslay_event_send(ws->ctx) != 0)
		ws->over = true;
	if (!wslay_event_get_read_enabled(ws->ctx) || wslay_event_get_close_sent(ws->ctx) ||
	    wslay_event_get_close_received(ws->ctx))
		ws->over = true;
	return ws->over ? -EPIPE : 0;
}
