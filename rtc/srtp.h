/*
 * SRTP and SRTCP (RFC 3711, RFC 7714) with keys that DTLS made (RFC 5764): AEAD_AES_128_GCM and
 * AES128_CM_HMAC_SHA1_80. In place; one object for each direction, which holds the rollover
 * counters and replay windows of up to RTC_SRTP_SSRCS_MAX SSRCs.
 */
#ifndef CAMHUB_RTC_SRTP_H
#define CAMHUB_RTC_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtc_srtp_profile {
	RTC_SRTP_NONE,
	RTC_SRTP_AES128_CM_SHA1_80, /* 0x0001 */
	RTC_SRTP_AEAD_AES_128_GCM,  /* 0x0007 */
};

/* For SSL_CTX_set_tlsext_use_srtp(), the preferred one first. */
#define RTC_SRTP_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
/* The label of RFC 5764 4.2 for SSL_export_keying_material(), without a context. */
#define RTC_SRTP_EXPORT_LABEL     "EXTRACTOR-dtls_srtp"
#define RTC_SRTP_EXPORT_BYTES_MAX 60u
#define RTC_SRTP_KEY_BYTES_MAX    30u /* key and salt of one direction */
#define RTC_SRTP_SSRCS_MAX        8u
/* Room that must be behind a packet that is protected: tag, SRTCP index. */
#define RTC_SRTP_TAIL_BYTES 24u

struct rtc_srtp;

/* Of the id that DTLS negotiated (SRTP_PROTECTION_PROFILE.id); RTC_SRTP_NONE for others. */
enum rtc_srtp_profile rtc_srtp_profile_of_id(unsigned long id);
const char *rtc_srtp_profile_name(enum rtc_srtp_profile profile); /* static */
size_t rtc_srtp_export_bytes(enum rtc_srtp_profile profile);      /* to be exported; 0 for none */
size_t rtc_srtp_overhead(enum rtc_srtp_profile profile);          /* a protected RTP packet's tag */

/*
 * Of what was exported (rtc_srtp_export_bytes()): the direction in which the DTLS client or server
 * sends. The caller cleanses exported. Returns 0, -EINVAL or -ENOMEM.
 */
int rtc_srtp_new(enum rtc_srtp_profile profile, const uint8_t *exported, bool is_clients,
		 struct rtc_srtp **srtp);
/* Key and salt as they are used, RTC_SRTP_KEY_BYTES_MAX at most; for tests with known keys. */
int rtc_srtp_new_with_key(enum rtc_srtp_profile profile, const uint8_t *key, size_t len,
			  struct rtc_srtp **srtp);
void rtc_srtp_free(struct rtc_srtp **srtp);

/*
 * Encrypts the RTP (RTCP) packet of *len bytes at data, in room for cap bytes. An index must never
 * be used twice with other bytes: retransmissions have an SSRC of their own (RTX). Returns 0 and
 * the new *len, -EMSGSIZE when cap < *len + RTC_SRTP_TAIL_BYTES, -ENOSPC for one SSRC too many,
 * -EPROTO when it is no packet, or -EIO; *len is untouched on failure, the bytes may not be.
 */
int rtc_srtp_protect(struct rtc_srtp *srtp, uint8_t *data, size_t cap, size_t *len);
int rtc_srtcp_protect(struct rtc_srtp *srtp, uint8_t *data, size_t cap, size_t *len);

/*
 * The other way. Returns 0 and the new *len, -EACCES when it is not authentic, -EALREADY when it
 * was there before (or is too old to know), -EPROTO when it is too short or not one, -ENOSPC as
 * above.
 */
int rtc_srtp_unprotect(struct rtc_srtp *srtp, uint8_t *data, size_t *len);
int rtc_srtcp_unprotect(struct rtc_srtp *srtp, uint8_t *data, size_t *len);

#endif
