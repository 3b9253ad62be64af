/*
 * ICE over TCP (RFC 6544), passive: datagrams behind their length (RFC 4571) on connections to our
 * port. A connection says whose it is with its first STUN request, soon, or is closed; how many may
 * be open that have not is bounded, of one address and of all; and of those of one owner.
 */
#ifndef CAMHUB_RTC_TCP_H
#define CAMHUB_RTC_TCP_H

#include "rtc/address.h"
#include "shared/clock.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define RTC_TCP_UNKNOWN_MAX      64 /* that have not shown whose they are */
#define RTC_TCP_UNKNOWN_PER_PEER 8
#define RTC_TCP_UNKNOWN_MS       5000
#define RTC_TCP_OWNED_MAX        4           /* of one owner */
#define RTC_TCP_PAUSE_MS         200         /* no descriptor is left: so long none is accepted */
#define RTC_TCP_QUEUE_BYTES      (64u << 10) /* more is not taken before that is gone */
#define RTC_TCP_UNSENT_BYTES     (32 << 10)  /* in the kernel likewise */

struct rtc_tcp_port;
struct rtc_tcp;

struct rtc_tcp_ops {
	/* data may be written to. The connection may be closed in it. */
	void (*on_datagram)(void *arg, struct rtc_tcp *tcp, uint8_t *data, size_t len);
	/* It takes more again. owner: as set. */
	void (*on_room)(void *arg, struct rtc_tcp *tcp, void *owner);
	/* It is gone: nothing may be sent on it any more. Only of those with an owner. */
	void (*on_gone)(void *arg, struct rtc_tcp *tcp, void *owner);
};

/* Takes fd, which listens. Returns 0, or negative errno and leaves fd alone. */
int rtc_tcp_port_new(struct event_base *base, struct clock *clock, int fd,
		     const struct rtc_tcp_ops *ops, void *arg, struct rtc_tcp_port **port);
/* Its connections are closed, their owners told. */
void rtc_tcp_port_free(struct rtc_tcp_port **port); /* NULL-safe */
const union rtc_address *rtc_tcp_port_address(const struct rtc_tcp_port *port);
unsigned rtc_tcp_port_unknown(const struct rtc_tcp_port *port);
unsigned rtc_tcp_port_owned(const struct rtc_tcp_port *port);

/* The connections of an owner are closed, on_gone is not called. Not from on_datagram(). */
void rtc_tcp_port_forget(struct rtc_tcp_port *port, const void *owner);

/* Whose it is from now on. The oldest of an owner who has too many is closed (on_gone), but not
 * keep, which may be NULL. */
void rtc_tcp_set_owner(struct rtc_tcp *tcp, void *owner, const struct rtc_tcp *keep);
void *rtc_tcp_owner(const struct rtc_tcp *tcp);
const union rtc_address *rtc_tcp_peer(const struct rtc_tcp *tcp);
/* As rtc_udp_send(): datagrams of `segment` bytes; on_room() is called when fewer were taken. */
size_t rtc_tcp_send(struct rtc_tcp *tcp, const uint8_t *data, size_t len, size_t segment);

#endif
