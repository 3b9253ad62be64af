/*
 * WebSocket over a link.
 */
#include "config.h"

#include "http/link_ws.h"

#include "http/ws.h"
#include "shared/xalloc.h"

#include <string.h>

#define IDLE_MS   30000           /* nothing said: ping, so that proxies keep the connection */
#define WINDOW_NS (10 * NS_PER_S) /* of link_ws_limits.texts */

static void
queue_bytes(struct link *link, const void *bytes, size_t len)
{
	struct wire *wire = wire_from_bytes(bytes, len);

	outq_add(&link->out, NULL, 0, wire, NULL);
	wire_unref(&wire);
}

static bool
is_too_chatty(struct link *link)
{
	return rate_count(&link->texts, WINDOW_NS, clock_now_ns(link->front->clock)) >
	       link->texts_max;
}

static void
on_text(void *arg, const char *text, size_t len)
{
	struct link *link = arg;

	if (link_is_ending(link))
		return;
	if (is_too_chatty(link))
		link_ws_bye(link, WS_CODE_POLICY);
	else
		link->ops->on_text(link->arg, text, len);
}

static void
on_output(void *arg, const uint8_t *bytes, size_t len)
{
	struct link *link = arg;

	queue_bytes(link, bytes, len);
	link->control_bytes += len;
}

void
link_ws_begin(struct link *link, const char *accept, const struct link_ws_limits *limits)
{
	static const struct ws_ops ops = { .on_text = on_text, .on_output = on_output };
	char *head = xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			       "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			       accept);

	queue_bytes(link, head, strlen(head));
	free(head);
	link->ws = ws_new(&ops, limits->message_bytes, link);
	link->texts_max = limits->texts;
	link_ws_note_sent(link);
	clock_timer_set_ms(&link->idle, IDLE_MS);
}

size_t
link_ws_say(struct link *link, json_t *msg)
{
	char *text = msg != NULL ? json_dumps(msg, JSON_COMPACT) : NULL;
	uint8_t head[WS_HEAD_MAX];
	struct wire *wire;
	size_t len;

	if (text == NULL)
		xalloc_die();
	wire = wire_from_bytes(text, strlen(text));
	len = wire->len;
	outq_add(&link->out, head, ws_head(WS_TEXT, len, head), wire, NULL);
	wire_unref(&wire);
	free(text);
	json_decref(msg);
	return len;
}

void
link_ws_bye(struct link *link, unsigned code)
{
	uint8_t bye[4] = { 0x80 | WS_CLOSE, 2, (uint8_t)(code >> 8), (uint8_t)code };

	outq_add(&link->out, bye, sizeof(bye), NULL, NULL);
	link_finish(link);
}

void
link_ws_note_sent(struct link *link)
{
	if (link->ws != NULL)
		link->sent_ns = clock_now_ns(link->front->clock);
}

void
link_ws_on_idle(struct clock_timer *timer, void *arg)
{
	static const uint8_t ping[2] = { 0x80 | WS_PING, 0 };
	struct link *link = arg;
	int64_t silence_ms = (clock_now_ns(link->front->clock) - link->sent_ns) / NS_PER_MS;

	/* Set again with each frame, the timer would cost more than what it is for. */
	if (silence_ms < IDLE_MS) {
		clock_timer_set_ms(timer, IDLE_MS - silence_ms);
		return;
	}
	clock_timer_set_ms(timer, IDLE_MS);
	if (!outq_is_empty(&link->out))
		return;
	outq_add(&link->out, ping, sizeof(ping), NULL, NULL);
	if (link->ops->on_idle != NULL)
		link->ops->on_idle(link->arg);
	link_pump(link);
}
