/*
 * Requests that wait for a password to be looked at: the supervisor has it done elsewhere, nobody
 * else waits. A wrong one is told after a while; a client that goes away is forgotten.
 */
#ifndef CAMHUB_HTTP_ACCESS_ASK_H
#define CAMHUB_HTTP_ACCESS_ASK_H

#include "http/access_words.h"
#include "http/route.h"

#define ACCESS_ASK_WAITING_MAX 256   /* at once; further ones are told to come again */
#define ACCESS_ASK_LIMIT_MS    15000 /* then nobody will answer */
#define ACCESS_ASK_WRONG_MS    1000  /* until a wrong password is told */

struct access_asks;

enum access_ask_result {
	ACCESS_RIGHT,
	ACCESS_WRONG,
	ACCESS_BUSY, /* it was not looked at */
};

/*
 * What comes of it. request has nothing but the front, the connection, address and what route.h
 * says of every answer; note is what was given to access_ask().
 */
typedef void access_ask_fn(struct request *request, enum access_ask_result result,
			   const struct access_password *password, const char *note);

struct access_asks *access_asks_new(struct front *front);
void access_asks_free(struct access_asks **asks); /* NULL-safe; nobody is told anything */

/* Holds the request until fn was called for it, perhaps at once. Copies password and note. */
void access_ask(struct request *request, const struct access_password *password, const char *note,
		access_ask_fn *fn);
/* A message auth-result. */
void access_asks_result(struct access_asks *asks, const json_t *msg);

#endif
