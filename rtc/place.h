/*
 * Where a viewer is. A check with his password says so, but checks can be repeated by whoever
 * overhears one, and made by the viewer in another's name: neither may send the pictures to where
 * nobody wants them. Once there are keys, they move when something that is encrypted with them, and
 * so cannot be repeated, has come from the new address; a few of them are sent there as well, so
 * that there is something to answer. Where he may have made that in another's name, little is sent
 * until a report block repeats the stamp of one of our reports, which only who got it knows.
 */
#ifndef CAMHUB_RTC_PLACE_H
#define CAMHUB_RTC_PLACE_H

#include "rtc/path.h"

#define RTC_SILENT_MS   6500        /* Firefox makes a check in 6 s; a path without them is left */
#define RTC_SETTLE_MS   500         /* what was on its way from the old address says nothing */
#define RTC_TRIAL_BYTES (64u << 10) /* of pictures to where he says that he is, besides */
#define RTC_TRIAL_MS    3000
/* To addresses that have shown nothing; of a session, ever. */
#define RTC_UNPROVEN_BYTES (1u << 20)
#define RTC_GUESSES_MAX    8u /* stamps that are compared, for each report of ours */
#define RTC_STAMPS         4u

struct rtc_session;

struct rtc_place {
	struct rtc_path now;     /* where he is sent to */
	struct rtc_path claimed; /* where he says that he is; neither udp nor tcp: there */
	int64_t checked_ns;      /* the last valid check on the path */
	int64_t moved_ns;
	size_t trial_left;
	int64_t trial_ns;
	bool has_begun;   /* the handshake */
	bool has_moved;   /* since it did */
	bool is_dtls_his; /* the handshake's last datagram came from there */
	bool is_proven;
	size_t unproven_left;
	uint32_t stamps[RTC_STAMPS]; /* of our last reports to there; 0: none */
	unsigned next_stamp, guesses;
};

void rtc_place_init(struct rtc_place *place);

/* A valid check came from path. false: it is another viewer's, who is there and well. */
bool rtc_place_on_check(struct rtc_session *session, const struct rtc_path *path,
			bool is_nominated);
/* A datagram of the handshake; its end. */
void rtc_place_on_dtls(struct rtc_session *session, const struct rtc_path *path);
void rtc_place_on_up(struct rtc_session *session);
/* Something encrypted came from path, for the first time. */
void rtc_place_on_proof(struct rtc_session *session, const struct rtc_path *path);
/* A report with this stamp (the middle of its NTP time) leaves; a report block repeats one. */
void rtc_place_on_report_sent(struct rtc_session *session, uint32_t stamp);
void rtc_place_on_stamp(struct rtc_session *session, uint32_t stamp);
/* A connection of his is gone. */
void rtc_place_on_tcp_gone(struct rtc_session *session, const struct rtc_tcp *tcp);

/* Media, and what ends a handshake, as rtc_path_send(). */
size_t rtc_place_send(struct rtc_session *session, const uint8_t *data, size_t len, size_t segment);
/* Whether media may be sent where he is. */
bool rtc_place_may_send(const struct rtc_place *place);

#endif
