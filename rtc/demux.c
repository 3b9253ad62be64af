/*
 * One look at a datagram.
 */
#include "config.h"

#include "rtc/demux.h"

#include <errno.h>

#define STUN_HEADER_BYTES  20
#define DTLS_HEADER_BYTES  13
#define RTP_HEADER_BYTES   12
#define RTCP_HEADER_BYTES  8
#define DTLS_RECORD_MAX    (16384 + 2048)
#define DTLS_CHANGE_CIPHER 20
#define DTLS_APPLICATION   23
#define DTLS_MAJOR         0xfe

enum rtc_kind
rtc_demux(const uint8_t *data, size_t len)
{
	if (len < RTCP_HEADER_BYTES)
		return RTC_KIND_NONE;
	if (data[0] <= 3)
		return len >= STUN_HEADER_BYTES ? RTC_KIND_STUN : RTC_KIND_NONE;
	if (data[0] >= 20 && data[0] <= 63)
		return len >= DTLS_HEADER_BYTES ? RTC_KIND_DTLS : RTC_KIND_NONE;
	if (data[0] < 128 || data[0] > 191)
		return RTC_KIND_NONE;
	if (data[1] >= 192 && data[1] <= 223)
		return RTC_KIND_RTCP;
	return len >= RTP_HEADER_BYTES ? RTC_KIND_RTP : RTC_KIND_NONE;
}

int
rtc_demux_check_dtls(const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t body;

		if (len < DTLS_HEADER_BYTES)
			return -EPROTO;
		body = (size_t)data[11] << 8 | data[12];
		if (data[0] < DTLS_CHANGE_CIPHER || data[0] > DTLS_APPLICATION ||
		    data[1] != DTLS_MAJOR || body == 0 || body > DTLS_RECORD_MAX ||
		    body > len - DTLS_HEADER_BYTES)
			return -EPROTO;
		data += DTLS_HEADER_BYTES + body;
		len -= DTLS_HEADER_BYTES + body;
	}
	return 0;
}
