/*
 * Requests at the gate: what they say of their sender, and what those hear who may not come in.
 */
#ifndef CAMHUB_HTTP_GATE_REQUEST_H
#define CAMHUB_HTTP_GATE_REQUEST_H

#include "http/route.h"

/* Fills request->address and request->who. true: it may go on; false: it was answered, or will be.
 */
bool gate_lets_in(struct request *request, const struct route *route);

/* Whether this request, let in, may see the stream; as gate_may_see(). */
bool gate_shows(const struct request *request, const char *stream);

/* Whether a page is asked for by somebody who reads it. */
bool gate_wants_page(const struct request *request);
/* Whether it came through a trusted proxy that says so in its one X-Forwarded-Proto. */
bool gate_proxy_says_https(const struct front *front, struct evhttp_request *req);
/* What the request came from; for what changes something. */
enum gate_origin gate_origin_of(const struct request *request);

#endif
