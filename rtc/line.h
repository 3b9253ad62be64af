/*
 * RTP's time: the ticks of the stream, both 90 kHz, moved by an offset of each viewer. Pictures of
 * a group that is sent at once lie close together and end at the newest, so that the browser does
 * not take the burst for a slow network.
 *
 * The lower bits of a timestamp tell which picture it is, to who knows about when that came: an RTP
 * header says nothing else that a page is told. They are 1 + (its arrival at us, in units of 5 ms
 * since 1970) modulo 63, or 0 when that is not told, as of the older pictures of such a group.
 */
#ifndef CAMHUB_RTC_LINE_H
#define CAMHUB_RTC_LINE_H

#include "rtc/session.h"

#define RTC_LINE_MARKS   64u /* values of these bits */
#define RTC_LINE_MARK_MS 5

/* The cursor has just found its place: pos .. burst_end-1 are sent at once. */
void rtc_line_join(struct rtc_session *session);
/* Another stream goes on where this one was: call it before that is joined. */
void rtc_line_untie(struct rtc_session *session);
/* The timestamp of the picture at pos, which is sent now. */
uint32_t rtc_line_stamp(struct rtc_session *session, const struct hub_entry *entry, uint64_t pos);
/* A picture that is not sent: time goes on. */
void rtc_line_pass(struct rtc_session *session, const struct hub_entry *entry);
/* The timestamp of an instant of the wall clock, by when the newest picture came to us (RFC 3550
 * 6.4.1). false: nothing was sent yet. */
bool rtc_line_at(const struct rtc_session *session, int64_t realtime_ns, uint32_t *timestamp);

#endif
