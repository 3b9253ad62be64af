/*
 * The http front's library between a fake supervisor on fd 3's other end, a fake worker whose
 * messages are pushed in, and fake browsers on TCP loopback. Time stands still unless it is moved.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_RIG_H

#include "http/front.h"
#include "http/stream.h"
#include "tests/check_http_frames.h"
#include "tests/harness/harness.h"

#define DEADLINE_MS 2000 /* request_deadline_ms in these tests */
#define SNAPSHOT_MS 3000 /* snapshot_timeout_ms */

struct rig {
	struct loop *loop;
	struct front *front;
	struct peer *sup;
	uint16_t port;
};

/* Changes to the configuration: a JSON object merged into it, or NULL. */
struct rig *rig_start(struct loop *loop, json_t *config);

/* The message access-keys of a house without users, which is what rig_start() says. */
json_t *rig_no_users(void);

/* Announce or change stream id (1 "door", 2 "yard.sub", ...). epoch is only for show: no bus. */
void rig_stream(struct rig *rig, int id, const char *name, const char *state, const char *reason);
void rig_synced(struct rig *rig);
/* Push and give away. */
void rig_push(struct rig *rig, struct bus_msg *msg);
/* A configuration and n units beginning with a key frame. */
void rig_push_gop(struct rig *rig, struct feed *feed, unsigned n);

struct peer *rig_connect(struct rig *rig);
/* Sends text and returns the head of the answer (until the next expectation). */
const char *rig_ask(struct peer *browser, const char *request);
/* "GET path HTTP/1.1" with Host and the header lines (each with CRLF), then rig_ask(). */
const char *rig_get(struct peer *browser, const char *path, const char *lines);
/* The body that the head announced; NUL-terminated. */
const char *rig_body(struct peer *browser, const char *head, size_t *len);
/* The value of a header in head, in a static buffer; NULL without. */
const char *rig_header(const char *head, const char *name);

/* WebSocket */
struct ws_message {
	unsigned opcode;
	const uint8_t *bytes; /* NUL-terminated; until the next expectation */
	size_t len;
};
struct peer *rig_websocket(struct rig *rig, const char *src); /* /api/ws */
struct peer *rig_websocket_at(struct rig *rig, const char *path);
void rig_ws_send(struct peer *browser, const char *text);
struct ws_message rig_ws_next(struct peer *browser);
/* The next message is a text with this type; returns its value (borrowed from a static object). */
const json_t *rig_ws_expect(struct peer *browser, const char *type);
/* The same, but returns the whole message. */
const json_t *rig_ws_expect_json(struct peer *browser, const char *type);

/* fMP4 */
struct fragment {
	uint64_t decode_time;
	uint32_t duration, sequence, track;
	bool is_key; /* of a picture */
};
/* Parses n_max fragments at most; fails the test when bytes are anything else. Returns how many. */
size_t rig_fragments(const uint8_t *bytes, size_t len, struct fragment *out, size_t n_max);
bool rig_is_init(const uint8_t *bytes, size_t len);

#endif
