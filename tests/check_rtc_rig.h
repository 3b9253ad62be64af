/*
 * The rtc front's library between a fake supervisor and fake viewers on loopback. Time stands still
 * unless it is moved.
 */
#ifndef CAMHUB_TESTS_CHECK_RTC_RIG_H
#define CAMHUB_TESTS_CHECK_RTC_RIG_H

#include "http/stream.h"
#include "rtc/rtc.h"
#include "tests/check_http_frames.h"
#include "tests/rtc_viewer.h"

struct rtc_rig {
	struct loop *loop;
	struct front *front;
	struct rtc *rtc;
	struct peer *sup;
	uint16_t port; /* UDP and TCP */
	long long requests;
};

/* config: fields of rtc-config that differ, or NULL. keys: the message access-keys, NULL: of a
 * house without users. */
struct rtc_rig *rtc_rig_start(struct loop *loop, json_t *config, json_t *keys);

void rtc_rig_stream(struct rtc_rig *rig, int id, const char *name);
void rtc_rig_push(struct rtc_rig *rig, struct bus_msg *msg);
/* A configuration and n units beginning with a key frame. */
void rtc_rig_push_gop(struct rtc_rig *rig, struct feed *feed, unsigned n);

/* An offer for stream 1; changes: fields of it, or NULL. Returns its number. */
long long rtc_rig_ask(struct rtc_rig *rig, const char *sdp, json_t *changes);
/* The next answer; borrowed until the next. */
const json_t *rtc_rig_answer(struct rtc_rig *rig);
/* A viewer of stream 1 that was offered to, answered, and has its keys. */
struct rtc_viewer *rtc_rig_join(struct rtc_rig *rig, bool over_tcp);
/* One that watches: the first picture has come. */
struct rtc_viewer *rtc_rig_watch(struct rtc_rig *rig);
/* His session's id. */
const char *rtc_rig_session(struct rtc_rig *rig);
/* The first session, which most tests have one of. */
struct rtc_session *rtc_rig_first(struct rtc_rig *rig);
/* A rig whose stream 1 is `door`, with so many pictures. */
struct rtc_rig *rtc_rig_door(struct loop *loop, struct feed *feed, unsigned units);

#endif
