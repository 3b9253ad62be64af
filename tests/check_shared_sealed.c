/*
 * Files of memory that go from one process to another.
 */
#include "config.h"

#include "shared/sealed.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
make(size_t len)
{
	int fd = -1;

	ck_assert_int_eq(sealed_new("test", "0123456789", len, &fd), 0);
	return fd;
}

START_TEST(test_it_is_read_whole)
{
	int fd = make(10);
	char text[11] = "";
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, 10);
	/* From the beginning, wherever its writer stands. */
	for (int i = 0; i < 2; i++) {
		memset(text, 0, sizeof(text));
		ck_assert_int_eq(sealed_read(fd, text, 10), 0);
		ck_assert_str_eq(text, "0123456789");
	}
	ck_assert_int_eq(sealed_read(fd, text, 11), -EIO);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	ck_assert_int_eq(sealed_read(fd, text, 10), -EBADF);
}
END_TEST

START_TEST(test_nobody_changes_it)
{
	int fd = make(_i == 0 ? 0 : 10);

	ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 20), -1);
	ck_assert_int_eq(errno, EPERM);
	if (_i > 0) {
		ck_assert_int_eq(ftruncate(fd, 1), -1);
		ck_assert_int_eq(errno, EPERM);
	}
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), -1);
	ck_assert_int_eq(errno, EPERM);
	close(fd);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("shared_sealed");
	TCase *tcase = tcase_create("sealed");

	tcase_add_test(tcase, test_it_is_read_whole);
	tcase_add_loop_test(tcase, test_nobody_changes_it, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
