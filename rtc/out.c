/*
 * Headers and numbers.
 */
#include "config.h"

#include "rtc/out.h"

#include "rtc/batch.h"
#include "rtc/session.h"
#include "shared/xalloc.h"

#include <openssl/rand.h>
#include <string.h>

#define PLAYOUT_DELAY_BYTES 3
#define TWCC_BYTES          2
#define OSN_BYTES           2

static const uint8_t no_delay[PLAYOUT_DELAY_BYTES];

void
rtc_out_init(struct rtc_out *out)
{
	uint32_t random[4];

	if (RAND_bytes((unsigned char *)random, sizeof(random)) != 1)
		xalloc_die();
	*out = (struct rtc_out){ .ssrc = random[0] | 1,
				 .rtx_ssrc = random[1] & ~1u,
				 /* Far from the end: a receiver that missed the first packets
				  * would not know that it wrapped. */
				 .seq = (uint16_t)(random[2] & 0x3fff),
				 .rtx_seq = (uint16_t)(random[3] & 0x3fff),
				 .rtx_budget = RTC_OUT_RTX_BYTES };
}

void
rtc_out_clear(struct rtc_out *out)
{
	for (unsigned i = 0; i < RTC_OUT_KEPT; i++)
		rtc_unit_unref(&out->kept[i].unit);
}

uint16_t
rtc_out_begin(struct rtc_out *out, struct rtc_unit *unit, uint32_t timestamp, bool keep)
{
	uint16_t first = out->seq;

	out->seq = (uint16_t)(first + unit->packed.count);
	if (keep) {
		struct rtc_sent *sent = &out->kept[out->next++ % RTC_OUT_KEPT];

		rtc_unit_unref(&sent->unit);
		*sent = (struct rtc_sent){ .unit = rtc_unit_ref(unit),
					   .timestamp = timestamp,
					   .first_seq = first };
	}
	return first;
}

static size_t
write_extensions(const struct rtc_out *out, uint16_t twcc, uint8_t *at)
{
	struct rtp_extension elements[2];
	size_t n = 0;

	if (out->playout_delay_id != 0 && !out->is_smooth) {
		elements[n] = (struct rtp_extension){ .id = out->playout_delay_id,
						      .len = PLAYOUT_DELAY_BYTES };
		memcpy(elements[n++].data, no_delay, sizeof(no_delay));
	}
	if (out->twcc_id != 0)
		elements[n++] =
		    (struct rtp_extension){ .id = out->twcc_id,
					    .len = TWCC_BYTES,
					    .data = { (uint8_t)(twcc >> 8), (uint8_t)twcc } };
	return rtp_write_extensions(elements, n, at);
}

/* One packet: header, extensions, the number that it had (RTX), payload. */
static void
put(struct rtc_session *session, const struct rtc_out *out, struct rtp_header *header,
    const uint16_t *original, const uint8_t *payload, size_t len)
{
	uint8_t head[RTP_HEADER_BYTES + RTP_EXTENSION_BYTES_MAX + OSN_BYTES];
	size_t size = RTP_HEADER_BYTES, bytes;
	/* Sound does not carry the number, and would look lost. */
	bool is_counted = out == &session->video;
	uint16_t twcc = is_counted ? session->twcc_seq++ : 0;

	size += write_extensions(out, twcc, head + size);
	header->has_extension = size > RTP_HEADER_BYTES;
	rtp_write_header(header, head);
	if (original != NULL) {
		head[size++] = (uint8_t)(*original >> 8);
		head[size++] = (uint8_t)*original;
	}
	bytes = rtc_batch_add(session, head, size, payload, len);
	if (is_counted && bytes > 0)
		rtc_estimate_on_sent(session->estimate, twcc, (unsigned)bytes,
				     clock_now_ns(session->rtc->front->clock));
}

void
rtc_out_send(struct rtc_session *session, struct rtc_out *out, const struct rtc_unit *unit,
	     uint16_t first_seq, uint32_t timestamp, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		const struct rtp_payload *payload = &unit->packed.payloads[i];
		struct rtp_header header = { .payload_type = out->payload_type,
					     .marker = payload->marker,
					     .seq = (uint16_t)(first_seq + i),
					     .timestamp = timestamp,
					     .ssrc = out->ssrc };

		put(session, out, &header, NULL, unit->packed.data + payload->offset, payload->len);
		out->packets++;
		out->octets += payload->len;
		out->rtx_budget += payload->len / RTC_OUT_RTX_SHARE;
	}
	if (out->rtx_budget > (int64_t)RTC_OUT_RTX_BYTES)
		out->rtx_budget = RTC_OUT_RTX_BYTES;
	rtc_batch_flush(session);
}

static struct rtc_sent *
find(struct rtc_out *out, uint16_t seq)
{
	for (unsigned i = 0; i < RTC_OUT_KEPT; i++) {
		struct rtc_sent *sent = &out->kept[i];

		if (sent->unit != NULL &&
		    (uint16_t)(seq - sent->first_seq) < sent->unit->packed.count)
			return sent;
	}
	return NULL;
}

/* What is only for safety must not use up what is asked for. */
static bool
has_plenty(const struct rtc_out *out)
{
	return out->rtx_payload_type != 0 && out->rtx_budget > (int64_t)RTC_OUT_RTX_BYTES / 2;
}

void
rtc_out_guard(struct rtc_session *session, struct rtc_out *out, uint16_t seq)
{
	if (!has_plenty(out))
		return;
	(void)rtc_out_again(session, out, seq, false);
	rtc_batch_flush(session);
}

bool
rtc_out_again(struct rtc_session *session, struct rtc_out *out, uint16_t seq, bool twice)
{
	struct rtc_sent *sent = find(out, seq);
	int64_t now = clock_now_ns(session->rtc->front->clock);
	const struct rtp_payload *payload;
	struct rtp_header header;
	unsigned copies;

	if (sent == NULL || out->rtx_payload_type == 0 || out->rtx_budget <= 0) {
		out->missed++;
		return false;
	}
	if (sent->again_ns != 0 && sent->again_seq == seq &&
	    now - sent->again_ns < RTC_OUT_AGAIN_MS * NS_PER_MS)
		return false;
	sent->again_seq = seq;
	sent->again_ns = now;
	payload = &sent->unit->packed.payloads[(uint16_t)(seq - sent->first_seq)];
	header = (struct rtp_header){ .payload_type = out->rtx_payload_type,
				      .marker = payload->marker,
				      .timestamp = sent->timestamp,
				      .ssrc = out->rtx_ssrc };
	copies = twice && has_plenty(out) ? 2 : 1;
	for (unsigned i = 0; i < copies; i++) {
		header.seq = out->rtx_seq++;
		put(session, out, &header, &seq, sent->unit->packed.data + payload->offset,
		    payload->len);
		out->rtx_budget -= payload->len;
	}
	out->repeated++;
	return true;
}
