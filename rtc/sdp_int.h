/*
 * What the files that read an offer share: pieces of text inside it, and the state of the reading.
 */
#ifndef CAMHUB_RTC_SDP_INT_H
#define CAMHUB_RTC_SDP_INT_H

#include "rtc/sdp.h"

struct rtc_text {
	const char *at;
	size_t len;
};

bool rtc_text_is(struct rtc_text text, const char *word);
bool rtc_text_is_nocase(struct rtc_text text, const char *word);
bool rtc_text_begins(struct rtc_text text, const char *word);
/* What is before the next separator (or everything); *text goes on behind it. */
struct rtc_text rtc_text_take(struct rtc_text *text, char separator);
/* Zero-terminated; false when it does not fit. */
bool rtc_text_copy(struct rtc_text text, char *out, size_t cap);
/* All of it a decimal number <= most. */
bool rtc_text_number(struct rtc_text text, uint32_t most, uint32_t *number);
/* All of it `bytes` bytes as pairs of hexadecimal digits. */
bool rtc_text_hex(struct rtc_text text, uint8_t *out, size_t bytes);

/* A payload type of the m= line that is read: formats that we know are also in media->codecs. */
struct rtc_sdp_format {
	bool is_listed, is_rtx;
	bool has_apt;
	uint8_t apt;
	int codec; /* in media->codecs, when listed */
};

struct rtc_sdp_reading {
	struct rtc_sdp_offer *offer;
	struct rtc_sdp_media *media; /* NULL: what comes is of the session */
	struct rtc_sdp_format formats[128];
	bool session_can_receive;
	bool is_lite;
	struct rtc_text bundle; /* the mids of the group */
	bool has_bundle;
	const char *why;
};

#define SDP_FORMATS 128u

/* An m= line, and the end of what belongs to it. 0 or the error with reading->why. */
int rtc_sdp_media_begin(struct rtc_sdp_reading *reading, struct rtc_text value);
void rtc_sdp_media_end(struct rtc_sdp_reading *reading);
/* An a= line, whatever it belongs to. */
int rtc_sdp_attribute(struct rtc_sdp_reading *reading, struct rtc_text line);
/* rtpmap, fmtp, rtcp-fb of the medium that is read. */
int rtc_sdp_rtpmap(struct rtc_sdp_reading *reading, struct rtc_text value);
int rtc_sdp_fmtp(struct rtc_sdp_reading *reading, struct rtc_text value);
int rtc_sdp_rtcp_fb(struct rtc_sdp_reading *reading, struct rtc_text value);

int rtc_sdp_fail(struct rtc_sdp_reading *reading, int err, const char *why);

#endif
