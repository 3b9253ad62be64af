/*
 * Snapshots: a front hands over a stream's newest group of pictures in a memfd, a transcoder turns
 * its last frame into a JPEG in another memfd, the front gets that. Neither is looked into here.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_SNAPSHOT_H
#define CAMHUB_SUPERVISOR_SUP_SNAPSHOT_H

#include <stdint.h>

#define SUP_SNAPSHOT_WAITING_MAX 16  /* jobs that no transcoder works on yet */
#define SUP_SNAPSHOT_ASKERS_MAX  256 /* of one job */

struct sup;

/*
 * Takes fd. While a job for the same stream waits or runs, its result will do for this request too.
 * The answer is one snapshot-done to the front that has this subscriber id.
 */
void sup_snapshot_request(struct sup *sup, uint32_t subscriber, int64_t request, uint32_t id,
			  int fd);
/* That front is dead: its requests are forgotten, jobs for nobody are given up. */
void sup_snapshot_forget(struct sup *sup, uint32_t subscriber);
void sup_snapshot_free_all(struct sup *sup);

#endif
