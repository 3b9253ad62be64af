/*
 * DTLS as the client, and the SRTP keys that it makes. One certificate for the whole process.
 */
#ifndef CAMHUB_BENCH_RTC_DTLS_H
#define CAMHUB_BENCH_RTC_DTLS_H

#include "bench/rtc/open.h"
#include "rtc/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_dtls;

/* "sha-256 AA:BB:..." of our certificate; made when first asked for. */
const char *bench_dtls_fingerprint(void);

/* send: gives a datagram to the network. */
struct bench_dtls *bench_dtls_new(void (*send)(const uint8_t *data, size_t len, void *arg),
				  void *arg);
void bench_dtls_free(struct bench_dtls **dtls);
/* Begins, goes on with a datagram (data NULL: a timer may be due). 1: it is up; 0: not yet; -1: it
 * failed, or the other side closed. */
int bench_dtls_advance(struct bench_dtls *dtls, const uint8_t *data, size_t len);
/* Says goodbye. */
void bench_dtls_close(struct bench_dtls *dtls);
/* Once it is up: for what comes and what goes. 0, or -EPROTO when it is not AES-GCM. */
int bench_dtls_keys(struct bench_dtls *dtls, struct bench_open *open, struct rtc_srtp **out);

#endif
