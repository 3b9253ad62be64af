/*
 * The certificate, the parameters, and datagrams for OpenSSL: a memory BIO would glue them
 * together.
 */
#include "config.h"

#include "rtc/dtls_int.h"

#include "shared/xalloc.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define CERTIFICATE_S (10 * 365L * 86400) /* longer than any process lives */
#define CIPHERS                                                                                    \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"                             \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA"
/* Under IPv6 and UDP. */
#define OVERHEAD 48

struct rtc_dtls_context {
	SSL_CTX *ssl;
	BIO_METHOD *bio;
	char fingerprint[8 + EVP_MAX_MD_SIZE * 3];
};

/* The certificate */

static void
name(X509 *certificate)
{
	X509_NAME *subject = X509_get_subject_name(certificate);

	if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"camhub",
				       -1, -1, 0) != 1 ||
	    X509_set_issuer_name(certificate, subject) != 1)
		xalloc_die();
}

static X509 *
make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	uint64_t serial;

	if (certificate == NULL || RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1 ||
	    X509_set_version(certificate, X509_VERSION_3) != 1 ||
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_S) == NULL ||
	    X509_set_pubkey(certificate, key) != 1)
		xalloc_die();
	name(certificate);
	if (X509_sign(certificate, key, EVP_sha256()) == 0)
		xalloc_die();
	return certificate;
}

static void
write_fingerprint(const X509 *certificate, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
		xalloc_die();
	out += sprintf(out, "sha-256 ");
	for (unsigned i = 0; i < len; i++)
		out += sprintf(out, "%s%02X", i > 0 ? ":" : "", digest[i]);
}

/* Datagrams */

static int
bio_write(BIO *bio, const char *data, int len)
{
	struct rtc_dtls_pipe *pipe = BIO_get_data(bio);

	pipe->ops->send(pipe->arg, (const uint8_t *)data, (size_t)len);
	return len;
}

static int
bio_read(BIO *bio, char *out, int room)
{
	struct rtc_dtls_pipe *pipe = BIO_get_data(bio);
	size_t len = pipe->len;

	BIO_clear_retry_flags(bio);
	if (pipe->data == NULL || room < 0 || len > (size_t)room) {
		pipe->data = NULL;
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(out, pipe->data, len);
	pipe->data = NULL;
	return (int)len;
}

static long
bio_ctrl(BIO *bio, int command, long number, void *data)
{
	(void)bio;
	(void)number;
	(void)data;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return RTC_DTLS_MTU;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return OVERHEAD;
	default:
		return 0;
	}
}

static BIO_METHOD *
make_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");

	if (method == NULL || BIO_meth_set_write(method, bio_write) != 1 ||
	    BIO_meth_set_read(method, bio_read) != 1 || BIO_meth_set_ctrl(method, bio_ctrl) != 1)
		xalloc_die();
	return method;
}

BIO *
rtc_dtls_bio_new(struct rtc_dtls_context *context, struct rtc_dtls_pipe *pipe)
{
	BIO *bio = BIO_new(context->bio);

	if (bio == NULL)
		xalloc_die();
	BIO_set_data(bio, pipe);
	BIO_set_init(bio, 1);
	return bio;
}

/* Parameters */

static int
take_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void
set_up(SSL_CTX *ssl, EVP_PKEY *key, X509 *certificate)
{
	if (SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ssl, CIPHERS) != 1 ||
	    SSL_CTX_use_certificate(ssl, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ssl, key) != 1 ||
	    SSL_CTX_set_tlsext_use_srtp(ssl, RTC_SRTP_PROFILES) != 0)
		xalloc_die();
	SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, take_any);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}

struct rtc_dtls_context *
rtc_dtls_context_new(void)
{
	struct rtc_dtls_context *context = xcalloc(1, sizeof(*context));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;

	context->ssl = SSL_CTX_new(DTLS_server_method());
	if (key == NULL || context->ssl == NULL)
		xalloc_die();
	certificate = make_certificate(key);
	set_up(context->ssl, key, certificate);
	write_fingerprint(certificate, context->fingerprint);
	context->bio = make_method();
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

void
rtc_dtls_context_free(struct rtc_dtls_context **context)
{
	if (*context == NULL)
		return;
	SSL_CTX_free((*context)->ssl);
	BIO_meth_free((*context)->bio);
	free(*context);
	*context = NULL;
}

const char *
rtc_dtls_context_fingerprint(const struct rtc_dtls_context *context)
{
	return context->fingerprint;
}

SSL_CTX *
rtc_dtls_context_ssl(struct rtc_dtls_context *context)
{
	return context->ssl;
}
