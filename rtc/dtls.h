/*
 * DTLS with a viewer (RFC 6347, 5764): we are the server, datagrams are given in and asked to be
 * sent, and what comes of it is the keys of SRTP. Lost flights are sent again after 50 ms, twice
 * that, and so on. OpenSSL stays in dtls.c and dtls_context.c.
 */
#ifndef CAMHUB_RTC_DTLS_H
#define CAMHUB_RTC_DTLS_H

#include "shared/clock.h"

#include "rtc/srtp.h"

#include <stddef.h>
#include <stdint.h>

#define RTC_DTLS_HANDSHAKE_MS 10000 /* longer: it has failed */

struct rtc_dtls_context;

/* The certificate of this process, new each time, and what we offer. Before the sandbox: OpenSSL
 * reads its configuration. */
struct rtc_dtls_context *rtc_dtls_context_new(void);
void rtc_dtls_context_free(struct rtc_dtls_context **context); /* NULL-safe */
/* "sha-256 AB:CD:..." */
const char *rtc_dtls_context_fingerprint(const struct rtc_dtls_context *context);

/* The certificate that the other side announced (RFC 8122): the hash's name, and its value. */
struct rtc_dtls_fingerprint {
	char hash[16];
	uint8_t value[64];
	size_t len;
};

struct rtc_dtls_ops {
	/* One datagram. Lost is lost. */
	void (*send)(void *arg, const uint8_t *data, size_t len);
	/* The handshake is over; both directions of SRTP, owned from here on. overhead: what it
	 * adds to an RTP packet. */
	void (*on_up)(void *arg, struct rtc_srtp *in, struct rtc_srtp *out, size_t overhead);
	/* It failed (why: a static text), or the other side said goodbye (NULL). Nothing follows.
	 */
	void (*on_end)(void *arg, const char *why);
	/* Settled: what may be its goodbye, and may be anybody's. */
	void (*on_farewell)(void *arg);
};

struct rtc_dtls;

/* Waits for the other side's first flight. ops are not called from here. */
struct rtc_dtls *rtc_dtls_new(struct rtc_dtls_context *context, struct clock *clock,
			      const struct rtc_dtls_fingerprint *peer,
			      const struct rtc_dtls_ops *ops, void *arg);
/* A datagram that came. ops may be called; none of them may free this object. */
void rtc_dtls_input(struct rtc_dtls *dtls, const uint8_t *data, size_t len);
/*
 * The other side has shown that it has its keys, too (something encrypted with them came): the
 * 75 KiB that OpenSSL needs for a handshake go. Our goodbye was written before; another's cannot be
 * read any more: on_farewell().
 */
void rtc_dtls_settle(struct rtc_dtls *dtls);
/* Says goodbye, if there is somebody to say it to. */
void rtc_dtls_close(struct rtc_dtls *dtls);
void rtc_dtls_free(struct rtc_dtls **dtls); /* NULL-safe */

#endif
