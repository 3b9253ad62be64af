/*
 * A second cursor's work.
 */
#include "config.h"

#include "rtc/sound.h"

#include "http/stream.h"
#include "rtc/line.h"

#define AT_ONCE      8
#define TICKS_PER_MS 90

static bool
is_same_kind(enum rtp_codec codec, const struct hub_audio_config *config)
{
	switch (config->format.codec) {
	case AUDIO_OPUS:
		return codec == RTP_CODEC_OPUS;
	case AUDIO_PCMU:
		return codec == RTP_CODEC_PCMU;
	case AUDIO_PCMA:
		return codec == RTP_CODEC_PCMA;
	default:
		return false;
	}
}

/* Another stream's line goes on where this one was. */
static void
tie(struct rtc_session *session, const struct hub_audio_config *config, uint64_t picture)
{
	int64_t now = clock_now_ns(session->rtc->front->clock);
	uint32_t begin = (uint32_t)hub_audio_ticks(&config->format, picture), passed;

	if (session->heard_line.last_ns == 0)
		return;
	passed =
	    (uint32_t)((now - session->heard_line.last_ns) / 1000 * config->format.rate / 1000000);
	session->heard_line.offset = session->heard_line.last + passed + 1 - begin;
}

/* From here on: the newest picture. What lies before it would come all at once. */
static bool
begin(struct rtc_session *session)
{
	struct cursor *cursor = &session->cursor;
	struct hub *hub = cursor->stream->hub;
	struct hub_audio_config *offer = hub_audio_offer(hub_sound(hub));

	if (offer == NULL || !is_same_kind(session->sound, offer) || hub_tail(hub) == hub_head(hub))
		return false;
	tie(session, offer, hub_at(hub, hub_tail(hub) - 1)->stamp.decode_time);
	cursor_sound_set(cursor, offer);
	cursor_sound_move(cursor, hub_at(hub, hub_tail(hub) - 1)->stamp.decode_time);
	return true;
}

static void
send_frame(struct rtc_session *session, const struct hub_audio_entry *entry)
{
	struct rtc_unit *unit = rtc_unit_of_sound(session->sound, entry);
	uint32_t timestamp = (uint32_t)entry->time + session->heard_line.offset;
	uint16_t seq;

	if (unit == NULL)
		return;
	seq = rtc_out_begin(&session->audio, unit, timestamp, false);
	for (size_t i = 0; i < unit->packed.count; i++)
		rtc_out_send(session, &session->audio, unit, seq,
			     session->sound == RTP_CODEC_OPUS
				 ? timestamp
				 : timestamp + unit->packed.payloads[i].offset,
			     i, 1);
	rtc_unit_unref(&unit);
	session->heard_line.last = timestamp;
	session->heard_line.last_ns = clock_now_ns(session->rtc->front->clock);
}

void
rtc_sound_pump(struct rtc_session *session)
{
	struct cursor *cursor = &session->cursor;
	struct hub_audio_entry *entry;

	if (cursor->stream == NULL || !cursor->joined)
		return;
	if (cursor->sound.config == NULL && !begin(session))
		return;
	for (unsigned n = 0; n < AT_ONCE && (entry = cursor_sound_peek(cursor)) != NULL; n++) {
		send_frame(session, entry);
		cursor_sound_take(cursor);
	}
}

bool
rtc_sound_at(const struct rtc_session *session, int64_t realtime_ns, uint32_t *timestamp)
{
	const struct hub_audio_config *config = session->cursor.sound.config;
	uint32_t pictures;

	if (config == NULL || session->audio.packets == 0 ||
	    !rtc_line_at(session, realtime_ns, &pictures))
		return false;
	*timestamp = session->heard_line.offset +
		     (uint32_t)hub_audio_ticks(&config->format, session->line.newest_ticks) +
		     (uint32_t)((int64_t)(int32_t)(pictures - session->line.last) *
				config->format.rate / 90000);
	return true;
}
