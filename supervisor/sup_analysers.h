/*
 * The programs that look at cameras, and what came of what they said, for camctl analysers.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_ANALYSERS_H
#define CAMHUB_SUPERVISOR_SUP_ANALYSERS_H

#include "supervisor/sup_int.h"

/* Calls fn with the message analyser-status (fn's to keep) for each that has said who it is. */
void sup_analysers_each(struct sup *sup, void (*fn)(json_t *msg, void *arg), void *arg);

#endif
