/*
 * Addresses that a viewer may reach us at: the candidates of an answer (RFC 8445 5.1.1.1).
 */
#ifndef CAMHUB_RTC_OWN_H
#define CAMHUB_RTC_OWN_H

#include "rtc/rtc.h"
#include "rtc/sdp.h"

/*
 * The candidates for a viewer at `client` who reached us at `local` (each "" unknown), the best
 * first: that address, unless it is the loopback one for somebody who is elsewhere, those that were
 * configured, those of the sockets, those of the machine where a socket is bound to all; each for
 * UDP, then all again for TCP. Returns how many.
 */
size_t rtc_own_candidates(const struct rtc *rtc, const char *local, const char *client,
			  struct rtc_sdp_candidate out[RTC_SDP_CANDIDATES_MAX]);

#endif
