/*
 * One descriptor for many, and for time: an epoll with a timerfd in it.
 */
#ifndef CAMHUB_LIB_POLLER_H
#define CAMHUB_LIB_POLLER_H

#include <stdint.h>

struct poller;

/* 0 or negative errno. */
int poller_new(struct poller **poller);
void poller_free(struct poller **poller); /* NULL-safe */
int poller_fd(const struct poller *poller);
int poller_add(struct poller *poller, int fd); /* readable; 0 or negative errno */
void poller_remove(struct poller *poller, int fd);
/* Readable at that time of CLOCK_MONOTONIC; INT64_MAX: never. */
void poller_set_time(struct poller *poller, int64_t at_ns);
/* Until something is readable, timeout_ms at most (-1: any time). */
void poller_wait(struct poller *poller, int timeout_ms);

#endif
