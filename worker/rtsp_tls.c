/*
 * OpenSSL's client side. The certificate is judged by us after the handshake, before a byte is
 * sent: so its fingerprint is known when it is refused, and people can be told what to pin.
 */
#include "config.h"

#include "worker/rtsp_tls.h"

#include "shared/xalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define PIN_BYTES    32
#define READ_BUFFER  32768 /* two records in one system call */
#define HEX_OF_PIN   (2 * PIN_BYTES + 1)
#define WHAT_TO_DO   "; set tls: insecure, or pin it with tls: sha256:%s"
#define COMMON_CHAIN "TLS: the certificate is not trusted: %s" WHAT_TO_DO

struct rtsp_tls {
	SSL_CTX *ctx;
	SSL *ssl;
	enum rtsp_tls_mode mode;
	uint8_t pin[PIN_BYTES];
	char reason[RTSP_TLS_REASON_MAX];
};

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

static int
read_pin(const char *hex, uint8_t pin[PIN_BYTES])
{
	uint8_t bytes[PIN_BYTES];

	for (size_t i = 0; i < PIN_BYTES; i++) {
		int high, low;

		if (i > 0 && *hex == ':')
			hex++;
		high = hex_digit(hex[0]);
		low = high >= 0 ? hex_digit(hex[1]) : -1;
		if (low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
		hex += 2;
	}
	if (*hex != '\0')
		return -EINVAL;
	memcpy(pin, bytes, PIN_BYTES);
	return 0;
}

int
rtsp_tls_read_mode(const char *text, struct rtsp_tls_config *config)
{
	static const char pinned[] = "sha256:";

	if (strcmp(text, "verify") == 0)
		config->mode = RTSP_TLS_VERIFY;
	else if (strcmp(text, "insecure") == 0)
		config->mode = RTSP_TLS_INSECURE;
	else if (strncmp(text, pinned, strlen(pinned)) == 0 &&
		 read_pin(text + strlen(pinned), config->pin_sha256) == 0)
		config->mode = RTSP_TLS_PINNED;
	else
		return -EINVAL;
	return 0;
}

static bool
is_address(const char *host)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Many cameras know only what is old. Who has said that any certificate will do, or has named one,
 * gets through to them. */
static void
allow_old(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
}

/* False: no memory, and then any name would do. */
static bool
expect_host(SSL *ssl, const char *host)
{
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set1_host(ssl, host) == 1;
}

static void
set_up_context(SSL_CTX *ctx, enum rtsp_tls_mode mode)
{
	/* verification runs, its result is looked at after the handshake */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_BUFFER);
	if (mode == RTSP_TLS_VERIFY)
		SSL_CTX_set_default_verify_paths(ctx);
	else
		allow_old(ctx);
}

static int
set_up_session(struct rtsp_tls *tls, int fd, const struct rtsp_tls_config *config)
{
	tls->ssl = SSL_new(tls->ctx);
	if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1)
		return -ENOMEM;
	if (!is_address(config->host))
		SSL_set_tlsext_host_name(tls->ssl, config->host);
	if (config->mode == RTSP_TLS_VERIFY && !expect_host(tls->ssl, config->host))
		return -ENOMEM;
	SSL_set_connect_state(tls->ssl);
	return 0;
}

struct rtsp_tls *
rtsp_tls_new(int fd, const struct rtsp_tls_config *config)
{
	struct rtsp_tls *tls = xcalloc(1, sizeof(*tls));

	tls->mode = config->mode;
	memcpy(tls->pin, config->pin_sha256, PIN_BYTES);
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (tls->ctx != NULL)
		set_up_context(tls->ctx, config->mode);
	if (tls->ctx == NULL || set_up_session(tls, fd, config) < 0)
		rtsp_tls_free(&tls);
	return tls;
}

void
rtsp_tls_free(struct rtsp_tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_free((*tls)->ssl);
	SSL_CTX_free((*tls)->ctx);
	free(*tls);
	*tls = NULL;
}

/* The certificate */

static void
write_hex(const uint8_t pin[PIN_BYTES], char out[HEX_OF_PIN])
{
	for (size_t i = 0; i < PIN_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", pin[i]);
}

static bool
is_name_wrong(long error)
{
	return error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

static bool
judge_chain(struct rtsp_tls *tls, const char *hex)
{
	long error = SSL_get_verify_result(tls->ssl);

	if (error == X509_V_OK)
		return true;
	if (is_name_wrong(error))
		snprintf(tls->reason, sizeof(tls->reason),
			 "TLS: the certificate is for another name than the URL's" WHAT_TO_DO, hex);
	else
		snprintf(tls->reason, sizeof(tls->reason), COMMON_CHAIN,
			 X509_verify_cert_error_string(error), hex);
	return false;
}

static bool
judge_pin(struct rtsp_tls *tls, const uint8_t digest[PIN_BYTES], const char *hex)
{
	if (memcmp(digest, tls->pin, PIN_BYTES) == 0)
		return true;
	snprintf(tls->reason, sizeof(tls->reason),
		 "TLS: the certificate is not the pinned one: the camera's is sha256:%s", hex);
	return false;
}

static bool
judge(struct rtsp_tls *tls)
{
	X509 *certificate = SSL_get1_peer_certificate(tls->ssl);
	uint8_t digest[PIN_BYTES];
	char hex[HEX_OF_PIN];
	int ok;

	ok = certificate != NULL && X509_digest(certificate, EVP_sha256(), digest, NULL) == 1;
	X509_free(certificate);
	if (!ok) {
		snprintf(tls->reason, sizeof(tls->reason), "TLS: the camera has no certificate");
		return tls->mode == RTSP_TLS_INSECURE;
	}
	write_hex(digest, hex);
	if (tls->mode == RTSP_TLS_PINNED)
		return judge_pin(tls, digest, hex);
	return tls->mode == RTSP_TLS_INSECURE || judge_chain(tls, hex);
}

/* In and out */

static void
note_error(struct rtsp_tls *tls, int system_error)
{
	unsigned long code = ERR_peek_last_error();
	const char *what = code != 0 ? ERR_reason_error_string(code) : NULL;

	if (what == NULL)
		what =
		    system_error != 0 ? strerror(system_error) : "the camera closed the connection";
	snprintf(tls->reason, sizeof(tls->reason), "TLS: %s", what);
}

static enum rtsp_tls_io
result_of(struct rtsp_tls *tls, int rc)
{
	int system_error = errno;

	if (rc > 0)
		return RTSP_TLS_OK;
	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return RTSP_TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return RTSP_TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return RTSP_TLS_END;
	default:
		note_error(tls, system_error);
		return RTSP_TLS_ERROR;
	}
}

enum rtsp_tls_io
rtsp_tls_handshake(struct rtsp_tls *tls)
{
	enum rtsp_tls_io io;

	ERR_clear_error();
	errno = 0;
	io = result_of(tls, SSL_do_handshake(tls->ssl));
	if (io == RTSP_TLS_END)
		note_error(tls, 0);
	if (io == RTSP_TLS_END || (io == RTSP_TLS_OK && !judge(tls)))
		return RTSP_TLS_ERROR;
	return io;
}

enum rtsp_tls_io
rtsp_tls_read(struct rtsp_tls *tls, void *data, size_t size, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	return result_of(tls, SSL_read_ex(tls->ssl, data, size, n));
}

enum rtsp_tls_io
rtsp_tls_write(struct rtsp_tls *tls, const void *data, size_t len, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	return result_of(tls, SSL_write_ex(tls->ssl, data, len, n));
}

bool
rtsp_tls_has_pending(const struct rtsp_tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

const char *
rtsp_tls_reason(const struct rtsp_tls *tls)
{
	return tls->reason;
}
