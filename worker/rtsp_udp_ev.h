/*
 * RTP and RTCP of one track over UDP (RFC 3550 11: an even port and the odd one above it), from
 * one camera only.
 */
#ifndef CAMHUB_WORKER_RTSP_UDP_EV_H
#define CAMHUB_WORKER_RTSP_UDP_EV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;
struct event_base;
struct rtsp_udp;

struct rtsp_udp_ops {
	/* One datagram from the camera, borrowed for the call; the times are when it was read. The
	 * pair may be freed from within. */
	void (*on_packet)(void *arg, bool is_rtcp, const uint8_t *data, size_t len,
			  int64_t monotonic_ns, int64_t realtime_ns);
	/* All that was there has been told. */
	void (*on_drained)(void *arg);
};

/*
 * connection_fd: the connection to the camera; the pair listens at its local address and takes
 * datagrams from its peer's address (any port: not all cameras send from where they say). ops is
 * borrowed for as long as it lives. Returns 0; -EAFNOSUPPORT: no connection over IP; -EADDRINUSE:
 * no pair of ports is free; other negative errno.
 */
int rtsp_udp_new(struct event_base *base, struct clock *clock, int connection_fd,
		 const struct rtsp_udp_ops *ops, void *arg, struct rtsp_udp **udp);
void rtsp_udp_free(struct rtsp_udp **udp); /* NULL-safe, also from within a callback */

uint16_t rtsp_udp_port(const struct rtsp_udp *udp); /* of RTP; RTCP's is the next */
/* Where the camera receives, [0] RTP, [1] RTCP; 0: it did not say. */
void rtsp_udp_set_camera_ports(struct rtsp_udp *udp, const uint16_t ports[2]);
/* Opens the way for packets through firewalls and NAT between here and there: an RTP packet
 * without payload, and an empty receiver report. */
void rtsp_udp_punch(struct rtsp_udp *udp, uint32_t our_ssrc);
/* To the camera's RTCP port. Lost datagrams are no error. */
void rtsp_udp_send_rtcp(struct rtsp_udp *udp, const void *data, size_t len);
/* How many datagrams came from somewhere else and were thrown away. */
uint64_t rtsp_udp_strangers(const struct rtsp_udp *udp);

#endif
