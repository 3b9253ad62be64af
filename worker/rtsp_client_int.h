/*
 * What the files of the RTSP client share: rtsp_client.c steps the table and keeps the timer,
 * rtsp_client_ask.c sends requests, rtsp_client_reply.c turns answers into events,
 * rtsp_client_media.c is tracks, packets, reports and silence.
 */
#ifndef CAMHUB_WORKER_RTSP_CLIENT_INT_H
#define CAMHUB_WORKER_RTSP_CLIENT_INT_H

#include "worker/rtsp_client.h"

#include "media/sdp.h"
#include "shared/clock.h"
#include "worker/rtsp_auth.h"
#include "worker/rtsp_conn_ev.h"
#include "worker/rtsp_transport.h"
#include "worker/rtsp_udp_ev.h"

#define RTSP_SESSION_ID_MAX 256
#define RTSP_REASON_MAX     400
#define RTSP_BYE_MS         500 /* after a good-bye: packets of the next source may follow */
#define RTSP_NO_CHANNEL     (-1)
/* A network that stood still delivers all at once: no faster than the bus takes it. */
#define RTSP_BURST_UNITS 32
#define RTSP_BURST_MS    10

/* One track that is played: 0 is video, 1 audio. */
struct rtsp_media {
	struct rtsp_client *client;
	const struct sdp_media *described;
	char *url; /* what SETUP names */
	bool is_set_up;
	uint8_t channel[2]; /* over TCP */
	struct rtsp_udp *udp;
	struct rtsp_track *track;
};

struct rtsp_pending {
	bool is_waiting;
	enum rtsp_method method;
	unsigned cseq;
	unsigned challenges;
};

struct rtsp_client {
	struct wrk *wrk;
	struct clock *clock;
	struct event_base *base;
	/* What was asked for */
	char *url;
	bool is_tls, may_tcp, may_udp;
	int64_t open_timeout_ms, silence_ms, give_up_ms, reorder_ms;

	struct rtsp_conn *conn; /* NULL: closed */
	struct rtsp_reader *reader;
	struct rtsp_auth *auth;

	enum rtsp_state state;
	struct clock_timer timer; /* the only one */
	int64_t deadline_ns;      /* of the state; INT64_MAX none */
	int64_t open_deadline_ns;
	int64_t report_ns; /* the next receiver reports; INT64_MAX none */
	bool is_open, has_told_end;

	/* What the camera said */
	struct rtsp_pending pending;
	unsigned cseq;
	bool has_public, can_get_parameter, can_pause;
	char session[RTSP_SESSION_ID_MAX];
	unsigned session_timeout_s;
	char *base_url, *play_url;
	char *redirect;  /* where it sends us */
	char *challenge; /* for who comes after us: it hung up behind it; NULL: it did not */
	bool is_second;  /* a challenge came with the configuration */
	struct sdp *sdp;

	/* The tracks */
	bool is_tcp;
	struct rtsp_tracks tracks;
	struct rtsp_media media[2];
	size_t n_media, current; /* current: the one that is being set up */
	uint32_t our_ssrc;
	int16_t channel_of[256]; /* media << 1 | is_rtcp, or RTSP_NO_CHANNEL */
	int64_t go_ns;
	bool is_held;         /* nothing is read until... */
	int64_t burst_end_ns; /* and the units until then are counted from... */
	uint64_t burst_units;
	/* Video packets until then: further ones tell that it helped, or that a good-bye was none
	 */
	bool was_revived, has_bye;
	uint64_t revive_packets, bye_packets;
	int64_t bye_ns;

	/* Why it ends */
	enum wrk_class class;
	char reason[RTSP_REASON_MAX];
};

/* rtsp_client.c */
void rtsp_client_handle(struct rtsp_client *client, enum rtsp_event event);
void rtsp_client_arm(struct rtsp_client *client); /* the timer, to the earliest thing that is due */
/* Why the next FAIL happens, in words for people. */
void rtsp_client_blame(struct rtsp_client *client, enum wrk_class class, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* rtsp_client_ask.c. Each returns 0, or a negative errno and who is to blame. */
int rtsp_client_ask(struct rtsp_client *client); /* the request of the state */
int rtsp_client_ask_again(struct rtsp_client *client);
int rtsp_client_keep_alive(struct rtsp_client *client);
bool rtsp_client_has_session(const struct rtsp_client *client);

/* rtsp_client_reply.c: an answer or a request of the camera. */
void rtsp_client_on_reply(struct rtsp_client *client, const struct rtsp_item *item);
void rtsp_client_on_request(struct rtsp_client *client, const struct rtsp_item *item);

/* rtsp_client_media.c */
/* After DESCRIBE: which tracks, and their addresses. 0, or a negative errno and who is to blame. */
int rtsp_client_choose_tracks(struct rtsp_client *client);
/* What SETUP of the current track asks for, malloc'd; NULL and who is to blame: no socket. */
char *rtsp_client_transport(struct rtsp_client *client);
/* SETUP was answered. 0, or a negative errno and who is to blame. */
int rtsp_client_set_up(struct rtsp_client *client, const struct rtsp_item *reply);
void rtsp_client_drop_audio(struct rtsp_client *client);
void rtsp_client_punch(struct rtsp_client *client);
void rtsp_client_on_data(struct rtsp_client *client, const struct rtsp_item *item, int64_t now_ns,
			 int64_t realtime_ns);
/* Whether more has come than is to be taken for now; then the connection is held. */
bool rtsp_client_hold(struct rtsp_client *client, int64_t now_ns);
void rtsp_client_tick_tracks(struct rtsp_client *client, int64_t now_ns);
int64_t rtsp_client_tracks_due_ns(const struct rtsp_client *client);
void rtsp_client_send_reports(struct rtsp_client *client, int64_t now_ns);
uint64_t rtsp_client_video_packets(const struct rtsp_client *client);
/* When silence has lasted too long, if no packet comes until then: it is to be helped, or it was
 * and the session is to end. */
int64_t rtsp_client_silent_ns(const struct rtsp_client *client);
int64_t rtsp_client_give_up_ns(const struct rtsp_client *client);
/* Silence has lasted too long: SILENT, or DEAD and who is to blame. */
enum rtsp_event rtsp_client_judge_silence(struct rtsp_client *client, int64_t now_ns);
void rtsp_client_report(struct rtsp_client *client, struct wrk_input_report *report);
void rtsp_client_close_tracks(struct rtsp_client *client); /* their sockets */
void rtsp_client_free_tracks(struct rtsp_client *client);

#endif
