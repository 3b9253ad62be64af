/*
 * Sessions begin and end; links become cookies; tickets are given out.
 */
#include "config.h"

#include "http/login.h"

#include "http/access_ask.h"
#include "http/access_tickets.h"
#include "http/audit.h"
#include "http/gate_request.h"
#include "http/handlers.h"
#include "http/pages.h"
#include "http/reply.h"
#include "shared/msg.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define COOKIE_ENDS "; HttpOnly; SameSite=Strict"

static const char *
field(const struct request *request, const char *name)
{
	const char *value = evhttp_find_header(&request->form, name);

	return value != NULL ? value : "";
}

static void
set_cookie(struct request *request, const char *name, const char *value, const char *path,
	   int64_t seconds)
{
	char *line = xasprintf("%s=%s; Path=%s; Max-Age=%lld" COOKIE_ENDS "%s", name, value, path,
			       (long long)seconds, request->is_https ? "; Secure" : "");

	reply_header(request, "Set-Cookie", line);
	OPENSSL_cleanse(line, strlen(line));
	free(line);
}

static void
send_on(struct request *request, const char *to)
{
	char *path = xasprintf("./%s", to);

	if (gate_wants_page(request)) {
		reply_header(request, "Location", path);
		reply_send(request, 303, NULL, NULL, 0);
	} else {
		reply_json(request, 200, json_pack("{s:s}", "next", path));
	}
	free(path);
}

/* Login */

static void
welcome(struct request *request, const char *user, const char *next)
{
	char session[TOKEN_MAX_BYTES];

	if (gate_make_session(request->front->gate, user, session) < 0) {
		reply_error(request, 401, "wrong user name or password");
		return;
	}
	audit_event(request->front, "login", NULL, user, request->address, "");
	set_cookie(request, GATE_COOKIE, session, "/", GATE_SESSION_S);
	OPENSSL_cleanse(session, sizeof(session));
	send_on(request, next);
}

static void
on_checked(struct request *request, enum access_ask_result result,
	   const struct access_password *password, const char *next)
{
	if (result == ACCESS_RIGHT) {
		welcome(request, password->user, next);
	} else if (result == ACCESS_WRONG) {
		audit_event(request->front, "login-failed", NULL, "", request->address, "");
		reply_error(request, 401, "wrong user name or password");
	} else {
		reply_error(request, 503, "too busy to check passwords");
	}
}

static void
check(struct request *request, const char *user, const char *password, const char *next)
{
	struct access_password tried = { .user = "" };
	unsigned wait_s = 0;
	char seconds[16];

	if (!gate_may_try(request->front->gate, request->address, &wait_s)) {
		snprintf(seconds, sizeof(seconds), "%u", wait_s);
		reply_header(request, "Retry-After", seconds);
		reply_error(request, 429, "too many wrong passwords from this address");
		return;
	}
	strcpy(tried.user, user);
	strcpy(tried.password, password);
	access_ask(request, &tried, next, on_checked);
	access_password_wipe(&tried);
}

static void
log_in(struct request *request)
{
	const char *user = field(request, "user"), *password = field(request, "password");
	const char *next = field(request, "next");

	if (!access_is_local_path(next))
		next = "";
	if (gate_origin_of(request) == GATE_ORIGIN_FOREIGN)
		reply_error(request, 403, "log in on our own page");
	else if (gate_is_open(request->front->gate))
		send_on(request, next);
	else if (user[0] == '\0' || strlen(user) > ACCESS_USER_MAX ||
		 strlen(password) > ACCESS_PASSWORD_MAX)
		reply_error(request, 400, "user or password is missing or too long");
	else
		check(request, user, password, next);
}

void
login_page(struct request *request)
{
	if (evhttp_request_get_command(request->req) == EVHTTP_REQ_POST)
		log_in(request);
	else
		pages_send(request, "login.html");
}

void
login_end(struct request *request)
{
	const struct token_claims *claims = &request->who.claims;

	if (request->who.way == GATE_WAY_SESSION) {
		json_t *msg = msg_new(MSG_ACCESS_REVOKE);

		msg_set_str(msg, "id", claims->id);
		msg_set_int(msg, "expires_s", claims->expires_s);
		msg_set_str(msg, "user", claims->user);
		front_send(request->front, msg, -1);
		audit_event(request->front, "logout", &request->who, claims->user, request->address,
			    "");
	}
	set_cookie(request, GATE_COOKIE, "", "/", 0);
	send_on(request, "login");
}

/* Tickets */

void
login_ticket(struct request *request)
{
	struct front *front = request->front;
	char ticket[TOKEN_MAX_BYTES] = "", camera[STREAM_NAME_MAX + 1];
	int rc = 0;

	access_camera_of(request->src, camera, sizeof(camera));
	if (camera[0] == '\0') {
		reply_error(request, 400, "src is missing or no stream name");
		return;
	}
	/* Where nobody has to log in, nothing is looked at. */
	if (!gate_is_open(front->gate))
		rc = gate_make_ticket(front->gate, &request->who, camera, ticket);
	if (rc == -EPERM)
		reply_error(request, 403, "a ticket is not swapped for another one");
	else if (rc < 0)
		reply_error(request, 503, "too many tickets are out");
	else
		reply_json(request, 200,
			   json_pack("{s:s, s:i}", "ticket", ticket, "seconds", ACCESS_TICKET_S));
}

/* Links */

/*
 * Not by a redirect: a browser that was led here by another page (a mail, a chat) sends no strict
 * cookie with what it is redirected to, but with what our own page loads.
 */
static void
swap_link(struct request *request, const char *token)
{
	const struct token_claims *claims = &request->who.claims;
	char name[STREAM_NAME_MAX + 1], *path, *body;
	int64_t seconds = claims->expires_s - gate_now_s(request->front->gate);

	access_camera_of(request->path + 1, name, sizeof(name));
	path = xasprintf("/%s/", name);
	body = xasprintf("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
			 "<meta http-equiv=\"refresh\" content=\"0;url=%s\"><title>Camera</title>"
			 "</head><body><p><a href=\"%s\">Go on</a></p></body></html>\n",
			 path, path);
	set_cookie(request, GATE_LINK_COOKIE, token, path, seconds);
	audit_event(request->front, "link", &request->who, "", request->address, name);
	reply_send(request, 200, "text/html; charset=utf-8", body, strlen(body));
	free(body);
	free(path);
}

void
login_camera_page(struct request *request)
{
	const char *token = evhttp_find_header(&request->query, "token");

	if (request->who.is_from_url && token != NULL)
		swap_link(request, token);
	else
		pages_send(request, "camera.html");
}
