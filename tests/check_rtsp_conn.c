/*
 * The connection to a camera: bytes in and out, TLS against a server with a certificate made here,
 * and its end in each way and from within each callback.
 */
#include "config.h"

#include "worker/rtsp_conn_ev.h"

#include "shared/xalloc.h"
#include "tests/harness/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum moment { NEVER, AT_READY, AT_BYTES, AT_END };

struct owner {
	struct loop *loop;
	struct rtsp_conn *conn;
	enum moment free_at;
	size_t chunk; /* takes bytes only in this number; 0: none, ever */
	uint8_t next; /* bytes count up */
	size_t got, shown_max;
	unsigned ready, ended;
	enum rtsp_conn_end how;
	char reason[512];
	bool is_ready, is_over;
	const char *greeting;
};

static void
free_if(struct owner *owner, enum moment moment)
{
	if (owner->free_at != moment)
		return;
	rtsp_conn_free(&owner->conn);
	owner->is_over = true;
}

static void
on_ready(void *arg)
{
	struct owner *owner = arg;

	owner->ready++;
	owner->is_ready = true;
	if (owner->greeting != NULL)
		ck_assert_int_eq(
		    rtsp_conn_send(owner->conn, owner->greeting, strlen(owner->greeting)), 0);
	free_if(owner, AT_READY);
}

static size_t
on_bytes(void *arg, const uint8_t *data, size_t len, int64_t monotonic_ns, int64_t realtime_ns)
{
	struct owner *owner = arg;
	size_t done = 0;

	ck_assert_int_gt(monotonic_ns, 0);
	ck_assert_int_gt(realtime_ns, monotonic_ns);
	if (len > owner->shown_max)
		owner->shown_max = len;
	while (owner->chunk > 0 && len - done >= owner->chunk) {
		for (size_t i = 0; i < owner->chunk; i++)
			ck_assert_uint_eq(data[done + i], owner->next++);
		done += owner->chunk;
	}
	owner->got += done;
	free_if(owner, AT_BYTES);
	return done;
}

static void
on_end(void *arg, enum rtsp_conn_end how, const char *reason)
{
	struct owner *owner = arg;

	owner->ended++;
	owner->how = how;
	snprintf(owner->reason, sizeof(owner->reason), "%s", reason);
	owner->is_over = true;
	free_if(owner, AT_END);
}

static const struct rtsp_conn_ops ops = { on_ready, on_bytes, on_end };

static void
owner_free(void *arg)
{
	struct owner *owner = arg;

	rtsp_conn_free(&owner->conn);
	free(owner);
}

static struct owner *
owner_new(struct loop *loop, int fd, const struct rtsp_tls_config *tls)
{
	static const struct rtsp_tls_config none = { .mode = RTSP_TLS_NONE };
	struct owner *owner = xcalloc(1, sizeof(*owner));

	owner->loop = loop;
	owner->chunk = 1;
	owner->conn = rtsp_conn_new(loop_base(loop), loop_clock(loop), fd,
				    tls != NULL ? tls : &none, &ops, owner);
	harness_defer(owner_free, owner);
	return owner;
}

static uint8_t *
counting(size_t len)
{
	uint8_t *bytes = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	return bytes;
}

/* Plain */

/* What lies across the buffer's end, or is not taken, is shown again in order. */
START_ASYNC_TEST(test_bytes_in)
{
	static const size_t chunks[] = { 1, 1500, 16384, 65539 };
	size_t len = 65539 * 16;
	uint8_t *bytes = counting(len);
	struct owner *owner;
	struct peer *camera;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	camera = peer_new(loop, fds[0], "camera");
	owner = owner_new(loop, fds[1], NULL);
	owner->chunk = chunks[_i];
	peer_send(camera, bytes, len);
	peer_close(camera);
	free(bytes);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_uint_eq(owner->got, len / chunks[_i] * chunks[_i]);
	ck_assert_uint_eq(owner->ended, 1);
	ck_assert_int_eq(owner->how, RTSP_CONN_CLOSED);
	ck_assert_str_eq(owner->reason, "the camera closed the connection");
	ck_assert_int_eq(rtsp_conn_send(owner->conn, "x", 1), -ENOTCONN);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bytes_that_nobody_takes)
{
	uint8_t *bytes = counting(RTSP_CONN_IN_MAX * 2);
	struct owner *owner;
	struct peer *camera;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	camera = peer_new(loop, fds[0], "camera");
	owner = owner_new(loop, fds[1], NULL);
	owner->chunk = 0;
	peer_send(camera, bytes, RTSP_CONN_IN_MAX);
	free(bytes);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_int_eq(owner->how, RTSP_CONN_BROKEN);
	ck_assert_uint_eq(owner->shown_max, RTSP_CONN_IN_MAX);
	async_complete(loop);
}
END_ASYNC_TEST

/* TLS would stop the loop in a read. */
START_ASYNC_TEST(test_a_blocking_socket_blocks_no_more)
{
	struct owner *owner;
	int fds[2], flags;

	loop_pair(loop, SOCK_STREAM, fds);
	flags = fcntl(fds[1], F_GETFL);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, flags & ~O_NONBLOCK), 0);
	owner = owner_new(loop, fds[1], NULL);
	ck_assert_int_ne(fcntl(rtsp_conn_fd(owner->conn), F_GETFL) & O_NONBLOCK, 0);
	peer_close(peer_new(loop, fds[0], "camera"));
	loop_run_until(loop, &owner->is_over, 0);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_bytes_out)
{
	uint8_t *bytes = counting(RTSP_CONN_OUT_MAX);
	size_t sent = 0, len;
	struct owner *owner;
	struct peer *camera;
	const char *got;
	int fds[2], rc = 0;

	loop_pair(loop, SOCK_STREAM, fds);
	camera = peer_new(loop, fds[0], "camera");
	owner = owner_new(loop, fds[1], NULL);
	ck_assert_int_eq(rtsp_conn_send(owner->conn, "x", 1), -ENOTCONN); /* not yet */
	loop_run_until(loop, &owner->is_ready, 0);
	/* the camera reads nothing: its socket fills up, then our queue */
	while (rc == 0 && sent < (4u << 20)) {
		rc = rtsp_conn_send(owner->conn, bytes, 1024);
		sent += rc == 0 ? 1024 : 0;
		loop_settle(loop);
	}
	ck_assert_int_eq(rc, -ENOBUFS);
	peer_expect_bytes(camera, sent);
	peer_run(camera, 0);
	got = peer_last(camera, &len);
	ck_assert_uint_eq(len, sent);
	for (size_t i = 0; i < len; i += 1024)
		ck_assert_mem_eq(got + i, bytes, 1024);
	ck_assert_int_eq(rtsp_conn_send(owner->conn, bytes, RTSP_CONN_OUT_MAX), 0);
	ck_assert_int_eq(rtsp_conn_send(owner->conn, bytes, 1), -ENOBUFS);
	peer_expect(camera, bytes, RTSP_CONN_OUT_MAX);
	peer_run(camera, 0);
	free(bytes);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_free_from_within)
{
	struct owner *owner;
	struct peer *camera;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	camera = peer_new(loop, fds[0], "camera");
	owner = owner_new(loop, fds[1], NULL);
	owner->free_at = (enum moment)_i;
	owner->greeting = "hello";
	peer_send_text(camera, "0123456789");
	owner->chunk = 0;
	if (_i == AT_END)
		peer_close(camera);
	loop_run_until(loop, &owner->is_over, 0);
	loop_settle(loop);
	ck_assert_ptr_null(owner->conn);
	ck_assert_uint_eq(owner->ended, _i == AT_END);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_nobody_there, .real_clock = true)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int unused = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct owner *owner;

	/* bound and not listening: refused */
	ck_assert_int_eq(bind(unused, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(unused, (struct sockaddr *)&address, &len), 0);
	ck_assert_int_lt(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	owner = owner_new(loop, fd, NULL);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_int_eq(owner->how, RTSP_CONN_UNREACHABLE);
	ck_assert_str_eq(owner->reason, "cannot connect: Connection refused");
	ck_assert_uint_eq(owner->ready, 0);
	close(unused);
	async_complete(loop);
}
END_ASYNC_TEST

/* TLS */

struct server {
	int fd;
	SSL_CTX *ctx;
	pthread_t thread;
	size_t answer_len;
	bool speaks_no_tls, hangs_up;
	bool has_accepted;
	char heard[64];
	X509 *certificate;
};

static void
serve_tls(struct server *server)
{
	SSL *ssl = SSL_new(server->ctx);
	uint8_t *answer = counting(server->answer_len);
	int n;

	SSL_set_fd(ssl, server->fd);
	server->has_accepted = SSL_accept(ssl) == 1;
	if (server->has_accepted) {
		n = SSL_read(ssl, server->heard, sizeof(server->heard) - 1);
		if (n > 0 && server->answer_len > 0)
			SSL_write(ssl, answer, (int)server->answer_len);
		SSL_shutdown(ssl);
	}
	free(answer);
	SSL_free(ssl);
	ERR_clear_error();
}

static void *
serve(void *arg)
{
	struct server *server = arg;
	char hello[16];

	if (server->speaks_no_tls)
		(void)!write(server->fd, "RTSP/1.0 400 Bad Request\r\n\r\n", 28);
	else if (server->hangs_up)
		(void)!read(server->fd, hello, sizeof(hello));
	else
		serve_tls(server);
	shutdown(server->fd, SHUT_WR);
	while (read(server->fd, hello, sizeof(hello)) > 0)
		;
	return NULL;
}

static void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"cam.test", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	add_extension(certificate, NID_subject_alt_name, "DNS:cam.test,IP:192.0.2.7");
	add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	return certificate;
}

static void
server_free(void *arg)
{
	struct server *server = arg;

	pthread_join(server->thread, NULL);
	close(server->fd);
	X509_free(server->certificate);
	SSL_CTX_free(server->ctx);
	free(server);
}

static struct server *
server_new(int fd)
{
	struct server *server = xcalloc(1, sizeof(*server));
	EVP_PKEY *key = EVP_EC_gen("P-256");

	signal(SIGPIPE, SIG_IGN);
	server->fd = fd;
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0); /* blocking: it has a thread */
	server->certificate = make_certificate(key);
	server->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server->ctx, server->certificate);
	SSL_CTX_use_PrivateKey(server->ctx, key);
	EVP_PKEY_free(key);
	return server;
}

static void
server_start(struct server *server)
{
	ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* The server must get the end of file before it is waited for: owners are freed first. */
static struct owner *
talk(struct loop *loop, struct server **server, const struct rtsp_tls_config *config)
{
	struct owner *owner;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	*server = server_new(fds[0]);
	harness_defer(server_free, *server);
	owner = owner_new(loop, fds[1], config);
	owner->greeting = "OPTIONS";
	return owner;
}

static void
trust(const X509 *certificate)
{
	const char *path = harness_tmpfile("ca.pem");
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	PEM_write_X509(file, certificate);
	fclose(file);
	harness_setenv("SSL_CERT_FILE", path);
}

static void
fingerprint(const X509 *certificate, uint8_t pin[32], char hex[65])
{
	ck_assert_int_eq(X509_digest(certificate, EVP_sha256(), pin, NULL), 1);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", pin[i]);
}

START_ASYNC_TEST(test_tls_of_a_trusted_camera, .real_clock = true)
{
	static const char *const hosts[] = { "cam.test", "192.0.2.7" };
	struct rtsp_tls_config config = { .mode = RTSP_TLS_VERIFY, .host = hosts[_i] };
	struct server *server;
	struct owner *owner;
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	server = server_new(fds[0]);
	harness_defer(server_free, server);
	trust(server->certificate);
	owner = owner_new(loop, fds[1], &config);
	owner->greeting = "OPTIONS";
	server->answer_len = 1000000;
	server_start(server);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_str_eq(owner->reason, "the camera closed the connection");
	ck_assert_int_eq(owner->how, RTSP_CONN_CLOSED);
	ck_assert_uint_eq(owner->got, 1000000);
	ck_assert_str_eq(server->heard, "OPTIONS");
	async_complete(loop);
}
END_ASYNC_TEST

static const struct {
	const char *host;
	bool is_trusted;
	const char *words;
} refusals[] = {
	{ "cam.test", false,
	  "TLS: the certificate is not trusted: self-signed certificate; set tls: "
	  "insecure, or pin it with tls: sha256:" },
	{ "other.test", true, "TLS: the certificate is for another name" },
	{ "192.0.2.8", true, "TLS: the certificate is for another name" },
};

/* Nothing is sent to whom we do not trust; what to pin is said. */
START_ASYNC_TEST(test_tls_of_a_camera_that_is_not_trusted, .real_clock = true)
{
	struct rtsp_tls_config config = { .mode = RTSP_TLS_VERIFY, .host = refusals[_i].host };
	struct server *server;
	struct owner *owner;
	uint8_t pin[32];
	char hex[65];
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	server = server_new(fds[0]);
	harness_defer(server_free, server);
	if (refusals[_i].is_trusted)
		trust(server->certificate);
	owner = owner_new(loop, fds[1], &config);
	owner->greeting = "OPTIONS";
	server_start(server);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_int_eq(owner->how, RTSP_CONN_TLS);
	ck_assert_msg(strstr(owner->reason, refusals[_i].words) != NULL, "%s", owner->reason);
	fingerprint(server->certificate, pin, hex);
	ck_assert_ptr_nonnull(strstr(owner->reason, hex));
	ck_assert_uint_eq(owner->ready, 0);
	rtsp_conn_free(&owner->conn);
	pthread_join(server->thread, NULL);
	ck_assert_str_eq(server->heard, "");
	server_start(server); /* for server_free() to wait for */
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_tls_pinned, .real_clock = true)
{
	struct rtsp_tls_config config = { .mode = RTSP_TLS_PINNED, .host = "192.0.2.99" };
	struct server *server;
	struct owner *owner;
	char hex[65];
	int fds[2];

	loop_pair(loop, SOCK_STREAM, fds);
	server = server_new(fds[0]);
	harness_defer(server_free, server);
	fingerprint(server->certificate, config.pin_sha256, hex);
	config.pin_sha256[31] ^= (uint8_t)_i;
	owner = owner_new(loop, fds[1], &config);
	owner->greeting = "OPTIONS";
	server->answer_len = 100;
	server_start(server);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_uint_eq(owner->got, _i == 0 ? 100 : 0);
	ck_assert_int_eq(owner->how, _i == 0 ? RTSP_CONN_CLOSED : RTSP_CONN_TLS);
	if (_i == 1)
		ck_assert_msg(
		    strstr(owner->reason, "is not the pinned one: the camera's is sha256:"), "%s",
		    owner->reason);
	async_complete(loop);
}
END_ASYNC_TEST

/* Any certificate, and what old cameras speak. */
START_ASYNC_TEST(test_tls_insecure, .real_clock = true)
{
	struct rtsp_tls_config config = { .mode = RTSP_TLS_INSECURE, .host = "whoever" };
	struct server *server;
	struct owner *owner = talk(loop, &server, &config);

	if (_i == 1) {
		SSL_CTX_set_security_level(server->ctx, 0);
		SSL_CTX_set_min_proto_version(server->ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(server->ctx, TLS1_VERSION);
	}
	server->answer_len = 300;
	server_start(server);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_msg(owner->got == 300, "%s", owner->reason);
	async_complete(loop);
}
END_ASYNC_TEST

START_ASYNC_TEST(test_tls_with_what_is_none, .real_clock = true)
{
	struct rtsp_tls_config config = { .mode = RTSP_TLS_INSECURE, .host = "cam.test" };
	struct server *server;
	struct owner *owner = talk(loop, &server, &config);

	server->speaks_no_tls = _i == 0;
	server->hangs_up = _i == 1;
	server_start(server);
	loop_run_until(loop, &owner->is_over, 0);
	ck_assert_int_eq(owner->how, RTSP_CONN_TLS);
	ck_assert_msg(strncmp(owner->reason, "TLS: ", 5) == 0, "%s", owner->reason);
	ck_assert_uint_eq(owner->ready, 0);
	async_complete(loop);
}
END_ASYNC_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("rtsp_conn");
	TCase *tcase = tcase_create("plain");

	tcase_add_loop_test(tcase, test_bytes_in, 0, 4);
	tcase_add_test(tcase, test_bytes_that_nobody_takes);
	tcase_add_test(tcase, test_a_blocking_socket_blocks_no_more);
	tcase_add_test(tcase, test_bytes_out);
	tcase_add_loop_test(tcase, test_free_from_within, AT_READY, AT_END + 1);
	tcase_add_test(tcase, test_nobody_there);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("tls");
	tcase_add_loop_test(tcase, test_tls_of_a_trusted_camera, 0, 2);
	tcase_add_loop_test(tcase, test_tls_of_a_camera_that_is_not_trusted, 0, 3);
	tcase_add_loop_test(tcase, test_tls_pinned, 0, 2);
	tcase_add_loop_test(tcase, test_tls_insecure, 0, 2);
	tcase_add_loop_test(tcase, test_tls_with_what_is_none, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

HARNESS_MAIN(make_suite)
