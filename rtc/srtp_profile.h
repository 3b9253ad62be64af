/*
 * What the profiles of rtc/srtp.h are made of.
 */
#ifndef CAMHUB_RTC_SRTP_PROFILE_H
#define CAMHUB_RTC_SRTP_PROFILE_H

#include "rtc/srtp.h"

struct rtc_srtp_parameters {
	const char *name;
	unsigned long id; /* in DTLS' use_srtp extension */
	size_t key_bytes, salt_bytes;
	size_t tag_bytes; /* of an RTP packet */
};

/* All zero for RTC_SRTP_NONE. */
const struct rtc_srtp_parameters *rtc_srtp_parameters(enum rtc_srtp_profile profile);

/* Key and salt of one direction out of what DTLS exported (RFC 5764 4.2). Returns their bytes. */
size_t rtc_srtp_key_of(enum rtc_srtp_profile profile, const uint8_t *exported, bool is_clients,
		       uint8_t key[RTC_SRTP_KEY_BYTES_MAX]);

#endif
