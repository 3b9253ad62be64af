/*
 * WebRTC: the rtc front (camhub-rtc), its sockets, and the words between it and the http fronts.
 *
 * The rtc front is a front like others (sup_front.h): it is told of streams and who may see them,
 * and says what is watched. There is one of it, without listeners of http; its UDP and TCP sockets
 * belong to the supervisor and outlive it. What people offer comes to an http front, from there to
 * the supervisor, and from it under a number of its own to the rtc front; the answer goes the same
 * way back. Each offer is answered in time: where the rtc front does not, by the supervisor.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_RTC_H
#define CAMHUB_SUPERVISOR_SUP_RTC_H

#include "supervisor/sup_front.h"

#define SUP_RTC_PROGRAM "camhub-rtc"
#define SUP_RTC_NAME    "rtc"
/* An answer is due by then; else it is 503. The rtc front itself waits 4 s for a camera's picture.
 */
#define SUP_RTC_ANSWER_MS 5000
/* One that comes later is waited for, so that its session can be closed. */
#define SUP_RTC_LATE_MS 30000
/* Questions that are not answered: in all, and of one front. */
#define SUP_RTC_ASKS_MAX    192
#define SUP_RTC_ASKS_OF_ONE 128
/* Sockets that could not be bound are tried again. */
#define SUP_RTC_BIND_RETRY_MS 5000
/* The same when only our own of before are in the way, and go with the front. */
#define SUP_RTC_BIND_AGAIN_MS 300

/* How often the machine's addresses are looked at. */
#define SUP_RTC_LOOK_MS 15000
#define SUP_RTC_OWN_MAX 16

struct sup_rtc;

/* One address, by both ways. */
struct sup_rtc_socket {
	char address[64]; /* conf_address_format() */
	int udp, tcp;
};

struct sup_rtc_sockets {
	struct sup_rtc_socket list[CONF_MAX_LISTEN];
	size_t n;
};

struct sup_rtc *sup_rtc_new(struct sup *sup);
void sup_rtc_free(struct sup_rtc **rtc); /* NULL-safe */
/* As the configuration in force says: sockets are opened, kept or closed; the front starts or ends.
 */
void sup_rtc_apply(struct sup *sup);
void sup_rtc_stop(struct sup *sup); /* nothing is tried again */
/* The front anew. false: there is none. */
bool sup_rtc_restart(struct sup *sup);
/* To a new incarnation: its configuration and its sockets. */
void sup_rtc_send(struct sup_front *front);

/* To a new incarnation of an http front: that it is not there, where the configuration says so. */
void sup_rtc_tell(struct sup_front *front);
/* To all http fronts: it is there now, or its sessions are gone. */
void sup_rtc_announce(struct sup *sup, bool ready);

/* The relay (sup_rtc_relay.c) */

struct sup_rtc_asks;
struct sup_rtc_asks *sup_rtc_asks_new(struct sup *sup);
void sup_rtc_asks_free(struct sup_rtc_asks **asks); /* NULL-safe */
/* rtc-offer, rtc-patch or rtc-close of an http front. It is always answered. */
void sup_rtc_ask(struct sup_front *front, enum msg_type type, const json_t *msg);
/* rtc-answer of the rtc front. */
void sup_rtc_answered(struct sup *sup, const json_t *msg);
/* rtc-link of the rtc front: to all http fronts, of which one knows the session. */
void sup_rtc_on_link(struct sup *sup, const json_t *msg);
/* This incarnation of either kind is dead. */
void sup_rtc_forget(struct sup_front *front);
/* The rtc front when it can be asked; else NULL, the code for whoever asks, and why. */
struct sup_front *sup_rtc_ready(struct sup *sup, int *code, const char **why);
struct sup_rtc_asks *sup_rtc_asks_of(struct sup *sup);

/* The sockets (sup_rtc_sockets.c) */

/*
 * Those that conf asks for; listeners are those of http, whose addresses are taken where conf names
 * none. Sockets of old whose address stays are taken over (moved: old keeps the rest). 0 and
 * *wanted, or negative errno and why; old is untouched then.
 */
int sup_rtc_sockets_open(const struct conf *conf, const struct sup_listeners *listeners,
			 struct sup_rtc_sockets *old, struct sup_rtc_sockets *wanted, char *err,
			 size_t err_len);
/* Whether old has what conf asks for, in this order. */
bool sup_rtc_sockets_fit(const struct conf *conf, const struct sup_listeners *listeners,
			 const struct sup_rtc_sockets *old);
/* Whether one of old, which conf does not ask for, is in the way of one that it does: all addresses
 * and one of them. */
bool sup_rtc_sockets_clash(const struct conf *conf, const struct sup_listeners *listeners,
			   const struct sup_rtc_sockets *old);
void sup_rtc_sockets_close(struct sup_rtc_sockets *sockets);

#endif
