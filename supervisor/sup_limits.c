/*
 * From `limits:` to the limits of one program.
 */
#include "config.h"

#include "supervisor/sup_limits.h"

#include <string.h>

/* nng starts threads by the number of processors: with the usual 8 MiB each, their stacks alone
 * would be more than a worker may have. 1 MiB is what Windows gives the same libraries. */
#define STACK_BYTES (1u << 20)

/* Of helpers that do one small thing. */
#define HELPER_MEMORY_BYTES  (256u << 20)
#define HELPER_FILES         64
#define HELPER_OOM_SCORE_ADJ 200

/* AddressSanitizer reserves terabytes. */
#ifdef __SANITIZE_ADDRESS__
#define MAY_LIMIT_MEMORY 0
#else
#define MAY_LIMIT_MEMORY 1
#endif

static void
set(struct spawn_limits *limits, int64_t memory_bytes, int64_t files, int64_t oom_score_adj)
{
	*limits = (struct spawn_limits){ .memory_bytes = (uint64_t)memory_bytes,
					 .stack_bytes = STACK_BYTES,
					 .files = (uint64_t)files,
					 .oom_score_adj = (int)oom_score_adj };
	if (!MAY_LIMIT_MEMORY)
		limits->memory_bytes = limits->stack_bytes = 0;
}

void
sup_limits_of(const struct conf *conf, const char *program, struct spawn_limits *limits)
{
	if (strcmp(program, "camhub-http") == 0 || strcmp(program, "camhub-rtc") == 0)
		set(limits, conf->front_memory, conf->front_files, conf->front_oom_score);
	else if (strcmp(program, "camhub-transcode") == 0)
		set(limits, conf->transcoder_memory, conf->worker_files,
		    conf->transcoder_oom_score);
	else if (strncmp(program, "camhub-worker", 13) == 0)
		set(limits, conf->worker_memory, conf->worker_files, conf->worker_oom_score);
	else
		set(limits, HELPER_MEMORY_BYTES, HELPER_FILES, HELPER_OOM_SCORE_ADJ);
}
