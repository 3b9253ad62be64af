/*
 * Signed tokens: who may see what until when, in a text that travels in a cookie, a header or a
 * URL.
 *
 *   v1.<base64url of the payload>.<base64url of HMAC-SHA256 over "v1.<base64url of the payload>">
 *
 * The payload is one compact JSON object { k, id, u, c, r, exp, n }, a session's also with g, a
 * bearer's perhaps with g, a ticket's with g and p
 * (docs/protocol.md, "Tokens"). Nothing here has state, a clock or I/O. The payload is looked at
 * only after its signature was found good; signatures are compared in constant time.
 */
#ifndef CAMHUB_SHARED_TOKEN_H
#define CAMHUB_SHARED_TOKEN_H

#include "shared/glob.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_KEY_BYTES      32
#define TOKEN_ID_CHARS       22 /* base64url of 16 random bytes */
#define TOKEN_USER_MAX       64
#define TOKEN_CAMERAS_MAX    16
#define TOKEN_VIEWERS_MAX    1000
#define TOKEN_EXPIRY_MAX     253402300799LL /* the year 9999 */
#define TOKEN_MAX_BYTES      1280           /* of the text, with its NUL */
#define TOKEN_REVOKED_MAX    512
#define TOKEN_GENERATION_MAX (1LL << 53)

enum token_kind {
	TOKEN_SESSION, /* after a login: a cookie */
	TOKEN_LINK,    /* camctl link: in a URL, for its cameras only */
	TOKEN_TICKET,  /* seconds, swapped for one of the others: in a URL */
	TOKEN_BEARER,  /* camctl token: of a script, in a header */
	TOKEN_KINDS
};

enum token_role { TOKEN_VIEWER, TOKEN_OPERATOR, TOKEN_ROLES };

struct token_claims {
	enum token_kind kind;
	enum token_role role;
	char id[TOKEN_ID_CHARS + 1];
	char parent[TOKEN_ID_CHARS + 1]; /* of a ticket: the token that it was swapped for, or "" */
	char user[TOKEN_USER_MAX + 1];   /* "" for who has no name: a link's */
	/* Patterns; none: those of the user. */
	char cameras[TOKEN_CAMERAS_MAX][GLOB_BYTES + 1];
	size_t n_cameras;
	int64_t expires_s; /* since 1970 */
	int viewers;       /* at once; 0: no limit of its own */
	/* Of what is in the user's name, from 1: it ends together, when his generation is another
	 * one. 0: it is in nobody's name, or does not end so. */
	int64_t generation;
	bool
	    by_previous; /* not in the text: token_verify() found it signed with the previous key */
};

struct token_keys {
	unsigned char current[TOKEN_KEY_BYTES];
	unsigned char previous[TOKEN_KEY_BYTES];
	bool has_previous;
	char (*revoked)[TOKEN_ID_CHARS + 1]; /* n_revoked ids, sorted (token_keys_sort()) */
	size_t n_revoked;
};

/*
 * Signed with the current key. Writes the text and its NUL into out; TOKEN_MAX_BYTES are enough for
 * any claims. 0; -EINVAL for claims that token_verify() would not take; -ENOSPC.
 */
int token_make(const struct token_keys *keys, const struct token_claims *claims, char *out,
	       size_t size);

/*
 * 0 and *claims; else it is untouched and the answer is -EBADMSG (no token at all, or signed by us
 * but not understood), -EKEYREJECTED (not signed with either key), -ETIME (expired at now_s),
 * -EKEYREVOKED. text need not end with a NUL.
 */
int token_verify(const struct token_keys *keys, const char *text, size_t len, int64_t now_s,
		 struct token_claims *claims);

/* Whether the token itself names the camera. One without patterns covers none: ask the user's. */
bool token_covers(const struct token_claims *claims, const char *camera);

/* A new id into id (TOKEN_ID_CHARS + 1 bytes), from 16 bytes that are random. */
void token_id_from(const unsigned char bytes[16], char *id);
bool token_id_is_valid(const char *id);
/* Letters, digits and . _ @ - that begin with a letter or digit; at most TOKEN_USER_MAX. */
bool token_user_is_valid(const char *user);

const char *token_kind_name(enum token_kind kind); /* "session" "link" "ticket" "bearer" */
const char *token_role_name(enum token_role role); /* "viewer" "operator" */
int token_kind_from_name(const char *name, enum token_kind *kind); /* 0 or -EINVAL */
int token_role_from_name(const char *name, enum token_role *role); /* 0 or -EINVAL */

void token_keys_sort(struct token_keys *keys);
bool token_keys_is_revoked(const struct token_keys *keys, const char *id);
/*
 * The fields "current", "previous" (64 hexadecimal digits each) and "revoked" of the control
 * message access-keys. 0 and *keys, whose former contents are wiped and freed; or -EINVAL, *keys
 * untouched.
 */
int token_keys_from_msg(const json_t *msg, struct token_keys *keys);
void token_keys_to_msg(const struct token_keys *keys, json_t *msg);
/* The contents: wiped, freed, zeroed. NULL-safe. */
void token_keys_clear(struct token_keys *keys);

#endif
