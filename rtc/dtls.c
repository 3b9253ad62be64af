/*
 * One handshake, and what may come behind it: the other side's goodbye, or its last flight again.
 */
#include "config.h"

#include "rtc/dtls.h"

#include "rtc/dtls_int.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define FIRST_TIMEOUT_US  50000
#define LAST_TIMEOUT_US   1000000
#define NOBODY_ELSE_BYTES 512 /* nothing but alerts is expected behind the handshake */
#define GOODBYE_BYTES     128
#define AGAIN_MAX         4 /* to an address that stays silent: who is there sends his own again */
#define RECORD_ALERT      21

struct rtc_dtls {
	SSL *ssl;
	struct rtc_dtls_pipe pipe;
	struct rtc_dtls_fingerprint peer;
	struct clock_timer again;
	int64_t begun_ns;
	unsigned unanswered; /* times that a flight was sent again since a datagram came */
	bool is_up, is_over;
	uint8_t goodbye[GOODBYE_BYTES]; /* settled: what is sent at the end */
	size_t goodbye_len;
};

/* OpenSSL's own first timeout is a second. */
static unsigned
next_timeout(SSL *ssl, unsigned timeout_us)
{
	(void)ssl;
	if (timeout_us == 0)
		return FIRST_TIMEOUT_US;
	return 2 * timeout_us < LAST_TIMEOUT_US ? 2 * timeout_us : LAST_TIMEOUT_US;
}

static void
end(struct rtc_dtls *dtls, const char *why)
{
	if (dtls->is_over)
		return;
	dtls->is_over = true;
	clock_timer_cancel(&dtls->again);
	dtls->pipe.ops->on_end(dtls->pipe.arg, why);
}

static bool
is_announced(const struct rtc_dtls *dtls, const X509 *certificate)
{
	static const struct {
		const char *name;
		const EVP_MD *(*digest)(void);
	} hashes[] = { { "sha-256", EVP_sha256 },
		       { "sha-384", EVP_sha384 },
		       { "sha-512", EVP_sha512 } };
	unsigned char value[EVP_MAX_MD_SIZE];
	unsigned len;

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (strcmp(dtls->peer.hash, hashes[i].name) == 0)
			return certificate != NULL &&
			       X509_digest(certificate, hashes[i].digest(), value, &len) == 1 &&
			       len == dtls->peer.len &&
			       CRYPTO_memcmp(value, dtls->peer.value, len) == 0;
	return false;
}

static int
make_keys(struct rtc_dtls *dtls, struct rtc_srtp **in, struct rtc_srtp **out, size_t *overhead)
{
	const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(dtls->ssl);
	enum rtc_srtp_profile profile =
	    chosen != NULL ? rtc_srtp_profile_of_id(chosen->id) : RTC_SRTP_NONE;
	size_t len = rtc_srtp_export_bytes(profile);
	uint8_t keys[RTC_SRTP_EXPORT_BYTES_MAX];
	int rc = -EPROTO;

	if (len == 0)
		return rc;
	if (SSL_export_keying_material(dtls->ssl, keys, len, RTC_SRTP_EXPORT_LABEL,
				       strlen(RTC_SRTP_EXPORT_LABEL), NULL, 0, 0) == 1)
		rc = rtc_srtp_new(profile, keys, true, in);
	if (rc == 0) {
		rc = rtc_srtp_new(profile, keys, false, out);
		if (rc < 0)
			rtc_srtp_free(in);
	}
	OPENSSL_cleanse(keys, sizeof(keys));
	*overhead = rtc_srtp_overhead(profile);
	return rc;
}

static void
finish(struct rtc_dtls *dtls)
{
	X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
	bool is_it = is_announced(dtls, certificate);
	struct rtc_srtp *in = NULL, *out = NULL;
	size_t overhead;

	X509_free(certificate);
	if (!is_it) {
		end(dtls, "the certificate is not the one of the offer");
		return;
	}
	if (make_keys(dtls, &in, &out, &overhead) < 0) {
		end(dtls, "no way of encrypting in common");
		return;
	}
	dtls->is_up = true;
	dtls->pipe.ops->on_up(dtls->pipe.arg, in, out, overhead);
}

static void
arm(struct rtc_dtls *dtls)
{
	struct timeval left;
	int64_t ms;

	clock_timer_cancel(&dtls->again);
	if (dtls->is_over || dtls->is_up || dtls->unanswered >= AGAIN_MAX ||
	    DTLSv1_get_timeout(dtls->ssl, &left) != 1)
		return;
	ms = (int64_t)left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
	clock_timer_set_ms(&dtls->again, ms > 0 ? ms : 1);
}

/* true: go on; false: it waits for a datagram, or is over. */
static bool
judge(struct rtc_dtls *dtls, int rc)
{
	int error = SSL_get_error(dtls->ssl, rc);

	ERR_clear_error();
	if (rc > 0)
		return true;
	if (error == SSL_ERROR_ZERO_RETURN)
		end(dtls, NULL);
	else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE && !dtls->is_up)
		end(dtls, "the handshake failed");
	return false;
}

static void
advance(struct rtc_dtls *dtls)
{
	char nothing[NOBODY_ELSE_BYTES];
	int rc;

	ERR_clear_error();
	if (!dtls->is_up) {
		if (judge(dtls, SSL_accept(dtls->ssl)))
			finish(dtls);
		return;
	}
	/* A browser sends nothing in it: what comes is its goodbye, or a flight again. */
	rc = SSL_read(dtls->ssl, nothing, sizeof(nothing));
	(void)judge(dtls, rc);
}

static void
on_again(struct clock_timer *timer, void *arg)
{
	struct rtc_dtls *dtls = arg;
	int64_t now = clock_now_ns(timer->clock);

	if (now - dtls->begun_ns > RTC_DTLS_HANDSHAKE_MS * NS_PER_MS) {
		end(dtls, "the handshake took too long");
		return;
	}
	ERR_clear_error();
	dtls->unanswered += DTLSv1_handle_timeout(dtls->ssl) > 0;
	ERR_clear_error();
	arm(dtls);
}

struct rtc_dtls *
rtc_dtls_new(struct rtc_dtls_context *context, struct clock *clock,
	     const struct rtc_dtls_fingerprint *peer, const struct rtc_dtls_ops *ops, void *arg)
{
	struct rtc_dtls *dtls = xcalloc(1, sizeof(*dtls));
	BIO *bio;

	dtls->peer = *peer;
	dtls->pipe = (struct rtc_dtls_pipe){ .ops = ops, .arg = arg };
	dtls->begun_ns = clock_now_ns(clock);
	clock_timer_init(&dtls->again, clock, on_again, dtls);
	dtls->ssl = SSL_new(rtc_dtls_context_ssl(context));
	if (dtls->ssl == NULL)
		xalloc_die();
	bio = rtc_dtls_bio_new(context, &dtls->pipe);
	SSL_set_bio(dtls->ssl, bio, bio);
	SSL_set_accept_state(dtls->ssl);
	DTLS_set_link_mtu(dtls->ssl, RTC_DTLS_MTU);
	DTLS_set_timer_cb(dtls->ssl, next_timeout);
	return dtls;
}

/* Encrypted (epoch 1): in clear it is nothing at all. */
static bool
is_alert(const uint8_t *data, size_t len)
{
	return len > 5 && data[0] == RECORD_ALERT && data[3] == 0 && data[4] == 1;
}

void
rtc_dtls_input(struct rtc_dtls *dtls, const uint8_t *data, size_t len)
{
	if (dtls->is_over)
		return;
	if (dtls->ssl == NULL) {
		if (is_alert(data, len))
			dtls->pipe.ops->on_farewell(dtls->pipe.arg);
		return;
	}
	dtls->unanswered = 0;
	dtls->pipe.data = data;
	dtls->pipe.len = len;
	advance(dtls);
	dtls->pipe.data = NULL;
	arm(dtls);
}

static void
keep_goodbye(void *arg, const uint8_t *data, size_t len)
{
	struct rtc_dtls *dtls = arg;

	if (len > sizeof(dtls->goodbye))
		return;
	memcpy(dtls->goodbye, data, len);
	dtls->goodbye_len = len;
}

void
rtc_dtls_settle(struct rtc_dtls *dtls)
{
	static const struct rtc_dtls_ops keeper = { .send = keep_goodbye };
	struct rtc_dtls_pipe pipe = dtls->pipe;

	if (!dtls->is_up || dtls->is_over || dtls->ssl == NULL)
		return;
	dtls->pipe = (struct rtc_dtls_pipe){ .ops = &keeper, .arg = dtls };
	ERR_clear_error();
	(void)SSL_shutdown(dtls->ssl);
	ERR_clear_error();
	dtls->pipe = pipe;
	SSL_free(dtls->ssl);
	dtls->ssl = NULL;
}

void
rtc_dtls_close(struct rtc_dtls *dtls)
{
	if (!dtls->is_up || dtls->is_over)
		return;
	if (dtls->ssl == NULL) {
		if (dtls->goodbye_len > 0)
			dtls->pipe.ops->send(dtls->pipe.arg, dtls->goodbye, dtls->goodbye_len);
	} else {
		ERR_clear_error();
		(void)SSL_shutdown(dtls->ssl);
		ERR_clear_error();
	}
	dtls->is_over = true;
}

void
rtc_dtls_free(struct rtc_dtls **dtls)
{
	if (*dtls == NULL)
		return;
	clock_timer_cancel(&(*dtls)->again);
	SSL_free((*dtls)->ssl);
	OPENSSL_cleanse(&(*dtls)->peer, sizeof((*dtls)->peer));
	free(*dtls);
	*dtls = NULL;
}
