/*
 * Datagrams on either kind of path.
 */
#include "config.h"

#include "rtc/path.h"

bool
rtc_path_is_same(const struct rtc_path *a, const struct rtc_path *b)
{
	if (a->udp != b->udp || a->tcp != b->tcp)
		return false;
	return a->udp == NULL || rtc_address_is_same(&a->peer, &b->peer);
}

size_t
rtc_path_send(const struct rtc_path *path, const uint8_t *data, size_t len, size_t segment)
{
	if (path->udp != NULL)
		return rtc_udp_send(path->udp, &path->peer, &path->local, data, len, segment);
	if (path->tcp != NULL)
		return rtc_tcp_send(path->tcp, data, len, segment);
	return len;
}
