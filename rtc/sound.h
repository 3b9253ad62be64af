/*
 * Sound beside the pictures: the frames of the camera as they are.
 */
#ifndef CAMHUB_RTC_SOUND_H
#define CAMHUB_RTC_SOUND_H

#include "rtc/session.h"

/* Send what there is. Begins with the newest; silence that stands for what is missing is not sent,
 * the browser fills it. */
void rtc_sound_pump(struct rtc_session *session);
/* As rtc_line_at(), on the line of sound. */
bool rtc_sound_at(const struct rtc_session *session, int64_t realtime_ns, uint32_t *timestamp);

#endif
