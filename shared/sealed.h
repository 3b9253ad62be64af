/*
 * Bytes that go from one process to another in a file of memory, which nobody can change any more
 * (memfd_create(2), F_ADD_SEALS): passed along with a message, read whole.
 */
#ifndef CAMHUB_SHARED_SEALED_H
#define CAMHUB_SHARED_SEALED_H

#include <stddef.h>

/* A sealed file with these bytes; name is for /proc alone. 0 and *fd, the caller's; a negative
 * errno. */
int sealed_new(const char *name, const void *bytes, size_t len, int *fd);
/* The same in parts: an empty file (or a negative errno), written by the caller, who says how that
 * went. With rc 0 it is sealed: 0 and *fd, the caller's; else it is closed: rc, or a negative
 * errno. */
int sealed_open(const char *name);
int sealed_end(int file, int rc, int *fd);

/* All len bytes from the beginning. 0; -EIO when there are fewer, or another negative errno. */
int sealed_read(int fd, void *bytes, size_t len);

#endif
