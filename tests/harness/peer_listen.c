/*
 * Mock peers that are connected to, or connect.
 */
#include "config.h"

#include "shared/xalloc.h"
#include "tests/harness/harness.h"
#include "tests/harness/internal.h"
#include "tests/harness/peer_internal.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct peer *peer = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		ck_abort_msg("peer %s: accept: %m", peer->name);
	/* One connection: a second one is refused, as a test would want to know. */
	event_free(peer->accept_ev);
	peer->accept_ev = NULL;
	close(peer->listen_fd);
	peer->listen_fd = -1;
	peer_set_fd(peer, fd);
	peer_play(peer);
}

static struct peer *
listen_on(struct loop *loop, int fd, const struct sockaddr *addr, socklen_t len, const char *name)
{
	struct peer *peer = peer_make(loop, -1, name);

	peer->listen_fd = fd;
	if (bind(fd, addr, len) < 0 || listen(fd, 8) < 0)
		ck_abort_msg("peer %s: listen: %m", name);
	peer->accept_ev = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_accept, peer);
	event_add(peer->accept_ev, NULL);
	return peer;
}

struct peer *
peer_listen_tcp(struct loop *loop, const char *name, uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct peer *peer = listen_on(loop, fd, (struct sockaddr *)&addr, sizeof(addr), name);
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		ck_abort_msg("peer %s: getsockname: %m", name);
	*port = ntohs(addr.sin_port);
	return peer;
}

static struct peer *
listen_unix(struct loop *loop, const char *path, int type, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct peer *peer;

	ck_assert_uint_lt(strlen(path), sizeof(addr.sun_path));
	memcpy(addr.sun_path, path, strlen(path) + 1);
	peer = listen_on(loop, socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
			 (struct sockaddr *)&addr, sizeof(addr), name);
	peer->path = xstrdup(path);
	return peer;
}

struct peer *
peer_listen_unix(struct loop *loop, const char *path, const char *name)
{
	return listen_unix(loop, path, SOCK_STREAM, name);
}

struct peer *
peer_listen_chan(struct loop *loop, const char *path, enum msg_to receive, const char *name)
{
	struct peer *peer = listen_unix(loop, path, SOCK_SEQPACKET, name);

	peer->is_chan = true;
	peer->receive = receive;
	return peer;
}

struct peer *
peer_connect_tcp(struct loop *loop, const char *name, uint16_t port)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	/* To a listener on this machine: connects at once, without blocking for long. */
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		ck_abort_msg("peer %s: connect to port %u: %m", name, port);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return peer_make(loop, fd, name);
}
