/*
 * What a datagram on our one port is (RFC 7983 7, RFC 5761 4): by its first bytes, before anything
 * is looked up.
 */
#ifndef CAMHUB_RTC_DEMUX_H
#define CAMHUB_RTC_DEMUX_H

#include <stddef.h>
#include <stdint.h>

enum rtc_kind { RTC_KIND_NONE, RTC_KIND_STUN, RTC_KIND_DTLS, RTC_KIND_RTP, RTC_KIND_RTCP };

/* NONE: nothing of ours, or too short for what it says it is. */
enum rtc_kind rtc_demux(const uint8_t *data, size_t len);

/*
 * Whether all of a DTLS datagram is records that lie inside it (RFC 6347 4.1): what is cut off, or
 * of no known type, is not given to OpenSSL.
 */
int rtc_demux_check_dtls(const uint8_t *data, size_t len); /* 0 or -EPROTO */

#endif
