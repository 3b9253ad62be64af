/*
 * What the two halves of rtc/stun.h share.
 */
#ifndef CAMHUB_RTC_STUN_INT_H
#define CAMHUB_RTC_STUN_INT_H

#include "rtc/stun.h"

#define STUN_HEADER_BYTES    20u
#define STUN_COOKIE          0x2112a442u
#define STUN_USERNAME        0x0006u
#define STUN_INTEGRITY       0x0008u
#define STUN_INTEGRITY_BYTES 20u
#define STUN_FINGERPRINT     0x8028u

struct stun_attribute {
	unsigned type;
	size_t len, at; /* at: of its header, in the message */
	const uint8_t *value;
};

/* rtc_stun_peek(), and where MESSAGE-INTEGRITY begins. */
int rtc_stun_walk(const uint8_t *data, size_t len, struct rtc_stun_peek *peek,
		  size_t *integrity_at);

#endif
