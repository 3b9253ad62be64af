/*
 * A picture or a frame of sound as RTP payloads, made once and shared by all viewers: each puts his
 * own header before them. Counted references: what was sent is kept as long as somebody may ask for
 * it again.
 */
#ifndef CAMHUB_RTC_UNIT_H
#define CAMHUB_RTC_UNIT_H

#include "http/hub.h"

#include "media/rtp_pack.h"

struct rtc_unit {
	int refs;
	struct rtp_packed packed;
	size_t bytes;      /* of all payloads */
	bool is_reordered; /* a picture that is shown later than one that comes behind it (B
			      frames): WebRTC cannot do that */
};

/* The payloads of a picture in the ring, made when first asked for. Borrowed. NULL: there is
 * nothing to send of it, or no memory. */
struct rtc_unit *rtc_unit_of(struct hub_entry *entry);
/* Whether any of the pictures at from .. from+max-1, as far as they are there, is shown out of
 * order. */
bool rtc_unit_has_b_frames(struct hub *hub, uint64_t from, unsigned max);
/* Of a frame of sound; a reference. NULL: not to be sent. */
struct rtc_unit *rtc_unit_of_sound(enum rtp_codec codec, const struct hub_audio_entry *entry);

struct rtc_unit *rtc_unit_ref(struct rtc_unit *unit);
void rtc_unit_unref(struct rtc_unit **unit); /* NULL-safe, nulls the pointer */

#endif
