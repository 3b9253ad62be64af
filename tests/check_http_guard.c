/*
 * The strict reading of requests, addresses that are counted, names and origins: tables.
 */
#include "config.h"

#include "http/crowd.h"
#include "http/head_guard.h"
#include "http/names.h"
#include "tests/harness/harness.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: cam.lan\r\n"
#define END  "\r\n"

static const struct {
	const char *text;
	int fault;
} heads[] = {
	/* good */
	{ GET HOST END, 0 },
	{ "GET /door?src=a%20b&x=\xc3" END, 400 },
	{ "GET /door?src=a%20b&x=|^{}\"<> HTTP/1.0\r\n\r\n", 0 },
	{ "HEAD / HTTP/1.1\r\nhost:cam.lan\r\nX-Text: \xc3\xa9\tb\r\n\r\n", 0 },
	{ GET HOST END GET HOST END GET HOST END, 0 },
	{ GET HOST "Content-Length: 0\r\n" END GET HOST END, 0 },
	{ "POST /login HTTP/1.1\r\n" HOST "Content-Length: 5 \r\n" END "abc\0d" GET HOST END, 0 },
	{ "POST /login HTTP/1.1\r\n" HOST END GET HOST END, 0 },
	{ "PUT / HTTP/1.1\r\n" HOST END, 0 },
	{ "OPTIONS / HTTP/1.1\r\n" HOST END, 0 },
	{ GET HOST "Upgrade: websocket\r\n" END "\x81\x00\x01\x02\r\n\r\n bad bad", 0 },
	/* the request line */
	{ "\r\n" GET HOST END, 400 },
	{ " GET / HTTP/1.1\r\n", 400 },
	{ "get / HTTP/1.1\r\n", 400 },
	{ "GET\t/ HTTP/1.1\r\n", 400 },
	{ "TRACE / HTTP/1.1\r\n", 405 },
	{ "CONNECT a:80 HTTP/1.1\r\n", 405 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405 },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n", 405 },
	{ "GETX / HTTP/1.1\r\n", 405 },
	{ "GET  / HTTP/1.1\r\n", 400 },
	{ "GET * HTTP/1.1\r\n", 400 },
	{ "GET http://cam.lan/ HTTP/1.1\r\n", 400 },
	{ "GET /a b HTTP/1.1\r\n", 400 },
	{ "GET /#x HTTP/1.1\r\n", 400 },
	{ "GET /a%00 HTTP/1.1\r\n", 400 },
	{ "GET /?src=door%%00x HTTP/1.1\r\n", 400 },
	{ "GET /?a=%0%10%0a0%01 HTTP/1.1\r\n" HOST END, 0 },
	{ "GET /\x7f HTTP/1.1\r\n", 400 },
	{ "GET /\n", 400 },
	{ "GET /\r\n", 400 },
	{ "GET / HTTP/1.1\n", 400 },
	{ "GET / HTTP/1.1 \r\n", 400 },
	{ "GET / HTTP/1.2\r\n", 400 },
	{ "GET / HTTP/2.0\r\n", 400 },
	{ "GET / http/1.1\r\n", 400 },
	{ "GET / HTTP/1.1\r\r\n", 400 },
	{ "\x16\x03\x01\x02", 400 },
	/* fields */
	{ GET END, 400 },
	{ GET "Host cam.lan\r\n", 400 },
	{ GET "Host : cam.lan\r\n", 400 },
	{ GET ": cam.lan\r\n", 400 },
	{ GET HOST HOST, 400 },
	{ GET HOST "X: a\r\n b\r\n" END, 400 },
	{ GET " X: a\r\n", 400 },
	{ GET "X: a\n", 400 },
	{ GET "X: a\rb", 400 },
	{ GET "X\xc3: a\r\n", 400 },
	{ GET "X: a\x01\r\n", 400 },
	{ GET "X: a\x7f\r\n", 400 },
	{ GET HOST "\rX", 400 },
	{ GET HOST "Origin: http://a\r\nOrigin: http://b\r\n", 400 },
	{ GET HOST "Authorization: a\r\nauthorization: b\r\n", 400 },
	{ GET HOST "Expect: 100-continue\r\n", 417 },
	/* bodies */
	{ GET HOST "Content-Length: 1\r\n" END, 400 },
	{ "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n" END, 400 },
	{ GET HOST "Transfer-Encoding: chunked\r\n", 400 },
	{ GET HOST "transfer-encoding: identity\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n" END, 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 00000000001\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 24577\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n", 413 },
	{ "POST / HTTP/1.1\r\n" HOST "Upgrade: x\r\nContent-Length: 4\r\n" END, 400 },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "abcGETX / HTTP/1.1", 405 },
};

/* Length of a row with a zero in it. */
static size_t
len_of(size_t i)
{
	const char *text = heads[i].text, *zero = strstr(text, "abc");
	size_t len = strlen(text);

	if (zero != NULL && zero[3] == '\0' && zero[4] == 'd')
		len += 1 + strlen(text + len + 1);
	return len;
}

/* In one piece, byte by byte, and cut at every byte. */
START_TEST(test_heads)
{
	const char *text = heads[_i].text;
	size_t len = len_of((size_t)_i);

	for (size_t cut = 0; cut <= len; cut++) {
		struct head_guard guard = { 0 };
		int fault = head_guard_feed(&guard, text, cut);

		if (fault == 0)
			fault = head_guard_feed(&guard, text + cut, len - cut);
		ck_assert_msg(fault == heads[_i].fault, "%s: %d", text, fault);
	}
}
END_TEST

START_TEST(test_a_fault_stays)
{
	struct head_guard guard = { 0 };

	ck_assert_int_eq(head_guard_feed(&guard, "BAD\n", 4), 400);
	ck_assert_int_eq(head_guard_feed(&guard, GET HOST END, strlen(GET HOST END)), 400);
}
END_TEST

START_TEST(test_open_bytes)
{
	struct head_guard guard = { 0 };

	ck_assert_uint_eq(head_guard_open_bytes(&guard), 0);
	head_guard_feed(&guard, GET, strlen(GET));
	ck_assert_uint_eq(head_guard_open_bytes(&guard), strlen(GET));
	head_guard_feed(&guard, HOST END "G", strlen(HOST END) + 1);
	ck_assert_uint_eq(head_guard_open_bytes(&guard), 1);
	head_guard_feed(&guard, "ET / HTTP/1.1\r\n" HOST "Upgrade: x\r\n" END,
			strlen("ET / HTTP/1.1\r\n" HOST "Upgrade: x\r\n" END));
	ck_assert_uint_eq(head_guard_open_bytes(&guard), 0);
	ck_assert(head_guard_is_over(&guard));
}
END_TEST

static int
feed_repeated(struct head_guard *guard, const char *text, unsigned n)
{
	int fault = 0;

	for (unsigned i = 0; i < n && fault == 0; i++)
		fault = head_guard_feed(guard, text, strlen(text));
	return fault;
}

START_TEST(test_sizes)
{
	struct head_guard line = { 0 }, fits = { 0 }, fields = { 0 }, head = { 0 };

	feed_repeated(&line, "GET /", 1);
	ck_assert_int_eq(feed_repeated(&line, "a", HEAD_LINE_MAX), 414);
	feed_repeated(&fits, "GET /", 1);
	ck_assert_int_eq(feed_repeated(&fits, "a", HEAD_LINE_MAX - 16), 0);
	ck_assert_int_eq(feed_repeated(&fits, " HTTP/1.1\r\n" HOST END, 1), 0);
	feed_repeated(&fields, GET, 1);
	ck_assert_int_eq(feed_repeated(&fields, "a:\r\n", HEAD_FIELDS_MAX), 0);
	ck_assert_int_eq(feed_repeated(&fields, "a:", 1), 431);
	feed_repeated(&head, GET "a:", 1);
	ck_assert_int_eq(feed_repeated(&head, "a", HEAD_BYTES_MAX - strlen(GET "a:")), 0);
	ck_assert_int_eq(feed_repeated(&head, "a", 1), 431);
}
END_TEST

/* Addresses */

static enum crowd_verdict
enter(struct crowd *crowd, const char *text, struct crowd_place **place)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return crowd_enter(crowd, (struct sockaddr *)&v4, place);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return crowd_enter(crowd, (struct sockaddr *)&v6, place);
}

START_TEST(test_addresses_are_counted)
{
	struct crowd *crowd = crowd_new(2);
	struct crowd_place *places[6], *other;
	static const enum crowd_verdict verdicts[] = { CROWD_FINE, CROWD_FINE, CROWD_TOO_MANY,
						       CROWD_TOO_MANY, CROWD_FAR_TOO_MANY };

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(enter(crowd, "192.0.2.1", &places[i]), verdicts[i]);
	ck_assert_int_eq(enter(crowd, "192.0.2.2", &other), CROWD_FINE);
	ck_assert_uint_eq(crowd_count(crowd), 2);
	/* The same machine, whichever way its address is written. */
	ck_assert_int_eq(enter(crowd, "::ffff:192.0.2.1", &places[5]), CROWD_FAR_TOO_MANY);
	for (int i = 0; i < 6; i++)
		crowd_leave(&places[i]);
	ck_assert_uint_eq(crowd_count(crowd), 1);
	ck_assert_int_eq(enter(crowd, "192.0.2.1", &places[0]), CROWD_FINE);
	crowd_leave(&places[0]);
	/* Who is still there may leave later. */
	crowd_free(&crowd);
	crowd_leave(&other);
	crowd_leave(&other);
}
END_TEST

START_TEST(test_a_network_counts_as_one)
{
	struct crowd *crowd = crowd_new(1);
	struct crowd_place *a, *b, *c;

	ck_assert_int_eq(enter(crowd, "2001:db8::1", &a), CROWD_FINE);
	ck_assert_int_eq(enter(crowd, "2001:db8::ffff:2", &b), CROWD_TOO_MANY);
	ck_assert_int_eq(enter(crowd, "2001:db8:0:1::1", &c), CROWD_FINE);
	crowd_leave(&a);
	crowd_leave(&b);
	crowd_leave(&c);
	crowd_free(&crowd);
}
END_TEST

START_TEST(test_this_machine_is_not_limited)
{
	static const char *const own[] = { "127.0.0.1", "::1", "::ffff:127.0.0.1" };
	struct crowd *crowd = crowd_new(1);
	struct crowd_place *place;

	for (int i = 0; i < 9; i++) {
		ck_assert_int_eq(enter(crowd, own[i % 3], &place), CROWD_FINE);
		ck_assert_ptr_null(place);
	}
	crowd_free(&crowd);
}
END_TEST

/* Names */

START_TEST(test_hosts)
{
	static char listed[] = "Cams.example.net", *const names[] = { listed, NULL };
	static const struct {
		const char *host;
		bool allowed;
	} rows[] = {
		{ NULL, true },
		{ "127.0.0.1:8080", true },
		{ "192.168.1.5", true },
		{ "[::1]:8080", true },
		{ "[2001:db8::1]", true },
		{ "localhost:8080", true },
		{ "camhub", true },
		{ "camhub.local", true },
		{ "Camhub.LAN.", true },
		{ "a.b.home.arpa:1", true },
		{ "cam.example", true },
		{ "cams.example.net", true },
		{ "CAMS.EXAMPLE.NET.:443", true },
		{ "cams.example.net:443x", false },
		{ "evil.com", false },
		{ "example.net", false },
		{ "x.cams.example.net", false },
		{ "cams.example.net.evil.com", false },
		{ "local", true },
		{ ".local", false },
		{ "evil.com/.local", false },
		{ "evil.com@camhub.local", false },
		{ "evil.com\\.local", false },
		{ "evil.com%.local", false },
		{ "192.168.1.5.evil.com", false },
		{ "192.168.1.5.nip.io", false },
		{ "", false },
		{ ":80", false },
		{ "[::1", false },
		{ "[::1]x", false },
		{ "[evil.com]", false },
		{ "a b", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(names_host_is_allowed(rows[i].host, names, false) == rows[i].allowed,
			      "%s", rows[i].host != NULL ? rows[i].host : "none");
	ck_assert(!names_host_is_allowed("cams.example.net", NULL, false));
}
END_TEST

/* Nobody has to log in, and this machine alone is served: whoever can name a machine of the
 * viewer's network would show his page our pictures. */
START_TEST(test_hosts_of_this_machine)
{
	static char listed[] = "cams.example.net", label[] = "den",
		    *names[] = { listed, label, NULL };
	static const struct {
		const char *host;
		bool allowed;
	} rows[] = {
		{ NULL, true },
		{ "localhost", true },
		{ "LocalHost.:8080", true },
		{ "cam.localhost", true },
		{ "127.0.0.1", true },
		{ "127.9.9.9:80", true },
		{ "[::1]:8080", true },
		{ "cams.example.net", true },
		{ "den:8080", true },
		{ "camhub", false },
		{ "camhub.local", false },
		{ "cam.lan", false },
		{ "cam.home.arpa", false },
		{ "cam.internal", false },
		{ "192.168.1.5", false },
		{ "0.0.0.0", false },
		{ "[::]", false },
		{ "[::ffff:192.168.1.5]", false },
		{ "[2001:db8::1]", false },
		{ "localhost.evil.com", false },
		{ "xlocalhost", false },
		{ ".localhost", false },
		{ "127.0.0.1.nip.io", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(names_host_is_allowed(rows[i].host, names, true) == rows[i].allowed,
			      "%s", rows[i].host != NULL ? rows[i].host : "none");
	ck_assert(names_is_loopback("127.0.0.1:8080") && names_is_loopback("[::1]:8080"));
	ck_assert(!names_is_loopback("0.0.0.0:8080") && !names_is_loopback("[::]:8080"));
	ck_assert(!names_is_loopback("/run/camhub.sock") && !names_is_loopback(""));
}
END_TEST

START_TEST(test_origins)
{
	static char shop[] = "https://shop.example", *const embed[] = { shop, NULL };
	static char front[] = "https://cams.example.net", *const own[] = { front, NULL };
	static const struct {
		const char *origin, *host;
		enum names_origin clear, https;
	} rows[] = {
		{ NULL, "cam.lan", NAMES_NO_ORIGIN, NAMES_NO_ORIGIN },
		{ "http://cam.lan", "cam.lan", NAMES_OWN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "https://cam.lan", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "HTTPS://CAM.lan", "cam.LAN", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "http://cam.lan", "cam.lan:80", NAMES_OWN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "https://cam.lan:443", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "https://cam.lan", "cam.lan:443", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "https://cam.lan:8080", "cam.lan:8080", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "https://[::1]:8080", "[::1]:8080", NAMES_FOREIGN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "https://shop.example", "cam.lan", NAMES_LISTED_ORIGIN, NAMES_LISTED_ORIGIN },
		{ "https://cams.example.net", "127.0.0.1", NAMES_OWN_ORIGIN, NAMES_OWN_ORIGIN },
		{ "http://cam.lan:8081", "cam.lan:8080", NAMES_FOREIGN_ORIGIN,
		  NAMES_FOREIGN_ORIGIN },
		{ "http://cam.lan", "cam.lan:8080", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "http://shop.example", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "https://shop.example.evil.com", "cam.lan", NAMES_FOREIGN_ORIGIN,
		  NAMES_FOREIGN_ORIGIN },
		{ "http://cam.lan.evil.com", "cam.lan", NAMES_FOREIGN_ORIGIN,
		  NAMES_FOREIGN_ORIGIN },
		{ "http://evil.com/cam.lan", "cam.lan", NAMES_FOREIGN_ORIGIN,
		  NAMES_FOREIGN_ORIGIN },
		{ "http://", "", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "null", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "", "", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "cam.lan", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "ftp://cam.lan", "cam.lan", NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
		{ "http://cam.lan", NULL, NAMES_FOREIGN_ORIGIN, NAMES_FOREIGN_ORIGIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int https = 0; https < 2; https++) {
			struct names_origins known = { .host = rows[i].host,
						       .is_https = https == 1,
						       .own = own,
						       .embed = embed };

			ck_assert_msg(names_origin_of(rows[i].origin, &known) ==
					  (https == 1 ? rows[i].https : rows[i].clear),
				      "%s at %s", rows[i].origin, rows[i].host);
		}
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_guard");
	TCase *guard = tcase_create("guard"), *crowd = tcase_create("crowd"),
	      *names = tcase_create("names");

	tcase_add_loop_test(guard, test_heads, 0, sizeof(heads) / sizeof(heads[0]));
	tcase_add_test(guard, test_a_fault_stays);
	tcase_add_test(guard, test_open_bytes);
	tcase_add_test(guard, test_sizes);
	suite_add_tcase(suite, guard);
	tcase_add_test(crowd, test_addresses_are_counted);
	tcase_add_test(crowd, test_a_network_counts_as_one);
	tcase_add_test(crowd, test_this_machine_is_not_limited);
	suite_add_tcase(suite, crowd);
	tcase_add_test(names, test_hosts);
	tcase_add_test(names, test_hosts_of_this_machine);
	tcase_add_test(names, test_origins);
	suite_add_tcase(suite, names);
	return suite;
}

HARNESS_MAIN(make_suite)
