/*
 * What each program may use (`limits:`), so that one that leaks dies alone, by its own hand.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_LIMITS_H
#define CAMHUB_SUPERVISOR_SUP_LIMITS_H

#include "shared/conf.h"
#include "shared/spawn.h"

/* Of a program in the libexec directory. Never fails: one that is not known gets a helper's. */
void sup_limits_of(const struct conf *conf, const char *program, struct spawn_limits *limits);

#endif
