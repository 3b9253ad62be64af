/*
 * The worker of a stream: spawned, configured, listened to.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_WORKER_H
#define CAMHUB_SUPERVISOR_SUP_WORKER_H

#include "supervisor/sup_stream.h"

/* 0, or negative errno with the trouble noted. */
int sup_worker_spawn(struct sup_stream *stream);
/* Tell it what demand there is. */
void sup_worker_send_demand(struct sup_stream *stream);

#endif
