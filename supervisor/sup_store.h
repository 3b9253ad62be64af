/*
 * The small secret files of the state directory: read whole, replaced whole or not at all.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_STORE_H
#define CAMHUB_SUPERVISOR_SUP_STORE_H

#include <stddef.h>

#define SUP_STORE_MAX_BYTES 131072

/* Make the directory (0700) if it is absent. 0 or negative errno. */
int sup_store_open(const char *dir);
/*
 * 0 and *text (malloc'd, NUL behind it; wipe it). -ENOENT; -EPERM: others may read or write it, or
 * it belongs to somebody else; -EFBIG; -EINVAL: no file, or a NUL byte in it; other negative errno.
 */
int sup_store_read(const char *dir, const char *name, char **text);
/* Mode 0600, on the disk when it returns, never half written. 0 or negative errno. */
int sup_store_write(const char *dir, const char *name, const char *text);

#endif
