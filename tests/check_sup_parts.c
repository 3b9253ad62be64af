/*
 * Small parts of the supervisor, each alone.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "supervisor/resolve.h"
#include "supervisor/sup_disk.h"
#include "supervisor/sup_lookup.h"
#include "supervisor/sup_stolen.h"
#include "supervisor/sup_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Full and read-only ones need a file system of their own: e2e/test_disk.py. */
START_TEST(test_disks)
{
	const char *dir = harness_tmpfile("nothing");

	ck_assert_str_eq(sup_disk_trouble(dir), strerror(ENOENT));
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_ptr_null(sup_disk_trouble(dir));
}
END_TEST

START_TEST(test_stolen_time)
{
	const char *line = "cpu  10 20 30 40 50 60 70 800 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";

	ck_assert_int_eq(sup_stolen_parse(line, 100, 2), 4000);
	ck_assert_int_eq(sup_stolen_parse(line, 1000, 1), 800);
	ck_assert_int_eq(sup_stolen_parse("cpu  10 20 30 40 50 60 70", 100, 2), 0);
	ck_assert_int_eq(sup_stolen_parse("", 100, 2), 0);
	ck_assert_int_eq(sup_stolen_parse(line, 0, 2), 0);
	ck_assert_int_eq(sup_stolen_parse(line, 100, -1), 0);
	ck_assert_int_ge(sup_stolen_ms(NULL), 0);
}
END_TEST

START_TEST(test_answers_with_addresses)
{
	struct sup_addresses addresses;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&addresses.list[0];
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addresses.list[1];
	const char *text = "ok 192.0.2.1 2001:db8::1";
	char why[256];

	ck_assert_int_eq(sup_lookup_parse(text, strlen(text), 554, &addresses, why), 0);
	ck_assert_uint_eq(addresses.n, 2);
	ck_assert_int_eq(v4->sin_family, AF_INET);
	ck_assert_uint_eq(ntohl(v4->sin_addr.s_addr), 0xc0000201);
	ck_assert_uint_eq(ntohs(v4->sin_port), 554);
	ck_assert_int_eq(v6->sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(v6->sin6_port), 554);
}
END_TEST

START_TEST(test_every_prefix_of_an_answer_is_refused_or_whole)
{
	const char *text = "ok 192.0.2.1 2001:db8::1";
	struct sup_addresses addresses;
	char why[256];

	for (size_t len = 0; len < strlen(text); len++) {
		int rc = sup_lookup_parse(text, len, 1, &addresses, why);

		ck_assert(rc < 0 ? addresses.n == 0 : addresses.n > 0);
	}
	ck_assert_int_lt(sup_lookup_parse("ok 1.2.3.4\0x", 12, 1, &addresses, why), 0);
	ck_assert_int_lt(sup_lookup_parse("error nobody", 12, 1, &addresses, why), 0);
	ck_assert_str_eq(why, "nobody");
}
END_TEST

START_TEST(test_resolver_answers_numbers_and_refuses_rubbish)
{
	static const char *const rubbish[] = { "", "a\0b", "no such host at all !" };
	static const size_t lens[] = { 0, 3, 21 };
	char *answer = resolve_answer("127.0.0.1", 9), longer[400];

	ck_assert_str_eq(answer, "ok 127.0.0.1");
	free(answer);
	answer = resolve_answer("::1", 3);
	ck_assert_str_eq(answer, "ok ::1");
	free(answer);
	for (size_t i = 0; i < 3; i++) {
		answer = resolve_answer(rubbish[i], lens[i]);
		ck_assert_int_eq(strncmp(answer, "error ", 6), 0);
		free(answer);
	}
	memset(longer, 'a', sizeof(longer));
	answer = resolve_answer(longer, sizeof(longer));
	ck_assert_str_eq(answer, "error not a host name");
	free(answer);
}
END_TEST

START_ASYNC_TEST(test_resolver_talks_one_datagram_each_way)
{
	int fds[2];
	char answer[64] = "", longer[256];

	loop_pair(loop, SOCK_SEQPACKET, fds);
	ck_assert_int_eq(send(fds[0], "127.0.0.1", 9, 0), 9);
	ck_assert_int_eq(resolve_run(fds[1]), 0);
	ck_assert_int_eq(recv(fds[0], answer, sizeof(answer) - 1, 0), 12);
	ck_assert_str_eq(answer, "ok 127.0.0.1");
	/* One byte too many is seen, and is not cut off. */
	memset(longer, '1', sizeof(longer));
	ck_assert_int_eq(send(fds[0], longer, sizeof(longer), 0), 256);
	ck_assert_int_eq(resolve_run(fds[1]), 0);
	memset(answer, 0, sizeof(answer));
	ck_assert_int_gt(recv(fds[0], answer, sizeof(answer) - 1, 0), 0);
	ck_assert_str_eq(answer, "error not a host name");
	close(fds[0]);
	/* The supervisor is gone. */
	ck_assert_int_eq(resolve_run(fds[1]), 75);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(test_programs)
{
	ck_assert(url_program_find("camhub-worker")->takes_socket);
	ck_assert(!url_program_find("camhub-worker-av")->takes_socket);
	ck_assert_ptr_null(url_program_find("sh"));
	/* Every scheme that a configuration may name has a program that we know. */
	for (size_t i = 0; url_scheme_at(i) != NULL; i++)
		ck_assert_ptr_nonnull(url_program_find(url_scheme_at(i)->program));
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_parts");
	TCase *tcase = tcase_create("parts");

	tcase_add_test(tcase, test_answers_with_addresses);
	tcase_add_test(tcase, test_disks);
	tcase_add_test(tcase, test_stolen_time);
	tcase_add_test(tcase, test_every_prefix_of_an_answer_is_refused_or_whole);
	tcase_add_test(tcase, test_resolver_answers_numbers_and_refuses_rubbish);
	tcase_add_test(tcase, test_resolver_talks_one_datagram_each_way);
	tcase_add_test(tcase, test_programs);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
