/*
 * The front behind TLS, with OpenSSL's client in the same loop.
 */
#include "config.h"

#include "http/cert.h"
#include "http/listen.h"
#include "http/tls.h"
#include "shared/child_ev.h"
#include "shared/xalloc.h"
#include "tests/check_http_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX    20000
#define ANSWER_MAX   (4u << 20)
#define CLIENTS_MAX  4
#define LARGE_FRAMES 12
#define LARGE_BYTES  60000

struct client {
	struct rig *rig;
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

static struct client clients[CLIENTS_MAX];
static unsigned n_clients;
static char answer[ANSWER_MAX + 1];

static void
client_free(void *arg)
{
	struct client *client = arg;

	SSL_free(client->ssl);
	SSL_CTX_free(client->ctx);
	close(client->fd);
}

static int
connect_plain(const struct rig *rig)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(rig->port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static struct client *
client_new(struct rig *rig)
{
	struct client *client = &clients[n_clients++ % CLIENTS_MAX];

	client->rig = rig;
	client->fd = connect_plain(rig);
	client->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(client->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	client->ssl = SSL_new(client->ctx);
	SSL_set_fd(client->ssl, client->fd);
	SSL_set_connect_state(client->ssl);
	harness_defer(client_free, client);
	return client;
}

/* Lets the front work while the client waits. false: it was not to be. */
static bool
may_go_on(struct client *client, int rc)
{
	int error = SSL_get_error(client->ssl, rc);

	loop_settle(client->rig->loop);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static bool
shake_hands(struct client *client)
{
	int rc = 0;

	for (int i = 0; i < TURNS_MAX; i++) {
		ERR_clear_error();
		rc = SSL_do_handshake(client->ssl);
		if (rc == 1)
			return true;
		if (!may_go_on(client, rc))
			return false;
	}
	ck_abort_msg("the handshake has no end");
}

static void
say(struct client *client, const char *text)
{
	ck_assert_int_eq(SSL_write(client->ssl, text, (int)strlen(text)), (int)strlen(text));
	loop_settle(client->rig->loop);
}

/* Reads until done(answer, len), or the end (false). */
static bool
read_until(struct client *client, bool (*done)(const char *text, size_t len), size_t *len)
{
	*len = 0;
	for (int i = 0; i < TURNS_MAX; i++) {
		int n = SSL_read(client->ssl, answer + *len, (int)(ANSWER_MAX - *len));

		if (n > 0)
			*len += (size_t)n;
		answer[*len] = '\0';
		if (n > 0 && done(answer, *len))
			return true;
		if (n <= 0 && !may_go_on(client, n))
			return false;
		/* Large groups of pictures are sent in turns. */
		if (n <= 0 &&
		    poll(&(struct pollfd){ .fd = client->fd, .events = POLLIN }, 1, 50) == 0)
			loop_run_for_ms(client->rig->loop, 10);
	}
	ck_abort_msg("no answer: %.200s", answer);
}

/* A head, and the body that it announces. */
static bool
is_whole(const char *text, size_t len)
{
	const char *body = strstr(text, "\r\n\r\n"), *length = rig_header(text, "Content-Length");

	return body != NULL &&
	       (length == NULL || len >= (size_t)(body + 4 - text) + (size_t)atoi(length));
}

static const char *
ask(struct client *client, const char *request)
{
	size_t len;

	say(client, request);
	ck_assert_msg(read_until(client, is_whole, &len), "no answer: %s", answer);
	return answer;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: cam.example\r\n"

/* Identities */

static char *
make_identity(const char *name)
{
	struct cert_wish wish = { .names = { name, "127.0.0.1" }, .n_names = 2, .days = 30 };
	struct cert_pair pair;
	char *pem;

	ck_assert_int_eq(cert_make(&wish, &pair), 0);
	pem = xasprintf("%s%s", pair.certificate, pair.key);
	cert_pair_clear(&pair);
	return pem;
}

static void
give_identity(struct rig *rig, const char *pem, bool ok)
{
	int fd = memfd_create("tls", MFD_CLOEXEC);
	size_t len = strlen(pem);

	ck_assert_int_eq((int)write(fd, pem, len), (int)len);
	peer_send_msg(rig->sup, json_pack("{s:s}", "type", "tls-identity"), fd);
	peer_expect_msg(rig->sup, MSG_TLS_STATE, NULL);
	peer_run(rig->sup, 0);
	ck_assert_int_eq(msg_bool(peer_last_msg(rig->sup), "ok", !ok), ok);
}

static struct rig *
start(struct loop *loop, json_t *config)
{
	struct rig *rig = rig_start(loop, config);
	char *pem = make_identity("first.lan");

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	n_clients = 0;
	give_identity(rig, pem, true);
	free(pem);
	rig_stream(rig, 1, "door", "up", "");
	rig_synced(rig);
	return rig;
}

static void
expect_name(struct client *client, const char *name)
{
	X509 *certificate = SSL_get1_peer_certificate(client->ssl);

	ck_assert_ptr_nonnull(certificate);
	ck_assert_msg(X509_check_host(certificate, name, 0, 0, NULL) == 1, "not %s's", name);
	X509_free(certificate);
}

START_ASYNC_TEST(test_pages, .hold_time = true)
{
	struct rig *rig = start(loop, json_pack("{s:b}", "hsts", 1));
	struct client *client = client_new(rig);
	const char *text;

	ck_assert(shake_hands(client));
	expect_name(client, "first.lan");
	ck_assert_int_ge(SSL_version(client->ssl), TLS1_3_VERSION);
	/* Several on one connection. */
	for (int i = 0; i < 3; i++) {
		text = ask(client, GET("/healthz") "\r\n");
		ck_assert_mem_eq(text, "HTTP/1.1 200 ", 13);
		ck_assert_str_eq(rig_header(text, "Strict-Transport-Security"), "max-age=31536000");
	}
	/* Only https pages are ours now. */
	text = ask(client, GET("/api/ws?src=door") "Origin: http://cam.example\r\n"
						   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
						   "Sec-WebSocket-Version: 13\r\n"
						   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
						   "\r\n");
	ck_assert_mem_eq(text, "HTTP/1.1 403 ", 13);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
has_configuration(const char *text, size_t len)
{
	static const char wanted[] = "avc1.42C01E";

	return memmem(text, len, wanted, strlen(wanted)) != NULL;
}

/* What a client says in the same breath as its request is not lost on the way from evhttp. */
START_ASYNC_TEST(test_websocket, .hold_time = true)
{
	static const char request[] = GET(
	    "/api/ws?src=door") "Origin: https://cam.example\r\n"
				"Upgrade: websocket\r\nConnection: Upgrade\r\n"
				"Sec-WebSocket-Version: 13\r\n"
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
				"\x81\xa8\0\0\0\0{\"value\":\"avc1.42C01E\",\"type\":\"mse\"}    ";
	struct rig *rig = start(loop, NULL);
	struct client *client = client_new(rig);
	struct feed feed = feed_new(EPOCH);
	size_t len;

	ck_assert(shake_hands(client));
	ck_assert_int_eq(SSL_write(client->ssl, request, sizeof(request) - 1),
			 (int)sizeof(request) - 1);
	loop_settle(loop);
	peer_expect_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	rig_push_gop(rig, &feed, 1);
	ck_assert(read_until(client, has_configuration, &len));
	ck_assert_mem_eq(answer, "HTTP/1.1 101 ", 13);
	async_complete(loop);
}
END_ASYNC_TEST

static uint32_t
box_len(const uint8_t *box)
{
	return (uint32_t)box[0] << 24 | (uint32_t)box[1] << 16 | (uint32_t)box[2] << 8 | box[3];
}

/* Behind the head: whole boxes, of which so many are pictures. */
static unsigned
count_pictures(const char *text, size_t len, const uint8_t **first)
{
	const char *head = memmem(text, len, "\r\n\r\n", 4);
	const uint8_t *box = head != NULL ? (const uint8_t *)head + 4 : NULL;
	const uint8_t *end = (const uint8_t *)text + len;
	unsigned n = 0;

	*first = NULL;
	while (box != NULL && end - box >= 8 && box_len(box) <= (size_t)(end - box)) {
		if (*first == NULL && memcmp(box + 4, "moof", 4) == 0)
			*first = box;
		n += memcmp(box + 4, "mdat", 4) == 0;
		ck_assert_uint_ge(box_len(box), 8);
		box += box_len(box);
	}
	return n;
}

static bool
has_all_pictures(const char *text, size_t len)
{
	const uint8_t *first;

	return count_pictures(text, len, &first) == LARGE_FRAMES;
}

/* More than sockets hold, so that records wait half written and are offered again. */
START_ASYNC_TEST(test_large_pictures_arrive_whole, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct client *client = client_new(rig);
	struct feed feed = feed_new(EPOCH);
	struct fragment fragments[LARGE_FRAMES];
	const uint8_t *first;
	size_t len;

	feed.padding = LARGE_BYTES;
	ck_assert(shake_hands(client));
	say(client, "GET /api/stream.mp4?src=door HTTP/1.0\r\n\r\n");
	peer_expect_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	rig_push_gop(rig, &feed, LARGE_FRAMES);
	loop_settle(loop);
	ck_assert(read_until(client, has_all_pictures, &len));
	count_pictures(answer, len, &first);
	ck_assert_uint_eq(rig_fragments(first, (size_t)((uint8_t *)answer + len - first), fragments,
					LARGE_FRAMES),
			  LARGE_FRAMES);
	for (unsigned i = 0; i < LARGE_FRAMES; i++)
		ck_assert_uint_eq(fragments[i].decode_time, i * 3600);
	async_complete(loop);
}
END_ASYNC_TEST

static bool
has_any(const char *text, size_t len)
{
	(void)text;
	return len > 0;
}

START_ASYNC_TEST(test_new_certificate_drops_nobody, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct client *viewer = client_new(rig), *next = client_new(rig), *last;
	struct feed feed = feed_new(EPOCH);
	char *pem = make_identity("second.lan"), *other = make_identity("third.lan");
	char *mixed = xasprintf("%.*s%s", (int)(strstr(pem, "-----BEGIN PRIVATE") - pem), pem,
				strstr(other, "-----BEGIN PRIVATE"));
	size_t len;

	ck_assert(shake_hands(viewer));
	say(viewer, "GET /api/stream.mp4?src=door HTTP/1.0\r\n\r\n");
	peer_expect_msg(rig->sup, MSG_WANT, NULL);
	peer_run(rig->sup, 0);
	give_identity(rig, pem, true);
	ck_assert(shake_hands(next));
	/* Connected before, greeted after: accept decides. */
	last = client_new(rig);
	ck_assert(shake_hands(last));
	expect_name(last, "second.lan");
	/* One that is wrong changes nothing. */
	give_identity(rig, mixed, false);
	expect_log("the certificate before it stays");
	last = client_new(rig);
	ck_assert(shake_hands(last));
	expect_name(last, "second.lan");
	rig_push_gop(rig, &feed, 1);
	ck_assert(read_until(viewer, has_any, &len));
	ck_assert_mem_eq(answer, "HTTP/1.1 200 ", 13);
	free(pem);
	free(other);
	free(mixed);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_old_protocols_are_refused, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	struct client *client = client_new(rig);

	SSL_CTX_set_security_level(client->ctx, 0);
	SSL_set_security_level(client->ssl, 0);
	SSL_set_min_proto_version(client->ssl, TLS1_VERSION);
	SSL_set_max_proto_version(client->ssl, TLS1_1_VERSION);
	ck_assert(!shake_hands(client));
	async_complete(loop);
}
END_ASYNC_TEST

/* Who forgot the s is told so; nothing of the page leaves in clear. */
START_ASYNC_TEST(test_plain_http_is_told, .hold_time = true)
{
	static const char request[] = GET("/healthz") "\r\n";
	struct rig *rig = start(loop, NULL);
	int fd = connect_plain(rig);
	ssize_t n;

	ck_assert_int_eq((int)write(fd, request, strlen(request)), (int)strlen(request));
	loop_settle(loop);
	n = read(fd, answer, ANSWER_MAX);
	ck_assert_int_gt((int)n, 0);
	answer[n] = '\0';
	ck_assert_mem_eq(answer, "HTTP/1.1 400 ", 13);
	ck_assert_ptr_nonnull(strstr(answer, "https://"));
	ck_assert_int_eq((int)read(fd, answer, 1), 0);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

/* The deadline counts from accept, whatever the handshake does. */
START_ASYNC_TEST(test_slow_handshake_is_cut, .hold_time = true)
{
	struct rig *rig = start(loop, NULL);
	int fd = connect_plain(rig);
	char byte;

	loop_settle(loop);
	ck_assert_int_eq((int)write(fd, "\x16\x03\x01", 3), 3);
	loop_run_for_ms(loop, DEADLINE_MS - 1);
	ck_assert_int_eq((int)read(fd, &byte, 1), -1);
	loop_run_for_ms(loop, 500);
	ck_assert_int_le((int)read(fd, &byte, 1), 0);
	ck_assert_uint_eq(listeners_connections(rig->front->listeners), 0);
	close(fd);
	async_complete(loop);
}
END_ASYNC_TEST

/* A configuration with TLS and no identity that works: no listener is served, none in clear. */
START_ASYNC_TEST(test_never_in_clear, .hold_time = true)
{
	struct rig *rig = rig_start(loop, json_pack("{s:b}", "tls", 1));

	loop_settle(loop);
	ck_assert_uint_eq(listeners_count(rig->front->listeners), 0);
	ck_assert(rig->front->stopped);
	ck_assert_int_eq(rig->front->exit_code, CHILD_EXIT_WRONG_CONFIG);
	async_complete(loop);
}
END_ASYNC_TEST

START_TEST(test_identities)
{
	char *good = make_identity("first.lan"), why[TLS_TEXT_MAX], *rows[4];
	const char *const reasons[] = { "no certificate", "no certificate", "no private key",
					"no private key" };
	struct tls *tls = NULL;

	rows[0] = xstrdup("");
	rows[1] = xstrdup(strstr(good, "-----BEGIN PRIVATE"));
	rows[2] = xasprintf("%.*s", (int)(strstr(good, "-----BEGIN PRIVATE") - good), good);
	rows[3] = xasprintf("%.*s", (int)strlen(good) - 40, good);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(tls_new(rows[i], strlen(rows[i]), &tls, why), -EINVAL);
		ck_assert_msg(strstr(why, reasons[i]) != NULL, "%s", why);
		free(rows[i]);
	}
	ck_assert_int_eq(tls_new(good, strlen(good), &tls, why), 0);
	ck_assert_ptr_nonnull(strstr(tls_text(tls), "certificate of first.lan, until 20"));
	tls_free(&tls);
	free(good);
}
END_TEST

START_TEST(test_wishes)
{
	static const struct cert_wish bad[] = {
		{ .names = { "a b" }, .n_names = 1, .days = 1 },
		{ .names = { "a,DNS:b" }, .n_names = 1, .days = 1 },
		{ .names = { "" }, .n_names = 1, .days = 1 },
		{ .names = { "a" }, .n_names = 0, .days = 1 },
		{ .names = { "a" }, .n_names = 1, .days = 0 },
		{ .names = { "a" }, .n_names = 1, .days = CERT_DAYS_MAX + 1 },
	};
	struct cert_pair pair;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(cert_make(&bad[i], &pair), -EINVAL);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("http_tls");
	TCase *tcase = tcase_create("tls"), *identity = tcase_create("identity");

	tcase_add_test(tcase, test_pages);
	tcase_add_test(tcase, test_websocket);
	tcase_add_test(tcase, test_large_pictures_arrive_whole);
	tcase_add_test(tcase, test_new_certificate_drops_nobody);
	tcase_add_test(tcase, test_old_protocols_are_refused);
	tcase_add_test(tcase, test_plain_http_is_told);
	tcase_add_test(tcase, test_slow_handshake_is_cut);
	tcase_add_test(tcase, test_never_in_clear);
	suite_add_tcase(suite, tcase);
	tcase_add_test(identity, test_identities);
	tcase_add_test(identity, test_wishes);
	suite_add_tcase(suite, identity);
	return suite;
}

HARNESS_MAIN(make_suite)
