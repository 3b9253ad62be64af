/*
 * Offers for the tests of rtc/sdp.h: those that browsers made (tests/data/rtc), and pieces to make
 * some of.
 */
#ifndef CAMHUB_TESTS_RTC_SDP_RIG_H
#define CAMHUB_TESTS_RTC_SDP_RIG_H

#include "rtc/sdp.h"
#include "tests/media_data.h"

#define OFFER_SHA256                                                                               \
	"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:"                                         \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define OFFER_KEYS                                                                                 \
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"                                 \
	"a=fingerprint:SHA-256 " OFFER_SHA256 "\r\na=setup:actpass\r\n"
#define OFFER_KEYS_LF                                                                              \
	"a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\n"                                     \
	"a=fingerprint:sha-256 " OFFER_SHA256 "\na=setup:active\n"
#define OFFER_SESSION                                                                              \
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" OFFER_KEYS
/* Behind an m= line. */
#define OFFER_VIDEO "a=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
#define OFFER_AUDIO "a=mid:1\r\na=recvonly\r\na=rtcp-mux\r\n"

/* A file of tests/data/rtc, zero-terminated; free() it. */
char *rig_load(const char *name, size_t *len);

/* Read; fails the test when it cannot be. free() it. */
struct rtc_sdp_offer *offer_of_file(const char *name);
struct rtc_sdp_offer *offer_of_lines(const char *text);

/* The codec of a payload type; fails the test without. */
const struct rtc_sdp_codec *offer_codec(const struct rtc_sdp_media *media, unsigned payload_type);

#endif
