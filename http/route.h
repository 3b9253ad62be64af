/*
 * From a request to its handler: one table of what there is, and one gate before it.
 */
#ifndef CAMHUB_HTTP_ROUTE_H
#define CAMHUB_HTTP_ROUTE_H

#include "http/access_address.h"
#include "http/front.h"
#include "http/gate.h"
#include "http/names.h"
#include "http/stream.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

enum route_action {
	ROUTE_PAGE,   /* pages and their parts */
	ROUTE_VIEW,   /* pictures of a camera */
	ROUTE_LIST,   /* which cameras there are */
	ROUTE_STATUS, /* health and counters */
};

/* Of the table: the endpoint of a stream's WHEP, and one of its sessions; no path is like these. */
#define ROUTE_WHEP         "NAME/whep"
#define ROUTE_WHEP_SESSION "NAME/whep/SESSION"

struct request {
	struct front *front;
	struct evhttp_request *req;
	const char *path;       /* as sent, undecoded */
	struct evkeyvalq query; /* decoded */
	const char *src;        /* ?src=, "" when absent or malformed */
	struct stream *stream;  /* of src, or NULL */
	bool is_head;
	bool is_https;           /* so the viewer's browser came, to us or to a proxy */
	const char *cors_origin; /* the Origin, if it may read answers; or NULL */
	struct evkeyvalq form;   /* what was posted, decoded */
	char scope[STREAM_NAME_MAX +
		   1]; /* path was /SCOPE/...: the addresses of one camera; or "" */
	char whep[STREAM_NAME_MAX + 1];     /* path was /WHEP/whep...; or "" */
	char page[STREAM_NAME_MAX + 2];     /* path, when it is the camera's own page */
	char address[ACCESS_ADDRESS_BYTES]; /* of the client */
	struct gate_identity who;           /* as the gate found */
};

struct route {
	const char *path;
	unsigned methods; /* EVHTTP_REQ_*; POST takes a form, or an offer */
	enum route_action action;
	enum gate_right right;
	bool needs_stream; /* 400 without src, 404 when there is none */
	void (*handle)(struct request *request);
};

/* The table; ends with path NULL. */
extern const struct route routes[];

/* Answer it, or begin to. */
void route_request(struct front *front, struct evhttp_request *req);
/* The same for one that had to wait at the gate. */
void route_resume(struct front *front, struct evhttp_request *req);

/* Whether the viewer's browser speaks https: to us, to a trusted proxy that says so, or to one that
 * shows our pages under a configured origin. */
bool route_is_https(const struct front *front, struct evhttp_request *req);
/* Whose page sent it, as its Origin header says. */
enum names_origin route_origin_of(const struct front *front, struct evhttp_request *req);

#endif
