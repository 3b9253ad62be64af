/*
 * OpenSSL's server side: everything about it that is a choice stands in set_up().
 */
#include "config.h"

#include "http/tls.h"

#include "shared/sealed.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* TLS 1.2; those of 1.3 are all fine. */
#define CIPHERS        "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CHAIN_MAX      8
#define NAME_MAX_BYTES 128

static const char plain_answer[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
				   "Content-Length: 51\r\nConnection: close\r\n\r\n"
				   "{\"error\":\"this is https: the URL begins https://\"}\n";

struct tls {
	SSL_CTX *ctx;
	X509 *certificate; /* borrowed from ctx */
	char text[TLS_TEXT_MAX];
};

static int
refuse(char *why, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	snprintf(why, TLS_TEXT_MAX, "%s%s%s", what, reason != NULL ? ": " : "",
		 reason != NULL ? reason : "");
	ERR_clear_error();
	return -EINVAL;
}

/* Nobody is there to be asked. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int
read_chain(SSL_CTX *ctx, const void *pem, size_t len, char *why)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	X509 *certificate;
	int n = 0, ok = 1;

	if (bio == NULL)
		xalloc_die();
	while (ok == 1 && n <= CHAIN_MAX &&
	       (certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		ok = n == 0 ? SSL_CTX_use_certificate(ctx, certificate)
			    : (int)SSL_CTX_add1_chain_cert(ctx, certificate);
		X509_free(certificate);
		n++;
	}
	BIO_free(bio);
	if (ok != 1)
		return refuse(why, "the certificate cannot be used");
	if (n == 0)
		return refuse(why, "there is no certificate in PEM form");
	if (n > CHAIN_MAX)
		return refuse(why, "more certificates than a chain has");
	ERR_clear_error();
	return 0;
}

static int
read_key(SSL_CTX *ctx, const void *pem, size_t len, char *why)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key;
	int ok;

	if (bio == NULL)
		xalloc_die();
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key == NULL)
		return refuse(why, "there is no private key in PEM form without a passphrase");
	ok = SSL_CTX_use_PrivateKey(ctx, key);
	EVP_PKEY_free(key);
	if (ok != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return refuse(why, "the private key is not the certificate's");
	return 0;
}

static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* Who types http:// before the address of an https server is told so. */
static void
on_state(const SSL *ssl, int where, int result)
{
	int fd = SSL_get_fd(ssl);

	if (!(where & SSL_CB_EXIT) || result > 0 || fd < 0 ||
	    ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_HTTP_REQUEST)
		return;
	(void)send(fd, plain_answer, sizeof(plain_answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
set_up(SSL_CTX *ctx)
{
	static const unsigned char id[] = "camhub";

	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
				     SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* What is written may be offered again from another place, and idle connections (most
	 * are) keep no buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	/* Sessions are resumed by tickets, nothing is kept here. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_info_callback(ctx, on_state);
}

static void
describe(struct tls *tls)
{
	char name[NAME_MAX_BYTES] = "";
	struct tm end = { 0 };

	X509_NAME_get_text_by_NID(X509_get_subject_name(tls->certificate), NID_commonName, name,
				  sizeof(name));
	/* It ends up in logs and on terminals. */
	for (char *p = name; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	ASN1_TIME_to_tm(X509_get0_notAfter(tls->certificate), &end);
	snprintf(tls->text, sizeof(tls->text), "certificate of %s, %s %04d-%02d-%02d",
		 name[0] != '\0' ? name : "an unnamed server",
		 X509_cmp_current_time(X509_get0_notAfter(tls->certificate)) < 0 ? "ended"
										 : "until",
		 end.tm_year + 1900, end.tm_mon + 1, end.tm_mday);
}

int
tls_new(const void *pem, size_t len, struct tls **tls, char *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int rc;

	if (ctx == NULL || SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1)
		xalloc_die();
	set_up(ctx);
	rc = len > TLS_BYTES_MAX ? refuse(why, "too large") : read_chain(ctx, pem, len, why);
	if (rc == 0)
		rc = read_key(ctx, pem, len, why);
	if (rc < 0) {
		SSL_CTX_free(ctx);
		return rc;
	}
	*tls = xcalloc(1, sizeof(**tls));
	(*tls)->ctx = ctx;
	(*tls)->certificate = SSL_CTX_get0_certificate(ctx);
	describe(*tls);
	return 0;
}

int
tls_new_from_fd(int fd, struct tls **tls, char *why)
{
	struct stat st;
	char *text;
	int rc;

	snprintf(why, TLS_TEXT_MAX, "cannot be read");
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || st.st_size > TLS_BYTES_MAX)
		return -EFBIG;
	text = xmalloc((size_t)st.st_size + 1);
	rc = sealed_read(fd, text, (size_t)st.st_size);
	if (rc == 0)
		rc = tls_new(text, (size_t)st.st_size, tls, why);
	OPENSSL_cleanse(text, (size_t)st.st_size);
	free(text);
	return rc;
}

void
tls_free(struct tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_CTX_free((*tls)->ctx);
	free(*tls);
	*tls = NULL;
}

SSL *
tls_accept(const struct tls *tls)
{
	return SSL_new(tls->ctx);
}

const char *
tls_text(const struct tls *tls)
{
	return tls->text;
}

int
tls_is_for(const struct tls *tls, const char *name)
{
	return X509_check_host(tls->certificate, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			       NULL) == 1 ||
	       X509_check_ip_asc(tls->certificate, name, 0) == 1;
}
