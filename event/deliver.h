/*
 * camhub-event: one order in, one delivery, one answer out, exit. The answer is "ok CODE" for what
 * the receiver answered, or "error TEXT" (no part of the URL but the host is in it). Everything
 * blocks: whoever started it ends it when it takes too long.
 */
#ifndef CAMHUB_EVENT_DELIVER_H
#define CAMHUB_EVENT_DELIVER_H

#include <stddef.h>

/* The answer to one order of len bytes, malloc'd. */
char *deliver_answer(const char *order, size_t len);
/* The whole program on that channel: exit status 0, or 75 when it could not read or answer. */
int deliver_run(int fd);

#endif
