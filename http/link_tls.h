/*
 * Links over TLS: a connection whose handshake is done, taken over with what its session has read
 * ahead.
 */
#ifndef CAMHUB_HTTP_LINK_TLS_H
#define CAMHUB_HTTP_LINK_TLS_H

#include "http/link.h"

#include <openssl/ssl.h>

/* As link_socket(); ssl speaks through fd and is owned, as fd is, from here on. */
void link_tls(struct link *link, struct front *front, int fd, SSL *ssl, const struct link_ops *ops,
	      void *arg);

#endif
