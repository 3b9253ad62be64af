/*
 * camhub-rtc: a front that speaks WebRTC. It has the streams, the gate and the bookkeeping of every
 * front; offers come to it from http fronts by way of the supervisor, viewers by UDP or TCP on one
 * port.
 */
#ifndef CAMHUB_RTC_RTC_H
#define CAMHUB_RTC_RTC_H

#include "http/front.h"

#include "rtc/address.h"
#include "shared/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define RTC_PORTS_MAX 32 /* listeners of each kind */
#define RTC_OWN_MAX   16 /* addresses of this machine, and that it is known by outside */
#define RTC_TICK_MS   100

struct rtc_dtls_context;
struct rtc_session;
struct rtc_table;
struct rtc_tcp_port;
struct rtc_udp;

LIST_HEAD(rtc_session_list, rtc_session);

struct rtc_stats {
	uint64_t strays;     /* datagrams that were nobody's */
	uint64_t bad_checks; /* STUN for a session of ours, made without its password */
	uint64_t offers, refused;
};

struct rtc {
	struct front *front;
	struct rtc_dtls_context *dtls;
	struct rtc_table *table;
	struct rtc_session_list sessions;
	unsigned n_sessions;
	struct clock_timer tick;
	struct rtc_udp *udp[RTC_PORTS_MAX];
	unsigned n_udp;
	struct rtc_tcp_port *tcp[RTC_PORTS_MAX];
	unsigned n_tcp;
	uint16_t port;                                  /* of the addresses that were configured */
	unsigned max_sessions, max_per_address;         /* 0: any number */
	char configured[RTC_OWN_MAX][RTC_ADDRESS_TEXT]; /* rtc: addresses */
	unsigned n_configured;
	char own[RTC_OWN_MAX][RTC_ADDRESS_TEXT]; /* of the machine */
	unsigned n_own;
	struct rtc_stats stats, told; /* told: in the log */
	int64_t told_ns;
};

extern const struct front_role front_rtc;

/* For tests: the rtc of a front with that role. */
struct rtc *rtc_of(const struct front *front);

/* A datagram came: whose is it? For the two kinds of ports. */
struct rtc_path;
void rtc_on_datagram(struct rtc *rtc, const struct rtc_path *path, uint8_t *data, size_t len);

#endif
