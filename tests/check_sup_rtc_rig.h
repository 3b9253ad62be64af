/*
 * For tests with the rtc front: a supervisor that has one, and what is said with it.
 */
#ifndef CAMHUB_TESTS_CHECK_SUP_RTC_RIG_H
#define CAMHUB_TESTS_CHECK_SUP_RTC_RIG_H

#include "tests/sup_fake.h"

#include <netinet/in.h>

#define DOOR    "cameras:\n  - {name: door, url: \"rtsp://192.0.2.10/\"}\n"
#define OPEN    "http: {insecure: true}\n"
#define SESSION "AAAAAAAAAAAAAAAAAAAAAA"

/* Its program is not installed yet. */
struct fake *prepare_rtc(struct loop *loop);
void install_rtc(struct fake *fake);
/* more: what follows `port: N` in the section `rtc`. */
void configure_rtc(struct fake *fake, uint16_t port, const char *more);
/* With a rtc front that has read what it was handed, but is not ready. */
struct fake *start_rtc(struct loop *loop, const char *more);
/* The configuration is another one. */
void reload(struct fake *fake);
/* A port that nobody has, by UDP or TCP, or so it was a moment ago. held: its socket; NULL: none.
 */
uint16_t free_port(int *held);

/* The living one; NULL: there is none. */
struct fake_child *find_rtc(struct fake *fake);
/* Ready, and all that it was handed is read. */
struct fake_child *synced_rtc(struct fake *fake);
struct fake_child *synced_http(struct fake *fake, const char *object);

/* A front asks. */
json_t *make_offer(int request);
void offer(struct fake_child *front, int request);
/* The number under which the rtc front got the next offer. */
long long expect_offer(struct fake_child *rtc);
void answer(struct fake_child *rtc, long long request, int code, const char *session);
/* The front has the answer; returns its error. */
const char *expect_answer(struct fake_child *front, int request, int code);

/* The machine's interfaces, to the supervisor's library: one, with this address. */
extern struct sockaddr_in own_address;
/* A socket on 127.0.0.1, and its port. */
void assert_bound(int fd, int type, uint16_t *port);
/* The next of the messages rtc-listener. */
int take_socket(struct fake_child *rtc, const char *kind);

#endif
