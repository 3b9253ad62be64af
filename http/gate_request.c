/*
 * From headers to facts, from verdicts to answers.
 */
#include "config.h"

#include "http/gate_request.h"

#include "http/access_ask.h"
#include "http/audit.h"
#include "http/listen.h"
#include "http/reply.h"
#include "shared/xalloc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NEXT_MAX 512
#define REALM    "realm=\"camhub\", charset=\"UTF-8\""

static const char *
header(const struct request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->req), name);
}

/* Addresses */

/* All lines of that name, joined; malloc'd, NULL: none. */
static char *
join_lines(const struct request *request, const char *name)
{
	const struct evkeyval *line;
	char *joined = NULL, *longer;

	for (line = evhttp_request_get_input_headers(request->req)->tqh_first; line != NULL;
	     line = line->next.tqe_next) {
		if (strcasecmp(line->key, name) != 0)
			continue;
		longer =
		    joined != NULL ? xasprintf("%s,%s", joined, line->value) : xstrdup(line->value);
		free(joined);
		joined = longer;
	}
	return joined;
}

static const char *
peer_of(struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	char *peer = NULL;
	ev_uint16_t port;

	if (evcon != NULL)
		evhttp_connection_get_peer(evcon, &peer, &port);
	return peer != NULL ? peer : "";
}

static bool
is_proxy(const struct gate *gate, const char *peer)
{
	char *const *net = gate_proxy_from(gate);

	for (; net != NULL && *net != NULL; net++)
		if (access_address_is_in(peer, *net))
			return true;
	return false;
}

/* false: too many connections are there for it. */
static bool
find_address(struct request *request)
{
	const struct gate *gate = request->front->gate;
	const char *name = gate_proxy_header(gate), *peer = peer_of(request->req);
	char *forwarded = name != NULL ? join_lines(request, name) : NULL;

	access_address_of(peer, gate_proxy_from(gate), forwarded, request->address);
	free(forwarded);
	return name == NULL || !is_proxy(gate, peer) ||
	       listeners_count_as(request->front->listeners, request->req, request->address);
}

/* Facts */

/* Of a proxy's headers two lines are none: one may be the viewer's own. */
static const char *
only_line(struct evhttp_request *req, const char *name)
{
	const struct evkeyval *line;
	const char *value = NULL;
	unsigned n = 0;

	for (line = evhttp_request_get_input_headers(req)->tqh_first; line != NULL;
	     line = line->next.tqe_next) {
		if (strcasecmp(line->key, name) != 0)
			continue;
		value = line->value;
		n++;
	}
	return n == 1 ? value : NULL;
}

/* The proxy's word on who it is. */
static const char *
proxy_user_of(const struct request *request)
{
	const struct gate *gate = request->front->gate;
	const char *name = gate_proxy_user_header(gate);

	if (name == NULL || !is_proxy(gate, peer_of(request->req)))
		return NULL;
	return only_line(request->req, name);
}

bool
gate_proxy_says_https(const struct front *front, struct evhttp_request *req)
{
	const char *scheme = only_line(req, "X-Forwarded-Proto");

	return scheme != NULL && strcasecmp(scheme, "https") == 0 &&
	       is_proxy(front->gate, peer_of(req));
}

enum gate_origin
gate_origin_of(const struct request *request)
{
	switch (route_origin_of(request->front, request->req)) {
	case NAMES_NO_ORIGIN:
		return GATE_ORIGIN_NONE;
	case NAMES_OWN_ORIGIN:
		return GATE_ORIGIN_OURS;
	default:
		return GATE_ORIGIN_FOREIGN;
	}
}

/* What browsers say of the page that asks (Fetch Metadata). To be led here by one is nothing bad.
 */
static bool
is_cross_site(const struct request *request)
{
	const char *site = header(request, "Sec-Fetch-Site");
	const char *mode = header(request, "Sec-Fetch-Mode");

	if (site == NULL)
		return false;
	if (strcmp(site, "same-site") == 0)
		return mode == NULL || strcmp(mode, "navigate") != 0;
	return strcmp(site, "cross-site") == 0;
}

static const char *
field(const struct request *request, const char *name)
{
	const char *posted = evhttp_find_header(&request->form, name);

	return posted != NULL ? posted : evhttp_find_header(&request->query, name);
}

static struct gate_facts
facts_of(const struct request *request)
{
	int command = evhttp_request_get_command(request->req);
	struct gate_facts facts = {
		.address = request->address,
		.authorization = header(request, "Authorization"),
		.cookies = header(request, "Cookie"),
		.proxy_user = proxy_user_of(request),
		.token = field(request, "token"),
		.ticket = evhttp_find_header(&request->query, "ticket"),
		.scope = request->scope[0] != '\0' ? request->scope : NULL,
		.is_upgrade = header(request, "Upgrade") != NULL,
		.is_change = command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD,
		.origin = gate_origin_of(request),
		.is_cross_site = is_cross_site(request),
	};

	return facts;
}

/* Answers */

bool
gate_wants_page(const struct request *request)
{
	const char *accept = header(request, "Accept");

	return accept != NULL && strstr(accept, "text/html") != NULL;
}

/* A browser would ask for the password itself, in words of its own, and never forget it. */
static bool
is_browser(const struct request *request)
{
	const char *agent = header(request, "User-Agent");

	return agent != NULL && strncmp(agent, "Mozilla/", 8) == 0;
}

static void
send_to_login(struct request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->req);
	const char *query = evhttp_uri_get_query(uri);
	char *next = xasprintf("%s%s%s", request->path + 1, query != NULL ? "?" : "",
			       query != NULL ? query : "");
	char *encoded = evhttp_uriencode(next, -1, 0), *to;

	if (encoded == NULL)
		xalloc_die();
	/* Not from the root: a proxy may show us below some path of its own. */
	if (request->scope[0] != '\0')
		to = xstrdup("../login");
	else if (next[0] == '\0' || strlen(next) > NEXT_MAX)
		to = xstrdup("login");
	else
		to = xasprintf("login?next=%s", encoded);
	reply_header(request, "Location", to);
	reply_send(request, 303, NULL, NULL, 0);
	free(to);
	free(encoded);
	free(next);
}

static void
refuse_login(struct request *request, const char *reason)
{
	if (!is_browser(request))
		reply_header(request, "WWW-Authenticate", "Basic " REALM);
	reply_header(request, "WWW-Authenticate", "Bearer " REALM);
	reply_error(request, 401, reason);
}

static void
refuse_slow(struct request *request, const struct gate_answer *answer)
{
	char seconds[16];

	snprintf(seconds, sizeof(seconds), "%u", answer->wait_s);
	reply_header(request, "Retry-After", seconds);
	reply_error(request, 429, answer->reason);
}

/* A password came along with the request. */
static void
on_password(struct request *request, enum access_ask_result result,
	    const struct access_password *password, const char *note)
{
	(void)note;
	if (result == ACCESS_RIGHT) {
		audit_event(request->front, "login", NULL, password->user, request->address, "");
		route_resume(request->front, request->req);
	} else if (result == ACCESS_WRONG) {
		audit_event(request->front, "login-failed", NULL, "", request->address, "");
		refuse_login(request, "wrong user name or password");
	} else {
		reply_error(request, 503, "too busy to check passwords");
	}
}

static void
refuse(struct request *request, const struct route *route, struct gate_answer *answer)
{
	switch (answer->verdict) {
	case GATE_ASK:
		access_ask(request, &answer->password, "", on_password);
		access_password_wipe(&answer->password);
		return;
	case GATE_LOGIN:
		if (route->action == ROUTE_PAGE && gate_wants_page(request))
			send_to_login(request);
		else
			refuse_login(request, answer->reason);
		return;
	case GATE_SLOW:
		refuse_slow(request, answer);
		return;
	case GATE_WAIT:
		reply_error(request, 503, answer->reason);
		return;
	default:
		audit_event(request->front, "denied", NULL, "", request->address, request->src);
		reply_error(request, 403, answer->reason);
		return;
	}
}

bool
gate_lets_in(struct request *request, const struct route *route)
{
	char camera[STREAM_NAME_MAX + 1] = "";
	struct gate_answer answer;
	struct gate_facts facts;

	if (!find_address(request)) {
		reply_header(request, "Connection", "close");
		reply_error(request, 429, "too many connections from this address");
		return false;
	}
	facts = facts_of(request);
	if (route->right == GATE_VIEW_CAMERA)
		access_camera_of(route->path[0] == '\0' ? request->path + 1 : request->src, camera,
				 sizeof(camera));
	gate_decide(request->front->gate, &facts, route->right, camera, &answer);
	if (answer.verdict == GATE_ALLOW)
		request->who = answer.who;
	else
		refuse(request, route, &answer);
	return answer.verdict == GATE_ALLOW;
}

bool
gate_shows(const struct request *request, const char *stream)
{
	char camera[STREAM_NAME_MAX + 1];

	access_camera_of(stream, camera, sizeof(camera));
	return gate_may_see(request->front->gate, &request->who, camera);
}
