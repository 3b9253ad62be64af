/*
 * One datagram, one JSON object, at most one descriptor.
 */
#include "config.h"

#include "shared/chan.h"

#include "shared/xalloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
chan_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	return 0;
}

static int
send_bytes(int fd, char *text, size_t len, int pass_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (pass_fd >= 0) {
		memset(&control, 0, sizeof(control));
		hdr.msg_control = control.bytes;
		hdr.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &pass_fd, sizeof(int));
	}
	do
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
	return 0;
}

int
chan_send(int fd, const json_t *msg, int pass_fd)
{
	char *text = json_dumps(msg, JSON_COMPACT);
	size_t len;
	int rc;

	if (text == NULL)
		xalloc_die();
	len = strlen(text);
	rc = len > MSG_MAX_BYTES ? -EMSGSIZE : send_bytes(fd, text, len, pass_fd);
	/* There are messages with secrets in them. */
	explicit_bzero(text, len);
	free(text);
	return rc;
}

/* Takes the first descriptor; any other one is closed. */
static int
take_fd(struct msghdr *hdr, int *extra)
{
	int taken = -1;

	*extra = 0;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
			if (taken < 0) {
				taken = fd;
			} else {
				close(fd);
				(*extra)++;
			}
		}
	}
	return taken;
}

static int
parse(const char *text, size_t len, json_t **json, char *err)
{
	json_error_t error;

	*json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (*json != NULL && json_is_object(*json))
		return 0;
	json_decref(*json);
	*json = NULL;
	snprintf(err, MSG_ERROR_MAX, "not a JSON object");
	return -EPROTO;
}

static int
recv_bytes(int fd, struct msghdr *hdr, size_t *len)
{
	int resets = 0;
	ssize_t n;

	/* A peer that left something unread is told as ECONNRESET, once, before its last words,
	 * which are still there. */
	do
		n = recvmsg(fd, hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
	/* A datagram is never empty: 0 is the end. */
	if (n == 0 && hdr->msg_controllen == 0)
		return -EPIPE;
	*len = (size_t)n;
	return 0;
}

int
chan_recv(int fd, enum msg_to to, json_t **msg, enum msg_type *type, int *passed_fd, char *err)
{
	char text[MSG_MAX_BYTES + 1];
	/* Room for several, so that a peer that sends more is noticed, not truncated. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr hdr = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	int rc, extra, new_fd;
	json_t *json = NULL;
	size_t len = 0;

	rc = recv_bytes(fd, &hdr, &len);
	if (rc < 0)
		return rc;
	new_fd = take_fd(&hdr, &extra);
	if (extra > 0 || (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || len > MSG_MAX_BYTES) {
		snprintf(err, MSG_ERROR_MAX, "too long or too many descriptors");
		rc = -EPROTO;
		goto out;
	}
	rc = parse(text, len, &json, err);
	if (rc == 0)
		rc = msg_check(json, to, new_fd >= 0, type, err);
	explicit_bzero(text, len);
	if (rc < 0)
		goto out;
	*msg = json;
	*passed_fd = new_fd;
	return 0;
out:
	json_decref(json);
	if (new_fd >= 0)
		close(new_fd);
	return rc;
}
