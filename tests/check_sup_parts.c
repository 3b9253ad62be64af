/*
 * Small parts of the supervisor, each alone.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "supervisor/resolve.h"
#include "supervisor/sup_advice.h"
#include "supervisor/sup_lookup.h"
#include "supervisor/sup_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
	char answer[64] = "";

	loop_pair(loop, SOCK_SEQPACKET, fds);
	ck_assert_int_eq(send(fds[0], "127.0.0.1", 9, 0), 9);
	ck_assert_int_eq(resolve_run(fds[1]), 0);
	ck_assert_int_eq(recv(fds[0], answer, sizeof(answer) - 1, 0), 12);
	ck_assert_str_eq(answer, "ok 127.0.0.1");
	close(fds[0]);
	/* The supervisor is gone. */
	ck_assert_int_eq(resolve_run(fds[1]), 75);
	close(fds[1]);
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(test_programs)
{
	ck_assert(sup_program_find("camhub-worker")->takes_socket);
	ck_assert(!sup_program_find("camhub-worker-av")->takes_socket);
	ck_assert_ptr_null(sup_program_find("sh"));
	/* Every scheme that a configuration may name has a program that we know. */
	for (size_t i = 0; url_scheme_at(i) != NULL; i++)
		ck_assert_ptr_nonnull(sup_program_find(url_scheme_at(i)->program));
}
END_TEST

/* The texts, each followed by a '|', without the one about H.265, which is an 'H'. */
static char *
advice_for(const char *codec, json_t *texts, bool has_sub)
{
	static char out[8192];
	json_t *status = json_pack("{s:s, s:o}", "codec", codec, "advice", texts);
	json_t *list = sup_advice_for(status, has_sub), *text;
	size_t i, n = 0;

	out[0] = '\0';
	json_array_foreach (list, i, text) {
		const char *value = json_string_value(text);

		ck_assert_ptr_nonnull(value);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s|",
				      strstr(value, "H.265") != NULL ? "H" : value);
	}
	json_decref(list);
	json_decref(status);
	return out;
}

START_TEST(test_advice)
{
	json_t *none = sup_advice_for(NULL, false);

	ck_assert_uint_eq(json_array_size(none), 0);
	json_decref(none);
	ck_assert_str_eq(advice_for("h264", json_array(), false), "");
	ck_assert_str_eq(advice_for("h264", json_pack("[s, s]", "a", "b"), false), "a|b|");
	ck_assert_str_eq(advice_for("h265", json_pack("[s]", "a"), false), "H|a|");
	ck_assert_str_eq(advice_for("h265", json_pack("[s]", "a"), true), "a|");
	ck_assert_str_eq(advice_for("mjpeg", json_null(), true), "");
}
END_TEST

/* A worker's words are passed on to others: few, short, printable. */
START_TEST(test_advice_of_a_worker_that_lies)
{
	json_t *many = json_array(), *list = json_array();
	char longest[SUP_ADVICE_BYTES + 2];

	for (int i = 0; i < 16; i++)
		json_array_append_new(many, json_string("m"));
	ck_assert_str_eq(advice_for("h265", many, false), "H|m|m|m|m|m|m|m|");
	memset(longest, 'x', sizeof(longest));
	longest[SUP_ADVICE_BYTES + 1] = '\0';
	json_array_append_new(list, json_string(longest));
	longest[SUP_ADVICE_BYTES] = '\0';
	json_array_append_new(list, json_string(longest));
	json_array_append_new(list, json_string("a\nb"));
	json_array_append_new(list, json_string("a\033[2Jb"));
	json_array_append_new(list, json_string("a\177b"));
	ck_assert_uint_eq(strlen(advice_for("h264", list, false)), SUP_ADVICE_BYTES + 1);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("sup_parts");
	TCase *tcase = tcase_create("parts");

	tcase_add_test(tcase, test_answers_with_addresses);
	tcase_add_test(tcase, test_every_prefix_of_an_answer_is_refused_or_whole);
	tcase_add_test(tcase, test_resolver_answers_numbers_and_refuses_rubbish);
	tcase_add_test(tcase, test_resolver_talks_one_datagram_each_way);
	tcase_add_test(tcase, test_programs);
	tcase_add_test(tcase, test_advice);
	tcase_add_test(tcase, test_advice_of_a_worker_that_lies);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
