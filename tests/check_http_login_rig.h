/*
 * For tests of who may see what: users, their tokens, and browsers that ask for something.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_LOGIN_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_LOGIN_RIG_H

#include "http/gate.h"
#include "tests/check_http_rig.h"

#define SESSION_S 20 /* of login_cookie_line() */
#define LINK_ID   "BBBBBBBBBBBBBBBBBBBBBA"
#define WEBSOCKET                                                                                  \
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"               \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OURS "Origin: http://cam.example\r\n"

/* The message access-keys: ann (viewer of door), bob (viewer) and root (operator), with these
 * changes (a JSON object, stolen; NULL: none). */
void login_send_keys(struct rig *rig, json_t *changes);
/* To be deferred by those who send keys without login_start(). */
void login_forget_keys(void *arg);
/* Users, and two cameras that are down. */
struct rig *login_start(struct loop *loop, json_t *changes);
/* Signed with those keys, malloc'd. camera: NULL: none is named. */
char *login_make_token(struct rig *rig, enum token_kind kind, const char *user, const char *camera,
		       int seconds, int viewers);
/* The head of the answer to GET path with these lines, on a connection of its own. */
const char *login_get(struct rig *rig, const char *path, const char *lines);
/* Of the answer to GET path with these lines. */
void login_assert_status(struct rig *rig, const char *path, const char *lines, int status);
/* A session's cookie and our own origin, malloc'd. */
char *login_cookie_line(struct rig *rig, const char *user);
/* The same of the cookie that this answer sets. */
char *login_cookie_of(const char *head);
/* What GET path (api/streams) lists is this camera, and no other. */
void login_assert_only(struct rig *rig, const char *path, const char *lines, const char *camera);
/* A form; the answer is not waited for. */
void login_post(struct peer *browser, const char *path, const char *lines, const char *form);
/* Of the answer, malloc'd. */
char *login_next_head(struct peer *browser);
/* The supervisor reads all the while. */
void login_let_pass(struct rig *rig, int seconds);

#endif
