/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_rig.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static struct rig rig_storage;
static json_t *last_message;

static void
rig_stop(void *arg)
{
	struct rig *rig = arg;

	front_free(&rig->front);
	/* libevent frees a bufferevent in the turn after. */
	loop_settle(rig->loop);
	json_decref(last_message);
	last_message = NULL;
}

static int
listen_loopback(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static json_t *
default_config(void)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "type",
			 "front-config", "subscriber", (int)SUBSCRIBER, "web_dir", CHECK_WEB_DIR,
			 "log_level", "debug", "max_viewers", 100, "viewer_lag_bytes", 1 << 20,
			 "ring_bytes", 16 << 20, "request_deadline_ms", DEADLINE_MS,
			 "live_target_ms", 60, "snapshot_timeout_ms", SNAPSHOT_MS);
}

json_t *
rig_no_users(void)
{
	return json_pack(
	    "{s:s, s:b, s:s, s:[], s:[]}", "type", "access-keys", "required", 0, "current",
	    "0000000000000000000000000000000000000000000000000000000000000000", "revoked", "users");
}

struct rig *
rig_start(struct loop *loop, json_t *changes)
{
	struct rig *rig = &rig_storage;
	json_t *config = default_config();
	int fds[2];

	rig->loop = loop;
	loop_pair(loop, SOCK_SEQPACKET, fds);
	rig->front = front_new(loop_base(loop), loop_clock(loop), fds[0]);
	harness_defer(rig_stop, rig);
	rig->sup = peer_new_chan(loop, fds[1], MSG_FROM_FRONT, "supervisor");
	peer_ignore_msg(rig->sup, MSG_BEAT);
	peer_ignore_msg(rig->sup, MSG_FRONT_STREAM);
	peer_ignore_msg(rig->sup, MSG_FRONT_TOTALS);
	peer_ignore_msg(rig->sup, MSG_WATCHER);
	peer_ignore_msg(rig->sup, MSG_WATCHER_GONE);
	if (changes != NULL) {
		json_object_update(config, changes);
		json_decref(changes);
	}
	peer_send_msg(rig->sup, config, -1);
	peer_send_msg(rig->sup, rig_no_users(), -1);
	peer_send_msg(rig->sup, json_pack("{s:s, s:s}", "type", "listener", "address", "0.0.0.0:0"),
		      listen_loopback(&rig->port));
	peer_expect_msg(rig->sup, MSG_READY, NULL);
	peer_run(rig->sup, 0);
	return rig;
}

void
rig_stream(struct rig *rig, int id, const char *name, const char *state, const char *reason)
{
	static int since;

	peer_send_msg(rig->sup,
		      json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:b, s:s, s:i, s:s, s:i, s:s}",
				"type", "stream", "id", id, "name", name, "camera", "door", "title",
				"Front <door>", "group", "Outside", "order", id, "on_demand", 0,
				"state", state, "since_ms", ++since, "reason", reason, "epoch", 0,
				"bus", ""),
		      -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

void
rig_synced(struct rig *rig)
{
	peer_send_msg(rig->sup, json_pack("{s:s}", "type", "streams-synced"), -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

void
rig_push(struct rig *rig, struct bus_msg *msg)
{
	struct stream *stream = stream_find_id(rig->front, msg->frame.stream_id);

	ck_assert_ptr_nonnull(stream);
	stream_push(stream, msg);
	bus_msg_unref(&msg);
}

void
rig_push_gop(struct rig *rig, struct feed *feed, unsigned n)
{
	rig_push(rig, feed_config(feed, false));
	rig_push(rig, feed_key(feed));
	for (unsigned i = 1; i < n; i++)
		rig_push(rig, feed_delta(feed));
}

/* Browsers */

struct peer *
rig_connect(struct rig *rig)
{
	return peer_connect_tcp(rig->loop, "browser", rig->port);
}

const char *
rig_ask(struct peer *browser, const char *request)
{
	peer_send_text(browser, request);
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 ");
	peer_run(browser, 0);
	return peer_last(browser, NULL);
}

const char *
rig_get(struct peer *browser, const char *path, const char *lines)
{
	char *request = xasprintf("GET %s HTTP/1.1\r\nHost: cam.example\r\n%s\r\n", path, lines);
	const char *head = rig_ask(browser, request);

	free(request);
	return head;
}

const char *
rig_header(const char *head, const char *name)
{
	static char value[1024];
	const char *line = head;
	size_t len = strlen(name);

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + len + 2, "\r"),
				 line + len + 2);
			return value;
		}
	}
	return NULL;
}

const char *
rig_body(struct peer *browser, const char *head, size_t *len)
{
	const char *length = rig_header(head, "Content-Length");

	ck_assert_msg(length != NULL, "no length: %s", head);
	if (atoi(length) == 0)
		return "";
	peer_expect_bytes(browser, (size_t)atoi(length));
	peer_run(browser, 0);
	return peer_last(browser, len);
}

struct peer *
rig_websocket_at(struct rig *rig, const char *path)
{
	struct peer *browser = rig_connect(rig);
	const char *head = rig_get(browser, path,
				   "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
				   "Sec-WebSocket-Version: 13\r\n"
				   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");

	ck_assert_msg(strncmp(head, "HTTP/1.1 101 ", 13) == 0, "%s", head);
	ck_assert_str_eq(rig_header(head, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	return browser;
}

struct peer *
rig_websocket(struct rig *rig, const char *src)
{
	char *path = xasprintf("/api/ws?src=%s", src);
	struct peer *browser = rig_websocket_at(rig, path);

	free(path);
	return browser;
}

void
rig_ws_send(struct peer *browser, const char *text)
{
	static const uint8_t key[4] = { 9, 8, 7, 6 };
	static uint8_t frame[20000];
	size_t len = strlen(text), n = 2;

	ck_assert_uint_lt(len, sizeof(frame) - 8);
	frame[0] = 0x81;
	frame[1] = (uint8_t)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		frame[n++] = (uint8_t)(len >> 8);
		frame[n++] = (uint8_t)len;
	}
	memcpy(frame + n, key, 4);
	n += 4;
	for (size_t i = 0; i < len; i++)
		frame[n++] = (uint8_t)text[i] ^ key[i % 4];
	peer_send(browser, frame, n);
	peer_run(browser, 0);
}

static const uint8_t *
take(struct peer *browser, size_t len)
{
	peer_expect_bytes(browser, len);
	peer_run(browser, 0);
	return (const uint8_t *)peer_last(browser, NULL);
}

struct ws_message
rig_ws_next(struct peer *browser)
{
	struct ws_message message = { 0 };
	const uint8_t *head = take(browser, 2);
	size_t extra, len;

	ck_assert_msg(head[0] & 0x80, "a fragmented message");
	ck_assert_msg(!(head[1] & 0x80), "a masked frame");
	message.opcode = head[0] & 15;
	len = head[1];
	extra = len == 126 ? 2 : len == 127 ? 8 : 0;
	if (extra > 0) {
		const uint8_t *more = take(browser, extra);

		len = 0;
		for (size_t i = 0; i < extra; i++)
			len = len << 8 | more[i];
	}
	message.len = len;
	message.bytes = len > 0 ? take(browser, len) : (const uint8_t *)"";
	return message;
}

const json_t *
rig_ws_expect_json(struct peer *browser, const char *type)
{
	struct ws_message message = rig_ws_next(browser);

	ck_assert_msg(message.opcode == 1, "opcode %u, not a %s", message.opcode, type);
	json_decref(last_message);
	last_message = json_loadb((const char *)message.bytes, message.len, 0, NULL);
	ck_assert_msg(last_message != NULL && strcmp(msg_str(last_message, "type"), type) == 0,
		      "%s, not a %s", (const char *)message.bytes, type);
	return last_message;
}

const json_t *
rig_ws_expect(struct peer *browser, const char *type)
{
	return json_object_get(rig_ws_expect_json(browser, type), "value");
}

/* fMP4 */

static uint64_t
get(const uint8_t *bytes, unsigned n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | *bytes++;
	return value;
}

static const uint8_t *
find_box(const uint8_t *bytes, size_t len, const char *type)
{
	for (size_t i = 4; i + 4 <= len; i++)
		if (memcmp(bytes + i, type, 4) == 0)
			return bytes + i + 4;
	ck_abort_msg("no box %s", type);
	return NULL;
}

bool
rig_is_init(const uint8_t *bytes, size_t len)
{
	return len > 200 && memcmp(bytes + 4, "ftyp", 4) == 0 &&
	       memcmp(bytes + get(bytes, 4) + 4, "moov", 4) == 0;
}

/* The units themselves say whether it is a key frame. They fill the payload exactly. */
static bool
has_idr(const uint8_t *bytes, size_t len)
{
	bool found = false;
	size_t at = 0;

	while (at < len) {
		ck_assert_uint_ge(len - at, 5);
		found = found || (bytes[at + 4] & 31) == 5;
		at += 4 + get(bytes + at, 4);
	}
	ck_assert_uint_eq(at, len);
	return found;
}

size_t
rig_fragments(const uint8_t *bytes, size_t len, struct fragment *out, size_t n_max)
{
	size_t n = 0;

	for (size_t at = 0; at < len; n++) {
		size_t moof = get(bytes + at, 4), mdat;
		const uint8_t *trun;

		ck_assert_uint_lt(n, n_max);
		ck_assert_uint_lt(moof + 8, len - at);
		ck_assert_mem_eq(bytes + at + 4, "moof", 4);
		ck_assert_mem_eq(bytes + at + moof + 4, "mdat", 4);
		mdat = get(bytes + at + moof, 4);
		ck_assert_uint_le(mdat, len - at - moof);
		out[n].sequence = (uint32_t)get(find_box(bytes + at, moof, "mfhd") + 4, 4);
		out[n].decode_time = get(find_box(bytes + at, moof, "tfdt") + 4, 8);
		trun = find_box(bytes + at, moof, "trun");
		out[n].duration = (uint32_t)get(trun + 12, 4);
		out[n].track = (uint32_t)get(find_box(bytes + at, moof, "tfhd") + 4, 4);
		out[n].is_key = out[n].track == 1 && has_idr(bytes + at + moof + 8, mdat - 8);
		at += moof + mdat;
	}
	return n;
}
