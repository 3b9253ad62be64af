/*
 * One TCP connect, without blocking and without reading a byte: does the camera answer?
 */
#ifndef CAMHUB_SUPERVISOR_SUP_PROBE_EV_H
#define CAMHUB_SUPERVISOR_SUP_PROBE_EV_H

#include <stdint.h>
#include <sys/socket.h>

struct sup;
struct sup_probe;

/* error 0: fd is the connected socket, the callee's. Else negative errno (-ETIMEDOUT: no answer in
 * timeout_ms), fd -1. Called from the loop, once. */
typedef void sup_probe_fn(void *arg, int error, int fd);

struct sup_probe *sup_probe_start(struct sup *sup, const struct sockaddr_storage *address,
				  int64_t timeout_ms, sup_probe_fn *fn, void *arg);
void sup_probe_cancel(struct sup_probe **probe); /* NULL-safe; fn is not called any more */

#endif
