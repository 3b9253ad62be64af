/*
 * What a program that publishes a stream needs of the system, read off its configuration.
 */
#ifndef CAMHUB_PUBLISH_WRK_CONFINE_H
#define CAMHUB_PUBLISH_WRK_CONFINE_H

#include "shared/sandbox.h"

struct wrk_config;

typedef const char *wrk_confine_fn(enum sandbox_stage stage, const struct wrk_config *config);

/* What locks that program in, as wrk_deps.confine; NULL: there is no such program. */
wrk_confine_fn *wrk_confine_of(const char *program);

#endif
