/*
 * Taking a socket away from evhttp, and freeing what is left of it from the loop.
 */
#include "config.h"

#include "http/listen_int.h"

#include "http/tls.h"
#include "shared/xalloc.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <unistd.h>

#define EARLY_BYTES_MAX 65536

void
listeners_bury_now(struct listeners *listeners)
{
	struct husk *husk;

	while ((husk = LIST_FIRST(&listeners->husks)) != NULL) {
		LIST_REMOVE(husk, entry);
		if (husk->evcon != NULL)
			evhttp_connection_free(husk->evcon);
		SSL_free(husk->ssl);
		free(husk);
	}
}

void
listeners_bury(struct listeners *listeners, struct evhttp_connection *evcon, SSL *ssl)
{
	struct husk *husk = xcalloc(1, sizeof(*husk));

	husk->evcon = evcon;
	husk->ssl = ssl;
	LIST_INSERT_HEAD(&listeners->husks, husk, entry);
	clock_timer_set_ms(&listeners->bury, 0);
}

static void
take_early(struct evbuffer *input, struct taken *taken)
{
	taken->early_len = evbuffer_get_length(input);
	taken->early = NULL;
	if (taken->early_len > EARLY_BYTES_MAX)
		taken->early_len = EARLY_BYTES_MAX;
	if (taken->early_len == 0)
		return;
	taken->early = xmalloc(taken->early_len);
	evbuffer_remove(input, taken->early, taken->early_len);
}

/* fd becomes something else under the same number; what it was is *copy. */
static int
swap_socket(const struct listeners *listeners, struct bufferevent *bev, int *copy)
{
	int fd = bufferevent_getfd(bev), rc;

	*copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (*copy < 0)
		return -errno;
	/* evhttp shuts its descriptor down when it frees the connection, and that would reach our
	 * copy: under its number lies something else then. Events must be off before. */
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	if (dup3(listeners->dummy_fd, fd, O_CLOEXEC) >= 0)
		return 0;
	rc = -errno;
	close(*copy);
	return rc;
}

int
listeners_take(struct listeners *listeners, struct evhttp_request *req, struct taken *taken)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct conn *conn = conn_find(listeners, req);
	int copy, rc;

	if (conn == NULL)
		return -ENOENT;
	rc = swap_socket(listeners, bev, &copy);
	if (rc < 0)
		return rc;
	/* The bufferevent has the session's address until it is freed. */
	if (conn->ssl != NULL && (SSL_set_fd(conn->ssl, copy) != 1 || SSL_up_ref(conn->ssl) != 1))
		xalloc_die();
	taken->end = (struct link_end){ .fd = copy, .ssl = conn->ssl, .place = conn->place };
	take_early(bufferevent_get_input(bev), taken);
	/* evhttp's callback may be running. */
	listeners_bury(listeners, evcon, conn->ssl);
	conn->ssl = NULL;
	conn->place = NULL;
	conn_free(conn);
	return 0;
}
