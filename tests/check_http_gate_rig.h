/*
 * A gate, keys to sign with, and everybody who may come to it.
 */
#ifndef CAMHUB_TESTS_CHECK_HTTP_GATE_RIG_H
#define CAMHUB_TESTS_CHECK_HTTP_GATE_RIG_H

#include "http/gate.h"
#include "shared/clock.h"
#include "tests/harness/harness.h"

#define KEY       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_KEY "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINK_ID   "BBBBBBBBBBBBBBBBBBBBBA"

extern struct clock *fake_clock;
extern struct gate *gate;
extern struct token_keys keys;

enum who {
	NOBODY,
	ANN,  /* viewer of door */
	BOB,  /* viewer of all */
	OLGA, /* operator, door */
	ROOT, /* operator of all */
	LINK_URL,
	LINK_COOKIE,
	TICKET,
	BEARER, /* of door */
	FORGED, /* a session signed with another key */
	WHO_COUNT
};

/* access-keys with four users; revoked: a token, NULL: none. */
json_t *keys_message(const char *revoked);
/* Told the gate; stolen. */
void set_keys(json_t *msg);
/* A checked fixture. */
void gate_setup(void);
void gate_teardown(void);
/* A token, in one of a few places. */
const char *make_token(enum token_kind kind, const char *user, const char *camera, int seconds);
/* The header of a request with this cookie, in one of a few places. */
const char *make_cookie(const char *name, const char *value);
/* What is said to somebody at 192.0.2.7. */
enum gate_verdict decide(const struct gate_facts *facts, enum gate_right right, const char *camera);
/* What somebody like that sends; its texts hold until a few others were made. */
struct gate_facts facts_of(enum who who);

#endif
