/*
 * The listening sockets: bound as configured, or inherited from systemd, which then replace the
 * configured ones. They outlive every front, so that no connection is refused while one restarts.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_LISTEN_H
#define CAMHUB_SUPERVISOR_SUP_LISTEN_H

#include "shared/conf.h"

#include <stdbool.h>
#include <stddef.h>

#define SUP_LISTEN_BACKLOG 1024

struct sup_listener {
	int fd;
	char address[64]; /* what getsockname() says, conf_address_format() */
};

struct sup_listeners {
	struct sup_listener list[CONF_MAX_LISTEN];
	size_t n;
	bool inherited;
};

/*
 * Make the listeners that conf asks for, taking over (duplicating) those of old (NULL: none) whose
 * address stays; old is left alone. Inherited ones in old are kept whatever conf says. 0 and
 * *listeners (fds CLOEXEC, non-blocking), or negative errno and the reason in err: -EACCES an
 * address that is not loopback without http.insecure, -EADDRINUSE, others of socket(2), bind(2).
 */
int sup_listen_open(const struct conf *conf, const struct sup_listeners *old,
		    struct sup_listeners *listeners, char *err, size_t err_len);
/* May all of these be open under conf? 0, or -EACCES and the reason in err. */
int sup_listen_check(const struct conf *conf, const struct sup_listeners *listeners, char *err,
		     size_t err_len);
/* Take over descriptors from systemd: those that are no listening stream sockets are closed. */
void sup_listen_inherit(const int *fds, size_t n, struct sup_listeners *listeners);
void sup_listen_close(struct sup_listeners *listeners);
/* The same addresses in the same order. */
bool sup_listen_equal(const struct sup_listeners *a, const struct sup_listeners *b);

#endif
