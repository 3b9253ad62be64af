/*
 * The route table and the way through it.
 */
#include "config.h"

#include "http/route.h"

#include "http/gate_request.h"
#include "http/handlers.h"
#include "http/listen.h"
#include "http/names.h"
#include "http/pages.h"
#include "http/reply.h"
#include "http/stream.h"
#include "http/whep.h"
#include "shared/xalloc.h"

#include <event2/buffer.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define READ      (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD)
#define FORM_TYPE "application/x-www-form-urlencoded"

#define POST      EVHTTP_REQ_POST
#define OPTIONS   EVHTTP_REQ_OPTIONS
#define PATCH     EVHTTP_REQ_PATCH
#define DELETE    EVHTTP_REQ_DELETE
#define FORM_MAX  4096 /* bytes; offers may be longer */

/* clang-format off */
const struct route routes[] = {
	{ "/",			 READ,		 ROUTE_PAGE,   GATE_VIEW,	 false, pages_wall },
	{ "/login",		 READ | POST,	 ROUTE_PAGE,   GATE_PUBLIC,	 false, login_page },
	{ "/logout",		 POST,		 ROUTE_STATUS, GATE_VIEW,	 false, login_end },
	{ "/api",		 READ,		 ROUTE_LIST,   GATE_VIEW,	 false, api_info },
	{ "/api/streams",	 READ,		 ROUTE_LIST,   GATE_VIEW,	 false, api_streams },
	{ "/api/analysers",	 READ,		 ROUTE_LIST,   GATE_OPERATE,	 false, api_analysers },
	{ "/api/ticket",	 POST,		 ROUTE_LIST,   GATE_VIEW_CAMERA, false, login_ticket },
	{ "/api/ws",		 EVHTTP_REQ_GET, ROUTE_VIEW,   GATE_VIEW_CAMERA, false, view_ws },
	{ "/api/stream.mp4",	 READ,		 ROUTE_VIEW,   GATE_VIEW_CAMERA, true,  view_mp4 },
	{ "/api/stream.mjpeg",	 READ,		 ROUTE_VIEW,   GATE_VIEW_CAMERA, true,  view_mjpeg },
	{ "/api/frame.jpeg",	 READ,		 ROUTE_VIEW,   GATE_VIEW_CAMERA, true,  view_frame },
	{ "/api/webrtc",	 POST | OPTIONS, ROUTE_VIEW,   GATE_VIEW_CAMERA, true,  whep_api },
	{ "/ws",		 EVHTTP_REQ_GET, ROUTE_VIEW,   GATE_VIEW,	 false, view_wall },
	{ "/healthz",		 READ,		 ROUTE_STATUS, GATE_PUBLIC,	 false, api_health },
	{ "/metrics",		 READ,		 ROUTE_STATUS, GATE_OPERATE,	 false, api_metrics },
	/* NAME is the camera's, and stands for ?src=. */
	{ ROUTE_WHEP,		 POST | OPTIONS, ROUTE_VIEW,   GATE_VIEW_CAMERA, true,  whep_endpoint },
	{ ROUTE_WHEP_SESSION,	 PATCH | DELETE | OPTIONS, ROUTE_VIEW, GATE_VIEW_CAMERA, true, whep_session },
	{ NULL,			 0,		 ROUTE_PAGE,   GATE_CLOSED,	 false, NULL },
};

/* What is not in the table: parts of pages, which show nothing; the pages of cameras; the rest. */
static const struct route part = { "", READ, ROUTE_PAGE, GATE_PUBLIC, false, pages_other };
static const struct route page = { "", READ, ROUTE_PAGE, GATE_VIEW_CAMERA, false, pages_other };
static const struct route other = { "", READ, ROUTE_PAGE, GATE_VIEW, false, pages_other };
/* clang-format on */

static const struct route *
find_route(const struct front *front, const char *path)
{
	for (const struct route *route = routes; route->path != NULL; route++)
		if (strcmp(route->path, path) == 0)
			return route;
	if (pages_has(front, path + 1))
		return &part;
	return stream_is_name(path + 1) ? &page : &other;
}

/* /NAME/whep and what is below it, before any other reading of the path. */
static const struct route *
find_whep(struct request *request, const char *path)
{
	const char *session, *name;

	if (!whep_parse_path(path, request->whep, &session))
		return NULL;
	request->path = path;
	request->src = request->whep;
	request->stream = stream_find(request->front, request->whep);
	/* As below any camera's address: a link's cookie is good for it. */
	if (!gate_is_open(request->front->gate) && strchr(request->whep, '.') == NULL)
		snprintf(request->scope, sizeof(request->scope), "%s", request->whep);
	name = session != NULL ? ROUTE_WHEP_SESSION : ROUTE_WHEP;
	for (const struct route *route = routes; route->path != NULL; route++)
		if (strcmp(route->path, name) == 0)
			return route;
	return NULL;
}

/*
 * /door/...: the addresses below the page of a camera are those of the whole server, for whoever
 * may see no more than that camera. A link's cookie is sent to these, and nowhere else.
 */
static void
enter_scope(struct request *request, const char *path)
{
	size_t len = strcspn(path + 1, "/");

	request->path = path;
	if (gate_is_open(request->front->gate) || path[1 + len] != '/' || len > STREAM_NAME_MAX ||
	    find_route(request->front, path) != &other)
		return;
	snprintf(request->scope, sizeof(request->scope), "%.*s", (int)len, path + 1);
	if (!stream_is_name(request->scope) || strchr(request->scope, '.') != NULL) {
		request->scope[0] = '\0';
		return;
	}
	request->path = path + 1 + len;
	if (strcmp(request->path, "/") == 0) {
		snprintf(request->page, sizeof(request->page), "/%s", request->scope);
		request->path = request->page;
	}
}

/* Origins */

static bool
is_https(const struct front *front, struct evhttp_request *req)
{
	return listeners_tls(front->listeners) != NULL || gate_proxy_says_https(front, req);
}

enum names_origin
route_origin_of(const struct front *front, struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const struct names_origins known = {
		.host = evhttp_find_header(headers, "Host"),
		.is_https = is_https(front, req),
		.own = front->config.own_origins,
		.embed = front->config.origins,
	};

	return names_origin_of(evhttp_find_header(headers, "Origin"), &known);
}

bool
route_is_https(const struct front *front, struct evhttp_request *req)
{
	const char *origin = evhttp_find_header(evhttp_request_get_input_headers(req), "Origin");

	if (is_https(front, req))
		return true;
	/* A page of ours: then it is one of those that are configured. */
	return origin != NULL && strncasecmp(origin, "https://", 8) == 0 &&
	       route_origin_of(front, req) == NAMES_OWN_ORIGIN;
}

/* Requests */

static unsigned
count_header(struct evhttp_request *req, const char *name)
{
	const struct evkeyval *header;
	unsigned n = 0;

	for (header = evhttp_request_get_input_headers(req)->tqh_first; header != NULL;
	     header = header->next.tqe_next)
		n += strcasecmp(header->key, name) == 0;
	return n;
}

/* NULL: fine; else what is wrong with it. */
static const char *
find_fault(struct evhttp_request *req)
{
	static const char *const single[] = { "Host",           "Origin", "Authorization",
					      "Content-Length", "Cookie", "Content-Type" };
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);

	if (uri == NULL || evhttp_uri_get_path(uri) == NULL || evhttp_uri_get_path(uri)[0] != '/')
		return "not a path";
	if (evhttp_uri_get_host(uri) != NULL)
		return "this is no proxy";
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (count_header(req, single[i]) > 1)
			return "a header that must be single is there twice";
	return NULL;
}

/* The same for its body: only what takes one may have it, of a length that is told before. */
static const char *
find_body_fault(struct evhttp_request *req, const struct route *route)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *length = evhttp_find_header(headers, "Content-Length");
	int command = evhttp_request_get_command(req);
	bool may = (command == POST || command == PATCH) && (route->methods & command);

	if (evhttp_find_header(headers, "Transfer-Encoding") != NULL ||
	    (!may && length != NULL && strcmp(length, "0") != 0))
		return "a body is not wanted";
	return NULL;
}

/* Who looks at the one must not let through who means the other. */
static bool
has_two(const struct evkeyvalq *query, const char *name)
{
	const struct evkeyval *pair;
	unsigned n = 0;

	for (pair = TAILQ_FIRST(query); pair != NULL; pair = TAILQ_NEXT(pair, next))
		n += strcmp(pair->key, name) == 0;
	return n > 1;
}

static void
read_query(struct request *request)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->req);
	const char *query = evhttp_uri_get_query(uri), *src;

	TAILQ_INIT(&request->query);
	request->src = "";
	if (query == NULL || evhttp_parse_query_str(query, &request->query) < 0)
		return;
	src = evhttp_find_header(&request->query, "src");
	if (has_two(&request->query, "src"))
		return;
	if (src != NULL && stream_is_name(src)) {
		request->src = src;
		request->stream = stream_find(request->front, src);
	}
}

/* A form, as pages post it; what is none stays empty. */
static void
read_form(struct request *request)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request->req);
	const char *type =
	    evhttp_find_header(evhttp_request_get_input_headers(request->req), "Content-Type");
	size_t len = evbuffer_get_length(body);
	char *text;

	if (type == NULL || strncasecmp(type, FORM_TYPE, strlen(FORM_TYPE)) != 0 || len == 0)
		return;
	text = xmalloc(len + 1);
	/* Copied, not taken: a request that waits at the gate is read again. */
	evbuffer_copyout(body, text, len);
	text[len] = '\0';
	if (strlen(text) == len)
		(void)evhttp_parse_query_str(text, &request->form);
	OPENSSL_cleanse(text, len);
	free(text);
}

/* It may be a password. */
static void
wipe_form(struct evkeyvalq *form)
{
	const struct evkeyval *field;

	for (field = form->tqh_first; field != NULL; field = field->next.tqe_next)
		OPENSSL_cleanse(field->value, strlen(field->value));
	evhttp_clear_headers(form);
}

/* "GET, HEAD" */
static void
name_methods(const struct route *route, char *text, size_t size)
{
	static const struct {
		unsigned method;
		const char *name;
	} methods[] = {
		{ EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_HEAD, "HEAD" }, { POST, "POST" },
		{ PATCH, "PATCH" },        { DELETE, "DELETE" },        { OPTIONS, "OPTIONS" },
	};
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (route->methods & methods[i].method)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "",
						methods[i].name);
}

static void
refuse_method(struct request *request, const struct route *route)
{
	char allow[64];

	name_methods(route, allow, sizeof(allow));
	reply_header(request, "Allow", allow);
	reply_error(request, 405, "method not allowed");
}

/* A browser asks what another site's page may send. It names nobody, and learns nothing. */
static bool
is_preflight(const struct request *request)
{
	return evhttp_request_get_command(request->req) == OPTIONS &&
	       evhttp_find_header(evhttp_request_get_input_headers(request->req),
				  "Access-Control-Request-Method") != NULL;
}

static void
answer_preflight(struct request *request, const struct route *route)
{
	char methods[64];

	name_methods(route, methods, sizeof(methods));
	whep_preflight(request, methods);
}

static void
serve(struct request *request, const struct route *route)
{
	if (request->scope[0] != '\0' && stream_find(request->front, request->scope) == NULL)
		reply_error(request, 404, "not found");
	else if (route->action == ROUTE_VIEW && !front_is_ready(request->front))
		reply_error(request, 503, "starting");
	else if (route->needs_stream && request->src[0] == '\0')
		reply_error(request, 400, "src is missing or no stream name");
	else if (route->needs_stream && request->stream == NULL)
		reply_error(request, 404, "stream not found");
	else
		route->handle(request);
}

static size_t
body_bytes(const struct request *request)
{
	return evbuffer_get_length(evhttp_request_get_input_buffer(request->req));
}

static void
dispatch(struct request *request, const char *path)
{
	const struct route *route;
	const char *fault;

	route = find_whep(request, path);
	if (route == NULL) {
		enter_scope(request, path);
		route = find_route(request->front, request->path);
	}
	fault = find_body_fault(request->req, route);
	if (fault != NULL) {
		reply_error(request, 400, fault);
		return;
	}
	if (!(route->methods & evhttp_request_get_command(request->req))) {
		refuse_method(request, route);
		return;
	}
	/* A view's is an offer, which looks after itself. */
	if (route->action != ROUTE_VIEW && body_bytes(request) > FORM_MAX) {
		reply_error(request, 413, "the form is too large");
		return;
	}
	if (is_preflight(request)) {
		answer_preflight(request, route);
		return;
	}
	read_form(request);
	if (gate_lets_in(request, route))
		serve(request, route);
}

/* A page of anybody can have its own name lead here; what it asks then is not for us. */
static bool
is_ours(const struct front *front, const char *host)
{
	bool is_local = gate_is_open(front->gate) && !front->is_reached;

	return names_host_is_allowed(host, front->config.hosts, is_local);
}

/* Its connection ends with the answer: the next one may be luckier. */
static void
refuse_connection(struct request *request, int status)
{
	static const struct {
		int status;
		const char *text;
	} words[] = {
		{ 400, "malformed request" },
		{ 405, "method not allowed" },
		{ 413, "the body is too large" },
		{ 414, "the request line is too long" },
		{ 417, "no expectations, please" },
		{ 429, "too many connections from this address" },
		{ 431, "the header is too large" },
		{ 503, "too many connections" },
	};
	const char *text = "refused";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].status == status)
			text = words[i].text;
	if (status == 405)
		reply_header(request, "Allow", "GET, HEAD, POST");
	reply_header(request, "Connection", "close");
	reply_error(request, status, text);
}

/* Answers what is wrong, whoever asks. */
static bool
is_refused(struct request *request)
{
	const char *fault = find_fault(request->req);
	int refused = listeners_refusal(request->front->listeners, request->req);

	if (refused != 0) {
		refuse_connection(request, refused);
	} else if (fault != NULL) {
		reply_error(request, 400, fault);
	} else if (!is_ours(request->front,
			    evhttp_find_header(evhttp_request_get_input_headers(request->req),
					       "Host"))) {
		reply_header(request, "Connection", "close");
		reply_error(request, 421,
			    "this name is not known here: name it in http: hosts: to use it");
	} else {
		return false;
	}
	return true;
}

void
route_resume(struct front *front, struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct request request = { .front = front, .req = req };

	TAILQ_INIT(&request.query);
	TAILQ_INIT(&request.form);
	request.is_head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
	if (is_refused(&request))
		return;
	request.is_https = route_is_https(front, req);
	if (route_origin_of(front, req) == NAMES_LISTED_ORIGIN)
		request.cors_origin = evhttp_find_header(headers, "Origin");
	read_query(&request);
	dispatch(&request, evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req)));
	evhttp_clear_headers(&request.query);
	wipe_form(&request.form);
}

void
route_request(struct front *front, struct evhttp_request *req)
{
	front->requests++;
	route_resume(front, req);
}
