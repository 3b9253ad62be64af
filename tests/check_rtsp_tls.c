/*
 * How "tls:" is read.
 */
#include "config.h"

#include "worker/rtsp_tls.h"

#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(test_tls_modes)
{
	static const char pin[] =
	    "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	struct rtsp_tls_config config = { .mode = RTSP_TLS_NONE };
	char text[128];

	ck_assert_int_eq(rtsp_tls_read_mode("verify", &config), 0);
	ck_assert_int_eq(config.mode, RTSP_TLS_VERIFY);
	ck_assert_int_eq(rtsp_tls_read_mode("insecure", &config), 0);
	ck_assert_int_eq(config.mode, RTSP_TLS_INSECURE);
	ck_assert_int_eq(rtsp_tls_read_mode(pin, &config), 0);
	ck_assert_int_eq(config.mode, RTSP_TLS_PINNED);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(config.pin_sha256[i], i);
	for (size_t cut = 0; cut < strlen(pin); cut++) {
		snprintf(text, sizeof(text), "%.*s", (int)cut, pin);
		ck_assert_int_eq(rtsp_tls_read_mode(text, &config), -EINVAL);
	}
	snprintf(text, sizeof(text), "%s0", pin);
	ck_assert_int_eq(rtsp_tls_read_mode(text, &config), -EINVAL);
	snprintf(text, sizeof(text), "%s", pin);
	text[20] = 'g';
	ck_assert_int_eq(rtsp_tls_read_mode(text, &config), -EINVAL);
	ck_assert_int_eq(config.mode, RTSP_TLS_PINNED);
}
END_TEST

START_TEST(test_tls_pin_with_colons)
{
	struct rtsp_tls_config config = { .mode = RTSP_TLS_NONE };
	char text[128] = "sha256:00";

	for (int i = 1; i < 32; i++)
		snprintf(text + strlen(text), 4, ":%02x", i);
	ck_assert_int_eq(rtsp_tls_read_mode(text, &config), 0);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(config.pin_sha256[i], i);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_tls");
	TCase *tcase = tcase_create("mode");

	tcase_add_test(tcase, test_tls_modes);
	tcase_add_test(tcase, test_tls_pin_with_colons);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
