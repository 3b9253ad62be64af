/*
 * A link that speaks WebSocket: its handshake's answer, JSON messages, pings, the close frame.
 */
#ifndef CAMHUB_HTTP_LINK_WS_H
#define CAMHUB_HTTP_LINK_WS_H

#include "http/link.h"

/* What a client may say; who says more is closed (1009, 1008). */
struct link_ws_limits {
	size_t message_bytes;
	unsigned texts; /* in 10 s */
};

/* Queue the answer to the handshake (accept: Sec-WebSocket-Accept); messages from here on. */
void link_ws_begin(struct link *link, const char *accept, const struct link_ws_limits *limits);
/* Queue a text message; takes msg. Returns its bytes. */
size_t link_ws_say(struct link *link, json_t *msg);
/* Queue a close frame, then end. */
void link_ws_bye(struct link *link, unsigned code);

/* For link.c */
void link_ws_on_idle(struct clock_timer *timer, void *arg);
void link_ws_note_sent(struct link *link);

#endif
