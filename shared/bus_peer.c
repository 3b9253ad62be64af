/*
 * Peers of nng that leave before they were told hello. nng 1.5.2 takes EPIPE then for the end of
 * its own listener: that accepts nobody any more, and whoever connects and leaves after that keeps
 * a thread of nng's busy for ever. Of a connection that was reset it thinks better, so this is what
 * its threads are told. They call sendmsg() by its name, and the program's own comes before libc's.
 */
#include "config.h"

#include "shared/bus.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool is_on;
static _Thread_local bool is_ours; /* what this thread sends is not nng's */

void
bus_outlive_peers(void)
{
	is_ours = true;
	atomic_store(&is_on, true);
}

__attribute__((visibility("default"))) ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t n = syscall(SYS_sendmsg, fd, msg, flags);

	if (n < 0 && errno == EPIPE && !is_ours && atomic_load(&is_on))
		errno = ECONNRESET;
	return n;
}
