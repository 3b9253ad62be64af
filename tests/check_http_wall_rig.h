/*
 * For tests of /ws: a page with one socket, what it says and what it is told.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_WALL_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_WALL_RIG_H

#include "tests/check_http_rig.h"

#define UNIT(id, src)                                                                              \
	"{\"type\":\"subscribe\",\"id\":" #id ",\"src\":\"" src                                    \
	"\",\"forms\":[\"unit\",\"jpeg\"],\"codecs\":\"avc1.640029\"}"
#define FMP4(id, src)                                                                              \
	"{\"type\":\"subscribe\",\"id\":" #id ",\"src\":\"" src                                    \
	"\",\"forms\":[\"fmp4\",\"jpeg\"],\"codecs\":\"avc1.640029,hvc1.1.6.L93.B0\"}"

enum { KEY = 1, DAMAGED = 2, BEHIND = 4 }; /* flags of a frame */

struct picture {
	unsigned track, id, flags, version;
	uint32_t seq, duration_us;
	int64_t pts_us, arrived_us, captured_us;
	const uint8_t *payload;
	size_t len;
};

/* A front with stream 1, "door", up. */
struct rig *wall_start(struct loop *loop, json_t *config);
struct feed feed_of(uint32_t id);
/* The supervisor is told next that stream id is wanted, or not. */
void expect_want(struct rig *rig, int id, bool on);
void stream_gone(struct rig *rig, int id);
/* The camera is watched by somebody else: what it sends is in the ring. */
void keep_alive(struct rig *rig, const char *name);

struct peer *open_wall(struct rig *rig);
/* What a message holds, which must be a frame. */
struct picture parse_picture(const struct ws_message *message);
/* The next message is a frame. Its payload is there until the next expectation. */
struct picture next_picture(struct peer *page);
struct picture expect_picture(struct peer *page, unsigned id, unsigned flags);
void expect_state(struct peer *page, int id, const char *state);
const json_t *expect_config(struct peer *page, int id, const char *stream, const char *form);
void expect_error(struct peer *page, int id, const char *code);
/* Nothing is on its way. */
void expect_nothing(struct peer *page);
/* With the answer. */
void unsubscribe(struct peer *page, int id);
void pause_one(struct peer *page, int id, bool on);
/* Returns how many bytes. */
size_t decode_base64(const char *text, uint8_t *out, size_t max);

#endif
