/*
 * Host names for libavformat: what was found is remembered, and after freezing is all that there
 * is.
 */
#include "config.h"

#include "tests/harness/harness.h"
#include "worker/av_names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void
reset(void *arg)
{
	(void)arg;
	av_names_reset();
}

/* "127.0.0.1:80 " for each address, or "error N". */
static const char *
ask(const char *name, const char *service)
{
	static char text[4096];
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(name, service, &hints, &list);

	text[0] = '\0';
	if (rc != 0)
		snprintf(text, sizeof(text), "error %d", rc);
	for (const struct addrinfo *at = list; rc == 0 && at != NULL; at = at->ai_next) {
		char host[NI_MAXHOST], port[NI_MAXSERV];
		size_t len = strlen(text);

		ck_assert_int_eq(at->ai_socktype, SOCK_STREAM);
		ck_assert_int_eq(getnameinfo(at->ai_addr, at->ai_addrlen, host, sizeof(host), port,
					     sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV),
				 0);
		snprintf(text + len, sizeof(text) - len, "%s:%s ", host, port);
	}
	if (rc == 0)
		freeaddrinfo(list);
	return text;
}

START_TEST(test_what_was_found_is_remembered)
{
	char before[4096];

	harness_defer(reset, NULL);
	snprintf(before, sizeof(before), "%s", ask("localhost", "80"));
	if (strncmp(before, "error", 5) == 0)
		HARNESS_SKIP("this machine does not know localhost");
	av_names_freeze();
	ck_assert_str_eq(ask("localhost", "80"), before);
	/* The port is the asker's. */
	ck_assert_ptr_nonnull(strstr(ask("localhost", "8554"), ":8554 "));
}
END_TEST

START_TEST(test_afterwards_nothing_is_looked_up)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "error %d", EAI_NONAME);
	harness_defer(reset, NULL);
	av_names_freeze();
	/* Any resolver knows it. */
	ck_assert_str_eq(ask("localhost", "80"), expected);
}
END_TEST

START_TEST(test_numbers_need_no_resolver)
{
	harness_defer(reset, NULL);
	av_names_freeze();
	ck_assert_str_eq(ask("192.0.2.7", "554"), "192.0.2.7:554 ");
	ck_assert_str_eq(ask("2001:db8::7", "554"), "2001:db8::7:554 ");
	ck_assert_str_eq(ask(NULL, "554") + strlen(ask(NULL, "554")) - 5, ":554 ");
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("worker-names");
	TCase *tcase = tcase_create("names");

	tcase_add_test(tcase, test_what_was_found_is_remembered);
	tcase_add_test(tcase, test_afterwards_nothing_is_looked_up);
	tcase_add_test(tcase, test_numbers_need_no_resolver);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
