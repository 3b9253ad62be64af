/*
 * The credentials file: who may read it, what its lines say, and that no message repeats them.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/conf_creds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *
creds_file(const char *text, size_t len, mode_t mode)
{
	const char *path = harness_tmpfile("cameras");
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

#define RIGHT     "a:u:p\n"
#define NO_FIELDS "not three fields, expected NAME:USER:PASSWORD"
#define BAD_NAME  "bad name in the first field, expected a-z 0-9 _ - (at most 32)"
#define NOT_USABLE                                                                                 \
	"user or password not usable, expected UTF-8 without control characters, each at most "    \
	"256 "                                                                                     \
	"bytes"

/* text; entries that are found, as "name/user/password " each; "line: mistake" each. */
static const struct {
	const char *text, *entries, *mistakes;
} files[] = {
	{ "", "", "" },
	{ "door:admin:geheim\n", "door/admin/geheim ", "" },
	{ "door:admin:geheim", "door/admin/geheim ", "" },
	{ "door:admin:ge:he:im:\n", "door/admin/ge:he:im: ", "" },
	{ "door:admin: ge heim \n", "door/admin/ ge heim  ", "" },
	{ "door:admin:\n", "door/admin/ ", "" },
	{ "door:admin:#geheim\r\nyard:u:p\r\n", "door/admin/#geheim yard/u/p ", "" },
	{ "# door:admin:geheim\n\n  \t\n  # x\na:u:p\n", "a/u/p ", "" },
	{ "\xef\xbb\xbf"
	  "a:u:p\n",
	  "a/u/p ", "" },
	{ "a:u:pä€😀\n", "a/u/pä€😀 ", "" },
	{ "geheim\n", "", "1: " NO_FIELDS "\n" },
	{ RIGHT "b:geheim\n", "a/u/p ", "2: " NO_FIELDS "\n" },
	{ "Geheim:u:p\n" RIGHT, "a/u/p ", "1: " BAD_NAME "\n" },
	{ " a:u:p\n", "", "1: " BAD_NAME "\n" },
	{ ":geheim:p\n", "", "1: " BAD_NAME "\n" },
	{ "a::geheim\n", "", "1: empty user, expected NAME:USER:PASSWORD\n" },
	{ "a:u:geheim\nb:u:q\na:geheim:x\n", "a/u/geheim b/u/q ",
	  "3: this name was there before, expected each once\n" },
	{ "a:u:ge\x01heim\n", "", "1: " NOT_USABLE "\n" },
	{ "a:u:geheim\xff\n", "", "1: " NOT_USABLE "\n" },
	{ "a:geheim\x7f:p\n", "", "1: " NOT_USABLE "\n" },
};

START_TEST(test_lines)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	char entries[512] = "", mistakes[1024] = "";
	const char *path = creds_file(files[_i].text, strlen(files[_i].text), 0600);
	int rc = conf_creds_load(path, &creds, &errors);

	ck_assert_int_eq(rc, files[_i].mistakes[0] != '\0' ? -EINVAL : 0);
	ck_assert_ptr_nonnull(creds);
	for (size_t i = 0; i < creds->n; i++)
		sprintf(entries + strlen(entries), "%s/%s/%s ", creds->list[i].name,
			creds->list[i].user, creds->list[i].password);
	for (size_t i = 0; i < errors.n; i++) {
		ck_assert_str_eq(errors.list[i].file, path);
		sprintf(mistakes + strlen(mistakes), "%u: %s\n", errors.list[i].line,
			errors.list[i].text);
	}
	ck_assert_str_eq(entries, files[_i].entries);
	ck_assert_str_eq(mistakes, files[_i].mistakes);
	ck_assert_ptr_null(strstr(mistakes, "geheim"));
	ck_assert_ptr_null(strstr(mistakes, "Geheim"));
	conf_errors_free(&errors);
	conf_creds_free(&creds);
	conf_creds_free(&creds);
}
END_TEST

START_TEST(test_nul_and_length)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	char text[400];

	ck_assert_int_eq(
	    conf_creds_load(creds_file("a:u:p\0x\nb:u:p\n", 14, 0600), &creds, &errors), -EINVAL);
	ck_assert_uint_eq(creds->n, 1);
	ck_assert_str_eq(creds->list[0].name, "b");
	ck_assert_str_eq(errors.list[0].text, "NUL byte in the line, expected text");
	conf_errors_free(&errors);
	conf_creds_free(&creds);
	for (int len = 256; len <= 257; len++) {
		snprintf(text, sizeof(text), "a:u:%0*d\n", len, 7);
		ck_assert_int_eq(
		    conf_creds_load(creds_file(text, strlen(text), 0600), &creds, &errors),
		    len > 256 ? -EINVAL : 0);
		ck_assert_uint_eq(creds->n, len > 256 ? 0 : 1);
		conf_errors_free(&errors);
		conf_creds_free(&creds);
	}
}
END_TEST

static const struct {
	mode_t mode;
	bool is_systemds; /* in $CREDENTIALS_DIRECTORY */
	int rc;
} modes[] = {
	{ 0600, false, 0 },       { 0400, false, 0 },       { 0640, false, -EINVAL },
	{ 0604, false, -EINVAL }, { 0620, false, -EINVAL }, { 0610, false, -EINVAL },
	{ 0644, false, -EINVAL }, { 0440, false, -EINVAL }, { 0400, true, 0 },
	{ 0440, true, 0 },        { 0600, true, 0 },        { 0444, true, -EINVAL },
	{ 0404, true, -EINVAL },  { 0460, true, -EINVAL },
};

START_TEST(test_modes)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	const char *path = creds_file(RIGHT, strlen(RIGHT), modes[_i].mode);

	harness_setenv("CREDENTIALS_DIRECTORY", modes[_i].is_systemds ? harness_tmpdir() : NULL);
	ck_assert_msg(conf_creds_load(path, &creds, &errors) == modes[_i].rc, "mode %04o",
		      modes[_i].mode);
	ck_assert((creds != NULL) == (modes[_i].rc == 0));
	ck_assert_uint_eq(errors.n, modes[_i].rc == 0 ? 0 : 1);
	if (errors.n > 0)
		ck_assert_ptr_nonnull(
		    strstr(errors.list[0].text, "lets others at the credentials"));
	conf_errors_free(&errors);
	conf_creds_free(&creds);
}
END_TEST

START_TEST(test_owner)
{
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;
	const char *path = creds_file(RIGHT, strlen(RIGHT), 0600);

	if (geteuid() != 0)
		HARNESS_SKIP("only root can give files away");
	ck_assert_int_eq(chown(path, 12345, 0), 0);
	ck_assert_int_eq(conf_creds_load(path, &creds, &errors), -EINVAL);
	ck_assert_str_eq(
	    errors.list[0].text,
	    "the file belongs to user 12345, expected root or the user of this process");
	conf_errors_free(&errors);
}
END_TEST

/* Nothing hangs, and nothing but a file is read. */
START_TEST(test_no_file)
{
	static const char *const endings[] = { "nothing", ".", "fifo" };
	struct conf_errors errors = { 0 };
	struct conf_creds *creds = NULL;

	ck_assert_int_eq(mkfifo(harness_tmpfile("fifo"), 0600), 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_lt(conf_creds_load(harness_tmpfile(endings[i]), &creds, &errors), 0);
		ck_assert_ptr_null(creds);
		ck_assert_uint_eq(errors.n, 1);
		ck_assert_uint_eq(errors.list[0].line, 1);
		conf_errors_free(&errors);
	}
}
END_TEST

/* A name that is missing is told where it is used; an unreadable file once, not for each camera. */
START_TEST(test_use)
{
	static const char yaml[] = "cameras:\n"
				   "  - { name: x, url: \"test:clock\", credentials: a }\n"
				   "  - { name: y, url: \"test:clock\", credentials: b }\n";
	const char *path = creds_file(RIGHT, strlen(RIGHT), 0600);
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;

	harness_setenv("CREDENTIALS_DIRECTORY", NULL);
	ck_assert_int_eq(conf_load_text("t", yaml, strlen(yaml), path, &conf, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_uint_eq(errors.list[0].line, 3);
	ck_assert_ptr_nonnull(strstr(errors.list[0].text, "no \"b\" in"));
	conf_errors_free(&errors);

	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(conf_load_text("t", yaml, strlen(yaml), path, &conf, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_str_eq(errors.list[0].file, path);
	conf_errors_free(&errors);

	ck_assert_int_eq(conf_load_text("t", yaml, strlen(yaml), NULL, &conf, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 2);
	ck_assert_ptr_nonnull(strstr(errors.list[0].text, "there is no credentials file"));
	conf_errors_free(&errors);

	/* "cameras" in $CREDENTIALS_DIRECTORY is found by itself. */
	harness_setenv("CREDENTIALS_DIRECTORY", harness_tmpdir());
	ck_assert_int_eq(chmod(path, 0400), 0);
	ck_assert_int_eq(conf_load_text("t", yaml, strlen(yaml), NULL, &conf, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_ptr_nonnull(strstr(errors.list[0].text, "no \"b\" in"));
	conf_errors_free(&errors);
}
END_TEST

static void
set_mtime(const char *path, time_t seconds)
{
	struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(test_frozen_copy)
{
	const char *copy = creds_file(RIGHT, strlen(RIGHT), 0400),
		   *source = harness_tmpfile("source");
	FILE *file = fopen(source, "we");

	ck_assert_ptr_nonnull(file);
	fclose(file);
	harness_setenv("CREDENTIALS_DIRECTORY", NULL);
	set_mtime(copy, 1000);
	set_mtime(source, 2000);
	ck_assert(!conf_credentials_are_frozen(copy));
	ck_assert(!conf_credentials_may_be_stale(copy, source));
	harness_setenv("CREDENTIALS_DIRECTORY", harness_tmpdir());
	ck_assert(conf_credentials_are_frozen(copy));
	ck_assert(!conf_credentials_are_frozen("/etc/camhub/cameras.cred"));
	ck_assert(!conf_credentials_are_frozen(harness_tmpfile("../cameras")));
	ck_assert(!conf_credentials_are_frozen(NULL));
	ck_assert(conf_credentials_may_be_stale(copy, source));
	set_mtime(source, 500);
	ck_assert(!conf_credentials_may_be_stale(copy, source));
	/* Nothing was copied from there. */
	ck_assert(!conf_credentials_may_be_stale(copy, harness_tmpfile("absent")));
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof((list)[0])))

static Suite *
creds_suite(void)
{
	Suite *suite = suite_create("conf_creds");
	TCase *tcase = tcase_create("conf_creds");

	tcase_add_loop_test(tcase, test_lines, 0, COUNT(files));
	tcase_add_test(tcase, test_nul_and_length);
	tcase_add_loop_test(tcase, test_modes, 0, COUNT(modes));
	tcase_add_test(tcase, test_owner);
	tcase_add_test(tcase, test_no_file);
	tcase_add_test(tcase, test_use);
	tcase_add_test(tcase, test_frozen_copy);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(creds_suite)
