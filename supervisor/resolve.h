/*
 * camhub-resolve: one host name in, one answer out, exit (the protocol is in sup_lookup.h).
 */
#ifndef CAMHUB_SUPERVISOR_RESOLVE_H
#define CAMHUB_SUPERVISOR_RESOLVE_H

#include <stddef.h>

/* The answer to one request of len bytes, as text, malloc'd. Blocks. */
char *resolve_answer(const char *request, size_t len);
/* The whole program on that channel: exit status 0, or 75 when it could not read or answer. */
int resolve_run(int fd);

#endif
