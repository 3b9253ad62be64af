/*
 * Packets on their way to one viewer: encrypted one behind the other, in memory that all share, and
 * sent with one call where they are equally long. What a full socket does not take is parked: a
 * number that was encrypted once is never encrypted again.
 */
#ifndef CAMHUB_RTC_BATCH_H
#define CAMHUB_RTC_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTC_PARKED_MAX (4u << 20) /* of all viewers; beyond it packets are lost */

struct rtc_session;

struct rtc_parked {
	uint8_t *data; /* NULL: nothing */
	size_t len, segment;
};

/* One RTP packet: head, then payload. Returns its bytes as it will be sent, 0: not at all. */
size_t rtc_batch_add(struct rtc_session *session, const uint8_t *head, size_t head_len,
		     const uint8_t *payload, size_t len);
/* Sends what was added. To be called before anything is added for another viewer. */
void rtc_batch_flush(struct rtc_session *session);

/* RTCP: encrypted and sent at once, whatever is parked. */
void rtc_batch_send_rtcp(struct rtc_session *session, const uint8_t *data, size_t len);

/* Sends what is parked. false: there is still some. */
bool rtc_parked_send(struct rtc_session *session);
void rtc_parked_clear(struct rtc_session *session);

#endif
