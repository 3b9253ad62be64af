/*
 * The route table and the way through it.
 */
#include "config.h"

#include "http/route.h"

#include "http/handlers.h"
#include "http/listen.h"
#include "http/names.h"
#include "http/pages.h"
#include "http/reply.h"
#include "http/stream.h"
#include "shared/xalloc.h"

#include <string.h>
#include <strings.h>

#define READ (EVHTTP_REQ_GET | EVHTTP_REQ_HEAD)

/* clang-format off */
const struct route routes[] = {
	{ "/",			 READ,		 ROUTE_PAGE,   false, pages_wall },
	{ "/api",		 READ,		 ROUTE_LIST,   false, api_info },
	{ "/api/streams",	 READ,		 ROUTE_LIST,   false, api_streams },
	{ "/api/ws",		 EVHTTP_REQ_GET, ROUTE_VIEW,   false, view_ws },
	{ "/api/stream.mp4",	 READ,		 ROUTE_VIEW,   true,  view_mp4 },
	{ "/api/stream.mjpeg",	 READ,		 ROUTE_VIEW,   true,  view_mjpeg },
	{ "/api/frame.jpeg",	 READ,		 ROUTE_VIEW,   true,  view_frame },
	{ "/ws",		 EVHTTP_REQ_GET, ROUTE_VIEW,   false, view_wall },
	{ "/healthz",		 READ,		 ROUTE_STATUS, false, api_health },
	{ "/metrics",		 READ,		 ROUTE_STATUS, false, api_metrics },
	{ NULL,			 0,		 ROUTE_PAGE,   false, NULL },
};

/* What is not in the table: assets by name, and the pages of cameras. */
static const struct route other = { "", READ, ROUTE_PAGE, false, pages_other };
/* clang-format on */

static const struct route *
find_route(const char *path)
{
	for (const struct route *route = routes; route->path != NULL; route++)
		if (strcmp(route->path, path) == 0)
			return route;
	return &other;
}

/*
 * The one place that decides who may do what. Nobody has to log in yet, so it is always yes; the
 * supervisor keeps such a front off foreign addresses.
 */
static int
gate(const struct request *request, const struct route *route)
{
	(void)request;
	(void)route;
	return 0;
}

/* Origins */

enum names_origin
route_origin_of(const struct front *front, struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const struct names_origins known = {
		.host = evhttp_find_header(headers, "Host"),
		.is_tls = listeners_tls(front->listeners) != NULL,
		.own = front->config.own_origins,
		.embed = front->config.origins,
	};

	return names_origin_of(evhttp_find_header(headers, "Origin"), &known);
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
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *length = evhttp_find_header(headers, "Content-Length");
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);

	if (uri == NULL || evhttp_uri_get_path(uri) == NULL || evhttp_uri_get_path(uri)[0] != '/')
		return "not a path";
	if (evhttp_uri_get_host(uri) != NULL)
		return "this is no proxy";
	if (evhttp_find_header(headers, "Transfer-Encoding") != NULL ||
	    (length != NULL && strcmp(length, "0") != 0))
		return "a body is not wanted";
	if (count_header(req, "Host") > 1 || count_header(req, "Origin") > 1)
		return "a header that must be single is there twice";
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

static void
refuse_method(struct request *request, const struct route *route)
{
	reply_header(request, "Allow", route->methods & EVHTTP_REQ_HEAD ? "GET, HEAD" : "GET");
	reply_error(request, 405, "method not allowed");
}

static void
dispatch(struct request *request)
{
	const struct route *route = find_route(request->path);
	int denied;

	if (!(route->methods & evhttp_request_get_command(request->req))) {
		refuse_method(request, route);
		return;
	}
	denied = gate(request, route);
	if (denied != 0)
		reply_error(request, denied, "not allowed");
	else if (route->action == ROUTE_VIEW && !front_is_ready(request->front))
		reply_error(request, 503, "starting");
	else if (route->needs_stream && request->src[0] == '\0')
		reply_error(request, 400, "src is missing or no stream name");
	else if (route->needs_stream && request->stream == NULL)
		reply_error(request, 404, "stream not found");
	else
		route->handle(request);
}

/* A page of anybody can have its own name lead here; what it asks then is not for us. */
static bool
is_ours(const struct front *front, const char *host)
{
	return names_host_is_allowed(host, front->config.hosts);
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
		reply_header(request, "Allow", "GET, HEAD");
	reply_header(request, "Connection", "close");
	reply_error(request, status, text);
}

void
route_request(struct front *front, struct evhttp_request *req)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct request request = { .front = front, .req = req };
	const char *fault = find_fault(req);
	int refused = listeners_refusal(front->listeners, req);

	front->requests++;
	TAILQ_INIT(&request.query);
	request.is_head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
	if (refused != 0) {
		refuse_connection(&request, refused);
		return;
	}
	if (fault != NULL) {
		reply_error(&request, 400, fault);
		return;
	}
	if (!is_ours(front, evhttp_find_header(headers, "Host"))) {
		reply_header(&request, "Connection", "close");
		reply_error(&request, 421,
			    "this name is not known here: name it in http: hosts: to use it");
		return;
	}
	request.path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	if (route_origin_of(front, req) == NAMES_LISTED_ORIGIN)
		request.cors_origin = evhttp_find_header(headers, "Origin");
	read_query(&request);
	dispatch(&request);
	evhttp_clear_headers(&request.query);
}
