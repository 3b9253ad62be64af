/*
 * Challenges and their answers. Expected responses are published values (RFC 2617 3.5, RFC 7616
 * 3.9.1, RFC 7617 2) or were made with another implementation of the hashes.
 */
#include "config.h"

#include "worker/rtsp_auth.h"

#include "tests/harness/harness.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table)    (int)(sizeof(table) / sizeof((table)[0]))
#define URI            "rtsp://h/a"
#define RESPONSE_N1    "eddb71d3a571d51b2dbcc520146622b9" /* admin:cam:secret, DESCRIBE */
#define RESPONSE_N2    "519dae30b838cae800ce904a9d5b06e6"

#define CHALLENGES_MAX 3

/* A reply with these headers of that name. */
struct reply {
	struct rtsp_header headers[CHALLENGES_MAX];
	struct rtsp_item item;
};

static const struct rtsp_item *
make_reply(struct reply *reply, const char *name, const char *const *values)
{
	size_t n;

	for (n = 0; n < CHALLENGES_MAX && values[n] != NULL; n++)
		reply->headers[n] = (struct rtsp_header){ { name, strlen(name) },
							  { values[n], strlen(values[n]) } };
	reply->item = (struct rtsp_item){
		.kind = RTSP_ITEM_REPLY, .status = 401, .headers = reply->headers, .n_headers = n
	};
	return &reply->item;
}

static enum rtsp_auth_result
challenge(struct rtsp_auth *auth, const char *value)
{
	struct reply reply;

	return rtsp_auth_on_challenge(
	    auth, make_reply(&reply, "WWW-Authenticate", (const char *[]){ value, NULL }));
}

static void
accept(struct rtsp_auth *auth, const char *info)
{
	struct reply reply;

	rtsp_auth_on_accepted(
	    auth, make_reply(&reply, "Authentication-Info", (const char *[]){ info, NULL }));
}

static void
assert_header(struct rtsp_auth *auth, const char *method, const char *want)
{
	char *header = rtsp_auth_header(auth, method, URI);

	ck_assert_pstr_eq(header, want);
	free(header);
}

#define DIGEST(user, realm, nonce, response)                                                       \
	"Digest username=\"" user "\", realm=\"" realm "\", nonce=\"" nonce                        \
	"\", uri=\"rtsp://h/a\", response=\"" response "\""
#define NONE_YET NULL

static const struct {
	const char *user, *password;
	bool no_basic;
	const char *values[CHALLENGES_MAX + 1];
	enum rtsp_auth_result result;
	const char *header; /* for DESCRIBE */
} answers[] = {
	{ "Aladdin",
	  "open sesame",
	  false,
	  { "Basic realm=\"WallyWorld\"" },
	  RTSP_AUTH_OK,
	  "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
	{ "j\xc3\xa4ger",
	  "p\xc3\xa4ssw\xc3\xb6rd",
	  false,
	  { "basic realm=\"x\", charset=\"UTF-8\"" },
	  RTSP_AUTH_OK,
	  "Basic asOkZ2VyOnDDpHNzd8O2cmQ=" },
	{ "", "", false, { "Basic" }, RTSP_AUTH_OK, "Basic Og==" },
	{ "a", "b", true, { "Basic realm=\"x\"" }, RTSP_AUTH_UNSUPPORTED, NONE_YET },
	/* As cameras send it. */
	{ "admin",
	  "secret",
	  true,
	  { "Digest realm=\"cam\", nonce=\"n1\", stale=\"FALSE\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1", RESPONSE_N1) },
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"IP Camera(C1234)\", nonce=\"n1\", stale=\"FALSE\"",
	    "Basic realm=\"IP Camera(C1234)\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "IP Camera(C1234)", "n1", "9d10963c384618cd2d2536f9fa12204c") },
	{ "admin",
	  "secret",
	  false,
	  { "Basic realm=\"cam\"", "digest realm=cam,nonce=n1,algorithm=md5,opaque=\"\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1", RESPONSE_N1) ", algorithm=MD5, opaque=\"\"" },
	/* The strongest, wherever it stands; the first of equal ones. */
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"cam\", nonce=\"n2\", algorithm=MD5",
	    "Basic realm=\"x\", Digest realm=\"cam\", nonce=\"n1\", algorithm=\"sha-256\"",
	    "Digest realm=\"cam\", nonce=\"n3\", algorithm=SHA-256" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1",
		 "79e99f53f098e0855bebc9ae7b964cc1394de3a864e0100e9ef444f93c97bfad") ", "
										     "algorithm="
										     "SHA-256" },
	/* What cannot be done is passed over. */
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"cam\", nonce=\"n2\", algorithm=SHA-512-256",
	    "Digest realm=\"cam\", nonce=\"n3\", qop=\"auth-int\", algorithm=SHA-256",
	    "Digest realm=\"cam\", nonce=\"n1\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1", RESPONSE_N1) },
	{ "admin",
	  "secret",
	  true,
	  { "Digest realm=\"cam\", nonce=\"n2\", algorithm=SHA-512-256", "Digest realm=\"cam\"",
	    "Negotiate dG9rZW4=, Bearer, realm=\"x\"" },
	  RTSP_AUTH_UNSUPPORTED,
	  NONE_YET },
	{ "admin", "secret", false, { NULL }, RTSP_AUTH_UNSUPPORTED, NONE_YET },
	{ "admin", "secret", false, { "" }, RTSP_AUTH_UNSUPPORTED, NONE_YET },
	/* Odd values. */
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"a, b=\\\"c\\\", d\", nonce=\"n1\", opaque=\"\\\"\\\\\", qop=\"\", "
	    "algorithm=\"\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "a, b=\\\"c\\\", d", "n1",
		 "1228caa4bbc2a1519776c265f205661b") ", algorithm=MD5, opaque=\"\\\"\\\\\"" },
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"a\\\"b\\\\c\", nonce=\"n\\\"1\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "a\\\"b\\\\c", "n\\\"1", "bd36fcece2e1f898ae233635a1f68ead") },
	{ "admin",
	  "secret",
	  false,
	  { "Digest nonce=\"n1\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "", "n1", "efd6c7e88b70b5c929424c087a9ce390") },
	{ "admin",
	  "",
	  false,
	  { "Digest realm=cam, nonce=n1" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1", "7622f1853de905ad91e3419add441485") },
	{ "admin",
	  NULL,
	  false,
	  { "Digest realm=cam, nonce=n1" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cam", "n1", "7622f1853de905ad91e3419add441485") },
	{ NULL,
	  "secret",
	  false,
	  { "Digest realm=cam, nonce=n1" },
	  RTSP_AUTH_OK,
	  DIGEST("", "cam", "n1", "3a80cd0f96d11a1b9850d21ddaa3393b") },
	{ "j\xc3\xa4ger",
	  "p\xc3\xa4ssw\xc3\xb6rd",
	  false,
	  { "Digest realm=cam, nonce=n1, userhash=true" },
	  RTSP_AUTH_OK,
	  DIGEST("j\xc3\xa4ger", "cam", "n1", "ffbaba02a997e8f2cd85ec2a14e1f5b2") },
	/* Nothing breaks out of its quotes or its line. */
	{ "a\"b\\c",
	  "secret",
	  false,
	  { "Digest realm=cam, nonce=n1" },
	  RTSP_AUTH_OK,
	  DIGEST("a\\\"b\\\\c", "cam", "n1", "ebacf1843fb7190a6517bc42db41b7fc") },
	{ "a\r\nX: y",
	  "secret",
	  false,
	  { "Digest realm=cam, nonce=n1" },
	  RTSP_AUTH_OK,
	  DIGEST("aX: y", "cam", "n1", "02528795e99655e1391200b601767cd7") },
	{ "admin",
	  "secret",
	  false,
	  { "Digest realm=\"c\rX: y\", nonce=\"n\r1\"" },
	  RTSP_AUTH_OK,
	  DIGEST("admin", "cX: y", "n1", "159fd8a346af71a7a62e6e26ce9c2385") },
	{ NULL, NULL, false, { "Digest realm=cam, nonce=n1" }, RTSP_AUTH_NO_PASSWORD, NONE_YET },
};

START_TEST(challenges_are_answered)
{
	struct rtsp_auth *auth =
	    rtsp_auth_new(answers[_i].user, answers[_i].password, !answers[_i].no_basic);
	struct reply reply;

	assert_header(auth, "DESCRIBE", NULL);
	ck_assert_int_eq(rtsp_auth_on_challenge(
			     auth, make_reply(&reply, "www-authenticate", answers[_i].values)),
			 answers[_i].result);
	assert_header(auth, "DESCRIBE", answers[_i].header);
	rtsp_auth_free(&auth);
	ck_assert_ptr_null(auth);
	rtsp_auth_free(&auth);
}
END_TEST

static void
hex(const unsigned char *bytes, size_t len, char *text)
{
	for (; len > 0; len--)
		text += sprintf(text, "%02x", *bytes++);
}

/* hash(a:b:c), with OpenSSL's own one-shot functions. */
static void
hash(bool is_sha256, const char *text, char *out)
{
	unsigned char bytes[32];

	if (is_sha256)
		SHA256((const unsigned char *)text, strlen(text), bytes);
	else
		EVP_Digest(text, strlen(text), bytes, NULL, EVP_md5(), NULL);
	hex(bytes, is_sha256 ? 32 : 16, out);
}

/* Takes the header apart and computes what a camera would expect of admin:cam:secret, nonce n1. */
static void
assert_right(const char *header, bool is_sha256, bool is_sess, unsigned want_nc, char *cnonce)
{
	const char *nc_at = strstr(header, ", qop=auth, nc="), *cnonce_at;
	char text[512], first[65], request[65], want[65];
	unsigned nc;

	ck_assert_ptr_nonnull(nc_at);
	ck_assert_int_eq(sscanf(nc_at, ", qop=auth, nc=%8x", &nc), 1);
	ck_assert_uint_eq(nc, want_nc);
	cnonce_at = strstr(nc_at, ", cnonce=\"");
	ck_assert_int_eq(sscanf(cnonce_at, ", cnonce=\"%16[0-9a-f]\"", cnonce), 1);
	ck_assert_uint_eq(strlen(cnonce), 16);
	hash(is_sha256, "admin:cam:secret", first);
	if (is_sess) {
		sprintf(text, "%s:n1:%s", first, cnonce);
		hash(is_sha256, text, first);
	}
	hash(is_sha256, "PLAY:" URI, request);
	sprintf(text, "%s:n1:%08x:%s:auth:%s", first, nc, cnonce, request);
	hash(is_sha256, text, want);
	sprintf(text, "response=\"%s\"", want);
	ck_assert_msg(strstr(header, text) != NULL, "%s not in %s", text, header);
}

static const struct {
	const char *value;
	bool is_sha256, is_sess;
} counted[] = {
	{ "Digest realm=cam, nonce=n1, qop=auth", false, false },
	{ "Digest realm=cam, nonce=n1, qop=\"auth-int, auth\", algorithm=SHA-256", true, false },
	{ "Digest realm=cam, nonce=n1, qop=\"AUTH\", algorithm=MD5-sess", false, true },
	{ "Digest realm=cam, nonce=n1, qop=auth, algorithm=sha-256-SESS", true, true },
};

START_TEST(requests_are_counted_with_qop)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);
	char cnonce[2][17], *header;
	unsigned nc;

	ck_assert_int_eq(challenge(auth, counted[_i].value), RTSP_AUTH_OK);
	for (nc = 1; nc <= 3; nc++) {
		header = rtsp_auth_header(auth, "PLAY", URI);
		assert_right(header, counted[_i].is_sha256, counted[_i].is_sess, nc,
			     cnonce[nc == 1 ? 0 : 1]);
		free(header);
		if (nc > 1)
			ck_assert_str_eq(cnonce[0], cnonce[1]);
		accept(auth, NULL);
	}
	rtsp_auth_free(&auth);
}
END_TEST

/* The camera needs our nonce for -sess, even where nothing is counted. */
START_TEST(a_session_tells_its_nonce_without_qop)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);
	char *header, cnonce[17], text[256], first[65], request[65], want[65];

	ck_assert_int_eq(challenge(auth, "Digest realm=cam, nonce=n1, algorithm=MD5-sess"),
			 RTSP_AUTH_OK);
	header = rtsp_auth_header(auth, "PLAY", URI);
	ck_assert_ptr_null(strstr(header, "qop"));
	ck_assert_ptr_nonnull(strstr(header, ", cnonce=\""));
	ck_assert_int_eq(sscanf(strstr(header, ", cnonce=\""), ", cnonce=\"%16[0-9a-f]\"", cnonce),
			 1);
	hash(false, "admin:cam:secret", first);
	sprintf(text, "%s:n1:%s", first, cnonce);
	hash(false, text, first);
	hash(false, "PLAY:" URI, request);
	sprintf(text, "%s:n1:%s", first, request);
	hash(false, text, want);
	ck_assert_ptr_nonnull(strstr(header, want));
	free(header);
	rtsp_auth_free(&auth);
}
END_TEST

/* The same nonce goes on counting, another one begins anew and gets another cnonce. */
START_TEST(a_new_nonce_begins_anew)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);
	char *header, cnonce[2][17];

	ck_assert_int_eq(challenge(auth, "Digest realm=cam, nonce=n1, qop=auth"), RTSP_AUTH_OK);
	free(rtsp_auth_header(auth, "PLAY", URI));
	accept(auth, NULL);
	ck_assert_int_eq(challenge(auth, "Digest realm=cam, nonce=n1, qop=auth"), RTSP_AUTH_OK);
	header = rtsp_auth_header(auth, "PLAY", URI);
	assert_right(header, false, false, 2, cnonce[0]);
	free(header);
	accept(auth, NULL);
	ck_assert_int_eq(challenge(auth, "Digest realm=cam, nonce=n2, qop=auth"), RTSP_AUTH_OK);
	free(rtsp_auth_header(auth, "PLAY", URI));
	accept(auth, "nextnonce=\"n1\"");
	header = rtsp_auth_header(auth, "PLAY", URI);
	assert_right(header, false, false, 1, cnonce[1]);
	ck_assert_str_ne(cnonce[0], cnonce[1]);
	free(header);
	rtsp_auth_free(&auth);
}
END_TEST

#define N1 "Digest realm=cam, nonce=n1"
#define N2 "Digest realm=cam, nonce=n2"
#define N3 "Digest realm=cam, nonce=n3"

/* What 401s follow each other; "+" is an accepted request. */
static const struct {
	bool allow_basic;
	const char *values[8];
	enum rtsp_auth_result last; /* all before it are OK */
} courses[] = {
	/* The password is wrong. */
	{ false, { N1, N1 }, RTSP_AUTH_REFUSED },
	{ false, { N1, N1 ", stale=FALSE" }, RTSP_AUTH_REFUSED },
	{ false, { N1, N2 ", stale=FALSE" }, RTSP_AUTH_REFUSED },
	{ true, { "Basic realm=x", "Basic realm=x" }, RTSP_AUTH_REFUSED },
	{ true, { "Basic realm=x", "Basic realm=y" }, RTSP_AUTH_REFUSED },
	{ true, { "Basic realm=x", "Basic realm=x, stale=true" }, RTSP_AUTH_REFUSED },
	{ false, { N1, "" }, RTSP_AUTH_REFUSED },
	{ false, { N1, "Basic realm=x" }, RTSP_AUTH_REFUSED },
	{ true, { "Basic realm=x", "" }, RTSP_AUTH_REFUSED },
	{ false, { N1, "+", "" }, RTSP_AUTH_UNSUPPORTED },
	/* It may be right: one more time, then no more. */
	{ false, { N1, N2 }, RTSP_AUTH_OK },
	{ false, { N1, N2, N3 }, RTSP_AUTH_REFUSED },
	{ false, { N1, N1 ", stale=true" }, RTSP_AUTH_OK },
	{ false, { N1, N2 ", stale=\"TRUE\"" }, RTSP_AUTH_OK },
	{ false, { N1, N2 ", stale=TRUE", N3 ", stale=TRUE" }, RTSP_AUTH_REFUSED },
	/* A nonce per request: each is answered once. */
	{ false, { N1, "+", N2, "+", N3, "+", N1 }, RTSP_AUTH_OK },
	{ false, { N1, "+", N2 ", stale=FALSE" }, RTSP_AUTH_OK },
	{ false, { N1, "+", N1 }, RTSP_AUTH_OK },
	{ false, { N1, "+", N1, N1 }, RTSP_AUTH_REFUSED },
	{ true, { "Basic realm=x", "+", "Basic realm=x" }, RTSP_AUTH_OK },
};

START_TEST(a_password_is_tried_seldom)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", courses[_i].allow_basic);
	const char *const *value;

	for (value = courses[_i].values; *value != NULL; value++) {
		if (strcmp(*value, "+") == 0)
			accept(auth, NULL);
		else
			ck_assert_int_eq(challenge(auth, *value),
					 value[1] == NULL ? courses[_i].last : RTSP_AUTH_OK);
		free(rtsp_auth_header(auth, "DESCRIBE", URI));
	}
	rtsp_auth_free(&auth);
}
END_TEST

/* A refusal forgets nothing that worked; a fresh nonce is the one that is answered. */
START_TEST(the_newest_nonce_is_answered)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);

	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_OK);
	assert_header(auth, "DESCRIBE", DIGEST("admin", "cam", "n1", RESPONSE_N1));
	ck_assert_int_eq(challenge(auth, N2), RTSP_AUTH_OK);
	assert_header(auth, "DESCRIBE", DIGEST("admin", "cam", "n2", RESPONSE_N2));
	accept(auth, NULL);
	ck_assert_int_eq(challenge(auth, "Basic realm=x"), RTSP_AUTH_UNSUPPORTED);
	assert_header(auth, "DESCRIBE", DIGEST("admin", "cam", "n2", RESPONSE_N2));
	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_OK);
	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_REFUSED);
	assert_header(auth, "DESCRIBE", DIGEST("admin", "cam", "n1", RESPONSE_N1));
	rtsp_auth_free(&auth);
}
END_TEST

static const struct {
	const char *info, *nonce, *response; /* of SETUP after it */
} infos[] = {
	{ "nextnonce=\"next\"", "next", "c17465b66e0396d253c1e7a7e5853a23" },
	{ "qop=auth, NextNonce=next, nc=00000001", "next", "c17465b66e0396d253c1e7a7e5853a23" },
	{ "nextnonce=\"\"", "n1", "247b6e2b3709aa446c434df3a474ab17" },
	{ "rspauth=\"x\"", "n1", "247b6e2b3709aa446c434df3a474ab17" },
	{ "", "n1", "247b6e2b3709aa446c434df3a474ab17" },
	{ NULL, "n1", "247b6e2b3709aa446c434df3a474ab17" },
};

START_TEST(the_next_nonce_is_taken)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);
	char want[256];

	accept(auth, infos[_i].info); /* before any challenge: nothing to take */
	assert_header(auth, "SETUP", NULL);
	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_OK);
	accept(auth, infos[_i].info);
	sprintf(want,
		"Digest username=\"admin\", realm=\"cam\", nonce=\"%s\", uri=\"" URI
		"\", response=\"%s\"",
		infos[_i].nonce, infos[_i].response);
	assert_header(auth, "SETUP", want);
	rtsp_auth_free(&auth);
}
END_TEST

START_TEST(a_uri_stays_within_its_quotes)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", false);
	char *header;

	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_OK);
	header = rtsp_auth_header(auth, "SETUP", "rtsp://h/a\"b");
	ck_assert_str_eq(header, "Digest username=\"admin\", realm=\"cam\", nonce=\"n1\", "
				 "uri=\"rtsp://h/a\\\"b\", "
				 "response=\"bce87307d7f9d5f02435ecfbf844625d\"");
	free(header);
	rtsp_auth_free(&auth);
}
END_TEST

static const struct {
	const char *challenge, *handed; /* NULL: it cannot be */
} handed[] = {
	{ "Basic realm=\"my cam\", charset=\"UTF-8\"", "Basic realm=\"my cam\"" },
	{ N1, "Digest realm=\"cam\", nonce=\"n1\"" },
	{ "Basic realm=x, Digest nonce=n1 realm=\"a \\\"b\\\" \\\\\" stale=TRUE",
	  "Digest realm=\"a \\\"b\\\" \\\\\", nonce=\"n1\"" },
	{ "digest realm=\"cam\", nonce=\"n1\", opaque=\"o\", algorithm=sha-256, "
	  "qop=\"auth-int,auth\"",
	  "Digest realm=\"cam\", nonce=\"n1\", opaque=\"o\", algorithm=SHA-256, qop=\"auth\"" },
	{ "Digest nonce=n1, algorithm=MD5-sess",
	  "Digest realm=\"\", nonce=\"n1\", algorithm=MD5-sess" },
	{ "Digest realm=\"J\xc3\xa4ger\", nonce=\"n1\"", NULL },
};

/* The header without what is made by chance. */
static char *
steady_header(struct rtsp_auth *auth)
{
	char *header = rtsp_auth_header(auth, "DESCRIBE", URI), *end = strstr(header, ", response");

	if (end != NULL && strstr(end, "cnonce") != NULL)
		*end = '\0';
	return header;
}

START_TEST(another_connection_answers)
{
	struct rtsp_auth *first = rtsp_auth_new("admin", "secret", true);
	struct rtsp_auth *second = rtsp_auth_new("admin", "secret", true);
	char *text;

	ck_assert_ptr_null(rtsp_auth_hand_over(first));
	ck_assert_int_eq(challenge(first, handed[_i].challenge), RTSP_AUTH_OK);
	text = rtsp_auth_hand_over(first);
	ck_assert_pstr_eq(text, handed[_i].handed);
	if (text != NULL) {
		char *want = steady_header(first), *got;

		ck_assert_int_eq(rtsp_auth_take_over(second, text), 0);
		got = steady_header(second);
		ck_assert_str_eq(got, want);
		/* That was an answer to it: the password is not sent once more. */
		ck_assert_int_eq(challenge(second, text), RTSP_AUTH_REFUSED);
		free(got);
		free(want);
	}
	free(text);
	rtsp_auth_free(&first);
	rtsp_auth_free(&second);
}
END_TEST

START_TEST(a_long_challenge_stays_here)
{
	char value[RTSP_AUTH_HANDED_MAX + 2] = "Digest realm=\"cam\", nonce=\"";
	size_t len = strlen(value);

	memset(value + len, 'n', sizeof(value) - 1 - len);
	value[sizeof(value) - 1] = '\0';
	for (int excess = 1; excess >= 0; excess--) {
		struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", true);
		char *text;

		value[RTSP_AUTH_HANDED_MAX + excess - 1] = '"';
		value[RTSP_AUTH_HANDED_MAX + excess] = '\0';
		ck_assert_int_eq(challenge(auth, value), RTSP_AUTH_OK);
		text = rtsp_auth_hand_over(auth);
		ck_assert_pstr_eq(text, excess > 0 ? NULL : value);
		free(text);
		rtsp_auth_free(&auth);
	}
}
END_TEST

static const char *const not_taken[] = { "", "Negotiate", "Digest realm=\"cam\"", "\"", "=,=," };

START_TEST(what_cannot_be_answered_is_not_taken)
{
	struct rtsp_auth *auth = rtsp_auth_new("admin", "secret", true);
	struct rtsp_auth *nobody = rtsp_auth_new(NULL, NULL, true);

	ck_assert_int_lt(rtsp_auth_take_over(auth, not_taken[_i]), 0);
	assert_header(auth, "OPTIONS", NULL);
	ck_assert_int_eq(challenge(auth, N1), RTSP_AUTH_OK);
	ck_assert_int_lt(rtsp_auth_take_over(nobody, N1), 0);
	rtsp_auth_free(&auth);
	rtsp_auth_free(&nobody);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_auth");
	TCase *tcase = tcase_create("auth");

	tcase_add_loop_test(tcase, challenges_are_answered, 0, ROWS(answers));
	tcase_add_loop_test(tcase, requests_are_counted_with_qop, 0, ROWS(counted));
	tcase_add_test(tcase, a_session_tells_its_nonce_without_qop);
	tcase_add_test(tcase, a_new_nonce_begins_anew);
	tcase_add_loop_test(tcase, a_password_is_tried_seldom, 0, ROWS(courses));
	tcase_add_test(tcase, the_newest_nonce_is_answered);
	tcase_add_loop_test(tcase, the_next_nonce_is_taken, 0, ROWS(infos));
	tcase_add_test(tcase, a_uri_stays_within_its_quotes);
	tcase_add_loop_test(tcase, another_connection_answers, 0, ROWS(handed));
	tcase_add_test(tcase, a_long_challenge_stays_here);
	tcase_add_loop_test(tcase, what_cannot_be_answered_is_not_taken, 0, ROWS(not_taken));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
