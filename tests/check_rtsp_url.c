/*
 * Addresses within a session.
 */
#include "config.h"

#include "worker/rtsp_url.h"

#include "shared/url.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *request, *base, *control, *want; /* NULL: none */
} controls[] = {
	/* Relative, with and without a slash. */
	{ "rtsp://h/a", NULL, "trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a/", NULL, "trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a", "", " trackID=1\r\n", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a", "rtsp://h/a/", "trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a", "rtsp://h/b", "track1/video", "rtsp://h/b/track1/video" },
	{ "rtsp://h", NULL, "trackID=1", "rtsp://h/trackID=1" },
	{ "rtsp://h/", NULL, "trackID=1", "rtsp://h/trackID=1" },
	{ "rtsp://h:554/a/b", NULL, "c", "rtsp://h:554/a/b/c" },
	/* With a slash of its own: behind the base, unless the base's path is in it. */
	{ "rtsp://h/a", NULL, "/trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a/", NULL, "/trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a", NULL, "/a/trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a/b/?x=1", NULL, "/a/b/trackID=1", "rtsp://h/a/b/trackID=1" },
	{ "rtsp://h/a", NULL, "/ab/trackID=1", "rtsp://h/a/ab/trackID=1" },
	{ "rtsp://h/a", NULL, "/a", "rtsp://h/a/a" },
	{ "rtsp://h/", NULL, "/", "rtsp://h/" },
	/* Queries: behind all of it. */
	{ "rtsp://h/a?x=1", NULL, "trackID=1", "rtsp://h/a?x=1/trackID=1" },
	{ "rtsp://h/a?x=1", "rtsp://h/a?x=1/", "trackID=1", "rtsp://h/a?x=1/trackID=1" },
	{ "rtsp://h/cam/realmonitor?channel=1&subtype=0", NULL, "trackID=0",
	  "rtsp://h/cam/realmonitor?channel=1&subtype=0/trackID=0" },
	{ "rtsp://h/a?x=1", "rtsp://h/a/", "trackID=1", "rtsp://h/a/trackID=1" },
	{ "rtsp://h/a", NULL, "trackID=1?x=1", "rtsp://h/a/trackID=1?x=1" },
	{ "rtsp://h/a", NULL, "?ctype=video", "rtsp://h/a?ctype=video" },
	{ "rtsp://h/a/", NULL, "?ctype=video", "rtsp://h/a/?ctype=video" },
	/* The base itself. */
	{ "rtsp://h/a?x=1", NULL, "*", "rtsp://h/a?x=1" },
	{ "rtsp://h/a", "rtsp://h/a/", "*", "rtsp://h/a/" },
	{ "rtsp://h/a", "rtsp://h/b", "", "rtsp://h/b" },
	{ "rtsp://h/a", NULL, NULL, "rtsp://h/a" },
	{ "rtsp://h", NULL, "*", "rtsp://h" },
	/* Absolute: what the camera says, where we reach it. */
	{ "rtsp://h/a", NULL, "rtsp://h/b/trackID=1", "rtsp://h/b/trackID=1" },
	{ "rtsp://h/a", "rtsp://h/c/", "RTSP://192.168.1.10:554/b?x=1/trackID=1",
	  "rtsp://h/b?x=1/trackID=1" },
	{ "rtsp://10.0.0.1:8554/a", NULL, "rtsp://192.168.1.10/", "rtsp://10.0.0.1:8554/" },
	{ "rtsp://10.0.0.1:8554/a", NULL, "rtsp://192.168.1.10", "rtsp://10.0.0.1:8554" },
	{ "rtsps://h/a", NULL, "rtsp://h/b", "rtsps://h/b" },
	{ "rtsp://h/a", NULL, "rtsps://h/b", "rtsp://h/b" },
	{ "rtsp://h/a", NULL, "//192.168.1.10/b", "rtsp://h/b" },
	{ "rtsp://h/a", "http://h/b", "x", "rtsp://h/a/x" },
	{ "rtsp://h/a", NULL, "http://h/b", NULL },
	{ "rtsp://h/a", NULL, "file:///etc/passwd", NULL },
	{ "rtsp://h/a", NULL, "rtsp:/b", "rtsp://h/a/rtsp:/b" },
	/* Bases that cameras send. */
	{ "rtsp://h/a", "/b/", "t", "rtsp://h/b/t" },
	{ "rtsp://h/a", "b/", "t", "rtsp://h/a/t" },
	{ "rtsp://h/a", "192.168.1.10:554/stream0/", "t", "rtsp://h/stream0/t" },
	{ "rtsp://h/a", "192.168.1.10:554", "t", "rtsp://h/t" },
	{ "rtsp://h/a", "rtsp://192.168.1.10", "t", "rtsp://h/t" },
	{ "rtsp://h/a", "//192.168.1.10/b", "t", "rtsp://h/b/t" },
	{ "rtsp://h/a", " rtsp://h/b/ ", "t", "rtsp://h/b/t" },
	{ "rtsp://h/a", "rtsp://rtsp://h:554/b/", "t", "rtsp://h/b/t" },
	{ "rtsp://h/a", "rtsp://http://h:554/b/", "t", "rtsp://h/a/t" },
	{ "rtsp://h/a", "rtsp://h://b/", "t", "rtsp://h/a/t" },
	{ "rtsp://h/a", "//h://b/", "t", "rtsp://h//b/t" },
	/* Userinfo goes, wherever it was. */
	{ "rtsp://u:p@h/a", "rtsp://u:p@h/a/", "t", "rtsp://h/a/t" },
	{ "rtsp://u:p@h/a", NULL, "rtsp://u:p@192.168.1.10:554/b@c", "rtsp://h/b@c" },
	{ "rtsp://u:p@q@h:1/a", NULL, "*", "rtsp://h:1/a" },
	{ "rtsp://h/a", "u:p@h:554/b", "t", "rtsp://h/b/t" },
	{ "rtsp://h/user=admin&password=@x/a", NULL, "t", "rtsp://h/user=admin&password=@x/a/t" },
	/* IPv6. */
	{ "rtsp://[fe80::1]:554/a", NULL, "t", "rtsp://[fe80::1]:554/a/t" },
	{ "rtsp://[fe80::1]/a", NULL, "rtsp://[2001:db8::2]:8554/b", "rtsp://[fe80::1]/b" },
	{ "rtsp://[fe80::1]", "[fe80::1]:554/b", "t", "rtsp://[fe80::1]/b/t" },
	/* What must not be in a request. */
	{ "rtsp://h/a", NULL, "track 1", "rtsp://h/a/track%201" },
	{ "rtsp://h/a", NULL, "t\r\nX: y", NULL },
	{ "rtsp://h/a", NULL, "t\x7f", NULL },
	{ "rtsp://h/a", "rtsp://h/\t", "t", "rtsp://h/t" },
	{ "rtsp://h/a", "rtsp://h/b\tc", "t", NULL },
	{ "rtsp://h/a", NULL, "t\xc3\xa4", "rtsp://h/a/t\xc3\xa4" },
	{ "http://h/a", NULL, "t", NULL },
	{ "rtsp:///a", NULL, "t", NULL },
	{ "h/a", NULL, "t", NULL },
	{ "", NULL, "t", NULL },
};

START_TEST(controls_are_joined)
{
	char *url = rtsp_url_control(controls[_i].request, controls[_i].base, controls[_i].control);

	ck_assert_pstr_eq(url, controls[_i].want);
	free(url);
}
END_TEST

static const struct {
	const char *from, *location, *want;
} redirects[] = {
	{ "rtsp://h/a", "rtsp://other:8554/b?x=1", "rtsp://other:8554/b?x=1" },
	{ "rtsp://h/a", " RTSP://other ", "rtsp://other" },
	{ "rtsp://h/a", "rtsps://h/a", "rtsps://h/a" },
	{ "rtsps://h/a", "rtsps://other/a", "rtsps://other/a" },
	{ "RTSPS://h/a", "rtsp://h/a", NULL },
	{ "rtsps://h/a", "rtsp://h/a", NULL },
	{ "rtsp://h/a", "http://h/a", NULL },
	{ "rtsp://h/a", "rtmp://h/a", NULL },
	{ "rtsp://h/a", "file:///etc/passwd", NULL },
	{ "rtsp://h/a", "javascript:x", NULL },
	/* Relative. */
	{ "rtsp://h:554/a/b?x=1", "/c", "rtsp://h:554/c" },
	{ "rtsp://h:554/a/b?x=1/2", "c/d", "rtsp://h:554/a/c/d" },
	{ "rtsp://h/a/", "c", "rtsp://h/a/c" },
	{ "rtsp://h", "c", "rtsp://h/c" },
	{ "rtsp://h", "?y=2", "rtsp://h?y=2" },
	{ "rtsp://h/a?x=1", "?y=2", "rtsp://h/a?y=2" },
	{ "rtsps://h/a", "//other/c", "rtsps://other/c" },
	{ "rtsps://h/a", "/c", "rtsps://h/c" },
	{ "rtsp://h/a", "other:554/c", NULL },
	/* Userinfo and fragment go. */
	{ "rtsp://u:p@h/a", "/c", "rtsp://h/c" },
	{ "rtsp://h/a", "rtsp://u:p@other/c#x", "rtsp://other/c" },
	{ "rtsp://h/a", "//u@other/c", "rtsp://other/c" },
	{ "rtsp://h/a", "#x", NULL },
	/* IPv6. */
	{ "rtsp://h/a", "rtsp://[2001:db8::1]:8554/c", "rtsp://[2001:db8::1]:8554/c" },
	{ "rtsp://[2001:db8::1]/a", "c", "rtsp://[2001:db8::1]/c" },
	/* Not an address. */
	{ "rtsp://h/a", "rtsp:///c", NULL },
	{ "rtsp://h/a", "rtsp://", NULL },
	{ "rtsp://h/a", "rtsp://other:0/c", NULL },
	{ "rtsp://h/a", "rtsp://other:65536/c", NULL },
	{ "rtsp://h/a", "rtsp://other:x/c", NULL },
	{ "rtsp://h/a", "rtsp://[::1/c", NULL },
	{ "rtsp://h/a", "rtsp://other/c d", "rtsp://other/c%20d" },
	{ "rtsp://h/a", "rtsp://other/c\rX: y", NULL },
	{ "rtsp://h/a", "", NULL },
	{ "h/a", "/c", NULL },
};

START_TEST(redirects_are_followed_to_where_it_is_safe)
{
	struct rtsp_text location = { redirects[_i].location, strlen(redirects[_i].location) };
	char *url = rtsp_url_redirect(redirects[_i].from, &location);

	ck_assert_pstr_eq(url, redirects[_i].want);
	free(url);
}
END_TEST

/* What is longer than an address may be is none. */
START_TEST(too_long_addresses_are_none)
{
	char text[URL_MAX_BYTES + 2], *url;
	struct rtsp_text location = { text, URL_MAX_BYTES };

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_ptr_null(rtsp_url_control("rtsp://h/", NULL, text));
	ck_assert_ptr_null(rtsp_url_control("rtsp://h/", text, "t"));
	ck_assert_ptr_null(rtsp_url_control(text, NULL, "t"));
	text[URL_MAX_BYTES - strlen("rtsp://h/") + 1] = '\0';
	ck_assert_ptr_null(rtsp_url_control("rtsp://h/", NULL, text));
	text[URL_MAX_BYTES - strlen("rtsp://h/")] = '\0';
	url = rtsp_url_control("rtsp://h/", NULL, text);
	ck_assert_ptr_nonnull(url);
	ck_assert_uint_eq(strlen(url), URL_MAX_BYTES);
	free(url);
	memset(text, 'a', sizeof(text));
	memcpy(text, "rtsp://h/", 9);
	url = rtsp_url_redirect("rtsp://h/", &location);
	ck_assert_ptr_nonnull(url);
	free(url);
	location.len++;
	ck_assert_ptr_null(rtsp_url_redirect("rtsp://h/", &location));
	text[9] = ' ';
	location.len--;
	ck_assert_ptr_null(rtsp_url_redirect("rtsp://h/", &location));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_url");
	TCase *tcase = tcase_create("url");

	tcase_add_loop_test(tcase, controls_are_joined, 0, ROWS(controls));
	tcase_add_loop_test(tcase, redirects_are_followed_to_where_it_is_safe, 0, ROWS(redirects));
	tcase_add_test(tcase, too_long_addresses_are_none);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
