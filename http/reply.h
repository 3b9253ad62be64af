/*
 * Answers through evhttp, each with the headers that every answer has.
 */
#ifndef CAMHUB_HTTP_REPLY_H
#define CAMHUB_HTTP_REPLY_H

#include "http/route.h"

/* Adds a header to the answer. */
void reply_header(struct request *request, const char *name, const char *value);
/* The answer: body is copied (left out for HEAD and 304, its length is not). Cache-Control is
 * "no-store" unless set. The request is over after it. */
void reply_send(struct request *request, int code, const char *type, const void *body, size_t len);
/* Takes json. */
void reply_json(struct request *request, int code, json_t *json);
/* {"error": text}; with Retry-After where it helps (503). */
void reply_error(struct request *request, int code, const char *text);
/* CORS lines for answers that are written by hand, malloc'd; NULL: none. */
char *reply_cors_lines(const struct request *request);

#endif
