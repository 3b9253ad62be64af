/*
 * Source URLs: taken apart, put together for libavformat, freed of what is secret in them.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/url.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

/* text: scheme host port path query, userinfo and numeric or not; with user "u:x" and password
 * "p@/" for libavformat. */
static const struct {
	const char *text, *scheme, *host;
	unsigned port;
	const char *path, *query;
	bool has_userinfo, is_numeric;
	const char *open, *open_as_user;
} right[] = {
	{ "rtsp://cam.lan/s1", "rtsp", "cam.lan", 554, "/s1", "", false, false, "rtsp://cam.lan/s1",
	  "rtsp://u%3Ax:p%40%2F@cam.lan/s1" },
	{ "RTSP://192.0.2.1:8554", "rtsp", "192.0.2.1", 8554, "/", "", false, true,
	  "rtsp://192.0.2.1:8554", "rtsp://u%3Ax:p%40%2F@192.0.2.1:8554" },
	{ "rtsps://[2001:db8::1]/a?b=c&d", "rtsps", "2001:db8::1", 322, "/a", "b=c&d", false, true,
	  "rtsps://[2001:db8::1]/a?b=c&d", "rtsps://u%3Ax:p%40%2F@[2001:db8::1]/a?b=c&d" },
	{ "http://[::1]:81?x", "http", "::1", 81, "/", "x", false, true, "http://[::1]:81?x",
	  "http://u%3Ax:p%40%2F@[::1]:81?x" },
	{ "rtsp://a:b@c@h/x", "rtsp", "h", 554, "/x", "", true, false, "rtsp://h/x",
	  "rtsp://u%3Ax:p%40%2F@h/x" },
	{ "https://h/a@b?c=d@e", "https", "h", 443, "/a@b", "c=d@e", false, false,
	  "https://h/a@b?c=d@e", "https://u%3Ax:p%40%2F@h/a@b?c=d@e" },
	{ "rtmp://h/live/x", "rtmp", "h", 1935, "/live/x", "", false, false, "rtmp://h/live/x",
	  "rtmp://u%3Ax:p%40%2F@h/live/x" },
	{ "hls://h/x.m3u8", "hls", "h", 80, "/x.m3u8", "", false, false, "http://h/x.m3u8",
	  "http://u%3Ax:p%40%2F@h/x.m3u8" },
	{ "hls+https://h/x", "hls+https", "h", 443, "/x", "", false, false, "https://h/x",
	  "https://u%3Ax:p%40%2F@h/x" },
	{ "file:/a%20b%3F.mp4?loop=1", "file", "", 0, "/a b?.mp4", "loop=1", false, false,
	  "file:/a b?.mp4", "file:/a b?.mp4" },
	{ "file:///a", "file", "", 0, "/a", "", false, false, "file:/a", "file:/a" },
	{ "v4l2:/dev/video0?size=640x480&fps=30", "v4l2", "", 0, "/dev/video0",
	  "size=640x480&fps=30", false, false, "/dev/video0", "/dev/video0" },
	{ "test:clock?size=1280x720&fps=25&gop=50&codec=h264", "test", "", 0, "clock",
	  "size=1280x720&fps=25&gop=50&codec=h264", false, false,
	  "test:clock?size=1280x720&fps=25&gop=50&codec=h264",
	  "test:clock?size=1280x720&fps=25&gop=50&codec=h264" },
	{ "test:clock", "test", "", 0, "clock", "", false, false, "test:clock", "test:clock" },
};

START_TEST(test_right)
{
	struct url url;
	char err[URL_ERROR_MAX], *open;

	ck_assert_msg(url_parse(right[_i].text, &url, err) == 0, "%s: %s", right[_i].text, err);
	ck_assert_str_eq(url.scheme->name, right[_i].scheme);
	ck_assert_str_eq(url.host, right[_i].host);
	ck_assert_uint_eq(url.port, right[_i].port);
	ck_assert_str_eq(url.path, right[_i].path);
	ck_assert_str_eq(url.query, right[_i].query);
	ck_assert(url.has_userinfo == right[_i].has_userinfo);
	ck_assert(url.host_is_numeric == right[_i].is_numeric);
	open = url_for_open(right[_i].text, &url, NULL, NULL);
	ck_assert_str_eq(open, right[_i].open);
	free(open);
	open = url_for_open(right[_i].text, &url, "u:x", "p@/");
	ck_assert_str_eq(open, right[_i].open_as_user);
	free(open);
	url_clear(&url);
	url_clear(&url);
}
END_TEST

static const char *const wrong[] = {
	"",
	"rtsp",
	"rtsp:",
	"rtsp:/",
	"rtsp://",
	"rtsp:///x",
	"rtsp://:554/",
	"rtsp://h:/",
	"rtsp://h:0/",
	"rtsp://h:65536/",
	"rtsp://h:1a/",
	"rtsp://h:554:1/",
	"rtsp://h h/",
	"rtsp://h/\x01",
	"rtsp://h/\n",
	"rtsp://-h/",
	"rtsp://a..b/",
	"rtsp://.a/",
	"rtsp://h%41/",
	"rtsp://192.0.2/",
	"rtsp://192.0.2.256/",
	"rtsp://[::1/",
	"rtsp://[::g]/",
	"rtsp://[::1]x/",
	"rtsp://[::1]:/",
	"rtsp://ä.de/",
	"exec:ls",
	"exec://h/",
	"pipe:1",
	"concat:a|b",
	"tee:x",
	"rtp://h/",
	"udp://h/",
	"data:x",
	"file:",
	"file:a",
	"file://h/a",
	"file:/",
	"file:/%00",
	"file:/a%00b",
	"file:/%2",
	"file:/%zz",
	"file:/a?loop=2",
	"file:/a?loop",
	"file:/a?x=1",
	"file:/a/../../b",
	"v4l2:/dev/",
	"v4l2:/etc/x",
	"v4l2:/dev/%2e%2e/x/../y",
	"v4l2:video0",
	"test:",
	"test:bars",
	"test:clock/x",
	"test:clock?",
	"test:clock?size=100x100x1",
	"test:clock?size=62x64",
	"test:clock?size=3842x2160",
	"test:clock?size=101x100",
	"test:clock?size=-100x100",
	"test:clock?fps=0",
	"test:clock?fps=",
	"test:clock?fps",
	"test:clock?fps=1e1",
	"test:clock?gop=1001",
	"test:clock?codec=h265",
	"test:clock?fps=5&",
	"test:clock?fps=5&fps=5",
};

START_TEST(test_wrong)
{
	struct url url = { .port = 7 };
	char err[URL_ERROR_MAX] = "";
	int rc = url_parse(wrong[_i], &url, err);

	/* A '?' with nothing behind it is no mistake. */
	if (strcmp(wrong[_i], "test:clock?") == 0) {
		ck_assert_int_eq(rc, 0);
		url_clear(&url);
		return;
	}
	ck_assert_msg(rc == -EINVAL, "%s is taken", wrong[_i]);
	ck_assert_uint_eq(url.port, 7);
	ck_assert_msg(strstr(err, ", expected ") != NULL, "%s: %s", wrong[_i], err);
	ck_assert_ptr_null(strpbrk(err, "\n\x01"));
}
END_TEST

START_TEST(test_length)
{
	char *text = xmalloc(URL_MAX_BYTES + 2), err[URL_ERROR_MAX];
	struct url url;

	memset(text, 'a', URL_MAX_BYTES + 1);
	memcpy(text, "rtsp://h/", 9);
	text[URL_MAX_BYTES + 1] = '\0';
	ck_assert_int_eq(url_parse(text, &url, err), -EINVAL);
	text[URL_MAX_BYTES] = '\0';
	ck_assert_int_eq(url_parse(text, &url, err), 0);
	url_clear(&url);
	memset(text, 'a', URL_MAX_BYTES);
	memcpy(text, "rtsp://", 7);
	ck_assert_int_eq(url_parse(text, &url, err), -EINVAL);
	free(text);
}
END_TEST

/* Every cut of every right URL: never a crash, and what is refused says why. */
START_TEST(test_cut_anywhere)
{
	char *text = xstrdup(right[_i].text), err[URL_ERROR_MAX];
	struct url url;

	for (size_t len = strlen(text); len-- > 0;) {
		text[len] = '\0';
		if (url_parse(text, &url, err) == 0)
			url_clear(&url);
		else
			ck_assert_ptr_nonnull(strstr(err, "expected"));
	}
	free(text);
}
END_TEST

static const struct {
	const char *text, *bare, *user, *password;
} userinfos[] = {
	{ "rtsp://h/a", "rtsp://h/a", NULL, NULL },
	{ "rtsp://admin:geheim@h/a", "rtsp://h/a", "admin", "geheim" },
	{ "rtsp://admin@h/a", "rtsp://h/a", "admin", "" },
	{ "rtsp://admin:@h/a", "rtsp://h/a", "admin", "" },
	{ "rtsp://a:b:c@d@h:8554/a@b", "rtsp://h:8554/a@b", "a", "b:c@d" },
	{ "rtsp://a%40b:%2F%3a%zz%4@h", "rtsp://h", "a@b", "/:%zz%4" },
	{ "rtsp://h/a@b", "rtsp://h/a@b", NULL, NULL },
	{ "test:clock", "test:clock", NULL, NULL },
	{ "file:/a@b", "file:/a@b", NULL, NULL },
	{ "file:/a://u:p@b", "file:/a://u:p@b", NULL, NULL },
};

START_TEST(test_split_userinfo)
{
	char *bare, *user, *password;

	ck_assert_int_eq(url_split_userinfo(userinfos[_i].text, &bare, &user, &password), 0);
	ck_assert_str_eq(bare, userinfos[_i].bare);
	ck_assert_pstr_eq(user, userinfos[_i].user);
	ck_assert_pstr_eq(password, userinfos[_i].password);
	free(bare);
	free(user);
	free(password);
}
END_TEST

START_TEST(test_split_refuses_nul)
{
	char *bare = NULL, *user = NULL, *password = NULL;

	ck_assert_int_eq(url_split_userinfo("rtsp://a:b%00c@h/", &bare, &user, &password), -EINVAL);
	ck_assert_ptr_null(bare);
}
END_TEST

START_TEST(test_param)
{
	struct url url;
	char err[URL_ERROR_MAX], *value;

	ck_assert_int_eq(url_parse("http://h/?ab=1&a=%41%20&b=&c&a=2", &url, err), 0);
	value = url_param(&url, "a");
	ck_assert_str_eq(value, "A ");
	free(value);
	value = url_param(&url, "b");
	ck_assert_str_eq(value, "");
	free(value);
	ck_assert_ptr_null(url_param(&url, "c"));
	ck_assert_ptr_null(url_param(&url, "d"));
	url_clear(&url);
}
END_TEST

/* What may be opened is a list of network protocols; nothing in it runs a program or reads other
 * files. */
START_TEST(test_protocols)
{
	static const char *const never[] = { "file",  "pipe", "concat", "subfile", "data", "cache",
					     "async", "unix", "fd",     "exec",    "tee" };
	const struct url_scheme *scheme;

	for (size_t i = 0; (scheme = url_scheme_at(i)) != NULL; i++) {
		ck_assert_ptr_nonnull(scheme->protocols);
		ck_assert((scheme->shape == URL_NETWORK) == (scheme->default_port != 0));
		ck_assert_ptr_eq(url_scheme_find(scheme->name), scheme);
		ck_assert_ptr_nonnull(strstr(url_schemes_text(), scheme->name));
		for (size_t j = 0; j < sizeof(never) / sizeof(never[0]); j++)
			if (strcmp(scheme->name, "file") != 0)
				ck_assert_msg(strstr(scheme->protocols, never[j]) == NULL, "%s: %s",
					      scheme->name, scheme->protocols);
	}
	ck_assert_str_eq(url_scheme_find("file")->protocols, "file");
	ck_assert_ptr_null(url_scheme_find("exec"));
	/* A connection that began encrypted does not go on in the clear. */
	ck_assert_ptr_null(strstr(url_scheme_find("https")->protocols, "http,"));
	ck_assert_ptr_null(strstr(url_scheme_find("hls+https")->protocols, "http,"));
}
END_TEST

static Suite *
url_suite(void)
{
	Suite *suite = suite_create("conf_url");
	TCase *tcase = tcase_create("conf_url");

	tcase_add_loop_test(tcase, test_right, 0, COUNT(right));
	tcase_add_loop_test(tcase, test_wrong, 0, COUNT(wrong));
	tcase_add_test(tcase, test_length);
	tcase_add_loop_test(tcase, test_cut_anywhere, 0, COUNT(right));
	tcase_add_loop_test(tcase, test_split_userinfo, 0, COUNT(userinfos));
	tcase_add_test(tcase, test_split_refuses_nul);
	tcase_add_test(tcase, test_param);
	tcase_add_test(tcase, test_protocols);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(url_suite)
