/*
 * WWW-Authenticate and Authentication-Info taken apart.
 */
#include "config.h"

#include "worker/rtsp_challenge.h"
#include "worker/rtsp_msg.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

/* "scheme realm|nonce|opaque|algorithm|qop|stale|nextnonce", challenges one after the other. */
static void
describe_challenges(const char *header, char *out)
{
	struct rtsp_text rest = { header, strlen(header) };
	struct rtsp_challenge challenge;
	int i;

	*out = '\0';
	while (rtsp_challenge_next(&rest, &challenge)) {
		out += sprintf(out, "%.*s ", (int)challenge.scheme.len, challenge.scheme.at);
		for (i = 0; i < RTSP_CHALLENGE_PARAM_COUNT; i++)
			out += sprintf(out, "%s%s", i > 0 ? "|" : "",
				       challenge.values[i] != NULL ? challenge.values[i] : "-");
		out += sprintf(out, "\n");
		rtsp_challenge_clear(&challenge);
	}
}

static const struct {
	const char *header, *want;
} challenges[] = {
	{ "Basic realm=\"cam\"", "Basic cam|-|-|-|-|-|-\n" },
	{ "Digest realm=\"cam\", nonce=\"n1\", opaque=\"o\", algorithm=MD5, qop=\"auth,auth-int\", "
	  "stale=FALSE",
	  "Digest cam|n1|o|MD5|auth,auth-int|FALSE|-\n" },
	{ "DIGEST REALM = \"cam\" ,\tNonce\t=\t\"n1\"", "DIGEST cam|n1|-|-|-|-|-\n" },
	{ "Digest realm=\"a, nonce=\\\"x\\\", b\", nonce=\"n1\"",
	  "Digest a, nonce=\"x\", b|n1|-|-|-|-|-\n" },
	{ "Digest realm=\"a\\\"b\\\\c\\d\",nonce=\"\"", "Digest a\"b\\cd||-|-|-|-|-\n" },
	{ "Digest realm=cam,nonce=n1,algorithm=\"MD5\"", "Digest cam|n1|-|MD5|-|-|-\n" },
	{ "Digest realm=IP Camera(C1234), nonce=n/=+1==",
	  "Digest IP Camera(C1234)|n/=+1==|-|-|-|-|-\n" },
	/* Commas left out. */
	{ "Digest realm=\"cam\" nonce=\"n1\" qop=auth algorithm=MD5",
	  "Digest cam|n1|-|MD5|auth|-|-\n" },
	{ "Digest realm=\"cam\"nonce=\"n1\"", "Digest cam|n1|-|-|-|-|-\n" },
	/* Several in one. */
	{ "Digest realm=\"cam\", nonce=\"n1\", algorithm=SHA-256, Digest realm=\"cam\", "
	  "nonce=\"n2\", Basic realm=\"b\"",
	  "Digest cam|n1|-|SHA-256|-|-|-\nDigest cam|n2|-|-|-|-|-\nBasic b|-|-|-|-|-|-\n" },
	{ "Basic, Digest realm=x, nonce=y", "Basic -|-|-|-|-|-|-\nDigest x|y|-|-|-|-|-\n" },
	{ "Negotiate dG9rZW4=, Basic realm=x", "Negotiate -|-|-|-|-|-|-\nBasic x|-|-|-|-|-|-\n" },
	/* The first of a name counts; unknown ones are passed over. */
	{ "Digest realm=a, userhash=true, domain=\"/ /x\", charset=UTF-8, realm=b, nonce=c",
	  "Digest a|c|-|-|-|-|-\n" },
	{ "nextnonce=\"n2\", qop=auth", " -|-|-|-|auth|-|n2\n" },
	/* No line of ours can be ended by them. */
	{ "Digest realm=\"a\rX: y\x7f\x01\", nonce=a\rb", "Digest aX: y|ab|-|-|-|-|-\n" },
	/* What is cut off, or nothing. */
	{ "Digest realm=\"cam", "Digest cam|-|-|-|-|-|-\n" },
	{ "Digest realm=\"cam\\", "Digest cam\\|-|-|-|-|-|-\n" },
	{ "Digest realm=", "Digest |-|-|-|-|-|-\n" },
	{ "Digest realm", "Digest -|-|-|-|-|-|-\nrealm -|-|-|-|-|-|-\n" },
	{ "Digest", "Digest -|-|-|-|-|-|-\n" },
	{ " , =\"\"=,", "" },
	{ "", "" },
};

START_TEST(challenges_are_read)
{
	char found[512];

	describe_challenges(challenges[_i].header, found);
	ck_assert_str_eq(found, challenges[_i].want);
}
END_TEST

START_TEST(too_long_values_are_as_if_absent)
{
	char header[2 * RTSP_CHALLENGE_VALUE_MAX + 100], value[RTSP_CHALLENGE_VALUE_MAX + 2];
	struct rtsp_challenge challenge;
	struct rtsp_text rest;

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	sprintf(header, "Digest nonce=\"%s\", realm=\"%s\"", value, value + 1);
	rest = (struct rtsp_text){ header, strlen(header) };
	ck_assert(rtsp_challenge_next(&rest, &challenge));
	ck_assert_ptr_null(challenge.values[RTSP_CHALLENGE_NONCE]);
	ck_assert_str_eq(challenge.values[RTSP_CHALLENGE_REALM], value + 1);
	rtsp_challenge_clear(&challenge);
}
END_TEST

/* The time of a test is enough for a few hundred as long as there may be. */
START_TEST(long_values_are_read_in_time)
{
	static char header[RTSP_HEADER_MAX];
	struct rtsp_challenge challenge;

	memset(header, _i == 0 ? ' ' : '\r', sizeof(header));
	for (size_t i = 0; i < sizeof(header); i += 2)
		header[i] = ' ';
	memcpy(header, "Digest realm=a", 14);
	header[sizeof(header) - 1] = 'x';
	for (int i = 0; i < 200; i++) {
		struct rtsp_text rest = { header, sizeof(header) };

		ck_assert(rtsp_challenge_next(&rest, &challenge));
		ck_assert_ptr_null(challenge.values[RTSP_CHALLENGE_REALM]);
		rtsp_challenge_clear(&challenge);
	}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_challenge");
	TCase *tcase = tcase_create("challenge");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, challenges_are_read, 0,
			    (int)(sizeof(challenges) / sizeof(challenges[0])));
	tcase_add_test(tcase, too_long_values_are_as_if_absent);
	tcase_add_loop_test(tcase, long_values_are_read_in_time, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
