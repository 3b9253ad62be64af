/*
 * The RTSP client on a fake clock, between a fake worker and a scripted camera.
 */
#ifndef CAMHUB_TESTS_CHECK_RTSP_RIG_H
#define CAMHUB_TESTS_CHECK_RTSP_RIG_H

#include "worker/rtsp_client.h"
#include "worker/rtsp_input.h"

#include "tests/harness/harness.h"

#define CAMERA_URL "rtsp://192.0.2.7:554/live"
#define CRLF       "\r\n"

/* What the fake worker was told. */
struct wrk {
	struct loop *loop;
	void *input;
	struct peer *camera;
	bool has_started;
	unsigned opened, failures, redirects, challenges, closed;
	unsigned pictures, keys, sounds, configs;
	enum wrk_class class;
	char reason[512], location[512], challenge[512];
	/* Of the last request of the client */
	char request[4096];
	unsigned cseq;
	uint16_t seq[2]; /* RTP */
};

extern struct wrk *rig; /* of the running test */

/* Defaults for what config leaves out; time stands still but for loop_run_for_ms(). The camera is
 * at the other end of a pair of unix sockets. */
void rig_start(struct loop *loop, struct wrk_input_config config);
/* The same over TCP on 127.0.0.1. */
void rig_start_tcp(struct loop *loop, struct wrk_input_config config);
enum rtsp_state rig_state(void);

/* The next request, which must be of this method: its text. */
const char *camera_expect(const char *method);
/* An answer to it; headers: lines with their CRLF. */
void camera_reply(const char *status, const char *headers, const char *body);
void camera_say(const char *text);
/* From OPTIONS up to, and without, the request of that method. sdp: what DESCRIBE is answered. */
void camera_open_until(const char *method, const char *sdp);
/* All of it: pictures may come. */
void camera_open(const char *sdp);
/* Interleaved: one access unit in three packets, or sound. */
void camera_send_picture(uint8_t channel);
void camera_send_sound(uint8_t channel);
/* 12 bytes of RTP and the payload, at out; returns how many. */
size_t rtp_write(uint8_t *out, uint8_t type, bool marker, uint16_t seq, uint32_t timestamp,
		 const void *payload, size_t len);

/* The end that must have come, once, with the last word after it. */
void expect_end(enum wrk_class class, const char *reason_part);
void stop_now(void);

extern const char sdp_video[], sdp_both[];
#define SESSION_HEADER "Session: 4711;timeout=60" CRLF
#define PUBLIC_HEADER  "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER" CRLF

#endif
