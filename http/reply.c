/*
 * Answers through evhttp.
 */
#include "config.h"

#include "http/reply.h"

#include "http/headers.h"
#include "http/listen.h"
#include "shared/xalloc.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

static const char *
reason_of(int code)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].text;
	return "Error";
}

static struct evkeyvalq *
headers_of(const struct request *request)
{
	return evhttp_request_get_output_headers(request->req);
}

void
reply_header(struct request *request, const char *name, const char *value)
{
	evhttp_add_header(headers_of(request), name, value);
}

static void
add_standard_headers(struct request *request, const char *type, size_t len)
{
	char length[32];

	snprintf(length, sizeof(length), "%zu", len);
	if (type != NULL) {
		reply_header(request, "Content-Type", type);
		reply_header(request, "Content-Length", length);
	}
	reply_header(request, "X-Content-Type-Options", HEADERS_NOSNIFF);
	reply_header(request, "Referrer-Policy", HEADERS_REFERRER);
	if (request->front->csp != NULL)
		reply_header(request, "Content-Security-Policy", request->front->csp);
	if (request->front->config.hsts)
		reply_header(request, "Strict-Transport-Security", HEADERS_HSTS);
	if (evhttp_find_header(headers_of(request), "Cache-Control") == NULL)
		reply_header(request, "Cache-Control", "no-store");
	/* This process is about to leave; the next request is for the one in its place. */
	if (request->front->drain != NULL &&
	    evhttp_find_header(headers_of(request), "Connection") == NULL)
		reply_header(request, "Connection", "close");
	if (request->cors_origin != NULL) {
		reply_header(request, "Access-Control-Allow-Origin", request->cors_origin);
		reply_header(request, "Vary", "Origin");
	}
}

void
reply_send(struct request *request, int code, const char *type, const void *body, size_t len)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer == NULL)
		xalloc_die();
	add_standard_headers(request, type, len);
	if (len > 0 && !request->is_head && code != 304)
		evbuffer_add(buffer, body, len);
	listeners_on_reply(request->front->listeners, request->req);
	evhttp_send_reply(request->req, code, reason_of(code), buffer);
	evbuffer_free(buffer);
}

void
reply_json(struct request *request, int code, json_t *json)
{
	char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

	if (text == NULL)
		xalloc_die();
	reply_send(request, code, "application/json", text, strlen(text));
	free(text);
	json_decref(json);
}

void
reply_error(struct request *request, int code, const char *text)
{
	if (code == 429 || code == 503 || code == 504)
		reply_header(request, "Retry-After", "2");
	if ((code == 400 || code == 405) &&
	    evhttp_find_header(headers_of(request), "Connection") == NULL)
		reply_header(request, "Connection", "close");
	reply_json(request, code, json_pack("{s:s}", "error", text));
}

char *
reply_cors_lines(const struct request *request)
{
	if (request->cors_origin == NULL)
		return NULL;
	return xasprintf("Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n",
			 request->cors_origin);
}
