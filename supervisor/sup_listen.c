/*
 * bind, listen, and the rule about addresses, which looks at what the kernel says a socket is
 * bound to, whoever bound it.
 */
#include "config.h"

#include "supervisor/sup_listen.h"

#include "shared/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
sup_listen_close(struct sup_listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++)
		close(listeners->list[i].fd);
	listeners->n = 0;
}

static int
name_of(int fd, struct sockaddr_storage *addr, char *text)
{
	socklen_t len = sizeof(*addr);

	memset(addr, 0, sizeof(*addr));
	if (getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		return -errno;
	conf_address_format((struct sockaddr *)addr, text);
	return 0;
}

static int
check_rule(const struct conf *conf, const struct sup_listener *listener, char *err, size_t err_len)
{
	struct sockaddr_storage addr;
	char text[64];
	int rc = name_of(listener->fd, &addr, text);

	if (rc < 0) {
		snprintf(err, err_len, "a listener has no address: %s", strerror(-rc));
		return rc;
	}
	if (conf->insecure || conf->n_users > 0 ||
	    conf_address_is_loopback((struct sockaddr *)&addr))
		return 0;
	snprintf(err, err_len,
		 "http: %s can be reached from other machines, and nobody is asked for a password: "
		 "name users (access: users:), listen on 127.0.0.1 or [::1], or say "
		 "insecure: true",
		 text);
	return -EACCES;
}

static int
bind_one(const struct conf_listen *wanted, int *bound)
{
	int family = wanted->addr.ss_family, on = 1, rc;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&wanted->addr, wanted->addr_len) < 0 ||
	    listen(fd, SUP_LISTEN_BACKLOG) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*bound = fd;
	return 0;
}

static int
explain_bind(const char *text, int rc, char *err, size_t err_len)
{
	if (rc == -EADDRINUSE)
		snprintf(
		    err, err_len,
		    "http: cannot listen on %s: the port is in use by another program (ss -ltnp "
		    "shows which); stop it or change http: listen:",
		    text);
	else
		snprintf(err, err_len, "http: cannot listen on %s: %s", text, strerror(-rc));
	return rc;
}

static int
take_over(const struct sup_listener *from, struct sup_listener *to)
{
	*to = *from;
	to->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	return to->fd < 0 ? -errno : 0;
}

static const struct sup_listener *
find(const struct sup_listeners *listeners, const char *address)
{
	for (size_t i = 0; listeners != NULL && i < listeners->n; i++)
		if (strcmp(listeners->list[i].address, address) == 0)
			return &listeners->list[i];
	return NULL;
}

static int
open_configured(const struct conf *conf, const struct sup_listeners *old,
		struct sup_listeners *listeners, char *err, size_t err_len)
{
	for (size_t i = 0; i < conf->n_listen; i++) {
		struct sup_listener *to = &listeners->list[listeners->n];
		const struct sup_listener *from;
		struct sockaddr_storage addr;
		char text[64];
		int rc;

		conf_address_format((const struct sockaddr *)&conf->listen[i].addr, text);
		from = find(old, text);
		rc = from != NULL ? take_over(from, to) : bind_one(&conf->listen[i], &to->fd);
		if (rc == 0) {
			listeners->n++;
			rc = name_of(to->fd, &addr, to->address);
		}
		if (rc < 0)
			return explain_bind(conf->listen[i].text, rc, err, err_len);
		rc = check_rule(conf, to, err, err_len);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
open_inherited(const struct conf *conf, const struct sup_listeners *old,
	       struct sup_listeners *listeners, char *err, size_t err_len)
{
	int rc;

	listeners->inherited = true;
	for (size_t i = 0; i < old->n; i++) {
		rc = check_rule(conf, &old->list[i], err, err_len);
		if (rc < 0)
			return rc;
		rc = take_over(&old->list[i], &listeners->list[i]);
		if (rc < 0) {
			snprintf(err, err_len, "%s: %s", old->list[i].address, strerror(-rc));
			return rc;
		}
		listeners->n++;
	}
	return 0;
}

int
sup_listen_open(const struct conf *conf, const struct sup_listeners *old,
		struct sup_listeners *listeners, char *err, size_t err_len)
{
	struct sup_listeners fresh = { .n = 0 };
	int rc;

	if (old != NULL && old->inherited)
		rc = open_inherited(conf, old, &fresh, err, err_len);
	else
		rc = open_configured(conf, old, &fresh, err, err_len);
	if (rc < 0)
		sup_listen_close(&fresh);
	else
		*listeners = fresh;
	return rc;
}

int
sup_listen_check(const struct conf *conf, const struct sup_listeners *listeners, char *err,
		 size_t err_len)
{
	int rc = 0;

	for (size_t i = 0; i < listeners->n && rc == 0; i++)
		rc = check_rule(conf, &listeners->list[i], err, err_len);
	return rc;
}

static bool
is_listener(int fd)
{
	int listening = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
		return false;
	len = sizeof(int);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

void
sup_listen_inherit(const int *fds, size_t n, struct sup_listeners *listeners)
{
	*listeners = (struct sup_listeners){ .n = 0 };
	for (size_t i = 0; i < n; i++) {
		struct sup_listener *to = &listeners->list[listeners->n];
		struct sockaddr_storage addr;

		if (listeners->n == CONF_MAX_LISTEN || !is_listener(fds[i]) ||
		    name_of(fds[i], &addr, to->address) < 0) {
			log_warn("descriptor %d that was handed over is not used: it is no "
				 "listening stream socket, or one too many",
				 fds[i]);
			close(fds[i]);
			continue;
		}
		fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
		to->fd = fds[i];
		listeners->n++;
	}
	listeners->inherited = listeners->n > 0;
}

bool
sup_listen_equal(const struct sup_listeners *a, const struct sup_listeners *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i].address, b->list[i].address) != 0)
			return false;
	return true;
}
