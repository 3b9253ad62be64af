/*
 * While there is no valid configuration: each connection gets "503, try again later" and is closed.
 * No byte of a request is looked at.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_REFUSE_EV_H
#define CAMHUB_SUPERVISOR_SUP_REFUSE_EV_H

#define SUP_REFUSE_AT_ONCE   64
#define SUP_REFUSE_LINGER_MS 2000

struct sup;
struct sup_refuse;

/* Accepts on all of sup->listeners until freed. */
struct sup_refuse *sup_refuse_new(struct sup *sup);
void sup_refuse_free(struct sup_refuse **refuse); /* NULL-safe */

#endif
