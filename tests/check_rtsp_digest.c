/*
 * Digest responses. Expected ones are published values (RFC 2617 3.5, RFC 7616 3.9.1) or were made
 * with another implementation of the hashes.
 */
#include "config.h"

#include "worker/rtsp_digest.h"

#include "tests/harness/harness.h"

#define MUFASA                                                                                     \
	.user = "Mufasa", .realm = "http-auth@example.org", .password = "Circle of Life",          \
	.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", .method = "GET",                  \
	.uri = "/dir/index.html", .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static const struct {
	struct rtsp_digest digest;
	const char *want;
} digests[] = {
	{ { .user = "Mufasa",
	    .realm = "testrealm@host.com",
	    .password = "Circle Of Life",
	    .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
	    .method = "GET",
	    .uri = "/dir/index.html",
	    .cnonce = "0a4f113b",
	    .has_qop = true,
	    .nc = 1 },
	  "6629fae49393a05397450978507c4ef1" },
	{ { MUFASA, .has_qop = true, .nc = 1 }, "8ca523f5e9506fed4657c9700eebdbec" },
	{ { MUFASA, .has_qop = true, .nc = 1, .is_sha256 = true },
	  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	{ { MUFASA, .has_qop = true, .nc = 0xffffffff }, "bf65a0259caf729a45ebe54b70497585" },
	{ { MUFASA, .has_qop = true, .nc = 1, .is_sess = true },
	  "e783283f46242139c486a698fec7211d" },
	{ { MUFASA, .has_qop = true, .nc = 1, .is_sess = true, .is_sha256 = true },
	  "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7" },
	{ { MUFASA }, "7b2cc3b30e75b4777ea31027084363fd" },
	{ { MUFASA, .is_sha256 = true },
	  "a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363" },
	{ { MUFASA, .is_sess = true }, "37a7f42db2090a3fcac4e26e747d4fc8" },
};

START_TEST(responses_are_right)
{
	char response[RTSP_DIGEST_TEXT_MAX];

	ck_assert_int_eq(rtsp_digest_response(&digests[_i].digest, response), 0);
	ck_assert_str_eq(response, digests[_i].want);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_digest");
	TCase *tcase = tcase_create("digest");

	tcase_add_loop_test(tcase, responses_are_right, 0,
			    (int)(sizeof(digests) / sizeof(digests[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
