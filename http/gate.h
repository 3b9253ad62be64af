/*
 * The one gate of the front: every request passes here before its handler runs, with the right that
 * its route asks for. What is not allowed is refused.
 *
 * gate_decide() has no I/O and looks only at what it is given, its tables, and the clock. Passwords
 * it cannot check: it answers GATE_ASK, and access_check.h does it.
 */
#ifndef CAMHUB_HTTP_GATE_H
#define CAMHUB_HTTP_GATE_H

#include "http/access_words.h"
#include "shared/clock.h"
#include "shared/token.h"

#include <jansson.h>

struct gate;

/* What a route asks of whoever uses it. A route that says nothing is closed to everybody. */
enum gate_right {
	GATE_CLOSED,
	GATE_PUBLIC,
	GATE_VIEW_CAMERA, /* the camera that the request names */
	GATE_VIEW,        /* whoever may see any camera; the handler shows no others */
	GATE_OPERATE,
	GATE_RIGHTS
};

/* How somebody has shown who he is. */
enum gate_way {
	GATE_WAY_NONE,
	GATE_WAY_OPEN, /* there are no users */
	GATE_WAY_SESSION,
	GATE_WAY_BASIC,
	GATE_WAY_BEARER,
	GATE_WAY_LINK,
	GATE_WAY_TICKET,
	GATE_WAY_PROXY
};

struct gate_identity {
	enum gate_way way;
	bool is_from_url; /* a link's address, not its cookie */
	unsigned era;     /* of the keys, when it was found */
	/* Role and cameras as they are now; id "" and expires_s 0 when there is no token. */
	struct token_claims claims;
};

enum gate_origin {
	GATE_ORIGIN_NONE,
	GATE_ORIGIN_OURS,
	GATE_ORIGIN_FOREIGN, /* also one that may embed us */
};

/* What is known of a request. Texts are borrowed, NULL: not there. */
struct gate_facts {
	const char *address;       /* of the client */
	const char *authorization; /* these two: as sent */
	const char *cookies;
	const char *proxy_user; /* as a trusted proxy says */
	const char *token;      /* of the query or the form */
	const char *ticket;     /* of the query */
	const char *scope;      /* the camera whose own addresses (/NAME/...) are used */
	bool is_upgrade, is_change;
	enum gate_origin origin;
	bool is_cross_site; /* the browser says so */
};

enum gate_verdict {
	GATE_ALLOW,
	GATE_ASK,    /* whether the password is right */
	GATE_LOGIN,  /* 401: nobody is known */
	GATE_FORBID, /* 403: somebody is, and may not */
	GATE_SLOW,   /* 429 */
	GATE_WAIT,   /* 503: who may do what is not known yet */
};

struct gate_answer {
	enum gate_verdict verdict;
	const char *reason;              /* for the client and the log; static */
	struct gate_identity who;        /* GATE_ALLOW */
	struct access_password password; /* GATE_ASK: wipe it */
	unsigned wait_s;                 /* GATE_SLOW */
};

/* Until keys come everybody has to wait. */
struct gate *gate_new(struct clock *clock);
void gate_free(struct gate **gate); /* NULL-safe; secrets are wiped */

/* A message access-keys: all that was known before is replaced. 0 or -EINVAL (nothing changes). */
int gate_set_keys(struct gate *gate, const json_t *msg);
/* No users: whoever gets here is an operator. */
bool gate_is_open(const struct gate *gate);

/* camera: the one that the request names, "" none. Wipe answer->password after GATE_ASK. */
void gate_decide(struct gate *gate, const struct gate_facts *facts, enum gate_right right,
		 const char *camera, struct gate_answer *answer);

/* Whether this identity, found before, still stands: not expired, not revoked, its user still
 * there, the keys no others, or the next ones after those. */
bool gate_still_holds(const struct gate *gate, const struct gate_identity *who);
/* Whether it may see this camera (no stream's name), as things are now. */
bool gate_may_see(const struct gate *gate, const struct gate_identity *who, const char *camera);

/* A password turned out right, or wrong; a try from that address is counted while it is looked at.
 */
void gate_password_tried(struct gate *gate, const char *address);
void gate_password_right(struct gate *gate, const char *address,
			 const struct access_password *password);

/* A session for that user (whose password was right), as the cookie's value in out
 * (TOKEN_MAX_BYTES). 0; -ENOENT: there is no such user. */
int gate_make_session(struct gate *gate, const char *user, char *out);
/* A ticket for this camera in the name of who. 0, -EAGAIN: too many are out, -EPERM: he came by one
 * himself. */
int gate_make_ticket(struct gate *gate, const struct gate_identity *who, const char *camera,
		     char *out);

/* For a login: may this address try now? false: *wait_s seconds later. */
bool gate_may_try(const struct gate *gate, const char *address, unsigned *wait_s);

/*
 * Who somebody is, as fields of a message to another front of the house (rtc-offer): written where
 * he was let in, read where his session is. 0, or -EINVAL: nobody is told of (*who is untouched).
 * What is read stands as of now: whether it holds is to be asked (gate_still_holds()).
 */
void gate_identity_to_msg(const struct gate *gate, const struct gate_identity *who, json_t *msg);
int gate_identity_from_msg(const struct gate *gate, const json_t *msg, struct gate_identity *who);

const char *gate_way_name(enum gate_way way);
/* Seconds since 1970, by the gate's clock. */
int64_t gate_now_s(const struct gate *gate);

/* What the trusted proxy's headers are called, NULL none; its networks, ends with NULL. */
const char *gate_proxy_header(const struct gate *gate);
const char *gate_proxy_user_header(const struct gate *gate);
char *const *gate_proxy_from(const struct gate *gate);

#define GATE_COOKIE      "camhub_session"
#define GATE_LINK_COOKIE "camhub_link"
#define GATE_SESSION_S   (30 * 86400)

#endif
