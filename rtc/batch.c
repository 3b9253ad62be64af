/*
 * Encrypting and gathering.
 */
#include "config.h"

#include "rtc/batch.h"

#include "rtc/session.h"
#include "shared/xalloc.h"

#include <string.h>

#define PACKET_MAX 1500

static struct {
	uint8_t data[RTC_UDP_BATCH_BYTES + PACKET_MAX];
	size_t len, segment;
	unsigned n;
	bool is_closed; /* the last one was shorter */
} batch;

static size_t parked_bytes;

static void
park(struct rtc_session *session, const uint8_t *data, size_t len, size_t segment)
{
	struct rtc_parked *parked = &session->parked;

	/* Packets of another length cannot be put behind those that wait. */
	if (parked->data != NULL || parked_bytes + len > RTC_PARKED_MAX) {
		session->lost_here += (len + segment - 1) / segment;
		return;
	}
	parked->data = xmalloc(len);
	memcpy(parked->data, data, len);
	parked->len = len;
	parked->segment = segment;
	parked_bytes += len;
}

void
rtc_batch_flush(struct rtc_session *session)
{
	size_t sent = 0;

	if (batch.n == 0)
		return;
	/* Else the first would come behind those of later. */
	if (session->parked.data == NULL)
		sent = rtc_place_send(session, batch.data, batch.len, batch.segment);
	if (sent < batch.len)
		park(session, batch.data + sent, batch.len - sent, batch.segment);
	session->cursor.bytes += batch.len;
	session->rtc->front->bytes_sent += batch.len;
	batch.len = batch.segment = batch.n = 0;
	batch.is_closed = false;
}

static bool
fits(size_t total)
{
	return !batch.is_closed && total <= batch.segment && batch.n < RTC_UDP_BATCH_SEGMENTS &&
	       batch.len + total <= RTC_UDP_BATCH_BYTES;
}

size_t
rtc_batch_add(struct rtc_session *session, const uint8_t *head, size_t head_len,
	      const uint8_t *payload, size_t len)
{
	size_t total = head_len + len + session->overhead, made = head_len + len;
	uint8_t *at;

	if (total + RTC_SRTP_TAIL_BYTES > PACKET_MAX)
		return 0;
	if (batch.n > 0 && !fits(total))
		rtc_batch_flush(session);
	at = batch.data + batch.len;
	memcpy(at, head, head_len);
	memcpy(at + head_len, payload, len);
	if (rtc_srtp_protect(session->srtp_out, at, sizeof(batch.data) - batch.len, &made) < 0)
		return 0;
	if (batch.n == 0)
		batch.segment = made;
	batch.is_closed = made < batch.segment;
	batch.len += made;
	batch.n++;
	return made;
}

void
rtc_batch_send_rtcp(struct rtc_session *session, const uint8_t *data, size_t len)
{
	uint8_t packet[PACKET_MAX];

	if (len + RTC_SRTP_TAIL_BYTES > sizeof(packet))
		return;
	memcpy(packet, data, len);
	if (rtc_srtcp_protect(session->srtp_out, packet, sizeof(packet), &len) == 0)
		(void)rtc_path_send(&session->place.now, packet, len, len);
}

bool
rtc_parked_send(struct rtc_session *session)
{
	struct rtc_parked *parked = &session->parked;
	size_t sent;

	if (parked->data == NULL)
		return true;
	sent = rtc_path_send(&session->place.now, parked->data, parked->len, parked->segment);
	parked_bytes -= sent;
	parked->len -= sent;
	if (parked->len > 0) {
		memmove(parked->data, parked->data + sent, parked->len);
		return false;
	}
	free(parked->data);
	parked->data = NULL;
	return true;
}

void
rtc_parked_clear(struct rtc_session *session)
{
	parked_bytes -= session->parked.len;
	free(session->parked.data);
	session->parked = (struct rtc_parked){ .data = NULL };
}
