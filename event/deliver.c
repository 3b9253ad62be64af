/*
 * Looking up, connecting, TLS, one request and the first line of its answer.
 */
#include "config.h"

#include "event/deliver.h"

#include "event/post.h"
#include "shared/errand.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHY_MAX 256

/* A connection, with TLS or without. */
struct line {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: plain */
};

static void
hang_up(struct line *line)
{
	SSL_free(line->ssl);
	SSL_CTX_free(line->ctx);
	if (line->fd >= 0)
		close(line->fd);
}

/* 0, or -1 and why. */
static int
connect_to(const struct post *post, struct line *line, char *why)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", post->port);
	rc = getaddrinfo(post->host, port, &hints, &list);
	if (rc != 0) {
		snprintf(why, WHY_MAX, "cannot find it: %s",
			 rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *at = list; at != NULL && line->fd < 0; at = at->ai_next) {
		line->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (line->fd >= 0 && connect(line->fd, at->ai_addr, at->ai_addrlen) == 0)
			break;
		snprintf(why, WHY_MAX, "cannot connect: %s", strerror(errno));
		if (line->fd >= 0)
			close(line->fd);
		line->fd = -1;
	}
	freeaddrinfo(list);
	return line->fd >= 0 ? 0 : -1;
}

static int
explain_tls(const struct line *line, char *why)
{
	long verified = line->ssl != NULL ? SSL_get_verify_result(line->ssl) : X509_V_OK;
	unsigned long code = ERR_get_error();

	if (verified != X509_V_OK)
		snprintf(why, WHY_MAX, "its certificate is not trusted: %s",
			 X509_verify_cert_error_string(verified));
	else
		snprintf(why, WHY_MAX, "TLS failed: %s",
			 code != 0 ? ERR_reason_error_string(code) : "the connection ended");
	return -1;
}

static bool
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	/* A name is told to the server (RFC 6066, section 3), an address is not. */
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1)
		return true;
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static int
begin_tls(const struct post *post, struct line *line, char *why)
{
	line->ctx = SSL_CTX_new(TLS_client_method());
	if (line->ctx == NULL || SSL_CTX_set_default_verify_paths(line->ctx) != 1 ||
	    SSL_CTX_set_min_proto_version(line->ctx, TLS1_2_VERSION) != 1)
		return explain_tls(line, why);
	SSL_CTX_set_verify(line->ctx, SSL_VERIFY_PEER, NULL);
	line->ssl = SSL_new(line->ctx);
	if (line->ssl == NULL || !expect_host(line->ssl, post->host) ||
	    SSL_set_fd(line->ssl, line->fd) != 1 || SSL_connect(line->ssl) != 1)
		return explain_tls(line, why);
	return 0;
}

static bool
put(struct line *line, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = line->ssl != NULL ? SSL_write(line->ssl, text, (int)len)
					      : send(line->fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && line->ssl == NULL && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

/* The status code, or 0: none came. */
static int
get_status(struct line *line)
{
	char bytes[POST_STATUS_MAX] = "";
	size_t len = 0;

	while (len < sizeof(bytes) && memchr(bytes, '\n', len) == NULL) {
		ssize_t n = line->ssl != NULL
				? SSL_read(line->ssl, bytes + len, (int)(sizeof(bytes) - len))
				: recv(line->fd, bytes + len, sizeof(bytes) - len, 0);

		if (n < 0 && line->ssl == NULL && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return post_read_status(bytes, len);
}

/* The status code, or -1 and why. */
static int
deliver(const struct post *post, char *why)
{
	struct line line = { .fd = -1 };
	int code = -1;

	if (connect_to(post, &line, why) == 0 &&
	    (!post->is_tls || begin_tls(post, &line, why) == 0)) {
		code = put(&line, post->head) && put(&line, post->body) ? get_status(&line) : 0;
		if (code == 0) {
			snprintf(why, WHY_MAX, "it hung up without an answer");
			code = -1;
		}
	}
	hang_up(&line);
	return code;
}

char *
deliver_answer(const char *order, size_t len)
{
	char why[WHY_MAX] = "";
	struct post post;
	char *answer;
	int code;

	if (post_read_order(order, len, &post) < 0)
		return xstrdup("error not an order");
	code = deliver(&post, why);
	answer = code > 0 ? xasprintf("ok %d", code) : xasprintf("error %s: %s", post.host, why);
	post_clear(&post);
	return answer;
}

int
deliver_run(int fd)
{
	return errand_run(fd, POST_ORDER_MAX, deliver_answer);
}
