/*
 * The handshake of a browser.
 */
#include "config.h"

#include "tests/rtc_viewer_dtls.h"

#include "shared/xalloc.h"

#include <openssl/err.h>
#include <string.h>

struct rtc_viewer_dtls {
	struct rtc_dtls_context *context; /* lends its certificate and its BIO */
	SSL_CTX *ctx;
	SSL *ssl;
	struct rtc_dtls_pipe pipe;
	struct rtc_dtls_ops ops;
};

struct rtc_viewer_dtls *
rtc_viewer_dtls_new(void (*send)(void *arg, const uint8_t *data, size_t len), void *arg)
{
	struct rtc_viewer_dtls *dtls = xcalloc(1, sizeof(*dtls));
	SSL_CTX *lent;
	BIO *bio;

	dtls->context = rtc_dtls_context_new();
	lent = rtc_dtls_context_ssl(dtls->context);
	dtls->ctx = SSL_CTX_new(DTLS_client_method());
	ck_assert_int_eq(SSL_CTX_use_certificate(dtls->ctx, SSL_CTX_get0_certificate(lent)), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(dtls->ctx, SSL_CTX_get0_privatekey(lent)), 1);
	ck_assert_int_eq(SSL_CTX_set_tlsext_use_srtp(dtls->ctx, RTC_SRTP_PROFILES), 0);
	SSL_CTX_set_options(dtls->ctx, SSL_OP_NO_QUERY_MTU);
	dtls->ops.send = send;
	dtls->pipe = (struct rtc_dtls_pipe){ .ops = &dtls->ops, .arg = arg };
	dtls->ssl = SSL_new(dtls->ctx);
	bio = rtc_dtls_bio_new(dtls->context, &dtls->pipe);
	SSL_set_bio(dtls->ssl, bio, bio);
	SSL_set_connect_state(dtls->ssl);
	DTLS_set_link_mtu(dtls->ssl, RTC_DTLS_MTU);
	return dtls;
}

const char *
rtc_viewer_dtls_fingerprint(const struct rtc_viewer_dtls *dtls)
{
	return rtc_dtls_context_fingerprint(dtls->context);
}

void
rtc_viewer_dtls_begin(struct rtc_viewer_dtls *dtls)
{
	(void)SSL_do_handshake(dtls->ssl);
	ERR_clear_error();
}

void
rtc_viewer_dtls_resend(struct rtc_viewer_dtls *dtls)
{
	(void)DTLSv1_handle_timeout(dtls->ssl);
	ERR_clear_error();
}

enum rtc_viewer_dtls_state
rtc_viewer_dtls_input(struct rtc_viewer_dtls *dtls, const uint8_t *data, size_t len)
{
	char nothing[16];
	int rc, error;

	dtls->pipe.data = data;
	dtls->pipe.len = len;
	rc = SSL_read(dtls->ssl, nothing, sizeof(nothing));
	error = SSL_get_error(dtls->ssl, rc);
	dtls->pipe.data = NULL;
	ERR_clear_error();
	if (error == SSL_ERROR_ZERO_RETURN)
		return RTC_VIEWER_DTLS_GOODBYE;
	if (error != SSL_ERROR_WANT_READ)
		return RTC_VIEWER_DTLS_FAILED;
	return SSL_is_init_finished(dtls->ssl) ? RTC_VIEWER_DTLS_UP : RTC_VIEWER_DTLS_BUSY;
}

void
rtc_viewer_dtls_goodbye(struct rtc_viewer_dtls *dtls)
{
	(void)SSL_shutdown(dtls->ssl);
	ERR_clear_error();
}

void
rtc_viewer_dtls_keys(struct rtc_viewer_dtls *dtls, struct rtc_srtp **in, struct rtc_srtp **out)
{
	enum rtc_srtp_profile profile =
	    rtc_srtp_profile_of_id(SSL_get_selected_srtp_profile(dtls->ssl)->id);
	uint8_t keys[RTC_SRTP_EXPORT_BYTES_MAX];

	ck_assert_int_eq(SSL_export_keying_material(dtls->ssl, keys, rtc_srtp_export_bytes(profile),
						    RTC_SRTP_EXPORT_LABEL,
						    strlen(RTC_SRTP_EXPORT_LABEL), NULL, 0, 0),
			 1);
	ck_assert_int_eq(rtc_srtp_new(profile, keys, false, in), 0);
	ck_assert_int_eq(rtc_srtp_new(profile, keys, true, out), 0);
}

void
rtc_viewer_dtls_free(struct rtc_viewer_dtls **dtls)
{
	if (*dtls == NULL)
		return;
	SSL_free((*dtls)->ssl);
	SSL_CTX_free((*dtls)->ctx);
	rtc_dtls_context_free(&(*dtls)->context);
	free(*dtls);
	*dtls = NULL;
}
