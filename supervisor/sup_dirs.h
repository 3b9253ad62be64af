/*
 * The runtime directory: locked by one supervisor at a time, holding the control socket and the
 * bus directory; nothing of it is left when the supervisor leaves.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_DIRS_H
#define CAMHUB_SUPERVISOR_SUP_DIRS_H

#include "shared/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SUP_PATH_MAX 108 /* sun_path with its NUL */

struct sup_dirs {
	char *runtime, *lock, *bus, *ctl; /* paths */
	char *results;                    /* below bus: where analysers listen */
	char *list_link;                  /* streams.json in runtime */
	int lock_fd;
	bool made_runtime;
};

/*
 * Make (if absent) and lock the directory, clear what a killed supervisor left there. 0, or
 * negative errno and why in err (err_len bytes): -EBUSY another supervisor runs, -ENAMETOOLONG.
 */
int sup_dirs_open(const char *runtime_dir, struct sup_dirs *dirs, char *err, size_t err_len);
/* The bus directory: 0700, or 2750 and gid (0750 when that is our own); in it the directory for
 * results: the same and 03770, where who is let in may make files and remove his own. Safe to call
 * again. As above. */
int sup_dirs_bus(const struct sup_dirs *dirs, gid_t gid, char *err, size_t err_len);
/* Whether the bus socket of each stream of conf fits below the runtime directory: 0, or
 * -ENAMETOOLONG and err. */
int sup_dirs_check(const struct sup_dirs *dirs, const struct conf *conf, char *err, size_t err_len);
/* "<bus>/<stream>-<epoch>.sock" into path (SUP_PATH_MAX); -ENAMETOOLONG. */
int sup_dirs_bus_path(const struct sup_dirs *dirs, const char *stream, int64_t epoch, char *path);
/* Unlink everything of ours and let go of the lock. Safe on a zeroed struct. */
void sup_dirs_close(struct sup_dirs *dirs);

#endif
