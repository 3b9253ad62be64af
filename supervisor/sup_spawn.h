/*
 * Places for workers that start: at most so many at once, first come, first served. A start costs
 * a sixth of a second of CPU time; sixty-four at once would cost everybody their pictures.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_SPAWN_H
#define CAMHUB_SUPERVISOR_SUP_SPAWN_H

#include "supervisor/sup_stream.h"

void sup_spawn_init(struct sup *sup);
/* SUP_EVENT_SLOT comes from the loop when it is this stream's turn; the place is then taken. */
void sup_spawn_enqueue(struct sup_stream *stream);
void sup_spawn_dequeue(struct sup_stream *stream);
void sup_spawn_release(struct sup_stream *stream); /* if it has a place */

#endif
