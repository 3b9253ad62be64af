/*
 * Logging: what a line looks like, what never gets into one, and that writing never blocks.
 */
#include "config.h"

#include "shared/log.h"
#include "shared/redact.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECRET "p@ss wörd/1"

static char last[8192];
static enum log_level last_level;

static void
keep(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	snprintf(last, sizeof(last), "%s", line);
	last_level = level;
}

/* The line that a message becomes. */
#define LINE(...)                                                                                  \
	(log_set_sink(keep, NULL), last[0] = '\0', log_info(__VA_ARGS__), (const char *)last)

START_TEST(test_program_and_object)
{
	log_open("camhub-worker-av", "door");
	ck_assert_str_eq(LINE("up"), "camhub-worker-av[door]: up");
	log_open("camhub-supervisor", NULL);
	ck_assert_str_eq(LINE("%d cameras", 3), "camhub-supervisor: 3 cameras");
	ck_assert_int_eq(last_level, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(test_levels)
{
	static const char *const names[] = { "err", "warn", "notice", "info", "debug" };
	enum log_level level = LOG_LEVEL_ERR;

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(log_level_from_name(names[i], &level), 0);
		ck_assert_int_eq(level, LOG_LEVEL_ERR + i);
		ck_assert_str_eq(log_level_name(level), names[i]);
	}
	level = LOG_LEVEL_WARN;
	ck_assert_int_eq(log_level_from_name("error", &level), -EINVAL);
	ck_assert_int_eq(log_level_from_name("", &level), -EINVAL);
	ck_assert_int_eq(level, LOG_LEVEL_WARN);
	log_set_level(LOG_LEVEL_NOTICE);
	ck_assert_str_eq(LINE("not shown"), "");
	log_set_level(LOG_LEVEL_INFO);
	ck_assert_str_ne(LINE("shown"), "");
}
END_TEST

START_TEST(test_nobody_can_forge_a_line)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\nb", "a\\x0ab" },
		{ "a\r\tb\x7f", "a\\x0d\\x09b\\x7f" },
		{ "\x1b[31mred", "\\x1b[31mred" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xb7",
		  "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xb7" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" },                            /* cut */
		{ "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },          /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
		{ "\xc2\x9b", "\\xc2\\x9b" }, /* a C1 control: CSI on a terminal */
	};

	log_open("t", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "t: %s", cases[i].out);
		ck_assert_str_eq(LINE("%s", cases[i].in), expected);
	}
}
END_TEST

START_TEST(test_long_lines_are_cut)
{
	char *text = malloc(100001);

	memset(text, '\n', 100000);
	text[100000] = '\0';
	ck_assert_uint_lt(strlen(LINE("%s", text)), 4096);
	ck_assert_uint_gt(strlen(last), 4000);
	free(text);
}
END_TEST

START_TEST(test_secrets_never_appear)
{
	static const char *const forms[] = {
		SECRET,
		"p%40ss%20w%C3%B6rd%2F1",
		"p%40ss%20w%c3%b6rd%2f1",
		"cEBzcyB3w7ZyZC8x",
	};

	log_add_secret(SECRET);
	log_add_secret(SECRET);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		LINE("cam=door: <%s> and <%s>", forms[i], forms[i]);
		ck_assert_msg(strstr(last, "<[secret]> and <[secret]>") != NULL, "%s: %s", forms[i],
			      last);
	}
	log_clear_secrets();
	ck_assert_ptr_nonnull(strstr(LINE("%s", SECRET), SECRET));
}
END_TEST

START_TEST(test_short_secrets_would_redact_everything)
{
	log_add_secret("");
	log_add_secret("ab");
	log_add_secret("abc");
	LINE("ab abc ab");
	ck_assert_ptr_nonnull(strstr(last, "ab [secret] ab"));
}
END_TEST

START_TEST(test_a_secret_inside_another)
{
	log_add_secret("abc");
	log_add_secret("abcdef");
	LINE("x abcdef abc x");
	ck_assert_msg(strstr(last, "x [secret] [secret] x") != NULL, "%s", last);
}
END_TEST

START_TEST(test_errno_survives)
{
	errno = ENOTTY;
	LINE("a line");
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

/* stderr becomes a pipe that nobody reads; fds[0] its other end. */
static int saved_stderr;

static void
restore_stderr(void *arg)
{
	(void)arg;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
}

static int
replace_stderr(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	harness_defer(restore_stderr, NULL);
	log_set_sink(NULL, NULL);
	return fds[0];
}

START_TEST(test_a_full_pipe_never_blocks)
{
	uint64_t before = log_dropped();
	int fd = replace_stderr(), written = 0;
	char bytes[65536];

	harness_ignore_fds("stderr is another pipe for a while");
	/* Blocks for ever if the defence is gone: then the watchdog ends the test. */
	harness_watchdog_s(20);
	while (log_dropped() == before && written < 100000) {
		log_err("a line that nobody reads %d", written++);
		ck_assert_int_lt(written, 100000);
	}
	log_err("lost as well");
	ck_assert_uint_eq(log_dropped(), before + 2);
	ck_assert_int_gt(read(fd, bytes, sizeof(bytes)), 0);
	log_err("a line after that");
	ck_assert_uint_eq(log_dropped(), before + 2);
	close(fd);
}
END_TEST

/* As in a program: its own way to stderr, which leaves the others' alone. */
START_TEST(test_lines_that_were_lost_are_told)
{
	int fd = replace_stderr();
	char bytes[65537];
	uint64_t before = log_dropped();
	ssize_t n;

	harness_ignore_fds("stderr is another pipe for a while");
	harness_watchdog_s(20);
	log_open("camhub-http", NULL);
	log_never_wait();
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 5000; i++)
		log_err("a line that nobody reads %d", i);
	ck_assert_uint_gt(log_dropped(), before);
	n = read(fd, bytes, sizeof(bytes) - 1);
	ck_assert_int_gt(n, 0);
	/* Whole lines only. */
	ck_assert_int_eq(bytes[n - 1], '\n');
	log_err("a line after that");
	log_err("and another");
	n = read(fd, bytes, sizeof(bytes) - 1);
	bytes[n > 0 ? n : 0] = '\0';
	ck_assert_msg(strncmp(bytes, "camhub-http: lines of the log that were lost", 44) == 0, "%s",
		      bytes);
	ck_assert_ptr_nonnull(strstr(bytes, "\ncamhub-http: a line after that\n"
					    "camhub-http: and another\n"));
	close(fd);
}
END_TEST

START_TEST(test_a_full_socket_never_blocks)
{
	uint64_t before = log_dropped();
	char bytes[4096];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	harness_defer(restore_stderr, NULL);
	log_set_sink(NULL, NULL);
	harness_ignore_fds("stderr is a socket for a while");
	harness_watchdog_s(20);
	log_never_wait();
	for (int i = 0; i < 20000; i++)
		log_err("a line that nobody reads %d", i);
	ck_assert_uint_gt(log_dropped(), before);
	ck_assert_int_gt(recv(fds[0], bytes, sizeof(bytes), 0), 0);
	close(fds[0]);
}
END_TEST

/* The disk is full. */
START_TEST(test_no_room_never_blocks)
{
	uint64_t before = log_dropped();
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	dup2(fd, STDERR_FILENO);
	close(fd);
	harness_defer(restore_stderr, NULL);
	log_set_sink(NULL, NULL);
	harness_ignore_fds("stderr is full for a while");
	log_never_wait();
	log_err("one");
	log_err("two");
	ck_assert_uint_eq(log_dropped(), before + 2);
}
END_TEST

START_TEST(test_fields_go_to_the_journal)
{
	static const struct log_field fields[] = { { "CAMHUB_CAMERA", "door" },
						   { "CAMHUB_REASON", "a\nPRIORITY=0 " SECRET } };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char bytes[4096] = "";
	int fd = replace_stderr(), journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	harness_ignore_fds("stderr is another pipe for a while");
	harness_setenv("JOURNAL_STREAM", "8:1234");
	log_open("camhub-supervisor", NULL);
	log_add_secret(SECRET);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", harness_tmpfile("journal"));
	log_set_journal(addr.sun_path);
	/* Nobody is there: a line as any other. */
	log_msg_fields(LOG_LEVEL_NOTICE, fields, 2, "cam=door: %s", "down");
	ck_assert_int_gt(read(fd, bytes, sizeof(bytes) - 1), 0);
	ck_assert_str_eq(bytes, "<5>camhub-supervisor: cam=door: down\n");
	ck_assert_int_eq(bind(journal, (struct sockaddr *)&addr, sizeof(addr)), 0);
	log_msg_fields(LOG_LEVEL_NOTICE, fields, 2, "cam=door: %s", "down");
	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_gt(recv(journal, bytes, sizeof(bytes) - 1, MSG_DONTWAIT), 0);
	ck_assert_str_eq(bytes, "MESSAGE=camhub-supervisor: cam=door: down\nPRIORITY=5\n"
				"SYSLOG_IDENTIFIER=camhub-supervisor\nCAMHUB_CAMERA=door\n"
				"CAMHUB_REASON=a\\x0aPRIORITY=0 [secret]\n");
	/* And not twice. */
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(read(fd, bytes, sizeof(bytes)), -1);
	close(journal);
	close(fd);
	log_clear_secrets();
}
END_TEST

START_TEST(test_what_is_written)
{
	char bytes[1024] = "";
	int fd = replace_stderr();

	harness_ignore_fds("stderr is another pipe for a while");
	harness_setenv("JOURNAL_STREAM", NULL);
	log_open("camhub-http", "http");
	log_warn("first");
	harness_setenv("JOURNAL_STREAM", "8:1234");
	log_open("camhub-http", "http");
	log_warn("second");
	log_err("third");
	ck_assert_int_gt(read(fd, bytes, sizeof(bytes) - 1), 0);
	ck_assert_str_eq(bytes, "camhub-http[http]: first\n<4>camhub-http[http]: second\n"
				"<3>camhub-http[http]: third\n");
	close(fd);
}
END_TEST

/* redact.h */

START_TEST(test_urls_lose_their_userinfo)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "rtsp://user:pw@192.0.2.1:554/a", "rtsp://192.0.2.1:554/a" },
		{ "rtsp://user@h/", "rtsp://h/" },
		{ "rtsp://h:554/a?x=y@z", "rtsp://h:554/a?x=y@z" },
		{ "rtsp://h/a@b", "rtsp://h/a@b" },
		{ "rtsp://u:p@ss@h/a", "rtsp://h/a" },
		{ "rtsp://u:p/w@h/a", "rtsp://h/a" },
		{ "rtsp://u:p%40@[::1]:8554/", "rtsp://[::1]:8554/" },
		{ "rtsp://:pw@h", "rtsp://h" },
		{ "file:/a@b", "file:/a@b" },
		{ "no url", "no url" },
		{ "", "" },
		{ "://", "://" },
		{ "rtsp://@", "rtsp://" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = redact_url(cases[i].in);

		ck_assert_msg(strcmp(out, cases[i].out) == 0, "%s: %s, expected %s", cases[i].in,
			      out, cases[i].out);
		free(out);
	}
}
END_TEST

START_TEST(test_text_loses_secrets)
{
	static const char *const secrets[] = { "secret", "aaa", "x" };
	char *out = redact_text("secretsecret aaaaaaa x", secrets, 3);

	ck_assert_str_eq(out, "[secret][secret] [secret][secret]a x");
	free(out);
	out = redact_text("", secrets, 3);
	ck_assert_str_eq(out, "");
	free(out);
	out = redact_text("plain", NULL, 0);
	ck_assert_str_eq(out, "plain");
	free(out);
}
END_TEST

START_TEST(test_base64_in_all_its_lengths)
{
	static const struct {
		const char *secret, *base64;
	} cases[] = { { "admi", "YWRtaQ==" }, { "admin", "YWRtaW4=" }, { "admin1", "YWRtaW4x" } };

	for (size_t i = 0; i < 3; i++) {
		char *out = redact_text(cases[i].base64, &cases[i].secret, 1);

		ck_assert_int_eq(strncmp(out, "[secret]", 8), 0);
		free(out);
	}
}
END_TEST

/* As in "Authorization: Basic", where the secret follows a user name of any length. */
START_TEST(test_base64_behind_a_user_name)
{
	static const char *const encoded[] = {
		"dTpodW50ZXIyIQ==", /* u:hunter2! */
		"dXM6aHVudGVyMiE=", /* us:hunter2! */
		"dXNlOmh1bnRlcjIh", /* use:hunter2! */
	};
	static const char *const secret = "hunter2!";

	for (size_t i = 0; i < 3; i++) {
		char *out = redact_text(encoded[i], &secret, 1);

		ck_assert_msg(strstr(out, "[secret]") != NULL, "%s: %s", encoded[i], out);
		free(out);
	}
}
END_TEST

START_TEST(test_other_text_is_left_alone)
{
	static const char text[] = "aHVu dXNl hunter h%75nte h%7 %zz % 100%";
	static const char *const secret = "hunter2!";
	char *out = redact_text(text, &secret, 1);

	ck_assert_str_eq(out, text);
	free(out);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared-log");
	TCase *tcase = tcase_create("log");

	tcase_add_test(tcase, test_program_and_object);
	tcase_add_test(tcase, test_levels);
	tcase_add_test(tcase, test_nobody_can_forge_a_line);
	tcase_add_test(tcase, test_long_lines_are_cut);
	tcase_add_test(tcase, test_secrets_never_appear);
	tcase_add_test(tcase, test_short_secrets_would_redact_everything);
	tcase_add_test(tcase, test_a_secret_inside_another);
	tcase_add_test(tcase, test_errno_survives);
	tcase_add_test(tcase, test_a_full_pipe_never_blocks);
	tcase_add_test(tcase, test_fields_go_to_the_journal);
	tcase_add_test(tcase, test_lines_that_were_lost_are_told);
	tcase_add_test(tcase, test_a_full_socket_never_blocks);
	tcase_add_test(tcase, test_no_room_never_blocks);
	tcase_add_test(tcase, test_what_is_written);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("redact");
	tcase_add_test(tcase, test_urls_lose_their_userinfo);
	tcase_add_test(tcase, test_text_loses_secrets);
	tcase_add_test(tcase, test_base64_in_all_its_lengths);
	tcase_add_test(tcase, test_base64_behind_a_user_name);
	tcase_add_test(tcase, test_other_text_is_left_alone);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
