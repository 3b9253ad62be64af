/*
 * What people should change about a camera, in words: what its worker saw, and what only the
 * configuration tells.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_ADVICE_H
#define CAMHUB_SUPERVISOR_SUP_ADVICE_H

#include "shared/msg.h"

#define SUP_ADVICE_MAX     8   /* texts */
#define SUP_ADVICE_BYTES   320 /* longer ones of a worker are left out */
#define SUP_ADVICE_PAUSE_S 5   /* between two changes that fronts are told */

struct sup_stream;

/* A JSON array, the caller's. status: the worker's latest, NULL: none. has_sub: the camera has a
 * second URL, and this is not it. */
json_t *sup_advice_for(const json_t *status, bool has_sub);
json_t *sup_advice_of(const struct sup_stream *stream);

/* There is a new status: tells the fronts when the advice has changed, not too often. */
void sup_advice_update(struct sup_stream *stream);
/* The worker is gone, and what it said; fronts learn it with the stream's next announcement. */
void sup_advice_clear(struct sup_stream *stream);

#endif
