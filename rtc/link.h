/*
 * What a viewer's link carries, and what is sent over it because of that.
 */
#ifndef CAMHUB_RTC_LINK_H
#define CAMHUB_RTC_LINK_H

#include "rtc/session.h"

/* Several times a second: what to send from now on. Only while media flows. */
void rtc_link_follow(struct rtc_session *session);
/* Whether what is sent now would only wait on the way. */
bool rtc_link_is_full(const struct rtc_session *session);
/* What waits here would be too old when it comes: the next key frame is the next picture. */
void rtc_link_check_late(struct rtc_session *session);
/* What flows now cannot be shown. true: he was led back to the stream that he asked for. */
bool rtc_link_lead_back(struct rtc_session *session);
/* The session ends. */
void rtc_link_leave(struct rtc_session *session);

#endif
