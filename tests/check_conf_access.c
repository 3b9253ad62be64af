/*
 * access: in the configuration: its mistakes, its values, what a reload sees of it; and the
 * networks of trusted proxies.
 */
#include "config.h"

#include "tests/harness/harness.h"

#include "shared/conf.h"
#include "shared/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS "access:\n  users:\n    - "
#define NAME_EXPECTED                                                                              \
	", expected 1 to 64 letters, digits and . _ @ - that begin with a letter or digit"
#define GLOB_EXPECTED                                                                              \
	", expected a camera's name, in which * stands for anything and ? for one character"
#define NET_EXPECTED ", expected such as 127.0.0.1, ::1 or 192.0.2.0/24"

static const struct {
	const char *yaml, *mistakes;
} cases[] = {
	{ "access:\n", "" },
	{ "access: {}\n", "" },
	{ "access:\n  users:\n  proxy: ~\n", "" },
	{ "access:\n  users: []\n", "" },
	{ USERS "name: ann\n", "" },
	{ USERS "{ name: Ann.B@x-y, role: operator, cameras: [ door, \"*\" ] }\n", "" },
	{ "access: all\n", "t:1: access: a single value, expected keys below it" },
	{ "access: []\n", "t:1: access: a list, expected keys below it" },
	{ "access:\n  user: x\n",
	  "t:2: unknown key \"user\" in access:, expected \"users\" (did you mean that?)" },
	{ "access:\n  usres: []\n",
	  "t:2: unknown key \"usres\" in access:, expected \"users\" (did you mean that?)" },
	{ "access:\n  zzz: []\n",
	  "t:2: unknown key \"zzz\" in access:, expected one of users proxy" },
	{ "access:\n  users: []\n  users: []\n",
	  "t:3: users: is there twice (first in line 2), expected once" },
	{ "access:\n  users: ann\n",
	  "t:2: users: a single value, expected a list (each begins with \"- name:\")" },
	{ "access:\n  users: { ann: viewer }\n",
	  "t:2: users: a section, expected a list (each begins with \"- name:\")" },
	{ "access:\n  users: [ ann ]\n",
	  "t:2: users: a single value in the list, expected \"- name: NAME\"" },
	{ USERS "role: viewer\n", "t:3: user without name:, expected it" },
	{ USERS "name: \"a b\"\n", "t:3: name: bad name \"a b\"" NAME_EXPECTED },
	{ USERS "name: \"a:b\"\n", "t:3: name: bad name \"a:b\"" NAME_EXPECTED },
	{ USERS "name: -a\n", "t:3: name: bad name \"-a\"" NAME_EXPECTED },
	{ USERS "name: ann\n    - name: bob\n    - name: ann\n",
	  "t:5: name: \"ann\" is already a user (line 3), expected another name" },
	{ USERS "name: ann\n      role: admin\n",
	  "t:4: role: wrong value, expected viewer or operator" },
	{ USERS "name: ann\n      password: geheim\n",
	  "t:4: unknown key \"password\" in access.users:, expected no password here: camctl "
	  "passwd NAME" },
	{ USERS "name: ann\n      cameras: []\n",
	  "t:4: cameras: an empty list, expected at least one pattern" },
	{ USERS "name: ann\n      cameras: \"*\"\n",
	  "t:4: cameras: a single value, expected a list of at most 16, such as [ \"*\" ]" },
	{ USERS "name: ann\n      cameras: [ \"../x\", Door ]\n",
	  "t:4: cameras: bad pattern \"../x\"" GLOB_EXPECTED "\n"
	  "t:4: cameras: bad pattern \"Door\"" GLOB_EXPECTED "\n"
	  "t:4: cameras: an empty list, expected at least one pattern" },
	{ "access:\n  proxy: x\n", "t:2: proxy: a single value, expected keys below it" },
	{ "access:\n  proxy:\n    form: x\n",
	  "t:3: unknown key \"form\" in access.proxy:, expected \"from\" (did you mean that?)" },
	{ "access:\n  proxy: { from: [ \"127.0.0.1\", \"::1\", \"192.0.2.0/24\" ] }\n", "" },
	{ "access:\n  proxy: { from: [ \"localhost\", \"192.0.2.1/24\", \"::1%lo\" ] }\n",
	  "t:2: from: wrong address \"localhost\"" NET_EXPECTED "\n"
	  "t:2: from: wrong address \"192.0.2.1/24\"" NET_EXPECTED "\n"
	  "t:2: from: wrong address \"::1%lo\"" NET_EXPECTED },
	{ "access:\n  proxy: { header: \"X Y\" }\n",
	  "t:2: header: wrong header \"X Y\", expected a name of letters, digits and -" },
	{ "access:\n  proxy:\n    user_header: X-Remote-User\n",
	  "t:3: user_header: nobody is believed, expected from: with the addresses of the proxy" },
	{ "access:\n  proxy:\n    user_header: x-forwarded-for\n    from: [ \"::1\" ]\n",
	  "t:3: user_header: the same as header:, expected another one" },
	/* The sections below access: are none of the file itself. */
	{ "access.users: []\n", "t:1: unknown key \"access.users\", expected one of http rtc tls "
				"access embed on_event log bus restart limits cameras" },
};
#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static int
load(const char *yaml, struct conf **conf, char **mistakes)
{
	struct conf_errors errors = { 0 };
	int rc = conf_load_text("t", yaml, strlen(yaml), NULL, conf, &errors);

	*mistakes = conf_errors_text(&errors, 0);
	conf_errors_free(&errors);
	return rc;
}

START_TEST(test_mistakes)
{
	struct conf *conf = NULL;
	char *text;

	(void)load(cases[_i].yaml, &conf, &text);
	ck_assert_msg(strcmp(text, cases[_i].mistakes) == 0,
		      "this file:\n%s\nshould give:\n%s\nbut gives:\n%s", cases[_i].yaml,
		      cases[_i].mistakes, text);
	free(text);
	conf_free(&conf);
}
END_TEST

static struct conf *
good(const char *yaml)
{
	struct conf *conf = NULL;
	char *text;

	ck_assert_msg(load(yaml, &conf, &text) == 0, "%s", text);
	free(text);
	return conf;
}

START_TEST(test_values)
{
	struct conf *conf =
	    good("access:\n  users:\n    - name: ann\n      cameras: [ door, \"yard*\" ]\n"
		 "    - { name: bob, role: operator }\n"
		 "  proxy: { from: [ \"::1\" ], header: X-Real-IP, user_header: X-User }\n");
	const struct conf_user *ann = conf_find_user(conf, "ann"), *bob;

	ck_assert_uint_eq(conf->n_users, 2);
	ck_assert_int_eq(ann->role, CONF_ROLE_VIEWER);
	ck_assert_uint_eq(ann->line, 3);
	ck_assert_uint_eq(ann->cameras.n, 2);
	ck_assert_str_eq(ann->cameras.list[1], "yard*");
	bob = conf_find_user(conf, "bob");
	ck_assert_str_eq(conf_role_name(bob->role), "operator");
	ck_assert_uint_eq(bob->cameras.n, 1);
	ck_assert_str_eq(bob->cameras.list[0], "*");
	ck_assert_ptr_null(conf_find_user(conf, "Ann"));
	ck_assert_str_eq(conf->proxy_header, "X-Real-IP");
	ck_assert_str_eq(conf->proxy_user_header, "X-User");
	ck_assert_uint_eq(conf->proxy_from.n, 1);
	conf_free(&conf);
	conf = conf_defaults();
	ck_assert_uint_eq(conf->n_users, 0);
	ck_assert_str_eq(conf->proxy_header, "X-Forwarded-For");
	ck_assert_ptr_null(conf->proxy_user_header);
	ck_assert_uint_eq(conf->proxy_from.n, 0);
	conf_free(&conf);
}
END_TEST

START_TEST(test_number_of_users)
{
	char yaml[4096] = "access:\n  users:\n", *text;
	struct conf *conf = NULL;

	for (int i = 0; i < 65; i++)
		sprintf(yaml + strlen(yaml), "    - name: u%d\n", i);
	ck_assert_int_eq(load(yaml, &conf, &text), -EINVAL);
	ck_assert_str_eq(text, "t:67: users: 65 of them, expected at most 64");
	free(text);
}
END_TEST

static void
note_key(const char *key, enum conf_reload reload, void *arg)
{
	ck_assert_int_eq(reload, CONF_RELOAD);
	sprintf((char *)arg + strlen(arg), "%s ", key);
}

START_TEST(test_diff)
{
	static const char *const others[] = {
		"access:\n  users: []\n",
		"access:\n  users: [ { name: bob } ]\n",
		"access:\n  users: [ { name: ann, role: operator } ]\n",
		"access:\n  users: [ { name: ann, cameras: [ door ] } ]\n",
		"access:\n  users: [ { name: ann }, { name: bob } ]\n",
	};
	struct conf *ann = good("access:\n  users: [ { name: ann } ]\n"), *other;
	char text[256] = "";

	conf_diff_keys(ann, ann, note_key, text);
	ck_assert_str_eq(text, "");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		other = good(others[i]);
		conf_diff_keys(ann, other, note_key, text);
		ck_assert_msg(strcmp(text, "access.users ") == 0, "%s: %s", others[i], text);
		text[0] = '\0';
		conf_free(&other);
	}
	other = good("access:\n  users: [ { name: ann } ]\n  proxy: { header: X-Real-IP }\n");
	conf_diff_keys(ann, other, note_key, text);
	ck_assert_str_eq(text, "access.proxy.header ");
	conf_free(&other);
	conf_free(&ann);
}
END_TEST

static bool
has(const char *network_text, const char *address)
{
	struct network network;
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	ck_assert_int_eq(network_parse(network_text, &network), 0);
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return network_has(&network, (struct sockaddr *)&v4);
	ck_assert_int_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
	return network_has(&network, (struct sockaddr *)&v6);
}

START_TEST(test_networks)
{
	static const char *const wrong[] = {
		"",
		"127.0.0.1/33",
		"127.0.0.1/",
		"127.0.0.1/-1",
		"127.0.0.1/08",
		"127.0.0.1/ 8",
		"127.1",
		"127.0.0.1/8/8",
		"::/129",
		"::1/64",
		"127.0.0.0/7",
		"[::1]",
		"a.example.net",
		"127.0.0.1 ",
		"fe80::1%eth0",
		"127.0.0.1/+8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};
	struct network network;
	struct sockaddr local = { .sa_family = AF_UNIX };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(network_parse(wrong[i], &network) == -EINVAL, "%s", wrong[i]);
	ck_assert(has("127.0.0.1", "127.0.0.1") && !has("127.0.0.1", "127.0.0.2"));
	ck_assert(has("127.0.0.1", "::ffff:127.0.0.1") && !has("127.0.0.1", "::127.0.0.1"));
	ck_assert(has("192.0.2.0/24", "192.0.2.255") && !has("192.0.2.0/24", "192.0.3.0"));
	ck_assert(has("192.0.2.128/25", "192.0.2.128") && !has("192.0.2.128/25", "192.0.2.127"));
	ck_assert(has("0.0.0.0/0", "203.0.113.7") && !has("0.0.0.0/0", "2001:db8::1"));
	ck_assert(has("::/0", "203.0.113.7") && has("::/0", "2001:db8::1"));
	ck_assert(has("2001:db8::/33", "2001:db8:7fff::1") &&
		  !has("2001:db8::/33", "2001:db8:8000::1"));
	ck_assert_int_eq(network_parse("::/0", &network), 0);
	ck_assert(!network_has(&network, &local));
}
END_TEST

static Suite *
access_suite(void)
{
	Suite *suite = suite_create("conf_access");
	TCase *tcase = tcase_create("access");

	tcase_add_loop_test(tcase, test_mistakes, 0, N_CASES);
	tcase_add_test(tcase, test_values);
	tcase_add_test(tcase, test_number_of_users);
	tcase_add_test(tcase, test_diff);
	tcase_add_test(tcase, test_networks);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(access_suite)
