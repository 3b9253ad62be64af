/*
 * The UDP side of our port: one socket for each address that the supervisor opened. Datagrams come
 * in by the dozen (recvmmsg), and go out as one call for all packets of a picture (UDP GSO), or
 * sendmmsg where the kernel or the network card cannot. Nothing waits: what the socket does not
 * take now is the caller's to keep.
 */
#ifndef CAMHUB_RTC_UDP_H
#define CAMHUB_RTC_UDP_H

#include "rtc/address.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define RTC_UDP_BATCH_SEGMENTS 48u /* of 64 that the kernel takes, and below 64 KiB */
#define RTC_UDP_BATCH_BYTES    62000u
#define RTC_DATAGRAM_MAX       2048u     /* that come; longer ones are thrown away */
#define RTC_UDP_BUFFER_BYTES   (4 << 20) /* wanted of each socket */

struct rtc_udp;

struct rtc_udp_ops {
	/* data may be written to. local: where it came to; AF_UNSPEC when that is known anyway. */
	void (*on_datagram)(void *arg, struct rtc_udp *udp, const union rtc_address *peer,
			    const union rtc_address *local, uint8_t *data, size_t len);
	/* The socket takes more again: after rtc_udp_send() said -EAGAIN. */
	void (*on_room)(void *arg, struct rtc_udp *udp);
};

struct rtc_udp_stats {
	uint64_t received, sent, calls, full, refused, truncated;
};

/* Takes fd, which is bound. Returns 0, or negative errno and leaves fd alone. */
int rtc_udp_new(struct event_base *base, int fd, const struct rtc_udp_ops *ops, void *arg,
		struct rtc_udp **udp);
void rtc_udp_free(struct rtc_udp **udp); /* NULL-safe */

/* Where it is bound; the address is unspecified (0.0.0.0, ::) for all of the machine's. */
const union rtc_address *rtc_udp_address(const struct rtc_udp *udp);
bool rtc_udp_is_wildcard(const struct rtc_udp *udp);
const struct rtc_udp_stats *rtc_udp_stats(const struct rtc_udp *udp);
/* For tests: as if the kernel knew no GSO. */
void rtc_udp_forbid_gso(struct rtc_udp *udp);

/*
 * len bytes as datagrams of `segment` bytes, the last one may be shorter; at most a batch. local:
 * where they come from (AF_UNSPEC: as the kernel thinks). Returns how many bytes were taken: fewer
 * than len when the socket is full, or 0; then on_room() is called later. What the network refuses
 * (no route, a firewall) counts as taken: it is lost like any datagram.
 */
size_t rtc_udp_send(struct rtc_udp *udp, const union rtc_address *peer,
		    const union rtc_address *local, const uint8_t *data, size_t len,
		    size_t segment);

#endif
