/*
 * The identity of the fronts for TLS: read here, where files may be read, and handed to them in a
 * sealed memfd. It is neither looked into here nor kept in memory.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_TLS_H
#define CAMHUB_SUPERVISOR_SUP_TLS_H

#include "supervisor/sup_int.h"

struct sup_front;

/* What tls: names, in *fd (the caller's; -1 without tls:). 0, or negative errno and why in err. */
int sup_tls_load(const struct conf *conf, int *fd, char *err, size_t err_len);
/* fd (owned, -1: none) is the identity from now on. */
void sup_tls_set(struct sup *sup, int fd);
/* To a front that began; no-op without one. */
void sup_tls_send(struct sup_front *front);
/* A reload: all fronts get it. Where TLS came or went they are started anew. */
void sup_tls_renew(struct sup *sup, const struct conf *before);

#endif
