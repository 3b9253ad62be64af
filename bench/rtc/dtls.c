/*
 * DTLS as the client.
 */
#include "config.h"

#include "bench/rtc/dtls.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU              1200
#define FIRST_TIMEOUT_US 50000

struct bench_dtls {
	SSL *ssl;
	void (*send)(const uint8_t *data, size_t len, void *arg);
	void *arg;
	const uint8_t *pending; /* one datagram */
	size_t pending_len;
};

static SSL_CTX *context;
static char fingerprint[128];

static int
pipe_write(BIO *bio, const char *data, int len)
{
	struct bench_dtls *dtls = BIO_get_data(bio);

	dtls->send((const uint8_t *)data, (size_t)len, dtls->arg);
	return len;
}

static int
pipe_read(BIO *bio, char *out, int cap)
{
	struct bench_dtls *dtls = BIO_get_data(bio);
	size_t len = dtls->pending_len < (size_t)cap ? dtls->pending_len : (size_t)cap;

	BIO_clear_retry_flags(bio);
	if (dtls->pending == NULL) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(out, dtls->pending, len);
	dtls->pending = NULL;
	return (int)len;
}

static long
pipe_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return MTU;
	default:
		return 0;
	}
}

static BIO_METHOD *
pipe_method(void)
{
	static BIO_METHOD *method;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
		BIO_meth_set_write(method, pipe_write);
		BIO_meth_set_read(method, pipe_read);
		BIO_meth_set_ctrl(method, pipe_ctrl);
	}
	return method;
}

static unsigned
next_timeout(SSL *ssl, unsigned timeout_us)
{
	(void)ssl;
	return timeout_us == 0 ? FIRST_TIMEOUT_US : 2 * timeout_us;
}

static int
accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void
write_fingerprint(const X509 *certificate)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	size_t at;

	X509_digest(certificate, EVP_sha256(), digest, &len);
	at = (size_t)snprintf(fingerprint, sizeof(fingerprint), "sha-256 ");
	for (unsigned i = 0; i < len; i++)
		at += (size_t)snprintf(fingerprint + at, sizeof(fingerprint) - at, "%s%02X",
				       i > 0 ? ":" : "", digest[i]);
}

static void
make_context(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	X509_sign(certificate, key, EVP_sha256());
	write_fingerprint(certificate);
	context = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_use_certificate(context, certificate);
	SSL_CTX_use_PrivateKey(context, key);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
	(void)SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AEAD_AES_128_GCM");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

const char *
bench_dtls_fingerprint(void)
{
	if (context == NULL)
		make_context();
	return fingerprint;
}

struct bench_dtls *
bench_dtls_new(void (*send)(const uint8_t *data, size_t len, void *arg), void *arg)
{
	struct bench_dtls *dtls = xcalloc(1, sizeof(*dtls));
	BIO *bio = BIO_new(pipe_method());

	(void)bench_dtls_fingerprint();
	dtls->send = send;
	dtls->arg = arg;
	dtls->ssl = SSL_new(context);
	BIO_set_data(bio, dtls);
	BIO_set_init(bio, 1);
	SSL_set_bio(dtls->ssl, bio, bio);
	SSL_set_options(dtls->ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(dtls->ssl, MTU);
	DTLS_set_timer_cb(dtls->ssl, next_timeout);
	SSL_set_connect_state(dtls->ssl);
	return dtls;
}

void
bench_dtls_free(struct bench_dtls **dtls)
{
	if (*dtls == NULL)
		return;
	SSL_free((*dtls)->ssl);
	free(*dtls);
	*dtls = NULL;
}

int
bench_dtls_advance(struct bench_dtls *dtls, const uint8_t *data, size_t len)
{
	char nothing[64];
	int rc, error;

	dtls->pending = data;
	dtls->pending_len = len;
	if (data == NULL)
		(void)DTLSv1_handle_timeout(dtls->ssl);
	if (SSL_is_init_finished(dtls->ssl))
		rc = SSL_read(dtls->ssl, nothing, sizeof(nothing));
	else
		rc = SSL_do_handshake(dtls->ssl);
	error = SSL_get_error(dtls->ssl, rc);
	ERR_clear_error();
	dtls->pending = NULL;
	if (SSL_is_init_finished(dtls->ssl) && error != SSL_ERROR_ZERO_RETURN)
		return 1;
	return rc > 0 || error == SSL_ERROR_WANT_READ ? 0 : -1;
}

void
bench_dtls_close(struct bench_dtls *dtls)
{
	(void)SSL_shutdown(dtls->ssl);
}

int
bench_dtls_keys(struct bench_dtls *dtls, struct bench_open *open, struct rtc_srtp **out)
{
	const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(dtls->ssl);
	uint8_t keys[RTC_SRTP_EXPORT_BYTES_MAX], theirs[OPEN_KEY_BYTES];
	int err;

	if (chosen == NULL || rtc_srtp_profile_of_id(chosen->id) != RTC_SRTP_AEAD_AES_128_GCM ||
	    SSL_export_keying_material(dtls->ssl, keys, 2 * OPEN_KEY_BYTES, RTC_SRTP_EXPORT_LABEL,
				       strlen(RTC_SRTP_EXPORT_LABEL), NULL, 0, 0) != 1)
		return -EPROTO;
	memcpy(theirs, keys + 16, 16);
	memcpy(theirs + 16, keys + 32 + 12, 12);
	bench_open_init(open, theirs);
	err = rtc_srtp_new(RTC_SRTP_AEAD_AES_128_GCM, keys, true, out);
	OPENSSL_cleanse(keys, sizeof(keys));
	OPENSSL_cleanse(theirs, sizeof(theirs));
	return err;
}
