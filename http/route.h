/*
 * From a request to its handler: one table of what there is, and one gate before it.
 */
#ifndef CAMHUB_HTTP_ROUTE_H
#define CAMHUB_HTTP_ROUTE_H

#include "http/front.h"
#include "http/names.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

enum route_action {
	ROUTE_PAGE,   /* pages and their parts */
	ROUTE_VIEW,   /* pictures of a camera */
	ROUTE_LIST,   /* which cameras there are */
	ROUTE_STATUS, /* health and counters */
};

struct request {
	struct front *front;
	struct evhttp_request *req;
	const char *path;       /* as sent, undecoded */
	struct evkeyvalq query; /* decoded */
	const char *src;        /* ?src=, "" when absent or malformed */
	struct stream *stream;  /* of src, or NULL */
	bool is_head;
	const char *cors_origin; /* the Origin, if it may read answers; or NULL */
};

struct route {
	const char *path;
	unsigned methods; /* EVHTTP_REQ_* */
	enum route_action action;
	bool needs_stream; /* 400 without src, 404 when there is none */
	void (*handle)(struct request *request);
};

/* The table; ends with path NULL. */
extern const struct route routes[];

/* Answer it, or begin to. */
void route_request(struct front *front, struct evhttp_request *req);

/* Whose page sent it, as its Origin header says. */
enum names_origin route_origin_of(const struct front *front, struct evhttp_request *req);

#endif
