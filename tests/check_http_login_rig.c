/*
 * See the header.
 */
#include "config.h"

#include "tests/check_http_login_rig.h"

#include "shared/xalloc.h"

#include <string.h>

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct token_keys keys;

void
login_send_keys(struct rig *rig, json_t *changes)
{
	json_t *msg = json_pack("{s:s, s:b, s:s, s:[], s:[s, s, s]}", "type", "access-keys",
				"required", 1, "current", KEY, "revoked", "users",
				"ann viewer door", "bob viewer *", "root operator *");

	if (changes != NULL) {
		json_object_update(msg, changes);
		json_decref(changes);
	}
	ck_assert_int_eq(token_keys_from_msg(msg, &keys), 0);
	peer_send_msg(rig->sup, msg, -1);
	peer_run(rig->sup, 0);
	loop_settle(rig->loop);
}

void
login_forget_keys(void *arg)
{
	(void)arg;
	token_keys_clear(&keys);
}

struct rig *
login_start(struct loop *loop, json_t *changes)
{
	struct rig *rig = rig_start(loop, NULL);

	harness_defer(login_forget_keys, NULL);
	login_send_keys(rig, changes);
	rig_stream(rig, 1, "door", "down", "no route");
	rig_stream(rig, 2, "yard", "down", "no route");
	rig_synced(rig);
	return rig;
}

char *
login_make_token(struct rig *rig, enum token_kind kind, const char *user, const char *camera,
		 int seconds, int viewers)
{
	char text[TOKEN_MAX_BYTES];
	struct token_claims claims = { .kind = kind, .id = LINK_ID, .viewers = viewers };

	claims.expires_s = front_now_ms(rig->front) / 1000 + seconds;
	strcpy(claims.user, user);
	claims.generation = kind == TOKEN_SESSION;
	if (camera != NULL) {
		strcpy(claims.cameras[0], camera);
		claims.n_cameras = 1;
	}
	ck_assert_int_eq(token_make(&keys, &claims, text, sizeof(text)), 0);
	return xstrdup(text);
}

const char *
login_get(struct rig *rig, const char *path, const char *lines)
{
	return rig_get(rig_connect(rig), path, lines);
}

void
login_assert_status(struct rig *rig, const char *path, const char *lines, int status)
{
	const char *head = login_get(rig, path, lines);

	ck_assert_msg(atoi(head + 9) == status, "%s, %s: %d expected, %s", path, lines, status,
		      head);
}

char *
login_cookie_line(struct rig *rig, const char *user)
{
	char *session = login_make_token(rig, TOKEN_SESSION, user, NULL, SESSION_S, 0);
	char *line = xasprintf("Cookie: " GATE_COOKIE "=%s\r\n" OURS, session);

	free(session);
	return line;
}

char *
login_cookie_of(const char *head)
{
	const char *cookie = rig_header(head, "Set-Cookie");

	return xasprintf("Cookie: %.*s\r\n" OURS, (int)strcspn(cookie, ";"), cookie);
}

void
login_assert_only(struct rig *rig, const char *path, const char *lines, const char *camera)
{
	struct peer *browser = rig_connect(rig);
	char *head = xstrdup(rig_get(browser, path, lines));
	json_t *list = json_loads(rig_body(browser, head, NULL), 0, NULL);

	ck_assert_uint_eq(json_object_size(list), 1);
	ck_assert_ptr_nonnull(json_object_get(list, camera));
	json_decref(list);
	free(head);
}

void
login_post(struct peer *browser, const char *path, const char *lines, const char *form)
{
	char *request = xasprintf("POST %s HTTP/1.1\r\nHost: cam.example\r\n%s"
				  "Content-Type: application/x-www-form-urlencoded\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  path, lines, strlen(form), form);

	peer_send_text(browser, request);
	peer_run(browser, 0);
	free(request);
}

char *
login_next_head(struct peer *browser)
{
	peer_expect_until(browser, "\r\n\r\n", "HTTP/1.1 ");
	peer_run(browser, 0);
	return xstrdup(peer_last(browser, NULL));
}

void
login_let_pass(struct rig *rig, int seconds)
{
	while (seconds-- > 0) {
		loop_run_for_ms(rig->loop, 1000);
		peer_assert_no_msg(rig->sup);
	}
}
