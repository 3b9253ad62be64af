/*
 * What a reload finds different, and the addresses of listeners.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/conf.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void
write_file(const char *path, const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static struct conf *
load(const char *yaml, const char *creds_path)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;

	if (conf_load_text("t", yaml, strlen(yaml), creds_path, &conf, &errors) < 0)
		ck_abort_msg("%s", conf_errors_text(&errors, 0));
	return conf;
}

static void
count_change(enum conf_change change, const struct conf_stream *before,
	     const struct conf_stream *after, void *arg)
{
	char *text = arg;
	static const char letters[] = { [CONF_STREAM_SAME] = '=',
					[CONF_STREAM_ADDED] = '+',
					[CONF_STREAM_REMOVED] = '-',
					[CONF_STREAM_SHOWN] = 't',
					[CONF_STREAM_CHANGED] = '!' };

	ck_assert((before == NULL) == (change == CONF_STREAM_ADDED));
	ck_assert((after == NULL) == (change == CONF_STREAM_REMOVED));
	sprintf(text + strlen(text), "%c%s ", letters[change], (after ? after : before)->name);
}

#define BASE "{ name: a, url: rtsp://h/1, sub: rtsp://h/2, credentials: door"
static const struct {
	const char *camera, *changes;
} diffs[] = {
	{ BASE " }", "=a =a.sub =b " },
	{ BASE ", title: x }", "ta ta.sub =b " },
	{ BASE ", group: x }", "ta ta.sub =b " },
	{ BASE ", on_demand: true }", "ta ta.sub =b " },
	{ BASE ", transport: udp }", "!a !a.sub =b " },
	{ BASE ", ingest: av }", "!a !a.sub =b " },
	{ BASE ", open_timeout: 6s }", "!a !a.sub =b " },
	{ BASE ", stall_timeout: 6s }", "!a !a.sub =b " },
	{ BASE ", vui: keep }", "!a !a.sub =b " },
	{ BASE ", reorder: 50ms }", "!a !a.sub =b " },
	{ BASE ", loss_hold_ms: 2000 }", "ta ta.sub =b " },
	{ BASE ", transcode: never }", "ta ta.sub =b " },
	{ "{ name: a, url: rtsp://h/1, sub: rtsps://h/2, credentials: door, tls: insecure }",
	  "!a !a.sub =b " },
	{ "{ name: a, url: rtsp://h/9, sub: rtsp://h/2, credentials: door }", "!a =a.sub =b " },
	{ "{ name: a, url: rtsp://h/1, sub: rtsp://h/9, credentials: door }", "=a !a.sub =b " },
	{ "{ name: a, url: rtsp://h/1, credentials: door }", "-a.sub =a =b " },
	{ "{ name: a, url: rtsp://h/1, sub: rtsp://h/2 }", "!a !a.sub =b " },
	{ "{ name: a, url: rtsp://h/1, sub: rtsp://h/2, credentials: twin }", "=a =a.sub =b " },
	{ "{ name: c, url: rtsp://h/1, sub: rtsp://h/2, credentials: door }",
	  "-a -a.sub +c +c.sub =b " },
};

START_TEST(test_diff)
{
	const char *creds_path = harness_tmpfile("creds");
	char *yaml =
	    xasprintf("cameras: [ %s, { name: b, url: \"test:clock\" } ]\n", diffs[_i].camera);
	struct conf *before, *after;
	char changes[256] = "";

	write_file(creds_path, "door:u:p\ntwin:u:p\n", 18, 0600);
	before = load("cameras: [ " BASE " }, { name: b, url: \"test:clock\" } ]\n", creds_path);
	after = load(yaml, creds_path);
	conf_diff(before, after, count_change, changes);
	ck_assert_str_eq(changes, diffs[_i].changes);
	conf_free(&before);
	/* A new password is a change of the cameras that use it, and of no other. */
	write_file(creds_path, "door:u:other\ntwin:u:p\n", 22, 0600);
	before = load("cameras: [ " BASE " }, { name: b, url: \"test:clock\" } ]\n", creds_path);
	if (_i == 0) {
		changes[0] = '\0';
		conf_diff(before, after, count_change, changes);
		ck_assert_str_eq(changes, "!a !a.sub =b ");
		ck_assert(!conf_camera_equal(&before->cameras[0], &after->cameras[0]));
		ck_assert(conf_camera_equal(&before->cameras[1], &after->cameras[1]));
		changes[0] = '\0';
		conf_diff(NULL, after, count_change, changes);
		ck_assert_str_eq(changes, "+a +a.sub +b ");
	}
	conf_free(&before);
	conf_free(&after);
	free(yaml);
}
END_TEST

static void
note_key(const char *key, enum conf_reload reload, void *arg)
{
	sprintf((char *)arg + strlen(arg), "%s %d\n", key, reload);
}

START_TEST(test_diff_keys)
{
	struct conf *before = conf_defaults();
	struct conf *after = load("http: { listen: [ \"127.0.0.1:81\" ], live_target: 40ms }\n"
				  "log: { level: warn }\nbus: { gop_cache: 1MiB }\n"
				  "restart: { jitter: 21% }\n",
				  NULL);
	char text[512] = "";

	conf_diff_keys(before, before, note_key, text);
	ck_assert_str_eq(text, "");
	conf_diff_keys(before, after, note_key, text);
	ck_assert_str_eq(text, "http.listen 2\nlog.level 0\nbus.gop_cache 1\nrestart.jitter 0\n");
	conf_free(&before);
	conf_free(&after);
}
END_TEST

static const struct {
	const char *text;
	int rc;
	bool loopback;
} addresses[] = {
	{ "127.0.0.1:8080", 0, true },
	{ "127.255.255.254:1", 0, true },
	{ "[::1]:65535", 0, true },
	{ "[::ffff:127.0.0.1]:80", 0, true },
	{ "0.0.0.0:80", 0, false },
	{ "[::]:80", 0, false },
	{ "[::ffff:10.0.0.1]:80", 0, false },
	{ "[fe80::1]:80", 0, false },
	{ "128.0.0.1:80", 0, false },
	{ "127.0.0.1", -EINVAL, false },
	{ "127.0.0.1:", -EINVAL, false },
	{ "127.0.0.1:0", -EINVAL, false },
	{ "127.0.0.1:65536", -EINVAL, false },
	{ "127.0.0.1:080", -EINVAL, false },
	{ "127.0.0.1:+80", -EINVAL, false },
	{ "127.0.0.1:80 ", -EINVAL, false },
	{ " 127.0.0.1:80", -EINVAL, false },
	{ "127.1:80", -EINVAL, false },
	{ "::1:80", -EINVAL, false },
	{ "[::1]", -EINVAL, false },
	{ "[::1]80", -EINVAL, false },
	{ "[::1%lo]:80", -EINVAL, false },
	{ "[127.0.0.1]:80", -EINVAL, false },
	{ "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:80", -EINVAL, false },
	{ ":80", -EINVAL, false },
	{ "8080", -EINVAL, false },
	{ "*:80", -EINVAL, false },
	{ "", -EINVAL, false },
};

START_TEST(test_addresses)
{
	struct sockaddr_storage addr;
	socklen_t len = 0;
	char text[64];

	ck_assert_int_eq(conf_address_parse(addresses[_i].text, &addr, &len), addresses[_i].rc);
	if (addresses[_i].rc < 0) {
		ck_assert_uint_eq(len, 0);
		return;
	}
	ck_assert(conf_address_is_loopback((struct sockaddr *)&addr) == addresses[_i].loopback);
	ck_assert_str_eq(conf_address_format((struct sockaddr *)&addr, text), addresses[_i].text);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

static Suite *
diff_suite(void)
{
	Suite *suite = suite_create("conf_diff");
	TCase *tcase = tcase_create("conf_diff");

	tcase_add_loop_test(tcase, test_diff, 0, COUNT(diffs));
	tcase_add_test(tcase, test_diff_keys);
	tcase_add_loop_test(tcase, test_addresses, 0, COUNT(addresses));
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(diff_suite)
