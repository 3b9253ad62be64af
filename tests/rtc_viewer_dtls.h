/*
 * DTLS as a browser does it, for tests: datagrams in and out.
 */
#ifndef CAMHUB_TESTS_RTC_VIEWER_DTLS_H
#define CAMHUB_TESTS_RTC_VIEWER_DTLS_H

#include "rtc/dtls_int.h"
#include "rtc/srtp.h"
#include "tests/harness/harness.h"

enum rtc_viewer_dtls_state {
	RTC_VIEWER_DTLS_BUSY,
	RTC_VIEWER_DTLS_UP,
	RTC_VIEWER_DTLS_GOODBYE,
	RTC_VIEWER_DTLS_FAILED
};

struct rtc_viewer_dtls *
rtc_viewer_dtls_new(void (*send)(void *arg, const uint8_t *data, size_t len), void *arg);
/* "sha-256 AB:..." */
const char *rtc_viewer_dtls_fingerprint(const struct rtc_viewer_dtls *dtls);
void rtc_viewer_dtls_begin(struct rtc_viewer_dtls *dtls);
/* As if its timer had run out. */
void rtc_viewer_dtls_resend(struct rtc_viewer_dtls *dtls);
enum rtc_viewer_dtls_state rtc_viewer_dtls_input(struct rtc_viewer_dtls *dtls, const uint8_t *data,
						 size_t len);
void rtc_viewer_dtls_goodbye(struct rtc_viewer_dtls *dtls);
/* Once it is up; both are the caller's. */
void rtc_viewer_dtls_keys(struct rtc_viewer_dtls *dtls, struct rtc_srtp **in,
			  struct rtc_srtp **out);
void rtc_viewer_dtls_free(struct rtc_viewer_dtls **dtls);

#endif
