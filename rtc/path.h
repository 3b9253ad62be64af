/*
 * Where a viewer's datagrams go: a UDP socket and an address, or a TCP connection of his.
 */
#ifndef CAMHUB_RTC_PATH_H
#define CAMHUB_RTC_PATH_H

#include "rtc/tcp.h"
#include "rtc/udp.h"

struct rtc_path {
	struct rtc_udp *udp; /* one of both, or none: nowhere yet */
	struct rtc_tcp *tcp;
	union rtc_address peer, local; /* local: AF_UNSPEC as the kernel thinks */
};

bool rtc_path_is_same(const struct rtc_path *a, const struct rtc_path *b);
/* As rtc_udp_send(); what cannot be sent anywhere counts as taken. */
size_t rtc_path_send(const struct rtc_path *path, const uint8_t *data, size_t len, size_t segment);

#endif
