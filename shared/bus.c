/*
 * nng pub/sub, within the limits of what 1.5.2 survives (docs/architecture.md, "The bus"): one path
 * per incarnation, never listen twice on a path, dial only what is READY, no receive timeouts, no
 * unsubscribe, never close a subscriber whose pipe is alive.
 */
#include "config.h"

#include "shared/bus.h"

#include "shared/log.h"
#include "shared/xalloc.h"

#include <assert.h>
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What a camera sends at once after its network stood still for as long as the stall timeout. */
#define SEND_BUFFER_MESSAGES 256
#define RECV_BUFFER_MESSAGES 256
#define RECV_MAX_BYTES       (FRAME_PAYLOAD_MAX + 65536u)
#define RECONNECT_MS         250

struct bus_pub {
	nng_socket socket;
	nng_listener listener;
	atomic_int subscribers; /* changed by nng's threads */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

struct bus_sub {
	nng_socket socket;
	atomic_int pipes; /* changed by nng's threads */
	int fd;
	struct bus_sub *next; /* in the list of those that wait for the end of their pipe */
};

/* Closed by their owner, but their pipe was still alive. */
static _Thread_local struct bus_sub *lingering;

static int
error_of(int rv)
{
	switch (rv) {
	case 0:
		return 0;
	case NNG_EAGAIN:
		return -EAGAIN;
	case NNG_ENOMEM:
		return -ENOMEM;
	case NNG_EADDRINUSE:
		return -EADDRINUSE;
	case NNG_EADDRINVAL:
	case NNG_EINVAL:
		return -EINVAL;
	case NNG_ECONNREFUSED:
		return -ECONNREFUSED;
	case NNG_ENOENT:
		return -ENOENT;
	case NNG_ECLOSED:
		return -EPIPE;
	case NNG_EPERM:
		return -EACCES;
	case NNG_ENOFILES:
		return -EMFILE;
	default:
		return rv & NNG_ESYSERR ? -(rv & ~NNG_ESYSERR) : -EIO;
	}
}

/* nng starts its threads in the first call: they must not take the process's signals. */
static int
open_socket(int (*open)(nng_socket *), nng_socket *socket)
{
	sigset_t all, old;
	int rv;

	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* it says which call was forbidden */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rv = open(socket);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error_of(rv);
}

static int
make_url(const char *path, char *url, size_t size)
{
	if (path[0] != '/')
		return -EINVAL;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	snprintf(url, size, "ipc://%s", path);
	return 0;
}

static void
count_pipe(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
	(void)pipe;
	atomic_fetch_add((atomic_int *)arg, ev == NNG_PIPE_EV_ADD_POST ? 1 : -1);
}

static int
watch_pipes(nng_socket socket, atomic_int *counter)
{
	int rv = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, count_pipe, counter);

	return error_of(
	    rv != 0 ? rv : nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, count_pipe, counter));
}

int
bus_start(void)
{
	nng_socket socket;
	int rc = open_socket(nng_sub0_open, &socket);

	if (rc == 0)
		nng_close(socket); /* it never had a pipe */
	return rc;
}

/* Messages */

struct bus_msg *
bus_msg_ref(struct bus_msg *msg)
{
	msg->refs++;
	return msg;
}

void
bus_msg_unref(struct bus_msg **msg)
{
	struct bus_msg *old = *msg;

	*msg = NULL;
	if (old == NULL || --old->refs > 0)
		return;
	if (old->impl != NULL)
		nng_msg_free(old->impl);
	free(old);
}

struct bus_msg *
bus_msg_new(const struct frame *frame, const void *payload, size_t len)
{
	struct bus_msg *msg;

	if (len > FRAME_PAYLOAD_MAX)
		return NULL;
	msg = malloc(sizeof(*msg) + len);
	if (msg == NULL)
		return NULL;
	*msg = (struct bus_msg){ .frame = *frame, .payload = (uint8_t *)(msg + 1), .refs = 1 };
	msg->frame.payload_len = (uint32_t)len;
	if (len > 0)
		memcpy(msg + 1, payload, len);
	return msg;
}

/* A message in place: the header's room, then the payload, in nng's memory from the start. */

static void
show_room(const struct bus_msg *msg, uint8_t **data, size_t *cap)
{
	*data = (uint8_t *)nng_msg_body(msg->impl) + FRAME_HEADER_BYTES;
	*cap = nng_msg_len(msg->impl) - FRAME_HEADER_BYTES;
}

struct bus_msg *
bus_msg_begin(size_t room, uint8_t **data, size_t *cap)
{
	struct bus_msg *msg;
	nng_msg *raw;

	if (room > FRAME_PAYLOAD_MAX || nng_msg_alloc(&raw, FRAME_HEADER_BYTES + room) != 0)
		return NULL;
	msg = malloc(sizeof(*msg));
	if (msg == NULL) {
		nng_msg_free(raw);
		return NULL;
	}
	*msg = (struct bus_msg){ .refs = 1, .impl = raw };
	show_room(msg, data, cap);
	msg->payload = *data;
	return msg;
}

int
bus_msg_grow(void *msg, size_t need, uint8_t **data, size_t *cap)
{
	struct bus_msg *grown = msg;
	nng_msg *raw = grown->impl;

	if (need > FRAME_PAYLOAD_MAX)
		return -ENOMEM;
	if (FRAME_HEADER_BYTES + need > nng_msg_len(raw) &&
	    nng_msg_realloc(raw, FRAME_HEADER_BYTES + need) != 0)
		return -ENOMEM;
	show_room(grown, data, cap);
	grown->payload = *data;
	return 0;
}

void
bus_msg_finish(struct bus_msg *msg, const struct frame *frame, size_t len)
{
	nng_msg *raw = msg->impl;

	assert(FRAME_HEADER_BYTES + len <= nng_msg_len(raw));
	nng_msg_chop(raw, nng_msg_len(raw) - FRAME_HEADER_BYTES - len);
	msg->frame = *frame;
	msg->frame.payload_len = (uint32_t)len;
}

size_t
bus_msg_spare(const struct bus_msg *msg)
{
	return msg->impl != NULL ? nng_msg_capacity(msg->impl) - nng_msg_len(msg->impl) : 0;
}

/* Publisher */

static int
listen_on(nng_socket socket, const char *url, unsigned mode, nng_listener *listener)
{
	nng_listener new_listener;
	int rc = error_of(nng_listener_create(&new_listener, socket, url));

	if (rc < 0)
		return rc;
	rc = error_of(nng_listener_set_int(new_listener, NNG_OPT_IPC_PERMISSIONS, (int)mode));
	if (rc == 0)
		rc = error_of(nng_listener_start(new_listener, 0));
	if (rc < 0)
		nng_listener_close(new_listener);
	else
		*listener = new_listener;
	return rc;
}

/* nng would probe a path in use by connecting, which deafens the listener there. */
static int
make_free_url(const char *path, char *url, size_t size)
{
	struct stat st;
	int rc = make_url(path, url, size);

	if (rc == 0 && lstat(path, &st) == 0)
		rc = -EADDRINUSE;
	return rc;
}

static int
set_up_pub(struct bus_pub *pub, const char *url, unsigned mode)
{
	int rc = error_of(nng_socket_set_int(pub->socket, NNG_OPT_SENDBUF, SEND_BUFFER_MESSAGES));

	if (rc == 0)
		rc = watch_pipes(pub->socket, &pub->subscribers);
	return rc < 0 ? rc : listen_on(pub->socket, url, mode, &pub->listener);
}

int
bus_pub_open(const char *path, unsigned mode, struct bus_pub **pub)
{
	struct bus_pub *new_pub;
	char url[160];
	int rc;

	rc = make_free_url(path, url, sizeof(url));
	if (rc < 0)
		return rc;
	new_pub = xcalloc(1, sizeof(*new_pub));
	snprintf(new_pub->path, sizeof(new_pub->path), "%s", path);
	rc = open_socket(nng_pub0_open, &new_pub->socket);
	if (rc < 0) {
		free(new_pub);
		return rc;
	}
	rc = set_up_pub(new_pub, url, mode);
	if (rc < 0) {
		nng_close(new_pub->socket); /* nobody can have connected */
		free(new_pub);
		return rc;
	}
	*pub = new_pub;
	return 0;
}

int
bus_pub_move(struct bus_pub *pub, const char *path, unsigned mode)
{
	char url[160];
	nng_listener listener;
	int rc = make_free_url(path, url, sizeof(url));

	if (rc == 0)
		rc = listen_on(pub->socket, url, mode, &listener);
	if (rc < 0)
		return rc;
	bus_pub_unlink(pub);
	/* Subscribers send nothing, so that closing their pipes cannot hang as it does with those
	 * of a subscriber. */
	nng_listener_close(pub->listener);
	pub->listener = listener;
	snprintf(pub->path, sizeof(pub->path), "%s", path);
	return 0;
}

int
bus_pub_send(struct bus_pub *pub, const struct frame *frame, const void *payload, size_t len)
{
	struct frame header = *frame;
	nng_msg *msg;
	int rv;

	if (len > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (nng_msg_alloc(&msg, FRAME_HEADER_BYTES + len) != 0)
		return -ENOMEM;
	header.payload_len = (uint32_t)len;
	frame_encode(&header, nng_msg_body(msg));
	if (len > 0)
		memcpy((uint8_t *)nng_msg_body(msg) + FRAME_HEADER_BYTES, payload, len);
	rv = nng_sendmsg(pub->socket, msg, NNG_FLAG_NONBLOCK);
	if (rv != 0)
		nng_msg_free(msg);
	return error_of(rv);
}

int
bus_pub_send_plain(struct bus_pub *pub, const void *data, size_t len)
{
	nng_msg *msg;
	int rv;

	if (len > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (nng_msg_alloc(&msg, len) != 0)
		return -ENOMEM;
	if (len > 0)
		memcpy(nng_msg_body(msg), data, len);
	rv = nng_sendmsg(pub->socket, msg, NNG_FLAG_NONBLOCK);
	if (rv != 0)
		nng_msg_free(msg);
	return error_of(rv);
}

int
bus_pub_send_msg(struct bus_pub *pub, struct bus_msg **msg)
{
	struct bus_msg *sent = *msg;
	int rv;

	assert(sent->refs == 1 && sent->impl != NULL);
	frame_encode(&sent->frame, nng_msg_body(sent->impl));
	rv = nng_sendmsg(pub->socket, sent->impl, NNG_FLAG_NONBLOCK);
	if (rv == 0)
		sent->impl = NULL; /* nng's now */
	bus_msg_unref(msg);
	return error_of(rv);
}

int
bus_pub_resend(struct bus_pub *pub, const struct bus_msg *msg, uint16_t flags,
	       uint32_t for_subscriber)
{
	struct frame frame = msg->frame;

	frame.flags = flags;
	frame.for_subscriber = for_subscriber;
	return bus_pub_send(pub, &frame, msg->payload, msg->frame.payload_len);
}

int
bus_pub_subscribers(const struct bus_pub *pub)
{
	return atomic_load(&pub->subscribers);
}

void
bus_pub_unlink(struct bus_pub *pub)
{
	unlink(pub->path);
}

/* Subscriber */

static void
really_close(struct bus_sub *sub)
{
	nng_close(sub->socket);
	free(sub);
}

static void
close_lingering(void)
{
	for (struct bus_sub **at = &lingering; *at != NULL;) {
		struct bus_sub *sub = *at;

		if (bus_sub_connected(sub)) {
			at = &sub->next;
			continue;
		}
		*at = sub->next;
		really_close(sub);
	}
}

static int
set_up_sub(struct bus_sub *sub, const char *url, size_t max_bytes, int messages)
{
	nng_dialer dialer;
	int rc;

	rc = error_of(nng_socket_set(sub->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0));
	if (rc == 0)
		rc = error_of(nng_socket_set_int(sub->socket, NNG_OPT_RECVBUF, messages));
	if (rc == 0)
		rc = error_of(nng_socket_set_size(sub->socket, NNG_OPT_RECVMAXSZ, max_bytes));
	if (rc == 0)
		rc = error_of(nng_socket_set_ms(sub->socket, NNG_OPT_RECONNMINT, RECONNECT_MS));
	if (rc == 0)
		rc = watch_pipes(sub->socket, &sub->pipes);
	if (rc == 0)
		rc = error_of(nng_socket_get_int(sub->socket, NNG_OPT_RECVFD, &sub->fd));
	if (rc == 0)
		rc = error_of(nng_dialer_create(&dialer, sub->socket, url));
	if (rc == 0)
		rc = error_of(nng_dialer_start(dialer, NNG_FLAG_NONBLOCK));
	return rc;
}

int
bus_sub_open(const char *path, struct bus_sub **sub)
{
	return bus_sub_open_plain(path, RECV_MAX_BYTES, RECV_BUFFER_MESSAGES, sub);
}

int
bus_sub_open_plain(const char *path, size_t max_bytes, int messages, struct bus_sub **sub)
{
	struct bus_sub *new_sub;
	char url[160];
	int rc;

	close_lingering();
	rc = make_url(path, url, sizeof(url));
	if (rc < 0)
		return rc;
	new_sub = xcalloc(1, sizeof(*new_sub));
	rc = open_socket(nng_sub0_open, &new_sub->socket);
	if (rc < 0) {
		free(new_sub);
		return rc;
	}
	rc = set_up_sub(new_sub, url, max_bytes, messages);
	if (rc < 0) {
		bus_sub_close(&new_sub);
		return rc;
	}
	*sub = new_sub;
	return 0;
}

int
bus_sub_fd(const struct bus_sub *sub)
{
	return sub->fd;
}

int
bus_sub_recv_plain(struct bus_sub *sub, struct bus_msg **msg)
{
	struct bus_msg *new_msg;
	nng_msg *raw;
	int rv;

	if (lingering != NULL)
		close_lingering();
	rv = nng_recvmsg(sub->socket, &raw, NNG_FLAG_NONBLOCK);
	if (rv != 0)
		return error_of(rv);
	new_msg = xcalloc(1, sizeof(*new_msg));
	new_msg->payload = nng_msg_body(raw);
	new_msg->frame.payload_len = (uint32_t)nng_msg_len(raw);
	new_msg->refs = 1;
	new_msg->impl = raw;
	*msg = new_msg;
	return 0;
}

int
bus_sub_recv(struct bus_sub *sub, struct bus_msg **msg)
{
	struct bus_msg *new_msg;
	int rc = bus_sub_recv_plain(sub, &new_msg);

	if (rc < 0)
		return rc;
	if (frame_decode(new_msg->payload, new_msg->frame.payload_len, &new_msg->frame,
			 &new_msg->payload) < 0) {
		bus_msg_unref(&new_msg);
		return -EPROTO;
	}
	*msg = new_msg;
	return 0;
}

bool
bus_sub_connected(const struct bus_sub *sub)
{
	return atomic_load(&sub->pipes) > 0;
}

void
bus_sub_close(struct bus_sub **sub)
{
	struct bus_sub *old = *sub;

	*sub = NULL;
	if (old == NULL)
		return;
	if (bus_sub_connected(old)) {
		old->next = lingering;
		lingering = old;
		return;
	}
	really_close(old);
	close_lingering();
}

unsigned
bus_sub_lingering(void)
{
	unsigned n = 0;

	close_lingering();
	for (const struct bus_sub *sub = lingering; sub != NULL; sub = sub->next)
		n++;
	return n;
}
