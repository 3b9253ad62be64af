/*
 * Which challenge is answered, and how often. Cameras lock accounts, so a password that was refused
 * is not sent again; but a nonce may have grown old, and some cameras make a new one for each
 * request without saying so.
 */
#include "config.h"

#include "worker/rtsp_auth.h"

#include "shared/xalloc.h"
#include "worker/rtsp_challenge.h"
#include "worker/rtsp_digest.h"
#include "worker/rtsp_text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define CNONCE_BYTES 8

enum strength { NONE, BASIC, DIGEST_MD5, DIGEST_SHA256 };

static const struct {
	const char *name;
	enum strength strength;
	bool is_sess;
} algorithms[] = {
	{ "MD5", DIGEST_MD5, false },
	{ "MD5-sess", DIGEST_MD5, true },
	{ "SHA-256", DIGEST_SHA256, false },
	{ "SHA-256-sess", DIGEST_SHA256, true },
};

struct rtsp_auth {
	char *user, *password; /* NULL: none */
	bool allow_basic;
	unsigned answers; /* to challenges since a request was accepted */
	enum strength strength;
	struct rtsp_challenge challenge; /* the one that is answered */
	bool is_sess, has_qop;
	unsigned nc;
	char cnonce[2 * CNONCE_BYTES + 1];
};

static void
free_secret(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

struct rtsp_auth *
rtsp_auth_new(const char *user, const char *password, bool allow_basic)
{
	struct rtsp_auth *auth = xcalloc(1, sizeof(*auth));

	if (user != NULL || password != NULL) {
		auth->user = xstrdup(user != NULL ? user : "");
		auth->password = xstrdup(password != NULL ? password : "");
	}
	auth->allow_basic = allow_basic;
	return auth;
}

void
rtsp_auth_free(struct rtsp_auth **auth)
{
	if (*auth == NULL)
		return;
	free_secret((*auth)->user);
	free_secret((*auth)->password);
	rtsp_challenge_clear(&(*auth)->challenge);
	free(*auth);
	*auth = NULL;
}

/* The row of algorithms[]; absent means MD5 (RFC 7616 3.3). -1: not known here. */
static int
find_algorithm(const struct rtsp_challenge *challenge)
{
	const char *name = challenge->values[RTSP_CHALLENGE_ALGORITHM];
	size_t i;

	if (name == NULL || name[0] == '\0')
		return 0;
	for (i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strcasecmp(algorithms[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What the challenge offers of qop: "auth" 1, nothing 0, only others -1. */
static int
find_qop(const struct rtsp_challenge *challenge)
{
	const char *qop = challenge->values[RTSP_CHALLENGE_QOP];
	struct rtsp_text list;

	if (qop == NULL || qop[0] == '\0')
		return 0;
	list = (struct rtsp_text){ qop, strlen(qop) };
	return rtsp_text_lists(&list, "auth") ? 1 : -1;
}

static enum strength
strength_of(const struct rtsp_auth *auth, const struct rtsp_challenge *challenge)
{
	int algorithm = find_algorithm(challenge);

	if (rtsp_text_is(&challenge->scheme, "Basic"))
		return auth->allow_basic ? BASIC : NONE;
	if (!rtsp_text_is(&challenge->scheme, "Digest") || algorithm < 0 ||
	    find_qop(challenge) < 0 || challenge->values[RTSP_CHALLENGE_NONCE] == NULL)
		return NONE;
	return algorithms[algorithm].strength;
}

/* The strongest of one header's, when it is stronger than what *best has. */
static void
look_through(const struct rtsp_auth *auth, struct rtsp_text value, struct rtsp_challenge *best,
	     enum strength *best_strength)
{
	struct rtsp_challenge challenge;
	enum strength strength;

	while (rtsp_challenge_next(&value, &challenge)) {
		strength = strength_of(auth, &challenge);
		if (strength > *best_strength) {
			rtsp_challenge_clear(best);
			*best = challenge;
			*best_strength = strength;
		} else {
			rtsp_challenge_clear(&challenge);
		}
	}
}

static enum strength
choose(const struct rtsp_auth *auth, const struct rtsp_item *reply, struct rtsp_challenge *best)
{
	enum strength strength = NONE;
	const struct rtsp_text *value;
	size_t n;

	for (n = 0; (value = rtsp_item_header_at(reply, "WWW-Authenticate", n)) != NULL; n++)
		look_through(auth, *value, best, &strength);
	return strength;
}

static bool
is_same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
has_same_nonce(const struct rtsp_auth *auth, const struct rtsp_challenge *challenge)
{
	return is_same(auth->challenge.values[RTSP_CHALLENGE_NONCE],
		       challenge->values[RTSP_CHALLENGE_NONCE]);
}

/* Whether the answer that was refused may have been right. A camera that says "stale=FALSE" says
 * that it was not. */
static bool
may_try_again(const struct rtsp_auth *auth, enum strength strength,
	      const struct rtsp_challenge *challenge)
{
	const char *stale = challenge->values[RTSP_CHALLENGE_STALE];

	if (strength == BASIC || auth->answers >= RTSP_AUTH_ATTEMPTS)
		return false;
	if (stale != NULL)
		return strcasecmp(stale, "true") == 0;
	return !has_same_nonce(auth, challenge);
}

/* A nonce of our own lasts as long as the camera's, as the -sess algorithms want it. */
static void
make_cnonce(struct rtsp_auth *auth)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	(void)snprintf(auth->cnonce, sizeof(auth->cnonce), "%016llx", (unsigned long long)random);
	auth->nc = 0;
}

static void
adopt(struct rtsp_auth *auth, enum strength strength, const struct rtsp_challenge *challenge)
{
	bool is_new = auth->strength != strength || !has_same_nonce(auth, challenge);

	rtsp_challenge_clear(&auth->challenge);
	auth->challenge = *challenge;
	auth->challenge.scheme = (struct rtsp_text){ NULL, 0 }; /* was the reply's */
	auth->strength = strength;
	auth->has_qop = find_qop(challenge) > 0;
	auth->is_sess = strength > BASIC && algorithms[find_algorithm(challenge)].is_sess;
	if (is_new)
		make_cnonce(auth);
}

enum rtsp_auth_result
rtsp_auth_on_challenge(struct rtsp_auth *auth, const struct rtsp_item *reply)
{
	struct rtsp_challenge best = { 0 };
	enum strength strength;

	if (auth->user == NULL)
		return RTSP_AUTH_NO_PASSWORD;
	strength = choose(auth, reply, &best);
	/* some say no more than 401 to a wrong password */
	if (strength == NONE)
		return auth->answers > 0 ? RTSP_AUTH_REFUSED : RTSP_AUTH_UNSUPPORTED;
	if (auth->answers > 0 && !may_try_again(auth, strength, &best)) {
		rtsp_challenge_clear(&best);
		return RTSP_AUTH_REFUSED;
	}
	adopt(auth, strength, &best);
	auth->answers++;
	return RTSP_AUTH_OK;
}

void
rtsp_auth_on_accepted(struct rtsp_auth *auth, const struct rtsp_item *reply)
{
	const struct rtsp_text *value = rtsp_item_header(reply, "Authentication-Info");
	struct rtsp_text rest = value != NULL ? *value : (struct rtsp_text){ NULL, 0 };
	struct rtsp_challenge info = { 0 };
	char **next = &info.values[RTSP_CHALLENGE_NEXTNONCE];

	auth->answers = 0;
	if (auth->strength <= BASIC || !rtsp_challenge_next(&rest, &info))
		return;
	if (*next != NULL && (*next)[0] != '\0') {
		free(auth->challenge.values[RTSP_CHALLENGE_NONCE]);
		auth->challenge.values[RTSP_CHALLENGE_NONCE] = *next;
		*next = NULL;
		make_cnonce(auth);
	}
	rtsp_challenge_clear(&info);
}

/* No byte of a value may end the quotes or the line. */
static void
put_quoted(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		if ((unsigned char)*value >= ' ' && *value != 0x7f)
			fputc(*value, out);
	}
	fputc('"', out);
}

static const char *
or_empty(const char *value)
{
	return value != NULL ? value : "";
}

static void
put_digest(FILE *out, const struct rtsp_auth *auth, const char *uri, const char *response)
{
	char *const *values = auth->challenge.values;

	put_quoted(out, "Digest username", auth->user);
	put_quoted(out, ", realm", or_empty(values[RTSP_CHALLENGE_REALM]));
	put_quoted(out, ", nonce", values[RTSP_CHALLENGE_NONCE]);
	put_quoted(out, ", uri", uri);
	put_quoted(out, ", response", response);
	/* Old cameras do not know it: only those hear it that said it. */
	if (values[RTSP_CHALLENGE_ALGORITHM] != NULL)
		fprintf(out, ", algorithm=%s", algorithms[find_algorithm(&auth->challenge)].name);
	if (values[RTSP_CHALLENGE_OPAQUE] != NULL)
		put_quoted(out, ", opaque", values[RTSP_CHALLENGE_OPAQUE]);
	if (auth->has_qop)
		fprintf(out, ", qop=auth, nc=%08x, cnonce=\"%s\"", auth->nc, auth->cnonce);
	else if (auth->is_sess)
		put_quoted(out, ", cnonce", auth->cnonce);
}

/* What put_digest() and digest_header() use of it. */
static void
put_challenge(FILE *out, const struct rtsp_auth *auth)
{
	char *const *values = auth->challenge.values;

	put_quoted(out, auth->strength == BASIC ? "Basic realm" : "Digest realm",
		   or_empty(values[RTSP_CHALLENGE_REALM]));
	if (auth->strength == BASIC)
		return;
	put_quoted(out, ", nonce", values[RTSP_CHALLENGE_NONCE]);
	if (values[RTSP_CHALLENGE_OPAQUE] != NULL)
		put_quoted(out, ", opaque", values[RTSP_CHALLENGE_OPAQUE]);
	if (values[RTSP_CHALLENGE_ALGORITHM] != NULL)
		fprintf(out, ", algorithm=%s", algorithms[find_algorithm(&auth->challenge)].name);
	if (auth->has_qop)
		put_quoted(out, ", qop", "auth");
}

static bool
is_printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

char *
rtsp_auth_hand_over(const struct rtsp_auth *auth)
{
	char *text;
	size_t len;
	FILE *out;

	if (auth->strength == NONE)
		return NULL;
	out = open_memstream(&text, &len);
	if (out == NULL)
		xalloc_die();
	put_challenge(out, auth);
	if (fclose(out) != 0)
		xalloc_die();
	if (len <= RTSP_AUTH_HANDED_MAX && is_printable(text))
		return text;
	free(text);
	return NULL;
}

int
rtsp_auth_take_over(struct rtsp_auth *auth, const char *text)
{
	struct rtsp_challenge best = { 0 };
	enum strength strength = NONE;

	if (auth->user == NULL)
		return -EINVAL;
	look_through(auth, (struct rtsp_text){ text, strlen(text) }, &best, &strength);
	if (strength == NONE)
		return -EINVAL;
	adopt(auth, strength, &best);
	auth->answers++;
	return 0;
}

static char *
digest_header(struct rtsp_auth *auth, const char *method, const char *uri)
{
	struct rtsp_digest digest = {
		.is_sha256 = auth->strength == DIGEST_SHA256,
		.is_sess = auth->is_sess,
		.has_qop = auth->has_qop,
		.user = auth->user,
		.password = auth->password,
		.realm = or_empty(auth->challenge.values[RTSP_CHALLENGE_REALM]),
		.nonce = auth->challenge.values[RTSP_CHALLENGE_NONCE],
		.method = method,
		.uri = uri,
		.cnonce = auth->cnonce,
		.nc = ++auth->nc,
	};
	char response[RTSP_DIGEST_TEXT_MAX], *header;
	size_t len;
	FILE *out;

	if (rtsp_digest_response(&digest, response) < 0)
		return NULL;
	out = open_memstream(&header, &len);
	if (out == NULL)
		xalloc_die();
	put_digest(out, auth, uri, response);
	if (fclose(out) != 0)
		xalloc_die();
	return header;
}

static char *
basic_header(const struct rtsp_auth *auth)
{
	size_t user_len = strlen(auth->user), len = user_len + 1 + strlen(auth->password);
	char *plain = xmalloc(len + 1), *header = xmalloc(sizeof("Basic ") + (len + 2) / 3 * 4);

	memcpy(plain, auth->user, user_len);
	plain[user_len] = ':';
	memcpy(plain + user_len + 1, auth->password, len - user_len);
	memcpy(header, "Basic ", 6);
	EVP_EncodeBlock((unsigned char *)header + 6, (const unsigned char *)plain, (int)len);
	free_secret(plain);
	return header;
}

char *
rtsp_auth_header(struct rtsp_auth *auth, const char *method, const char *uri)
{
	if (auth->strength == NONE)
		return NULL;
	return auth->strength == BASIC ? basic_header(auth) : digest_header(auth, method, uri);
}
