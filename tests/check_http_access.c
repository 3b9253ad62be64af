/*
 * The parts of the gate, each alone: headers, addresses, tries, memory, tickets, users.
 */
#include "config.h"

#include "http/access_address.h"
#include "http/access_limit.h"
#include "http/access_memory.h"
#include "http/access_tickets.h"
#include "http/access_users.h"
#include "http/access_words.h"
#include "shared/clock.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Headers */

static const struct {
	const char *header;
	int rc;
	const char *user, *password;
} basics[] = {
	{ "Basic YW5uOnNlY3JldA==", 0, "ann", "secret" },
	{ "basic   YW5uOnNlY3JldA==", 0, "ann", "secret" },
	{ "Basic YW5uOg==", 0, "ann", "" },
	{ "Basic YW5uOmE6Yg==", 0, "ann", "a:b" },
	{ "Basic YW5uOnDDpHNz", 0, "ann", "p\xc3\xa4ss" },
	{ NULL, -EINVAL, NULL, NULL },
	{ "", -EINVAL, NULL, NULL },
	{ "Bearer YW5uOnNlY3JldA==", -EINVAL, NULL, NULL },
	{ "BasicYW5uOnNlY3JldA==", -EINVAL, NULL, NULL },
	{ "Basic", -EINVAL, NULL, NULL },
	{ "Basic ", -EBADMSG, NULL, NULL },
	{ "Basic YW5u", -EBADMSG, NULL, NULL }, /* no colon */
	{ "Basic YW5uOnNlY3JldA=", -EBADMSG, NULL, NULL },
	{ "Basic YW5uOnNlY3JldA===", -EBADMSG, NULL, NULL },
	{ "Basic YW5uOnNl Y3JldA==", -EBADMSG, NULL, NULL },
	{ "Basic YW5uOnNlY3JldA==x", -EBADMSG, NULL, NULL },
	{ "Basic ====", -EBADMSG, NULL, NULL },
	{ "Basic YW5uOgBh", -EBADMSG, NULL, NULL },     /* a NUL inside */
	{ "Basic YW5uOmEKYg==", -EBADMSG, NULL, NULL }, /* a new line */
};

START_TEST(test_basic)
{
	struct access_password password = { .user = "before" };

	ck_assert_int_eq(access_read_basic(basics[_i].header, &password), basics[_i].rc);
	if (basics[_i].rc < 0) {
		ck_assert_str_eq(password.user, "before");
		return;
	}
	ck_assert_str_eq(password.user, basics[_i].user);
	ck_assert_str_eq(password.password, basics[_i].password);
}
END_TEST

/* "uuu:ppp" of these lengths, as base64. */
static int
read_lengths(size_t user, size_t password)
{
	static unsigned char plain[1024];
	static char header[2048] = "Basic ";
	struct access_password out;

	memset(plain, 'u', user);
	plain[user] = ':';
	memset(plain + user + 1, 'p', password);
	EVP_EncodeBlock((unsigned char *)header + 6, plain, (int)(user + 1 + password));
	return access_read_basic(header, &out);
}

START_TEST(test_basic_is_bounded)
{
	ck_assert_int_eq(read_lengths(ACCESS_USER_MAX, ACCESS_PASSWORD_MAX), 0);
	ck_assert_int_eq(read_lengths(ACCESS_USER_MAX + 1, 1), -EBADMSG);
	ck_assert_int_eq(read_lengths(1, ACCESS_PASSWORD_MAX + 1), -EBADMSG);
	ck_assert_int_eq(read_lengths(400, 600), -EBADMSG);
}
END_TEST

static const struct {
	const char *header, *value;
} cookies[] = {
	{ "camhub=abc", "abc" },
	{ "a=b; camhub=abc; c=d", "abc" },
	{ "a=b;camhub=abc", "abc" },
	{ "camhub=", "" },
	{ "camhub=a=b", "a=b" },
	{ NULL, NULL },
	{ "", NULL },
	{ "camhub", NULL },
	{ "xcamhub=abc", NULL },
	{ "camhubx=abc", NULL },
	{ "Camhub=abc", NULL },
	{ "a=camhub=abc", NULL },
	/* Twice: a neighbour below the same name tries to be us. */
	{ "camhub=abc; camhub=def", NULL },
	{ "camhub=abc; a=b; camhub=abc", NULL },
};

START_TEST(test_cookie)
{
	size_t len = 0;
	const char *value = access_find_cookie(cookies[_i].header, "camhub", &len);

	if (cookies[_i].value == NULL) {
		ck_assert_ptr_null(value);
		return;
	}
	ck_assert_ptr_nonnull(value);
	ck_assert_uint_eq(len, strlen(cookies[_i].value));
	ck_assert_mem_eq(value, cookies[_i].value, len);
}
END_TEST

START_TEST(test_local_paths)
{
	static const char *const good[] = { "", "door", "door/", "?cameras=a,b&kiosk=1" };
	static const char *const bad[] = { "/",         "/door", "//evil.example",
					   "\\evil",    "a//b",  "../x",
					   "a\r\nX: y", "%2f",   "https://",
					   "a b",       "a#b",   "javascript:1" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(access_is_local_path(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!access_is_local_path(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(test_camera_of_stream)
{
	char camera[8];

	access_camera_of("door.sub.h264", camera, sizeof(camera));
	ck_assert_str_eq(camera, "door");
	access_camera_of("door", camera, sizeof(camera));
	ck_assert_str_eq(camera, "door");
	access_camera_of("", camera, sizeof(camera));
	ck_assert_str_eq(camera, "");
}
END_TEST

/* Addresses */

static const struct {
	const char *peer, *forwarded, *address;
} forwards[] = {
	{ "192.0.2.7", NULL, "192.0.2.7" },
	{ "::ffff:192.0.2.7", NULL, "192.0.2.7" },
	{ "2001:db8::7", NULL, "2001:db8::7" },
	{ "", NULL, "unknown" },
	/* Which interface it came in by does not matter. */
	{ "fe80::7%eth0", NULL, "fe80::7" },
	{ "nonsense%eth0", NULL, "unknown" },
	/* Whoever is no proxy is not believed. */
	{ "192.0.2.7", "198.51.100.1", "192.0.2.7" },
	{ "127.0.0.1", "198.51.100.1", "198.51.100.1" },
	{ "127.0.0.1", " 198.51.100.1 ", "198.51.100.1" },
	{ "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1" },
	/* What the client itself wrote is to the left of what the proxy saw. */
	{ "127.0.0.1", "10.1.1.1, 198.51.100.1", "198.51.100.1" },
	{ "127.0.0.1", "198.51.100.1, 10.9.9.9", "198.51.100.1" }, /* two proxies */
	{ "127.0.0.1", "1.1.1.1,198.51.100.1, 10.9.9.9,10.8.8.8", "198.51.100.1" },
	{ "127.0.0.1", "nonsense", "127.0.0.1" },
	{ "127.0.0.1", "198.51.100.1, nonsense", "127.0.0.1" },
	{ "127.0.0.1", "", "127.0.0.1" },
	{ "127.0.0.1", ",,,", "127.0.0.1" },
	{ "127.0.0.1", "2001:db8::7", "2001:db8::7" },
	{ "127.0.0.1", "198.51.100.1:8080", "127.0.0.1" },
	{ "127.0.0.1",
	  "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	  "127.0.0.1" },
};

START_TEST(test_forwarded)
{
	static char *trusted[] = { (char *)"127.0.0.1", (char *)"10.0.0.0/8", NULL };
	char address[ACCESS_ADDRESS_BYTES];

	access_address_of(forwards[_i].peer, trusted, forwards[_i].forwarded, address);
	ck_assert_str_eq(address, forwards[_i].address);
	/* Without proxies nobody is. */
	access_address_of("127.0.0.1", NULL, forwards[_i].forwarded, address);
	ck_assert_str_eq(address, "127.0.0.1");
}
END_TEST

/* Tries */

static unsigned
tries(struct access_limit *limit, const char *address, int64_t now_s)
{
	unsigned n = 0;

	while (!access_limit_is_spent(limit, address, now_s * NS_PER_S, NULL) && n < 100) {
		access_limit_take(limit, address, now_s * NS_PER_S);
		n++;
	}
	return n;
}

START_TEST(test_tries_come_back_with_time)
{
	struct access_limit *limit = access_limit_new();
	unsigned wait_s = 0;

	ck_assert_uint_eq(tries(limit, "192.0.2.7", 1000), ACCESS_LIMIT_TRIES);
	ck_assert(access_limit_is_spent(limit, "192.0.2.7", 1000 * NS_PER_S, &wait_s));
	ck_assert_uint_eq(wait_s, ACCESS_LIMIT_REFILL_S);
	ck_assert_uint_eq(tries(limit, "192.0.2.7", 1000 + ACCESS_LIMIT_REFILL_S), 1);
	/* An hour later as many as ever, and no more. */
	ck_assert_uint_eq(tries(limit, "192.0.2.7", 5000), ACCESS_LIMIT_TRIES);
	/* A right one costs nothing. */
	access_limit_give_back(limit, "192.0.2.7", 5000 * NS_PER_S);
	ck_assert_uint_eq(tries(limit, "192.0.2.7", 5000), 1);
	access_limit_free(&limit);
}
END_TEST

START_TEST(test_tries_are_by_address)
{
	struct access_limit *limit = access_limit_new();

	ck_assert_uint_eq(tries(limit, "192.0.2.7", 1), ACCESS_LIMIT_TRIES);
	ck_assert_uint_eq(tries(limit, "192.0.2.8", 1), ACCESS_LIMIT_TRIES);
	ck_assert_uint_eq(tries(limit, "::ffff:192.0.2.7", 1), 0);
	/* All of a /64 is one machine's. */
	ck_assert_uint_eq(tries(limit, "2001:db8::1", 1), ACCESS_LIMIT_TRIES);
	ck_assert_uint_eq(tries(limit, "2001:db8::2", 1), 0);
	ck_assert_uint_eq(tries(limit, "2001:db8:0:1::1", 1), ACCESS_LIMIT_TRIES);
	access_limit_free(&limit);
}
END_TEST

/* Memory */

START_TEST(test_memory_ends)
{
	struct access_memory *memory = access_memory_new();

	ck_assert(!access_memory_has(memory, "ann", "secret", 0));
	access_memory_add(memory, "ann", "secret", 0);
	ck_assert(access_memory_has(memory, "ann", "secret", ACCESS_MEMORY_S * NS_PER_S - 1));
	ck_assert(!access_memory_has(memory, "ann", "secret", ACCESS_MEMORY_S * NS_PER_S));
	access_memory_add(memory, "ann", "secret", 0);
	ck_assert(!access_memory_has(memory, "ann", "secre", 1));
	ck_assert(!access_memory_has(memory, "anns", "ecret", 1));
	ck_assert(!access_memory_has(memory, "bob", "secret", 1));
	access_memory_clear(memory);
	ck_assert(!access_memory_has(memory, "ann", "secret", 1));
	access_memory_free(&memory);
}
END_TEST

START_TEST(test_memory_is_bounded)
{
	struct access_memory *memory = access_memory_new();
	char user[16];

	for (int i = 0; i < 2 * ACCESS_MEMORY_ENTRIES; i++) {
		snprintf(user, sizeof(user), "user%d", i);
		access_memory_add(memory, user, "secret", i);
	}
	ck_assert(!access_memory_has(memory, "user0", "secret", 1000));
	ck_assert(access_memory_has(memory, user, "secret", 1000));
	access_memory_free(&memory);
}
END_TEST

/* Tickets */

static struct token_keys keys; /* any */

static struct token_claims
verified(const char *text, int64_t now_s)
{
	struct token_claims claims;

	ck_assert_int_eq(token_verify(&keys, text, strlen(text), now_s, &claims), 0);
	return claims;
}

START_TEST(test_a_ticket_is_good_once)
{
	struct access_tickets *tickets = access_tickets_new();
	struct token_claims link = { .kind = TOKEN_LINK,
				     .id = "AAAAAAAAAAAAAAAAAAAAAA",
				     .cameras = { "door" },
				     .n_cameras = 1,
				     .expires_s = 5000,
				     .viewers = 3 };
	char first[TOKEN_MAX_BYTES], second[TOKEN_MAX_BYTES];
	struct token_claims claims;

	ck_assert_int_eq(access_tickets_give(tickets, &keys, &link, "door", 1000, first), 0);
	ck_assert_int_eq(access_tickets_give(tickets, &keys, &link, "door", 1000, second), 0);
	ck_assert_str_ne(first, second);
	claims = verified(first, 1001);
	ck_assert_int_eq(claims.kind, TOKEN_TICKET);
	ck_assert_int_eq(claims.expires_s, 1000 + ACCESS_TICKET_S);
	ck_assert_int_eq(access_tickets_use(tickets, &claims, 1001), 0);
	/* It stands for the link: its id can be revoked, and its end is the end. */
	ck_assert_str_eq(claims.id, link.id);
	ck_assert_int_eq(claims.expires_s, 5000);
	ck_assert_int_eq(claims.viewers, 3);
	claims = verified(first, 1001);
	ck_assert_int_eq(access_tickets_use(tickets, &claims, 1001), -EKEYREVOKED);
	claims = verified(second, 1001);
	ck_assert_int_eq(access_tickets_use(tickets, &claims, 1001), 0);
	access_tickets_free(&tickets);
}
END_TEST

/* Another front gave it out, or this one before it died. */
START_TEST(test_a_strange_ticket_is_good_once)
{
	struct access_tickets *here = access_tickets_new(), *there = access_tickets_new();
	struct token_claims session = {
		.kind = TOKEN_SESSION, .user = "ann", .expires_s = 90000, .generation = 1
	};
	char text[TOKEN_MAX_BYTES];
	struct token_claims claims;

	ck_assert_int_eq(access_tickets_give(there, &keys, &session, "door", 1000, text), 0);
	claims = verified(text, 1000);
	ck_assert_int_eq(access_tickets_use(here, &claims, 1000), 0);
	ck_assert_int_eq(claims.expires_s, 1000 + ACCESS_TICKET_ALONE_S);
	claims = verified(text, 1000);
	ck_assert_int_eq(access_tickets_use(here, &claims, 1000), -EKEYREVOKED);
	access_tickets_free(&here);
	access_tickets_free(&there);
}
END_TEST

/* Then too it can be revoked, and is one of so many viewers, as the link that it was swapped for.
 */
START_TEST(test_a_strange_ticket_stands_for_its_link)
{
	struct access_tickets *here = access_tickets_new(), *there = access_tickets_new();
	struct token_claims link = { .kind = TOKEN_LINK,
				     .id = "AAAAAAAAAAAAAAAAAAAAAA",
				     .cameras = { "door" },
				     .n_cameras = 1,
				     .expires_s = 5000,
				     .viewers = 3 };
	struct token_keys revoking = { .has_previous = false };
	char text[TOKEN_MAX_BYTES], ids[1][TOKEN_ID_CHARS + 1];
	struct token_claims claims;

	ck_assert_int_eq(access_tickets_give(there, &keys, &link, "door", 1000, text), 0);
	claims = verified(text, 1000);
	ck_assert_int_eq(access_tickets_use(here, &claims, 1000), 0);
	ck_assert_str_eq(claims.id, link.id);
	ck_assert_int_eq(claims.viewers, 3);
	strcpy(ids[0], link.id);
	revoking = keys;
	revoking.revoked = ids;
	revoking.n_revoked = 1;
	ck_assert_int_eq(token_verify(&revoking, text, strlen(text), 1000, &claims), -EKEYREVOKED);
	access_tickets_free(&here);
	access_tickets_free(&there);
}
END_TEST

START_TEST(test_tickets_are_bounded)
{
	struct access_tickets *tickets = access_tickets_new();
	struct token_claims link = { .kind = TOKEN_LINK, .expires_s = 5000 };
	char text[TOKEN_MAX_BYTES];

	for (int i = 0; i < ACCESS_TICKETS_MAX; i++)
		ck_assert_int_eq(access_tickets_give(tickets, &keys, &link, "door", 1000, text), 0);
	ck_assert_int_eq(access_tickets_give(tickets, &keys, &link, "door", 1001, text), -EAGAIN);
	ck_assert_int_eq(
	    access_tickets_give(tickets, &keys, &link, "door", 1000 + ACCESS_TICKET_S, text), 0);
	access_tickets_free(&tickets);
}
END_TEST

/* Users */

START_TEST(test_users)
{
	struct access_users users = { .list = NULL };
	json_t *msg = json_pack("{s:[s, s]}", "users", "ann viewer door yard*", "olga operator *");
	const struct access_user *ann;

	ck_assert_int_eq(access_users_from_msg(msg, &users), 0);
	json_decref(msg);
	ann = access_users_find(&users, "ann");
	ck_assert_ptr_nonnull(ann);
	ck_assert_int_eq(ann->role, TOKEN_VIEWER);
	ck_assert_uint_eq(ann->n_cameras, 2);
	ck_assert_str_eq(ann->cameras[1], "yard*");
	ck_assert_int_eq(access_users_find(&users, "olga")->role, TOKEN_OPERATOR);
	ck_assert_ptr_null(access_users_find(&users, "an"));
	ck_assert_ptr_null(access_users_find(&users, ""));
	access_users_clear(&users);
}
END_TEST

START_TEST(test_wrong_users_change_nothing)
{
	static const char *const wrong[] = {
		"", "ann", "ann admin *", "ann viewer D", "a/b viewer *", "ann viewer ../x"
	};
	struct access_users users = { .list = NULL };
	json_t *msg = json_pack("{s:[s]}", "users", "ann viewer door");

	ck_assert_int_eq(access_users_from_msg(msg, &users), 0);
	json_decref(msg);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		msg = json_pack("{s:[s, s]}", "users", "olga operator *", wrong[i]);
		ck_assert_int_eq(access_users_from_msg(msg, &users), -EINVAL);
		json_decref(msg);
		ck_assert_uint_eq(users.n, 1);
		ck_assert_str_eq(users.list[0].name, "ann");
	}
	access_users_clear(&users);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_access");
	TCase *words = tcase_create("words"), *tables = tcase_create("tables");

	tcase_add_loop_test(words, test_basic, 0, sizeof(basics) / sizeof(basics[0]));
	tcase_add_test(words, test_basic_is_bounded);
	tcase_add_loop_test(words, test_cookie, 0, sizeof(cookies) / sizeof(cookies[0]));
	tcase_add_test(words, test_local_paths);
	tcase_add_test(words, test_camera_of_stream);
	tcase_add_loop_test(words, test_forwarded, 0, sizeof(forwards) / sizeof(forwards[0]));
	tcase_add_test(tables, test_tries_come_back_with_time);
	tcase_add_test(tables, test_tries_are_by_address);
	tcase_add_test(tables, test_memory_ends);
	tcase_add_test(tables, test_memory_is_bounded);
	tcase_add_test(tables, test_a_ticket_is_good_once);
	tcase_add_test(tables, test_a_strange_ticket_is_good_once);
	tcase_add_test(tables, test_a_strange_ticket_stands_for_its_link);
	tcase_add_test(tables, test_tickets_are_bounded);
	tcase_add_test(tables, test_users);
	tcase_add_test(tables, test_wrong_users_change_nothing);
	suite_add_tcase(suite, words);
	suite_add_tcase(suite, tables);
	return suite;
}

HARNESS_MAIN(make_suite)
