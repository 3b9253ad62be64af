#ifndef CAMHUB_RTC_DTLS_INT_H
#define CAMHUB_RTC_DTLS_INT_H

#include "rtc/dtls.h"

#include <openssl/ssl.h>

#define RTC_DTLS_MTU 1200

/* For a handshake: verifies nothing, who it is is looked at behind it. */
SSL_CTX *rtc_dtls_context_ssl(struct rtc_dtls_context *context);

/* A BIO that sends datagrams by ops, and hands over the one that is there. */
struct rtc_dtls_pipe {
	const struct rtc_dtls_ops *ops;
	void *arg;
	const uint8_t *data; /* NULL: none */
	size_t len;
};
BIO *rtc_dtls_bio_new(struct rtc_dtls_context *context, struct rtc_dtls_pipe *pipe);

#endif
