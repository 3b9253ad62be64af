/*
 * What the kernel knows of a connection.
 */
#include "config.h"

#include "http/local.h"

#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void
local_address_of(int fd, char out[LOCAL_ADDRESS_BYTES])
{
	struct sockaddr_storage addr = { 0 };
	const struct sockaddr_in *in = (const struct sockaddr_in *)&addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr;
	socklen_t len = sizeof(addr);

	out[0] = '\0';
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return;
	if (addr.ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, out, LOCAL_ADDRESS_BYTES);
	else if (addr.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], out, LOCAL_ADDRESS_BYTES);
	else if (addr.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, out, LOCAL_ADDRESS_BYTES);
}

static int
fd_of(struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);

	return evcon != NULL ? bufferevent_getfd(evhttp_connection_get_bufferevent(evcon)) : -1;
}

void
local_address_of_request(struct evhttp_request *req, char out[LOCAL_ADDRESS_BYTES])
{
	local_address_of(fd_of(req), out);
}

bool
local_has_left(struct evhttp_request *req)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int fd = fd_of(req);

	/* Of a unix socket nothing is known. */
	return fd < 0 || (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
			  info.tcpi_state != TCP_ESTABLISHED);
}
