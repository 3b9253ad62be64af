/*
 * Answers to a camera's WWW-Authenticate: Basic (RFC 7617) and Digest (RFC 2617, RFC 7616: MD5,
 * SHA-256 and their -sess forms, qop none and auth). OpenSSL does the hashing.
 */
#ifndef CAMHUB_WORKER_RTSP_AUTH_H
#define CAMHUB_WORKER_RTSP_AUTH_H

#include "worker/rtsp_msg.h"

#define RTSP_AUTH_ATTEMPTS   2 /* for one request: the challenge, and once more for a stale nonce */
#define RTSP_AUTH_HANDED_MAX 1024 /* of a challenge that another connection answers */

enum rtsp_auth_result {
	RTSP_AUTH_OK,      /* a header can be made now: send the request again */
	RTSP_AUTH_REFUSED, /* we answered already and the nonce is not stale: the password is wrong
			    */
	RTSP_AUTH_NO_PASSWORD, /* we have none */
	RTSP_AUTH_UNSUPPORTED, /* no scheme that we know, or Basic where it must not be sent */
};

struct rtsp_auth;
/* user, password: NULL when there are none; copied, wiped by free. allow_basic: the password may go
 * over the wire as it is. */
struct rtsp_auth *rtsp_auth_new(const char *user, const char *password, bool allow_basic);
void rtsp_auth_free(struct rtsp_auth **auth); /* NULL-safe */

/* A 401 came: looks through all its WWW-Authenticate headers (several in one, too) and chooses the
 * strongest. */
enum rtsp_auth_result rtsp_auth_on_challenge(struct rtsp_auth *auth, const struct rtsp_item *reply);
/* A request was accepted; takes nextnonce of Authentication-Info. */
void rtsp_auth_on_accepted(struct rtsp_auth *auth, const struct rtsp_item *reply);
/*
 * The challenge that is answered, as a value of WWW-Authenticate, malloc'd: for a connection that
 * comes after this one. NULL: there is none, or it is longer than RTSP_AUTH_HANDED_MAX or has bytes
 * that are not printable ASCII.
 */
char *rtsp_auth_hand_over(const struct rtsp_auth *auth);
/* Such a text, of a connection before: answered from the first request on, as if it had come here.
 * Before anything else. 0; -EINVAL: it cannot be answered. */
int rtsp_auth_take_over(struct rtsp_auth *auth, const char *text);
/* Value of Authorization for a request, malloc'd; NULL: nobody asked for one yet. nc goes up. */
char *rtsp_auth_header(struct rtsp_auth *auth, const char *method, const char *uri);

#endif
