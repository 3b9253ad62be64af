/*
 * One viewer over WebRTC, from his offer to his end. An offer waits until the stream is known well
 * enough to be answered; then he shows by a STUN check that he is there, DTLS makes keys, and media
 * flows. All of it is one small object: a session keeps no packet of its own, only who he is, where
 * he is and which of the shared pictures he was sent.
 */
#ifndef CAMHUB_RTC_SESSION_H
#define CAMHUB_RTC_SESSION_H

#include "http/cursor.h"
#include "http/pass.h"

#include "rtc/batch.h"
#include "rtc/dtls.h"
#include "rtc/estimate.h"
#include "rtc/join.h"
#include "rtc/out.h"
#include "rtc/place.h"
#include "rtc/rtc.h"
#include "rtc/sdp.h"
#include "rtc/srtp.h"
#include "rtc/stun.h"

#define RTC_SESSION_ID_BYTES 23 /* with its NUL: base64url of 16 random bytes */
#define RTC_UFRAG_CHARS      8
#define RTC_PASSWORD_CHARS   24
#define RTC_PEERS_MAX        4     /* addresses of one viewer that checks came from */
#define RTC_OFFER_WAIT_MS    4000  /* for a picture, before an offer is answered */
#define RTC_SETUP_MS         15000 /* from the answer until the keys are there */
#define RTC_CONSENT_MS       15000 /* without a valid check: gone (RFC 7675) */
#define RTC_FAREWELL_MS      7000  /* the same once he seems to have said goodbye */
#define RTC_BURST_MAX        50    /* pictures; a longer group is not sent from its beginning */

enum rtc_state {
	RTC_ASKED,     /* the offer waits for the stream */
	RTC_ANSWERED,  /* nobody has come yet */
	RTC_CONNECTED, /* he was heard of; DTLS */
	RTC_UP,        /* media flows */
	RTC_ENDING,    /* freed in the next turn of the loop */
};

/* An address of his in the table. */
struct rtc_peer {
	LIST_ENTRY(rtc_peer) in_bucket;
	struct rtc_session *session; /* NULL: not in use */
	struct rtc_udp *udp;
	union rtc_address address;
};

/* A picture that was begun: packets from `next` on are still to be sent. */
struct rtc_sending {
	struct rtc_unit *unit; /* NULL: none */
	uint32_t timestamp;
	uint16_t first_seq;
	size_t next;
};

/* How RTP's time follows the stream's. */
struct rtc_line {
	bool is_tied;
	uint32_t offset;       /* timestamp = the stream's ticks + offset */
	uint32_t last;         /* sent last */
	int64_t last_ns;       /* when (monotonic) */
	int64_t arrived_ns;    /* when the picture with `last` came to us, wall clock; 0: not yet */
	uint64_t newest_ticks; /* of the stream, of that picture */
	uint32_t burst_first;  /* of a group that is sent at once */
	uint64_t burst_pos;
};

struct rtc_session {
	LIST_ENTRY(rtc_session) in_rtc, in_ids, in_ufrags;
	struct rtc *rtc;
	enum rtc_state state;
	char id[RTC_SESSION_ID_BYTES];
	char ufrag[RTC_UFRAG_CHARS + 1], password[RTC_PASSWORD_CHARS + 1];
	char address[ACCESS_ADDRESS_BYTES]; /* of who asked */
	char *their_ufrag, *their_password; /* of the offer */

	/* until it is answered */
	long long request;
	struct rtc_sdp_offer *offer;
	char *local; /* the address of ours that he reached, "" unknown */
	bool wants_sound, is_smooth;
	int64_t seen_ns;     /* the first picture; 0: not yet */
	long long stream_id; /* that was asked for */
	long long shown_id;  /* where its link lets it: that one, or its copy with Opus */

	struct rtc_place place;
	struct rtc_peer peers[RTC_PEERS_MAX];
	unsigned next_peer;
	int64_t begun_ns, heard_ns;              /* heard_ns: the last sign of life */
	struct rtc_dtls_fingerprint fingerprint; /* of his certificate */
	struct rtc_dtls *dtls;
	struct rtc_srtp *srtp_in, *srtp_out;
	size_t overhead; /* of a protected RTP packet */

	struct pass pass;
	struct watch watch;
	struct cursor cursor;
	enum nal_codec nal; /* what was answered */
	enum rtp_codec sound;
	bool has_video, has_sound;

	struct rtc_out video, audio;
	struct rtc_sending sending;
	struct rtc_join join;
	struct rtc_line line;
	struct {
		uint32_t offset, last; /* as of rtc_line, in ticks of the sound */
		int64_t last_ns;
	} heard_line;
	struct rtc_parked parked;
	uint16_t twcc_seq;
	uint64_t lost_here;
	struct clock_timer pace;
	struct clock_timer tail; /* the last packet of a picture, once more */
	uint16_t tail_seq;

	struct rtc_estimate *estimate;
	unsigned lost_percent;  /* of late */
	enum rtc_advice advice; /* the last one */
	enum rtc_advice doing;  /* OK: all pictures of its stream; KEYS_ONLY */
	enum rtc_advice told;   /* what the page knows of it */
	bool is_skipping;       /* until the next key frame */
	int64_t unbearable_ns;  /* since when there is much too much; 0: there is not */
	struct cursor other;    /* waits in the stream to go on with */
	int64_t other_since_ns;
	bool has_no_other; /* it did not come in time */
	struct {
		long long id; /* 0: none */
		uint64_t epoch;
	} unfit;           /* a smaller stream that cannot be shown on this path, as it was then */
	uint64_t skips;    /* times that he was led to a newer key frame */
	int64_t report_ns; /* the last SR */
	bool is_refresh_due;       /* he asked */
	bool is_pump_due;          /* something arrived at his end: there may be room */
	int64_t refresh_ns;        /* the last picture that was sent anew because he asked */
	struct rate_bucket heeded; /* of his RTCP */
	struct {
		bool is_due;
		uint32_t about, last_rr;
		int64_t came_ns;
	} rrtr; /* to be answered with the next report */

	struct clock_timer wait; /* RTC_ASKED: no picture; RTC_ENDING: free it */
};

/* What an offer came to. */
struct rtc_request {
	long long request;
	struct stream *stream;
	struct stream *shown;        /* that one, or its copy with sound that he can play */
	struct rtc_sdp_offer *offer; /* owned by the session from there on */
	struct gate_identity who;
	const char *address, *local;
	bool wants_sound, is_smooth;
	struct rtc_session *instead_of; /* ends, so that a link has room for it; NULL: none */
};
struct rtc_session *rtc_session_new(struct rtc *rtc, const struct rtc_request *request);

/* An offer (message rtc-offer). It is answered from the loop, sooner or later. */
void rtc_session_offer(struct rtc *rtc, const json_t *msg);

/* A datagram that is his, from this path. */
void rtc_session_on_check(struct rtc_session *session, const struct rtc_path *path,
			  const uint8_t *data, size_t len);
void rtc_session_on_dtls(struct rtc_session *session, const struct rtc_path *path,
			 const uint8_t *data, size_t len);
void rtc_session_on_rtcp(struct rtc_session *session, const struct rtc_path *path, uint8_t *data,
			 size_t len);
/* The path takes more; a connection of his is gone. */
void rtc_session_on_room(struct rtc_session *session);
void rtc_session_on_tcp_gone(struct rtc_session *session, struct rtc_tcp *tcp);

/* Several times a second: reports, consent, the state of his link. */
void rtc_session_tick(struct rtc_session *session);

/* It ends, from the loop. why: for the log, static; NULL: as it should be. */
void rtc_session_end(struct rtc_session *session, const char *why);
/* At once; only when no callback of it runs. */
void rtc_session_free(struct rtc_session **session);

/* For session_*.c */

/* Answer the offer: sdp of code 201, or why not. */
void rtc_session_answer(struct rtc_session *session, int code, const char *sdp, const char *error);
/* RTC_ASKED: look whether it can be answered now. */
void rtc_offer_try(struct rtc_session *session);
/* Send what there is to be sent, as far as it goes. */
void rtc_media_pump(struct rtc_session *session);
/* Where packets are lost: the last one of a picture again, whose loss he would notice with the
 * next. */
void rtc_media_send_tail(struct rtc_session *session);
/* He cannot show what he has: send the group of pictures again. */
void rtc_media_refresh(struct rtc_session *session);
/* RTCP: what is due. */
void rtc_report_send(struct rtc_session *session);

#endif
